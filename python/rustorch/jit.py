"""What programs tell PyTorch's compiler of scripts. RusTorch runs Python as it is, where these change nothing either.

`script`, `trace`, `save` and `load` are missing: an AttributeError says so, and nothing is left out in silence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

__all__ = ["Final", "annotate", "export", "ignore", "is_scripting", "is_tracing", "unused"]

F = TypeVar("F", bound=Callable[..., Any])


def is_scripting() -> bool:
    """Whether the code is being compiled as a script rather than run: False."""
    return False


def is_tracing() -> bool:
    """Whether the code is being traced: False."""
    return False


def annotate(the_type: Any, the_value: Any) -> Any:
    """The value, of which a script's compiler would be told the type.

    >>> rustorch.jit.annotate(list[int], [])
    []
    """
    del the_type
    return the_value


def export(fn: F) -> F:
    """Says that a script has this method although `forward` does not call it: it is given back, and runs as Python."""
    return fn


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Says that a script calls this function as Python, or with `drop=True` not at all: it is given back, and runs.

    >>> @rustorch.jit.ignore
    ... def double(x):
    ...     return 2 * x
    >>> double(3)
    6
    """
    del kwargs
    return drop if callable(drop) else export


def unused(fn: F) -> F:
    """Says that a script never calls this function: it is given back, and runs where Python calls it."""
    return fn
