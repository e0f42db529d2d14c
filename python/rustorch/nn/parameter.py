"""Tensors that a module registers when they are assigned to it."""

from __future__ import annotations

from typing import Any

from rustorch._C import Tensor, empty

__all__ = ["Buffer", "Parameter"]


class Parameter(Tensor):
    """A tensor that is to be learned: a module that gets one as an attribute lists it among its parameters."""

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
    """A tensor that belongs to a module's state but is not learned: assigning one registers it as a buffer."""

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
