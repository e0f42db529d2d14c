"""The functions `_foreach_…`, by which optimizers outside of RusTorch do the same to every tensor of a list.

Each calls the op of its name, tensor by tensor: `_foreach_add_([a, b], 1)` is `a.add_(1); b.add_(1)`. What stands
beside the list is a number or a tensor, for all, or a list of as many of them. Functions that end in `_` write in place
and give nothing; the others give a tuple.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rustorch._C import Tensor
from rustorch._lazy import missing

UNARY = ["abs", "acos", "asin", "atan", "ceil", "cos", "cosh", "erf", "erfc", "exp", "expm1"]
UNARY += ["floor", "frac", "lgamma", "log", "log10", "log1p", "log2", "neg", "reciprocal", "round", "rsqrt"]
UNARY += ["sigmoid", "sign", "sin", "sinh", "sqrt", "tan", "tanh", "trunc"]
BINARY = ["add", "clamp_max", "clamp_min", "div", "maximum", "minimum", "mul", "pow", "sub"]
TERNARY = ["addcdiv", "addcmul"]
#: The op where it has another name.
_OPS = {"maximum": "clamp_min", "minimum": "clamp_max"}

_Function = Callable[..., "tuple[Tensor, ...] | None"]


def _lists(name: str, tensors: Iterable[Tensor], *others: Any) -> list[tuple[Any, ...]]:
    """The tensors of a list, each with what stands beside it."""
    first = list(tensors)
    if not first:
        raise RuntimeError(f"{name}(): the list of tensors is empty")
    rows: list[list[Any]] = [first]
    for other in others:
        row = list(other) if isinstance(other, list | tuple) else [other] * len(first)
        if len(row) != len(first):
            raise RuntimeError(f"{name}(): got lists of {len(first)} and {len(row)} entries")
        rows.append(row)
    return list(zip(*rows, strict=True))


def _unary(name: str, op: str) -> _Function:
    def apply(self: Iterable[Tensor]) -> tuple[Tensor, ...]:
        return tuple(getattr(tensor, op)() for (tensor,) in _lists(name, self))

    return apply


def _binary(name: str, op: str) -> _Function:
    def apply(self: Any, other: Any, **options: Any) -> tuple[Tensor, ...]:
        if op.startswith("pow") and isinstance(self, int | float):
            # A number to the power of every tensor.
            return tuple(exponent.new_tensor(self).pow(exponent) for (exponent,) in _lists(name, other))
        return tuple(getattr(tensor, op)(beside, **options) for tensor, beside in _lists(name, self, other))

    return apply


def _ternary(name: str, op: str) -> _Function:
    def apply(self: Iterable[Tensor], tensor1: Any, tensor2: Any, value: Any = 1) -> tuple[Tensor, ...]:
        values = value.tolist() if isinstance(value, Tensor) and value.dim() else value
        return tuple(getattr(x, op)(a, b, value=v) for x, a, b, v in _lists(name, self, tensor1, tensor2, values))

    return apply


def _lerp(name: str, op: str) -> _Function:
    def apply(self: Iterable[Tensor], tensors1: Any, weight: Any) -> tuple[Tensor, ...]:
        return tuple(getattr(x, op)(end, by) for x, end, by in _lists(name, self, tensors1, weight))

    return apply


def _in_place(function: _Function) -> _Function:
    def apply(*args: Any, **options: Any) -> None:
        function(*args, **options)

    return apply


def _foreach_clone(self: Iterable[Tensor]) -> tuple[Tensor, ...]:
    return tuple(tensor.clone() for (tensor,) in _lists("_foreach_clone", self))


def _foreach_zero_(self: Iterable[Tensor]) -> None:
    for (tensor,) in _lists("_foreach_zero_", self):
        tensor.zero_()


def _foreach_copy_(self: Iterable[Tensor], src: Iterable[Tensor], non_blocking: bool = False) -> None:
    for tensor, source in _lists("_foreach_copy_", self, list(src)):
        tensor.copy_(source, non_blocking=non_blocking)


def _foreach_max(self: Iterable[Tensor]) -> tuple[Tensor, ...]:
    return tuple(tensor.max() for (tensor,) in _lists("_foreach_max", self))


def _foreach_norm(self: Iterable[Tensor], ord: float = 2, dtype: Any = None) -> tuple[Tensor, ...]:
    from rustorch.linalg import vector_norm

    return tuple(vector_norm(tensor, ord, dtype=dtype) for (tensor,) in _lists("_foreach_norm", self))


def _made(name: str) -> _Function | None:
    """The function of a name that follows the pattern."""
    op = name.removeprefix("_foreach_")
    for ops, make in ((UNARY, _unary), (BINARY, _binary), (TERNARY, _ternary), (["lerp"], _lerp)):
        if op.removesuffix("_") in ops:
            called = _OPS.get(op.removesuffix("_"), op.removesuffix("_"))
            function = make(name, called + op[len(op.removesuffix("_")) :])
            return _in_place(function) if op.endswith("_") else function
    return None


def __getattr__(name: str) -> _Function:
    function = _made(name) if name.startswith("_foreach_") else None
    if function is None:
        raise missing("rustorch", name)
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"`{name.removeprefix('_foreach_')}` of every tensor of a list; see this module."
    globals()[name] = function
    return function
