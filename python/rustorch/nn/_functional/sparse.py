"""Tables of vectors."""

from __future__ import annotations

import warnings

import rustorch
from rustorch import _C
from rustorch._C import Tensor
from rustorch._naming import named
from rustorch.nn import _functional_ops as _ops
from rustorch.nn._options import refuse_sparse

from ._documented import documented_as


@documented_as(_C.embedding, input="integers that name rows.", padding_idx="a row that gets no gradient.")
def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    if sparse:
        refuse_sparse("embedding", sparse)
    if padding_idx is None and max_norm is None:
        return _C.embedding(weight, input, -1, scale_grad_by_freq)
    return _embedding(input, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq)


@named
def _embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None,
    max_norm: float | None,
    norm_type: float,
    scale_grad_by_freq: bool,
) -> Tensor:
    """The options beyond a look-up: a row that counts as padding, and rows that are first cut to a norm."""
    if padding_idx is None:
        padding_idx = -1
    else:
        rows = weight.shape[0]
        if not -rows <= padding_idx < rows:
            raise ValueError("Padding_idx must be within num_embeddings")
        padding_idx %= rows
    if max_norm is not None:
        input = input.contiguous()
        _C.embedding_renorm_(weight, input, max_norm, norm_type)
    return _C.embedding(weight, input, padding_idx, scale_grad_by_freq)


@named
@documented_as(_ops.embedding_bag, offsets="where each bag begins in a one-dimensional input.")
def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    if weight.dtype is rustorch.int64 and input.is_floating_point():
        warnings.warn(
            "embedding_bag: the arguments are (input, weight, ...); (weight, input, ...) was an order of long ago",
            stacklevel=3,
        )
        input, weight = weight, input
    refuse_sparse("embedding_bag", sparse)
    return _ops.embedding_bag(
        input,
        weight,
        offsets,
        max_norm,
        norm_type,
        scale_grad_by_freq,
        mode,
        False,
        per_sample_weights,
        include_last_offset,
        padding_idx,
    )
