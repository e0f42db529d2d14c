"""Where formulas that look right lose their digits: tails, large parameters, ends of supports."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special, stats

import rustorch

pytestmark = [pytest.mark.cpu_only, pytest.mark.rustorch_only]

D = rustorch.distributions
BOTH = pytest.mark.parametrize("dtype", ["float32", "float64"])
RTOL = {"float32": 2e-6, "float64": 1e-12}


def tensor(values: object, dtype: str) -> rustorch.Tensor:
    return rustorch.tensor(values, dtype=getattr(rustorch, dtype))


def close(got: rustorch.Tensor, want: object, dtype: str) -> None:
    np.testing.assert_allclose(got.double().numpy(), want, rtol=RTOL[dtype])


@BOTH
def test_lower_tails_of_distribution_functions(dtype: str) -> None:
    x = np.array([-12.0, -9.0, -5.0, -1.0])
    close(D.Normal(tensor(0.0, dtype), 1.0).cdf(tensor(x, dtype)), stats.norm.cdf(x), dtype)
    close(D.Cauchy(tensor(0.0, dtype), 1.0).cdf(tensor(x * 1e6, dtype)), stats.cauchy.cdf(x * 1e6), dtype)
    close(D.Laplace(tensor(0.0, dtype), 1.0).cdf(tensor(x * 5, dtype)), np.exp(x * 5) / 2, dtype)
    small = np.array([1e-30, 1e-12, 1e-3])
    close(D.Exponential(tensor(2.0, dtype)).cdf(tensor(small, dtype)), -np.expm1(-2 * small), dtype)
    close(D.Weibull(tensor(2.0, dtype), 1.0).cdf(tensor(small, dtype)), -np.expm1(-small / 2), dtype)
    close(D.HalfNormal(tensor(1.0, dtype)).cdf(tensor(small, dtype)), stats.halfnorm.cdf(small), dtype)
    close(D.LogNormal(tensor(0.0, dtype), 1.0).cdf(tensor([0.05, 1.0], dtype)), special.ndtr(np.log([0.05, 1])), dtype)
    close(
        D.InverseGamma(tensor(2.5, dtype), 1.0).cdf(tensor([0.02, 0.1], dtype)), special.gammaincc(2.5, [50, 10]), dtype
    )


@BOTH
def test_quantiles_of_small_probabilities(dtype: str) -> None:
    p = np.array([1e-30, 1e-12, 1e-3]).astype(dtype)
    of = tensor(p, dtype)
    wide = p.astype(np.float64)
    close(D.Normal(tensor(0.0, dtype), 1.0).icdf(of), special.ndtri(wide), dtype)
    close(D.Cauchy(tensor(0.0, dtype), 1.0).icdf(of), -1 / np.tan(np.pi * wide), dtype)
    close(D.Laplace(tensor(0.0, dtype), 1.0).icdf(of), np.log(2 * wide), dtype)
    close(D.Exponential(tensor(2.0, dtype)).icdf(of), -np.log1p(-wide) / 2, dtype)
    close(D.HalfNormal(tensor(1.0, dtype)).icdf(of), math.sqrt(2) * special.erfinv(wide), dtype)
    close(D.GeneralizedPareto(tensor(0.0, dtype), 1.0, 0.3).icdf(of), stats.genpareto(0.3).ppf(wide), dtype)


@BOTH
def test_large_parameters(dtype: str) -> None:
    """Terms of the order of the parameter, whose sum is of the order of 1: in float32 nothing of it would be left."""

    def of(x: float) -> rustorch.Tensor:
        return tensor(x, dtype)

    def rounded(x: float) -> float:
        return float(np.array(x, dtype))

    near = math.sqrt(2 / 9 / 3e6)  # The standard deviation of Beta(1e6, 2e6), which is almost normal.
    thousandth = 1e-3
    log_ratio = special.zeta(2) * thousandth**2 - 2 * special.zeta(3) * thousandth**3
    for got, want in (
        (D.Gamma(of(1e6), 1.0).log_prob(of(1001000.0)), stats.gamma(1e6).logpdf(1001000.0)),
        (D.Gamma(of(1e6), 1.0).entropy(), stats.gamma(1e6).entropy()),
        (D.Beta(of(1e6), 2e6).log_prob(of(0.3333)), stats.beta(1e6, 2e6).logpdf(rounded(0.3333))),
        (D.Beta(of(1e6), 2e6).entropy(), stats.norm(0, near).entropy()),
        (D.StudentT(of(1e6)).log_prob(of(1.0)), stats.t(1e6).logpdf(1.0)),
        (D.StudentT(of(1e6)).entropy(), stats.t(1e6).entropy()),
        (D.Poisson(of(1e6)).log_prob(of(1001000.0)), stats.poisson(1e6).logpmf(1001000)),
        (D.Binomial(1000000, of(0.25)).log_prob(of(250500.0)), stats.binom(10**6, 0.25).logpmf(250500)),
        (D.NegativeBinomial(of(1e5), of(0.5)).log_prob(of(100200.0)), stats.nbinom(1e5, 0.5).logpmf(100200)),
        (D.FisherSnedecor(of(1e5), 2e5).log_prob(of(1.0)), stats.f(1e5, 2e5).logpdf(1.0)),
        (D.VonMises(of(0.0), 1e6).log_prob(of(0.001)), stats.norm(0, 1e-3).logpdf(rounded(0.001))),
        (D.VonMises(of(0.0), 1e6).variance, 5.00000125e-7),
        (D.Weibull(of(1.0), 1e3).variance, math.exp(2 * math.lgamma(1 + thousandth)) * math.expm1(log_ratio)),
    ):
        # Normal and expanded references hold to 6 digits; lgamma's float64 has lost 7 of its 16.
        np.testing.assert_allclose(got.double().item(), want, rtol=5e-6)


@BOTH
def test_ends_of_supports(dtype: str) -> None:
    inf = math.inf
    for distribution, value, want in (
        (D.Beta(tensor(1.0, dtype), 3.0), 0.0, math.log(3)),
        (D.Beta(tensor(2.0, dtype), 1.0), 1.0, math.log(2)),
        (D.Beta(tensor(0.5, dtype), 3.0), 0.0, inf),
        (D.Beta(tensor(2.0, dtype), 3.0), 1.0, -inf),
        (D.Gamma(tensor(1.0, dtype), 2.0), 0.0, math.log(2)),
        (D.Gamma(tensor(2.0, dtype), 2.0), 0.0, -inf),
        (D.Kumaraswamy(tensor(1.0, dtype), 3.0), 0.0, math.log(3)),
        (D.Kumaraswamy(tensor(2.0, dtype), 1.0), 1.0, math.log(2)),
        (D.Uniform(tensor(0.0, dtype), 2.0), 0.0, -math.log(2)),
        (D.Uniform(tensor(0.0, dtype), 2.0), 2.0, -inf),
        (D.Exponential(tensor(2.0, dtype)), 0.0, math.log(2)),
        (D.HalfNormal(tensor(1.0, dtype)), 0.0, math.log(2 / math.sqrt(2 * math.pi))),
        (D.GeneralizedPareto(tensor(0.0, dtype), 2.0, -1.0), 2.0, -math.log(2)),
        (D.GeneralizedPareto(tensor(0.0, dtype), 2.0, -0.5), 4.0, -inf),
        (D.GeneralizedPareto(tensor(0.0, dtype), 2.0, 0.0), inf, -inf),
        (D.Geometric(tensor(1.0, dtype)), 0.0, 0.0),
        (D.Geometric(tensor(1.0, dtype)), 2.0, -inf),
        (D.Poisson(tensor(0.0, dtype)), 0.0, 0.0),
        (D.Poisson(tensor(0.0, dtype)), 1.0, -inf),
        (D.NegativeBinomial(tensor(0.0, dtype), tensor(0.5, dtype)), 0.0, 0.0),
        (D.NegativeBinomial(tensor(0.0, dtype), tensor(0.5, dtype)), 3.0, -inf),
    ):
        got = distribution.log_prob(tensor(value, dtype)).item()
        assert got == pytest.approx(want, rel=1e-6, abs=1e-6), distribution


@BOTH
def test_probabilities_of_zero_and_one(dtype: str) -> None:
    """probs are clamped to [eps, 1 - eps], as PyTorch documents it, so that nothing becomes NaN; logits are not."""
    eps = rustorch.finfo(getattr(rustorch, dtype)).eps
    certain = D.Bernoulli(tensor([0.0, 1.0], dtype))
    np.testing.assert_allclose(certain.log_prob(tensor([1.0, 0.0], dtype)).numpy(), [math.log(eps)] * 2, rtol=1e-5)
    np.testing.assert_allclose(certain.entropy().numpy(), 0, atol=40 * eps)
    assert D.Bernoulli(logits=tensor(-80.0, dtype)).log_prob(tensor(1.0, dtype)).item() == pytest.approx(-80)
    assert D.Binomial(3, logits=tensor(-80.0, dtype)).log_prob(tensor(3.0, dtype)).item() == pytest.approx(-240)
    assert D.Geometric(logits=tensor(-80.0, dtype)).log_prob(tensor(0.0, dtype)).item() == pytest.approx(-80)
    categorical = D.Categorical(logits=tensor([0.0, -80.0, -math.inf], dtype))
    got = categorical.log_prob(rustorch.tensor([0, 1, 2]))
    assert got.tolist() == pytest.approx([0.0, -80.0, -math.inf], abs=1e-6)
    assert categorical.entropy().item() == pytest.approx(0, abs=1e-6)


@BOTH
def test_transforms_near_the_ends(dtype: str) -> None:
    x = tensor([-30.0, -10.0, 10.0, 30.0], dtype)
    want = 2 * np.log(2) - 2 * np.abs(x.double().numpy()) - 2 * np.log1p(np.exp(-2 * np.abs(x.double().numpy())))
    close(D.TanhTransform().log_abs_det_jacobian(x, x.tanh()), want, dtype)
    sigmoid = D.SigmoidTransform()
    close(
        sigmoid.log_abs_det_jacobian(x, sigmoid(x)),
        special.log_expit(x.double().numpy()) + special.log_expit(-x.double().numpy()),
        dtype,
    )
    # The rest of a stick is the sum of what is left: 1 minus what was taken has lost it.
    y = tensor([0.7, 0.299999, 1e-6], dtype)
    got = D.StickBreakingTransform().inv(y)
    wide = y.double().numpy()
    close(got, np.log([wide[0] / wide[1:].sum() * 2, wide[1] / wide[2]]), dtype)
    far = tensor([9.0, -0.5, 12.0], dtype)
    factor = D.CorrCholeskyTransform()(far)
    got = D.CorrCholeskyTransform().log_abs_det_jacobian(far, factor)
    x = far.double().numpy()
    log_sech = -np.abs(x) + np.log(2) - np.log1p(np.exp(-2 * np.abs(x)))
    close(got, 2 * (log_sech * [1, 1.5, 1]).sum(), dtype)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(dtype: str) -> None:
    """What PyTorch's classes take in half precision is computed there or above, and is of the parameters' dtype."""
    of = getattr(rustorch, dtype)
    x = rustorch.tensor([0.25, 0.75], dtype=of)
    eps = rustorch.finfo(of).eps
    for make in (
        lambda x: D.Normal(x, x),
        lambda x: D.Laplace(x, x),
        lambda x: D.Exponential(x),
        lambda x: D.Uniform(x - 1, x),
        lambda x: D.Bernoulli(x),
        lambda x: D.Gamma(x, x),
        lambda x: D.Beta(x, x),
        lambda x: D.StudentT(x),
        lambda x: D.Gumbel(x, x),
    ):
        sample = make(x).sample((3,))
        assert sample.dtype == of
        got = make(x).log_prob(sample)
        assert got.dtype == of
        exact = make(x.double()).log_prob(sample.double())
        np.testing.assert_allclose(got.double().numpy(), exact.numpy(), rtol=8 * eps, atol=8 * eps)
