"""Modules whose settings are checked when they are set."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


def checked(module: str, **kinds: type | tuple[type, ...]) -> None:
    """Makes a module refuse values of other classes for its settings."""

    class Flags(ModuleType):
        def __setattr__(self, name: str, value: Any) -> None:
            kind = kinds.get(name)
            if kind is not None and not isinstance(value, kind):
                wanted = " or ".join(k.__name__ for k in (kind if isinstance(kind, tuple) else (kind,)))
                raise TypeError(f"{module}.{name}: expected {wanted}, but got {type(value).__name__}")
            super().__setattr__(name, value)

    sys.modules[module].__class__ = Flags
