"""Several processes that run one function, and end together when one of them fails."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
import weakref
from collections.abc import Callable
from multiprocessing import connection
from pathlib import Path
from typing import Any

__all__ = [
    "ProcessContext",
    "ProcessException",
    "ProcessExitedException",
    "ProcessRaisedException",
    "spawn",
    "start_processes",
]

# How long processes have to end after SIGTERM, before SIGKILL, in seconds.
_PATIENCE = 30.0
# prctl's number for the signal that a process gets when its parent dies.
_PR_SET_PDEATHSIG = 1


class ProcessException(Exception):
    """A process failed: which one, `error_index`, and its pid, `error_pid`."""

    def __init__(self, msg: str, error_index: int, error_pid: int) -> None:
        super().__init__(msg)
        self.msg = msg
        self.error_index = error_index
        self.error_pid = error_pid

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.msg, self.error_index, self.error_pid)


class ProcessRaisedException(ProcessException):
    """A process failed by an exception, whose traceback is in the message."""


class ProcessExitedException(ProcessException):
    """A process ended by a signal, `signal_name`, or with a status, `exit_code`, that is not 0."""

    def __init__(
        self, msg: str, error_index: int, error_pid: int, exit_code: int, signal_name: str | None = None
    ) -> None:
        super().__init__(msg, error_index, error_pid)
        self.exit_code = exit_code
        self.signal_name = signal_name

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.msg, self.error_index, self.error_pid, self.exit_code, self.signal_name)


def _run(function: Callable[..., Any], number: int, args: tuple[Any, ...], report: Path) -> None:
    """What a process runs: the function, and in case of an exception a report of it."""
    parent = os.getppid()
    if sys.platform == "linux":
        # A process that is no daemon ends with its parent, too.
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
    try:
        function(number, *args)
    except KeyboardInterrupt:
        if os.getppid() != parent:
            return
        report.write_text(traceback.format_exc(), encoding="utf-8")
        sys.exit(128 + signal.SIGINT)
    except Exception:
        report.write_text(traceback.format_exc(), encoding="utf-8")
        sys.exit(1)


class ProcessContext:
    """Processes that were started together, in `processes`.

    Args:
        processes: the processes.
        folder: where each leaves a report of its exception, under its number.

    Example:

    >>> context = rustorch.multiprocessing.start_processes(print, nprocs=0, join=False)
    >>> context.pids(), context.join()
    ([], True)
    """

    def __init__(self, processes: list[Any], folder: Path) -> None:
        self.processes = processes
        self.sentinels = {process.sentinel: number for number, process in enumerate(processes)}
        self._folder = folder
        self._remove_folder = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    def pids(self) -> list[int]:
        """The processes' pids."""
        return [process.pid for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Waits until a process ends, and says whether all have ended; if one failed, ends the others and raises.

        Args:
            timeout: how many seconds to wait; None for any time. Default: None.
            grace_period: how many seconds the others have to end by themselves, and then again after SIGTERM, before
                they are killed; None for SIGTERM at once and 30 seconds after it. Default: None.

        Raises:
            ProcessRaisedException: the process raised an exception.
            ProcessExitedException: the process ended by a signal, or with another status than 0.
        """
        if not self.sentinels:
            return True
        failed = None
        for sentinel in connection.wait(list(self.sentinels), timeout):
            number = self.sentinels.pop(sentinel)
            self.processes[number].join()
            if self.processes[number].exitcode != 0:
                failed = number
                break
        if failed is None:
            if not self.sentinels:
                self._remove_folder()
            return not self.sentinels
        self._end(grace_period)
        raise self._error(failed)

    def _end(self, grace_period: float | None) -> None:
        if grace_period is not None:
            self._wait(grace_period)
        for process in self.processes:
            if process.is_alive():
                process.terminate()
        self._wait(_PATIENCE if grace_period is None else grace_period)
        for process in self.processes:
            if process.is_alive():
                process.kill()
            process.join()

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        for process in self.processes:
            process.join(max(0.0, end - time.monotonic()))

    def _error(self, number: int) -> ProcessException:
        process = self.processes[number]
        report = self._folder / str(number)
        if report.exists():
            text = report.read_text(encoding="utf-8")
            message = f"\n\n-- Process {number} terminated with the following error:\n{text}"
            return ProcessRaisedException(message, number, process.pid)
        code = process.exitcode
        if code >= 0:
            message = f"process {number} terminated with exit code {code}"
            return ProcessExitedException(message, number, process.pid, code)
        known = -code in {s.value for s in signal.Signals}
        name = signal.Signals(-code).name if known else f"<Unknown signal {-code}>"
        return ProcessExitedException(
            f"process {number} terminated with signal {name}", number, process.pid, code, name
        )


def start_processes(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """Starts `nprocs` processes that run ``fn(i, *args)``, where `i` is the number of each.

    Args:
        fn: the function; to be spawned, it is one of a module.
        args: what else it is given. Default: ().
        nprocs: how many processes. Default: 1.
        join: whether to wait for them; when one fails, the others are ended and its error is raised. Default: True.
        daemon: whether they end with this process, and may start none themselves. Default: False.
        start_method: 'fork', 'spawn' or 'forkserver'. Default: 'spawn'.

    Returns:
        None once all have ended, or with ``join=False`` the ProcessContext.

    Example:

    >>> rustorch.multiprocessing.start_processes(int, nprocs=2, start_method="fork")
    """
    start = multiprocessing.get_context(start_method)
    folder = Path(tempfile.mkdtemp(prefix="rustorch-processes-"))
    processes: list[Any] = []
    context = None
    try:
        for number in range(nprocs):
            process = start.Process(  # type: ignore[attr-defined]
                target=_run, args=(fn, number, args, folder / str(number)), daemon=daemon
            )
            process.start()
            processes.append(process)
        context = ProcessContext(processes, folder)
    finally:
        if context is None:
            for process in processes:
                process.terminate()
            shutil.rmtree(folder)
    if not join:
        return context
    while not context.join():
        pass
    return None


def spawn(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """Starts `nprocs` new interpreters that run ``fn(i, *args)``, where `i` is the number of each.

    As `start_processes`, always by 'spawn'; another start method is a FutureWarning.

    Args:
        fn: a function of a module.
        args: what else it is given; tensors come in shared memory. Default: ().
        nprocs: how many processes. Default: 1.
        join: whether to wait for them; when one fails, the others are ended and its error is raised. Default: True.
        daemon: whether they end with this process, and may start none themselves. Default: False.
        start_method: 'spawn'. Default: 'spawn'.

    Returns:
        None once all have ended, or with ``join=False`` the ProcessContext.

    Example:

    >>> rustorch.multiprocessing.spawn(print, nprocs=0)
    """
    if start_method != "spawn":
        warnings.warn(
            f"spawn(): start_method is always 'spawn', but got {start_method!r}; start_processes takes others",
            FutureWarning,
            stacklevel=2,
        )
    return start_processes(fn, args, nprocs, join, daemon, "spawn")
