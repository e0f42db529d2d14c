"""Batches in pinned memory."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rustorch import _C
from rustorch._C import Tensor


def pin_memory(batches: Iterator[Any], device: str) -> Iterator[Any]:
    """The batches with every tensor in them pinned, for a device or the first kind that is there."""
    if not device and not any(map(_C._device_count, ("cuda", "metal", "opencl"))):
        warnings.warn(
            "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't be "
            "used.",
            stacklevel=3,
        )
        return batches
    return (_pin(batch, device or None) for batch in batches)


def _pin(item: Any, device: str | None) -> Any:
    if isinstance(item, Tensor):
        return item.pin_memory(device)
    if hasattr(item, "pin_memory"):
        return item.pin_memory()
    if isinstance(item, str | bytes):
        return item
    if isinstance(item, Mapping):
        return {key: _pin(value, device) for key, value in item.items()}
    if isinstance(item, tuple) and hasattr(item, "_fields"):
        return type(item)(*(_pin(value, device) for value in item))
    if isinstance(item, Sequence):
        return [_pin(value, device) for value in item]
    return item
