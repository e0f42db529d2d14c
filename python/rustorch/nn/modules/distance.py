"""Distances and similarities of vectors."""

from __future__ import annotations

from typing import ClassVar

from rustorch._C import Tensor
from rustorch.nn import functional as F

from .module import Module

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class CosineSimilarity(Module):
    """The cosine of the angle between vectors along one dimension of two tensors.

        out = Σ x1 · x2 / (max(‖x1‖, eps) · max(‖x2‖, eps)),    sums and norms along `dim`

    It lies in [-1, 1]: 1 for vectors of the same direction, 0 for perpendicular ones, -1 for opposite ones. The length
    of a vector counts as at least `eps`, so that zero vectors give 0.

    Args:
        dim: The dimension along which the vectors lie. Default: 1.
        eps: The least length that a vector counts with. Default: 1e-8.

    Shape:
        x1, x2: (*, D, *) with D at `dim`; the shapes broadcast with each other.
        output: the broadcast shape without `dim`.

    Raises:
        ShapeMismatchError: The shapes do not broadcast.
        IndexOutOfRangeError: The inputs have no dimension `dim`.

    Example:

    >>> cosine = rustorch.nn.CosineSimilarity(dim=1)
    >>> x1 = rustorch.tensor([[1.0, 0.0], [1.0, 0.0], [3.0, 4.0]])
    >>> x2 = rustorch.tensor([[2.0, 0.0], [0.0, 5.0], [-3.0, -4.0]])
    >>> cosine(x1, x2)
    tensor([ 1.,  0., -1.])
    """

    __constants__: ClassVar[list[str]] = ["dim", "eps"]

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The p-norm of the difference of vectors along the last dimension.

        out = ‖x1 - x2 + eps‖_p = (Σ_i |x1_i - x2_i + eps|^p)^(1/p)

    `eps` is added to every element, which keeps the gradient finite where the vectors are equal; the distance of equal
    vectors of D elements is therefore eps · D^(1/p), not 0.

    Args:
        p: The exponent of the norm; 1, 2 and inf are the usual ones. Default: 2.0.
        eps: What is added to each difference. Default: 1e-6.
        keepdim: Whether the last dimension stays, with size 1. Default: False.

    Shape:
        x1, x2: (*, D); the shapes broadcast with each other.
        output: (*), or (*, 1) with keepdim=True.

    Raises:
        ShapeMismatchError: The shapes do not broadcast.

    Example:

    >>> distance = rustorch.nn.PairwiseDistance(p=2, eps=0.0)
    >>> distance(rustorch.tensor([[0.0, 0.0], [1.0, 1.0]]), rustorch.tensor([[3.0, 4.0], [1.0, 2.0]]))
    tensor([5., 1.])
    """

    __constants__: ClassVar[list[str]] = ["norm", "eps", "keepdim"]

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
