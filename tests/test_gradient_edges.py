"""Gradients where a formula could make NaN of 0 times infinity, or of a square that overflows: at zeros, infinities,
ends of domains. The values are limits or PyTorch's conventions, worked out by hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rustorch
import rustorch.nn.functional as F
from rustorch import Tensor

INF, NAN = math.inf, math.nan
DTYPES = ("float32", "float64")


def tensors(dtype: str, device: str, *values: Any) -> list[Tensor]:
    return [rustorch.tensor(v, dtype=getattr(rustorch, dtype), device=device, requires_grad=True) for v in values]


def gradients(result: Tensor, inputs: list[Tensor]) -> list[Any]:
    return [g.tolist() for g in rustorch.autograd.grad(result.sum(), inputs)]


@pytest.mark.parametrize("dtype", [*DTYPES, "float16", "bfloat16"])
@pytest.mark.parametrize("mode", ["trunc", "floor"])
def test_a_rounded_quotient_has_gradient_zero(mode: str, dtype: str, device: str) -> None:
    x, y = tensors(dtype, device, [INF, -INF, 3.0, 5.0, 0.0, NAN, 1.0], [2.0, 1.0, INF, 0.0, 0.0, 1.0, NAN])
    result = rustorch.div(x, y, rounding_mode=mode)
    assert result.requires_grad
    assert gradients(result, [x, y]) == [[0.0] * 7, [0.0] * 7]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "make",
    [lambda x: x.sign(), lambda x: x.floor(), lambda x: x.sgn(), lambda x: x.angle(), lambda x: x.round(decimals=2)],
)
def test_the_gradient_of_a_step_is_zero_even_times_infinity(
    make: Callable[[Tensor], Tensor], dtype: str, device: str
) -> None:
    (x,) = tensors(dtype, device, [INF, -INF, 0.0, -0.0, 1.5, -2.5, 1e30])
    (grad,) = rustorch.autograd.grad(make(x), x, rustorch.full_like(x, INF))
    assert grad.tolist() == [0.0] * 7


@pytest.mark.parametrize("dtype", DTYPES)
def test_of_two_arguments_a_step_has_gradient_zero(dtype: str, device: str) -> None:
    x, y = tensors(dtype, device, [1.0, -2.0], [INF, -0.0])
    for result in (rustorch.copysign(x, y), rustorch.nextafter(x, y)):
        _, grad = rustorch.autograd.grad(result, [x, y], rustorch.full_like(x, INF))
        assert grad.tolist() == [0, 0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1e-30, 1.0, 1e25])
def test_squares_of_two_numbers_neither_overflow_nor_vanish(size: float, dtype: str, device: str) -> None:
    x, y = tensors(dtype, device, [3 * size, -3 * size], [4 * size, 4 * size])
    np.testing.assert_allclose(gradients(rustorch.hypot(x, y), [x, y]), [[0.6, -0.6], [0.8, 0.8]], rtol=1e-6)
    want = np.array([[4, 4], [-3, 3]]) / (25 * size)
    np.testing.assert_allclose(gradients(rustorch.atan2(x, y), [x, y]), want, rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_at_the_origin(dtype: str, device: str) -> None:
    x, y = tensors(dtype, device, 0.0, 0.0)
    for result in (rustorch.hypot(x, y), rustorch.atan2(x, y)):
        assert gradients(result, [x, y]) == [0, 0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_logit_outside_its_domain(dtype: str, device: str) -> None:
    (x,) = tensors(dtype, device, [1.5, -0.5, INF, -INF, NAN])
    (first,) = rustorch.autograd.grad(rustorch.logit(x).sum(), x, create_graph=True)
    (second,) = rustorch.autograd.grad(first.sum(), x)
    assert first.isnan().all()
    assert second.isnan().all()
    (x,) = tensors(dtype, device, [0.0, 1.0, 0.5])
    assert gradients(rustorch.logit(x), [x]) == [[INF, INF, 4.0]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_saturated_activations_at_infinity(dtype: str, device: str) -> None:
    """The slope far out is a limit: 0 on one side, and 0 or 1 on the other."""
    for name, right in {
        "sigmoid": 0,
        "tanh": 0,
        "silu": 1,
        "mish": 1,
        "gelu": 1,
        "softplus": 1,
        "logsigmoid": 0,
        "elu": 1,
        "tanhshrink": 1,
        "softsign": 0,
    }.items():
        (x,) = tensors(dtype, device, [INF, -INF])
        left = {"logsigmoid": 1, "tanhshrink": 1}.get(name, 0)
        assert gradients(getattr(F, name)(x), [x]) == [[right, left]], name
    (x,) = tensors(dtype, device, [INF, -INF])
    assert gradients(F.gelu(x, approximate="tanh"), [x]) == [[1, 0]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_of_exponentials_of_minus_infinity(dtype: str, device: str) -> None:
    for add in (rustorch.logaddexp, rustorch.logaddexp2):
        a, b, c = tensors(dtype, device, -INF, -INF, 2.0)
        assert gradients(add(add(a, b), c), [a, b, c]) == [0, 0, 1]
        a, b = tensors(dtype, device, [-INF, 1.0, INF, 3.0], [1.0, -INF, 1.0, 3.0])
        assert gradients(add(a, b), [a, b]) == [[0, 1, 1, 0.5], [1, 0, 0, 0.5]]
    (x,) = tensors(dtype, device, [[-INF, -INF], [-INF, 2.0]])
    assert gradients(rustorch.logsumexp(x, 1), [x]) == [[[0, 0], [0, 1]]]
    assert rustorch.logsumexp(x, 1).tolist() == [-INF, 2]
    (x,) = tensors(dtype, device, [-INF, -INF, 2.0, -INF, 2.0])
    assert gradients(rustorch.logcumsumexp(x, 0)[-1], [x]) == [[0, 0, pytest.approx(0.5), 0, pytest.approx(0.5)]]
    assert gradients(rustorch.logcumsumexp(x, 0)[:1], [x]) == [[0] * 5]
    (x,) = tensors(dtype, device, [-INF, 0.0, 0.0])
    for result, want in ((x.softmax(0)[1], [0, 0.25, -0.25]), (x.log_softmax(0)[1], [0, 0.5, -0.5])):
        np.testing.assert_allclose(gradients(result, [x]), [want], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("dtype", DTYPES)
def test_powers_at_zero(dtype: str, device: str) -> None:
    x, y = tensors(dtype, device, [0.0] * 5, [0.0, 1.0, 2.0, 3.0, 0.5])
    first = rustorch.autograd.grad((x**y).sum(), [x, y], create_graph=True)
    assert [g.tolist() for g in first] == [[0, 1, 0, 0, INF], [0] * 5]
    x, y = tensors(dtype, device, [0.0] * 4, [0.0, 1.0, 2.0, 3.0])
    (grad,) = rustorch.autograd.grad((x**y).sum(), x, create_graph=True)
    assert gradients(grad, [x]) == [[0, 0, 2, 0]]
    for exponent, want in ((0, 0), (1, 1), (2, 0)):
        (x,) = tensors(dtype, device, 0.0)
        assert gradients(x**exponent, [x]) == [want]


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_with_logarithms_of_zero(dtype: str, device: str) -> None:
    x, y = tensors(dtype, device, [0.0, 0.0, 2.0], [0.0, 2.0, 0.5])
    want = np.array([[0.0, math.log(2), math.log(0.5)], [0.0, 0.0, 4.0]])
    for result in (rustorch.xlogy(x, y), rustorch.special.xlog1py(x, y - 1)):
        np.testing.assert_allclose(gradients(result, [x, y]), want, rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_remainders_have_whole_slopes(dtype: str, device: str) -> None:
    """Of the quotient that the value took, not of one that was rounded up."""
    x, y = tensors(dtype, device, [0.3, 7.0, -7.0, 5.0, 1.0], [0.1, 2.0, 2.0, INF, 0.1])
    for op, signed in ((rustorch.fmod, [3, -3]), (rustorch.remainder, [3, -4])):
        value = op(x, y)
        grad_x, grad_y = gradients(value, [x, y])
        assert grad_x == [1] * 5
        assert grad_y[1:4] == [-signed[0], -signed[1], 0]
        for i in (0, 4):
            whole = (x[i].item() - value[i].item()) / y[i].item()
            assert grad_y[i] == -round(whole)


def exact_products(x: list[float], k: int) -> list[float]:
    """The derivatives of the product of the first k numbers, by multiplication of the others."""
    return [math.prod(x[:i] + x[i + 1 : k]) if i < k else 0.0 for i in range(len(x))]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "numbers",
    [
        [2.0, 3.0, 4.0],
        [2.0, 0.0, 4.0],
        [0.0, 3.0, 0.0],
        [0.0, 0.0, 0.0],
        [1e30, 1e30, 1e-10],
        [1e-30, 1e-30, 5.0],
        [0.5, -0.0, 3.0],
    ],
)
def test_products_with_zeros_and_beyond_the_range(numbers: list[float], dtype: str, device: str) -> None:
    (x,) = tensors(dtype, device, numbers)
    (got,) = gradients(x.prod(), [x])
    most = rustorch.finfo(x.dtype).max
    want = [v if abs(v) <= most else math.copysign(INF, v) for v in exact_products(numbers, 3)]
    np.testing.assert_allclose(got, np.array(want, dtype), rtol=1e-6)
    if max(map(abs, numbers)) > 1e20 or 0 < min(map(abs, numbers)) < 1e-20:
        return
    weights = [1.0, -2.0, 0.5]
    (got,) = gradients(x.cumprod(0) * rustorch.tensor(weights, dtype=x.dtype, device=device), [x])
    rows = [exact_products(numbers, k + 1) for k in range(3)]
    np.testing.assert_allclose(got, np.array(weights) @ np.array(rows), rtol=1e-6)


@pytest.mark.parametrize("zeros", [[], [0], [4], [2, 5], [7], [0, 7]])
def test_cumprod_with_zeros_has_the_gradient_of_its_formula(zeros: list[int], device: str) -> None:
    """In passes over lines, and element by element where it is differentiated again."""
    values = np.random.default_rng(1).uniform(0.5, 2, (8, 3)) * np.where(np.arange(24).reshape(8, 3) % 5, 1, -1)
    values[zeros, 1] = 0
    x = rustorch.tensor(values.tolist(), dtype=rustorch.float64, device=device, requires_grad=True)
    weights = rustorch.tensor(
        np.random.default_rng(2).standard_normal((8, 3)).tolist(), dtype=rustorch.float64, device=device
    )
    (plain,) = rustorch.autograd.grad((x.cumprod(0) * weights).sum(), x)
    (recorded,) = rustorch.autograd.grad((x.cumprod(0) * weights).sum(), x, create_graph=True)
    np.testing.assert_allclose(plain.tolist(), recorded.tolist(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("order", [0, 0.5, 1, 1.5, 2, 3, INF, -INF])
def test_norms_of_zeros_have_gradient_zero(order: float, device: str) -> None:
    (x,) = tensors("float64", device, [0.0, 0.0])
    assert gradients(rustorch.linalg.vector_norm(x, order), [x]) == [[0, 0]]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_what_no_window_reaches_has_gradient_zero(dims: int, dtype: str, device: str) -> None:
    kind = getattr(rustorch, dtype)
    conv = (F.conv1d, F.conv2d, F.conv3d)[dims - 1]
    for size, kernel, stride, dilation, groups in (
        (10, 1, 3, 1, 1),
        (11, 2, 4, 1, 1),
        (12, 3, 5, 2, 2),
        (13, 3, 7, 1, 4),
    ):
        # What an earlier tensor left in memory must not show.
        junk = [rustorch.full((2, 4, *[size] * dims), NAN, dtype=kind, device=device) for _ in range(3)]
        del junk
        x = rustorch.ones(2, 4, *[size] * dims, dtype=kind, device=device).requires_grad_()
        weight = rustorch.ones(4, 4 // groups, *[kernel] * dims, dtype=kind, device=device)
        result = conv(x, weight, stride=stride, dilation=dilation, groups=groups)
        (grad,) = rustorch.autograd.grad(result.sum(), x)
        reached = {i * stride + k * dilation for i in range(result.shape[-1]) for k in range(kernel)}
        assert grad.isfinite().all()
        for i in range(size):
            assert (grad.select(-1, i) == 0).all().item() == (i not in reached) or (dims > 1 and i in reached)


@pytest.mark.parametrize("dtype", DTYPES)
def test_limits_pass_the_gradient_inside_and_at_their_ends(dtype: str, device: str) -> None:
    (x,) = tensors(dtype, device, [-2.0, -1.0, 0.0, 1.0, 2.0, NAN])
    assert gradients(x.clamp(-1, 1), [x]) == [[0, 1, 1, 1, 0, 0]]
    assert gradients(F.relu(x), [x])[0][:5] == [0, 0, 0, 1, 1]


def test_factors_of_zero_hide_nan_but_not_the_graph() -> None:
    x = rustorch.full((2, 2), float("nan"), requires_grad=True)
    a = rustorch.eye(2)
    for result in (rustorch.addmm(x, a, a, beta=0), rustorch.baddbmm(x, a[None], a[None], beta=0)[0]):
        assert result.tolist() == a.tolist()
        assert rustorch.autograd.grad(result.sum(), x)[0].tolist() == [[0, 0], [0, 0]]


def test_norms_at_zero_have_the_gradient_zero() -> None:
    x = rustorch.zeros(3, requires_grad=True)
    for p in (2, 1, 3, 0.5, float("inf")):
        assert rustorch.autograd.grad(rustorch.linalg.vector_norm(x, p), x)[0].tolist() == [0, 0, 0]
