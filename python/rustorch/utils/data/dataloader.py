"""The loader: batches of a dataset, in the order of a sampler."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rustorch import _C
from rustorch._C import Generator, Tensor
from rustorch._lazy import missing

from ._iterators import _BaseDataLoaderIter as _BaseDataLoaderIter, _SingleProcessDataLoaderIter
from ._utils.collate import default_collate, default_convert
from ._utils.fetch import fetcher
from ._utils.pin_memory import pinning
from .dataset import Dataset, IterableDataset, TensorDataset
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

if TYPE_CHECKING:
    from ._worker_iterator import _MultiProcessingDataLoaderIter

T_co = TypeVar("T_co", covariant=True)


class DataLoader(Generic[T_co]):
    """Batches of a dataset: `for images, labels in DataLoader(dataset, batch_size=32, shuffle=True): …`.

    Items are read in the order of a sampler, and `collate_fn` makes a batch of them; each pass begins anew, and its
    length is the number of batches.

    With `num_workers` above 0 as many processes do that ahead of the loop, each with a copy of the dataset. A batch's
    tensors and arrays come back in memory that both processes see, and are not copied here. Worker `i` seeds
    `rustorch`, `random` and `numpy.random` with numbers that follow from `i` and from one that each pass draws from
    `generator`; `get_worker_info` tells it who it is. An IterableDataset gives all of its items in each worker, unless
    it takes its share by that. What a worker raises is raised here, with its type and its traceback; a worker that dies
    is a RuntimeError with its pid and its signal or exit code. The workers end with the pass, or when its iterator is
    dropped.

    Args:
        dataset: what has the items, by index or, an IterableDataset, in its own order. One with a method `__getitems__`
            is asked for all items of a batch at once.
        batch_size: the number of items of a batch; None for items one by one, without a batch's dimension. Default: 1.
        shuffle: whether each pass is in a random order, that of a RandomSampler. Default: None.
        sampler: indices to iterate over, in place of `shuffle`. Default: None.
        batch_sampler: lists of indices to iterate over, in place of `batch_size`, `shuffle`, `sampler` and `drop_last`.
            Default: None.
        num_workers: how many processes read items; 0 for none, so that the calling thread does. Default: 0.
        collate_fn: what makes a batch of a list of items; None for default_collate, or, where `batch_size` is None, for
            default_convert. Default: None.
        pin_memory: whether a batch's tensors are pinned (`Tensor.pin_memory`), for `to(device, non_blocking=True)`;
            without an accelerator it warns and does nothing. Default: False.
        drop_last: whether to leave out a last batch that is shorter. Default: False.
        timeout: how many seconds to wait for a batch of a worker, before a RuntimeError; 0 for any time. Default: 0.
        worker_init_fn: called in each worker with its number after it was seeded, before it reads. Default: None.
        multiprocessing_context: the name of a start method, 'fork', 'spawn' or 'forkserver', or a context of
            `multiprocessing`; None for the default one. Default: None.
        generator: the generator of a shuffled order and of the workers' seeds; None for the one that
            `rustorch.manual_seed` seeds. Default: None.
        prefetch_factor: how many batches each worker makes ahead; None for 2 if there are workers. Default: None.
        persistent_workers: whether the workers, and so their copies of the dataset, live on after a pass, for the next.
            Default: False.
        pin_memory_device: the device for which memory is pinned; '' for the first kind that is there. Default: ''.
        in_order: whether workers' batches come in the order of their indices; False for the order in which they are
            done. Default: True.

    Raises:
        ValueError: an option of worker processes is given without them, or two options that exclude each other.

    Example:

    >>> features, labels = rustorch.arange(10.0).view(5, 2), rustorch.arange(5)
    >>> dataset = rustorch.utils.data.TensorDataset(features, labels)
    >>> loader = rustorch.utils.data.DataLoader(dataset, batch_size=2)
    >>> len(loader)
    3
    >>> [tuple(x.shape) for x, y in loader]
    [(2, 2), (2, 2), (1, 2)]
    >>> shuffled = rustorch.utils.data.DataLoader(dataset, batch_size=5, shuffle=True)
    >>> x, y = next(iter(shuffled))
    >>> y.sort().values
    tensor([0, 1, 2, 3, 4])
    """

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if num_workers < 0:
            raise ValueError(f"num_workers option should be non-negative, but got num_workers={num_workers}")
        if timeout < 0:
            raise ValueError(f"timeout option should be non-negative, but got timeout={timeout}")
        if num_workers == 0:
            for name, given in (
                ("timeout", timeout),
                ("multiprocessing_context", multiprocessing_context is not None),
                ("prefetch_factor", prefetch_factor is not None),
                ("persistent_workers", persistent_workers),
            ):
                if given:
                    raise ValueError(f"DataLoader: {name} is an option of worker processes; it needs num_workers > 0")
        elif os.name != "posix":
            raise ValueError("DataLoader: worker processes need a Unix system; num_workers=0 works everywhere")
        if prefetch_factor is not None and prefetch_factor < 1:
            raise ValueError(f"prefetch_factor option should be positive, but got prefetch_factor={prefetch_factor}")
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        iterable = isinstance(dataset, IterableDataset)
        if iterable and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError(
                "DataLoader with IterableDataset: expected unspecified shuffle, sampler and batch_sampler option"
            )
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None:
            if drop_last:
                raise ValueError(
                    "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
                )
        elif not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if sampler is None:
            sized: Any = dataset
            if iterable:
                sampler = _InfiniteConstantSampler()
            else:
                sampler = RandomSampler(sized, generator=generator) if shuffle else SequentialSampler(sized)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset = dataset
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = _context(multiprocessing_context)
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self.collate_fn: Callable[[Any], Any] = collate_fn or (
            default_collate if self._auto_collation else default_convert
        )
        # The length of a stream that `len` told, which more items than that belie.
        self._told_length: int | None = None
        self._iterator: _MultiProcessingDataLoaderIter | None = None
        self._initialized = True
        if num_workers > (processors := _processors()):
            warnings.warn(
                f"This DataLoader will create {num_workers} worker processes, and this process may use {processors} "
                "processors; more workers than processors may make it slow, or stop it.",
                stacklevel=2,
            )

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED and getattr(self, "_initialized", False):
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Iterable[Any]:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __iter__(self) -> Iterator[Any]:
        if self._iterator is not None and self._iterator.is_open():
            self._iterator._reset(self)
            return self._watched(self._iterator)
        # Drawn with and without workers, so that the order of a shuffled pass is the same.
        base_seed = int(_C.empty((), dtype=_C.int64, device="cpu").random_(generator=self.generator).item())
        if self.num_workers > 0:
            from ._worker_iterator import _MultiProcessingDataLoaderIter

            iterator = _MultiProcessingDataLoaderIter(self, base_seed)
            if self.persistent_workers:
                self._iterator = iterator
            return self._watched(iterator)
        pin = pinning(self.pin_memory_device) if self.pin_memory else None
        batches = self._batches() if pin is None else map(pin, self._batches())
        return _SingleProcessDataLoaderIter(self._index_sampler, self._watched(batches))

    def _batches(self) -> Iterator[Any]:
        if type(self.dataset) is TensorDataset and self.collate_fn is default_collate and self._auto_collation:
            sampler = self.batch_sampler
            if type(sampler) is BatchSampler and type(sampler.sampler) in (RandomSampler, SequentialSampler):
                return self._slices(self.dataset.tensors, sampler)
        return self._fetched()

    def _fetched(self) -> Iterator[Any]:
        fetch = fetcher(self.dataset, self._auto_collation, self.collate_fn, self.drop_last)
        stream = isinstance(self.dataset, IterableDataset)
        for index in self._index_sampler:
            try:
                batch = fetch(index)
            except StopIteration:
                if stream:
                    return
                raise
            yield batch

    def _watched(self, batches: Iterator[Any]) -> Iterator[Any]:
        """The batches; a stream that gives more than its length, which `len` told, is warned of."""
        if self._told_length is None:
            return batches
        return _counted(batches, self._told_length, self.num_workers)

    def _slices(self, tensors: tuple[Tensor, ...], batches: BatchSampler) -> Iterator[list[Tensor]]:
        """The batches of a TensorDataset in an order that is a tensor, or none at all."""
        order = batches.sampler.indices() if type(batches.sampler) is RandomSampler else None
        count = len(batches.sampler)  # type: ignore[arg-type]
        size = batches.batch_size
        for start in range(0, count - size + 1 if batches.drop_last else count, size):
            # Copies, so that writing into a batch leaves the dataset alone.
            if order is None:
                yield [tensor[start : start + size].clone() for tensor in tensors]
            else:
                yield [tensor.index_select(0, order[start : start + size]) for tensor in tensors]

    def __len__(self) -> int:
        if isinstance(self.dataset, IterableDataset):
            count = len(self.dataset)  # type: ignore[arg-type]
            if self.batch_size is not None:
                count = count // self.batch_size if self.drop_last else -(-count // self.batch_size)
            self._told_length = count
            return count
        return len(self._index_sampler)  # type: ignore[arg-type]


#: What an iteration relies on.
_FIXED = frozenset({"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"})


class _InfiniteConstantSampler(Sampler[Any]):
    """None without end: a stream's items have no index."""

    def __iter__(self) -> Iterator[None]:
        return repeat(None)


def _counted(batches: Iterator[Any], length: int, num_workers: int) -> Iterator[Any]:
    for count, batch in enumerate(batches, 1):
        if count == length + 1:
            hint = "; each worker gives the whole stream unless it takes its share by get_worker_info()"
            warnings.warn(
                f"Length of the IterableDataset was reported to be {length} batches, but more have been fetched"
                f"{hint if num_workers else ''}",
                stacklevel=2,
            )
        yield batch


def _context(given: Any) -> Any:
    """The multiprocessing context that is meant by the name of a start method, or by itself."""
    if given is None:
        return None
    import multiprocessing
    from multiprocessing.context import BaseContext

    methods = multiprocessing.get_all_start_methods()
    if isinstance(given, str):
        if given not in methods:
            raise ValueError(f"multiprocessing_context option should be one of {methods}, but got {given!r}")
        return multiprocessing.get_context(given)
    if not isinstance(given, BaseContext):
        raise TypeError(f"multiprocessing_context option should be a context or one of {methods}, but got {given!r}")
    return given


def _processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def __getattr__(name: str) -> Any:
    if name == "_MultiProcessingDataLoaderIter":
        from ._worker_iterator import _MultiProcessingDataLoaderIter

        return _MultiProcessingDataLoaderIter
    raise missing(__name__, name)
