"""Modules as functions of their parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rustorch import _C
from rustorch._C import Tensor
from rustorch.nn import Module
from rustorch.nn.modules.batchnorm import _BatchNorm
from rustorch.nn.utils import stateless

__all__ = ["functional_call", "replace_all_batch_norm_modules_", "stack_module_state"]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: dict[str, Tensor] | Sequence[dict[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Calls a module with other tensors in place of its parameters and buffers, which it has again afterwards.

    Gradients go to the tensors given. Where the module assigns a new tensor to a buffer meanwhile, the dictionary has
    that one afterwards; what it writes in place, such as a norm's running mean, the tensor given has.

    Args:
        module: the module.
        parameter_and_buffer_dicts: tensors by their paths, such as 'features.0.weight'; or several such dictionaries
            without a common key.
        args: the call's arguments: a tuple, or one that is none; None is none at all. Default: None.
        kwargs: the call's arguments by name. Default: None.
        tie_weights: whether a tensor that the module has under several names is replaced under all of them, where it is
            given under one. Default: True.
        strict: whether all of the module's tensors must be given, and no others. Default: False.

    Raises:
        ValueError: where two dictionaries have a key in common, or tied names get different tensors.
        RuntimeError: where keys are missing or unexpected and `strict` is True.

    Example:

    >>> layer = rustorch.nn.Linear(2, 1)
    >>> tensors = {"weight": rustorch.tensor([[1.0, 2.0]]), "bias": rustorch.tensor([3.0])}
    >>> rustorch.func.functional_call(layer, tensors, rustorch.ones(2))
    tensor([6.])
    """
    if isinstance(parameter_and_buffer_dicts, dict):
        tensors = parameter_and_buffer_dicts
    elif isinstance(parameter_and_buffer_dicts, Sequence) and all(
        isinstance(each, dict) for each in parameter_and_buffer_dicts
    ):
        counts = Counter(key for each in parameter_and_buffer_dicts for key in each)
        repeated = [key for key, count in counts.items() if count > 1]
        if repeated:
            raise ValueError(f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous")
        tensors = {key: tensor for each in parameter_and_buffer_dicts for key, tensor in each.items()}
    else:
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(parameter_and_buffer_dicts)}"
        )
    return stateless.call(module, tensors, args, kwargs, tie_weights=tie_weights, strict=strict)


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Stacks the parameters and the buffers of modules of one class: what an ensemble is computed with.

    Gives two dictionaries by the tensors' paths, whose tensors have the modules as a new first dimension and are leaves
    that want a gradient where the modules' do.

    Args:
        models: modules of the same class and sizes, all in train() or all in eval().

    Raises:
        RuntimeError: where there are none, or their classes, modes or wishes for gradients differ.

    Example:

    >>> parameters, buffers = rustorch.func.stack_module_state([rustorch.nn.Linear(3, 2) for _ in range(4)])
    >>> parameters["weight"].shape
    rustorch.Size([4, 2, 3])
    """
    if len(models) == 0:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    first, *others = models
    if any(model.training != first.training for model in others):
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if any(type(model) is not type(first) for model in others):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    return (
        _stacked([dict(model.named_parameters()) for model in models]),
        _stacked([dict(model.named_buffers()) for model in models]),
    )


def _stacked(states: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
    stacked = {}
    for name, tensor in states[0].items():
        tensors = [state[name] for state in states]
        if any(each.requires_grad != tensor.requires_grad for each in tensors):
            raise RuntimeError(f"Expected {name} from each model to have the same .requires_grad")
        stacked[name] = _C.stack(tensors).detach().requires_grad_(tensor.requires_grad)
    return stacked


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """Takes the running statistics from all batch norms of a network, in place; gives the network back.

    They then normalise by the batch in eval(), too. Norms that write into their statistics cannot be computed for many
    examples at once.

    Args:
        root: the network.

    Example:

    >>> net = rustorch.nn.Sequential(rustorch.nn.Linear(2, 2), rustorch.nn.BatchNorm1d(2))
    >>> rustorch.func.replace_all_batch_norm_modules_(net)[1].running_mean is None
    True
    """
    for module in root.modules():
        if isinstance(module, _BatchNorm) and module.track_running_stats:
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root
