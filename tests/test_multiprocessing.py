"""Tensors in shared memory: between forked and spawned processes, through queues, pipes and pools; and what stays."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import rustorch
import rustorch.multiprocessing as mp
from rustorch import nn

pytestmark = [
    pytest.mark.cpu_only,
    # Python cannot know that RusTorch's threads bear a fork.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="shared memory needs a Unix system"),
]

STRATEGIES = sorted(mp.get_all_sharing_strategies())


@pytest.fixture(params=STRATEGIES)
def strategy(request: pytest.FixtureRequest) -> Any:
    before = mp.get_sharing_strategy()
    mp.set_sharing_strategy(request.param)
    yield request.param
    mp.set_sharing_strategy(before)


def names() -> set[str]:
    """The names of shared memory that this library makes."""
    folder = Path("/dev/shm")
    return {name for name in os.listdir(folder) if name.startswith("rustorch_")} if folder.exists() else set()


def add_one(tensor: Any) -> None:
    tensor += 1


def echo(requests: Any, replies: Any) -> None:
    while (item := requests.get()) is not None:
        item["x"] += 1
        replies.put({"x": item["x"], "sum": item["x"].sum().item(), "shared": item["x"].is_shared()})


def double(tensor: Any) -> Any:
    return tensor * 2


def test_everything_of_the_standard_module_is_there() -> None:
    import multiprocessing

    assert {name for name in multiprocessing.__all__ if not hasattr(mp, name)} == set()
    assert mp.Queue.__func__ is multiprocessing.Queue.__func__
    with pytest.raises(AssertionError, match="invalid sharing strategy 'tape'"):
        mp.set_sharing_strategy("tape")


def test_shared_memory_is_seen_after_a_fork(strategy: str) -> None:
    x = rustorch.arange(6.0).reshape(2, 3).clone()
    assert not x.is_shared()
    assert x.share_memory_() is x
    assert x.is_shared()
    assert x.untyped_storage().is_shared()
    assert x[1].is_shared()
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]
    process = mp.get_context("fork").Process(target=add_one, args=(x,))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert x.tolist() == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_shared_memory_is_seen_by_new_interpreters(method: str, strategy: str) -> None:
    x, alone = rustorch.zeros(3).share_memory_(), rustorch.zeros(3)
    context = mp.get_context(method)
    processes = [context.Process(target=add_one, args=(t,)) for t in (x, alone)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert x.tolist() == [1, 1, 1]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_queues_carry_tensors(method: str, strategy: str) -> None:
    context = mp.get_context(method)
    requests, replies = context.Queue(), context.SimpleQueue()
    process = context.Process(target=echo, args=(requests, replies))
    process.start()
    shared, large = rustorch.ones(4).share_memory_(), rustorch.ones(5000)
    for x in (shared, shared[1:3], large):
        requests.put({"x": x})
        reply = replies.get()
        assert reply["shared"]
        assert reply["x"].is_shared()
        assert reply["sum"] == reply["x"].sum().item()
        assert reply["x"].shape == x.shape
        if x is not large:
            assert reply["x"].tolist() == x.tolist(), "the process wrote into our memory"
            assert reply["x"].data_ptr() == x.data_ptr(), "and what comes back is at the same place"
    assert shared.tolist() == [2, 3, 3, 2]
    requests.put(None)
    process.join(30)
    assert process.exitcode == 0
    requests.close()
    requests.join_thread()
    replies.close()


def test_pools_and_pipes(strategy: str) -> None:
    with mp.get_context("fork").Pool(2) as pool:
        results = pool.map(double, [rustorch.full((n,), float(n)) for n in (1, 2000, 0)])
    assert [(len(r), r.sum().item()) for r in results] == [(1, 2), (2000, 8_000_000), (0, 0)]
    here, there = mp.Pipe()
    here.send([rustorch.arange(3), nn.Parameter(rustorch.ones(2)), rustorch.ones(2, dtype=rustorch.bfloat16)])
    x, parameter, half = there.recv()
    assert x.tolist() == [0, 1, 2]
    assert isinstance(parameter, nn.Parameter)
    assert parameter.requires_grad
    assert half.dtype is rustorch.bfloat16
    here.close()
    there.close()


def test_tensors_of_one_storage_stay_so() -> None:
    here, there = mp.Pipe()
    base = rustorch.zeros(4)
    here.send((base, base[2:]))
    whole, part = there.recv()
    part += 1
    assert whole.tolist() == [0, 0, 1, 1]
    here.close()
    there.close()


def test_a_result_with_a_history_is_refused() -> None:
    here, there = mp.Pipe()
    with pytest.raises(RuntimeError, match=r"requires_grad|detach"):
        here.send(rustorch.ones(2, requires_grad=True) * 2)
    here.close()
    there.close()


@pytest.mark.rustorch_only  # PyTorch moves what it is a view of, too
def test_a_view_is_not_moved_alone() -> None:
    x = rustorch.zeros(4)
    with pytest.raises(RuntimeError, match="view"):
        x[1:].share_memory_()


def train(number: int, model: Any) -> None:
    with rustorch.no_grad():
        model.weight[number] = number + 1.0
        if model.weight.grad is not None:
            model.weight.grad[number] = -1.0
        model.running[number] = 7


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_train_one_module(method: str) -> None:
    model = nn.Linear(2, 2)
    model.register_buffer("running", rustorch.zeros(2))
    model.weight.grad = rustorch.zeros(2, 2)
    assert model.share_memory() is model
    assert all(t.is_shared() for t in (model.weight, model.weight.grad, model.bias, model.running))
    mp.start_processes(train, args=(model,), nprocs=2, start_method=method)
    assert model.weight.tolist() == [[1, 1], [2, 2]]
    # A pickle has no gradient.
    assert model.weight.grad.unique().tolist() == [-1 if method == "fork" else 0]
    assert model.running.tolist() == [7, 7]
    assert model.weight.requires_grad


def fails(number: int, how: str) -> None:
    if number == 0:
        time.sleep(60)
    if how == "raise":
        raise KeyError(f"process {number} has no such row")
    if how == "exit":
        os._exit(9)
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        (
            "raise",
            mp.ProcessRaisedException,
            r"(?s)Process 1 terminated with the following error:.*KeyError.*no such row",
        ),
        ("exit", mp.ProcessExitedException, "process 1 terminated with exit code 9"),
        ("kill", mp.ProcessExitedException, "process 1 terminated with signal SIGKILL"),
    ],
)
def test_when_one_process_fails_all_end(how: str, error: type[Exception], message: str) -> None:
    context = mp.start_processes(fails, args=(how,), nprocs=2, join=False, start_method="fork")
    start = time.monotonic()
    with pytest.raises(error, match=message) as raised:
        context.join()
    assert time.monotonic() - start < 20
    assert raised.value.error_index == 1
    assert raised.value.error_pid == context.pids()[1]
    assert not any(process.is_alive() for process in context.processes)


def test_spawn_warns_of_another_start_method() -> None:
    with pytest.warns(FutureWarning, match="start_method"):
        mp.spawn(print, nprocs=0, start_method="fork")


def test_nothing_is_left(strategy: str) -> None:
    """Descriptors, names and mappings are those of before once the tensors are gone."""
    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")

    def maps() -> int:
        text = Path("/proc/self/maps").read_text()
        return text.count("memfd:rustorch") + text.count("/dev/shm/rustorch_")

    def work() -> None:
        x = rustorch.zeros(5000).share_memory_()
        here, there = mp.Pipe()
        for sent in (x, x[3:], rustorch.ones(3000)):
            here.send(sent)
            there.recv().add_(1)
        here.close()
        there.close()

    work()
    gc.collect()
    before = (len(os.listdir("/proc/self/fd")), names(), maps())
    for _ in range(3):
        work()
    gc.collect()
    assert (len(os.listdir("/proc/self/fd")), names(), maps()) == before


PROGRAM = """
import os, signal, sys, time
import rustorch, rustorch.multiprocessing as mp

parent = os.getpid()

def child(queue):
    try:
        x = queue.get(timeout=2)
    except Exception:
        pass
    y = rustorch.ones(1000).share_memory_()
    queue.put(y)
    while os.getppid() == parent:
        time.sleep(0.05)

if __name__ == "__main__":
    mp.set_sharing_strategy("file_system")
    context = mp.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=child, args=(queue,), daemon=True)
    process.start()
    x = rustorch.zeros(1000).share_memory_()
    queue.put(x)
    queue.put(x)
    {end}
"""


@pytest.mark.rustorch_only
@pytest.mark.skipif("file_system" not in STRATEGIES, reason="shared memory has no names here")
@pytest.mark.parametrize("end", ["sys.exit(0)", "raise SystemExit(3)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_no_name_outlives_the_processes(end: str) -> None:
    """The tracker of multiprocessing removes what no process could, as after SIGKILL."""
    before = names()
    subprocess.run([sys.executable, "-c", PROGRAM.format(end=end)], stderr=subprocess.DEVNULL, timeout=60, check=False)
    limit = time.monotonic() + 20
    while names() - before and time.monotonic() < limit:
        time.sleep(0.1)
    assert names() - before == set()
