"""Signal processing."""

from rustorch.signal import windows

__all__ = ["windows"]
