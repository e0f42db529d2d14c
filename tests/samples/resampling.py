"""Samples of interpolation, of sampling on a grid, and of moving channels into the plane."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests import references as ref
from tests.sample import ALL, T, case, op

Array = NDArray[Any]
F = "nn.functional."
SMALL = (-1.0, 1.0)


def cubic(x: Array, a: float = -0.75) -> Array:
    """The cubic convolution kernel."""
    x = abs(x)
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def hat(x: Array) -> Array:
    """The kernel of linear interpolation."""
    return np.maximum(1 - abs(x), 0)


def matrix(mode: str, size: int, out: int, scale: float | None, align: bool, antialias: bool) -> Array:
    """What an output is made of: a row of weights over the inputs, which beyond the edge are the edge."""
    step = (size - 1) / max(out - 1, 1) if align else 1 / scale if scale else size / out
    positions = np.arange(out) * step if align else (np.arange(out) + 0.5) * step - 0.5
    rows = np.zeros((out, size))
    for row, at in enumerate(positions):
        if mode in ("nearest", "nearest-exact"):
            rows[row, min(int((row + (0.5 if mode == "nearest-exact" else 0)) * step), size - 1)] = 1
        elif mode == "area":
            rows[row, row * size // out : -(-(row + 1) * size // out)] = 1
        elif antialias:
            width = max(step, 1.0)
            taps = (np.arange(size) - (row + 0.5) * step + 0.5) / width
            rows[row] = hat(taps) if mode == "linear" else cubic(taps, -0.5)
        else:
            reach = 2 if mode == "cubic" else 1
            for tap in range(int(np.floor(at)) - reach, int(np.floor(at)) + reach + 2):
                kernel = cubic(np.array(tap - at)) if mode == "cubic" else hat(np.array(tap - at))
                rows[row, min(max(tap, 0), size - 1)] += kernel
        if mode == "area" or antialias:
            rows[row] /= rows[row].sum()
    return rows


def interpolate(
    x: Array,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Array:
    """A matrix along each dimension."""
    spatial = x.ndim - 2
    along = {"bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}.get(mode, mode)
    scales = (scale_factor,) * spatial if isinstance(scale_factor, float | int) else scale_factor
    sizes = (size,) * spatial if isinstance(size, int) else size
    sizes = sizes or [int(n * s) for n, s in zip(x.shape[2:], scales, strict=True)]
    for d in range(spatial):
        scale = None if scales is None or recompute_scale_factor else scales[d]
        weights = matrix(along, x.shape[d + 2], sizes[d], scale, bool(align_corners), antialias)
        x = np.moveaxis(np.moveaxis(x, d + 2, -1) @ weights.T, -1, d + 2)
    return x


def fold_back(at: float, low: float, high: float) -> float:
    """Reflects at both ends until inside."""
    if high == low:
        return 0.0
    span = high - low
    at = abs(at - low) % (2 * span)
    return low + min(at, 2 * span - at)


def grid_sample(
    x: Array,
    grid: Array,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Array:
    """Point by point."""
    spatial = x.ndim - 2
    out = np.zeros((*x.shape[:2], *grid.shape[1:-1]))

    def inside(at: float, n: int) -> float:
        if padding_mode == "zeros":
            return at
        if padding_mode == "reflection":
            at = fold_back(at, 0, n - 1) if align_corners else fold_back(at, -0.5, n - 0.5)
        return min(max(at, 0), n - 1)

    for index in np.ndindex(*grid.shape[:-1]):
        taps: list[list[tuple[int, float]]] = []
        for d, n in enumerate(x.shape[2:]):
            g = grid[index][spatial - 1 - d]
            at = (g + 1) / 2 * (n - 1) if align_corners else ((g + 1) * n - 1) / 2
            if mode == "bicubic":
                first = int(np.floor(at))
                around = [(first + k, float(cubic(np.array(first + k - at)))) for k in range(-1, 3)]
                taps.append([(int(inside(k, n)), w) for k, w in around])
                continue
            at = inside(at, n)
            first = int(np.floor(at))
            linear = [(first, first + 1 - at), (first + 1, at - first)]
            taps.append([(int(np.rint(at)), 1.0)] if mode == "nearest" else linear)
        for choice in np.ndindex(*map(len, taps)):
            pixel = tuple(taps[d][k][0] for d, k in enumerate(choice))
            weight = np.prod([taps[d][k][1] for d, k in enumerate(choice)])
            if all(0 <= p < n for p, n in zip(pixel, x.shape[2:], strict=True)):
                out[(index[0], slice(None), *index[1:])] += weight * x[(index[0], slice(None), *pixel)]
    return out


def affine_grid(theta: Array, size: Any, align_corners: bool | None = None) -> Array:
    """The map applied to every point of the image."""
    ends = [1.0 if align_corners else (n - 1) / n for n in size[2:]]
    axes = [np.linspace(-e, e, n) if n > 1 else np.zeros(1) for e, n in zip(ends, size[2:], strict=True)]
    points = np.stack([*np.meshgrid(*axes, indexing="ij")[::-1], np.ones(tuple(size[2:]))], -1)
    return np.einsum("...j,nij->n...i", points, theta)


def pixel_shuffle(x: Array, r: int) -> Array:
    """Channels into squares."""
    *lead, c, h, w = x.shape
    order = (*range(len(lead)), *(len(lead) + d for d in (0, 3, 1, 4, 2)))
    return x.reshape(*lead, c // r**2, r, r, h, w).transpose(order).reshape(*lead, c // r**2, h * r, w * r)


def pixel_unshuffle(x: Array, r: int) -> Array:
    """Squares into channels."""
    *lead, c, h, w = x.shape
    order = (*range(len(lead)), *(len(lead) + d for d in (0, 2, 4, 1, 3)))
    return x.reshape(*lead, c, h // r, r, w // r, r).transpose(order).reshape(*lead, c * r**2, h // r, w // r)


def channel_shuffle(x: Array, groups: int) -> Array:
    """Deals channels out."""
    return x.reshape(x.shape[0], groups, -1, *x.shape[2:]).swapaxes(1, 2).reshape(x.shape)


LINE, PLANE, SPACE = T((2, 3, 5), *SMALL), T((2, 3, 5, 4), *SMALL), T((1, 2, 3, 4, 2), *SMALL)
WIDE = ("float64", "float32")

INTERPOLATION = op(
    F + "interpolate",
    interpolate,
    case(LINE, 8),
    case(PLANE, (7, 3)),
    case(PLANE, None, 2),
    case(SPACE, None, (1.5, 2.0, 0.5)),
    case(PLANE, (7, 3), mode="nearest-exact"),
    case(LINE, 8, mode="linear"),
    case(LINE, 3, mode="linear", align_corners=True),
    case(LINE, None, 1.7, mode="linear"),
    case(LINE, None, 1.7, mode="linear", recompute_scale_factor=True),
    case(PLANE, (9, 3), mode="bilinear"),
    case(PLANE, (9, 1), mode="bilinear", align_corners=True),
    case(PLANE, (9, 3), mode="bicubic", dtypes=WIDE),
    case(PLANE, None, (0.7, 2.3), mode="bicubic", dtypes=WIDE),
    case(PLANE, (3, 6), mode="bicubic", align_corners=True, dtypes=WIDE),
    case(PLANE, (2, 6), mode="bilinear", antialias=True, dtypes=WIDE),
    case(PLANE, (2, 3), mode="bicubic", antialias=True, dtypes=WIDE),
    case(SPACE, (4, 2, 3), mode="trilinear"),
    case(SPACE, (2, 3, 5), mode="trilinear", align_corners=True),
    case(PLANE, (2, 3), mode="area", dtypes=WIDE),
    case(T((0, 3, 5, 4)), (7, 3), mode="bilinear"),
)

GRID = T((2, 3, 4, 2), -1.3, 1.3)
IMAGE = T((2, 3, 5, 4), *SMALL)

SAMPLING = [
    op(
        F + "grid_sample",
        grid_sample,
        case(IMAGE, GRID),
        case(IMAGE, GRID, align_corners=True),
        case(IMAGE, GRID, padding_mode="border"),
        case(IMAGE, T((2, 3, 4, 2), -4, 4), padding_mode="reflection"),
        case(IMAGE, T((2, 3, 4, 2), -4, 4), padding_mode="reflection", align_corners=True),
        case(T((2, 3, 1, 1), *SMALL), GRID, padding_mode="border"),
        case(IMAGE, GRID, "nearest"),
        case(IMAGE, GRID, "bicubic"),
        case(IMAGE, GRID, "bicubic", "border", True),
        case(IMAGE, GRID, "bicubic", "reflection"),
        case(T((1, 2, 3, 4, 2), *SMALL), T((1, 2, 2, 3, 3), -1.3, 1.3)),
        case(T((1, 2, 3, 4, 2), *SMALL), T((1, 2, 2, 3, 3), -1.3, 1.3), "nearest", "border", True),
        case(T((0, 3, 5, 4)), T((0, 3, 4, 2))),
        dtypes=WIDE,
    ),
    op(
        F + "affine_grid",
        affine_grid,
        case(T((2, 2, 3)), (2, 3, 4, 5)),
        case(T((2, 2, 3)), (2, 3, 1, 5), align_corners=True),
        case(T((1, 3, 4)), (1, 1, 2, 3, 4)),
        dtypes=WIDE,
    ),
]

CHANNELS = [
    op(
        "pixel_shuffle",
        pixel_shuffle,
        case(T((2, 8, 3, 2)), 2),
        case(T((9, 1, 2)), 3),
        case(T((0, 4, 1, 1)), 2),
        dtypes=ALL,
        method=False,
    ),
    op(
        "pixel_unshuffle", pixel_unshuffle, case(T((2, 1, 3, 4, 2)), 1), case(T((2, 6, 4)), 2), dtypes=ALL, method=False
    ),
    op("channel_shuffle", channel_shuffle, case(T((2, 6, 3)), 2), case(T((1, 6, 2, 2)), 3), dtypes=ALL, method=False),
]


def rms_norm(x: Array, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Array:
    """Divided by the root mean square."""
    over = tuple(range(-len(normalized_shape), 0))
    scaled = x / np.sqrt((x**2).mean(over, keepdims=True) + (1e-16 if eps is None else eps))
    return scaled if weight is None else scaled * weight


def local_response_norm(x: Array, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Array:
    """Channel by channel."""
    squares = np.pad(x**2, [(0, 0), (size // 2, (size - 1) // 2)] + [(0, 0)] * (x.ndim - 2))
    means = np.stack([squares[:, c : c + size].sum(1) / size for c in range(x.shape[1])], 1)
    return x / (k + alpha * means) ** beta


def instance_norm(
    x: Array,
    mean: Any = None,
    var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Array:
    """Standardised per example and channel."""
    if not use:
        return ref.batch_norm(x, mean, var, weight, bias, eps=eps)
    scaled = ref._standardise(x, tuple(range(2, x.ndim)), eps)
    return ref._affine(scaled, weight, bias, (1, -1, *[1] * (x.ndim - 2)))


C4 = T((4,), *SMALL)
NORMS = [
    op(
        F + "instance_norm",
        instance_norm,
        case(T((2, 4, 9), *SMALL)),
        case(T((2, 4, 3, 5), *SMALL), None, None, C4, C4, True, 0.1, 1e-2),
        case(T((2, 4, 3)), T((4,), grad=False), T((4,), 0.5, 2, grad=False), C4, None, False),
        dtypes=WIDE,
    ),
    op("rms_norm", rms_norm, case(T((3, 5)), (5,)), case(T((2, 3, 4)), (3, 4), T((3, 4)), 1e-2), method=False),
    op(
        F + "local_response_norm",
        local_response_norm,
        case(T((2, 5, 3)), 2, 0.5),
        case(T((2, 4, 3, 2)), 3, 0.3, 0.5, 2.0),
        case(T((0, 4, 3)), 3),
    ),
]

SAMPLES = [INTERPOLATION, *SAMPLING, *CHANNELS, *NORMS]
