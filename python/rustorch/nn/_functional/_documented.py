"""Functions that say of themselves what their op's row says, and what their arguments are."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

#: What arguments are that are the same in several functions. A function names those that it means otherwise.
ARGUMENTS = {
    "ceil_mode": "whether the output's size is rounded up: the last window may reach past the end.",
    "dim": "the dimension along which the results add up to 1; None chooses one, with a warning.",
    "dtype": "the dtype to which the input is converted before; None keeps its own.",
    "ignore_index": "the class that adds neither to the loss nor to the gradient.",
    "inplace": "whether the input itself is changed and returned.",
    "input": "the tensor.",
    "input1": "the first samples or scores.",
    "input2": "the second ones, of the same shape.",
    "kernel_size": "the window's size, or sizes; one integer counts for every dimension.",
    "margin": "the lead, or distance, that costs nothing.",
    "max_norm": "rows that are looked up and have a larger norm are first scaled down to it, in place.",
    "norm_type": "the p of the norm.",
    "p": "the probability with which elements are dropped.",
    "padding": "how far windows reach beyond each end, at most half of kernel_size.",
    "padding_idx": "a row that gets no gradient, and does not count in bags.",
    "reduce": "a former way to say the reduction; anything but None is a TypeError.",
    "reduction": "'mean', 'sum' or 'none', which gives each.",
    "scale_grad_by_freq": "whether a row's gradient is divided by how often the call names it.",
    "size_average": "a former way to say the reduction; anything but None is a TypeError.",
    "sparse": "sparse gradients, which are not supported: True is a NotImplementedError.",
    "stride": "the step between windows; None is kernel_size.",
    "target": "what the input should be, of its shape.",
    "training": "whether anything is dropped.",
}


def documented_as(op: Callable[..., Any], **arguments: str) -> Callable[[Function], Function]:
    """Gives the decorated function the docstring of an op of the table: what it computes, shapes, errors, example.

    Before the example comes what each argument is: as given here, else as in ARGUMENTS.
    """

    def document(function: Function) -> Function:
        lines = ["Args:"]
        for name, parameter in inspect.signature(function).parameters.items():
            if name.startswith("_"):
                continue
            text = f"{name}: {arguments.get(name) or ARGUMENTS[name]}"
            if parameter.default is not parameter.empty:
                text += f" Default: {parameter.default!r}."
            # Every import pays for this, and most lines fit.
            if len(text) <= 116:
                lines.append(f"    {text}")
            else:
                lines += textwrap.wrap(text, 120, initial_indent=" " * 4, subsequent_indent=" " * 8)
        said, example, shown = (op.__doc__ or "").rstrip().partition("\n\nExample:")
        function.__doc__ = said + "\n\n" + "\n".join(lines) + example + shown
        return function

    return document
