"""Parameters that are computed from other parameters: parametrizations of a module's tensors."""

from __future__ import annotations

import copy
import copyreg
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rustorch._C import Tensor
from rustorch.autograd.grad_mode import no_grad
from rustorch.nn.modules.container import ModuleDict, ModuleList
from rustorch.nn.modules.module import Module
from rustorch.nn.parameter import Parameter

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

_caching = 0
_cache: dict[tuple[int, str], Tensor] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Computes each parametrized tensor at most once in its block, and keeps it until the outermost block ends.

    Networks that use a tensor several times, such as recurrent ones, or share it, then pay once.

    Example:

    >>> P = rustorch.nn.utils.parametrize
    >>> class Squared(rustorch.nn.Module):
    ...     def forward(self, x):
    ...         return x * x
    >>> layer = P.register_parametrization(rustorch.nn.Linear(2, 2), "weight", Squared())
    >>> layer.weight is layer.weight
    False
    >>> with P.cached():
    ...     layer.weight is layer.weight
    True
    """
    global _caching
    _caching += 1
    try:
        yield
    finally:
        _caching -= 1
        if not _caching:
            _cache.clear()


def _register(module: Module, name: str, tensor: Tensor | None) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _inverted(parametrization: Module, value: Any) -> Any:
    """The value before a parametrization, or the value itself where there is no way back."""
    try:
        return parametrization.right_inverse(value) if hasattr(parametrization, "right_inverse") else value
    except NotImplementedError:
        return value


def _check_unchanged(what: str, got: Any, expected: Tensor) -> None:
    """Raises unless a tensor came out, of the dtype and shape expected."""
    if not isinstance(got, Tensor):
        raise ValueError(f"{what} must return a tensor. Got {type(got).__name__}.")
    for attribute in ("dtype", "shape"):
        before, after = getattr(expected, attribute), getattr(got, attribute)
        if before != after:
            raise ValueError(
                f"{what} may not change the {attribute} of the tensor, unless the `unsafe` flag is enabled. "
                f"It was {before} and became {after}"
            )


class ParametrizationList(ModuleList):
    """Holds the parametrizations of one tensor, and the tensors that they start from.

    Calling it gives the parametrized tensor: the modules one after the other, from `original`, or from `original0`,
    `original1`, … where the first module's right_inverse() gives several tensors. register_parametrization() makes it.

    Args:
        modules: the parametrizations in the order in which they are applied; at least one.
        original: the parameter or buffer before they are.
        unsafe: whether they may change the tensor's dtype and shape, which is not checked then. Default: False.

    Shape:
        nothing is taken; the output is of original's shape, unless `unsafe`.

    Raises:
        ValueError: where there are no modules, right_inverse() gives other than a tensor or a sequence of tensors or
            changes the dtype or device, or the dtype or shape changes and `unsafe` is False.

    Example:

    >>> class Doubled(rustorch.nn.Module):
    ...     def forward(self, x):
    ...         return 2 * x
    >>> original = rustorch.nn.Parameter(rustorch.ones(2))
    >>> rustorch.nn.utils.parametrize.ParametrizationList([Doubled(), Doubled()], original)()
    tensor([4., 4.], grad_fn=<MulBackward0>)
    """

    original: Tensor

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        before = original.detach()
        with no_grad():
            new: Any = original
            for module in reversed(list(self)):
                new = _inverted(module, new)
        self.is_tensor = isinstance(new, Tensor)
        if self.is_tensor:
            for attribute in ("dtype", "device"):
                if getattr(new, attribute) != getattr(original, attribute):
                    raise ValueError(
                        f"When `right_inverse` outputs one tensor, it may not change the {attribute}. It was "
                        f"{getattr(original, attribute)} and became {getattr(new, attribute)}"
                    )
            self.ntensors = 1
            if new is not original:
                original.data = new
            _register(self, "original", original)
        else:
            self._check_sequence(new)
            self.ntensors = len(new)
            for index, tensor in enumerate(new):
                if isinstance(original, Parameter):
                    tensor = Parameter(tensor, original.requires_grad)
                tensor.requires_grad_(original.requires_grad)
                _register(self, f"original{index}", tensor)
        if not unsafe:
            _check_unchanged("A parametrization", self(), before)

    @staticmethod
    def _check_sequence(tensors: Any) -> None:
        if not isinstance(tensors, Sequence):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                f"Got {type(tensors).__name__}"
            )
        for index, tensor in enumerate(tensors):
            if not isinstance(tensor, Tensor):
                raise ValueError(
                    "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                    f"Got element {index} of the sequence with type {type(tensor).__name__}."
                )

    def right_inverse(self, value: Tensor) -> None:
        """Sets the tensors that the parametrizations start from, so that they give `value`: what assignment calls."""
        new: Any = value
        with no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse.")
                new = module.right_inverse(new)
            if self.is_tensor:
                if not isinstance(new, Tensor):
                    raise ValueError(f"`right_inverse` should return a tensor. Got {type(new).__name__}")
                self._set("original", new)
                return
            self._check_sequence(new)
            if len(new) != self.ntensors:
                raise ValueError(
                    f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. "
                    f"Got a sequence of length {len(new)}."
                )
            for index, tensor in enumerate(new):
                self._set(f"original{index}", tensor)

    def _set(self, name: str, value: Tensor) -> None:
        target = getattr(self, name)
        if value.dtype != target.dtype:
            raise ValueError(
                f"The tensor returned by `right_inverse` has dtype {value.dtype} "
                f"while `{name}` has dtype {target.dtype}"
            )
        target.data = value

    def forward(self) -> Tensor:
        first, *others = self
        result: Tensor = first(*([self.original] if self.is_tensor else self._originals()))
        for parametrization in others:
            result = parametrization(result)
        return result

    def _originals(self) -> list[Tensor]:
        return [getattr(self, f"original{index}") for index in range(self.ntensors)]


def _refuse_to_pickle(self: Module) -> None:
    raise RuntimeError(
        "Serialization of parametrized modules is only supported through state_dict(): save that, and load it into a "
        "module of the same parametrizations"
    )


def _deepcopy(self: Module, memo: dict[int, Any]) -> Module:
    known = memo.get(id(self))
    if known is None:
        known = memo[id(self)] = self.__new__(type(self))
        known.__dict__ = copy.deepcopy(self.__dict__, memo)
        for slot in copyreg._slotnames(type(self)):  # type: ignore[attr-defined]
            if hasattr(self, slot):
                object.__setattr__(known, slot, copy.deepcopy(getattr(self, slot), memo))
        # A class of its own, so that parametrizations of the copy can be removed.
        known.__class__ = type(type(self).__name__, type(self).__bases__, dict(vars(type(self))))
    return known


def _inject_class(module: Module) -> None:
    """Gives the module a class of its own, which the parametrized tensors' properties can stand in."""
    own = type(module)
    added: dict[str, Any] = {"__getstate__": _refuse_to_pickle}
    if not hasattr(own, "__deepcopy__"):
        added["__deepcopy__"] = _deepcopy
    module.__class__ = type(f"Parametrized{own.__name__}", (own,), added)


def _inject_property(module: Module, name: str) -> None:
    def get(self: Module) -> Tensor:
        parametrization: ParametrizationList = self.parametrizations[name]
        if not _caching:
            computed: Tensor = parametrization()
            return computed
        key = (id(self), name)
        if key not in _cache:
            _cache[key] = parametrization()
        return _cache[key]

    def set_original(self: Module, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(get, set_original))


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Makes a parameter or buffer of a module what another module computes: a parametrization.

    Reading `module.tensor_name` then computes `parametrization(module.parametrizations[tensor_name].original)`, and
    gradients go on to `original`, which is what an optimizer gets and state_dict() holds. Several may be registered for
    one tensor: the next starts from what the one before gives. Where the parametrization has a right_inverse(), with
    `forward(right_inverse(x)) = x` where x is possible, `original` is set by it, and so assignment to the tensor works;
    it may give several tensors, which become `original0`, `original1`, … and forward()'s arguments.

    The module's class becomes one of its own, named `Parametrized…`; such modules are saved by state_dict() only.

    Args:
        module: the module; it is returned.
        tensor_name: the name of its parameter, buffer or parametrized tensor.
        parametrization: the module that computes the tensor.
        unsafe: whether the parametrization may change the tensor's dtype and shape, which is not checked then.
            Default: False.

    Raises:
        ValueError: where the module has no such tensor, or the parametrization changes its dtype or shape.

    Example:

    >>> class Symmetric(rustorch.nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).mT
    >>> layer = rustorch.nn.Linear(3, 3)
    >>> layer = rustorch.nn.utils.parametrize.register_parametrization(layer, "weight", Symmetric())
    >>> rustorch.equal(layer.weight, layer.weight.mT)
    True
    >>> list(layer.state_dict())
    ['bias', 'parametrizations.weight.original']
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        known: ParametrizationList = module.parametrizations[tensor_name]
        if not unsafe:
            before = getattr(module, tensor_name)
            after = parametrization(before)
            _check_unchanged("A parametrization", after, before)
            _check_unchanged("parametrization.right_inverse", _inverted(parametrization, after), before)
        known.append(parametrization)
        known.unsafe = known.unsafe or unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        made = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _inject_class(module)
            module.parametrizations = ModuleDict()
        _inject_property(module, tensor_name)
        module.parametrizations[tensor_name] = made
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Says whether a module has parametrizations, or whether the tensor of a name has.

    Args:
        module: the module.
        tensor_name: the tensor's name; None asks for any. Default: None.

    Example:

    >>> layer = rustorch.nn.utils.parametrizations.weight_norm(rustorch.nn.Linear(2, 2))
    >>> P = rustorch.nn.utils.parametrize
    >>> P.is_parametrized(layer), P.is_parametrized(layer, "bias")
    (True, False)
    """
    parametrizations = getattr(module, "parametrizations", None)
    if not isinstance(parametrizations, ModuleDict):
        return False
    return len(parametrizations) > 0 if tensor_name is None else tensor_name in parametrizations


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Makes a parametrized tensor a parameter or buffer again.

    Args:
        module: the module; it is returned.
        tensor_name: the parametrized tensor's name.
        leave_parametrized: whether the tensor keeps its parametrized value, else it gets that of `original` back, which
            needs a single one. Default: True.

    Raises:
        ValueError: where the tensor has no parametrizations, or leave_parametrized is False and there are several
            originals.

    Example:

    >>> layer = rustorch.nn.utils.parametrizations.weight_norm(rustorch.nn.Linear(2, 2))
    >>> rustorch.nn.utils.parametrize.remove_parametrizations(layer, "weight")
    Linear(in_features=2, out_features=2, bias=True)
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    parametrizations: ParametrizationList = module.parametrizations[tensor_name]
    if parametrizations.is_tensor:
        original = parametrizations.original
        if leave_parametrized:
            with no_grad():
                original.data = getattr(module, tensor_name)
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value.detach()) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """Gives a module's class as it was before register_parametrization().

    Args:
        module: the module, parametrized or not.

    Example:

    >>> layer = rustorch.nn.utils.parametrizations.weight_norm(rustorch.nn.Linear(2, 2))
    >>> rustorch.nn.utils.parametrize.type_before_parametrizations(layer) is rustorch.nn.Linear
    True
    """
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Registers the parametrizations of one module with another, which then shares the parameters they start from.

    Args:
        from_module: the module that has them; where it has none, nothing happens.
        to_module: the module that gets them; it is returned. A tensor that it lacks becomes a parameter.
        tensor_name: the tensor whose parametrizations are transferred; None is all of them. Default: None.

    Example:

    >>> P = rustorch.nn.utils.parametrize
    >>> source = rustorch.nn.utils.parametrizations.spectral_norm(rustorch.nn.Linear(2, 2)).eval()
    >>> target = P.transfer_parametrizations_and_params(source, rustorch.nn.Linear(2, 2).eval())
    >>> rustorch.equal(source.weight, target.weight)
    True
    """
    if not is_parametrized(from_module):
        return to_module
    for name in list(from_module.parametrizations) if tensor_name is None else [tensor_name]:
        source: ParametrizationList = from_module.parametrizations[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach()))
        for parametrization in source:
            register_parametrization(to_module, name, parametrization, unsafe=source.unsafe)
        target = to_module.parametrizations[name]
        for key in ["original"] if source.is_tensor else [f"original{index}" for index in range(source.ntensors)]:
            setattr(target, key, getattr(source, key))
    return to_module
