"""Tensors of modules that other modules compute."""

import copy
import pickle

import pytest

import rustorch
from rustorch import nn
from rustorch.nn.utils import parametrize
from rustorch.nn.utils.parametrize import register_parametrization, remove_parametrizations


class Doubled(nn.Module):
    def forward(self, x):
        return 2 * x

    def right_inverse(self, x):
        return x / 2


class Shifted(nn.Module):
    def forward(self, x):
        return x + 1


class Product(nn.Module):
    def forward(self, x, y):
        return x @ y

    def right_inverse(self, z):
        return z.clone(), rustorch.eye(z.shape[-1])


class Counted(nn.Module):
    calls = 0

    def forward(self, x):
        self.calls += 1
        return x * 1


class Wide(nn.Module):
    def forward(self, x):
        return x.to(rustorch.float64)


class Halved(nn.Module):
    def forward(self, x):
        return x[:1]


def test_a_parametrized_weight_is_computed_from_the_original() -> None:
    layer = nn.Linear(3, 2)
    before = layer.weight.detach().clone()
    original = layer.weight
    assert register_parametrization(layer, "weight", Doubled()) is layer
    assert layer.parametrizations.weight.original is original
    assert rustorch.equal(layer.weight, before)
    assert rustorch.equal(original, before / 2)
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
    assert dict(layer.named_parameters()).keys() == {"bias", "parametrizations.weight.original"}
    assert "ParametrizedLinear(" in repr(layer)
    x = rustorch.randn(4, 3)
    layer(x).sum().backward()
    assert rustorch.allclose(original.grad, 2 * x.sum(0).expand(2, 3), atol=1e-6)
    register_parametrization(layer, "weight", Shifted())
    assert rustorch.equal(layer.weight, before + 1)
    assert len(layer.parametrizations.weight) == 2


def test_assignment_goes_through_the_right_inverse() -> None:
    layer = register_parametrization(nn.Linear(3, 2), "weight", Doubled())
    layer.weight = rustorch.full((2, 3), 4.0)
    assert layer.parametrizations.weight.original.eq(2).all()
    assert layer.weight.eq(4).all()
    register_parametrization(layer, "weight", Shifted())
    with pytest.raises(RuntimeError, match="Shifted does not implement right_inverse"):
        layer.weight = rustorch.zeros(2, 3)
    with pytest.raises(KeyError, match="already exists"):
        layer.weight = nn.Parameter(rustorch.zeros(2, 3))


def test_a_right_inverse_of_two_tensors() -> None:
    layer = nn.Linear(3, 3)
    before = layer.weight.detach().clone()
    register_parametrization(layer, "weight", Product())
    assert list(layer.state_dict()) == [
        "bias",
        "parametrizations.weight.original0",
        "parametrizations.weight.original1",
    ]
    assert all(p.requires_grad and p.is_leaf for p in layer.parametrizations.weight.parameters())
    assert rustorch.allclose(layer.weight, before)
    layer.weight = before * 3
    assert rustorch.allclose(layer.weight, before * 3)
    with pytest.raises(ValueError, match="leave_parametrized=False"):
        remove_parametrizations(layer, "weight", leave_parametrized=False)
    remove_parametrizations(layer, "weight")
    assert type(layer.weight) is nn.Parameter
    assert rustorch.allclose(layer.weight, before * 3)


@pytest.mark.parametrize("leave", [True, False])
def test_removal_leaves_a_plain_module(leave: bool) -> None:
    layer = nn.Linear(3, 2)
    before = layer.weight.detach().clone()
    names = list(layer.state_dict())
    register_parametrization(layer, "weight", Shifted())
    original = layer.parametrizations.weight.original
    assert parametrize.is_parametrized(layer)
    assert parametrize.is_parametrized(layer, "weight")
    assert not parametrize.is_parametrized(layer, "bias")
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    assert remove_parametrizations(layer, "weight", leave_parametrized=leave) is layer
    assert layer.weight is original
    assert rustorch.equal(layer.weight, before + 1 if leave else before)
    assert type(layer) is nn.Linear
    assert not parametrize.is_parametrized(layer)
    assert sorted(layer.state_dict()) == sorted(names)
    assert parametrize.type_before_parametrizations(layer) is nn.Linear


def test_buffers_can_be_parametrized() -> None:
    norm = nn.BatchNorm1d(3)
    register_parametrization(norm, "running_mean", Shifted())
    assert norm.running_mean.tolist() == [1, 1, 1]
    assert "parametrizations.running_mean.original" in norm.state_dict()
    assert not isinstance(norm.parametrizations.running_mean.original, nn.Parameter)


def test_cached_computes_once() -> None:
    counted = Counted()
    layer = register_parametrization(nn.Linear(3, 2), "weight", counted, unsafe=True)
    counted.calls = 0
    with parametrize.cached():
        first = layer.weight
        with parametrize.cached():
            assert layer.weight is first
        assert layer.weight is first
        assert counted.calls == 1
    assert layer.weight is not first
    assert counted.calls == 2


def test_copies_have_their_own_tensors() -> None:
    layer = register_parametrization(nn.Linear(3, 2), "weight", Doubled())
    copied = copy.deepcopy(layer)
    assert rustorch.equal(copied.weight, layer.weight)
    copied.weight = rustorch.zeros(2, 3)
    assert not layer.weight.eq(0).any()
    with pytest.raises(RuntimeError, match="only supported through state_dict"):
        pickle.dumps(layer)


@pytest.mark.rustorch_only  # PyTorch's copies share a class
def test_removal_from_a_copy_leaves_the_module_whole() -> None:
    layer = register_parametrization(nn.Linear(3, 2), "weight", Shifted())
    copied = copy.deepcopy(layer)
    remove_parametrizations(copied, "weight")
    assert type(copied) is nn.Linear
    assert rustorch.equal(copied.weight, layer.weight)
    again = copy.deepcopy(layer)
    with parametrize.cached():
        assert layer.weight is not again.weight


def test_states_are_loaded_and_training_is_followed() -> None:
    layer = register_parametrization(nn.Linear(3, 2).eval(), "weight", Doubled())
    assert not layer.parametrizations.weight[0].training
    other = register_parametrization(nn.Linear(3, 2), "weight", Doubled())
    other.load_state_dict(layer.state_dict())
    assert rustorch.equal(other.weight, layer.weight)


def test_transfer_shares_the_originals() -> None:
    source = register_parametrization(nn.Linear(3, 2), "weight", Doubled())
    target = nn.Linear(3, 2)
    assert parametrize.transfer_parametrizations_and_params(source, target, "weight") is target
    assert target.parametrizations.weight.original is source.parametrizations.weight.original
    assert rustorch.equal(target.weight, source.weight)
    plain = nn.Linear(3, 2)
    assert parametrize.transfer_parametrizations_and_params(plain, nn.Identity()).__class__ is nn.Identity


@pytest.mark.parametrize(
    ("parametrization", "text"),
    [
        (Wide, "may not change the dtype"),
        (Halved, "may not change the shape"),
        (lambda: nn.LSTM(3, 2), "must return a tensor"),
    ],
)
@pytest.mark.parametrize("already", [False, True])
def test_what_changes_the_tensor_is_refused_unless_unsafe(parametrization, text: str, already: bool) -> None:
    layer = nn.Linear(3, 2)
    if already:
        register_parametrization(layer, "weight", Shifted())
    with pytest.raises(ValueError, match=text):
        register_parametrization(layer, "weight", parametrization())
    assert len(layer.parametrizations.weight) == 1 if already else type(layer) is nn.Linear
    register_parametrization(layer, "weight", parametrization(), unsafe=True)
    assert len(layer.parametrizations.weight) == 1 + already


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="does not have a parameter, a buffer"):
        register_parametrization(nn.Linear(3, 2), "scale", Doubled())
    with pytest.raises(ValueError, match="does not have a parametrization on"):
        remove_parametrizations(nn.Linear(3, 2), "weight")
    with pytest.raises(ValueError, match="requires one or more modules"):
        parametrize.ParametrizationList([], rustorch.zeros(1))
