"""What happens when a device lacks an op: it runs on the CPU, warns once, and is counted.

``rustorch.backends.strict = True`` makes it an error instead. The modules below have PyTorch's settings of libraries.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

from rustorch import _C
from rustorch._lazy import getter as _getter

if TYPE_CHECKING:
    from rustorch.backends import (
        cpu as cpu,
        cuda as cuda,
        cudnn as cudnn,
        mkl as mkl,
        mkldnn as mkldnn,
        mps as mps,
        openmp as openmp,
        opt_einsum as opt_einsum,
    )

__all__ = ["fallbacks", "reset_fallbacks", "strict"]

strict: bool
"""Whether an op that a device lacks raises BackendUnavailableError instead of running on the CPU (False)."""


def fallbacks() -> dict[tuple[str, str], int]:
    """How often each op ran on the CPU because its device lacks it, by (device type, op).

    >>> rustorch.backends.fallbacks()
    {}
    """
    return _C._fallbacks()


def reset_fallbacks() -> None:
    """Counts from 0 again, and warns again.

    >>> rustorch.backends.reset_fallbacks()
    """
    _C._reset_fallbacks()


class _Backends(ModuleType):
    """The module with its one setting, which the core holds."""

    @property
    def strict(self) -> bool:
        return _C._is_strict()

    @strict.setter
    def strict(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise TypeError(f"rustorch.backends.strict must be a bool, not {type(value).__name__}")
        _C._set_strict(value)


sys.modules[__name__].__class__ = _Backends

# Imported when they are first used.
__getattr__ = _getter(__name__, frozenset({"cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp", "opt_einsum"}))
