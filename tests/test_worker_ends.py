"""How a program with a loader's workers ends: quietly, at once, and with all of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.test_workers import alive

pytestmark = [
    pytest.mark.cpu_only,
    pytest.mark.rustorch_only,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="worker processes need a Unix system"),
]

PROGRAM = """
import os, sys, time
import rustorch
from rustorch.utils.data import DataLoader

class Slow(rustorch.utils.data.Dataset):
    def __len__(self):
        return 1000
    def __getitem__(self, index):
        time.sleep(0.02)
        return rustorch.zeros(10000)

iterator = iter(DataLoader(Slow(), num_workers=2, multiprocessing_context="fork"))
next(iterator)
print(*(process.pid for process in iterator._pool.processes), flush=True)
{then}
"""


def outcome(then: str, sent: int | None = None) -> tuple[int, str, list[int]]:
    """Runs a program in a session of its own, perhaps sends a signal, and gives its status, errors and workers."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(then=then)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert program.stdout is not None
    workers = [int(pid) for pid in program.stdout.readline().split()]
    assert len(workers) == 2
    if sent == signal.SIGINT:
        # Ctrl-C reaches every process of the terminal.
        os.killpg(program.pid, sent)
    elif sent is not None:
        program.send_signal(sent)
    _, errors = program.communicate(timeout=30)
    return program.returncode, errors, workers


def gone(workers: list[int], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while any(map(alive, workers)) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(map(alive, workers))


def test_ctrl_c_ends_all() -> None:
    status, errors, workers = outcome("for batch in iterator: pass", signal.SIGINT)
    # Python ends by the signal, or with 1 where finalizers ran code in between.
    assert status in (-signal.SIGINT, 1)
    assert errors.count("Traceback") == 1, errors
    assert errors.rstrip().endswith("KeyboardInterrupt"), errors
    assert gone(workers)


@pytest.mark.parametrize("then", ["", "sys.exit(0)", "del iterator", "[next(iterator) for _ in range(3)]"])
def test_the_interpreter_ends_quietly(then: str) -> None:
    status, errors, workers = outcome(then)
    assert (status, errors) == (0, "")
    assert gone(workers)


def test_an_exception_in_the_loop_ends_all() -> None:
    status, errors, workers = outcome("for batch in iterator: raise SystemError('bad batch')")
    assert status == 1
    assert errors.count("Traceback") == 1, errors
    assert "bad batch" in errors
    assert gone(workers)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_workers_do_not_outlive_a_killed_loader(sent: int) -> None:
    status, errors, workers = outcome("time.sleep(60)", sent)
    assert (status, errors) == (-sent, "")
    assert gone(workers)
