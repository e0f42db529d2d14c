"""Softmax over many classes of which few are frequent."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import rustorch
from rustorch._C import Tensor
from rustorch.nn import functional as F

from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class _ASMoutput(NamedTuple):
    """What AdaptiveLogSoftmaxWithLoss gives."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Computes log-probabilities of many classes, of which the rare ones share clusters: adaptive softmax.

    Classes are numbered from the most frequent one. The head has a score for each class below cutoffs[0] and for each
    cluster of the others, of which cluster i has the classes from cutoffs[i] on. The log-probability of a class in a
    cluster is that of the cluster plus that of the class in it, which a projection to
    ⌊in_features / div_value^(i + 1)⌋ features and a linear layer compute, only for targets that are there. forward()
    gives a named tuple of `output`, the targets' log-probabilities, and `loss`, minus their mean. Source: É. Grave et
    al., 2017.

    Args:
        in_features: Size of the input's last dimension.
        n_classes: Number of classes.
        cutoffs: The classes at which clusters begin: ascending, from 1 to n_classes - 1.
        div_value: By which the size of the projections is divided from each cluster to the next. Default: 4.0.
        head_bias: Whether the head has a bias. Default: False.
        device, dtype: Where the parameters are and their dtype. Default: None, the default ones.

    Shape:
        input: (N, in_features) or (in_features).
        target: (N) or (), classes as integers.
        output: (N) or (); loss: ().

    Attributes:
        head: a Linear with cutoffs[0] + the number of clusters outputs.
        tail: for each cluster a Sequential of two Linear without biases.

    Raises:
        ValueError: cutoffs are no ascending integers within 1 and n_classes - 1.
        RuntimeError: In the call, a target is no class, or the shapes do not fit.

    Example:

    >>> softmax = rustorch.nn.AdaptiveLogSoftmaxWithLoss(16, 1000, cutoffs=[10, 100])
    >>> output, loss = softmax(rustorch.ones(4, 16), rustorch.tensor([0, 50, 500, 3]))
    >>> output.shape, loss.shape
    (rustorch.Size([4]), rustorch.Size([]))
    >>> softmax.log_prob(rustorch.ones(4, 16)).shape
    rustorch.Size([4, 1000])
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cuts = list(cutoffs)
        if not cuts:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        ascending = all(low < high for low, high in pairwise(cuts))
        if not ascending or cuts[0] <= 0 or cuts[-1] > n_classes - 1 or any(int(cut) != cut for cut in cuts):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each "
                f"value is between 1 and n_classes-1, got {cuts} for {n_classes} classes"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cuts, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = cuts[0]
        self.n_clusters = len(cuts)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, device, dtype)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            size = int(in_features // div_value ** (i + 1))
            self.tail.append(
                Sequential(
                    Linear(in_features, size, False, device, dtype), Linear(size, high - low, False, device, dtype)
                )
            )

    def reset_parameters(self) -> None:
        """Sets the parameters to fresh initial values."""
        self.head.reset_parameters()
        for module in self.tail.modules():
            if isinstance(module, Linear):
                module.reset_parameters()

    def forward(self, input: Tensor, target: Tensor) -> _ASMoutput:
        if target.ndim > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if input.ndim != target.ndim + 1:
            raise RuntimeError(
                f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but found inputs with size "
                f"{list(input.shape)}"
            )
        if target.ndim == 0:
            output, loss = self(input.unsqueeze(0), target.unsqueeze(0))
            return _ASMoutput(output.squeeze(0), loss)
        if input.shape[0] != target.shape[0]:
            raise RuntimeError(
                "Input and target should have the same size in the batch dimension, got "
                f"{input.shape[0]} and {target.shape[0]}."
            )
        if target.numel() and not 0 <= int(target.min()) <= int(target.max()) < self.n_classes:
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{int(target.min())}, {int(target.max())}] were found."
            )
        in_head = target
        output = input.new_zeros(target.shape)
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            inside = (target >= low) & (target < high)
            rows = inside.nonzero().squeeze(1)
            if rows.numel():
                scores = self.tail[i](input.index_select(0, rows))
                classes = (target.index_select(0, rows) - low).unsqueeze(1)
                log_prob = F.log_softmax(scores, 1).gather(1, classes).squeeze(1)
                output = output.index_copy(0, rows, log_prob)
                in_head = in_head.masked_fill(inside, self.shortlist_size + i)
        head = F.log_softmax(self.head(input), 1)
        output = output + head.gather(1, in_head.unsqueeze(1)).squeeze(1)
        return _ASMoutput(output, -output.mean())

    def _get_full_log_prob(self, input: Tensor, head_output: Tensor) -> Tensor:
        """The log-probabilities of all classes, from the head's scores."""
        head = F.log_softmax(head_output, 1)
        parts = [head[:, : self.shortlist_size]]
        for i, cluster in enumerate(self.tail):
            parts.append(F.log_softmax(cluster(input), 1) + head[:, self.shortlist_size + i].unsqueeze(1))
        return rustorch.cat(parts, 1)

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes (N, n_classes) for inputs (N, in_features)."""
        return self._get_full_log_prob(input, self.head(input))

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class for each of the inputs (N, in_features).

        Clusters are looked into only where one is more probable than every frequent class.
        """
        head = self.head(input)
        best: Tensor = head.argmax(1)
        rare = (best >= self.shortlist_size).nonzero().squeeze(1)
        if not rare.numel():
            return best
        whole = self._get_full_log_prob(input.index_select(0, rare), head.index_select(0, rare))
        return best.index_copy(0, rare, whole.argmax(1))
