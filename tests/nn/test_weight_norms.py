"""Orthogonal parametrizations, weight and spectral normalisation in the form of today and the one before."""

import copy

import numpy as np
import pytest

import rustorch
from rustorch import nn
from rustorch.nn.utils import parametrizations, remove_spectral_norm, remove_weight_norm, spectral_norm, weight_norm

from tests.sample import to_array


def old_weight_norm(layer, *args):
    with pytest.warns(FutureWarning, match="weight_norm` is deprecated"):
        return weight_norm(layer, *args)


@pytest.mark.parametrize("dim", [0, 1, None])
@pytest.mark.parametrize("old", [False, True])
def test_weight_norm_splits_length_and_direction(old: bool, dim: int | None) -> None:
    layer = nn.Conv1d(3, 4, 2, dtype=rustorch.float64)
    weight = to_array(layer.weight.detach().clone())
    axes = tuple(axis for axis in range(3) if axis != dim)
    norms = np.sqrt((weight**2).sum(axes, keepdims=dim is not None))
    (old_weight_norm if old else parametrizations.weight_norm)(layer, "weight", dim)
    prefix = "weight_" if old else "parametrizations.weight.original"
    ends = ("g", "v") if old else ("0", "1")
    state = layer.state_dict()
    assert list(state) == ["bias", prefix + ends[0], prefix + ends[1]]
    np.testing.assert_allclose(to_array(state[prefix + ends[0]]), norms, rtol=1e-12)
    np.testing.assert_array_equal(to_array(state[prefix + ends[1]]), weight)
    np.testing.assert_allclose(to_array(layer.weight), weight, rtol=1e-12)
    state[prefix + ends[0]].mul_(2)
    x = rustorch.randn(1, 3, 5, dtype=rustorch.float64)
    layer(x).sum().backward()
    np.testing.assert_allclose(to_array(layer.weight), 2 * weight, rtol=1e-12)
    parameters = dict(layer.named_parameters())
    by_weight = to_array(
        rustorch.autograd.grad(nn.functional.conv1d(x, w := layer.weight.detach().requires_grad_()).sum(), w)[0]
    )
    want = (by_weight * weight / norms).sum(axes, keepdims=dim is not None)
    np.testing.assert_allclose(to_array(parameters[prefix + ends[0]].grad), want, rtol=1e-10)


def test_the_hook_of_weight_norm_goes_away() -> None:
    layer = nn.Linear(3, 2)
    before = layer.weight.detach().clone()
    old_weight_norm(layer)
    with pytest.raises(RuntimeError, match="two weight_norm hooks"):
        old_weight_norm(layer)
    assert remove_weight_norm(layer) is layer
    assert list(layer.state_dict()) == ["bias", "weight"]
    assert rustorch.allclose(layer.weight, before)
    assert not layer._forward_pre_hooks
    with pytest.raises(ValueError, match="weight_norm of 'weight' not found"):
        remove_weight_norm(layer)


def test_states_of_the_old_weight_norm_load_into_the_new() -> None:
    old, new = old_weight_norm(nn.Linear(3, 2)), parametrizations.weight_norm(nn.Linear(3, 2))
    nn.Sequential(new).load_state_dict(nn.Sequential(old).state_dict())
    assert rustorch.equal(new.weight, old.weight)


def largest_singular_value(weight: rustorch.Tensor, dim: int) -> float:
    matrix = np.moveaxis(to_array(weight.detach()), dim, 0)
    return float(np.linalg.norm(matrix.reshape(matrix.shape[0], -1), 2))


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(
    ("build", "dim"),
    [(lambda: nn.Linear(5, 4), 0), (lambda: nn.Conv2d(2, 3, 3), 0), (lambda: nn.ConvTranspose2d(2, 3, 3), 1)],
)
def test_spectral_norm_divides_by_the_largest_singular_value(build, dim: int, old: bool) -> None:
    layer = build()
    weight = layer.weight.detach().clone()
    (spectral_norm if old else parametrizations.spectral_norm)(layer, n_power_iterations=100)
    x = rustorch.randn(1, 2, 5, 5) if weight.ndim == 4 else rustorch.randn(1, 5)
    layer(x)
    want = to_array(weight) / largest_singular_value(weight, dim)
    np.testing.assert_allclose(to_array(layer.weight), want, rtol=1e-4, atol=1e-5)
    names = (
        ["bias", "weight_orig", "weight_u", "weight_v"]
        if old
        else [
            "bias",
            "parametrizations.weight.original",
            "parametrizations.weight.0._u",
            "parametrizations.weight.0._v",
        ]
    )
    assert list(layer.state_dict()) == names
    copied = copy.deepcopy(layer) if not old else None
    layer.eval()
    before = {name: tensor.clone() for name, tensor in layer.state_dict().items()}
    layer(x)
    layer(x)
    assert all(rustorch.equal(tensor, before[name]) for name, tensor in layer.state_dict().items())
    if copied is not None:
        copied.load_state_dict(before)


@pytest.mark.parametrize("old", [False, True])
def test_the_gradient_of_spectral_norm_keeps_the_vectors_fixed(old: bool) -> None:
    layer = nn.Linear(3, 4, bias=False, dtype=rustorch.float64)
    (spectral_norm if old else parametrizations.spectral_norm)(layer)
    x, cotangent = rustorch.randn(2, 3, dtype=rustorch.float64), rustorch.randn(2, 4, dtype=rustorch.float64)
    first = (layer(x) * cotangent).sum()
    state = {name.rsplit("_", 1)[-1]: to_array(tensor.clone()) for name, tensor in layer.state_dict().items()}
    u, v = state["u"], state["v"]
    layer(x)  # the vectors move; the first call's gradient does not see it
    (parameter,) = layer.parameters()
    first.backward()
    w, g = to_array(parameter.detach()), to_array(cotangent.mT @ x)
    sigma = u @ w @ v
    want = g / sigma - (g * w).sum() / sigma**2 * np.outer(u, v)
    np.testing.assert_allclose(to_array(parameter.grad), want, rtol=1e-9, atol=1e-12)


def test_the_hooks_of_spectral_norm_go_away() -> None:
    layer = spectral_norm(nn.Linear(3, 2))
    layer(rustorch.zeros(1, 3))
    value = layer.weight.detach().clone()
    with pytest.raises(RuntimeError, match="two spectral_norm hooks"):
        spectral_norm(layer)
    assert layer.state_dict()._metadata[""]["spectral_norm"] == {"weight.version": 1}
    copied = copy.deepcopy(spectral_norm(nn.Linear(3, 2)).requires_grad_(False))
    copied.load_state_dict(layer.state_dict())
    assert rustorch.equal(copied.weight_orig, layer.weight_orig)
    assert remove_spectral_norm(layer) is layer
    assert list(layer.state_dict()) == ["bias", "weight"]
    assert rustorch.allclose(layer.weight, value)
    for registry in (layer._forward_pre_hooks, layer._state_dict_hooks):
        assert not registry
    with pytest.raises(ValueError, match="spectral_norm of 'weight' not found"):
        remove_spectral_norm(layer)


def test_states_of_the_first_spectral_norm_load() -> None:
    layer = spectral_norm(nn.Linear(3, 2))
    u, _, _ = np.linalg.svd(to_array(layer.weight_orig.detach()))
    state = {"bias": layer.bias.detach().clone(), "weight_orig": layer.weight_orig.detach().clone()}
    state |= {"weight": state["weight_orig"] / 2.0, "weight_u": rustorch.tensor(u[:, 0].tolist())}
    state = dict(state)
    loaded = spectral_norm(nn.Linear(3, 2))
    loaded.load_state_dict(state)
    loaded.eval()(rustorch.zeros(1, 3))
    assert rustorch.allclose(loaded.weight, state["weight_orig"] / 2.0, atol=1e-5)


@pytest.mark.parametrize("orthogonal_map", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (3, 5), (2, 4, 3)])
@pytest.mark.parametrize("trivialized", [True, False])
def test_orthogonal_matrices_stay_so(shape: tuple[int, ...], orthogonal_map: str, trivialized: bool) -> None:
    module = nn.Module()
    module.weight = nn.Parameter(rustorch.randn(shape, dtype=rustorch.float64))
    parametrizations.orthogonal(module, "weight", orthogonal_map, use_trivialization=trivialized)
    assert ("parametrizations.weight.0.base" in module.state_dict()) == trivialized

    def check() -> None:
        q = to_array(module.weight.detach())
        tall = q if shape[-2] >= shape[-1] else q.swapaxes(-1, -2)
        identity = np.broadcast_to(np.eye(tall.shape[-1]), (*shape[:-2], *[tall.shape[-1]] * 2))
        np.testing.assert_allclose(tall.swapaxes(-1, -2) @ tall, identity, atol=1e-10)

    check()
    optimizer = rustorch.optim.SGD(module.parameters(), lr=0.1)
    target = rustorch.randn(shape, dtype=rustorch.float64)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = ((module.weight - target) ** 2).sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        check()
    assert losses[-1] < losses[0]
    if trivialized or orthogonal_map == "householder":
        new = nn.init.orthogonal_(rustorch.empty(shape[-2:], dtype=rustorch.float64)).expand(shape).clone()
        module.weight = new
        assert rustorch.allclose(module.weight, new)
    else:
        with pytest.raises(NotImplementedError, match="not possible to assign"):
            module.weight = target


def test_an_orthogonal_weight_starts_where_it_is() -> None:
    layer = nn.Linear(3, 3)
    nn.init.orthogonal_(layer.weight)
    before = layer.weight.detach().clone()
    parametrizations.orthogonal(layer)
    assert rustorch.allclose(layer.weight, before, atol=1e-6)
    assert layer.parametrizations.weight[0].orthogonal_map.name == "matrix_exp"
    assert parametrizations.orthogonal(nn.Linear(2, 3)).parametrizations.weight[0].orthogonal_map.name == "householder"


def test_the_maps_are_their_formulas() -> None:
    x = np.random.default_rng(0).normal(size=(3, 3))
    skew = np.tril(x) - np.tril(x).T
    values, vectors = np.linalg.eig(skew)
    exp = (vectors * np.exp(values)) @ np.linalg.inv(vectors)
    cayley = np.linalg.solve(np.eye(3) - skew / 2, np.eye(3) + skew / 2)
    for name, want in (("matrix_exp", exp.real), ("cayley", cayley)):
        module = nn.Module()
        module.weight = nn.Parameter(rustorch.from_numpy(x.copy()))
        parametrizations.orthogonal(module, "weight", name, use_trivialization=False)
        np.testing.assert_allclose(to_array(module.weight.detach()), want, rtol=1e-9, atol=1e-12)


def test_householder_refuses_complex_matrices() -> None:
    module = nn.Module()
    module.weight = nn.Parameter(rustorch.zeros(3, 3, dtype=rustorch.complex128))
    with pytest.raises(ValueError, match="does not support complex"):
        parametrizations.orthogonal(module, orthogonal_map="householder")


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        (lambda: parametrizations.orthogonal(nn.Linear(2, 2), "scale"), ValueError, "no parameter or buffer"),
        (lambda: parametrizations.orthogonal(nn.Linear(2, 2), "bias"), ValueError, "Expected a matrix"),
        (lambda: parametrizations.orthogonal(nn.Linear(2, 2), "weight", "qr"), ValueError, "Got: qr"),
        (lambda: parametrizations.spectral_norm(nn.Linear(2, 2), "scale"), ValueError, "no parameter or buffer"),
        (lambda: parametrizations.spectral_norm(nn.Linear(2, 2), dim=2), IndexError, "out of range"),
        (lambda: parametrizations.spectral_norm(nn.Linear(2, 2), n_power_iterations=0), ValueError, "positive"),
        (lambda: spectral_norm(nn.Linear(2, 2), n_power_iterations=0), ValueError, "positive"),
        (lambda: spectral_norm(nn.Linear(2, 2, bias=False), "bias"), ValueError, "is None"),
    ],
)
def test_what_does_not_fit_is_refused(act, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        act()
