"""Tables of vectors."""

import numpy as np
import pytest

import rustorch
from rustorch import nn
from rustorch.nn import functional as F


def test_rows_are_scaled_down_to_the_largest_norm() -> None:
    weight = rustorch.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]])
    layer = nn.Embedding.from_pretrained(weight.clone(), freeze=False, max_norm=1.0)
    y = layer(rustorch.tensor([[0, 1], [0, 0]]))
    np.testing.assert_allclose(y[0].tolist(), [[0.6, 0.8], [0.3, 0.4]], rtol=1e-6)
    np.testing.assert_allclose(layer.weight.tolist(), [[0.6, 0.8], [0.3, 0.4], [6, 8]], rtol=1e-6)
    y.sum().backward()
    assert layer.weight.grad.tolist() == [[3, 3], [1, 1], [0, 0]]
    table = weight.clone()
    F.embedding(rustorch.tensor([2]), table, max_norm=7.0, norm_type=1.0)
    np.testing.assert_allclose(table[2].tolist(), [3, 4], rtol=1e-6)


def test_gradients_by_frequency() -> None:
    weight = rustorch.zeros(4, 2, requires_grad=True)
    F.embedding(rustorch.tensor([1, 1, 3, 0, 0, 0]), weight, padding_idx=0, scale_grad_by_freq=True).sum().backward()
    assert weight.grad.tolist() == [[0, 0], [1, 1], [0, 0], [1, 1]]


def test_bags_with_offsets() -> None:
    weight = rustorch.arange(10.0).view(5, 2).requires_grad_()
    index, offsets = rustorch.tensor([1, 2, 4, 3, 1]), rustorch.tensor([0, 2, 2, 4])
    assert F.embedding_bag(index, weight, offsets, mode="sum").tolist() == [[6, 8], [0, 0], [14, 16], [2, 3]]
    assert F.embedding_bag(index, weight, offsets, mode="max").tolist() == [[4, 5], [0, 0], [8, 9], [2, 3]]
    last = F.embedding_bag(index, weight, offsets, mode="mean", include_last_offset=True)
    assert last.tolist() == [[3, 4], [0, 0], [7, 8]]
    F.embedding_bag(index, weight, offsets, mode="max").sum().backward()
    assert weight.grad.tolist() == [[0, 0], [1, 1], [1, 1], [0, 0], [1, 1]]


def test_the_layer_of_bags() -> None:
    layer = nn.EmbeddingBag(5, 3, mode="sum", padding_idx=-1)
    assert repr(layer) == "EmbeddingBag(5, 3, mode='sum', padding_idx=4)"
    assert list(layer.state_dict()) == ["weight"]
    assert layer.weight[4].tolist() == [0, 0, 0]
    index = rustorch.tensor([[0, 4, 1]])
    want = layer.weight[0] + layer.weight[1]
    np.testing.assert_allclose(layer(index)[0].tolist(), want.tolist(), rtol=1e-6)
    frozen = nn.EmbeddingBag.from_pretrained(rustorch.ones(2, 2))
    assert not frozen.weight.requires_grad
    assert repr(nn.Embedding(4, 3, 0, 1.0, 3.0, True)) == (
        "Embedding(4, 3, padding_idx=0, max_norm=1.0, norm_type=3.0, scale_grad_by_freq=True)"
    )


@pytest.mark.parametrize(
    ("kwargs", "error", "text"),
    [
        ({"mode": "median"}, ValueError, "mode has to be one of"),
        ({"offsets": None}, ValueError, "offsets"),
        ({"offsets": [1]}, (RuntimeError, ValueError), r"offsets\[0\] has to be 0"),
        ({"offsets": [0, 7]}, (RuntimeError, ValueError), "offsets"),
        ({"mode": "max", "scale_grad_by_freq": True}, ValueError, "max mode"),
        ({"per_sample_weights": [1.0, 1.0]}, ValueError, "same shape"),
        ({"per_sample_weights": [1.0, 1.0, 1.0]}, NotImplementedError, "mode='sum'"),
        ({"indices": [0, 1, 5]}, (IndexError, RuntimeError), r"(?i)index|range"),
        ({"indices": [0, -1, 2]}, (IndexError, RuntimeError), r"(?i)index|range"),
    ],
)
def test_errors_of_bags(kwargs, error, text: str) -> None:
    kwargs = {"offsets": [0], "indices": [0, 1, 2], "mode": "mean"} | kwargs
    made = {k: rustorch.tensor(v) if isinstance(v, list) else v for k, v in kwargs.items()}
    with pytest.raises(error, match=text):
        F.embedding_bag(made.pop("indices"), rustorch.ones(5, 2), **made)
