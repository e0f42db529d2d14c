"""Tables of vectors."""

from __future__ import annotations

from typing import Any, Self

from rustorch._C import Layer, Tensor
from rustorch.nn._options import refuse_embedding_options
from rustorch.nn.parameter import Parameter

from ._parameterized import ParameterizedModule

__all__ = ["Embedding"]


class Embedding(ParameterizedModule):
    """The rows of a learned table that integer indices name: (*) to (*, embedding_dim).

    The weight (num_embeddings, embedding_dim) starts standard Gaussian. The row `padding_idx` starts at 0 and gets no
    gradient.
    """

    _settings = frozenset(("num_embeddings", "embedding_dim", "padding_idx"))
    _names = ("weight",)
    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        refuse_embedding_options("Embedding", max_norm, scale_grad_by_freq, sparse)
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError("Padding_idx must be within num_embeddings")
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        if _weight is None:
            self._build(device, dtype)
        else:
            if tuple(_weight.shape) != (num_embeddings, embedding_dim):
                raise ValueError("Shape of weight does not match num_embeddings and embedding_dim")
            self.weight = Parameter(_weight)
            self.__dict__["_layer"] = self._make_layer()
        self.weight.requires_grad_(not _freeze)

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None) -> Self:
        """A layer over a table that exists; frozen unless told otherwise."""
        if embeddings.dim() != 2:
            raise ValueError("Embeddings parameter is expected to be 2-dimensional")
        rows, columns = embeddings.shape
        return cls(rows, columns, padding_idx, _weight=embeddings, _freeze=freeze)

    def _make_layer(self) -> Layer:
        return Layer.embedding(self.num_embeddings, self.embedding_dim, self.padding_idx)

    def forward(self, input: Tensor) -> Tensor:
        return self._layer.forward(input, self.weight)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
