"""Random numbers whose distributions have parameters: moments and fit, with fixed seeds; and what a seed decides."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

import rustorch

N = 20_000
# With fixed seeds, a fit worse than this has one chance in a million to be luck.
LEAST_P = 1e-6


def fits(values: rustorch.Tensor, distribution: object) -> bool:
    return stats.kstest(values.double().tolist(), distribution.cdf).pvalue > LEAST_P


def fits_counts(values: rustorch.Tensor, distribution: object) -> bool:
    """Chi-square over the counts that are expected often enough."""
    values = np.array(values.double().tolist())
    assert np.array_equal(values, np.floor(values))
    low, high = (int(distribution.ppf(q)) for q in (0.01, 0.99))
    inside = np.arange(low, high + 1)
    seen = np.array([np.sum(values == k) for k in inside] + [np.sum((values < low) | (values > high))])
    expected = np.append(distribution.pmf(inside), 0) * N
    expected[-1] = N - expected.sum()
    enough = expected > 5
    return (
        stats.chisquare(
            np.append(seen[enough], seen[~enough].sum() + 1e-9),
            np.append(expected[enough], expected[~enough].sum() + 1e-9),
        ).pvalue
        > LEAST_P
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_continuous(dtype: str, device: str) -> None:
    rustorch.manual_seed(1)

    def empty() -> rustorch.Tensor:
        return rustorch.empty(N, dtype=getattr(rustorch, dtype), device=device)

    assert fits(empty().exponential_(2.5), stats.expon(scale=0.4))
    assert fits(empty().cauchy_(1, 3), stats.cauchy(1, 3))
    assert fits(empty().log_normal_(0.5, 0.75), stats.lognorm(0.75, scale=math.exp(0.5)))
    assert empty().exponential_().min().item() > 0


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int16"])
def test_geometric(dtype: str, device: str) -> None:
    rustorch.manual_seed(2)
    assert fits_counts(
        rustorch.empty(N, dtype=getattr(rustorch, dtype), device=device).geometric_(0.3), stats.geom(0.3)
    )


@pytest.mark.parametrize("rate", [0.1, 3.0, 9.9, 10.5, 300.0])
def test_poisson(rate: float, device: str) -> None:
    rustorch.manual_seed(3)
    x = rustorch.poisson(rustorch.full((N,), rate, device=device))
    assert fits_counts(x, stats.poisson(rate))
    assert rustorch.poisson(rustorch.tensor([0.0, 1e12], dtype=rustorch.float64))[0].item() == 0


@pytest.mark.parametrize(("n", "p"), [(1, 0.3), (40, 0.05), (40, 0.5), (40, 0.97), (1000, 0.4)])
def test_binomial(n: int, p: float, device: str) -> None:
    rustorch.manual_seed(4)
    x = rustorch.binomial(rustorch.full((N,), float(n), device=device), rustorch.tensor([p], device=device))
    assert fits_counts(x, stats.binom(n, rustorch.tensor(p).item()))


def test_normal(device: str) -> None:
    rustorch.manual_seed(5)
    mean, std = rustorch.tensor([[0.0], [5.0]], device=device), rustorch.tensor([1.0, 2.0, 0.0], device=device)
    x = rustorch.normal(mean.expand(N, 2, 1), std)
    assert tuple(x.shape) == (N, 2, 3)
    assert fits(x[:, 0, 1], stats.norm(0, 2))
    assert fits(x[:, 1, 0], stats.norm(5, 1))
    assert x[:, 1, 2].tolist() == [5.0] * N
    assert fits(rustorch.normal(rustorch.full((N,), 3.0), 0.5), stats.norm(3, 0.5))
    assert fits(rustorch.normal(-1.0, rustorch.full((N,), 2.0)), stats.norm(-1, 2))
    assert fits(rustorch.normal(2.0, 3.0, (N,)), stats.norm(2, 3))
    assert rustorch.normal(0.0, 1.0, size=(2, 3), dtype=rustorch.float64).dtype is rustorch.float64


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "int64", "bool", "float16", "float32", "bfloat16"])
def test_random(dtype: str, device: str) -> None:
    rustorch.manual_seed(6)
    x = rustorch.empty(N, dtype=getattr(rustorch, dtype), device=device).random_().double()
    top = {"uint8": 255, "int8": 127, "int32": 2**31 - 1, "int64": 2**63 - 1, "bool": 1, "float16": 2**11}
    top |= {"float32": 2**24, "bfloat16": 2**8}
    assert 0 <= x.min().item() <= top[dtype] / 100
    assert top[dtype] * 0.99 <= x.max().item() <= top[dtype]
    y = rustorch.empty(N, dtype=getattr(rustorch, dtype), device=device)
    assert set(y.random_(2).double().tolist()) == {0, 1}
    if dtype not in ("uint8", "bool"):
        assert set(y.random_(-3, 2).double().tolist()) == {-3, -2, -1, 0, 1}


def test_bernoulli_with_its_probability(device: str) -> None:
    rustorch.manual_seed(7)
    x = rustorch.zeros(N, device=device)
    assert abs(rustorch.bernoulli(x, 0.3).mean().item() - 0.3) < 0.02
    assert abs(x.bernoulli(p=0.7).mean().item() - 0.7) < 0.02
    whole = rustorch.zeros(2, N, dtype=rustorch.int64, device=device)
    means = whole.bernoulli_(rustorch.tensor([[0.2], [1.0]], device=device)).double().mean(1).tolist()
    assert abs(means[0] - 0.2) < 0.02
    assert means[1] == 1


DRAWS: list[Callable[[rustorch.Generator | None], rustorch.Tensor]] = [
    lambda g: rustorch.normal(rustorch.zeros(50), rustorch.ones(50), generator=g),
    lambda g: rustorch.poisson(rustorch.full((50,), 30.0), generator=g),
    lambda g: rustorch.binomial(rustorch.full((50,), 100.0), rustorch.full((50,), 0.5), generator=g),
    lambda g: rustorch.empty(50).exponential_(generator=g),
    lambda g: rustorch.empty(50).cauchy_(generator=g),
    lambda g: rustorch.empty(50).log_normal_(generator=g),
    lambda g: rustorch.empty(50).geometric_(0.1, generator=g),
    lambda g: rustorch.empty(50).random_(1000, generator=g),
]


@pytest.mark.parametrize("draw", DRAWS)
def test_a_seed_decides(draw: Callable[[rustorch.Generator | None], rustorch.Tensor]) -> None:
    generator = rustorch.Generator().manual_seed(11)
    first, second = draw(generator).tolist(), draw(generator).tolist()
    assert first != second
    assert draw(generator.manual_seed(11)).tolist() == first
    rustorch.manual_seed(11)
    assert draw(None).tolist() == first


@pytest.mark.cpu_only
def test_a_fork_leaves_the_generator_where_it_was() -> None:
    rustorch.manual_seed(0)
    rustorch.rand(3)
    state = rustorch.get_rng_state().tolist()
    with rustorch.random.fork_rng():
        inside = rustorch.rand(5)
        rustorch.manual_seed(99)
    assert rustorch.get_rng_state().tolist() == state
    assert rustorch.rand(5).tolist() == inside.tolist()
    with rustorch.random.fork_rng(enabled=False):
        rustorch.rand(1)
    assert rustorch.get_rng_state().tolist() != state
    assert rustorch.Generator().initial_seed() == 67280421310721


def test_gradients_are_zero() -> None:
    for result in (
        lambda a: rustorch.normal(a, a),
        lambda a: rustorch.poisson(a),
        lambda a: rustorch.bernoulli(a, 0.5),
        lambda a: (a * 2).exponential_(),
        lambda a: (a * 2).normal_(),
    ):
        a = rustorch.ones(3, requires_grad=True)
        (result(a) * 3 + a * 0).sum().backward()
        assert a.grad.tolist() == [0, 0, 0]


X, WHOLE = (lambda: rustorch.ones(3)), (lambda: rustorch.ones(3, dtype=rustorch.int64))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: X().exponential_(0.0), "lambda > 0"),
        (lambda: X().cauchy_(0, -1), "sigma > 0"),
        (lambda: X().log_normal_(0, 0), "std > 0"),
        (lambda: X().geometric_(1.0), r"\(0, 1\)"),
        (lambda: WHOLE().exponential_(), "int64"),
        (lambda: X().bool().geometric_(0.5), "bool"),
        (lambda: rustorch.normal(X(), -X()), "std >= 0"),
        (lambda: rustorch.normal(X(), -1.0), "std >= 0"),
        (lambda: rustorch.normal(WHOLE(), 1.0), "int64"),
        (lambda: rustorch.poisson(-X()), "non-negative"),
        (lambda: rustorch.poisson(WHOLE()), "int64"),
        (lambda: rustorch.binomial(WHOLE(), X()), "int64"),
        (lambda: rustorch.bernoulli(X(), 1.5), r"\[0, 1\]"),
        (lambda: WHOLE().random_(5, 5), "less than 'to'"),
        (lambda: rustorch.ones(3, dtype=rustorch.uint8).random_(300), "out of bounds"),
        (lambda: rustorch.ones(3, requires_grad=True).exponential_(), "leaf"),
    ],
)
def test_what_does_not_exist_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises((ValueError, TypeError, RuntimeError), match=message):
        call()
