"""Losses."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

from rustorch._C import Tensor
from rustorch._naming import named
from rustorch.nn import _functional_ops as _ops
from rustorch.nn._options import check_reduction

from ._documented import documented_as


@named
@documented_as(_ops.mse_loss)
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    check_reduction("mse_loss", size_average, reduce)
    _warn_if_shapes_differ("mse_loss", input, target)
    return _ops.mse_loss(input, target, reduction=reduction, weight=weight)


@named
@documented_as(_ops.l1_loss)
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    check_reduction("l1_loss", size_average, reduce)
    _warn_if_shapes_differ("l1_loss", input, target)
    return _ops.l1_loss(input, target, reduction=reduction, weight=weight)


def _warn_if_shapes_differ(name: str, input: Tensor, target: Tensor) -> None:
    if input.shape != target.shape:
        warnings.warn(
            f"{name}: using a target size ({target.size()}) that is different to the input size ({input.size()}). "
            "This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size.",
            stacklevel=4,
        )


@named
@documented_as(_ops.nll_loss)
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    check_reduction("nll_loss", size_average, reduce)
    return _ops.nll_loss(input, target, weight, ignore_index=ignore_index, reduction=reduction)


@named
@documented_as(
    _ops.cross_entropy,
    target="class indices (N, *) or (), or class probabilities of the input's shape.",
    label_smoothing="the share in [0, 1] of the uniform distribution in the target.",
)
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    check_reduction("cross_entropy", size_average, reduce)
    return _ops.cross_entropy(
        input, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )


@named
@documented_as(_ops.binary_cross_entropy, weight="a factor per element, which broadcasts; None is 1.")
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    check_reduction("binary_cross_entropy", size_average, reduce)
    return _ops.binary_cross_entropy(input, target, weight, reduction=reduction)


@named
@documented_as(
    _ops.binary_cross_entropy_with_logits,
    weight="a factor per element, which broadcasts; None is 1.",
    pos_weight="a factor of the positive part, which broadcasts to the target; None is 1.",
)
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    check_reduction("binary_cross_entropy_with_logits", size_average, reduce)
    return _ops.binary_cross_entropy_with_logits(input, target, weight, reduction=reduction, pos_weight=pos_weight)


@named
@documented_as(_ops.smooth_l1_loss, beta="where the squared part ends, at least 0.")
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    check_reduction("smooth_l1_loss", size_average, reduce)
    _warn_if_shapes_differ("smooth_l1_loss", input, target)
    return _ops.smooth_l1_loss(input, target, reduction=reduction, beta=beta)


@named
@documented_as(
    _ops.huber_loss,
    weight="a factor per element, of the input's shape; None is 1.",
    delta="where the squared part ends, above 0.",
)
def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    _warn_if_shapes_differ("huber_loss", input, target)
    return _ops.huber_loss(input, target, reduction, delta, weight)


@named
@documented_as(
    _ops.kl_div,
    target="probabilities of the input's shape, or with log_target their logarithms.",
    reduction="'batchmean', 'mean', 'sum' or 'none'.",
    log_target="whether the target holds logarithms.",
)
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    check_reduction("kl_div", size_average, reduce)
    if reduction == "mean":
        warnings.warn(
            "kl_div: reduction='mean' divides the total loss by both the batch size and the support size; "
            "'batchmean' divides by the batch size alone and gives the Kullback-Leibler divergence.",
            stacklevel=3,
        )
    return _ops.kl_div(input, target, reduction=reduction, log_target=log_target)


@named
@documented_as(_ops.poisson_nll_loss, full="whether Stirling's approximation of log(target!) is added.")
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    check_reduction("poisson_nll_loss", size_average, reduce)
    return _ops.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=reduction)


@named
@documented_as(_ops.hinge_embedding_loss)
def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    check_reduction("hinge_embedding_loss", size_average, reduce)
    return _ops.hinge_embedding_loss(input, target, margin, reduction=reduction)


@named
@documented_as(_ops.margin_ranking_loss)
def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    check_reduction("margin_ranking_loss", size_average, reduce)
    return _ops.margin_ranking_loss(input1, input2, target, margin, reduction=reduction)


@named
@documented_as(_ops.cosine_embedding_loss)
def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    check_reduction("cosine_embedding_loss", size_average, reduce)
    return _ops.cosine_embedding_loss(input1, input2, target, margin, reduction=reduction)


@named
@documented_as(_ops.soft_margin_loss)
def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    check_reduction("soft_margin_loss", size_average, reduce)
    return _ops.soft_margin_loss(input, target, reduction=reduction)


@named
@documented_as(_ops.triplet_margin_loss, negative="samples that should be far from them.")
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    check_reduction("triplet_margin_loss", size_average, reduce)
    return _ops.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=reduction)


@named
@documented_as(_ops.multi_margin_loss)
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    check_reduction("multi_margin_loss", size_average, reduce)
    return _ops.multi_margin_loss(input, target, p, margin, weight, reduction=reduction)


@named
@documented_as(_ops.multilabel_margin_loss)
def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    check_reduction("multilabel_margin_loss", size_average, reduce)
    return _ops.multilabel_margin_loss(input, target, reduction=reduction)


@named
@documented_as(_ops.multilabel_soft_margin_loss)
def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    check_reduction("multilabel_soft_margin_loss", size_average, reduce)
    return _ops.multilabel_soft_margin_loss(input, target, weight, reduction=reduction)


@named
def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """Computes `max(0, margin + d(anchor, positive) - d(anchor, negative))` for a distance of one's own.

    Args:
        anchor, positive, negative: tensors of as many dimensions.
        distance_function: d; None is the Euclidean distance along the last dimension. Default: None.
        margin: the lead that costs nothing, above 0; else a ValueError. Default: 1.0.
        swap: whether d(positive, negative) takes the place of d(anchor, negative) where it is smaller. Default: False.
        reduction: 'mean', 'sum' or 'none'. Default: 'mean'.

    Example:

    >>> anchor, positive, negative = rustorch.zeros(1, 2), rustorch.zeros(1, 2), rustorch.tensor([[0.5, 0.0]])
    >>> def distance(x, y):
    ...     return (x - y).abs().amax(-1)
    >>> rustorch.nn.functional.triplet_margin_with_distance_loss(anchor, positive, negative, distance_function=distance)
    tensor(0.5000)
    """
    if distance_function is None:
        return _ops.triplet_margin_loss(anchor, positive, negative, margin, swap=swap, reduction=reduction)
    if margin <= 0:
        raise ValueError(f"triplet_margin_with_distance_loss: margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "triplet_margin_with_distance_loss: expected tensors of as many dimensions, "
            f"got {anchor.ndim}, {positive.ndim} and {negative.ndim}"
        )
    near, far = distance_function(anchor, positive), distance_function(anchor, negative)
    if swap:
        far = far.minimum(distance_function(positive, negative))
    loss = (near - far + margin).clamp_min(0)
    if reduction == "none":
        return loss
    if reduction not in ("mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction; it is 'none', 'mean' or 'sum'")
    return loss.mean() if reduction == "mean" else loss.sum()


def _lengths(given: Tensor | Sequence[int]) -> list[int]:
    if not isinstance(given, Tensor):
        return [int(n) for n in given]
    if given.is_floating_point():
        raise TypeError(f"ctc_loss: expected integer lengths, got {given.dtype}")
    return [int(n) for n in given.reshape(-1).tolist()]


@named
@documented_as(_ops.ctc_loss)
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | Sequence[int],
    target_lengths: Tensor | Sequence[int],
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    lengths = _lengths(input_lengths), _lengths(target_lengths)
    return _ops.ctc_loss(log_probs, targets, *lengths, blank, reduction, zero_infinity)
