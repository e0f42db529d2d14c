"""Functions that say of themselves what their op's row says, and what their arguments are."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

#: What those arguments are that functions have and their ops do not.
ARGUMENTS = {
    "inplace": "whether the input itself is changed and returned.",
    "max_norm": "rows that are looked up and have a larger norm are first scaled down to it, in place.",
    "norm_type": "the p of the norm.",
    "reduce": "a former way to say the reduction; anything but None is a TypeError.",
    "size_average": "a former way to say the reduction; anything but None is a TypeError.",
    "training": "whether anything is dropped.",
}


def _parts(text: str) -> tuple[str, dict[str, str], str]:
    """What an op's docstring says before its arguments, of each argument without its default, and its example."""
    said, _, rest = text.partition("\n\nArgs:\n")
    listed, example, shown = rest.partition("\n\nExample:")
    entries = (" ".join(entry.split()) for entry in re.split(r"\n(?=    \S)", listed))
    pairs = (entry.partition(": ") for entry in entries)
    return said, {name: about.partition(" Default: ")[0] for name, _, about in pairs}, example + shown


def documented_as(op: Callable[..., Any], **arguments: str) -> Callable[[Function], Function]:
    """Gives the decorated function the docstring of an op of the table: what it computes, shapes, errors, example.

    What each argument is stands before the example: as given here, else as the op says, else as in ARGUMENTS.
    """

    def document(function: Function) -> Function:
        said, of_op, example = _parts((op.__doc__ or "").rstrip())
        lines = ["Args:"]
        for name, parameter in inspect.signature(function).parameters.items():
            if name.startswith("_"):
                continue
            text = f"{name}: {arguments.get(name) or of_op.get(name) or ARGUMENTS[name]}"
            if parameter.default is not parameter.empty:
                text += f" Default: {parameter.default!r}."
            # Every import pays for this, and most lines fit.
            if len(text) <= 116:
                lines.append(f"    {text}")
            else:
                lines += textwrap.wrap(text, 120, initial_indent=" " * 4, subsequent_indent=" " * 8)
        function.__doc__ = said + "\n\n" + "\n".join(lines) + example
        return function

    return document
