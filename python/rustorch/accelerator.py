"""The GPU that is there, whatever its kind: the device that a program takes where it leaves the choice to RusTorch."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from rustorch import _C
from rustorch._C import device as _device

__all__ = [
    "current_accelerator",
    "current_device_idx",
    "current_device_index",
    "current_stream",
    "device_count",
    "empty_cache",
    "is_available",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "reset_peak_memory_stats",
    "set_device_idx",
    "set_device_index",
    "set_stream",
    "synchronize",
]

Which = _device | str | int | None


def current_accelerator(check_available: bool = False) -> _device | None:
    """The kind of GPU, without an index, in the order cuda, metal, opencl; None where there is none.

    A kind that runs on this machine's processor, as OpenCL may, is none. What is given is there, so that
    `check_available` changes nothing.
    """
    del check_available
    chosen = _C._preferred_device()
    return None if chosen.type == "cpu" else _device(chosen.type)


def is_available() -> bool:
    """Whether there is one."""
    return current_accelerator() is not None


def _module() -> Any:
    kind = current_accelerator()
    if kind is None:
        raise _C.BackendUnavailableError("accelerator: there is no GPU with a driver; devices() lists what is there")
    return import_module(f"rustorch.{kind.type}")


def device_count() -> int:
    """How many devices of that kind there are."""
    kind = current_accelerator()
    return 0 if kind is None else _C._device_count(kind.type)


def current_device_index() -> int:
    """The index of the current device."""
    index: int = _module().current_device()
    return index


def set_device_index(device: Which, /) -> None:
    """Sets the current device."""
    _module().set_device(device)


current_device_idx, set_device_idx = current_device_index, set_device_index


def current_stream(device: Which = None, /) -> Any:
    """The stream of a device to which this thread's work goes."""
    return _module().current_stream(device)


def set_stream(stream: Any) -> None:
    """Sends this thread's work to a stream from now on."""
    import_module(f"rustorch.{stream.device.type}").set_stream(stream)


def synchronize(device: Which = None, /) -> None:
    """Waits until a device has done everything it was asked for."""
    _module().synchronize(device)


def empty_cache() -> None:
    """Gives the memory that is kept for reuse back to the devices."""
    _module().empty_cache()


def memory_stats(device_index: Which = None, /) -> dict[str, int]:
    """What the allocator of a device has handed out and keeps."""
    stats: dict[str, int] = _module().memory_stats(device_index)
    return stats


def memory_allocated(device_index: Which = None, /) -> int:
    """The bytes that tensors of a device use."""
    size: int = _module().memory_allocated(device_index)
    return size


def max_memory_allocated(device_index: Which = None, /) -> int:
    """The most bytes that tensors of a device have used at once."""
    size: int = _module().max_memory_allocated(device_index)
    return size


def memory_reserved(device_index: Which = None, /) -> int:
    """The bytes that the allocator of a device holds."""
    size: int = _module().memory_reserved(device_index)
    return size


def max_memory_reserved(device_index: Which = None, /) -> int:
    """The most bytes that the allocator of a device has held at once."""
    size: int = _module().max_memory_reserved(device_index)
    return size


def reset_peak_memory_stats(device_index: Which = None, /) -> None:
    """Counts the peaks of a device's memory anew."""
    _module().reset_peak_memory_stats(device_index)
