"""The CPU under the functions that every kind of device has: it is there, and works at once."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from rustorch._C import device as _device

__all__ = [
    "Event",
    "Stream",
    "StreamContext",
    "current_device",
    "current_stream",
    "device_count",
    "is_available",
    "is_initialized",
    "set_device",
    "stream",
    "synchronize",
]

Which = _device | str | int | None


def is_available() -> bool:
    """Whether there is a CPU: True."""
    return True


def is_initialized() -> bool:
    """Whether the CPU is ready: True."""
    return True


def device_count() -> int:
    """How many devices the CPU is: one, however many cores it has."""
    return 1


def current_device() -> str:
    """The name of the current CPU, "cpu"."""
    return "cpu"


def set_device(device: Which) -> None:
    """Sets the current CPU, which is the only one."""
    del device


def synchronize(device: Which = None) -> None:
    """Waits until the CPU has done what it was asked for: calls return when they are done, so this does at once."""
    del device


class Stream:
    """A queue of the CPU, whose work is done when the call returns: there is nothing to wait for."""

    def __init__(self, device: Which = None, priority: int = -1) -> None:
        self.device = _device("cpu")
        self.priority = priority

    def synchronize(self) -> None:
        """Waits until everything is done: it is."""

    def query(self) -> bool:
        """Whether everything is done: True."""
        return True

    def wait_stream(self, stream: Any) -> None:
        """What comes next begins after what another stream was asked for, which is waited for."""
        stream.synchronize()

    def wait_event(self, event: Any) -> None:
        """What comes next begins after an event, which is waited for."""
        event.synchronize()

    def record_event(self, event: Event | None = None) -> Event:
        """Records an event, by default a new one."""
        event = event or Event()
        event.record(self)
        return event

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class Event:
    """A point in the CPU's work, which is reached when it is recorded."""

    def __init__(self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> None:
        self.enable_timing = enable_timing
        self._time: float | None = None

    def record(self, stream: Stream | None = None) -> None:
        """Marks this moment."""
        from time import perf_counter

        self._time = perf_counter()

    def query(self) -> bool:
        """Whether everything before it is done: True."""
        return True

    def synchronize(self) -> None:
        """Waits until everything before it is done: it is."""

    def wait(self, stream: Stream | None = None) -> None:
        """What a stream is asked for next begins after this event, which has happened."""

    def elapsed_time(self, end_event: Event) -> float:
        """The milliseconds from this event to `end_event`; both must be recorded, with timing."""
        if not (self.enable_timing and end_event.enable_timing):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if self._time is None or end_event._time is None:
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        return (end_event._time - self._time) * 1000


_stream = Stream()


def current_stream(device: Which = None) -> Stream:
    """The stream to which work goes."""
    del device
    return _stream


class StreamContext:
    """A block in which work goes to a stream: to the CPU, as everywhere."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


def stream(stream: Stream | None) -> StreamContext:
    """A block in which work goes to a stream of the CPU."""
    return StreamContext(stream)
