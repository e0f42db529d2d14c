"""Samples: shapes, fit, moments. With another seed, one of some 200 fits fails by luck once in 5000 runs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import rustorch

from tests.distributions.cases import CASES, DISCRETE, Case, ids, named

pytestmark = pytest.mark.cpu_only

D = rustorch.distributions
N = 4000
LEAST_P = 1e-6


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, **ids)
def test_samples_fit(case: Case, dtype: str) -> None:
    """Kolmogorov and Smirnov's test, for each distribution of the batch."""
    distribution = case.make(dtype)
    samples = distribution.sample((N,))
    assert samples.dtype == getattr(rustorch, dtype)
    assert samples.shape == (N, *distribution.batch_shape)
    assert not samples.requires_grad
    values = samples.double().numpy()
    reference = case.reference(dtype)
    if case.name == "VonMises":
        # SciPy's goes on beyond loc ± π, where samples start again at -π.
        concentration, loc = reference.args
        values = (values - loc + np.pi) % (2 * np.pi) - np.pi
        reference = stats.vonmises(concentration)
    for column in reference.cdf(values).reshape(N, -1).T:
        assert stats.kstest(column, "uniform").pvalue > LEAST_P


@pytest.mark.parametrize("case", DISCRETE, **ids)
def test_counts_fit(case: Case) -> None:
    """Chi-square over the counts that are expected 5 times and more, for each distribution of the batch."""
    distribution, reference = case.make(), case.reference()
    samples = distribution.sample((N,)).numpy().reshape(N, -1)
    assert (samples == np.floor(samples)).all()
    counts = np.arange(400.0).reshape(-1, *(1,) * len(distribution.batch_shape))
    expected = N * np.broadcast_to(reference.pmf(counts), (400, *distribution.batch_shape)).reshape(400, -1)
    for column, wanted in zip(samples.T, expected.T, strict=True):
        often = wanted > 5
        seen = np.array([(column == k).sum() for k in np.flatnonzero(often)])
        others = N - wanted[often].sum()
        if others > 5:
            seen, wanted_often = np.append(seen, N - seen.sum()), np.append(wanted[often], others)
        else:
            wanted_often = wanted[often] * (seen.sum() / wanted[often].sum())
        assert stats.chisquare(seen, wanted_often).pvalue > LEAST_P


def within(samples: rustorch.Tensor, expected: rustorch.Tensor) -> None:
    """The mean over the first dimension is the expectation, up to 5.5 standard errors (once in 2 · 10⁷ by luck)."""
    error = samples.std(0) / math.sqrt(samples.shape[0])
    assert bool(((samples.mean(0) - expected).abs() <= 5.5 * error + 1e-12).all())


def double(values: object) -> rustorch.Tensor:
    return rustorch.tensor(values, dtype=rustorch.float64)


MATRIX = [[2.0, 0.3, -0.4], [0.3, 1.0, 0.2], [-0.4, 0.2, 0.7]]


def of_vectors() -> dict[str, object]:
    eye = double(MATRIX)
    return {
        "Dirichlet": D.Dirichlet(double([[0.4, 2.0, 5.0], [1.0, 1.0, 1.0]])),
        "MultivariateNormal": D.MultivariateNormal(double([[0.0, 1.0, 2.0], [3.0, 0.0, 0.0]]), eye),
        "LowRank": D.LowRankMultivariateNormal(double([0.0, 1.0]), double([[1.0], [-0.5]]), double([0.5, 2.0])),
        "OneHot": D.OneHotCategorical(double([[0.2, 0.3, 0.5], [1.0, 0.0, 1.0]])),
        "Multinomial": D.Multinomial(7, double([[0.2, 0.3, 0.5], [1.0, 0.0, 1.0]])),
        "Independent": D.Independent(D.Gamma(double([1.0, 2.0]), 3.0), 1),
        "Mixture": D.MixtureSameFamily(
            D.Categorical(double([0.2, 0.8])), D.Independent(D.Normal(double([[0.0, 1.0], [4.0, 2.0]]), 0.5), 1)
        ),
        "MixtureOfNumbers": D.MixtureSameFamily(
            D.Categorical(double([[0.2, 0.8], [1.0, 1.0]])), D.Laplace(double([[0.0, 1.0], [4.0, 2.0]]), 0.5)
        ),
        "Wishart": D.Wishart(double([4.0, 9.5]), covariance_matrix=eye),
    }


@pytest.mark.parametrize("name", named(of_vectors()))
def test_moments_of_vectors(name: str) -> None:
    distribution = of_vectors()[name]
    samples = distribution.sample((N,))
    assert samples.shape == (N, *distribution.batch_shape, *distribution.event_shape)
    assert bool(distribution.support.check(samples).all())
    within(samples, distribution.mean)
    within((samples - distribution.mean).square(), distribution.variance)


@pytest.mark.parametrize("name", ["MultivariateNormal", "LowRank"])
def test_covariances(name: str) -> None:
    distribution = of_vectors()[name]
    off = distribution.sample((N,)) - distribution.mean
    within(off.unsqueeze(-1) * off.unsqueeze(-2), distribution.covariance_matrix)


def test_categories() -> None:
    distribution = D.Categorical(logits=double([[0.0, 1.0, -2.0], [0.0, 0.0, -math.inf]]))
    samples = distribution.sample((N,))
    assert samples.dtype == rustorch.int64
    counts = rustorch.nn.functional.one_hot(samples, 3).double()
    within(counts, distribution.probs)


@pytest.mark.parametrize("concentration", [0.5, 1.0, 3.0])
def test_correlations(concentration: float) -> None:
    """An off-diagonal correlation of a D × D matrix is 2 B - 1, B of Beta(c - 1 + D / 2, c - 1 + D / 2)."""
    size = 4
    factor = D.LKJCholesky(size, double(concentration)).sample((2000,))
    assert bool(D.constraints.corr_cholesky.check(factor).all())
    matrices = (factor @ factor.mT).numpy()
    shape = concentration - 1 + size / 2
    for i, j in ((1, 0), (3, 0), (3, 2)):
        assert stats.kstest((matrices[:, i, j] + 1) / 2, stats.beta(shape, shape).cdf).pvalue > LEAST_P


@pytest.mark.parametrize("temperature", [0.3, 2.0])
def test_relaxed(temperature: float) -> None:
    """The logit of a relaxed Bernoulli variable is logistic; the arg max of a relaxed vector is a category."""
    binary = D.RelaxedBernoulli(double(temperature), probs=double(0.3))
    samples = binary.sample((N,))
    logits = (rustorch.logit(samples) * temperature).numpy()
    assert stats.kstest(logits, stats.logistic(math.log(0.3 / 0.7)).cdf).pvalue > LEAST_P
    categorical = D.RelaxedOneHotCategorical(double(temperature), double([0.2, 0.3, 0.5]))
    samples = categorical.sample((N,))
    assert bool(categorical.support.check(samples).all())
    within(rustorch.nn.functional.one_hot(samples.argmax(-1), 3).double(), categorical.probs)


def test_continuous_bernoulli_and_kumaraswamy_fit() -> None:
    for distribution in (
        D.ContinuousBernoulli(double([0.01, 0.5, 0.8])),
        D.Kumaraswamy(double([0.5, 2.0]), 3.0),
    ):
        at = distribution.cdf(distribution.sample((N,))).numpy()
        for column in at.T:
            assert stats.kstest(column, "uniform").pvalue > LEAST_P


def test_logistic_normal() -> None:
    distribution = D.LogisticNormal(double([0.5, -1.0]), double([1.0, 0.5]))
    back = D.StickBreakingTransform().inv(distribution.sample((N,))).numpy()
    for column, loc, scale in zip(back.T, (0.5, -1.0), (1.0, 0.5), strict=True):
        assert stats.kstest(column, stats.norm(loc, scale).cdf).pvalue > LEAST_P


@pytest.mark.rustorch_only
def test_small_concentrations() -> None:
    """Gamma variables of 0.01 underflow mostly; Dirichlet vectors of them are sums of 1 all the same."""
    samples = D.Dirichlet(rustorch.full((5,), 1e-3)).sample((500,))
    assert not bool(samples.isnan().any())
    np.testing.assert_allclose(samples.sum(-1).numpy(), 1, rtol=1e-5)
    within(samples.double(), double([0.2] * 5))
    gamma = D.Gamma(rustorch.tensor(1e-3), 1.0).sample((100,))
    assert bool((gamma > 0).all())


def test_the_seed_decides() -> None:
    def draw() -> rustorch.Tensor:
        rustorch.manual_seed(3)
        return D.Gamma(rustorch.tensor([0.3, 2.0]), 1.0).sample((3,))

    assert rustorch.equal(draw(), draw())
