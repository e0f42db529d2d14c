"""Losses that ask for a margin between right and wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rustorch._C import Tensor
from rustorch.nn import functional as F

from ._loss_base import _Loss, _WeightedLoss
from .distance import PairwiseDistance

__all__ = [
    "CosineEmbeddingLoss",
    "HingeEmbeddingLoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class HingeEmbeddingLoss(_Loss):
    """Computes the hinge loss of a distance whose target is 1 or -1.

    `l = input` where the target is 1, `l = max(0, margin - input)` where it is -1, reduced over all elements. The input
    is usually a distance of two samples: pairs of target 1 are drawn together, those of -1 pushed `margin` apart.

    Args:
        margin: the distance beyond which pairs of target -1 cost nothing. Default: 1.0.
        size_average, reduce: PyTorch's former ways to say the reduction; anything but None is a TypeError.
            Default: None.
        reduction: 'mean' divides the sum by the number of elements, 'sum' adds them up, 'none' gives each.
            Default: 'mean'.

    Shape:
        input (*), target of the same shape; output () or, with reduction 'none', (*).

    Example:

    >>> loss = rustorch.nn.HingeEmbeddingLoss()
    >>> loss(rustorch.tensor([0.5, 0.25]), rustorch.tensor([1.0, -1.0]))
    tensor(0.6250)
    """

    __constants__: ClassVar[list[str]] = ["margin", "reduction"]

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class MultiLabelMarginLoss(_Loss):
    """Computes the hinge loss of several classes of which several are right.

    `l[n] = Σ_{j right} Σ_{i not right} max(0, 1 - (input[n, j] - input[n, i])) / C`. The target lists the right
    classes' indices, and ends at the first -1.

    Args:
        size_average, reduce: PyTorch's former ways to say the reduction; anything but None is a TypeError.
            Default: None.
        reduction: 'mean' divides the sum by the number of samples, 'sum' adds them up, 'none' gives one per sample.
            Default: 'mean'.

    Shape:
        input (N, C) or (C), target of the same shape, int64; output () or, with reduction 'none', (N) or ().

    Raises:
        ValueError: in forward, where the shapes differ.
        IndexError: in forward, where a target is outside [-1, C).

    Example:

    >>> loss = rustorch.nn.MultiLabelMarginLoss()
    >>> scores = rustorch.tensor([[0.1, 0.2, 0.4, 0.8]])
    >>> loss(scores, rustorch.tensor([[3, 0, -1, 1]]))
    tensor(0.8500)
    """

    __constants__: ClassVar[list[str]] = ["reduction"]

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class SoftMarginLoss(_Loss):
    """Computes the logistic loss of targets that are 1 or -1.

    `l = log(1 + exp(-target · input))`, reduced over all elements.

    Args:
        size_average, reduce: PyTorch's former ways to say the reduction; anything but None is a TypeError.
            Default: None.
        reduction: 'mean' divides the sum by the number of elements, 'sum' adds them up, 'none' gives each.
            Default: 'mean'.

    Shape:
        input (*), target of the same shape; output () or, with reduction 'none', (*).

    Example:

    >>> loss = rustorch.nn.SoftMarginLoss()
    >>> loss(rustorch.tensor([0.0, 2.0]), rustorch.tensor([1.0, 1.0]))
    tensor(0.4100)
    """

    __constants__: ClassVar[list[str]] = ["reduction"]

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """Computes the binary cross-entropy of sigmoid(input) per class, averaged over the classes.

    `l[n] = -Σ_c weight[c] · (y[n, c] log σ(x[n, c]) + (1 - y[n, c]) log(1 - σ(x[n, c]))) / C`.

    Args:
        weight: a factor per class (C); None is 1. Default: None.
        size_average, reduce: PyTorch's former ways to say the reduction; anything but None is a TypeError.
            Default: None.
        reduction: 'mean' divides the sum by the number of samples, 'sum' adds them up, 'none' gives one per sample.
            Default: 'mean'.

    Shape:
        input (N, C) or (C), target of the same shape with numbers in [0, 1]; output () or, with reduction 'none', (N)
        or ().

    Attributes:
        weight: the buffer with the factors (C), or None.

    Example:

    >>> loss = rustorch.nn.MultiLabelSoftMarginLoss()
    >>> loss(rustorch.zeros(2, 3), rustorch.ones(2, 3))
    tensor(0.6931)
    """

    __constants__: ClassVar[list[str]] = ["reduction"]

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_soft_margin_loss(input, target, weight=self.weight, reduction=self.reduction)


class CosineEmbeddingLoss(_Loss):
    """Computes a loss of the cosine of two samples whose target is 1 or -1.

    `l = 1 - cos(input1, input2)` where the target is 1, `l = max(0, cos(input1, input2) - margin)` where it is -1.

    Args:
        margin: the cosine, in [-1, 1], below which pairs of target -1 cost nothing; 0 to 0.5 is usual. Default: 0.0.
        size_average, reduce: PyTorch's former ways to say the reduction; anything but None is a TypeError.
            Default: None.
        reduction: 'mean' divides the sum by the number of samples, 'sum' adds them up, 'none' gives one per sample.
            Default: 'mean'.

    Shape:
        input1 and input2 (N, D) or (D), target (N) or (); output () or, with reduction 'none', the target's shape.

    Example:

    >>> loss = rustorch.nn.CosineEmbeddingLoss()
    >>> a, b = rustorch.tensor([[1.0, 0.0]]), rustorch.tensor([[0.0, 1.0]])
    >>> loss(a, b, rustorch.tensor([1.0]))
    tensor(1.)
    """

    __constants__: ClassVar[list[str]] = ["margin", "reduction"]

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.cosine_embedding_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class MarginRankingLoss(_Loss):
    """Computes the hinge loss of the order of two scores.

    `l = max(0, margin - target · (input1 - input2))`, reduced over all elements: with target 1 the first score should
    be the larger by `margin`, with -1 the second.

    Args:
        margin: how far apart the scores should be. Default: 0.0.
        size_average, reduce: PyTorch's former ways to say the reduction; anything but None is a TypeError.
            Default: None.
        reduction: 'mean' divides the sum by the number of elements, 'sum' adds them up, 'none' gives each.
            Default: 'mean'.

    Shape:
        input1, input2 and target (*), of one shape; output () or, with reduction 'none', (*).

    Example:

    >>> loss = rustorch.nn.MarginRankingLoss(margin=1.0)
    >>> loss(rustorch.tensor([2.0, 0.0]), rustorch.tensor([0.0, 1.0]), rustorch.tensor([1.0, 1.0]))
    tensor(1.)
    """

    __constants__: ClassVar[list[str]] = ["margin", "reduction"]

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.margin_ranking_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class MultiMarginLoss(_WeightedLoss):
    """Computes the hinge loss of several classes of which one is right.

    `l[n] = Σ_{c ≠ y[n]} weight[y[n]] · max(0, margin - input[n, y[n]] + input[n, c])ᵖ / C`.

    Args:
        p: the power, 1 or 2. Default: 1.
        margin: by how much the right class's score should lead. Default: 1.0.
        weight: a factor per class (C); None is 1. Default: None.
        size_average, reduce: PyTorch's former ways to say the reduction; anything but None is a TypeError.
            Default: None.
        reduction: 'mean' divides the sum by the number of samples, 'sum' adds them up, 'none' gives one per sample.
            Default: 'mean'.

    Shape:
        input (N, C) or (C), target (N) or () with integers in [0, C); output () or, with reduction 'none', the target's
        shape.

    Attributes:
        weight: the buffer with the factors (C), or None.

    Raises:
        ValueError: where p is neither 1 nor 2, or the weight has other than one dimension.

    Example:

    >>> loss = rustorch.nn.MultiMarginLoss()
    >>> loss(rustorch.tensor([[0.1, 0.2, 0.4, 0.8]]), rustorch.tensor([3]))
    tensor(0.3250)
    """

    __constants__: ClassVar[list[str]] = ["p", "margin", "reduction"]

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")
        if weight is not None and weight.dim() != 1:
            raise ValueError(f"MultiMarginLoss: expected weight to be None or 1D tensor, got {weight.dim()}D instead")
        self.p = p
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multi_margin_loss(
            input, target, p=self.p, margin=self.margin, weight=self.weight, reduction=self.reduction
        )


class TripletMarginLoss(_Loss):
    """Computes by how much a positive sample is not nearer to the anchor than a negative one (V. Balntas et al., 2016).

    `l = max(0, margin + d(anchor, positive) - d(anchor, negative))`, `d(x, y) = ‖x - y + eps‖_p` along the last
    dimension. With `swap`, `d(positive, negative)` takes the place of `d(anchor, negative)` where it is the smaller.

    Args:
        margin: the lead that costs nothing, above 0. Default: 1.0.
        p: the norm's order. Default: 2.0.
        eps: added to each difference, which keeps the gradient of the norm finite. Default: 1e-6.
        swap: whether the negative may be compared with the positive. Default: False.
        size_average, reduce: PyTorch's former ways to say the reduction; anything but None is a TypeError.
            Default: None.
        reduction: 'mean' divides the sum by the number of samples, 'sum' adds them up, 'none' gives one per sample.
            Default: 'mean'.

    Shape:
        anchor, positive and negative (N, D) or (D); output () or, with reduction 'none', (N) or ().

    Raises:
        ValueError: where margin is not above 0.

    Example:

    >>> loss = rustorch.nn.TripletMarginLoss()
    >>> anchor, positive, negative = rustorch.zeros(1, 2), rustorch.zeros(1, 2), rustorch.ones(1, 2)
    >>> loss(anchor, positive, negative)
    tensor(0.)
    """

    __constants__: ClassVar[list[str]] = ["margin", "p", "eps", "swap", "reduction"]

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        if margin <= 0:
            raise ValueError(f"TripletMarginLoss: expected margin to be greater than 0, got {margin} instead")
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(_Loss):
    """Computes the triplet margin loss for a distance of one's own.

    `l = max(0, margin + d(anchor, positive) - d(anchor, negative))`. With `swap`, `d(positive, negative)` takes the
    place of `d(anchor, negative)` where it is the smaller.

    Args:
        distance_function: d, which takes two tensors and gives their distances; None is nn.PairwiseDistance().
            Default: None.
        margin: the lead that costs nothing, above 0. Default: 1.0.
        swap: whether the negative may be compared with the positive. Default: False.
        reduction: 'mean' divides the sum by the number of distances, 'sum' adds them up, 'none' gives each.
            Default: 'mean'.

    Shape:
        anchor, positive and negative (N, *), as the distance takes them; output () or, with reduction 'none', the
        distance's shape.

    Raises:
        ValueError: where margin is not above 0.

    Example:

    >>> def distance(x, y):
    ...     return (x - y).abs().amax(-1)
    >>> loss = rustorch.nn.TripletMarginWithDistanceLoss(distance_function=distance)
    >>> loss(rustorch.zeros(1, 2), rustorch.ones(1, 2), rustorch.ones(1, 2))
    tensor(1.)
    """

    __constants__: ClassVar[list[str]] = ["margin", "swap", "reduction"]

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        if margin <= 0:
            raise ValueError(
                f"TripletMarginWithDistanceLoss: expected margin to be greater than 0, got {margin} instead"
            )
        self.distance_function = PairwiseDistance() if distance_function is None else distance_function
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )
