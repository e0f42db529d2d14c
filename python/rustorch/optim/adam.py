"""Adam and AdamW."""

from __future__ import annotations

from ._rule import RuleOptimizer, check_betas
from .optimizer import ParamsT, check_not_negative, refuse_options

__all__ = ["Adam", "AdamW"]


class Adam(RuleOptimizer):
    """Adam: steps by the running mean of the gradient, divided by the root of that of its square.

    Each parameter's update is one pass over its memory. With the gradient g of the parameter p, the step's number t,
    which is 1 at first, and the weight decay λ, a step is

        g ← g + λ p,  or with decoupled_weight_decay  p ← (1 - lr λ) p
        m ← β1 m + (1 - β1) g
        v ← β2 v + (1 - β2) g²
        p ← p - lr / (1 - β1ᵗ) · m / (√(v / (1 - β2ᵗ)) + eps)

    from D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization" (2015). With `amsgrad` the largest v so
    far stands in the last line for v: S. J. Reddi et al., "On the Convergence of Adam and Beyond" (2018). The state of
    a parameter is 'step', 'exp_avg' (m), 'exp_avg_sq' (v) and with `amsgrad` 'max_exp_avg_sq'.

    Args:
        params: what to move: tensors, pairs of name and tensor, or dictionaries with the key 'params' and a group's own
            settings, which stand in place of those given here.
        lr: the learning rate, at least 0. Default: 1e-3.
        betas: β1 and β2, each at least 0 and below 1. Default: (0.9, 0.999).
        eps: what the denominator is enlarged by, at least 0. Default: 1e-8.
        weight_decay: λ, at least 0. Default: 0.
        amsgrad: whether to divide by the largest mean square so far. Default: False.
        foreach: without effect; PyTorch chooses an implementation by it. Default: None.
        maximize: whether to climb: g is the gradient times -1. Default: False.
        capturable: refused if True: a step is not captured in a device's graph. Default: False.
        differentiable: refused if True: autograd does not record a step. Default: False.
        fused: without effect; PyTorch chooses an implementation by it. Default: None.
        decoupled_weight_decay: whether the weight decay acts on the parameter, as that of AdamW. Default: False.

    Example:

    >>> weight = rustorch.nn.Parameter(rustorch.tensor([1.0, -2.0]))
    >>> optimizer = rustorch.optim.Adam([weight], lr=0.1)
    >>> optimizer.zero_grad()
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.9000, -1.9000])
    """

    _rule = "Adam"

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_not_negative("learning rate", lr)
        check_not_negative("epsilon value", eps)
        check_betas(betas)
        check_not_negative("weight_decay value", weight_decay)
        refuse_options(type(self).__name__, capturable=capturable, differentiable=differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
                "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )


class AdamW(Adam):
    """Adam whose weight decay acts on the parameter itself, not on the gradient.

    A step is that of Adam, which names the symbols, with p ← (1 - lr λ) p before it: I. Loshchilov and F. Hutter,
    "Decoupled Weight Decay Regularization" (2019).

    Args:
        params: what to move: tensors, pairs of name and tensor, or dictionaries with the key 'params' and a group's own
            settings, which stand in place of those given here.
        lr: the learning rate, at least 0. Default: 1e-3.
        betas: β1 and β2, each at least 0 and below 1. Default: (0.9, 0.999).
        eps: what the denominator is enlarged by, at least 0. Default: 1e-8.
        weight_decay: λ, at least 0. Default: 0.01.
        amsgrad: whether to divide by the largest mean square so far. Default: False.
        maximize: whether to climb: g is the gradient times -1. Default: False.
        foreach: without effect; PyTorch chooses an implementation by it. Default: None.
        capturable: refused if True: a step is not captured in a device's graph. Default: False.
        differentiable: refused if True: autograd does not record a step. Default: False.
        fused: without effect; PyTorch chooses an implementation by it. Default: None.

    Example:

    >>> weight = rustorch.nn.Parameter(rustorch.tensor([1.0, -2.0]))
    >>> optimizer = rustorch.optim.AdamW([weight], lr=0.1, weight_decay=0.5)
    >>> optimizer.zero_grad()
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.8500, -1.8000])
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
