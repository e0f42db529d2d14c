"""Channels into the plane and back."""

from __future__ import annotations

from typing import ClassVar

from rustorch._C import Tensor
from rustorch.nn import functional as F

from .module import Module

__all__ = ["PixelShuffle", "PixelUnshuffle"]


class PixelShuffle(Module):
    """Spreads each group of r² channels over squares of r × r pixels (W. Shi et al., 2016).

    `out[c, h·r + i, w·r + j] = input[c·r² + i·r + j, h, w]` with r = upscale_factor.

    Args:
        upscale_factor: r, by which height and width grow, at least 1.

    Shape:
        input (*, C·r², H, W), output (*, C, H·r, W·r).

    Raises:
        ValueError: in forward, where r² does not divide the channels, or r is below 1.

    Example:

    >>> shuffle = rustorch.nn.PixelShuffle(2)
    >>> shuffle(rustorch.arange(4.0).view(1, 4, 1, 1))
    tensor([[[[0., 1.],
              [2., 3.]]]])
    """

    __constants__: ClassVar[list[str]] = ["upscale_factor"]

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Gathers squares of r × r pixels into channels: the inverse of PixelShuffle.

    `out[c·r² + i·r + j, h, w] = input[c, h·r + i, w·r + j]` with r = downscale_factor.

    Args:
        downscale_factor: r, by which height and width shrink, at least 1.

    Shape:
        input (*, C, H·r, W·r), output (*, C·r², H, W).

    Raises:
        ValueError: in forward, where r does not divide height and width, or is below 1.

    Example:

    >>> unshuffle = rustorch.nn.PixelUnshuffle(2)
    >>> unshuffle(rustorch.arange(4.0).view(1, 1, 2, 2)).flatten()
    tensor([0., 1., 2., 3.])
    """

    __constants__: ClassVar[list[str]] = ["downscale_factor"]

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """Deals the channels out like cards: the first of each group, then the second of each (X. Zhang et al., 2018).

    `out[n, i·groups + g] = input[n, g·(C / groups) + i]`.

    Args:
        groups: how many groups of neighbouring channels there are; it divides the channels.

    Shape:
        input (N, C, *) of at least 3 dimensions, output of the same shape.

    Raises:
        ValueError: in forward, where `groups` does not divide C, or the input has fewer than 3 dimensions.

    Example:

    >>> shuffle = rustorch.nn.ChannelShuffle(2)
    >>> shuffle(rustorch.arange(4.0).view(1, 4, 1)).flatten()
    tensor([0., 2., 1., 3.])
    """

    __constants__: ClassVar[list[str]] = ["groups"]

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
