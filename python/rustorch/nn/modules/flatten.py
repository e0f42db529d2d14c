"""Joining and splitting dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rustorch._C import Tensor

from .module import Module

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """Joins neighbouring dimensions into one.

    The dimensions from `start_dim` to `end_dim`, both included, become one of their product; by default all but the
    first, which is the batch. The result is a view where the memory allows it.

    Args:
        start_dim: The first dimension to join; negative numbers count from the end. Default: 1.
        end_dim: The last dimension to join. Default: -1.

    Shape:
        input: (*, S_start, …, S_end, *), with any numbers of dimensions before and after.
        output: (*, S_start · … · S_end, *).

    Raises:
        IndexOutOfRangeError: The input has no such dimension.
        InvalidArgumentError: start_dim comes after end_dim.

    Example:

    >>> flatten = rustorch.nn.Flatten()
    >>> flatten(rustorch.ones(32, 3, 5, 5)).shape
    rustorch.Size([32, 75])
    >>> rustorch.nn.Flatten(0, 2)(rustorch.ones(32, 3, 5, 5)).shape
    rustorch.Size([480, 5])
    """

    __constants__: ClassVar[list[str]] = ["start_dim", "end_dim"]

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits a dimension into several.

    Args:
        dim: The dimension to split; negative numbers count from the end.
        unflattened_size: The sizes it is split into, whose product is its size; one of them may be -1, which is
            computed.

    Shape:
        input: (*, S, *) with S at `dim`.
        output: (*, S_1, …, S_n, *) where S_1 · … · S_n = S.

    Raises:
        ShapeMismatchError: The sizes do not multiply to the dimension's.
        IndexOutOfRangeError: The input has no such dimension.

    Example:

    >>> layer = rustorch.nn.Sequential(rustorch.nn.Linear(50, 50), rustorch.nn.Unflatten(1, (2, 5, 5)))
    >>> layer(rustorch.ones(3, 50)).shape
    rustorch.Size([3, 2, 5, 5])
    >>> rustorch.nn.Unflatten(-1, (-1, 5))(rustorch.ones(3, 50)).shape
    rustorch.Size([3, 10, 5])
    """

    __constants__: ClassVar[list[str]] = ["dim", "unflattened_size"]

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
