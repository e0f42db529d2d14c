"""Divergences against numerical integrals, sums over all counts, Monte Carlo, and the registry's rules."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

import rustorch

from tests.distributions.test_samples import within

pytestmark = [pytest.mark.cpu_only, pytest.mark.rustorch_only]

D = rustorch.distributions


def d(values: object) -> rustorch.Tensor:
    return rustorch.tensor(values, dtype=rustorch.float64)


# Two distributions of each continuous family over numbers.
NUMBERS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "Beta": (lambda: D.Beta(d(2.0), d(4.0)), lambda: D.Beta(d(1.3), d(1.5))),
    "Cauchy": (lambda: D.Cauchy(d(0.5), d(2.0)), lambda: D.Cauchy(d(-1.0), d(0.7))),
    "ContinuousBernoulli": (lambda: D.ContinuousBernoulli(d(0.1)), lambda: D.ContinuousBernoulli(d(0.4995))),
    "Exponential": (lambda: D.Exponential(d(2.0)), lambda: D.Exponential(d(0.5))),
    "Gamma": (lambda: D.Gamma(d(2.5), d(1.5)), lambda: D.Gamma(d(1.4), d(0.8))),
    "Gumbel": (lambda: D.Gumbel(d(0.5), d(0.8)), lambda: D.Gumbel(d(-0.5), d(1.5))),
    "HalfNormal": (lambda: D.HalfNormal(d(0.8)), lambda: D.HalfNormal(d(1.5))),
    "Laplace": (lambda: D.Laplace(d(0.5), d(0.8)), lambda: D.Laplace(d(-0.5), d(1.5))),
    "LogNormal": (lambda: D.LogNormal(d(0.5), d(0.4)), lambda: D.LogNormal(d(-0.5), d(1.0))),
    "Normal": (lambda: D.Normal(d(0.5), d(0.8)), lambda: D.Normal(d(-0.5), d(1.5))),
    "Pareto": (lambda: D.Pareto(d(0.5), d(4.0)), lambda: D.Pareto(d(0.25), d(3.0))),
    "Uniform": (lambda: D.Uniform(d(0.25), d(0.75)), lambda: D.Uniform(d(0.0), d(1.0))),
}
PAIRS = [
    *sorted((p.__name__, q.__name__) for p, q in D.kl._KL_REGISTRY if p.__name__ in NUMBERS and q.__name__ in NUMBERS),
    ("LogNormal", "LogNormal"),
]
ENDS = {"Beta": (0, 1), "ContinuousBernoulli": (0, 1), "Uniform": (0.25, 0.75), "Exponential": (0, 30), "Gamma": (0,
        40), "HalfNormal": (0, 12), "LogNormal": (0, 40), "Pareto": (0.5, math.inf)}  # fmt: skip


def integral(p: Any, q: Any, name: str) -> float:
    """∫ p (log p - log q), in pieces around the bulk of p."""
    p._validate_args = q._validate_args = False

    def integrand(x: float) -> float:
        at = d(x)
        log_p, log_q = p.log_prob(at).item(), q.log_prob(at).item()
        return math.exp(log_p) * (log_p - log_q) if log_p > -700 else 0.0

    low, high = ENDS.get(name, (-25, 25))
    if name == "Cauchy":
        low, high = -math.inf, math.inf
    inner = [x for x in (0.3, 0.5, 1.0, 3.0) if low < x < high] if name != "Cauchy" else []
    edges = [low, *inner, high]
    return sum(quad(integrand, a, b, epsabs=1e-10, limit=200)[0] for a, b in pairwise(edges))


@pytest.mark.parametrize(("p_name", "q_name"), PAIRS)
def test_numbers(p_name: str, q_name: str) -> None:
    p, q = NUMBERS[p_name][0](), NUMBERS[q_name][1]()
    got = D.kl_divergence(p, q)
    if math.isinf(got.item()):
        sample = p.sample((2000,))
        assert not bool(q.support.check(sample).all())
        return
    assert got.item() == pytest.approx(integral(p, q, p_name), rel=1e-6, abs=1e-7)
    if p_name == q_name:
        assert D.kl_divergence(p, p).item() == pytest.approx(0, abs=1e-12)


def test_every_pair_is_tested_or_of_counts_or_vectors() -> None:
    others = {(p.__name__, q.__name__) for p, q in D.kl._KL_REGISTRY} - set(PAIRS)
    assert len(PAIRS) + len(others) - 1 == 87
    assert {p for p, _ in others} == {
        "Bernoulli", "Binomial", "Categorical", "Dirichlet", "ExponentialFamily", "Geometric", "Independent",
        "LowRankMultivariateNormal", "MultivariateNormal", "OneHotCategorical", "Poisson", "TransformedDistribution",
    }  # fmt: skip


COUNTS = {
    "Bernoulli": (D.Bernoulli(d([0.25, 0.9])), D.Bernoulli(d([0.5, 0.125])), 2),
    "BernoulliPoisson": (D.Bernoulli(d([0.25, 0.9])), D.Poisson(d([0.5, 2.0])), 2),
    "Binomial": (D.Binomial(6, d([0.25, 0.9])), D.Binomial(6, d([0.5, 0.125])), 7),
    "Categorical": (D.Categorical(d([[1.0, 2.0, 4.0]])), D.Categorical(d([[1.0, 1.0, 1.0], [2.0, 1.0, 5.0]])), 3),
    "Geometric": (D.Geometric(d([0.25, 0.9])), D.Geometric(d([0.5, 0.125])), 200),
    "Poisson": (D.Poisson(d([0.5, 7.0])), D.Poisson(d([3.0, 4.0])), 100),
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts(name: str) -> None:
    p, q, most = COUNTS[name]
    k = rustorch.arange(most, dtype=rustorch.float64).unsqueeze(-1)
    log_p = p.log_prob(k)
    want = (log_p.exp() * (log_p - q.log_prob(k))).sum(0)
    np.testing.assert_allclose(D.kl_divergence(p, q).numpy(), want.numpy(), rtol=1e-9)


def test_counts_without_probability() -> None:
    p, q = D.Categorical(d([0.0, 0.5, 0.5])), D.Categorical(d([0.5, 0.0, 0.5]))
    assert D.kl_divergence(p, q).item() == math.inf
    assert D.kl_divergence(p, D.Categorical(d([0.0, 0.25, 0.75]))).isfinite()
    one_hot = D.kl_divergence(D.OneHotCategorical(d([0.0, 0.5, 0.5])), D.OneHotCategorical(d([0.5, 0.0, 0.5])))
    assert one_hot.item() == math.inf
    coins = D.kl_divergence(D.Bernoulli(d([0.0, 1.0, 0.5, 0.0])), D.Bernoulli(d([0.5, 0.5, 0.0, 0.0])))
    np.testing.assert_allclose(coins.numpy(), [math.log(2), math.log(2), math.inf, 0], atol=1e-12)
    assert D.kl_divergence(D.Poisson(d(0.0)), D.Poisson(d(2.0))).item() == 2
    assert D.kl_divergence(D.Poisson(d(1.0)), D.Bernoulli(d(0.5))).item() == math.inf
    assert D.kl_divergence(D.Binomial(4, d(0.5)), D.Binomial(3, d(0.5))).item() == math.inf
    with pytest.raises(NotImplementedError):
        D.kl_divergence(D.Binomial(3, d(0.5)), D.Binomial(4, d(0.5)))


def test_supports_that_end() -> None:
    inside = D.Uniform(d(0.25), d(0.75))
    for p, q in (
        (D.Uniform(d(-0.5), d(0.5)), D.Exponential(d(1.0))),
        (D.Uniform(d(-0.5), d(0.5)), D.Gamma(d(1.0), d(1.0))),
        (D.Uniform(d(0.5), d(1.5)), D.Beta(d(1.0), d(1.0))),
        (D.Uniform(d(0.5), d(1.5)), D.ContinuousBernoulli(d(0.5))),
        (D.Uniform(d(0.5), d(1.5)), D.Pareto(d(1.0), d(1.0))),
        (D.Uniform(d(0.5), d(1.5)), inside),
        (D.Beta(d(1.0), d(1.0)), inside),
        (D.Pareto(d(0.5), d(2.0)), D.Pareto(d(1.0), d(2.0))),
        (D.Pareto(d(0.5), d(1.0)), D.Exponential(d(2.0))),
        (D.Pareto(d(0.5), d(2.0)), D.Normal(d(0.0), d(2.0))),
    ):
        assert D.kl_divergence(p, q).item() == math.inf
    # The whole of [0, 1] is inside of it.
    whole = D.Uniform(d(0.0), d(1.0))
    assert D.kl_divergence(whole, D.ContinuousBernoulli(d(0.5))).item() == pytest.approx(0, abs=1e-12)
    assert D.kl_divergence(D.Beta(d(1.0), d(1.0)), whole).item() == pytest.approx(0, abs=1e-12)


MATRICES = d([[[2.0, 0.3], [0.3, 1.0]], [[1.0, -0.5], [-0.5, 3.0]]])


def vectors() -> dict[str, tuple[Any, Any]]:
    loc, other = d([[0.0, 1.0], [2.0, 0.0]]), d([0.5, 0.5])
    low_rank = D.LowRankMultivariateNormal(loc, d([[1.0], [0.5]]), d([0.5, 2.0]))
    wide = D.LowRankMultivariateNormal(other, d([[[1.0, 0.0], [0.5, 0.3]], [[0.1, 1.0], [0.2, -1.0]]]), d([0.9, 1.0]))
    full, shared = (
        D.MultivariateNormal(loc, MATRICES),
        D.MultivariateNormal(other, MATRICES[0] @ MATRICES[1] @ MATRICES[0]),
    )
    return {
        "FullFull": (full, shared),
        "FullLow": (full, wide),
        "LowFull": (low_rank, shared),
        "LowLow": (low_rank, wide),
        "Dirichlet": (D.Dirichlet(d([[0.5, 2.0, 3.0], [9.0, 1.0, 1.0]])), D.Dirichlet(d([1.0, 1.5, 2.0]))),
        "Independent": (
            D.Independent(D.Gamma(d([[1.0, 2.0]]), 2.0), 1),
            D.Independent(D.Gamma(d([[3.0, 1.0]]), 1.5), 1),
        ),
        "Wishart": (D.Wishart(d([5.0, 7.0]), MATRICES), D.Wishart(d(4.0), MATRICES[0])),
        "LogNormals": (D.Independent(D.LogNormal(loc, 1.0), 1), D.Independent(D.LogNormal(other, 2.0), 1)),
    }


@pytest.mark.parametrize("name", vectors())
def test_vectors(name: str) -> None:
    """Against the mean of log p - log q over samples, within 5.5 standard errors."""
    p, q = vectors()[name]
    samples = p.sample((3000,))
    if name == "LogNormals":
        q = q.expand(p.batch_shape)
    within(p.log_prob(samples) - q.log_prob(samples), D.kl_divergence(p, q))
    np.testing.assert_allclose(D.kl_divergence(p, p).numpy(), 0, atol=1e-9)


def test_gradients() -> None:
    """By the parameters of both, also where the divergence comes from the log normaliser of an exponential family."""
    leaves = [d(x).requires_grad_() for x in (0.5, 1.5, -0.5, 2.0)]
    for make in (
        lambda a, b: D.Normal(a, b.abs() + 1),
        lambda a, b: D.Gamma(a.abs() + 1, b),
        lambda a, b: D.Laplace(a, b),
        lambda a, b: D.Gumbel(a, b),
        lambda a, b: D.Beta(a.abs() + 1, b),
        lambda a, b: D.Wishart(a.abs() + 4, scale_tril=rustorch.eye(2, dtype=rustorch.float64) * b),
    ):
        assert rustorch.autograd.gradcheck(
            lambda a, b, x, y, make=make: D.kl_divergence(make(a, b), make(x, y)), leaves, atol=1e-5, rtol=1e-4
        )


def test_refusals() -> None:
    with pytest.raises(NotImplementedError, match="p type Cauchy and q type Normal"):
        D.kl_divergence(D.Cauchy(0.0, 1.0), D.Normal(0.0, 1.0))
    with pytest.raises(NotImplementedError):
        D.kl_divergence(D.TransformedDistribution(D.Normal(0.0, 1.0), D.TanhTransform()), D.LogNormal(0.0, 1.0))
    with pytest.raises(NotImplementedError):
        D.kl_divergence(
            D.Independent(D.Normal(rustorch.zeros(2), 1.0), 1), D.Independent(D.Normal(rustorch.zeros(2, 2), 1.0), 2)
        )
    with pytest.raises(ValueError, match="event shapes"):
        D.kl_divergence(
            D.MultivariateNormal(rustorch.zeros(2), rustorch.eye(2)),
            D.MultivariateNormal(rustorch.zeros(3), rustorch.eye(3)),
        )
    with pytest.raises(TypeError):
        D.register_kl(3, D.Normal)


class Special(D.Normal):
    """A distribution of a user's."""


class More(Special):
    """A distribution of a user's that is one of the former."""


@pytest.fixture
def _registry() -> Any:
    before = dict(D.kl._KL_REGISTRY)
    yield
    D.kl._KL_REGISTRY.clear()
    D.kl._KL_REGISTRY.update(before)
    D.kl._KL_MEMOIZE.clear()


@pytest.mark.usefixtures("_registry")
def test_the_most_special_pair_is_taken() -> None:
    first, second, plain = More(0.0, 1.0), Special(0.0, 2.0), D.Normal(0.0, 1.0)
    want = D.kl_divergence(plain, D.Normal(0.0, 2.0))
    assert D.kl_divergence(first, second).item() == pytest.approx(want.item())
    D.register_kl(Special, D.Normal)(lambda p, q: rustorch.tensor(1.0))
    assert D.kl_divergence(first, second).item() == 1
    assert D.kl_divergence(plain, second).item() == pytest.approx(want.item())
    D.register_kl(D.Normal, Special)(lambda p, q: rustorch.tensor(2.0))
    with pytest.warns(RuntimeWarning, match="Ambiguous"):
        assert D.kl_divergence(first, second).item() == 1
    D.register_kl(Special, Special)(lambda p, q: rustorch.tensor(3.0))
    assert D.kl_divergence(first, second).item() == 3
