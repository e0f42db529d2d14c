"""Initial values: each function fills a tensor in place, without recording, and gives it back."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable as _Callable, Iterator as _Iterator
from contextlib import contextmanager as _contextmanager
from contextvars import ContextVar as _ContextVar
from functools import wraps as _wraps
from typing import ParamSpec as _ParamSpec

from rustorch import _C
from rustorch._C import Generator, Tensor
from rustorch._naming import named as _named
from rustorch.autograd.grad_mode import no_grad as _no_grad

from .parameter import is_lazy as _is_lazy

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]

_Arguments = _ParamSpec("_Arguments")


def _initializer(function: _Callable[_Arguments, Tensor]) -> _Callable[_Arguments, Tensor]:
    """As named(), and refuses tensors that have no shape yet."""
    fill = _named(function)

    @_wraps(function)
    def call(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Tensor:
        if _is_lazy(args[0] if args else kwargs.get("tensor")):
            raise ValueError(
                f"{function.__name__}(): Attempted to use an uninitialized parameter. A lazy module has to be called "
                "once before its parameters are filled"
            )
        if _skips.get():
            return args[0] if args else kwargs["tensor"]  # type: ignore[return-value]
        return fill(*args, **kwargs)

    return call


_skips = _ContextVar("skips", default=False)


@_contextmanager
def _skipped() -> _Iterator[None]:
    """Lets the functions of this module leave tensors as they are, in its block."""
    token = _skips.set(True)
    try:
        yield
    finally:
        _skips.reset(token)


@_initializer
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fills with numbers uniform over [a, b), in place.

    Args:
        tensor: what is filled and returned.
        a: the lower bound. Default: 0.0.
        b: the upper bound. Default: 1.0.
        generator: the source of random numbers; None is the default one. Default: None.

    Example:

    >>> rustorch.nn.init.uniform_(rustorch.empty(3, 5), 1.0, 2.0).min() >= 1
    tensor(True)
    """
    return _C._init_uniform(tensor, a, b, generator)


@_initializer
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fills with Gaussian numbers, in place.

    Args:
        tensor: what is filled and returned.
        mean: the mean. Default: 0.0.
        std: the standard deviation. Default: 1.0.
        generator: the source of random numbers; None is the default one. Default: None.

    Example:

    >>> rustorch.nn.init.normal_(rustorch.empty(3, 5), mean=2.0, std=0.0)[0]
    tensor([2., 2., 2., 2., 2.])
    """
    return _C._init_normal(tensor, mean, std, generator)


@_initializer
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Fills with Gaussian numbers on the condition that they are in [a, b], in place.

    Args:
        tensor: what is filled and returned.
        mean: the mean before the cut. Default: 0.0.
        std: the standard deviation before the cut. Default: 1.0.
        a: the smallest number; in the numbers' own units, not in standard deviations. Default: -2.0.
        b: the largest number. Default: 2.0.
        generator: the source of random numbers; None is the default one. Default: None.

    Example:

    >>> rustorch.nn.init.trunc_normal_(rustorch.empty(100), a=-0.5, b=0.5).abs().max() <= 0.5
    tensor(True)
    """
    return _C._init_trunc_normal(tensor, mean, std, a, b, generator)


@_initializer
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fills with one value, in place.

    Args:
        tensor: what is filled and returned.
        val: the value.

    Example:

    >>> rustorch.nn.init.constant_(rustorch.empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    return _C._init_constant(tensor, val)


@_initializer
def ones_(tensor: Tensor) -> Tensor:
    """Fills with ones, in place.

    Args:
        tensor: what is filled and returned.

    Example:

    >>> rustorch.nn.init.ones_(rustorch.empty(2))
    tensor([1., 1.])
    """
    return _C._init_constant(tensor, 1.0)


@_initializer
def zeros_(tensor: Tensor) -> Tensor:
    """Fills with zeros, in place.

    Args:
        tensor: what is filled and returned.

    Example:

    >>> rustorch.nn.init.zeros_(rustorch.empty(2))
    tensor([0., 0.])
    """
    return _C._init_constant(tensor, 0.0)


@_initializer
def eye_(tensor: Tensor) -> Tensor:
    """Fills with the identity matrix, in place: ones on the diagonal, zeros elsewhere.

    Args:
        tensor: what is filled and returned, of 2 dimensions; others are a ValueError.

    Example:

    >>> rustorch.nn.init.eye_(rustorch.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    return _C._init_eye(tensor)


@_initializer
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fills a convolution's weight so that it gives its input's channels as they are, in place.

    Output channel c of each group is its input channel c; output channels beyond the input's give 0.

    Args:
        tensor: what is filled and returned, of 3 to 5 dimensions; others are a ValueError.
        groups: the convolution's number of groups, which divides the first size. Default: 1.

    Example:

    >>> weight = rustorch.nn.init.dirac_(rustorch.empty(1, 1, 3))
    >>> weight
    tensor([[[0., 1., 0.]]])
    """
    return _C._init_dirac(tensor, groups)


@_initializer
def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fills with numbers uniform within ±gain · √(6 / (fan_in + fan_out)), in place (X. Glorot and Y. Bengio, 2010).

    The variance of a layer's outputs and gradients is then about that of its inputs. With R the product of the sizes
    after the first two, fan_in is R times the second size, fan_out R times the first.

    Args:
        tensor: what is filled and returned, of at least 2 dimensions.
        gain: a factor, as of calculate_gain(). Default: 1.0.
        generator: the source of random numbers; None is the default one. Default: None.

    Example:

    >>> rustorch.nn.init.xavier_uniform_(rustorch.empty(2, 4)).abs().max() <= 1
    tensor(True)
    """
    return _C._init_xavier(tensor, gain, True, generator)


@_initializer
def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fills with Gaussian numbers of deviation gain · √(2 / (fan_in + fan_out)), in place.

    X. Glorot and Y. Bengio, 2010; fan_in and fan_out are as for xavier_uniform_().

    Args:
        tensor: what is filled and returned, of at least 2 dimensions.
        gain: a factor, as of calculate_gain(). Default: 1.0.
        generator: the source of random numbers; None is the default one. Default: None.

    Example:

    >>> rustorch.nn.init.xavier_normal_(rustorch.empty(3, 5)).shape
    rustorch.Size([3, 5])
    """
    return _C._init_xavier(tensor, gain, False, generator)


@_initializer
def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fills with numbers uniform within ±gain · √(3 / fan), in place (K. He et al., 2015).

    The gain is calculate_gain(nonlinearity, a); fan_in and fan_out are as for xavier_uniform_().

    Args:
        tensor: what is filled and returned, of at least 2 dimensions.
        a: the slope of leaky_relu at negative numbers. Default: 0.
        mode: 'fan_in' keeps the variance of what goes forward, 'fan_out' that of the gradients. Default: 'fan_in'.
        nonlinearity: the function after the layer, a name that calculate_gain() knows. Default: 'leaky_relu'.
        generator: the source of random numbers; None is the default one. Default: None.

    Example:

    >>> rustorch.nn.init.kaiming_uniform_(rustorch.empty(2, 6), nonlinearity="relu").abs().max() <= 1
    tensor(True)
    """
    _warn_if_empty(tensor)
    return _C._init_kaiming(tensor, a, mode, nonlinearity, True, generator)


@_initializer
def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fills with Gaussian numbers of deviation gain / √fan, in place (K. He et al., 2015).

    The gain is calculate_gain(nonlinearity, a); fan_in and fan_out are as for xavier_uniform_().

    Args:
        tensor: what is filled and returned, of at least 2 dimensions.
        a: the slope of leaky_relu at negative numbers. Default: 0.
        mode: 'fan_in' keeps the variance of what goes forward, 'fan_out' that of the gradients. Default: 'fan_in'.
        nonlinearity: the function after the layer, a name that calculate_gain() knows. Default: 'leaky_relu'.
        generator: the source of random numbers; None is the default one. Default: None.

    Example:

    >>> rustorch.nn.init.kaiming_normal_(rustorch.empty(3, 5), mode="fan_out").shape
    rustorch.Size([3, 5])
    """
    _warn_if_empty(tensor)
    return _C._init_kaiming(tensor, a, mode, nonlinearity, False, generator)


def _warn_if_empty(tensor: Tensor) -> None:
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=5)


@_initializer
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fills with a random orthogonal matrix times a factor, in place (A. Saxe et al., 2013).

    Dimensions after the first count as columns. Where there are fewer rows than columns the rows are orthonormal, else
    the columns.

    Args:
        tensor: what is filled and returned, of at least 2 dimensions.
        gain: the factor. Default: 1.
        generator: the source of random numbers; None is the default one. Default: None.

    Example:

    >>> weight = rustorch.nn.init.orthogonal_(rustorch.empty(2, 3))
    >>> rustorch.allclose(weight @ weight.T, rustorch.eye(2), atol=1e-6)
    True
    """
    return _C._init_orthogonal(tensor, gain, generator)


@_initializer
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Fills with Gaussian numbers of mean 0, of which in each column a share is 0, in place (J. Martens, 2010).

    Args:
        tensor: what is filled and returned, of 2 dimensions; others are a ValueError.
        sparsity: the share of zeros in each column, rounded up to whole rows.
        std: the standard deviation of the others. Default: 0.01.
        generator: the source of random numbers; None is the default one. Default: None.

    Example:

    >>> (rustorch.nn.init.sparse_(rustorch.empty(10, 3), sparsity=0.25) == 0).sum(0)
    tensor([3, 3, 3])
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with _no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[_C.randperm(rows, generator=generator)[:zeros].to(tensor.device), column] = 0
    return tensor


def _former(function: _Callable[_Arguments, Tensor]) -> _Callable[_Arguments, Tensor]:
    """The function under the name that it had before, of which it warns."""
    name = function.__name__
    former = name.removesuffix("_")

    @_wraps(function)
    def call(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Tensor:
        warnings.warn(
            f"`nn.init.{former}` is now deprecated in favor of `nn.init.{name}`.", FutureWarning, stacklevel=2
        )
        return function(*args, **kwargs)

    call.__name__ = call.__qualname__ = former
    call.__doc__ = f"As {name}(), under the name that it had before, of which it warns."
    return call


constant = _former(constant_)
dirac = _former(dirac_)
eye = _former(eye_)
kaiming_normal = _former(kaiming_normal_)
kaiming_uniform = _former(kaiming_uniform_)
normal = _former(normal_)
orthogonal = _former(orthogonal_)
sparse = _former(sparse_)
uniform = _former(uniform_)
xavier_normal = _former(xavier_normal_)
xavier_uniform = _former(xavier_uniform_)


@_named
def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Gives the factor by which initial values should be larger for a nonlinearity after the layer.

    1 for 'linear', 'sigmoid' and the convolutions, 5/3 for 'tanh', √2 for 'relu', √(2 / (1 + param²)) for 'leaky_relu',
    3/4 for 'selu'.

    Args:
        nonlinearity: the function's name.
        param: the slope of leaky_relu; None is 0.01. Default: None.

    Example:

    >>> rustorch.nn.init.calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if param is not None and (isinstance(param, bool) or not isinstance(param, (int, float))):
        raise ValueError(f"negative_slope {param} not a valid number")
    return _C._calculate_gain(nonlinearity, param)


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many numbers of the input go into one of the output of a layer with this weight, and the reverse."""
    if tensor.dim() < 2:
        raise ValueError(
            f"_calculate_fan_in_and_fan_out(): expected a tensor of at least 2 dimensions, but got {tensor.dim()}"
        )
    outputs, inputs, *window = tensor.shape
    positions = 1
    for size in window:
        positions *= size
    return inputs * positions, outputs * positions


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    """One of both: that of `mode`, which is 'fan_in' or 'fan_out'."""
    modes = ("fan_in", "fan_out")
    if mode.lower() not in modes:
        raise ValueError(f"_calculate_correct_fan(): mode is one of {modes}, not {mode!r}")
    return _calculate_fan_in_and_fan_out(tensor)[modes.index(mode.lower())]
