"""Datasets: things with a length and an item per index, or things to iterate over."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Generic, TypeVar

from rustorch import _C
from rustorch._C import Generator, Tensor

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Items by index: a subclass defines `__getitem__`, and `__len__` for samplers to know how many there are.

    The sum of two datasets is a ConcatDataset.
    Example:

    >>> class Squares(rustorch.utils.data.Dataset):
    ...     def __getitem__(self, index):
    ...         return index**2
    ...     def __len__(self):
    ...         return 4
    >>> loader = rustorch.utils.data.DataLoader(Squares(), batch_size=2)
    >>> list(loader)
    [tensor([0, 1]), tensor([4, 9])]
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[T_co]) -> ConcatDataset[T_co]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co]):
    """Items in the order in which they come: a subclass defines `__iter__`.

    It is for streams, which have no index and perhaps no end. A loader takes no sampler for it and does not shuffle
    it. The sum of two is a ChainDataset.
    Example:

    >>> class Countdown(rustorch.utils.data.IterableDataset):
    ...     def __iter__(self):
    ...         return iter([3, 2, 1])
    >>> list(rustorch.utils.data.DataLoader(Countdown(), batch_size=2))
    [tensor([3, 2]), tensor([1])]
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError("Subclasses of IterableDataset should implement __iter__.")

    def __add__(self, other: Dataset[T_co]) -> ChainDataset[T_co]:  # type: ignore[override]  # PyTorch's, too
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors with a common first dimension; item i is the tuple of their i-th slices.

    A DataLoader takes the items of a batch from each tensor with one op.

    Args:
        *tensors: the tensors, (N, *) each with the same N; a ValueError if they differ in it.

    Example:

    >>> dataset = rustorch.utils.data.TensorDataset(rustorch.arange(6).view(3, 2), rustorch.tensor([7, 8, 9]))
    >>> dataset[1]
    (tensor([2, 3]), tensor(8))
    >>> len(dataset)
    3
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        sizes = {tensor.shape[0] for tensor in tensors}
        if len(sizes) > 1:
            shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
            raise ValueError(f"Size mismatch between tensors: the first dimensions of {shapes} differ")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return self.tensors[0].shape[0]


class Subset(Dataset[T_co]):
    """The items of a dataset at some indices: item i is dataset[indices[i]].

    Args:
        dataset: the dataset.
        indices: which of its items, in which order; the same may come twice.

    Example:

    >>> letters = rustorch.utils.data.Subset("abcdef", [4, 0])
    >>> letters[0], letters[1], len(letters)
    ('e', 'a', 2)
    """

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> T_co:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> list[T_co]:
        wanted = [self.indices[index] for index in indices]
        items: list[T_co] = _items(self.dataset, wanted)
        return items

    def __len__(self) -> int:
        return len(self.indices)


class StackDataset(Dataset[Any]):
    """Datasets of one length side by side: item i is the tuple of their items i, or the dictionary of them by name.

    Args:
        *args: datasets, for tuples.
        **kwargs: datasets by name, for dictionaries. Datasets of different lengths, none, or both kinds are a
            ValueError.

    Example:

    >>> pairs = rustorch.utils.data.StackDataset([1, 2], ["a", "b"])
    >>> pairs[1], len(pairs)
    ((2, 'b'), 2)
    >>> rustorch.utils.data.StackDataset(number=[1, 2], letter=["a", "b"])[0]
    {'number': 1, 'letter': 'a'}
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError("StackDataset: datasets are given either by position or by name, but got both")
        self.datasets: tuple[Any, ...] | dict[str, Any] = args or kwargs
        lengths = [len(dataset) for dataset in self._parts()]
        if not lengths:
            raise ValueError("StackDataset: at least one dataset should be passed")
        if len(set(lengths)) > 1:
            raise ValueError(f"Size mismatch between datasets: their lengths are {lengths}")
        self._length = lengths[0]

    def _parts(self) -> list[Any]:
        return list(self.datasets.values() if isinstance(self.datasets, dict) else self.datasets)

    def _together(self, parts: Iterable[Any]) -> Any:
        return dict(zip(self.datasets, parts, strict=True)) if isinstance(self.datasets, dict) else tuple(parts)

    def __getitem__(self, index: Any) -> Any:
        return self._together(dataset[index] for dataset in self._parts())

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        columns = [_items(dataset, indices) for dataset in self._parts()]
        for column in columns:
            if len(column) != len(indices):
                raise ValueError(f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(column)}")
        return [self._together(parts) for parts in zip(*columns, strict=True)]

    def __len__(self) -> int:
        return self._length


def _items(dataset: Any, indices: list[Any]) -> Any:
    """The items at the indices, at once where the dataset can."""
    if callable(several := getattr(dataset, "__getitems__", None)):
        return several(indices)
    return [dataset[index] for index in indices]


class ConcatDataset(Dataset[T_co]):
    """Datasets one after the other: the items of the second follow those of the first.

    A negative index counts from the end, one outside of the length is an IndexError.

    Args:
        datasets: at least one dataset; each has a length, so that an IterableDataset is a TypeError.

    Example:

    >>> first = rustorch.utils.data.TensorDataset(rustorch.tensor([1, 2]))
    >>> second = rustorch.utils.data.TensorDataset(rustorch.tensor([3]))
    >>> both = rustorch.utils.data.ConcatDataset([first, second])
    >>> len(both), both[2]
    (3, (tensor(3),))
    """

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise TypeError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(accumulate(len(dataset) for dataset in self.datasets))  # type: ignore[arg-type]

    def __getitem__(self, index: Any) -> T_co:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of range for {len(self)} items")
        index %= len(self)
        which = bisect_right(self.cumulative_sizes, index)
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


class ChainDataset(IterableDataset[T_co]):
    """Streams one after the other; its length is the sum of theirs.

    Args:
        datasets: IterableDatasets, which are read as their turn comes; anything else among them is an AssertionError.

    Example:

    >>> class Countdown(rustorch.utils.data.IterableDataset):
    ...     def __iter__(self):
    ...         return iter([2, 1])
    >>> list(rustorch.utils.data.ChainDataset([Countdown(), Countdown()]))
    [2, 1, 2, 1]
    """

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = datasets

    def _streams(self) -> Iterator[IterableDataset[T_co]]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError(f"ChainDataset only supports IterableDataset, but got {type(dataset).__name__}")
            yield dataset

    def __iter__(self) -> Iterator[T_co]:
        for dataset in self._streams():
            yield from dataset

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self._streams())  # type: ignore[arg-type, misc]


def random_split(
    dataset: Dataset[T_co], lengths: Sequence[int | float], generator: Generator | None = None
) -> list[Subset[T_co]]:
    """Splits a dataset at random into parts of the given lengths, or of the given shares.

    Of a share, the length is the part of the dataset rounded down; what is left over goes to the first parts, one item
    each. No item is in two parts.

    Args:
        dataset: a dataset with a length.
        lengths: the lengths, which sum to that of the dataset, or shares, which sum to 1; else a ValueError.
        generator: the generator of the order; None for the one that `rustorch.manual_seed` seeds. Default: None.

    Example:

    >>> train, test = rustorch.utils.data.random_split(range(10), [0.75, 0.25])
    >>> len(train), len(test)
    (8, 2)
    >>> sorted([*train, *test])
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    count = len(dataset)  # type: ignore[arg-type]
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        if any(not 0 <= share <= 1 for share in lengths):
            raise ValueError(f"shares must be between 0 and 1, but got {list(lengths)}")
        sizes = [math.floor(count * share) for share in lengths]
        for i in range(count - sum(sizes)):
            sizes[i % len(sizes)] += 1
    else:
        sizes = [int(length) for length in lengths]
    if sum(sizes) != count:
        raise ValueError("Sum of input lengths does not equal the length of the input dataset!")
    order = _C.randperm(count, generator=generator).tolist()
    ends = accumulate(sizes)
    return [Subset(dataset, order[end - size : end]) for end, size in zip(ends, sizes, strict=True)]
