"""Losses of numbers, of distributions and of sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rustorch._C import Tensor
from rustorch.nn import functional as F

from ._loss_base import _Loss

__all__ = ["CTCLoss", "GaussianNLLLoss", "HuberLoss", "KLDivLoss", "PoissonNLLLoss", "SmoothL1Loss"]


class SmoothL1Loss(_Loss):
    """Computes a loss that is squared near 0 and absolute beyond (R. Girshick, Fast R-CNN, 2015).

    `l = d² / (2 beta)` where `d = |input - target| < beta`, else `l = d - beta / 2`, reduced over all elements. It is
    HuberLoss over beta; with beta 0 it is L1Loss.

    Args:
        size_average, reduce: PyTorch's former ways to say the reduction; anything but None is a TypeError.
            Default: None.
        reduction: 'mean' divides the sum by the number of elements, 'sum' adds them up, 'none' gives each.
            Default: 'mean'.
        beta: where the squared part ends, at least 0. Default: 1.0.

    Shape:
        input (*), target of the same shape; output () or, with reduction 'none', (*).

    Raises:
        RuntimeError: in forward, where beta is negative.

    Example:

    >>> loss = rustorch.nn.SmoothL1Loss()
    >>> loss(rustorch.tensor([0.5, 3.0]), rustorch.zeros(2))
    tensor(1.3125)
    """

    __constants__: ClassVar[list[str]] = ["reduction"]

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, beta=self.beta, reduction=self.reduction)


class HuberLoss(_Loss):
    """Computes a loss that is squared near 0 and absolute beyond (P. Huber, 1964).

    `l = d² / 2` where `d = |input - target| ≤ delta`, else `l = delta · (d - delta / 2)`, reduced over all elements.

    Args:
        reduction: 'mean' divides the sum by the number of elements, 'sum' adds them up, 'none' gives each.
            Default: 'mean'.
        delta: where the squared part ends, above 0. Default: 1.0.

    Shape:
        input (*), target of the same shape; output () or, with reduction 'none', (*).

    Raises:
        RuntimeError: in forward, where delta is not above 0.

    Example:

    >>> loss = rustorch.nn.HuberLoss(delta=2.0)
    >>> loss(rustorch.tensor([1.0, 3.0]), rustorch.zeros(2))
    tensor(2.2500)
    """

    __constants__: ClassVar[list[str]] = ["reduction", "delta"]

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, self.reduction, self.delta)


class KLDivLoss(_Loss):
    """Computes the Kullback-Leibler divergence of a target distribution from log-probabilities.

    `l = target · (log target - input)`, and 0 where the target is 0. The input holds logarithms of probabilities. The
    mean over elements is not the divergence; 'batchmean' is.

    Args:
        size_average, reduce: PyTorch's former ways to say the reduction; anything but None is a TypeError.
            Default: None.
        reduction: 'batchmean' divides the sum by the input's first size, 'mean' by the number of elements, 'sum' adds
            up, 'none' gives each. Default: 'mean'.
        log_target: whether the target, too, holds logarithms. Default: False.

    Shape:
        input (*), target of the same shape; output () or, with reduction 'none', (*).

    Example:

    >>> loss = rustorch.nn.KLDivLoss(reduction="batchmean")
    >>> loss(rustorch.tensor([[0.5, 0.5]]).log(), rustorch.tensor([[1.0, 0.0]]))
    tensor(0.6931)
    """

    __constants__: ClassVar[list[str]] = ["reduction"]

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.kl_div(input, target, log_target=self.log_target, reduction=self.reduction)


class PoissonNLLLoss(_Loss):
    """Computes the negative log-likelihood of counts under Poisson distributions.

    `l = exp(input) - target · input` where the input is the logarithm of the rate, else
    `l = input - target · log(input + eps)`. The term log(target!) is left out, or with `full` added in Stirling's
    approximation `t log t - t + log(2πt) / 2` where the target t is above 1.

    Args:
        log_input: whether the input is the logarithm of the rate. Default: True.
        full: whether Stirling's approximation of log(target!) is added. Default: False.
        size_average: a former way to say the reduction; anything but None is a TypeError. Default: None.
        eps: keeps log(0) finite where log_input is False. Default: 1e-8.
        reduce: a former way to say the reduction; anything but None is a TypeError. Default: None.
        reduction: 'mean' divides the sum by the number of elements, 'sum' adds them up, 'none' gives each.
            Default: 'mean'.

    Shape:
        log_input (*), target of the same shape; output () or, with reduction 'none', (*).

    Example:

    >>> loss = rustorch.nn.PoissonNLLLoss()
    >>> loss(rustorch.zeros(2), rustorch.tensor([1.0, 3.0]))
    tensor(1.)
    """

    __constants__: ClassVar[list[str]] = ["log_input", "full", "eps", "reduction"]

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return F.poisson_nll_loss(
            log_input, target, log_input=self.log_input, full=self.full, eps=self.eps, reduction=self.reduction
        )


class GaussianNLLLoss(_Loss):
    """Computes the negative log-likelihood of targets under Gaussians of given means and variances.

    `l = (log v + (input - target)² / v) / 2`, `v = max(var, eps)`; with `full` the constant `log(2π) / 2` is added. The
    lower bound of the variance takes no part in its gradient.

    Args:
        full: whether the constant is added. Default: False.
        eps: the smallest variance. Default: 1e-6.
        reduction: 'mean' divides the sum by the number of elements, 'sum' adds them up, 'none' gives each.
            Default: 'mean'.

    Shape:
        input, the means, (N, *) or (*); target of the same shape; var of the same shape, or with a last size that is 1
        or absent, or a number; output () or, with reduction 'none', the input's shape.

    Raises:
        ValueError: in forward, where a variance is negative or its shape does not fit.

    Example:

    >>> loss = rustorch.nn.GaussianNLLLoss()
    >>> loss(rustorch.zeros(2), rustorch.tensor([0.0, 2.0]), rustorch.ones(2))
    tensor(1.)
    """

    __constants__: ClassVar[list[str]] = ["full", "eps", "reduction"]

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return F.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)


class CTCLoss(_Loss):
    """Computes the connectionist temporal classification loss of label sequences (A. Graves et al., 2006).

    `l[n] = -log Σ_alignments Π_t p[t, n, label at t]`: an alignment names a label or the blank for each frame, and
    becomes the target when repeated labels are merged and blanks dropped. The loss is inf where no alignment is long
    enough.

    Args:
        blank: the class that is the blank. Default: 0.
        reduction: 'mean' divides each loss by its target's length (at least 1) and averages over the batch, 'sum' adds
            up, 'none' gives each. Default: 'mean'.
        zero_infinity: whether infinite losses and their gradients become 0. Default: False.

    Shape:
        log_probs (T, N, C) or (T, C), logarithms of probabilities; targets (N, S), or all targets behind one another in
        one dimension, or (S), with classes other than the blank; input_lengths and target_lengths (N) or (), tensors or
        lists, each at most T and S; output () or, with reduction 'none', (N) or ().

    Example:

    >>> loss = rustorch.nn.CTCLoss()
    >>> log_probs = rustorch.zeros(4, 1, 3).log_softmax(2)
    >>> loss(log_probs, rustorch.tensor([[1, 2]]), [4], [2])
    tensor(0.8432)
    """

    __constants__: ClassVar[list[str]] = ["blank", "reduction"]

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(
        self,
        log_probs: Tensor,
        targets: Tensor,
        input_lengths: Tensor | Sequence[int],
        target_lengths: Tensor | Sequence[int],
    ) -> Tensor:
        return F.ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity
        )
