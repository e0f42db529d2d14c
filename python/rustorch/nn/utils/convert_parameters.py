"""Parameters as one vector."""

from __future__ import annotations

from collections.abc import Iterable

from rustorch import _C
from rustorch._C import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters, one after the other."""
    return _C.cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Gives the parameters the elements of a vector: the reverse of parameters_to_vector()."""
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected rustorch.Tensor, but got: {type(vec).__name__}")
    start = 0
    for parameter in parameters:
        count = parameter.numel()
        parameter.data = vec[start : start + count].view(parameter.shape)
        start += count
