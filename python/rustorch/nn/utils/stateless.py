"""Calls of modules with other parameters than their own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rustorch._C import Tensor
from rustorch.nn.modules.module import Module

__all__ = ["functional_call"]

_MISSING: Any = object()


def _place(module: Module, path: str) -> tuple[Module, str]:
    """The module and the name that a path such as 'features.0.weight' means."""
    above, _, name = path.rpartition(".")
    if not name:
        raise KeyError(f"functional_call: tensor name can't be empty string, got '{path}'")
    return module.get_submodule(above), name


def _swap(module: Module, path: str, tensor: Any) -> Any:
    """Puts a tensor at a path, or takes away what is there where it is missing; gives what was there."""
    if tensor is not _MISSING and tensor is not None and not isinstance(tensor, Tensor):
        raise TypeError(f"functional_call: '{path}' is given {type(tensor).__name__}, expected a Tensor")
    owner, name = _place(module, path)
    for registry in (owner._parameters, owner._buffers):
        if name in registry:
            before: Any = registry[name]
            if tensor is _MISSING:
                del registry[name]
            else:
                # Past Module.__setattr__, which wants parameters and would copy names.
                registry[name] = tensor
            return before
    before = getattr(owner, name, _MISSING)
    if before is not _MISSING and before is not None and not isinstance(before, Tensor):
        raise TypeError(f"functional_call: attribute `{path}` is {type(before).__name__}, not a Tensor")
    if tensor is not _MISSING:
        setattr(owner, name, tensor)
    elif before is not _MISSING:
        delattr(owner, name)
    return before


def _tied(module: Module, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors given, also under the other names of the module's tensors that they replace."""
    names: dict[int, list[str]] = {}
    members = [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]
    for name, tensor in members:
        names.setdefault(id(tensor), []).append(name)
    whole = dict(given)
    for together in names.values():
        values = [given[name] for name in together if name in given]
        if len(together) > 1 and values:
            if any(value is not values[0] for value in values):
                raise ValueError(
                    f"functional_call got multiple values for keys {sorted(together)}, which are tied. Consider using "
                    "tie_weights=False"
                )
            whole |= dict.fromkeys(together, values[0])
    return whole


def _check_keys(module: Module, given: Mapping[str, Tensor]) -> None:
    """Raises unless exactly the module's tensors are given."""
    own = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    own |= {name for name, _ in module.named_buffers(remove_duplicate=False)}
    problems = [
        f"{kind} key(s): {', '.join(map(repr, sorted(keys)))}."
        for kind, keys in (("Unexpected", given.keys() - own), ("Missing", own - given.keys()))
        if keys
    ]
    if problems:
        raise RuntimeError(
            "Error(s) in reparametrizing for {}:\n\t{}".format(module._get_name(), "\n\t".join(problems))
        )


@contextmanager
def _reparametrize_module(
    module: Module, parameters_and_buffers: dict[str, Tensor], tie_weights: bool = False, strict: bool = False
) -> Iterator[None]:
    """Lets a module have other tensors in its block; what it assigns to buffers meanwhile goes into the dictionary."""
    given = _tied(module, parameters_and_buffers) if tie_weights else dict(parameters_and_buffers)
    if strict:
        _check_keys(module, given)
    before: dict[str, Any] = {}
    try:
        for path, tensor in given.items():
            before[path] = _swap(module, path, tensor)
        yield
    finally:
        after = {path: _swap(module, path, tensor) for path, tensor in reversed(before.items())}
        parameters_and_buffers.update({path: after[path] for path in parameters_and_buffers if path in after})


def call(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    args: Any,
    kwargs: dict[str, Any] | None,
    *,
    tie_weights: bool,
    strict: bool,
) -> Any:
    """What func.functional_call() does, for one dictionary."""
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    with _reparametrize_module(module, parameters_and_buffers, tie_weights, strict):
        return module(*arguments, **(kwargs or {}))


def functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """As func.functional_call(), under the name that it had before, of which it warns.

    Args:
        module: the module.
        parameters_and_buffers: tensors by their paths.
        args: the call's arguments: a tuple, or one that is none; None is none at all. Default: None.
        kwargs: the call's arguments by name. Default: None.
        tie_weights: whether a tensor that the module has under several names is replaced under all. Default: True.
        strict: whether all of the module's tensors must be given, and no others. Default: False.

    Example:

    >>> import warnings
    >>> layer = rustorch.nn.Linear(2, 1, bias=False)
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     rustorch.nn.utils.stateless.functional_call(layer, {"weight": rustorch.ones(1, 2)}, rustorch.ones(2))
    tensor([2.])
    """
    warnings.warn(
        "`rustorch.nn.utils.stateless.functional_call` is deprecated; use `rustorch.func.functional_call` instead, "
        "which is a drop-in replacement.",
        FutureWarning,
        stacklevel=2,
    )
    return call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)
