"""The base class of distributions: shapes, validation, expansion."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import rustorch
from rustorch import InvalidArgumentError, Size, Tensor, UnsupportedError
from rustorch.distributions import constraints
from rustorch.distributions.utils import lazy_property

__all__ = ["Distribution"]


class Distribution:
    """A probability distribution, or a batch of them.

    A sample has the shape `sample_shape + batch_shape + event_shape`: `sample_shape` is how many are drawn,
    `batch_shape` the shape of the parameters, which stand for independent distributions, and `event_shape` the shape of
    one draw from one of them. `log_prob` and `entropy` have no `event_shape`.

    A subclass sets `arg_constraints` (a constraint per parameter), `support`, `has_rsample`, `has_enumerate_support`,
    and implements `expand`, `log_prob` and `sample` or `rsample`. What it does not implement raises UnsupportedError,
    which is a NotImplementedError.

    Args:
        batch_shape: the shape of the batch. Default: ().
        event_shape: the shape of one draw. Default: ().
        validate_args: whether parameters must satisfy `arg_constraints`, and values `support`; None takes what
            `set_default_validate_args` says. Default: None.

    Raises:
        InvalidArgumentError: (a ValueError) where `validate_args` finds a parameter or a value outside its constraint.

    Example:

    >>> normal = rustorch.distributions.Normal(rustorch.zeros(3, 1), rustorch.ones(2))
    >>> normal.batch_shape, normal.event_shape, normal.sample((5,)).shape
    (rustorch.Size([3, 2]), rustorch.Size([]), rustorch.Size([5, 3, 2]))
    """

    #: Whether `rsample` gives samples with gradients by the parameters.
    has_rsample: Any = False
    #: Whether `enumerate_support` lists every value.
    has_enumerate_support: Any = False
    _validate_args = __debug__

    #: The attributes that `expand` expands, and how many of their last dimensions belong to an event. A class with a
    #: constructor of its own sets it, if to nothing, to say that `expand` knows all that the constructor leaves.
    _expanded: ClassVar[Mapping[str, int]] = {}
    #: The attributes that `expand` takes over.
    _kept: ClassVar[tuple[str, ...]] = ()

    if TYPE_CHECKING:
        arg_constraints: Any
        support: Any
    else:

        @property
        def arg_constraints(self):
            """The constraint of each parameter, by its name."""
            raise UnsupportedError(f"{type(self).__name__} does not define arg_constraints")

        @property
        def support(self):
            """The constraint of values."""
            raise UnsupportedError(f"{type(self).__name__} does not define support")

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Say whether distributions made from now on validate; they do unless Python runs with -O."""
        if value not in (True, False):
            raise InvalidArgumentError(f"set_default_validate_args: takes True or False, but got {value!r}")
        Distribution._validate_args = value

    def __init__(
        self,
        batch_shape: Sequence[int] = Size(),
        event_shape: Sequence[int] = Size(),
        validate_args: bool | None = None,
    ) -> None:
        self._batch_shape = Size(batch_shape)
        self._event_shape = Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._validate_parameters()
        super().__init__()

    def _validate_parameters(self) -> None:
        try:
            arg_constraints = self.arg_constraints
        except NotImplementedError:
            warnings.warn(
                f"{type(self)} does not define `arg_constraints`: set it to {{}}, or make the distribution with "
                "validate_args=False",
                stacklevel=4,
            )
            return
        for name, constraint in arg_constraints.items():
            computed = name not in self.__dict__ and isinstance(getattr(type(self), name, None), lazy_property)
            if computed or constraints.is_dependent(constraint):
                continue
            value = getattr(self, name)
            if not bool(constraint.check(value).all()):
                raise InvalidArgumentError(
                    f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
                    f"{self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
                )

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        """The distribution with a larger batch, whose parameters are views: nothing is copied or validated again.

        Args:
            batch_shape: the shape to which `batch_shape` broadcasts.

        A subclass with an `__init__` of its own must implement it, too.
        """
        if not self._expanded:
            raise UnsupportedError(f"{type(self).__name__} does not implement expand")
        owner = next(c for c in type(self).__mro__ if "_expanded" in vars(c))
        new: Self = self._get_checked_instance(owner, _instance)
        self._expand_parameters(new, Size(batch_shape))
        self._finish_expanding(new, batch_shape, self._event_shape)
        return new

    def _expand_parameters(self, new: Distribution, batch_shape: Size) -> None:
        for name, dims in self._expanded.items():
            value = self.__dict__.get(name)
            if isinstance(value, Distribution):
                new.__dict__[name] = value.expand(batch_shape)
            elif value is not None:
                new.__dict__[name] = value.expand((*batch_shape, *value.shape[value.dim() - dims :]))
        for name in self._kept:
            if name in self.__dict__:
                new.__dict__[name] = self.__dict__[name]

    def _finish_expanding(self, new: Any, batch_shape: Sequence[int], event_shape: Sequence[int]) -> Any:
        Distribution.__init__(new, batch_shape, event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def batch_shape(self) -> Size:
        """The shape of the batch of distributions."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one draw from one distribution."""
        return self._event_shape

    def _lacks(self, what: str) -> UnsupportedError:
        return UnsupportedError(f"{type(self).__name__} does not implement {what}")

    @property
    def mean(self) -> Tensor:
        """The expectation."""
        raise self._lacks("mean")

    @property
    def mode(self) -> Tensor:
        """The value whose density or probability is largest."""
        raise self._lacks("mode")

    @property
    def variance(self) -> Tensor:
        """The variance, of each element of an event."""
        raise self._lacks("variance")

    @property
    def stddev(self) -> Tensor:
        """The standard deviation, √variance."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        """Draws of shape `sample_shape + batch_shape + event_shape`, without gradient."""
        with rustorch.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        """Draws that have gradients by the parameters (reparametrised)."""
        raise self._lacks("rsample")

    def sample_n(self, n: int) -> Tensor:
        """`n` draws: `sample((n,))`, which is to be used instead."""
        warnings.warn("sample_n(n) will go: use sample((n,))", FutureWarning, stacklevel=2)
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density or of the probability at `value`."""
        raise self._lacks("log_prob")

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of being at most `value`."""
        raise self._lacks("cdf")

    def icdf(self, value: Tensor) -> Tensor:
        """The quantile: the number that is exceeded with probability 1 - `value`."""
        raise self._lacks("icdf")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """Every value, along a new first dimension: of shape (count,) + batch_shape + event_shape.

        Args:
            expand: whether the batch's dimensions have their sizes; without it they are 1. Default: True.
        """
        raise self._lacks("enumerate_support")

    def entropy(self) -> Tensor:
        """The entropy in nats, -E log p."""
        raise self._lacks("entropy")

    def perplexity(self) -> Tensor:
        """e to the power of the entropy."""
        return self.entropy().exp()

    def _extended_shape(self, sample_shape: Sequence[int] = Size()) -> Size:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _check_value(self, value: Tensor) -> None:
        """`_validate_sample`, if this distribution validates."""
        if self._validate_args:
            self._validate_sample(value)

    def _validate_sample(self, value: Tensor) -> None:
        """Raise unless a value's shape fits and it is in the support."""
        if not isinstance(value, Tensor):
            raise InvalidArgumentError(f"{type(self).__name__}: a value must be a Tensor, but is {value!r}")
        shape, wanted = value.shape, self._extended_shape()
        start = len(shape) - len(self._event_shape)
        if start < 0 or shape[start:] != self._event_shape:
            raise InvalidArgumentError(
                f"The right-most size of value must match event_shape: {tuple(shape)} vs {tuple(self._event_shape)}."
            )
        for got, want in zip(reversed(shape), reversed(wanted), strict=False):
            if got != 1 and want != 1 and got != want:
                raise InvalidArgumentError(
                    f"Value is not broadcastable with batch_shape+event_shape: {tuple(shape)} vs {tuple(wanted)}."
                )
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{type(self)} does not define `support`: make the distribution with validate_args=False to check no "
                "values",
                stacklevel=4,
            )
            return
        if not bool(support.check(value).all()):
            raise InvalidArgumentError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the "
                f"support ({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        if _instance is not None:
            return _instance
        owner = next(c for c in type(self).__mro__ if "__init__" in vars(c))
        if "_expanded" not in vars(owner) and owner.__init__ is not cls.__init__:  # type: ignore[misc]
            raise UnsupportedError(
                f"Subclass {type(self).__name__} of {cls.__name__} that defines a custom __init__ method must also "
                "define a custom .expand() method."
            )
        return type(self).__new__(type(self))

    def __repr__(self) -> str:
        shown = []
        for name in self.arg_constraints:
            if name in self.__dict__:
                value = self.__dict__[name]
                shown.append(f"{name}: {value if value.numel() == 1 else value.shape}")
        return f"{type(self).__name__}({', '.join(shown)})"
