"""Pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rustorch._C import Tensor
from rustorch.nn import functional as F

from . import region_pooling
from ._sizes import per_dimension
from .module import Module
from .region_pooling import *
from .region_pooling import (
    _AdaptiveMaxPoolNd as _AdaptiveMaxPoolNd,
    _LPPoolNd as _LPPoolNd,
    _MaxUnpoolNd as _MaxUnpoolNd,
)

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    *region_pooling.__all__,
]

# PyTorch has all pools in this module, by whose name pickles find them.
for _name in (*region_pooling.__all__, "_AdaptiveMaxPoolNd", "_LPPoolNd", "_MaxUnpoolNd"):
    globals()[_name].__module__ = __name__

Size = int | Sequence[int]


class _MaxPoolNd(Module):
    """The largest element of each window; with `return_indices` also its flat position in the input's plane."""

    __constants__: ClassVar[list[str]] = ["kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode"]

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """Takes the largest element of each window of signals.

    `out[c, l] = max_k input[c, stride · l + dilation · k - padding]`; positions in the padding never win, and nan
    always does.

    Args:
        kernel_size: the window's size.
        stride: the step between windows; None is kernel_size. Default: None.
        padding: how far windows reach beyond each end, at most half of kernel_size. Default: 0.
        dilation: the step between a window's elements. Default: 1.
        return_indices: whether to give (values, indices), each maximum's flat position in the input's line, as
            MaxUnpool1d takes it. Default: False.
        ceil_mode: whether the output's size is rounded up: the last window may reach past the end, but begins in the
            input or the padding before it. Default: False.

    Shape:
        input (N, C, L) or (C, L), output (N, C, L_out) or (C, L_out):
        L_out = ⌊(L + 2 · padding - dilation · (kernel_size - 1) - 1) / stride⌋ + 1.

    Raises:
        ValueError: in forward, where the padding is above half of the window, or no window fits.

    Example:

    >>> pool = rustorch.nn.MaxPool1d(2)
    >>> pool(rustorch.tensor([[1.0, 3.0, 2.0, 4.0]]))
    tensor([[3., 4.]])
    """

    def forward(self, input: Tensor) -> Any:
        return F.max_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )


class MaxPool2d(_MaxPoolNd):
    """Takes the largest element of each window of images.

    `out[c, h, w] = max_{i, j} input[c, stride · h + dilation · i - padding, stride · w + dilation · j - padding]`;
    positions in the padding never win, and nan always does.

    Args:
        kernel_size: the window's height and width; an integer counts for both.
        stride: the step between windows; None is kernel_size. Default: None.
        padding: how far windows reach beyond each end, at most half of kernel_size. Default: 0.
        dilation: the step between a window's elements. Default: 1.
        return_indices: whether to give (values, indices), each maximum's flat position in the input's plane, as
            MaxUnpool2d takes it. Default: False.
        ceil_mode: whether the output's size is rounded up: the last window may reach past the end, but begins in the
            input or the padding before it. Default: False.

    Shape:
        input (N, C, H, W) or (C, H, W), output (N, C, H_out, W_out) or (C, H_out, W_out):
        per dimension size_out = ⌊(size + 2 · padding - dilation · (kernel_size - 1) - 1) / stride⌋ + 1.

    Raises:
        ValueError: in forward, where the padding is above half of the window, or no window fits.

    Example:

    >>> pool = rustorch.nn.MaxPool2d(3, stride=2, padding=1)
    >>> pool(rustorch.ones(8, 16, 32, 32)).shape
    rustorch.Size([8, 16, 16, 16])
    """

    def forward(self, input: Tensor) -> Any:
        return F.max_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )


class MaxPool3d(_MaxPoolNd):
    """Takes the largest element of each window of volumes.

    As MaxPool2d, with windows that have a depth, too; positions in the padding never win, and nan always does.

    Args:
        kernel_size: the window's depth, height and width; an integer counts for all.
        stride: the step between windows; None is kernel_size. Default: None.
        padding: how far windows reach beyond each end, at most half of kernel_size. Default: 0.
        dilation: the step between a window's elements. Default: 1.
        return_indices: whether to give (values, indices), each maximum's flat position in the input's volume, as
            MaxUnpool3d takes it. Default: False.
        ceil_mode: whether the output's size is rounded up: the last window may reach past the end, but begins in the
            input or the padding before it. Default: False.

    Shape:
        input (N, C, D, H, W) or (C, D, H, W), output (N, C, D_out, H_out, W_out) or (C, D_out, H_out, W_out):
        per dimension size_out = ⌊(size + 2 · padding - dilation · (kernel_size - 1) - 1) / stride⌋ + 1.

    Raises:
        ValueError: in forward, where the padding is above half of the window, or no window fits.

    Example:

    >>> pool = rustorch.nn.MaxPool3d(2)
    >>> pool(rustorch.ones(8, 16, 4, 6, 8)).shape
    rustorch.Size([8, 16, 2, 3, 4])
    """

    def forward(self, input: Tensor) -> Any:
        return F.max_pool3d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )


class _AvgPoolNd(Module):
    """The mean of each window."""

    __constants__: ClassVar[list[str]] = ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"]

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    """Takes the mean of each window of signals.

    `out[c, l] = Σ_k input[c, stride · l + k - padding] / kernel_size`; the padding is zeros.

    Args:
        kernel_size: the window's size.
        stride: the step between windows; None is kernel_size. Default: None.
        padding: how many zeros at each end, at most half of kernel_size. Default: 0.
        ceil_mode: whether the output's size is rounded up: the last window may reach past the end, but begins in the
            input or the padding before it; what is past the padding does not count. Default: False.
        count_include_pad: whether the padding's zeros count as elements of the mean. Default: True.

    Shape:
        input (N, C, L) or (C, L), output (N, C, L_out) or (C, L_out):
        L_out = ⌊(L + 2 · padding - kernel_size) / stride⌋ + 1.

    Raises:
        ValueError: in forward, where the padding is above half of the window, or no window fits.

    Example:

    >>> pool = rustorch.nn.AvgPool1d(2)
    >>> pool(rustorch.tensor([[1.0, 3.0, 2.0, 4.0]]))
    tensor([[2., 3.]])
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        # PyTorch shows this one's settings as tuples.
        step = None if stride is None else per_dimension(stride, 1)
        super().__init__(per_dimension(kernel_size, 1), step, per_dimension(padding, 1), ceil_mode, count_include_pad)

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class AvgPool2d(_AvgPoolNd):
    """Takes the mean of each window of images.

    `out[c, h, w] = Σ_{i, j} input[c, stride · h + i - padding, stride · w + j - padding] / (kH · kW)`; the padding is
    zeros.

    Args:
        kernel_size: the window's height and width; an integer counts for both.
        stride: the step between windows; None is kernel_size. Default: None.
        padding: how many zeros at each end, at most half of kernel_size. Default: 0.
        ceil_mode: whether the output's size is rounded up: the last window may reach past the end, but begins in the
            input or the padding before it; what is past the padding does not count. Default: False.
        count_include_pad: whether the padding's zeros count as elements of the mean. Default: True.
        divisor_override: what the sums are divided by; None is the number of elements. Default: None.

    Shape:
        input (N, C, H, W) or (C, H, W), output (N, C, H_out, W_out) or (C, H_out, W_out):
        per dimension size_out = ⌊(size + 2 · padding - kernel_size) / stride⌋ + 1.

    Raises:
        ValueError: in forward, where the padding is above half of the window, no window fits, or divisor_override is 0.

    Example:

    >>> pool = rustorch.nn.AvgPool2d(3, stride=2, padding=1)
    >>> pool(rustorch.ones(8, 16, 32, 32)).shape
    rustorch.Size([8, 16, 16, 16])
    """

    __constants__: ClassVar[list[str]] = [
        "kernel_size",
        "stride",
        "padding",
        "ceil_mode",
        "count_include_pad",
        "divisor_override",
    ]

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class AvgPool3d(_AvgPoolNd):
    """Takes the mean of each window of volumes.

    As AvgPool2d, with windows that have a depth, too; the padding is zeros.

    Args:
        kernel_size: the window's depth, height and width; an integer counts for all.
        stride: the step between windows; None is kernel_size. Default: None.
        padding: how many zeros at each end, at most half of kernel_size. Default: 0.
        ceil_mode: whether the output's size is rounded up: the last window may reach past the end, but begins in the
            input or the padding before it; what is past the padding does not count. Default: False.
        count_include_pad: whether the padding's zeros count as elements of the mean. Default: True.
        divisor_override: what the sums are divided by; None is the number of elements. Default: None.

    Shape:
        input (N, C, D, H, W) or (C, D, H, W), output (N, C, D_out, H_out, W_out) or (C, D_out, H_out, W_out):
        per dimension size_out = ⌊(size + 2 · padding - kernel_size) / stride⌋ + 1.

    Raises:
        ValueError: in forward, where the padding is above half of the window, no window fits, or divisor_override is 0.

    Example:

    >>> pool = rustorch.nn.AvgPool3d(2)
    >>> pool(rustorch.ones(8, 16, 4, 6, 8)).shape
    rustorch.Size([8, 16, 2, 3, 4])
    """

    __constants__: ClassVar[list[str]] = [
        "kernel_size",
        "stride",
        "padding",
        "ceil_mode",
        "count_include_pad",
        "divisor_override",
    ]

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool3d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class _AdaptiveAvgPoolNd(Module):
    """The means of as many windows as the output has elements, which cover the input; None keeps a size."""

    __constants__: ClassVar[list[str]] = ["output_size"]

    def __init__(self, output_size: int | Sequence[int | None] | None) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """Takes the mean of as many windows as the output has elements, which cover signals.

    Window i is from ⌊i · in / out⌋ up to, not including, ⌈(i + 1) · in / out⌉: windows differ in size by at most 1 and
    may overlap.

    Args:
        output_size: the output's length L_out; None keeps the input's.

    Shape:
        input (N, C, L) or (C, L), output (N, C, L_out) or (C, L_out).

    Raises:
        ValueError: in forward, for a negative size.

    Example:

    >>> pool = rustorch.nn.AdaptiveAvgPool1d(2)
    >>> pool(rustorch.tensor([[1.0, 3.0, 2.0]]))
    tensor([[2.0000, 2.5000]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """Takes the mean of as many windows as the output has elements, which cover images.

    Window i in each dimension is from ⌊i · in / out⌋ up to, not including, ⌈(i + 1) · in / out⌉: windows differ in size
    by at most 1 and may overlap.

    Args:
        output_size: the output's height and width; an integer counts for both, None keeps the input's.

    Shape:
        input (N, C, H, W) or (C, H, W), output (N, C, H_out, W_out) or (C, H_out, W_out).

    Raises:
        ValueError: in forward, for a negative size.

    Example:

    >>> pool = rustorch.nn.AdaptiveAvgPool2d((None, 7))
    >>> pool(rustorch.ones(1, 64, 10, 9)).shape
    rustorch.Size([1, 64, 10, 7])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """Takes the mean of as many windows as the output has elements, which cover volumes.

    Window i in each dimension is from ⌊i · in / out⌋ up to, not including, ⌈(i + 1) · in / out⌉: windows differ in size
    by at most 1 and may overlap.

    Args:
        output_size: the output's depth, height and width; an integer counts for all, None keeps the input's.

    Shape:
        input (N, C, D, H, W) or (C, D, H, W), output (N, C, D_out, H_out, W_out) or (C, D_out, H_out, W_out).

    Raises:
        ValueError: in forward, for a negative size.

    Example:

    >>> pool = rustorch.nn.AdaptiveAvgPool3d(2)
    >>> pool(rustorch.ones(1, 64, 8, 9, 10)).shape
    rustorch.Size([1, 64, 2, 2, 2])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool3d(input, self.output_size)
