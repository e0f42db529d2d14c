"""What hooks are taken off with, under the name by which programs import it."""

from collections.abc import Callable
from typing import Any, TypeVar

from rustorch.nn.modules._hooks import RemovableHandle

__all__ = ["RemovableHandle", "unserializable_hook"]

F = TypeVar("F", bound=Callable[..., Any])


def unserializable_hook(f: F) -> F:
    """Marks a hook as one that is not saved with its tensor, as a decorator: no hook of a tensor is.

    >>> @rustorch.utils.hooks.unserializable_hook
    ... def double(gradient):
    ...     return 2 * gradient
    """
    f.__torch_unserializable__ = True  # type: ignore[attr-defined]
    return f
