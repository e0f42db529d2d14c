"""Initial values: each function fills a tensor in place, without recording, and gives it back."""

from __future__ import annotations

import warnings

from rustorch import _C
from rustorch._C import Generator, Tensor
from rustorch._naming import named as _named

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]


@_named
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform numbers from [a, b)."""
    return _C._init_uniform(tensor, a, b, generator)


@_named
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Gaussian numbers."""
    return _C._init_normal(tensor, mean, std, generator)


@_named
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Gaussian numbers between a and b."""
    return _C._init_trunc_normal(tensor, mean, std, a, b, generator)


@_named
def constant_(tensor: Tensor, val: float) -> Tensor:
    """One value everywhere."""
    return _C._init_constant(tensor, val)


@_named
def ones_(tensor: Tensor) -> Tensor:
    """Ones."""
    return _C._init_constant(tensor, 1.0)


@_named
def zeros_(tensor: Tensor) -> Tensor:
    """Zeros."""
    return _C._init_constant(tensor, 0.0)


@_named
def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix, in a tensor of 2 dimensions."""
    return _C._init_eye(tensor)


@_named
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """The identity among convolutions, in a weight of 3 to 5 dimensions."""
    return _C._init_dirac(tensor, groups)


@_named
def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform within ±gain · √(6 / (fan_in + fan_out))."""
    return _C._init_xavier(tensor, gain, True, generator)


@_named
def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Gaussian of standard deviation gain · √(2 / (fan_in + fan_out))."""
    return _C._init_xavier(tensor, gain, False, generator)


@_named
def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform within ±gain · √(3 / fan), where `a` is the slope of leaky_relu and `mode` chooses the fan."""
    _warn_if_empty(tensor)
    return _C._init_kaiming(tensor, a, mode, nonlinearity, True, generator)


@_named
def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Gaussian of standard deviation gain / √fan, where `a` is the slope of leaky_relu and `mode` chooses the fan."""
    _warn_if_empty(tensor)
    return _C._init_kaiming(tensor, a, mode, nonlinearity, False, generator)


def _warn_if_empty(tensor: Tensor) -> None:
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=4)


@_named
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """A random (semi-)orthogonal matrix times `gain`; dimensions after the first count as columns."""
    return _C._init_orthogonal(tensor, gain, generator)


@_named
def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The gain that a nonlinearity asks for; `param` is the slope of leaky_relu."""
    if param is not None and (isinstance(param, bool) or not isinstance(param, (int, float))):
        raise ValueError(f"negative_slope {param} not a valid number")
    return _C._calculate_gain(nonlinearity, param)
