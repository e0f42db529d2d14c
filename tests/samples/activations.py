"""Samples of the activations that are made of other ops, or look along a dimension."""

import numpy as np
from scipy import special

from tests.sample import ALL, FLOATS, T, case, elementwise, op

F = "nn.functional."
X, CUBE = T((3, 5)), T((2, 3, 4))


def glu(x, dim=-1):
    """One half times the sigmoid of the other."""
    a, b = np.split(x, 2, dim)
    return a * special.expit(b)


def prelu(x, weight):
    """Slopes by channel, dimension 1, where there are several."""
    slope = weight.reshape(-1, *[1] * (x.ndim - 2)) if weight.size > 1 else weight.reshape(())
    return np.where(x > 0, x, slope * x)


SAMPLES = [
    elementwise(
        F + "softshrink",
        lambda x, lambd: np.where(np.abs(x) <= lambd, x * 0, x - np.sign(x) * lambd),
        kwargs={"lambd": 0.75},
        inplace=False,
    ),
    elementwise(F + "tanhshrink", lambda x: x - np.tanh(x), dtypes=ALL[:-1], result="float", inplace=False),
    op(
        F + "glu",
        glu,
        case(T((6,))),
        case(T((3, 4))),
        case(T((4, 3, 5)), 0),
        case(T((0, 4)), 1),
        case(T((2, 0)), 1),
        method=False,
    ),
    op(
        "prelu",
        prelu,
        case(X, T(())),
        case(X, T((1,))),
        case(CUBE, T((3,), -1, 1)),
        case(T(()), T(())),
        case(T((0, 3)), T((3,))),
    ),
    op(
        F + "softmin",
        lambda x, dim: special.softmax(-x, dim),
        case(X, 1),
        case(CUBE, 0),
        case(T((0, 3)), 1),
        dtypes=FLOATS,
        method=False,
    ),
]

# Random: what comes out is held by other means.
WITHOUT_SAMPLE = dict.fromkeys(("rrelu", "gumbel_softmax"), "test_dropout.py")
