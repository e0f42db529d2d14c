"""Samples of special functions, Bessel functions, and the ops on the parts of numbers."""

import numpy as np
from scipy import special

from tests.sample import FLOATS, INTS, NUMBERS, T, case, elementwise, op

S = "special."
TO_FLOAT = {"dtypes": (*NUMBERS, "bool"), "result": "float"}
ANY = (-3.0, 3.0)
UNIT = (0.05, 0.95)
POSITIVE = (0.2, 4.0)
# SciPy's limits at infinity and at 0 are ours where no other value is said.
PLAIN = {**TO_FLOAT, "special_values": False}
WIDE = {"dtypes": FLOATS, "special_values": False}


def polygamma(n: int, x: np.ndarray) -> np.ndarray:
    """SciPy's, which is real for n = 0 too."""
    return special.digamma(x) if n == 0 else special.polygamma(n, x)


def nan_to_num(
    x: np.ndarray, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> np.ndarray:
    """NumPy's, for inputs that have no infinities: the largest number of the dtype is not known here."""
    return np.nan_to_num(x, nan=nan or 0.0, posinf=posinf, neginf=neginf)


SAMPLES = [
    elementwise(S + "entr", special.entr, POSITIVE, **TO_FLOAT),
    elementwise(S + "erfcx", special.erfcx, (-2.0, 4.0), **TO_FLOAT),
    elementwise(S + "ndtr", special.ndtr, **TO_FLOAT),
    elementwise(S + "log_ndtr", special.log_ndtr, **TO_FLOAT),
    elementwise(S + "ndtri", special.ndtri, UNIT, **TO_FLOAT),
    elementwise(S + "xlog1py", special.xlog1py, ANY, (0.5, 4.0), scalar=2, **TO_FLOAT),
    op(
        S + "zeta",
        special.zeta,
        case(2.5, T((3, 4), 0.5, 6.0)),
        case(T((5,), 1.5, 4.0, grad=False), T((2, 1), 0.5, 6.0)),
    ),
    op("polygamma", polygamma, *(case(n, T((3, 4), *POSITIVE)) for n in (0, 1, 3)), method=False),
    op(
        "mvlgamma",
        lambda x, p: np.vectorize(lambda v: special.multigammaln(v, p), otypes=[np.float64])(x),
        case(T((3, 4), 2.5, 6.0), 1),
        case(T((5,), 2.5, 6.0), 4),
        case(T((0, 2), 2.5, 6.0), 2),
        inplace=True,
    ),
    op("igamma", special.gammainc, case(T((3, 4), 0.5, 6.0, grad=False), T((4,), 0.2, 8.0)), inplace=True),
    op("igammac", special.gammaincc, case(T((3, 4), 0.5, 6.0, grad=False), T((4,), 0.2, 8.0)), inplace=True),
    elementwise("i0", special.i0, **PLAIN),
    elementwise(S + "i0e", special.i0e, **PLAIN),
    elementwise(S + "i1", special.i1, **PLAIN),
    elementwise(S + "i1e", special.i1e, **PLAIN),
    elementwise(S + "bessel_j0", special.j0, (-20.0, 20.0), **WIDE),
    elementwise(S + "bessel_j1", special.j1, (-20.0, 20.0), **WIDE),
    elementwise(S + "bessel_y0", special.y0, (0.3, 20.0), **WIDE),
    elementwise(S + "bessel_y1", special.y1, (0.3, 20.0), **WIDE),
    elementwise(S + "modified_bessel_k0", special.k0, POSITIVE, **PLAIN),
    elementwise(S + "modified_bessel_k1", special.k1, POSITIVE, **PLAIN),
    elementwise(S + "scaled_modified_bessel_k0", special.k0e, POSITIVE, **PLAIN),
    elementwise(S + "scaled_modified_bessel_k1", special.k1e, POSITIVE, **PLAIN),
    elementwise(S + "spherical_bessel_j0", lambda x: special.spherical_jn(0, x), (0.1, 9.0), **PLAIN),
    # the parts of numbers, and arithmetic under other names
    elementwise("rsub", lambda x, y: y - x, ANY, ANY, scalar=2, dtypes=NUMBERS, inplace=False),
    elementwise(
        "rsub", lambda x, y, alpha: y - alpha * x, ANY, ANY, kwargs={"alpha": 3}, dtypes=NUMBERS, inplace=False
    ),
    elementwise("positive", np.positive, dtypes=NUMBERS, inplace=False),
    op(
        "float_power",
        np.float_power,
        case(T((3, 4), *POSITIVE), T((4,), -2.0, 2.0)),
        case(T((3,), *POSITIVE), 2),
        dtypes=("float64",),
        inplace=True,
    ),
    op(
        "float_power",
        np.float_power,
        case(T((3, 4), 1, 4), T((4,), 0, 3)),
        case(2, T((3,), -2.0, 2.0)),
        dtypes=("float32", "int64", "uint8"),
        result="float64",
        method=False,
        grad=False,
    ),
    elementwise("gcd", np.gcd, (-99.0, 99.0), (-99.0, 99.0), dtypes=INTS, grad=False, special_values=False),
    elementwise("lcm", np.lcm, (-11.0, 11.0), (-11.0, 11.0), dtypes=INTS, grad=False, special_values=False),
    op("frexp", np.frexp, case(T((3, 5), -99.0, 99.0)), case(T((0, 2))), result=("same", "int32")),
    op("ldexp", np.ldexp, case(T((3, 4)), T((4,), -3, 4, dtype="int64")), case(T((0,)), T((1,), dtype="int32"))),
    op(
        "nan_to_num",
        nan_to_num,
        case(T((3, 5))),
        case(T((4,)), 1.0, posinf=2.0, neginf=-3.0),
        dtypes=NUMBERS,
        inplace=True,
    ),
]

WITHOUT_SAMPLE = dict.fromkeys(
    (
        *("normal", "poisson", "binomial", "random_"),
        *("exponential_", "cauchy_", "log_normal_", "geometric_"),
    ),
    "test_distributions.py",
)
