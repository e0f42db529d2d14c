"""Automatic differentiation."""

from rustorch import _C
from rustorch._lazy import getter as _getter
from rustorch._naming import named as _named
from rustorch.autograd.anomaly_mode import detect_anomaly, set_detect_anomaly
from rustorch.autograd.function import Function
from rustorch.autograd.grad_mode import (
    enable_grad,
    inference_mode,
    no_grad,
    set_grad_enabled,
    set_multithreading_enabled,
)
from rustorch.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from rustorch.autograd.variable import Variable

backward, grad = _named(_C._backward), _named(_C._grad)

__all__ = [
    "Function",
    "GradcheckError",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
    "set_multithreading_enabled",
]

# Imported when they are first used.
_SUBMODULES = frozenset({"functional", "graph"})
__getattr__ = _getter(__name__, _SUBMODULES)
