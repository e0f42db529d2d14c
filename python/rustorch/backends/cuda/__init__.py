"""What GPUs of NVIDIA's are used with."""

from __future__ import annotations

from typing import Any

from rustorch.backends.cuda import matmul as matmul

__all__ = ["is_built", "matmul"]


def is_built() -> bool:
    """Whether RusTorch can use GPUs of NVIDIA's: it opens their driver when one is asked for."""
    return True


class _Choice:
    """A way of computing attention that may be allowed: kept, while RusTorch has one way."""

    def __init__(self) -> None:
        self.allowed = True


_flash, _memory_efficient, _math, _cudnn = _Choice(), _Choice(), _Choice(), _Choice()


def _set(choice: _Choice, function: str, enabled: Any) -> None:
    if not isinstance(enabled, bool):
        raise TypeError(f"{function}(): expected a bool, but got {type(enabled).__name__}")
    choice.allowed = enabled


def flash_sdp_enabled() -> bool:
    """Whether attention by blocks is allowed."""
    return _flash.allowed


def enable_flash_sdp(enabled: bool) -> None:
    """Set whether attention by blocks is allowed; RusTorch has one way of computing attention, which it keeps."""
    _set(_flash, "enable_flash_sdp", enabled)


def mem_efficient_sdp_enabled() -> bool:
    """Whether attention that saves memory is allowed."""
    return _memory_efficient.allowed


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Set whether attention that saves memory is allowed; RusTorch has one way, which it keeps."""
    _set(_memory_efficient, "enable_mem_efficient_sdp", enabled)


def math_sdp_enabled() -> bool:
    """Whether attention by its formula is allowed."""
    return _math.allowed


def enable_math_sdp(enabled: bool) -> None:
    """Set whether attention by its formula is allowed; RusTorch has one way, which it keeps."""
    _set(_math, "enable_math_sdp", enabled)


def cudnn_sdp_enabled() -> bool:
    """Whether attention by cuDNN is allowed."""
    return _cudnn.allowed


def enable_cudnn_sdp(enabled: bool) -> None:
    """Set whether attention by cuDNN is allowed; RusTorch has one way, which it keeps."""
    _set(_cudnn, "enable_cudnn_sdp", enabled)
