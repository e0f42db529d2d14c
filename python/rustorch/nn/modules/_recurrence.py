"""The steps of recurrent networks, and the walk along a sequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import rustorch
from rustorch._C import Tensor
from rustorch.nn import functional as F

# From the input's share and the hidden state's share of the gates, and the states, to the next states.
StepFunction = Callable[[Tensor, Tensor, list[Tensor]], list[Tensor]]


class Step(NamedTuple):
    """How many gates a step has, and what it does with them."""

    gates: int
    advance: StepFunction


def _lstm(from_input: Tensor, from_hidden: Tensor, states: list[Tensor]) -> list[Tensor]:
    let_in, forget, fresh, let_out = (from_input + from_hidden).chunk(4, -1)
    cell = forget.sigmoid() * states[1] + let_in.sigmoid() * fresh.tanh()
    return [let_out.sigmoid() * cell.tanh(), cell]


def _gru(from_input: Tensor, from_hidden: Tensor, states: list[Tensor]) -> list[Tensor]:
    input_reset, input_update, input_new = from_input.chunk(3, -1)
    hidden_reset, hidden_update, hidden_new = from_hidden.chunk(3, -1)
    update = (input_update + hidden_update).sigmoid()
    new = (input_new + (input_reset + hidden_reset).sigmoid() * hidden_new).tanh()
    return [new + update * (states[0] - new)]


STEPS = {
    "RNN_TANH": Step(1, lambda x, h, _: [(x + h).tanh()]),
    "RNN_RELU": Step(1, lambda x, h, _: [(x + h).relu()]),
    "LSTM": Step(4, _lstm),
    "GRU": Step(3, _gru),
}


def gated(
    step: Step,
    x: Tensor,
    states: list[Tensor],
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None,
    bias_hh: Tensor | None,
) -> list[Tensor]:
    """The states (N, hidden) after one step from x (N, input)."""
    return step.advance(F.linear(x, weight_ih, bias_ih), F.linear(states[0], weight_hh, bias_hh), states)


class Recurrence:
    """A step with its parameters: one layer in one direction."""

    def __init__(
        self,
        step: Step,
        weight_ih: Tensor | None,
        weight_hh: Tensor | None,
        bias_ih: Tensor | None,
        bias_hh: Tensor | None,
        weight_hr: Tensor | None,
    ) -> None:
        if weight_ih is None or weight_hh is None:
            raise RuntimeError("recurrent network: a weight was deleted")
        self.step = step
        self.weight_ih, self.weight_hh = weight_ih, weight_hh
        self.bias_ih, self.bias_hh, self.weight_hr = bias_ih, bias_hh, weight_hr

    def run(self, x: Tensor, states: list[Tensor], *, backwards: bool) -> tuple[Tensor, list[Tensor]]:
        """The hidden states along (L, N, input), from the end if `backwards`, and the last states."""
        if x.shape[0] == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        from_input = F.linear(x, self.weight_ih, self.bias_ih)
        hidden = []
        for t in reversed(range(x.shape[0])) if backwards else range(x.shape[0]):
            states = self._advance(from_input[t], states)
            hidden.append(states[0])
        return rustorch.stack(hidden[::-1] if backwards else hidden), states

    def run_packed(
        self, data: Tensor, sizes: list[int], states: list[Tensor], *, backwards: bool
    ) -> tuple[Tensor, list[Tensor]]:
        """As run(), along packed data of which `sizes` rows belong to each step: the longest sequences come first.

        Forwards, the states of sequences that have ended are laid aside. Backwards, each sequence starts at its own
        end, so that states join in the order in which forwards they leave.
        """
        from_input = F.linear(data, self.weight_ih, self.bias_ih).split(sizes)
        hidden = []
        initial, ended = states, []
        states = [state[: sizes[-1] if backwards else sizes[0]] for state in states]
        for t in reversed(range(len(sizes))) if backwards else range(len(sizes)):
            rows = states[0].shape[0]
            if rows < sizes[t]:
                joining = [state[rows : sizes[t]] for state in initial]
                states = [rustorch.cat(both) for both in zip(states, joining, strict=True)]
            elif rows > sizes[t]:
                ended.append([state[sizes[t] :] for state in states])
                states = [state[: sizes[t]] for state in states]
            states = self._advance(from_input[t], states)
            hidden.append(states[0])
        parts = zip(states, *reversed(ended), strict=True)
        return rustorch.cat(hidden[::-1] if backwards else hidden), [rustorch.cat(of_one) for of_one in parts]

    def _advance(self, from_input: Tensor, states: list[Tensor]) -> list[Tensor]:
        """The states after the step whose input's share of the gates this is."""
        states = self.step.advance(from_input, F.linear(states[0], self.weight_hh, self.bias_hh), states)
        if self.weight_hr is not None:
            states[0] = F.linear(states[0], self.weight_hr)
        return states


def run_layers(
    x: Tensor,
    sizes: list[int] | None,
    states: Sequence[Tensor],
    layers: Sequence[Sequence[Recurrence]],
    dropout: float,
    training: bool,
) -> tuple[Tensor, list[Tensor]]:
    """The last layer's hidden states along (L, N, input), or along packed data with its `sizes`; and the last states.

    `layers` holds each layer's recurrences: forwards, and perhaps backwards, whose outputs lie beside the others.
    `states` are those before the first step: (layers · directions, N, size).
    """
    last: list[list[Tensor]] = [[] for _ in states]
    for layer, directions in enumerate(layers):
        outputs = []
        for direction, recurrence in enumerate(directions):
            start = [state[len(last[0])] for state in states]
            if sizes is None:
                sequence, end = recurrence.run(x, start, backwards=direction == 1)
            else:
                sequence, end = recurrence.run_packed(x, sizes, start, backwards=direction == 1)
            outputs.append(sequence)
            for states_of, state in zip(last, end, strict=True):
                states_of.append(state)
        x = outputs[0] if len(outputs) == 1 else rustorch.cat(outputs, -1)
        if dropout and layer + 1 < len(layers):
            x = F.dropout(x, dropout, training)
    return x, [rustorch.stack(states_of) for states_of in last]
