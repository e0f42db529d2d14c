"""The continuous Bernoulli distribution."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import rustorch
from rustorch import Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions._probabilities import _ProbsOrLogits
from rustorch.distributions.exp_family import ExponentialFamily
from rustorch.distributions.utils import _in_double, _parameters, clamp_probs
from rustorch.nn import functional as F

__all__ = ["ContinuousBernoulli"]

Formula = Callable[..., Tensor]


class ContinuousBernoulli(_ProbsOrLogits, ExponentialFamily):
    """The distribution over [0, 1] with the density C(p) pˣ (1 - p)¹⁻ˣ (Loaiza-Ganem and Cunningham, 2019).

    With t = log(p / (1 - p)) the density is t exp(t x) / (exp(t) - 1), which is uniform for p = 1/2. Everything is
    computed from t in float64, and by series near t = 0, where PyTorch loses digits outside of `lims`.

    Args:
        probs: p, clamped to [eps, 1 - eps] of the dtype. Default: None.
        logits: t, in place of `probs`. Default: None.
        lims: the interval of `probs` in which series are used. Default: (0.499, 0.501).
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: unless one of `probs` and `logits` is given.

    Example:

    >>> rustorch.distributions.ContinuousBernoulli(0.5).mean
    tensor(0.5000)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0.0
    _expanded = {"probs": 0, "logits": 0}
    _kept = ("_lims",)

    def __init__(
        self,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        name, given = self._choose(probs, logits)
        (given,) = _parameters(given)
        # Invalid values are left for the validation to find.
        valid = validate_args is False or name == "logits" or bool(constraints.unit_interval.check(given).all())
        self.__dict__[name] = clamp_probs(given) if name == "probs" and valid else given
        self._lims = lims
        super().__init__(self._param.shape, validate_args=validate_args)

    def _by(self, formula: Formula, *values: Tensor) -> Tensor:
        """A formula of t, whether |t| is small, and the values."""
        low, high = (math.log(p / (1 - p)) for p in self._lims)
        return _in_double(lambda t, *others: formula(t, (t > low) & (t < high), *others), self.logits, *values)

    @property
    def mean(self) -> Tensor:
        return self._by(_mean)

    @property
    def stddev(self) -> Tensor:
        return self.variance.sqrt()

    @property
    def variance(self) -> Tensor:
        return self._by(_variance)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        with rustorch.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        uniform = rustorch.rand(shape, dtype=self._param.dtype, device=self._param.device)
        return self.icdf(clamp_probs(uniform))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return self._log_density(value)

    def _log_density(self, value: Tensor) -> Tensor:
        return self._by(_log_density, value)

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return self._by(_cdf, value.clamp(min=0, max=1))

    def icdf(self, value: Tensor) -> Tensor:
        return self._by(_icdf, value)

    def entropy(self) -> Tensor:
        return self._by(_entropy)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        (t,) = natural_params
        low, high = (math.log(p / (1 - p)) for p in self._lims)
        return _in_double(lambda t: F.softplus(t) - _log_c(t, (t > low) & (t < high)), t)


def _apart(t: Tensor, small: Tensor) -> Tensor:
    """t where it is not small, 1 where a series is taken, so that nothing divides by 0."""
    return rustorch.where(small, 1.0, t)


def _log_c(t: Tensor, small: Tensor) -> Tensor:
    """log C = log(t / tanh(t / 2)), 2 at t = 0."""
    apart = _apart(t, small)
    squared = t.square()
    series = math.log(2) + (squared / 12 - squared.square() / 720).log1p()
    return rustorch.where(small, series, (apart / (apart / 2).tanh()).log())


def _mean(t: Tensor, small: Tensor) -> Tensor:
    apart = _apart(t, small)
    return rustorch.where(small, 0.5 + t / 12 - t**3 / 720, -1 / (-apart).expm1() - 1 / apart)


def _variance(t: Tensor, small: Tensor) -> Tensor:
    apart = _apart(t, small)
    # 1 / (4 sinh²(t / 2)) as a product of a sigmoid and its complement over the square of their difference.
    tail = (-apart.abs()).exp() / (-apart.abs()).expm1().square()
    return rustorch.where(small, 1 / 12 - t.square() / 240 + t**4 / 6048, 1 / apart.square() - tail)


def _log_density(t: Tensor, small: Tensor, x: Tensor) -> Tensor:
    return _log_c(t, small) + x * F.logsigmoid(t) + (1 - x) * F.logsigmoid(-t)


def _cdf(t: Tensor, small: Tensor, x: Tensor) -> Tensor:
    # (exp(t x) - 1) / (exp(t) - 1), by exponentials of negative numbers alone.
    apart = _apart(t, small)
    size = apart.abs()
    falling = (-size * x).expm1() / (-size).expm1()
    rising = (size * (x - 1)).exp() * falling
    # Differences of Bernoulli polynomials.
    v = x * (x - 1)
    series = x + t * (v / 2 + t * (v * (2 * x - 1) / 12 + t * (v * v / 24 + t * v * (2 * x - 1) * (3 * v - 1) / 720)))
    return rustorch.where(small, series, rustorch.where(apart < 0, falling, rising))


def _icdf(t: Tensor, small: Tensor, u: Tensor) -> Tensor:
    apart = _apart(t, small)
    size = apart.abs()
    falling = -(u * (-size).expm1()).log1p() / size
    # log(1 + u (exp(t) - 1)), where the exponential may overflow.
    log_term = u.log() + size + (-(-size).expm1()).log()
    rising = (rustorch.logaddexp(log_term, rustorch.zeros_like(log_term)) / size).clamp(max=1)
    # The cumulants of a Bernoulli variable.
    v, w = u * (1 - u), 1 - 2 * u
    series = u + t * v * (1 / 2 + t * (w / 6 + t * ((1 - 6 * v) / 24 + t * w * (1 - 12 * v) / 120)))
    return rustorch.where(small, series, rustorch.where(apart < 0, falling, rising))


def _entropy(t: Tensor, small: Tensor) -> Tensor:
    mean = _mean(t, small)
    return -_log_density(t, small, mean)
