"""Images at other sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rustorch._C import Tensor
from rustorch.nn import functional as F

from .module import Module

__all__ = ["Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]


class Upsample(Module):
    """Resamples signals, images or volumes to another size.

    'nearest' takes input[⌊i · s⌋], and 'nearest-exact' input[⌊(i + 0.5) · s⌋], s being in / out or 1 / scale_factor.
    'linear', 'bilinear' and 'trilinear' interpolate between the 2, 4 or 8 neighbours, 'bicubic' by cubic convolution
    with a = -0.75 over 16, and 'area' takes the means of AdaptiveAvgPool. The module computes what
    functional.interpolate() computes.

    Args:
        size: the output's sizes after the channels; an integer counts for each dimension. Default: None.
        scale_factor: how many times as large the output is, a number or one per dimension. Give this or `size`.
            Default: None.
        mode: 'nearest', 'nearest-exact', 'linear' (3D inputs), 'bilinear', 'bicubic' (4D), 'trilinear' (5D) or 'area'.
            Default: 'nearest'.
        align_corners: whether the corners' centres, not the outer edges, of input and output coincide; for the
            interpolating modes only, where None is False. Default: None.
        recompute_scale_factor: whether the scale is that of the output's rounded size, not scale_factor itself.
            Default: None.

    Shape:
        input (N, C, L), (N, C, H, W) or (N, C, D, H, W); output of the same batch and channels with, per dimension,
        `size` or ⌊size of the input · scale_factor⌋.

    Raises:
        ValueError: in forward, unless exactly one of size and scale_factor is given, where the mode does not go with
            the input's dimensions, and for align_corners with modes that do not interpolate.

    Example:

    >>> upsample = rustorch.nn.Upsample(scale_factor=2, mode="linear", align_corners=True)
    >>> upsample(rustorch.tensor([[[0.0, 3.0]]]))
    tensor([[[0., 1., 2., 3.]]])
    """

    __constants__: ClassVar[list[str]] = [
        "size",
        "scale_factor",
        "mode",
        "align_corners",
        "name",
        "recompute_scale_factor",
    ]

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        self.scale_factor: Any = None
        if isinstance(scale_factor, Sequence):
            self.scale_factor = tuple(float(factor) for factor in scale_factor)
        elif scale_factor:
            self.scale_factor = float(scale_factor)
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        size = f"size={self.size!r}" if self.scale_factor is None else f"scale_factor={self.scale_factor!r}"
        return f"{size}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Resamples images to another size, each pixel the nearest one: Upsample with mode 'nearest'.

    Args:
        size: the output's height and width; an integer counts for both. Default: None.
        scale_factor: how many times as large the output is, a number or one per dimension. Give this or `size`.
            Default: None.

    Shape:
        input (N, C, H_in, W_in), output (N, C, H_out, W_out) with `size` or ⌊size of the input · scale_factor⌋.

    Example:

    >>> upsample = rustorch.nn.UpsamplingNearest2d(scale_factor=2)
    >>> upsample(rustorch.tensor([[[[0.0, 3.0]]]]))
    tensor([[[[0., 0., 3., 3.],
              [0., 0., 3., 3.]]]])
    """

    def __init__(
        self, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None
    ) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Resamples images to another size, linearly in both directions: Upsample with mode 'bilinear' and aligned corners.

    Args:
        size: the output's height and width; an integer counts for both. Default: None.
        scale_factor: how many times as large the output is, a number or one per dimension. Give this or `size`.
            Default: None.

    Shape:
        input (N, C, H_in, W_in), output (N, C, H_out, W_out) with `size` or ⌊size of the input · scale_factor⌋.

    Example:

    >>> upsample = rustorch.nn.UpsamplingBilinear2d(size=(1, 4))
    >>> upsample(rustorch.tensor([[[[0.0, 3.0]]]]))
    tensor([[[[0., 1., 2., 3.]]]])
    """

    def __init__(
        self, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None
    ) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
