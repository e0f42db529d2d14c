"""Activation functions in pieces: rectifiers, thresholds and limits."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import rustorch
from rustorch._C import Tensor
from rustorch.nn import functional as F
from rustorch.nn.parameter import Parameter

from .module import Module

__all__ = [
    "CELU",
    "ELU",
    "SELU",
    "Hardshrink",
    "Hardtanh",
    "LeakyReLU",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "Softshrink",
    "Threshold",
]


class _Activation(Module):
    """An activation function that can work in place."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def _options_repr(self) -> str:
        return ""

    def extra_repr(self) -> str:
        return ", ".join(part for part in (self._options_repr(), "inplace=True" if self.inplace else "") if part)


class ReLU(_Activation):
    """Sets negative numbers to 0: the rectified linear unit.

        out = max(in, 0)

    The gradient at 0 is 0. NaN stays NaN. Source: Nair and Hinton, 2010.

    Args:
        inplace: Whether the input itself is changed and given back. Default: False.

    Shape:
        input: (*), any shape.
        output: the same.

    Example:

    >>> layer = rustorch.nn.ReLU()
    >>> layer(rustorch.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """

    __constants__: ClassVar[list[str]] = ["inplace"]

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input, self.inplace)


class LeakyReLU(_Activation):
    """Makes negative numbers small: a rectifier that does not lose its gradient there.

        out = in where in > 0,  negative_slope · in elsewhere

    Source: Maas, Hannun and Ng, 2013.

    Args:
        negative_slope: Factor of negative numbers. Default: 0.01.
        inplace: Whether the input itself is changed and given back. Default: False.

    Shape:
        input: (*), any shape.
        output: the same.

    Example:

    >>> layer = rustorch.nn.LeakyReLU(0.1)
    >>> layer(rustorch.tensor([-2.0, 0.0, 3.0]))
    tensor([-0.2000,  0.0000,  3.0000])
    """

    __constants__: ClassVar[list[str]] = ["inplace", "negative_slope"]

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def _options_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class PReLU(Module):
    """Multiplies negative numbers by a learned slope.

        out = in where in > 0,  weight · in elsewhere

    The slope is one for all, or one for each channel, which is dimension 1 (or the only channel of an input of 0 or 1
    dimensions). Weight decay would pull the slope to 0 and so make it a ReLU. Source: He et al., 2015.

    Args:
        num_parameters: 1 for one slope, or the number of channels. Default: 1.
        init: The slopes at first. Default: 0.25.
        device, dtype: Where the slopes are and their dtype, which inputs share. Default: None, the default ones.

    Shape:
        input: (N, C, *), or any shape with num_parameters=1.
        output: the same.

    Attributes:
        weight: (num_parameters), filled with `init` at first.

    Raises:
        ShapeMismatchError: num_parameters is neither 1 nor the number of the input's channels.
        DTypeError: An input's dtype is not the weight's.

    Example:

    >>> layer = rustorch.nn.PReLU()
    >>> layer(rustorch.tensor([-2.0, 0.0, 3.0])).tolist()
    [-0.5, 0.0, 3.0]
    >>> rustorch.nn.PReLU(16)(rustorch.ones(20, 16, 8)).shape
    rustorch.Size([20, 16, 8])
    """

    __constants__: ClassVar[list[str]] = ["num_parameters"]

    weight: Parameter

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(rustorch.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the weight to its initial value."""
        with rustorch.no_grad():
            self.weight.fill_(self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(_Activation):
    """Multiplies negative numbers by a slope that is random in training.

        train():  out = in where in > 0,  a · in elsewhere, with a uniform in [lower, upper] for each element
        eval():   out = in where in > 0,  (lower + upper) / 2 · in elsewhere

    Source: Xu et al., 2015.

    Args:
        lower: Least slope. Default: 1/8.
        upper: Greatest slope. Default: 1/3.
        inplace: Whether the input itself is changed and given back. Default: False.

    Shape:
        input: (*), any shape.
        output: the same.

    Raises:
        InvalidArgumentError: In the call, lower is greater than upper, or one of them is not finite.

    Example:

    >>> layer = rustorch.nn.RReLU(0.1, 0.3)
    >>> layer(rustorch.ones(2, 3)).shape
    rustorch.Size([2, 3])
    >>> layer.eval()(rustorch.tensor([-5.0, 0.0, 3.0]))
    tensor([-1.,  0.,  3.])
    """

    __constants__: ClassVar[list[str]] = ["lower", "upper", "inplace"]

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower = lower
        self.upper = upper

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def _options_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}"


class ELU(_Activation):
    """Bends negative numbers smoothly towards -alpha: the exponential linear unit.

        out = in where in > 0,  alpha · (exp(in) - 1) elsewhere

    Source: Clevert, Unterthiner and Hochreiter, 2015.

    Args:
        alpha: The negated limit at -∞. Default: 1.0.
        inplace: Whether the input itself is changed and given back. Default: False.

    Shape:
        input: (*), any shape.
        output: the same.

    Example:

    >>> layer = rustorch.nn.ELU()
    >>> layer(rustorch.tensor([-1.0, 0.0, 2.0]))
    tensor([-0.6321,  0.0000,  2.0000])
    """

    __constants__: ClassVar[list[str]] = ["alpha", "inplace"]

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, self.inplace)

    def _options_repr(self) -> str:
        return f"alpha={self.alpha}"


class CELU(_Activation):
    """Bends negative numbers towards -alpha with slope 1 at 0, whatever alpha is.

        out = in where in > 0,  alpha · (exp(in / alpha) - 1) elsewhere

    With alpha=1 it is ELU. Source: Barron, 2017.

    Args:
        alpha: The negated limit at -∞. Default: 1.0.
        inplace: Whether the input itself is changed and given back. Default: False.

    Shape:
        input: (*), any shape.
        output: the same.

    Example:

    >>> layer = rustorch.nn.CELU(alpha=2.0)
    >>> layer(rustorch.tensor([-1.0, 0.0, 2.0]))
    tensor([-0.7869,  0.0000,  2.0000])
    """

    __constants__: ClassVar[list[str]] = ["alpha", "inplace"]

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, self.inplace)

    def _options_repr(self) -> str:
        return f"alpha={self.alpha}"


class SELU(_Activation):
    """A scaled ELU, under which activations come to mean 0 and variance 1 by themselves.

        out = scale · (in where in > 0,  alpha · (exp(in) - 1) elsewhere)

    with scale = 1.0507009873554805 and alpha = 1.6732632423543772. This takes weights that start normal with variance
    1 / fan_in (`init.kaiming_normal_` with nonlinearity='linear') and AlphaDropout instead of Dropout. Source:
    Klambauer et al., 2017.

    Args:
        inplace: Whether the input itself is changed and given back. Default: False.

    Shape:
        input: (*), any shape.
        output: the same.

    Example:

    >>> layer = rustorch.nn.SELU()
    >>> layer(rustorch.tensor([-1.0, 0.0, 2.0]))
    tensor([-1.1113,  0.0000,  2.1014])
    """

    __constants__: ClassVar[list[str]] = ["inplace"]

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, self.inplace)


class Threshold(_Activation):
    """Replaces numbers that are not above a threshold.

        out = in where in > threshold,  value elsewhere

    NaN stays NaN.

    Args:
        threshold: What a number must be above to stay.
        value: What stands in place of the others.
        inplace: Whether the input itself is changed and given back. Default: False.

    Shape:
        input: (*), any shape.
        output: the same.

    Example:

    >>> layer = rustorch.nn.Threshold(0.5, -1.0)
    >>> layer(rustorch.tensor([0.25, 0.5, 0.75]))
    tensor([-1.0000, -1.0000,  0.7500])
    """

    __constants__: ClassVar[list[str]] = ["threshold", "value", "inplace"]

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def _options_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}"


class Hardtanh(_Activation):
    """Limits numbers to a range.

        out = min(max(in, min_val), max_val)

    The gradient is 0 at and outside both ends.

    Args:
        min_val: Lower end of the range. Default: -1.0.
        max_val: Upper end of the range, above min_val. Default: 1.0.
        inplace: Whether the input itself is changed and given back. Default: False.
        min_value, max_value: The ends under the names that they had before, of which it warns. Default: None.

    Shape:
        input: (*), any shape.
        output: the same.

    Raises:
        ValueError: max_val is not above min_val.

    Example:

    >>> layer = rustorch.nn.Hardtanh()
    >>> layer(rustorch.tensor([-2.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """

    __constants__: ClassVar[list[str]] = ["min_val", "max_val", "inplace"]

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__(inplace)
        for former, name, value in (("min_value", "min_val", min_value), ("max_value", "max_val", max_value)):
            if value is not None:
                warnings.warn(
                    f"keyword argument `{former}` is deprecated and renamed to `{name}`", FutureWarning, stacklevel=2
                )
        min_val = min_val if min_value is None else min_value
        max_val = max_val if max_value is None else max_value
        if min_val >= max_val:
            raise ValueError(f"max_val must be larger than min_val, but got min_val={min_val} and max_val={max_val}")
        self.min_val = min_val
        self.max_val = max_val

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def _options_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}"


class ReLU6(Hardtanh):
    """Limits numbers to [0, 6].

        out = min(max(in, 0), 6)

    The gradient is 0 at and outside both ends. Source: Krizhevsky, 2010.

    Args:
        inplace: Whether the input itself is changed and given back. Default: False.

    Shape:
        input: (*), any shape.
        output: the same.

    Example:

    >>> layer = rustorch.nn.ReLU6()
    >>> layer(rustorch.tensor([-1.0, 3.0, 8.0]))
    tensor([0., 3., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def forward(self, input: Tensor) -> Tensor:
        return F.relu6(input, self.inplace)

    def _options_repr(self) -> str:
        return ""


class Hardshrink(Module):
    """Sets numbers near 0 to 0.

        out = 0 where |in| ≤ lambd,  in elsewhere

    Args:
        lambd: Half the width of what becomes 0. Default: 0.5.

    Shape:
        input: (*), any shape.
        output: the same.

    Example:

    >>> layer = rustorch.nn.Hardshrink()
    >>> layer(rustorch.tensor([-1.0, 0.25, 0.5, 2.0]))
    tensor([-1.,  0.,  0.,  2.])
    """

    __constants__: ClassVar[list[str]] = ["lambd"]

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Softshrink(Module):
    """Moves numbers towards 0, and those near it to it.

        out = in - lambd where in > lambd,  in + lambd where in < -lambd,  0 elsewhere

    It is the step of soft thresholding by which sparse regression is solved.

    Args:
        lambd: How far numbers are moved, at least 0. Default: 0.5.

    Shape:
        input: (*), any shape.
        output: the same.

    Raises:
        InvalidArgumentError: In the call, lambd is negative.

    Example:

    >>> layer = rustorch.nn.Softshrink()
    >>> layer(rustorch.tensor([-1.0, 0.25, 0.5, 2.0]))
    tensor([-0.5000,  0.0000,  0.0000,  1.5000])
    """

    __constants__: ClassVar[list[str]] = ["lambd"]

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)
