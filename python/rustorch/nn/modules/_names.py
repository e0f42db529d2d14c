"""How values are named in messages."""

from __future__ import annotations

from rustorch._C import Tensor


def typename(value: object) -> str:
    """The type of a value, with its module unless it is built in."""
    cls = type(value)
    if cls is Tensor:
        return "rustorch.Tensor"
    return cls.__qualname__ if cls.__module__ in ("", "builtins") else f"{cls.__module__}.{cls.__qualname__}"
