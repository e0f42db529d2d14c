"""Masks that set parts of parameters to zero."""

import copy
import pickle

import numpy as np
import pytest

import rustorch
from rustorch import nn
from rustorch.nn.utils import prune

from tests.sample import to_array


def weight(*shape: int) -> rustorch.Tensor:
    """Numbers no two of which have the same magnitude."""
    count = int(np.prod(shape))
    signs = 1 - 2 * (np.arange(count) % 3 == 0)
    return rustorch.tensor((np.random.default_rng(0).permutation(count) + 1.0) * signs).reshape(shape)


def layer(*shape: int) -> nn.Module:
    made = nn.Module()
    made.forward = lambda x: x * made.weight
    made.weight = nn.Parameter(weight(*shape))
    return made


def test_a_pruned_parameter_is_the_original_times_a_mask() -> None:
    net = nn.Linear(3, 2)
    original = net.weight
    assert prune.l1_unstructured(net, "weight", amount=2) is net
    assert sorted(net.state_dict()) == ["bias", "weight_mask", "weight_orig"]
    assert net.weight_orig is original
    assert "weight" not in dict(net.named_parameters())
    assert rustorch.equal(net.weight, original * net.weight_mask)
    with rustorch.no_grad():
        original.add_(1)
    x = rustorch.randn(4, 3)
    out = net(x)
    assert rustorch.allclose(out, nn.functional.linear(x, original * net.weight_mask, net.bias))
    out.sum().backward()
    assert rustorch.allclose(original.grad, x.sum(0) * net.weight_mask)


@pytest.mark.parametrize("amount", [0, 5, 24, 0.0, 0.3, 1.0])
def test_the_smallest_magnitudes_are_pruned(amount: float) -> None:
    net = layer(4, 3, 2)
    prune.l1_unstructured(net, "weight", amount)
    count = amount if isinstance(amount, int) else round(24 * amount)
    np.testing.assert_array_equal(to_array(net.weight_mask), np.abs(to_array(weight(4, 3, 2))) > count)


def test_random_elements_are_pruned() -> None:
    masks = [prune.random_unstructured(layer(4, 5), "weight", 0.35).weight_mask for _ in range(2)]
    assert [int(mask.sum()) for mask in masks] == [13, 13]
    assert not rustorch.equal(*masks)


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("n", [1, 2, float("inf"), "fro"])
def test_channels_of_the_smallest_norms_are_pruned(n: float | str, dim: int) -> None:
    net = layer(4, 3, 5)
    prune.ln_structured(net, "weight", 2, n, dim)
    channels = np.moveaxis(to_array(weight(4, 3, 5)), dim, 0)
    rows = channels.reshape(channels.shape[0], -1)
    norms = np.linalg.norm(rows, 2 if n == "fro" else n, axis=1)
    kept = np.isin(np.arange(len(norms)), np.argsort(norms)[2:])
    mask = np.moveaxis(to_array(net.weight_mask), dim, 0).reshape(len(norms), -1)
    np.testing.assert_array_equal(mask, np.broadcast_to(kept[:, None], mask.shape))


def test_random_channels_are_pruned() -> None:
    net = prune.random_structured(layer(6, 3), "weight", 0.5, dim=0)
    rows = net.weight_mask.sum(1).tolist()
    assert sorted(rows) == [0, 0, 0, 3, 3, 3]


def test_pruning_goes_on_with_what_is_left() -> None:
    net = layer(4, 5)
    prune.l1_unstructured(net, "weight", 5)
    prune.l1_unstructured(net, "weight", 0.2)
    np.testing.assert_array_equal(to_array(net.weight_mask), np.abs(to_array(weight(4, 5))) > 8)
    prune.random_structured(net, "weight", 1, dim=0)
    (container,) = net._forward_pre_hooks.values()
    assert isinstance(container, prune.PruningContainer)
    assert [type(method).__name__ for method in container] == ["L1Unstructured", "L1Unstructured", "RandomStructured"]
    assert container[0].amount == 5
    assert sorted(net.weight_mask.sum(1).tolist())[0] == 0
    method = prune.Identity()
    method._tensor_name = "bias"
    with pytest.raises(ValueError, match="acting on the parameter named 'weight'"):
        container.add_pruning_method(method)
    with pytest.raises(TypeError, match="not a BasePruningMethod"):
        container.add_pruning_method(3)


def test_scores_are_compared_in_the_parameters_place() -> None:
    net = prune.l1_unstructured(layer(2, 2), "weight", 2, importance_scores=rustorch.tensor([[1.0, 4.0], [3.0, 2.0]]))
    assert net.weight_mask.tolist() == [[0, 1], [1, 0]]
    scores = rustorch.tensor([[9.0, 9.0], [1.0, 1.0]])
    net = prune.ln_structured(layer(2, 2), "weight", 1, 2, 0, importance_scores=scores)
    assert net.weight_mask.tolist() == [[1, 1], [0, 0]]
    with pytest.raises((ValueError, AssertionError), match="same shape"):
        prune.l1_unstructured(layer(2, 2), "weight", 1, importance_scores=rustorch.zeros(3))


def test_many_parameters_are_pruned_together() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    values = weight(6, 4)
    with rustorch.no_grad():
        net[0].weight.copy_(values[:3].T)
        net[1].weight.copy_(values[3:5])
    prune.global_unstructured([(net[0], "weight"), (net[1], "weight")], prune.L1Unstructured, amount=0.5)
    limit = np.sort(np.abs(to_array(values[:5])).ravel())[9]
    for each in net:
        np.testing.assert_array_equal(to_array(each.weight_mask), np.abs(to_array(each.weight_orig.detach())) > limit)
    prune.global_unstructured(
        [(net[0], "bias"), (net[1], "bias")], prune.L1Unstructured, {(net[0], "bias"): rustorch.ones(4) * 99}, amount=2
    )
    assert net[1].bias_mask.tolist() == [0, 0]
    with pytest.raises(TypeError, match="not an Iterable"):
        prune.global_unstructured(3, prune.L1Unstructured, amount=1)
    with pytest.raises(TypeError, match='Only "unstructured"'):
        prune.global_unstructured([(net[0], "weight")], prune.LnStructured, amount=1, n=2)


def test_masks_of_ones_own() -> None:
    net = prune.custom_from_mask(nn.Linear(3, 2), "bias", rustorch.tensor([0, 1]))
    assert net.bias_mask.tolist() == [0, 1]
    prune.custom_from_mask(net, "bias", rustorch.tensor([1, 0]))
    assert net.bias_mask.tolist() == [0, 0]
    assert prune.identity(nn.Linear(3, 2), "weight").weight_mask.eq(1).all()
    pruned = prune.L1Unstructured(amount=1).prune(rustorch.tensor([2.0, -1.0]), rustorch.tensor([0.0, 1.0]))
    assert pruned.abs().tolist() == [0, 0]


def test_removal_keeps_the_pruned_values() -> None:
    net = nn.Linear(3, 2)
    before = net.weight
    assert not prune.is_pruned(nn.Sequential(net))
    prune.random_unstructured(net, "weight", 3)
    assert prune.is_pruned(nn.Sequential(net))
    pruned = net.weight.detach().clone()
    assert prune.remove(net, "weight") is net
    assert net.weight is before
    assert rustorch.equal(net.weight, pruned)
    assert list(net.state_dict()) == ["bias", "weight"]
    assert not prune.is_pruned(net)
    with pytest.raises(ValueError, match="has to be pruned before pruning can be removed"):
        prune.remove(net, "weight")


def test_pruned_modules_are_copied() -> None:
    net = prune.l1_unstructured(nn.Linear(3, 2), "bias", 1)
    net.requires_grad_(False)(rustorch.zeros(1, 3))
    for copied in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        prune.remove(copied, "bias")
        assert isinstance(copied.bias, nn.Parameter)
    assert prune.is_pruned(net)


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        (lambda n: prune.l1_unstructured(n, "weight", 7), ValueError, "amount=7 should be smaller"),
        (lambda n: prune.l1_unstructured(n, "weight", -1), ValueError, "non-negative integer"),
        (lambda n: prune.l1_unstructured(n, "weight", 1.5), ValueError, r"float in the range \[0, 1\]"),
        (lambda n: prune.l1_unstructured(n, "weight", "all"), TypeError, "Must be int or float"),
        (lambda n: prune.ln_structured(n, "bias", 1, 2, 0), ValueError, "multidimensional"),
        (lambda n: prune.random_structured(n, "weight", 1, 2), IndexError, "Invalid index 2"),
        (lambda n: prune.l1_unstructured(n, "scale", 1), AttributeError, "no attribute 'scale'"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(act, error: type[Exception], text: str) -> None:
    net = nn.Linear(3, 2)
    with pytest.raises(error, match=text):
        act(net)
    assert sorted(net.state_dict()) == ["bias", "weight"]
    assert not net._forward_pre_hooks
