"""Batches in pinned memory."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rustorch import _C
from rustorch._C import Tensor


def pinning(device: str) -> Callable[[Any], Any] | None:
    """What pins every tensor of a batch, for a device or the first kind that is there; None where there is none."""
    if not device and not any(map(_C._device_count, ("cuda", "metal", "opencl"))):
        warnings.warn(
            "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't be "
            "used.",
            stacklevel=4,
        )
        return None
    return lambda batch: pin_memory(batch, device or None)


def pin_memory(item: Any, device: str | None = None) -> Any:
    """The item with every tensor in it pinned; an object with a method `pin_memory` is asked for it."""
    if isinstance(item, Tensor):
        return item.pin_memory(device)
    if hasattr(item, "pin_memory"):
        return item.pin_memory()
    if isinstance(item, str | bytes):
        return item
    if isinstance(item, Mapping):
        return {key: pin_memory(value, device) for key, value in item.items()}
    if isinstance(item, tuple) and hasattr(item, "_fields"):
        return type(item)(*(pin_memory(value, device) for value in item))
    if isinstance(item, Sequence):
        return [pin_memory(value, device) for value in item]
    return item
