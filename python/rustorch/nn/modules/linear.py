"""Linear layers."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import rustorch
from rustorch._C import Tensor
from rustorch.nn import functional as F, init
from rustorch.nn.parameter import Parameter, UninitializedParameter

from .lazy import LazyModuleMixin, described_lazily
from .module import Module

__all__ = ["Bilinear", "Identity", "LazyLinear", "Linear"]


class Identity(Module):
    """Gives back its input, the same tensor: a placeholder where a layer is not wanted.

        out = in

    Args:
        *args: Taken and ignored, so that Identity can stand where another layer's class stood.
        **kwargs: Taken and ignored.

    Shape:
        input: (*), of any dtype.
        output: (*), the input itself.

    Example:

    >>> head = rustorch.nn.Identity(512, 10, bias=False)
    >>> head(rustorch.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Linear(Module):
    """Multiplies by a learned matrix and adds a learned bias: a fully connected, or dense, layer.

        out = in · weightᵀ + bias,    out[…, k] = Σ_c in[…, c] · weight[k, c] + bias[k]

    The last dimension is mapped; all before it are batch dimensions. train() and eval() make no difference.

    Args:
        in_features: Size of the input's last dimension.
        out_features: Size of the output's last dimension.
        bias: Whether a learned number is added to each output feature. Default: True.
        device, dtype: Where the parameters are and their dtype, which inputs share. Default: None, the default ones.

    Shape:
        input: (*, in_features), with any number of dimensions before the last, or none.
        output: (*, out_features).

    Attributes:
        weight: (out_features, in_features). It starts uniform within ±1/√in_features (`init.kaiming_uniform_` with
            slope √5: He et al., 2015).
        bias: (out_features), which starts uniform within the same bounds; None with bias=False.

    Raises:
        ShapeMismatchError: A size is negative; an input's last dimension is not in_features.
        DTypeError: An input's dtype is not the weight's.

    Example:

    >>> layer = rustorch.nn.Linear(20, 30)
    >>> layer(rustorch.ones(128, 20)).shape
    rustorch.Size([128, 30])
    >>> layer(rustorch.ones(20)).shape
    rustorch.Size([30])
    """

    __constants__: ClassVar[list[str]] = ["in_features", "out_features"]

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(rustorch.empty((out_features, in_features), device=device, dtype=dtype))
        self.register_parameter(
            "bias", Parameter(rustorch.empty((out_features,), device=device, dtype=dtype)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the parameters to fresh initial values."""
        initialize_by_fan_in(self.weight, self.bias, self.in_features)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class LazyLinear(LazyModuleMixin, Linear):
    __doc__ = described_lazily(
        Linear,
        "in_features",
        ">>> layer = rustorch.nn.LazyLinear(30)\n"
        ">>> layer.weight\n"
        "<UninitializedParameter>\n"
        ">>> layer(rustorch.ones(128, 20)).shape\n"
        "rustorch.Size([128, 30])\n"
        ">>> layer\n"
        "Linear(in_features=20, out_features=30, bias=True)",
    )
    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, False, device, dtype)
        self.out_features = out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.bias = UninitializedParameter(device=device, dtype=dtype) if bias else None

    def reset_parameters(self) -> None:
        """Sets the parameters to fresh initial values, where they have shapes."""
        if not self.has_uninitialized_params() and self.in_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Materializes the parameters for as many features as the input has."""
        features = input.shape[-1]
        if self.has_uninitialized_params():
            self.in_features = features
            for parameter, shape in ((self.weight, (self.out_features, features)), (self.bias, (self.out_features,))):
                if isinstance(parameter, UninitializedParameter):
                    parameter.materialize(shape)
            self.reset_parameters()
        elif self.in_features == 0:
            # A state that was loaded gave the shapes.
            self.in_features = self.weight.shape[-1]


def initialize_by_fan_in(weight: Tensor, bias: Tensor | None, fan_in: int) -> None:
    """PyTorch's initial values of linear and convolutional layers.

    The weight's are those of `kaiming_uniform_` with slope √5, which is uniform within ±1/√fan_in; so are the bias's.
    """
    init.kaiming_uniform_(weight, a=math.sqrt(5))
    if bias is not None:
        bound = fan_in**-0.5 if fan_in > 0 else 0.0
        init.uniform_(bias, -bound, bound)


class Bilinear(Module):
    """Joins two inputs by a learned bilinear form for each output feature.

        out[…, k] = Σ_i Σ_j in1[…, i] · weight[k, i, j] · in2[…, j] + bias[k]

    train() and eval() make no difference.

    Args:
        in1_features: Size of the first input's last dimension, at least 1.
        in2_features: Size of the second input's last dimension.
        out_features: Size of the output's last dimension.
        bias: Whether a learned number is added to each output feature. Default: True.
        device, dtype: Where the parameters are and their dtype, which inputs share. Default: None, the default ones.

    Shape:
        input1: (*, in1_features).
        input2: (*, in2_features), with the same dimensions before the last.
        output: (*, out_features).

    Attributes:
        weight: (out_features, in1_features, in2_features), which starts uniform within ±1/√in1_features.
        bias: (out_features), which starts uniform within the same bounds; None with bias=False.

    Raises:
        ValueError: in1_features is less than 1.
        ShapeMismatchError: The inputs' last dimensions are not those sizes, or the others differ.
        DTypeError: The inputs' dtypes are not the weight's.

    Example:

    >>> pair = rustorch.nn.Bilinear(20, 30, 40)
    >>> pair(rustorch.ones(128, 20), rustorch.ones(128, 30)).shape
    rustorch.Size([128, 40])
    """

    __constants__: ClassVar[list[str]] = ["in1_features", "in2_features", "out_features"]

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got {in1_features}")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        sizes = (out_features, in1_features, in2_features)
        self.weight = Parameter(rustorch.empty(sizes, device=device, dtype=dtype))
        self.register_parameter(
            "bias", Parameter(rustorch.empty((out_features,), device=device, dtype=dtype)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the parameters to fresh initial values."""
        bound = self.in1_features**-0.5
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        for name, input, size in (("input1", input1, self.in1_features), ("input2", input2, self.in2_features)):
            if input.ndim == 0 or input.shape[-1] != size:
                raise rustorch.ShapeMismatchError(
                    f"Bilinear: {name} must have shape (*, {size}), as in{name[-1]}_features is {size}, got "
                    f"{list(input.shape)}"
                )
        if input1.shape[:-1] != input2.shape[:-1]:
            raise rustorch.ShapeMismatchError(
                "Bilinear: the inputs must have the same dimensions before the last, got "
                f"{list(input1.shape)} and {list(input2.shape)}"
            )
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )
