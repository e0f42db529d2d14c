"""Parameters as one vector."""

from __future__ import annotations

from collections.abc import Iterable

from rustorch import _C
from rustorch._C import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Gives the elements of all parameters, one after the other.

    Args:
        parameters: the tensors.

    Example:

    >>> rustorch.nn.utils.parameters_to_vector([rustorch.ones(2), rustorch.zeros(1, 2)])
    tensor([1., 1., 0., 0.])
    """
    return _C.cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Gives parameters the elements of a vector: the reverse of parameters_to_vector().

    Args:
        vec: the vector.
        parameters: the tensors, whose .data become views of it.

    Example:

    >>> p = rustorch.nn.Parameter(rustorch.zeros(1, 2))
    >>> rustorch.nn.utils.vector_to_parameters(rustorch.tensor([1.0, 2.0]), [p])
    >>> p.detach()
    tensor([[1., 2.]])
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected rustorch.Tensor, but got: {type(vec).__name__}")
    start = 0
    for parameter in parameters:
        count = parameter.numel()
        parameter.data = vec[start : start + count].view(parameter.shape)
        start += count
