"""Normalisation of each sample by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rustorch._C import Layer, Tensor
from rustorch.nn import functional as F
from rustorch.nn.parameter import Parameter

from ._parameterized import ParameterizedModule
from ._sizes import per_dimension
from .module import Module

__all__ = ["GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


class LayerNorm(ParameterizedModule):
    """Normalises the trailing dimensions, whose sizes are `normalized_shape`; weight and bias have that shape."""

    _settings = frozenset(("normalized_shape", "eps", "elementwise_affine"))
    weight: Parameter | None
    bias: Parameter | None

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
        self.normalized_shape = per_dimension(normalized_shape, 1)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._with_bias = bool(bias)
        self._build(device, dtype)

    def _make_layer(self) -> Layer:
        return Layer.layer_norm(self.normalized_shape, self.eps, self.elementwise_affine, self._with_bias)

    def forward(self, input: Tensor) -> Tensor:
        return self._layer.forward(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(ParameterizedModule):
    """Divides the trailing dimensions, whose sizes are `normalized_shape`, by their root mean square."""

    _settings = frozenset(("normalized_shape", "eps", "elementwise_affine"))
    _names = ("weight",)
    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = per_dimension(normalized_shape, 1)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._build(device, dtype)

    def _make_layer(self) -> Layer:
        return Layer.rms_norm(self.normalized_shape, self.eps, self.elementwise_affine)

    def forward(self, input: Tensor) -> Tensor:
        return self._layer.forward(input, self.weight)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LocalResponseNorm(Module):
    """Divides each element by a power of the mean square of `size` neighbouring channels."""

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


class GroupNorm(ParameterizedModule):
    """Normalises `num_groups` groups of the channels of (N, num_channels, *); weight and bias are per channel."""

    _settings = frozenset(("num_groups", "num_channels", "eps", "affine"))
    weight: Parameter | None
    bias: Parameter | None

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
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._with_bias = bool(bias)
        self._build(device, dtype)

    def _make_layer(self) -> Layer:
        return Layer.group_norm(self.num_groups, self.num_channels, self.eps, self.affine, self._with_bias)

    def forward(self, input: Tensor) -> Tensor:
        return self._layer.forward(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )
