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
    """As adaptive_max_pool1d(), with the flat position of each maximum in its line."""
    return _C.adaptive_max_pool1d(input, output_sizes(input, output_size, 1))


@named
def adaptive_max_pool1d(input: Tensor, output_size: OutputSize, return_indices: bool = False) -> Any:
    """The largest elements of windows that cover (N, C, L) or (C, L), and with `return_indices` where."""
    values, indices = adaptive_max_pool1d_with_indices(input, output_size)
    return (values, indices) if return_indices else values


@named
def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: OutputSize, return_indices: bool = True
) -> tuple[Tensor, Tensor]:
    """As adaptive_max_pool2d(), with the flat position of each maximum in its plane."""
    return _ops.adaptive_max_pool2d(input, output_sizes(input, output_size, 2))


@named
def adaptive_max_pool2d(input: Tensor, output_size: OutputSize, return_indices: bool = False) -> Any:
    """The largest elements of windows that cover (N, C, H, W) or (C, H, W), and with `return_indices` where."""
    values, indices = adaptive_max_pool2d_with_indices(input, output_size)
    return (values, indices) if return_indices else values


@named
def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: OutputSize, return_indices: bool = True
) -> tuple[Tensor, Tensor]:
    """As adaptive_max_pool3d(), with the flat position of each maximum in its volume."""
    return _ops.adaptive_max_pool3d(input, output_sizes(input, output_size, 3))


@named
def adaptive_max_pool3d(input: Tensor, output_size: OutputSize, return_indices: bool = False) -> Any:
    """The largest elements of windows that cover (N, C, D, H, W) or (C, D, H, W), and with `return_indices` where."""
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
    """As fractional_max_pool2d(), with the flat position of each maximum in its plane."""
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
    """The largest elements of windows of (N, C, H, W) or (C, H, W) that begin where chance says."""
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
    """As fractional_max_pool3d(), with the flat position of each maximum in its volume."""
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
    """The largest elements of windows of (N, C, D, H, W) or (C, D, H, W) that begin where chance says."""
    values, indices = fractional_max_pool3d_with_indices(
        input, kernel_size, output_size, output_ratio, True, _random_samples
    )
    return (values, indices) if return_indices else values


@named
@documented_as(_ops.max_unpool1d)
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
@documented_as(_ops.max_unpool2d)
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
@documented_as(_ops.max_unpool3d)
def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    return _ops.max_unpool3d(input, indices, kernel_size, step(stride), padding, output_size)
