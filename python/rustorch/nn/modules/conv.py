"""Convolutional layers: one implementation for one, two and three spatial dimensions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import rustorch
from rustorch._C import Tensor
from rustorch.nn import functional as F
from rustorch.nn.parameter import Parameter

from ._sizes import per_dimension
from .linear import initialize_by_fan_in
from .module import Module

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

Size = int | Sequence[int]
_MODES = ("zeros", "reflect", "replicate", "circular")

# One text describes a layer for one, two and three dimensions; `_described` puts in what differs.
_CONVOLUTION = """Convolves inputs of {n} with learned windows.

    {formula}

with the stride s, dilation d and padding p of each dimension. c runs over the in_channels / groups channels of k's
group; outside the input stand the values of `padding_mode`. The window is not flipped: in mathematics this is a
cross-correlation. train() and eval() make no difference.

Args:
    in_channels: Channels of the input, a multiple of `groups`.
    out_channels: Channels of the output, each with a window of its own; a multiple of `groups`.
    kernel_size: Size of the window{each}.
    stride: Step between neighbouring windows{each}. Default: 1.
    padding: Positions added at both ends{each}; or 'valid' for none, or
        'same' for as many as keep the size, an odd one at the end, which needs stride 1. Default: 0.
    dilation: Distance between neighbouring positions of a window{each}. Default: 1.
    groups: Parts into which the channels are split; outputs of a part see only its inputs. With groups=in_channels
        each channel is filtered by itself (a depthwise convolution). Default: 1.
    bias: Whether a learned number is added to each output channel. Default: True.
    padding_mode: What stands in the padding: 'zeros', 'reflect' (mirrored without the border), 'replicate' (the border
        itself) or 'circular' (the other end). Default: 'zeros'.
    device, dtype: Where the parameters are and their dtype, which inputs share. Default: None, the default ones.

Shape:
    input: (N, in_channels, {sizes}), or (in_channels, {sizes}) without a batch.
    output: (N, out_channels, {results}), or (out_channels, {results}), where

    {lengths}

Attributes:
    weight: (out_channels, in_channels / groups, {kernel}).
        It starts uniform within ±1/√fan_in, where fan_in is in_channels / groups times the size of the window
        (`init.kaiming_uniform_` with slope √5: He et al., 2015).
    bias: (out_channels), which starts uniform within the same bounds; None with bias=False.

Raises:
    ValueError: `groups` is less than 1 or does not divide in_channels and out_channels; a setting has too few or too
        many numbers; `padding` or `padding_mode` is an unknown word; padding='same' is asked for with a stride above 1.
    ShapeMismatchError: An input has another number of dimensions or channels, or is smaller than the window even with
        its padding.
    DTypeError: An input's dtype is not the weight's.

Example:

{example}
"""

_TRANSPOSED = """Adds a learned window, times each input, to outputs of {n}: a transposed convolution.

The linear map is the transpose of a convolution's with the same settings, hence the gradient of that convolution: it
enlarges what the convolution makes smaller, and is not its inverse. The output starts as bias[k]; then each input adds

    {formula}

for all outputs k of its group and all positions in the window, with the stride s, dilation d and padding p of each
dimension. What falls outside the output is dropped. A convolution with a stride gives one size for several sizes of its
input: `output_padding`, or `output_size` in the call `layer(input, output_size=(…))`, chooses among them.
train() and eval() make no difference.

Args:
    in_channels: Channels of the input, a multiple of `groups`.
    out_channels: Channels of the output, a multiple of `groups`.
    kernel_size: Size of the window{each}.
    stride: Step between the windows of neighbouring inputs{each}. Default: 1.
    padding: Positions cut off at both ends of the output{each}. Default: 0.
    output_padding: Positions added at the end of the output{each}; fewer than
        the stride or the dilation. Default: 0.
    groups: Parts into which the channels are split; outputs of a part see only its inputs. Default: 1.
    bias: Whether a learned number is added to each output channel. Default: True.
    dilation: Distance between neighbouring positions of a window{each}. Default: 1.
    padding_mode: Only 'zeros'. Default: 'zeros'.
    device, dtype: Where the parameters are and their dtype, which inputs share. Default: None, the default ones.

Shape:
    input: (N, in_channels, {sizes}), or (in_channels, {sizes}) without a batch.
    output: (N, out_channels, {results}), or (out_channels, {results}), where

    {lengths}

Attributes:
    weight: (in_channels, out_channels / groups, {kernel}).
        It starts uniform within ±1/√fan_in, where fan_in is out_channels / groups times the size of the window
        (`init.kaiming_uniform_` with slope √5: He et al., 2015).
    bias: (out_channels), which starts uniform within the same bounds; None with bias=False.

Raises:
    ValueError: `groups` is less than 1 or does not divide in_channels and out_channels; a setting has too few or too
        many numbers; `padding_mode` is not 'zeros'; the call asks for an `output_size` that no output_padding gives.
    InvalidArgumentError: In the call, `output_padding` is less than neither the stride nor the dilation.
    ShapeMismatchError: An input has another number of dimensions or channels.
    DTypeError: An input's dtype is not the weight's.

Example:

{example}
"""

_LENGTH = "⌊({0} + 2·padding{1} - dilation{1}·(kernel_size{1} - 1) - 1) / stride{1}⌋ + 1"
_TRANSPOSED_LENGTH = "({0} - 1)·stride{1} - 2·padding{1} + dilation{1}·(kernel_size{1} - 1) + output_padding{1} + 1"


def _described(text: str, length: str, names: str, formula: str, example: str) -> str:
    """The text, for layers whose spatial dimensions have these names."""
    n = len(names)
    indices = [""] if n == 1 else [f"[{i}]" for i in range(n)]
    return text.format(
        n="one spatial dimension" if n == 1 else f"{'two' if n == 2 else 'three'} spatial dimensions",
        formula=formula,
        example=example,
        each="" if n == 1 else ", one number or one per dimension",
        sizes=", ".join(names),
        results=", ".join(f"{name}_out" for name in names),
        kernel=", ".join(f"kernel_size{index}" for index in indices),
        lengths="\n    ".join(f"{a}_out = {length.format(a, i)}" for a, i in zip(names, indices, strict=True)),
    )


class _ConvNd(Module):
    """What the convolutional layers share: settings, with one number per spatial dimension, and parameters."""

    # One number per spatial dimension, or a word.
    padding: Any
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: str | tuple[int, ...],
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        name = self._get_name()
        if groups <= 0:
            raise ValueError(f"{name}: groups must be a positive integer, got {groups}")
        for channels, number in (("in_channels", in_channels), ("out_channels", out_channels)):
            if number % groups:
                raise ValueError(f"{name}: {channels} must be divisible by groups, got {number} and {groups}")
        sizes = (kernel_size, stride, dilation, output_padding, *(() if isinstance(padding, str) else (padding,)))
        if any(len(size) != len(kernel_size) for size in sizes):
            raise ValueError(
                f"{name}: kernel_size, stride, padding, dilation and output_padding must be a number each or one per "
                f"spatial dimension, got {kernel_size}, {stride}, {padding}, {dilation} and {output_padding}"
            )
        if isinstance(padding, str):
            if padding not in ("valid", "same"):
                raise ValueError(f"{name}: Invalid padding string '{padding}', should be one of 'valid', 'same'")
            if padding == "same" and any(step != 1 for step in stride):
                raise ValueError(f"{name}: padding='same' is not supported for strided convolutions")
        if padding_mode not in _MODES:
            raise ValueError(
                "padding_mode must be one of {'reflect', 'replicate', 'circular', 'zeros'}, "
                f"but got padding_mode='{padding_mode}'"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        channels_of_weight = (
            (in_channels, out_channels // groups) if transposed else (out_channels, in_channels // groups)
        )
        self.weight = Parameter(rustorch.empty((*channels_of_weight, *kernel_size), device=device, dtype=dtype))
        self.register_parameter(
            "bias", Parameter(rustorch.empty((out_channels,), device=device, dtype=dtype)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the parameters to fresh initial values, uniform within ±1/√fan_in."""
        initialize_by_fan_in(self.weight, self.bias, self.weight.shape[1] * math.prod(self.kernel_size))

    @property
    def _reversed_padding_repeated_twice(self) -> list[int]:
        """The padding as `F.pad` takes it: the last dimension first, before and after it."""
        if self.padding == "valid":
            return [0] * (2 * len(self.kernel_size))
        if self.padding == "same":
            total = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            return [part for both in reversed(total) for part in (both // 2, both - both // 2)]
        return [both for both in reversed(self.padding) for _ in range(2)]

    def extra_repr(self) -> str:
        ones, zeros = (1,) * len(self.kernel_size), (0,) * len(self.kernel_size)
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}",
            f"padding={self.padding}" if self.padding != zeros else "",
            f"dilation={self.dilation}" if self.dilation != ones else "",
            f"output_padding={self.output_padding}" if self.output_padding != zeros else "",
            f"groups={self.groups}" if self.groups != 1 else "",
            "bias=False" if self.bias is None else "",
            f"padding_mode={self.padding_mode}" if self.padding_mode != "zeros" else "",
        ]
        return ", ".join(part for part in parts if part)


class _Conv(_ConvNd):
    """A convolution of as many spatial dimensions as its class says."""

    _dimensions: ClassVar[int]
    _convolution: ClassVar[Callable[..., Tensor]]

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
        spatial = self._dimensions
        super().__init__(
            in_channels,
            out_channels,
            per_dimension(kernel_size, spatial),
            per_dimension(stride, spatial),
            padding if isinstance(padding, str) else per_dimension(padding, spatial),
            per_dimension(dilation, spatial),
            False,
            (0,) * spatial,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """What the layer makes of `input` with these parameters."""
        if self.padding_mode == "zeros":
            return self._convolution(input, weight, bias, self.stride, self.padding, self.dilation, self.groups)
        padded = F.pad(input, self._reversed_padding_repeated_twice, self.padding_mode)
        return self._convolution(padded, weight, bias, self.stride, 0, self.dilation, self.groups)

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_Conv):
    __doc__ = _described(
        _CONVOLUTION,
        _LENGTH,
        "L",
        "out[n, k, x] = bias[k] + Σ_{c,i} weight[k, c, i] · in[n, c, s·x + d·i - p]",
        ">>> conv = rustorch.nn.Conv1d(16, 33, 3, stride=2)\n"
        ">>> conv(rustorch.ones(20, 16, 50)).shape\n"
        "rustorch.Size([20, 33, 24])",
    )
    _dimensions = 1
    _convolution = staticmethod(F.conv1d)


class Conv2d(_Conv):
    __doc__ = _described(
        _CONVOLUTION,
        _LENGTH,
        "HW",
        "out[n, k, y, x] = bias[k] + Σ_{c,i,j} weight[k, c, i, j] · in[n, c, s·y + d·i - p, s·x + d·j - p]",
        ">>> conv = rustorch.nn.Conv2d(3, 8, kernel_size=3, padding='same')\n"
        ">>> conv(rustorch.ones(4, 3, 32, 32)).shape\n"
        "rustorch.Size([4, 8, 32, 32])\n"
        ">>> uneven = rustorch.nn.Conv2d(16, 32, (3, 5), stride=(2, 1), padding=(4, 2), dilation=(3, 1), groups=4)\n"
        ">>> uneven(rustorch.ones(16, 50, 100)).shape\n"
        "rustorch.Size([32, 26, 100])\n"
        ">>> uneven.weight.shape\n"
        "rustorch.Size([32, 4, 3, 5])",
    )
    _dimensions = 2
    _convolution = staticmethod(F.conv2d)


class Conv3d(_Conv):
    __doc__ = _described(
        _CONVOLUTION,
        _LENGTH,
        "DHW",
        "out[n, k, z, y, x] = bias[k] + Σ_{c,h,i,j} weight[k, c, h, i, j] ·\n"
        "        in[n, c, s·z + d·h - p, s·y + d·i - p, s·x + d·j - p]",
        ">>> conv = rustorch.nn.Conv3d(3, 4, (3, 5, 2), stride=(2, 1, 1), padding=(4, 2, 0))\n"
        ">>> conv(rustorch.ones(2, 3, 10, 12, 9)).shape\n"
        "rustorch.Size([2, 4, 8, 12, 8])",
    )
    _dimensions = 3
    _convolution = staticmethod(F.conv3d)


class _ConvTransposeNd(_ConvNd):
    """A transposed convolution of as many spatial dimensions as its class says."""

    _dimensions: ClassVar[int]
    _convolution: ClassVar[Callable[..., Tensor]]

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
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {self._get_name()}')
        spatial = self._dimensions
        super().__init__(
            in_channels,
            out_channels,
            per_dimension(kernel_size, spatial),
            per_dimension(stride, spatial),
            per_dimension(padding, spatial),
            per_dimension(dilation, spatial),
            True,
            per_dimension(output_padding, spatial),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        extra = self.output_padding if output_size is None else self._output_padding(input, output_size)
        return self._convolution(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )

    def _output_padding(self, input: Tensor, output_size: Sequence[int]) -> list[int]:
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
        settings = zip(input.shape[lead:], self.stride, self.padding, self.dilation, self.kernel_size, strict=True)
        smallest = [
            (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1
            for size, stride, padding, dilation, kernel in settings
        ]
        extra = [size - least for size, least in zip(output_size, smallest, strict=True)]
        if any(not 0 <= more < stride for more, stride in zip(extra, self.stride, strict=True)):
            largest = [least + stride - 1 for least, stride in zip(smallest, self.stride, strict=True)]
            raise ValueError(
                f"requested an output size of {list(output_size)}, but valid sizes range from {smallest} to {largest} "
                f"(for an input of {list(input.shape[lead:])})"
            )
        return extra


class ConvTranspose1d(_ConvTransposeNd):
    __doc__ = _described(
        _TRANSPOSED,
        _TRANSPOSED_LENGTH,
        "L",
        "out[n, k, s·x + d·i - p] += weight[c, k, i] · in[n, c, x]",
        ">>> up = rustorch.nn.ConvTranspose1d(4, 2, 3, stride=2)\n"
        ">>> up(rustorch.ones(1, 4, 5)).shape\n"
        "rustorch.Size([1, 2, 11])",
    )
    _dimensions = 1
    _convolution = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTransposeNd):
    __doc__ = _described(
        _TRANSPOSED,
        _TRANSPOSED_LENGTH,
        "HW",
        "out[n, k, s·y + d·i - p, s·x + d·j - p] += weight[c, k, i, j] · in[n, c, y, x]",
        ">>> down = rustorch.nn.Conv2d(16, 16, 3, stride=2, padding=1)\n"
        ">>> up = rustorch.nn.ConvTranspose2d(16, 16, 3, stride=2, padding=1)\n"
        ">>> small = down(rustorch.ones(1, 16, 12, 12))\n"
        ">>> small.shape, up(small).shape\n"
        "(rustorch.Size([1, 16, 6, 6]), rustorch.Size([1, 16, 11, 11]))\n"
        ">>> up(small, output_size=(12, 12)).shape\n"
        "rustorch.Size([1, 16, 12, 12])",
    )
    _dimensions = 2
    _convolution = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTransposeNd):
    __doc__ = _described(
        _TRANSPOSED,
        _TRANSPOSED_LENGTH,
        "DHW",
        "out[n, k, s·z + d·h - p, s·y + d·i - p, s·x + d·j - p] += weight[c, k, h, i, j] · in[n, c, z, y, x]",
        ">>> up = rustorch.nn.ConvTranspose3d(4, 2, (3, 5, 2), stride=(2, 1, 1), padding=(0, 4, 2))\n"
        ">>> up(rustorch.ones(1, 4, 10, 12, 9)).shape\n"
        "rustorch.Size([1, 2, 21, 8, 6])",
    )
    _dimensions = 3
    _convolution = staticmethod(F.conv_transpose3d)
