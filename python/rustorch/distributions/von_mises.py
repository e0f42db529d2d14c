"""The von Mises distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import rustorch
from rustorch import Size, Tensor, special
from rustorch.distributions import constraints
from rustorch.distributions.distribution import Distribution
from rustorch.distributions.utils import _in_double, _parameters

__all__ = ["VonMises"]


class VonMises(Distribution):
    """The von Mises distribution of angles: p(x) = exp(k cos(x - loc)) / (2π I₀(k)), k = concentration, in radians.

    Samples are in [-π, π), drawn by Best and Fisher's rejection (1979), without gradients; `log_prob` takes any
    angle. `variance` is the circular one, 1 - I₁(k) / I₀(k).

    Args:
        loc: the mean angle.
        concentration: k, positive; 1 / k is about the variance where it is large.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Example:

    >>> rustorch.distributions.VonMises(0.0, 1.0).variance
    tensor(0.5536)
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False
    _expanded = {"loc": 0, "concentration": 0}

    def __init__(self, loc: Tensor | float, concentration: Tensor | float, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = _parameters(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return _in_double(_log_density, self.loc, self.concentration, value)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        with rustorch.no_grad():
            shape = self._extended_shape(sample_shape)
            wide = rustorch.float32 if self.loc.device.type == "metal" else rustorch.float64
            angle = _standard_angles(self.concentration.to(wide).expand(shape).flatten()).reshape(shape)
            turned = (angle + self.loc.to(wide) + math.pi).remainder(2 * math.pi) - math.pi
            return turned.to(self.loc.dtype)

    @property
    def mean(self) -> Tensor:
        """The mean direction."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The circular variance, 1 minus the length of the mean of the directions."""
        return _in_double(_circular_variance, self.concentration)


def _log_density(loc: Tensor, k: Tensor, x: Tensor) -> Tensor:
    # k (cos d - 1) = -2 k sin²(d / 2), which does not cancel where k is large.
    return -2 * k * ((x - loc) / 2).sin().square() - math.log(2 * math.pi) - special.i0e(k).log()


def _circular_variance(k: Tensor) -> Tensor:
    return 1 - special.i1e(k) / special.i0e(k)


def _standard_angles(k: Tensor) -> Tensor:
    """Angles around 0, one for each of a vector of concentrations, in their dtype."""
    result = rustorch.full_like(k, math.nan)
    # The wrapped Cauchy distribution that encloses the density best, by its parameter r; 1 / k + k for small k.
    tau = 1 + (1 + 4 * k * k).sqrt()
    rho = (tau - (2 * tau).sqrt()) / (2 * k)
    r = rustorch.where(k < 1e-4, 1 / k + k, (1 + rho * rho) / (2 * rho))
    pending = ((k > 0) & k.isfinite()).nonzero().flatten()
    while pending.numel():
        u = rustorch.rand((3, pending.numel()), dtype=k.dtype, device=k.device)
        z = (math.pi * u[0]).cos()
        of_r, of_k = r[pending], k[pending]
        f = (1 + of_r * z) / (of_r + z)
        c = of_k * (of_r - f)
        taken = (c * (2 - c) - u[1] > 0) | ((c / u[1]).log() + 1 - c >= 0)
        angle = (u[2] - 0.5).sign() * f.clamp(min=-1, max=1).acos()
        result[pending[taken]] = angle[taken]
        pending = pending[~taken]
    return result
