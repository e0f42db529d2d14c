"""Gradients of reparametrised samples: those of the quantile at a fixed level, and those of known expectations."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

import rustorch

from tests.distributions.test_samples import within

pytestmark = [pytest.mark.cpu_only, pytest.mark.rustorch_only]

D = rustorch.distributions
# Made once by integrals of 40 digits: (a, x, dx/da) of gamma, (a, b, x, 1 - x, dx/da) of beta variables.
ANSWERS = json.loads(Path(__file__).with_name("quantile_derivatives.json").read_text(encoding="utf-8"))


def leaf(values: object) -> rustorch.Tensor:
    return rustorch.tensor(values, dtype=rustorch.float64, requires_grad=True)


def test_derivatives_of_gamma_quantiles() -> None:
    from rustorch.distributions._gamma_sampling import gamma_gradient

    a, x, want = (rustorch.tensor(column, dtype=rustorch.float64) for column in zip(*ANSWERS["gamma"], strict=True))
    np.testing.assert_allclose(gamma_gradient(a, x).numpy(), want.numpy(), rtol=1e-9)


def test_derivatives_of_beta_quantiles() -> None:
    from rustorch.distributions._gamma_sampling import beta_gradient

    a, b, x, y, want = (
        rustorch.tensor(column, dtype=rustorch.float64) for column in zip(*ANSWERS["beta"], strict=True)
    )
    np.testing.assert_allclose(beta_gradient(a, b, x, y).numpy(), want.numpy(), rtol=1e-8)


def test_gamma_samples_move_with_their_quantile() -> None:
    """Against central differences of SciPy's quantile function, at the level of each sample."""
    a, rate = leaf([0.5, 3.0, 80.0]), leaf([2.0, 0.5, 1.0])
    sample = D.Gamma(a, rate).rsample((50,))
    sample.sum().backward()
    x = sample.detach().numpy()
    for parameter, step, shifted in (
        (a, 1e-5, lambda h: stats.gamma(a.detach().numpy() + h, scale=1 / rate.detach().numpy())),
        (rate, 1e-5, lambda h: stats.gamma(a.detach().numpy(), scale=1 / (rate.detach().numpy() + h))),
    ):
        level = stats.gamma(a.detach().numpy(), scale=1 / rate.detach().numpy()).sf(x)
        want = (shifted(step).isf(level) - shifted(-step).isf(level)) / (2 * step)
        np.testing.assert_allclose(parameter.grad.numpy(), want.sum(0), rtol=1e-5)


def test_beta_samples_move_with_their_quantile() -> None:
    a, b = leaf([0.5, 3.0, 20.0]), leaf([2.0, 0.8, 60.0])
    sample = D.Beta(a, b).rsample((50,))
    sample.sum().backward()
    x, a_, b_, h = sample.detach().numpy(), a.detach().numpy(), b.detach().numpy(), 1e-5
    level = special.betainc(a_, b_, x)
    by_a = (special.betaincinv(a_ + h, b_, level) - special.betaincinv(a_ - h, b_, level)) / (2 * h)
    by_b = (special.betaincinv(a_, b_ + h, level) - special.betaincinv(a_, b_ - h, level)) / (2 * h)
    np.testing.assert_allclose(a.grad.numpy(), by_a.sum(0), rtol=1e-5)
    np.testing.assert_allclose(b.grad.numpy(), by_b.sum(0), rtol=1e-5)


SCALES = {
    "Cauchy": (lambda p, q: D.Cauchy(p, q), lambda p, q: stats.cauchy(p, q)),
    "Exponential": (lambda p, q: D.Exponential(q), lambda p, q: stats.expon(scale=1 / q)),
    "GeneralizedPareto": (lambda p, q: D.GeneralizedPareto(p, q, p), lambda p, q: stats.genpareto(p, p, q)),
    "Gumbel": (lambda p, q: D.Gumbel(p, q), lambda p, q: stats.gumbel_r(p, q)),
    "HalfCauchy": (lambda p, q: D.HalfCauchy(q), lambda p, q: stats.halfcauchy(scale=q)),
    "HalfNormal": (lambda p, q: D.HalfNormal(q), lambda p, q: stats.halfnorm(scale=q)),
    "InverseGamma": (lambda p, q: D.InverseGamma(q + 1, q), lambda p, q: stats.invgamma(q + 1, scale=q)),
    "LogNormal": (lambda p, q: D.LogNormal(p, q), lambda p, q: stats.lognorm(q, scale=np.exp(p))),
    "Normal": (lambda p, q: D.Normal(p, q), lambda p, q: stats.norm(p, q)),
    "Pareto": (lambda p, q: D.Pareto(q, q + 1), lambda p, q: stats.pareto(q + 1, scale=q)),
    "Uniform": (lambda p, q: D.Uniform(p, p + q), lambda p, q: stats.uniform(p, q)),
    "Weibull": (lambda p, q: D.Weibull(q, q + 1), lambda p, q: stats.weibull_min(q + 1, scale=q)),
}


@pytest.mark.parametrize("name", SCALES)
def test_samples_of_numbers_move_with_their_quantile(name: str) -> None:
    make, reference = SCALES[name]
    p, q = leaf([0.3, -0.2, 0.0]), leaf([0.5, 1.0, 2.5])
    sample = make(p, q).rsample((20,))
    assert sample.requires_grad
    sample.sum().backward()
    x, p_, q_, h = sample.detach().numpy(), p.detach().numpy(), q.detach().numpy(), 1e-5
    level = reference(p_, q_).cdf(x)
    for leaf_, step in ((p, (h, 0)), (q, (0, h))):
        up, down = (reference(p_ + sign * step[0], q_ + sign * step[1]).ppf(level) for sign in (1, -1))
        want = ((up - down) / (2 * h)).sum(0)
        got = np.zeros(3) if leaf_.grad is None else leaf_.grad.numpy()
        # A quantile is ill-conditioned where its level rounds to 1.
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)


N = 4000


def test_expectations_of_squares() -> None:
    """d E x² / d parameter, of samples whose gradients are no derivatives of one quantile."""
    for name, make, parameter, second in (
        ("StudentT", lambda v: D.StudentT(v, 1.0, 2.0), 7.0, lambda v: 1 + 4 * v / (v - 2)),
        ("FisherSnedecor", lambda v: D.FisherSnedecor(v, 20.0), 3.0, lambda v: 400 * (v + 2) / (v * 18 * 16)),
        ("Chi2", lambda v: D.Chi2(v), 3.0, lambda v: 2 * v + v * v),
        ("Laplace", lambda v: D.Laplace(1.0, v), 3.0, lambda v: 1 + 2 * v * v),
        ("VonMises", None, None, None),
    ):
        if make is None:
            assert not getattr(D, name).has_rsample
            with pytest.raises(NotImplementedError):
                D.VonMises(0.0, 1.0).rsample()
            continue
        each = leaf([parameter] * N)
        make(each).rsample().square().sum().backward()
        h = 1e-4
        within(each.grad, rustorch.tensor((second(parameter + h) - second(parameter - h)) / (2 * h)))


def test_expectations_over_dirichlet_vectors() -> None:
    """E x[i] = a[i] / Σa and E x[i]² by all concentrations."""
    a = [0.5, 2.0, 4.0]
    each = leaf([a] * N)
    sample = D.Dirichlet(each).rsample()
    weights = rustorch.tensor([1.0, -2.0, 3.0], dtype=rustorch.float64)
    (sample.square() * weights).sum().backward()
    exact = leaf(a)
    total = exact.sum()
    (exact * (exact + 1) / (total * (total + 1)) * weights).sum().backward()
    within(each.grad, exact.grad)


def test_expectations_over_wishart_matrices() -> None:
    df, factor = leaf([5.0] * N), leaf([[[1.0, 0.0], [0.5, 2.0]]] * N)
    sample = D.Wishart(df, scale_tril=factor, validate_args=False).rsample()
    weights = rustorch.tensor([[1.0, -2.0], [3.0, 0.5]], dtype=rustorch.float64)
    (sample * weights).sum().backward()
    exact_df, exact = leaf(5.0), leaf([[1.0, 0.0], [0.5, 2.0]])
    (exact_df * (exact @ exact.mT) * weights).sum().backward()
    within(df.grad, exact_df.grad)
    within(factor.grad.tril(), exact.grad.tril())


def test_normal_vectors_are_linear_in_their_parameters() -> None:
    loc, factor = leaf([0.5, -1.0]), leaf([[1.0, 0.0], [0.5, 2.0]])
    rustorch.manual_seed(1)
    sample = D.MultivariateNormal(loc, scale_tril=factor).rsample((5,))
    noise = rustorch.linalg.solve_triangular(factor.detach(), (sample - loc).detach().mT, upper=False).mT
    sample.sum().backward()
    np.testing.assert_allclose(loc.grad.numpy(), [5, 5])
    np.testing.assert_allclose(factor.grad.numpy()[1], noise.sum(0).numpy())
    low_rank = D.LowRankMultivariateNormal(leaf([0.5, -1.0]), leaf([[1.0], [2.0]]), leaf([1.0, 2.0]))
    assert low_rank.rsample((3,)).requires_grad


def test_straight_through() -> None:
    logits = leaf([[0.0, 1.0, -1.0]])
    weights = rustorch.tensor([1.0, 2.0, 4.0], dtype=rustorch.float64)
    sample = D.OneHotCategoricalStraightThrough(logits=logits).rsample()
    assert sorted(sample.detach().flatten().tolist()) == pytest.approx([0, 0, 1])
    (sample * weights).sum().backward()
    exact = leaf([[0.0, 1.0, -1.0]])
    (exact.softmax(-1) * weights).sum().backward()
    np.testing.assert_allclose(logits.grad.numpy(), exact.grad.numpy())


def test_relaxed_samples_follow_their_logits() -> None:
    logits = leaf([0.3])
    sample = D.RelaxedBernoulli(rustorch.tensor(0.7, dtype=rustorch.float64), logits=logits).rsample((6,))
    sample.sum().backward()
    y = sample.detach()
    np.testing.assert_allclose(logits.grad.item(), (y * (1 - y) / 0.7).sum().item())


def test_gradients_of_implicit_samples_are_taken_once() -> None:
    a = leaf([2.0])
    (gradient,) = rustorch.autograd.grad(D.Gamma(a, 1.0).rsample().square().sum(), a, create_graph=True)
    with pytest.raises(RuntimeError):
        gradient.sum().backward()


def test_float32_gradients_are_those_of_float64() -> None:
    for dtype in (rustorch.float32, rustorch.float16):
        a = rustorch.tensor([0.3, 4.0], dtype=dtype, requires_grad=True)
        sample = D.Gamma(a, rustorch.ones_like(a)).rsample()
        sample.sum().backward()
        from rustorch.distributions._gamma_sampling import gamma_gradient

        want = gamma_gradient(a.detach().double(), sample.detach().double())
        assert a.grad.dtype == dtype
        np.testing.assert_allclose(a.grad.double().numpy(), want.numpy(), rtol=4 * rustorch.finfo(dtype).eps)


def test_sample_keeps_no_graph() -> None:
    a = leaf([2.0])
    assert not D.Gamma(a, 1.0).sample().requires_grad
    assert math.isfinite(D.Gamma(a, 1.0).rsample().item())
