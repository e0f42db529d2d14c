"""Divergences between two distributions of one family."""

from __future__ import annotations

import math
from typing import Any

import rustorch
from rustorch import InvalidArgumentError, Tensor, UnsupportedError
from rustorch.distributions.bernoulli import Bernoulli
from rustorch.distributions.beta import Beta
from rustorch.distributions.binomial import Binomial
from rustorch.distributions.categorical import Categorical
from rustorch.distributions.cauchy import Cauchy
from rustorch.distributions.continuous_bernoulli import ContinuousBernoulli
from rustorch.distributions.dirichlet import Dirichlet
from rustorch.distributions.exp_family import ExponentialFamily
from rustorch.distributions.exponential import Exponential
from rustorch.distributions.gamma import Gamma
from rustorch.distributions.geometric import Geometric
from rustorch.distributions.gumbel import Gumbel
from rustorch.distributions.half_normal import HalfNormal
from rustorch.distributions.independent import Independent
from rustorch.distributions.kl import kl_divergence, register_kl
from rustorch.distributions.laplace import Laplace
from rustorch.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from rustorch.distributions.multivariate_normal import MultivariateNormal
from rustorch.distributions.normal import Normal
from rustorch.distributions.one_hot_categorical import OneHotCategorical
from rustorch.distributions.pareto import Pareto
from rustorch.distributions.poisson import Poisson
from rustorch.distributions.transformed_distribution import TransformedDistribution
from rustorch.distributions.uniform import Uniform
from rustorch.distributions.utils import _in_double, _sum_rightmost, broadcast_all, euler_constant
from rustorch.nn import functional as F


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    return _of_trials(p.probs, p.logits, q.probs, q.logits)


def _of_trials(p: Tensor, p_logits: Tensor, q: Tensor, q_logits: Tensor) -> Tensor:
    success = p * (F.logsigmoid(p_logits) - F.logsigmoid(q_logits))
    failure = (1 - p) * (F.logsigmoid(-p_logits) - F.logsigmoid(-q_logits))
    # Logits of the probabilities 0 and 1 are those of clamped ones.
    success = success.masked_fill(q == 0, math.inf).masked_fill(p == 0, 0.0)
    return success + failure.masked_fill(q == 1, math.inf).masked_fill(p == 1, 0.0)


@register_kl(Binomial, Binomial)
def _binomial(p: Binomial, q: Binomial) -> Tensor:
    if bool((p.total_count < q.total_count).any()):
        raise UnsupportedError(
            "KL between Binomials where q.total_count > p.total_count is not implemented: it has no closed form"
        )
    divergence = p.total_count * _of_trials(p.probs, p.logits, q.probs, q.logits)
    return divergence.masked_fill(p.total_count > q.total_count, math.inf)


@register_kl(Categorical, Categorical)
def _categorical(p: Categorical, q: Categorical) -> Tensor:
    terms = p.probs * (p.logits - q.logits)
    return terms.masked_fill(q.probs == 0, math.inf).masked_fill(p.probs == 0, 0.0).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot_categorical(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return _categorical(p._categorical, q._categorical)


@register_kl(Geometric, Geometric)
def _geometric(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - F.logsigmoid(-q.logits) / p.probs - q.logits


@register_kl(Poisson, Poisson)
def _poisson(p: Poisson, q: Poisson) -> Tensor:
    return p.rate.xlogy(p.rate) - p.rate.xlogy(q.rate) - (p.rate - q.rate)


@register_kl(Beta, Beta)
def _beta(p: Beta, q: Beta) -> Tensor:
    return _in_double(
        lambda a, b, c, d: _dirichlet_formula(rustorch.stack([a, b], -1), rustorch.stack([c, d], -1)),
        *broadcast_all(p.concentration1, p.concentration0, q.concentration1, q.concentration0),
    )


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    return _in_double(_dirichlet_formula, p.concentration, q.concentration)


def _dirichlet_formula(a: Tensor, b: Tensor) -> Tensor:
    total = a.sum(-1, keepdim=True)
    constants = total.squeeze(-1).lgamma() - b.sum(-1).lgamma() - (a.lgamma() - b.lgamma()).sum(-1)
    return constants + ((a - b) * (a.digamma() - total.digamma())).sum(-1)


@register_kl(Gamma, Gamma)
def _gamma(p: Gamma, q: Gamma) -> Tensor:
    return _in_double(_gamma_formula, p.concentration, p.rate, q.concentration, q.rate)


def _gamma_formula(a: Tensor, rate: Tensor, b: Tensor, other: Tensor) -> Tensor:
    ratio = other / rate
    return -b * ratio.log() + b.lgamma() - a.lgamma() + (a - b) * a.digamma() + (ratio - 1) * a


@register_kl(Exponential, Exponential)
def _exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return ratio - 1 - ratio.log()


@register_kl(Normal, Normal)
def _normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale).square()
    return 0.5 * (ratio - 1 - ratio.log() + ((p.loc - q.loc) / q.scale).square())


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: HalfNormal, q: HalfNormal) -> Any:
    return _normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _laplace(p: Laplace, q: Laplace) -> Tensor:
    ratio = p.scale / q.scale
    distance = (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * (-distance / p.scale).exp() - 1


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Cauchy, q: Cauchy) -> Tensor:
    # Chyzak and Nielsen, 2019: log(((s + t)² + d²) / (4 s t)), which is log(1 + ((s - t)² + d²) / (4 s t)).
    squares = (p.scale - q.scale).square() + (p.loc - q.loc).square()
    return (squares / (4 * p.scale * q.scale)).log1p()


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Gumbel, q: Gumbel) -> Tensor:
    ratio = p.scale / q.scale
    shift = (p.loc - q.loc) / q.scale
    return -ratio.log() + shift + euler_constant * (ratio - 1) + ((1 + ratio).lgamma() - shift).exp() - 1


@register_kl(Pareto, Pareto)
def _pareto(p: Pareto, q: Pareto) -> Tensor:
    ratio = q.alpha / p.alpha
    divergence = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return divergence.masked_fill(p.scale < q.scale, math.inf)


@register_kl(Uniform, Uniform)
def _uniform(p: Uniform, q: Uniform) -> Tensor:
    divergence = ((q.high - q.low) / (p.high - p.low)).log()
    return divergence.masked_fill((q.low > p.low) | (q.high < p.high), math.inf)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: ContinuousBernoulli, q: ContinuousBernoulli) -> Any:
    return to_continuous_bernoulli(p, q)


def to_continuous_bernoulli(p: Any, q: ContinuousBernoulli) -> Any:
    """The divergence of any distribution over [0, 1]: the logarithm of q is linear in x."""
    return -p.entropy() - q._log_density(p.mean)


@register_kl(MultivariateNormal, MultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _multivariate_normal(p: Any, q: Any) -> Any:
    if p.event_shape != q.event_shape:
        raise InvalidArgumentError(
            f"KL-divergence between multivariate normals of different event shapes: {p.event_shape} and {q.event_shape}"
        )
    trace = _trace_of_low_rank(p, q) if isinstance(p, LowRankMultivariateNormal) else _trace(q, p.scale_tril)
    return 0.5 * (q._log_det() - p._log_det() + trace + q._squared_distance(q.loc - p.loc) - p.event_shape[0])


def _trace(q: Any, factor: Tensor) -> Any:
    """tr(Σ⁻¹ F Fᵀ), Σ the covariance of q."""
    if isinstance(q, LowRankMultivariateNormal):
        scaled = factor.square() / q.cov_diag.unsqueeze(-1)
        return scaled.sum((-2, -1)) - (q._solved_factor() @ factor).square().sum((-2, -1))
    batch = rustorch.broadcast_shapes(q.batch_shape, factor.shape[:-2])
    triangle = q.scale_tril.expand(*batch, *q.scale_tril.shape[-2:])
    solved = rustorch.linalg.solve_triangular(triangle, factor.expand(*batch, *factor.shape[-2:]), upper=False)
    return solved.square().sum((-2, -1))


def _trace_of_low_rank(p: LowRankMultivariateNormal, q: Any) -> Any:
    trace = _trace(q, p.cov_factor)
    if isinstance(q, LowRankMultivariateNormal):
        projected = q._solved_factor().square() * p.cov_diag.unsqueeze(-2)
        return trace + (p.cov_diag / q.cov_diag).sum(-1) - projected.sum((-2, -1))
    return trace + _trace(q, p.cov_diag.sqrt().diag_embed())


@register_kl(Independent, Independent)
def _independent(p: Any, q: Any) -> Any:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise UnsupportedError(
            "KL between Independents of different reinterpreted_batch_ndims is not implemented: "
            f"{p.reinterpreted_batch_ndims} and {q.reinterpreted_batch_ndims}"
        )
    return _sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: TransformedDistribution, q: TransformedDistribution) -> Any:
    if p.transforms != q.transforms:
        raise UnsupportedError("KL between TransformedDistributions of different transforms is not implemented")
    if p.event_shape != q.event_shape:
        raise UnsupportedError(
            f"KL between TransformedDistributions of different event shapes: {p.event_shape} and {q.event_shape}"
        )
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_family(p: ExponentialFamily, q: ExponentialFamily) -> Tensor:
    """A Bregman divergence of the log normaliser; PyTorch's has no gradient by the parameters of p."""
    if type(p) is not type(q):
        raise UnsupportedError(
            "The cross KL-divergence between different exponential families cannot be computed using Bregman "
            f"divergences: {type(p).__name__} and {type(q).__name__}"
        )
    recorded = rustorch.is_grad_enabled() and any(x.requires_grad for x in p._natural_params)
    of_p = [x if x.requires_grad else x.detach().requires_grad_() for x in p._natural_params]
    with rustorch.enable_grad():
        normalizer = p._log_normalizer(*of_p)
        gradients = rustorch.autograd.grad(normalizer.sum(), of_p, create_graph=recorded)
    if not recorded:
        normalizer, of_p = normalizer.detach(), [x.detach() for x in of_p]
    batch_dims = len(rustorch.broadcast_shapes(p.batch_shape, q.batch_shape))
    divergence = q._log_normalizer(*q._natural_params) - normalizer
    for one, other, gradient in zip(of_p, q._natural_params, gradients, strict=True):
        term = (other - one) * gradient
        divergence = divergence - _sum_rightmost(term, term.dim() - batch_dims)
    return divergence
