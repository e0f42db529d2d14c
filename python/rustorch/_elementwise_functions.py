"""Functions in Python of each element of a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rustorch import _C
from rustorch._C import Tensor
from rustorch.autograd.grad_mode import no_grad


def replaced(name: str, tensor: Tensor, others: tuple[Tensor, ...], function: Callable[..., Any]) -> Tensor:
    """Writes what the function gives for each element, and those of the other tensors beside it, into the tensor."""
    if tensor.requires_grad or any(other.requires_grad for other in others):
        raise RuntimeError(f"{name}(): a tensor that requires grad cannot be changed so; use detach().{name}()")
    for each in (tensor, *others):
        if not isinstance(each, Tensor) or each.device.type != "cpu":
            raise TypeError(f"{name}(): expected tensors on the CPU, but got {_shown(each)}")
    if any(other.dtype is not tensor.dtype for other in others):
        dtypes = ", ".join(str(each.dtype) for each in (tensor, *others))
        raise TypeError(f"{name}(): expected tensors of one dtype, but got {dtypes}")
    columns = [each.expand_as(tensor).reshape(-1).tolist() for each in (tensor, *others)]
    values = [function(*row) for row in zip(*columns, strict=True)]
    with no_grad():
        return tensor.copy_(_C.tensor(values, dtype=tensor.dtype).view(tensor.shape))


def _shown(value: Any) -> str:
    return f"one on {value.device}" if isinstance(value, Tensor) else type(value).__name__
