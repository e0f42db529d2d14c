"""Times a piece of code."""

from __future__ import annotations

import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from textwrap import dedent
from typing import Any

from rustorch import _C
from rustorch.utils.benchmark.measurement import Measurement

#: The seconds of a block beside which a look at the clock is nothing.
_SHORTEST = 1e-4


def timer() -> float:
    """The time in seconds, once GPUs of NVIDIA's that are there have done what they were asked for."""
    from rustorch import cuda

    if cuda.is_available():
        cuda.synchronize()
    return timeit.default_timer()


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = _C.get_num_threads()
    _C.set_num_threads(count)
    try:
        yield
    finally:
        _C.set_num_threads(before)


class Timer:
    """Times a piece of code, as `timeit.Timer` does, with a given number of threads and after it was run once.

    Args:
        stmt: the code. Default: "pass".
        setup: what runs before it, once a block. Default: "pass".
        global_setup: is for code in C++, which is not timed here, and must be empty. Default: "".
        timer: what gives the time. Default: the clock, once GPUs have done their work.
        globals: the names that the code has. Default: None, none but `rustorch` and `torch`.
        label: what is measured. Default: None, the code.
        sub_label: which of several ways of it, a row of a table. Default: None.
        description: under which circumstances, a column of a table. Default: None.
        env: in which environment, where several are compared. Default: None.
        num_threads: how many threads ops use. Default: 1.
        language: "python", the only one. Default: "python".

    Example:

    >>> from rustorch.utils.benchmark import Timer
    >>> measured = Timer("x + x", globals={"x": rustorch.ones(10)}).timeit(100)
    >>> measured.number_per_run, measured.median > 0
    (100, True)
    """

    def __init__(
        self,
        stmt: str = "pass",
        setup: str = "pass",
        global_setup: str = "",
        timer: Callable[[], float] = timer,
        globals: dict[str, Any] | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        env: str | None = None,
        num_threads: int = 1,
        language: str = "python",
    ) -> None:
        if str(language).lower().rpartition(".")[2] not in ("python", "py") or global_setup:
            raise ValueError(f"Timer(): times Python, not {language!r} with global_setup={global_setup!r}")
        if not isinstance(stmt, str):
            raise ValueError(f"Timer(): stmt is the text of the code, not {type(stmt).__name__}")
        import rustorch

        self._about = {"label": label, "sub_label": sub_label, "description": description, "env": env}
        self._threads = num_threads
        self._stmt, self._setup = dedent(stmt).strip(), dedent(setup).strip()
        names = {"rustorch": rustorch, "torch": rustorch, **(globals or {})}
        self._timer = timeit.Timer(stmt=self._stmt, setup=self._setup, timer=timer, globals=names)

    def _measured(self, number: int, times: list[float]) -> Measurement:
        about: dict[str, Any] = self._about
        return Measurement(number, times, self._stmt, self._setup, num_threads=self._threads, **about)

    def timeit(self, number: int = 1_000_000) -> Measurement:
        """The time of one block of runs, after a hundredth as many that are not counted."""
        with _threads(self._threads):
            self._timer.timeit(max(number // 100, 2))
            return self._measured(number, [self._timer.timeit(number)])

    def repeat(self, repeat: int = -1, number: int = -1) -> None:
        """Is not there, as in PyTorch: it hides how the times spread."""
        raise NotImplementedError("repeat(): use blocked_autorange() in its place")

    def autorange(self, callback: Callable[[int, float], Any] | None = None) -> None:
        """Is not there, as in PyTorch: it hides how the times spread."""
        raise NotImplementedError("autorange(): use blocked_autorange() in its place")

    def _block(self, min_run_time: float) -> int:
        """As many runs in a block that the clock takes no notable part of their time, and that blocks are many."""
        number = 1
        self._timer.timeit(2)
        while self._timer.timeit(number) < max(min_run_time / 1000, _SHORTEST) and number < 10**9:
            number *= 10
        return number

    def blocked_autorange(
        self, callback: Callable[[int, float], Any] | None = None, min_run_time: float = 0.2
    ) -> Measurement:
        """The times of as many blocks as are done in `min_run_time` seconds.

        `callback`, if there is one, is called with the runs of a block and its seconds after each.
        """
        with _threads(self._threads):
            number = self._block(min_run_time)
            return self._measured(number, self._times(number, min_run_time, None, callback))

    def adaptive_autorange(
        self,
        threshold: float = 0.1,
        *,
        min_run_time: float = 0.01,
        max_run_time: float = 10.0,
        callback: Callable[[int, float], Any] | None = None,
    ) -> Measurement:
        """The times of as many blocks as it takes until they spread less than a part of their median.

        `threshold` is that part, for the middle half of the times. It takes `min_run_time` seconds at least and
        `max_run_time` at most.
        """
        with _threads(self._threads):
            number = self._block(min_run_time)

            def is_sure(times: list[float]) -> bool:
                return len(times) > 3 and self._measured(number, times).meets_confidence(threshold)

            return self._measured(number, self._times(number, min_run_time, (max_run_time, is_sure), callback))

    def _times(
        self,
        number: int,
        least: float,
        until: tuple[float, Callable[[list[float]], bool]] | None,
        callback: Callable[[int, float], Any] | None,
    ) -> list[float]:
        times: list[float] = []
        total = 0.0
        while total < least or (until is not None and total < until[0] and not until[1](times)):
            times.append(self._timer.timeit(number))
            total += times[-1]
            if callback is not None:
                callback(number, times[-1])
        return times
