"""Writes function_values.json: values and derivatives of functions of one number, by mpmath.

Not a test: `python tests/function_values.py` where mpmath is installed. The points are bfloat16 numbers, so that one
table serves every dtype; test_function_values.py says what is held against them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp

F = Callable[[Any], Any]

MODERATE = [2.0**-20, 0.125, 0.4765625, 0.75, 1.5, 2.0, 3.25, 5.5, 9.0, 13.0, 20.0, 33.0]
SMALL = [2.0**-100, 2.0**-40, *MODERATE]
LARGE = [40.0, 60.0, 88.0, 100.0, 512.0, 2.0**24, 2.0**83]
REAL = [0.0] + [s * x for x in SMALL + LARGE for s in (1, -1)]
POSITIVE = SMALL + LARGE
UNIT = [0.0] + [s * x for x in (2.0**-100, 2.0**-20, 0.125, 0.4765625, 0.75, 0.99609375) for s in (1, -1)]
CHANCE = [2.0**-100, 2.0**-20, 0.125, 0.4765625, 0.75, 0.99609375]
BESSEL = [0.0] + [s * x for x in [*SMALL, 40.0, 60.0] for s in (1, -1)]
TAILED = [x for x in MODERATE if x < 10]


def sinc(x: Any) -> Any:
    return mp.mpf(1) if x == 0 else mp.sinpi(x) / (mp.pi * x)


def ndtr(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def unless_zero(f: F, limit: float) -> F:
    return lambda x: mp.mpf(limit) if x == 0 else f(x)


FUNCTIONS: dict[str, tuple[F, list[float]]] = {
    "exp": (mp.exp, REAL),
    "exp2": (lambda x: mp.mpf(2) ** x, REAL),
    "expm1": (mp.expm1, REAL),
    "log": (mp.log, POSITIVE),
    "log2": (lambda x: mp.log(x) / mp.log(2), POSITIVE),
    "log10": (lambda x: mp.log(x) / mp.log(10), POSITIVE),
    "log1p": (mp.log1p, [-0.99609375, -0.125, *POSITIVE]),
    "sin": (mp.sin, BESSEL),
    "cos": (mp.cos, BESSEL),
    "tan": (mp.tan, BESSEL),
    "asin": (mp.asin, UNIT),
    "acos": (mp.acos, UNIT),
    "atan": (mp.atan, REAL),
    "sinh": (mp.sinh, REAL),
    "cosh": (mp.cosh, REAL),
    "tanh": (mp.tanh, REAL),
    "asinh": (mp.asinh, REAL),
    "acosh": (mp.acosh, [1.0078125, 1.5, *LARGE]),
    "atanh": (mp.atanh, UNIT),
    "erf": (mp.erf, REAL),
    "erfc": (mp.erfc, REAL),
    "erfinv": (mp.erfinv, UNIT),
    "lgamma": (mp.loggamma, POSITIVE),
    "digamma": (mp.digamma, POSITIVE),
    "sinc": (sinc, REAL),
    "sigmoid": (sigmoid, REAL),
    "logit": (lambda x: mp.log(x) - mp.log1p(-x), CHANCE),
    "sqrt": (mp.sqrt, POSITIVE),
    "rsqrt": (lambda x: 1 / mp.sqrt(x), POSITIVE),
    "reciprocal": (lambda x: 1 / x, POSITIVE),
    "square": (lambda x: x * x, REAL),
    "nn.functional.silu": (lambda x: x * sigmoid(x), REAL),
    "nn.functional.mish": (lambda x: x * mp.tanh(mp.log1p(mp.exp(x))), REAL),
    "nn.functional.gelu": (lambda x: x * ndtr(x), REAL),
    "gelu_tanh": (
        lambda x: x * sigmoid(2 * mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3)),
        REAL,
    ),
    "nn.functional.softplus": (lambda x: x if x > 20 else mp.log1p(mp.exp(x)), [x for x in REAL if x != 20]),
    "nn.functional.logsigmoid": (lambda x: -mp.log1p(mp.exp(-x)), REAL),
    "nn.functional.elu": (lambda x: x if x > 0 else mp.expm1(x), [x for x in REAL if x != 0]),
    "nn.functional.softsign": (lambda x: x / (1 + abs(x)), [x for x in REAL if x != 0]),
    "nn.functional.tanhshrink": (lambda x: x - mp.tanh(x), REAL),
    "special.entr": (lambda x: -x * mp.log(x), POSITIVE),
    "special.erfcx": (lambda x: mp.exp(x * x) * mp.erfc(x), [-5.5, -3.25, -1.5, *SMALL, *LARGE]),
    "special.ndtr": (ndtr, REAL),
    "special.log_ndtr": (lambda x: mp.log(ndtr(x)), REAL[:-2]),
    "special.ndtri": (lambda p: -mp.sqrt(2) * mp.erfinv(1 - 2 * p), CHANCE),
    "i0": (lambda x: mp.besseli(0, x), BESSEL),
    "special.i0e": (lambda x: mp.besseli(0, x) * mp.exp(-abs(x)), BESSEL[1:]),
    "special.i1": (lambda x: mp.besseli(1, x), BESSEL),
    "special.i1e": (lambda x: mp.besseli(1, x) * mp.exp(-abs(x)), BESSEL[1:]),
    "special.bessel_j0": (lambda x: mp.besselj(0, x), BESSEL),
    "special.bessel_j1": (lambda x: mp.besselj(1, x), BESSEL),
    "special.bessel_y0": (lambda x: mp.bessely(0, x), TAILED),
    "special.bessel_y1": (lambda x: mp.bessely(1, x), TAILED),
    "special.modified_bessel_k0": (lambda x: mp.besselk(0, x), TAILED),
    "special.modified_bessel_k1": (lambda x: mp.besselk(1, x), TAILED),
    "special.spherical_bessel_j0": (unless_zero(lambda x: mp.sin(x) / x, 1), BESSEL),
}


def orders(f: F, x: float) -> list[Any]:
    """The value, and two derivatives by differences of numbers with many digits."""
    # Tails of exp(-x²), large angles and differences of what is nearly equal need hundreds.
    digits = 150 if 1e-6 < abs(x) < 10 else 400 if 0 < abs(x) < 10 else 900
    with mp.workdps(digits):
        at, h = mp.mpf(x), min(mp.mpf(abs(x)), 1) * mp.mpf(10) ** -30 or mp.mpf(10) ** -200
        low, here, high = f(at - h), f(at), f(at + h)
        found = [here, (high - low) / (2 * h), (high - 2 * here + low) / (h * h)]
        # What the differences leave of nothing is nothing.
        noise = mp.mpf(10) ** (8 - digits) * max(1, abs(here))
        return [mp.mpf(0) if k and abs(y) < noise / h**k else y for k, y in enumerate(found)]


def number(x: Any) -> float:
    """A float64, 0 or infinite where it leaves the range."""
    return float(mp.re(x))


def main() -> None:
    lines = []
    for name, (f, points) in FUNCTIONS.items():
        rows = [[x, *map(number, orders(f, x))] for x in points]
        lines.append(f"  {json.dumps(name)}: {json.dumps(rows)}")
        print(name, flush=True)
    path = Path(__file__).with_name("function_values.json")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
