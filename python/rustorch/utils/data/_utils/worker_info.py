"""Which worker of a loader this process is."""

from __future__ import annotations

from typing import Any, NamedTuple


class WorkerInfo(NamedTuple):
    """Which worker a process is; `get_worker_info` gives it.

    Args:
        id: its number, from 0 to num_workers - 1.
        num_workers: how many workers there are.
        seed: what its random generators were seeded with.
        dataset: its own copy of the dataset.

    Example:

    >>> rustorch.utils.data.get_worker_info() is None
    True
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


#: Set in a worker before it reads.
this_worker: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """Which worker of a DataLoader this process is; None in a process that is none.

    Its attributes are `id`, from 0 to `num_workers` - 1, `num_workers`, `seed`, which is the loader's base seed plus
    the id, and `dataset`, the copy of the dataset in this process. An IterableDataset takes its share by it.

    Example:

    >>> rustorch.utils.data.get_worker_info() is None
    True
    >>> class Countdown(rustorch.utils.data.IterableDataset):
    ...     def __iter__(self):
    ...         worker = rustorch.utils.data.get_worker_info()
    ...         first, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
    ...         return iter([3, 2, 1, 0][first::step])
    >>> list(Countdown())
    [3, 2, 1, 0]
    """
    return this_worker
