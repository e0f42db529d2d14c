"""Hooks of all modules: of calls, of gradients, and of what is registered."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from ._hooks import RemovableHandle

Hook = Callable[..., Any]
T = TypeVar("T")

FORWARD_PRE: OrderedDict[int, Hook] = OrderedDict()
FORWARD: OrderedDict[int, Hook] = OrderedDict()
FORWARD_WITH_KWARGS: OrderedDict[int, bool] = OrderedDict()
FORWARD_ALWAYS_CALLED: OrderedDict[int, bool] = OrderedDict()
BACKWARD_PRE: OrderedDict[int, Hook] = OrderedDict()
BACKWARD: OrderedDict[int, Hook] = OrderedDict()
# The hooks of gradients in their former form: all in BACKWARD are, or none.
FORMER: OrderedDict[int, bool] = OrderedDict()
# What a call looks at: whether there is any of these.
CALLS: OrderedDict[int, bool] = OrderedDict()

BUFFERS: OrderedDict[int, Hook] = OrderedDict()
PARAMETERS: OrderedDict[int, Hook] = OrderedDict()
MODULES: OrderedDict[int, Hook] = OrderedDict()


def registered(hooks: OrderedDict[int, Hook], module: object, name: str, value: T) -> T:
    """What is registered under a name, after the hooks have seen it."""
    for hook in tuple(hooks.values()):
        changed = hook(module, name, value)
        if changed is not None:
            value = changed
    return value


def _added(hooks: OrderedDict[int, Hook], hook: Hook, *flags: OrderedDict[int, bool]) -> RemovableHandle:
    handle = RemovableHandle(hooks, *flags)
    hooks[handle.id] = hook
    for each in flags:
        each[handle.id] = True
    return handle


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Calls `hook(module, args)` before the forward of every module, before the module's own hooks.

    Args:
        hook: what is called; what it gives, unless None, replaces the arguments.

    Example:

    >>> names = []
    >>> hook = lambda module, args: names.append(type(module).__name__)
    >>> with rustorch.nn.modules.module.register_module_forward_pre_hook(hook):
    ...     out = rustorch.nn.Sequential(rustorch.nn.ReLU())(rustorch.ones(1))
    >>> names
    ['Sequential', 'ReLU']
    """
    return _added(FORWARD_PRE, hook, CALLS)


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Calls `hook(module, args, output)` after the forward of every module, before the module's own hooks.

    Args:
        hook: what is called; what it gives, unless None, replaces the output.
        with_kwargs: whether it is called as `hook(module, args, kwargs, output)`. Default: False.
        always_call: whether it is called, too, where the module raises. Default: False.

    Example:

    >>> hook = lambda module, args, output: output + 1
    >>> with rustorch.nn.modules.module.register_module_forward_hook(hook):
    ...     rustorch.nn.ReLU()(rustorch.ones(1))
    tensor([2.])
    """
    flags = [FORWARD_WITH_KWARGS] * with_kwargs + [FORWARD_ALWAYS_CALLED] * always_call
    return _added(FORWARD, hook, CALLS, *flags)


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Calls `hook(module, grad_output)` in the backward pass of every module, before the module's own hooks.

    Args:
        hook: what is called; what it gives, unless None, replaces the outputs' gradients.

    Example:

    >>> x = rustorch.ones(1, requires_grad=True)
    >>> hook = lambda module, grad_output: (grad_output[0] * 10,)
    >>> with rustorch.nn.modules.module.register_module_full_backward_pre_hook(hook):
    ...     rustorch.nn.ReLU()(x).backward()
    >>> x.grad
    tensor([10.])
    """
    return _added(BACKWARD_PRE, hook, CALLS)


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Calls `hook(module, grad_input, grad_output)` in the backward pass of every module, before its own hooks.

    Args:
        hook: what is called; what it gives, unless None, replaces the inputs' gradients.

    Raises:
        RuntimeError: where there is a hook in the former form.

    Example:

    >>> x = rustorch.ones(1, requires_grad=True)
    >>> hook = lambda module, grad_input, grad_output: (grad_input[0] * 10,)
    >>> with rustorch.nn.modules.module.register_module_full_backward_hook(hook):
    ...     rustorch.nn.ReLU()(x).backward()
    >>> x.grad
    tensor([10.])
    """
    if FORMER:
        raise RuntimeError(BOTH_FORMS)
    return _added(BACKWARD, hook, CALLS)


def register_module_backward_hook(hook: Hook) -> RemovableHandle:
    """As Module.register_backward_hook(), for every module.

    Args:
        hook: what is called.

    Raises:
        RuntimeError: where there is a hook by register_module_full_backward_hook().

    Example:

    >>> hook = lambda module, grad_input, grad_output: print(type(module).__name__, grad_output)
    >>> with rustorch.nn.modules.module.register_module_backward_hook(hook):
    ...     rustorch.nn.ReLU()(rustorch.ones(1, requires_grad=True)).backward()
    ReLU (tensor([1.]),)
    """
    if len(BACKWARD) > len(FORMER):
        raise RuntimeError(BOTH_FORMS)
    return _added(BACKWARD, hook, CALLS, FORMER)


BOTH_FORMS = (
    "Cannot use both regular backward hooks and full backward hooks on a single Module, or as global hooks. Please use "
    "only one of them."
)


def register_module_buffer_registration_hook(hook: Hook) -> RemovableHandle:
    """Calls `hook(module, name, buffer)` where any module registers a buffer.

    Args:
        hook: what is called; what it gives, unless None, is registered instead.

    Example:

    >>> hook = lambda module, name, buffer: print(name)
    >>> with rustorch.nn.modules.module.register_module_buffer_registration_hook(hook):
    ...     rustorch.nn.Module().register_buffer("mean", rustorch.zeros(1))
    mean
    """
    return _added(BUFFERS, hook)


def register_module_parameter_registration_hook(hook: Hook) -> RemovableHandle:
    """Calls `hook(module, name, parameter)` where any module registers a parameter.

    Args:
        hook: what is called; what it gives, unless None, is registered instead.

    Example:

    >>> hook = lambda module, name, parameter: print(name)
    >>> with rustorch.nn.modules.module.register_module_parameter_registration_hook(hook):
    ...     layer = rustorch.nn.Linear(2, 1)
    weight
    bias
    """
    return _added(PARAMETERS, hook)


def register_module_module_registration_hook(hook: Hook) -> RemovableHandle:
    """Calls `hook(module, name, submodule)` where any module registers one below it.

    Args:
        hook: what is called; what it gives, unless None, is registered instead.

    Example:

    >>> hook = lambda module, name, submodule: print(name, submodule)
    >>> with rustorch.nn.modules.module.register_module_module_registration_hook(hook):
    ...     net = rustorch.nn.Sequential(rustorch.nn.ReLU())
    0 ReLU()
    """
    return _added(MODULES, hook)
