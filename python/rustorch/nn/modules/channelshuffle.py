"""The module in which PyTorch has ChannelShuffle."""

from .pixelshuffle import ChannelShuffle

__all__ = ["ChannelShuffle"]

ChannelShuffle.__module__ = __name__
