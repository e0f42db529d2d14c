"""Divergences between distributions of different families: the cross entropy, by moments of p, minus the entropy of
p."""

from __future__ import annotations

import math
from typing import Any

import rustorch
from rustorch import Tensor
from rustorch.distributions._kl_families import to_continuous_bernoulli
from rustorch.distributions.bernoulli import Bernoulli
from rustorch.distributions.beta import Beta
from rustorch.distributions.binomial import Binomial
from rustorch.distributions.continuous_bernoulli import ContinuousBernoulli
from rustorch.distributions.distribution import Distribution
from rustorch.distributions.exponential import Exponential
from rustorch.distributions.gamma import Gamma
from rustorch.distributions.gumbel import Gumbel
from rustorch.distributions.kl import register_kl
from rustorch.distributions.laplace import Laplace
from rustorch.distributions.normal import Normal
from rustorch.distributions.pareto import Pareto
from rustorch.distributions.poisson import Poisson
from rustorch.distributions.uniform import Uniform
from rustorch.distributions.utils import euler_constant


def _infinite(p: Any, q: Any) -> Any:
    """∞: p has values that q has not, whatever the parameters."""
    like = next(value for value in vars(p).values() if isinstance(value, Tensor))
    shape = rustorch.broadcast_shapes(p.batch_shape, q.batch_shape)
    return rustorch.full(shape, math.inf, dtype=like.dtype, device=like.device)


_OVER_REALS: tuple[type[Distribution], ...] = (Normal, Laplace, Gumbel)
_OVER_POSITIVE: tuple[type[Distribution], ...] = (Exponential, Gamma)
_OVER_PART: tuple[type[Distribution], ...] = (Beta, ContinuousBernoulli, Pareto, Uniform)
for _wider in _OVER_REALS:
    for _narrower in (*_OVER_POSITIVE, *_OVER_PART):
        register_kl(_wider, _narrower)(_infinite)
for _wider in _OVER_POSITIVE:
    for _narrower in _OVER_PART:
        register_kl(_wider, _narrower)(_infinite)
register_kl(Pareto, Beta)(_infinite)
register_kl(Pareto, ContinuousBernoulli)(_infinite)
register_kl(Pareto, Uniform)(_infinite)
register_kl(Beta, Pareto)(_infinite)
register_kl(ContinuousBernoulli, Pareto)(_infinite)
register_kl(Poisson, Bernoulli)(_infinite)
register_kl(Poisson, Binomial)(_infinite)


def _mean_log(p: Any) -> Any:
    """E log x."""
    if isinstance(p, Beta):
        return p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    if isinstance(p, Exponential):
        return -euler_constant - p.rate.log()
    if isinstance(p, Pareto):
        return p.scale.log() + p.alpha.reciprocal()
    # Of a uniform variable: the mean of x log x - x between the ends.
    return (p.high.xlogy(p.high) - p.low.xlogy(p.low)) / (p.high - p.low) - 1


def _log_mean_exp(p: Any, s: Tensor) -> Any:
    """log E exp(-x / s)."""
    if isinstance(p, Normal):
        return 0.5 * (p.scale / s).square() - p.loc / s
    if isinstance(p, Exponential):
        return -(1 / (p.rate * s)).log1p()
    if isinstance(p, Gamma):
        return -p.concentration * (1 / (p.rate * s)).log1p()
    width = (p.high - p.low) / s
    return -p.low / s + (-(-width).expm1() / width).log()


def _outside(p: Any, q_low: Any, q_high: Any = math.inf) -> Any:
    """Whether p has values outside of an interval."""
    low, high = (p.low, p.high) if isinstance(p, Uniform) else (p.mean * 0, p.mean * 0 + 1)
    return (low < q_low) | (high > q_high)


@register_kl(Beta, Normal)
@register_kl(ContinuousBernoulli, Normal)
@register_kl(Exponential, Normal)
@register_kl(Gamma, Normal)
@register_kl(Gumbel, Normal)
@register_kl(Laplace, Normal)
@register_kl(Pareto, Normal)
@register_kl(Uniform, Normal)
def _to_normal(p: Any, q: Normal) -> Any:
    # Where p has no finite variance, the divergence is infinite, whatever infinite mean would be subtracted.
    infinite = p.variance.isinf()
    mean = p.mean.masked_fill(infinite, 0.0)
    squares = (p.variance + (mean - q.loc).square()) / q.scale.square()
    return 0.5 * (math.log(2 * math.pi) + squares) + q.scale.log() - p.entropy()


@register_kl(Beta, Exponential)
@register_kl(ContinuousBernoulli, Exponential)
@register_kl(Gamma, Exponential)
@register_kl(Pareto, Exponential)
def _to_exponential(p: Any, q: Exponential) -> Any:
    return q.rate * p.mean - q.rate.log() - p.entropy()


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Uniform, q: Exponential) -> Any:
    return _to_exponential(p, q).masked_fill(_outside(p, 0.0), math.inf)


@register_kl(Beta, Gamma)
@register_kl(Exponential, Gamma)
@register_kl(Pareto, Gamma)
def _to_gamma(p: Any, q: Gamma) -> Any:
    a = q.concentration
    return a.lgamma() - a * q.rate.log() - (a - 1) * _mean_log(p) + q.rate * p.mean - p.entropy()


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Uniform, q: Gamma) -> Any:
    return _to_gamma(p, q).masked_fill(_outside(p, 0.0), math.inf)


@register_kl(Exponential, Gumbel)
@register_kl(Gamma, Gumbel)
@register_kl(Normal, Gumbel)
@register_kl(Uniform, Gumbel)
def _to_gumbel(p: Any, q: Gumbel) -> Any:
    tail = (_log_mean_exp(p, q.scale) + q.loc / q.scale).exp()
    return q.scale.log() + (p.mean - q.loc) / q.scale + tail - p.entropy()


@register_kl(Normal, Laplace)
def _normal_laplace(p: Normal, q: Laplace) -> Any:
    z = (p.loc - q.loc) / p.scale
    distance = p.scale * (math.sqrt(2 / math.pi) * (-0.5 * z.square()).exp() + z * (z / math.sqrt(2)).erf())
    return (2 * q.scale).log() + distance / q.scale - p.entropy()


@register_kl(Beta, Uniform)
@register_kl(ContinuousBernoulli, Uniform)
def _to_uniform(p: Any, q: Uniform) -> Any:
    return ((q.high - q.low).log() - p.entropy()).masked_fill(_outside(p, q.low, q.high), math.inf)


@register_kl(Uniform, Beta)
def _uniform_beta(p: Uniform, q: Beta) -> Any:
    a, b = q.concentration1, q.concentration0
    # E log(1 - x) is E log x of the mirrored interval.
    mirrored = Uniform(1 - p.high, 1 - p.low, validate_args=False)
    log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
    divergence = log_beta - (a - 1) * _mean_log(p) - (b - 1) * _mean_log(mirrored) - p.entropy()
    return divergence.masked_fill(_outside(p, 0.0, 1.0), math.inf)


@register_kl(Beta, ContinuousBernoulli)
def _beta_continuous_bernoulli(p: Beta, q: ContinuousBernoulli) -> Any:
    return to_continuous_bernoulli(p, q)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Uniform, q: ContinuousBernoulli) -> Any:
    return to_continuous_bernoulli(p, q).masked_fill(_outside(p, 0.0, 1.0), math.inf)


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Uniform, q: Pareto) -> Any:
    divergence = (q.alpha + 1) * _mean_log(p) - q.alpha.log() - q.alpha * q.scale.log() - p.entropy()
    return divergence.masked_fill(_outside(p, q.scale), math.inf)


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Bernoulli, q: Poisson) -> Any:
    return q.rate - p.probs.xlogy(q.rate) - p.entropy()
