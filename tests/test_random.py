"""Random numbers: the distributions, and that a seed decides them."""

import numpy as np
import pytest
from scipy import stats

import rustorch
from rustorch.nn import functional as F

from tests.sample import FLOATS

N = 20_000
# With fixed seeds, a fit worse than this has one chance in a million to be luck.
LEAST_P = 1e-6


def fits(values: rustorch.Tensor, cdf: str, args: tuple[float, ...] = ()) -> bool:
    return stats.kstest(values.double().tolist(), cdf, args).pvalue > LEAST_P


def test_distributions(device: str) -> None:
    assert fits(rustorch.rand(N, device=device), "uniform")
    assert fits(rustorch.randn(N, device=device), "norm")
    assert fits(rustorch.empty(N, device=device).uniform_(-2, 6), "uniform", (-2, 8))
    assert fits(rustorch.empty(N, device=device).normal_(3, 0.5), "norm", (3, 0.5))
    assert fits(rustorch.rand_like(rustorch.empty(N, dtype=rustorch.float64, device=device)), "uniform")
    assert fits(rustorch.randn_like(rustorch.empty(N, dtype=rustorch.float64, device=device)), "norm")


@pytest.mark.parametrize("dtype", FLOATS)
def test_uniform_stays_below_its_upper_end(dtype: str, device: str) -> None:
    x = rustorch.rand(50_000, dtype=getattr(rustorch, dtype), device=device)
    assert x.min().item() >= 0
    assert x.max().item() < 1


def test_randint_like(device: str) -> None:
    like = rustorch.zeros(N, dtype=rustorch.float32, device=device)
    x = rustorch.randint_like(like, 5)
    assert x.dtype is rustorch.float32
    assert sorted(set(x.tolist())) == [0, 1, 2, 3, 4]
    assert sorted(set(rustorch.randint_like(like, -2, 1, dtype=rustorch.int64).tolist())) == [-2, -1, 0]
    with pytest.raises((RuntimeError, ValueError)):
        rustorch.randint_like(like, 2, 2)


def test_randint(device: str) -> None:
    x = rustorch.randint(-3, 5, (N,), device=device)
    assert x.dtype is rustorch.int64
    counts = np.bincount(np.array(x.tolist()) + 3)
    assert len(counts) == 8
    assert stats.chisquare(counts).pvalue > LEAST_P
    assert set(rustorch.randint(2, (100,), device=device).tolist()) == {0, 1}


def test_randperm(device: str) -> None:
    x = rustorch.randperm(1000, device=device).tolist()
    assert sorted(x) == list(range(1000))
    assert x != sorted(x)
    assert rustorch.randperm(0).tolist() == []
    first = [rustorch.randperm(4, device=device)[0].item() for _ in range(4000)]
    assert stats.chisquare(np.bincount(first)).pvalue > LEAST_P


def test_bernoulli(device: str) -> None:
    p = rustorch.tensor([0.0, 0.3, 1.0], device=device).expand(N, 3)
    x = rustorch.bernoulli(p)
    assert set(np.unique(x.tolist())) == {0, 1}
    means = x.mean(0).tolist()
    assert means[0] == 0
    assert means[2] == 1
    assert stats.binomtest(round(means[1] * N), N, 0.3).pvalue > LEAST_P
    ones = rustorch.empty(N, device=device).bernoulli_(0.7).sum().item()
    assert stats.binomtest(int(ones), N, 0.7).pvalue > LEAST_P


def test_dropout(device: str) -> None:
    x = rustorch.ones(N, device=device, requires_grad=True)
    y = F.dropout(x, 0.25, training=True)
    kept = (y != 0).sum().item()
    assert stats.binomtest(int(kept), N, 0.75).pvalue > LEAST_P
    assert set(np.unique(y.tolist())) == {np.float32(0), np.float64(np.float32(1 / 0.75))}
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.tolist(), y.tolist())
    assert F.dropout(x, 0.25, training=False).tolist() == x.tolist()
    assert not F.dropout(x, 1.0, training=True).any().item()
    for p in (-0.1, 1.1):
        with pytest.raises(ValueError, match="probability"):
            F.dropout(x, p)


def test_a_seed_decides(device: str) -> None:
    def draw() -> list[list[float]]:
        return [
            rustorch.rand(5, device=device).tolist(),
            rustorch.randn(5, device=device).tolist(),
            rustorch.randperm(9).tolist(),
        ]

    rustorch.manual_seed(42)
    first, second = draw(), draw()
    rustorch.manual_seed(42)
    assert draw() == first
    assert draw() == second
    assert first != second
    rustorch.manual_seed(43)
    assert draw() != first


def test_generator_is_a_stream_of_its_own(device: str) -> None:
    def stream() -> rustorch.Generator:
        return rustorch.Generator().manual_seed(5)

    a = rustorch.rand(6, generator=stream())
    rustorch.rand(3)
    assert rustorch.rand(6, generator=stream()).tolist() == a.tolist()


@pytest.mark.rustorch_only
def test_numbers_do_not_depend_on_how_they_are_asked_for(device: str) -> None:
    """Philox numbers by position: neither the strides nor the number of threads matter."""
    rustorch.manual_seed(1)
    flat = rustorch.rand(64, 32, device=device)
    rustorch.manual_seed(1)
    turned = rustorch.empty(32, 64, device=device).t().uniform_()
    assert turned.tolist() == flat.tolist()
    threads = rustorch.get_num_threads()
    try:
        rustorch.set_num_threads(1)
        rustorch.manual_seed(1)
        assert rustorch.rand(64, 32, device=device).tolist() == flat.tolist()
    finally:
        rustorch.set_num_threads(threads)
