"""Optimizers: the same path as PyTorch's, and everything around a step."""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

import rustorch
from rustorch import optim

from tests.pytorch_answers.optimizer_cases import (
    MATRIX_OPTIMIZERS,
    OPTIMIZERS,
    SCHEDULES,
    matrix_path,
    optimizer_path,
    schedule_path,
)

ANSWERS = np.load(Path(__file__).parent / "pytorch_answers/optimizers.npz")
SCHEDULE_ANSWERS = np.load(Path(__file__).parent / "pytorch_answers/schedules.npz")
ONE_PASS = ["SGD", "Adam", "AdamW", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "RMSprop", "ASGD"]


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_paths(key: str, device: str) -> None:
    kind, settings = OPTIMIZERS[key]
    np.testing.assert_allclose(optimizer_path(rustorch, kind, settings, device), ANSWERS[key], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("key", MATRIX_OPTIMIZERS)
def test_paths_of_a_closure(key: str, device: str) -> None:
    kind, settings = MATRIX_OPTIMIZERS[key]
    np.testing.assert_allclose(matrix_path(rustorch, kind, settings, device), ANSWERS[key], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("key", SCHEDULES)
@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")
def test_schedules(key: str, kind: str) -> None:
    path = schedule_path(rustorch, SCHEDULES[key], kind)
    np.testing.assert_allclose(path, SCHEDULE_ANSWERS[f"{key}/{kind}"], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("key", SCHEDULES)
def test_schedules_continue_from_their_state(key: str) -> None:
    def fresh() -> tuple[optim.Optimizer, optim.lr_scheduler.LRScheduler]:
        optimizer = optim.SGD([rustorch.ones(1, requires_grad=True)], lr=1.0, momentum=0.5)
        return optimizer, SCHEDULES[key](optim.lr_scheduler, optimizer)

    (first, schedule), (second, other) = fresh(), fresh()
    measure = [1.0] if "plateau" in key else []
    for _ in range(4):
        schedule.step(*measure)
    other.load_state_dict(copy.deepcopy(schedule.state_dict()))
    second.load_state_dict(first.state_dict())
    for _ in range(4):
        schedule.step(*measure)
        other.step(*measure)
        assert first.param_groups[0]["lr"] == second.param_groups[0]["lr"]


def test_muon_makes_the_step_nearly_orthogonal() -> None:
    w = rustorch.zeros(6, 3, requires_grad=True)
    optimizer = optim.Muon([w], lr=0.5, weight_decay=0.0)
    grad = np.random.default_rng(0).normal(size=(6, 3))
    w.grad = rustorch.from_numpy(grad).to(w)
    optimizer.step()
    step = -np.array(w.tolist()) / (0.5 * 2**0.5)
    assert np.all(np.abs(np.linalg.svd(step)[1] - 1) < 0.4)
    u, _, v = np.linalg.svd(grad, full_matrices=False)
    assert np.vdot(step, u @ v) / np.linalg.norm(step) / 3**0.5 > 0.97
    with pytest.raises(ValueError, match="2D"):
        optim.Muon([rustorch.ones(3, requires_grad=True)])


STATE = {
    "Adagrad": ["step", "sum"],
    "Adadelta": ["step", "square_avg", "acc_delta"],
    "Adamax": ["step", "exp_avg", "exp_inf"],
    "NAdam": ["step", "mu_product", "exp_avg", "exp_avg_sq"],
    "RAdam": ["step", "exp_avg", "exp_avg_sq"],
    "RMSprop": ["step", "square_avg"],
    "Rprop": ["step", "prev", "step_size"],
    "ASGD": ["step", "eta", "mu", "ax"],
    "Adafactor": ["step", "variance"],
    "LBFGS": ["func_evals", "n_iter", "prev_flat_grad", "prev_loss", "d", "t", "old_dirs", "old_stps", "ro", "H_diag"],
}


@pytest.mark.parametrize("kind", STATE)
def test_states_are_named_as_pytorchs_and_continue(kind: str) -> None:
    def run(x: rustorch.Tensor, optimizer: optim.Optimizer) -> None:
        def closure() -> rustorch.Tensor:
            optimizer.zero_grad()
            loss = (x * x * x.cos()).sum()
            loss.backward()
            return loss

        for _ in range(3):
            optimizer.step(closure)

    settings = {"max_iter": 2} if kind == "LBFGS" else {}
    x = rustorch.tensor([0.5, -0.25, 1.0], dtype=rustorch.float64, requires_grad=True)
    first = getattr(optim, kind)([x], lr=0.1, **settings)
    run(x, first)
    saved = copy.deepcopy(first.state_dict())
    assert set(saved["state"][0]) - {"al"} == set(STATE[kind])
    y = x.detach().clone().requires_grad_()
    second = getattr(optim, kind)([y], lr=0.1, **settings)
    second.load_state_dict(saved)
    run(x, first)
    run(y, second)
    assert x.tolist() == y.tolist()


@pytest.mark.parametrize("kind", ONE_PASS)
@pytest.mark.parametrize("dtype", ["float32", "float64", pytest.param("bfloat16", marks=pytest.mark.rustorch_only)])
def test_one_long_parameter_equals_many_short_ones(kind: str, dtype: str, device: str) -> None:
    """A fused update must not depend on where vectors and threads end."""
    values = rustorch.randn(10_007, dtype=rustorch.float64).to(getattr(rustorch, dtype)).to(device)
    long = [values.clone().requires_grad_()]
    short = [part.clone().requires_grad_() for part in values.split(101)]
    for parameters in (long, short):
        optimizer = getattr(optim, kind)(parameters, lr=0.1, weight_decay=0.01)
        for _ in range(3):
            optimizer.zero_grad()
            sum((p * p).sum() for p in parameters).backward()
            optimizer.step()
    assert long[0].tolist() == rustorch.cat(short).tolist()
    assert long[0].tolist() != values.tolist()


def quadratic(**settings: float) -> tuple[rustorch.Tensor, optim.Optimizer]:
    x = rustorch.tensor([1.0, -2.0], requires_grad=True)
    return x, optim.Adam([x], lr=0.1, **settings)


def steps(x: rustorch.Tensor, optimizer: optim.Optimizer, count: int) -> None:
    for _ in range(count):
        optimizer.zero_grad()
        (x * x).sum().backward()
        optimizer.step()


def test_state_dict_continues_where_it_was() -> None:
    x, optimizer = quadratic()
    steps(x, optimizer, 3)
    saved, position = copy.deepcopy(optimizer.state_dict()), x.detach().clone()
    assert set(saved) == {"state", "param_groups"}
    assert set(saved["state"][0]) == {"step", "exp_avg", "exp_avg_sq"}
    assert saved["param_groups"][0]["params"] == [0]
    y, other = quadratic()
    with rustorch.no_grad():
        y.copy_(position)
    other.load_state_dict(saved)
    steps(x, optimizer, 3)
    steps(y, other, 3)
    assert x.tolist() == y.tolist()


def test_the_learning_rate_can_change() -> None:
    x = rustorch.tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([x], lr=0.5)
    x.sum().backward()
    optimizer.param_groups[0]["lr"] = 0.25
    optimizer.step()
    assert x.item() == 0.75


def test_groups() -> None:
    x, y = (rustorch.tensor([1.0], requires_grad=True) for _ in range(2))
    optimizer = optim.SGD([{"params": [x]}, {"params": y, "lr": 0.1}], lr=1.0)
    assert [g["lr"] for g in optimizer.param_groups] == [1.0, 0.1]
    z = rustorch.tensor([1.0], requires_grad=True)
    optimizer.add_param_group({"params": [z], "lr": 0.5})
    (x + y + z).sum().backward()
    optimizer.step()
    np.testing.assert_allclose([x.item(), y.item(), z.item()], [0, 0.9, 0.5], rtol=1e-6)
    with pytest.raises(ValueError, match="more than one"):
        optimizer.add_param_group({"params": [x]})


def test_parameters_without_gradient_stay() -> None:
    x, y = (rustorch.tensor([1.0], requires_grad=True) for _ in range(2))
    optimizer = optim.AdamW([x, y], lr=0.1, weight_decay=0.5)
    x.sum().backward()
    optimizer.step()
    assert x.item() != 1
    assert y.item() == 1


def test_zero_grad() -> None:
    x, optimizer = quadratic()
    x.sum().backward()
    optimizer.zero_grad(set_to_none=False)
    assert x.grad.tolist() == [0, 0]
    optimizer.zero_grad()
    assert x.grad is None


def test_step_with_a_closure_returns_its_loss() -> None:
    x, optimizer = quadratic()

    def closure() -> rustorch.Tensor:
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 5
    assert optimizer.step() is None


def test_a_step_keeps_the_storage_and_raises_the_version() -> None:
    x, optimizer = quadratic()
    address, version = x.data_ptr(), x._version
    steps(x, optimizer, 1)
    assert x.data_ptr() == address
    assert x._version > version


def test_strided_parameters(device: str) -> None:
    base = rustorch.zeros(4, 6, device=device)
    x = base.t()[::2].detach().requires_grad_()
    optimizer = optim.Adam([x], lr=0.1)
    (x * rustorch.ones(3, 4, device=device)).sum().backward()
    optimizer.step()
    np.testing.assert_allclose(base.tolist(), np.tile([-0.1, 0.0], (4, 3)), rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    "make",
    [
        lambda p: optim.SGD(p, lr=-1.0),
        lambda p: optim.SGD(p, lr=0.1, momentum=-0.5),
        lambda p: optim.SGD(p, lr=0.1, nesterov=True),
        lambda p: optim.Adam(p, betas=(1.0, 0.9)),
        lambda p: optim.Adam(p, eps=-1e-8),
        lambda p: optim.AdamW(p, weight_decay=-1.0),
        lambda p: optim.SGD([], lr=0.1),
    ],
)
def test_bad_settings_are_refused(make) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        make([rustorch.ones(1, requires_grad=True)])


def test_bad_parameters_are_refused() -> None:
    with pytest.raises(TypeError):
        optim.SGD(rustorch.ones(1, requires_grad=True), lr=0.1)
    with pytest.raises(TypeError):
        optim.SGD([1.0], lr=0.1)
    x = rustorch.ones(1, requires_grad=True)
    with pytest.raises(ValueError, match="leaf"):
        optim.SGD([x * 2], lr=0.1)


@pytest.mark.rustorch_only
def test_a_state_of_other_settings_is_refused() -> None:
    p = rustorch.ones(2, requires_grad=True)
    optimizer = rustorch.optim.Adam([p])
    p.sum().backward()
    optimizer.step()
    optimizer.param_groups[0]["amsgrad"] = True
    with pytest.raises(ValueError, match=r"Adam: .*max_exp_avg_sq"):
        optimizer.step()
    assert optimizer.state[p]["step"] == 1


def test_betas_may_be_a_list_and_the_learning_rate_a_tensor() -> None:
    paths = []
    for betas, lr in (((0.8, 0.9), 0.1), ([0.8, 0.9], rustorch.tensor(0.1, dtype=rustorch.float64))):
        p = rustorch.ones(2, requires_grad=True)
        optimizer = rustorch.optim.Adam([p], lr=lr, betas=betas)
        for _ in range(3):
            optimizer.zero_grad()
            (p * p).sum().backward()
            optimizer.step()
        paths.append(p.tolist())
    assert paths[0] == paths[1]


@pytest.mark.rustorch_only
@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("rustorch.optim.elementwise", ["ASGD", "Adadelta", "Adagrad", "Adamax", "NAdam", "RAdam", "RMSprop", "Rprop"]),
        ("rustorch.optim.lr_scheduler", ["LambdaLR", "MultiplicativeLR", "StepLR"]),
    ],
)
def test_pickles_name_the_module_that_they_always_named(module: str, names: list[str]) -> None:
    for name in names:
        found = pickle.loads(f"c{module}\n{name}\n.".encode())
        assert (found.__name__, found.__module__) == (name, module)
