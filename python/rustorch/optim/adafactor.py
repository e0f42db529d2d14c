"""Adafactor."""

from __future__ import annotations

from typing import Any

import rustorch
from rustorch import _C
from rustorch._C import Tensor

from .optimizer import Optimizer, ParamsT, check_not_negative

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Adafactor (N. Shazeer and M. Stern, 2018): the mean square of a matrix's gradient is kept as rows and columns."""

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
