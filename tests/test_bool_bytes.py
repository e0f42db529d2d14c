"""A bool tensor may show memory in which a byte is neither 0 nor 1: it is true, whatever is done with it."""

import copy
import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import rustorch
from rustorch import safetensors

from tests.op_samples import SAMPLES
from tests.sample import ALL, Call, Sample, T, dtype_name, to_array, to_tensor, transform

# Shapes with whole vectors and rests, more than a tile, more than a thread's share.
SHAPES = [(), (1,), (7,), (64,), (3, 65), (5, 1030), (130_001,)]


def odd_bytes(truth: NDArray[np.bool_], seed: int = 0) -> NDArray[np.bool_]:
    """The same truth values, with any bytes but 0 for true."""
    bytes_ = np.random.default_rng(seed).integers(1, 256, truth.shape).astype(np.uint8)
    return np.where(truth, bytes_, 0).astype(np.uint8).view(bool)


def odd(truth: NDArray[np.bool_], device: str) -> rustorch.Tensor:
    return rustorch.from_numpy(odd_bytes(truth)).to(device)


def values(results: Any) -> list[Any]:
    """What results say, bytes of bools aside."""
    results = results if isinstance(results, list | tuple) else [results]
    arrays = [to_array(r) if isinstance(r, rustorch.Tensor) else np.asarray(r) for r in results]
    return [(a.dtype, (a.view(np.uint8) != 0) if a.dtype == bool else a) for a in arrays]


def assert_same(got: Any, want: Any) -> None:
    for (dtype, a), (expected_dtype, b) in zip(values(got), values(want), strict=True):
        assert dtype == expected_dtype
        np.testing.assert_array_equal(a, b)


def takes_bool(sample: Sample) -> list[str]:
    """The dtypes for which a call of the sample has a bool argument."""

    def fixed(case: Any) -> bool:
        specs: list[T] = []
        transform((case.args, tuple(case.kwargs.values())), specs.append)
        return any(spec.dtype == "bool" for spec in specs)

    if "bool" in sample.dtypes:
        return ["bool"]
    return list(sample.dtypes[:1]) if any(fixed(case) for case in sample.cases) else []


@pytest.mark.parametrize(
    ("sample", "dtype"), [pytest.param(s, d, id=f"{s.name}-{d}") for s in SAMPLES for d in takes_bool(s)]
)
def test_an_op_sees_the_same_truth(sample: Sample, dtype: str, device: str) -> None:
    for case in sample.cases_for(dtype):
        call = Call(sample, case, dtype, device)
        want = call.run(call.tensors())
        pairs = zip(call.arrays, call.specs, strict=True)
        tensors = [
            odd(array, device) if (spec.dtype or dtype) == "bool" else to_tensor(array, spec.dtype or dtype, device)
            for array, spec in pairs
        ]
        assert_same(call.run(tensors), want)


# What the samples do not say: two bools together, dtypes, reading, writing, forms of `x[...]`.
OPS: dict[str, Callable[[rustorch.Tensor, rustorch.Tensor], Any]] = {
    **{name: lambda x, y, name=name: getattr(x, name)(y) for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    **{f"logical_{name}": lambda x, y, name=name: getattr(x, f"logical_{name}")(y) for name in ("and", "or", "xor")},
    **{f"bitwise_{name}": lambda x, y, name=name: getattr(x, f"bitwise_{name}")(y) for name in ("and", "or", "xor")},
    "bitwise_not": lambda x, y: ~x,
    "add": lambda x, y: x + y,
    "mul": lambda x, y: x * y,
    "add one": lambda x, y: x + 1,
    "times a float": lambda x, y: x * 0.5,
    "maximum": lambda x, y: rustorch.maximum(x, y),
    "minimum": lambda x, y: rustorch.minimum(x, y),
    "where": lambda x, y: rustorch.where(x, y, ~y),
    "where of numbers": lambda x, y: rustorch.where(x, 1.5, rustorch.ones_like(y, dtype=rustorch.float32)),
    "masked_fill": lambda x, y: y.float().masked_fill(x, 7),
    "masked_fill_ itself": lambda x, y: x.clone().masked_fill_(x, False),
    "masked_select": lambda x, y: y.masked_select(x),
    "masked_scatter": lambda x, y: y.masked_scatter(x, ~y),
    "x[mask]": lambda x, y: y[x],
    "nonzero": lambda x, y: x.nonzero(),
    "count_nonzero": lambda x, y: x.count_nonzero(),
    "argwhere": lambda x, y: rustorch.argwhere(x),
    "sum": lambda x, y: x.sum(),
    "sum of rows": lambda x, y: x.reshape(1, -1).sum(0),
    "sum of columns": lambda x, y: x.reshape(-1, 1).sum(1),
    "mean of floats": lambda x, y: x.mean(dtype=rustorch.float64),
    "prod": lambda x, y: x.prod(),
    "any": lambda x, y: [x.any(), x.reshape(-1, 1).any(0), x.reshape(1, -1).any(0)],
    "all": lambda x, y: [x.all(), x.reshape(-1, 1).all(0), x.reshape(1, -1).all(0)],
    "max": lambda x, y: x.max(),
    "max of rows": lambda x, y: x.reshape(-1, 1).max(0),
    "min of columns": lambda x, y: x.reshape(1, -1).min(1),
    "cumsum": lambda x, y: x.reshape(-1).cumsum(0),
    "cumprod": lambda x, y: x.reshape(-1).cumprod(0),
    "cummax": lambda x, y: x.reshape(-1).cummax(0),
    "sort": lambda x, y: x.reshape(-1).sort(stable=True),
    "unique": lambda x, y: x.unique(return_inverse=True, return_counts=True),
    "scatter_reduce": lambda x, y: rustorch.zeros(1, dtype=rustorch.bool).scatter_reduce(
        0, rustorch.zeros(x.numel(), dtype=rustorch.int64), x.reshape(-1), "amax"
    ),
    "index_add": lambda x, y: rustorch.zeros(1, dtype=rustorch.bool).index_add(
        0, rustorch.zeros(x.numel(), dtype=rustorch.int64), x.reshape(-1)
    ),
    "equal": lambda x, y: [rustorch.equal(x, x != 0), rustorch.equal(x, y)],
    "one_hot": lambda x, y: rustorch.nn.functional.one_hot(x.long(), 2),
    "tolist": lambda x, y: x.tolist(),
    "repr": lambda x, y: repr(x),
    "flip": lambda x, y: x.reshape(-1).flip(0).int(),
    "transposed": lambda x, y: x.reshape(1, -1).t().contiguous().float(),
    "cat": lambda x, y: rustorch.cat([x.reshape(-1), y.reshape(-1)]).int(),
    "dropout's mask": lambda x, y: x.float() * y,
    "pickle": lambda x, y: pickle.loads(pickle.dumps(x)).int(),
    "deepcopy": lambda x, y: copy.deepcopy(x).int(),
    "out=": lambda x, y: rustorch.logical_and(x, y, out=rustorch.empty_like(x)),
    "+=": lambda x, y: x.clone().logical_or_(y),
    "x[...] = bools": lambda x, y: rustorch.zeros(x.shape).copy_(x),
    **{f"to {name}": lambda x, y, name=name: x.to(getattr(rustorch, name)) for name in (*ALL, "complex64")},
}


@pytest.mark.cpu_only
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", OPS)
def test_every_byte_but_0_is_true(name: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    x, y = (rng.integers(0, 2, shape).astype(bool) for _ in range(2))
    if name in ("unique", "tolist", "repr", "one_hot") and x.size > 10_000:
        pytest.skip("long")
    want = OPS[name](rustorch.tensor(x), rustorch.tensor(y))
    got = OPS[name](rustorch.from_numpy(odd_bytes(x, 2)), rustorch.from_numpy(odd_bytes(y, 3)))
    assert_same(got, want)


@pytest.mark.cpu_only
def test_masks_with_strides_and_offsets() -> None:
    truth = np.random.default_rng(4).integers(0, 2, (6, 90)).astype(bool)
    for cut in (np.s_[:, ::2], np.s_[1:, 3:], np.s_[::2, 1::3]):
        for turn in (lambda t: t, lambda t: t.T):
            mask, plain = turn(odd_bytes(truth)[cut]), turn(truth[cut])
            x = rustorch.arange(float(plain.size)).reshape(plain.shape)
            assert_same(x[rustorch.from_numpy(mask)], x[rustorch.tensor(plain)])
            assert_same(rustorch.from_numpy(mask).sum(0), rustorch.tensor(plain).sum(0))
            assert_same(x.masked_fill(rustorch.from_numpy(mask), -1), x.masked_fill(rustorch.tensor(plain), -1))


@pytest.mark.cpu_only
@pytest.mark.parametrize("entrance", ["numpy", "tensor", "as_tensor", "frombuffer", "dlpack", "set_", "file"])
@pytest.mark.rustorch_only
def test_entrances(entrance: str, tmp_path: Path) -> None:
    data = np.array([0, 2, 255, 1, 0], np.uint8)

    def from_file() -> rustorch.Tensor:
        header = json.dumps({"a": {"dtype": "BOOL", "shape": [5], "data_offsets": [0, 5]}}).encode()
        path = tmp_path / "a.safetensors"
        path.write_bytes(struct.pack("<Q", len(header)) + header + data.tobytes())
        return safetensors.load_file(path)["a"]

    entrances: dict[str, Callable[[], rustorch.Tensor]] = {
        "numpy": lambda: rustorch.from_numpy(data.view(bool)),
        "tensor": lambda: rustorch.tensor(data.view(bool)),
        "as_tensor": lambda: rustorch.as_tensor(data.view(bool)),
        "frombuffer": lambda: rustorch.frombuffer(bytearray(data.tobytes()), dtype=rustorch.bool),
        "dlpack": lambda: rustorch.from_dlpack(data.view(bool)),
        "set_": lambda: rustorch.empty(0, dtype=rustorch.bool).set_(rustorch.tensor(data).untyped_storage()),
        "file": from_file,
    }
    b = entrances[entrance]()
    assert dtype_name(b) == "bool"
    assert rustorch.arange(5.0)[b].tolist() == [1.0, 2.0, 3.0]
    assert (b.sum().item(), b.count_nonzero().item(), (~b).sum().item()) == (3, 3, 2)
    assert b.tolist() == [False, True, True, True, False]
    assert (b == True).tolist() == b.tolist()  # noqa: E712
    assert [bool(row) for row in b] == b.tolist()
    assert b.int().tolist() == [0, 1, 1, 1, 0]


@pytest.mark.cpu_only
def test_memory_that_numpy_changes_afterwards() -> None:
    data = np.zeros(100, np.uint8)
    mask = rustorch.from_numpy(data.view(bool))
    data[::3] = 77
    assert mask.nonzero().flatten().tolist() == list(range(0, 100, 3))
    assert mask.sum().item() == 34
