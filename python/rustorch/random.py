"""Seeds and states of the random generator that is used where none is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rustorch._C import Generator, default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state

__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]


@contextmanager
def fork_rng(
    devices: Iterable[object] | None = None, enabled: bool = True, *, device_type: str | None = None
) -> Iterator[None]:
    """What is drawn inside does not move the generator outside. There is one generator for all devices."""
    del devices, device_type
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
