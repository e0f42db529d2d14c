"""A pass over a loader whose batches come from worker processes."""

from __future__ import annotations

import multiprocessing
import time
import weakref
from typing import TYPE_CHECKING, Any

from ._iterators import _BaseDataLoaderIter
from ._utils.pin_memory import pinning
from ._utils.pool import WorkerPool
from ._utils.transport import END, ERROR, Reply
from ._utils.worker import Work

if TYPE_CHECKING:
    from .dataloader import DataLoader


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """Gives workers the indices of `prefetch_factor` batches each, and what they make of them in the indices' order.

    Every task has a number and is answered once, with a batch, an error, or the word that the worker's stream is over.
    """

    def __init__(self, loader: DataLoader[Any], base_seed: int) -> None:
        self._num_workers = loader.num_workers
        self._most = loader.num_workers * (loader.prefetch_factor or 1)
        self._timeout = loader.timeout
        self._in_order = loader.in_order
        self._persistent = loader.persistent_workers
        self._epoch = -1
        self._pool = WorkerPool(
            loader.multiprocessing_context or multiprocessing.get_context(),
            Work(
                loader.dataset,
                loader._auto_collation,
                loader.collate_fn,
                loader.drop_last,
                base_seed,
                loader.worker_init_fn,
                loader.num_workers,
            ),
        )
        # Whatever way this object goes, its workers end, at the interpreter's exit, too.
        self._close = weakref.finalize(self, self._pool.close)
        self._reset(loader)

    def _reset(self, loader: DataLoader[Any]) -> None:
        """Begins a pass. What workers still answer to the one before is of an older epoch, and dropped."""
        # Not the loader itself, which has this object when its workers persist.
        self._index_sampler = loader._index_sampler
        self._pool.forget()
        self._epoch += 1
        self._pin = pinning(loader.pin_memory_device) if loader.pin_memory else None
        self._indices = iter(loader._index_sampler)
        self._active = [True] * self._num_workers
        self._counts = [0] * self._num_workers
        self._turn = 0
        # The worker of each task that has not been handed out.
        self._tasks: dict[int, int] = {}
        self._ready: dict[int, Reply] = {}
        self._given = 0
        self._fill()

    def __iter__(self) -> _MultiProcessingDataLoaderIter:
        return self

    def __next__(self) -> Any:
        try:
            reply = self._next_reply()
            if reply is not None:
                self._fill()
        except BaseException:
            # A message may have been read in part.
            self._close()
            raise
        if reply is None:
            if not self._persistent:
                self._close()
            raise StopIteration
        if reply.kind == ERROR:
            reply.content.reraise()
        return reply.content if self._pin is None else self._pin(reply.content)

    def _fill(self) -> None:
        """Gives out tasks until each worker has as many as it should."""
        while len(self._tasks) < self._most:
            worker = self._next_worker()
            if worker is None:
                return
            try:
                index = next(self._indices)
            except StopIteration:
                return
            self._pool.give(worker, self._epoch, self._given, index)
            self._tasks[self._given] = worker
            self._counts[worker] += 1
            self._given += 1

    def _next_worker(self) -> int | None:
        """Whose turn it is; where order does not matter, of those that have the fewest tasks."""
        turns = [(self._turn + i) % self._num_workers for i in range(self._num_workers)]
        active = [worker for worker in turns if self._active[worker]]
        if not active:
            return None
        worker = active[0] if self._in_order else min(active, key=self._counts.__getitem__)
        self._turn = worker + 1
        return worker

    def _next_reply(self) -> Reply | None:
        """The next batch or error; None at the end."""
        if not self._close.alive:
            return None
        end = time.monotonic() + self._timeout if self._timeout else None
        while self._tasks:
            wanted = next(iter(self._tasks if self._in_order or not self._ready else self._ready))
            reply = self._ready.pop(wanted, None)
            if reply is None:
                self._wait(end)
                continue
            worker = self._tasks.pop(wanted)
            self._counts[worker] -= 1
            if reply.kind != END:
                return reply
            self._active[worker] = False
            self._fill()
        return None

    def _wait(self, end: float | None) -> None:
        remaining = None if end is None else max(0.0, end - time.monotonic())
        replies = self._pool.replies(self._epoch, remaining)
        if not replies and remaining == 0.0:
            raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")
        self._ready |= {reply.task: reply for reply in replies if reply.epoch == self._epoch}

    def is_open(self) -> bool:
        """Whether its workers run, so that another pass can begin."""
        return self._close.alive and self._persistent

    def _shutdown_workers(self) -> None:
        """Ends the workers; there are no more batches."""
        self._close()
