"""Dropout."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from rustorch import _C
from rustorch._C import Tensor
from rustorch._naming import named

from ._documented import documented_as

_Drop = Callable[[Tensor, float, bool], Tensor]


def _check(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _unbatched(drop: _Drop, input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    """Drops channels of (C, *)."""
    result = drop(input.unsqueeze(0), p, training)
    return input if inplace else result.squeeze(0)


@documented_as(_C.dropout)
def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    _check(p)
    return (_C.dropout_ if inplace else _C.dropout)(input, p, training)


@named
@documented_as(_C.alpha_dropout)
def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    _check(p)
    return (_C.alpha_dropout_ if inplace else _C.alpha_dropout)(input, p, training)


@named
@documented_as(_C.feature_alpha_dropout)
def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    _check(p)
    return (_C.feature_alpha_dropout_ if inplace else _C.feature_alpha_dropout)(input, p, training)


@named
def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zeroes whole channels with probability `p` in training, and scales the rest by 1 / (1 - p).

    Args:
        input: (N, C, L) or (C, L); other numbers of dimensions are a RuntimeError.
        p: the probability with which a channel is dropped. Default: 0.5.
        training: whether anything is dropped. Default: True.
        inplace: whether the input is changed. Default: False.

    Example:

    >>> rustorch.nn.functional.dropout1d(rustorch.ones(1, 2, 3), p=0.5, training=False)
    tensor([[[1., 1., 1.],
             [1., 1., 1.]]])
    """
    _check(p)
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input. "
            "Note that dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, "
            "a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs)."
        )
    drop = _C.feature_dropout_ if inplace else _C.feature_dropout
    return drop(input, p, training) if input.ndim == 3 else _unbatched(drop, input, p, training, inplace)


@named
def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zeroes whole channels with probability `p` in training, and scales the rest by 1 / (1 - p).

    Args:
        input: (N, C, H, W). An input (N, C, L) is taken as such, with a warning; other numbers of dimensions warn too.
        p: the probability with which a channel is dropped. Default: 0.5.
        training: whether anything is dropped. Default: True.
        inplace: whether the input is changed. Default: False.

    Example:

    >>> rustorch.nn.functional.dropout2d(rustorch.ones(2, 3, 4, 4)).shape
    rustorch.Size([2, 3, 4, 4])
    """
    _check(p)
    if input.ndim not in (3, 4):
        _warn_of_dimensions("dropout2d", input.ndim, 2)
    if input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3-D input, which is taken as (N, C, L): whole rows are dropped. A future release "
            "will take it as (C, H, W), without a batch dimension; use dropout1d to keep what happens now.",
            stacklevel=3,
        )
    return (_C.feature_dropout_ if inplace else _C.feature_dropout)(input, p, training)


@named
def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zeroes whole channels with probability `p` in training, and scales the rest by 1 / (1 - p).

    Args:
        input: (N, C, D, H, W) or (C, D, H, W); other numbers of dimensions warn.
        p: the probability with which a channel is dropped. Default: 0.5.
        training: whether anything is dropped. Default: True.
        inplace: whether the input is changed. Default: False.

    Example:

    >>> rustorch.nn.functional.dropout3d(rustorch.ones(2, 3, 4, 4, 4)).shape
    rustorch.Size([2, 3, 4, 4, 4])
    """
    _check(p)
    if input.ndim not in (4, 5):
        _warn_of_dimensions("dropout3d", input.ndim, 3)
    drop = _C.feature_dropout_ if inplace else _C.feature_dropout
    return _unbatched(drop, input, p, training, inplace) if input.ndim == 4 else drop(input, p, training)


def _warn_of_dimensions(name: str, ndim: int, spatial: int) -> None:
    warnings.warn(
        f"{name}: Received a {ndim}-D input to {name}, which is deprecated and will be an error in a future release. "
        f"{name} drops channels of inputs with {spatial} spatial dimensions, a channel dimension and perhaps a batch "
        "dimension; use dropout for others.",
        stacklevel=4,
    )
