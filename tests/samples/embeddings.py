"""Samples of bags of embeddings; `embedding` itself is in kernels.py."""

import numpy as np

from tests.sample import T, case, op

TABLE = T((7, 4))
INDICES, PAIRS = T((9,), 0, 6, dtype="int64"), T((3, 4), 0, 6, dtype="int64")


def bags(
    indices, weight, offsets=None, mode="mean", per_sample_weights=None, include_last_offset=False, padding_idx=None
):
    """One bag after the other."""
    if offsets is None:
        offsets = np.arange(0, indices.size, indices.shape[1])
    ends = [*offsets[1:], indices.size]
    starts = offsets[:-1] if include_last_offset else offsets
    flat = indices.reshape(-1)
    factors = np.ones(flat.size) if per_sample_weights is None else per_sample_weights.reshape(-1)
    result = np.zeros((len(starts), weight.shape[1]))
    for bag, (start, end) in enumerate(zip(starts, ends, strict=False)):
        kept = [i for i in range(start, end) if flat[i] != padding_idx]
        if kept:
            rows = weight[flat[kept]] * factors[kept, None]
            result[bag] = {"sum": np.sum, "mean": np.mean, "max": np.max}[mode](rows, axis=0)
    return result


SAMPLES = [
    op(
        "nn.functional.embedding_bag",
        bags,
        case(PAIRS, TABLE),
        case(PAIRS, TABLE, mode="sum", per_sample_weights=T((3, 4))),
        case(PAIRS, TABLE, mode="max"),
        case(PAIRS, TABLE, padding_idx=2),
        case(PAIRS, TABLE, mode="max", padding_idx=2),
        case(T((0, 4), 0, 6, dtype="int64"), TABLE, mode="sum"),
        case(INDICES, TABLE, T((1,), 0, 0, dtype="int64"), mode="sum"),
        case(INDICES, TABLE, T((3,), 0, 0, dtype="int64"), mode="max"),
        case(INDICES, TABLE, T((3,), 0, 0, dtype="int64"), include_last_offset=True),
        dtypes=("float64", "float32"),
    ),
]

WITHOUT_SAMPLE = {"embedding_renorm_": "test_embedding.py"}
