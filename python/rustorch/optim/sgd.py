"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from rustorch import _C

from .optimizer import Optimizer, ParamsT, check_not_negative, refuse_options

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum: each parameter's update is one pass over its memory.

    With the gradient g of the parameter p, the momentum μ, the dampening τ and the weight decay λ, a step is

        g ← g + λ p
        b ← g in the first step, μ b + (1 - τ) g in the others
        d = g + μ b if nesterov, else b
        p ← p - lr d

    and without momentum p ← p - lr g. This is the momentum of I. Sutskever et al., "On the importance of
    initialization and momentum in deep learning" (2013), but with the learning rate outside of b, so that a change of
    the rate acts at once. The state of a parameter is b, under 'momentum_buffer'.

    Args:
        params: what to move: tensors, pairs of name and tensor, or dictionaries with the key 'params' and a group's own
            settings, which stand in place of those given here.
        lr: the learning rate, at least 0. Default: 1e-3.
        momentum: μ, at least 0. Default: 0.
        dampening: τ, the share of the gradient that does not enter the momentum. Default: 0.
        weight_decay: λ, at least 0. Default: 0.
        nesterov: whether to look ahead; it needs a momentum, and a dampening of 0. Default: False.
        maximize: whether to climb: g is the gradient times -1. Default: False.
        foreach: without effect; PyTorch chooses an implementation by it. Default: None.
        differentiable: refused if True: autograd does not record a step. Default: False.
        fused: without effect; PyTorch chooses an implementation by it. Default: None.

    Example:

    >>> weight = rustorch.nn.Parameter(rustorch.tensor([1.0, -2.0]))
    >>> optimizer = rustorch.optim.SGD([weight], lr=0.1, momentum=0.9)
    >>> optimizer.zero_grad()
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.8000, -1.6000])
    >>> optimizer.zero_grad()
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.4600, -0.9200])
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_not_negative("learning rate", lr)
        check_not_negative("momentum value", momentum)
        check_not_negative("weight_decay value", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        refuse_options("SGD", differentiable=differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
                "foreach": foreach,
                "differentiable": differentiable,
                "fused": fused,
            },
        )

    def _step(self, group: dict[str, Any]) -> None:
        _C._sgd_step(group, self.state)
