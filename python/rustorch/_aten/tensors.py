"""Methods of Tensor that are functions, too, and what is a line of other ops."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from rustorch import _C
from rustorch._C import Tensor
from rustorch._naming import named


@named
def detach_(input: Tensor) -> Tensor:
    """Cuts a tensor off from what it was computed from, in place.

    Args:
        input: the tensor, which is changed and returned.

    Example:

    >>> x = rustorch.ones(2, requires_grad=True) * 2
    >>> rustorch.detach_(x).requires_grad
    False
    """
    return input.detach_()


@named
def as_strided_(input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> Tensor:
    """Lets a tensor show its storage with other sizes and strides.

    Args:
        input: the tensor, which is changed and returned.
        size, stride: the sizes and the strides, in elements.
        storage_offset: where the first element lies; None keeps the tensor's. Default: None.

    Example:

    >>> rustorch.as_strided_(rustorch.arange(4), (2, 2), (1, 2))
    tensor([[0, 2],
            [1, 3]])
    """
    return input.as_strided_(size, stride, storage_offset)


@named
def resize_as_(input: Tensor, the_template: Tensor, *, memory_format: _C.memory_format | None = None) -> Tensor:
    """Gives a tensor the shape of another, in place; what is new in it is unspecified.

    Args:
        input: the tensor, which is changed and returned.
        the_template: the tensor whose shape it gets.
        memory_format: None or contiguous_format, which are the same. Default: None.

    Example:

    >>> rustorch.resize_as_(rustorch.ones(4), rustorch.zeros(2, 2))
    tensor([[1., 1.],
            [1., 1.]])
    """
    return input.resize_as_(the_template, memory_format=memory_format)


@named
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape.

    Args:
        input, other: the tensors.

    Example:

    >>> rustorch.is_same_size(rustorch.ones(2, 3), rustorch.zeros(2, 3))
    True
    """
    return input.is_same_size(other)


@named
def range(
    start: float,
    end: float,
    step: float = 1,
    *,
    dtype: _C.dtype | None = None,
    device: _C.device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Gives the numbers from `start` to `end`, which is included where a step ends there. Deprecated: use arange().

    Args:
        start: the first number.
        end: the bound.
        step: the distance of neighbours, which is not 0 and leads from start to end; else a ValueError. Default: 1.
        dtype: the result's dtype; None is the default dtype, even for integers. Default: None.
        device: the result's device; None is the default device. Default: None.
        requires_grad: whether gradients are recorded. Default: False.

    Warns:
        UserWarning: always.

    Example:

    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     rustorch.range(1, 4)
    tensor([1., 2., 3., 4.])
    """
    warnings.warn(
        "rustorch.range is deprecated, since it includes its end as Python's range does not; use rustorch.arange, "
        "which gives the numbers in [start, end)",
        stacklevel=3,
    )
    dtype = _C.get_default_dtype() if dtype is None else dtype
    integers = not (dtype.is_floating_point or dtype.is_complex)
    if integers:
        # As PyTorch: the ends and the step are truncated first.
        start, end, step = int(start), int(end), int(step)
    if step == 0:
        raise ValueError("step must be nonzero")
    if (end - start) * step < 0:
        raise ValueError(
            f"upper bound and lower bound inconsistent with step sign: start {start}, end {end}, step {step}"
        )
    # An end for arange() of which no rounding makes one element more or less.
    if integers:
        beyond = start + (end - start) // step * step + (1 if step > 0 else -1)
    else:
        beyond = start + step * (int((end - start) / step + 1) - 0.5)
    return _C.arange(start, beyond, step, dtype=dtype, device=device, requires_grad=requires_grad)
