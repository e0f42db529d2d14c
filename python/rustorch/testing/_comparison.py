"""Whether values are close, and if not, where and by how much they differ."""

from __future__ import annotations

import cmath
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from rustorch import _C
from rustorch._C import Tensor
from rustorch.functional import isclose

#: rtol and atol by dtype; those of all others are 0. Complex dtypes have those of their parts.
_TOLERANCES = {
    _C.float16: (1e-3, 1e-5),
    _C.bfloat16: (1.6e-2, 1e-5),
    _C.float32: (1.3e-6, 1e-5),
    _C.float64: (1e-7, 1e-7),
    _C.complex64: (1.3e-6, 1e-5),
    _C.complex128: (1e-7, 1e-7),
}
_ALLCLOSE_TOLERANCES = {_C.float16: (1e-3, 1e-3), _C.float32: (1e-4, 1e-5), _C.float64: (1e-5, 1e-8)}


class _Comparison:
    """The options of one call."""

    def __init__(
        self, allow_subclasses: bool, rtol: float | None, atol: float | None, equal_nan: bool, checks: frozenset[str]
    ) -> None:
        if (rtol is None) != (atol is None):
            missing = "rtol" if rtol is None else "atol"
            raise ValueError(
                f"assert_close(): both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}"
            )
        self.allow_subclasses = allow_subclasses
        self.given = None if rtol is None or atol is None else (rtol, atol)
        self.equal_nan = equal_nan
        self.checks = checks

    def values(self, actual: Any, expected: Any, path: tuple[Any, ...]) -> None:
        """Compares two values, or what they are made of; raises _Difference where the first ones differ."""
        if _is_sequence(actual) and _is_sequence(expected):
            if len(actual) != len(expected):
                raise _Difference(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}", path)
            for index, pair in enumerate(zip(actual, expected, strict=True)):
                self.values(*pair, (*path, index))
        elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
            _same_keys(actual, expected, path)
            for key in _sorted(actual):
                self.values(actual[key], expected[key], (*path, key))
        elif actual is None or expected is None:
            if actual is not expected:
                raise _Difference(f"None mismatch: {actual} is not {expected}", path)
        elif _is_bool(actual) and _is_bool(expected):
            if bool(actual) is not bool(expected):
                raise _Difference(f"Booleans mismatch: {bool(actual)} is not {bool(expected)}", path)
        elif _is_number(actual) and _is_number(expected):
            self._numbers(actual, expected, path)
        else:
            self._tensors(*self._as_tensors(actual, expected, path), path)

    def _numbers(self, actual: Any, expected: Any, path: tuple[Any, ...]) -> None:
        if "dtype" in self.checks and type(actual) is not type(expected):
            raise _Difference(f"The (d)types do not match: {type(actual)} != {type(expected)}.", path)
        one, other = (value.item() if hasattr(value, "item") else value for value in (actual, expected))
        dtypes = [
            _C.complex128 if isinstance(v, complex) else _C.float64 for v in (one, other) if not isinstance(v, int)
        ]
        rtol, atol = self.given or _tolerances(*dtypes)
        if not self._close(one, other, rtol, atol):
            raise _Difference(_of_scalars(one, other, rtol, atol), path)

    def _close(self, actual: complex, expected: complex, rtol: float, atol: float) -> bool:
        if cmath.isnan(actual) or cmath.isnan(expected):
            return self.equal_nan and cmath.isnan(actual) and cmath.isnan(expected)
        if actual == expected:
            return True
        return cmath.isfinite(expected) and abs(actual - expected) <= atol + rtol * abs(expected)

    def _as_tensors(self, actual: Any, expected: Any, path: tuple[Any, ...]) -> tuple[Tensor, Tensor]:
        related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
        if not related or (not self.allow_subclasses and type(actual) is not type(expected)):
            _unsupported(actual, expected, path)
        if isinstance(actual, Tensor):
            return actual.detach(), expected.detach()
        if isinstance(actual, str) or not (hasattr(actual, "__array__") or hasattr(actual, "__dlpack__")):
            _unsupported(actual, expected, path)
        return _C.as_tensor(actual), _C.as_tensor(expected)

    def _tensors(self, actual: Tensor, expected: Tensor, path: tuple[Any, ...]) -> None:
        for attribute in ("shape", "layout", "stride()", "device", "dtype"):
            if attribute in self.checks or attribute == "shape":
                one, other = (
                    x.stride() if attribute == "stride()" else getattr(x, attribute) for x in (actual, expected)
                )
                if one != other:
                    text = f"The values for attribute {attribute!r} do not match: {one} != {other}."
                    raise _Difference(text, path)
        rtol, atol = self.given or _tolerances(actual.dtype, expected.dtype)
        dtype = _C.promote_types(actual.dtype, expected.dtype)
        actual, expected = actual.to("cpu", dtype), expected.to("cpu", dtype)
        matches = isclose(actual, expected, rtol, atol, self.equal_nan) if actual.numel() else None
        if matches is None or matches.all():
            return
        if actual.dim() == 0:
            raise _Difference(_of_scalars(actual.item(), expected.item(), rtol, atol), path)
        raise _Difference(_of_tensors(actual, expected, matches, rtol, atol), path)


class _Difference(Exception):
    """What differs, and where in the containers it was."""

    def __init__(self, text: str, path: tuple[Any, ...]) -> None:
        self.text = text
        if path:
            self.text += f"\n\nThe failure occurred for item {''.join(f'[{part!r}]' for part in path)}"


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool) or type(value).__name__ in ("bool_", "bool")


def _is_number(value: Any) -> bool:
    if isinstance(value, int | float | complex):
        return True
    # NumPy's numbers; importing it for the sake of the question is not worth it.
    return type(value).__module__ == "numpy" and hasattr(value, "item") and not hasattr(value, "__len__")


def _sorted(mapping: Mapping[Any, Any]) -> list[Any]:
    """The keys in an order that does not depend on the mapping, where they have one."""
    try:
        return sorted(mapping)
    except TypeError:
        return list(mapping)


def _same_keys(actual: Mapping[Any, Any], expected: Mapping[Any, Any], path: tuple[Any, ...]) -> None:
    missing, additional = set(expected) - set(actual), set(actual) - set(expected)
    if missing or additional:
        text = "The keys of the mappings do not match:"
        if missing:
            text += f"\nMissing keys in the actual mapping: {sorted(missing, key=repr)}"
        if additional:
            text += f"\nAdditional keys in the actual mapping: {sorted(additional, key=repr)}"
        raise _Difference(text, path)


def _unsupported(actual: Any, expected: Any, path: tuple[Any, ...]) -> NoReturn:
    where = f" at item {''.join(f'[{part!r}]' for part in path)}" if path else ""
    raise TypeError(f"assert_close(): cannot compare {type(actual)} with {type(expected)}{where}")


def _tolerances(*dtypes: _C.dtype) -> tuple[float, float]:
    """The larger ones of two dtypes."""
    both = [_TOLERANCES.get(dtype, (0.0, 0.0)) for dtype in dtypes] or [(0.0, 0.0)]
    return max(rtol for rtol, _ in both), max(atol for _, atol in both)


def _allowed(tolerance: float, exact: bool) -> str:
    return "" if exact else f" (up to {tolerance} allowed)"


def _title(kind: str, exact: bool) -> str:
    return f"{kind} are not {'equal' if exact else 'close'}!\n\n"


def _of_scalars(actual: Any, expected: Any, rtol: float, atol: float) -> str:
    exact = rtol == atol == 0
    absolute = abs(actual - expected)
    relative = absolute / abs(expected) if expected != 0 else float("inf")
    return (
        f"{_title('Scalars', exact)}Expected {expected} but got {actual}."
        f"\nAbsolute difference: {absolute}{_allowed(atol, exact)}"
        f"\nRelative difference: {relative}{_allowed(rtol, exact)}"
    )


def _of_tensors(actual: Tensor, expected: Tensor, matches: Tensor, rtol: float, atol: float) -> str:
    exact = rtol == atol == 0
    wrong, count = int((~matches).sum()), matches.numel()
    if not (actual.dtype.is_floating_point or actual.dtype.is_complex):
        # Differences of unsigned numbers and of bool.
        actual, expected = actual.to(_C.int64), expected.to(_C.int64)
    absolute = (actual - expected).abs()
    absolute[matches] = 0
    relative = absolute / expected.abs()
    relative[matches] = 0
    text = f"{_title('Tensor-likes', exact)}Mismatched elements: {wrong} / {count} ({wrong / count:.1%})"
    for name, difference, tolerance in (("absolute", absolute, atol), ("relative", relative, rtol)):
        flat = difference.flatten()
        position = int(flat.argmax())
        index = tuple(int(i) for i in _C.unravel_index(_C.tensor(position), difference.shape))
        text += f"\nGreatest {name} difference: {flat[position].item()} at index {index}{_allowed(tolerance, exact)}"
    return text


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """AssertionError unless |actual - expected| <= atol + rtol |expected| everywhere, and attributes are the same.

    Tensors, arrays, numbers, bools and None are compared, and sequences and mappings of them. The error says how many
    elements differ, by how much at most, and where.

    Args:
        actual: what there is.
        expected: what there should be.
        allow_subclasses: whether classes may differ where one is a subclass of the other. Default: True.
        rtol: the relative tolerance. Default: None, by dtype, the larger of both: 1e-3 for float16, 1.6e-2 for
            bfloat16, 1.3e-6 for float32, 1e-7 for float64, as their parts for complex dtypes, and 0 for all others.
        atol: the absolute tolerance. Default: None, by dtype: 1e-7 for float64, 1e-5 for other floating-point dtypes,
            0 for all others. Either both tolerances are given or none.
        equal_nan: whether NaN equals NaN. Default: False.
        check_device: whether tensors must be on the same device. Default: True.
        check_dtype: whether dtypes, and classes of numbers, must be the same. Default: True.
        check_layout: whether layouts must be the same. Default: True.
        check_stride: whether strides must be the same. Default: False.
        msg: the text of the error, or a function that makes it of the text that there would be. Default: None.

    Example:

    >>> from rustorch.testing import assert_close
    >>> assert_close(rustorch.ones(2) + 1e-7, rustorch.ones(2))
    >>> assert_close([1, 2], [1, 3])
    Traceback (most recent call last):
    ...
    AssertionError: Scalars are not equal!
    <BLANKLINE>
    Expected 3 but got 2.
    Absolute difference: 1
    Relative difference: 0.3333333333333333
    <BLANKLINE>
    The failure occurred for item [1]
    """
    wanted = {"device": check_device, "dtype": check_dtype, "layout": check_layout, "stride()": check_stride}
    checks = frozenset(name for name, is_checked in wanted.items() if is_checked)
    try:
        _Comparison(allow_subclasses, rtol, atol, equal_nan, checks).values(actual, expected, ())
    except _Difference as difference:
        text = difference.text
    else:
        return
    if callable(msg):
        text = msg(text)
    elif msg:
        text = msg
    raise AssertionError(text)


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """As `assert_close`, which takes its place, for tensors and what is made tensors, without checks of dtypes.

    It warns of that. Its tolerances are (1e-3, 1e-3) for float16, (1e-4, 1e-5) for float32, (1e-5, 1e-8) for float64.
    """
    import warnings

    warnings.warn("assert_allclose() is deprecated; use assert_close() in its place", FutureWarning, stacklevel=2)
    one = actual if isinstance(actual, Tensor) else _C.tensor(actual)
    other = expected if isinstance(expected, Tensor) else _C.tensor(expected, dtype=one.dtype)
    if rtol is None and atol is None:
        both = [_ALLCLOSE_TOLERANCES.get(x.dtype, (0.0, 0.0)) for x in (one, other)]
        rtol, atol = max(r for r, _ in both), max(a for _, a in both)
    assert_close(
        one, other, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, check_layout=False, msg=msg or None
    )
