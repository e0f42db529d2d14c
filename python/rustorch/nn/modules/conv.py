"""Convolutional layers: one implementation for one, two and three spatial dimensions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import rustorch
from rustorch._C import Tensor
from rustorch.nn import functional as F
from rustorch.nn.parameter import Parameter, UninitializedParameter

from ._convolution_texts import CONVOLUTION, LENGTH, TRANSPOSED, TRANSPOSED_LENGTH, described
from ._sizes import per_dimension
from .lazy import LazyModuleMixin, described_lazily
from .linear import initialize_by_fan_in
from .module import Module

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
]

Size = int | Sequence[int]
_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What the convolutional layers share: settings, with one number per spatial dimension, and parameters."""

    __constants__: ClassVar[list[str]] = [
        "stride",
        "padding",
        "dilation",
        "groups",
        "padding_mode",
        "output_padding",
        "in_channels",
        "out_channels",
        "kernel_size",
    ]

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
    __doc__ = described(
        CONVOLUTION,
        LENGTH,
        "L",
        "out[n, k, x] = bias[k] + Σ_{c,i} weight[k, c, i] · in[n, c, s·x + d·i - p]",
        ">>> conv = rustorch.nn.Conv1d(16, 33, 3, stride=2)\n"
        ">>> conv(rustorch.ones(20, 16, 50)).shape\n"
        "rustorch.Size([20, 33, 24])",
    )
    _dimensions = 1
    _convolution = staticmethod(F.conv1d)


class Conv2d(_Conv):
    __doc__ = described(
        CONVOLUTION,
        LENGTH,
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
    __doc__ = described(
        CONVOLUTION,
        LENGTH,
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
    __doc__ = described(
        TRANSPOSED,
        TRANSPOSED_LENGTH,
        "L",
        "out[n, k, s·x + d·i - p] += weight[c, k, i] · in[n, c, x]",
        ">>> up = rustorch.nn.ConvTranspose1d(4, 2, 3, stride=2)\n"
        ">>> up(rustorch.ones(1, 4, 5)).shape\n"
        "rustorch.Size([1, 2, 11])",
    )
    _dimensions = 1
    _convolution = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTransposeNd):
    __doc__ = described(
        TRANSPOSED,
        TRANSPOSED_LENGTH,
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
    __doc__ = described(
        TRANSPOSED,
        TRANSPOSED_LENGTH,
        "DHW",
        "out[n, k, s·z + d·h - p, s·y + d·i - p, s·x + d·j - p] += weight[c, k, h, i, j] · in[n, c, z, y, x]",
        ">>> up = rustorch.nn.ConvTranspose3d(4, 2, (3, 5, 2), stride=(2, 1, 1), padding=(0, 4, 2))\n"
        ">>> up(rustorch.ones(1, 4, 10, 12, 9)).shape\n"
        "rustorch.Size([1, 2, 21, 8, 6])",
    )
    _dimensions = 3
    _convolution = staticmethod(F.conv_transpose3d)


class _LazyConvXdMixin(LazyModuleMixin):
    """What lazy convolutional layers share: the number of input channels is that of the first input."""

    in_channels: int
    out_channels: int
    groups: int
    transposed: bool
    kernel_size: tuple[int, ...]
    weight: Parameter
    bias: Parameter | None

    def _become_lazy(self, bias: bool, device: Any, dtype: Any) -> None:
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.bias = UninitializedParameter(device=device, dtype=dtype) if bias else None

    def reset_parameters(self) -> None:
        """Sets the parameters to fresh initial values, where they have shapes."""
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Materializes the parameters for as many channels as the input has."""
        if not self.has_uninitialized_params():
            return
        spatial = len(self.kernel_size)
        if input.ndim not in (spatial + 1, spatial + 2):
            raise RuntimeError(
                f"Expected {spatial + 1}D (unbatched) or {spatial + 2}D (batched) input to {type(self).__name__}, "
                f"but got input of size: {input.shape}"
            )
        channels = input.shape[-spatial - 1]
        if channels % self.groups:
            raise ValueError(f"in_channels must be divisible by groups, got {channels} and {self.groups}")
        self.in_channels = channels
        ends = (self.out_channels, channels)
        outer, inner = ends[::-1] if self.transposed else ends
        for parameter, shape in (
            (self.weight, (outer, inner // self.groups, *self.kernel_size)),
            (self.bias, (self.out_channels,)),
        ):
            if isinstance(parameter, UninitializedParameter):
                parameter.materialize(shape)
        self.reset_parameters()


class _LazyConv(_LazyConvXdMixin, _Conv):
    """A convolution whose input channels are counted in the first call."""

    def __init__(
        self,
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
        settings = (kernel_size, stride, padding, dilation, groups, False, padding_mode, device, dtype)
        super().__init__(0, out_channels, *settings)
        self._become_lazy(bias, device, dtype)


class _LazyConvTranspose(_LazyConvXdMixin, _ConvTransposeNd):
    """A transposed convolution whose input channels are counted in the first call."""

    def __init__(
        self,
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
        settings = (kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode, device, dtype)
        super().__init__(0, out_channels, *settings)
        self._become_lazy(bias, device, dtype)


def _described_lazily(layer: type[_Conv | _ConvTransposeNd], size: int) -> str:
    """The docstring of a layer's lazy form, which gives outputs of a size for inputs of size 7."""
    name, n = layer.__name__, layer._dimensions
    example = (
        f">>> layer = rustorch.nn.Lazy{name}(4, kernel_size=3)\n"
        f">>> layer(rustorch.ones(2, 3{', 7' * n})).shape\n"
        f"rustorch.Size([2, 4{f', {size}' * n}])\n"
        ">>> layer\n"
        f"{name}(3, 4, kernel_size={(3,) * n}, stride={(1,) * n})"
    )
    return described_lazily(layer, "in_channels", example)


class LazyConv1d(_LazyConv, Conv1d):
    __doc__ = _described_lazily(Conv1d, 5)
    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    __doc__ = _described_lazily(Conv2d, 5)
    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    __doc__ = _described_lazily(Conv3d, 5)
    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    __doc__ = _described_lazily(ConvTranspose1d, 9)
    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    __doc__ = _described_lazily(ConvTranspose2d, 9)
    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    __doc__ = _described_lazily(ConvTranspose3d, 9)
    cls_to_become = ConvTranspose3d
