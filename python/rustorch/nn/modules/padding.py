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


class _ConstantPadNd(Module):
    """The input with a value around its last dimensions; negative paddings crop."""

    __constants__: ClassVar[list[str]] = ["padding", "value"]

    _dimensions: ClassVar[int]

    def __init__(self, padding: Size, value: float) -> None:
        super().__init__()
        self.padding = per_dimension(padding, 2 * self._dimensions)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """Puts a value around the input in the last dimension.

    Args:
        padding: (left, right), how many at each end; an integer counts for every end, a negative number crops.
        value: what is put there.

    Shape:
        input (*, L), output (*, L_out): L_out = L + left + right.

    Raises:
        ValueError: in forward, where the padding has another length, the input too few dimensions, or a crop leaves
            none.

    Example:

    >>> pad = rustorch.nn.ConstantPad1d((1, 2), 7.0)
    >>> pad(rustorch.tensor([[1.0, 2.0]]))
    tensor([[7., 1., 2., 7., 7.]])
    """

    _dimensions = 1


class ConstantPad2d(_ConstantPadNd):
    """Puts a value around the input in the last two dimensions.

    Args:
        padding: (left, right, top, bottom), how many at each end; an integer counts for every end, a negative number
            crops.
        value: what is put there.

    Shape:
        input (*, H, W), output (*, H_out, W_out): H_out = H + top + bottom, W_out = W + left + right.

    Raises:
        ValueError: in forward, where the padding has another length, the input too few dimensions, or a crop leaves
            none.

    Example:

    >>> pad = rustorch.nn.ConstantPad2d((1, 0, 1, 0), 7.0)
    >>> pad(rustorch.tensor([[[1.0, 2.0]]]))
    tensor([[[7., 7., 7.],
             [7., 1., 2.]]])
    """

    __constants__: ClassVar[list[str]] = ["padding", "value"]

    _dimensions = 2


class ConstantPad3d(_ConstantPadNd):
    """Puts a value around the input in the last three dimensions.

    Args:
        padding: (left, right, top, bottom, front, back), how many at each end; an integer counts for every end, a
            negative number crops.
        value: what is put there.

    Shape:
        input (*, D, H, W), output (*, D_out, H_out, W_out): D_out = D + front + back, H_out = H + top + bottom, W_out =
        W + left + right.

    Raises:
        ValueError: in forward, where the padding has another length, the input too few dimensions, or a crop leaves
            none.

    Example:

    >>> pad = rustorch.nn.ConstantPad3d(1, 7.0)
    >>> pad(rustorch.ones(1, 2, 3, 4)).shape
    rustorch.Size([1, 4, 5, 6])
    """

    _dimensions = 3


class _ZeroPad(_ConstantPadNd):
    """The input with zeros around its last dimensions; negative paddings crop."""

    def __init__(self, padding: Size) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad, ConstantPad1d):
    """Puts zeros around the input in the last dimension.

    Args:
        padding: (left, right), how many at each end; an integer counts for every end, a negative number crops.

    Shape:
        input (*, L), output (*, L_out): L_out = L + left + right.

    Raises:
        ValueError: in forward, where the padding has another length, the input too few dimensions, or a crop leaves
            none.

    Example:

    >>> pad = rustorch.nn.ZeroPad1d((1, 2))
    >>> pad(rustorch.tensor([[1.0, 2.0]]))
    tensor([[0., 1., 2., 0., 0.]])
    """


class ZeroPad2d(_ZeroPad, ConstantPad2d):
    """Puts zeros around the input in the last two dimensions.

    Args:
        padding: (left, right, top, bottom), how many at each end; an integer counts for every end, a negative number
            crops.

    Shape:
        input (*, H, W), output (*, H_out, W_out): H_out = H + top + bottom, W_out = W + left + right.

    Raises:
        ValueError: in forward, where the padding has another length, the input too few dimensions, or a crop leaves
            none.

    Example:

    >>> pad = rustorch.nn.ZeroPad2d((1, 0, 1, 0))
    >>> pad(rustorch.tensor([[[1.0, 2.0]]]))
    tensor([[[0., 0., 0.],
             [0., 1., 2.]]])
    """


class ZeroPad3d(_ZeroPad, ConstantPad3d):
    """Puts zeros around the input in the last three dimensions.

    Args:
        padding: (left, right, top, bottom, front, back), how many at each end; an integer counts for every end, a
            negative number crops.

    Shape:
        input (*, D, H, W), output (*, D_out, H_out, W_out): D_out = D + front + back, H_out = H + top + bottom, W_out =
        W + left + right.

    Raises:
        ValueError: in forward, where the padding has another length, the input too few dimensions, or a crop leaves
            none.

    Example:

    >>> pad = rustorch.nn.ZeroPad3d(1)
    >>> pad(rustorch.ones(1, 2, 3, 4)).shape
    rustorch.Size([1, 4, 5, 6])
    """


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


class _ReflectionPadNd(_PadFromInside):
    """The input mirrored around its last dimensions."""

    __constants__: ClassVar[list[str]] = ["padding"]

    _mode = "reflect"


class ReflectionPad1d(_ReflectionPadNd):
    """Mirrors the input at the ends of the last dimension; the edge is not repeated.

    `out[i] = input[|i - left|]` on the left, and likewise at the other ends. A padding is smaller than the dimension.

    Args:
        padding: (left, right), how many at each end; an integer counts for every end, a negative number crops.

    Shape:
        input (N, C, L) or (C, L), output the same with L_out = L + left + right.

    Raises:
        ValueError: in forward, where a padding is not smaller than its dimension, or the input has another number of
            dimensions.

    Example:

    >>> pad = rustorch.nn.ReflectionPad1d((2, 1))
    >>> pad(rustorch.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 2., 1., 2., 3., 2.]])
    """

    _dimensions = 1


class ReflectionPad2d(_ReflectionPadNd):
    """Mirrors the input at the ends of the last two dimensions; the edge is not repeated.

    `out[i] = input[|i - left|]` on the left, and likewise at the other ends. A padding is smaller than the dimension.

    Args:
        padding: (left, right, top, bottom), how many at each end; an integer counts for every end, a negative number
            crops.

    Shape:
        input (N, C, H, W) or (C, H, W), output the same with H_out = H + top + bottom, W_out = W + left + right.

    Raises:
        ValueError: in forward, where a padding is not smaller than its dimension, or the input has another number of
            dimensions.

    Example:

    >>> pad = rustorch.nn.ReflectionPad2d((1, 0, 1, 0))
    >>> pad(rustorch.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[4., 3., 4.],
             [2., 1., 2.],
             [4., 3., 4.]]])
    """

    _dimensions = 2


class ReflectionPad3d(_ReflectionPadNd):
    """Mirrors the input at the ends of the last three dimensions; the edge is not repeated.

    `out[i] = input[|i - left|]` on the left, and likewise at the other ends. A padding is smaller than the dimension.

    Args:
        padding: (left, right, top, bottom, front, back), how many at each end; an integer counts for every end, a
            negative number crops.

    Shape:
        input (N, C, D, H, W) or (C, D, H, W), output the same with D_out = D + front + back, H_out = H + top + bottom,
        W_out = W + left + right.

    Raises:
        ValueError: in forward, where a padding is not smaller than its dimension, or the input has another number of
            dimensions.

    Example:

    >>> pad = rustorch.nn.ReflectionPad3d(1)
    >>> pad(rustorch.ones(1, 2, 3, 4)).shape
    rustorch.Size([1, 4, 5, 6])
    """

    _dimensions = 3


class _ReplicationPadNd(_PadFromInside):
    """The input with its edges repeated around its last dimensions."""

    __constants__: ClassVar[list[str]] = ["padding"]

    _mode = "replicate"


class ReplicationPad1d(_ReplicationPadNd):
    """Repeats the input's edge at the ends of the last dimension.

    `out[i] = input[min(max(i - left, 0), L - 1)]`.

    Args:
        padding: (left, right), how many at each end; an integer counts for every end, a negative number crops.

    Shape:
        input (N, C, L) or (C, L), output the same with L_out = L + left + right.

    Raises:
        ValueError: in forward, where the input is empty, or the input has another number of dimensions.

    Example:

    >>> pad = rustorch.nn.ReplicationPad1d((2, 1))
    >>> pad(rustorch.tensor([[1.0, 2.0, 3.0]]))
    tensor([[1., 1., 1., 2., 3., 3.]])
    """

    _dimensions = 1


class ReplicationPad2d(_ReplicationPadNd):
    """Repeats the input's edge at the ends of the last two dimensions.

    `out[i] = input[min(max(i - left, 0), L - 1)]` in the last dimension, and likewise in the others.

    Args:
        padding: (left, right, top, bottom), how many at each end; an integer counts for every end, a negative number
            crops.

    Shape:
        input (N, C, H, W) or (C, H, W), output the same with H_out = H + top + bottom, W_out = W + left + right.

    Raises:
        ValueError: in forward, where the input is empty, or the input has another number of dimensions.

    Example:

    >>> pad = rustorch.nn.ReplicationPad2d((1, 0, 1, 0))
    >>> pad(rustorch.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[1., 1., 2.],
             [1., 1., 2.],
             [3., 3., 4.]]])
    """

    _dimensions = 2


class ReplicationPad3d(_ReplicationPadNd):
    """Repeats the input's edge at the ends of the last three dimensions.

    `out[i] = input[min(max(i - left, 0), L - 1)]` in the last dimension, and likewise in the others.

    Args:
        padding: (left, right, top, bottom, front, back), how many at each end; an integer counts for every end, a
            negative number crops.

    Shape:
        input (N, C, D, H, W) or (C, D, H, W), output the same with D_out = D + front + back, H_out = H + top + bottom,
        W_out = W + left + right.

    Raises:
        ValueError: in forward, where the input is empty, or the input has another number of dimensions.

    Example:

    >>> pad = rustorch.nn.ReplicationPad3d(1)
    >>> pad(rustorch.ones(1, 2, 3, 4)).shape
    rustorch.Size([1, 4, 5, 6])
    """

    _dimensions = 3


class _CircularPadNd(_PadFromInside):
    """The input with its other side at the ends of its last dimensions."""

    __constants__: ClassVar[list[str]] = ["padding"]

    _mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        self._check_input(input)
        return super().forward(input)


class CircularPad1d(_CircularPadNd):
    """Continues the input periodically at the ends of the last dimension.

    `out[i] = input[(i - left) mod L]`. A padding is at most the size of the dimension.

    Args:
        padding: (left, right), how many at each end; an integer counts for every end, a negative number crops.

    Shape:
        input (N, C, L) or (C, L), output the same with L_out = L + left + right.

    Raises:
        ValueError: in forward, where a padding is larger than its dimension, or the input has another number of
            dimensions.

    Example:

    >>> pad = rustorch.nn.CircularPad1d((2, 1))
    >>> pad(rustorch.tensor([[1.0, 2.0, 3.0]]))
    tensor([[2., 3., 1., 2., 3., 1.]])
    """

    _dimensions = 1


class CircularPad2d(_CircularPadNd):
    """Continues the input periodically at the ends of the last two dimensions.

    `out[i] = input[(i - left) mod L]` in the last dimension, and likewise in the others. A padding is at most the size
    of the dimension.

    Args:
        padding: (left, right, top, bottom), how many at each end; an integer counts for every end, a negative number
            crops.

    Shape:
        input (N, C, H, W) or (C, H, W), output the same with H_out = H + top + bottom, W_out = W + left + right.

    Raises:
        ValueError: in forward, where a padding is larger than its dimension, or the input has another number of
            dimensions.

    Example:

    >>> pad = rustorch.nn.CircularPad2d((1, 0, 1, 0))
    >>> pad(rustorch.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[4., 3., 4.],
             [2., 1., 2.],
             [4., 3., 4.]]])
    """

    _dimensions = 2


class CircularPad3d(_CircularPadNd):
    """Continues the input periodically at the ends of the last three dimensions.

    `out[i] = input[(i - left) mod L]` in the last dimension, and likewise in the others. A padding is at most the size
    of the dimension.

    Args:
        padding: (left, right, top, bottom, front, back), how many at each end; an integer counts for every end, a
            negative number crops.

    Shape:
        input (N, C, D, H, W) or (C, D, H, W), output the same with D_out = D + front + back, H_out = H + top + bottom,
        W_out = W + left + right.

    Raises:
        ValueError: in forward, where a padding is larger than its dimension, or the input has another number of
            dimensions.

    Example:

    >>> pad = rustorch.nn.CircularPad3d(1)
    >>> pad(rustorch.ones(1, 2, 3, 4)).shape
    rustorch.Size([1, 4, 5, 6])
    """

    _dimensions = 3
