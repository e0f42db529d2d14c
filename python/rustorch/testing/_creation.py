"""Tensors of random values to test with."""

from __future__ import annotations

import math
from typing import Any

from rustorch import _C
from rustorch._C import Tensor

#: From where to where values go where nothing is said.
_DEFAULTS = {"bool": (0, 2), "uint8": (0, 10)}
_OTHERS = (-9, 9)
_INTEGERS = (-9, 10)


def make_tensor(
    *shape: Any,
    dtype: _C.dtype,
    device: _C.device | str,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: _C.memory_format | None = None,
) -> Tensor:
    """A tensor of random values, evenly spread from `low` up to and without `high`.

    Args:
        *shape: its sizes, as numbers or as one sequence.
        dtype: its dtype.
        device: where it is.
        low: the least value. Default: None, which is 0 for bool and uint8 and -9 for other dtypes.
        high: what values are less than. Default: None, which is 2 for bool, 9 for floating-point and complex dtypes,
            and 10 for integers.
        requires_grad: whether it is differentiated. Default: False.
        noncontiguous: whether its elements lie apart, every second in memory, unless it is one. Default: False.
        exclude_zero: whether values that are 0 become 1, or the least positive normal number. Default: False.
        memory_format: how it lies in memory, row by row where this is None. Default: None.

    ValueError where `low` is more than `high`, one is NaN, the dtype has no value between them, an integer tensor
    requires a gradient, or `noncontiguous` is combined with `memory_format`.

    Example:

    >>> from rustorch.testing import make_tensor
    >>> x = make_tensor(2, 3, dtype=rustorch.int64, device="cpu", low=5, high=6)
    >>> x
    tensor([[5, 5, 5],
            [5, 5, 5]])
    """
    sizes = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
    differentiable = dtype.is_floating_point or dtype.is_complex
    if requires_grad and not differentiable:
        raise ValueError(f"make_tensor(): requires_grad=True is not supported for integers and bool, but got {dtype}")
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "make_tensor(): noncontiguous and memory_format exclude each other, but got noncontiguous=True and "
            f"memory_format={memory_format}"
        )
    least, most = _bounds(low, high, dtype)
    if differentiable:
        real = dtype.to_real() if dtype.is_complex else dtype
        parts = _C.empty((*sizes, 2) if dtype.is_complex else sizes, dtype=real, device=device).uniform_(least, most)
        result = _C.view_as_complex(parts) if dtype.is_complex else parts
    else:
        result = _C.randint(math.ceil(least), math.ceil(most), sizes, dtype=dtype, device=device)
    if exclude_zero:
        result[result == 0] = _tiny(dtype)
    if noncontiguous and result.numel() > 1 and result.dim() > 0:
        result = result.repeat_interleave(2, dim=-1)[..., ::2]
    elif memory_format is not None:
        result = result.clone(memory_format=memory_format)
    return result.requires_grad_(requires_grad) if differentiable else result


def _tiny(dtype: _C.dtype) -> float:
    from rustorch._type_info import finfo

    if dtype.is_complex or dtype.is_floating_point:
        return finfo(dtype.to_real() if dtype.is_complex else dtype).tiny
    return 1


def _bounds(low: float | None, high: float | None, dtype: _C.dtype) -> tuple[float, float]:
    """From where to where values go, inside of what the dtype has."""
    from rustorch._type_info import finfo, iinfo

    inexact = dtype.is_floating_point or dtype.is_complex
    defaults = _DEFAULTS.get(str(dtype).rpartition(".")[2], _OTHERS if inexact else _INTEGERS)
    low = defaults[0] if low is None else low
    high = defaults[1] if high is None else high
    if math.isnan(low) or math.isnan(high):
        raise ValueError(f"make_tensor(): low and high cannot be NaN, but got low={low} and high={high}")
    if low > high or (low == high and not inexact):
        raise ValueError(f"make_tensor(): low must be less than high, but got low={low} and high={high}")
    if inexact:
        info = finfo(dtype.to_real() if dtype.is_complex else dtype)
        first, last = info.min, info.max
    elif dtype is _C.bool:
        first, last = 0, 2
    else:
        limits = iinfo(dtype)
        first, last = limits.min, limits.max + (dtype is not _C.int64)
    if low > last or high < first or (not inexact and (low >= last or high <= first)):
        raise ValueError(f"make_tensor(): {dtype} has no values from {low} to {high}, only from {first} to {last}")
    least, most = max(low, first), min(high, last)
    if not inexact and math.ceil(least) >= math.ceil(most):
        raise ValueError(f"make_tensor(): {dtype} has no values from {low} to {high}")
    return least, most
