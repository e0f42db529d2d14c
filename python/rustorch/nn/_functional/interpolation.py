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
    """Computes interpolate(), under an older name.

    Args:
        input: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        size: the output's sizes after the channels; an integer counts for each dimension. Default: None.
        scale_factor: how many times as large the output is, a number or one per dimension. Give this or `size`.
            Default: None.
        mode: 'nearest', 'nearest-exact', 'linear', 'bilinear', 'bicubic', 'trilinear' or 'area'. Default: 'nearest'.
        align_corners: whether the corners' centres coincide, for modes that interpolate. Default: None.

    Example:

    >>> rustorch.nn.functional.upsample(rustorch.tensor([[[1.0, 3.0]]]), scale_factor=2)
    tensor([[[1., 1., 3., 3.]]])
    """
    return _ops.interpolate(input, size, scale_factor, mode, align_corners)


@named
def upsample_nearest(input: Tensor, size: Size | None = None, scale_factor: Factor | None = None) -> Tensor:
    """Computes interpolate() with mode='nearest', under an older name.

    Args:
        input: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        size: the output's sizes after the channels; an integer counts for each dimension. Default: None.
        scale_factor: how many times as large the output is, a number or one per dimension. Give this or `size`.
            Default: None.

    Example:

    >>> rustorch.nn.functional.upsample_nearest(rustorch.tensor([[[1.0, 3.0]]]), size=4)
    tensor([[[1., 1., 3., 3.]]])
    """
    return _ops.interpolate(input, size, scale_factor, "nearest")


@named
def upsample_bilinear(input: Tensor, size: Size | None = None, scale_factor: Factor | None = None) -> Tensor:
    """Computes interpolate() with mode='bilinear' and aligned corners, under an older name.

    Args:
        input: (N, C, H, W).
        size: the output's sizes after the channels; an integer counts for each dimension. Default: None.
        scale_factor: how many times as large the output is, a number or one per dimension. Give this or `size`.
            Default: None.

    Example:

    >>> rustorch.nn.functional.upsample_bilinear(rustorch.tensor([[[[0.0, 3.0]]]]), size=(1, 4))
    tensor([[[[0., 1., 2., 3.]]]])
    """
    return _ops.interpolate(input, size, scale_factor, "bilinear", align_corners=True)
