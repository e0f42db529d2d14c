"""What `rustorch.cuda`, `rustorch.opencl` and `rustorch.metal` do: one implementation for every kind of device."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Any, TypeAlias

from rustorch import _C
from rustorch._C import Generator, Tensor, device as _device
from rustorch._devices import DeviceProperties, devices
from rustorch._streams import Event, Stream

# How a device of a known kind is named: by its index, in full, or None for the current one.
Which: TypeAlias = int | str | _device | None


class CurrentDevice:
    """A block in which another device of the kind is the current one; None and negative indices change nothing."""

    def __init__(self, owner: Accelerator, device: Which) -> None:
        self._owner = owner
        negative = isinstance(device, int) and device < 0
        self.idx = -1 if device is None or negative else owner._find(device).index
        self.prev_idx = -1

    def __enter__(self) -> None:
        if self.idx is not None and self.idx >= 0:
            self.prev_idx = self._owner.current_device()
            self._owner.set_device(self.idx)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.prev_idx >= 0:
            self._owner.set_device(self.prev_idx)


class CurrentStream:
    """A block in which another stream is the current one of its device, and its device that of its kind."""

    def __init__(self, owner: Accelerator, stream: Stream | None) -> None:
        self._owner = owner
        self.stream = stream
        self._before: list[tuple[Stream, Stream]] = []

    def __enter__(self) -> None:
        if self.stream is not None:
            here = self._owner.current_stream()
            self._before.append((here, self._owner.current_stream(self.stream.device)))
            self._owner.set_stream(self.stream)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before:
            here, there = self._before.pop()
            self._owner.set_stream(there)
            self._owner.set_stream(here)


class Accelerator:
    """The functions of one kind of device."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        # The classes of this kind, which name it as their owner.
        self.Stream = Stream
        self.Event = Event

    def functions(self) -> dict[str, Any]:
        """What the module of this kind of device has, beside its own Stream and Event."""
        names = (name for name in vars(Accelerator) if not name.startswith("_") and name != "functions")
        return {name: getattr(self, name) for name in names}

    def _find(self, device: Which) -> _device:
        """The device with its index; it must be there."""
        if device is None:
            return _C._resolve_device(self._kind)
        if isinstance(device, int):
            return _C._resolve_device(f"{self._kind}:{device}")
        found = _device(device)
        if found.type != self._kind:
            raise ValueError(f"Expected a {self._kind} device, but got: {found}")
        return _C._resolve_device(found)

    def is_available(self) -> bool:
        """Whether there is a device of this kind, and its driver."""
        return self.device_count() > 0

    def device_count(self) -> int:
        """How many devices of this kind there are."""
        return _C._device_count(self._kind)

    def current_device(self) -> int:
        """The index of the device that is meant where none is given, on this thread."""
        return self._find(None).index or 0

    def set_device(self, device: Which) -> None:
        """Sets the device that is meant where none is given, on this thread; a negative index changes nothing."""
        if not (isinstance(device, int) and device < 0):
            _C._set_current_device(self._find(device))

    def device(self, device: Which) -> CurrentDevice:
        """A block in which another device is the current one: ``with rustorch.cuda.device(1):``."""
        return CurrentDevice(self, device)

    def current_stream(self, device: Which = None) -> Stream:
        """The stream of a device to which this thread's work goes."""
        found = self._find(device)
        return self.Stream(found, stream_id=_C._stream_current(found))

    def default_stream(self, device: Which = None) -> Stream:
        """The stream of a device to which work goes until another is chosen."""
        return self.Stream(self._find(device), stream_id=0)

    def set_stream(self, stream: Stream | None) -> None:
        """Sends this thread's work to a stream from now on, and makes its device the current one; None changes
        nothing."""
        if stream is not None:
            _C._stream_set_current(self._find(stream.device), stream.stream_id)
            _C._set_current_device(stream.device)

    def stream(self, stream: Stream | None) -> CurrentStream:
        """A block in which this thread's work goes to a stream: ``with rustorch.cuda.stream(s):``."""
        return CurrentStream(self, stream)

    def synchronize(self, device: Which = None) -> None:
        """Waits until a device has done everything it was asked for."""
        _C._synchronize(self._find(device))

    def get_device_properties(self, device: Which = None) -> DeviceProperties:
        """What a device is and can do."""
        found = self._find(device)
        return next(entry for entry in devices() if (entry.type, entry.index) == (found.type, found.index))

    def get_device_name(self, device: Which = None) -> str:
        """The maker's name of a device."""
        return self.get_device_properties(device).name

    def memory_stats(self, device: Which = None) -> dict[str, int]:
        """What the allocator of a device has handed out and keeps, in bytes unless the name says otherwise."""
        return _C.memory_stats(self._find(device))

    def memory_allocated(self, device: Which = None) -> int:
        """The bytes that tensors of a device use."""
        return self.memory_stats(device)["allocated_bytes"]

    def max_memory_allocated(self, device: Which = None) -> int:
        """The most bytes that tensors of a device have used at once."""
        return self.memory_stats(device)["peak_allocated_bytes"]

    def memory_reserved(self, device: Which = None) -> int:
        """The bytes that the allocator of a device holds, in use or kept for reuse."""
        stats = self.memory_stats(device)
        return stats["allocated_bytes"] + stats["cached_bytes"]

    def max_memory_reserved(self, device: Which = None) -> int:
        """The most bytes that the allocator of a device has held at once, in use or kept for reuse."""
        return self.memory_stats(device)["peak_reserved_bytes"]

    def reset_peak_memory_stats(self, device: Which = None) -> None:
        """Counts the peaks of a device's memory anew, from what is in use and kept now."""
        _C._reset_peak_memory_stats(self._find(device))

    def empty_cache(self) -> None:
        """Gives the memory that is kept for reuse back to the devices."""
        for index in range(self.device_count()):
            _C.empty_cache(f"{self._kind}:{index}")

    def _generator(self) -> Generator:
        return _C._default_generator_of(self._kind)

    def manual_seed(self, seed: int) -> None:
        """Seeds the generator of this kind of device; without such a device it is not used."""
        self._generator().manual_seed(seed)

    def manual_seed_all(self, seed: int) -> None:
        """Seeds the generator of all devices of this kind, which is one."""
        self.manual_seed(seed)

    def seed(self) -> None:
        """Seeds the generator of this kind of device by chance."""
        self._generator().seed()

    def seed_all(self) -> None:
        """Seeds the generator of all devices of this kind, which is one, by chance."""
        self.seed()

    def initial_seed(self) -> int:
        """The seed that the generator of this kind of device started from."""
        return self._generator().initial_seed()

    def get_rng_state(self, device: Which = None) -> Tensor:
        """The state of the generator of this kind of device, a uint8 tensor on the CPU."""
        del device
        return self._generator().get_state()

    def set_rng_state(self, new_state: Tensor, device: Which = None) -> None:
        """Puts the generator of this kind of device into a state that get_rng_state() gave."""
        del device
        self._generator().set_state(new_state)

    def get_rng_state_all(self) -> list[Tensor]:
        """The state of the generator for every device of this kind, which is one and the same."""
        return [self.get_rng_state()] * self.device_count()

    def set_rng_state_all(self, new_states: Iterable[Tensor]) -> None:
        """Puts the generator of this kind of device into the states that get_rng_state_all() gave."""
        for state in new_states:
            self.set_rng_state(state)

    def is_initialized(self) -> bool:
        """Whether the driver is open: where there is one, asking opens it."""
        return self.is_available()

    def init(self) -> None:
        """Opens the driver; BackendUnavailableError, which says what is missing, where there is none."""
        self._find(None)

    def memory_summary(self, device: Which = None, abbreviated: bool = False) -> str:
        """A table of what the allocator of a device has handed out and keeps; `abbreviated` leaves the counts out."""
        where = self._find(device)
        rows = [(name.replace("_", " "), value) for name, value in self.memory_stats(where).items()]
        if abbreviated:
            rows = [(name, value) for name, value in rows if name.endswith("bytes")]
        width = max(len(name) for name, _ in rows)
        return "\n".join([f"memory of {where}", *(f"{name:<{width}} {value:>20,}" for name, value in rows)])
