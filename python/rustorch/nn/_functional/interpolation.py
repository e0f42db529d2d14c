"""Interpolation under its older names."""

from __future__ import annotations

from collections.abc import Sequence

from rustorch._C import Tensor
from rustorch._naming import named

from .. import _functional_ops as _ops

Size = int | Sequence[int]
Factor = float | Sequence[float]


@named
def upsample(
    input: Tensor,
    size: Size | None = None,
    scale_factor: Factor | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """interpolate() under an older name."""
    return _ops.interpolate(input, size, scale_factor, mode, align_corners)


@named
def upsample_nearest(input: Tensor, size: Size | None = None, scale_factor: Factor | None = None) -> Tensor:
    """interpolate() with mode='nearest'."""
    return _ops.interpolate(input, size, scale_factor, "nearest")


@named
def upsample_bilinear(input: Tensor, size: Size | None = None, scale_factor: Factor | None = None) -> Tensor:
    """interpolate() with mode='bilinear' and the corners aligned."""
    return _ops.interpolate(input, size, scale_factor, "bilinear", align_corners=True)
