"""Devices with an OpenCL driver: what there is, which is current, its streams, its memory and its random numbers."""

from __future__ import annotations

from collections.abc import Sequence as _Sequence
from typing import TYPE_CHECKING as _TYPE_CHECKING

from rustorch import _C
from rustorch._accelerator import Accelerator as _Accelerator, Which as _Which
from rustorch._streams import Event as _Event, Stream as _Stream

_this = _Accelerator("opencl")

if _TYPE_CHECKING:
    from rustorch._accelerator_functions import *
else:
    globals().update(_this.functions())


class Stream(_Stream, owner=_this):
    __doc__ = _Stream.__doc__


class Event(_Event, owner=_this):
    __doc__ = _Event.__doc__


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
