"""Pooling of windows that lie where the output's size or chance puts them, and the way back from maxima."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rustorch import _C
from rustorch._C import Tensor
from rustorch._naming import named

from .. import _functional_ops as _ops
from ._documented import documented_as
from .pooling import Size, output_sizes, step

OutputSize = int | Sequence[int | None] | None
Ratio = float | Sequence[float]


@named
def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: OutputSize, return_indices: bool = True
) -> tuple[Tensor, Tensor]:
    """Gives the values and indices of adaptive_max_pool1d() with return_indices.

    Args:
        input: (N, C, L) or (C, L).
        output_size: the output's size; None keeps the input's.
        return_indices: without effect: both are given. Default: True.

    Example:

    >>> x = rustorch.tensor([[1.0, 3.0, 2.0, 4.0]])
    >>> values, indices = rustorch.nn.functional.adaptive_max_pool1d_with_indices(x, 1)
    >>> indices
    tensor([[3]])
    """
    return _C.adaptive_max_pool1d(input, output_sizes(input, output_size, 1))


@named
def adaptive_max_pool1d(input: Tensor, output_size: OutputSize, return_indices: bool = False) -> Any:
    """Takes the largest elements of as many windows as the output has, which cover the input; nn.AdaptiveMaxPool1d says
    which.

    Args:
        input: (N, C, L) or (C, L).
        output_size: the output's size; None keeps the input's.
        return_indices: whether to give (values, indices), each maximum's flat position in its line. Default: False.

    Example:

    >>> rustorch.nn.functional.adaptive_max_pool1d(rustorch.tensor([[1.0, 3.0, 2.0, 4.0]]), 1)
    tensor([[4.]])
    """
    values, indices = adaptive_max_pool1d_with_indices(input, output_size)
    return (values, indices) if return_indices else values


@named
def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: OutputSize, return_indices: bool = True
) -> tuple[Tensor, Tensor]:
    """Gives the values and indices of adaptive_max_pool2d() with return_indices.

    Args:
        input: (N, C, H, W) or (C, H, W).
        output_size: the output's sizes; an integer counts for every dimension; None keeps the input's.
        return_indices: without effect: both are given. Default: True.

    Example:

    >>> x = rustorch.tensor([[[1.0, 2.0], [4.0, 3.0]]])
    >>> values, indices = rustorch.nn.functional.adaptive_max_pool2d_with_indices(x, 1)
    >>> indices
    tensor([[[2]]])
    """
    return _ops.adaptive_max_pool2d(input, output_sizes(input, output_size, 2))


@named
def adaptive_max_pool2d(input: Tensor, output_size: OutputSize, return_indices: bool = False) -> Any:
    """Takes the largest elements of as many windows as the output has, which cover the input; nn.AdaptiveMaxPool2d says
    which.

    Args:
        input: (N, C, H, W) or (C, H, W).
        output_size: the output's sizes; an integer counts for every dimension; None keeps the input's.
        return_indices: whether to give (values, indices), each maximum's flat position in its plane. Default: False.

    Example:

    >>> rustorch.nn.functional.adaptive_max_pool2d(rustorch.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 1)
    tensor([[[4.]]])
    """
    values, indices = adaptive_max_pool2d_with_indices(input, output_size)
    return (values, indices) if return_indices else values


@named
def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: OutputSize, return_indices: bool = True
) -> tuple[Tensor, Tensor]:
    """Gives the values and indices of adaptive_max_pool3d() with return_indices.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W).
        output_size: the output's sizes; an integer counts for every dimension; None keeps the input's.
        return_indices: without effect: both are given. Default: True.

    Example:

    >>> x = rustorch.tensor([[[[1.0, 2.0], [4.0, 3.0]]]])
    >>> values, indices = rustorch.nn.functional.adaptive_max_pool3d_with_indices(x, 1)
    >>> indices
    tensor([[[[2]]]])
    """
    return _ops.adaptive_max_pool3d(input, output_sizes(input, output_size, 3))


@named
def adaptive_max_pool3d(input: Tensor, output_size: OutputSize, return_indices: bool = False) -> Any:
    """Takes the largest elements of as many windows as the output has, which cover the input; nn.AdaptiveMaxPool3d says
    which.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W).
        output_size: the output's sizes; an integer counts for every dimension; None keeps the input's.
        return_indices: whether to give (values, indices), each maximum's flat position in its volume. Default: False.

    Example:

    >>> rustorch.nn.functional.adaptive_max_pool3d(rustorch.tensor([[[[1.0, 2.0], [4.0, 3.0]]]]), 1)
    tensor([[[[4.]]]])
    """
    values, indices = adaptive_max_pool3d_with_indices(input, output_size)
    return (values, indices) if return_indices else values


@named
def fractional_max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Size,
    output_size: Size | None = None,
    output_ratio: Ratio | None = None,
    return_indices: bool = True,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Gives the values and indices of fractional_max_pool2d() with return_indices.

    Args:
        input: (N, C, H, W) or (C, H, W).
        kernel_size: the window's sizes; an integer counts for every dimension.
        output_size: the output's sizes; an integer counts for every dimension. Default: None.
        output_ratio: the output's sizes as shares of the input's, in (0, 1). Give this or `output_size`. Default: None.
        return_indices: without effect: both are given. Default: True.
        _random_samples: (N, C, 2) numbers in [0, 1) in place of chance. Default: None.

    Example:

    >>> x = rustorch.ones(1, 6, 6)
    >>> values, indices = rustorch.nn.functional.fractional_max_pool2d_with_indices(x, 2, output_size=3)
    >>> indices.shape
    rustorch.Size([1, 3, 3])
    """
    return _ops.fractional_max_pool2d_with_indices(input, kernel_size, output_size, output_ratio, _random_samples)


@named
def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Size,
    output_size: Size | None = None,
    output_ratio: Ratio | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Takes the largest elements of windows that begin where chance says (B. Graham, Fractional Max-Pooling, 2014).

    Args:
        input: (N, C, H, W) or (C, H, W).
        kernel_size: the window's sizes; an integer counts for every dimension.
        output_size: the output's sizes; an integer counts for every dimension. Default: None.
        output_ratio: the output's sizes as shares of the input's, in (0, 1). Give this or `output_size`. Default: None.
        return_indices: whether to give (values, indices), each maximum's flat position in its plane. Default: False.
        _random_samples: (N, C, 2) numbers in [0, 1) in place of chance. Default: None.

    Example:

    >>> rustorch.nn.functional.fractional_max_pool2d(rustorch.ones(1, 6, 6), 2, output_ratio=0.5).shape
    rustorch.Size([1, 3, 3])
    """
    values, indices = fractional_max_pool2d_with_indices(
        input, kernel_size, output_size, output_ratio, True, _random_samples
    )
    return (values, indices) if return_indices else values


@named
def fractional_max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Size,
    output_size: Size | None = None,
    output_ratio: Ratio | None = None,
    return_indices: bool = True,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Gives the values and indices of fractional_max_pool3d() with return_indices.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W).
        kernel_size: the window's sizes; an integer counts for every dimension.
        output_size: the output's sizes; an integer counts for every dimension. Default: None.
        output_ratio: the output's sizes as shares of the input's, in (0, 1). Give this or `output_size`. Default: None.
        return_indices: without effect: both are given. Default: True.
        _random_samples: (N, C, 3) numbers in [0, 1) in place of chance. Default: None.

    Example:

    >>> x = rustorch.ones(1, 6, 6, 6)
    >>> values, indices = rustorch.nn.functional.fractional_max_pool3d_with_indices(x, 2, output_size=3)
    >>> indices.shape
    rustorch.Size([1, 3, 3, 3])
    """
    return _ops.fractional_max_pool3d_with_indices(input, kernel_size, output_size, output_ratio, _random_samples)


@named
def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Size,
    output_size: Size | None = None,
    output_ratio: Ratio | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Takes the largest elements of windows that begin where chance says (B. Graham, Fractional Max-Pooling, 2014).

    Args:
        input: (N, C, D, H, W) or (C, D, H, W).
        kernel_size: the window's sizes; an integer counts for every dimension.
        output_size: the output's sizes; an integer counts for every dimension. Default: None.
        output_ratio: the output's sizes as shares of the input's, in (0, 1). Give this or `output_size`. Default: None.
        return_indices: whether to give (values, indices), each maximum's flat position in its volume. Default: False.
        _random_samples: (N, C, 3) numbers in [0, 1) in place of chance. Default: None.

    Example:

    >>> rustorch.nn.functional.fractional_max_pool3d(rustorch.ones(1, 6, 6, 6), 2, output_ratio=0.5).shape
    rustorch.Size([1, 3, 3, 3])
    """
    values, indices = fractional_max_pool3d_with_indices(
        input, kernel_size, output_size, output_ratio, True, _random_samples
    )
    return (values, indices) if return_indices else values


@named
@documented_as(
    _ops.max_unpool1d,
    indices="where each element goes, flat in its channel, of the input's shape.",
    output_size="the output's size; None is the smallest that pools to the input's.",
)
def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    return _ops.max_unpool1d(input, indices, kernel_size, step(stride), padding, output_size)


@named
@documented_as(
    _ops.max_unpool2d,
    indices="where each element goes, flat in its channel, of the input's shape.",
    output_size="the output's size; None is the smallest that pools to the input's.",
)
def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    return _ops.max_unpool2d(input, indices, kernel_size, step(stride), padding, output_size)


@named
@documented_as(
    _ops.max_unpool3d,
    indices="where each element goes, flat in its channel, of the input's shape.",
    output_size="the output's size; None is the smallest that pools to the input's.",
)
def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    return _ops.max_unpool3d(input, indices, kernel_size, step(stride), padding, output_size)
