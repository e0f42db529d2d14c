"""Softmax over frequent and rare classes."""

import numpy as np
import pytest

import rustorch
from rustorch import nn

from tests.sample import to_array


def log_softmax(x: np.ndarray) -> np.ndarray:
    x = x - x.max(1, keepdims=True)
    return x - np.log(np.exp(x).sum(1, keepdims=True))


def by_formula(layer: nn.Module, x: np.ndarray) -> np.ndarray:
    """The log-probabilities of all classes."""
    state = {name: to_array(tensor) for name, tensor in layer.state_dict().items()}
    head = log_softmax(x @ state["head.weight"].T + state.get("head.bias", 0))
    parts = [head[:, : layer.shortlist_size]]
    for i in range(layer.n_clusters):
        scores = x @ state[f"tail.{i}.0.weight"].T @ state[f"tail.{i}.1.weight"].T
        parts.append(log_softmax(scores) + head[:, layer.shortlist_size + i, None])
    return np.concatenate(parts, 1)


@pytest.mark.parametrize("head_bias", [False, True])
def test_log_probabilities_are_those_of_head_and_cluster(head_bias: bool) -> None:
    layer = nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], 2.0, head_bias, dtype=rustorch.float64)
    assert [tuple(p.shape) for p in layer.parameters()] == [
        (6, 8),
        *([(6,)] * head_bias),
        (4, 8),
        (6, 4),
        (2, 8),
        (10, 2),
    ]
    x = rustorch.randn(7, 8, dtype=rustorch.float64, requires_grad=True)
    want = by_formula(layer, to_array(x.detach()))
    np.testing.assert_allclose(to_array(layer.log_prob(x).detach()), want, rtol=1e-10)
    np.testing.assert_array_equal(to_array(layer.predict(x)), want.argmax(1))
    target = rustorch.tensor([0, 3, 4, 9, 10, 19, 2])
    output, loss = layer(x, target)
    chosen = want[np.arange(7), to_array(target)]
    np.testing.assert_allclose(to_array(output.detach()), chosen, rtol=1e-10)
    assert loss.item() == pytest.approx(-chosen.mean())
    leaves = [x, *layer.parameters()]
    got = rustorch.autograd.grad(loss, leaves)
    whole = -layer.log_prob(x).gather(1, target.unsqueeze(1)).mean()
    for one, other in zip(got, rustorch.autograd.grad(whole, leaves), strict=True):
        np.testing.assert_allclose(to_array(one), to_array(other), rtol=1e-9, atol=1e-12)


def test_one_example_without_a_batch() -> None:
    layer = nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4])
    x = rustorch.randn(8)
    result = layer(x, rustorch.tensor(7))
    assert result.output.shape == result.loss.shape == ()
    assert result.output.item() == pytest.approx(layer(x.unsqueeze(0), rustorch.tensor([7])).output.item(), rel=1e-5)


@pytest.mark.parametrize("rows", [1, 2])
def test_predictions_of_frequent_classes_alone(rows: int) -> None:
    layer = nn.AdaptiveLogSoftmaxWithLoss(4, 6, [3], head_bias=True)
    with rustorch.no_grad():
        layer.head.bias.copy_(rustorch.tensor([0.0, 100.0, 0.0, 0.0]))
    assert layer.predict(rustorch.zeros(rows, 4)).tolist() == [1] * rows


def test_parameters_are_drawn_anew() -> None:
    layer = nn.AdaptiveLogSoftmaxWithLoss(16, 20, [4, 10])
    before = [parameter.detach().clone() for parameter in layer.parameters()]
    layer.reset_parameters()
    assert not any(rustorch.equal(one, other) for one, other in zip(layer.parameters(), before, strict=True))


@pytest.mark.parametrize("cutoffs", [[], [0, 5], [5, 5], [10, 5], [20], [2.5]])
def test_cutoffs_that_do_not_fit_are_refused(cutoffs: list) -> None:
    with pytest.raises(ValueError, match="cutoffs should be a sequence"):
        nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs)


@pytest.mark.parametrize(
    ("shape", "target", "text"),
    [
        ((2, 8), [1, 20], r"in \[0, 19\], but values in range \[1, 20\]"),
        ((2, 8), [1, -1], r"values in range \[-1, 1\]"),
        ((2, 8), [1, 2, 3], "same size in the batch dimension"),
        ((2, 8), [[1], [2]], "multi-target not supported"),
        ((2, 3, 8), [1, 2], "1D target tensor expects 2D input"),
        ((2, 8), 1, "0D target tensor expects 1D input"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(shape: tuple[int, ...], target: object, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4])(rustorch.zeros(shape), rustorch.tensor(target))
