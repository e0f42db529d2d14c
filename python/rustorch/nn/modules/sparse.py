"""Tables of vectors."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import rustorch
from rustorch._C import Tensor
from rustorch.nn import functional as F, init
from rustorch.nn._options import refuse_sparse
from rustorch.nn.parameter import Parameter

from .module import Module

__all__ = ["Embedding", "EmbeddingBag"]


class Embedding(Module):
    """Looks up the rows of a learned table that integer indices name.

    `out[…] = weight[input[…]]`.

    Args:
        num_embeddings: the number of rows.
        embedding_dim: the size of each row.
        padding_idx: a row that starts at 0 and gets no gradient; a negative number counts from the end. Default: None.
        max_norm: rows that are looked up and have a larger norm are first scaled down to it, in place. Default: None.
        norm_type: the p of that norm. Default: 2.0.
        scale_grad_by_freq: whether a row's gradient is divided by how often the call names it. Default: False.
        sparse: sparse gradients, which are not supported: True is a NotImplementedError. Default: False.
        _weight: the table to start with; from_pretrained() is the way to give one. Default: None.
        _freeze: whether the table gets no gradient. Default: False.
        device, dtype: where the parameters are and of which dtype; None is the default. Default: None.

    Shape:
        input (*), integers in [0, num_embeddings); output (*, embedding_dim).

    Attributes:
        weight: (num_embeddings, embedding_dim), starts standard Gaussian, the row padding_idx at 0, unless it is given.

    Raises:
        ValueError: where padding_idx names no row, or the table given has another shape.
        IndexError: in forward, where an index names no row; negative ones do not.

    Example:

    >>> embedding = rustorch.nn.Embedding(10, 3)
    >>> embedding(rustorch.tensor([[1, 2, 4], [4, 3, 9]])).shape
    rustorch.Size([2, 3, 3])
    >>> table = rustorch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> rustorch.nn.Embedding.from_pretrained(table)(rustorch.tensor([1]))
    tensor([[3., 4.]])
    """

    __constants__: ClassVar[list[str]] = [
        "num_embeddings",
        "embedding_dim",
        "padding_idx",
        "max_norm",
        "norm_type",
        "scale_grad_by_freq",
        "sparse",
    ]

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
        refuse_sparse("Embedding", sparse)
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError("Padding_idx must be within num_embeddings")
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if _weight is None:
            weight = rustorch.empty((num_embeddings, embedding_dim), device=device, dtype=dtype)
            self.weight = Parameter(weight, not _freeze)
            self.reset_parameters()
        else:
            if tuple(_weight.shape) != (num_embeddings, embedding_dim):
                raise ValueError("Shape of weight does not match num_embeddings and embedding_dim")
            self.weight = Parameter(_weight, not _freeze)

    def reset_parameters(self) -> None:
        """Sets the weight to fresh initial values."""
        init.normal_(self.weight)
        self._fill_padding_idx_with_zero()

    def _fill_padding_idx_with_zero(self) -> None:
        if self.padding_idx is not None:
            with rustorch.no_grad():
                self.weight[self.padding_idx].fill_(0)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:
        """A layer over a table that exists; frozen unless told otherwise."""
        if embeddings.dim() != 2:
            raise ValueError("Embeddings parameter is expected to be 2-dimensional")
        rows, columns = embeddings.shape
        return cls(
            rows,
            columns,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight=embeddings,
            _freeze=freeze,
        )

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse
        )

    def extra_repr(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}{_told(self, 'padding_idx', *_SCALING)}"


class EmbeddingBag(Module):
    """Takes the sums, means or maxima of bags of rows of a learned table.

    `out[b] = Σ_{i in bag b} per_sample_weights[i] · weight[input[i]]`, or the mean or largest of each column. An empty
    bag gives 0. forward(input, offsets=None, per_sample_weights=None).

    Args:
        num_embeddings: the number of rows.
        embedding_dim: the size of each row.
        max_norm: rows that are looked up and have a larger norm are first scaled down to it, in place. Default: None.
        norm_type: the p of that norm. Default: 2.0.
        scale_grad_by_freq: whether a row's gradient is divided by how often the call names it. Default: False.
        mode: 'sum', 'mean' or 'max'. Default: 'mean'.
        sparse: sparse gradients, which are not supported: True is a NotImplementedError. Default: False.
        _weight: the table to start with; from_pretrained() is the way to give one. Default: None.
        include_last_offset: whether the last offset is the end of the last bag, not the beginning of one.
            Default: False.
        padding_idx: a row that starts at 0, does not count in bags and gets no gradient. Default: None.
        device, dtype: where the parameters are and of which dtype; None is the default. Default: None.

    Shape:
        input (B, L), bags of L indices each, or (L) with offsets (B), where each bag begins, (B + 1) with
        include_last_offset; per_sample_weights as input, with 'sum' only; output (B, embedding_dim).

    Attributes:
        weight: (num_embeddings, embedding_dim), starts standard Gaussian, the row padding_idx at 0, unless it is given.

    Raises:
        ValueError: where padding_idx names no row, or the table given has another shape; in forward, for another mode,
            and for scale_grad_by_freq with 'max'.
        NotImplementedError: in forward, for per_sample_weights with 'mean' or 'max'.

    Example:

    >>> table = rustorch.tensor([[1.0], [2.0], [3.0]])
    >>> bag = rustorch.nn.EmbeddingBag.from_pretrained(table, mode="sum")
    >>> bag(rustorch.tensor([0, 1, 2]), rustorch.tensor([0, 1]))
    tensor([[1.],
            [5.]])
    """

    __constants__: ClassVar[list[str]] = [
        "num_embeddings",
        "embedding_dim",
        "max_norm",
        "norm_type",
        "scale_grad_by_freq",
        "mode",
        "sparse",
        "include_last_offset",
        "padding_idx",
    ]

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        refuse_sparse("EmbeddingBag", sparse)
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError("padding_idx must be within num_embeddings")
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset
        self.padding_idx = padding_idx
        if _weight is None:
            self.weight = Parameter(rustorch.empty((num_embeddings, embedding_dim), device=device, dtype=dtype))
            self.reset_parameters()
        else:
            if tuple(_weight.shape) != (num_embeddings, embedding_dim):
                raise ValueError("Shape of weight does not match num_embeddings and embedding_dim")
            self.weight = Parameter(_weight)

    def reset_parameters(self) -> None:
        """Sets the weight to fresh initial values."""
        init.normal_(self.weight)
        self._fill_padding_idx_with_zero()

    def _fill_padding_idx_with_zero(self) -> None:
        if self.padding_idx is not None:
            with rustorch.no_grad():
                self.weight[self.padding_idx].fill_(0)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> Self:
        """A layer over a table that exists; frozen unless told otherwise."""
        if embeddings.dim() != 2:
            raise ValueError("Embeddings parameter is expected to be 2-dimensional")
        rows, columns = embeddings.shape
        layer = cls(
            rows,
            columns,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            mode,
            sparse,
            embeddings,
            include_last_offset,
            padding_idx,
        )
        layer.weight.requires_grad_(not freeze)
        return layer

    def forward(self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None) -> Tensor:
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        settings = _told(self, *_SCALING)
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{settings}, mode={self.mode!r}{padding}"


_SCALING = ("max_norm", "norm_type", "scale_grad_by_freq")
_USUAL = {"padding_idx": None, "max_norm": None, "norm_type": 2.0, "scale_grad_by_freq": False}


def _told(module: Module, *names: str) -> str:
    """The settings that are not as usual, for repr()."""
    given = ((name, getattr(module, name)) for name in names)
    return "".join(f", {name}={value}" for name, value in given if value != _USUAL[name])
