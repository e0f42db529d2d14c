"""Pools of random geometries against windows that are laid out by their definition, one by one."""

from fractions import Fraction
from itertools import product
from math import floor, inf
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import rustorch
import rustorch.nn.functional as F


class Along(NamedTuple):
    """A pool along one dimension."""

    size: int
    kernel: int
    stride: int
    padding: int
    dilation: int
    ceil: bool

    def count(self) -> int:
        """How many windows there are: the last may stick out behind, if it begins inside or in the padding before."""
        room = self.size + 2 * self.padding - self.dilation * (self.kernel - 1) - 1
        steps = Fraction(room, self.stride)
        count = 1 + (-floor(-steps) if self.ceil else floor(steps))
        return count - 1 if self.ceil and (count - 1) * self.stride >= self.size + self.padding else count

    def window(self, i: int) -> tuple[list[int], int]:
        """The positions that window `i` sees, and how many taps it has in input and padding."""
        start = i * self.stride - self.padding
        taps = [start + k * self.dilation for k in range(self.kernel)]
        return [t for t in taps if 0 <= t < self.size], sum(t < self.size + self.padding for t in taps)


@st.composite
def along(draw: st.DrawFn, dilated: bool, ceil: bool) -> Along:
    kernel, dilation = draw(st.integers(1, 6)), draw(st.integers(1, 3)) if dilated else 1
    return Along(
        draw(st.integers(1, 7)), kernel, draw(st.integers(1, 7)), draw(st.integers(0, kernel // 2)), dilation, ceil
    )


@st.composite
def geometry(draw: st.DrawFn, dilated: bool) -> list[Along]:
    ceil = draw(st.booleans())
    return draw(st.lists(along(dilated, ceil), min_size=1, max_size=3))


def image(dims: list[Along]) -> np.ndarray:
    shape = (2, 1, *(d.size for d in dims))
    return np.random.default_rng(0).permutation(int(np.prod(shape))).reshape(shape).astype("f8") - 20


def arguments(dims: list[Along]) -> list[list[int]]:
    return [list(column) for column in list(zip(*dims, strict=True))[1:4]]


def windows(dims: list[Along]) -> list[tuple[tuple[int, ...], list[tuple[list[int], int]]]]:
    places = product(*(range(d.count()) for d in dims))
    return [(at, [d.window(i) for d, i in zip(dims, at, strict=True)]) for at in places]


def shape(dims: list[Along]) -> tuple[int, ...]:
    return (2, 1, *(d.count() for d in dims))


@given(geometry(dilated=True))
def test_max_pool(dims: list[Along]) -> None:
    x = image(dims)
    pool = getattr(F, f"max_pool{len(dims)}d")
    call = lambda: pool(rustorch.from_numpy(x), *arguments(dims), [d.dilation for d in dims], dims[0].ceil)  # noqa: E731
    if min(shape(dims)) < 1:
        with pytest.raises((RuntimeError, ValueError)):
            call()
        return
    expected = np.full(shape(dims), -inf)
    for at, seen in windows(dims):
        part = x[(slice(None), slice(None), *np.ix_(*(taps for taps, _ in seen)))]
        if part.size:
            expected[(slice(None), slice(None), *at)] = part.max(tuple(range(2, x.ndim)))
    result = call()
    assert tuple(result.shape) == expected.shape
    np.testing.assert_array_equal(result.numpy(), expected)


@given(geometry(dilated=False), st.booleans(), st.one_of(st.none(), st.integers(1, 3)))
def test_avg_pool_and_its_gradient(dims: list[Along], include: bool, divisor: int | None) -> None:
    x = image(dims)
    divided = {} if len(dims) == 1 else {"divisor_override": divisor}
    pool = getattr(F, f"avg_pool{len(dims)}d")
    tensor = rustorch.from_numpy(x).requires_grad_()
    call = lambda: pool(tensor, *arguments(dims), dims[0].ceil, include, **divided)  # noqa: E731
    if min(shape(dims)) < 1:
        with pytest.raises((RuntimeError, ValueError)):
            call()
        return
    expected, gradient = np.zeros(shape(dims)), np.zeros(x.shape)
    for at, seen in windows(dims):
        inside = (slice(None), slice(None), *np.ix_(*(taps for taps, _ in seen)))
        count = int(np.prod([padded if include else len(taps) for taps, padded in seen]))
        by = divided.get("divisor_override") or max(count, 1)
        expected[(slice(None), slice(None), *at)] = x[inside].sum(tuple(range(2, x.ndim))) / by
        gradient[inside] += 1 / by
    result = call()
    assert tuple(result.shape) == expected.shape
    np.testing.assert_allclose(result.detach().numpy(), expected, rtol=1e-12, atol=1e-12)
    result.sum().backward()
    np.testing.assert_allclose(tensor.grad.numpy(), gradient, rtol=1e-12, atol=1e-12)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 12)), min_size=1, max_size=3), st.integers(0, 2))
def test_adaptive_pools(sizes: list[tuple[int, int]], batch: int) -> None:
    """Window i of count along n spans floor(i n / count) to ceil((i + 1) n / count)."""
    shape = (batch, 2, *(n for n, _ in sizes))
    counts = [count for _, count in sizes]
    x = np.random.default_rng(1).permutation(int(np.prod(shape))).reshape(shape).astype("f8")
    mean, largest = np.zeros((batch, 2, *counts)), np.zeros((batch, 2, *counts))
    gradient = np.zeros(shape)
    for at in product(*(range(count) for count in counts)):
        spans = [slice(i * n // count, -(-(i + 1) * n // count)) for i, (n, count) in zip(at, sizes, strict=True)]
        inside, here = (slice(None), slice(None), *spans), (slice(None), slice(None), *at)
        if batch:
            mean[here] = x[inside].mean(tuple(range(2, x.ndim)))
            largest[here] = x[inside].max(tuple(range(2, x.ndim)))
            gradient[inside] += 1 / x[inside][0, 0].size
    tensor = rustorch.from_numpy(x).requires_grad_()
    result = getattr(F, f"adaptive_avg_pool{len(sizes)}d")(tensor, counts)
    assert tuple(result.shape) == mean.shape
    np.testing.assert_allclose(result.detach().numpy(), mean, rtol=1e-12)
    result.sum().backward()
    np.testing.assert_allclose(tensor.grad.numpy(), gradient, rtol=1e-12, atol=1e-15)
    found = getattr(F, f"adaptive_max_pool{len(sizes)}d")(rustorch.from_numpy(x), counts)
    assert tuple(found.shape) == largest.shape
    np.testing.assert_array_equal(found.numpy(), largest)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_adaptive_means_of_equal_values_are_those(dtype: str) -> None:
    x = rustorch.full((1, 1, 7, 5), 3.0, dtype=getattr(rustorch, dtype))
    assert (F.adaptive_avg_pool2d(x, (3, 4)) == 3).all()
