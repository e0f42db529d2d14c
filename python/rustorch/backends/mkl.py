"""MKL, whose place RusTorch's own kernels take."""

__all__ = ["is_available"]


def is_available() -> bool:
    """Whether it is used: False."""
    return False
