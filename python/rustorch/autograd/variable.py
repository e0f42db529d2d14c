"""What tensors with gradients were called in old programs."""

from __future__ import annotations

from typing import Any

from rustorch import _C
from rustorch._C import Tensor

__all__ = ["Variable"]


class _VariableMeta(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_VariableMeta):
    """A tensor with the data of another one and no history: every tensor is a Variable.

    Args:
        data: the tensor. Default: None, an empty one.
        requires_grad: whether gradients are accumulated in it. Default: False.
        volatile: was what ``no_grad`` is, and has no effect but a warning. Default: None.

    Example:

    >>> x = rustorch.autograd.Variable(rustorch.ones(2), requires_grad=True)
    >>> (3 * x).sum().backward()
    >>> x.grad
    tensor([3., 3.])
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = False, volatile: bool | None = None) -> Any:
        if volatile is not None:
            import warnings

            warnings.warn("Variable(): volatile has no effect; use no_grad() in its place", stacklevel=2)
        if data is None:
            return _C.empty(0).requires_grad_(requires_grad)
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable(): data has to be a tensor, but got {type(data).__name__}")
        return data.detach().requires_grad_(requires_grad)
