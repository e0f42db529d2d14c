"""How the items of a batch are read and made one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from ..dataset import IterableDataset, TensorDataset
from .collate import default_collate

Fetch = Callable[[Any], Any]


def fetcher(dataset: Any, batched: bool, collate_fn: Callable[[Any], Any], drop_last: bool) -> Fetch:
    """What gives the batch of an index, or of a list of them; of a stream, of anything, for it gives its next one.

    A stream's end is a StopIteration.
    """
    if isinstance(dataset, IterableDataset):
        return _stream_fetcher(iter(dataset), batched, collate_fn, drop_last)
    if not batched:
        return lambda index: collate_fn(dataset[index])
    if type(dataset) is TensorDataset and collate_fn is default_collate:
        # One op per tensor, in place of one per item and a stack.
        return lambda batch: [tensor[batch] for tensor in dataset.tensors]
    several: Callable[[list[Any]], list[Any]] | None = getattr(dataset, "__getitems__", None)
    if several is not None:
        return lambda batch: collate_fn(several(batch))
    return lambda batch: collate_fn([dataset[index] for index in batch])


def _stream_fetcher(items: Iterator[Any], batched: bool, collate_fn: Callable[[Any], Any], drop_last: bool) -> Fetch:
    if not batched:
        return lambda _: collate_fn(next(items))
    ended = False

    def fetch(batch: list[Any]) -> Any:
        nonlocal ended
        if ended:
            raise StopIteration
        content = list(islice(items, len(batch)))
        ended = len(content) < len(batch)
        if not content or (drop_last and ended):
            raise StopIteration
        return collate_fn(content)

    return fetch
