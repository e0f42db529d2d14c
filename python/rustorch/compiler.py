"""What programs tell a compiler of graphs. RusTorch runs each op when it is called, so that all of it holds at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = [
    "allow_in_graph",
    "assume_constant_result",
    "cudagraph_mark_step_begin",
    "disable",
    "is_compiling",
    "is_dynamo_compiling",
    "is_exporting",
    "list_backends",
    "reset",
]

F = TypeVar("F", bound=Callable[..., Any])


def is_compiling() -> bool:
    """Whether the code is being compiled or exported rather than run: False."""
    return False


def is_dynamo_compiling() -> bool:
    """Whether a compiler reads the code: False."""
    return False


def is_exporting() -> bool:
    """Whether the code is being exported: False."""
    return False


def disable(fn: F | None = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """Lets a function run as it is, also as a decorator with or without arguments: it does, and is given back.

    >>> @rustorch.compiler.disable
    ... def double(x):
    ...     return 2 * x
    >>> double(3)
    6
    """
    del recursive, reason
    return _same if fn is None else _same(fn)


def _same(fn: F) -> F:
    return fn


def allow_in_graph(fn: Any) -> Any:
    """Takes a function, or each of a list of them, into a graph as one step: they are given back."""
    return list(fn) if isinstance(fn, list | tuple) else fn


def assume_constant_result(fn: F) -> F:
    """Says that a function always gives the same: it is given back, and runs each time."""
    return fn


def cudagraph_mark_step_begin() -> None:
    """Says that a step begins, before which results of recorded graphs may be overwritten: there are none."""


def list_backends(exclude_tags: tuple[str, ...] = ()) -> list[str]:
    """The names of compilers: none."""
    del exclude_tags
    return []


def reset() -> None:
    """Forgets what was compiled: nothing was."""
