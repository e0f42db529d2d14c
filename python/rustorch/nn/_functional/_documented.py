"""Functions that say of themselves what their op's row says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def documented_as(op: Callable[..., Any]) -> Callable[[Function], Function]:
    """Gives the decorated function the docstring of an op of the table: what it computes, shapes, errors, example."""

    def document(function: Function) -> Function:
        function.__doc__ = op.__doc__
        return function

    return document
