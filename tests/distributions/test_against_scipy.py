"""log_prob, cdf, icdf, entropy, moments and modes of distributions of numbers against SciPy, in float32 and float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import beta, ive

import rustorch

from tests.distributions.cases import CASES, DISCRETE, Array, Case, ids

pytestmark = [pytest.mark.cpu_only, pytest.mark.rustorch_only]

BOTH = pytest.mark.parametrize("dtype", ["float32", "float64"])
CONTINUOUS = pytest.mark.parametrize("case", CASES, **ids)
COUNTS = pytest.mark.parametrize("case", DISCRETE, **ids)
#: Relative errors: of float32, a few roundings of an argument whose logarithm is taken; of float64, SciPy's.
RTOL = {"float32": 1e-5, "float64": 1e-9}


def close(got: rustorch.Tensor, want: Array, dtype: str, atol: float | None = None) -> None:
    assert got.dtype == getattr(rustorch, dtype)
    tolerance = RTOL[dtype]
    np.testing.assert_allclose(got.double().numpy(), want, rtol=tolerance, atol=tolerance if atol is None else atol)


@BOTH
@CONTINUOUS
def test_log_density(case: Case, dtype: str) -> None:
    values = case.values(dtype)
    got = case.make(dtype).log_prob(rustorch.tensor(values, dtype=getattr(rustorch, dtype)))
    # A value in float32 that rounding put on the end of a support has another density than its neighbours.
    close(got, case.reference(dtype).logpdf(values), dtype, 2e-5 if dtype == "float32" else None)


@BOTH
@CONTINUOUS
def test_distribution_function(case: Case, dtype: str) -> None:
    if "cdf" in case.lacks or case.name == "VonMises":
        pytest.skip("PyTorch's class has none")
    values = case.values(dtype)
    got = case.make(dtype).cdf(rustorch.tensor(values, dtype=getattr(rustorch, dtype)))
    close(got, case.reference(dtype).cdf(values), dtype)


@BOTH
@CONTINUOUS
def test_quantile(case: Case, dtype: str) -> None:
    if "icdf" in case.lacks or case.name == "VonMises":
        pytest.skip("PyTorch's class has none")
    p = np.array([1e-6, 0.01, 0.3, 0.5, 0.75, 0.99]).reshape(-1, 1, 1).astype(dtype)
    batch = case.make().batch_shape
    p = p.reshape(-1, *(1,) * len(batch))
    got = case.make(dtype).icdf(rustorch.tensor(p))
    close(got, case.reference(dtype).ppf(p.astype(np.float64)), dtype)


@BOTH
@pytest.mark.parametrize("case", [*CASES, *DISCRETE], **ids)
def test_entropy(case: Case, dtype: str) -> None:
    if "entropy" in case.lacks or case.name in ("NegativeBinomial", "Poisson", "VonMises"):
        with pytest.raises(NotImplementedError):
            case.make(dtype).entropy()
        return
    want = case.reference(dtype).entropy()
    close(case.make(dtype).entropy(), want, dtype)
    close(case.make(dtype).perplexity(), np.exp(want), dtype)


@BOTH
@pytest.mark.parametrize("case", [*CASES, *DISCRETE], **ids)
def test_moments(case: Case, dtype: str) -> None:
    distribution, reference = case.make(dtype), case.reference(dtype)
    if case.name == "VonMises":
        close(distribution.mean, reference.mean(), dtype)
        # SciPy's variance is not the circular one.
        k = reference.args[0]
        close(distribution.variance, 1 - ive(1, k) / ive(0, k), dtype)
        return
    with np.errstate(all="ignore"):
        mean, variance = reference.stats("mv")
    # Where there is no finite moment, SciPy says NaN or infinity by conventions of its own: see test_missing_moments.
    close(distribution.mean[rustorch.tensor(np.isfinite(mean))], mean[np.isfinite(mean)], dtype)
    finite = np.isfinite(variance)
    close(distribution.variance[rustorch.tensor(finite)], variance[finite], dtype)
    close(distribution.stddev[rustorch.tensor(finite)], np.sqrt(variance[finite]), dtype)


def test_missing_moments() -> None:
    D = rustorch.distributions
    for distribution, mean, variance in (
        (D.Cauchy(0.0, 1.0), math.nan, math.inf),
        (D.HalfCauchy(1.0), math.inf, math.inf),
        (D.StudentT(1.0), math.nan, math.nan),
        (D.StudentT(2.0), 0.0, math.inf),
        (D.FisherSnedecor(1.0, 2.0), math.nan, math.nan),
        (D.Pareto(1.0, 1.0), math.inf, math.inf),
        (D.Pareto(1.0, 2.0), 2.0, math.inf),
        (D.InverseGamma(1.0, 1.0), math.inf, math.inf),
        (D.InverseGamma(2.0, 1.0), 1.0, math.inf),
        (D.GeneralizedPareto(0.0, 1.0, 1.0), math.nan, math.nan),
        (D.GeneralizedPareto(0.0, 1.0, 0.5), 2.0, math.nan),
    ):
        np.testing.assert_equal([distribution.mean.item(), distribution.variance.item()], [mean, variance])


@CONTINUOUS
def test_the_mode_is_where_the_density_is_largest(case: Case) -> None:
    distribution = case.make()
    mode = distribution.mode
    exists = mode.isfinite()
    inside = rustorch.where(exists, mode, distribution.sample())
    with rustorch.no_grad():
        distribution._validate_args = False
        at_mode = distribution.log_prob(inside)
        elsewhere = distribution.log_prob(rustorch.tensor(case.values())).amax(0)
    # An infinite density at an end is NaN in none of the formulas.
    assert bool(((at_mode >= elsewhere - 1e-9) | ~exists).all())


@BOTH
@COUNTS
def test_probabilities(case: Case, dtype: str) -> None:
    distribution, reference = case.make(dtype), case.reference(dtype)
    most = reference.ppf(0.9999).max()
    counts = np.arange(min(int(most), 60) + 1.0).reshape(-1, 1, 1)
    counts = counts.reshape(-1, *(1,) * len(distribution.batch_shape))
    distribution._validate_args = False  # Counts beyond some element's support have the probability 0.
    inside = np.broadcast_to(reference.pmf(counts), (len(counts), *distribution.batch_shape)) > 0
    got = distribution.log_prob(rustorch.tensor(counts, dtype=getattr(rustorch, dtype)))
    close(got[rustorch.tensor(inside)], reference.logpmf(counts)[inside], dtype)


@COUNTS
def test_logits_say_the_same_as_probabilities(case: Case) -> None:
    if case.name == "Poisson":
        pytest.skip("it has a rate")
    given = case.make()
    others = {name: getattr(given, name) for name in case.parameters if name != "probs"}
    by_logits = type(given)(**others, logits=given.logits)
    value = given.sample((5,))
    for what in ("mean", "variance", "probs"):
        close(getattr(by_logits, what), getattr(given, what).numpy(), "float64")
    close(by_logits.log_prob(value), given.log_prob(value).numpy(), "float64")


@COUNTS
def test_the_mode_of_counts_is_likeliest(case: Case) -> None:
    distribution, reference = case.make(), case.reference()
    mode = distribution.mode
    ties = mode.isnan().numpy()  # A fair coin has no single mode.
    at_mode = reference.pmf(np.nan_to_num(mode.numpy()))
    counts = np.arange(80.0).reshape(-1, *(1,) * len(distribution.batch_shape))
    assert ((at_mode >= reference.pmf(counts).max(0) - 1e-12) | ties).all()


@pytest.mark.parametrize("p", [1e-30, 1e-12, 0.2, 0.499, 0.4999999, 0.5, 0.500001, 0.5011, 0.9, 1 - 1e-12])
def test_continuous_bernoulli(p: float) -> None:
    """Against F(x) = (exp(t x) - 1) / (exp(t) - 1), t = log(p / (1 - p)), in long doubles; moments by quadrature."""
    t = np.longdouble(math.log(p / (1 - p)) if p < 0.9 else math.log(p) - math.log1p(-p))
    distribution = rustorch.distributions.ContinuousBernoulli(logits=rustorch.tensor(float(t), dtype=rustorch.float64))
    x = np.array([0.0, 1e-6, 0.3, 0.5, 0.9, 1.0])
    wide = x.astype(np.longdouble)
    log_scale = np.log(t / np.expm1(t)) if t else np.longdouble(0)
    below = np.expm1(t * wide) / np.expm1(t) if t else wide
    got = distribution.log_prob(rustorch.tensor(x)).numpy()
    np.testing.assert_allclose(got, (t * wide + log_scale).astype(float), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(distribution.cdf(rustorch.tensor(x)).numpy(), below.astype(float), rtol=1e-12)
    middle = below < 1 - 1e-9  # Beyond, the quantile is lost in the probability's rounding.
    back = distribution.icdf(rustorch.tensor(below.astype(float))).numpy()
    np.testing.assert_allclose(back[middle], x[middle], rtol=1e-7, atol=1e-12)

    # Gauss and Legendre's rule, of an exponential whose exponent falls by up to 69 over the interval.
    nodes, weights = (a.astype(np.longdouble) for a in np.polynomial.legendre.leggauss(120))
    nodes, weights = (nodes + 1) / 2, weights / 2
    log_density = t * nodes + log_scale
    mean, second, entropy = ((weights * np.exp(log_density) * f).sum() for f in (nodes, nodes**2, -log_density))
    np.testing.assert_allclose(distribution.mean.item(), float(mean), rtol=1e-11)
    np.testing.assert_allclose(distribution.variance.item(), float(second - mean**2), rtol=1e-10)
    np.testing.assert_allclose(distribution.entropy().item(), float(entropy), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("a", "b"), [(0.5, 3.0), (2.0, 2.0), (8.0, 0.7), (1.0, 1.0)])
def test_kumaraswamy(a: float, b: float) -> None:
    """Against its definition: (1 - u^(1/b))^(1/a) of a uniform u; moments as SciPy's beta functions."""
    distribution = rustorch.distributions.Kumaraswamy(
        rustorch.tensor(a, dtype=rustorch.float64), rustorch.tensor(b, dtype=rustorch.float64)
    )
    x = np.array([1e-8, 0.01, 0.4, 0.9, 1 - 1e-9])
    want = np.log(a * b) + (a - 1) * np.log(x) + (b - 1) * np.log1p(-(x**a))
    np.testing.assert_allclose(distribution.log_prob(rustorch.tensor(x)).numpy(), want, rtol=1e-6)
    np.testing.assert_allclose(
        distribution.cdf(rustorch.tensor(x)).numpy(), -np.expm1(b * np.log1p(-(x**a))), rtol=1e-6
    )
    u = rustorch.tensor([1e-12, 0.3, 0.999], dtype=rustorch.float64)
    np.testing.assert_allclose(distribution.cdf(distribution.icdf(u)).numpy(), u.numpy(), rtol=1e-9)
    mean, second = (b * beta(1 + n / a, b) for n in (1, 2))
    assert distribution.mean.item() == pytest.approx(mean)
    assert distribution.variance.item() == pytest.approx(second - mean**2)

    def integrand(u: float) -> float:
        x = distribution.icdf(rustorch.tensor(u, dtype=rustorch.float64))
        return -distribution.log_prob(x.clamp(min=1e-300, max=1 - 1e-16)).item()

    assert distribution.entropy().item() == pytest.approx(quad(integrand, 0, 1)[0], abs=1e-6)
