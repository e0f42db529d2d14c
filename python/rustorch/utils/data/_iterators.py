"""Passes over a loader, as objects: what all have, and those on the calling thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class _BaseDataLoaderIter(Iterator[Any]):
    """One pass over a loader; its length is the number of its batches, as the loader's."""

    _index_sampler: Any

    def __len__(self) -> int:
        return len(self._index_sampler)


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    """A pass whose batches are made as they are asked for."""

    def __init__(self, index_sampler: Any, batches: Iterator[Any]) -> None:
        self._index_sampler = index_sampler
        self._batches = batches

    def __next__(self) -> Any:
        return next(self._batches)
