"""Values and two derivatives of functions of one number, at small, large and special arguments, in every floating dtype
and on every instruction set: held against function_values.json, which function_values.py computed with many digits.

Tolerances are relative: a tail of 1e-30 has its digits, too. Only below the least normal number digits may be lost.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rustorch
from rustorch import Tensor

from tests.sample import FLOATS

TABLE: dict[str, list[list[float]]] = json.loads(Path(__file__).with_name("function_values.json").read_text())

# Relative, for the value and its derivatives. Float32's is some hundred units in the last place: where exp(-x²/2) is
# 1e-38, the rounding of the argument alone counts for that.
TOLERANCE = {
    "float64": (1e-12, 1e-11, 1e-9),
    "float32": (1e-5, 2e-5, 5e-5),
    "float16": (2e-3, 2e-3, 4e-3),
    "bfloat16": (1.6e-2, 1.6e-2, 3.2e-2),
}


def function(name: str) -> Callable[[Tensor], Tensor]:
    """What a name of the table stands for."""
    if name == "gelu_tanh":
        return lambda x: rustorch.nn.functional.gelu(x, approximate="tanh")
    here: Any = rustorch
    for part in name.split("."):
        here = getattr(here, part)
    return here  # type: ignore[no-any-return]


# Derivatives that are a difference of numbers which are near each other far out, in PyTorch as here: from there on only
# float64 has digits to spare.
CANCELS_BEYOND = {
    "special.i0e": 8.0,
    "special.i1e": 8.0,
    "special.bessel_j0": 30.0,
    "special.bessel_j1": 30.0,
    "special.spherical_bessel_j0": 30.0,
}


def wrong(name: str, dtype: str) -> list[str]:
    """Where values or derivatives are off."""
    call, kind = function(name), getattr(rustorch, dtype)
    info = rustorch.finfo(kind)
    rows = [row for row in TABLE[name] if abs(row[0]) <= info.max and (row[0] == 0 or abs(row[0]) >= info.tiny)]
    x = rustorch.tensor([row[0] for row in rows], dtype=kind, requires_grad=True)
    y = call(x)
    (plain,) = rustorch.autograd.grad(y.sum(), x)
    (first,) = rustorch.autograd.grad(call(x).sum(), x, create_graph=True)
    second = rustorch.zeros_like(x)
    if first.requires_grad:
        (second,) = rustorch.autograd.grad(first.sum(), x)
    found = []
    for order, got in enumerate([y, plain, first, second]):
        k = max(order - 1, 0) if order > 1 else order
        for row, number in zip(rows, got.detach().double().tolist(), strict=True):
            want = row[1 + k]
            if dtype != "float64" and k and abs(row[0]) > CANCELS_BEYOND.get(name, math.inf):
                continue
            # Half precision rounds after each op of a gradient that is recorded.
            if order > 1 and info.bits == 16:
                continue
            if not near(number, want, TOLERANCE[dtype][k], info):
                found.append(f"{name} {dtype} derivative {k} at {row[0]}: {number}, not {want}")
    return found


def near(got: float, want: float, tolerance: float, info: Any) -> bool:
    """Whether the numbers agree; what leaves the dtype's range is infinite or 0."""
    most, least = float(info.max), float(info.tiny)
    if abs(want) > most * (1 - tolerance) and math.isinf(got):
        return got * want > 0
    return abs(got - want) <= tolerance * abs(want) + 4 * least


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", list(TABLE))
def test_values_and_derivatives(name: str, dtype: str) -> None:
    found = wrong(name, dtype)
    assert not found, "\n".join(found)


def main() -> None:
    """Checks every function on the instruction set of this process."""
    found = [line for name in TABLE for dtype in ("float64", "float32") for line in wrong(name, dtype)]
    sys.exit("\n".join(found) if found else 0)


@pytest.mark.parametrize("level", ["avx2", "fallback"])
def test_values_and_derivatives_on_other_instruction_sets(level: str, device: str) -> None:
    if rustorch.__name__ != "rustorch" or device != "cpu":
        pytest.skip("the instruction set is the CPU's, and RusTorch's to choose")
    environment = {**os.environ, "RUSTORCH_SIMD": level}
    code = "from tests import test_function_values; test_function_values.main()"
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[1],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if "does not have" in result.stderr:
        pytest.skip(f"this machine has no {level}")
    assert result.returncode == 0, result.stderr[-4000:]


ODD = [
    "sin",
    "tan",
    "asin",
    "atan",
    "sinh",
    "tanh",
    "asinh",
    "atanh",
    "erf",
    "erfinv",
    "expm1",
    "log1p",
    "sqrt",
    "trunc",
    "ceil",
    "round",
    "neg",
    "nn.functional.softsign",
    "nn.functional.silu",
    "nn.functional.mish",
    "nn.functional.gelu",
    "nn.functional.tanhshrink",
    "nn.functional.elu",
    "selu",
    "special.i1",
    "special.i1e",
    "special.bessel_j1",
]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ODD)
def test_a_zero_keeps_its_sign(name: str, dtype: str) -> None:
    """In a vector and in what is left over, beside other numbers."""
    x = rustorch.tensor([0.0, -0.0, 0.75, -0.5] * 9 + [-0.0], dtype=getattr(rustorch, dtype))
    y = function(name)(x).double().tolist()
    turned = name == "neg"
    for before, after in zip(x.double().tolist(), y, strict=True):
        if before == 0:
            assert after == 0
            assert math.copysign(1, after) == math.copysign(1, before) * (-1 if turned else 1)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("acosh", -math.inf, 1), ("log", -math.inf, 0), ("log1p", -math.inf, -1), ("sqrt", -math.inf, 0)]
    + [
        (name, low, high)
        for name in ("asin", "acos", "atanh", "erfinv")
        for low, high in ((-math.inf, -1), (1, math.inf))
    ],
)
def test_outside_its_domain_a_function_is_nan(name: str, low: float, high: float, dtype: str) -> None:
    kind = getattr(rustorch, dtype)
    rng = np.random.default_rng(7)
    steps = np.concatenate(
        [2.0 ** rng.uniform(-6, min(math.log2(rustorch.finfo(kind).max) - 1, 300), 20_000), [math.inf]]
    )
    outside = rustorch.tensor((high - steps if low == -math.inf else low + steps).tolist(), dtype=kind)
    outside = outside[(outside < high) & (outside > low) | outside.isinf()]
    got = function(name)(outside)
    assert len(outside) > 1000
    assert got.isnan().all(), outside[~got.isnan()][:5]
