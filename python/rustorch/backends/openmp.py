"""OpenMP, whose place RusTorch's own pool of threads takes."""

__all__ = ["is_available"]


def is_available() -> bool:
    """Whether it is used: False."""
    return False
