"""What constraints are, those that depend on others, and those that are made of others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import rustorch
from rustorch import InvalidArgumentError, Tensor, UnsupportedError


class Constraint:
    """A region of values.

    Attributes: `is_discrete`, whether it consists of separate points, and `event_dim`, how many of the last dimensions
    of a value make one event.

    Example:

    >>> rustorch.distributions.constraints.positive.check(rustorch.tensor([-1.0, 0.0, 2.0]))
    tensor([False, False,  True])
    """

    is_discrete: Any = False
    event_dim: Any = 0
    #: The attributes that the representation shows.
    _shown: ClassVar[tuple[str, ...]] = ()

    def check(self, value: Tensor) -> Tensor:
        """Whether each event of `value` is in the region: bools of the shape without the last `event_dim`
        dimensions."""
        raise UnsupportedError(f"{type(self).__name__} does not implement check")

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)}" for name in self._shown)
        return f"{type(self).__name__.removeprefix('_')}({shown})"


class _Dependent(Constraint):
    """The region of a variable that depends on other variables, and can not be checked by itself."""

    def __init__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> None:
        self._is_discrete = is_discrete
        self._event_dim = event_dim

    @property
    def is_discrete(self) -> Any:
        """Whether the region is discrete, if that is known without the other variables."""
        return self._known("is_discrete")

    @property
    def event_dim(self) -> Any:
        """How many dimensions make an event, if that is known without the other variables."""
        return self._known("event_dim")

    def _known(self, name: str) -> Any:
        value = getattr(self, f"_{name}")
        if value is NotImplemented:
            raise UnsupportedError(f"{name} of a dependent constraint is not known without the distribution")
        return value

    def __call__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> _Dependent:
        return _Dependent(
            is_discrete=self._is_discrete if is_discrete is NotImplemented else is_discrete,
            event_dim=self._event_dim if event_dim is NotImplemented else event_dim,
        )

    def check(self, value: Tensor) -> Tensor:
        raise InvalidArgumentError("a dependent constraint can not be checked without its distribution")


def is_dependent(constraint: object) -> bool:
    """Whether a constraint depends on other variables, so that it can not be checked by itself.

    Example:

    >>> constraints = rustorch.distributions.constraints
    >>> constraints.is_dependent(constraints.dependent), constraints.is_dependent(constraints.real)
    (True, False)
    """
    return isinstance(constraint, _Dependent)


class _DependentProperty(property, _Dependent):
    """A property whose value is a constraint; read from the class, it is a dependent constraint.

    Args:
        fn: the method that makes the constraint; without it, the property is a decorator of one. Default: None.
        is_discrete: whether every constraint that it makes is discrete. Default: not known.
        event_dim: their `event_dim`. Default: not known.

    Example:

    >>> D = rustorch.distributions
    >>> D.Uniform.support.event_dim, D.Uniform(0.0, 1.0).support
    (0, Interval(lower_bound=tensor(0.), upper_bound=tensor(1.)))
    """

    def __init__(
        self,
        fn: Callable[[Any], Any] | None = None,
        *,
        is_discrete: Any = NotImplemented,
        event_dim: Any = NotImplemented,
    ) -> None:
        super().__init__(fn)
        self._is_discrete = is_discrete
        self._event_dim = event_dim

    def __call__(self, fn: Callable[[Any], Any]) -> _DependentProperty:  # type: ignore[override]
        return _DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


class _IndependentConstraint(Constraint):
    """A constraint that all elements of the last dimensions must satisfy together.

    Args:
        base_constraint: the constraint of an element.
        reinterpreted_batch_ndims: how many dimensions.

    Example:

    >>> constraints = rustorch.distributions.constraints
    >>> constraints.independent(constraints.positive, 1).check(rustorch.tensor([[1.0, 2.0], [1.0, -1.0]]))
    tensor([ True, False])
    """

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        if not isinstance(base_constraint, Constraint):
            raise InvalidArgumentError(f"independent: takes a Constraint, but got {base_constraint!r}")
        if not isinstance(reinterpreted_batch_ndims, int) or reinterpreted_batch_ndims < 0:
            raise InvalidArgumentError(
                f"independent: reinterpreted_batch_ndims is a count, but got {reinterpreted_batch_ndims!r}"
            )
        self.base_constraint = base_constraint
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @property
    def is_discrete(self) -> Any:
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> Any:
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        if value.dim() < self.event_dim:
            raise InvalidArgumentError(
                f"{self!r}: takes values of at least {self.event_dim} dimensions, but got {value.dim()}"
            )
        inside = self.base_constraint.check(value)
        dims = tuple(range(-self.reinterpreted_batch_ndims, 0))
        return inside.all(dims) if dims else inside

    def __repr__(self) -> str:
        return f"{type(self).__name__[1:]}({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class MixtureSameFamilyConstraint(Constraint):
    """The support of a mixture, given that of its components: a value must be in the support of every component.

    Args:
        base_constraint: the components' support, whose dimension before the events counts the components.

    Example:

    >>> constraints = rustorch.distributions.constraints
    >>> support = constraints.MixtureSameFamilyConstraint(constraints.positive)
    >>> support.check(rustorch.tensor([1.0, -1.0]))
    tensor([ True, False])
    """

    def __init__(self, base_constraint: Constraint) -> None:
        if not isinstance(base_constraint, Constraint):
            raise InvalidArgumentError(f"MixtureSameFamilyConstraint: takes a Constraint, but got {base_constraint!r}")
        self.base_constraint = base_constraint

    @property
    def is_discrete(self) -> Any:
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> Any:
        return self.base_constraint.event_dim

    def check(self, value: Tensor) -> Tensor:
        if value.dim() < self.event_dim:
            raise InvalidArgumentError(
                f"{self!r}: takes values of at least {self.event_dim} dimensions, but got {value.dim()}"
            )
        return self.base_constraint.check(value.unsqueeze(-1 - self.event_dim)).all(-1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_constraint!r})"


class _Several(Constraint):
    """Constraints for the parts of a value along a dimension."""

    def __init__(self, cseq: Sequence[Constraint], dim: int) -> None:
        if not all(isinstance(constraint, Constraint) for constraint in cseq):
            raise InvalidArgumentError(f"{type(self).__name__[1:].lower()}: takes Constraints, but got {cseq!r}")
        self.cseq = list(cseq)
        self.dim = dim

    @property
    def is_discrete(self) -> Any:
        return any(constraint.is_discrete for constraint in self.cseq)

    @property
    def event_dim(self) -> Any:
        return max(constraint.event_dim for constraint in self.cseq)


class _Cat(_Several):
    """A constraint for each of the parts that are concatenated along a dimension.

    Args:
        cseq: the constraints.
        dim: the dimension. Default: 0.
        lengths: how long each part is; None for 1 each. Default: None.

    Example:

    >>> constraints = rustorch.distributions.constraints
    >>> constraints.cat([constraints.positive, constraints.real]).check(rustorch.tensor([-1.0, -1.0]))
    tensor([False,  True])
    """

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0, lengths: Sequence[int] | None = None) -> None:
        super().__init__(cseq, dim)
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.cseq):
            raise InvalidArgumentError(f"cat: got {len(self.cseq)} constraints and {len(self.lengths)} lengths")

    def check(self, value: Tensor) -> Tensor:
        parts = value.split(self.lengths, self.dim)
        return rustorch.cat([c.check(part) for c, part in zip(self.cseq, parts, strict=True)], self.dim)


class _Stack(_Several):
    """A constraint for each of the parts that are stacked along a dimension.

    Args:
        cseq: the constraints.
        dim: the dimension. Default: 0.

    Example:

    >>> constraints = rustorch.distributions.constraints
    >>> constraints.stack([constraints.positive, constraints.real]).check(rustorch.tensor([-1.0, -1.0]))
    tensor([False,  True])
    """

    @property
    def event_dim(self) -> Any:
        # A dimension counted from the end, left of the parts' events, makes one more of theirs.
        dim = super().event_dim
        return dim + 1 if self.dim + dim < 0 else dim

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0) -> None:
        super().__init__(cseq, dim)

    def check(self, value: Tensor) -> Tensor:
        parts = value.unbind(self.dim)
        if len(parts) != len(self.cseq):
            raise InvalidArgumentError(f"stack: got {len(self.cseq)} constraints for {len(parts)} parts")
        return rustorch.stack([c.check(part) for c, part in zip(self.cseq, parts, strict=True)], self.dim)
