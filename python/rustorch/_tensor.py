"""Copies and pickles of tensors: the parts of the class that are easier to read in Python."""

from __future__ import annotations

from typing import Any

from rustorch._C import Tensor, _tensor_bytes, _tensor_from_bytes, dtype


def deepcopy(tensor: Tensor, memo: dict[int, Any]) -> Tensor:
    """A copy with storage of its own; only leaves have one, since a copy has no history."""
    known: Tensor | None = memo.get(id(tensor))
    if known is not None:
        return known
    if not tensor.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment; "
            "use detach().clone() or clone()"
        )
    copy = tensor.detach().clone()
    if type(tensor) is not Tensor:
        copy = Tensor._make_subclass(type(tensor), copy)
    memo[id(tensor)] = copy
    copy.requires_grad_(tensor.requires_grad)
    if tensor.grad is not None:
        copy.grad = deepcopy(tensor.grad, memo)
    attributes = getattr(tensor, "__dict__", None)
    if attributes:
        from copy import deepcopy as any_deepcopy

        copy.__dict__.update(any_deepcopy(attributes, memo))
    return copy


def reduce(tensor: Tensor, protocol: int) -> tuple[Any, ...]:
    """How a tensor is pickled: its elements in order, without its history."""
    if not tensor.is_leaf:
        raise RuntimeError("a tensor with history cannot be pickled; pickle tensor.detach()")
    state = getattr(tensor, "__dict__", None) or None
    parts = (
        type(tensor),
        _tensor_bytes(tensor),
        tensor.dtype,
        tuple(tensor.shape),
        tensor.requires_grad,
    )
    return _rebuild, parts, state


def _rebuild(cls: type[Tensor], data: bytes, element: dtype, shape: tuple[int, ...], requires_grad: bool) -> Tensor:
    tensor = _tensor_from_bytes(data, element, shape)
    if cls is not Tensor:
        made: Tensor = Tensor._make_subclass(cls, tensor, requires_grad)
        return made
    return tensor.requires_grad_(requires_grad)
