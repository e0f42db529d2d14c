"""Losses whose reduction is a number: 0 gives each element, 1 the mean, 2 the sum."""

from __future__ import annotations

from collections.abc import Sequence

from rustorch._C import Tensor
from rustorch._naming import named
from rustorch.nn import _functional_ops as _ops, functional as F

_REDUCTIONS = ("none", "mean", "sum")


def _word(reduction: int) -> str:
    """The reduction as nn.functional names it."""
    if isinstance(reduction, str):
        raise TypeError(f"reduction must be 0, 1 or 2 here, not {reduction!r}; nn.functional's function takes words")
    if reduction not in (0, 1, 2):
        raise ValueError(f"reduction must be 0 (none), 1 (mean) or 2 (sum), got {reduction!r}")
    return _REDUCTIONS[reduction]


@named
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    pos_weight: Tensor | None = None,
    reduction: int = 1,
) -> Tensor:
    """Computes the cross-entropy of sigmoid(input) with targets in [0, 1]; nn.functional's says more.

    Args:
        input: logits.
        target: numbers in [0, 1], of the input's shape.
        weight: a factor per element; None is 1. Default: None.
        pos_weight: a factor of the positive part, per class; None is 1. Default: None.
        reduction: 0 gives each element, 1 the mean, 2 the sum. Default: 1.

    Example:

    >>> rustorch.binary_cross_entropy_with_logits(rustorch.tensor([0.0]), rustorch.tensor([1.0]))
    tensor(0.6931)
    """
    return _ops.binary_cross_entropy_with_logits(
        input, target, weight, pos_weight=pos_weight, reduction=_word(reduction)
    )


@named
def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 1
) -> Tensor:
    """Computes one minus the cosine of pairs that should be alike, its excess over `margin` for others.

    Args:
        input1, input2: the pairs, (N, D) or (D).
        target: 1 for pairs that should be alike, -1 for others, (N) or ().
        margin: the cosine below which pairs of target -1 cost nothing. Default: 0.0.
        reduction: 0 gives each pair, 1 the mean, 2 the sum. Default: 1.

    Example:

    >>> x, y = rustorch.tensor([[1.0, 0.0]]), rustorch.tensor([[0.0, 1.0]])
    >>> rustorch.cosine_embedding_loss(x, y, rustorch.tensor([1]), 0.0, 0)
    tensor([1.])
    """
    return _ops.cosine_embedding_loss(input1, input2, target, margin, reduction=_word(reduction))


@named
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | Sequence[int],
    target_lengths: Tensor | Sequence[int],
    blank: int = 0,
    reduction: int = 1,
    zero_infinity: bool = False,
) -> Tensor:
    """Computes connectionist temporal classification's loss; nn.functional's says more.

    Args:
        log_probs: log-probabilities (T, N, C) or (T, C).
        targets: labels (N, S), or of all samples behind one another.
        input_lengths: the number of frames of each sample, at most T.
        target_lengths: the number of labels of each sample.
        blank: the class that is the blank. Default: 0.
        reduction: 0 gives each sample, 1 the mean, each divided by its number of labels first, 2 the sum. Default: 1.
        zero_infinity: whether infinite losses and their gradients become 0. Default: False.

    Example:

    >>> log_probs = rustorch.tensor([[0.5, 0.5], [0.5, 0.5]]).log()
    >>> rustorch.ctc_loss(log_probs, rustorch.tensor([1]), [2], [1])
    tensor(0.2877)
    """
    return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, _word(reduction), zero_infinity)


@named
def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 1) -> Tensor:
    """Computes x where the target is 1, `max(0, margin - x)` where it is -1.

    Args:
        input: distances.
        target: 1 or -1 for each.
        margin: the distance beyond which pairs of target -1 cost nothing. Default: 1.0.
        reduction: 0 gives each element, 1 the mean, 2 the sum. Default: 1.

    Example:

    >>> rustorch.hinge_embedding_loss(rustorch.tensor([0.5, 0.25]), rustorch.tensor([1, -1]), 1.0, 0)
    tensor([0.5000, 0.7500])
    """
    return _ops.hinge_embedding_loss(input, target, margin, reduction=_word(reduction))


@named
def kl_div(input: Tensor, target: Tensor, reduction: int = 1, *, log_target: bool = False) -> Tensor:
    """Computes the Kullback-Leibler divergence of log-probabilities from a target.

    Args:
        input: log-probabilities.
        target: probabilities, or their logarithms with log_target.
        reduction: 0 gives each element, 1 the mean over all elements, 2 the sum. Default: 1.
        log_target: whether the target is in logarithms. Default: False.

    Example:

    >>> rustorch.kl_div(rustorch.tensor([0.5, 0.5]).log(), rustorch.tensor([1.0, 0.0]), 2)
    tensor(0.6931)
    """
    return _ops.kl_div(input, target, reduction=_word(reduction), log_target=log_target)


@named
def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 1
) -> Tensor:
    """Computes `max(0, margin - target * (input1 - input2))`.

    Args:
        input1, input2: scores.
        target: 1 where the first should be larger, -1 where the second.
        margin: the lead that costs nothing. Default: 0.0.
        reduction: 0 gives each element, 1 the mean, 2 the sum. Default: 1.

    Example:

    >>> rustorch.margin_ranking_loss(rustorch.tensor([1.0]), rustorch.tensor([3.0]), rustorch.tensor([1.0]))
    tensor(2.)
    """
    return _ops.margin_ranking_loss(input1, input2, target, margin, reduction=_word(reduction))


@named
def poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int) -> Tensor:
    """Computes the negative log-likelihood of counts under Poisson distributions.

    Args:
        input: the rates, or their logarithms.
        target: the counts, of the input's shape.
        log_input: whether the input is the logarithm of the rate.
        full: whether Stirling's approximation of log(target!) is added.
        eps: keeps log(0) finite where log_input is False.
        reduction: 0 gives each element, 1 the mean, 2 the sum.

    Example:

    >>> rustorch.poisson_nll_loss(rustorch.tensor([0.0]), rustorch.tensor([2.0]), True, False, 1e-8, 1)
    tensor(1.)
    """
    return _ops.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=_word(reduction))


@named
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: int = 1,
) -> Tensor:
    """Computes `max(0, margin + |anchor - positive|_p - |anchor - negative|_p)` along the last dimension.

    Args:
        anchor: the anchors (N, D) or (D).
        positive: samples that should be near to the anchors.
        negative: samples that should be far from them.
        margin: the lead that costs nothing, above 0. Default: 1.0.
        p: the norm's order. Default: 2.0.
        eps: added to each difference. Default: 1e-6.
        swap: whether the negative may be compared with the positive. Default: False.
        reduction: 0 gives each triplet, 1 the mean, 2 the sum. Default: 1.

    Example:

    >>> zero, one = rustorch.zeros(1, 1), rustorch.ones(1, 1)
    >>> rustorch.triplet_margin_loss(zero, zero, one, 3.0)
    tensor(2.0000)
    """
    return _ops.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=_word(reduction))
