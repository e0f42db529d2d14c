"""Seeds and states of the random generator that is used where none is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rustorch._C import (
    Generator,
    _default_generator_of,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from rustorch._devices import KINDS

__all__ = [
    "Generator",
    "default_generator",
    "default_generators",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]


def default_generators() -> list[Generator]:
    """The generators that are used where none is given, one per kind of device."""
    return [_default_generator_of(kind) for kind in KINDS]


@contextmanager
def fork_rng(
    devices: Iterable[object] | None = None, enabled: bool = True, *, device_type: str | None = None
) -> Iterator[None]:
    """What is drawn inside does not move the generator outside. The generators of all kinds of devices are kept."""
    del devices, device_type
    if not enabled:
        yield
        return
    generators = default_generators()
    states = [generator.get_state() for generator in generators]
    try:
        yield
    finally:
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)
