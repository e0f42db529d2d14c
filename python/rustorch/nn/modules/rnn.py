"""Recurrent networks: Elman's, LSTM (S. Hochreiter and J. Schmidhuber, 1997) and GRU (K. Cho et al., 2014)."""

from __future__ import annotations

from typing import Any, ClassVar

from rustorch._C import Tensor

from ._recurrent_base import RNNBase, RNNCellBase

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]


class RNN(RNNBase):
    """Runs an Elman network along a sequence (J. Elman, 1990).

    `h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)`, or relu. forward(input, h_0=None) gives all h_t of the last
    layer, and each layer's last h; without h_0 it starts from zeros.

    Args:
        input_size: the number of features of each x_t.
        hidden_size: the number of features of h_t.
        num_layers: how many layers are stacked, each on the hidden states of the one before. Default: 1.
        nonlinearity: 'tanh' or 'relu'. Default: 'tanh'.
        bias: whether the gates have biases b_ih and b_hh. Default: True.
        batch_first: whether input and output are (N, L, …) instead of (L, N, …); the states are not concerned.
            Default: False.
        dropout: the probability with which elements between layers become 0 in train(); the last layer's output is left
            as it is. Default: 0.0.
        bidirectional: whether a second network runs from the sequence's end, its outputs beside the first's.
            Default: False.
        device, dtype: where the parameters are and of which dtype; None is the default. Default: None.

    Shape:
        input (L, N, input_size), (N, L, input_size) with batch_first, or (L, input_size); h_0 and the last states
        (num_layers · D, N, hidden_size), or without N; output (L, N, D · hidden_size) in the input's layout; D is 2 if
        bidirectional, else 1. For a PackedSequence of (Σ lengths, input_size) the output is one, too, and the states
        are those at each sequence's own end, in the order in which the sequences were packed.

    Attributes:
        weight_ih_l{k}, weight_hh_l{k}, bias_ih_l{k}, bias_hh_l{k}: layer k's parameters, with `_reverse` those of the
            other direction; the gates' rows lie behind one another. All start uniform within ±1 / √hidden_size.

    Raises:
        ValueError: where dropout is outside [0, 1], or hidden_size or num_layers is not above 0; in forward, where the
            input has other than 2 or 3 dimensions.
        RuntimeError: in forward, where the input's last size is not input_size, a state has another shape, or L is 0.

    Example:

    >>> rnn = rustorch.nn.RNN(10, 20, num_layers=2)
    >>> output, h = rnn(rustorch.ones(5, 3, 10))
    >>> output.shape, h.shape
    (rustorch.Size([5, 3, 20]), rustorch.Size([2, 3, 20]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        self.nonlinearity = nonlinearity
        super().__init__(f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, *args, **kwargs)


class LSTM(RNNBase):
    """Runs a long short-term memory along a sequence (S. Hochreiter and J. Schmidhuber, 1997).

        i = σ(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi)       f = σ(W_if x_t + b_if + W_hf h_{t-1} + b_hf)
        g = tanh(W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)    o = σ(W_io x_t + b_io + W_ho h_{t-1} + b_ho)
        c_t = f · c_{t-1} + i · g                          h_t = o · tanh(c_t), or W_hr (o · tanh(c_t)) with proj_size

    forward(input, (h_0, c_0)=None) gives all h_t of the last layer, and each layer's last (h, c); without states it
    starts from zeros.

    Args:
        input_size: the number of features of each x_t.
        hidden_size: the number of features of c_t, and of h_t without proj_size.
        num_layers: how many layers are stacked, each on the hidden states of the one before. Default: 1.
        bias: whether the gates have biases b_ih and b_hh. Default: True.
        batch_first: whether input and output are (N, L, …) instead of (L, N, …); the states are not concerned.
            Default: False.
        dropout: the probability with which elements between layers become 0 in train(); the last layer's output is left
            as it is. Default: 0.0.
        bidirectional: whether a second network runs from the sequence's end, its outputs beside the first's.
            Default: False.
        proj_size: the size to which h_t is projected (H. Sak et al., 2014), below hidden_size; 0 is no projection.
            Default: 0.
        device, dtype: where the parameters are and of which dtype; None is the default. Default: None.

    Shape:
        input (L, N, input_size), (N, L, input_size) with batch_first, or (L, input_size); h_0 and the last h
        (num_layers · D, N, H), c_0 and the last c (num_layers · D, N, hidden_size), or without N; output (L, N, D · H)
        in the input's layout; H is proj_size or hidden_size, D is 2 if bidirectional, else 1. For a PackedSequence of
        (Σ lengths, input_size) the output is one, too, and the states are those at each sequence's own end, in the
        order in which the sequences were packed.

    Attributes:
        weight_ih_l{k}, weight_hh_l{k}, bias_ih_l{k}, bias_hh_l{k}: layer k's parameters, with `_reverse` those of the
            other direction; the gates' rows lie behind one another. All start uniform within ±1 / √hidden_size.
        weight_hr_l{k}: (proj_size, hidden_size), the projection, with proj_size only. The gates' order is i, f, g, o.

    Raises:
        ValueError: where dropout is outside [0, 1], or hidden_size or num_layers is not above 0; in forward, where the
            input has other than 2 or 3 dimensions.
        RuntimeError: in forward, where the input's last size is not input_size, a state has another shape, or L is 0.

    Example:

    >>> lstm = rustorch.nn.LSTM(10, 20, num_layers=2)
    >>> output, (h, c) = lstm(rustorch.ones(5, 3, 10))
    >>> output.shape, h.shape, c.shape
    (rustorch.Size([5, 3, 20]), rustorch.Size([2, 3, 20]), rustorch.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)


class GRU(RNNBase):
    """Runs gated recurrent units along a sequence (K. Cho et al., 2014).

        r = σ(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)       z = σ(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)
        n = tanh(W_in x_t + b_in + r · (W_hn h_{t-1} + b_hn))
        h_t = (1 - z) · n + z · h_{t-1}

    The reset r multiplies the hidden state's share after its linear map, not the state before it as in the paper: the
    form of PyTorch and cuDNN. forward(input, h_0=None) gives all h_t of the last layer, and each layer's last h;
    without h_0 it starts from zeros.

    Args:
        input_size: the number of features of each x_t.
        hidden_size: the number of features of h_t.
        num_layers: how many layers are stacked, each on the hidden states of the one before. Default: 1.
        bias: whether the gates have biases b_ih and b_hh. Default: True.
        batch_first: whether input and output are (N, L, …) instead of (L, N, …); the states are not concerned.
            Default: False.
        dropout: the probability with which elements between layers become 0 in train(); the last layer's output is left
            as it is. Default: 0.0.
        bidirectional: whether a second network runs from the sequence's end, its outputs beside the first's.
            Default: False.
        device, dtype: where the parameters are and of which dtype; None is the default. Default: None.

    Shape:
        input (L, N, input_size), (N, L, input_size) with batch_first, or (L, input_size); h_0 and the last states
        (num_layers · D, N, hidden_size), or without N; output (L, N, D · hidden_size) in the input's layout; D is 2 if
        bidirectional, else 1. For a PackedSequence of (Σ lengths, input_size) the output is one, too, and the states
        are those at each sequence's own end, in the order in which the sequences were packed.

    Attributes:
        weight_ih_l{k}, weight_hh_l{k}, bias_ih_l{k}, bias_hh_l{k}: layer k's parameters, with `_reverse` those of the
            other direction; the gates' rows lie behind one another. All start uniform within ±1 / √hidden_size.

    Raises:
        ValueError: where dropout is outside [0, 1], or hidden_size or num_layers is not above 0; in forward, where the
            input has other than 2 or 3 dimensions.
        RuntimeError: in forward, where the input's last size is not input_size, a state has another shape, or L is 0.

    Example:

    >>> gru = rustorch.nn.GRU(10, 20, batch_first=True, bidirectional=True)
    >>> output, h = gru(rustorch.ones(3, 5, 10))
    >>> output.shape, h.shape
    (rustorch.Size([3, 5, 40]), rustorch.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)


class RNNCell(RNNCellBase):
    """Computes one step of an Elman network.

    `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)`, or relu. forward(input, hx=None) starts from zeros without a state.

    Args:
        input_size: the number of features of x.
        hidden_size: the number of features of h.
        bias: whether there are biases b_ih and b_hh. Default: True.
        nonlinearity: 'tanh' or 'relu'. Default: 'tanh'.
        device, dtype: where the parameters are and of which dtype; None is the default. Default: None.

    Shape:
        input (N, input_size) or (input_size), hx and output (N, hidden_size) or (hidden_size).

    Attributes:
        weight_ih: (hidden_size, input_size), uniform within ±1 / √hidden_size as all of them.
        weight_hh: (hidden_size, hidden_size).
        bias_ih, bias_hh: (hidden_size), or None.

    Raises:
        ValueError: in forward, where the input or a state has other than 1 or 2 dimensions, or sizes do not fit.
        RuntimeError: in forward, for another nonlinearity.

    Example:

    >>> cell = rustorch.nn.RNNCell(10, 20)
    >>> h = cell(rustorch.ones(3, 10))
    >>> cell(rustorch.ones(3, 10), h).shape
    rustorch.Size([3, 20])
    """

    __constants__: ClassVar[list[str]] = ["input_size", "hidden_size", "bias", "nonlinearity"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._step(f"RNN_{self.nonlinearity.upper()}", input, (hx,))[0]


class LSTMCell(RNNCellBase):
    """Computes one step of a long short-term memory, by the formulas of LSTM.

    forward(input, (h, c)=None) gives the next (h, c); without states it starts from zeros.

    Args:
        input_size: the number of features of the input.
        hidden_size: the number of features of h and of c.
        bias: whether the gates have biases b_ih and b_hh. Default: True.
        device, dtype: where the parameters are and of which dtype; None is the default. Default: None.

    Shape:
        input (N, input_size) or (input_size); h and c, given and returned, (N, hidden_size) or (hidden_size).

    Attributes:
        weight_ih: (4 · hidden_size, input_size), gates i, f, g, o; uniform within ±1 / √hidden_size as all of them.
        weight_hh: (4 · hidden_size, hidden_size).
        bias_ih, bias_hh: (4 · hidden_size), or None.

    Raises:
        ValueError: in forward, where the input or a state has other than 1 or 2 dimensions, or sizes do not fit.

    Example:

    >>> cell = rustorch.nn.LSTMCell(10, 20)
    >>> h, c = cell(rustorch.ones(3, 10))
    >>> h, c = cell(rustorch.ones(3, 10), (h, c))
    >>> h.shape, c.shape
    (rustorch.Size([3, 20]), rustorch.Size([3, 20]))
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        if hx is not None and (isinstance(hx, Tensor) or len(hx) != 2):
            raise TypeError("LSTMCell: hx must be a pair (h, c) of tensors")
        h, c = self._step("LSTM", input, (None, None) if hx is None else hx)
        return h, c


class GRUCell(RNNCellBase):
    """Computes one step of a gated recurrent unit, by the formulas of GRU.

    forward(input, hx=None) gives the next h; without a state it starts from zeros.

    Args:
        input_size: the number of features of the input.
        hidden_size: the number of features of h.
        bias: whether the gates have biases b_ih and b_hh. Default: True.
        device, dtype: where the parameters are and of which dtype; None is the default. Default: None.

    Shape:
        input (N, input_size) or (input_size), hx and output (N, hidden_size) or (hidden_size).

    Attributes:
        weight_ih: (3 · hidden_size, input_size), gates r, z, n; uniform within ±1 / √hidden_size as all of them.
        weight_hh: (3 · hidden_size, hidden_size).
        bias_ih, bias_hh: (3 · hidden_size), or None.

    Raises:
        ValueError: in forward, where the input or a state has other than 1 or 2 dimensions, or sizes do not fit.

    Example:

    >>> cell = rustorch.nn.GRUCell(10, 20)
    >>> cell(rustorch.ones(3, 10)).shape
    rustorch.Size([3, 20])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step("GRU", input, (hx,))[0]
