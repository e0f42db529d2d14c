"""Tensors that a module registers when they are assigned to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeGuard

from rustorch import _C
from rustorch._C import Tensor, empty

__all__ = [
    "Buffer",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
]


class Parameter(Tensor):
    """Is a tensor that is to be learned.

    A module that gets one as an attribute lists it among its parameters(), which an optimizer updates. It shares the
    data of the tensor given and is a leaf of the autograd graph. copy.deepcopy() and pickle keep it a Parameter.

    Args:
        data: the values; None is an empty tensor. Default: None.
        requires_grad: whether it gets a gradient, which only floating-point and complex numbers can. Default: True.

    Raises:
        RuntimeError: where requires_grad is True and the data are integers or bools.

    Example:

    >>> layer = rustorch.nn.Module()
    >>> layer.scale = rustorch.nn.Parameter(rustorch.ones(2))
    >>> [name for name, _ in layer.named_parameters()]
    ['scale']
    >>> layer.scale
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        made: Parameter = Tensor._make_subclass(cls, empty(0) if data is None else data, requires_grad)
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        known: Parameter | None = memo.get(id(self))
        if known is None:
            known = type(self)(self.detach().clone(), self.requires_grad)
            memo[id(self)] = known
        return known

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.detach(), self.requires_grad)


class Buffer(Tensor):
    """Is a tensor that belongs to a module's state but is not learned.

    A module that gets one as an attribute lists it among its buffers(): to() moves it, and state_dict() holds it. It
    shares the data of the tensor given.

    Args:
        data: the values; None is an empty tensor. Default: None.
        persistent: whether it is part of the module's state_dict(). Default: True.

    Example:

    >>> layer = rustorch.nn.Module()
    >>> layer.mean = rustorch.nn.Buffer(rustorch.zeros(2))
    >>> list(layer.state_dict())
    ['mean']
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        source = empty(0) if data is None else data
        made: Buffer = Tensor._make_subclass(cls, source, source.requires_grad)
        made.persistent = persistent
        return made

    def __repr__(self) -> str:
        return repr(self.detach())


def _rebuild(cls: type[Parameter], data: Tensor, requires_grad: bool) -> Parameter:
    return cls(data, requires_grad)


class UninitializedTensorMixin(Tensor):
    """Is what parameters and buffers without a shape share: they get one by materialize(), and nothing else works."""

    cls_to_become: type[Tensor]

    def materialize(
        self, shape: Sequence[int], device: _C.device | str | None = None, dtype: _C.dtype | None = None
    ) -> None:
        """Makes it an ordinary parameter or buffer of a shape, whose values are not set."""
        data = self.data
        self.data = empty(
            tuple(shape), device=data.device if device is None else device, dtype=data.dtype if dtype is None else dtype
        )
        self.__class__ = self.cls_to_become  # type: ignore[assignment]

    @property
    def shape(self) -> NoReturn:
        """Raises: there is none yet."""
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. A lazy module has to be called once "
            "before its parameters are used, and before its state is loaded into a module that is not lazy"
        )

    def share_memory_(self) -> NoReturn:
        """Raises: there is no memory yet."""
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call the module before `share_memory()`"
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            make, arguments = self.__reduce_ex__(4)
            memo[id(self)] = make(*arguments)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        data = self.data
        return type(self), (self.requires_grad, data.device, data.dtype)


# What converts, moves, or only asks.
_ALLOWED = frozenset(
    {
        *("size", "get_device", "is_complex", "is_floating_point", "requires_grad_", "copy_", "to", "cpu", "cuda"),
        *("half", "bfloat16", "float", "double", "char", "short", "int", "long"),
    }
)
_OPERATORS = {name for name in dir(Tensor) if name.startswith("__")} - {*dir(object), "__dict__"}
_COMPARISONS = ("__lt__", "__le__", "__gt__", "__ge__")


def _refusing(name: str) -> Callable[..., NoReturn]:
    def refuse(self: Tensor, *args: object, **kwargs: object) -> NoReturn:
        raise ValueError(
            f"Attempted to use an uninitialized parameter in {name}. A lazy module has to be called once, with inputs "
            "of the shapes that it will get, before its parameters are used"
        )

    return refuse


for _name in {name for name in dir(Tensor) if not name.startswith("_")}.union(_OPERATORS, _COMPARISONS) - _ALLOWED:
    if callable(getattr(Tensor, _name, None)) and _name not in vars(UninitializedTensorMixin):
        setattr(UninitializedTensorMixin, _name, _refusing(_name))


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """Is a parameter whose shape is not known yet.

    materialize(shape) makes it a Parameter. Until then its methods and operators, but those that move or convert it,
    raise ValueError, and its shape RuntimeError. Lazy modules hold them until their first call.

    Args:
        requires_grad: whether it gets a gradient. Default: True.
        device, dtype: where it will be and of which dtype; None is the default. Default: None.

    Example:

    >>> weight = rustorch.nn.UninitializedParameter()
    >>> weight
    <UninitializedParameter>
    >>> weight.materialize((2, 3))
    >>> type(weight) is rustorch.nn.Parameter, weight.shape
    (True, rustorch.Size([2, 3]))
    """

    cls_to_become = Parameter

    def __new__(
        cls, requires_grad: bool = True, device: _C.device | str | None = None, dtype: _C.dtype | None = None
    ) -> UninitializedParameter:
        made: UninitializedParameter = Tensor._make_subclass(cls, empty(0, device=device, dtype=dtype), requires_grad)
        return made


class UninitializedBuffer(UninitializedTensorMixin, Buffer):
    """Is a buffer whose shape is not known yet.

    materialize(shape) makes it a tensor. Until then its methods and operators, but those that move or convert it, raise
    ValueError, and its shape RuntimeError. Lazy modules hold them until their first call.

    Args:
        requires_grad: whether it gets a gradient. Default: False.
        device, dtype: where it will be and of which dtype; None is the default. Default: None.
        persistent: whether it is part of the module's state_dict(). Default: True.

    Example:

    >>> mean = rustorch.nn.UninitializedBuffer()
    >>> mean.materialize((3,))
    >>> type(mean), mean.shape
    (<class 'rustorch.Tensor'>, rustorch.Size([3]))
    """

    cls_to_become = Tensor

    def __new__(
        cls,
        requires_grad: bool = False,
        device: _C.device | str | None = None,
        dtype: _C.dtype | None = None,
        persistent: bool = True,
    ) -> UninitializedBuffer:
        made: UninitializedBuffer = Tensor._make_subclass(cls, empty(0, device=device, dtype=dtype), requires_grad)
        made.persistent = persistent
        return made


def is_lazy(param: object) -> TypeGuard[UninitializedTensorMixin]:
    """Says whether a parameter or buffer has no shape yet.

    Args:
        param: the parameter or buffer.

    Example:

    >>> rustorch.nn.parameter.is_lazy(rustorch.nn.LazyLinear(3).weight)
    True
    """
    return isinstance(param, UninitializedTensorMixin)
