"""Convolutional layers: one implementation for one, two and three spatial dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rustorch._C import Layer, Tensor
from rustorch.nn.parameter import Parameter

from ._parameterized import ParameterizedModule
from ._sizes import per_dimension

__all__ = ["Conv1d", "Conv2d", "Conv3d"]

Size = int | Sequence[int]


class _Conv(ParameterizedModule):
    """Cross-correlation of (N, in_channels, *spatial), or without N, with a learned window.

    `padding` is a number of zeros per dimension, 'valid' (none) or 'same' (as many as keep the size). Weight
    (out_channels, in_channels / groups, *kernel_size) and bias (out_channels) start uniform within ±1/√fan_in.
    """

    _settings = frozenset(("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups"))
    _dimensions: ClassVar[int]
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: str | Size = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if padding_mode != "zeros":
            if padding_mode not in ("reflect", "replicate", "circular"):
                raise ValueError(
                    "padding_mode must be one of {'reflect', 'replicate', 'circular', 'zeros'}, "
                    f"but got padding_mode='{padding_mode}'"
                )
            raise NotImplementedError(f"{self._get_name()}: only padding_mode='zeros' is built, not '{padding_mode}'")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = per_dimension(kernel_size, self._dimensions)
        self.stride = per_dimension(stride, self._dimensions)
        self.padding = padding if isinstance(padding, str) else per_dimension(padding, self._dimensions)
        self.dilation = per_dimension(dilation, self._dimensions)
        self.groups = groups
        self.padding_mode = padding_mode
        self._with_bias = bool(bias)
        self._build(device, dtype)

    def _make_layer(self) -> Layer:
        return Layer.conv(
            self.in_channels,
            self.out_channels,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
            self._with_bias,
        )

    def forward(self, input: Tensor) -> Tensor:
        return self._layer.forward(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        ones, zeros = (1,) * self._dimensions, (0,) * self._dimensions
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}",
            f"padding={self.padding}" if self.padding != zeros else "",
            f"dilation={self.dilation}" if self.dilation != ones else "",
            f"groups={self.groups}" if self.groups != 1 else "",
            "bias=False" if self.bias is None else "",
        ]
        return ", ".join(part for part in parts if part)


class Conv1d(_Conv):
    __doc__ = _Conv.__doc__
    _dimensions = 1


class Conv2d(_Conv):
    __doc__ = _Conv.__doc__
    _dimensions = 2


class Conv3d(_Conv):
    __doc__ = _Conv.__doc__
    _dimensions = 3
