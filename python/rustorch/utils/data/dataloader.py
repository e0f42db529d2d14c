"""The loader: batches of a dataset, in the order of a sampler."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Generic, TypeVar

from rustorch._C import Generator, Tensor

from ._collate import default_collate
from ._pin_memory import pin_memory as _pinned
from .dataset import Dataset, IterableDataset, TensorDataset
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

T_co = TypeVar("T_co", covariant=True)


class DataLoader(Generic[T_co]):
    """Batches of a dataset: `for images, labels in DataLoader(dataset, batch_size=32, shuffle=True): …`.

    Items are read on the calling thread, in the order of a sampler; `collate_fn` makes a batch of them. Each pass
    begins anew, and its length is the number of batches. Options of worker processes are refused, since there are
    none.

    Args:
        dataset: what has the items, by index or, an IterableDataset, in its own order.
        batch_size: the number of items of a batch; None for items one by one, without a batch's dimension. Default: 1.
        shuffle: whether each pass is in a random order, that of a RandomSampler. Default: None.
        sampler: indices to iterate over, in place of `shuffle`. Default: None.
        batch_sampler: lists of indices to iterate over, in place of `batch_size`, `shuffle`, `sampler` and `drop_last`.
            Default: None.
        num_workers: 0; anything else is a ValueError. Default: 0.
        collate_fn: what makes a batch of a list of items; None for default_collate, or for items as they are where
            `batch_size` is None. Default: None.
        pin_memory: whether a batch's tensors are pinned (`Tensor.pin_memory`), for `to(device, non_blocking=True)`;
            without an accelerator it warns and does nothing. Default: False.
        drop_last: whether to leave out a last batch that is shorter. Default: False.
        timeout: 0; anything else is a ValueError. Default: 0.
        worker_init_fn: None; anything else is a ValueError. Default: None.
        multiprocessing_context: None; anything else is a ValueError. Default: None.
        generator: the generator of a shuffled order; None for the one that `rustorch.manual_seed` seeds. Default: None.
        prefetch_factor: None; anything else is a ValueError. Default: None.
        persistent_workers: False; True is a ValueError. Default: False.
        pin_memory_device: the device for which memory is pinned; '' for the first kind that is there. Default: ''.
        in_order: without effect: batches always come in order. Default: True.

    Raises:
        ValueError: an option of worker processes is given, or two options that exclude each other.

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
        if num_workers != 0:
            raise ValueError(
                f"DataLoader: num_workers={num_workers} is not supported; only num_workers=0 is, "
                "which reads items on the calling thread"
            )
        for name, given in (
            ("timeout", timeout),
            ("worker_init_fn", worker_init_fn is not None),
            ("multiprocessing_context", multiprocessing_context is not None),
            ("prefetch_factor", prefetch_factor is not None),
            ("persistent_workers", persistent_workers),
        ):
            if given:
                raise ValueError(f"DataLoader: {name} is an option of worker processes, which it has none of")
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
        if sampler is None and not iterable:
            sized: Any = dataset
            sampler = RandomSampler(sized, generator=generator) if shuffle else SequentialSampler(sized)
        if batch_size is not None and batch_sampler is None and sampler is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset = dataset
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.num_workers = 0
        batched = batch_size is not None or batch_sampler is not None
        self.collate_fn: Callable[[Any], Any] = collate_fn or (default_collate if batched else _as_it_is)

    def __iter__(self) -> Iterator[Any]:
        return _pinned(self._batches(), self.pin_memory_device) if self.pin_memory else self._batches()

    def _batches(self) -> Iterator[Any]:
        if isinstance(self.dataset, IterableDataset):
            return self._iterate()
        if self.batch_sampler is None:
            return (self.collate_fn(self.dataset[index]) for index in self.sampler or ())
        if type(self.dataset) is TensorDataset and self.collate_fn is default_collate:
            return self._slices(self.dataset.tensors, self.batch_sampler)
        return (self.collate_fn([self.dataset[index] for index in batch]) for batch in self.batch_sampler)

    def _iterate(self) -> Iterator[Any]:
        items: Iterator[Any] = iter(self.dataset)
        if self.batch_size is None:
            yield from map(self.collate_fn, items)
            return
        while batch := list(islice(items, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.collate_fn(batch)

    def _slices(self, tensors: tuple[Tensor, ...], batches: Iterable[list[int]]) -> Iterator[list[Tensor]]:
        """The batches of a TensorDataset with one op per tensor, in place of one per item and a stack."""
        if type(batches) is not BatchSampler or type(batches.sampler) not in (RandomSampler, SequentialSampler):
            for batch in batches:
                yield [tensor[batch] for tensor in tensors]
            return
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
            if self.batch_size is None:
                return count
            return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]


def _as_it_is(item: Any) -> Any:
    return item
