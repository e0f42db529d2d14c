"""Spectral normalisation by a hook: the form before nn.utils.parametrizations.spectral_norm()."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from rustorch import _C
from rustorch._C import Tensor
from rustorch.autograd.grad_mode import no_grad
from rustorch.nn import functional as F
from rustorch.nn.parameter import Parameter

if TYPE_CHECKING:
    from rustorch.nn.modules.module import Module

__all__ = [
    "SpectralNorm",
    "SpectralNormLoadStateDictPreHook",
    "SpectralNormStateDictHook",
    "remove_spectral_norm",
    "spectral_norm",
]

M = TypeVar("M", bound="Module")


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """The weight with one dimension as rows, and all others as columns."""
    return weight.movedim(dim, 0).flatten(1)


def default_dim(module: Module) -> int:
    """The dimension of a module's weight that counts its outputs."""
    from rustorch.nn.modules.conv import _ConvTransposeNd

    return 1 if isinstance(module, _ConvTransposeNd) else 0


class SpectralNorm:
    """Is the hook that spectral_norm() registers: it computes the weight before each call of the module."""

    _version = 1

    def __init__(self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.name = name
        self.dim = dim
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def reshape_weight_to_matrix(self, weight: Tensor) -> Tensor:
        """The weight with `dim` as rows, and all others as columns."""
        return as_matrix(weight, self.dim)

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        """The weight divided by its largest singular value, of which power iterations better the estimate."""
        weight, u, v = (getattr(module, self.name + suffix) for suffix in ("_orig", "_u", "_v"))
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(F.normalize(matrix.mT.mv(u), dim=0, eps=self.eps))
                    u.copy_(F.normalize(matrix.mv(v), dim=0, eps=self.eps))
            # The next call writes into the buffers, and this one's gradient still wants them.
            u, v = u.clone(), v.clone()
        normalized: Tensor = weight / u.dot(matrix.mv(v))
        return normalized

    def remove(self, module: Module) -> None:
        """Makes the weight as it is a parameter again."""
        with no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for suffix in ("", "_u", "_v", "_orig"):
            delattr(module, self.name + suffix)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))

    def _solve_v_and_rescale(self, matrix: Tensor, u: Tensor, sigma: Tensor) -> Tensor:
        """The v for which `u = normalize(W v)`, of the length that makes `uᵀ W v` the singular value."""
        v: Tensor = _C.linalg_pinv(matrix.mT @ matrix) @ (matrix.mT @ u)
        return v * (sigma / u.dot(matrix.mv(v)))

    @staticmethod
    def apply(module: Module, name: str, n_power_iterations: int, dim: int, eps: float) -> SpectralNorm:
        """Registers the hooks and puts the buffers and the parameter's new name in its place."""
        if any(isinstance(hook, SpectralNorm) and hook.name == name for hook in module._forward_pre_hooks.values()):
            raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
        hook = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        with no_grad():
            rows, columns = hook.reshape_weight_to_matrix(weight).shape
            u = F.normalize(weight.new_empty(rows).normal_(0, 1), dim=0, eps=eps)
            v = F.normalize(weight.new_empty(columns).normal_(0, 1), dim=0, eps=eps)
        delattr(module, name)
        module.register_parameter(f"{name}_orig", weight)
        setattr(module, name, weight.detach())
        module.register_buffer(f"{name}_u", u)
        module.register_buffer(f"{name}_v", v)
        module.register_forward_pre_hook(hook)
        module._register_state_dict_hook(SpectralNormStateDictHook(hook))
        module._register_load_state_dict_pre_hook(SpectralNormLoadStateDictPreHook(hook))
        return hook


class SpectralNormStateDictHook:
    """Notes in the metadata of a state in which form spectral_norm() is saved there."""

    def __init__(self, fn: SpectralNorm) -> None:
        self.fn = fn

    def __call__(self, module: Module, state_dict: Any, prefix: str, local_metadata: dict[str, Any]) -> None:
        noted = local_metadata.setdefault("spectral_norm", {})
        key = f"{self.fn.name}.version"
        if key in noted:
            raise RuntimeError(f"Unexpected key in metadata['spectral_norm']: {key}")
        noted[key] = self.fn._version


class SpectralNormLoadStateDictPreHook:
    """Brings states of before version 1, which hold the weight instead of v, into today's form."""

    def __init__(self, fn: SpectralNorm) -> None:
        self.fn = fn

    def __call__(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        fn, key = self.fn, prefix + self.fn.name
        version = local_metadata.get("spectral_norm", {}).get(f"{fn.name}.version")
        if version is not None and version >= 1:
            return
        # A state without metadata is taken for today's where it looks so.
        if version is None and key not in state_dict and all(key + end in state_dict for end in ("_orig", "_u", "_v")):
            return
        missing = [key + end for end in ("_orig", "", "_u") if key + end not in state_dict]
        if missing:
            missing_keys.extend(missing if strict else [])
            return
        with no_grad():
            original, u = state_dict[f"{key}_orig"], state_dict[f"{key}_u"]
            sigma = (original / state_dict.pop(key)).mean()
            state_dict[f"{key}_v"] = fn._solve_v_and_rescale(fn.reshape_weight_to_matrix(original), u, sigma)


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Divides a module's weight by its largest singular value before each call (T. Miyato et al., 2018).

    `weight = W / (uᵀ W v)`, where power iterations in train() bring u and v near the singular vectors. The parameter is
    `weight_orig`; `weight_u` and `weight_v` are buffers. nn.utils.parametrizations.spectral_norm() is its successor.

    Args:
        module: the module; it is returned.
        name: the name of the parameter. Default: 'weight'.
        n_power_iterations: how many power iterations there are before each call in train(). Default: 1.
        eps: the least length by which u and v are divided. Default: 1e-12.
        dim: the dimension that is the matrix's rows, all others are its columns; None is that of the outputs, 1 for
            transposed convolutions and else 0. Default: None.

    Raises:
        RuntimeError: where the parameter has spectral normalisation already.
        ValueError: where n_power_iterations is not positive, or the parameter is None.

    Example:

    >>> layer = rustorch.nn.utils.spectral_norm(rustorch.nn.Linear(20, 40))
    >>> list(layer.state_dict())
    ['bias', 'weight_orig', 'weight_u', 'weight_v']
    """
    SpectralNorm.apply(module, name, n_power_iterations, default_dim(module) if dim is None else dim, eps)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Undoes spectral_norm(): the weight as it is becomes a parameter again.

    Args:
        module: the module; it is returned.
        name: the name of the parameter. Default: 'weight'.

    Raises:
        ValueError: where there is no spectral normalisation.

    Example:

    >>> layer = rustorch.nn.utils.spectral_norm(rustorch.nn.Linear(20, 40))
    >>> list(rustorch.nn.utils.remove_spectral_norm(layer).state_dict())
    ['bias', 'weight']
    """
    hooks = [hook for hook in module._forward_pre_hooks.values() if isinstance(hook, SpectralNorm)]
    found = next((hook for hook in hooks if hook.name == name), None)
    if found is None:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    found.remove(module)
    for registry in (module._forward_pre_hooks, module._state_dict_hooks, module._load_state_dict_pre_hooks):
        for handle, hook in list(registry.items()):
            # Hooks of a loading state are wrapped where they are registered.
            inner = getattr(hook, "hook", hook)
            if inner is found or getattr(inner, "fn", None) is found:
                del registry[handle]
    return module
