"""Adafactor."""

from __future__ import annotations

from typing import Any

import rustorch
from rustorch import _C
from rustorch._C import Tensor

from .optimizer import Optimizer, ParamsT, check_not_negative

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Adafactor: the mean square of a matrix's gradient is kept as the means of its rows and columns.

    A matrix of n × m has n + m numbers of state in place of n m. With the gradient g of the parameter p, the step's
    number t, which is 1 at first, the weight decay λ, and rms(x) = √mean(x²), a step is

        p ← (1 - lr λ) p
        s = t^beta2_decay
        r ← (1 - s) r + s mean(g², over columns)
        c ← (1 - s) c + s mean(g², over rows)
        v = r c / mean(r),  at least eps1²
        u = g / √v
        p ← p - max(eps2, rms(p)) min(lr, 1 / √t) · u / max(1, rms(u) / d)

    from N. Shazeer and M. Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost" (2018). rms(p) is
    that before the decay. The leading dimensions of a parameter with more than two count matrices; one with fewer has
    v ← (1 - s) v + s g². The state of a parameter is 'step', and 'row_var' (r) and 'col_var' (c) or 'variance' (v).

    Args:
        params: what to move: tensors, pairs of name and tensor, or dictionaries with the key 'params' and a group's own
            settings, which stand in place of those given here.
        lr: the largest relative step, at least 0. Default: 1e-2.
        beta2_decay: the power of t by which the newest gradient's share falls, at most 0. Default: -0.8.
        eps: eps1, None for the spacing of the parameter's dtype at 1, and eps2, each at least 0. Default: (None, 1e-3).
        d: how large the root mean square of u may be, at least 1. Default: 1.0.
        weight_decay: λ, at least 0. Default: 0.0.
        foreach: without effect; PyTorch chooses an implementation by it. Default: None.
        maximize: whether to climb: g is the gradient times -1. Default: False.

    Example:

    >>> weight = rustorch.nn.Parameter(rustorch.tensor([[1.0, -2.0], [2.0, 1.0]]))
    >>> optimizer = rustorch.optim.Adafactor([weight], lr=0.1)
    >>> optimizer.zero_grad()
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> weight.detach()
    tensor([[ 0.9000, -1.8000],
            [ 1.8000,  0.9000]])
    >>> sorted(optimizer.state[weight])
    ['col_var', 'row_var', 'step']
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check_not_negative("learning rate", lr)
        if beta2_decay > 0.0:
            raise ValueError(f"Invalid beta2_decay value: {beta2_decay}")
        if eps[0] is not None:
            check_not_negative("epsilon1 value", eps[0])
        check_not_negative("epsilon2 value", eps[1])
        if d < 1.0:
            raise ValueError(f"Invalid clipping threshold d value: {d}")
        check_not_negative("weight_decay value", weight_decay)
        super().__init__(
            params,
            {
                "lr": lr,
                "beta2_decay": beta2_decay,
                "eps": eps,
                "d": d,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
            },
        )

    def _step(self, group: dict[str, Any]) -> None:
        with rustorch.no_grad():
            for param in group["params"]:
                if param.grad is not None:
                    self._move(param, -param.grad if group["maximize"] else param.grad, group)

    def _move(self, param: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        state = self.state[param]
        if not state:
            state["step"] = _C.tensor(0.0, dtype=_C.float32)
            if param.ndim > 1:
                state["row_var"] = rustorch.zeros_like(grad[..., :1])
                state["col_var"] = rustorch.zeros_like(grad[..., :1, :])
            else:
                state["variance"] = rustorch.zeros_like(grad)
        state["step"] += 1
        step = float(state["step"].item())
        eps1, eps2 = group["eps"]
        if eps1 is None:
            eps1 = rustorch.finfo(param.dtype).eps
        share = step ** group["beta2_decay"]
        rate = min(float(group["lr"]), 1 / step**0.5)
        alpha = max(eps2, float(param.norm().item()) / param.numel() ** 0.5) * rate
        if group["weight_decay"] != 0:
            param.mul_(1 - float(group["lr"]) * group["weight_decay"])
        if grad.ndim > 1:
            row, column = state["row_var"], state["col_var"]
            row.lerp_(grad.square().mean(-1, keepdim=True), share)
            column.lerp_(grad.square().mean(-2, keepdim=True), share)
            variance = row @ column / row.mean(-2, keepdim=True).clamp(min=eps1)
        else:
            state["variance"].lerp_(grad.square(), share)
            variance = state["variance"]
        update = grad * variance.clamp(min=eps1 * eps1).rsqrt()
        too_long = max(1.0, float(update.norm().item()) / (update.numel() ** 0.5 * group["d"]))
        param.add_(update, alpha=-alpha / too_long)
