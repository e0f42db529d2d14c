"""The order of the numbers of convolutions' weights in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rustorch import _C

if TYPE_CHECKING:
    from rustorch.nn.modules.module import Module

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]

M = TypeVar("M", bound="Module")


def _convert(module: Module, spatial: int, memory_format: _C.memory_format) -> None:
    from rustorch.nn.modules.conv import _ConvNd

    for each in module.modules():
        if isinstance(each, _ConvNd) and len(each.kernel_size) == spatial:
            each.weight.data = each.weight.detach().clone(memory_format=memory_format)


def convert_conv2d_weight_memory_format(module: M, memory_format: _C.memory_format) -> M:
    """Puts the weights of all Conv2d and ConvTranspose2d of a network into a memory format; gives the network back.

    Args:
        module: the network.
        memory_format: such as rustorch.channels_last.

    Example:

    >>> conv = rustorch.nn.Conv2d(3, 4, 2)
    >>> conv = rustorch.nn.utils.convert_conv2d_weight_memory_format(conv, rustorch.channels_last)
    >>> conv.weight.is_contiguous(memory_format=rustorch.channels_last)
    True
    """
    _convert(module, 2, memory_format)
    return module


def convert_conv3d_weight_memory_format(module: M, memory_format: _C.memory_format) -> M:
    """Puts the weights of all Conv3d and ConvTranspose3d of a network into a memory format; gives the network back.

    Args:
        module: the network.
        memory_format: such as rustorch.channels_last_3d.

    Example:

    >>> conv = rustorch.nn.Conv3d(3, 4, 2)
    >>> conv = rustorch.nn.utils.convert_conv3d_weight_memory_format(conv, rustorch.channels_last_3d)
    >>> conv.weight.is_contiguous(memory_format=rustorch.channels_last_3d)
    True
    """
    _convert(module, 3, memory_format)
    return module
