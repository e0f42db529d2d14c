"""Samples of gamma and Dirichlet distributions, with gradients by their concentrations.

Samples are drawn by Marsaglia and Tsang's rejection ("A simple method for generating gamma variables", 2000), as
logarithms: where a concentration is small, the numbers themselves would be 0.

A sample x at the quantile u of its distribution function F(x; a) has the derivative dx/da = -(∂F/∂a) / p(x) for a fixed
u (Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients", 2018). With t = x exp(∓s), ∂F/∂a / p is an
integral over s in (0, ∞) of a smooth function that decays exponentially and, on the right one of the two sides of x,
has one sign. It is computed by the double exponential rule of Takahasi and Mori (s = exp(v - exp(-v)), v evenly
spaced), whose nodes are dense at every scale, to about 10 digits. PyTorch's approximations have 3 to 4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rustorch
from rustorch import Tensor
from rustorch.autograd.function import Function, once_differentiable
from rustorch.nn import functional as F

_NODES = 100
_FIRST, _LAST = -4.0, 4.5
#: How many elements are integrated at a time, so that the nodes' values stay in a few MB.
_BLOCK = 4096


def _wide(tensor: Tensor) -> Tensor:
    return tensor.detach().to(rustorch.float32 if tensor.device.type == "metal" else rustorch.float64)


def log_standard_gamma(concentration: Tensor) -> Tensor:
    """Logarithms of gamma variables of rate 1, in float64."""
    wide = _wide(concentration)
    shape, a = wide.shape, wide.flatten()
    # Below 1, a variable of concentration a + 1 times U^(1/a) has the distribution wanted.
    d = rustorch.where(a < 1, a + 1, a) - 1 / 3
    c = (9 * d).rsqrt()
    result = a.log()  # Stays where the concentration is 0, infinite or NaN.
    pending = ((a > 0) & a.isfinite()).nonzero().flatten()
    while pending.numel():
        x = rustorch.randn(pending.shape, dtype=a.dtype, device=a.device)
        log_u = (1 - rustorch.rand(pending.shape, dtype=a.dtype, device=a.device)).log()
        of = d[pending]
        root = 1 + c[pending] * x
        v = root**3
        log_v = v.log()
        taken = (root > 0) & (log_u < 0.5 * x * x + of - of * v + of * log_v)
        result[pending[taken]] = (of.log() + log_v)[taken]
        pending = pending[~taken]
    boost = (1 - rustorch.rand(a.shape, dtype=a.dtype, device=a.device)).log() / a
    return (result + rustorch.where((a > 0) & (a < 1), boost, 0.0)).reshape(shape)


def _integrate(integrand: Callable[..., Tensor], *of: Tensor) -> Tensor:
    """∫ integrand(s, *of) ds over (0, ∞) for each element; `of` starts with the scale of s."""
    first = of[0]
    v = rustorch.linspace(_FIRST, _LAST, _NODES, dtype=first.dtype, device=first.device)
    s = (v - (-v).exp()).exp()
    weights = s * (1 + (-v).exp()) * ((_LAST - _FIRST) / (_NODES - 1))
    results = []
    for block in zip(*(tensor.flatten().split(_BLOCK) for tensor in of), strict=True):
        scale, *others = (tensor.unsqueeze(-1) for tensor in block)
        values = integrand(s * scale, *others)
        results.append((values.nan_to_num(0.0, 0.0, 0.0) * weights * scale).sum(-1))
    return rustorch.cat(results).reshape(first.shape) if results else first


def gamma_gradient(a: Tensor, x: Tensor) -> Tensor:
    """dx/da of gamma variables of rate 1, all in float64."""
    center = a.digamma()
    log_x = x.log()
    # Below exp(ψ(a)) the integrand from 0 to x has one sign, above it that from x on. Below 1, the latter would have an
    # edge at s = -log x, which the former has not; it loses 1/a of its precision, no more.
    lower = log_x < center.clamp(min=0.0)
    root = x.sqrt()
    below = (a - x).clamp(min=0.0) + rustorch.where(x < 1, a, root)
    above = (x - a).clamp(min=0.0) + root
    sign = rustorch.where(lower, -1.0, 1.0).to(a.dtype)

    def integrand(s: Tensor, a: Tensor, x: Tensor, log_ratio: Tensor, sign: Tensor) -> Tensor:
        signed = sign * s
        return sign * (log_ratio + signed) * (a * signed - x * signed.expm1()).exp()

    scale = 1 / rustorch.where(lower, below, above)
    return x * _integrate(integrand, scale, a, x, log_x - center, sign)


def beta_gradient(a: Tensor, b: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """dx/da of beta variables x of the concentrations a and b, y = 1 - x, all in float64."""
    center = a.digamma() - (a + b).digamma()
    odds = x / y
    log_x = rustorch.where(x < 0.5, x.log(), (-y).log1p())
    lower = rustorch.where((a < 1) & (x < 0.5), True, rustorch.where((b < 1) & (y < 0.5), False, log_x < center))

    def rate(a: Tensor, b: Tensor, odds: Tensor) -> Tensor:
        """How fast the integrand decays: by its slope at 0, its curvature there, or its tail."""
        curvature = (b - 1).abs() * odds * (1 + odds)
        least = rustorch.where(curvature < 1, a.clamp(max=1.0), curvature.sqrt())
        return rustorch.where(b < 1, a, (a - (b - 1) * odds).clamp(min=0.0) + least)

    # The side on which t lies: t = x exp(-s), or 1 - t = y exp(-s).
    own = rustorch.where(lower, a, b)
    other = rustorch.where(lower, b, a)
    own_odds = rustorch.where(lower, odds, 1 / odds)
    log_ratio = log_x - center

    def integrand(s: Tensor, own: Tensor, other: Tensor, odds: Tensor, log_ratio: Tensor, lower: Tensor) -> Tensor:
        growth = (-(-s).expm1() * odds).log1p()
        factor = rustorch.where(lower > 0, s - log_ratio, log_ratio + growth)
        return factor * ((other - 1) * growth - own * s).exp()

    scale = 1 / rate(own, other, own_odds)
    integral = _integrate(integrand, scale, own, other, own_odds, log_ratio, lower.to(a.dtype))
    return rustorch.where(lower, x, y) * integral


class _StandardGamma(Function):
    @staticmethod
    def forward(ctx: Any, concentration: Tensor) -> Tensor:
        least = rustorch.finfo(concentration.dtype).tiny
        sample = log_standard_gamma(concentration).exp().to(concentration.dtype).clamp(min=least)
        ctx.save_for_backward(concentration, sample)
        return sample

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Any) -> Any:
        concentration, sample = ctx.saved_tensors
        return grads[0] * gamma_gradient(_wide(concentration), _wide(sample)).to(sample.dtype)


def standard_gamma(concentration: Tensor) -> Tensor:
    """Gamma variables of rate 1, of the concentrations' shape, with gradients by them (once)."""
    sample: Tensor = _StandardGamma.apply(concentration)
    return sample


def _sums_of_others(x: Tensor) -> Tensor:
    """The sum of all but each element of the last dimension, by sums of positive numbers alone."""
    before = F.pad(x.cumsum(-1)[..., :-1], [1, 0])
    after = F.pad(x.flip(-1).cumsum(-1)[..., :-1], [1, 0]).flip(-1)
    return before + after


class _StandardDirichlet(Function):
    @staticmethod
    def forward(ctx: Any, concentration: Tensor) -> Tensor:
        exact = F.softmax(log_standard_gamma(concentration), dim=-1)
        sample = exact.to(concentration.dtype).clamp(min=rustorch.finfo(concentration.dtype).tiny)
        ctx.save_for_backward(concentration, sample)
        ctx.exact = exact
        return sample

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Any) -> Any:
        concentration, _ = ctx.saved_tensors
        x = ctx.exact
        least = rustorch.finfo(x.dtype).tiny
        y = _sums_of_others(x)
        a = _wide(concentration)
        own = beta_gradient(a, _sums_of_others(a), x.clamp(min=least), y.clamp(min=least)) / y.clamp(min=least)
        grad = _wide(grads[0])
        # Where one component grows by dx, the others shrink in proportion.
        return (own * (grad - (x * grad).sum(-1, keepdim=True))).to(concentration.dtype)


def standard_dirichlet(concentration: Tensor) -> Tensor:
    """Dirichlet variables of the concentrations' shape, with gradients by them (once)."""
    sample: Tensor = _StandardDirichlet.apply(concentration)
    return sample
