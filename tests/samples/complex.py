"""Samples of the ops on complex numbers, over real dtypes; test_complex.py has the complex ones."""

import numpy as np

from tests.sample import ALL, NUMBERS, T, case, elementwise, op

X = T((3, 4))

SAMPLES = [
    elementwise("angle", np.angle, dtypes=ALL, result="float", inplace=False, special_values=False),
    elementwise("sgn", np.sign, dtypes=NUMBERS, special_values=False),
    elementwise("isreal", np.isreal, dtypes=ALL, result="bool", grad=False, inplace=False),
    elementwise("conj_physical", np.conj, dtypes=ALL),
    *(op(name, lambda x: x, case(X), case(T(())), dtypes=ALL) for name in ("conj", "resolve_conj", "resolve_neg")),
    op("real", lambda x: x, case(X), case(T((0,))), dtypes=ALL, method=False),
    op("adjoint", lambda x: np.swapaxes(x, -1, -2), case(X), case(T((2, 0, 3))), dtypes=ALL),
]

WITHOUT_SAMPLE = dict.fromkeys(("complex", "polar", "imag", "view_as_real", "view_as_complex"), "test_complex.py")
