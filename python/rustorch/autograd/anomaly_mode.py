"""Finding the op that made a gradient NaN."""

from __future__ import annotations

from rustorch._C import _is_anomaly_enabled, _set_anomaly_enabled

__all__ = ["detect_anomaly", "is_anomaly_enabled", "set_detect_anomaly"]


def is_anomaly_enabled() -> bool:
    """Whether backward looks for NaN."""
    return _is_anomaly_enabled()[0]


class set_detect_anomaly:
    """Set at once whether backward looks for NaN; as a context manager it sets back what was before.

    An op then remembers where in the program it was called. A gradient function that gives NaN, or fails, raises an
    error that says which, and where its forward was. This costs time.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = _is_anomaly_enabled()
        _set_anomaly_enabled(mode, check_nan)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exception: object) -> None:
        _set_anomaly_enabled(*self.before)


class detect_anomaly:
    """As ``set_detect_anomaly(True)``, while a ``with`` block runs."""

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan

    def __enter__(self) -> None:
        self.mode = set_detect_anomaly(True, self.check_nan)

    def __exit__(self, *exception: object) -> None:
        self.mode.__exit__()
