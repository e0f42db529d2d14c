"""Streams and events of every kind of device."""

from __future__ import annotations

from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

from rustorch import _C
from rustorch._C import device as _device

if TYPE_CHECKING:
    from rustorch._accelerator import Accelerator, CurrentStream, Which


def _module_of(device: Which) -> ModuleType:
    """The module of a device's kind; of the device that is chosen where a program leaves it open, if none is given."""
    from importlib import import_module

    if device is None:
        device = _C._preferred_device()
    kind = "cuda" if isinstance(device, int) else _device(device).type
    return import_module(f"rustorch.{kind}")


class Stream:
    """A queue of a device: what one thread asks of it is done in order, beside other streams.

    `device` is by default the current one. A lower `priority` number goes first, where the device knows priorities.
    As a context manager it is the stream to which the block's work goes. Streams are not destroyed; after 32 of a
    priority, those that there are are handed out again.
    """

    _owner: ClassVar[Accelerator]

    def __init_subclass__(cls, owner: Accelerator) -> None:
        cls._owner = owner
        owner.Stream = cls

    def __new__(cls, device: Which = None, *args: Any, **kwargs: Any) -> Any:
        # `rustorch.Stream` makes one of the kind of device that it is asked for.
        return super().__new__(cls) if cls is not Stream else _module_of(device).Stream(device, *args, **kwargs)

    def __init__(self, device: Which = None, priority: int = 0, *, stream_id: int | None = None) -> None:
        if isinstance(device, int) and device < 0:
            device = None
        self.device: _device = self._owner._find(device)
        self.priority = priority
        self.stream_id: int = _C._stream_create(self.device, priority) if stream_id is None else stream_id
        self._blocks: list[CurrentStream] = []

    @property
    def device_index(self) -> int:
        """The index of its device."""
        return self.device.index or 0

    @property
    def native_handle(self) -> int:
        """The driver's handle of it: a CUstream, a cl_command_queue; 0 of a device whose driver has none to share."""
        return _C._stream_handle(self.device, self.stream_id)

    def query(self) -> bool:
        """Whether everything it was asked for is done."""
        return _C._stream_query(self.device, self.stream_id)

    def synchronize(self) -> None:
        """Waits until everything it was asked for is done."""
        _C._stream_synchronize(self.device, self.stream_id)

    def wait_event(self, event: Event) -> None:
        """What it is asked for from now on begins after an event; this returns at once."""
        event.wait(self)

    def wait_stream(self, stream: Stream) -> None:
        """What it is asked for from now on begins after everything that another stream was asked for so far."""
        self.wait_event(stream.record_event())

    def record_event(self, event: Event | None = None) -> Event:
        """Records an event, by default a new one, at the stream's end as it is now."""
        if event is None:
            event = self._owner.Event()
        event.record(self)
        return event

    def __enter__(self) -> Stream:
        block = self._owner.stream(self)
        block.__enter__()
        self._blocks.append(block)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._blocks.pop().__exit__(kind, value, trace)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and (self.device, self.stream_id) == (other.device, other.stream_id)

    def __hash__(self) -> int:
        return hash((self.device, self.stream_id))

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.Stream device={self.device} stream_id={self.stream_id}>"


class Event:
    """A point in a stream: to ask whether it was reached, to wait for it, and to measure the time between two.

    Without `enable_timing` it has no time. `blocking` changes nothing: who waits lets the driver decide how. Events are
    of one process, so `interprocess=True` is an error.
    """

    _owner: ClassVar[Accelerator]

    def __init_subclass__(cls, owner: Accelerator) -> None:
        cls._owner = owner
        owner.Event = cls

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        # `rustorch.Event(device)` makes one of the kind of device that it is asked for.
        if cls is not Event:
            return super().__new__(cls)
        device = args[0] if args else kwargs.pop("device", None)
        return _module_of(device).Event(*args[1:], **kwargs)

    def __init__(self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> None:
        if interprocess:
            raise _C.UnsupportedError("Event: interprocess=True is not supported; events are of one process")
        # Without a driver, this says which library is missing.
        self._owner._find(None)
        self.enable_timing = enable_timing
        self.blocking = blocking
        self.device: _device | None = None
        self._event: _C._Event | None = None

    def record(self, stream: Stream | None = None) -> None:
        """Marks the end of a stream, by default the current one, as it is now."""
        if stream is None:
            stream = self._owner.current_stream()
        if self.device is not None and self.device != stream.device:
            raise RuntimeError(
                f"Event device {self.device.index} does not match recording stream's device {stream.device_index}."
            )
        self._event = _C._Event(stream.device, stream.stream_id, self.enable_timing)
        self.device = stream.device

    def wait(self, stream: Stream | None = None) -> None:
        """What a stream, by default the current one, is asked for from now on begins after this event."""
        if self._event is not None:
            if stream is None:
                stream = self._owner.current_stream()
            self._event.delay(stream.device, stream.stream_id)

    def query(self) -> bool:
        """Whether everything before it is done; an event that was not recorded has nothing before it."""
        return self._event is None or self._event.query()

    def synchronize(self) -> None:
        """Waits until everything before it is done."""
        if self._event is not None:
            self._event.synchronize()

    def elapsed_time(self, end_event: Event) -> float:
        """The milliseconds from this event to `end_event`; both must be recorded, with timing, and done."""
        if not (self.enable_timing and end_event.enable_timing):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if self._event is None or end_event._event is None:
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        return self._event.elapsed_time(end_event._event)

    def __repr__(self) -> str:
        state = "uninitialized" if self._event is None else f"device={self.device}"
        return f"<{type(self).__module__}.Event {state}>"
