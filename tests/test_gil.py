"""Other Python threads run while an op computes, and Ctrl-C ends one that takes long."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.rustorch_only, pytest.mark.cpu_only]

RELEASES = """
import sys, threading, time
import rustorch

{setup}

ticks, stop = 0, False

def spin():
    global ticks
    while not stop:
        ticks += 1
        time.sleep(0.0005)

thread = threading.Thread(target=spin)
thread.start()
time.sleep(0.02)
# Larger until it takes long enough to tell.
n, took = 1, 0.0
for size in {sizes}:
    n = size
    before, start = ticks, time.perf_counter()
    {call}
    took, seen = time.perf_counter() - start, ticks - before
    if took > 0.06:
        break
stop = True
thread.join()
print(took, seen)
"""

LONG = "(10**6, 10**7, 6 * 10**7)"
SIDES = "(1000, 3000, 9000)"

# What makes a tensor, or a large one of small ones: the call, and the sizes that n takes.
CALLS = {
    "zeros": ("rustorch.zeros(n)", LONG),
    "ones": ("rustorch.ones(n)", LONG),
    "full": ("rustorch.full((n,), 2.5)", LONG),
    "new_full": ("one.new_full((n,), 2.5)", LONG),
    "arange": ("rustorch.arange(n)", LONG),
    "arange by a step": ("rustorch.arange(0, 1, 1 / n)", LONG),
    "linspace": ("rustorch.linspace(0, 1, n)", LONG),
    "logspace": ("rustorch.logspace(0, 1, n)", LONG),
    "eye": ("rustorch.eye(n)", SIDES),
    "tril_indices": ("rustorch.tril_indices(n, n)", "(300, 1000, 4000)"),
    "triu_indices": ("rustorch.triu_indices(n, n)", "(300, 1000, 4000)"),
    "rand": ("rustorch.rand(n)", LONG),
    "randn": ("rustorch.randn(n)", LONG),
    "randint": ("rustorch.randint(9, (n,))", LONG),
    "randperm": ("rustorch.randperm(n)", "(10**5, 10**6, 10**7)"),
    "normal": ("rustorch.normal(0.0, 1.0, (n,))", LONG),
    "hann_window": ("rustorch.hann_window(n)", LONG),
    "kaiser_window": ("rustorch.kaiser_window(n)", LONG),
    "repeat": ("one.repeat(n)", LONG),
    "expand and clone": ("one.expand(n).clone()", LONG),
    "sum of an expanded one": ("one.expand(n).sum()", "(10**7, 10**8, 10**9)"),
    "broadcasting": ("column[:n] + row[:, :n]", SIDES),
    "broadcasting function": ("rustorch.mul(column[:n], row[:, :n])", SIDES),
    "outer": ("rustorch.outer(row[0, :n], row[0, :n])", SIDES),
    "randn_like": ("rustorch.randn_like(one.expand(n))", LONG),
    "uniform_": ("rustorch.empty(n).uniform_()", LONG),
    "safetensors.load": ("rustorch.safetensors.load(content)", "(1,)"),
}
SETUP = """
one = rustorch.ones(1)
column, row = rustorch.ones(9000, 1), rustorch.ones(1, 9000)
"""


def run(code: str, timeout: int = 120) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr[-1000:])
    return done.stdout


@pytest.mark.parametrize("name", CALLS)
def test_other_threads_run_meanwhile(name: str) -> None:
    call, sizes = CALLS[name]
    setup = SETUP
    if "content" in call:
        setup += "content = rustorch.safetensors.save({'a': rustorch.ones(4 * 10**7)})\n"
    took, seen = map(float, run(RELEASES.format(setup=setup, call=call, sizes=sizes)).split())
    if took < 0.02:
        pytest.skip(f"{took} s are too few to tell")
    # A thread that waits for the GIL until the op is done gets to tick once or twice.
    assert seen >= min(10, 100 * took), (took, seen)


INTERRUPTED = """
import os, signal, sys, threading, time
import rustorch
{settings}

{setup}

# Once whole, so that its memory is there: where pages come slowly, their first use takes longer than the op.
start = time.perf_counter()
{call}
whole = time.perf_counter() - start
# The op alone takes long; the signal comes early in it.
threading.Timer(0.4, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
start = time.perf_counter()
try:
    while True:
        {call}
except KeyboardInterrupt:
    print(whole, time.perf_counter() - start)
assert rustorch.ones(10**6).sum().item() == 10**6
a = rustorch.ones(300, 300)
assert (a @ a).sum().item() == 300**3
"""

SECONDS = {
    "matmul": ("a = rustorch.ones(6000, 6000, dtype=rustorch.float64)", "a @ a"),
    "matmul function": ("a = rustorch.ones(6000, 6000, dtype=rustorch.float64)", "rustorch.matmul(a, a)"),
    "conv2d": (
        "x, w = rustorch.ones(8, 64, 256, 256), rustorch.ones(128, 64, 5, 5)",
        "rustorch.nn.functional.conv2d(x, w)",
    ),
    "sort of one line": ("x = rustorch.rand(3 * 10**7)", "x.sort()"),
    "sort of many lines": ("x = rustorch.rand(3000, 10**4)", "x.sort(dim=0)"),
    "elementwise": ("x = rustorch.ones(10**4, 1, 10**4).expand(-1, 5, -1)", "x.lgamma()"),
    "lu": ("a = rustorch.rand(3000, 3000, dtype=rustorch.float64)", "rustorch.linalg.lu_factor(a)"),
    "qr": ("a = rustorch.rand(2000, 2000, dtype=rustorch.float64)", "rustorch.linalg.qr(a)"),
    "randn": ("", "rustorch.randn(2 * 10**8)"),
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", SECONDS)
def test_an_interrupt_ends_a_long_op(name: str, threads: int) -> None:
    setup, call = SECONDS[name]
    settings = f"rustorch.set_num_threads({threads})"
    whole, took = map(float, run(INTERRUPTED.format(settings=settings, setup=setup, call=call)).split())
    # On a busy machine everything takes longer, the op as well.
    assert took < max(1.5, whole / 2), (took, whole)


def test_what_writes_runs_to_its_end_before_it_is_interrupted() -> None:
    out = run(
        """
import os, signal, threading
import rustorch
x = rustorch.zeros(3 * 10**8)
threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
rounds = 0
try:
    while True:
        x.add_(1)
        rounds += 1
except KeyboardInterrupt:
    pass
print(float(x.min()), float(x.max()))
"""
    )
    low, high = map(float, out.split())
    assert low == high


def test_a_handler_that_does_not_raise_lets_the_op_go_on() -> None:
    out = run(
        """
import os, signal, threading
import rustorch
heard = []
signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
a = rustorch.ones(2500, 2500, dtype=rustorch.float64)
threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
print((a @ a).sum().item() == 2500**3, len(heard) <= 1)
"""
    )
    assert out.split() == ["True", "True"]
