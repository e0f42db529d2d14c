"""Modules whose submodules are imported when they are first used."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import FunctionType
from typing import Any

#: Where it is written which of PyTorch's names are not there.
MISSING = "docs/coming_from_pytorch.md"

# What a program calls the package: "torch" under the alias.
_name = "rustorch"


def rename(name: str) -> None:
    """The package is known under another name, too, and texts speak of it under that name from now on."""
    global _name
    _name = name
    adopt()


def adopt() -> None:
    """Lets the modules that are there be known under the package's other name, and what they define say so.

    They get a `__getattr__` that says where missing names are listed, which they do not have by themselves, so that
    type checkers know their names.
    """
    for name, module in list(sys.modules.items()):
        other = shown(name)
        if name.startswith("rustorch.") and sys.modules.setdefault(other, module) is module:
            vars(module).setdefault("__getattr__", getter(name))
            for value in list(vars(module).values()):
                if _is_ours(value, name):
                    value.__module__ = other


def _is_ours(value: Any, module: str) -> bool:
    """Whether a module defines a class or function; errors, which are RusTorch's alone, keep their name."""
    if isinstance(value, type):
        return value.__module__ == module and not issubclass(value, BaseException)
    return isinstance(value, FunctionType) and value.__module__ == module


def shown(module: str) -> str:
    """The name of a module or class of the package as the program knows it."""
    return _name + module.removeprefix("rustorch")


def missing(module: str, name: str) -> AttributeError:
    """The error about a name that a module does not have."""
    return AttributeError(f"module '{shown(module)}' has no attribute '{name}'{_where(name)}", name=name)


def missing_import(module: str, name: str) -> ImportError:
    """The error about `from module import name`."""
    return ImportError(f"cannot import name '{name}' from '{shown(module)}'{_where(name)}", name=shown(module))


def missing_module(module: str) -> ModuleNotFoundError:
    """The error about a module that is not there."""
    return ModuleNotFoundError(f"No module named '{shown(module)}'{_where(module)}", name=shown(module))


def _where(name: str) -> str:
    return "" if name.startswith("__") else f" in RusTorch; {MISSING} lists the names of PyTorch's that are not there"


def getter(module: str, submodules: frozenset[str] = frozenset()) -> Callable[[str], Any]:
    """The `__getattr__` of a module: imports its submodules, and says where missing names are listed."""

    def get(name: str) -> Any:
        if name in submodules:
            imported = import_module(f"{module}.{name}")
            if _name != "rustorch":
                adopt()
            return imported
        raise missing(module, name)

    return get
