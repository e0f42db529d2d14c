"""Which transform makes values that satisfy a constraint from unconstrained ones.

`biject_to(constraint)` is a bijection from real numbers to the region, with a log determinant, as Hamiltonian Monte
Carlo and variational inference need. `transform_to(constraint)` is a transform that need not be one to one, as
optimization needs: the simplex comes from a softmax.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rustorch import UnsupportedError
from rustorch.distributions import constraints, transforms
from rustorch.distributions.constraints import Constraint
from rustorch.distributions.transforms import Transform

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]

Factory = Callable[[Any], Transform]


class ConstraintRegistry:
    """A table from classes of constraints to what makes their transforms; calling it looks up.

    Example:

    >>> transform = rustorch.distributions.transform_to(rustorch.distributions.constraints.positive)
    >>> transform(rustorch.zeros(2))
    tensor([1., 1.])
    """

    def __init__(self) -> None:
        self._registry: dict[type[Constraint], Factory] = {}

    def register(self, constraint: Any, factory: Factory | None = None) -> Any:
        """Have `factory(constraint)` make the transform of a class of constraints.

        Args:
            constraint: a subclass of Constraint, or a constraint, whose class is taken.
            factory: what makes a Transform from a constraint; without it, `register` is a decorator of one. Default:
                None.

        Raises:
            TypeError: for something else than a constraint.
        """
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        kind = type(constraint) if isinstance(constraint, Constraint) else constraint
        if not (isinstance(kind, type) and issubclass(kind, Constraint)):
            raise TypeError(f"register: takes a Constraint or a class of them, but got {constraint!r}")
        self._registry[kind] = factory
        return factory

    def __call__(self, constraint: Constraint) -> Transform:
        """The transform to a region.

        Raises:
            UnsupportedError: (a NotImplementedError) if none is registered for the constraint's class.
        """
        factory = self._registry.get(type(constraint))
        if factory is None:
            raise UnsupportedError(f"Cannot transform {type(constraint).__name__} constraints")
        return factory(constraint)


biject_to = ConstraintRegistry()
transform_to = ConstraintRegistry()


def _register(registries: tuple[ConstraintRegistry, ...], *kinds: Any) -> Callable[[Factory], Factory]:
    def keep(factory: Factory) -> Factory:
        for registry in registries:
            for kind in kinds:
                registry.register(kind, factory)
        return factory

    return keep


_both = (biject_to, transform_to)


@_register(_both, constraints.real)
def _to_real(constraint: Any) -> Transform:
    return transforms.identity_transform


@_register(_both, constraints.greater_than, constraints.greater_than_eq)
def _to_greater_than(constraint: Any) -> Transform:
    return transforms.ComposeTransform(
        [transforms.ExpTransform(), transforms.AffineTransform(constraint.lower_bound, 1)]
    )


@_register(_both, constraints.less_than)
def _to_less_than(constraint: Any) -> Transform:
    return transforms.ComposeTransform(
        [transforms.ExpTransform(), transforms.AffineTransform(constraint.upper_bound, -1)]
    )


@_register(_both, constraints.interval, constraints.half_open_interval)
def _to_interval(constraint: Any) -> Transform:
    lower, upper = constraint.lower_bound, constraint.upper_bound
    if isinstance(lower, int | float) and isinstance(upper, int | float) and (lower, upper) == (0, 1):
        return transforms.SigmoidTransform()
    return transforms.ComposeTransform(
        [transforms.SigmoidTransform(), transforms.AffineTransform(lower, upper - lower)]
    )


@_register(_both, constraints.corr_cholesky)
def _to_corr_cholesky(constraint: Any) -> Transform:
    return transforms.CorrCholeskyTransform()


@_register((biject_to,), constraints.simplex)
def _simplex_one_to_one(constraint: Any) -> Transform:
    return transforms.StickBreakingTransform()


@_register((transform_to,), constraints.simplex)
def _to_simplex(constraint: Any) -> Transform:
    return transforms.SoftmaxTransform()


@_register((transform_to,), constraints.lower_cholesky)
def _to_lower_cholesky(constraint: Any) -> Transform:
    return transforms.LowerCholeskyTransform()


@_register((transform_to,), constraints.positive_definite, constraints.positive_semidefinite)
def _to_positive_definite(constraint: Any) -> Transform:
    return transforms.PositiveDefiniteTransform()


def _register_containers(registry: ConstraintRegistry) -> None:
    """The transforms of constraints that are made of others, by the same registry."""

    @registry.register(constraints.independent)  # type: ignore[untyped-decorator]
    def _to_independent(constraint: Any) -> Transform:
        base = registry(constraint.base_constraint)
        return transforms.IndependentTransform(base, constraint.reinterpreted_batch_ndims)

    @registry.register(constraints.cat)  # type: ignore[untyped-decorator]
    def _to_cat(constraint: Any) -> Transform:
        parts = [registry(c) for c in constraint.cseq]
        return transforms.CatTransform(parts, constraint.dim, constraint.lengths)

    @registry.register(constraints.stack)  # type: ignore[untyped-decorator]
    def _to_stack(constraint: Any) -> Transform:
        return transforms.StackTransform([registry(c) for c in constraint.cseq], constraint.dim)


for _registry in _both:
    _register_containers(_registry)
