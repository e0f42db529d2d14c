"""Pooling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rustorch import _C
from rustorch._C import Tensor
from rustorch._naming import named

from .. import _functional_ops as _ops
from ._documented import documented_as

Size = int | Sequence[int]


@named
def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = True,
) -> tuple[Tensor, Tensor]:
    """Takes the largest element of each window and its flat position in its line: max_pool1d() with return_indices.

    Args:
        input: (N, C, L) or (C, L).
        kernel_size: the window's size.
        stride: the step between windows; None is kernel_size. Default: None.
        padding: how far windows reach beyond each end, at most half of kernel_size. Default: 0.
        dilation: the step between a window's elements. Default: 1.
        ceil_mode: whether the output's size is rounded up. Default: False.
        return_indices: without effect: both are given. Default: True.

    Example:

    >>> x = rustorch.tensor([[1.0, 3.0, 2.0, 4.0]])
    >>> values, indices = rustorch.nn.functional.max_pool1d_with_indices(x, 2)
    >>> indices
    tensor([[1, 3]])
    """
    return _ops.max_pool1d_with_indices(input, kernel_size, step(stride), padding, dilation, ceil_mode)


@named
def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = True,
) -> tuple[Tensor, Tensor]:
    """Takes the largest element of each window and its flat position in its plane: max_pool2d() with return_indices.

    Args:
        input: (N, C, H, W) or (C, H, W).
        kernel_size: the window's sizes; an integer counts for every dimension.
        stride: the step between windows; None is kernel_size. Default: None.
        padding: how far windows reach beyond each end, at most half of kernel_size. Default: 0.
        dilation: the step between a window's elements. Default: 1.
        ceil_mode: whether the output's size is rounded up. Default: False.
        return_indices: without effect: both are given. Default: True.

    Example:

    >>> x = rustorch.tensor([[[1.0, 2.0], [4.0, 3.0]]])
    >>> values, indices = rustorch.nn.functional.max_pool2d_with_indices(x, 2)
    >>> indices
    tensor([[[2]]])
    """
    return _ops.max_pool2d_with_indices(input, kernel_size, step(stride), padding, dilation, ceil_mode)


@named
def max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = True,
) -> tuple[Tensor, Tensor]:
    """Takes the largest element of each window and its flat position in its volume: max_pool3d() with return_indices.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W).
        kernel_size: the window's sizes; an integer counts for every dimension.
        stride: the step between windows; None is kernel_size. Default: None.
        padding: how far windows reach beyond each end, at most half of kernel_size. Default: 0.
        dilation: the step between a window's elements. Default: 1.
        ceil_mode: whether the output's size is rounded up. Default: False.
        return_indices: without effect: both are given. Default: True.

    Example:

    >>> x = rustorch.tensor([[[[1.0, 2.0], [4.0, 3.0]]]])
    >>> values, indices = rustorch.nn.functional.max_pool3d_with_indices(x, (1, 2, 2))
    >>> indices
    tensor([[[[2]]]])
    """
    return _ops.max_pool3d_with_indices(input, kernel_size, step(stride), padding, dilation, ceil_mode)


def step(stride: Size | None) -> Size:
    """The stride in the core's form, where nothing means the kernel's size."""
    return () if stride is None else stride


@named
def max_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Takes the largest element of each window; nn.MaxPool1d says more.

    Args:
        input: (N, C, L) or (C, L).
        kernel_size: the window's size.
        stride: the step between windows; None is kernel_size. Default: None.
        padding: how far windows reach beyond each end, at most half of kernel_size. Default: 0.
        dilation: the step between a window's elements. Default: 1.
        ceil_mode: whether the output's size is rounded up. Default: False.
        return_indices: whether to give (values, indices), each maximum's flat position in its line. Default: False.

    Example:

    >>> rustorch.nn.functional.max_pool1d(rustorch.tensor([[1.0, 3.0, 2.0, 4.0]]), 2)
    tensor([[3., 4.]])
    """
    if return_indices:
        return max_pool1d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return _C.max_pool1d(input, kernel_size, step(stride), padding, dilation, ceil_mode)


@named
def max_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Takes the largest element of each window; nn.MaxPool2d says more.

    Args:
        input: (N, C, H, W) or (C, H, W).
        kernel_size: the window's sizes; an integer counts for every dimension.
        stride: the step between windows; None is kernel_size. Default: None.
        padding: how far windows reach beyond each end, at most half of kernel_size. Default: 0.
        dilation: the step between a window's elements. Default: 1.
        ceil_mode: whether the output's size is rounded up. Default: False.
        return_indices: whether to give (values, indices), each maximum's flat position in its plane. Default: False.

    Example:

    >>> rustorch.nn.functional.max_pool2d(rustorch.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2)
    tensor([[[4.]]])
    """
    if return_indices:
        return max_pool2d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return _C.max_pool2d(input, kernel_size, step(stride), padding, dilation, ceil_mode)


@named
def max_pool3d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Takes the largest element of each window; nn.MaxPool3d says more.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W).
        kernel_size: the window's sizes; an integer counts for every dimension.
        stride: the step between windows; None is kernel_size. Default: None.
        padding: how far windows reach beyond each end, at most half of kernel_size. Default: 0.
        dilation: the step between a window's elements. Default: 1.
        ceil_mode: whether the output's size is rounded up. Default: False.
        return_indices: whether to give (values, indices), each maximum's flat position in its volume. Default: False.

    Example:

    >>> rustorch.nn.functional.max_pool3d(rustorch.tensor([[[[1.0, 2.0], [4.0, 3.0]]]]), (1, 2, 2))
    tensor([[[[4.]]]])
    """
    if return_indices:
        return max_pool3d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return _C.max_pool3d(input, kernel_size, step(stride), padding, dilation, ceil_mode)


@named
@documented_as(_C.avg_pool1d, count_include_pad="whether the padding's zeros count as elements of the mean.")
def avg_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    return _C.avg_pool1d(input, kernel_size, step(stride), padding, ceil_mode, count_include_pad)


@named
@documented_as(
    _ops.avg_pool2d,
    count_include_pad="whether the padding's zeros count as elements of the mean.",
    divisor_override="what the sums are divided by; None is the number of elements.",
)
def avg_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    return _ops.avg_pool2d(input, kernel_size, step(stride), padding, ceil_mode, count_include_pad, divisor_override)


@named
@documented_as(
    _ops.avg_pool3d,
    count_include_pad="whether the padding's zeros count as elements of the mean.",
    divisor_override="what the sums are divided by; None is the number of elements.",
)
def avg_pool3d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    return _ops.avg_pool3d(input, kernel_size, step(stride), padding, ceil_mode, count_include_pad, divisor_override)


def output_sizes(input: Tensor, output_size: int | Sequence[int | None] | None, dimensions: int) -> list[int]:
    """The sizes, with the input's own for None."""
    sizes = list(output_size) if isinstance(output_size, Iterable) else [output_size] * dimensions
    if len(sizes) > input.ndim:
        raise ValueError(f"Input dimension should be at least {len(sizes) + 1}")
    return [own if size is None else size for size, own in zip(sizes, input.shape[-len(sizes) :], strict=True)]


@named
def adaptive_avg_pool1d(input: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor:
    """Takes the mean of as many windows as the output has elements, which cover the input; nn.AdaptiveAvgPool1d says
    which.

    Args:
        input: (N, C, L) or (C, L).
        output_size: the output's size; None keeps the input's.

    Example:

    >>> rustorch.nn.functional.adaptive_avg_pool1d(rustorch.tensor([[1.0, 3.0, 2.0, 4.0]]), 1)
    tensor([[2.5000]])
    """
    return _C.adaptive_avg_pool1d(input, output_sizes(input, output_size, 1))


@named
def adaptive_avg_pool2d(input: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor:
    """Takes the mean of as many windows as the output has elements, which cover the input; nn.AdaptiveAvgPool2d says
    which.

    Args:
        input: (N, C, H, W) or (C, H, W).
        output_size: the output's sizes; an integer counts for every dimension; None keeps the input's.

    Example:

    >>> rustorch.nn.functional.adaptive_avg_pool2d(rustorch.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 1)
    tensor([[[2.5000]]])
    """
    return _ops.adaptive_avg_pool2d(input, output_sizes(input, output_size, 2))


@named
def adaptive_avg_pool3d(input: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor:
    """Takes the mean of as many windows as the output has elements, which cover the input; nn.AdaptiveAvgPool3d says
    which.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W).
        output_size: the output's sizes; an integer counts for every dimension; None keeps the input's.

    Example:

    >>> rustorch.nn.functional.adaptive_avg_pool3d(rustorch.tensor([[[[1.0, 2.0], [4.0, 3.0]]]]), 1)
    tensor([[[[2.5000]]]])
    """
    return _ops.adaptive_avg_pool3d(input, output_sizes(input, output_size, 3))


@named
@documented_as(_ops.lp_pool1d)
def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    return _ops.lp_pool1d(input, norm_type, kernel_size, step(stride), ceil_mode)


@named
@documented_as(_ops.lp_pool2d)
def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    return _ops.lp_pool2d(input, norm_type, kernel_size, step(stride), ceil_mode)


@named
@documented_as(_ops.lp_pool3d)
def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    return _ops.lp_pool3d(input, norm_type, kernel_size, step(stride), ceil_mode)
