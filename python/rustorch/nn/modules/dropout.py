"""Dropout."""

from __future__ import annotations

from typing import ClassVar

from rustorch._C import Tensor
from rustorch.nn import functional as F

from .module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _DropoutNd(Module):
    """What the kinds of dropout share: the probability, and whether they work in place."""

    __constants__: ClassVar[list[str]] = ["p", "inplace"]

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """Sets elements to zero at random in training, each by itself.

        train():  out = in · m / (1 - p), with m = 0 with probability p and 1 otherwise
        eval():   out = in

    The factor 1 / (1 - p) keeps the mean of every element, so that eval() needs no other scale. With p=1 all are zero.
    Source: Hinton et al., 2012.

    Args:
        p: Probability that an element is set to zero, in [0, 1]. Default: 0.5.
        inplace: Whether the input itself is changed and given back. Default: False.

    Shape:
        input: (*), any shape.
        output: the same.

    Raises:
        ValueError: p is not in [0, 1].

    Example:

    >>> drop = rustorch.nn.Dropout(p=0.2)
    >>> drop(rustorch.ones(20, 16)).shape
    rustorch.Size([20, 16])
    >>> drop.eval()(rustorch.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """Sets whole channels of sequences to zero at random in training.

        train():  out[n, c] = in[n, c] · m[n, c] / (1 - p), with m = 0 with probability p and 1 otherwise
        eval():   out = in

    Neighbouring values of a channel are often alike, so that Dropout of single elements would hide little. Source:
    Tompson et al., 2015.

    Args:
        p: Probability that a channel is set to zero, in [0, 1]. Default: 0.5.
        inplace: Whether the input itself is changed and given back. Default: False.

    Shape:
        input: (N, C, L), or (C, L) without a batch.
        output: the same.

    Raises:
        ValueError: p is not in [0, 1].
        RuntimeError: An input has neither 2 nor 3 dimensions.

    Example:

    >>> drop = rustorch.nn.Dropout1d(p=0.2)
    >>> drop(rustorch.ones(20, 16, 32)).shape
    rustorch.Size([20, 16, 32])
    >>> out = drop(rustorch.ones(1, 50, 4))
    >>> bool((out == out[:, :, :1]).all())
    True
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """Sets whole channels of images to zero at random in training.

        train():  out[n, c] = in[n, c] · m[n, c] / (1 - p), with m = 0 with probability p and 1 otherwise
        eval():   out = in

    Neighbouring values of a channel are often alike, so that Dropout of single elements would hide little. An input of
    3 dimensions is taken as (N, C, L), as in PyTorch, with a warning: use Dropout1d for it. Other numbers of dimensions
    warn too. Source: Tompson et al., 2015.

    Args:
        p: Probability that a channel is set to zero, in [0, 1]. Default: 0.5.
        inplace: Whether the input itself is changed and given back. Default: False.

    Shape:
        input: (N, C, H, W).
        output: the same.

    Raises:
        ValueError: p is not in [0, 1].

    Example:

    >>> drop = rustorch.nn.Dropout2d(p=0.2)
    >>> drop(rustorch.ones(20, 16, 32, 32)).shape
    rustorch.Size([20, 16, 32, 32])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """Sets whole channels of volumes to zero at random in training.

        train():  out[n, c] = in[n, c] · m[n, c] / (1 - p), with m = 0 with probability p and 1 otherwise
        eval():   out = in

    Neighbouring values of a channel are often alike, so that Dropout of single elements would hide little. Inputs of
    other numbers of dimensions warn. Source: Tompson et al., 2015.

    Args:
        p: Probability that a channel is set to zero, in [0, 1]. Default: 0.5.
        inplace: Whether the input itself is changed and given back. Default: False.

    Shape:
        input: (N, C, D, H, W), or (C, D, H, W) without a batch.
        output: the same.

    Raises:
        ValueError: p is not in [0, 1].

    Example:

    >>> drop = rustorch.nn.Dropout3d(p=0.2)
    >>> drop(rustorch.ones(20, 16, 4, 32, 32)).shape
    rustorch.Size([20, 16, 4, 32, 32])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """Sets elements to SELU's lowest value at random in training, and keeps mean 0 and variance 1.

        train():  out = a · (in where kept, α' elsewhere) + b, kept with probability 1 - p
        eval():   out = in

    with α' = -1.7581, the limit of SELU at -∞, a = 1 / √((1 - p) · (1 + p · α'²)) and b = -a · p · α'. An input of mean
    0 and variance 1 has an output of mean 0 and variance 1, which networks of SELU need. Source: Klambauer et al.,
    2017.

    Args:
        p: Probability that an element is dropped, in [0, 1]. Default: 0.5.
        inplace: Whether the input itself is changed and given back. Default: False.

    Shape:
        input: (*), any shape.
        output: the same.

    Raises:
        ValueError: p is not in [0, 1].

    Example:

    >>> drop = rustorch.nn.AlphaDropout(p=0.2)
    >>> drop(rustorch.ones(20, 16)).shape
    rustorch.Size([20, 16])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(_DropoutNd):
    """Sets whole channels to SELU's lowest value at random in training, and keeps mean 0 and variance 1.

        train():  out[n, c] = a · (in[n, c] where kept, α' elsewhere) + b, kept with probability 1 - p
        eval():   out = in

    α', a and b are those of AlphaDropout, of which this is the form for channels. Source: Klambauer et al., 2017.

    Args:
        p: Probability that a channel is dropped, in [0, 1]. Default: 0.5.
        inplace: Whether the input itself is changed and given back. Default: False.

    Shape:
        input: (N, C, *), with any dimensions after the channels.
        output: the same.

    Raises:
        ValueError: p is not in [0, 1].
        ShapeMismatchError: An input has less than 2 dimensions.

    Example:

    >>> drop = rustorch.nn.FeatureAlphaDropout(p=0.2)
    >>> drop(rustorch.ones(20, 16, 4, 32, 32)).shape
    rustorch.Size([20, 16, 4, 32, 32])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.feature_alpha_dropout(input, self.p, self.training, self.inplace)
