"""Names for type annotations."""

from builtins import bool as _bool, bytes as _bytes, complex as _complex, float as _float, int as _int, str as _str
from collections.abc import Sequence
from os import PathLike
from typing import IO, TypeAlias

from rustorch._C import Tensor, UntypedStorage, device as _device, dtype as _dtype, layout as _layout
from rustorch._size import Size as Size
from rustorch.storage import TypedStorage

__all__ = ["Device", "FileLike", "Number", "Storage"]

_size: TypeAlias = Size | list[int] | tuple[int, ...]
_symsize: TypeAlias = Size | Sequence[int]
_TensorOrTensors: TypeAlias = Tensor | Sequence[Tensor]
_TensorOrOptionalTensors: TypeAlias = Tensor | Sequence[Tensor | None]

Number: TypeAlias = _int | _float | _bool
_Number = (_int, _float, _bool)
"""The classes of `Number`, for isinstance."""

BoolLikeType: TypeAlias = _bool
IntLikeType: TypeAlias = _int
FloatLikeType: TypeAlias = _float

Device: TypeAlias = _device | _str | _int | None
FileLike: TypeAlias = _str | PathLike[_str] | IO[_bytes]
Storage: TypeAlias = UntypedStorage | TypedStorage

__all__ += ["_bool", "_bytes", "_complex", "_device", "_dtype", "_float", "_int", "_layout", "_size", "_str"]
