"""What recurrent networks share: the layers and directions of a sequence, and the parameters of one step."""

from __future__ import annotations

import math
import warnings
from typing import Any, ClassVar

import rustorch
from rustorch._C import Tensor
from rustorch.nn import init
from rustorch.nn.parameter import Parameter
from rustorch.nn.utils.rnn import PackedSequence

from ._recurrence import STEPS, Recurrence, gated, run_layers
from .module import Module


class RNNBase(Module):
    """Is the base of RNN, LSTM and GRU: layers, directions, parameters, and the walk along the sequence.

    Use the subclasses, whose pages have the formulas.

    Args:
        mode: the step, 'RNN_TANH', 'RNN_RELU', 'LSTM' or 'GRU'.
        input_size: the number of features of each element of the sequence.
        hidden_size: the number of features of the hidden state.
        num_layers: how many layers are stacked, each on the hidden states of the one before. Default: 1.
        bias: whether the gates have biases b_ih and b_hh. Default: True.
        batch_first: whether input and output are (N, L, …) instead of (L, N, …); the states are not concerned.
            Default: False.
        dropout: the probability with which elements between layers become 0 in train(); the last layer's output is left
            as it is. Default: 0.0.
        bidirectional: whether a second network runs from the sequence's end, its outputs beside the first's.
            Default: False.
        proj_size: for LSTM, the size to which hidden states are projected; 0 is no projection. Default: 0.
        device, dtype: where the parameters are and of which dtype; None is the default. Default: None.

    Shape:
        input (L, N, input_size), (N, L, input_size) with batch_first, or (L, input_size); the output has
        directions · hidden_size features, and the states are (num_layers · directions, N, hidden_size). For a
        PackedSequence as input the output is one, too.

    Attributes:
        weight_ih_l{k}, weight_hh_l{k}, bias_ih_l{k}, bias_hh_l{k}: layer k's parameters, with `_reverse` those of the
            other direction; the gates' rows lie behind one another. All start uniform within ±1 / √hidden_size.

    Raises:
        ValueError: where mode is another word, proj_size is given for another mode than 'LSTM', dropout is outside
            [0, 1], or hidden_size or num_layers is not above 0; in forward, where the input has other than 2 or 3
            dimensions.
        RuntimeError: in forward, where the input's last size is not input_size, a state has another shape, or L is 0.

    Example:

    >>> network = rustorch.nn.RNNBase("GRU", 3, 4)
    >>> output, last = network(rustorch.ones(5, 2, 3))
    >>> output.shape, last.shape
    (rustorch.Size([5, 2, 4]), rustorch.Size([1, 2, 4]))
    """

    # Where it is imported from, and where pickles look for it.
    __module__ = "rustorch.nn.modules.rnn"

    __constants__: ClassVar[list[str]] = [
        "mode",
        "input_size",
        "hidden_size",
        "num_layers",
        "bias",
        "batch_first",
        "dropout",
        "bidirectional",
        "proj_size",
    ]

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if mode not in STEPS:
            raise ValueError(f"Unrecognized RNN mode: {mode}; it is one of {', '.join(STEPS)}")
        if proj_size and mode != "LSTM":
            raise ValueError(f"proj_size argument is only supported for LSTM, not RNN or GRU; {mode} got {proj_size}")
        if not 0 <= dropout <= 1 or isinstance(dropout, bool):
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
            )
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}",
                stacklevel=3,
            )
        if hidden_size <= 0 or num_layers <= 0:
            raise ValueError("hidden_size and num_layers must be greater than zero")
        if proj_size < 0 or proj_size >= hidden_size:
            raise ValueError("proj_size should be a non-negative integer, smaller than hidden_size")
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        rows, out = STEPS[mode].gates * hidden_size, proj_size or hidden_size
        directions = 2 if bidirectional else 1
        for layer in range(num_layers):
            for suffix in self._suffixes(layer):
                sizes = {
                    "weight_ih": (rows, out * directions if layer else input_size),
                    "weight_hh": (rows, out),
                    **({"bias_ih": (rows,), "bias_hh": (rows,)} if bias else {}),
                    **({"weight_hr": (proj_size, hidden_size)} if proj_size else {}),
                }
                for name, size in sizes.items():
                    tensor = rustorch.empty(size, device=device, dtype=dtype)
                    self.register_parameter(name + suffix, Parameter(tensor))
        self.reset_parameters()

    def _suffixes(self, layer: int) -> list[str]:
        """The endings of the names of a layer's parameters, by direction."""
        return [f"_l{layer}", f"_l{layer}_reverse"][: 2 if self.bidirectional else 1]

    def reset_parameters(self) -> None:
        """Sets the parameters to fresh initial values, uniform over ±1 / √hidden_size."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Does nothing: it is for devices that want the parameters in one piece."""

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters of each layer and direction."""
        suffixes = [s for layer in range(self.num_layers) for s in self._suffixes(layer)]
        return [[weight for weight in self._weights(suffix) if weight is not None] for suffix in suffixes]

    def _weights(self, suffix: str) -> list[Tensor | None]:
        """What computes one layer in one direction: attributes, because programs put other tensors in their place."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        return [getattr(self, name + suffix, None) for name in names]

    def _recurrence(self, suffix: str) -> Recurrence:
        return Recurrence(STEPS[self.mode], *self._weights(suffix))

    def _initial(self, hx: Any, batch: int, like: Tensor, batched: bool) -> list[Tensor]:
        """The hidden state, and for LSTM the memory cell, before the first step: (layers · directions, N, size)."""
        sizes = [self.proj_size or self.hidden_size] + ([self.hidden_size] if self.mode == "LSTM" else [])
        first = self.num_layers * (2 if self.bidirectional else 1)
        if hx is None:
            return [rustorch.zeros((first, batch, size), dtype=like.dtype, device=like.device) for size in sizes]
        given = [hx] if len(sizes) == 1 else list(hx)
        if len(given) != len(sizes) or not all(isinstance(state, Tensor) for state in given):
            raise TypeError(f"{self._get_name()}: hx must be {'a tensor' if len(sizes) == 1 else 'a pair (h_0, c_0)'}")
        dimensions = 3 if batched else 2
        if any(state.ndim != dimensions for state in given):
            raise RuntimeError(
                f"For {'batched 3-D' if batched else 'unbatched 2-D'} input, hx and cx should also be {dimensions}-D "
                f"but got {' and '.join(f'{state.ndim}-D' for state in given)} tensors"
            )
        given = given if batched else [state.unsqueeze(1) for state in given]
        for index, (state, size) in enumerate(zip(given, sizes, strict=True)):
            if tuple(state.shape) != (first, batch, size):
                which = f"[{index}]" if len(sizes) == 2 else ""
                raise RuntimeError(f"Expected hidden{which} size {(first, batch, size)}, got {list(state.shape)}")
        return given

    def _run(self, x: Tensor, sizes: list[int] | None, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """All layers and directions along (L, N, input), or along packed data with its `sizes`; and the last states."""
        layers = [[self._recurrence(s) for s in self._suffixes(layer)] for layer in range(self.num_layers)]
        return run_layers(x, sizes, states, layers, self.dropout, self.training)

    def forward(self, input: Any, hx: Any = None) -> Any:
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        if input.ndim not in (2, 3):
            raise ValueError(f"{self._get_name()}: Expected input to be 2D or 3D, got {input.ndim}D instead")
        self._check_features(input)
        batched = input.ndim == 3
        x = input if batched else input.unsqueeze(1)
        if batched and self.batch_first:
            x = x.transpose(0, 1)
        x, last = self._run(x, None, self._initial(hx, x.shape[1], x, batched))
        if not batched:
            x, last = x.squeeze(1), [state.squeeze(1) for state in last]
        elif self.batch_first:
            x = x.transpose(0, 1)
        return x, tuple(last) if len(last) == 2 else last[0]

    def _forward_packed(self, input: PackedSequence, hx: Any) -> Any:
        data, sizes, order, back = input
        if data.ndim != 2:
            raise RuntimeError(f"{self._get_name()}: packed input must have 2 dimensions, got {data.ndim}")
        self._check_features(data)
        states = self._initial(hx, int(sizes[0]), data, True)
        if order is not None:
            states = [state.index_select(1, order) for state in states]
        data, last = self._run(data, sizes.tolist(), states)
        if back is not None:
            last = [state.index_select(1, back) for state in last]
        return PackedSequence(data, sizes, order, back), tuple(last) if len(last) == 2 else last[0]

    def _check_features(self, input: Tensor) -> None:
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"{self._get_name()}: input.size(-1) must be equal to input_size. "
                f"Expected {self.input_size}, got {input.shape[-1]}"
            )

    def extra_repr(self) -> str:
        settings = {
            "proj_size": (self.proj_size, 0),
            "num_layers": (self.num_layers, 1),
            "bias": (self.bias, True),
            "batch_first": (self.batch_first, False),
            "dropout": (self.dropout, 0.0),
            "bidirectional": (self.bidirectional, False),
        }
        told = "".join(f", {name}={value}" for name, (value, usual) in settings.items() if value != usual)
        return f"{self.input_size}, {self.hidden_size}{told}"


class RNNCellBase(Module):
    """Is the base of RNNCell, LSTMCell and GRUCell: the parameters of one step.

    Use the subclasses, which have a forward().

    Args:
        input_size: the number of features of the input.
        hidden_size: the number of features of the hidden state.
        bias: whether the gates have biases b_ih and b_hh.
        num_chunks: how many gates there are: 1, 4 for LSTM, 3 for GRU.
        device, dtype: where the parameters are and of which dtype; None is the default. Default: None.

    Shape:
        input (N, input_size) or (input_size), states (N, hidden_size) or (hidden_size).

    Attributes:
        weight_ih: (num_chunks · hidden_size, input_size), uniform within ±1 / √hidden_size as all of them.
        weight_hh: (num_chunks · hidden_size, hidden_size).
        bias_ih, bias_hh: (num_chunks · hidden_size), or None.

    Example:

    >>> rustorch.nn.RNNCellBase(3, 4, bias=True, num_chunks=3).weight_hh.shape
    rustorch.Size([12, 4])
    """

    # Where it is imported from, and where pickles look for it.
    __module__ = "rustorch.nn.modules.rnn"

    __constants__: ClassVar[list[str]] = ["input_size", "hidden_size", "bias"]

    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size

        def parameter(*size: int) -> Parameter:
            return Parameter(rustorch.empty(size, device=device, dtype=dtype))

        self.weight_ih = parameter(rows, input_size)
        self.weight_hh = parameter(rows, hidden_size)
        self.register_parameter("bias_ih", parameter(rows) if bias else None)
        self.register_parameter("bias_hh", parameter(rows) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the parameters to fresh initial values."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0.0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _step(self, mode: str, input: Tensor, states: tuple[Tensor | None, ...]) -> list[Tensor]:
        """The states after one step from (N, input_size) or (input_size), from zeros where there are none."""
        if input.ndim not in (1, 2):
            raise ValueError(f"{self._get_name()}: Expected input to be 1D or 2D, got {input.ndim}D instead")
        x = input if input.ndim == 2 else input.unsqueeze(0)
        if x.shape[1] != self.input_size:
            raise rustorch.ShapeMismatchError(
                f"{self._get_name()}: input has inconsistent input_size: got {x.shape[1]}, expected {self.input_size}, "
                f"for an input of shape {list(input.shape)}"
            )
        before = []
        for index, state in enumerate(states):
            if state is None:
                state = rustorch.zeros((x.shape[0], self.hidden_size), dtype=x.dtype, device=x.device)
            elif state.ndim not in (1, 2):
                raise ValueError(f"{self._get_name()}: Expected hidden to be 1D or 2D, got {state.ndim}D instead")
            before.append(state if state.ndim == 2 else state.unsqueeze(0))
            if before[-1].shape != (x.shape[0], self.hidden_size):
                raise rustorch.ShapeMismatchError(
                    f"{self._get_name()}: hidden{index} has inconsistent hidden_size or batch: got a state of shape "
                    f"{list(state.shape)}, expected {[*input.shape[:-1], self.hidden_size]} for an input of shape "
                    f"{list(input.shape)}"
                )
        weights = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        after = gated(STEPS[mode], x, before, *weights)
        return after if input.ndim == 2 else [state.squeeze(0) for state in after]

    def extra_repr(self) -> str:
        bias = "" if self.bias else f", bias={self.bias}"
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        return f"{self.input_size}, {self.hidden_size}{bias}" + (
            f", nonlinearity={nonlinearity}" if nonlinearity != "tanh" else ""
        )
