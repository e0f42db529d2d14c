"""Datasets and loaders in the corners: streams, concatenations, copies, generators."""

from collections import OrderedDict, UserDict, defaultdict, namedtuple
from collections.abc import Iterator

import numpy as np
import pytest

import rustorch
from rustorch.utils.data import (
    BatchSampler,
    ChainDataset,
    ConcatDataset,
    DataLoader,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    StackDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    default_convert,
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


def test_passes_are_objects_with_a_length() -> None:
    from rustorch.utils.data import dataloader

    loader = DataLoader(range(5), batch_size=2)
    iterator = iter(loader)
    assert isinstance(iterator, dataloader._BaseDataLoaderIter)
    assert not isinstance(iterator, dataloader._MultiProcessingDataLoaderIter)
    assert len(iterator) == 3
    assert iter(iterator) is iterator
    assert next(iterator).tolist() == [0, 1]
    assert [batch.tolist() for batch in iterator] == [[2, 3], [4]]
    with pytest.raises(StopIteration):
        next(iterator)


class Several:
    """Gives items one by one and many at once, and notes which."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> int:
        self.asked.append(index)
        return 10 * index

    def __getitems__(self, indices: list[int]) -> list[int]:
        self.asked.append(indices)
        return [10 * index for index in indices]


def test_items_are_asked_for_together_where_the_dataset_can() -> None:
    dataset = Several()
    assert [batch.tolist() for batch in DataLoader(dataset, batch_size=4)] == [[0, 10, 20, 30], [40, 50]]
    assert dataset.asked == [[0, 1, 2, 3], [4, 5]]
    dataset = Several()
    assert [batch.tolist() for batch in DataLoader(Subset(dataset, [5, 1]), batch_size=2)] == [[50, 10]]
    assert dataset.asked == [[5, 1]]
    dataset = Several()
    stacked = StackDataset(dataset, "abcdef")
    assert [[b[0].tolist(), list(b[1])] for b in DataLoader(stacked, batch_size=6)] == [
        [[0, 10, 20, 30, 40, 50], list("abcdef")]
    ]
    assert dataset.asked == [[0, 1, 2, 3, 4, 5]]


def test_stacks() -> None:
    named = StackDataset(x=[1, 2], y=["a", "b"])
    assert (len(named), named[1]) == (2, {"x": 2, "y": "b"})
    assert named.__getitems__([1, 0]) == [{"x": 2, "y": "b"}, {"x": 1, "y": "a"}]
    assert StackDataset([1, 2], [3, 4])[0] == (1, 3)
    for wrong, message in (
        (lambda: StackDataset([1], [1, 2]), "Size mismatch"),
        (lambda: StackDataset([1], x=[1]), "(?i)either"),
        (lambda: StackDataset(), "At least one dataset|at least one dataset"),
    ):
        with pytest.raises(ValueError, match=message):
            wrong()


def test_chains() -> None:
    chain = Stream() + ChainDataset([Stream()])
    assert list(chain) == [0, 1, 2, 3, 4] * 2
    assert [b.tolist() for b in DataLoader(chain, batch_size=4)] == [[0, 1, 2, 3], [4, 0, 1, 2], [3, 4]]
    with pytest.raises(AssertionError, match="IterableDataset"):
        list(ChainDataset([Stream(), [1]]))


def test_weighted_sampling() -> None:
    weights = [0.0, 1.0, 2.0, 5.0]
    drawn = np.bincount(list(WeightedRandomSampler(weights, 8000)), minlength=4)
    expected = np.array(weights) * 1000
    assert drawn[0] == 0
    # Three standard deviations of a binomial share.
    assert (np.abs(drawn - expected)[1:] < 3 * np.sqrt(expected * (1 - expected / 8000))[1:]).all()
    assert sorted(WeightedRandomSampler(weights, 3, replacement=False)) == [1, 2, 3]
    generator = rustorch.Generator().manual_seed(1)
    first = list(WeightedRandomSampler(weights, 20, generator=generator))
    assert list(WeightedRandomSampler(weights, 20, generator=generator.manual_seed(1))) == first
    for arguments, message in (
        ((weights, 0), "num_samples=0"),
        ((weights, True), "num_samples=True"),
        ((weights, 2, 1), "replacement=1"),
        (([weights], 2), "1d sequence"),
    ):
        with pytest.raises(ValueError, match=message):
            WeightedRandomSampler(*arguments)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize(("count", "replicas"), [(10, 3), (9, 3), (2, 5), (7, 2)])
def test_shares_of_processes(count: int, replicas: int, drop_last: bool) -> None:
    samplers = [DistributedSampler(range(count), replicas, r, seed=3, drop_last=drop_last) for r in range(replicas)]
    parts = [list(sampler) for sampler in samplers]
    lengths = {len(part) for part in parts} | {len(sampler) for sampler in samplers}
    assert lengths == {count // replicas if drop_last else -(-count // replicas)}
    together = [index for part in parts for index in part]
    if drop_last:
        assert len(set(together)) == len(together)
    else:
        assert set(together) == set(range(count))
    for sampler in samplers:
        sampler.set_epoch(1)
    again = [list(sampler) for sampler in samplers]
    if count > 5:
        assert again != parts
    plain = [list(DistributedSampler(range(count), replicas, r, False, drop_last=drop_last)) for r in range(replicas)]
    assert plain[0] == [i % count for i in range(0, len(plain[0]) * replicas, replicas)]


def test_shares_of_processes_that_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"Invalid rank 2, rank should be in the interval \[0, 1\]"):
        DistributedSampler(range(4), 2, 2)


@pytest.mark.rustorch_only
def test_shares_of_unknown_processes() -> None:
    with pytest.raises(RuntimeError, match="give num_replicas and rank"):
        DistributedSampler(range(4))


def test_conversion() -> None:
    Point = namedtuple("Point", "x y")
    converted = default_convert(
        {
            "array": np.ones(2, dtype=np.float32),
            "scalar": np.int16(3),
            "point": Point(np.zeros(1), "a"),
            "tuple": (np.zeros(1), 2),
            "text": np.array(["a"]),
            "number": 1.5,
        }
    )
    assert converted["array"].dtype is rustorch.float32
    assert (converted["scalar"].dtype, converted["scalar"].item()) == (rustorch.int16, 3)
    assert isinstance(converted["point"], Point)
    assert isinstance(converted["point"].x, rustorch.Tensor)
    assert isinstance(converted["tuple"], list)
    assert isinstance(converted["text"], np.ndarray)
    assert converted["number"] == 1.5
    # A loader without batches converts, too.
    assert isinstance(next(iter(DataLoader([np.zeros(2)], batch_size=None))), rustorch.Tensor)


def test_collation_keeps_containers() -> None:
    """Recorded from PyTorch: mutable ones are copied with what else they have, others made anew or become lists."""
    ordered = default_collate([OrderedDict(b=1, a=2), OrderedDict(b=3, a=4)])
    assert (type(ordered), list(ordered)) == (OrderedDict, ["b", "a"])
    filled = default_collate([defaultdict(int, a=1)])
    assert filled.default_factory is int
    assert type(default_collate([UserDict(a=1)])) is UserDict
    assert type(default_collate([range(2), range(2)])) is list
    assert type(default_collate([(1, 2), (3, 4)])) is list

    class Named(list):
        name = "none"

    sample = Named([1, 2])
    sample.name = "sample"
    made = default_collate([sample, Named([3, 4])])
    assert (type(made), made.name, made[1].tolist()) == (Named, "sample", [2, 4])


def test_collation_of_numbers_of_numpy() -> None:
    assert default_collate([np.float32(1), np.float32(2)]).dtype is rustorch.float32
    assert default_collate([np.float64(1), np.float64(2)]).dtype is rustorch.float64
    assert default_collate([np.bool_(True)]).dtype is rustorch.bool
    assert default_collate([np.uint8(200)]).tolist() == [200]
    assert default_collate([np.str_("a"), "b"]) == ["a", "b"]
    with pytest.raises(TypeError, match="default_collate"):
        default_collate([np.array(["a"])])


def test_collation_can_be_taught() -> None:
    from rustorch.utils.data._utils.collate import collate, collate_tensor_fn, default_collate_fn_map

    class Word:
        def __init__(self, text: str) -> None:
            self.text = text

    def join(batch: list[Word], *, collate_fn_map: object = None) -> str:
        return " ".join(word.text for word in batch)

    words = [{"word": Word("a"), "x": rustorch.ones(1)}, {"word": Word("b"), "x": rustorch.zeros(1)}]
    batch = collate(words, collate_fn_map={Word: join, rustorch.Tensor: collate_tensor_fn})
    assert (batch["word"], batch["x"].tolist()) == ("a b", [[1], [0]])
    default_collate_fn_map[Word] = join
    try:
        assert default_collate(words)["word"] == "a b"
    finally:
        del default_collate_fn_map[Word]
    with pytest.raises(TypeError, match="Word"):
        default_collate(words)
