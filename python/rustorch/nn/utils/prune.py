"""Pruning: masks that set a part of a module's parameters to zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeVar

from rustorch import _C
from rustorch._C import Tensor

from ._pruning import BasePruningMethod, PruningContainer, check_dim, check_scores
from .convert_parameters import parameters_to_vector

if TYPE_CHECKING:
    from rustorch.nn.modules.module import Module

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]

M = TypeVar("M", bound="Module")


class Identity(BasePruningMethod):
    """Prunes nothing: the parameter gets the mask of a pruned one, with ones.

    Example:

    >>> layer = rustorch.nn.utils.prune.identity(rustorch.nn.Linear(2, 1), "bias")
    >>> layer.bias_mask
    tensor([1.])
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The default mask."""
        return default_mask


class _ByAmount(BasePruningMethod):
    """A method that prunes a number or a share of elements or channels."""

    amount: float

    def __init__(self, amount: float) -> None:
        if not isinstance(amount, Real):
            raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
        if amount < 0 or (not isinstance(amount, Integral) and amount > 1.0):
            raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")
        self.amount = amount

    def _count(self, size: int) -> int:
        """How many of `size` are pruned."""
        count = int(self.amount) if isinstance(self.amount, Integral) else round(self.amount * size)
        if count > size:
            raise ValueError(f"amount={count} should be smaller than the number of parameters to prune={size}")
        return count


class RandomUnstructured(_ByAmount):
    """Prunes elements at random.

    Args:
        amount: how many elements if it is an integer, else which share of them.

    Raises:
        ValueError: where amount is negative, a share above 1, or more than there are elements.

    Example:

    >>> layer = rustorch.nn.utils.prune.random_unstructured(rustorch.nn.Linear(10, 2), "weight", amount=0.3)
    >>> int(layer.weight_mask.sum())
    14
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The default mask with zeros at random places."""
        return _without_smallest(_C.rand(t.shape, device=t.device), self._count(t.numel()), default_mask)


def _without_smallest(scores: Tensor, count: int, default_mask: Tensor) -> Tensor:
    mask = default_mask.clone(memory_format=_C.contiguous_format)
    if count:
        mask.view(-1)[scores.detach().flatten().topk(count, largest=False).indices] = 0
    return mask


class L1Unstructured(_ByAmount):
    """Prunes the elements with the smallest magnitudes.

    Args:
        amount: how many elements if it is an integer, else which share of them.

    Raises:
        ValueError: where amount is negative, a share above 1, or more than there are elements.

    Example:

    >>> method = rustorch.nn.utils.prune.L1Unstructured(amount=2)
    >>> method.prune(rustorch.tensor([3.0, -1.0, 2.0, -4.0]))
    tensor([ 3., -0.,  0., -4.])
    """

    PRUNING_TYPE = "unstructured"

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Module, name: str, amount: float, importance_scores: Tensor | None = None
    ) -> BasePruningMethod:
        """Prunes a parameter of a module; scores of its shape take its place where magnitudes are compared."""
        return super().apply(module, name, amount, importance_scores=importance_scores)

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The default mask with zeros at the smallest magnitudes."""
        return _without_smallest(t.abs(), self._count(t.numel()), default_mask)


class _Structured(_ByAmount):
    """A method that prunes channels: what has the same index along a dimension."""

    PRUNING_TYPE = "structured"

    dim: int

    def _scores(self, t: Tensor) -> Tensor:
        """A number for each channel; those with the smallest are pruned."""
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The default mask with zeros in the channels of the smallest scores."""
        if t.ndim <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
                f"{list(t.shape)} with {t.ndim} dims"
            )
        check_dim(t, self.dim)
        size = t.shape[self.dim]
        count = self._count(size)
        if not count:
            return default_mask
        kept = _C.zeros(size, dtype=default_mask.dtype, device=t.device)
        kept[self._scores(t.detach()).topk(size - count).indices] = 1
        return default_mask * kept.view([-1 if each == self.dim % t.ndim else 1 for each in range(t.ndim)])


class RandomStructured(_Structured):
    """Prunes channels at random.

    Args:
        amount: how many channels if it is an integer, else which share of them.
        dim: the dimension along which the channels lie. Default: -1.

    Raises:
        ValueError: where amount is negative, a share above 1, or more than there are channels, or the tensor has a
            single dimension.
        IndexError: where the tensor has no dimension `dim`.

    Example:

    >>> layer = rustorch.nn.utils.prune.random_structured(rustorch.nn.Linear(2, 10), "weight", amount=3, dim=0)
    >>> layer.weight_mask.amax(1).sum()
    tensor(7.)
    """

    def __init__(self, amount: float, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def _scores(self, t: Tensor) -> Tensor:
        return _C.rand(t.shape[self.dim], device=t.device)


class LnStructured(_Structured):
    """Prunes the channels with the smallest norms.

    Args:
        amount: how many channels if it is an integer, else which share of them.
        n: the norm's order: a number, or 'fro' or 'nuc', of the matrix of all other dimensions.
        dim: the dimension along which the channels lie. Default: -1.

    Raises:
        ValueError: where amount is negative, a share above 1, or more than there are channels, or the tensor has a
            single dimension.
        IndexError: where the tensor has no dimension `dim`.

    Example:

    >>> method = rustorch.nn.utils.prune.LnStructured(amount=1, n=2, dim=0)
    >>> method.prune(rustorch.tensor([[3.0, 1.0], [2.0, 2.0]]))
    tensor([[3., 1.],
            [0., 0.]])
    """

    @classmethod
    def apply(  # type: ignore[override]
        cls,
        module: Module,
        name: str,
        amount: float,
        n: float | str,
        dim: int,
        importance_scores: Tensor | None = None,
    ) -> BasePruningMethod:
        """Prunes a parameter of a module; scores of its shape take its place where norms are taken."""
        return super().apply(module, name, amount, n, dim, importance_scores=importance_scores)

    def __init__(self, amount: float, n: float | str, dim: int = -1) -> None:
        super().__init__(amount)
        if isinstance(n, str) and n not in ("fro", "nuc"):
            raise ValueError(f"n={n} should be a number, 'fro' or 'nuc'")
        self.n = n
        self.dim = dim

    def _scores(self, t: Tensor) -> Tensor:
        others = [each for each in range(t.ndim) if each != self.dim % t.ndim]
        if self.n == "nuc" or (self.n == "fro" and len(others) == 2):
            return _C.linalg_matrix_norm(t, self.n, others if len(others) == 2 else (-2, -1))
        return _C.linalg_vector_norm(t, 2 if isinstance(self.n, str) else self.n, others)


class CustomFromMask(BasePruningMethod):
    """Prunes by a mask that is given.

    Args:
        mask: ones where the parameter is kept, else zeros.

    Example:

    >>> mask = rustorch.tensor([1, 0])
    >>> layer = rustorch.nn.utils.prune.custom_from_mask(rustorch.nn.Linear(3, 2), "bias", mask)
    >>> layer.bias_mask
    tensor([1., 0.])
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The default mask where the mask is not zero."""
        check_scores(self.mask, default_mask, "the parameter")
        return default_mask * self.mask.to(default_mask.dtype)


def identity(module: M, name: str) -> M:
    """Gives a parameter the form of a pruned one, without pruning it; gives the module back.

    Args:
        module: the module.
        name: the name of its parameter.

    Example:

    >>> layer = rustorch.nn.utils.prune.identity(rustorch.nn.Linear(2, 1), "bias")
    >>> layer.bias_mask
    tensor([1.])
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: M, name: str, amount: float) -> M:
    """Prunes elements of a parameter at random; gives the module back.

    Args:
        module: the module.
        name: the name of its parameter.
        amount: how many elements if it is an integer, else which share of those that are left.

    Example:

    >>> layer = rustorch.nn.utils.prune.random_unstructured(rustorch.nn.Linear(2, 3), "weight", amount=1)
    >>> layer.weight_mask.sum()
    tensor(5.)
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: M, name: str, amount: float, importance_scores: Tensor | None = None) -> M:
    """Prunes the elements of a parameter with the smallest magnitudes; gives the module back.

    Args:
        module: the module.
        name: the name of its parameter.
        amount: how many elements if it is an integer, else which share of those that are left.
        importance_scores: numbers whose magnitudes are compared in the parameter's place. Default: None.

    Example:

    >>> layer = rustorch.nn.utils.prune.l1_unstructured(rustorch.nn.Linear(2, 3), "weight", amount=0.2)
    >>> sorted(layer.state_dict())
    ['bias', 'weight_mask', 'weight_orig']
    """
    L1Unstructured.apply(module, name, amount, importance_scores)
    return module


def random_structured(module: M, name: str, amount: float, dim: int) -> M:
    """Prunes channels of a parameter at random; gives the module back.

    Args:
        module: the module.
        name: the name of its parameter.
        amount: how many channels if it is an integer, else which share of those that are left.
        dim: the dimension along which the channels lie.

    Example:

    >>> layer = rustorch.nn.utils.prune.random_structured(rustorch.nn.Linear(5, 3), "weight", amount=3, dim=1)
    >>> layer.weight_mask.sum(1)
    tensor([2., 2., 2.])
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: M, name: str, amount: float, n: float | str, dim: int, importance_scores: Tensor | None = None
) -> M:
    """Prunes the channels of a parameter with the smallest norms; gives the module back.

    Args:
        module: the module.
        name: the name of its parameter.
        amount: how many channels if it is an integer, else which share of those that are left.
        n: the norm's order: a number, or 'fro' or 'nuc', of the matrix of all other dimensions.
        dim: the dimension along which the channels lie.
        importance_scores: numbers whose norms are taken in the parameter's place. Default: None.

    Example:

    >>> layer = rustorch.nn.Conv2d(5, 3, 2)
    >>> layer = rustorch.nn.utils.prune.ln_structured(layer, "weight", amount=0.3, n=float("-inf"), dim=1)
    >>> layer.weight_mask.amax((0, 2, 3)).sum()
    tensor(3.)
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]],
    pruning_method: type[BasePruningMethod],
    importance_scores: Mapping[tuple[Module, str], Tensor] | None = None,
    **kwargs: Any,
) -> None:
    """Prunes elements of many parameters together, as if they were one.

    Args:
        parameters: pairs of a module and the name of a parameter of it.
        pruning_method: an unstructured method.
        importance_scores: numbers that are compared in a parameter's place, by such pairs. Default: None.
        **kwargs: the method's arguments, such as `amount`: a number, or a share of all elements.

    Raises:
        TypeError: where parameters is no iterable, importance_scores no mapping, or the method is not unstructured.

    Example:

    >>> net = rustorch.nn.Sequential(rustorch.nn.Linear(10, 4), rustorch.nn.Linear(4, 1))
    >>> prune = rustorch.nn.utils.prune
    >>> prune.global_unstructured([(net[0], "weight"), (net[1], "weight")], prune.L1Unstructured, amount=10)
    >>> net[0].weight_mask.sum() + net[1].weight_mask.sum()
    tensor(34.)
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, Mapping):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    pairs = list(parameters)
    tensors = [getattr(module, name) for module, name in pairs]
    masks = [
        getattr(module, f"{name}_mask", _C.ones_like(tensor))
        for (module, name), tensor in zip(pairs, tensors, strict=True)
    ]
    compared = [scores.get(pair, tensor) for pair, tensor in zip(pairs, tensors, strict=True)]
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    method._tensor_name = "all of them"
    mask = PruningContainer(method).compute_mask(parameters_to_vector(compared), parameters_to_vector(masks))
    parts = mask.split([tensor.numel() for tensor in tensors])
    for (module, name), tensor, part in zip(pairs, tensors, parts, strict=True):
        custom_from_mask(module, name, part.view(tensor.shape))


def custom_from_mask(module: M, name: str, mask: Tensor) -> M:
    """Prunes a parameter by a mask; gives the module back.

    Args:
        module: the module.
        name: the name of its parameter.
        mask: ones where the parameter is kept, else zeros.

    Example:

    >>> layer = rustorch.nn.Linear(3, 2)
    >>> rustorch.nn.utils.prune.custom_from_mask(layer, "bias", rustorch.tensor([0, 1])).bias_mask
    tensor([0., 1.])
    """
    CustomFromMask.apply(module, name, mask)
    return module


def remove(module: M, name: str) -> M:
    """Makes the pruned values of a parameter its values for good, without mask and hook; gives the module back.

    Args:
        module: the module.
        name: the name of its parameter.

    Raises:
        ValueError: where the parameter is not pruned.

    Example:

    >>> prune = rustorch.nn.utils.prune
    >>> layer = prune.random_unstructured(rustorch.nn.Linear(5, 2), "weight", amount=0.2)
    >>> list(prune.remove(layer, "weight").state_dict())
    ['bias', 'weight']
    """
    for handle, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            hook.remove(module)
            del module._forward_pre_hooks[handle]
            return module
    raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")


def is_pruned(module: Module) -> bool:
    """Says whether a parameter of a module, or of one below it, is pruned.

    Args:
        module: the module.

    Example:

    >>> prune = rustorch.nn.utils.prune
    >>> layer = rustorch.nn.Linear(5, 2)
    >>> prune.is_pruned(layer), prune.is_pruned(prune.identity(layer, "weight"))
    (False, True)
    """
    hooks = (hook for each in module.modules() for hook in each._forward_pre_hooks.values())
    return any(isinstance(hook, BasePruningMethod) for hook in hooks)
