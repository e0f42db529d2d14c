"""Memory that processes share: blocks that the system frees when the last process lets go of them.

A block is a file descriptor without a name, which travels to other processes over a Unix socket. Since nothing in the
file system names it, no way out of a process leaves it behind, be it an exception or SIGKILL. Where descriptors are
scarce a block may have a name instead, in `NAMES`: each process that has the block mapped, and each message that
carries it, has a name of its own for it (a hard link), and removes that one.
"""

from __future__ import annotations

import mmap
import os
import weakref
from functools import cache
from itertools import count
from typing import Any, NamedTuple

#: Where named blocks are, and what their names begin with.
NAMES = "/dev/shm"
PREFIX = "rustorch_"

_numbers = count()


class Mapping(NamedTuple):
    """A block in this process' memory, and by what others find it: a descriptor, a name, or nothing more."""

    address: int
    size: int
    buffer: weakref.ref[Any]
    descriptor: int | None
    name: str | None
    #: The process that mapped it, which a process that was forked from it is not.
    owner: int


# By address, and the addresses of blocks that others can find, by device and inode.
_mappings: dict[int, Mapping] = {}
_addresses: dict[tuple[int, int], int] = {}


def create(size: int) -> int:
    """A descriptor of a new block of `size` zero bytes."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("rustorch", os.MFD_CLOEXEC)
    else:
        # Systems without memfd_create: a file that was removed as soon as it was made.
        import tempfile

        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    try:
        os.ftruncate(descriptor, size)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def new_name() -> str:
    """A name that no block has; this process' resource tracker removes it if nobody else does."""
    from multiprocessing import resource_tracker

    name = f"{PREFIX}{os.getpid()}_{next(_numbers)}_{os.urandom(4).hex()}"
    resource_tracker.register(f"/{name}", "shared_memory")
    return name


def path(name: str) -> str:
    """Where the block of a name is."""
    return os.path.join(NAMES, name)


def remove_name(name: str, file_remains: bool = True) -> None:
    """Removes a name; `file_remains` is False where it was given another one already."""
    from multiprocessing import resource_tracker

    try:
        if file_remains:
            os.unlink(path(name))
    finally:
        resource_tracker.unregister(f"/{name}", "shared_memory")


@cache
def _system() -> Any:
    """The C library, whose mmap keeps no descriptor, where Python's does."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    library.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_longlong]
    library.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    return library


def map_block(
    descriptor: int, size: int, populate: bool = False, keep: int | None = None, name: str | None = None
) -> Any:
    """The bytes of a block, writable, as a buffer; they stay until nothing refers to it. The descriptor may be closed.

    `populate` makes all of its pages at once, for who is about to read all of them. `keep` is a descriptor and `name` a
    name that go with the buffer, for giving the block to others.
    """
    import ctypes

    system = _system()
    flags = mmap.MAP_SHARED | (getattr(mmap, "MAP_POPULATE", 0) if populate else 0)
    address = system.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, flags, descriptor, 0)
    if address == ctypes.c_void_p(-1).value:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot map {size} bytes of shared memory: {os.strerror(number)}")
    block = (ctypes.c_char * size).from_address(address)
    _mappings[address] = Mapping(address, size, weakref.ref(block), keep, name, os.getpid())
    key = None
    if keep is not None or name is not None:
        key = _key(descriptor)
        _addresses[key] = address
    # Not at the interpreter's exit, when tensors may still lie there.
    weakref.finalize(block, _unmap, address, key).atexit = False
    if name is not None:
        _remove_names_at_exit(os.getpid())
    return block


def _key(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def _unmap(address: int, key: tuple[int, int] | None) -> None:
    mapping = _mappings.pop(address)
    if key is not None:
        del _addresses[key]
    _system().munmap(address, mapping.size)
    if mapping.descriptor is not None:
        os.close(mapping.descriptor)
    if mapping.name is not None and mapping.owner == os.getpid():
        remove_name(mapping.name)


@cache
def _remove_names_at_exit(process: int) -> None:
    """A worker of multiprocessing ends without weakref's finalizers, but with multiprocessing's own."""
    from multiprocessing.util import Finalize

    Finalize(None, _remove_names, (process,), exitpriority=0)


def _remove_names(process: int) -> None:
    for mapping in list(_mappings.values()):
        if mapping.name is not None and mapping.owner == process == os.getpid():
            remove_name(mapping.name)
            _mappings[mapping.address] = mapping._replace(name=None)


def mapped(descriptor: int) -> Any:
    """The bytes of a block that this process has mapped before, so that the same memory is at one place; or None."""
    mapping = _mappings.get(_addresses.get(_key(descriptor), 0))
    return None if mapping is None else mapping.buffer()


def find(address: int) -> Mapping | None:
    """The block in which an address lies."""
    for mapping in list(_mappings.values()):
        if mapping.address <= address < mapping.address + mapping.size:
            return mapping
    return None
