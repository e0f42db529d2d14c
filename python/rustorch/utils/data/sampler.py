"""Samplers: the order in which a loader takes the items of a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Generic, TypeVar

from rustorch import _C
from rustorch._C import Generator, Tensor

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """Indices, or batches of them, to iterate over: a subclass defines `__iter__`, and `__len__` for a loader to have a
    length.
    Example:

    >>> class Evens(rustorch.utils.data.Sampler):
    ...     def __iter__(self):
    ...         return iter([0, 2])
    >>> dataset = rustorch.utils.data.TensorDataset(rustorch.tensor([5, 6, 7]))
    >>> list(rustorch.utils.data.DataLoader(dataset, batch_size=2, sampler=Evens()))
    [[tensor([5, 7])]]
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError("Subclasses of Sampler should implement __iter__.")


class SequentialSampler(Sampler[int]):
    """All indices in order.

    Args:
        data_source: what has the length; its items are not read.

    Example:

    >>> list(rustorch.utils.data.SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Indices in random order: a permutation, or drawn anew each time with `replacement`.

    Each pass has an order of its own. More indices than there are items, without replacement, are several permutations
    one after the other, the last cut off.

    Args:
        data_source: what has the length; its items are not read.
        replacement: whether an index may come again before all others came. Default: False.
        num_samples: how many indices one pass gives, above 0; None for the length. Default: None.
        generator: the generator of the order; None for the one that `rustorch.manual_seed` seeds. Default: None.

    Example:

    >>> sampler = rustorch.utils.data.RandomSampler("abcd")
    >>> sorted(sampler)
    [0, 1, 2, 3]
    >>> len(rustorch.utils.data.RandomSampler("abcd", replacement=True, num_samples=10))
    10
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if num_samples is not None and (not isinstance(num_samples, int) or num_samples <= 0):
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={num_samples}")

    @property
    def num_samples(self) -> int:
        """How many indices one pass gives; the length of the dataset unless said otherwise."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def indices(self) -> Tensor:
        """The indices of one pass."""
        count, wanted = len(self.data_source), self.num_samples
        if self.replacement:
            return _C.randint(0, count, (wanted,), generator=self.generator)
        passes = [_C.randperm(count, generator=self.generator) for _ in range(max(1, -(-wanted // max(count, 1))))]
        return (passes[0] if len(passes) == 1 else _C.cat(passes))[:wanted]

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices().tolist())

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in random order, each pass in another.

    Args:
        indices: the indices.
        generator: the generator of the order; None for the one that `rustorch.manual_seed` seeds. Default: None.

    Example:

    >>> sorted(rustorch.utils.data.SubsetRandomSampler([2, 5, 7]))
    [2, 5, 7]
    """

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        return (self.indices[i] for i in _C.randperm(len(self.indices), generator=self.generator).tolist())

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with given probabilities: index i comes with the share of `weights[i]` in their sum.

    Args:
        weights: a weight per index, none negative; they need not sum to 1. Other than 1-dimensional is a ValueError.
        num_samples: how many indices one pass gives, above 0.
        replacement: whether an index may come again. Without, at most as many indices as there are weights above 0 can
            be drawn. Default: True.
        generator: the generator of the order; None for the one that `rustorch.manual_seed` seeds. Default: None.

    Example:

    >>> list(rustorch.utils.data.WeightedRandomSampler([0.0, 1.0], 4))
    [1, 1, 1, 1]
    >>> sorted(rustorch.utils.data.WeightedRandomSampler([0.2, 5.0, 1.0], 3, replacement=False))
    [0, 1, 2]
    """

    def __init__(
        self,
        weights: Sequence[float] | Tensor,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={num_samples}")
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.weights = _C.as_tensor(weights, dtype=_C.float64)
        if self.weights.dim() != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = _C.multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        return iter(drawn.tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of `batch_size` indices of another sampler; the last may be shorter, or with `drop_last` is left out.

    Args:
        sampler: the sampler, or anything else to iterate over.
        batch_size: the length of the lists, an int above 0.
        drop_last: whether to leave out a last list that is shorter.

    Example:

    >>> list(rustorch.utils.data.BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    >>> list(rustorch.utils.data.BatchSampler(range(5), batch_size=2, drop_last=True))
    [[0, 1], [2, 3]]
    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        batch: list[int] = []
        for index in self.sampler:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        count = len(self.sampler)  # type: ignore[arg-type]
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
