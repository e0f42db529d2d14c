"""Devices with an OpenCL driver: what there is, which is current, its streams, its memory and its random numbers."""

from __future__ import annotations

from collections.abc import Sequence as _Sequence

from rustorch import _C
from rustorch._accelerator import Accelerator as _Accelerator, Which as _Which
from rustorch._streams import Event as _Event, Stream as _Stream

_this = _Accelerator("opencl")


class Stream(_Stream, owner=_this):
    __doc__ = _Stream.__doc__


class Event(_Event, owner=_this):
    __doc__ = _Event.__doc__


current_device = _this.current_device
current_stream = _this.current_stream
default_stream = _this.default_stream
device = _this.device
device_count = _this.device_count
empty_cache = _this.empty_cache
get_device_name = _this.get_device_name
get_device_properties = _this.get_device_properties
get_rng_state = _this.get_rng_state
initial_seed = _this.initial_seed
is_available = _this.is_available
manual_seed = _this.manual_seed
manual_seed_all = _this.manual_seed_all
max_memory_allocated = _this.max_memory_allocated
max_memory_reserved = _this.max_memory_reserved
memory_allocated = _this.memory_allocated
memory_reserved = _this.memory_reserved
memory_stats = _this.memory_stats
reset_peak_memory_stats = _this.reset_peak_memory_stats
set_device = _this.set_device
set_rng_state = _this.set_rng_state
set_stream = _this.set_stream
stream = _this.stream
synchronize = _this.synchronize


def context_handle(device: _Which = None) -> int:
    """The cl_context of a device: ``pyopencl.Context.from_int_ptr(rustorch.opencl.context_handle())``."""
    return _C._context_handle(_this._find(device))


def queue_handle(stream: _Stream | None = None) -> int:
    """The cl_command_queue of a stream, by default the current one: for ``pyopencl.CommandQueue.from_int_ptr``."""
    return (_this.current_stream() if stream is None else stream).native_handle


def buffer_handle(tensor: _C.Tensor) -> tuple[int, int]:
    """The cl_mem behind a tensor, for ``pyopencl.MemoryObject.from_int_ptr``, and the tensor's first byte in it.

    The memory is the tensor's: keep the tensor as long as the other library uses it. What that library does has to go
    to the tensor's stream (`queue_handle`), or be waited for.
    """
    if tensor.device.type != "opencl":
        raise ValueError(f"Expected a tensor on an opencl device, but got one on {tensor.device}")
    return _C._buffer_handle(tensor)


def from_buffer_handle(
    handle: int,
    shape: _Sequence[int],
    dtype: _C.dtype = _C.float32,
    *,
    strides: _Sequence[int] | None = None,
    offset: int = 0,
    device: _Which = None,
) -> _C.Tensor:
    """A tensor over a buffer of another library, such as ``buffer.int_ptr`` of pyopencl; without a copy.

    Shape, strides (row-major by default) and offset count elements. The buffer must be of the device's context
    (`context_handle`), and is kept (retained) as long as the tensor lives.
    """
    return _C._tensor_of_handle(_this._find(device), handle, shape, strides, offset, dtype)


__all__ = [
    "Event",
    "Stream",
    "buffer_handle",
    "context_handle",
    "current_device",
    "current_stream",
    "default_stream",
    "device",
    "device_count",
    "empty_cache",
    "from_buffer_handle",
    "get_device_name",
    "get_device_properties",
    "get_rng_state",
    "initial_seed",
    "is_available",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "queue_handle",
    "reset_peak_memory_stats",
    "set_device",
    "set_rng_state",
    "set_stream",
    "stream",
    "synchronize",
]
