"""Adaptive and fractional max pooling, power-average pooling, and unpooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rustorch._C import Tensor
from rustorch.nn import functional as F

from ._sizes import per_dimension
from .module import Module

__all__ = [
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]

Size = int | Sequence[int]


class _AdaptiveMaxPoolNd(Module):
    """The largest elements of as many windows as the output has elements, which cover the input; None keeps a size."""

    __constants__: ClassVar[list[str]] = ["output_size", "return_indices"]

    def __init__(self, output_size: int | Sequence[int | None] | None, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """Takes the largest element of as many windows as the output has elements, which cover signals.

    Window i is from ⌊i · in / out⌋ up to, not including, ⌈(i + 1) · in / out⌉: windows differ in size by at most 1 and
    may overlap.

    Args:
        output_size: the output's length L_out; None keeps the input's.
        return_indices: whether to give (values, indices), each maximum's flat position in the input's line.
            Default: False.

    Shape:
        input (N, C, L) or (C, L), output (N, C, L_out) or (C, L_out).

    Raises:
        ValueError: in forward, for a negative size.

    Example:

    >>> pool = rustorch.nn.AdaptiveMaxPool1d(2)
    >>> pool(rustorch.tensor([[1.0, 3.0, 2.0]]))
    tensor([[3., 3.]])
    """

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """Takes the largest element of as many windows as the output has elements, which cover images.

    Window i in each dimension is from ⌊i · in / out⌋ up to, not including, ⌈(i + 1) · in / out⌉: windows differ in size
    by at most 1 and may overlap.

    Args:
        output_size: the output's height and width; an integer counts for both, None keeps the input's.
        return_indices: whether to give (values, indices), each maximum's flat position in the input's plane.
            Default: False.

    Shape:
        input (N, C, H, W) or (C, H, W), output (N, C, H_out, W_out) or (C, H_out, W_out).

    Raises:
        ValueError: in forward, for a negative size.

    Example:

    >>> pool = rustorch.nn.AdaptiveMaxPool2d((None, 7))
    >>> pool(rustorch.ones(1, 64, 10, 9)).shape
    rustorch.Size([1, 64, 10, 7])
    """

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """Takes the largest element of as many windows as the output has elements, which cover volumes.

    Window i in each dimension is from ⌊i · in / out⌋ up to, not including, ⌈(i + 1) · in / out⌉: windows differ in size
    by at most 1 and may overlap.

    Args:
        output_size: the output's depth, height and width; an integer counts for all, None keeps the input's.
        return_indices: whether to give (values, indices), each maximum's flat position in the input's volume.
            Default: False.

    Shape:
        input (N, C, D, H, W) or (C, D, H, W), output (N, C, D_out, H_out, W_out) or (C, D_out, H_out, W_out).

    Raises:
        ValueError: in forward, for a negative size.

    Example:

    >>> pool = rustorch.nn.AdaptiveMaxPool3d(2)
    >>> pool(rustorch.ones(1, 64, 8, 9, 10)).shape
    rustorch.Size([1, 64, 2, 2, 2])
    """

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)


class _FractionalMaxPool(Module):
    """The largest elements of windows that begin where chance says (B. Graham, *Fractional Max-Pooling*, 2014).

    Give the output's size, or its share of the input's.
    """

    _dimensions: ClassVar[int]

    def __init__(
        self,
        kernel_size: Size,
        output_size: Size | None = None,
        output_ratio: float | Sequence[float] | None = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = per_dimension(kernel_size, self._dimensions)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else per_dimension(output_size, self._dimensions)
        ratio = (output_ratio,) * self._dimensions if isinstance(output_ratio, float | int) else output_ratio
        self.output_ratio = ratio
        if (output_size is None) == (ratio is None):
            raise ValueError(f"{self._get_name()} requires exactly one of output_size and output_ratio")
        if ratio is not None and not all(0 < share < 1 for share in ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")


class FractionalMaxPool2d(_FractionalMaxPool):
    """Takes the largest elements of windows that begin where chance says (B. Graham, Fractional Max-Pooling, 2014).

    The windows' beginnings are a pseudo-random sequence of steps of ⌊α⌋ or ⌈α⌉, `α = (in - kernel_size) / (out - 1)`,
    fresh in each call, and the same in train() and eval().

    Args:
        kernel_size: the window's height and width; an integer counts for both.
        output_size: the output's sizes; an integer counts for each. Default: None.
        output_ratio: the output's sizes as shares of the input's, in (0, 1). Give this or `output_size`. Default: None.
        return_indices: whether to give (values, indices), each maximum's flat position in the input's plane.
            Default: False.
        _random_samples: (N, C, 2) numbers in [0, 1) in place of chance. Default: None.

    Shape:
        input (N, C, H, W) or (C, H, W), output (N, C, H_out, W_out) or (C, H_out, W_out): output_size or
        ⌊size · output_ratio⌋.

    Raises:
        ValueError: unless exactly one of output_size and output_ratio is given, where a ratio is outside (0, 1), and in
            forward where the windows do not fit.

    Example:

    >>> pool = rustorch.nn.FractionalMaxPool2d(2, output_ratio=0.5)
    >>> pool(rustorch.ones(1, 4, 16, 16)).shape
    rustorch.Size([1, 4, 8, 8])
    """

    __constants__: ClassVar[list[str]] = ["kernel_size", "return_indices", "output_size", "output_ratio"]

    _dimensions = 2

    def forward(self, input: Tensor) -> Any:
        return F.fractional_max_pool2d(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        )


class FractionalMaxPool3d(_FractionalMaxPool):
    """Takes the largest elements of windows that begin where chance says (B. Graham, Fractional Max-Pooling, 2014).

    The windows' beginnings are a pseudo-random sequence of steps of ⌊α⌋ or ⌈α⌉, `α = (in - kernel_size) / (out - 1)`,
    fresh in each call, and the same in train() and eval().

    Args:
        kernel_size: the window's depth, height and width; an integer counts for all.
        output_size: the output's sizes; an integer counts for each. Default: None.
        output_ratio: the output's sizes as shares of the input's, in (0, 1). Give this or `output_size`. Default: None.
        return_indices: whether to give (values, indices), each maximum's flat position in the input's volume.
            Default: False.
        _random_samples: (N, C, 3) numbers in [0, 1) in place of chance. Default: None.

    Shape:
        input (N, C, D, H, W) or (C, D, H, W), output (N, C, D_out, H_out, W_out) or (C, D_out, H_out, W_out):
        output_size or ⌊size · output_ratio⌋.

    Raises:
        ValueError: unless exactly one of output_size and output_ratio is given, where a ratio is outside (0, 1), and in
            forward where the windows do not fit.

    Example:

    >>> pool = rustorch.nn.FractionalMaxPool3d(2, output_ratio=0.5)
    >>> pool(rustorch.ones(1, 4, 16, 16, 16)).shape
    rustorch.Size([1, 4, 8, 8, 8])
    """

    __constants__: ClassVar[list[str]] = ["kernel_size", "return_indices", "output_size", "output_ratio"]

    _dimensions = 3

    def forward(self, input: Tensor) -> Any:
        return F.fractional_max_pool3d(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        )


class _LPPoolNd(Module):
    """The `norm_type`-norm of each window."""

    __constants__: ClassVar[list[str]] = ["norm_type", "kernel_size", "stride", "ceil_mode"]

    def __init__(
        self, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    """Takes the p-norm of each window of signals.

    `out = (Σ_{x in window} xᵖ)^(1/p)`, p = norm_type. The sum is of xᵖ, not |x|ᵖ, as in PyTorch: a window whose sum
    is negative gives nan, unless p is 1. With p = inf the largest magnitude.

    Args:
        norm_type: p, not 0.
        kernel_size: the window's size.
        stride: the step between windows; None is kernel_size. Default: None.
        ceil_mode: whether the output's size is rounded up. Default: False.

    Shape:
        input (N, C, L) or (C, L), output (N, C, L_out) or (C, L_out):
        L_out = ⌊(L - kernel_size) / stride⌋ + 1.

    Raises:
        ValueError: in forward, where norm_type is 0 or no window fits.

    Example:

    >>> pool = rustorch.nn.LPPool1d(2, 2)
    >>> pool(rustorch.tensor([[3.0, 4.0, 6.0, 8.0]]))
    tensor([[ 5., 10.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool1d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool2d(_LPPoolNd):
    """Takes the p-norm of each window of images.

    `out = (Σ_{x in window} xᵖ)^(1/p)`, p = norm_type. The sum is of xᵖ, not |x|ᵖ, as in PyTorch: a window whose sum
    is negative gives nan, unless p is 1. With p = inf the largest magnitude.

    Args:
        norm_type: p, not 0.
        kernel_size: the window's height and width; an integer counts for both.
        stride: the step between windows; None is kernel_size. Default: None.
        ceil_mode: whether the output's size is rounded up. Default: False.

    Shape:
        input (N, C, H, W) or (C, H, W), output (N, C, H_out, W_out) or (C, H_out, W_out):
        per dimension size_out = ⌊(size - kernel_size) / stride⌋ + 1.

    Raises:
        ValueError: in forward, where norm_type is 0 or no window fits.

    Example:

    >>> pool = rustorch.nn.LPPool2d(2, 3, stride=2)
    >>> pool(rustorch.ones(8, 16, 33, 33)).shape
    rustorch.Size([8, 16, 16, 16])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool2d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool3d(_LPPoolNd):
    """Takes the p-norm of each window of volumes.

    `out = (Σ_{x in window} xᵖ)^(1/p)`, p = norm_type. The sum is of xᵖ, not |x|ᵖ, as in PyTorch: a window whose sum
    is negative gives nan, unless p is 1. With p = inf the largest magnitude.

    Args:
        norm_type: p, not 0.
        kernel_size: the window's depth, height and width; an integer counts for all.
        stride: the step between windows; None is kernel_size. Default: None.
        ceil_mode: whether the output's size is rounded up. Default: False.

    Shape:
        input (N, C, D, H, W) or (C, D, H, W), output (N, C, D_out, H_out, W_out) or (C, D_out, H_out, W_out):
        per dimension size_out = ⌊(size - kernel_size) / stride⌋ + 1.

    Raises:
        ValueError: in forward, where norm_type is 0 or no window fits.

    Example:

    >>> pool = rustorch.nn.LPPool3d(2, 2)
    >>> pool(rustorch.ones(8, 16, 4, 6, 8)).shape
    rustorch.Size([8, 16, 2, 3, 4])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool3d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class _MaxUnpoolNd(Module):
    """Zeros with the elements where max pooling said it had found them."""

    _dimensions: ClassVar[int]

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        super().__init__()
        self.kernel_size = per_dimension(kernel_size, self._dimensions)
        self.stride = per_dimension(kernel_size if stride is None else stride, self._dimensions)
        self.padding = per_dimension(padding, self._dimensions)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """Puts elements where max pooling said it had found them, and zeros elsewhere.

    `out[c, indices[c, …]] = input[c, …]`, positions being flat in each channel's line. forward(input, indices,
    output_size=None) takes the output's size, which max pooling does not determine; where a position is named more than
    once, one of its elements stays.

    Args:
        kernel_size: the window's size, as of the pooling.
        stride: the step between windows; None is kernel_size. Default: None.
        padding: how far the windows reached beyond each end. Default: 0.

    Shape:
        input (N, C, L) or (C, L), indices of the same shape; output (N, C, L_out) or (C, L_out):
        L_out = (L - 1) · stride - 2 · padding + kernel_size, or output_size.

    Raises:
        ValueError: in forward, where output_size is a stride or more from that.
        IndexError: in forward, where a position is outside the output.

    Example:

    >>> unpool = rustorch.nn.MaxUnpool1d(2)
    >>> unpool(rustorch.tensor([[3.0, 4.0]]), rustorch.tensor([[1, 3]]))
    tensor([[0., 3., 0., 4.]])
    """

    _dimensions = 1

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        return F.max_unpool1d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool2d(_MaxUnpoolNd):
    """Puts elements where max pooling said it had found them, and zeros elsewhere.

    `out[c, indices[c, …]] = input[c, …]`, positions being flat in each channel's plane. forward(input, indices,
    output_size=None) takes the output's size, which max pooling does not determine; where a position is named more than
    once, one of its elements stays.

    Args:
        kernel_size: the window's height and width; an integer counts for both, as of the pooling.
        stride: the step between windows; None is kernel_size. Default: None.
        padding: how far the windows reached beyond each end. Default: 0.

    Shape:
        input (N, C, H, W) or (C, H, W), indices of the same shape; output (N, C, H_out, W_out) or (C, H_out, W_out):
        per dimension size_out = (size - 1) · stride - 2 · padding + kernel_size, or output_size.

    Raises:
        ValueError: in forward, where output_size is a stride or more from that.
        IndexError: in forward, where a position is outside the output.

    Example:

    >>> pool = rustorch.nn.MaxPool2d(2, return_indices=True)
    >>> values, indices = pool(rustorch.tensor([[[1.0, 2.0], [4.0, 3.0]]]))
    >>> rustorch.nn.MaxUnpool2d(2)(values, indices)
    tensor([[[0., 0.],
             [4., 0.]]])
    """

    _dimensions = 2

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        return F.max_unpool2d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool3d(_MaxUnpoolNd):
    """Puts elements where max pooling said it had found them, and zeros elsewhere.

    `out[c, indices[c, …]] = input[c, …]`, positions being flat in each channel's volume. forward(input, indices,
    output_size=None) takes the output's size, which max pooling does not determine; where a position is named more than
    once, one of its elements stays.

    Args:
        kernel_size: the window's depth, height and width; an integer counts for all, as of the pooling.
        stride: the step between windows; None is kernel_size. Default: None.
        padding: how far the windows reached beyond each end. Default: 0.

    Shape:
        input (N, C, D, H, W) or (C, D, H, W), indices of the same shape; output (N, C, D_out, H_out, W_out) or (C,
        D_out, H_out, W_out): per dimension size_out = (size - 1) · stride - 2 · padding + kernel_size, or output_size.

    Raises:
        ValueError: in forward, where output_size is a stride or more from that.
        IndexError: in forward, where a position is outside the output.

    Example:

    >>> pool = rustorch.nn.MaxPool3d(2, return_indices=True)
    >>> values, indices = pool(rustorch.ones(1, 4, 4, 4))
    >>> rustorch.nn.MaxUnpool3d(2)(values, indices).shape
    rustorch.Size([1, 4, 4, 4])
    """

    _dimensions = 3

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        return F.max_unpool3d(input, indices, self.kernel_size, self.stride, self.padding, output_size)
