"""oneDNN, whose place RusTorch's own kernels take, and PyTorch's settings of it, which are kept."""

from rustorch.backends._flags import checked as _checked

__all__ = ["allow_tf32", "deterministic", "enabled", "is_available"]

enabled: bool = True
deterministic: bool = False
allow_tf32: bool = True


def is_available() -> bool:
    """Whether it is used: False."""
    return False


_checked(__name__, enabled=bool, deterministic=bool, allow_tf32=bool)
