"""Regions in which parameters and values lie: `constraint.check(value)` says for each event whether it does.

Names with a lower-case first letter are constraints (`positive`) or make one (`greater_than(3)`). Bounds may be
tensors; they broadcast against the values. NaN is in no region.
"""

from __future__ import annotations

import rustorch
from rustorch import Tensor
from rustorch.distributions._constraint import (
    Constraint,
    MixtureSameFamilyConstraint,
    _Cat,
    _Dependent,
    _DependentProperty,
    _IndependentConstraint,
    _Stack,
    is_dependent,
)

__all__ = [
    "Constraint",
    "MixtureSameFamilyConstraint",
    "boolean",
    "cat",
    "corr_cholesky",
    "dependent",
    "dependent_property",
    "greater_than",
    "greater_than_eq",
    "half_open_interval",
    "independent",
    "integer_interval",
    "interval",
    "is_dependent",
    "less_than",
    "lower_cholesky",
    "lower_triangular",
    "multinomial",
    "nonnegative",
    "nonnegative_integer",
    "one_hot",
    "positive",
    "positive_definite",
    "positive_integer",
    "positive_semidefinite",
    "real",
    "real_vector",
    "simplex",
    "square",
    "stack",
    "symmetric",
    "unit_interval",
]


def _whole(value: Tensor) -> Tensor:
    """Whether each element is an integer."""
    if value.is_floating_point():
        return value.frac() == 0
    return rustorch.ones_like(value, dtype=rustorch.bool)


class _Boolean(Constraint):
    """0 and 1."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value == 0) | (value == 1)


class _OneHot(Constraint):
    """Vectors with one 1 and zeros."""

    is_discrete = True
    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)


class _Bounded(Constraint):
    """An interval; what it excludes and whether it holds integers only are the subclass'."""

    def __init__(self, lower_bound: Tensor | float, upper_bound: Tensor | float) -> None:
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound

    _shown = ("lower_bound", "upper_bound")


class _BoundedBelow(Constraint):
    def __init__(self, lower_bound: Tensor | float) -> None:
        self.lower_bound = lower_bound

    _shown = ("lower_bound",)


class _BoundedAbove(Constraint):
    def __init__(self, upper_bound: Tensor | float) -> None:
        self.upper_bound = upper_bound

    _shown = ("upper_bound",)


class _IntegerInterval(_Bounded):
    """The integers of [lower_bound, upper_bound].

    Args:
        lower_bound: the lower end, a number or a tensor.
        upper_bound: the upper end, a number or a tensor.

    Example:

    >>> rustorch.distributions.constraints.integer_interval(0, 2).check(rustorch.tensor([0.0, 1.5, 3.0]))
    tensor([ True, False, False])
    """

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return _whole(value) & (self.lower_bound <= value) & (value <= self.upper_bound)


class _IntegerGreaterThan(_BoundedBelow):
    """The integers of [lower_bound, ∞)."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return _whole(value) & (value >= self.lower_bound)


class _Real(Constraint):
    """Every number, infinities too, but not NaN."""

    def check(self, value: Tensor) -> Tensor:
        return value == value


class _GreaterThan(_BoundedBelow):
    """The numbers of (lower_bound, ∞].

    Args:
        lower_bound: the lower end, a number or a tensor.

    Example:

    >>> rustorch.distributions.constraints.greater_than(1).check(rustorch.tensor([1.0, 2.0]))
    tensor([False,  True])
    """

    def check(self, value: Tensor) -> Tensor:
        return value > self.lower_bound


class _GreaterThanEq(_BoundedBelow):
    """The numbers of [lower_bound, ∞].

    Args:
        lower_bound: the lower end, a number or a tensor.

    Example:

    >>> rustorch.distributions.constraints.greater_than_eq(1).check(rustorch.tensor([1.0, 0.0]))
    tensor([ True, False])
    """

    def check(self, value: Tensor) -> Tensor:
        return value >= self.lower_bound


class _LessThan(_BoundedAbove):
    """The numbers of [-∞, upper_bound).

    Args:
        upper_bound: the upper end, a number or a tensor.

    Example:

    >>> rustorch.distributions.constraints.less_than(1).check(rustorch.tensor([1.0, 0.0]))
    tensor([False,  True])
    """

    def check(self, value: Tensor) -> Tensor:
        return value < self.upper_bound


class _Interval(_Bounded):
    """The numbers of [lower_bound, upper_bound].

    Args:
        lower_bound: the lower end, a number or a tensor.
        upper_bound: the upper end, a number or a tensor.

    Example:

    >>> rustorch.distributions.constraints.interval(0, 1).check(rustorch.tensor([1.0, 2.0]))
    tensor([ True, False])
    """

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value <= self.upper_bound)


class _HalfOpenInterval(_Bounded):
    """The numbers of [lower_bound, upper_bound).

    Args:
        lower_bound: the lower end, a number or a tensor.
        upper_bound: the upper end, a number or a tensor.

    Example:

    >>> rustorch.distributions.constraints.half_open_interval(0, 1).check(rustorch.tensor([0.0, 1.0]))
    tensor([ True, False])
    """

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value < self.upper_bound)


class _Simplex(Constraint):
    """Vectors of nonnegative numbers whose sum is 1, up to 1e-6."""

    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class _Multinomial(_BoundedAbove):
    """Vectors of numbers that are not negative, with a sum of at most a bound.

    Args:
        upper_bound: the bound, a number or a tensor.

    Example:

    >>> rustorch.distributions.constraints.multinomial(3).check(rustorch.tensor([[1.0, 2.0], [2.0, 2.0]]))
    tensor([ True, False])
    """

    is_discrete = True
    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)


class _LowerTriangular(Constraint):
    """Matrices that are 0 above the diagonal."""

    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        return (value.tril() == value).flatten(-2).all(-1)


class _LowerCholesky(_LowerTriangular):
    """Matrices that are 0 above the diagonal and positive on it."""

    def check(self, value: Tensor) -> Tensor:
        return super().check(value) & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)


class _CorrCholesky(_LowerCholesky):
    """Lower Cholesky factors of correlation matrices: rows of length 1, up to 10 D eps."""

    def check(self, value: Tensor) -> Tensor:
        tolerance = rustorch.finfo(value.dtype).eps * value.shape[-1] * 10
        lengths = value.detach().square().sum(-1).sqrt()
        return super().check(value) & ((lengths - 1).abs() <= tolerance).all(-1)


class _Square(Constraint):
    """Matrices with as many rows as columns."""

    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        square = value.shape[-2] == value.shape[-1]
        return rustorch.full(value.shape[:-2], square, dtype=rustorch.bool, device=value.device)


class _Symmetric(_Square):
    """Matrices that equal their transpose, up to 1e-6 and 1e-5 of the element."""

    def check(self, value: Tensor) -> Tensor:
        if value.shape[-2] != value.shape[-1]:
            return super().check(value)
        return rustorch.isclose(value, value.mT, atol=1e-6).flatten(-2).all(-1)


class _PositiveSemidefinite(_Symmetric):
    """Symmetric matrices without negative eigenvalues."""

    def check(self, value: Tensor) -> Tensor:
        symmetric = super().check(value)
        return rustorch.linalg.eigvalsh(value).ge(0).all(-1) if bool(symmetric.all()) else symmetric


class _PositiveDefinite(_Symmetric):
    """Symmetric matrices that have a Cholesky factor."""

    def check(self, value: Tensor) -> Tensor:
        symmetric = super().check(value)
        return rustorch.linalg.cholesky_ex(value).info == 0 if bool(symmetric.all()) else symmetric


dependent = _Dependent()
dependent_property = _DependentProperty
independent = _IndependentConstraint
boolean = _Boolean()
one_hot = _OneHot()
nonnegative_integer = _IntegerGreaterThan(0)
positive_integer = _IntegerGreaterThan(1)
integer_interval = _IntegerInterval
real = _Real()
real_vector = independent(real, 1)
positive = _GreaterThan(0.0)
nonnegative = _GreaterThanEq(0.0)
greater_than = _GreaterThan
greater_than_eq = _GreaterThanEq
less_than = _LessThan
multinomial = _Multinomial
unit_interval = _Interval(0.0, 1.0)
interval = _Interval
half_open_interval = _HalfOpenInterval
simplex = _Simplex()
lower_triangular = _LowerTriangular()
lower_cholesky = _LowerCholesky()
corr_cholesky = _CorrCholesky()
square = _Square()
symmetric = _Symmetric()
positive_semidefinite = _PositiveSemidefinite()
positive_definite = _PositiveDefinite()
cat = _Cat
stack = _Stack
