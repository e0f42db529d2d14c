"""Recurrent networks and their steps, with the parameters in a row."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from rustorch._C import Tensor
from rustorch._naming import named
from rustorch.nn.modules._recurrence import STEPS, Recurrence, gated, run_layers

_SETTINGS = ("hx", "params", "has_biases", "num_layers", "dropout", "train", "bidirectional")
_PADDED = ("input", *_SETTINGS, "batch_first")
_PACKED = ("data", "batch_sizes", *_SETTINGS)

_SEQUENCE = """Runs {what} along sequences, by the formulas of nn.{layer}.

    {name}(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first); of packed sequences
    {name}(data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional).

    Args:
        input: (L, N, input), or (N, L, input) with batch_first.
        data, batch_sizes: the first two fields of nn.utils.rnn.PackedSequence.
        hx: {states} before the first step, (layers · directions, N, hidden){each}.
        params: the parameters, layer by layer, forwards before backwards: weight_ih, weight_hh and, with has_biases,
            bias_ih, bias_hh{projection}.
        has_biases: whether the parameters have biases.
        num_layers: how many layers there are.
        dropout: the probability with which elements between layers become 0 where train is True.
        train: whether anything is dropped.
        bidirectional: whether each layer also runs from the sequence's end.
        batch_first: whether input and output are (N, L, …) instead of (L, N, …).

    Gives the last layer's hidden states, (L, N, directions · hidden) in the input's layout, and {last}.

    Raises:
        TypeError: where an argument is missing or unknown: none has a default.
        RuntimeError: where there are not as many parameters as the layers need, or shapes do not fit.
"""

_CELL = """Computes one step of {what}, by the formulas of nn.{layer}Cell.

    Args:
        input: (N, input).
        hx: {states} before the step, (N, hidden){each}.
        w_ih, w_hh: the weights, (gates · hidden, input) and (gates · hidden, hidden).
        b_ih, b_hh: the biases (gates · hidden), or None. Default: None.
"""

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _documented(template: str, example: str, **parts: str) -> Callable[[_Function], _Function]:
    def document(function: _Function) -> _Function:
        text = template.format(name=function.__name__, **parts)
        function.__doc__ = f"{text}\n    Example:\n\n{textwrap.indent(example, '    ')}"
        return function

    return document


def _arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """What was given, by name, in one of the two forms."""
    # The fourth is has_biases in one form, and the parameters in the other.
    packed = not kwargs.keys().isdisjoint(_PACKED[:2]) or (len(args) > 3 and not isinstance(args[3], int))
    names = _PACKED if packed else _PADDED
    given = dict(zip(names, args, strict=False)) | kwargs
    if len(args) + len(kwargs) != len(names) or set(given) != set(names):
        raise TypeError(f"expected the arguments ({', '.join(names)}), got {len(args)} of them and {sorted(kwargs)}")
    return given


def _layers(mode: str, given: dict[str, Any], states: Sequence[Tensor]) -> list[list[Recurrence]]:
    """The recurrences of each layer, from the list of their parameters."""
    params, count, biases = given["params"], given["num_layers"], given["has_biases"]
    directions = 2 if given["bidirectional"] else 1
    projected = len(states) == 2 and states[0].shape[-1] != states[1].shape[-1]
    each = (4 if biases else 2) + projected
    if len(params) != count * directions * each or count < 1:
        raise RuntimeError(
            f"{count} layers of {directions} directions need {count * directions * each} parameters, {each} each, "
            f"got {len(params)}"
        )
    step, nothing = STEPS[mode], (None, None)
    recurrences = []
    for i in range(0, len(params), each):
        part = params[i : i + each]
        b_ih, b_hh = part[2:4] if biases else nothing
        recurrences.append(Recurrence(step, part[0], part[1], b_ih, b_hh, part[-1] if projected else None))
    return [recurrences[i : i + directions] for i in range(0, len(recurrences), directions)]


def _run(mode: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Tensor, list[Tensor]]:
    given = _arguments(args, kwargs)
    states = _pair(given["hx"]) if mode == "LSTM" else [given["hx"]]
    layers = _layers(mode, given, states)
    sizes, batch_first = None, given.get("batch_first", False)
    if "data" in given:
        x, sizes = given["data"], given["batch_sizes"].tolist()
        batch = sizes[0] if sizes else 0
    else:
        x = given["input"]
        if x.ndim != 3:
            raise RuntimeError(f"expected an input of 3 dimensions, (L, N, input), got {x.ndim}")
        x = x.transpose(0, 1) if batch_first else x
        batch = x.shape[1]
    first = len(layers) * len(layers[0])
    for state in states:
        if state.ndim != 3 or tuple(state.shape[:2]) != (first, batch):
            raise RuntimeError(f"expected states of shape ({first}, {batch}, hidden), got {tuple(state.shape)}")
    x, last = run_layers(x, sizes, states, layers, given["dropout"], given["train"])
    return x.transpose(0, 1) if batch_first else x, last


def _pair(hx: Sequence[Tensor]) -> Sequence[Tensor]:
    if isinstance(hx, Tensor) or len(hx) != 2:
        raise RuntimeError("expected two states, (h, c)")
    return hx


@named
@_documented(
    _SEQUENCE,
    """>>> params = [rustorch.zeros(6, 3), rustorch.zeros(6, 2)]
>>> output, last = rustorch.gru(
...     rustorch.ones(5, 1, 3), rustorch.ones(1, 1, 2), params, False, 1, 0.0, False, False, False
... )
>>> last
tensor([[[0.0312, 0.0312]]])
""",
    what="gated recurrent units",
    layer="GRU",
    states="the states",
    each="",
    projection="",
    last="the last states",
)
def gru(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    output, (last,) = _run("GRU", args, kwargs)
    return output, last


@named
@_documented(
    _SEQUENCE,
    """>>> params, zeros = [rustorch.zeros(8, 3), rustorch.zeros(8, 2)], rustorch.zeros(1, 1, 2)
>>> output, h, c = rustorch.lstm(rustorch.ones(5, 1, 3), (zeros, zeros), params, False, 1, 0.0, False, False, False)
>>> output.shape, c
(rustorch.Size([5, 1, 2]), tensor([[[0., 0.]]]))
""",
    what="a long short-term memory",
    layer="LSTM",
    states="the states (h, c)",
    each=" each, h smaller where it is projected",
    projection=", and weight_hr where h is projected",
    last="the last h and c",
)
def lstm(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor, Tensor]:
    output, (h, c) = _run("LSTM", args, kwargs)
    return output, h, c


@named
@_documented(
    _SEQUENCE,
    """>>> params = [rustorch.zeros(2, 3), rustorch.zeros(2, 2)]
>>> output, last = rustorch.rnn_tanh(
...     rustorch.ones(5, 1, 3), rustorch.ones(1, 1, 2), params, False, 1, 0.0, False, False, False
... )
>>> output.shape, last
(rustorch.Size([5, 1, 2]), tensor([[[0., 0.]]]))
""",
    what="an Elman network with tanh",
    layer="RNN",
    states="the states",
    each="",
    projection="",
    last="the last states",
)
def rnn_tanh(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    output, (last,) = _run("RNN_TANH", args, kwargs)
    return output, last


@named
@_documented(
    _SEQUENCE,
    """>>> params = [rustorch.ones(2, 3), rustorch.zeros(2, 2)]
>>> output, last = rustorch.rnn_relu(
...     rustorch.ones(5, 1, 3), rustorch.ones(1, 1, 2), params, False, 1, 0.0, False, False, False
... )
>>> last
tensor([[[3., 3.]]])
""",
    what="an Elman network with relu",
    layer="RNN",
    states="the states",
    each="",
    projection="",
    last="the last states",
)
def rnn_relu(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    output, (last,) = _run("RNN_RELU", args, kwargs)
    return output, last


def _step(
    mode: str,
    input: Tensor,
    states: Sequence[Tensor],
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None,
    b_hh: Tensor | None,
) -> list[Tensor]:
    if input.ndim != 2 or any(state.ndim != 2 or state.shape[0] != input.shape[0] for state in states):
        shapes = ", ".join(str(tuple(t.shape)) for t in (input, *states))
        raise RuntimeError(f"expected an input (N, input) and states (N, hidden), got {shapes}")
    return gated(STEPS[mode], input, list(states), w_ih, w_hh, b_ih, b_hh)


@named
@_documented(
    _CELL,
    """>>> rustorch.gru_cell(rustorch.ones(1, 3), rustorch.ones(1, 2), rustorch.zeros(6, 3), rustorch.zeros(6, 2))
tensor([[0.5000, 0.5000]])
""",
    what="a gated recurrent unit",
    layer="GRU",
    states="the state",
    each="",
)
def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    return _step("GRU", input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]


@named
@_documented(
    _CELL,
    """>>> ones = rustorch.ones(1, 2)
>>> h, c = rustorch.lstm_cell(rustorch.ones(1, 3), (ones, ones), rustorch.zeros(8, 3), rustorch.zeros(8, 2))
>>> c
tensor([[0.5000, 0.5000]])
""",
    what="a long short-term memory",
    layer="LSTM",
    states="the states (h, c)",
    each=" each",
)
def lstm_cell(
    input: Tensor,
    hx: Sequence[Tensor],
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    h, c = _step("LSTM", input, _pair(hx), w_ih, w_hh, b_ih, b_hh)
    return h, c


@named
@_documented(
    _CELL,
    """>>> rustorch.rnn_tanh_cell(rustorch.ones(1, 3), rustorch.ones(1, 2), rustorch.zeros(2, 3), rustorch.eye(2))
tensor([[0.7616, 0.7616]])
""",
    what="an Elman network with tanh",
    layer="RNN",
    states="the state",
    each="",
)
def rnn_tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    return _step("RNN_TANH", input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]


@named
@_documented(
    _CELL,
    """>>> rustorch.rnn_relu_cell(rustorch.ones(1, 3), rustorch.ones(1, 2), rustorch.ones(2, 3), rustorch.eye(2))
tensor([[4., 4.]])
""",
    what="an Elman network with relu",
    layer="RNN",
    states="the state",
    each="",
)
def rnn_relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    return _step("RNN_RELU", input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]
