"""The base class of transforms, and those that are made of others: inverse, composition, independence, reshaping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import rustorch
from rustorch import InvalidArgumentError, Size, Tensor, UnsupportedError
from rustorch.distributions import constraints
from rustorch.distributions.utils import _sum_rightmost, lazy_property


class Transform:
    """An invertible function of tensors whose log |det Jacobian| can be computed.

    `transform(x)` computes, `transform.inv` is the inverse transform. A subclass implements `_call(x)` or `_inverse(y)`
    or both; one that is `bijective` also `log_abs_det_jacobian(x, y)`. Of one that is not (an absolute value), `inv`
    gives one of the values with the wanted result.

    Attributes: `domain` and `codomain`, constraints; `bijective`; `sign`, for bijective functions of one number 1 if it
    rises and -1 if it falls.

    With a cache, the inverse of the last result is the last argument itself: exact, without computing, and with the
    argument's gradient, so that what `inv` gives is then no function of its argument for `backward`.

    Args:
        cache_size: 1 to keep the last pair of argument and result, 0 to keep none. Default: 0.

    Raises:
        InvalidArgumentError: for another `cache_size`.

    Example:

    >>> transform = rustorch.distributions.ExpTransform()
    >>> x = rustorch.tensor([0.0, 1.0])
    >>> y = transform(x)
    >>> transform.inv(y), transform.log_abs_det_jacobian(x, y)
    (tensor([0., 1.]), tensor([0., 1.]))
    """

    bijective: Any = False
    domain: Any
    codomain: Any

    #: The attributes that the constructor takes, before `cache_size`.
    _arguments: ClassVar[tuple[str, ...]] = ()

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise InvalidArgumentError(f"{type(self).__name__}: cache_size must be 0 or 1, but is {cache_size!r}")
        self._cache_size = cache_size
        self._inv: Transform | None = None
        self._cached_x_y: tuple[Tensor | None, Tensor | None] = (None, None)
        super().__init__()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_inv": None, "_cached_x_y": (None, None)}

    @property
    def event_dim(self) -> int:
        """How many dimensions of an argument, and as many of a result, are one event."""
        if self.domain.event_dim != self.codomain.event_dim:
            raise InvalidArgumentError(
                f"{type(self).__name__}: arguments have {self.domain.event_dim} dimensions and results "
                f"{self.codomain.event_dim}: use .domain.event_dim or .codomain.event_dim"
            )
        return int(self.domain.event_dim)

    @property
    def inv(self) -> Transform:
        """The inverse transform; its own `inv` is this transform."""
        if self._inv is None:
            self._inv = _InverseTransform(self)
        return self._inv

    @property
    def sign(self) -> Any:
        """1 if the function rises, -1 if it falls: a number or a tensor."""
        raise UnsupportedError(f"{type(self).__name__} has no sign")

    def with_cache(self, cache_size: int = 1) -> Transform:
        """This transform with a cache of its own of another size.

        Args:
            cache_size: 0 or 1. Default: 1.
        """
        if self._cache_size == cache_size:
            return self
        owner = next(c for c in type(self).__mro__ if "__init__" in vars(c))
        if owner is not Transform and "_arguments" not in vars(owner):
            raise UnsupportedError(f"{type(self).__name__} has a constructor of its own and must implement with_cache")
        make: Any = type(self)
        made: Transform = make(*(getattr(self, name) for name in self._arguments), cache_size=cache_size)
        return made

    def __call__(self, x: Tensor) -> Tensor:
        """The result for an argument."""
        if not self._cache_size:
            return self._call(x)
        old, y = self._cached_x_y
        if x is not old or y is None:
            y = self._call(x)
            self._cached_x_y = x, y
        return y

    def _inv_call(self, y: Tensor) -> Tensor:
        if not self._cache_size:
            return self._inverse(y)
        x, old = self._cached_x_y
        if y is not old or x is None:
            x = self._inverse(y)
            self._cached_x_y = x, y
        return x

    def _call(self, x: Tensor) -> Tensor:
        raise UnsupportedError(f"{type(self).__name__} does not implement _call")

    def _inverse(self, y: Tensor) -> Tensor:
        raise UnsupportedError(f"{type(self).__name__} does not implement _inverse")

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log |det dy/dx| at an argument and its result, without the dimensions of the events."""
        raise UnsupportedError(f"{type(self).__name__} does not implement log_abs_det_jacobian")

    def forward_shape(self, shape: Sequence[int]) -> Size:
        """The shape of the result for an argument of a shape."""
        return Size(shape)

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        """The shape of the argument for a result of a shape."""
        return Size(shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _InverseTransform(Transform):
    """The inverse of a transform."""

    _inv: Transform

    def __init__(self, transform: Transform) -> None:
        super().__init__(cache_size=transform._cache_size)
        self._inv = transform

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        return self._inv.codomain

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        return self._inv.domain

    @property
    def bijective(self) -> Any:
        return self._inv.bijective

    @property
    def sign(self) -> Any:
        return self._inv.sign

    @property
    def inv(self) -> Transform:
        return self._inv

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self._inv.with_cache(cache_size).inv

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _InverseTransform) and self._inv == other._inv

    def __hash__(self) -> int:
        return hash((type(self), self._inv))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._inv!r})"

    def __call__(self, x: Tensor) -> Tensor:
        return self._inv._inv_call(x)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self._inv.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Sequence[int]) -> Size:
        return self._inv.inverse_shape(shape)

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        return self._inv.forward_shape(shape)


class ComposeTransform(Transform):
    """One transform after the other: y = parts[-1](… parts[0](x)).

    Args:
        parts: a list of transforms, the first of which is applied first. None of them is the identity.
        cache_size: 1 to have every part keep its last argument and result. Default: 0.

    Example:

    >>> D = rustorch.distributions
    >>> transform = D.ComposeTransform([D.AffineTransform(0.0, 2.0), D.ExpTransform()])
    >>> transform(rustorch.tensor([0.0]))
    tensor([1.])
    """

    _arguments = ("parts",)

    def __init__(self, parts: list[Transform], cache_size: int = 0) -> None:
        if cache_size:
            parts = [part.with_cache(cache_size) for part in parts]
        super().__init__(cache_size=cache_size)
        self.parts = parts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ComposeTransform) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash((type(self), *self.parts))

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        """The first part's domain, with as many dimensions of an event as any part needs."""
        return _joint_region([(part.domain, part.codomain) for part in self.parts])

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        """The last part's codomain, with as many dimensions of an event as any part needs."""
        return _joint_region([(part.codomain, part.domain) for part in reversed(self.parts)])

    @lazy_property
    def bijective(self) -> Any:
        """Whether every part is bijective."""
        return all(part.bijective for part in self.parts)

    @lazy_property
    def sign(self) -> Any:
        """The product of the parts' signs."""
        sign: Any = 1
        for part in self.parts:
            sign = sign * part.sign
        return sign

    @property
    def inv(self) -> Transform:
        if self._inv is None:
            self._inv = ComposeTransform([part.inv for part in reversed(self.parts)])
            self._inv._inv = self
        return self._inv

    def __call__(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The sum of the parts' logarithms, at the values between them."""
        if not self.parts:
            return rustorch.zeros_like(x)
        values = [x]
        for part in self.parts[:-1]:
            values.append(part(values[-1]))
        values.append(y)
        total: Tensor | None = None
        event_dim = self.domain.event_dim
        for part, before, after in zip(self.parts, values[:-1], values[1:], strict=True):
            term = part.log_abs_det_jacobian(before, after)
            term = _sum_rightmost(term, event_dim - part.domain.event_dim)
            total = term if total is None else total + term
            event_dim += part.codomain.event_dim - part.domain.event_dim
        assert total is not None
        return total

    def forward_shape(self, shape: Sequence[int]) -> Size:
        for part in self.parts:
            shape = part.forward_shape(shape)
        return Size(shape)

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return Size(shape)

    def __repr__(self) -> str:
        parts = ",\n    ".join(map(repr, self.parts))
        return f"{type(self).__name__}(\n    {parts}\n)"


def _joint_region(regions: list[tuple[Any, Any]]) -> Any:
    """The first region, with more dimensions where a later step, (region on this side, on the other), needs them."""
    if not regions:
        return constraints.real
    first = regions[0][0]
    event_dim = regions[-1][1].event_dim
    for here, there in reversed(regions):
        event_dim = max(event_dim + here.event_dim - there.event_dim, here.event_dim)
    extra = event_dim - first.event_dim
    return constraints.independent(first, extra) if extra else first


identity_transform = ComposeTransform([])


class IndependentTransform(Transform):
    """A transform whose last dimensions of a batch become dimensions of an event: the log determinant is summed over
    them.

    Args:
        base_transform: the transform.
        reinterpreted_batch_ndims: how many dimensions.
        cache_size: 1 to keep the last pair of argument and result, 0 to keep none. Default: 0.

    Example:

    >>> transform = rustorch.distributions.IndependentTransform(rustorch.distributions.ExpTransform(), 1)
    >>> x = rustorch.tensor([1.0, 2.0])
    >>> transform.log_abs_det_jacobian(x, transform(x))
    tensor(3.)
    """

    _arguments = ("base_transform", "reinterpreted_batch_ndims")

    def __init__(self, base_transform: Transform, reinterpreted_batch_ndims: int, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.base_transform = base_transform.with_cache(cache_size)
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        return constraints.independent(self.base_transform.domain, self.reinterpreted_batch_ndims)

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        return constraints.independent(self.base_transform.codomain, self.reinterpreted_batch_ndims)

    @property
    def bijective(self) -> Any:
        return self.base_transform.bijective

    @property
    def sign(self) -> Any:
        return self.base_transform.sign

    def _call(self, x: Tensor) -> Tensor:
        return self.base_transform(self._with_event(x, self.domain.event_dim))

    def _inverse(self, y: Tensor) -> Tensor:
        return self.base_transform.inv(self._with_event(y, self.codomain.event_dim))

    def _with_event(self, value: Tensor, event_dim: int) -> Tensor:
        if value.dim() < event_dim:
            raise InvalidArgumentError(
                f"Too few dimensions on input: IndependentTransform takes {event_dim}, but got {value.dim()}"
            )
        return value

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return _sum_rightmost(self.base_transform.log_abs_det_jacobian(x, y), self.reinterpreted_batch_ndims)

    def forward_shape(self, shape: Sequence[int]) -> Size:
        return self.base_transform.forward_shape(shape)

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        return self.base_transform.inverse_shape(shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_transform!r}, {self.reinterpreted_batch_ndims})"


class ReshapeTransform(Transform):
    """Another shape of the last dimensions; the log determinant is 0.

    Args:
        in_shape: the shape of an argument's event.
        out_shape: the shape of a result's event, of as many elements.
        cache_size: 1 to keep the last pair of argument and result, 0 to keep none. Default: 0.

    Raises:
        InvalidArgumentError: if the shapes have different numbers of elements.

    Example:

    >>> transform = rustorch.distributions.ReshapeTransform((6,), (2, 3))
    >>> transform(rustorch.zeros(5, 6)).shape
    rustorch.Size([5, 2, 3])
    """

    bijective = True
    _arguments = ("in_shape", "out_shape")

    def __init__(self, in_shape: Sequence[int], out_shape: Sequence[int], cache_size: int = 0) -> None:
        self.in_shape = Size(in_shape)
        self.out_shape = Size(out_shape)
        if self.in_shape.numel() != self.out_shape.numel():
            raise InvalidArgumentError(
                f"ReshapeTransform: in_shape {self.in_shape} and out_shape {self.out_shape} have different numbers of "
                "elements"
            )
        super().__init__(cache_size=cache_size)

    @constraints.dependent_property
    def domain(self) -> Any:
        return constraints.independent(constraints.real, len(self.in_shape))

    @constraints.dependent_property
    def codomain(self) -> Any:
        return constraints.independent(constraints.real, len(self.out_shape))

    def _call(self, x: Tensor) -> Tensor:
        return x.reshape(_exchange_event(x.shape, self.in_shape, self.out_shape))

    def _inverse(self, y: Tensor) -> Tensor:
        return y.reshape(_exchange_event(y.shape, self.out_shape, self.in_shape))

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x.new_zeros(x.shape[: x.dim() - len(self.in_shape)])

    def forward_shape(self, shape: Sequence[int]) -> Size:
        return _exchange_event(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        return _exchange_event(shape, self.out_shape, self.in_shape)


def _exchange_event(shape: Sequence[int], old: Size, new: Size) -> Size:
    """A shape that ends in `new` where it ended in `old`."""
    cut = len(shape) - len(old)
    if cut < 0:
        raise InvalidArgumentError(f"Too few dimensions on input: shape {tuple(shape)} does not end in {tuple(old)}")
    if tuple(shape[cut:]) != old:
        raise InvalidArgumentError(f"Shape mismatch: expected a shape ending in {tuple(old)} but got {tuple(shape)}")
    return Size((*shape[:cut], *new))


class _Parameterless(Transform):
    """A transform without parameters: any two of a class are equal."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def with_cache(self, cache_size: int = 1) -> Self:
        return self if self._cache_size == cache_size else type(self)(cache_size=cache_size)
