"""Normalisation of each sample by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import rustorch
from rustorch._C import Tensor
from rustorch.nn import functional as F, init
from rustorch.nn.parameter import Parameter

from .module import Module

__all__ = ["GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


def _sizes(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)


class _Normalization(Module):
    """What the normalisations of a sample by itself share: a factor that starts at 1 and a summand that starts at 0."""

    weight: Parameter | None
    bias: Parameter | None

    def _register(self, sizes: tuple[int, ...], names: dict[str, bool], device: Any, dtype: Any) -> None:
        """Registers fresh parameters of those names; None for those that the layer goes without."""
        for name, present in names.items():
            tensor = rustorch.empty(sizes, device=device, dtype=dtype) if present else None
            self.register_parameter(name, None if tensor is None else Parameter(tensor))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the parameters to their initial values."""
        for name, value in (("weight", 1.0), ("bias", 0.0)):
            parameter = self._parameters.get(name)
            if parameter is not None:
                init.constant_(parameter, value)


class LayerNorm(_Normalization):
    """Normalises each sample over its trailing dimensions (J. L. Ba et al., 2016).

    `y = (x - mean) / √(var + eps) · weight + bias`: mean and biased variance are over the trailing dimensions, whose
    sizes are `normalized_shape`. The same in train() and eval().

    Args:
        normalized_shape: the sizes of the trailing dimensions; an integer is one dimension.
        eps: added to the variance. Default: 1e-5.
        elementwise_affine: whether there are a weight and a bias. Default: True.
        bias: whether there is a bias; without elementwise_affine there is none. Default: True.
        device, dtype: where the parameters are and of which dtype; None is the default. Default: None.

    Shape:
        input (*, *normalized_shape), output of the same shape.

    Attributes:
        weight: (*normalized_shape), starts at 1; None without elementwise_affine.
        bias: (*normalized_shape), starts at 0; None without elementwise_affine or bias.

    Raises:
        ValueError: in forward, where the trailing sizes are others.

    Example:

    >>> norm = rustorch.nn.LayerNorm(2)
    >>> norm(rustorch.tensor([[1.0, 3.0], [2.0, 2.0]])).detach()
    tensor([[-1.0000,  1.0000],
            [ 0.0000,  0.0000]])
    """

    __constants__: ClassVar[list[str]] = ["normalized_shape", "eps", "elementwise_affine"]

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _sizes(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._register(
            self.normalized_shape, {"weight": elementwise_affine, "bias": elementwise_affine and bias}, device, dtype
        )

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(_Normalization):
    """Divides each sample by its root mean square over the trailing dimensions (B. Zhang and R. Sennrich, 2019).

    `y = x / √(mean(x²) + eps) · weight`: the mean is over the trailing dimensions, whose sizes are `normalized_shape`.
    The same in train() and eval().

    Args:
        normalized_shape: the sizes of the trailing dimensions; an integer is one dimension.
        eps: added to the mean square; None is the machine epsilon of float32, of float64 for float64. Default: None.
        elementwise_affine: whether there is a weight. Default: True.
        device, dtype: where the weight is and of which dtype; None is the default. Default: None.

    Shape:
        input (*, *normalized_shape), output of the same shape.

    Attributes:
        weight: (*normalized_shape), starts at 1; None without elementwise_affine.

    Raises:
        ValueError: in forward, where the trailing sizes are others.

    Example:

    >>> norm = rustorch.nn.RMSNorm(2)
    >>> norm(rustorch.tensor([1.0, 7.0])).detach()
    tensor([0.2000, 1.4000])
    """

    __constants__: ClassVar[list[str]] = ["normalized_shape", "eps", "elementwise_affine"]

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _sizes(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._register(self.normalized_shape, {"weight": elementwise_affine}, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LocalResponseNorm(Module):
    """Divides each element by a power of the mean square of neighbouring channels (A. Krizhevsky et al., 2012).

    `y[c] = x[c] / (k + alpha / size · Σ_j x[j]²)^beta` with j over `size` channels from c - ⌊size / 2⌋; channels
    outside the input count as 0. It has no parameters.

    Args:
        size: how many channels the sum takes.
        alpha: the factor of the mean square. Default: 1e-4.
        beta: the exponent. Default: 0.75.
        k: the summand. Default: 1.0.

    Shape:
        input (N, C, *) of at least 3 dimensions, output of the same shape.

    Raises:
        ValueError: in forward, for fewer than 3 dimensions.

    Example:

    >>> norm = rustorch.nn.LocalResponseNorm(1, alpha=0.75, beta=0.5)
    >>> norm(rustorch.tensor([[[2.0]]]))
    tensor([[[1.]]])
    """

    __constants__: ClassVar[list[str]] = ["size", "alpha", "beta", "k"]

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class GroupNorm(_Normalization):
    """Normalises each sample over groups of its channels (Y. Wu and K. He, 2018).

    `y = (x - mean) / √(var + eps) · weight + bias`: mean and biased variance are those of num_channels / num_groups
    neighbouring channels and all positions. One group normalises over all channels; as many groups as channels is
    InstanceNorm. The same in train() and eval().

    Args:
        num_groups: how many groups; it divides num_channels.
        num_channels: C, the number of channels.
        eps: added to the variance. Default: 1e-5.
        affine: whether there are a weight and a bias per channel. Default: True.
        device, dtype: where the parameters are and of which dtype; None is the default. Default: None.
        bias: whether there is a bias; without affine there is none. Default: True.

    Shape:
        input (N, num_channels, *), output of the same shape.

    Attributes:
        weight: (num_channels), starts at 1; None without affine.
        bias: (num_channels), starts at 0; None without affine or bias.

    Raises:
        ValueError: where num_groups does not divide num_channels; in forward, where the input has other channels.

    Example:

    >>> norm = rustorch.nn.GroupNorm(3, 6)
    >>> norm(rustorch.ones(20, 6, 10, 10)).shape
    rustorch.Size([20, 6, 10, 10])
    """

    __constants__: ClassVar[list[str]] = ["num_groups", "num_channels", "eps", "affine"]

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_groups <= 0 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: num_channels must be divisible by num_groups, got {num_channels} and {num_groups}"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._register((num_channels,), {"weight": affine, "bias": affine and bias}, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )
