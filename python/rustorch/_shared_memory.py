"""Memory that processes share: blocks without a name, which the system frees when the last process lets go of them.

A block is a file descriptor, which travels to other processes over a Unix socket. Since nothing in the file system
names it, no way out of a process leaves it behind, be it an exception or SIGKILL.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import tempfile
import weakref
from functools import cache
from typing import Any


def create(size: int) -> int:
    """A descriptor of a new block of `size` zero bytes."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("rustorch", os.MFD_CLOEXEC)
    else:
        # Systems without memfd_create: a file that was removed as soon as it was made.
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    try:
        os.ftruncate(descriptor, size)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@cache
def _system() -> Any:
    """The C library, whose mmap keeps no descriptor, where Python's does."""
    library = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    library.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_longlong]
    library.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    return library


def map_block(descriptor: int, size: int, populate: bool = False) -> Any:
    """The bytes of a block, writable, as a buffer; they stay until nothing refers to it. The descriptor may be closed.

    `populate` makes all of its pages at once, for who is about to read all of them.
    """
    system = _system()
    flags = mmap.MAP_SHARED | (getattr(mmap, "MAP_POPULATE", 0) if populate else 0)
    address = system.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, flags, descriptor, 0)
    if address == ctypes.c_void_p(-1).value:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot map {size} bytes of shared memory: {os.strerror(number)}")
    block = (ctypes.c_char * size).from_address(address)
    # Not at the interpreter's exit, when tensors may still lie there.
    weakref.finalize(block, system.munmap, address, size).atexit = False
    return block
