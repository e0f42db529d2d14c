"""Apple's GPUs under PyTorch's name of them, which RusTorch does not take: its devices are called metal.

A program that asks whether they are available is told that they are not, and runs elsewhere.
"""

from __future__ import annotations

from typing import NoReturn

from rustorch._C import BackendUnavailableError

__all__ = ["device_count", "empty_cache", "is_available", "manual_seed", "seed", "synchronize"]


def is_available() -> bool:
    """Whether there is a device named mps: False."""
    return False


def device_count() -> int:
    """How many devices named mps there are: none."""
    return 0


def manual_seed(seed: int) -> None:
    """Seeds the generator of the devices named mps, of which there is none, so that nothing uses it."""
    del seed


def seed() -> None:
    """Seeds the generator of the devices named mps by chance; there is none."""


def _refuse(function: str) -> NoReturn:
    raise BackendUnavailableError(f"mps.{function}(): there is no device named mps; Apple's GPUs are rustorch.metal")


def synchronize() -> None:
    """Waits for the device: BackendUnavailableError, there is none."""
    _refuse("synchronize")


def empty_cache() -> None:
    """Gives memory back to the device: BackendUnavailableError, there is none."""
    _refuse("empty_cache")
