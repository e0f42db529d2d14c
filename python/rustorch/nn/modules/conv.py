"""Convolutional layers: one implementation for one, two and three spatial dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rustorch._C import Layer, Tensor
from rustorch.nn.parameter import Parameter

from ._parameterized import ParameterizedModule
from ._sizes import per_dimension

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

Size = int | Sequence[int]


class _Conv(ParameterizedModule):
    """Cross-correlation of (N, in_channels, *spatial), or without N, with a learned window.

    `padding` is a number per dimension, 'valid' (none) or 'same' (as many as keep the size); `padding_mode` is 'zeros',
    'reflect', 'replicate' or 'circular'. Weight
    (out_channels, in_channels / groups, *kernel_size) and bias (out_channels) start uniform within ±1/√fan_in.
    """

    _settings = frozenset(
        ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")
    )
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
        if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(
                "padding_mode must be one of {'reflect', 'replicate', 'circular', 'zeros'}, "
                f"but got padding_mode='{padding_mode}'"
            )
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
            self.padding_mode,
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
            f"padding_mode={self.padding_mode}" if self.padding_mode != "zeros" else "",
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


class _ConvTranspose(ParameterizedModule):
    """The transpose of a convolution of (N, in_channels, *spatial), or without N.

    Each input adds the window, times itself, to the output; `padding` crops the output at both ends and
    `output_padding` adds to its end. Weight (in_channels, out_channels / groups, *kernel_size) and bias (out_channels)
    start uniform within ±1/√(out_channels / groups · kernel).
    """

    _settings = frozenset(
        ("in_channels", "out_channels", "kernel_size", "stride", "padding", "output_padding", "dilation", "groups")
    )
    _dimensions: ClassVar[int]
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {self._get_name()}')
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = per_dimension(kernel_size, self._dimensions)
        self.stride = per_dimension(stride, self._dimensions)
        self.padding = per_dimension(padding, self._dimensions)
        self.dilation = per_dimension(dilation, self._dimensions)
        self.output_padding = per_dimension(output_padding, self._dimensions)
        self.groups = groups
        self.padding_mode = padding_mode
        self._with_bias = bool(bias)
        self._build(device, dtype)

    def _make_layer(self) -> Layer:
        return self._layer_with(self.output_padding)

    def _layer_with(self, output_padding: Sequence[int]) -> Layer:
        return Layer.conv_transpose(
            self.in_channels,
            self.out_channels,
            self.kernel_size,
            self.stride,
            self.padding,
            output_padding,
            self.groups,
            self._with_bias,
            self.dilation,
        )

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        layer = self._layer if output_size is None else self._layer_with(self._padding_for(input, output_size))
        return layer.forward(input, self.weight, self.bias)

    def _padding_for(self, input: Tensor, output_size: Sequence[int]) -> list[int]:
        """The output padding that gives the wanted size."""
        spatial = self._dimensions
        lead = input.ndim - spatial
        if len(output_size) == input.ndim:
            output_size = output_size[lead:]
        if len(output_size) != spatial:
            raise ValueError(
                f"{self._get_name()}: for {input.ndim}D input, output_size must have {spatial} or {input.ndim} "
                f"elements (got {len(output_size)})"
            )
        smallest = [
            (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1
            for size, stride, padding, dilation, kernel in zip(
                input.shape[lead:], self.stride, self.padding, self.dilation, self.kernel_size, strict=True
            )
        ]
        extra = [size - least for size, least in zip(output_size, smallest, strict=True)]
        if any(not 0 <= more < stride for more, stride in zip(extra, self.stride, strict=True)):
            largest = [least + stride - 1 for least, stride in zip(smallest, self.stride, strict=True)]
            raise ValueError(
                f"requested an output size of {list(output_size)}, but valid sizes range from {smallest} to {largest} "
                f"(for an input of {list(input.shape[lead:])})"
            )
        return extra

    def extra_repr(self) -> str:
        ones, zeros = (1,) * self._dimensions, (0,) * self._dimensions
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}",
            f"padding={self.padding}" if self.padding != zeros else "",
            f"dilation={self.dilation}" if self.dilation != ones else "",
            f"output_padding={self.output_padding}" if self.output_padding != zeros else "",
            f"groups={self.groups}" if self.groups != 1 else "",
            "bias=False" if self.bias is None else "",
        ]
        return ", ".join(part for part in parts if part)


class ConvTranspose1d(_ConvTranspose):
    __doc__ = _ConvTranspose.__doc__
    _dimensions = 1


class ConvTranspose2d(_ConvTranspose):
    __doc__ = _ConvTranspose.__doc__
    _dimensions = 2


class ConvTranspose3d(_ConvTranspose):
    __doc__ = _ConvTranspose.__doc__
    _dimensions = 3
