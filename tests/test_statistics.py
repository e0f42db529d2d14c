"""What samples cannot show of sorting, sets, statistics and histograms: NaN, ties, flags, errors, randomness."""

import math

import numpy as np
import pytest

import rustorch

from tests.laid_out_tensors import on_device

nan, inf = math.nan, math.inf
t = rustorch.tensor


def test_nan_is_the_largest() -> None:
    x = t([nan, 1.0, inf, -inf, nan, 0.0])
    values, indices = rustorch.sort(x)
    assert indices.tolist() == [3, 5, 1, 2, 0, 4]
    assert values[:4].tolist() == [-inf, 0, 1, inf]
    assert rustorch.sort(x, descending=True).indices.tolist() == [0, 4, 2, 1, 5, 3]
    assert rustorch.topk(x, 3).indices.tolist() == [0, 4, 2]
    assert rustorch.topk(x, 2, largest=False).indices.tolist() == [3, 5]
    assert rustorch.kthvalue(x, 4).values.item() == inf


def test_zeros_are_equal_and_keep_their_signs() -> None:
    values, indices = rustorch.sort(t([0.0, -0.0, -1.0, 0.0]))
    assert indices.tolist() == [2, 0, 1, 3]
    assert np.signbit(values.numpy(force=True)).tolist() == [True, False, True, False]


def test_medians_of_nan() -> None:
    x = t([[1.0, nan, 2.0], [3.0, 1.0, 2.0], [nan, nan, nan]])
    values, indices = rustorch.median(x, 1)
    assert indices.tolist() == [1, 2, 0]
    assert values[1].item() == 2
    assert values[::2].isnan().all()
    values, indices = rustorch.nanmedian(x, 1)
    assert indices.tolist() == [0, 2, 0]
    assert values[:2].tolist() == [1, 2]
    assert values[2].isnan()
    assert rustorch.median(x).isnan()
    assert rustorch.nanmedian(x).item() == 2
    assert rustorch.median(rustorch.zeros(0)).isnan()


@pytest.mark.parametrize("op", ["max", "min", "median", "nanmedian"])
def test_gradients_of_one_picked_from_all_are_shared(op: str) -> None:
    x = t([2.0, 2.0, 2.0, 2.0], requires_grad=True)
    getattr(rustorch, op)(x).backward()
    assert x.grad.tolist() == [0.25] * 4


def test_gradient_of_nan_extremes() -> None:
    x = t([1.0, nan, nan], requires_grad=True)
    rustorch.max(x).backward()
    assert x.grad.tolist() == [0, 0.5, 0.5]


def test_quantiles_of_nan() -> None:
    x = t([[1.0, nan, 3.0], [4.0, 6.0, 5.0], [nan, nan, nan]])
    got = rustorch.quantile(x, 0.5, 1)
    assert got[1].item() == 5
    assert got[0].isnan()
    assert got[2].isnan()
    got = rustorch.nanquantile(x, 0.5, 1)
    assert got[:2].tolist() == [2, 5]
    assert got[2].isnan()
    assert rustorch.quantile(t([1.0, inf]), 0.5).isnan()
    assert rustorch.quantile(x, t([0.5, 0.1]), 1, True).shape == (2, 3, 1)
    assert rustorch.quantile(x, t([0.5, 0.1]), keepdim=True).shape == (2, 1, 1)


def test_no_nan_is_like_another() -> None:
    assert rustorch.unique(t([nan, 1.0, nan])).shape == (3,)
    assert rustorch.isin(t([1.0, nan]), t([nan, 1.0])).tolist() == [True, False]
    assert rustorch.mode(t([nan, nan, 1.0, 1.0])).values.item() == 1


def test_unique_gives_what_was_asked_for() -> None:
    x = t([[1, 2], [1, 2], [0, 1]])
    assert isinstance(rustorch.unique(x), rustorch.Tensor)
    values, counts = x.unique(return_counts=True, dim=0)
    assert values.tolist() == [[0, 1], [1, 2]]
    assert counts.tolist() == [1, 2]
    values, inverse = rustorch.unique_consecutive(x, return_inverse=True, dim=0)
    assert values.tolist() == [[1, 2], [0, 1]]
    assert inverse.tolist() == [0, 0, 1]
    assert rustorch.unique(rustorch.zeros(0, 3), dim=0).shape == (0, 3)
    assert rustorch.unique(t(3), return_inverse=True)[1].shape == ()


def test_nonzero_as_tuple() -> None:
    rows, columns = rustorch.nonzero(t([[0, 1], [1, 0]]), as_tuple=True)
    assert rows.tolist() == [0, 1]
    assert columns.tolist() == [1, 0]
    assert rustorch.nonzero(t([0, 1]), as_tuple=False).tolist() == [[1]]
    (place,) = t(1).nonzero(as_tuple=True)
    assert place.tolist() == [0]


def test_searchsorted_with_a_sorter() -> None:
    line = t([[3, 1, 2], [9, 8, 7]])
    sorter = line.argsort()
    got = rustorch.searchsorted(line, t([[2], [8]]), sorter=sorter, right=True, out_int32=True)
    assert got.tolist() == [[2], [2]]
    assert got.dtype == rustorch.int32
    assert rustorch.searchsorted(t([1, 2, 3]), 2.5).item() == 2


@pytest.mark.parametrize("right", [False, True])
def test_searchsorted_matches_numpy(right: bool) -> None:
    rng = np.random.default_rng(3)
    line, values = np.sort(rng.integers(0, 50, 200)), rng.integers(-5, 55, (30, 100))
    want = np.searchsorted(line, values, "right" if right else "left")
    got = rustorch.searchsorted(on_device(line), on_device(values).t(), right=right)
    np.testing.assert_array_equal(got.t().numpy(force=True), want)
    got = rustorch.bucketize(on_device(values), on_device(line), right=right)
    np.testing.assert_array_equal(got.numpy(force=True), want)


def test_histogramdd() -> None:
    points = t([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]])
    hist, edges = rustorch.histogramdd(points, bins=[2, 2])
    assert hist.tolist() == [[0, 1], [1, 1]]
    assert edges[1].tolist() == [0, 1, 2]
    hist, _ = rustorch.histogramdd(points, [t([0.0, 1.0]), t([0.0, 1.0, 2.0])], weight=t([1.0, 2.0, 3.0]))
    assert hist.tolist() == [[2, 1]]
    hist, _ = rustorch.histogramdd(points, 2, range=[0.0, 1.0, 0.0, 1.0], density=True)
    assert hist.tolist() == [[0, 2], [2, 0]]


def test_histograms_of_constants_and_of_nothing() -> None:
    assert rustorch.histc(t([2.0, 2.0]), 4).tolist() == [0, 0, 2, 0]
    assert rustorch.histogram(t([2.0, 2.0]), 4).bin_edges.tolist() == [1.5, 1.75, 2, 2.25, 2.5]
    assert rustorch.histogram(rustorch.zeros(0), 2).hist.tolist() == [0, 0]
    assert rustorch.histogram(t([1.0, 2.0, nan]), 4, range=(0.0, 3.0)).hist.sum().item() == 2
    assert rustorch.bincount(t([1, 2, 1]), weights=t([1.0, 2.0, 3.0])).tolist() == [0, 4, 2]


def test_multinomial_draws_by_weight() -> None:
    rustorch.manual_seed(0)
    weights = t([[1.0, 0.0, 3.0], [0.0, 2.0, 2.0]])
    draws = rustorch.multinomial(weights, 4000, replacement=True)
    shares = [np.bincount(row, minlength=3) / 4000 for row in draws.numpy(force=True)]
    np.testing.assert_allclose(shares, [[0.25, 0, 0.75], [0, 0.5, 0.5]], atol=0.04)
    firsts = rustorch.multinomial(t([[1.0, 0.0, 3.0]]).expand(4000, 3), 2)
    assert (firsts != 1).all()
    assert (firsts[:, 0] != firsts[:, 1]).all()
    assert abs((firsts[:, 0] == 2).float().mean().item() - 0.75) < 0.04


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rustorch.topk(t([1.0]), 2), "k out of range"),
        (lambda: rustorch.topk(t([True]), 1), "bool"),
        (lambda: rustorch.kthvalue(t([1.0]), 0), "k out of range"),
        (lambda: rustorch.median(rustorch.zeros(0, 3), 0), "non-zero size"),
        (lambda: rustorch.quantile(t([1.0]), 1.5), r"range \[0, 1\]"),
        (lambda: rustorch.quantile(t([1, 2]), 0.5), "float32 or float64"),
        (lambda: rustorch.quantile(t([1.0]), 0.5, interpolation="cubic"), "interpolation must be"),
        (lambda: rustorch.quantile(t([]), 0.5), "non-empty"),
        (lambda: rustorch.searchsorted(t([1]), t([1]), side="left", right=True), "opposites"),
        (lambda: rustorch.searchsorted(t([1, 2]), t([1]), sorter=t([0, 2])), "out of bounds"),
        (lambda: rustorch.bincount(t([-1])), "non-negative"),
        (lambda: rustorch.histc(t([1.0, nan])), "not finite"),
        (lambda: rustorch.diff(t([1]), n=-1), "non-negative"),
        (lambda: rustorch.gradient(t([1.0])), "edge_order"),
        (lambda: rustorch.gradient(rustorch.ones(3, 3), spacing=[1.0], dim=(0, 1)), "same length"),
        (lambda: rustorch.trapezoid(rustorch.ones(2, 3), t([1.0, 2.0])), "one `x` value"),
        (lambda: rustorch.cov(rustorch.ones(2, 2, 2)), "two or fewer"),
        (lambda: rustorch.combinations(rustorch.ones(2, 2)), "1D vector"),
        (lambda: rustorch.combinations(rustorch.ones(100), 40), "too many"),
        (lambda: rustorch.multinomial(t([0.0, 0.0]), 1), "sum of probabilities"),
        (lambda: rustorch.multinomial(t([-1.0, 2.0]), 1), "element < 0"),
        (lambda: rustorch.renorm(rustorch.ones(3), 2, 0, 1), "at least 2 dimensions"),
        (lambda: rustorch.ones(2, 3).sum_to_size(2, 2), "does not expand"),
        (lambda: rustorch.logcumsumexp(t([1]), 0), "floating-point"),
    ],
)
def test_what_does_not_work_says_so(call: object, message: str) -> None:
    with pytest.raises(rustorch.RusTorchError, match=message):
        call()  # type: ignore[operator]
