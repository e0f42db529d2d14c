"""Lengths, spreads and normalised values of float32 whose squares it cannot hold: as those of ordinary numbers.

Each function is homogeneous of a degree: `f(s x) = s^degree f(x)`, so its gradient is of the degree before. What is
right comes from the same function of ordinary float64 numbers.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import rustorch
from rustorch import Tensor
from rustorch.nn import functional as F

from tests.sample import to_array

Function = Callable[[Tensor], Tensor]
SCALES = [1e-30, 1e-25, 1e-22, 1e-15, 1e15, 1e20, 1e25, 1e30]
VALUES = np.random.default_rng(3).standard_normal((4, 6)).astype(np.float32)


def weighted(x: Tensor) -> Tensor:
    """With a weight per element, so that the gradients of normalised values, which sum to a constant, are not 0."""
    weights = rustorch.arange(x.numel(), dtype=x.dtype, device=x.device).reshape(x.shape)
    return x * (weights * 0.7).cos()


LENGTHS: dict[str, Function] = {
    "std": lambda x: x.std(),
    "std of rows": lambda x: x.std(1),
    "std of columns": lambda x: x.std(0, correction=0),
    "std_mean": lambda x: rustorch.std_mean(x, 1)[0],
    "std of complex numbers": lambda x: rustorch.complex(x[:2], x[2:]).std(1),
    "mean": lambda x: x.mean(1),
    "norm": lambda x: x.norm(),
    "norm of rows": lambda x: x.norm(dim=1),
    "norm of columns": lambda x: x.norm(dim=0),
    **{f"norm of order {p}": (lambda x, p=p: rustorch.linalg.vector_norm(x, p, 1)) for p in (-2, 0.5, 1, 1.5, 3, 4.5)},
    "Frobenius norm": lambda x: rustorch.linalg.matrix_norm(x),
    "spectral norm": lambda x: rustorch.linalg.matrix_norm(x, 2),
    "hypot": lambda x: rustorch.hypot(x[:2], x[2:]),
    "abs of complex numbers": lambda x: rustorch.complex(x[:2], x[2:]).abs(),
    "dist": lambda x: rustorch.dist(x[:2], x[2:]),
    "dist of order 3": lambda x: rustorch.dist(x[:2], x[2:], 3),
    "cdist": lambda x: rustorch.cdist(x[:2], x[2:]),
    "cdist by products": lambda x: rustorch.cdist(x[:2], x[2:], compute_mode="use_mm_for_euclid_dist"),
    "pdist": lambda x: F.pdist(x),
    "pairwise_distance": lambda x: F.pairwise_distance(x[:2], x[2:], eps=0),
    "lp_pool1d": lambda x: F.lp_pool1d(x.abs().reshape(1, 4, 6), 3, 2),
}

RATIOS: dict[str, Function] = {
    "normalize": lambda x: F.normalize(x, eps=0),
    "normalize of order 3": lambda x: F.normalize(x, p=3, eps=0),
    "cosine_similarity": lambda x: F.cosine_similarity(x[:2], x[2:], eps=0),
    "corrcoef": lambda x: rustorch.corrcoef(x),
    "layer_norm": lambda x: F.layer_norm(x, (6,), eps=0),
    "rms_norm": lambda x: F.rms_norm(x, (6,), eps=0),
    "group_norm": lambda x: F.group_norm(x.reshape(2, 4, 3), 2, eps=0),
    "instance_norm": lambda x: F.instance_norm(x.reshape(2, 2, 6), eps=0),
    "batch_norm": lambda x: F.batch_norm(x, training=True, eps=0),
    "local_response_norm": lambda x: F.local_response_norm(x.reshape(1, 4, 6), 3, beta=0.5, k=0),
    "std over norm": lambda x: x.std(1) / x.norm(dim=1),
}

CASES = [pytest.param(f, 1, id=name) for name, f in LENGTHS.items()]
CASES += [pytest.param(f, 0, id=name) for name, f in RATIOS.items()]


def value_and_gradient(f: Function, values: NDArray[Any], device: str) -> list[NDArray[np.float64]]:
    x = rustorch.tensor(values, device=device, requires_grad=True)
    y = weighted(f(x))
    y.sum().backward()
    return [to_array(y).astype(np.float64), to_array(x.grad).astype(np.float64)]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("f", "degree"), CASES)
def test_functions_are_homogeneous(f: Function, degree: int, scale: float, device: str) -> None:
    values = VALUES * np.float32(scale)
    got = value_and_gradient(f, values, device)
    want = value_and_gradient(f, values.astype(np.float64) / scale, "cpu")
    for have, wanted, power in zip(got, want, (degree, degree - 1), strict=True):
        largest = np.abs(wanted).max()
        np.testing.assert_allclose(have / scale**power, wanted, rtol=1e-4, atol=1e-5 * largest)


@pytest.mark.parametrize("scale", [1e-30, 1e25])
@pytest.mark.parametrize("name", ["layer_norm", "rms_norm", "normalize", "std over norm"])
def test_second_gradients_are_homogeneous(name: str, scale: float, device: str) -> None:
    def second(values: NDArray[Any], by: float) -> NDArray[np.float64]:
        x = rustorch.tensor(values, device=device, requires_grad=True)
        (gradient,) = rustorch.autograd.grad(weighted(RATIOS[name](x)).sum(), x, create_graph=True)
        weighted(gradient * by).sum().backward()
        return to_array(x.grad).astype(np.float64)

    values = VALUES * np.float32(scale)
    # The gradient is brought to size 1 first: that of degree -2 would leave float32's range.
    got, want = second(values, scale) * scale, second(VALUES.astype(np.float64), 1.0)
    np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4 * np.abs(want).max())


@pytest.mark.parametrize("value", [0.0, 1.0, -2.5e30, 3e-40])
@pytest.mark.parametrize("dims", [None, 0, 1])
def test_deviation_of_equal_values_and_its_gradient_are_zero(value: float, dims: int | None, device: str) -> None:
    x = rustorch.full((3, 2), value, device=device, requires_grad=True)
    deviation = x.std(dims)
    assert (deviation == 0).all()
    deviation.sum().backward()
    assert (x.grad == 0).all()


@pytest.mark.parametrize("scale", [1e20, 1e30])
def test_slices_of_large_numbers_are_renormed(scale: float, device: str) -> None:
    x = rustorch.tensor(VALUES * np.float32(scale), device=device, requires_grad=True)
    y = rustorch.renorm(x, 2, 0, 0.5)
    np.testing.assert_allclose(to_array(y.norm(dim=1)), 0.5, rtol=1e-6)
    weighted(y).sum().backward()
    assert (x.grad != 0).any()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("scale", [1e-25, 1e20, 1e30])
def test_gradients_are_clipped_to_the_norm(scale: float, device: str) -> None:
    parameters = [rustorch.nn.Parameter(rustorch.ones(n, device=device)) for n in (100, 20)]
    for parameter in parameters:
        parameter.grad = rustorch.full_like(parameter, scale)
    norm = rustorch.nn.utils.clip_grad_norm_(parameters, 0.5)
    np.testing.assert_allclose(norm.item() / scale, np.sqrt(120), rtol=1e-6)
    if scale > 1:
        norms = [parameter.grad.norm().item() for parameter in parameters]
        np.testing.assert_allclose(np.hypot(*norms), 0.5, rtol=1e-5)


def test_variance_whose_sum_of_squares_overflows(device: str) -> None:
    x = rustorch.tensor([1e18, -1e18] * 500, device=device)
    np.testing.assert_allclose(rustorch.var(x).item(), 1e36 * 1000 / 999, rtol=1e-6)
