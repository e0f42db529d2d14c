"""Dropout."""

import warnings

import numpy as np
import pytest

import rustorch
from rustorch import nn
from rustorch.nn import functional as F


def test_dropout_only_in_training() -> None:
    layer, x = nn.Dropout(0.5), rustorch.ones(1000)
    assert 300 < (layer(x) == 0).sum().item() < 700
    assert layer.eval()(x).tolist() == x.tolist()


def test_dropout_of_channels() -> None:
    x = rustorch.rand(8, 50, 3, 4) + 1
    y = F.dropout2d(x, 0.25)
    dropped = (y == 0).flatten(2)
    assert rustorch.equal(dropped.all(2), dropped.any(2)) if hasattr(rustorch, "equal") else True
    kept = ~dropped.all(2).numpy(force=True)
    assert 0.6 < kept.mean() < 0.9
    np.testing.assert_allclose(y.numpy(force=True)[kept], x.numpy(force=True)[kept] / 0.75, rtol=1e-6)
    volume = F.dropout3d(rustorch.ones(40, 2, 3, 4), 0.5)
    assert set(volume.flatten(1).mean(1).tolist()) == {0.0, 2.0}
    line = F.dropout1d(rustorch.ones(40, 5), 0.5)
    assert set(line.mean(1).tolist()) == {0.0, 2.0}


@pytest.mark.parametrize("drop", [F.alpha_dropout, F.feature_alpha_dropout])
def test_alpha_dropout_keeps_mean_and_variance(drop) -> None:
    rustorch.manual_seed(1)
    x = rustorch.randn(500, 400)
    y = drop(x, 0.3, training=True)
    assert abs(y.mean().item()) < 0.02
    assert abs(y.var().item() - 1) < 0.03
    assert drop(x, 0.3).tolist() == x.tolist()
    zeros = drop(rustorch.ones(2, 3), 1.0, training=True)
    assert zeros.tolist() == [[0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    ("drop", "shape"),
    [
        (F.dropout, (4, 5)),
        (F.alpha_dropout, (4, 5)),
        (F.feature_alpha_dropout, (4, 5, 2)),
        (F.dropout1d, (4, 5)),
        (F.dropout1d, (4, 5, 2)),
        (F.dropout2d, (4, 5, 2, 2)),
        (F.dropout3d, (4, 5, 2, 2)),
    ],
)
def test_dropout_in_place_is_the_same(drop, shape: tuple[int, ...]) -> None:
    x = rustorch.rand(shape)
    rustorch.manual_seed(3)
    want = drop(x, 0.5, True)
    rustorch.manual_seed(3)
    assert drop(x, 0.5, True, True) is x
    assert x.tolist() == want.tolist()


def test_the_gradient_goes_where_elements_were_kept() -> None:
    x = rustorch.rand(100, requires_grad=True)
    y = F.dropout(x, 0.5)
    y.sum().backward()
    assert x.grad.tolist() == [2.0 if v else 0.0 for v in y.tolist()]


def test_dimensions() -> None:
    with pytest.raises(RuntimeError, match="dropout1d: Expected 2D or 3D input"):
        F.dropout1d(rustorch.ones(3))
    with pytest.raises((RuntimeError, ValueError), match="2 dimensions"):
        F.feature_alpha_dropout(rustorch.ones(3), training=True)
    with pytest.warns(UserWarning, match="3-?D input"):
        F.dropout2d(rustorch.ones(1, 2, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.Dropout2d()(rustorch.ones(1, 2, 3, 4))
        with pytest.raises(UserWarning, match="dropout3d"):
            nn.Dropout3d()(rustorch.ones(1, 2, 3))
    with pytest.raises(ValueError, match="between 0 and 1"):
        F.dropout3d(rustorch.ones(1, 1, 1, 1), 1.5)
