"""How tensors look as text. Imported when the first tensor is printed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from rustorch._C import Tensor, bool as bool_dtype, get_default_dtype, int64 as int64_dtype

if TYPE_CHECKING:
    from types import EllipsisType

__all__ = ["set_printoptions", "tensor_repr"]

# Numbers, rows of them, and `...` where elements are left out.
Nested = Any


class _Options:
    precision = 4
    threshold: float = 1000
    edgeitems = 3
    linewidth = 80
    sci_mode: bool | None = None


_options = _Options()

_PROFILES: dict[str, tuple[int, float, int, int]] = {
    "default": (4, 1000, 3, 80),
    "short": (2, 1000, 2, 80),
    "full": (4, math.inf, 3, 80),
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: Literal["default", "short", "full"] | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed.

    Args:
        precision: digits after the point (4).
        threshold: from more elements than this on, the middle of each dimension is left out (1000).
        edgeitems: how many entries are shown at both ends then (3).
        linewidth: characters per line (80).
        profile: ``'default'``, ``'short'`` or ``'full'``; the other arguments change it.
        sci_mode: whether floats are written as ``1.0000e+00``; None decides from the values.
    """
    if profile is not None:
        _options.precision, _options.threshold, _options.edgeitems, _options.linewidth = _PROFILES[profile]
    if precision is not None:
        _options.precision = precision
    if threshold is not None:
        _options.threshold = threshold
    if edgeitems is not None:
        _options.edgeitems = edgeitems
    if linewidth is not None:
        _options.linewidth = linewidth
    _options.sci_mode = sci_mode


def _shown(tensor: Tensor, summarize: bool) -> Nested:
    """The elements that are printed, as nested lists."""
    if tensor.dim() == 0:
        return tensor.item()
    edge = _options.edgeitems
    if not summarize or tensor.shape[0] <= 2 * edge:
        if tensor.dim() == 1:
            return tensor.tolist()
        return [_shown(row, summarize) for row in tensor]
    count = tensor.shape[0]
    head = [_shown(tensor[i], summarize) for i in range(edge)]
    tail = [_shown(tensor[i], summarize) for i in range(count - edge, count)]
    return [*head, ..., *tail]


def _flat(values: Nested) -> list[Any]:
    if isinstance(values, list):
        return [leaf for value in values if value is not ... for leaf in _flat(value)]
    return [values]


class _Format:
    """One way of writing all numbers of a tensor, aligned."""

    def __init__(self, values: list[Any], floating: bool) -> None:
        self.floating = floating
        self.integral = True
        self.scientific = False
        self.width = 1
        if not floating:
            self.width = max((len(str(value)) for value in values), default=1)
            return
        finite = [value for value in values if value != 0 and math.isfinite(value)]
        if finite:
            self._fit(finite)
            if _options.sci_mode is not None:
                self.scientific = _options.sci_mode

    def _fit(self, values: list[float]) -> None:
        largest = max(abs(value) for value in values)
        smallest = min(abs(value) for value in values)
        self.integral = all(value == math.ceil(value) for value in values)
        wide = largest / smallest > 1000 or largest > 1e8
        self.scientific = wide or (not self.integral and smallest < 1e-4)
        scientific = self.scientific if _options.sci_mode is None else _options.sci_mode
        digits = _options.precision
        if scientific:
            lengths = [len(f"{value:.{digits}e}") for value in values]
        elif self.integral:
            lengths = [len(f"{value:.0f}") + 1 for value in values]
        else:
            lengths = [len(f"{value:.{digits}f}") for value in values]
        self.width = max(1, *lengths)

    def __call__(self, value: Any) -> str:
        if not self.floating:
            text = str(value)
        elif self.scientific:
            text = f"{value:.{_options.precision}e}"
        elif self.integral:
            text = f"{value:.0f}" + ("." if math.isfinite(value) else "")
        else:
            text = f"{value:.{_options.precision}f}"
        return text.rjust(self.width)


class _ComplexFormat:
    """One way of writing all complex numbers of a tensor: their parts each in their own."""

    def __init__(self, values: list[complex]) -> None:
        self.real = _Format([value.real for value in values], floating=True)
        self.imaginary = _Format([value.imag for value in values], floating=True)
        self.width = self.real.width + self.imaginary.width + 1

    def __call__(self, value: complex) -> str:
        imaginary = self.imaginary(value.imag).lstrip()
        sign = "" if imaginary.startswith("-") else "+"
        return f"{self.real(value.real)}{sign}{imaginary}j"


def _vector(values: list[Any | EllipsisType], indent: int, form: _Format | _ComplexFormat) -> str:
    per_line = max(1, (_options.linewidth - indent) // (form.width + 2))
    entries = [" ..." if value is ... else form(value) for value in values]
    lines = [", ".join(entries[i : i + per_line]) for i in range(0, len(entries), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _body(values: Nested, dim: int, indent: int, form: _Format | _ComplexFormat) -> str:
    if dim == 0:
        return form(values)
    if dim == 1:
        return _vector(values, indent, form)
    rows = ["..." if value is ... else _body(value, dim - 1, indent + 1, form) for value in values]
    return "[" + ("," + "\n" * (dim - 1) + " " * (indent + 1)).join(rows) + "]"


def _with_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    parts = [text]
    length = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if length + len(suffix) + 2 > _options.linewidth:
            parts.append(",\n" + " " * indent + suffix)
            length = indent + len(suffix)
        else:
            parts.append(", " + suffix)
            length += len(suffix) + 2
    return "".join(parts) + ")"


def tensor_repr(tensor: Tensor) -> str:
    """The text of a tensor, as ``repr`` gives it."""
    plain = type(tensor) is Tensor or type(tensor).__name__ == "Parameter"
    prefix = "tensor(" if plain else f"{type(tensor).__name__}("
    indent = len(prefix)
    suffixes = []
    if not tensor.is_cpu:
        suffixes.append(f"device='{tensor.device}'")
    data = tensor.detach()
    if data.numel() == 0:
        if data.dim() != 1:
            suffixes.append(f"size={tuple(data.shape)}")
        if data.dtype != get_default_dtype():
            suffixes.append(f"dtype={data.dtype}")
        text = "[]"
    else:
        default = get_default_dtype()
        if data.dtype not in (default, default.to_complex(), int64_dtype, bool_dtype):
            suffixes.append(f"dtype={data.dtype}")
        values = _shown(data, data.numel() > _options.threshold)
        leaves = _flat(values)
        form = _ComplexFormat(leaves) if data.is_complex() else _Format(leaves, data.is_floating_point())
        text = _body(values, data.dim(), indent, form)
    if tensor.grad_fn is not None:
        suffixes.append(f"grad_fn={tensor.grad_fn!r}")
    elif tensor.requires_grad:
        suffixes.append("requires_grad=True")
    return _with_suffixes(prefix + text, suffixes, indent)
