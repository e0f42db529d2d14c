"""Optimizers that vary Adam: each is its settings and their limits.

Their pickles name rustorch.optim.elementwise, where they used to be.
"""

from __future__ import annotations

from ._rule import RuleOptimizer, check_betas
from .optimizer import ParamsT, check_not_negative, refuse_options

__all__ = ["Adamax", "NAdam", "RAdam"]


class Adamax(RuleOptimizer):
    """Adamax: Adam whose denominator is the largest gradient, which fades, in place of the mean square's root.

    With the gradient g of the parameter p, the step's number t, which is 1 at first, and the weight decay λ, a step is

        g ← g + λ p
        m ← β1 m + (1 - β1) g
        u ← max(β2 u, |g| + eps)
        p ← p - lr / (1 - β1ᵗ) · m / u

    from D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization" (2015). The state of a parameter is
    'step', 'exp_avg' (m) and 'exp_inf' (u).

    Args:
        params: what to move: tensors, pairs of name and tensor, or dictionaries with the key 'params' and a group's own
            settings, which stand in place of those given here.
        lr: the learning rate, at least 0. Default: 2e-3.
        betas: β1 and β2, each at least 0 and below 1. Default: (0.9, 0.999).
        eps: what the gradient's size is enlarged by, at least 0. Default: 1e-8.
        weight_decay: λ, at least 0. Default: 0.
        foreach: without effect; PyTorch chooses an implementation by it. Default: None.
        maximize: whether to climb: g is the gradient times -1. Default: False.
        differentiable: refused if True: autograd does not record a step. Default: False.
        capturable: refused if True: a step is not captured in a device's graph. Default: False.

    Example:

    >>> weight = rustorch.nn.Parameter(rustorch.tensor([1.0, -2.0]))
    >>> optimizer = rustorch.optim.Adamax([weight], lr=0.1)
    >>> optimizer.zero_grad()
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.9000, -1.9000])
    """

    __module__ = "rustorch.optim.elementwise"

    _rule = "Adamax"

    def __init__(
        self,
        params: ParamsT,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_not_negative("learning rate", lr)
        check_not_negative("epsilon value", eps)
        check_betas(betas)
        check_not_negative("weight_decay value", weight_decay)
        refuse_options("Adamax", capturable=capturable, differentiable=differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )


class NAdam(RuleOptimizer):
    """NAdam: Adam with Nesterov's momentum.

    With the gradient g of the parameter p, the step's number t, which is 1 at first, the momentum decay ψ and the
    weight decay λ, a step is

        g ← g + λ p,  or with decoupled_weight_decay  p ← (1 - lr λ) p
        m ← β1 m + (1 - β1) g
        v ← β2 v + (1 - β2) g²
        μ(t) = β1 (1 - 0.96^(t ψ) / 2),  P = μ(1) μ(2) … μ(t)
        d = √(v / (1 - β2ᵗ)) + eps
        p ← p - lr (1 - μ(t)) / (1 - P) · g / d - lr μ(t + 1) / (1 - P μ(t + 1)) · m / d

    from T. Dozat, "Incorporating Nesterov Momentum into Adam" (2016). The state of a parameter is 'step', 'mu_product'
    (P), 'exp_avg' (m) and 'exp_avg_sq' (v).

    Args:
        params: what to move: tensors, pairs of name and tensor, or dictionaries with the key 'params' and a group's own
            settings, which stand in place of those given here.
        lr: the learning rate, at least 0. Default: 2e-3.
        betas: β1 and β2, each at least 0 and below 1. Default: (0.9, 0.999).
        eps: what the denominator is enlarged by, at least 0. Default: 1e-8.
        weight_decay: λ, at least 0. Default: 0.
        momentum_decay: ψ, at least 0. Default: 4e-3.
        decoupled_weight_decay: whether the weight decay acts on the parameter, as that of AdamW. Default: False.
        foreach: without effect; PyTorch chooses an implementation by it. Default: None.
        maximize: whether to climb: g is the gradient times -1. Default: False.
        capturable: refused if True: a step is not captured in a device's graph. Default: False.
        differentiable: refused if True: autograd does not record a step. Default: False.

    Example:

    >>> weight = rustorch.nn.Parameter(rustorch.tensor([1.0, -2.0]))
    >>> optimizer = rustorch.optim.NAdam([weight], lr=0.1)
    >>> optimizer.zero_grad()
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.8944, -1.8944])
    """

    __module__ = "rustorch.optim.elementwise"

    _rule = "NAdam"

    def __init__(
        self,
        params: ParamsT,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative("learning rate", lr)
        check_not_negative("epsilon value", eps)
        check_betas(betas)
        check_not_negative("weight_decay value", weight_decay)
        check_not_negative("momentum_decay value", momentum_decay)
        refuse_options("NAdam", capturable=capturable, differentiable=differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
            },
        )


class RAdam(RuleOptimizer):
    """RAdam: Adam that does without its mean square until that rests on enough gradients.

    With the gradient g of the parameter p, the step's number t, which is 1 at first, and the weight decay λ, a step is

        g ← g + λ p,  or with decoupled_weight_decay  p ← (1 - lr λ) p
        m ← β1 m + (1 - β1) g
        v ← β2 v + (1 - β2) g²
        R = 2 / (1 - β2) - 1
        r = R - 2 t β2ᵗ / (1 - β2ᵗ)
        p ← p - lr m / (1 - β1ᵗ)                                                  if r ≤ 5, else
        p ← p - lr m / (1 - β1ᵗ) · √(1 - β2ᵗ) / (√v + eps)
                · √((r - 4) (r - 2) R / ((R - 4) (R - 2) r))

    from L. Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond" (2020). The state of a parameter is
    'step', 'exp_avg' (m) and 'exp_avg_sq' (v).

    Args:
        params: what to move: tensors, pairs of name and tensor, or dictionaries with the key 'params' and a group's own
            settings, which stand in place of those given here.
        lr: the learning rate, at least 0. Default: 1e-3.
        betas: β1 and β2, each at least 0 and below 1. Default: (0.9, 0.999).
        eps: what the denominator is enlarged by, at least 0. Default: 1e-8.
        weight_decay: λ, at least 0. Default: 0.
        decoupled_weight_decay: whether the weight decay acts on the parameter, as that of AdamW. Default: False.
        foreach: without effect; PyTorch chooses an implementation by it. Default: None.
        maximize: whether to climb: g is the gradient times -1. Default: False.
        capturable: refused if True: a step is not captured in a device's graph. Default: False.
        differentiable: refused if True: autograd does not record a step. Default: False.

    Example:

    >>> weight = rustorch.nn.Parameter(rustorch.tensor([1.0, -2.0]))
    >>> optimizer = rustorch.optim.RAdam([weight], lr=0.1)
    >>> optimizer.zero_grad()
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.8000, -1.6000])
    """

    __module__ = "rustorch.optim.elementwise"

    _rule = "RAdam"

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative("learning rate", lr)
        check_not_negative("epsilon value", eps)
        check_betas(betas)
        check_not_negative("weight_decay value", weight_decay)
        refuse_options("RAdam", capturable=capturable, differentiable=differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "decoupled_weight_decay": decoupled_weight_decay,
                "differentiable": differentiable,
            },
        )
