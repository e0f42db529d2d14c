"""Copies and pickles of tensors: the parts of the class that are easier to read in Python."""

from __future__ import annotations

from pickle import PickleBuffer
from typing import Any
from weakref import WeakValueDictionary

from rustorch._C import Tensor, UntypedStorage, dtype, empty, frombuffer, uint8

# Storages that a pickle in the making has met: tensors that share memory name the same object.
_storages: WeakValueDictionary[tuple[str, int, int], UntypedStorage] = WeakValueDictionary()

# What vectors and other libraries ask of an address.
_ALIGNMENT = 16


def _bytes_of(storage: UntypedStorage) -> Tensor:
    return empty(0, dtype=uint8, device=storage.device).set_(storage)


def _attributes(tensor: Tensor) -> dict[str, Any] | None:
    return getattr(tensor, "__dict__", None) or None


def _make(
    cls: type[Tensor],
    storage: UntypedStorage,
    element: dtype,
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    requires_grad: bool,
) -> Tensor:
    tensor = empty(0, dtype=element, device=storage.device).set_(storage, offset, size, stride)
    if cls is not Tensor:
        made: Tensor = Tensor._make_subclass(cls, tensor, requires_grad)
        return made
    return tensor.requires_grad_(requires_grad)


def deepcopy(tensor: Tensor, memo: dict[Any, Any]) -> Tensor:
    """A copy with storage of its own, which copies of tensors that shared it share again.

    Only leaves have one, since a copy has no history.
    """
    known: Tensor | None = memo.get(id(tensor))
    if known is not None:
        return known
    if not tensor.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment; "
            "use detach().clone() or clone()"
        )
    storage = tensor.untyped_storage()
    key = ("storage", str(storage.device), storage.data_ptr())
    copied: UntypedStorage | None = memo.get(key) if storage.nbytes() else None
    if copied is None:
        copied = _bytes_of(storage).clone().untyped_storage()
        memo[key] = copied
    size, stride = tuple(tensor.shape), tensor.stride()
    copy = _make(type(tensor), copied, tensor.dtype, tensor.storage_offset(), size, stride, tensor.requires_grad)
    memo[id(tensor)] = copy
    if tensor.grad is not None:
        copy.grad = deepcopy(tensor.grad, memo)
    attributes = _attributes(tensor)
    if attributes:
        from copy import deepcopy as any_deepcopy

        copy.__dict__.update(any_deepcopy(attributes, memo))
    return copy


def reduce(tensor: Tensor, protocol: int) -> tuple[Any, ...]:
    """How a tensor is pickled: its storage and how it lies in it, without its history."""
    storage = tensor.untyped_storage()
    if storage.nbytes():
        storage = _storages.setdefault((str(storage.device), storage.data_ptr(), storage.nbytes()), storage)
    parts = (
        type(tensor),
        storage,
        tensor.dtype,
        tensor.storage_offset(),
        tuple(tensor.shape),
        tensor.stride(),
        tensor.requires_grad,
    )
    return _make, parts, _attributes(tensor)


def reduce_storage(storage: UntypedStorage, protocol: int) -> tuple[Any, ...]:
    """How a storage is pickled: its bytes, out of band from protocol 5 on, and the device where they were."""
    content = _bytes_of(storage).cpu()
    packed = PickleBuffer(content) if protocol >= 5 else memoryview(content).tobytes()
    if storage.device.type == "cpu":
        return _load_storage, (packed,)
    return _load_storage, (packed, str(storage.device))


def _load_storage(content: Any, device: str = "cpu") -> UntypedStorage:
    return _host_bytes(content).to(device).untyped_storage()


def _host_bytes(content: Any) -> Tensor:
    view = memoryview(content)
    if view.nbytes == 0:
        return empty(0, dtype=uint8, device="cpu")
    if view.readonly:
        return frombuffer(bytearray(view), dtype=uint8).clone()
    shared = frombuffer(content, dtype=uint8)
    # Memory that was handed over out of band is used where it lies.
    return shared.clone() if shared.data_ptr() % _ALIGNMENT else shared
