"""Activation functions."""

from __future__ import annotations

import warnings

from rustorch import _C
from rustorch._C import Tensor
from rustorch._naming import named
from rustorch.nn import _functional_ops as _ops

from ._documented import documented_as


@documented_as(_C.relu)
def relu(input: Tensor, inplace: bool = False) -> Tensor:
    return input.relu_() if inplace else input.relu()


def relu_(input: Tensor) -> Tensor:
    """Computes max(x, 0) in place.

    Args:
        input: the tensor, which is changed and returned.

    Example:

    >>> rustorch.nn.functional.relu_(rustorch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return input.relu_()


@named
@documented_as(_ops.relu6)
def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    return _ops.relu6_(input) if inplace else _ops.relu6(input)


@named
@documented_as(_ops.elu)
def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    return _ops.elu_(input, alpha) if inplace else _ops.elu(input, alpha)


@named
@documented_as(_C.selu)
def selu(input: Tensor, inplace: bool = False) -> Tensor:
    return _C.selu_(input) if inplace else _C.selu(input)


@named
@documented_as(_C.celu)
def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    return _C.celu_(input, alpha) if inplace else _C.celu(input, alpha)


@documented_as(_ops.leaky_relu)
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    return _ops.leaky_relu_(input, negative_slope) if inplace else _ops.leaky_relu(input, negative_slope)


@documented_as(_ops.silu)
def silu(input: Tensor, inplace: bool = False) -> Tensor:
    return _ops.silu_(input) if inplace else _ops.silu(input)


@named
@documented_as(_ops.mish)
def mish(input: Tensor, inplace: bool = False) -> Tensor:
    return _ops.mish_(input) if inplace else _ops.mish(input)


@named
@documented_as(_ops.hardswish)
def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    return _ops.hardswish_(input) if inplace else _ops.hardswish(input)


@named
@documented_as(_ops.hardsigmoid)
def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    return _ops.hardsigmoid_(input) if inplace else _ops.hardsigmoid(input)


@named
@documented_as(_ops.hardtanh)
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val {min_val} is greater than max_val {max_val}")
    return _ops.hardtanh_(input, min_val, max_val) if inplace else _ops.hardtanh(input, min_val, max_val)


@named
@documented_as(_C.threshold)
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    return _C.threshold_(input, threshold, value) if inplace else _C.threshold(input, threshold, value)


@named
@documented_as(_C.rrelu)
def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    return (_C.rrelu_ if inplace else _C.rrelu)(input, lower, upper, training)


_DIM = "the dimension along which the results add up to 1; None chooses one, with a warning."
_DTYPE = "the dtype to which the input is converted before; None keeps its own."


def _implicit_dim(name: str, ndim: int, stacklevel: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


@documented_as(_C.softmax, dim=_DIM, dtype=_DTYPE)
def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: _C.dtype | None = None) -> Tensor:
    if dim is None:
        dim = _implicit_dim("softmax", input.ndim, _stacklevel)
    return _C.softmax(input, dim, dtype)


@documented_as(_C.log_softmax, dim=_DIM, dtype=_DTYPE)
def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: _C.dtype | None = None) -> Tensor:
    if dim is None:
        dim = _implicit_dim("log_softmax", input.ndim, _stacklevel)
    return _C.log_softmax(input, dim, dtype)


@documented_as(_ops.softmin, dim=_DIM, dtype=_DTYPE)
def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: _C.dtype | None = None) -> Tensor:
    if dim is None:
        dim = _implicit_dim("softmin", input.ndim, _stacklevel)
    return _ops.softmin(input, dim, dtype)
