"""The protocol `__torch_function__`, by which objects that are no tensors answer for functions of tensors.

A function takes part that is written with `handle_torch_function` or `wrap_torch_function`, as those of libraries are.
RusTorch's own functions take tensors and do not ask their arguments, so that none of them is overridable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from rustorch._C import Tensor

__all__ = [
    "get_ignored_functions",
    "get_overridable_functions",
    "handle_torch_function",
    "has_torch_function",
    "is_tensor_like",
    "is_tensor_method_or_property",
    "resolve_name",
    "wrap_torch_function",
]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_INHERITED = getattr(Tensor, "__torch_function__", None)


def _overrides(value: Any) -> bool:
    """Whether a value answers for functions: it has the method, and not just that of tensors."""
    method = getattr(type(value), "__torch_function__", None)
    return method is not None and getattr(method, "__func__", method) is not getattr(_INHERITED, "__func__", _INHERITED)


def is_tensor_like(inp: Any) -> bool:
    """Whether something is a tensor, or has `__torch_function__`.

    >>> rustorch.overrides.is_tensor_like(rustorch.ones(2)), rustorch.overrides.is_tensor_like([1.0])
    (True, False)
    """
    return isinstance(inp, Tensor) or hasattr(type(inp), "__torch_function__")


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether one of the arguments answers for the function that was called with it."""
    return any(map(_overrides, relevant_args))


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """What the arguments that have `__torch_function__` answer for `public_api(*args, **kwargs)`.

    They are asked from left to right, those of a subclass before those of its base class; one that gives NotImplemented
    leaves it to the next. TypeError if all do.
    """
    asked: list[Any] = []
    for argument in relevant_args:
        if _overrides(argument) and type(argument) not in map(type, asked):
            later = (i for i, other in enumerate(asked) if issubclass(type(argument), type(other)))
            asked.insert(next(later, len(asked)), argument)
    types = tuple(map(type, asked))
    for argument in asked:
        result = type(argument).__torch_function__(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    name = resolve_name(public_api) or repr(public_api)
    raise TypeError(f"no implementation found for '{name}' on types that implement __torch_function__: {list(types)}")


def wrap_torch_function(
    dispatcher: Callable[Parameters, Iterable[Any]],
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """A decorator that lets arguments answer for a function; `dispatcher`, called alike, gives those that are asked.

    >>> @rustorch.overrides.wrap_torch_function(lambda x: (x,))
    ... def double(x):
    ...     return 2 * x
    >>> class Seven:
    ...     @classmethod
    ...     def __torch_function__(cls, function, types, args=(), kwargs=None):
    ...         return 7
    >>> double(Seven()), double(4)
    (7, 8)
    """

    def decorate(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        @wraps(function)
        def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            relevant = tuple(dispatcher(*args, **kwargs))
            if has_torch_function(relevant):
                answer: Result = handle_torch_function(call, relevant, *args, **kwargs)
                return answer
            return function(*args, **kwargs)

        return call

    return decorate


def get_overridable_functions() -> dict[Any, list[Callable[..., Any]]]:
    """The functions of RusTorch's for which arguments can answer, by the module or class that has them: none."""
    return {}


def get_ignored_functions() -> set[Callable[..., Any]]:
    """The functions and methods for which no argument can answer: all that are public."""
    import rustorch

    owners = (rustorch, rustorch.nn.functional, Tensor)
    found = (getattr(owner, name) for owner in owners for name in dir(owner) if not name.startswith("_"))
    return {thing for thing in found if callable(thing) and not isinstance(thing, type)}


def is_tensor_method_or_property(func: Callable[..., Any]) -> bool:
    """Whether a function is a method of tensors, or reads one of their properties."""
    return func in vars(Tensor).values() or getattr(func, "__name__", None) == "__get__"


def resolve_name(f: Callable[..., Any]) -> str | None:
    """The name under which programs know a function, such as `rustorch.add`; None of what has none."""
    from rustorch._lazy import shown

    name, module = getattr(f, "__name__", None), getattr(f, "__module__", None)
    if name is None:
        return None
    if f in vars(Tensor).values():
        return f"{shown('rustorch')}.Tensor.{name}"
    if module is None or module.startswith("rustorch._"):
        module = "rustorch"
    return f"{shown(module) if module.startswith('rustorch') else module}.{name}"
