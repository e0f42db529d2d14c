"""Errors that say which function was called."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def named(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Lets what the decorated function raises name it: an op inside of it speaks of itself.

    A function `_name` is a part of `name`, and names that.
    """
    name = function.__name__.lstrip("_")

    @wraps(function)
    def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return function(*args, **kwargs)
        except AttributeError as error:
            # An argument that is not what has attributes here: a tensor.
            if not any(error.obj is argument for argument in (*args, *kwargs.values())):
                raise
            raise TypeError(f"{name}(): {error}; a Tensor has") from None
        except (TypeError, ValueError, IndexError, RuntimeError, OverflowError, MemoryError, AssertionError) as error:
            if isinstance(error, UnicodeError):
                raise
            text = str(error)
            if not re.search(rf"(?<![a-z0-9_]){re.escape(name.strip('_'))}(?![a-z0-9])", text):
                # PyO3 says in a note which argument it is about.
                notes = " ".join(getattr(error, "__notes__", ()))
                argument = re.fullmatch(r"while processing ('\w+')", notes)
                about = f"argument {argument[1]}: " if argument else ""
                error.args = (f"{name}(): {about}{text}", *error.args[1:])
            raise

    return call


#: Methods that are no ops, and are called too rarely to feel a wrapper.
RARE_METHODS = (
    "allclose",
    "equal",
    "is_nonzero",
    "is_same_size",
    "isclose",
    "pin_memory",
    "record_stream",
    "resize_",
    "resize_as_",
    "set_",
    "type",
    "type_as",
)


def name_rare_methods(tensor: type) -> None:
    """Lets the errors of those methods name them."""
    for method in RARE_METHODS:
        setattr(tensor, method, named(getattr(tensor, method)))
