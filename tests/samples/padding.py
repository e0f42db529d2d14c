"""Samples of padding."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.sample import ALL, FLOATS, NUMBERS, T, case, op

Array = NDArray[Any]
F = "nn.functional."
MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(x: Array, pad: Any, mode: str = "constant", value: Any = 0) -> Array:
    """NumPy's pad; negative numbers crop."""
    if not pad:
        return x
    pairs = [(0, 0)] * (x.ndim - len(pad) // 2) + [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]
    crop = tuple(slice(max(-a, 0), n + min(b, 0)) for n, (a, b) in zip(x.shape, pairs, strict=True))
    added = [(max(a, 0), max(b, 0)) for a, b in pairs]
    extra = {"constant_values": value or 0} if mode == "constant" else {}
    return np.pad(x[crop], added, MODES[mode], **extra)


SAMPLES = [
    op(
        "constant_pad_nd",
        lambda x, widths, value=0: pad(x, widths, value=value),
        case(T((3, 5)), (1, 2)),
        case(T((3, 5)), (1, -2, 0, 3), 2),
        case(T((2, 3, 4)), (-1, -1, 2, 0, -1, 1)),
        case(T((2, 3)), (-3, 0)),
        case(T((0, 3)), (1, 1, 2, 0)),
        case(T(()), ()),
        dtypes=ALL,
        method=False,
    ),
    op(
        F + "pad",
        pad,
        case(T((2, 3, 5)), (1, 2), "constant", 1.5, dtypes=FLOATS),
        case(T((2, 3, 5)), (4, 2), "reflect"),
        case(T((2, 4, 5)), (1, 3, 2, 0), "reflect"),
        case(T((3, 2, 3, 4)), (2, 1, 1, 2, 1, 1), "reflect"),
        case(T((2, 5)), (3, 7), "replicate"),
        case(T((1, 2, 3, 4)), (1, -1, 0, 2), "replicate"),
        case(T((2, 3, 5)), (5, 2), "circular"),
        case(T((2, 3, 4, 5)), (1, 2, 3, 0), "circular"),
        case(T((2, 3, 4, 5)), (-1, 2, 0, 1), "circular"),
        case(T((0, 3, 4, 5)), (1, 2, 3, 0), "circular"),
        dtypes=NUMBERS,
    ),
]
