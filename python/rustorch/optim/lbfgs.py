"""L-BFGS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rustorch
from rustorch import _C
from rustorch._C import Tensor

from ._line_search import strong_wolfe
from .optimizer import Optimizer, ParamsT, check_not_negative

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """L-BFGS: quasi-Newton steps by an estimate of the inverse Hessian that rests on the last changes of the gradient.

    step() needs a closure, which it calls several times: it forgets the gradients, computes the loss, calls backward
    and gives the loss back. All parameters count as one vector x with the gradient g. An iteration is

        x ← x + t d,  d = -H g

    where H is never formed: the two loops of D. C. Liu and J. Nocedal, "On the limited memory BFGS method for large
    scale optimization" (1989), compute d from the last `history_size` changes of x and g. t is lr, in the first
    iteration lr min(1, 1 / Σ|g|), or what the line search finds. A step ends after `max_iter` iterations or `max_eval`
    calls, or within one of the tolerances. It is for whole sets of data: the loss must not change between calls.

    Args:
        params: what to move: tensors or pairs of name and tensor, as in Optimizer, but in one group alone.
        lr: the length of the steps, at least 0. Default: 1.
        max_iter: the most iterations of a step. Default: 20.
        max_eval: the most calls of the closure in a step; None for 5 for every 4 of max_iter. Default: None.
        tolerance_grad: the largest element of g at which to stop. Default: 1e-7.
        tolerance_change: the change of x or of the loss at which to stop. Default: 1e-9.
        history_size: how many changes to remember. Default: 100.
        line_search_fn: 'strong_wolfe' for a search along d, None for none. Default: None.

    Example:

    >>> weight = rustorch.nn.Parameter(rustorch.tensor([3.0, -2.0]))
    >>> optimizer = rustorch.optim.LBFGS([weight], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (weight[0] - 1) ** 2 + 10 * (weight[1] - 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> start = optimizer.step(closure)
    >>> float(start)
    164.0
    >>> float(closure()) < 1e-6
    True
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_not_negative("learning rate", lr)
        if line_search_fn not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Iterates up to `max_iter` times; gives the loss at the start."""
        if closure is None:
            raise TypeError("LBFGS.step() needs a closure that computes the loss and its gradients")
        for hook in tuple(self._pre_hooks.values()):
            hook(self, (closure,), {})
        before = _C._set_grad_enabled(False)
        try:
            loss = self._iterate(closure)
        finally:
            _C._set_grad_enabled(before)
        for hook in tuple(self._post_hooks.values()):
            hook(self, (closure,), {})
        return loss

    @property
    def _params(self) -> list[Tensor]:
        params: list[Tensor] = self.param_groups[0]["params"]
        return params

    def _gradient(self) -> Tensor:
        """All gradients in one row."""
        return rustorch.cat([(rustorch.zeros_like(p) if p.grad is None else p.grad).reshape(-1) for p in self._params])

    def _add(self, direction: Tensor, step: float) -> None:
        offset = 0
        for param in self._params:
            param.add_(direction[offset : offset + param.numel()].view(param.shape), alpha=step)
            offset += param.numel()

    def _loss_at(
        self, closure: Callable[[], Any], start: list[Tensor], direction: Tensor, step: float
    ) -> tuple[float, Tensor]:
        """Loss and gradient at a distance from `start`, to which the parameters return."""
        self._add(direction, step)
        loss = _evaluate(closure)
        gradient = self._gradient()
        for param, value in zip(self._params, start, strict=True):
            param.copy_(value)
        return loss[1], gradient

    def _iterate(self, closure: Callable[[], Any]) -> Any:
        group = self.param_groups[0]
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first, loss = _evaluate(closure)
        evaluations = 1
        state["func_evals"] += 1
        gradient = self._gradient()
        if float(gradient.abs().max().item()) <= group["tolerance_grad"]:
            return first
        for i in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = self._direction(state, gradient, group["history_size"])
            previous = loss
            state["prev_flat_grad"], state["prev_loss"] = gradient.clone(), loss
            step = float(group["lr"])
            if state["n_iter"] == 1:
                step *= min(1.0, 1.0 / float(gradient.abs().sum().item()))
            state["d"], state["t"] = direction, step
            slope = float(gradient.dot(direction).item())
            if slope > -group["tolerance_change"]:
                break
            used = 0
            if group["line_search_fn"] is not None:
                start = [param.clone() for param in self._params]

                def loss_at(t: float, d: Tensor = direction, x: list[Tensor] = start) -> tuple[float, Tensor]:
                    return self._loss_at(closure, x, d, t)

                loss, gradient, step, used = strong_wolfe(
                    loss_at, direction, step, loss, gradient, slope, most=min(25, group["max_eval"] - evaluations)
                )
                state["t"] = step
                self._add(direction, step)
            else:
                self._add(direction, step)
                if i != group["max_iter"]:
                    loss, gradient, used = _evaluate(closure)[1], self._gradient(), 1
            evaluations += used
            state["func_evals"] += used
            if i == group["max_iter"] or evaluations >= group["max_eval"]:
                break
            if float(gradient.abs().max().item()) <= group["tolerance_grad"]:
                break
            if float((direction * step).abs().max().item()) <= group["tolerance_change"]:
                break
            if abs(loss - previous) < group["tolerance_change"]:
                break
        return first

    @staticmethod
    def _direction(state: dict[str, Any], gradient: Tensor, history: int) -> Tensor:
        """The two loops over the remembered changes of gradient and position."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return -gradient
        change, moved = gradient - state["prev_flat_grad"], state["d"] * state["t"]
        product = change.dot(moved)
        old_dirs, old_stps, ro = state["old_dirs"], state["old_stps"], state["ro"]
        if float(product.item()) > 1e-10:
            if len(old_dirs) == history:
                for remembered in (old_dirs, old_stps, ro):
                    remembered.pop(0)
            old_dirs.append(change)
            old_stps.append(moved)
            ro.append(1.0 / product)
            state["H_diag"] = product / change.dot(change)
        state.setdefault("al", [None] * history)
        shares = state["al"]
        direction: Tensor = -gradient
        for i in reversed(range(len(old_dirs))):
            shares[i] = old_stps[i].dot(direction) * ro[i]
            direction = direction - old_dirs[i] * shares[i]
        direction = direction * state["H_diag"]
        for i in range(len(old_dirs)):
            direction = direction + old_stps[i] * (shares[i] - old_dirs[i].dot(direction) * ro[i])
        return direction


def _evaluate(closure: Callable[[], Any]) -> tuple[Any, float]:
    """What the closure gives, and that as a number."""
    before = _C._set_grad_enabled(True)
    try:
        loss = closure()
    finally:
        _C._set_grad_enabled(before)
    return loss, float(loss)
