"""The classes by which old programs name dtypes: FloatTensor and its siblings, of every kind of device.

No tensor is an object of them; they make tensors, and tell whether a tensor has their dtype and is on their device.
"""

from __future__ import annotations

from typing import Any

from rustorch import _C
from rustorch._C import Tensor, dtype as _dtype
from rustorch._lazy import shown
from rustorch._size import Size

#: The name before `Tensor` and `Storage` of every dtype that has one.
NAMES: dict[str, _dtype] = {
    "BFloat16": _C.bfloat16,
    "Bool": _C.bool,
    "Byte": _C.uint8,
    "Char": _C.int8,
    "ComplexDouble": _C.complex128,
    "ComplexFloat": _C.complex64,
    "Double": _C.float64,
    "Float": _C.float32,
    "Half": _C.float16,
    "Int": _C.int32,
    "Long": _C.int64,
    "Short": _C.int16,
}


class tensortype(type):
    """The class of FloatTensor and its siblings."""

    dtype: _dtype
    is_cuda: bool
    layout: _C.layout
    _kind: str

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> tensortype:
        if bases:
            raise TypeError(f"type '{bases[0].__name__}' is not an acceptable base type; subclass Tensor")
        return super().__new__(mcs, name, bases, namespace)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype and instance.device.type == cls._kind

    def __call__(cls, *args: Any, device: _C.device | str | None = None) -> Tensor:
        where = _C.device(cls._kind if device is None else device)
        if where.type != cls._kind:
            raise RuntimeError(f"{cls.__name__}(): makes tensors on {cls._kind}, not on {where}")
        return made(cls.__name__, args, cls.dtype, where)

    def __repr__(cls) -> str:
        return f"<class '{shown(cls.__module__)}.{cls.__name__}'>"


def home(kind: str) -> str:
    """The module that has the old classes of a kind of device."""
    return "rustorch" if kind == "cpu" else f"rustorch.{kind}"


def made(name: str, args: tuple[Any, ...], dtype: _dtype, device: _C.device) -> Tensor:
    """What the constructors of old programs make: of sizes a tensor without values, of data one with it.

    Nothing, or sizes as numbers or as a Size: unspecified values. A tensor of the same dtype, or a storage: its memory.
    A sequence or an array: its values, converted.
    """
    if len(args) == 1 and not (isinstance(args[0], int) and not isinstance(args[0], bool)):
        return _of_data(name, args[0], dtype, device)
    for size in args:
        if not hasattr(size, "__index__"):
            raise TypeError(f"{name}(): sizes are integers, not {type(size).__name__}; data is one sequence")
    return _C.empty(args or (0,), dtype=dtype, device=device)


def _of_data(name: str, data: Any, dtype: _dtype, device: _C.device) -> Tensor:
    if isinstance(data, Size):
        return _C.empty(data, dtype=dtype, device=device)
    if isinstance(data, Tensor):
        if data.dtype is not dtype or data.device.type != device.type:
            raise TypeError(
                f"{name}(): expected a tensor of {dtype} on {device.type}, but got one of {data.dtype} on "
                f"{data.device}; to() converts it"
            )
        return data.detach()
    from rustorch.storage import TypedStorage, UntypedStorage

    if isinstance(data, TypedStorage):
        if data.dtype is not dtype:
            raise RuntimeError(f"{name}(): expected a storage of {dtype}, but got one of {data.dtype}")
        data = data.untyped()
    if isinstance(data, UntypedStorage):
        return _C.empty(0, dtype=dtype, device=data.device).set_(data)
    if not hasattr(data, "__len__") or not hasattr(data, "__getitem__") or isinstance(data, dict | str):
        raise TypeError(f"{name}(): data must be a sequence (got {type(data).__name__})")
    return _C.as_tensor(data, dtype=dtype, device=device)


def of_kind(kind: str) -> dict[str, tensortype]:
    """The classes of one kind of device, by name."""
    return {
        f"{name}Tensor": tensortype(
            f"{name}Tensor",
            (),
            {
                "__module__": home(kind),
                "__doc__": f"Tensors of {str(dtype).rpartition('.')[2]} on {kind}, as old programs name them.",
                "dtype": dtype,
                "is_cuda": kind == "cuda",
                "layout": _C.strided,
                "_kind": kind,
            },
        )
        for name, dtype in NAMES.items()
    }


_of_the_cpu = of_kind("cpu")


def __getattr__(name: str) -> tensortype:
    if name in _of_the_cpu:
        return _of_the_cpu[name]
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def named(name: str) -> tensortype:
    """The class that a text such as 'torch.FloatTensor' or 'torch.cuda.FloatTensor' names."""
    from importlib import import_module

    package, _, path = name.partition(".")
    module, _, last = f"rustorch.{path}".rpartition(".")
    if package in ("torch", "rustorch") and module in ("rustorch", "rustorch.cuda"):
        found = getattr(import_module(module), last, None)
        if isinstance(found, tensortype):
            return found
    raise TypeError(f"'{name}' names no class of tensors; one is 'torch.FloatTensor'")


def type_of(tensor: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """What `Tensor.type` gives."""
    if dtype is None:
        name = next(name for name, candidate in NAMES.items() if candidate is tensor.dtype)
        place = "" if tensor.is_cpu else f".{tensor.device.type}"
        return f"{shown('rustorch')}{place}.{name}Tensor"
    if isinstance(dtype, str):
        dtype = named(dtype)
    if isinstance(dtype, tensortype):
        device = tensor.device if tensor.device.type == dtype._kind else _C.device(dtype._kind)
        return tensor.to(device=device, dtype=dtype.dtype, non_blocking=non_blocking)
    if not isinstance(dtype, _dtype | type):
        raise TypeError(f"type(): {dtype!r} is no dtype; give one such as {_C.float32}")
    return tensor.to(dtype, non_blocking=non_blocking)


# The kind of device that set_default_tensor_type() made the default one.
_default_kind = "cpu"


def set_default_tensor_type(t: tensortype | str, /) -> None:
    """Sets the default dtype, and the default device, by a class such as FloatTensor or its name.

    >>> rustorch.set_default_tensor_type(rustorch.DoubleTensor)
    >>> rustorch.tensor(1.5).dtype
    rustorch.float64
    >>> rustorch.set_default_tensor_type("torch.FloatTensor")
    """
    global _default_kind
    cls = named(t) if isinstance(t, str) else t
    if not isinstance(cls, tensortype) or not cls.dtype.is_floating_point:
        shown_type = cls if isinstance(cls, type) else repr(cls)
        raise TypeError(
            f"set_default_tensor_type(): only classes of floating-point tensors are defaults, not {shown_type}"
        )
    _C.set_default_dtype(cls.dtype)
    if cls._kind != _default_kind:
        _C.set_default_device(None if cls._kind == "cpu" else cls._kind)
        _default_kind = cls._kind
