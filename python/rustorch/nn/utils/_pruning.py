"""What pruning methods share: the mask beside a parameter, and several of them for one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from rustorch import _C
from rustorch._C import Tensor

if TYPE_CHECKING:
    from rustorch.nn.modules.module import Module


class BasePruningMethod(ABC):
    """Is the base of pruning methods: it keeps a mask beside a parameter, and multiplies by it before each call.

    `apply(module, name, …)` makes the parameter `name_orig`, registers the buffer `name_mask`, and leaves their product
    as the attribute `name`. A parameter that is pruned already is pruned further. A subclass has a compute_mask(), and
    a `PRUNING_TYPE`: 'unstructured' counts elements, 'structured' channels along `dim`, 'global' masks all at once.

    Example:

    >>> class EverySecond(rustorch.nn.utils.prune.BasePruningMethod):
    ...     PRUNING_TYPE = "unstructured"
    ...
    ...     def compute_mask(self, t, default_mask):
    ...         mask = default_mask.clone()
    ...         mask.view(-1)[::2] = 0
    ...         return mask
    >>> layer = rustorch.nn.Linear(2, 2)
    >>> hook = EverySecond.apply(layer, "weight")
    >>> layer.weight_mask
    tensor([[0., 1.],
            [0., 1.]])
    """

    # Where it is imported from, and where pickles look for it.
    __module__ = "rustorch.nn.utils.prune"

    PRUNING_TYPE: ClassVar[str]
    _tensor_name: str | None = None

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self._name, self.apply_mask(module))

    @property
    def _name(self) -> str:
        if self._tensor_name is None:
            raise RuntimeError(f"{type(self).__name__}: no parameter has been pruned; apply() does that")
        return self._tensor_name

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of a tensor: ones where it is kept, and zeros, at least where default_mask has them."""

    def apply_mask(self, module: Module) -> Tensor:
        """The parameter times its mask."""
        mask, original = getattr(module, f"{self._name}_mask"), getattr(module, f"{self._name}_orig")
        pruned: Tensor = mask.to(original.dtype) * original
        return pruned

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any
    ) -> BasePruningMethod:
        """Prunes a parameter of a module: `args` and `kwargs` make the method, whose hook is registered and given.

        Scores of the parameter's shape take its place where elements are compared.
        """
        hooks = module._forward_pre_hooks
        old = {k: hook for k, hook in hooks.items() if isinstance(hook, BasePruningMethod) and hook._name == name}
        method: BasePruningMethod = cls(*args, **kwargs)
        method._tensor_name = name
        original = getattr(module, name)
        check_scores(importance_scores, original, name)
        scores = original if importance_scores is None else importance_scores
        if old:
            (known,) = old.values()
            container = known if isinstance(known, PruningContainer) else PruningContainer(known)
            container.add_pruning_method(method)
            method = container
            default_mask = getattr(module, f"{name}_mask").detach().clone()
        else:
            default_mask = _C.ones_like(original)
        mask = method.compute_mask(scores, default_mask=default_mask)
        for handle in old:
            del hooks[handle]
        if not old:
            module.register_parameter(f"{name}_orig", original)
            del module._parameters[name]
        module.register_buffer(f"{name}_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None) -> Tensor:
        """A tensor times the mask that this method gives it, or that it gives the scores; no module is concerned."""
        check_scores(importance_scores, t, "t")
        scores = t if importance_scores is None else importance_scores
        return t * self.compute_mask(scores, default_mask=_C.ones_like(t) if default_mask is None else default_mask)

    def remove(self, module: Module) -> None:
        """Makes the pruned values the parameter's for good, without a mask; the hook is not taken off."""
        name, weight = self._name, self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters.pop(f"{name}_orig")
        if original is not None:
            original.data = weight.detach()
        del module._buffers[f"{name}_mask"]
        setattr(module, name, original)


def check_scores(scores: Tensor | None, t: Tensor, name: str) -> None:
    if scores is not None and scores.shape != t.shape:
        raise ValueError(
            f"importance_scores should have the same shape as {name}, got {list(scores.shape)} vs {list(t.shape)}"
        )


class PruningContainer(BasePruningMethod):
    """Holds the pruning methods of one parameter; each new one prunes what those before it have left.

    Args:
        *args: pruning methods of the same parameter.

    Example:

    >>> prune = rustorch.nn.utils.prune
    >>> layer = rustorch.nn.Linear(10, 1)
    >>> first = prune.l1_unstructured(layer, "weight", amount=5)
    >>> both = prune.L1Unstructured.apply(layer, "weight", amount=2)
    >>> len(both), int(layer.weight_mask.sum())
    (2, 3)
    """

    # Where it is imported from, and where pickles look for it.
    __module__ = "rustorch.nn.utils.prune"

    PRUNING_TYPE = "container"

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        if args:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod) -> None:
        """Adds a method of the same parameter."""
        if not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method._tensor_name != self._tensor_name:
            raise ValueError(
                f"Can only add pruning methods acting on the parameter named '{self._tensor_name}' to PruningContainer "
                f"{self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: int) -> BasePruningMethod:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The default mask with what the last method takes of the part that is left."""
        method = self._pruning_methods[-1]
        left: Any
        if method.PRUNING_TYPE == "unstructured":
            left = default_mask == 1
        elif method.PRUNING_TYPE == "structured":
            if not hasattr(method, "dim"):
                raise AttributeError(
                    'Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.'
                )
            check_dim(t, method.dim)
            dim = method.dim % t.ndim
            channels = default_mask.sum([each for each in range(t.ndim) if each != dim]) != 0
            left = (*[slice(None)] * dim, channels)
        elif method.PRUNING_TYPE == "global":
            left = ...
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        mask = default_mask.to(t.dtype, copy=True)
        mask[left] = method.compute_mask(t[left], default_mask=default_mask[left]).to(t.dtype)
        return mask


def check_dim(t: Tensor, dim: int) -> None:
    if not -t.ndim <= dim < t.ndim:
        raise IndexError(f"Invalid index {dim} for tensor of size {list(t.shape)}")
