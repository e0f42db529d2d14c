"""Activation functions, in place and drawn at random."""

import pickle

import numpy as np
import pytest

import rustorch
from rustorch import nn
from rustorch.nn import functional as F


def test_functions_in_place() -> None:
    for name in ("relu", "relu6", "elu", "selu", "celu", "leaky_relu", "silu", "mish", "hardswish", "hardsigmoid"):
        x = rustorch.linspace(-4, 4, 9)
        want = getattr(F, name)(x)
        assert x[0].item() == -4
        assert getattr(F, name)(x, inplace=True) is x
        assert x.tolist() == want.tolist()


def test_rrelu() -> None:
    x = rustorch.linspace(-1, 1, 2001, requires_grad=True)
    y = F.rrelu(x, 0.2, 0.4, training=True)
    y.sum().backward()
    slopes = x.grad.numpy(force=True)
    assert (slopes[1001:] == 1).all()
    assert ((slopes[:1000] >= 0.2) & (slopes[:1000] < 0.4)).all()
    assert slopes[:1000].std() > 0.03
    np.testing.assert_allclose(y.detach().numpy(force=True), x.detach().numpy(force=True) * slopes, rtol=1e-6)
    np.testing.assert_allclose(nn.RReLU(0.2, 0.4).eval()(x)[0].item(), -0.3, rtol=1e-6)
    with pytest.raises((RuntimeError, ValueError), match=r"(?i)lower"):
        F.rrelu(x, 0.5, 0.25)


def test_gumbel_softmax() -> None:
    rustorch.manual_seed(0)
    logits = rustorch.tensor([1.0, 3.0, 2.0]).log().expand(20000, 3)
    hard = F.gumbel_softmax(logits, hard=True)
    np.testing.assert_allclose(hard.mean(0).tolist(), [1 / 6, 1 / 2, 1 / 3], atol=0.02)
    soft = F.gumbel_softmax(logits, tau=0.5)
    np.testing.assert_allclose(soft.sum(-1).numpy(force=True), 1, rtol=1e-5)
    x = rustorch.zeros(2, 3, requires_grad=True)
    (F.gumbel_softmax(x, hard=True, dim=0) * rustorch.rand(2, 3)).sum().backward()
    assert x.grad.abs().sum().item() > 0


def test_pickles_name_the_module_that_pytorch_names() -> None:
    for layer in (nn.ReLU(), nn.PReLU(2), nn.Hardtanh(), nn.Softshrink(), nn.GELU(), nn.Sigmoid()):
        assert type(layer).__module__ == f"{rustorch.__name__}.nn.modules.activation"
        assert repr(pickle.loads(pickle.dumps(layer))) == repr(layer)


def test_former_names_of_hardtanhs_ends_warn() -> None:
    with pytest.warns(FutureWarning, match="`m.._value` is deprecated and renamed to `m.._val`"):
        layer = nn.Hardtanh(min_value=-2.0, max_value=0.5)
    assert layer(rustorch.tensor([-3.0, -1.0, 1.0])).tolist() == [-2.0, -1.0, 0.5]
