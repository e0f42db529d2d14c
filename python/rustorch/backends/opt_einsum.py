"""The package opt_einsum, which RusTorch does not use: einsum takes its operands from left to right."""

from typing import Any

__all__ = ["enabled", "get_opt_einsum", "is_available", "strategy"]

enabled: bool = False
strategy: str | None = None


def is_available() -> bool:
    """Whether it is used: False."""
    return False


def get_opt_einsum() -> Any:
    """The package; None, since it is not used."""
    return None
