"""Optimizers whose update of a parameter is one elementwise program: each is its settings and their limits."""

from __future__ import annotations

from ._rule import RuleOptimizer

# Their pickles name this module.
from .adam_variants import Adamax as Adamax, NAdam as NAdam, RAdam as RAdam
from .optimizer import ParamsT, check_not_negative, refuse_options

__all__ = ["ASGD", "Adadelta", "Adagrad", "Adamax", "NAdam", "RAdam", "RMSprop", "Rprop"]


class Adagrad(RuleOptimizer):
    """Adagrad: steps shrink with the sum of squared gradients.

    With the gradient g of the parameter p, the step's number t, which is 1 at first, and the weight decay λ, a step is

        g ← g + λ p
        s ← s + g²
        p ← p - lr / (1 + (t - 1) lr_decay) · g / (√s + eps)

    from J. Duchi, E. Hazan and Y. Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic
    Optimization" (2011). The state of a parameter is 'step' and 'sum' (s), made at its first step.

    Args:
        params: what to move: tensors, pairs of name and tensor, or dictionaries with the key 'params' and a group's own
            settings, which stand in place of those given here.
        lr: the learning rate, at least 0. Default: 1e-2.
        lr_decay: how fast the rate falls with the number of steps, at least 0. Default: 0.
        weight_decay: λ, at least 0. Default: 0.
        initial_accumulator_value: s before the first step, at least 0. Default: 0.
        eps: what the denominator is enlarged by, at least 0. Default: 1e-10.
        foreach: without effect; PyTorch chooses an implementation by it. Default: None.
        maximize: whether to climb: g is the gradient times -1. Default: False.
        differentiable: refused if True: autograd does not record a step. Default: False.
        fused: without effect; PyTorch chooses an implementation by it. Default: None.

    Example:

    >>> weight = rustorch.nn.Parameter(rustorch.tensor([1.0, -2.0]))
    >>> optimizer = rustorch.optim.Adagrad([weight], lr=0.1)
    >>> optimizer.zero_grad()
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.9000, -1.9000])
    """

    _rule = "Adagrad"

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_not_negative("learning rate", lr)
        check_not_negative("lr_decay value", lr_decay)
        check_not_negative("weight_decay value", weight_decay)
        check_not_negative("initial_accumulator_value value", initial_accumulator_value)
        check_not_negative("epsilon value", eps)
        refuse_options("Adagrad", differentiable=differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "eps": eps,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "fused": fused,
            },
        )


class Adadelta(RuleOptimizer):
    """Adadelta: steps in the proportion of past steps to past gradients.

    With the gradient g of the parameter p and the weight decay λ, a step is

        g ← g + λ p
        v ← ρ v + (1 - ρ) g²
        d = √(u + eps) / √(v + eps) · g
        u ← ρ u + (1 - ρ) d²
        p ← p - lr d

    from M. D. Zeiler, "ADADELTA: An Adaptive Learning Rate Method" (2012). The state of a parameter is 'step',
    'square_avg' (v) and 'acc_delta' (u).

    Args:
        params: what to move: tensors, pairs of name and tensor, or dictionaries with the key 'params' and a group's own
            settings, which stand in place of those given here.
        lr: the factor of the steps, at least 0. Default: 1.0.
        rho: ρ, the share of the means that is kept, from 0 to 1. Default: 0.9.
        eps: what both means are enlarged by, at least 0; the first steps are about its root long. Default: 1e-6.
        weight_decay: λ, at least 0. Default: 0.
        foreach: without effect; PyTorch chooses an implementation by it. Default: None.
        capturable: refused if True: a step is not captured in a device's graph. Default: False.
        maximize: whether to climb: g is the gradient times -1. Default: False.
        differentiable: refused if True: autograd does not record a step. Default: False.

    Example:

    >>> weight = rustorch.nn.Parameter(rustorch.tensor([1.0, -2.0]))
    >>> optimizer = rustorch.optim.Adadelta([weight])
    >>> optimizer.zero_grad()
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.9968, -1.9968])
    """

    _rule = "Adadelta"

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative("learning rate", lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_not_negative("epsilon value", eps)
        check_not_negative("weight_decay value", weight_decay)
        refuse_options("Adadelta", capturable=capturable, differentiable=differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "rho": rho,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
                "capturable": capturable,
                "foreach": foreach,
                "differentiable": differentiable,
            },
        )


class RMSprop(RuleOptimizer):
    """RMSprop: steps divided by the running root mean square of the gradient.

    With the gradient g of the parameter p, the momentum μ and the weight decay λ, a step is

        g ← g + λ p
        v ← α v + (1 - α) g²
        d = g / (√v + eps)
        b ← μ b + d
        p ← p - lr b

    from T. Tieleman and G. Hinton's lecture "RMSprop" (2012). If `centered`, the running mean a ← α a + (1 - α) g is
    taken into account, and v - a² stands in the third line for v: A. Graves, "Generating Sequences With Recurrent
    Neural Networks" (2013). The state of a parameter is 'step', 'square_avg' (v), with a momentum 'momentum_buffer'
    (b), and if centered 'grad_avg' (a).

    Args:
        params: what to move: tensors, pairs of name and tensor, or dictionaries with the key 'params' and a group's own
            settings, which stand in place of those given here.
        lr: the learning rate, at least 0. Default: 1e-2.
        alpha: α, the share of the means that is kept, at least 0. Default: 0.99.
        eps: what the denominator is enlarged by, at least 0. Default: 1e-8.
        weight_decay: λ, at least 0. Default: 0.
        momentum: μ, at least 0. Default: 0.
        centered: whether to divide by the deviation from the mean gradient. Default: False.
        capturable: refused if True: a step is not captured in a device's graph. Default: False.
        foreach: without effect; PyTorch chooses an implementation by it. Default: None.
        maximize: whether to climb: g is the gradient times -1. Default: False.
        differentiable: refused if True: autograd does not record a step. Default: False.

    Example:

    >>> weight = rustorch.nn.Parameter(rustorch.tensor([1.0, -2.0]))
    >>> optimizer = rustorch.optim.RMSprop([weight], lr=0.01)
    >>> optimizer.zero_grad()
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.9000, -1.9000])
    """

    _rule = "RMSprop"

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative("learning rate", lr)
        check_not_negative("epsilon value", eps)
        check_not_negative("momentum value", momentum)
        check_not_negative("weight_decay value", weight_decay)
        check_not_negative("alpha value", alpha)
        refuse_options("RMSprop", capturable=capturable, differentiable=differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "alpha": alpha,
                "eps": eps,
                "centered": centered,
                "weight_decay": weight_decay,
                "capturable": capturable,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
            },
        )


class Rprop(RuleOptimizer):
    """Rprop: step sizes that follow the gradient's signs alone.

    With the gradient g of the parameter p, and that of the step before, g', an element has a step size s, at first lr:

        s ← η⁺ s where g g' > 0,  η⁻ s where g g' < 0,  limited to the step sizes
        g ← 0 where g g' < 0
        p ← p - s sign(g)

    from M. Riedmiller and H. Braun, "A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP
    Algorithm" (1993). It is for whole sets of data: gradients of small batches change their signs by chance. The state
    of a parameter is 'step', 'prev' (g') and 'step_size' (s).

    Args:
        params: what to move: tensors, pairs of name and tensor, or dictionaries with the key 'params' and a group's own
            settings, which stand in place of those given here.
        lr: the first step size, at least 0. Default: 1e-2.
        etas: η⁻, above 0 and below 1, and η⁺, above 1. Default: (0.5, 1.2).
        step_sizes: the least and the largest step size. Default: (1e-6, 50).
        capturable: refused if True: a step is not captured in a device's graph. Default: False.
        foreach: without effect; PyTorch chooses an implementation by it. Default: None.
        maximize: whether to climb: g is the gradient times -1. Default: False.
        differentiable: refused if True: autograd does not record a step. Default: False.

    Example:

    >>> weight = rustorch.nn.Parameter(rustorch.tensor([1.0, -2.0]))
    >>> optimizer = rustorch.optim.Rprop([weight], lr=0.1)
    >>> optimizer.zero_grad()
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.9000, -1.9000])
    >>> optimizer.zero_grad()
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.7800, -1.7800])
    """

    _rule = "Rprop"

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative("learning rate", lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        refuse_options("Rprop", capturable=capturable, differentiable=differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "etas": etas,
                "step_sizes": step_sizes,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )


class ASGD(RuleOptimizer):
    """Averaged stochastic gradient descent: descent, and beside it the mean of where the parameter was.

    With the gradient g of the parameter p, the step's number t, which is 1 at first, and the weight decay λ, a step is

        g ← g + λ p
        p ← (1 - lambd η) p - η g
        x ← x + μ (p - x)
        η ← lr / (1 + lambd lr t)^alpha,  at first lr
        μ ← 1 / max(1, t - t0),  at first 1

    from B. T. Polyak and A. B. Juditsky, "Acceleration of Stochastic Approximation by Averaging" (1992). The mean is
    not put in the parameter's place: it is in the state, under 'ax', beside 'step', 'eta' and 'mu'. Until step t0 it
    is p itself.

    Args:
        params: what to move: tensors, pairs of name and tensor, or dictionaries with the key 'params' and a group's own
            settings, which stand in place of those given here.
        lr: the learning rate at the start, at least 0. Default: 1e-2.
        lambd: how fast the parameter decays, and the learning rate falls. Default: 1e-4.
        alpha: the power of the learning rate's fall. Default: 0.75.
        t0: the step from which on the mean is taken. Default: 1e6.
        weight_decay: λ, at least 0. Default: 0.
        foreach: without effect; PyTorch chooses an implementation by it. Default: None.
        maximize: whether to climb: g is the gradient times -1. Default: False.
        differentiable: refused if True: autograd does not record a step. Default: False.
        capturable: refused if True: a step is not captured in a device's graph. Default: False.

    Example:

    >>> weight = rustorch.nn.Parameter(rustorch.tensor([1.0, -2.0]))
    >>> optimizer = rustorch.optim.ASGD([weight], lr=0.1, t0=1)
    >>> optimizer.zero_grad()
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([ 0.8000, -1.6000])
    >>> optimizer.state[weight]["ax"]
    tensor([ 0.8000, -1.6000])
    """

    _rule = "ASGD"

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_not_negative("learning rate", lr)
        check_not_negative("weight_decay value", weight_decay)
        refuse_options("ASGD", capturable=capturable, differentiable=differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "lambd": lambd,
                "alpha": alpha,
                "t0": t0,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )
