"""Forked processes: a child computes whatever the parent's threads were doing, and a device's tensors raise there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

import rustorch

pytestmark = [
    pytest.mark.rustorch_only,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
]

FORKS = """
import os, signal, sys, threading, time
import rustorch

{setup}

def work():
    {work}

def loop():
    while True:
        work()

for _ in range(3):
    threading.Thread(target=loop, daemon=True).start()
time.sleep(0.05)
sys.setswitchinterval(1e-4)
for round in range({rounds}):
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        try:
            work()
        except BaseException as error:
            print(repr(error), flush=True)
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status != 0:
        print("round", round, "status", status, flush=True)
        os._exit(1)
os._exit(0)
"""

# What the threads and the child do; each name says which lock it keeps busy.
WORK = {
    "small blocks": ("", "[rustorch.empty(n) for n in range(1, 4000, 7)]"),
    "large blocks": ("", "[rustorch.empty(1 << 20).fill_(1) for _ in range(8)]"),
    "empty_cache": ("", "[rustorch.empty(5000) for _ in range(50)]; rustorch.empty_cache()"),
    "memory_stats": ("", "rustorch.memory_stats(); rustorch.empty(1 << 18)"),
    "thread pool": ("a = rustorch.ones(300, 300)", "(a @ a).sum().item(); a.flatten().sort()"),
    "default generator": ("", "[rustorch.randn(40000) for _ in range(8)]"),
    "a generator": ("g = rustorch.Generator()", "[rustorch.rand(40000, generator=g) for _ in range(8)]"),
    "seeds": ("", "rustorch.manual_seed(3); rustorch.randperm(10000)"),
    "gradient of one leaf": (
        "w = rustorch.ones(200, 200, requires_grad=True)",
        "(w * 2).sum().backward(); w.grad.sum().item()",
    ),
    "one graph": (
        "w = rustorch.ones(200, 200, requires_grad=True); y = (w.exp() * w).sum()",
        "rustorch.autograd.grad(y, w, retain_graph=True)",
    ),
    "one view": (
        "b = rustorch.zeros(200, 200).requires_grad_().clone(); v = b[10:]",
        "(v * 2).sum().backward(retain_graph=True); b.requires_grad; v.is_leaf",
    ),
    "files": (
        "import tempfile; p = tempfile.mkdtemp(); a = rustorch.ones(300, 300)",
        "rustorch.safetensors.save_file({'a': a}, f'{p}/{os.getpid()}-{threading.get_ident()}')",
    ),
}


def child(code: str, timeout: int = 120) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr[-1000:])
    return done.stdout


@pytest.mark.cpu_only
@pytest.mark.parametrize("kind", WORK)
def test_a_child_does_what_the_threads_were_doing(kind: str) -> None:
    setup, work = WORK[kind]
    child(FORKS.format(setup=setup, work=work, rounds=40))


@pytest.mark.cpu_only
def test_a_child_of_a_child_computes() -> None:
    child(
        """
import os, signal
import rustorch
a = rustorch.ones(300, 300); (a @ a).sum().item()
for generation in range(3):
    child = os.fork()
    if child:
        os._exit(os.waitpid(child, 0)[1] != 0)
    signal.alarm(20)
    assert (a @ a).sum().item() == 300**3
os._exit(0)
"""
    )


ON_THE_DEVICE = {
    "read": lambda x, event: x.cpu(),
    "item": lambda x, event: x.sum().item(),
    "compute": lambda x, event: x + 1,
    "allocate": lambda x, event: rustorch.ones(3, device=x.device),
    "write": lambda x, event: rustorch.ones(3, device="cpu").to(x.device),
    "print": lambda x, event: repr(x),
    "wait for an event": lambda x, event: event.synchronize(),
    "wait for the device": lambda x, event: getattr(rustorch, x.device.type).synchronize(),
}


@pytest.mark.parametrize("use", ON_THE_DEVICE)
def test_a_child_that_uses_its_parents_device_gets_an_error(use: str, there: rustorch.device) -> None:
    x = rustorch.ones(100, device=there)
    assert (x + 1).sum().item() == 200
    event = getattr(rustorch, there.type).Event()
    event.record()
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        try:
            ON_THE_DEVICE[use](x, event)
            message = "no error"
        except rustorch.BackendUnavailableError as error:
            message = str(error)
        except BaseException as error:
            message = repr(error)
        # Giving a tensor back must not wait for the device either.
        del x, event
        os.write(writable, message.encode())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    message = os.read(readable, 10000).decode()
    os.close(readable)
    os.close(writable)
    assert "spawn" in message, message
    assert "fork" in message, message
    assert x.sum().item() == 100
