"""Sequences of different lengths: packed, padded, and run through recurrent networks."""

import copy
import pickle
from itertools import product

import numpy as np
import pytest

import rustorch
from rustorch import nn
from rustorch.nn.utils.rnn import (
    PackedSequence,
    invert_permutation,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpack_sequence,
    unpad_sequence,
)

from tests.sample import to_array

LENGTHS = (2, 5, 1, 3, 3)


def sequences(lengths: tuple[int, ...], *sizes: int) -> list[rustorch.Tensor]:
    return [rustorch.randn(length, *sizes, dtype=rustorch.float64) for length in lengths]


def test_packed_data_stand_step_by_step_longest_first() -> None:
    packed = pack_sequence([rustorch.tensor([1, 2]), rustorch.tensor([3, 4, 5]), rustorch.tensor([6])], False)
    assert packed.data.tolist() == [3, 1, 6, 4, 2, 5]
    assert packed.batch_sizes.tolist() == [3, 2, 1]
    assert packed.sorted_indices.tolist() == [1, 0, 2]
    assert packed.unsorted_indices.tolist() == [1, 0, 2]
    data, sizes, order, back = packed
    assert (data is packed.data, sizes is packed[1], order is packed[2], back is packed[3]) == (True,) * 4
    in_order = pack_sequence([rustorch.tensor([3, 4, 5]), rustorch.tensor([1, 2])])
    assert in_order.data.tolist() == [3, 1, 4, 2, 5]
    assert in_order.sorted_indices is None
    assert in_order.unsorted_indices is None


@pytest.mark.parametrize(("batch_first", "sizes"), list(product((False, True), ((), (2,), (2, 3)))))
def test_padding_and_packing_are_each_others_reverse(batch_first: bool, sizes: tuple[int, ...]) -> None:
    given = sequences(LENGTHS, *sizes)
    want = np.full((len(given), 5, *sizes), 7.0)
    for row, sequence in zip(want, given, strict=True):
        row[: len(sequence)] = to_array(sequence)
    padded = pad_sequence(given, batch_first, 7.0)
    np.testing.assert_array_equal(to_array(padded), want if batch_first else want.swapaxes(0, 1))
    packed = pack_padded_sequence(padded, list(LENGTHS), batch_first, enforce_sorted=False)
    again, lengths = pad_packed_sequence(packed, batch_first, 7.0)
    np.testing.assert_array_equal(to_array(again), to_array(padded))
    assert tuple(lengths.tolist()) == LENGTHS
    longer, _ = pad_packed_sequence(packed, batch_first, -1.0, total_length=8)
    assert longer.shape[:2] == ((5, 8) if batch_first else (8, 5))
    assert (longer[:, 5:] if batch_first else longer[5:]).eq(-1).all()
    for got in (unpad_sequence(padded.clone(), lengths, batch_first), unpack_sequence(packed)):
        assert all(rustorch.equal(one, other) for one, other in zip(got, given, strict=True))


def test_padding_on_the_left() -> None:
    padded = pad_sequence([rustorch.tensor([1, 2]), rustorch.tensor([3])], True, padding_side="left")
    assert padded.tolist() == [[1, 2], [0, 3]]


def test_gradients_of_packing_are_those_of_the_sequences() -> None:
    given = [sequence.requires_grad_() for sequence in sequences(LENGTHS, 2)]
    padded, _ = pad_packed_sequence(pack_sequence(given, enforce_sorted=False), padding_value=3.0)
    (padded**2).sum().backward()
    assert all(rustorch.equal(sequence.grad, 2 * sequence.detach()) for sequence in given)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (kind, {"num_layers": layers, "bidirectional": both, **extra})
        for kind, extras in (
            ("RNN", ({}, {"nonlinearity": "relu"})),
            ("LSTM", ({}, {"proj_size": 2}, {"bias": False})),
            ("GRU", ({}, {"bias": False, "batch_first": True})),
        )
        for extra in extras
        for layers, both in ((1, False), (1, True), (3, True))
    ],
)
@pytest.mark.parametrize("with_states", [False, True])
def test_packed_sequences_run_as_each_alone(kind: str, options: dict, with_states: bool) -> None:
    network = getattr(nn, kind)(3, 4, **options, dtype=rustorch.float64)
    given = [sequence.requires_grad_() for sequence in sequences(LENGTHS, 3)]
    count = options["num_layers"] * (1 + options["bidirectional"])
    hidden = options.get("proj_size", 4)
    states = [rustorch.randn(count, 5, size, dtype=rustorch.float64) for size in (hidden, 4)[: 1 + (kind == "LSTM")]]
    for state in states:
        state.requires_grad_()

    def hx(rows: slice | int) -> object:
        picked = [state[:, rows] for state in states]
        return (tuple(picked) if kind == "LSTM" else picked[0]) if with_states else None

    def flat(output: rustorch.Tensor, last: object) -> list[rustorch.Tensor]:
        return [output, *(last if isinstance(last, tuple) else (last,))]

    packed, last = network(pack_sequence(given, enforce_sorted=False), hx(slice(None)))
    assert isinstance(packed, PackedSequence)
    together = [
        flat(out, tuple(s[:, i] for s in flat(*((last[0], last[1:]) if kind == "LSTM" else (last, ())))))
        for i, out in enumerate(unpack_sequence(packed))
    ]
    alone = [flat(*network(sequence, hx(i))) for i, sequence in enumerate(given)]
    leaves = [*given, *network.parameters(), *(states if with_states else ())]
    gradients = []
    for results in (together, alone):
        total = sum((tensor.sin() * (1 + i)).sum() for i, tensors in enumerate(results) for tensor in tensors)
        gradients.append(rustorch.autograd.grad(total, leaves, retain_graph=True))
    for got, want in zip([t for r in together for t in r], [t for r in alone for t in r], strict=True):
        np.testing.assert_allclose(to_array(got), to_array(want), rtol=1e-10, atol=1e-12)
    for got, want in zip(*gradients, strict=True):
        np.testing.assert_allclose(to_array(got), to_array(want), rtol=1e-10, atol=1e-12)


def test_dropout_between_layers_of_packed_sequences() -> None:
    network = nn.GRU(3, 4, num_layers=2, dropout=0.5)
    packed = pack_sequence([rustorch.randn(4, 3), rustorch.randn(2, 3)])
    assert not rustorch.equal(network(packed)[0].data, network(packed)[0].data)
    network.eval()
    assert rustorch.equal(network(packed)[0].data, network(packed)[0].data)


@pytest.mark.cpu_only
def test_a_packed_sequence_moves_and_converts() -> None:
    packed = pack_sequence([rustorch.tensor([1.0]), rustorch.tensor([2.0, 3.0])], enforce_sorted=False)
    assert packed.to("cpu") is packed
    assert packed.cpu() is packed
    assert packed.float() is packed
    for name in ("double", "half", "long", "int", "short", "char", "byte"):
        changed = getattr(packed, name)()
        assert isinstance(changed, PackedSequence)
        assert changed.data.dtype == getattr(packed.data, name)().dtype
        assert changed.batch_sizes is packed.batch_sizes
        assert changed.sorted_indices.dtype == rustorch.int64
    assert not packed.is_cuda
    assert not packed.is_pinned()
    for copied in (copy.deepcopy(packed), pickle.loads(pickle.dumps(packed))):
        assert isinstance(copied, PackedSequence)
        assert [part.tolist() for part in copied] == [part.tolist() for part in packed]


def test_a_packed_sequence_by_hand() -> None:
    data, sizes = rustorch.arange(3), rustorch.tensor([2, 1], device="cpu")
    assert PackedSequence((data, sizes)).data is data
    order = rustorch.tensor([1, 0])
    assert PackedSequence(data, sizes, order).unsorted_indices.tolist() == [1, 0]
    assert invert_permutation(rustorch.tensor([2, 0, 1])).tolist() == [1, 2, 0]
    assert invert_permutation(None) is None


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda x: pack_padded_sequence(x, [3, 2]), "equal to batch_size, but got 2"),
        (lambda x: pack_padded_sequence(x, [3, 2, 0]), "greater than 0"),
        (lambda x: pack_padded_sequence(x, [2, 3, 1]), "sorted in decreasing order"),
        (lambda x: pack_padded_sequence(x, rustorch.tensor([[3, 2, 1]], device="cpu")), "1D CPU int64 tensor"),
        (lambda x: pack_padded_sequence(x[:0], [1, 1, 1]), "Cannot pack empty"),
        (lambda _: pad_sequence([]), "empty list"),
        (lambda _: pad_sequence([rustorch.zeros(2), rustorch.zeros(1)], padding_side="up"), "left or right"),
        (lambda _: pad_sequence([rustorch.zeros(2, 3), rustorch.zeros(1, 4)]), "3.*4"),
        (lambda x: nn.GRU(2, 3)(pack_padded_sequence(x[..., 0], [3, 2, 1])), "must have 2 dimensions"),
        (lambda x: nn.GRU(2, 3)(pack_padded_sequence(x, [3, 2, 1]), rustorch.zeros(1, 2, 3)), "Expected hidden size"),
    ],
)
def test_what_does_not_fit_is_refused(act, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        act(rustorch.zeros(4, 3, 2))


def test_refusals_of_other_kinds() -> None:
    packed = pack_sequence([rustorch.zeros(3)])
    with pytest.raises(ValueError, match="total_length=2"):
        pad_packed_sequence(packed, total_length=2)
    with pytest.raises(ValueError, match=r"lengths|shorter"):
        unpad_sequence(rustorch.zeros(3, 2), rustorch.tensor([1]))


@pytest.mark.rustorch_only
def test_a_length_beyond_the_padding_is_refused() -> None:
    with pytest.raises(RuntimeError, match="5 long, but input has 4 steps"):
        pack_padded_sequence(rustorch.zeros(4, 3, 2), [5, 2, 1])
    with pytest.raises(ValueError, match="only supported for LSTM"):
        nn.RNNBase("GRU", 2, 3, proj_size=2)
    with pytest.raises(ValueError, match="Unrecognized RNN mode: X"):
        nn.RNNBase("X", 2, 3)
