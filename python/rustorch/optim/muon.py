"""Muon."""

from __future__ import annotations

from typing import Any

import rustorch
from rustorch._C import Tensor

from .optimizer import Optimizer, ParamsT, check_not_negative

__all__ = ["Muon"]


class Muon(Optimizer):
    """Muon: the momentum of a matrix, made nearly orthogonal, is the step.

    With the gradient g of the parameter p (n × m), the momentum μ and the weight decay λ, a step is

        b ← μ b + (1 - μ) g
        x = (1 - μ) g + μ b if nesterov, else b
        x ← x / max(‖x‖, eps), and ns_steps times  x ← a x + (b' x xᵀ + c' (x xᵀ)²) x
        p ← (1 - lr λ) p - lr f x

    where (a, b', c') are `ns_coefficients`, by which the iteration of Newton and Schulz brings the singular values
    near 1 (of a matrix with more rows than columns, xᵀ is iterated). It is computed in bfloat16. f is √max(1, n / m),
    or with 'match_rms_adamw' 0.2 √max(n, m). From K. Jordan et al., "Muon: An optimizer for hidden layers in neural
    networks" (2024), and for the second factor J. Liu et al., "Muon is Scalable for LLM Training" (2025). The state of
    a parameter is b, under 'momentum_buffer'.

    Args:
        params: matrices, as in Optimizer; a parameter that has not two dimensions is a ValueError, and is for AdamW.
        lr: the learning rate, at least 0. Default: 1e-3.
        weight_decay: λ, at least 0. Default: 0.1.
        momentum: μ, at least 0. Default: 0.95.
        nesterov: whether the newest gradient counts twice. Default: True.
        ns_coefficients: a, b' and c'. Default: (3.4445, -4.775, 2.0315).
        eps: the least norm by which is divided. Default: 1e-7.
        ns_steps: how often to iterate, less than 100. Default: 5.
        adjust_lr_fn: which factor f: 'original', 'match_rms_adamw', or None, which is 'original'. Default: None.

    Example:

    >>> weight = rustorch.nn.Parameter(rustorch.ones(4, 3))
    >>> optimizer = rustorch.optim.Muon([weight], lr=0.1)
    >>> optimizer.zero_grad()
    >>> weight.square().sum().backward()
    >>> optimizer.step()
    >>> bool((weight < 1).all())
    True
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        check_not_negative("learning rate", lr)
        check_not_negative("momentum value", momentum)
        check_not_negative("weight_decay value", weight_decay)
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        if ns_steps >= 100:
            raise ValueError("Number of steps must be less than 100 for computational efficiency")
        if len(ns_coefficients) != 3:
            raise ValueError("Coefficients must be a tuple of exactly 3 values")
        super().__init__(
            params,
            {
                "lr": lr,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "nesterov": nesterov,
                "ns_coefficients": ns_coefficients,
                "eps": eps,
                "ns_steps": ns_steps,
                "adjust_lr_fn": adjust_lr_fn,
            },
        )
        for group in self.param_groups:
            for param in group["params"]:
                if param.ndim != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {param.size()}"
                    )

    def _step(self, group: dict[str, Any]) -> None:
        with rustorch.no_grad():
            for param in group["params"]:
                if param.grad is not None:
                    self._move(param, param.grad, group)

    def _move(self, param: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        state = self.state[param]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = rustorch.zeros_like(grad)
        buffer = state["momentum_buffer"]
        buffer.lerp_(grad, 1 - group["momentum"])
        direction = grad.lerp(buffer, group["momentum"]) if group["nesterov"] else buffer
        direction = _orthogonal(direction, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, columns = param.shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            factor = 0.2 * max(rows, columns) ** 0.5
        else:
            factor = max(1.0, rows / columns) ** 0.5
        lr = float(group["lr"])
        param.mul_(1 - lr * group["weight_decay"])
        param.add_(direction.to(param.dtype), alpha=-lr * factor)


def _orthogonal(matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """A matrix with the same singular vectors and singular values near 1, computed in bfloat16."""
    a, b, c = coefficients
    x = matrix.to(rustorch.bfloat16)
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.t()
    x = (x / x.norm().clamp(min=eps)).to(rustorch.float32)
    for _ in range(steps):
        gram = _half(x @ x.t())
        x = _half(a * x + _half(b * gram + c * (gram @ gram)) @ x)
    x = x.to(rustorch.bfloat16)
    return x.t() if tall else x


def _half(matrix: Tensor) -> Tensor:
    """Rounded to bfloat16, which products and sums in float32 are once."""
    return matrix.to(rustorch.bfloat16).to(rustorch.float32)
