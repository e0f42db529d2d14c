"""Modules whose parameters are not initialised."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from rustorch.nn.init import _skipped

if TYPE_CHECKING:
    from rustorch.nn.modules.module import Module

__all__ = ["skip_init"]

M = TypeVar("M", bound="Module")


def skip_init(module_cls: type[M], *args: Any, **kwargs: Any) -> M:
    """Makes a module without filling its parameters: for those that get their values from elsewhere.

    The functions of nn.init do nothing meanwhile, and draw no random numbers. What the parameters hold is undefined.
    Without `device` they are on the CPU, whatever the default device is.

    Args:
        module_cls: the module's class, whose constructor has an argument `device`.
        *args: the constructor's arguments.
        **kwargs: those by name.

    Raises:
        RuntimeError: where the class is no Module, or its constructor has no argument `device`.

    Example:

    >>> rustorch.nn.utils.skip_init(rustorch.nn.Linear, 5, 1)
    Linear(in_features=5, out_features=1, bias=True)
    """
    from rustorch.nn.modules.module import Module

    if not (isinstance(module_cls, type) and issubclass(module_cls, Module)):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    with _skipped():
        return module_cls(*args, **{"device": "cpu", **kwargs})
