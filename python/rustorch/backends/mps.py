"""Whether there are devices named mps, which there are not: Apple's GPUs are `rustorch.metal`."""

__all__ = ["is_available", "is_built"]


def is_available() -> bool:
    """Whether there is a device named mps: False."""
    return False


def is_built() -> bool:
    """Whether devices named mps can be used: False."""
    return False
