"""Softmax and its relatives."""

from __future__ import annotations

from typing import ClassVar

from rustorch._C import Tensor
from rustorch.nn import functional as F

from .module import Module

__all__ = ["LogSoftmax", "Softmax", "Softmax2d", "Softmin"]


class _AlongDimension(Module):
    """A function of the elements along one dimension; without it 0 or 1 is taken by the number of dimensions."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_AlongDimension):
    """Makes numbers along a dimension positive, with sum 1.

        out_i = exp(in_i) / Σ_j exp(in_j)

    The greatest input is subtracted from all first, so that no exp overflows. For a logarithm of the result use
    LogSoftmax, which is more exact than both one after the other.

    Args:
        dim: The dimension whose elements sum to 1. Without it, 0 is taken for inputs of 0, 1 or 3 dimensions and 1 for
            others, with a warning. Default: None.

    Shape:
        input: (*), any shape.
        output: the same, with values in [0, 1].

    Raises:
        IndexOutOfRangeError: The input has no dimension `dim`.

    Example:

    >>> softmax = rustorch.nn.Softmax(dim=-1)
    >>> softmax(rustorch.tensor([[0.0, 0.0], [1.0, 3.0]]))
    tensor([[0.5000, 0.5000],
            [0.1192, 0.8808]])
    """

    __constants__: ClassVar[list[str]] = ["dim"]

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim, _stacklevel=5)


class LogSoftmax(_AlongDimension):
    """The logarithm of the softmax along a dimension.

        out_i = in_i - log Σ_j exp(in_j)

    It is computed as a whole: values far below 0 stay finite where the logarithm of a softmax would be -inf.

    Args:
        dim: The dimension whose exponentials sum to 1. Without it, 0 is taken for inputs of 0, 1 or 3 dimensions and 1
            for others, with a warning. Default: None.

    Shape:
        input: (*), any shape.
        output: the same, with values of at most 0.

    Raises:
        IndexOutOfRangeError: The input has no dimension `dim`.

    Example:

    >>> log_softmax = rustorch.nn.LogSoftmax(dim=-1)
    >>> log_softmax(rustorch.tensor([0.0, 0.0, -200.0]))
    tensor([  -0.6931,   -0.6931, -200.6931])
    """

    __constants__: ClassVar[list[str]] = ["dim"]

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim, _stacklevel=5)


class Softmin(_AlongDimension):
    """The softmax of the negated input along a dimension: small numbers get large shares.

        out_i = exp(-in_i) / Σ_j exp(-in_j)

    Args:
        dim: The dimension whose elements sum to 1. Without it, 0 is taken for inputs of 0, 1 or 3 dimensions and 1 for
            others, with a warning. Default: None.

    Shape:
        input: (*), any shape.
        output: the same, with values in [0, 1].

    Raises:
        IndexOutOfRangeError: The input has no dimension `dim`.

    Example:

    >>> softmin = rustorch.nn.Softmin(dim=-1)
    >>> softmin(rustorch.tensor([1.0, 3.0]))
    tensor([0.8808, 0.1192])
    """

    __constants__: ClassVar[list[str]] = ["dim"]

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim, _stacklevel=5)


class Softmax2d(Module):
    """The softmax over the channels at every position of an image.

        out[n, c, y, x] = exp(in[n, c, y, x]) / Σ_k exp(in[n, k, y, x])

    Shape:
        input: (N, C, H, W), or (C, H, W) without a batch.
        output: the same, with values in [0, 1] that sum to 1 over C.

    Raises:
        ValueError: An input has neither 3 nor 4 dimensions.

    Example:

    >>> softmax = rustorch.nn.Softmax2d()
    >>> out = softmax(rustorch.zeros(2, 4, 12, 13))
    >>> out.shape, float(out[0, 0, 0, 0])
    (rustorch.Size([2, 4, 12, 13]), 0.25)
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead")
        return F.softmax(input, -3)
