"""Shared memory that batches of one worker travel in, used again when the batch that was in it is gone.

New memory costs more than to copy a batch: the system makes its pages, and both processes map them. So the worker keeps
some blocks, each under a number, and writes into one of which the loader said that nothing refers to its content.
"""

from __future__ import annotations

import ctypes
import os
import weakref
from collections import deque
from typing import Any

from rustorch import _shared_memory

# How many blocks a worker keeps; batches beyond them travel in blocks of their own, once.
_MOST_BLOCKS = 8
#: The number of a block that is used once.
ONCE = -1


class WorkerBlocks:
    """The worker's blocks."""

    def __init__(self) -> None:
        self._descriptors: dict[int, int] = {}
        self._capacities: dict[int, int] = {}
        self._free: list[int] = []

    def take(self, size: int) -> tuple[int, int, bool]:
        """A block for so many bytes: its number, its descriptor, and whether the loader has not got that yet."""
        fitting = [number for number in self._free if self._capacities[number] >= size]
        if fitting:
            number = min(fitting, key=self._capacities.__getitem__)
            self._free.remove(number)
            return number, self._descriptors[number], False
        if self._free:
            # In place of a block that has become too small.
            self.drop(self._free.pop())
        if len(self._descriptors) >= _MOST_BLOCKS:
            return ONCE, _shared_memory.create(0), True
        number = min(set(range(_MOST_BLOCKS)) - self._descriptors.keys())
        # Some room, for batches whose sizes vary.
        capacity = size + size // 8
        self._descriptors[number] = _shared_memory.create(capacity)
        self._capacities[number] = capacity
        return number, self._descriptors[number], True

    def drop(self, number: int) -> None:
        """Forgets a block."""
        os.close(self._descriptors.pop(number))
        del self._capacities[number]

    def give_back(self, numbers: tuple[int, ...]) -> None:
        """Takes what the loader says of blocks: they are free, or by `~number` they must not be used again."""
        for number in numbers:
            if number >= 0:
                self._free.append(number)
            else:
                self.drop(~number)


# How often this process was forked. A forked process sees batches as long as it likes, and does not say when they are
# gone.
_forks = 0


def _count_fork() -> None:
    global _forks
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_parent=_count_fork)


class LoaderBlocks:
    """The blocks of one worker as the loader sees them."""

    def __init__(self) -> None:
        self._mapped: dict[int, Any] = {}
        # What the worker is to be told with its next task.
        self._gone: deque[int] = deque()

    def content(self, number: int, descriptor: int | None, size: int, wanted: bool) -> Any:
        """The first bytes of a block; when nothing refers to them, the worker may write there again.

        A descriptor comes with a block that is new. What is not wanted is given back at once.
        """
        if descriptor is not None:
            length = os.fstat(descriptor).st_size
            block = _shared_memory.map_block(descriptor, length, populate=wanted)
            if number == ONCE:
                return block if wanted else None
            self._mapped[number] = block
        if not wanted:
            self._gone.append(number)
            return None
        block = self._mapped[number]
        content = (ctypes.c_char * size).from_address(ctypes.addressof(block))
        weakref.finalize(content, self._let_go, number, _forks, block).atexit = False
        return content

    def _let_go(self, number: int, forks: int, block: Any) -> None:
        # The block is an argument so that it stays as long as what is in it.
        del block
        self._gone.append(number if forks == _forks else ~number)

    def told(self) -> list[int]:
        """What the worker is to be told, once."""
        numbers = []
        while self._gone:
            number = self._gone.popleft()
            if number < 0:
                self._mapped.pop(~number, None)
            numbers.append(number)
        return numbers
