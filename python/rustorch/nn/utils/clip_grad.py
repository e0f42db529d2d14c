"""Limits on gradients."""

from __future__ import annotations

from collections.abc import Iterable

from rustorch import _C
from rustorch._C import Tensor
from rustorch.autograd.grad_mode import no_grad


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    listed = [parameters] if isinstance(parameters, Tensor) else parameters
    return [parameter.grad for parameter in listed if parameter.grad is not None]


def get_total_norm(tensors: Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False) -> Tensor:
    """Gives the norm of all tensors together, as if they were one vector.

    Args:
        tensors: the tensors.
        norm_type: the p of the norm. Default: 2.0.
        error_if_nonfinite: whether a nan or infinite norm is a RuntimeError. Default: False.

    Example:

    >>> rustorch.nn.utils.get_total_norm([rustorch.tensor([3.0]), rustorch.tensor([4.0])])
    tensor(5.)
    """
    with no_grad():
        norms = [tensor.norm(norm_type) for tensor in tensors]
        total = _C.stack(norms).norm(norm_type) if norms else _C.zeros(())
    if error_if_nonfinite and not total.isfinite().item():
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return total


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scales gradients in place so that their norm, as one vector, is at most `max_norm`; gives the norm before.

    Args:
        parameters: the tensors, or one, whose .grad is scaled; those without one do not count.
        max_norm: the largest norm.
        norm_type: the p of the norm. Default: 2.0.
        error_if_nonfinite: whether a nan or infinite norm is a RuntimeError. Default: False.
        foreach: taken and without effect. Default: None.

    Example:

    >>> p = rustorch.nn.Parameter(rustorch.zeros(2))
    >>> p.grad = rustorch.tensor([3.0, 4.0])
    >>> rustorch.nn.utils.clip_grad_norm_([p], max_norm=1.0)
    tensor(5.)
    >>> p.grad
    tensor([0.6000, 0.8000])
    """
    gradients = _gradients(parameters)
    total = get_total_norm(gradients, float(norm_type), error_if_nonfinite)
    with no_grad():
        factor = (max_norm / (total + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(factor.to(gradient.dtype))
    return total


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Limits each element of gradients to [-clip_value, clip_value], in place.

    Args:
        parameters: the tensors, or one, whose .grad is limited.
        clip_value: the largest magnitude.
        foreach: taken and without effect. Default: None.

    Example:

    >>> p = rustorch.nn.Parameter(rustorch.zeros(2))
    >>> p.grad = rustorch.tensor([3.0, -0.5])
    >>> rustorch.nn.utils.clip_grad_value_([p], 1.0)
    >>> p.grad
    tensor([ 1.0000, -0.5000])
    """
    with no_grad():
        for gradient in _gradients(parameters):
            gradient.clamp_(min=-float(clip_value), max=float(clip_value))
