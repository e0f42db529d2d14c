"""Densities, entropies, moments and modes of distributions of vectors and matrices."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

import rustorch

from tests.distributions.cases import named

pytestmark = pytest.mark.cpu_only

D = rustorch.distributions
BOTH = pytest.mark.parametrize("dtype", ["float32", "float64"])
RTOL = {"float32": 1e-5, "float64": 1e-10}


def tensor(values: object, dtype: str = "float64") -> rustorch.Tensor:
    return rustorch.tensor(values, dtype=getattr(rustorch, dtype))


def close(got: rustorch.Tensor, want: object, dtype: str = "float64") -> None:
    assert got.dtype == getattr(rustorch, dtype)
    np.testing.assert_allclose(got.double().numpy(), want, rtol=RTOL[dtype], atol=RTOL[dtype])


LOC = np.array([[0.0, 1.0, -2.0], [3.0, 0.5, 0.0]])
COVARIANCES = np.array(
    [[[2.0, 0.25, -0.5], [0.25, 1.0, 0.125], [-0.5, 0.125, 0.75]], [[1.0, 0, 0], [0, 4, 1], [0, 1, 2]]]
)
VALUES = np.array([[[0.5, 0.25, -1.0]], [[1.0, 2.0, 3.0]], [[-1.0, 0.0, 1.0]]])


def normal_forms(dtype: str) -> dict[str, Any]:
    """The same two normal distributions, by each of the three matrices."""
    matrices = {
        "covariance_matrix": COVARIANCES,
        "precision_matrix": np.linalg.inv(COVARIANCES),
        "scale_tril": np.linalg.cholesky(COVARIANCES),
    }
    return {
        name: D.MultivariateNormal(
            tensor(LOC, dtype), **{name: tensor(matrix, dtype)}, validate_args=dtype == "float64"
        )
        for name, matrix in matrices.items()
    }


@BOTH
@pytest.mark.parametrize("form", ["covariance_matrix", "precision_matrix", "scale_tril"])
def test_multivariate_normal(form: str, dtype: str) -> None:
    distribution = normal_forms(dtype)[form]
    references = [stats.multivariate_normal(m, k) for m, k in zip(LOC, COVARIANCES, strict=True)]
    got = distribution.log_prob(tensor(VALUES, dtype))
    close(got, np.stack([r.logpdf(VALUES[:, 0]) for r in references], -1), dtype)
    close(distribution.entropy(), [r.entropy() for r in references], dtype)
    close(distribution.mean, LOC, dtype)
    close(distribution.mode, LOC, dtype)
    close(distribution.variance, np.diagonal(COVARIANCES, axis1=-2, axis2=-1), dtype)
    close(distribution.covariance_matrix, COVARIANCES, dtype)
    close(distribution.precision_matrix, np.linalg.inv(COVARIANCES), dtype)
    close(distribution.scale_tril, np.linalg.cholesky(COVARIANCES), dtype)


def test_one_matrix_for_a_batch_of_means() -> None:
    shared = D.MultivariateNormal(tensor(LOC), tensor(COVARIANCES[0]))
    assert shared.batch_shape == (2,)
    got = shared.log_prob(tensor(VALUES))
    want = [stats.multivariate_normal(m, COVARIANCES[0]).logpdf(VALUES[:, 0]) for m in LOC]
    close(got, np.stack(want, -1))
    close(shared.expand((4, 2)).log_prob(tensor(VALUES[0])), np.broadcast_to(np.stack(want, -1)[0], (4, 2)))


@BOTH
def test_low_rank(dtype: str) -> None:
    factor = np.array([[[1.0], [0.5], [-0.25]], [[0.0], [2.0], [1.0]]])
    diag = np.array([0.5, 2.0, 1.0])
    covariances = factor @ np.swapaxes(factor, -1, -2) + np.diag(diag)
    distribution = D.LowRankMultivariateNormal(tensor(LOC, dtype), tensor(factor, dtype), tensor(diag, dtype))
    references = [stats.multivariate_normal(m, k) for m, k in zip(LOC, covariances, strict=True)]
    close(
        distribution.log_prob(tensor(VALUES, dtype)), np.stack([r.logpdf(VALUES[:, 0]) for r in references], -1), dtype
    )
    close(distribution.entropy(), [r.entropy() for r in references], dtype)
    close(distribution.covariance_matrix, covariances, dtype)
    close(distribution.precision_matrix, np.linalg.inv(covariances), dtype)
    close(distribution.scale_tril, np.linalg.cholesky(covariances), dtype)
    close(distribution.variance, np.diagonal(covariances, axis1=-2, axis2=-1), dtype)
    assert distribution.expand((3, 2)).log_prob(tensor(VALUES[0], dtype)).shape == (3, 2)


@BOTH
@pytest.mark.rustorch_only
def test_dirichlet(dtype: str) -> None:
    a = np.array([[0.5, 2.0, 4.0], [1.0, 1.0, 1.0], [300.0, 2.0, 70.0]])
    x = np.array([0.25, 0.5, 0.25])
    distribution = D.Dirichlet(tensor(a, dtype))
    references = [stats.dirichlet(row) for row in a]
    close(distribution.log_prob(tensor(x, dtype)), [r.logpdf(x) for r in references], dtype)
    close(distribution.entropy(), [r.entropy() for r in references], dtype)
    close(distribution.mean, [r.mean() for r in references], dtype)
    close(distribution.variance, [r.var() for r in references], dtype)


@pytest.mark.rustorch_only
def test_modes_over_the_simplex() -> None:
    mode = D.Dirichlet(tensor([[2.0, 3.0, 4.0], [0.5, 2.0, 3.0], [0.5, 0.9, 0.25]])).mode
    close(mode, [[1 / 6, 2 / 6, 3 / 6], [0, 1 / 3, 2 / 3], [0, 1, 0]])
    beta = D.Beta(tensor([0.3, 0.7, 0.3, 2.5, 1.0]), tensor([0.7, 0.3, 1.0, 1.0, 1.0])).mode
    np.testing.assert_array_equal(beta.numpy(), [0, 1, 0, 1, math.nan])


@BOTH
def test_multinomial(dtype: str) -> None:
    p = np.array([[0.25, 0.25, 0.5], [0.125, 0.75, 0.125]])
    counts = np.array([1, 4, 2])
    distribution = D.Multinomial(7, tensor(p, dtype))
    references = [stats.multinomial(7, row) for row in p]
    close(distribution.log_prob(tensor(counts, dtype)), [r.logpmf(counts) for r in references], dtype)
    close(distribution.entropy(), [r.entropy() for r in references], dtype)
    close(distribution.mean, 7 * p, dtype)
    close(distribution.variance, 7 * p * (1 - p), dtype)
    certain = D.Multinomial(3, logits=tensor([0.0, -math.inf], dtype))
    assert certain.log_prob(tensor([3.0, 0.0], dtype)).item() == 0


@BOTH
def test_categories(dtype: str) -> None:
    weights = np.array([[1.0, 2.0, 5.0], [3.0, 0.0, 1.0]])
    p = weights / weights.sum(-1, keepdims=True)
    entropy = -special.xlogy(p, p).sum(-1)
    for distribution in (D.Categorical(tensor(weights, dtype)), D.OneHotCategorical(tensor(weights, dtype))):
        close(distribution.probs, p, dtype)
        close(distribution.entropy(), entropy, dtype)
    values = rustorch.tensor([[0, 2], [1, 0]])
    got = D.Categorical(tensor(weights, dtype)).log_prob(values)
    close(got, np.log(np.take_along_axis(p, values.numpy().T, -1).T), dtype)
    one_hot = rustorch.nn.functional.one_hot(values, 3).to(got.dtype)
    assert rustorch.equal(D.OneHotCategorical(tensor(weights, dtype)).log_prob(one_hot), got)
    assert D.Categorical(tensor(weights, dtype)).mode.tolist() == [2, 0]
    assert D.OneHotCategorical(tensor(weights, dtype)).mode.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert D.Categorical(tensor(weights, dtype)).mean.isnan().all()


@BOTH
@pytest.mark.parametrize("df", [3.5, 12.0])
def test_wishart(df: float, dtype: str) -> None:
    value = COVARIANCES[1] + np.eye(3)
    reference = stats.wishart(df, COVARIANCES[0])
    matrices = {
        "covariance_matrix": COVARIANCES[0],
        "precision_matrix": np.linalg.inv(COVARIANCES[0]),
        "scale_tril": np.linalg.cholesky(COVARIANCES[0]),
    }
    for name, matrix in matrices.items():
        distribution = D.Wishart(tensor(df, dtype), **{name: tensor(matrix, dtype)}, validate_args=dtype == "float64")
        close(distribution.log_prob(tensor(value, dtype)), reference.logpdf(value), dtype)
        close(distribution.entropy(), reference.entropy(), dtype)
        close(distribution.mean, reference.mean(), dtype)
        close(distribution.variance, reference.var(), dtype)
    want = reference.mode() if df > 4 else np.full((3, 3), math.nan)
    close(distribution.mode, want, dtype)


@pytest.mark.parametrize("concentration", [0.5, 1.0, 4.0])
def test_correlations(concentration: float) -> None:
    """The density of 2 × 2 factors by the correlation r is 1 after the change of variables, by quadrature."""
    nodes, weights = np.polynomial.legendre.leggauss(100)
    angle = nodes * np.pi / 2
    r = np.sin(angle)
    factor = np.zeros((100, 2, 2))
    factor[:, 0, 0], factor[:, 1, 0], factor[:, 1, 1] = 1, r, np.cos(angle)
    density = D.LKJCholesky(2, tensor(concentration)).log_prob(tensor(factor)).exp().numpy()
    assert (weights * density * np.cos(angle)).sum() * np.pi / 2 == pytest.approx(1, abs=1e-9)
    # p(L Lᵀ) ∝ det^(c - 1), and the map from L to its correlations has the determinant Π L[i, i]^(D - 1 - i).
    rows = [[1.0, 0, 0, 0], [0.6, 0.8, 0, 0], [0.1, 0.7, 0.5**0.5, 0], [-0.5, 0.5, 0.5, 0.5]]
    factors = [np.eye(4), np.array(rows)]
    got = D.LKJCholesky(4, tensor(concentration)).log_prob(tensor(np.stack(factors))).numpy()
    want = [
        (concentration - 1) * np.linalg.slogdet(f @ f.T)[1] + sum((3 - i) * np.log(f[i, i]) for i in range(1, 4))
        for f in factors
    ]
    assert got[1] - got[0] == pytest.approx(want[1] - want[0])


def test_mixtures() -> None:
    weights, loc, scale = np.array([0.25, 0.75]), np.array([-1.0, 2.0]), np.array([0.5, 1.5])
    mixture = D.MixtureSameFamily(D.Categorical(tensor(weights)), D.Normal(tensor(loc), tensor(scale)))
    x = np.array([-40.0, -1.0, 0.5, 3.0])
    density = stats.norm(loc, scale)
    close(mixture.log_prob(tensor(x)), special.logsumexp(density.logpdf(x[:, None]) + np.log(weights), axis=-1))
    close(mixture.cdf(tensor(x)), (density.cdf(x[:, None]) * weights).sum(-1))
    mean = (weights * loc).sum()
    close(mixture.mean, mean)
    close(mixture.variance, (weights * (scale**2 + loc**2)).sum() - mean**2)
    vectors = D.MixtureSameFamily(
        D.Categorical(tensor(weights)), D.MultivariateNormal(tensor(LOC), tensor(COVARIANCES))
    )
    parts = np.stack(
        [stats.multivariate_normal(m, k).logpdf(VALUES[:, 0]) for m, k in zip(LOC, COVARIANCES, strict=True)]
    )
    close(vectors.log_prob(tensor(VALUES[:, 0])), special.logsumexp(parts.T + np.log(weights), axis=-1))
    assert vectors.expand((5,)).sample((2,)).shape == (2, 5, 3)


def test_relaxed_densities_have_the_mass_1() -> None:
    """By quadrature over (0, 1), and over the simplex of three numbers."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    z = 8 * nodes  # The logit of the value.
    x = special.expit(z)
    binary = D.RelaxedBernoulli(tensor(1.5), probs=tensor(0.3))
    mass = (8 * weights * x * (1 - x) * np.exp(binary.log_prob(tensor(x)).numpy())).sum()
    # Beyond logits of ±8 lies what the logistic distribution has beyond ±12 of its own.
    assert mass == pytest.approx(1, abs=2e-5)
    logits = D.relaxed_bernoulli.LogitRelaxedBernoulli(tensor(1.5), probs=tensor(0.3))
    np.testing.assert_allclose(
        logits.log_prob(tensor(z)).numpy(), stats.logistic(np.log(3 / 7) / 1.5, 1 / 1.5).logpdf(z)
    )
    relaxed = D.RelaxedOneHotCategorical(tensor(2.0), tensor([0.2, 0.3, 0.5]))
    u, v = np.meshgrid(special.expit(1.5 * z), special.expit(1.5 * z), indexing="ij")
    volume = np.outer(12 * weights, 12 * weights) * u * (1 - u) * v * (1 - v) * (1 - u)
    simplex = np.stack([u, v * (1 - u), (1 - v) * (1 - u)], -1)
    relaxed._validate_args = False
    mass = (volume * np.exp(relaxed.log_prob(tensor(simplex)).numpy())).sum()
    assert mass == pytest.approx(1, abs=1e-3)


def test_transformed_densities() -> None:
    loc = tensor([0.5, -1.0])
    exponential = D.TransformedDistribution(D.Normal(loc, 2.0), [D.ExpTransform()])
    x = tensor([0.25, 3.0])
    close(exponential.log_prob(x), D.LogNormal(loc, 2.0).log_prob(x).numpy())
    logistic = D.TransformedDistribution(
        D.Uniform(tensor(0.0), 1.0), [D.SigmoidTransform().inv, D.AffineTransform(1.0, -2.0)]
    )
    x = np.array([-3.0, 0.5, 4.0])
    reference = stats.logistic(1, 2)
    close(logistic.log_prob(tensor(x)), reference.logpdf(x))
    # The scale is negative: probabilities are those of the other side.
    close(logistic.cdf(tensor(x)), reference.cdf(x))
    close(logistic.icdf(tensor([0.1, 0.6])), reference.ppf([0.1, 0.6]))
    turned = D.TransformedDistribution(D.Normal(tensor(0.0), 1.0), [D.AffineTransform(0.0, tensor([1.0, -1.0]))])
    assert turned.batch_shape == (2,)
    close(turned.cdf(tensor([1.0, 1.0])), stats.norm.cdf([1, 1]))


def gradient_cases() -> dict[str, tuple[Callable[..., Any], list[Any], Any]]:
    """What makes a distribution of parameters, the parameters, a value (None: drawn)."""
    column, row = [[0.3], [1.7], [6.0]], [0.5, 2.5]
    made: dict[str, tuple[Callable[..., Any], list[Any], Any]] = {
        name: (getattr(D, name), [column, row], None)
        for name in ("Beta", "Cauchy", "FisherSnedecor", "Gamma", "Gumbel", "InverseGamma", "Kumaraswamy", "Laplace",
                     "LogNormal", "Normal", "Pareto", "VonMises", "Weibull")
    }  # fmt: skip
    made |= {
        name: (getattr(D, name), [column], None)
        for name in ("Chi2", "Exponential", "HalfCauchy", "HalfNormal", "Poisson")
    }
    return made | {
        "StudentT": (D.StudentT, [column, row, row], None),
        "GeneralizedPareto": (D.GeneralizedPareto, [row, column, [[0.3], [0.0], [-0.2]]], None),
        "Uniform": (D.Uniform, [row, [[3.0], [4.0]]], None),
        "Bernoulli": (D.Bernoulli, [[0.2, 0.7]], None),
        "BernoulliLogits": (lambda x: D.Bernoulli(logits=x), [[0.2, -0.7]], None),
        "Binomial": (lambda p: D.Binomial(5, p), [[0.2, 0.7]], None),
        "ContinuousBernoulli": (D.ContinuousBernoulli, [[0.2, 0.4999, 0.5, 0.7]], None),
        "Geometric": (D.Geometric, [[0.2, 0.7]], None),
        "NegativeBinomial": (D.NegativeBinomial, [row, [[0.2], [0.7]]], None),
        "Categorical": (D.Categorical, [[[0.2, 0.3, 0.6]]], None),
        "CategoricalLogits": (lambda x: D.Categorical(logits=x), [[[0.2, -0.3, 0.6]]], None),
        "Dirichlet": (D.Dirichlet, [[[0.5, 2.0, 3.0]]], None),
        "Multinomial": (lambda p: D.Multinomial(4, p), [[[0.2, 0.3, 0.6]]], None),
        "MultivariateNormal": (
            lambda m, t: D.MultivariateNormal(m, scale_tril=t.tril()),
            [LOC, np.linalg.cholesky(COVARIANCES)],
            None,
        ),
        "LowRank": (D.LowRankMultivariateNormal, [[0.5, 1.0], [[1.0], [0.5]], [0.5, 2.0]], None),
        "Wishart": (lambda n, t: D.Wishart(n, scale_tril=t.tril()), [5.0, np.linalg.cholesky(COVARIANCES[0])], None),
        "LKJCholesky": (lambda x: D.LKJCholesky(3, x), [[0.5, 2.0]], None),
        "RelaxedBernoulli": (lambda t, x: D.RelaxedBernoulli(t, logits=x), [0.7, [0.3, -1.0]], [0.3, 0.6]),
        "RelaxedOneHot": (
            lambda t, x: D.RelaxedOneHotCategorical(t, logits=x),
            [0.7, [0.3, -1.0, 0.5]],
            [0.3, 0.6, 0.1],
        ),
        "Mixture": (
            lambda w, m: D.MixtureSameFamily(D.Categorical(w), D.Normal(m, 1.0)),
            [[0.3, 0.6], [0.5, -1.0]],
            None,
        ),
    }


@pytest.mark.parametrize("name", named(gradient_cases()))
def test_gradients_of_densities_and_entropies(name: str) -> None:
    """By every parameter, and by the value where that is continuous, against central differences."""
    make, parameters, value = gradient_cases()[name]
    leaves = [tensor(p).requires_grad_() for p in parameters]
    value = make(*(x.detach() for x in leaves)).sample() if value is None else tensor(value)
    if name in ("Chi2", "FisherSnedecor", "Gamma", "InverseGamma"):
        value = value.clamp(min=0.05)  # Differences are no derivatives next to a pole.
    by_value = (
        value.is_floating_point()
        and not make(*leaves).support.is_discrete
        and name not in ("Dirichlet", "Wishart", "LKJCholesky", "RelaxedOneHot")
    )
    if by_value:
        leaves.append(value.clone().requires_grad_())

    def density(*leaves: rustorch.Tensor) -> rustorch.Tensor:
        return make(*leaves[: len(parameters)]).log_prob(leaves[-1] if by_value else value)

    assert rustorch.autograd.gradcheck(density, leaves, eps=1e-6, atol=1e-5, rtol=1e-4)
    try:
        make(*leaves[: len(parameters)]).entropy()
    except NotImplementedError:
        return
    leaves = leaves[: len(parameters)]
    assert rustorch.autograd.gradcheck(
        lambda *x: make(*x).entropy() + sum(p.sum() * 0 for p in x), leaves, atol=1e-5, rtol=1e-4
    )


def test_correlations_against_recorded_answers() -> None:
    """PyTorch 2.15's numbers, for the constant of integration of more than two rows."""
    rows = [[1.0, 0, 0, 0], [0.6, 0.8, 0, 0], [0.1, 0.7, 0.5**0.5, 0], [-0.5, 0.5, 0.5, 0.5]]
    got = D.LKJCholesky(4, tensor([0.5, 1.0, 4.0])).log_prob(tensor(rows))
    np.testing.assert_allclose(got.numpy(), [-3.415768733592, -3.252219501403, -7.354344250944], rtol=1e-11)
