"""Limits on gradients."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from rustorch import _C
from rustorch._C import Tensor
from rustorch.autograd.grad_mode import no_grad


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    listed = [parameters] if isinstance(parameters, Tensor) else parameters
    return [parameter.grad for parameter in listed if parameter.grad is not None]


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Gives the norm of all tensors together, as if they were one vector.

    Args:
        tensors: the tensors, or one.
        norm_type: the p of the norm. Default: 2.0.
        error_if_nonfinite: whether a nan or infinite norm is a RuntimeError. Default: False.
        foreach: taken and without effect. Default: None.

    Example:

    >>> rustorch.nn.utils.get_total_norm([rustorch.tensor([3.0]), rustorch.tensor([4.0])])
    tensor(5.)
    """
    with no_grad():
        norms = [tensor.norm(norm_type) for tensor in ([tensors] if isinstance(tensors, Tensor) else tensors)]
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
    listed = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    total = get_total_norm(_gradients(listed), float(norm_type), error_if_nonfinite)
    clip_grads_with_norm_(listed, max_norm, total)
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scales gradients in place by `max_norm / (total_norm + 1e-6)`, where that is below 1.

    Args:
        parameters: the tensors, or one, whose .grad is scaled.
        max_norm: the largest norm.
        total_norm: the norm that the gradients have, as get_total_norm() gives it.
        foreach: taken and without effect. Default: None.

    Example:

    >>> p = rustorch.nn.Parameter(rustorch.zeros(2))
    >>> p.grad = rustorch.tensor([3.0, 4.0])
    >>> rustorch.nn.utils.clip_grads_with_norm_(p, max_norm=1.0, total_norm=rustorch.tensor(10.0))
    >>> p.grad
    tensor([0.3000, 0.4000])
    """
    with no_grad():
        factor = (max_norm / (total_norm + 1e-6)).clamp(max=1.0)
        for gradient in _gradients(parameters):
            gradient.mul_(factor.to(gradient.dtype))


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """As clip_grad_norm_(), under the name that it had before, of which it warns.

    Args:
        parameters: the tensors, or one, whose .grad is scaled; those without one do not count.
        max_norm: the largest norm.
        norm_type: the p of the norm. Default: 2.0.
        error_if_nonfinite: whether a nan or infinite norm is a RuntimeError. Default: False.
        foreach: taken and without effect. Default: None.

    Example:

    >>> import warnings
    >>> p = rustorch.nn.Parameter(rustorch.zeros(2))
    >>> p.grad = rustorch.tensor([3.0, 4.0])
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     rustorch.nn.utils.clip_grad_norm([p], max_norm=1.0)
    tensor(5.)
    """
    warnings.warn(
        "`rustorch.nn.utils.clip_grad_norm` is now deprecated in favor of `rustorch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


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
