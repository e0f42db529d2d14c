"""Loaders with worker processes: what comes back, in which order, and every way in which it can end."""

from __future__ import annotations

import gc
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rustorch
from rustorch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, get_worker_info

pytestmark = [
    pytest.mark.cpu_only,
    # Python cannot know that RusTorch's threads bear a fork.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="worker processes need a Unix system"),
]


class Items(Dataset):
    """Item i is a tensor of i, and who read it."""

    def __init__(self, count: int, size: int = 3) -> None:
        self.count = count
        self.size = size

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        info = get_worker_info()
        assert info is not None
        return {
            "x": rustorch.full((self.size,), float(index)),
            "index": index,
            "worker": info.id,
            "draws": [rustorch.rand(()).item(), random.random(), float(np.random.rand())],
        }


class Share(IterableDataset):
    """A stream of numbers, of which each worker takes its share."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __iter__(self) -> Iterator[int]:
        info = get_worker_info()
        first, step = (0, 1) if info is None else (info.id, info.num_workers)
        return iter(range(first, self.count, step))


class Failing(Dataset):
    """Item 5 does something bad."""

    def __init__(self, how: str) -> None:
        self.how = how

    def __len__(self) -> int:
        return 100

    def __getitem__(self, index: int) -> int:
        if index != 5:
            return index
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "exit":
            os._exit(7)
        if self.how == "sleep":
            time.sleep(60)
        if self.how == "local":

            class Own(Exception):
                pass

            raise Own("damaged")
        if self.how == "unpicklable":
            return lambda: 0
        raise {"KeyError": KeyError, "ConnectionResetError": ConnectionResetError, "StopIteration": StopIteration}[
            self.how
        ]("row 5")


def identity(item: Any) -> Any:
    return item


def pids(loader_iterator: Any) -> list[int]:
    return [process.pid for process in loader_iterator._pool.processes]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_batches_come_in_order(method: str) -> None:
    loader = DataLoader(Items(10, 5000), batch_size=3, num_workers=2, multiprocessing_context=method)
    batches = list(loader)
    assert [batch["index"].tolist() for batch in batches] == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]
    assert [batch["worker"].unique().tolist() for batch in batches] == [[0], [1], [0], [1]]
    for batch in batches:
        assert batch["x"].shape == (len(batch["index"]), 5000)
        assert batch["x"].eq(batch["index"].unsqueeze(1)).all()


@pytest.mark.parametrize("size", [1, 2000, 300_000])
def test_batches_are_ones_own(size: int) -> None:
    """Small ones come over the socket, others in shared memory; both can be written, and outlive the loader."""
    loader = DataLoader(Items(4, size), batch_size=2, num_workers=1)
    first, second = list(loader)
    first["x"] += 1
    assert (first["x"].sum().item(), second["x"].sum().item()) == (3 * size, 5 * size)
    del loader, first
    assert second["x"].sum().item() == 5 * size


def test_batches_that_are_kept_stay_as_they_are() -> None:
    """However many: memory is used again only when nothing refers to it."""
    loader = DataLoader(Items(60, 4000), batch_size=2, num_workers=2)
    kept, parts = [], []
    for i, batch in enumerate(loader):
        if i % 3 == 0:
            kept.append(batch)
        elif i % 3 == 1:
            parts.append((batch["index"], batch["x"][1, 7:9], batch["x"][0].numpy()))
    for batch in kept:
        assert batch["x"].eq(batch["index"].unsqueeze(1)).all()
    for index, part, row in parts:
        assert part.eq(index[1]).all()
        assert (row == index[0].item()).all()


@pytest.mark.rustorch_only
def test_memory_is_used_again() -> None:
    loader = DataLoader(Items(80, 4000), batch_size=2, num_workers=1)
    places = set()
    for batch in loader:
        places.add(batch["x"].data_ptr())
        assert batch["x"].is_shared()
        assert batch["x"].eq(batch["index"].unsqueeze(1)).all()
        del batch
    assert len(places) <= 8


@pytest.mark.rustorch_only
def test_larger_batches_get_larger_memory() -> None:
    sizes = [3000, 40_000, 2500, 90_000, 90_000, 3000] * 4
    loader = DataLoader([np.full(size, float(size)) for size in sizes], batch_size=None, num_workers=1)
    for size, batch in zip(sizes, loader, strict=True):
        assert batch.shape == (size,)
        assert batch.eq(size).all()


def test_a_forked_process_keeps_the_batch_that_it_saw() -> None:
    loader = DataLoader(Items(60, 4000), batch_size=2, num_workers=1)
    iterator = iter(loader)
    batch = next(iterator)
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        os.close(writable)
        os.read(readable, 1)
        os._exit(0 if bool(batch["x"].eq(batch["index"].unsqueeze(1)).all()) else 1)
    os.close(readable)
    del batch
    for other in iterator:
        del other
    os.close(writable)
    assert os.waitpid(child, 0)[1] == 0


def test_all_types_travel() -> None:
    items = [
        {
            "empty": rustorch.zeros(0, 3),
            "transposed": rustorch.arange(6).reshape(2, 3).t(),
            "half": rustorch.ones(3, dtype=rustorch.bfloat16),
            "array": np.arange(5000),
            "text": "a",
            "gradient": rustorch.ones(2, requires_grad=True),
            "long": "b" * 100_000,
        }
    ]
    (item,) = DataLoader(items, batch_size=None, num_workers=1, collate_fn=identity)
    assert item["empty"].shape == (0, 3)
    assert item["transposed"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert item["half"].dtype is rustorch.bfloat16
    assert isinstance(item["array"], np.ndarray)
    assert item["array"].sum() == 4999 * 2500
    assert item["gradient"].requires_grad
    assert (item["text"], item["long"]) == ("a", "b" * 100_000)


@pytest.mark.rustorch_only
def test_a_slice_does_not_bring_the_rest_along() -> None:
    rows = rustorch.arange(1_000_000.0).reshape(1000, 1000)
    batches = list(DataLoader(rows, batch_size=None, sampler=[3, 4], num_workers=1))
    assert [batch[0].item() for batch in batches] == [3000, 4000]
    assert all(batch.untyped_storage().nbytes() == 4000 for batch in batches)


def test_a_tensor_dataset_is_the_same_with_and_without_workers() -> None:
    dataset = TensorDataset(rustorch.arange(50).reshape(25, 2), rustorch.arange(25))

    def order(num_workers: int) -> list[list[list[int]]]:
        rustorch.manual_seed(5)
        loader = DataLoader(dataset, batch_size=4, shuffle=True, num_workers=num_workers)
        return [[part.tolist() for part in batch] for _ in range(2) for batch in loader]

    assert order(0) == order(2)
    assert order(0)[:7] != order(0)[7:]


def test_workers_are_seeded() -> None:
    """`base_seed + id` for rustorch and random, as in PyTorch; passes differ, and follow from a generator."""

    def draws(generator: rustorch.Generator) -> list[list[float]]:
        loader = DataLoader(Items(4), batch_size=None, num_workers=2, generator=generator)
        return [item["draws"] for item in loader]

    generator = rustorch.Generator().manual_seed(3)
    first, second = draws(generator), draws(generator)
    assert draws(rustorch.Generator().manual_seed(3)) == first
    numbers = [number for row in first + second for number in row]
    assert len(set(numbers)) == len(numbers)
    base = rustorch.empty((), dtype=rustorch.int64).random_(generator=rustorch.Generator().manual_seed(3)).item()
    # Worker 1 reads items 1 and 3.
    assert first[1][1] == random.Random(base + 1).random()
    own = rustorch.Generator().manual_seed(base + 1)
    assert first[1][0] == rustorch.rand((), generator=own).item()


def test_the_seed_of_numpy_is_pytorchs() -> None:
    from rustorch.utils.data._utils import worker

    # What PyTorch 2.15's worker passes to numpy.random.seed.
    recorded = {
        (123456789012345, 3): [3999280408, 2418223825, 1775828080, 3641838301],
        (2**62 + 7, 11): [3505474279, 1231791892, 553432001, 2591538458],
    }
    if hasattr(worker, "_generate_state"):
        assert {key: worker._generate_state(*key) for key in recorded} == recorded
        return
    state, own, mine = np.random.get_state(), random.getstate(), rustorch.get_rng_state()
    try:
        for (base, number), words in recorded.items():
            assert worker._seed_generators(base, number) == base + number
            assert np.random.rand() == np.random.RandomState(words).rand()
    finally:
        np.random.set_state(state)
        random.setstate(own)
        rustorch.set_rng_state(mine)


@pytest.mark.parametrize("batch_size", [None, 2])
def test_streams_are_shared_out(batch_size: int | None) -> None:
    loader = DataLoader(Share(9), batch_size=batch_size, num_workers=2)
    expected = {
        None: [0, 1, 2, 3, 4, 5, 6, 7, 8],
        # Worker 0 has 0, 2, 4, 6, 8 and worker 1 has 1, 3, 5, 7.
        2: [[0, 2], [1, 3], [4, 6], [5, 7], [8]],
    }[batch_size]
    assert [batch if isinstance(batch, int) else batch.tolist() for batch in loader] == expected


def test_a_stream_may_drop_its_last_batch_per_worker() -> None:
    loader = DataLoader(Share(11), batch_size=2, num_workers=2, drop_last=True)
    # Worker 0 has 0, 2, 4, 6, 8, 10 and worker 1 has 1, 3, 5, 7, 9.
    assert [batch.tolist() for batch in loader] == [[0, 2], [1, 3], [4, 6], [5, 7], [8, 10]]


def test_a_stream_longer_than_it_says_is_warned_of() -> None:
    class Liar(Share):
        def __len__(self) -> int:
            return 3

    loader = DataLoader(Liar(4), batch_size=None)
    assert len(loader) == 3
    with pytest.warns(UserWarning, match="Length of .*IterableDataset.* was reported to be 3"):
        list(loader)


@pytest.mark.parametrize("stream", [False, True])
def test_persistent_workers_make_several_passes(stream: bool) -> None:
    dataset: Any = Share(6) if stream else list(range(6))
    loader = DataLoader(dataset, batch_size=1, num_workers=2, persistent_workers=True)
    seen = []
    for _ in range(3):
        iterator = iter(loader)
        seen.append([batch.item() for batch in iterator])
    assert seen == [[0, 1, 2, 3, 4, 5]] * 3
    # A pass that was left in its midst has no part in the next one.
    iterator = iter(loader)
    next(iterator)
    again = iter(loader)
    assert again is iterator
    assert [batch.item() for batch in again] == [0, 1, 2, 3, 4, 5]


@pytest.mark.rustorch_only
def test_workers_end_at_once_where_others_were_forked_later() -> None:
    """The later ones have a copy of the older ones' sockets."""
    older = DataLoader(Items(4), num_workers=1, persistent_workers=True)
    iterator = iter(older)
    first = pids(iterator)
    younger = DataLoader(Items(4), num_workers=1, persistent_workers=True)
    again = iter(younger)
    start = time.monotonic()
    del older, iterator
    assert not any(map(alive, first))
    assert time.monotonic() - start < 4
    assert len(list(again)) == 4


def test_workers_can_be_shut_down() -> None:
    from rustorch.utils.data import dataloader

    loader = DataLoader(Items(8), num_workers=1, persistent_workers=True)
    iterator = iter(loader)
    assert loader._iterator is iterator
    assert isinstance(iterator, dataloader._MultiProcessingDataLoaderIter)
    assert len(iterator) == 8
    next(iterator)
    iterator._shutdown_workers()
    loader._iterator = None
    assert len(list(loader)) == 8


@pytest.mark.rustorch_only
def test_workers_end_with_the_pass_or_its_iterator() -> None:
    loader = DataLoader(Items(40), num_workers=2)
    iterator = iter(loader)
    running = pids(iterator)
    list(iterator)
    assert not any(map(alive, running))
    iterator = iter(loader)
    running = pids(iterator)
    next(iterator)
    assert all(map(alive, running))
    del iterator
    assert not any(map(alive, running))


def test_out_of_order_batches() -> None:
    """The first batch takes its time: without order the others do not wait for it."""

    def collate(batch: list[int]) -> int:
        if batch[0] == 0:
            time.sleep(1.5)
        return batch[0]

    numbers = list(range(8))
    loader = DataLoader(numbers, num_workers=2, collate_fn=collate, in_order=False, multiprocessing_context="fork")
    order = list(loader)
    assert sorted(order) == numbers
    assert order[0] != 0
    loader = DataLoader(numbers, num_workers=2, collate_fn=collate, multiprocessing_context="fork")
    assert list(loader) == numbers


def test_init_functions_run_in_the_workers() -> None:
    def start(worker: int) -> None:
        info = get_worker_info()
        assert info is not None
        assert info.id == worker
        info.dataset[:] = [worker] * 4

    numbers = [7, 7, 7, 7]
    context = {"multiprocessing_context": "fork"}
    assert list(DataLoader(numbers, batch_size=None, num_workers=2, worker_init_fn=start, **context)) == [0, 1, 0, 1]
    assert numbers == [7, 7, 7, 7]
    with pytest.raises(ZeroDivisionError, match=r"(?s)DataLoader worker process [01].*1 / 0"):
        list(DataLoader(numbers, num_workers=2, worker_init_fn=lambda _: 1 / 0, **context))


@pytest.mark.parametrize("kind", ["KeyError", "ConnectionResetError"])
def test_an_exception_has_its_type_and_the_workers_traceback(kind: str) -> None:
    loader = DataLoader(Failing(kind), batch_size=2, num_workers=2)
    seen = []
    iterator = iter(loader)
    for _ in range(2):
        seen.extend(next(iterator).tolist())
    with pytest.raises(Exception, match="Caught") as raised:
        next(iterator)
    assert type(raised.value).__name__ == kind
    assert seen == [0, 1, 2, 3]
    text = str(raised.value)
    assert "in DataLoader worker process 0." in text
    assert "in __getitem__\n" in text
    assert "\n" in text, "a KeyError shows the lines of its traceback"


@pytest.mark.rustorch_only
@pytest.mark.parametrize(
    ("how", "message"), [("local", "damaged"), ("unpicklable", "lambda"), ("StopIteration", "row 5")]
)
def test_what_cannot_travel_is_an_error(how: str, message: str) -> None:
    loader = DataLoader(Failing(how), batch_size=None, num_workers=1, collate_fn=identity)
    with pytest.raises(Exception, match=message) as raised:
        list(loader)
    assert "DataLoader worker process 0" in str(raised.value)


@pytest.mark.rustorch_only  # PyTorch raises wherever the signal of the death reaches the process
@pytest.mark.parametrize(("how", "message"), [("kill", "SIGKILL"), ("exit", "exit code 7")])
def test_a_worker_that_dies_is_named(how: str, message: str) -> None:
    iterator = iter(DataLoader(Failing(how), batch_size=1, num_workers=2))
    running = pids(iterator)
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=message) as raised:
        list(iterator)
    assert time.monotonic() - start < 5
    assert str(running[1]) in str(raised.value)
    assert not any(map(alive, running))


def test_a_timeout() -> None:
    with pytest.raises(RuntimeError, match=r"timed out after 0\.5 seconds"):
        list(DataLoader(Failing("sleep"), batch_size=1, num_workers=1, timeout=0.5))


def test_options_that_need_workers() -> None:
    for options in ({"prefetch_factor": 2}, {"persistent_workers": True}, {"multiprocessing_context": "spawn"}):
        with pytest.raises(ValueError, match=next(iter(options))):
            DataLoader([1], **options)
    for options in ({"num_workers": -1}, {"num_workers": 1, "timeout": -1}, {"num_workers": 1, "prefetch_factor": -1}):
        with pytest.raises(ValueError, match=list(options)[-1]):
            DataLoader([1], **options)
    with pytest.raises(ValueError, match="spawned"):
        DataLoader([1], num_workers=1, multiprocessing_context="spawned")
    with pytest.raises(TypeError, match="multiprocessing_context"):
        DataLoader([1], num_workers=1, multiprocessing_context=3)
    loader = DataLoader([1], num_workers=1)
    assert loader.prefetch_factor == 2
    with pytest.raises(ValueError, match="batch_size attribute should not be set"):
        loader.batch_size = 3


def test_nothing_is_left_open() -> None:
    """Descriptors and shared memory are as before, whether a pass ends, is left, or fails."""
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("needs /proc")

    def passes() -> None:
        list(DataLoader(Items(6, 5000), num_workers=2))
        for _ in DataLoader(Items(6, 5000), num_workers=2):
            break
        with pytest.raises(KeyError):
            list(DataLoader(Failing("KeyError"), num_workers=2))
        # The error's traceback has the iterator.
        gc.collect()

    passes()
    before = len(list(folder.iterdir()))
    named = set(os.listdir("/dev/shm"))
    passes()
    assert len(list(folder.iterdir())) == before
    assert not {name for name in set(os.listdir("/dev/shm")) - named if name.startswith(("torch", "rustorch"))}
