"""Conversions that round or leave a range, products of many factors, places of decimals: against exact arithmetic."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest

import rustorch
import rustorch.nn.functional as F

from tests.sample import FLOATS

HALVES = {"float16": (11, -14, 65504.0), "bfloat16": (8, -126, 3.3895313892515355e38)}


def rounded(x: float, dtype: str) -> float:
    """The nearest number of a half precision, halves to even, by exact arithmetic."""
    digits, least, most = HALVES[dtype]
    if x == 0 or not math.isfinite(x):
        return x
    exponent = max(math.frexp(x)[1] - 1, least)
    unit = Fraction(2) ** (exponent - digits + 1)
    whole = round(Fraction(x) / unit)
    value = whole * unit
    if abs(value) > Fraction(most):
        return math.copysign(math.inf, x)
    return math.copysign(float(value), x)


@pytest.mark.parametrize("dtype", HALVES)
def test_float64_to_half_precision_rounds_once(dtype: str, device: str) -> None:
    """Beside the middle between two halves, where a step by way of float32 would end on the middle."""
    rng = np.random.default_rng(3)
    digits, least, most = HALVES[dtype]
    numbers: list[float] = [0.0, -0.0, math.inf, -math.inf, most, most * (1 + 2.0 ** -(digits + 1)), 1e300, 5e-324]
    for _ in range(3000):
        exponent = int(rng.integers(least - digits - 2, math.frexp(most)[1] - 1))
        unit = 2.0 ** (max(exponent, least) - digits + 1)
        middle = (int(rng.integers(2**digits)) + 0.5) * unit
        numbers += [middle, middle * (1 + 2.0**-40), -middle * (1 - 2.0**-40), math.nextafter(middle, math.inf)]
    x = rustorch.tensor(numbers, dtype=rustorch.float64).to(device)
    want = [rounded(number, dtype) for number in numbers]
    kind = getattr(rustorch, dtype)
    assert x.to(kind).double().tolist() == want
    assert rustorch.tensor(numbers, dtype=kind, device=device).double().tolist() == want
    assert (x[::3].to(kind)).double().tolist() == want[::3]
    for number, half in list(zip(numbers, want, strict=True))[:100]:
        # Numbers beyond the largest are refused there, as they are in PyTorch.
        if most < abs(number) < math.inf:
            continue
        assert rustorch.zeros((), dtype=kind).fill_(number).item() == half


# What PyTorch gives on x86 for the same numbers as float32 and float64.
NUMBERS = [300.0, -1.9, -200.0, 40000.0, 70000.0, 3e9, -3e9, 5e9, 1e19, -1e19, 1e30, math.inf, -math.inf, math.nan]
LOWEST64 = -(2**63)
AS_INTEGERS = {
    "uint8": [44, 255, 56, 64, 112] + [0] * 9,
    "int8": [44, -1, 56, 64, 112] + [0] * 9,
    "int16": [300, -1, -200, -25536, 4464] + [0] * 9,
    "int32": [300, -1, -200, 40000, 70000] + [-(2**31)] * 9,
    "int64": [300, -1, -200, 40000, 70000, 3 * 10**9, -3 * 10**9, 5 * 10**9] + [LOWEST64] * 6,
}


@pytest.mark.parametrize("source", ["float32", "float64"])
@pytest.mark.parametrize("target", AS_INTEGERS)
def test_floats_that_an_integer_cannot_hold(source: str, target: str, device: str) -> None:
    """The same at every place of a vector, in its rest, and with any stride."""
    to = getattr(rustorch, target)
    for number, want in zip(NUMBERS, AS_INTEGERS[target], strict=True):
        for n in (1, 3, 67):
            x = rustorch.full((n, 2), number, dtype=getattr(rustorch, source), device=device)
            assert set(x.to(to).flatten().tolist()) == {want}, number
            assert set(x[:, 1].to(to).tolist()) == {want}, number


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1_000_000,), (50_000, 3), (3, 50_000)])
def test_a_product_of_many_factors_is_not_biased(dtype: str, shape: tuple[int, ...], device: str) -> None:
    dim = int(np.argmax(shape))
    for seed in range(3):
        x = (1 + np.random.default_rng(seed).standard_normal(shape) * 1e-3).astype(dtype)
        want = np.exp(np.log(x.astype(np.longdouble)).sum(dim))
        got = rustorch.from_numpy(x).to(device).prod(dim).cpu().double().numpy()
        np.testing.assert_allclose(got, want.astype(np.float64), rtol=1e-6 if dtype == "float32" else 1e-9)


def test_a_product_does_not_overflow_before_it_is_done(device: str) -> None:
    x = rustorch.tensor([1e30] * 64 + [1e-30] * 64, dtype=rustorch.float32, device=device)
    assert x[64:].prod().item() == 0
    for line in (x.view(2, 64).t().reshape(-1)[:16], x.view(2, 64)[:, :4].flatten()):
        assert line.prod().item() == pytest.approx(1, rel=1e-5)
    assert x.view(2, 64).prod(0).tolist() == pytest.approx([1] * 64, rel=1e-6)


@pytest.mark.parametrize("dtype", FLOATS)
def test_round_to_decimals_stays_near_the_number(dtype: str, device: str) -> None:
    """For every size of numbers and of decimals: as exact arithmetic, but for what products with powers of 10 round."""
    kind = getattr(rustorch, dtype)
    info = rustorch.finfo(kind)
    most, least, eps = (Decimal(float(v)) for v in (info.max, info.tiny, info.eps))
    numbers = [0.0, -0.0, 1.5, -2.25, 123.456, 1e-3, 7.0, 2.0**14, -float(most), float(most) / 3, float(least)]
    x = rustorch.tensor(numbers, dtype=kind, device=device)
    with localcontext() as context:
        context.prec = 800
        for decimals in (1, 2, 3, 7, 20, 40, 310, -1, -3, -20, -37, -40, -310):
            got = rustorch.round(x, decimals=decimals).double().tolist()
            for number, result in zip(x.double().tolist(), got, strict=True):
                exact, half = Decimal(number), Decimal(1).scaleb(-decimals) / 2
                want = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
                # The middle between two results may fall to either side.
                tie = abs(abs(exact - want) - half) <= abs(exact) * eps
                allowed = abs(want) * 2 * eps + (2 * half if tie else 0) + least
                if abs(want) > most:
                    assert math.isinf(result) or abs(Decimal(result) - want) <= allowed, (number, decimals)
                else:
                    assert abs(Decimal(result) - want) <= allowed, (number, decimals, result)
    whole = rustorch.tensor([3.0, -5.0, 65504.0, 2.0**15 + 32], dtype=kind, device=device)
    assert rustorch.round(whole, decimals=3).tolist() == whole.tolist()


@pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)])
def test_padding_with_a_large_integer(value: int, device: str) -> None:
    x = rustorch.tensor([[1, 2]], device=device)
    assert F.pad(x, (1, 0, 0, 1), value=value).tolist() == [[value, 1, 2], [value] * 3]
    assert rustorch.nn.ConstantPad1d((1, 1), value)(x).tolist() == [[value, 1, 2, value]]
