"""Files of tensors and plain values: PyTorch's checkpoints, and with the same functions safetensors, npy and npz.

Nothing in a file is ever run. A checkpoint is a pickle, and a pickle is a program; here a machine that knows a list of
names reads it and makes plain data. A name that is not on the list is an error that says which.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import IO, Any, TypeAlias

from rustorch import _C

__all__ = [
    "add_safe_globals",
    "clear_safe_globals",
    "default_restore_location",
    "get_safe_globals",
    "get_unsafe_globals_in_checkpoint",
    "load",
    "location_tag",
    "safe_globals",
    "save",
]

FileLike: TypeAlias = "str | os.PathLike[str] | IO[bytes]"
MapLocation: TypeAlias = (
    "Callable[[_C.UntypedStorage, str], _C.UntypedStorage | None] | _C.device | str | Mapping[str, str] | None"
)
Safe: TypeAlias = "Callable[..., Any] | tuple[Callable[..., Any], str]"

_safe: list[Safe] = []

# What a file of NumPy's begins with, and a zip archive with a record or without any.
_NPY = b"\x93NUMPY"
_ZIP, _EMPTY_ZIP = b"PK\x03\x04", b"PK\x05\x06"
_START = 512


def add_safe_globals(safe_globals: Iterable[Safe]) -> None:
    """Lets load() call these classes and functions, which you vouch for, where a file names them.

    Args:
        safe_globals: classes and functions, or pairs of one and the name under which files know it, as
            ``(Net, "old_package.Net")``.

    Raises:
        TypeError: where one of them cannot be called.

    Example:

    >>> import fractions
    >>> rustorch.serialization.add_safe_globals([fractions.Fraction])
    >>> rustorch.serialization.get_safe_globals()
    [<class 'fractions.Fraction'>]
    >>> rustorch.serialization.clear_safe_globals()
    """
    added = list(safe_globals)
    _by_name(added)
    _safe.extend(entry for entry in added if entry not in _safe)


def get_safe_globals() -> list[Safe]:
    """The classes and functions that load() may call, in the order in which they were added.

    Example:

    >>> rustorch.serialization.get_safe_globals()
    []
    """
    return list(_safe)


def clear_safe_globals() -> None:
    """Makes load() call none of the classes that add_safe_globals() allowed.

    Example:

    >>> rustorch.serialization.clear_safe_globals()
    """
    _safe.clear()


class safe_globals:
    """Allows classes and functions as add_safe_globals() does, inside of a block.

    Args:
        safe_globals: as of add_safe_globals().

    Example:

    >>> import fractions
    >>> with rustorch.serialization.safe_globals([fractions.Fraction]):
    ...     len(rustorch.serialization.get_safe_globals())
    1
    >>> rustorch.serialization.get_safe_globals()
    []
    """

    def __init__(self, safe_globals: Iterable[Safe]) -> None:
        self._added = list(safe_globals)
        self._before: list[Safe] = []

    def __enter__(self) -> None:
        self._before = list(_safe)
        add_safe_globals(self._added)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _safe[:] = self._before


def _by_name(entries: Iterable[Safe]) -> dict[str, Callable[..., Any]]:
    named = {}
    for entry in entries:
        function, name = entry if isinstance(entry, tuple) else (entry, None)
        if not callable(function) or not isinstance(name, str | None):
            raise TypeError(
                f"add_safe_globals(): takes classes, functions, and pairs of one and its name, not {entry!r}"
            )
        named[name or f"{function.__module__}.{function.__qualname__}"] = function
    return named


def load(
    f: FileLike,
    map_location: MapLocation = None,
    *,
    weights_only: bool | None = True,
    mmap: bool | None = None,
    as_state: bool = False,
) -> Any:
    """Reads a file: a checkpoint of PyTorch's, or one in the formats safetensors, npy or npz, by its content.

    Of a checkpoint come back the values that were saved: tensors, which share memory where they did, parameters, dicts,
    lists, tuples, sets, numbers, texts, bytes, sizes, dtypes, devices, and NumPy's arrays and numbers. Conjugate and
    negative views are computed. npy gives an array of NumPy's and npz a dict of arrays, which `rustorch.from_numpy`
    makes tensors.

    Nothing in the file is run: the names that it uses are looked up in a list of RusTorch's own, and another one is an
    error. Sizes, offsets and strides are checked before memory is taken.

    Args:
        f: a path, or an object with ``read()`` that gives bytes, of which what is left is read.
        map_location: where tensors go to: a device or its name; a dict from saved to new names; a function of a storage
            (on the CPU) and the name of its saved device, which gives a storage, or None for the saved device. Default:
            None, the device where each was.
        weights_only: has to be True, or None, which is the same: files are data here. Default: True.
        mmap: whether the file's bytes are used where they lie on disk, read when they are first looked at; writing to
            the tensors does not change the file. The checksums of tensors are not verified then. Default: None, which
            is False.
        as_state: whether objects of unknown classes become plain data: a pickled module a dict of its ``class``, its
            ``state_dict`` and its ``modules`` by name. Default: False.

    Raises:
        ModelFormatError: what is wrong with the file, or which name it uses that it may not.
        FileError: where the system cannot read it.
        DeviceError: where a device is not here; give map_location.

    Example:

    >>> import io
    >>> file = io.BytesIO()
    >>> rustorch.save({"weight": rustorch.ones(2), "step": 3}, file)
    >>> rustorch.load(io.BytesIO(file.getvalue()))
    {'weight': tensor([1., 1.]), 'step': 3}
    """
    if weights_only is not None and not weights_only:
        raise ValueError(
            "load(): weights_only=False would run code that the file brings, which RusTorch never does. Leave it out: "
            "tensors and plain values load without; serialization.add_safe_globals([...]) allows classes of yours, and "
            "as_state=True gives the tensors of a whole pickled module"
        )
    place = _placed(map_location)
    source: str | bytes
    if isinstance(f, str | os.PathLike):
        source = os.fspath(f)
        start = _start_of(source)
    else:
        if mmap:
            raise ValueError("load(): mmap=True takes a path, not an open file")
        source = _content(f)
        start = source[:_START]
    if start.startswith(_NPY) or _is_npz(start, source):
        if as_state or (place is not None and str(place) != "cpu"):
            raise ValueError("load(): files of NumPy's hold arrays, for which map_location and as_state mean nothing")
        from rustorch import _numpy_files

        return _numpy_files.load(source)
    return _C._load(source, bool(mmap), place, _by_name(_safe), as_state)


def save(obj: object, f: FileLike) -> None:
    """Writes values to a file in PyTorch's format, which torch.load(weights_only=True) and load() read.

    What can be saved is plain data: tensors and parameters, which share memory in the file where they do here; dicts
    (also OrderedDict, defaultdict, Counter), lists, tuples, sets, numbers, texts, bytes, sizes, dtypes, devices, and
    NumPy's arrays and numbers. Of a module, save its ``state_dict()``. PyTorch's reader wants add_safe_globals() for
    NumPy's, for defaultdict and frozenset. A storage is saved whole, whatever part of it a tensor shows; ``clone()``
    what is to be small.

    One storage after the other is written, without a copy of them. A file at a path takes its place when it is
    complete; what was there before stays until then.

    Args:
        obj: the values.
        f: a path, or an object with ``write()`` that takes bytes.

    Raises:
        TypeError: where something is not plain data.
        InvalidArgumentError: where tensors of two dtypes show one storage.
        FileError: where the system cannot write the file.

    Example:

    >>> import io
    >>> file = io.BytesIO()
    >>> weight = rustorch.arange(6.0).view(2, 3)
    >>> rustorch.save({"weight": weight, "row": weight[1]}, file)
    >>> loaded = rustorch.load(io.BytesIO(file.getvalue()))
    >>> loaded["row"][0] = 7
    >>> loaded["weight"]
    tensor([[0., 1., 2.],
            [7., 4., 5.]])
    """
    if isinstance(f, str | os.PathLike):
        _C._save_file(obj, os.fspath(f))
    elif callable(getattr(f, "write", None)):
        _C._save_to(obj, f)
    else:
        raise TypeError(f"save(): f is a path or an open file, not {type(f).__name__}")


def _start_of(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_START)
    except OSError:
        # Told by what reads the file.
        return b""


def _is_npz(start: bytes, source: str | bytes) -> bool:
    """Whether a file begins as a zip archive whose first record is an array; one without records is told by name."""
    if start.startswith(_ZIP):
        length = int.from_bytes(start[26:28], "little")
        return start[30 : 30 + length].endswith(b".npy")
    return start.startswith(_EMPTY_ZIP) and isinstance(source, str) and source.endswith(".npz")


def _content(f: IO[bytes]) -> bytes:
    read = getattr(f, "read", None)
    if read is None:
        raise TypeError(f"load(): f is a path or an open file, not {type(f).__name__}")
    content = read()
    if not isinstance(content, bytes):
        raise TypeError(f"load(): f.read() gave {type(content).__name__}, not bytes; open the file with mode 'rb'")
    return content


def _placed(map_location: MapLocation) -> Any:
    if map_location is None or isinstance(map_location, str | _C.device):
        return None if map_location is None else _C.device(map_location)
    if isinstance(map_location, Mapping):
        names = map_location

        def by_name(storage: _C.UntypedStorage, location: str) -> _C.UntypedStorage:
            return default_restore_location(storage, str(names.get(location, location)))

        return by_name
    if not callable(map_location):
        raise TypeError(
            "load(): map_location is a device, its name, a dict of names or a function, not "
            f"{type(map_location).__name__}"
        )
    function = map_location

    def by_function(storage: _C.UntypedStorage, location: str) -> _C.UntypedStorage:
        given = function(storage, location)
        return default_restore_location(storage, location) if given is None else given

    return by_function


def default_restore_location(storage: _C.UntypedStorage, location: str) -> _C.UntypedStorage:
    """The storage on the device that a file names, where load() puts it without map_location.

    Args:
        storage: any storage.
        location: the device's name in the file, such as ``"cpu"``, ``"cuda:0"`` or ``"mps"``, which is ``metal`` here.

    Raises:
        DeviceError: where that device is not here.

    Example:

    >>> storage = rustorch.ones(2).untyped_storage()
    >>> rustorch.serialization.default_restore_location(storage, "cpu").nbytes()
    8
    """
    return _C._restore_location(storage, location)


def location_tag(storage: _C.UntypedStorage) -> str:
    """The name under which save() notes where a storage is.

    Args:
        storage: any storage.

    Example:

    >>> rustorch.serialization.location_tag(rustorch.ones(2).untyped_storage())
    'cpu'
    """
    return str(storage.device).replace("metal", "mps")


def get_unsafe_globals_in_checkpoint(f: FileLike) -> list[str]:
    """The names that a file uses and load() does not allow, without reading its tensors.

    Args:
        f: a path, or an open file.

    Raises:
        ModelFormatError: what is wrong with the file.

    Example:

    >>> import io
    >>> file = io.BytesIO()
    >>> rustorch.save([1, 2], file)
    >>> rustorch.serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(file.getvalue()))
    []
    """
    found = _C._inspect(os.fspath(f) if isinstance(f, str | os.PathLike) else _content(f))
    allowed = _by_name(_safe)
    return [name for name in found["names"] if name not in allowed]
