"""Tensors that a module registers when they are assigned to it."""

from __future__ import annotations

from typing import Any

from rustorch._C import Tensor, empty

__all__ = ["Buffer", "Parameter"]


class Parameter(Tensor):
    """Is a tensor that is to be learned.

    A module that gets one as an attribute lists it among its parameters(), which an optimizer updates. It shares the
    data of the tensor given and is a leaf of the autograd graph. copy.deepcopy() and pickle keep it a Parameter.

    Args:
        data: the values; None is an empty tensor. Default: None.
        requires_grad: whether it gets a gradient, which only floating-point and complex numbers can. Default: True.

    Raises:
        RuntimeError: where requires_grad is True and the data are integers or bools.

    Example:

    >>> layer = rustorch.nn.Module()
    >>> layer.scale = rustorch.nn.Parameter(rustorch.ones(2))
    >>> [name for name, _ in layer.named_parameters()]
    ['scale']
    >>> layer.scale
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        made: Parameter = Tensor._make_subclass(cls, empty(0) if data is None else data, requires_grad)
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        known: Parameter | None = memo.get(id(self))
        if known is None:
            known = type(self)(self.detach().clone(), self.requires_grad)
            memo[id(self)] = known
        return known

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.detach(), self.requires_grad)


class Buffer(Tensor):
    """Is a tensor that belongs to a module's state but is not learned.

    A module that gets one as an attribute lists it among its buffers(): to() moves it, and state_dict() holds it. It
    shares the data of the tensor given.

    Args:
        data: the values; None is an empty tensor. Default: None.
        persistent: whether it is part of the module's state_dict(). Default: True.

    Example:

    >>> layer = rustorch.nn.Module()
    >>> layer.mean = rustorch.nn.Buffer(rustorch.zeros(2))
    >>> list(layer.state_dict())
    ['mean']
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        source = empty(0) if data is None else data
        made: Buffer = Tensor._make_subclass(cls, source, source.requires_grad)
        made.persistent = persistent
        return made

    def __repr__(self) -> str:
        return repr(self.detach())


def _rebuild(cls: type[Parameter], data: Tensor, requires_grad: bool) -> Parameter:
    return cls(data, requires_grad)
