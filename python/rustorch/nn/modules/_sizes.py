"""Settings that are one number or one per spatial dimension."""

from __future__ import annotations

from collections.abc import Iterable


def per_dimension(value: int | Iterable[int], dimensions: int) -> tuple[int, ...]:
    """The numbers as a tuple; a single one counts for every dimension."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * dimensions
