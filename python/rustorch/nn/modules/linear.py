"""Linear layers."""

from __future__ import annotations

from typing import Any

from rustorch._C import Layer, Tensor
from rustorch.nn.parameter import Parameter

from ._parameterized import ParameterizedModule
from .module import Module

__all__ = ["Identity", "Linear"]


class Identity(Module):
    """Gives back its input; takes any arguments and ignores them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Linear(ParameterizedModule):
    """`input @ weight.T + bias`: (…, in_features) to (…, out_features).

    Weight (out_features, in_features) and bias (out_features) start uniform within ±1/√in_features.
    """

    _settings = frozenset(("in_features", "out_features"))
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self._with_bias = bool(bias)
        self._build(device, dtype)

    def _make_layer(self) -> Layer:
        return Layer.linear(self.in_features, self.out_features, self._with_bias)

    def forward(self, input: Tensor) -> Tensor:
        return self._layer.forward(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
