"""Backward passes of several threads that meet in the same leaves."""

import threading
from collections.abc import Callable

import pytest

import rustorch
from rustorch import Tensor

THREADS, TIMES = 4, 60


def _together(work: Callable[[], None]) -> None:
    """Runs `work` in several threads at once; raises what one of them raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(THREADS)

    def run() -> None:
        try:
            start.wait()
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


BACKWARDS: dict[str, Callable[[Tensor, Tensor], None]] = {
    "backward": lambda w, y: (w * 2).sum().backward(),
    "inputs": lambda w, y: (w * 2).sum().backward(inputs=[w]),
    "create_graph": lambda w, y: (w * 2).sum().backward(create_graph=True),
    "shared graph": lambda w, y: (y * 2).sum().backward(retain_graph=True),
}


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph:UserWarning")
@pytest.mark.parametrize("shape", [(), (30, 30), (400, 500)], ids=str)
@pytest.mark.parametrize("how", BACKWARDS)
def test_every_gradient_counts(how: str, shape: tuple[int, ...], device: str) -> None:
    w = rustorch.ones(shape, device=device, requires_grad=True)
    y = w * 1
    y.retain_grad()
    times = TIMES if w.numel() < 1000 else TIMES // 10

    def work() -> None:
        for _ in range(times):
            BACKWARDS[how](w, y)

    _together(work)
    want = 2.0 * THREADS * times
    assert w.grad.min().item() == w.grad.max().item() == want
    if how == "shared graph":
        assert y.grad.min().item() == y.grad.max().item() == want
    w.grad = None


def test_gradients_that_are_read_meanwhile(device: str) -> None:
    """A reader sees a gradient of the right shape, between nothing and all; a passing pass never takes it away."""
    w = rustorch.ones(20, 20, device=device, requires_grad=True)
    seen: list[float] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            grad = w.grad
            if grad is not None:
                seen.append(grad.max().item())
            else:
                assert not seen, "the gradient was away for a moment"

    reader = threading.Thread(target=read)
    reader.start()
    _together(lambda: [(w * 2).sum().backward() for _ in range(TIMES)] and None)
    done.set()
    reader.join()
    assert all(2 <= value <= 2 * THREADS * TIMES for value in seen)
    assert w.grad.min().item() == w.grad.max().item() == 2 * THREADS * TIMES


def test_gradients_that_are_taken_away_meanwhile(device: str) -> None:
    w = rustorch.ones(3, device=device, requires_grad=True)

    def work() -> None:
        for _ in range(TIMES):
            (w * 2).sum().backward()
            w.grad = None

    _together(work)
    assert w.grad is None
    w.sum().backward()
    assert w.grad.tolist() == [1, 1, 1]


def test_hooks_see_every_gradient(device: str) -> None:
    w = rustorch.ones(3, device=device, requires_grad=True)
    seen: list[float] = []
    after: list[int] = []
    w.register_hook(lambda grad: seen.append(grad[0].item()))
    w.register_post_accumulate_grad_hook(lambda leaf: after.append(1))

    def work() -> None:
        for _ in range(TIMES):
            handle = w.register_hook(lambda grad: grad * 1)
            (w * 2).sum().backward()
            handle.remove()

    _together(work)
    assert len(seen) == len(after) == THREADS * TIMES
    assert set(seen) == {2.0}
    assert w.grad.tolist() == [2 * THREADS * TIMES] * 3


def test_writes_are_counted(device: str) -> None:
    x = rustorch.zeros(3, device=device)
    before = x._version

    def work() -> None:
        for _ in range(TIMES):
            x.add_(0)

    _together(work)
    assert x._version == before + THREADS * TIMES
