"""How tensors are sent to other processes: the memory of their storage is shared, and what it is called is pickled."""

from __future__ import annotations

import ctypes
import os
from multiprocessing import context, reduction, resource_tracker
from typing import Any

from rustorch import _shared_memory, _tensor
from rustorch._C import Tensor, UntypedStorage, frombuffer, uint8

_strategies = {"file_descriptor", "file_system"} if os.path.isdir(_shared_memory.NAMES) else {"file_descriptor"}
_strategy = "file_descriptor"


def set_sharing_strategy(new_strategy: str) -> None:
    """Sets how memory is shared from now on, by this process.

    Args:
        new_strategy: 'file_descriptor', where nothing names the memory and each shared tensor holds a descriptor, or
            'file_system', where it has names in /dev/shm, for more tensors than a process may have descriptors.
            Anything else is an AssertionError.

    Example:

    >>> rustorch.multiprocessing.set_sharing_strategy("file_descriptor")
    """
    global _strategy
    if new_strategy not in _strategies:
        raise AssertionError(f"invalid sharing strategy {new_strategy!r}, expected one of {sorted(_strategies)}")
    if new_strategy == "file_system":
        # Processes that are forked later share the tracker of names, so that each may remove what another one made.
        resource_tracker.ensure_running()
    _strategy = new_strategy


def get_sharing_strategy() -> str:
    """How memory is shared.

    Example:

    >>> rustorch.multiprocessing.get_sharing_strategy()
    'file_descriptor'
    """
    return _strategy


def get_all_sharing_strategies() -> set[str]:
    """The ways of sharing memory that there are here.

    Example:

    >>> "file_descriptor" in rustorch.multiprocessing.get_all_sharing_strategies()
    True
    """
    return set(_strategies)


def share(storage: UntypedStorage) -> UntypedStorage:
    """A copy of a storage in shared memory, which can be sent without another copy."""
    if storage.nbytes() == 0:
        return storage
    return _storage_over(_shared_copy(storage))


def _shared_copy(storage: UntypedStorage) -> Any:
    """A new block with the bytes of a storage."""
    content = memoryview(_tensor._bytes_of(storage))
    if _strategy == "file_system":
        name = _shared_memory.new_name()
        descriptor = os.open(_shared_memory.path(name), os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            os.ftruncate(descriptor, content.nbytes)
            block = _shared_memory.map_block(descriptor, content.nbytes, name=name)
        finally:
            os.close(descriptor)
    else:
        descriptor = _shared_memory.create(content.nbytes)
        try:
            block = _shared_memory.map_block(descriptor, content.nbytes, keep=descriptor)
        except BaseException:
            os.close(descriptor)
            raise
    memoryview(block).cast("B")[:] = content
    return block


def _storage_over(block: Any, start: int = 0, size: int | None = None) -> UntypedStorage:
    view = memoryview(block).cast("B")
    return frombuffer(view[start : None if size is None else start + size], dtype=uint8).untyped_storage()


def reduce_tensor(tensor: Tensor) -> Any:
    """A tensor's pickle for another process; a result with a history is a RuntimeError, for history does not travel."""
    if tensor.requires_grad and not tensor.is_leaf:
        raise RuntimeError(
            "a tensor that is the result of a computation with gradients cannot be sent to another process, for its "
            "history cannot; send its detach()"
        )
    return tensor.__reduce_ex__(5)


def reduce_storage(storage: UntypedStorage) -> Any:
    """A storage's pickle for another process: where its memory is found."""
    if storage.device.type != "cpu" or storage.nbytes() == 0:
        return storage.__reduce_ex__(4)
    address = storage.data_ptr()
    mapping = _shared_memory.find(address)
    if mapping is None or (mapping.descriptor is None and mapping.name is None):
        block = _shared_copy(storage)
        address = ctypes.addressof(block)
        mapping = _shared_memory._mappings[address]
    else:
        block = mapping.buffer()
    place = (mapping.size, address - mapping.address, storage.nbytes())
    if mapping.name is not None:
        name = _shared_memory.new_name()
        os.link(_shared_memory.path(mapping.name), _shared_memory.path(name))
        return _storage_of_name, (name, *place)
    assert mapping.descriptor is not None
    starting = context.get_spawning_popen()
    if starting is not None:
        # The descriptor goes with the process that is being started, which happens after this.
        vars(starting).setdefault("_rustorch_blocks", []).append(block)
    return _storage_of_descriptor, (reduction.DupFd(mapping.descriptor), *place)


def _storage_of_descriptor(handle: Any, total: int, start: int, size: int) -> UntypedStorage:
    descriptor: int = handle.detach()
    block = None
    try:
        block = _shared_memory.mapped(descriptor)
        if block is None:
            block = _shared_memory.map_block(descriptor, total, keep=descriptor)
        return _storage_over(block, start, size)
    finally:
        mapping = None if block is None else _shared_memory._mappings[ctypes.addressof(block)]
        if mapping is None or mapping.descriptor != descriptor:
            os.close(descriptor)


def _storage_of_name(name: str, total: int, start: int, size: int) -> UntypedStorage:
    descriptor = os.open(_shared_memory.path(name), os.O_RDWR)
    try:
        block = _shared_memory.mapped(descriptor)
        if block is None:
            own = _shared_memory.new_name()
            os.rename(_shared_memory.path(name), _shared_memory.path(own))
            _shared_memory.remove_name(name, file_remains=False)
            block = _shared_memory.map_block(descriptor, total, name=own)
        else:
            _shared_memory.remove_name(name)
    finally:
        os.close(descriptor)
    return _storage_over(block, start, size)


def init_reductions() -> None:
    """Lets everything that `multiprocessing` pickles send tensors this way."""
    from rustorch.nn.parameter import Parameter

    reduction.register(UntypedStorage, reduce_storage)
    for kind in (Tensor, Parameter):
        reduction.register(kind, reduce_tensor)
