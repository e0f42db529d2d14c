"""The limits of dtypes."""

from __future__ import annotations

from rustorch import _C
from rustorch._C import dtype

# bits, eps, largest, smallest normal, decimal digits
_FLOATS: dict[str, tuple[int, float, float, float, int]] = {
    "float16": (16, 2.0**-10, 65504.0, 2.0**-14, 3),
    "bfloat16": (16, 2.0**-7, 2.0**127 * (2 - 2.0**-7), 2.0**-126, 2),
    "float32": (32, 2.0**-23, 2.0**127 * (2 - 2.0**-23), 2.0**-126, 6),
    "float64": (64, 2.0**-52, 2.0**1023 * (2 - 2.0**-52), 2.0**-1022, 15),
}


def _name(element: dtype) -> str:
    return repr(element).rpartition(".")[2]


class finfo:
    """The limits of a floating-point dtype; of a complex dtype, those of its parts.

    Attributes:
        bits: bits per number.
        eps: the distance from 1 to the next larger number.
        max, min: the largest and the lowest number.
        tiny, smallest_normal: the smallest positive number with full precision.
        resolution: the decimal digits that are always kept, as ``10 ** -digits``.
        dtype: the dtype's name.
    """

    def __init__(self, type: dtype | None = None) -> None:
        element = (_C.get_default_dtype() if type is None else type).to_real()
        name = _name(element)
        if name not in _FLOATS:
            raise TypeError(f"finfo() takes a floating-point or complex dtype, not {element}; use iinfo() for integers")
        self.bits, self.eps, self.max, self.tiny, digits = _FLOATS[name]
        self.min = -self.max
        self.smallest_normal = self.tiny
        self.resolution = float(f"1e-{digits}")
        self.dtype = name

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:
    """The limits of an integer dtype.

    Attributes:
        bits: bits per number.
        max, min: the largest and the lowest number.
        dtype: the dtype's name.
    """

    def __init__(self, type: dtype) -> None:
        name = _name(type)
        if type.is_floating_point or type.is_complex or name == "bool":
            raise TypeError(f"iinfo() takes an integer dtype, not {type}; use finfo() for floats")
        self.bits = 8 * type.itemsize
        self.max = 2 ** (self.bits - 1) - 1 if type.is_signed else 2**self.bits - 1
        self.min = -self.max - 1 if type.is_signed else 0
        self.dtype = name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
