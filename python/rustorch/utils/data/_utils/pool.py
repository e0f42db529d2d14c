"""The worker processes of a loader: how they are started, talked to and ended."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from collections import deque
from contextlib import suppress
from typing import Any

from .blocks import LoaderBlocks
from .transport import MOST_WAITING, Reply, receive_reply, send_task
from .worker import Work, run_worker

# How long workers may take to end by themselves, and after SIGTERM, in seconds.
_PATIENCE = 5.0
_PATIENCE_AFTER_SIGTERM = 1.0


class WorkerPool:
    """Processes that answer tasks, each over a socket of its own.

    Args:
        context: the multiprocessing context that starts them.
        work: what they do.
    """

    def __init__(self, context: Any, work: Work) -> None:
        self.owner = os.getpid()
        self.processes: list[Any] = []
        self.sockets: list[socket.socket] = []
        self.waiting: list[deque[tuple[int, int, Any]]] = []
        self.in_flight: list[int] = []
        self.blocks: list[LoaderBlocks] = []
        self.selector = selectors.DefaultSelector()
        self.closed = False
        forks = context.get_start_method() == "fork"
        if not forks:
            # A dataset that is sent to a new process has its tensors in shared memory.
            import rustorch.multiprocessing  # noqa: F401
        try:
            for number in range(work.num_workers):
                self._start(context, number, work, forks)
        except BaseException:
            self.close()
            raise

    def _start(self, context: Any, number: int, work: Work, forks: bool) -> None:
        here, there = socket.socketpair()
        self.sockets.append(here)
        with there:
            inherited = list(self.sockets) if forks else []
            process = context.Process(target=run_worker, args=(number, work, there, inherited), daemon=True)
            process.start()
        self.processes.append(process)
        self.waiting.append(deque())
        self.in_flight.append(0)
        self.blocks.append(LoaderBlocks())
        self.selector.register(here, selectors.EVENT_READ, number)
        self.selector.register(process.sentinel, selectors.EVENT_READ, number)

    def give(self, number: int, epoch: int, task: int, index: Any) -> None:
        """Gives a worker a task, at once or when it has answered others."""
        self.waiting[number].append((epoch, task, index))
        self._send(number)

    def _send(self, number: int) -> None:
        waiting = self.waiting[number]
        while waiting and self.in_flight[number] < MOST_WAITING:
            try:
                send_task(self.sockets[number], self.blocks[number], *waiting[0])
            except ConnectionError:
                raise self._death(number) from None
            waiting.popleft()
            self.in_flight[number] += 1

    def forget(self) -> None:
        """Drops the tasks that no worker has yet."""
        for waiting in self.waiting:
            waiting.clear()

    def replies(self, epoch: int, timeout: float | None) -> list[Reply]:
        """The replies that are there, at least one of any epoch; none if the time is over.

        A RuntimeError if a worker died.
        """
        found = []
        ready = self.selector.select(timeout)
        numbers = dict.fromkeys(key.data for key, _ in ready)
        for number in numbers:
            sock = self.sockets[number]
            if not any(key.fileobj is sock for key, _ in ready):
                raise self._death(number)
            try:
                reply = receive_reply(sock, epoch, self.blocks[number])
            except (EOFError, ConnectionError):
                raise self._death(number) from None
            self.in_flight[number] -= 1
            self._send(number)
            found.append(reply)
        return found

    def _death(self, number: int) -> RuntimeError:
        """The error that says how a worker died."""
        process = self.processes[number]
        process.join(_PATIENCE)
        code = process.exitcode
        about = f"DataLoader worker {number} (pid {process.pid})"
        if code is None:
            return RuntimeError(f"{about} closed its socket; it must not be closed by a dataset")
        if code >= 0:
            return RuntimeError(
                f"{about} exited unexpectedly with exit code {code}; num_workers=0 runs its dataset in this process, "
                "where a debugger can follow it"
            )
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        hint = "; SIGKILL often means that memory ran out" if code == -signal.SIGKILL else ""
        return RuntimeError(f"{about} is killed by signal: {signal.strsignal(-code)} ({name}){hint}")

    def close(self) -> None:
        """Ends the workers: they see their sockets closed when their task is done; who takes too long is killed."""
        if self.closed:
            return
        self.closed = True
        # In a process that was forked from the loader's, the workers are none of its own.
        owned = os.getpid() == self.owner
        self.selector.close()
        for sock in self.sockets:
            if owned:
                # Closing would not be seen by a worker as long as a process that was forked later has the socket, too.
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        if not owned:
            return
        try:
            self._join(_PATIENCE)
            for process in self.processes:
                if process.is_alive():
                    process.terminate()
            self._join(_PATIENCE_AFTER_SIGTERM)
        finally:
            for process in self.processes:
                if process.is_alive():
                    process.kill()
                process.join()
                process.close()

    def _join(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        for process in self.processes:
            process.join(max(0.0, end - time.monotonic()))
