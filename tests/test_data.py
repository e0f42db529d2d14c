"""Datasets and loaders."""

import numpy as np
import pytest

import rustorch
from rustorch.datasets import digits
from rustorch.utils.data import DataLoader, Dataset, RandomSampler, Subset, TensorDataset, random_split


class Squares(Dataset):
    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[float, int]:
        if not 0 <= index < self.count:
            raise IndexError(index)
        return float(index), index * index


def pairs(count: int) -> TensorDataset:
    return TensorDataset(rustorch.arange(float(count)), rustorch.arange(count) ** 2)


def test_tensor_dataset() -> None:
    dataset = pairs(5)
    assert len(dataset) == 5
    assert [t.item() for t in dataset[3]] == [3, 9]
    with pytest.raises((AssertionError, ValueError)):
        TensorDataset(rustorch.zeros(2), rustorch.zeros(3))


@pytest.mark.parametrize(("drop_last", "sizes"), [(False, [4, 4, 2]), (True, [4, 4])])
@pytest.mark.parametrize("dataset", [Squares(10), pairs(10)], ids=["items", "tensors"])
def test_batches(dataset: Dataset, drop_last: bool, sizes: list[int]) -> None:
    loader = DataLoader(dataset, batch_size=4, drop_last=drop_last)
    assert len(loader) == len(sizes)
    batches = list(loader)
    assert [len(x) for x, _ in batches] == sizes
    assert rustorch.cat([y for _, y in batches]).tolist() == [i * i for i in range(sum(sizes))]
    assert batches[0][1].dtype is rustorch.int64
    assert batches[0][0].is_floating_point()


def test_shuffling_follows_the_seed() -> None:
    def order(seed: int) -> list[list[int]]:
        rustorch.manual_seed(seed)
        loader = DataLoader(pairs(50), batch_size=7, shuffle=True)
        return [rustorch.cat([y for _, y in loader]).tolist() for _ in range(2)]

    first, second = order(1)
    assert sorted(first) == sorted(second) == [i * i for i in range(50)]
    assert first != second
    assert order(1) == [first, second]
    assert order(2)[0] != first


def test_collation() -> None:
    rows = [{"x": np.float32(i), "y": (rustorch.ones(2) * i, str(i))} for i in range(4)]
    batch = next(iter(DataLoader(rows, batch_size=4)))
    assert batch["x"].tolist() == [0, 1, 2, 3]
    assert tuple(batch["y"][0].shape) == (4, 2)
    assert list(batch["y"][1]) == ["0", "1", "2", "3"]
    assert next(iter(DataLoader(Squares(3), batch_size=3, collate_fn=len))) == 3


def test_without_batching() -> None:
    assert [int(y) for _, y in DataLoader(Squares(3), batch_size=None)] == [0, 1, 4]


def test_samplers_subsets_splits() -> None:
    assert [int(y) for _, y in DataLoader(Squares(9), sampler=[2, 5])] == [4, 25]
    assert [y.tolist() for _, y in DataLoader(Squares(9), batch_sampler=[[1, 2], [3]])] == [[1, 4], [9]]
    assert len(list(RandomSampler(Squares(9), replacement=True, num_samples=20))) == 20
    assert Subset(Squares(9), [4, 2])[1] == (2.0, 4)
    parts = random_split(Squares(10), [7, 3])
    assert [len(p) for p in parts] == [7, 3]
    assert sorted(int(x) for part in parts for x, _ in part) == list(range(10))


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match="batch_size"):
        DataLoader(Squares(3), batch_size=0)
    with pytest.raises(ValueError, match="shuffle"):
        DataLoader(Squares(3), shuffle=True, sampler=[0])


def test_errors_of_a_dataset_come_through() -> None:
    class Broken(Squares):
        def __getitem__(self, index: int) -> tuple[float, int]:
            raise KeyError("row 7 is damaged")

    with pytest.raises(KeyError, match="row 7"):
        list(DataLoader(Broken(3)))


def test_digits() -> None:
    training, test = digits(train=True), digits(train=False)
    assert (len(training), len(test)) == (1198, 599)
    images, labels = training.tensors
    assert (tuple(images.shape), images.dtype, labels.dtype) == ((1198, 1, 8, 8), rustorch.float32, rustorch.int64)
    # Sums of the original file: every pixel and label is where it was.
    assert sum((d.tensors[0] * 16).sum().item() for d in (training, test)) == 561718
    assert np.bincount(training.tensors[1].tolist() + test.tensors[1].tolist()).tolist() == [
        *(178, 182, 177, 183, 181, 182, 181, 179, 174, 180),
    ]
    assert (images[0, 0, 0] * 16).tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert labels[:10].tolist() == [0, 1, 3, 4, 6, 7, 9, 0, 2, 3]
