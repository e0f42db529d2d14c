"""Samples of adaptive, fractional and power-average pooling, and of unpooling."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests import references as ref
from tests.sample import FLOATS, T, case, op

Array = NDArray[Any]
F = "nn.functional."


def largest(x: Array, spans: Any) -> tuple[Array, Array]:
    """The largest element of each window and its flat position; `spans` gives each plane's windows per dimension."""
    spatial = len(spans(0, 0))
    plane = np.arange(np.prod(x.shape[-spatial:])).reshape(x.shape[-spatial:])
    values, places = [], []
    for n, c in np.ndindex(*x.shape[:2]):
        windows = spans(n, c)
        for at in np.ndindex(*map(len, windows)):
            cut = tuple(windows[d][i] for d, i in enumerate(at))
            best = x[n, c][cut].argmax()
            values.append(x[n, c][cut].flat[best])
            places.append(plane[cut].flat[best])
    shape = (*x.shape[:2], *map(len, spans(0, 0)))
    return np.array(values).reshape(shape), np.array(places, np.int64).reshape(shape)


def adaptive(spatial: int) -> Any:
    """PyTorch's floor and ceiling at the windows' ends."""

    def run(x: Array, output_size: Any) -> Any:
        if x.ndim == spatial + 1:
            return tuple(r[0] for r in run(x[None], output_size))
        sizes = (output_size,) * spatial if isinstance(output_size, int) else output_size
        pairs = list(zip(x.shape[2:], sizes, strict=True))
        spans = [[slice(i * n // o, -(-(i + 1) * n // o)) for i in range(o)] for n, o in pairs]
        return largest(x, lambda n, c: spans)

    return lambda x, output_size, return_indices=True: run(x, output_size)


def fractional(spatial: int) -> Any:
    """Windows that begin where the samples say."""

    def starts(sample: float, size: int, count: int, window: int) -> list[int]:
        alpha = (size - window) / max(count - 1, 1)
        return [int((i + sample) * alpha) - int(sample * alpha) for i in range(count - 1)] + [size - window]

    def run(x: Array, kernel_size: Any, output_size: Any, *, _random_samples: Array) -> Any:
        order = (1, 0) if spatial == 2 else (0, 1, 2)

        def spans(n: int, c: int) -> list[list[slice]]:
            return [
                [
                    slice(b, b + kernel_size[d])
                    for b in starts(_random_samples[n, c, order[d]], x.shape[d + 2], output_size[d], kernel_size[d])
                ]
                for d in range(spatial)
            ]

        return largest(x, spans)

    return run


def unpool(spatial: int) -> Any:
    """Zeros with the elements at their places."""

    def run(
        x: Array, indices: Array, kernel_size: int, stride: Any = None, padding: int = 0, output_size: Any = None
    ) -> Array:
        step = stride or kernel_size
        sizes = output_size or [(n - 1) * step - 2 * padding + kernel_size for n in x.shape[-spatial:]]
        lead = x.shape[:-spatial]
        out = np.zeros((*lead, int(np.prod(sizes))), x.dtype)
        np.put_along_axis(out, indices.reshape(*lead, -1), x.reshape(*lead, -1), -1)
        return out.reshape(*lead, *sizes)

    return run


def lp_pool(spatial: int) -> Any:
    """The norm of each window."""

    def run(x: Array, norm_type: float, kernel_size: Any, stride: Any = ()) -> Array:
        kernel = ref._sizes(kernel_size, spatial)
        step, zeros, ones = ref._sizes(stride, spatial) or kernel, (0,) * spatial, (1,) * spatial
        taps = tuple(range(2 + spatial, 2 + 2 * spatial))
        return (ref._windows(x, kernel, step, zeros, ones, 0) ** norm_type).sum(taps) ** (1 / norm_type)

    return run


def distinct(*shape: int) -> T:
    return T(shape, distinct=True)


def chances(*shape: int) -> T:
    return T(shape, 0.05, 0.95, dtype="float64", grad=False)


WITH_INDICES: Any = {"result": ("same", "int64"), "dtypes": ("float64", "float32")}

SAMPLES = [
    op(
        "adaptive_max_pool1d",
        adaptive(1),
        case(distinct(2, 3, 9), 4),
        case(distinct(3, 5), 7),
        method=False,
        **WITH_INDICES,
    ),
    op(
        F + "adaptive_max_pool2d",
        adaptive(2),
        case(distinct(2, 3, 5, 7), (3, 4), return_indices=True),
        case(distinct(2, 5, 4), 1, return_indices=True),
        **WITH_INDICES,
    ),
    op(
        F + "adaptive_max_pool3d",
        adaptive(3),
        case(distinct(1, 2, 3, 4, 5), (2, 2, 3), return_indices=True),
        **WITH_INDICES,
    ),
    op(
        F + "fractional_max_pool2d_with_indices",
        fractional(2),
        case(distinct(2, 3, 7, 6), (2, 3), (3, 4), _random_samples=chances(2, 3, 2)),
        **WITH_INDICES,
    ),
    op(
        F + "fractional_max_pool3d_with_indices",
        fractional(3),
        case(distinct(1, 2, 5, 7, 6), (2, 2, 3), (3, 4, 1), _random_samples=chances(1, 2, 3)),
        **WITH_INDICES,
    ),
    op(
        F + "max_unpool1d",
        unpool(1),
        case(T((2, 2, 1)), T((2, 2, 1), 0, 3, dtype="int64"), 3, 2, output_size=(4,)),
        dtypes=FLOATS,
    ),
    op(F + "max_unpool2d", unpool(2), case(T((2, 3, 1, 1)), T((2, 3, 1, 1), 0, 3, dtype="int64"), 2), dtypes=FLOATS),
    op(F + "max_unpool3d", unpool(3), case(T((3, 1, 1, 1)), T((3, 1, 1, 1), 0, 7, dtype="int64"), 2), dtypes=FLOATS),
    op(F + "lp_pool1d", lp_pool(1), case(T((2, 3, 9), 0.2, 2), 2, 3), case(T((2, 3, 9), 0.2, 2), 3, 3, 2)),
    op(F + "lp_pool2d", lp_pool(2), case(T((2, 3, 5, 6), 0.2, 2), 2, (2, 3), (2, 1))),
    op(F + "lp_pool3d", lp_pool(3), case(T((1, 2, 3, 4, 5), 0.2, 2), 1.5, 2)),
    op(
        F + "avg_pool2d",
        lambda x, kernel_size, divisor_override: np.trunc(
            ref.avg_pool(2)(x, kernel_size, divisor_override=divisor_override)
        ).astype(np.int64),
        case(T((2, 3, 6, 4)), 2, divisor_override=-3),
        dtypes=("int64",),
        grad=False,
    ),
]
