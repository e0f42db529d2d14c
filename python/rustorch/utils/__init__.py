"""Tools around training."""

from typing import Any

from . import data as data

# Imported when they are first used.
_SUBMODULES = frozenset({"checkpoint", "dlpack"})


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        from importlib import import_module

        return import_module(f"rustorch.utils.{name}")
    raise AttributeError(f"module 'rustorch.utils' has no attribute '{name}'")
