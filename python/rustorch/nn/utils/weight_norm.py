"""Weight normalisation by a hook: the form before nn.utils.parametrizations.weight_norm()."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, TypeVar

from rustorch._C import Tensor
from rustorch.nn.parameter import Parameter

if TYPE_CHECKING:
    from rustorch.nn.modules.module import Module

__all__ = ["WeightNorm", "remove_weight_norm", "weight_norm"]

M = TypeVar("M", bound="Module")


def norm_except_dim(v: Tensor, dim: int) -> Tensor:
    """The Euclidean norms over all dimensions but one, which keep their places; -1 is over all of them."""
    if dim == -1:
        return v.norm()
    others = [each for each in range(v.ndim) if each != dim % v.ndim]
    return v.norm(2, others, True) if others else v.abs()


def normalized(v: Tensor, g: Tensor, dim: int) -> Tensor:
    """The weight of direction v and length g."""
    return v * (g / norm_except_dim(v, dim))


class WeightNorm:
    """Is the hook that weight_norm() registers: it computes the weight before each call of the module."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Tensor:
        """The weight of the module's direction and length."""
        return normalized(getattr(module, f"{self.name}_v"), getattr(module, f"{self.name}_g"), self.dim)

    @staticmethod
    def apply(module: Module, name: str, dim: int | None) -> WeightNorm:
        """Registers the hook and puts length and direction in the parameter's place."""
        if any(isinstance(hook, WeightNorm) and hook.name == name for hook in module._forward_pre_hooks.values()):
            raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
        hook = WeightNorm(name, dim)
        weight = getattr(module, name)
        del module._parameters[name]
        module.register_parameter(f"{name}_g", Parameter(norm_except_dim(weight.detach(), hook.dim)))
        module.register_parameter(f"{name}_v", Parameter(weight.detach()))
        setattr(module, name, hook.compute_weight(module))
        module.register_forward_pre_hook(hook)
        return hook

    def remove(self, module: Module) -> None:
        """Makes the weight as it is a parameter again."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        del module._parameters[f"{self.name}_g"]
        del module._parameters[f"{self.name}_v"]
        setattr(module, self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Splits a module's weight into length and direction, which are learned instead (T. Salimans and D. Kingma, 2016).

    `weight = g · v / ‖v‖`, computed before each call; the parameters are `weight_g` and `weight_v`. It warns as
    PyTorch does that nn.utils.parametrizations.weight_norm() is its successor.

    Args:
        module: the module; it is returned.
        name: the name of the parameter. Default: 'weight'.
        dim: the dimension along which each index has a length of its own; None is one length for all. Default: 0.

    Raises:
        RuntimeError: where the parameter has weight normalisation already.

    Example:

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     layer = rustorch.nn.utils.weight_norm(rustorch.nn.Linear(20, 40))
    >>> layer.weight_g.shape, layer.weight_v.shape
    (rustorch.Size([40, 1]), rustorch.Size([40, 20]))
    """
    warnings.warn(
        "`rustorch.nn.utils.weight_norm` is deprecated in favor of `rustorch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Undoes weight_norm(): the weight as it is becomes a parameter again.

    Args:
        module: the module; it is returned.
        name: the name of the parameter. Default: 'weight'.

    Raises:
        ValueError: where there is no weight normalisation.

    Example:

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     layer = rustorch.nn.utils.weight_norm(rustorch.nn.Linear(20, 40))
    >>> list(rustorch.nn.utils.remove_weight_norm(layer).state_dict())
    ['bias', 'weight']
    """
    for handle, hook in module._forward_pre_hooks.items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[handle]
            return module
    raise ValueError(f"weight_norm of '{name}' not found in {module}")
