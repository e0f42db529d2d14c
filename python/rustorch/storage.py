"""The memory of tensors: as bytes, and as elements of a dtype."""

from __future__ import annotations

from builtins import bool as _bool, int as _int
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from rustorch import _C
from rustorch._C import Tensor, UntypedStorage, dtype as _DType
from rustorch._lazy import shown
from rustorch._tensor_types import NAMES, home

__all__ = ["TypedStorage", "UntypedStorage"]


def _expected(cls: type, reason: str) -> TypeError:
    return TypeError(
        f"{cls.__name__}(): expected nothing, a size, a sequence of numbers or wrap_storage=an UntypedStorage, {reason}"
    )


class _StorageClass(type):
    """The class of TypedStorage and of FloatStorage and its siblings, whose storages are all TypedStorages."""

    _fixed: _DType | None
    _kind: str

    def __instancecheck__(cls, instance: object) -> bool:
        if cls._fixed is None:
            return type.__instancecheck__(cls, instance)
        return isinstance(instance, TypedStorage) and instance.dtype is cls._fixed and instance.device.type == cls._kind

    @property
    def dtype(cls) -> _DType | None:
        """The dtype of the storages; None of TypedStorage, which has storages of every dtype."""
        return cls._fixed


class TypedStorage(metaclass=_StorageClass):
    """A tensor's memory, element by element: what ``Tensor.storage()`` gives and old programs index.

    It has a size, elements that can be read and written, and the dtype of the tensor; `untyped()` gives the bytes.

    Args:
        *args: nothing, a size, whose values are unspecified, or a sequence of numbers.
        wrap_storage: the bytes that are shown, in place of new ones. Default: None.
        dtype: the dtype of the elements. Default: None, the default dtype.
        device: where new memory is. Default: None, the CPU.

    Example:

    >>> storage = rustorch.tensor([1.0, 2.0, 3.0]).storage()
    >>> storage[1] = 5.0
    >>> storage.tolist(), storage.size(), storage.nbytes()
    ([1.0, 5.0, 3.0], 3, 12)
    """

    _fixed: ClassVar[_DType | None] = None
    _kind: ClassVar[str] = "cpu"
    is_sparse = False

    def __init__(
        self,
        *args: Any,
        wrap_storage: UntypedStorage | None = None,
        dtype: _DType | None = None,
        device: _C.device | str | None = None,
    ) -> None:
        element = dtype or _C.get_default_dtype()
        where = _C.device("cpu" if device is None else device)
        if wrap_storage is not None:
            if args or device is not None:
                raise _expected(type(self), "and wrap_storage alone, without data or a device")
            if not isinstance(wrap_storage, UntypedStorage):
                raise _expected(type(self), f"but got {type(wrap_storage).__name__} as wrap_storage")
            self._elements = _C.empty(0, dtype=element, device=wrap_storage.device).set_(wrap_storage)
        elif len(args) > 1:
            raise _expected(type(self), f"but got {len(args)} arguments")
        elif not args or isinstance(args[0], _int):
            self._elements = _C.empty(args[0] if args else 0, dtype=element, device=where)
        elif isinstance(args[0], Sequence):
            self._elements = _C.tensor(args[0], dtype=element, device=where)
            if self._elements.dim() != 1:
                raise _expected(type(self), "but got a nested sequence")
        else:
            raise _expected(type(self), f"but got {type(args[0]).__name__}")

    @classmethod
    def _of(cls, elements: Tensor) -> TypedStorage:
        return TypedStorage(wrap_storage=elements.untyped_storage(), dtype=elements.dtype)

    @classmethod
    def from_buffer(
        cls,
        buffer: Any,
        byte_order: str = "native",
        *,
        count: _int = -1,
        offset: _int = 0,
        dtype: _DType | None = None,
    ) -> TypedStorage:
        """A storage of numbers that lie in a buffer, copied; `byte_order` is 'native', 'little' or 'big'."""
        import sys

        if byte_order not in ("native", "little", "big"):
            raise ValueError(f"from_buffer(): byte_order is 'native', 'little' or 'big', not {byte_order!r}")
        element = dtype or cls._fixed or _C.get_default_dtype()
        content = memoryview(buffer).cast("B")[offset:]
        if count >= 0:
            content = content[: count * element.itemsize]
        if count > 0 and content.nbytes < count * element.itemsize:
            raise ValueError(f"from_buffer(): {count} elements of {element} do not fit in {content.nbytes} bytes")
        if content.nbytes % element.itemsize:
            raise ValueError(f"from_buffer(): {content.nbytes} bytes are no whole number of elements of {element}")
        if not content.nbytes:
            return cls._of(_C.empty(0, dtype=element))
        whole = _C.frombuffer(bytearray(content), dtype=_C.uint8)
        if byte_order not in ("native", sys.byteorder):
            part = element.itemsize // (2 if element.is_complex else 1)
            whole = whole.reshape(-1, part).flip(1).reshape(-1)
        return TypedStorage(wrap_storage=whole.clone().untyped_storage(), dtype=element)

    @property
    def dtype(self) -> _DType:
        """The dtype of the elements."""
        return self._elements.dtype

    @property
    def device(self) -> _C.device:
        """Where the memory is."""
        return self._elements.device

    @property
    def is_cuda(self) -> _bool:
        """Whether the memory is a GPU's of NVIDIA's."""
        return self._elements.is_cuda

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return self._elements.untyped_storage()

    @property
    def _untyped_storage(self) -> UntypedStorage:
        """The same memory as bytes, by the name under which programs reach into PyTorch's."""
        return self.untyped()

    def size(self) -> _int:
        """The number of elements."""
        return self._elements.numel()

    def __len__(self) -> _int:
        return self.size()

    def nbytes(self) -> _int:
        """The number of bytes."""
        return self.untyped().nbytes()

    def element_size(self) -> _int:
        """Bytes per element."""
        return self.dtype.itemsize

    def data_ptr(self) -> _int:
        """The address of the first element."""
        return self.untyped().data_ptr()

    def get_device(self) -> _int:
        """The index of its device, -1 of the CPU."""
        return self._elements.get_device()

    def is_shared(self) -> _bool:
        """Whether other processes see the memory."""
        return self.untyped().is_shared()

    def is_pinned(self, device: _C.device | str | None = None) -> _bool:
        """Whether devices copy from the memory without waiting."""
        return self._elements.is_pinned(device)

    def pin_memory(self, device: _C.device | str | None = None) -> TypedStorage:
        """A copy in memory from which devices copy without waiting."""
        return self._of(self._elements.pin_memory(device))

    def resizable(self) -> _bool:
        """Whether resize_() may change its size: it may not, a tensor's resize_() may."""
        return False

    def _index(self, index: _int) -> _int:
        if not isinstance(index, _int):
            raise TypeError(f"a storage is indexed by an int, not by {type(index).__name__}")
        size = self.size()
        if not -size <= index < size:
            raise IndexError(f"index {index} out of range for storage of size {size}")
        return index

    def __getitem__(self, index: _int) -> Any:
        return self._elements[self._index(index)].item()

    def __setitem__(self, index: _int | slice, value: Any) -> None:
        if isinstance(value, TypedStorage):
            value = value._elements
        self._elements[index if isinstance(index, slice) else self._index(index)] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def tolist(self) -> list[Any]:
        """The elements as a list."""
        elements: list[Any] = self._elements.tolist()
        return elements

    def fill_(self, value: Any) -> TypedStorage:
        """Gives every element one value."""
        self._elements.fill_(value)
        return self

    def copy_(self, source: TypedStorage | UntypedStorage, non_blocking: _bool = False) -> TypedStorage:
        """Copies another storage of as many bytes, from any device, bit by bit."""
        other = source.untyped() if isinstance(source, TypedStorage) else source
        if other.nbytes() != self.nbytes():
            raise RuntimeError(
                f"copy_(): size does not match, self was {self.nbytes()} bytes but src was {other.nbytes()}"
            )
        own = _C.empty(0, dtype=_C.uint8, device=self.device).set_(self.untyped())
        own.copy_(_C.empty(0, dtype=_C.uint8, device=other.device).set_(other), non_blocking=non_blocking)
        return self

    def clone(self) -> TypedStorage:
        """A copy with memory of its own."""
        return self._of(self._elements.clone())

    def to(self, *, device: _C.device | str, non_blocking: _bool = False) -> TypedStorage:
        """The storage on a device; itself where it is there."""
        moved = self._elements.to(device, non_blocking=non_blocking)
        return self if moved is self._elements else self._of(moved)

    def cpu(self) -> TypedStorage:
        """The storage on the CPU; itself where it is there."""
        return self.to(device="cpu")

    def cuda(self, device: _int | _C.device | str | None = None, non_blocking: _bool = False) -> TypedStorage:
        """The storage on a GPU of NVIDIA's, by default the current one."""
        return self._of(self._elements.cuda(device, non_blocking=non_blocking))

    def type(self, dtype: _DType | str | None = None, non_blocking: _bool = False) -> Any:
        """The name of the class that old programs give it; with `dtype`, a storage of the converted elements."""
        if dtype is None:
            place = "" if self.device.type == "cpu" else f".{self.device.type}"
            return f"{shown('rustorch')}{place}.{self.pickle_storage_type()}"
        if isinstance(dtype, str):
            dtype = NAMES.get(dtype.rpartition(".")[2].removesuffix("Storage"))
        if not isinstance(dtype, _DType):
            raise TypeError("type(): expected a dtype or the name of a storage's class, such as 'torch.FloatStorage'")
        return self._converted(dtype)

    def _converted(self, dtype: _DType) -> TypedStorage:
        return self if dtype is self.dtype else self._of(self._elements.to(dtype))

    def bool(self) -> TypedStorage:
        """The elements as bool."""
        return self._converted(_C.bool)

    def byte(self) -> TypedStorage:
        """The elements as uint8."""
        return self._converted(_C.uint8)

    def char(self) -> TypedStorage:
        """The elements as int8."""
        return self._converted(_C.int8)

    def short(self) -> TypedStorage:
        """The elements as int16."""
        return self._converted(_C.int16)

    def int(self) -> TypedStorage:
        """The elements as int32."""
        return self._converted(_C.int32)

    def long(self) -> TypedStorage:
        """The elements as int64."""
        return self._converted(_C.int64)

    def half(self) -> TypedStorage:
        """The elements as float16."""
        return self._converted(_C.float16)

    def bfloat16(self) -> TypedStorage:
        """The elements as bfloat16."""
        return self._converted(_C.bfloat16)

    def float(self) -> TypedStorage:
        """The elements as float32."""
        return self._converted(_C.float32)

    def double(self) -> TypedStorage:
        """The elements as float64."""
        return self._converted(_C.float64)

    def complex_float(self) -> TypedStorage:
        """The elements as complex64."""
        return self._converted(_C.complex64)

    def complex_double(self) -> TypedStorage:
        """The elements as complex128."""
        return self._converted(_C.complex128)

    def pickle_storage_type(self) -> str:
        """The name of the class that files give it, such as 'FloatStorage'."""
        return next(f"{name}Storage" for name, dtype in NAMES.items() if dtype is self.dtype)

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, TypedStorage):
            return NotImplemented
        return (self.data_ptr(), self.size(), self.dtype) == (other.data_ptr(), other.size(), other.dtype)

    def __hash__(self) -> Any:
        return hash((self.data_ptr(), self.size(), self.dtype))

    def __copy__(self) -> TypedStorage:
        return self.clone()

    def __deepcopy__(self, memo: dict[Any, Any]) -> TypedStorage:
        from copy import deepcopy

        return self._of(deepcopy(self._elements, memo))

    def __reduce__(self) -> tuple[Any, ...]:
        return _load, (self.untyped(), self.dtype)

    def __repr__(self) -> str:
        name = shown("rustorch.storage.TypedStorage")
        about = f"[{name}(dtype={self.dtype}, device={self.device}) of size {len(self)}]"
        return "".join(f" {element}\n" for element in self.tolist()) + about


def _load(storage: UntypedStorage, dtype: _DType) -> TypedStorage:
    return TypedStorage(wrap_storage=storage, dtype=dtype)


class _LegacyStorage(_StorageClass):
    """The class of FloatStorage and its siblings."""

    def __call__(cls, *args: Any, wrap_storage: UntypedStorage | None = None) -> TypedStorage:
        device = None if wrap_storage is not None else cls._kind
        return TypedStorage(*args, wrap_storage=wrap_storage, dtype=cls._fixed, device=device)

    def __repr__(cls) -> str:
        return f"<class '{shown(cls.__module__)}.{cls.__name__}'>"


def of_kind(kind: str) -> dict[str, Any]:
    """FloatStorage and its siblings of one kind of device, by name."""
    return {
        f"{name}Storage": _LegacyStorage(
            f"{name}Storage",
            (TypedStorage,),
            {
                "__module__": home(kind),
                "__doc__": f"Storages of {str(dtype).rpartition('.')[2]} on {kind}, as old programs name them.",
                "_fixed": dtype,
                "_kind": kind,
            },
        )
        for name, dtype in NAMES.items()
    }


_of_the_cpu = of_kind("cpu")


def __getattr__(name: str) -> Any:
    if name in _of_the_cpu:
        return _of_the_cpu[name]
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
