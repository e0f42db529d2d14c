"""`nn.utils`: clipped gradients, and parameters as one vector."""

import numpy as np
import pytest

import rustorch
from rustorch import nn


def test_gradient_clipping() -> None:
    a, b = (rustorch.ones(2, requires_grad=True) for _ in range(2))
    (3 * a.sum() + 4 * b.sum()).backward()
    total = nn.utils.clip_grad_norm_([a, b], 1.0)
    assert total.item() == pytest.approx(np.sqrt(50))
    np.testing.assert_allclose(a.grad.tolist() + b.grad.tolist(), np.array([3, 3, 4, 4]) / np.sqrt(50), rtol=1e-5)
    nn.utils.clip_grad_value_([a, b], 0.5)
    np.testing.assert_allclose(b.grad.tolist(), [0.5, 0.5])
    a.grad.fill_(float("inf"))
    with pytest.raises(RuntimeError, match="non-finite"):
        nn.utils.clip_grad_norm_(a, 1.0, error_if_nonfinite=True)


def test_parameters_as_a_vector() -> None:
    layer = nn.Linear(2, 3)
    vector = nn.utils.parameters_to_vector(layer.parameters()).detach()
    nn.utils.vector_to_parameters(vector * 0 + rustorch.arange(9.0), layer.parameters())
    assert layer.weight.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert layer.bias.tolist() == [6, 7, 8]


def test_gradients_are_scaled_by_a_norm_that_is_known() -> None:
    p = nn.Parameter(rustorch.zeros(2))
    p.grad = rustorch.tensor([3.0, 4.0])
    nn.utils.clip_grads_with_norm_([p, nn.Parameter(rustorch.zeros(1))], 2.0, rustorch.tensor(10.0))
    assert rustorch.allclose(p.grad, rustorch.tensor([0.6, 0.8]))
    nn.utils.clip_grads_with_norm_(p, 2.0, rustorch.tensor(1.0))
    assert rustorch.allclose(p.grad, rustorch.tensor([0.6, 0.8]))


def test_the_old_name_of_clip_grad_norm_warns() -> None:
    p = nn.Parameter(rustorch.zeros(2))
    p.grad = rustorch.tensor([3.0, 4.0])
    with pytest.warns(FutureWarning, match="clip_grad_norm` is now deprecated"):
        assert nn.utils.clip_grad_norm(p, 1.0).item() == 5
    assert rustorch.allclose(p.grad, rustorch.tensor([0.6, 0.8]))


def test_the_norm_of_one_tensor() -> None:
    assert nn.utils.get_total_norm(rustorch.tensor([3.0, -4.0]), foreach=False).item() == 5
    assert nn.utils.get_total_norm([rustorch.tensor([3.0]), rustorch.tensor([-4.0])], float("inf")).item() == 4
