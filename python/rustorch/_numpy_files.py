"""npy and npz, read by NumPy after what a file claims has been held against what it has."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from rustorch._C import ModelFormatError

if TYPE_CHECKING:
    import numpy as np

_MAGIC = b"\x93NUMPY"
# What NumPy and zipfile raise about broken files.
_BROKEN = (ValueError, TypeError, OverflowError, RuntimeError, EOFError, zipfile.BadZipFile)
# The longest header of a version, which NumPy itself takes for safe.
_MOST_HEADER = 10_000
# The most that a byte of deflated data can become.
_MOST_INFLATED = 1032


def load(source: str | bytes) -> Any:
    """The array of an npy file, or the arrays of an npz file by name.

    Raises:
        ModelFormatError: what is wrong with the file.
    """
    name = source if isinstance(source, str) else "the file"
    with open(source, "rb") if isinstance(source, str) else io.BytesIO(source) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        try:
            if file.read(len(_MAGIC)) == _MAGIC:
                file.seek(0)
                return _array(file, size)
            file.seek(0)
            return _arrays(file)
        except (
            ValueError,
            TypeError,
            OverflowError,
            zipfile.BadZipFile,
            RuntimeError,
            EOFError,
            NotImplementedError,
        ) as error:
            raise ModelFormatError(f"{name}: {error}") from error


def _array(file: IO[bytes], size: int) -> np.ndarray[Any, Any]:
    """An array of `size` bytes with its header."""
    from numpy.lib import format

    version = format.read_magic(file)
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise ModelFormatError(f"npy of version {version}; 1.0, 2.0 and 3.0 are known")
    width = 2 if version == (1, 0) else 4
    told = file.read(width)
    length = int.from_bytes(told, "little")
    left = size - len(_MAGIC) - 2 - width
    if len(told) < width or length > left or length > _MOST_HEADER:
        raise ModelFormatError(f"an npy header of {length} bytes; the file has {left} and the limit is {_MOST_HEADER}")
    header = file.read(length)
    # Version 3 is version 2 in UTF-8, which NumPy reads by a function that is not public.
    encoded = header if version != (3, 0) else header.decode("utf-8").encode("latin-1")
    read: Callable[[IO[bytes]], Any] = format.read_array_header_1_0 if width == 2 else format.read_array_header_2_0
    try:
        shape, fortran, dtype = read(io.BytesIO(told + encoded))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise ModelFormatError(f"the npy header is not a dict of descr, fortran_order and shape: {error}") from error
    if dtype.hasobject:
        raise ModelFormatError("an array of Python's objects, which is a pickle; files are not run")
    if any(type(n) is not int or n < 0 for n in shape):
        raise ModelFormatError(f"an array whose shape {shape} is not one of sizes; none may be negative")
    count = 1
    for n in shape:
        count *= n
    expected = count * dtype.itemsize
    if expected > left - length:
        raise ModelFormatError(
            f"an array of shape {shape} and dtype {dtype} has {expected} bytes of data, but the file ends after "
            f"{left - length}"
        )
    import numpy as np

    made = np.empty(shape, dtype, "F" if fortran else "C")
    order = made.T if fortran else made
    data = file.read(expected)
    if len(data) != expected:
        raise ModelFormatError(f"the data end after {len(data)} bytes of {expected}")
    order[...] = np.frombuffer(data, dtype, count).reshape(order.shape) if count and dtype.itemsize else order
    return made


def _arrays(file: IO[bytes]) -> dict[str, np.ndarray[Any, Any]]:
    arrays = {}
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if name == member.filename:
                raise ModelFormatError(f"the record '{name}' is not an npy file; npz files have nothing else")
            if name in arrays:
                raise ModelFormatError(f"two records (a duplicate) have the name '{member.filename}'")
            if member.file_size > member.compress_size * _MOST_INFLATED:
                packed, told = member.compress_size, member.file_size
                raise ModelFormatError(f"the record '{member.filename}' of {packed} bytes claims a size of {told}")
            with archive.open(member) as record:
                arrays[name] = _array(record, member.file_size)
                if record.read(1):
                    raise ModelFormatError(f"the record '{member.filename}' has bytes after its array")
    return arrays
