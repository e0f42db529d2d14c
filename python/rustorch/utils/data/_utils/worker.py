"""What runs in a worker process, and how its errors are raised in the process of the loader."""

from __future__ import annotations

import multiprocessing
import os
import random
import select
import signal
import socket
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rustorch import _C

from ..dataset import IterableDataset
from . import worker_info
from .blocks import WorkerBlocks
from .fetch import fetcher
from .transport import BATCH, END, ERROR, Packed, Reply, pack, receive_task, send
from .worker_info import WorkerInfo

# How often a worker without a task looks whether its loader's process is still there, in milliseconds.
_LOOK_FOR_PARENT = 5000


@dataclass(frozen=True)
class Work:
    """What a loader tells each of its workers at the start."""

    dataset: Any
    batched: bool
    collate_fn: Callable[[Any], Any]
    drop_last: bool
    base_seed: int
    init_fn: Callable[[int], None] | None
    num_workers: int


class _KeyErrorMessage(str):
    """A KeyError shows the repr of its argument; of this it shows the lines."""

    def __repr__(self) -> str:
        return str(self)


class WorkerError:
    """An exception of a worker, as it travels: its type, and its traceback as text."""

    def __init__(self, error: BaseException, worker: int) -> None:
        self.type: type[BaseException] = type(error)
        text = "".join(traceback.format_exception(error))
        self.message = f"Caught {self.type.__name__} in DataLoader worker process {worker}.\nOriginal {text}"

    def reraise(self) -> None:
        """Raises an exception of the same type with the worker's traceback.

        A RuntimeError where the type takes no text; where it is StopIteration, which would end the loop in silence.
        """
        message = _KeyErrorMessage(self.message) if issubclass(self.type, KeyError) else self.message
        try:
            error = RuntimeError(message) if issubclass(self.type, StopIteration) else self.type(message)
        except Exception:
            error = RuntimeError(message)
        raise error from None


def _seed_generators(base_seed: int, worker: int) -> int:
    import numpy as np

    seed = base_seed + worker
    random.seed(seed)
    _C.manual_seed(seed)
    # NumPy's generator is the one that `random` has; it must not run through the same states.
    entropy = [worker, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    np.random.seed(np.random.SeedSequence(entropy).generate_state(4))
    return seed


def run_worker(worker: int, work: Work, sock: socket.socket, others: list[socket.socket]) -> None:
    """Answers tasks until the loader closes the socket or its process ends."""
    # Ctrl-C reaches all processes of the terminal. The loader's decides what it means, and ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # A forked process has the loader's ends of the sockets, too: their other end would never see them closed.
    for other in others:
        other.close()
    try:
        _answer(worker, work, sock)
    except (EOFError, ConnectionError):
        pass
    finally:
        sock.close()


def _answer(worker: int, work: Work, sock: socket.socket) -> None:
    _C.set_num_threads(1)
    seed = _seed_generators(work.base_seed, worker)
    worker_info.this_worker = WorkerInfo(worker, work.num_workers, seed, work.dataset)
    failed: WorkerError | None = None
    try:
        if work.init_fn is not None:
            work.init_fn(worker)
    except Exception as error:
        failed = WorkerError(error, worker)
    parent, parent_id = multiprocessing.parent_process(), os.getppid()
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    fetch, current, blocks = None, -1, WorkerBlocks()
    while True:
        while not poller.poll(_LOOK_FOR_PARENT):
            if os.getppid() != parent_id or (parent is not None and not parent.is_alive()):
                return
        epoch, task, index = receive_task(sock, blocks)
        if epoch != current:
            fetch, current = None, epoch
        try:
            if failed is None:
                if fetch is None:
                    fetch = fetcher(work.dataset, work.batched, work.collate_fn, work.drop_last)
                packed = pack(Reply(epoch, task, BATCH, fetch(index)), blocks)
            else:
                packed = pack(Reply(epoch, task, ERROR, failed), blocks)
        except Exception as error:
            if isinstance(error, StopIteration) and isinstance(work.dataset, IterableDataset):
                packed = pack(Reply(epoch, task, END, None), blocks)
            else:
                packed = _packed_error(Reply(epoch, task, ERROR, WorkerError(error, worker)), blocks)
        send(sock, packed)


def _packed_error(reply: Reply, blocks: WorkerBlocks) -> Packed:
    try:
        return pack(reply, blocks)
    except Exception:
        # A type that cannot be pickled, such as one made in a function.
        reply.content.type = RuntimeError
        return pack(reply, blocks)
