"""What ops should compute, in NumPy and SciPy: the references that op_samples.py needs beyond one-liners.

Written for clearness, with loops where a loop says it best. Nothing here calls RusTorch.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[Any]


# --- elementwise ---


def truncated(x: Array) -> Array:
    """np.trunc that keeps integers integers."""
    return np.trunc(x).astype(np.asarray(x).dtype)


def divide(x: Array, y: Array, rounding_mode: str | None = None) -> Array:
    """True division, or division rounded toward zero or minus infinity."""
    if rounding_mode == "floor":
        return np.floor_divide(x, y)
    if rounding_mode == "trunc":
        return np.trunc(np.true_divide(x, y)).astype(np.result_type(x, y))
    return np.true_divide(x, y)


def floor_divide(x: Array, y: Array) -> Array:
    """NumPy's, but infinite where PyTorch is: a division by zero, or of an infinity."""
    quotient = np.true_divide(x, y)
    result = np.floor_divide(x, y)
    return np.where(np.isinf(x) | (np.asarray(y) == 0), quotient, result) if np.asarray(x).dtype.kind == "f" else result


def clamp(x: Array, min: Any = None, max: Any = None) -> Array:
    """The smaller of max and the larger of min and x; NaN wins."""
    if min is not None:
        x = np.maximum(x, min)
    return x if max is None else np.minimum(x, max)


def softplus(x: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """log(1 + exp(beta x)) / beta, linear above the threshold."""
    return np.where(x * beta > threshold, x, np.logaddexp(0, x * beta) / beta)


def gelu(x: Array, approximate: str = "none") -> Array:
    """x times the Gaussian's cumulative distribution, or its usual approximation."""
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x * special.ndtr(x)


def elu(x: Array, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Array:
    """scale * (x where positive, alpha * (exp(input_scale * x) - 1) elsewhere)."""
    return scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) * input_scale))


def logit(x: Array, eps: float | None = None) -> Array:
    """log(x / (1 - x)), x limited to [eps, 1 - eps]."""
    return special.logit(x if eps is None else np.clip(x, eps, 1 - eps))


# --- reductions ---


def axes(dim: Any) -> Any:
    """NumPy's `axis`: an empty list means all, as None does."""
    return tuple(dim) or None if isinstance(dim, list | tuple) else dim


def reducer(function: Any) -> Any:
    """PyTorch's (dim, keepdim) over NumPy's (axis, keepdims)."""

    def reduce(x: Array, dim: Any = None, keepdim: bool = False, **kwargs: Any) -> Array:
        return function(x, axis=axes(dim), keepdims=keepdim, **kwargs)

    return reduce


def extreme(pick: Any, arg: Any, pairwise: Any) -> Any:
    """PyTorch's max and min: of everything, along a dimension with indices, or of two tensors."""

    def reduce(x: Array, other: Any = None, keepdim: bool = False) -> Any:
        if isinstance(other, np.ndarray):
            return pairwise(x, other)
        if other is None:
            return pick(x)
        return pick(x, axis=other, keepdims=keepdim), arg(x, axis=other, keepdims=keepdim)

    return reduce


def cumulative_extreme(accumulate: Any) -> Any:
    """Running extreme and the index of its latest occurrence."""

    def scan(x: Array, dim: int) -> tuple[Array, Array]:
        values = accumulate(x, axis=dim)
        shape = [-1 if d == dim % x.ndim else 1 for d in range(x.ndim)]
        positions = np.where(x == values, np.arange(x.shape[dim]).reshape(shape), 0)
        return values, np.maximum.accumulate(positions, axis=dim)

    return scan


def moments(root: bool, with_mean: bool) -> Any:
    """var, std, var_mean and std_mean."""

    def reduce(
        x: Array, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: Any = None
    ) -> Any:
        ddof = correction if correction is not None else int(unbiased)
        spread = (np.std if root else np.var)(x, axis=axes(dim), keepdims=keepdim, ddof=ddof)
        return (spread, np.mean(x, axis=axes(dim), keepdims=keepdim)) if with_mean else spread

    return reduce


def log_softmax(x: Array, dim: int) -> Array:
    """x minus the logarithm of the sum of exponentials along dim."""
    return x - special.logsumexp(x, axis=dim, keepdims=True)


# --- indexing ---


def scatter(combine: Any) -> Any:
    """scatter and scatter_add along dim, one element at a time."""

    def run(x: Array, dim: int, index: Array, source: Any) -> Array:
        out = x.copy()
        for position in np.ndindex(index.shape):
            target = list(position)
            target[dim] = index[position]
            value = source[position] if isinstance(source, np.ndarray) else source
            out[tuple(target)] = combine(out[tuple(target)], value)
        return out

    return run


def index_add(x: Array, dim: int, index: Array, source: Array, alpha: float = 1) -> Array:
    """Adds slices of the source at the given positions of dim."""
    out = x.copy()
    np.add.at(np.moveaxis(out, dim, 0), index, alpha * np.moveaxis(source, dim, 0))
    return out


# --- windows ---


def _windows(x: Array, kernel: Any, stride: Any, padding: Any, dilation: Any, fill: float) -> Array:
    """(N, C, *out, *kernel): each output position's window."""
    pad = [(0, 0), (0, 0)] + [(p, p) for p in padding]
    x = np.pad(x, pad, constant_values=fill)
    spatial = x.shape[2:]
    out = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(spatial, kernel, stride, dilation, strict=True)]
    result = np.empty((*x.shape[:2], *out, *kernel), x.dtype)
    for position in np.ndindex(*out):
        starts = [i * s for i, s in zip(position, stride, strict=True)]
        cut = tuple(slice(b, b + d * (k - 1) + 1, d) for b, k, d in zip(starts, kernel, dilation, strict=True))
        result[(slice(None), slice(None), *position)] = x[(slice(None), slice(None), *cut)]
    return result


def _sizes(value: Any, spatial: int) -> tuple[int, ...]:
    return (value,) * spatial if isinstance(value, int) else tuple(value)


def convolution(spatial: int) -> Any:
    """Cross-correlation over `spatial` dimensions; without a batch dimension too."""

    def run(
        x: Array, w: Array, b: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
    ) -> Array:
        batch = x if x.ndim == spatial + 2 else x[None]
        stride, padding, dilation = (_sizes(v, spatial) for v in (stride, padding, dilation))
        windows = _windows(batch, w.shape[2:], stride, padding, dilation, 0.0)
        per_group = x.shape[-spatial - 1] // groups
        parts = []
        for g, weights in enumerate(np.split(w, groups)):
            channels = windows[:, g * per_group : (g + 1) * per_group]
            taps = tuple(range(2 + spatial, 2 + 2 * spatial))
            part = np.tensordot(channels, weights, axes=((1, *taps), tuple(range(1, 2 + spatial))))
            parts.append(np.moveaxis(part, -1, 1))
        out = np.concatenate(parts, axis=1)
        if b is not None:
            out = out + b.reshape(-1, *[1] * spatial)
        return out if x.ndim == spatial + 2 else out[0]

    return run


def max_pool(spatial: int, with_indices: bool = False) -> Any:
    """The largest element of each window, and its flat position in the plane."""

    def run(x: Array, kernel_size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1) -> Any:
        kernel = _sizes(kernel_size, spatial)
        stride = _sizes(stride, spatial) or kernel
        padding, dilation = _sizes(padding, spatial), _sizes(dilation, spatial)
        plane = x.shape[2:]
        flat = np.arange(np.prod(plane)).reshape(1, 1, *plane)
        low = np.iinfo(x.dtype).min if x.dtype.kind == "i" else -np.inf
        values = _windows(x, kernel, stride, padding, dilation, low)
        places = _windows(flat, kernel, stride, padding, dilation, -1)
        values = values.reshape(*values.shape[: 2 + spatial], -1)
        places = np.broadcast_to(places.reshape(*places.shape[: 2 + spatial], -1), values.shape)
        best = values.argmax(-1)[..., None]
        pooled = np.take_along_axis(values, best, -1)[..., 0]
        return (pooled, np.take_along_axis(places, best, -1)[..., 0]) if with_indices else pooled

    return run


def avg_pool(spatial: int) -> Any:
    """The mean of each window."""

    def run(
        x: Array,
        kernel_size: Any,
        stride: Any = (),
        padding: Any = 0,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Array:
        kernel = _sizes(kernel_size, spatial)
        stride, padding, ones = _sizes(stride, spatial) or kernel, _sizes(padding, spatial), (1,) * spatial
        taps = tuple(range(2 + spatial, 2 + 2 * spatial))
        total = _windows(x, kernel, stride, padding, ones, 0.0).sum(taps)
        inside = _windows(np.ones_like(x), kernel, stride, padding, ones, float(count_include_pad)).sum(taps)
        return total / (divisor_override or inside)

    return run


def adaptive_avg_pool(spatial: int) -> Any:
    """The mean of the cells of an even grid, PyTorch's floor and ceiling at its edges."""

    def run(x: Array, output_size: Any) -> Array:
        size = _sizes(output_size, spatial)
        out = np.empty((*x.shape[:-spatial], *size))
        for position in itertools.product(*map(range, size)):
            pairs = zip(position, x.shape[-spatial:], size, strict=True)
            cut = tuple(slice(i * n // o, -(-(i + 1) * n // o)) for i, n, o in pairs)
            out[(..., *position)] = x[(..., *cut)].mean(tuple(range(-spatial, 0)))
        return out

    return run


# --- normalisation ---


def _standardise(x: Array, over: tuple[int, ...], eps: float) -> Array:
    return (x - x.mean(over, keepdims=True)) / np.sqrt(x.var(over, keepdims=True) + eps)


def _affine(x: Array, weight: Any, bias: Any, shape: Any) -> Array:
    if weight is not None:
        x = x * weight.reshape(shape)
    return x if bias is None else x + bias.reshape(shape)


def layer_norm(x: Array, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Array:
    """Standardised over the last dimensions."""
    over = tuple(range(-len(normalized_shape), 0))
    return _affine(_standardise(x, over, eps), weight, bias, normalized_shape)


def group_norm(x: Array, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Array:
    """Standardised over each group of channels."""
    grouped = x.reshape(x.shape[0], num_groups, -1)
    return _affine(_standardise(grouped, (2,), eps).reshape(x.shape), weight, bias, (-1, *[1] * (x.ndim - 2)))


def batch_norm(
    x: Array,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Array:
    """Standardised per channel, over the batch in training, by the running statistics otherwise."""
    shape = (1, -1, *[1] * (x.ndim - 2))
    if training:
        scaled = _standardise(x, (0, *range(2, x.ndim)), eps)
    else:
        scaled = (x - running_mean.reshape(shape)) / np.sqrt(running_var.reshape(shape) + eps)
    return _affine(scaled, weight, bias, shape)


# --- losses ---


def reduced(values: Array, reduction: str, weights: Any = None) -> Array:
    """none, sum or mean; the mean divides by the weights' sum where there are weights."""
    if reduction == "none":
        return values
    return values.sum() if reduction == "sum" else values.sum() / (values.size if weights is None else weights.sum())


def nll_loss(x: Array, target: Array, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Array:
    """Minus the score of the target class, weighted by class."""
    classes = x.shape[1] if x.ndim > 1 else x.shape[0]
    class_weights = np.ones(classes) if weight is None else weight
    counted = target != ignore_index
    safe = np.where(counted, target, 0)
    weights = class_weights[safe] * counted
    scores = np.take_along_axis(x, np.expand_dims(safe, 1), 1).squeeze(1) if x.ndim > 1 else x[safe]
    return reduced(-scores * weights, reduction, weights)


def cross_entropy(
    x: Array,
    target: Array,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Array:
    """nll_loss of log_softmax; targets are classes, or probabilities of the scores' shape."""
    scores = log_softmax(x, 1 if x.ndim > 1 else 0)
    classes = x.shape[1] if x.ndim > 1 else x.shape[0]
    class_weights = np.ones(classes) if weight is None else weight
    if target.shape == x.shape and target.dtype.kind == "f":
        target = target * (1 - label_smoothing) + label_smoothing / classes
        loss = -(scores * target * class_weights.reshape(1, -1, *[1] * (x.ndim - 2))).sum(1)
        return loss.sum() / (x.size / classes) if reduction == "mean" else reduced(loss, reduction)
    hard = nll_loss(scores, target, weight, ignore_index, reduction)
    if not label_smoothing:
        return hard
    counted = target != ignore_index
    weights = class_weights[np.where(counted, target, 0)] * counted
    spread = -(scores * class_weights.reshape(1, -1, *[1] * (x.ndim - 2))).sum(1) * counted
    return (1 - label_smoothing) * hard + label_smoothing / classes * reduced(spread, reduction, weights)


def binary_cross_entropy(x: Array, target: Array, weight: Any = None, reduction: str = "mean") -> Array:
    """-(t log x + (1 - t) log(1 - x)), the logarithms no less than -100."""
    loss = -(target * np.maximum(np.log(x), -100) + (1 - target) * np.maximum(np.log1p(-x), -100))
    return reduced(loss if weight is None else loss * weight, reduction)


def binary_cross_entropy_with_logits(
    x: Array, target: Array, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Array:
    """binary_cross_entropy of sigmoid(x), with positives weighted."""
    positive = 1 if pos_weight is None else pos_weight
    loss = target * positive * np.logaddexp(0, -x) + (1 - target) * np.logaddexp(0, x)
    return reduced(loss if weight is None else loss * weight, reduction)
