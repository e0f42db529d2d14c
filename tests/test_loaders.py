"""Datasets and loaders in the corners: streams, concatenations, copies, generators."""

from collections import namedtuple
from collections.abc import Iterator

import numpy as np
import pytest

import rustorch
from rustorch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    default_collate,
    random_split,
)


class Stream(IterableDataset):
    def __iter__(self) -> Iterator[int]:
        return iter(range(5))


def test_streams() -> None:
    assert [b.tolist() for b in DataLoader(Stream(), batch_size=2)] == [[0, 1], [2, 3], [4]]
    assert [b.tolist() for b in DataLoader(Stream(), batch_size=2, drop_last=True)] == [[0, 1], [2, 3]]
    assert list(DataLoader(Stream(), batch_size=None)) == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="IterableDataset"):
        DataLoader(Stream(), shuffle=True)


@pytest.mark.parametrize("shuffle", [False, True])
def test_the_fast_path_gives_what_the_slow_one_does(shuffle: bool) -> None:
    dataset = TensorDataset(rustorch.arange(11).view(11, 1), rustorch.arange(11.0))
    rustorch.manual_seed(3)
    fast = [[t.tolist() for t in batch] for batch in DataLoader(dataset, 4, shuffle)]
    rustorch.manual_seed(3)
    slow = [[t.tolist() for t in b] for b in DataLoader(dataset, 4, shuffle, collate_fn=lambda b: default_collate(b))]
    assert fast == slow
    assert isinstance(next(iter(DataLoader(dataset))), list)


@pytest.mark.parametrize("shuffle", [False, True])
def test_writing_into_a_batch_leaves_the_dataset_alone(shuffle: bool) -> None:
    dataset = TensorDataset(rustorch.arange(6.0))
    for (batch,) in DataLoader(dataset, batch_size=3, shuffle=shuffle):
        batch.fill_(-1)
    assert dataset.tensors[0].tolist() == [0, 1, 2, 3, 4, 5]


def test_a_generator_of_ones_own() -> None:
    def order(seed: int) -> list[int]:
        generator = rustorch.Generator()
        generator.manual_seed(seed)
        return [int(x) for x in DataLoader(range(20), batch_size=None, shuffle=True, generator=generator)]

    state = rustorch.get_rng_state().tolist()
    assert order(1) == order(1) != order(2)
    assert sorted(order(1)) == list(range(20))
    assert rustorch.get_rng_state().tolist() == state


def test_concatenation() -> None:
    both = ConcatDataset([[0, 1, 2], [], [3, 4]])
    assert [both[i] for i in range(5)] == [0, 1, 2, 3, 4]
    assert both[-1] == 4
    with pytest.raises((IndexError, ValueError)):
        both[-6]
    dataset = TensorDataset(rustorch.arange(2)) + TensorDataset(rustorch.arange(3))
    assert len(dataset) == 5


def test_samplers() -> None:
    assert list(SequentialSampler("abc")) == [0, 1, 2]
    assert sorted(SubsetRandomSampler([4, 7, 9])) == [4, 7, 9]
    assert list(BatchSampler(SequentialSampler("abcde"), 2, False)) == [[0, 1], [2, 3], [4]]
    assert len(BatchSampler(SequentialSampler("abcde"), 2, True)) == 2
    more = list(RandomSampler("abc", num_samples=7))
    assert len(more) == 7
    assert sorted(more[:3]) == sorted(more[3:6]) == [0, 1, 2]
    assert set(RandomSampler("ab", replacement=True, num_samples=50)) == {0, 1}


def test_splits() -> None:
    assert [len(part) for part in random_split(range(10), [0.35, 0.35, 0.3])] == [4, 3, 3]
    assert Subset([5, 6, 7], [2, 0])[1] == 5
    with pytest.raises(ValueError, match="Sum of input lengths"):
        random_split(range(3), [1, 1])


def test_collation_of_containers() -> None:
    Point = namedtuple("Point", "x y")
    point = default_collate([Point(1, 2.0), Point(3, 4.0)])
    assert isinstance(point, Point)
    assert (point.x.tolist(), point.y.dtype) == ([1, 3], rustorch.float64)
    assert default_collate([np.ones(2, dtype=np.int16)] * 3).dtype is rustorch.int16
    assert default_collate([{"a": [1, 2]}, {"a": [3, 4]}])["a"][1].tolist() == [2, 4]
    assert default_collate([True, False]).dtype is rustorch.bool
    with pytest.raises(RuntimeError, match="equal size"):
        default_collate([[1], [1, 2]])
    with pytest.raises(TypeError, match="object"):
        default_collate([object()])


def test_exclusive_settings() -> None:
    with pytest.raises(ValueError, match="batch_sampler option is mutually exclusive"):
        DataLoader([1], batch_sampler=[[0]], batch_size=2)
    with pytest.raises(ValueError, match="drop_last"):
        DataLoader([1], batch_size=None, drop_last=True)
