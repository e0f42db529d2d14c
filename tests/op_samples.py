"""One entry per op; test_ops.py does the rest. Here are the elementwise ops, each one call.

The others are in kernel_samples.py and network_samples.py. The fields are described in sample.py; references beyond one
line are in references.py.
"""

import numpy as np
from scipy import special

from tests import references as ref, samples
from tests.sample import ALL, FLOATS, INTS, NUMBERS, elementwise

POSITIVE = (0.1, 4.0)
UNIT = (-0.95, 0.95)
ANY = (-3.0, 3.0)
FLAG = (0.0, 1.0)
INTEGRAL = (*INTS, "bool")
TO_FLOAT = {"dtypes": ALL, "result": "float"}
TO_BOOL = {"dtypes": ALL, "result": "bool", "grad": False}
PREDICATE = TO_BOOL | {"inplace": False}
F = "nn.functional."

ELEMENTWISE = [
    # arithmetic
    elementwise("add", np.add, ANY, ANY, scalar=2, dtypes=ALL),
    elementwise("add", lambda x, y, alpha: x + alpha * y, ANY, ANY, kwargs={"alpha": 3}, dtypes=NUMBERS),
    elementwise("sub", np.subtract, ANY, ANY, scalar=2, dtypes=NUMBERS),
    elementwise("mul", np.multiply, ANY, ANY, scalar=2, dtypes=ALL),
    elementwise("div", ref.divide, ANY, POSITIVE, scalar=2, **TO_FLOAT),
    elementwise(
        "div",
        ref.divide,
        ANY,
        (1, 4),
        kwargs={"rounding_mode": "floor"},
        dtypes=NUMBERS,
        special_values=False,
    ),
    elementwise(
        "div",
        ref.divide,
        ANY,
        (1, 4),
        kwargs={"rounding_mode": "trunc"},
        dtypes=NUMBERS,
        special_values=False,
    ),
    elementwise("floor_divide", ref.floor_divide, ANY, (1, 4), scalar=2, dtypes=NUMBERS, special_values=False),
    elementwise("remainder", np.remainder, ANY, (1, 4), scalar=2, dtypes=NUMBERS, special_values=False),
    elementwise("fmod", np.fmod, ANY, (1, 4), scalar=2, dtypes=NUMBERS),
    elementwise("pow", np.power, POSITIVE, (0, 3), scalar=2, dtypes=NUMBERS),
    elementwise("neg", np.negative, dtypes=NUMBERS),
    elementwise("abs", np.abs, dtypes=NUMBERS),
    elementwise("sign", np.sign, dtypes=NUMBERS, special_values=False),
    elementwise("square", np.square, dtypes=NUMBERS),
    elementwise(
        "square", lambda x: x.astype(np.int64), FLAG, dtypes=("bool",), result="int64", inplace=False, grad=False
    ),
    elementwise("reciprocal", lambda x: 1 / x, (1, 4), **TO_FLOAT),
    elementwise("sqrt", np.sqrt, POSITIVE, **TO_FLOAT),
    elementwise("rsqrt", lambda x: 1 / np.sqrt(x), (1, 4), **TO_FLOAT),
    elementwise("maximum", np.maximum, ANY, ANY, dtypes=ALL, inplace=False),
    elementwise("minimum", np.minimum, ANY, ANY, dtypes=ALL, inplace=False),
    elementwise("fmax", np.fmax, ANY, ANY, dtypes=NUMBERS, inplace=False),
    elementwise("fmin", np.fmin, ANY, ANY, dtypes=NUMBERS, inplace=False),
    elementwise("hypot", np.hypot, POSITIVE, ANY),
    elementwise("copysign", np.copysign, POSITIVE, ANY, **TO_FLOAT),
    elementwise("lerp", lambda x, y, w: x + w * (y - x), ANY, ANY, FLAG, scalar=0.3, special_values=False),
    elementwise(
        "addcmul", lambda x, y, z, value: x + value * y * z, ANY, ANY, ANY, kwargs={"value": 2}, special_values=False
    ),
    elementwise(
        "addcdiv",
        lambda x, y, z, value: x + value * y / z,
        ANY,
        ANY,
        POSITIVE,
        kwargs={"value": 2},
        special_values=False,
    ),
    elementwise("clamp", ref.clamp, kwargs={"min": 1, "max": 2}, dtypes=NUMBERS),
    elementwise("clamp", ref.clamp, ANY, (-3, -1), (1, 3), dtypes=NUMBERS),
    elementwise("clamp_min", ref.clamp, ANY, ANY, scalar=1, dtypes=NUMBERS),
    elementwise("clamp_max", lambda x, y: ref.clamp(x, max=y), ANY, ANY, scalar=1, dtypes=NUMBERS),
    elementwise("floor", np.floor, dtypes=NUMBERS),
    elementwise("ceil", np.ceil, dtypes=NUMBERS),
    elementwise("round", np.round, dtypes=NUMBERS),
    elementwise("round", lambda x, decimals: np.round(x, decimals), kwargs={"decimals": 1}, dtypes=("float64",)),
    elementwise("trunc", ref.truncated, dtypes=NUMBERS),
    elementwise("frac", lambda x: x - np.trunc(x), special_values=False),
    elementwise("deg2rad", np.deg2rad, **TO_FLOAT),
    elementwise("rad2deg", np.rad2deg, **TO_FLOAT),
    # comparisons, predicates, logic, bits
    elementwise("eq", np.equal, FLAG, FLAG, scalar=1, **TO_BOOL),
    elementwise("ne", np.not_equal, FLAG, FLAG, scalar=1, **TO_BOOL),
    elementwise("lt", np.less, ANY, ANY, scalar=1, **TO_BOOL),
    elementwise("le", np.less_equal, ANY, ANY, scalar=1, **TO_BOOL),
    elementwise("gt", np.greater, ANY, ANY, scalar=1, **TO_BOOL),
    elementwise("ge", np.greater_equal, ANY, ANY, scalar=1, **TO_BOOL),
    elementwise("isnan", np.isnan, **PREDICATE),
    elementwise("isinf", np.isinf, **PREDICATE),
    elementwise("isfinite", np.isfinite, **PREDICATE),
    elementwise("isposinf", np.isposinf, **PREDICATE),
    elementwise("isneginf", np.isneginf, **PREDICATE),
    elementwise("signbit", lambda x: np.signbit(x) if x.dtype != bool else np.zeros_like(x), **PREDICATE),
    elementwise("logical_and", np.logical_and, ANY, ANY, **TO_BOOL),
    elementwise("logical_or", np.logical_or, ANY, ANY, **TO_BOOL),
    elementwise("logical_xor", np.logical_xor, ANY, ANY, **TO_BOOL),
    elementwise("logical_not", np.logical_not, **TO_BOOL),
    elementwise("bitwise_and", np.bitwise_and, ANY, ANY, scalar=2, dtypes=INTEGRAL, grad=False),
    elementwise("bitwise_or", np.bitwise_or, ANY, ANY, scalar=2, dtypes=INTEGRAL, grad=False),
    elementwise("bitwise_xor", np.bitwise_xor, ANY, ANY, scalar=2, dtypes=INTEGRAL, grad=False),
    elementwise("bitwise_not", np.invert, dtypes=INTEGRAL, grad=False),
    elementwise("bitwise_left_shift", np.left_shift, ANY, (0, 4), scalar=2, dtypes=INTS, grad=False),
    elementwise("bitwise_right_shift", np.right_shift, (-99, 99), (0, 4), scalar=2, dtypes=INTS, grad=False),
    elementwise("heaviside", np.heaviside, ANY, ANY, grad=False, special_values=False),
    elementwise("nextafter", np.nextafter, ANY, ANY, dtypes=("float64",)),
    elementwise("where", np.where, FLAG, ANY, ANY, fixed={0: "bool"}, dtypes=ALL, inplace=False, method=False),
    # exponential, trigonometric and special functions
    elementwise("exp", np.exp, **TO_FLOAT),
    elementwise("exp2", np.exp2, **TO_FLOAT),
    elementwise("expm1", np.expm1, **TO_FLOAT),
    elementwise("log", np.log, (1, 4), **TO_FLOAT),
    elementwise("log2", np.log2, (1, 4), **TO_FLOAT),
    elementwise("log10", np.log10, (1, 4), **TO_FLOAT),
    elementwise("log1p", np.log1p, (0, 4), **TO_FLOAT),
    elementwise("logaddexp", np.logaddexp, ANY, ANY, inplace=False),
    elementwise("logaddexp2", np.logaddexp2, ANY, ANY, inplace=False),
    elementwise("xlogy", special.xlogy, POSITIVE, (1, 4), scalar=2, **TO_FLOAT),
    elementwise("sin", np.sin, **TO_FLOAT, special_values=False),
    elementwise("cos", np.cos, **TO_FLOAT, special_values=False),
    elementwise("tan", np.tan, (-1, 1), **TO_FLOAT, special_values=False),
    elementwise("asin", np.arcsin, UNIT, **TO_FLOAT),
    elementwise("acos", np.arccos, UNIT, **TO_FLOAT),
    elementwise("atan", np.arctan, **TO_FLOAT),
    elementwise("atan2", np.arctan2, ANY, POSITIVE, **TO_FLOAT),
    elementwise("sinh", np.sinh, **TO_FLOAT),
    elementwise("cosh", np.cosh, **TO_FLOAT),
    elementwise("tanh", np.tanh, **TO_FLOAT),
    elementwise("asinh", np.arcsinh, **TO_FLOAT),
    elementwise("acosh", np.arccosh, (1.1, 4), **TO_FLOAT),
    elementwise("atanh", np.arctanh, UNIT, **TO_FLOAT),
    elementwise("erf", special.erf, **TO_FLOAT),
    elementwise("erfc", special.erfc, **TO_FLOAT),
    elementwise("erfinv", special.erfinv, UNIT, **TO_FLOAT),
    elementwise("lgamma", special.gammaln, POSITIVE, **TO_FLOAT, special_values=False),
    elementwise("digamma", special.digamma, (1, 4), **TO_FLOAT, special_values=False),
    elementwise("sinc", np.sinc, **TO_FLOAT, special_values=False),
    elementwise("sigmoid", special.expit, **TO_FLOAT),
    elementwise("logit", ref.logit, (0.1, 0.9), special_values=False),
    elementwise("logit", ref.logit, (-0.1, 1.1), kwargs={"eps": 0.2}, special_values=False),
    # activations
    elementwise("relu", lambda x: np.maximum(x, 0), dtypes=NUMBERS),
    elementwise("selu", lambda x: ref.elu(x, 1.6732632423543772, 1.0507009873554805), method=False, inplace=False),
    elementwise(
        "celu", lambda x, alpha: ref.elu(x, alpha, 1, 1 / alpha), kwargs={"alpha": 1.5}, method=False, inplace=False
    ),
    elementwise(
        "threshold",
        lambda x, threshold, value: np.where(x <= threshold, value, x),
        kwargs={"threshold": 1, "value": 7},
        dtypes=NUMBERS,
        method=False,
        inplace=False,
    ),
    elementwise(F + "relu6", lambda x: np.clip(x, 0, 6), (-3, 9), dtypes=NUMBERS),
    elementwise(
        F + "leaky_relu",
        lambda x, negative_slope: np.where(x > 0, x, negative_slope * x),
        kwargs={"negative_slope": 0.1},
    ),
    elementwise(F + "silu", lambda x: x * special.expit(x), special_values=False),
    elementwise(F + "mish", lambda x: x * np.tanh(ref.softplus(x)), special_values=False),
    elementwise(F + "gelu", ref.gelu, special_values=False),
    elementwise(F + "gelu", ref.gelu, kwargs={"approximate": "tanh"}, special_values=False),
    elementwise(F + "softplus", ref.softplus),
    elementwise(F + "softplus", ref.softplus, kwargs={"beta": 2.0, "threshold": 3.0}),
    elementwise(F + "logsigmoid", lambda x: -np.logaddexp(0, -x)),
    elementwise(F + "elu", ref.elu, kwargs={"alpha": 1.5}),
    elementwise(F + "hardswish", lambda x: x * np.clip(x + 3, 0, 6) / 6, (-5, 5), special_values=False),
    elementwise(F + "hardsigmoid", lambda x: np.clip(x + 3, 0, 6) / 6, (-5, 5)),
    elementwise(F + "hardtanh", lambda x: np.clip(x, -1, 1), dtypes=FLOATS),
    elementwise("hardshrink", lambda x: np.where(np.abs(x) <= 0.5, 0, x), inplace=False),
    elementwise(F + "softsign", lambda x: x / (1 + np.abs(x)), special_values=False),
]

SAMPLES = ELEMENTWISE + samples.SAMPLES

# Ops whose results do not follow from their arguments' values alone, and where they are tested instead.
WITHOUT_SAMPLE = samples.WITHOUT_SAMPLE | {
    **dict.fromkeys(("zeros", "ones", "empty", "full", "arange", "linspace", "eye"), "test_creation.py"),
    **dict.fromkeys(("zeros_like", "ones_like", "empty_like", "full_like"), "test_creation.py"),
    **dict.fromkeys(("fill_", "zero_", "copy_"), "test_creation.py"),
    **dict.fromkeys(("empty_strided", "empty_permuted"), "test_creation.py"),
    "fill": "test_aten.py",
    "as_strided": "test_views.py",  # depends on the storage, not on the values
    **dict.fromkeys(("rand", "randn", "randint", "randperm", "rand_like", "randn_like"), "test_random.py"),
    **dict.fromkeys(("bernoulli", "normal_", "uniform_", "bernoulli_", "dropout"), "test_random.py"),
    **dict.fromkeys(("feature_dropout", "alpha_dropout", "feature_alpha_dropout"), "test_dropout.py"),
}
