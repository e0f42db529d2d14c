"""Settings of the process, and small questions about tensors, under PyTorch's names."""

from __future__ import annotations

from typing import Any

from rustorch import _C
from rustorch._C import Tensor

__all__ = [
    "get_deterministic_debug_mode",
    "get_device",
    "get_num_interop_threads",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_inference",
    "is_signed",
    "is_storage",
    "is_warn_always_enabled",
    "set_anomaly_enabled",
    "set_deterministic_debug_mode",
    "set_flush_denormal",
    "set_num_interop_threads",
    "set_warn_always",
    "use_deterministic_algorithms",
]


class _Settings:
    warn_only = False
    warn_always = False
    interop_threads: int | None = None


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Set whether ops give the same bits every time (True). False allows atomic additions on GPUs.

    Every op has a deterministic way, so that `warn_only` has nothing to warn of.

    >>> rustorch.use_deterministic_algorithms(True)
    >>> rustorch.are_deterministic_algorithms_enabled()
    True
    """
    _C.use_deterministic_algorithms(mode, warn_only=warn_only)
    _Settings.warn_only = bool(warn_only)


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether `use_deterministic_algorithms` was last called with `warn_only`."""
    return _Settings.warn_only


_MODES = ("default", "warn", "error")


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """`use_deterministic_algorithms` by one of 'default', 'warn' and 'error', or 0, 1 and 2."""
    if debug_mode not in (*_MODES, *range(len(_MODES))):
        raise ValueError(f"set_deterministic_debug_mode(): expected one of {_MODES} or 0, 1, 2, but got {debug_mode!r}")
    mode = debug_mode if isinstance(debug_mode, int) else _MODES.index(debug_mode)
    use_deterministic_algorithms(mode > 0, warn_only=mode == 1)


def get_deterministic_debug_mode() -> int:
    """What `set_deterministic_debug_mode` set: 0, 1 or 2."""
    if not _C.are_deterministic_algorithms_enabled():
        return 0
    return 1 if _Settings.warn_only else 2


def get_num_interop_threads() -> int:
    """The number that `set_num_interop_threads` set; by default that of `get_num_threads`."""
    return _Settings.interop_threads or _C.get_num_threads()


def set_num_interop_threads(num: int, /) -> None:
    """Set how many ops may run beside each other. It can be set once.

    RusTorch runs an op on the thread that calls it, so that the number only comes back from `get_num_interop_threads`.
    """
    if not isinstance(num, int) or isinstance(num, bool) or num < 1:
        raise RuntimeError(f"set_num_interop_threads(): expected a positive integer, but got {num!r}")
    if _Settings.interop_threads is not None:
        raise RuntimeError(
            "set_num_interop_threads(): the number of interop threads was set already; it can be set once"
        )
    _Settings.interop_threads = num


def set_flush_denormal(mode: bool, /) -> bool:
    """Whether denormal numbers are flushed to zero as wanted: RusTorch keeps them, so that True gives False.

    >>> rustorch.set_flush_denormal(True)
    False
    >>> rustorch.tensor([1e-310], dtype=rustorch.float64) + 0 > 0
    tensor([True])
    """
    if not isinstance(mode, bool):
        raise TypeError(f"set_flush_denormal(): expected a bool, but got {type(mode).__name__}")
    return not mode


def set_warn_always(b: bool, /) -> None:
    """Set whether PyTorch's warnings that appear once appear every time (False).

    It comes back from `is_warn_always_enabled`. RusTorch has one such warning, that a device lacks an op, which
    `backends.reset_fallbacks()` lets appear again.
    """
    if not isinstance(b, bool):
        raise TypeError(f"set_warn_always(): expected a bool, but got {type(b).__name__}")
    _Settings.warn_always = b


def is_warn_always_enabled() -> bool:
    """What `set_warn_always` set."""
    return _Settings.warn_always


def is_anomaly_enabled() -> bool:
    """Whether backward looks for the op that made a gradient NaN."""
    return _C._is_anomaly_enabled()[0]


def is_anomaly_check_nan_enabled() -> bool:
    """Whether backward, where it looks for anomalies, takes NaN for one."""
    return _C._is_anomaly_enabled()[1]


def set_anomaly_enabled(mode: bool, check_nan: bool = True) -> None:
    """Set whether backward looks for anomalies, and whether NaN is one."""
    _C._set_anomaly_enabled(mode, check_nan)


def get_device(input: Tensor) -> int:
    """The index of a tensor's device, -1 of the CPU.

    >>> rustorch.get_device(rustorch.ones(2))
    -1
    """
    return input.get_device()


def is_inference(input: Tensor) -> bool:
    """Whether a tensor was made inside of `inference_mode`.

    >>> with rustorch.inference_mode():
    ...     x = rustorch.ones(2)
    >>> rustorch.is_inference(x)
    True
    """
    return input.is_inference()


def is_signed(input: Tensor) -> bool:
    """Whether the dtype has negative numbers.

    >>> rustorch.is_signed(rustorch.ones(2)), rustorch.is_signed(rustorch.ones(2, dtype=rustorch.uint8))
    (True, False)
    """
    return input.is_signed()


def is_storage(obj: object) -> bool:
    """Whether an object is a storage, typed or of bytes.

    >>> rustorch.is_storage(rustorch.ones(2).storage()), rustorch.is_storage(rustorch.ones(2))
    (True, False)
    """
    if isinstance(obj, _C.UntypedStorage):
        return True
    from rustorch.storage import TypedStorage

    return isinstance(obj, TypedStorage)


def _assert(condition: Any, message: str) -> None:
    """`assert condition, message` as a function."""
    assert condition, message
