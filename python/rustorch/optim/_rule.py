"""What optimizers share whose update of a parameter is one elementwise program."""

from __future__ import annotations

from typing import Any

from rustorch import _C

from .optimizer import Optimizer


def check_betas(betas: tuple[float, float]) -> None:
    """Refuses shares of running means that keep nothing new."""
    for i, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")


class RuleOptimizer(Optimizer):
    """One pass over memory per parameter."""

    def _step(self, group: dict[str, Any]) -> None:
        _C._rule_step(type(self)._rule, group, self.state)

    _rule: str
