"""Initial values: their distributions, and that a seed draws them in order."""

import math
from collections.abc import Callable

import numpy as np
import pytest

import rustorch
from rustorch import nn
from rustorch.nn import init

from tests.sample import to_array


@pytest.mark.parametrize(
    ("build", "fan_in"),
    [
        (lambda: nn.Linear(300, 400), 300),
        (lambda: nn.Conv2d(40, 80, 5, groups=2), 20 * 25),
        (lambda: nn.Conv1d(60, 90, 7), 420),
    ],
)
def test_initial_weights_are_uniform_over_the_fan_in(build, fan_in: int) -> None:
    layer = build()
    bound = 1 / math.sqrt(fan_in)
    for parameter in (layer.weight, layer.bias):
        assert abs(parameter).max().item() <= bound
    assert layer.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.02)
    assert layer.weight.mean().item() == pytest.approx(0, abs=0.02 * bound)


def test_initial_values_of_norms_and_embeddings() -> None:
    norm = nn.BatchNorm2d(7)
    assert norm.weight.tolist() == norm.running_var.tolist() == [1] * 7
    assert norm.bias.tolist() == norm.running_mean.tolist() == [0] * 7
    assert norm.num_batches_tracked.item() == 0
    table = nn.Embedding(500, 60, padding_idx=3)
    assert not table.weight[3].any().item()
    assert table.weight.std().item() == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize(
    ("name", "args", "std"),
    [
        ("uniform_", (-2, 4), 6 / math.sqrt(12)),
        ("normal_", (0, 0.3), 0.3),
        ("xavier_uniform_", (2.0,), 2 * math.sqrt(2 / 500)),
        ("xavier_normal_", (), math.sqrt(2 / 500)),
        ("kaiming_uniform_", (), math.sqrt(2 / 200)),
        ("kaiming_normal_", (0, "fan_out"), math.sqrt(2 / 300)),
        ("trunc_normal_", (0, 1, -1, 1), 0.5396),
    ],
)
def test_initialisers(name: str, args: tuple, std: float) -> None:
    w = rustorch.empty(300, 200)
    assert getattr(init, name)(w, *args) is w
    assert w.std().item() == pytest.approx(std, rel=0.02)


def test_initialisers_of_constants() -> None:
    assert init.constant_(rustorch.empty(2), 3).tolist() == [3, 3]
    assert init.ones_(rustorch.empty(2)).tolist() == [1, 1]
    assert init.zeros_(rustorch.empty(2)).tolist() == [0, 0]
    assert init.eye_(rustorch.empty(2, 2)).tolist() == [[1, 0], [0, 1]]
    assert init.calculate_gain("leaky_relu", 0.2) == pytest.approx(math.sqrt(2 / 1.04))


@pytest.mark.parametrize(
    ("build", "fan_in"),
    [
        (lambda: nn.Linear(5, 3), 5),
        (lambda: nn.Conv2d(4, 6, (3, 2), groups=2), 12),
        (lambda: nn.ConvTranspose1d(4, 6, 3, groups=2), 9),
    ],
)
def test_a_seed_draws_the_weight_and_then_the_bias(build: Callable[[], nn.Module], fan_in: int) -> None:
    rustorch.manual_seed(7)
    layer = build()
    rustorch.manual_seed(7)
    for parameter in (layer.weight, layer.bias):
        drawn = rustorch.empty(parameter.shape).uniform_(-(fan_in**-0.5), fan_in**-0.5)
        np.testing.assert_allclose(to_array(parameter), to_array(drawn), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("uniform", (2.0, 3.0)),
        ("normal", (1.0, 2.0)),
        ("constant", (3.0,)),
        ("eye", ()),
        ("xavier_uniform", ()),
        ("xavier_normal", (2.0,)),
        ("kaiming_uniform", ()),
        ("kaiming_normal", ()),
        ("orthogonal", ()),
        ("sparse", (0.5,)),
    ],
)
def test_former_names_warn_and_do_the_same(name: str, args: tuple[float, ...]) -> None:
    rustorch.manual_seed(1)
    want = getattr(nn.init, f"{name}_")(rustorch.empty(4, 3), *args)
    rustorch.manual_seed(1)
    with pytest.warns(FutureWarning, match=f"`nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`"):
        got = getattr(nn.init, name)(rustorch.empty(4, 3), *args)
    assert rustorch.equal(got, want)
    assert getattr(nn.init, name).__name__ == name


def test_dirac_of_groups() -> None:
    conv = nn.Conv1d(4, 4, 3, padding=1, groups=2, bias=False)
    nn.init.dirac_(conv.weight, 2)
    x = rustorch.randn(1, 4, 5)
    assert rustorch.equal(conv(x), x)
    with pytest.warns(FutureWarning, match=r"nn\.init\.dirac"):
        nn.init.dirac(conv.weight, 2)
    with pytest.raises(ValueError, match="divisible by groups"):
        nn.init.dirac_(rustorch.empty(3, 2, 3), 2)


@pytest.mark.parametrize("sparsity", [0.0, 0.1, 0.5, 1.0])
def test_sparse_columns_have_their_share_of_zeros(sparsity: float) -> None:
    matrix = nn.init.sparse_(rustorch.empty(7, 200), sparsity, std=2.0)
    assert matrix.eq(0).sum(0).eq(int(np.ceil(sparsity * 7))).all()
    if sparsity < 1:
        assert abs(matrix[matrix != 0].std().item() - 2.0) < 0.3
    with pytest.raises(ValueError, match="2 dimensions"):
        nn.init.sparse_(rustorch.empty(3), 0.5)
