"""Padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rustorch._C import Tensor
from rustorch.nn import functional as F

from ._sizes import per_dimension
from .module import Module

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]

Size = int | Sequence[int]


class _ConstantPad(Module):
    """The input with a value around its last dimensions; negative paddings crop."""

    _dimensions: ClassVar[int]

    def __init__(self, padding: Size, value: float) -> None:
        super().__init__()
        self.padding = per_dimension(padding, 2 * self._dimensions)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    __doc__ = _ConstantPad.__doc__
    _dimensions = 1


class ConstantPad2d(_ConstantPad):
    __doc__ = _ConstantPad.__doc__
    _dimensions = 2


class ConstantPad3d(_ConstantPad):
    __doc__ = _ConstantPad.__doc__
    _dimensions = 3


class _ZeroPad(_ConstantPad):
    """The input with zeros around its last dimensions; negative paddings crop."""

    def __init__(self, padding: Size) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad):
    __doc__ = _ZeroPad.__doc__
    _dimensions = 1


class ZeroPad2d(_ZeroPad):
    __doc__ = _ZeroPad.__doc__
    _dimensions = 2


class ZeroPad3d(_ZeroPad):
    __doc__ = _ZeroPad.__doc__
    _dimensions = 3


class _PadFromInside(Module):
    """The input with its own elements around its last dimensions."""

    _dimensions: ClassVar[int]
    _mode: ClassVar[str]

    def __init__(self, padding: Size) -> None:
        super().__init__()
        self.padding = per_dimension(padding, 2 * self._dimensions)

    def _check_input(self, input: Tensor) -> None:
        """PyTorch's functions guess from the padding's length; its modules know."""
        expected = (self._dimensions + 1, self._dimensions + 2)
        if input.ndim not in expected:
            raise ValueError(f"expected {expected[0]}D or {expected[1]}D input (got {input.ndim}D input)")

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReflectionPad1d(_PadFromInside):
    """The input mirrored at the ends of its last dimension; the edge is not repeated."""

    _dimensions, _mode = 1, "reflect"


class ReflectionPad2d(_PadFromInside):
    """The input mirrored at the ends of its last two dimensions; the edge is not repeated."""

    _dimensions, _mode = 2, "reflect"


class ReflectionPad3d(_PadFromInside):
    """The input mirrored at the ends of its last three dimensions; the edge is not repeated."""

    _dimensions, _mode = 3, "reflect"


class ReplicationPad1d(_PadFromInside):
    """The input with its edge repeated at the ends of its last dimension."""

    _dimensions, _mode = 1, "replicate"


class ReplicationPad2d(_PadFromInside):
    """The input with its edge repeated at the ends of its last two dimensions."""

    _dimensions, _mode = 2, "replicate"


class ReplicationPad3d(_PadFromInside):
    """The input with its edge repeated at the ends of its last three dimensions."""

    _dimensions, _mode = 3, "replicate"


class _CircularPad(_PadFromInside):
    """The input with its other side at the ends of its last dimensions."""

    _mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        self._check_input(input)
        return super().forward(input)


class CircularPad1d(_CircularPad):
    __doc__ = _CircularPad.__doc__
    _dimensions = 1


class CircularPad2d(_CircularPad):
    __doc__ = _CircularPad.__doc__
    _dimensions = 2


class CircularPad3d(_CircularPad):
    __doc__ = _CircularPad.__doc__
    _dimensions = 3
