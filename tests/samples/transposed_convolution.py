"""Samples of transposed convolutions, of patches, and of convolutions of integers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests import references as ref
from tests.sample import FLOATS, INTS, T, case, op

Array = NDArray[Any]
F = "nn.functional."
SMALL = (-1.0, 1.0)


def sizes(value: Any, spatial: int) -> tuple[int, ...]:
    """One number per dimension."""
    return (value,) * spatial if isinstance(value, int) else tuple(value)


def transposed(spatial: int) -> Any:
    """Each input adds the kernel, times itself, to the output."""

    def run(
        x: Array,
        w: Array,
        b: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
    ) -> Array:
        if x.ndim == spatial + 1:
            return run(x[None], w, b, stride, padding, output_padding, groups, dilation)[0]
        s, p, extra, d = (sizes(v, spatial) for v in (stride, padding, output_padding, dilation))
        full = [
            (n - 1) * s[i] + d[i] * (k - 1) + 1 + extra[i]
            for i, (n, k) in enumerate(zip(x.shape[2:], w.shape[2:], strict=True))
        ]
        out = np.zeros((x.shape[0], w.shape[1] * groups, *full), x.dtype)
        of_group = x.shape[1] // groups
        for c in range(x.shape[1]):
            g = c // of_group
            for at in np.ndindex(*x.shape[2:]):
                for tap in np.ndindex(*w.shape[2:]):
                    place = tuple(a * s[i] + t * d[i] for i, (a, t) in enumerate(zip(at, tap, strict=True)))
                    filters = slice(g * w.shape[1], (g + 1) * w.shape[1])
                    out[(slice(None), filters, *place)] += x[(slice(None), c, *at)][:, None] * w[(c, slice(None), *tap)]
        cut = tuple(slice(q, n - q) for q, n in zip(p, full, strict=True))
        out = out[(slice(None), slice(None), *cut)]
        return out if b is None else out + b.reshape(-1, *[1] * spatial)

    return run


def unfold(x: Array, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Array:
    """Windows as columns."""
    if x.ndim == 3:
        return unfold(x[None], kernel_size, dilation, padding, stride)[0]
    k, s, p, d = (sizes(v, 2) for v in (kernel_size, stride, padding, dilation))
    windows = ref._windows(x, k, s, p, d, 0)
    return np.moveaxis(windows, (4, 5), (2, 3)).reshape(
        x.shape[0], x.shape[1] * k[0] * k[1], windows.shape[2] * windows.shape[3]
    )


def fold(x: Array, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Array:
    """The transpose of unfold, tap by tap."""
    if x.ndim == 2:
        return fold(x[None], output_size, kernel_size, dilation, padding, stride)[0]
    k, s, p, d = (sizes(v, 2) for v in (kernel_size, stride, padding, dilation))
    height, width = sizes(output_size, 2)
    channels = x.shape[1] // (k[0] * k[1])
    padded = np.zeros((x.shape[0], channels, height + 2 * p[0], width + 2 * p[1]), x.dtype)
    rows = (height + 2 * p[0] - d[0] * (k[0] - 1) - 1) // s[0] + 1
    columns = x.reshape(x.shape[0], channels, *k, rows, -1)
    for i, j in np.ndindex(*k):
        for a, b in np.ndindex(*columns.shape[4:]):
            padded[:, :, a * s[0] + i * d[0], b * s[1] + j * d[1]] += columns[:, :, i, j, a, b]
    return padded[:, :, p[0] : p[0] + height, p[1] : p[1] + width]


BIAS = T((6,), *SMALL)

SAMPLES = [
    op(
        "conv_transpose1d",
        transposed(1),
        case(T((2, 4, 5), *SMALL), T((4, 6, 3), *SMALL)),
        case(T((2, 4, 5), *SMALL), T((4, 3, 3), *SMALL), BIAS, 3, 1, 2, 2, 2),
        case(T((4, 5), *SMALL), T((4, 6, 2), *SMALL), BIAS, 1, 0, 1, 1, 2),
        method=False,
    ),
    op(
        "conv_transpose2d",
        transposed(2),
        case(T((2, 4, 3, 4), *SMALL), T((4, 3, 3, 2), *SMALL), BIAS, (2, 1), (1, 0), (1, 0), 2),
        case(T((4, 3, 3), *SMALL), T((4, 6, 1, 1), *SMALL)),
        case(T((0, 4, 3, 3)), T((4, 6, 2, 2), *SMALL)),
        method=False,
    ),
    op(
        "conv_transpose3d",
        transposed(3),
        case(T((1, 2, 2, 3, 2), *SMALL), T((2, 2, 2, 1, 3), *SMALL), T((2,), *SMALL), (1, 2, 2), dilation=(1, 1, 2)),
        method=False,
    ),
    op(
        "conv_transpose2d",
        transposed(2),
        case(T((2, 4, 3, 4)), T((4, 3, 3, 2)), T((6,)), 2, 1, 1, 2),
        dtypes=INTS,
        grad=False,
        method=False,
    ),
    op(
        "conv1d",
        ref.convolution(1),
        case(T((2, 4, 9)), T((6, 2, 3)), T((6,)), 2, 1, 2, 2),
        dtypes=INTS,
        grad=False,
        method=False,
    ),
    op(
        "conv3d",
        ref.convolution(3),
        case(T((1, 2, 4, 3, 5)), T((6, 2, 2, 3, 2)), padding=1),
        dtypes=INTS,
        grad=False,
        method=False,
    ),
    op(
        "conv2d",
        ref.convolution(2),
        case(T((4, 6, 5)), T((6, 4, 3, 3)), T((6,))),
        dtypes=INTS,
        grad=False,
        method=False,
    ),
    op(
        F + "unfold",
        unfold,
        case(T((2, 3, 5, 4)), 2),
        case(T((3, 5, 6)), (3, 2), (1, 2), (1, 0), (2, 1)),
        case(T((0, 3, 5, 6)), 2),
        dtypes=FLOATS,
    ),
    op(
        F + "fold",
        fold,
        case(T((2, 8, 12), *SMALL), (5, 4), 2),
        case(T((6, 12), *SMALL), (5, 6), (3, 2), (1, 2), (1, 0), (2, 1)),
        dtypes=FLOATS,
    ),
]
