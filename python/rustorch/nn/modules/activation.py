"""Activation functions. The rectifiers and thresholds among them have a file of their own."""

from __future__ import annotations

from typing import ClassVar

from rustorch._C import Tensor
from rustorch.nn import functional as F

from . import attention, softmax
from .attention import *
from .module import Module
from .rectifier import (
    CELU,
    ELU,
    SELU,
    Hardshrink,
    Hardtanh,
    LeakyReLU,
    PReLU,
    ReLU,
    ReLU6,
    RReLU,
    Softshrink,
    Threshold,
    _Activation,
)
from .softmax import *

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
    *attention.__all__,
    *softmax.__all__,
]

# PyTorch has all activation functions in this module, by whose name pickles find them.
for _rectifier in (ELU, CELU, SELU, Hardshrink, Hardtanh, LeakyReLU, PReLU, RReLU, ReLU, ReLU6, Softshrink, Threshold):
    _rectifier.__module__ = __name__
for _name in (*attention.__all__, *softmax.__all__):
    globals()[_name].__module__ = __name__


class Sigmoid(Module):
    """Maps numbers to (0, 1): the logistic function.

        out = 1 / (1 + exp(-in))

    Integers give the default floating-point dtype. For a loss use BCEWithLogitsLoss on the inputs, which is more exact.

    Shape:
        input: (*), any shape.
        output: the same.

    Example:

    >>> layer = rustorch.nn.Sigmoid()
    >>> layer(rustorch.tensor([-2.0, 0.0, 2.0]))
    tensor([0.1192, 0.5000, 0.8808])
    """

    def forward(self, input: Tensor) -> Tensor:
        return input.sigmoid()


class LogSigmoid(Module):
    """The logarithm of the logistic function.

        out = log(1 / (1 + exp(-in))) = -log(1 + exp(-in))

    It is computed as a whole: far below 0 it is close to its input, where the logarithm of a sigmoid would be -inf.

    Shape:
        input: (*), any shape.
        output: the same.

    Example:

    >>> layer = rustorch.nn.LogSigmoid()
    >>> layer(rustorch.tensor([-30.0, 0.0, 2.0]))
    tensor([-30.0000,  -0.6931,  -0.1269])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)


class Hardsigmoid(_Activation):
    """A sigmoid of three straight pieces.

        out = min(max(in + 3, 0), 6) / 6

    The gradient is 0 at and outside -3 and 3. Source: Courbariaux, Bengio and David, 2015.

    Args:
        inplace: Whether the input itself is changed and given back. Default: False.

    Shape:
        input: (*), any shape.
        output: the same.

    Example:

    >>> layer = rustorch.nn.Hardsigmoid()
    >>> layer(rustorch.tensor([-4.0, 0.0, 1.5, 4.0]))
    tensor([0.0000, 0.5000, 0.7500, 1.0000])
    """

    __constants__: ClassVar[list[str]] = ["inplace"]

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class SiLU(_Activation):
    """Multiplies numbers by their sigmoid: also called swish.

        out = in · sigmoid(in) = in / (1 + exp(-in))

    Source: Elfwing, Uchibe and Doya, 2017; Ramachandran, Zoph and Le, 2017.

    Args:
        inplace: Whether the input itself is changed and given back. Default: False.

    Shape:
        input: (*), any shape.
        output: the same.

    Example:

    >>> layer = rustorch.nn.SiLU()
    >>> layer(rustorch.tensor([-1.0, 0.0, 2.0]))
    tensor([-0.2689,  0.0000,  1.7616])
    """

    __constants__: ClassVar[list[str]] = ["inplace"]

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, self.inplace)


class Hardswish(_Activation):
    """Multiplies numbers by their Hardsigmoid: a cheap SiLU.

        out = in · min(max(in + 3, 0), 6) / 6

    Source: Howard et al., 2019.

    Args:
        inplace: Whether the input itself is changed and given back. Default: False.

    Shape:
        input: (*), any shape.
        output: the same.

    Example:

    >>> layer = rustorch.nn.Hardswish()
    >>> layer(rustorch.tensor([-1.5, 0.0, 4.0]))
    tensor([-0.3750,  0.0000,  4.0000])
    """

    __constants__: ClassVar[list[str]] = ["inplace"]

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Mish(_Activation):
    """Multiplies numbers by the tanh of their softplus.

        out = in · tanh(log(1 + exp(in)))

    Source: Misra, 2019.

    Args:
        inplace: Whether the input itself is changed and given back. Default: False.

    Shape:
        input: (*), any shape.
        output: the same.

    Example:

    >>> layer = rustorch.nn.Mish()
    >>> layer(rustorch.tensor([-1.0, 0.0, 2.0]))
    tensor([-0.3034,  0.0000,  1.9440])
    """

    __constants__: ClassVar[list[str]] = ["inplace"]

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input, self.inplace)


class GELU(Module):
    """Multiplies numbers by the share of a normal distribution that lies below them.

        none:  out = in · Φ(in) = in / 2 · (1 + erf(in / √2))
        tanh:  out = in / 2 · (1 + tanh(√(2/π) · (in + 0.044715 · in³)))

    Source: Hendrycks and Gimpel, 2016.

    Args:
        approximate: 'none' for the function itself or 'tanh' for the formula that is close to it. Default: 'none'.

    Shape:
        input: (*), any shape.
        output: the same.

    Raises:
        InvalidArgumentError: In the call, `approximate` is another word.

    Example:

    >>> layer = rustorch.nn.GELU()
    >>> layer(rustorch.tensor([-1.0, 0.0, 2.0]))
    tensor([-0.1587,  0.0000,  1.9545])
    >>> rustorch.nn.GELU('tanh')(rustorch.tensor([-1.0, 0.0, 2.0]))
    tensor([-0.1588,  0.0000,  1.9546])
    """

    __constants__: ClassVar[list[str]] = ["approximate"]

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class GLU(Module):
    """Multiplies one half of the features by the sigmoid of the other: the gated linear unit.

        out = a · sigmoid(b), with a the first half of the input along `dim` and b the second

    Source: Dauphin et al., 2016.

    Args:
        dim: The dimension to halve. Default: -1.

    Shape:
        input: (*, 2·C, *), with 2·C at `dim`.
        output: (*, C, *).

    Raises:
        ShapeMismatchError: The size of that dimension is odd.
        IndexOutOfRangeError: The input has no such dimension.

    Example:

    >>> layer = rustorch.nn.GLU()
    >>> layer(rustorch.tensor([[1.0, 2.0, 0.0, 0.0]]))
    tensor([[0.5000, 1.0000]])
    """

    __constants__: ClassVar[list[str]] = ["dim"]

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softplus(Module):
    """A smooth ReLU, which is always positive.

        out = log(1 + exp(beta · in)) / beta

    Where beta · in is above `threshold`, out = in, which is less by no more than exp(-threshold) / beta.

    Args:
        beta: How sharp the bend at 0 is. Default: 1.0.
        threshold: Where the straight line begins. Default: 20.0.

    Shape:
        input: (*), any shape.
        output: the same.

    Example:

    >>> layer = rustorch.nn.Softplus()
    >>> layer(rustorch.tensor([-2.0, 0.0, 30.0]))
    tensor([ 0.1269,  0.6931, 30.0000])
    """

    __constants__: ClassVar[list[str]] = ["beta", "threshold"]

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Tanh(Module):
    """Maps numbers to (-1, 1): the hyperbolic tangent.

        out = (exp(in) - exp(-in)) / (exp(in) + exp(-in))

    Integers give the default floating-point dtype.

    Shape:
        input: (*), any shape.
        output: the same.

    Example:

    >>> layer = rustorch.nn.Tanh()
    >>> layer(rustorch.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.7616,  0.0000,  0.7616])
    """

    def forward(self, input: Tensor) -> Tensor:
        return input.tanh()


class Tanhshrink(Module):
    """What tanh takes away from a number.

        out = in - tanh(in)

    Shape:
        input: (*), any shape.
        output: the same.

    Example:

    >>> layer = rustorch.nn.Tanhshrink()
    >>> layer(rustorch.tensor([-1.0, 0.0, 2.0]))
    tensor([-0.2384,  0.0000,  1.0360])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)


class Softsign(Module):
    """Maps numbers to (-1, 1) by a quotient.

        out = in / (1 + |in|)

    It nears its limits more slowly than tanh.

    Shape:
        input: (*), any shape.
        output: the same.

    Example:

    >>> layer = rustorch.nn.Softsign()
    >>> layer(rustorch.tensor([-1.0, 0.0, 3.0]))
    tensor([-0.5000,  0.0000,  0.7500])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)
