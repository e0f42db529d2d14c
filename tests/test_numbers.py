"""Python numbers beside tensors: what a dtype holds counts exactly, the rest is refused or right all the same.

The cases come from the stub, so a new op that takes a number is among them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

import rustorch

from tests.soak.hostile_calls import annotations

pytestmark = pytest.mark.rustorch_only

INTEGERS = [rustorch.uint8, rustorch.int8, rustorch.int16, rustorch.int32, rustorch.int64]
ERRORS = (rustorch.RusTorchError, TypeError, OverflowError)

#: What else a call needs, by parameter; `op.parameter` where an op wants something of its own.
BESIDE: dict[str, Any] = {
    "condition": rustorch.tensor([[True, False], [False, True]]),
    "mask": rustorch.tensor([[True, False], [False, True]]),
    "dim": 0,
    "index": rustorch.tensor([0]),
    "scatter.index": rustorch.tensor([[0]]),
    "size": (2, 2),
    "steps": 3,
    "pad": (1, 1),
    "reduce": "add",
    "target": rustorch.tensor([0, 1]),
    "memory_format": None,
    "norm.dim": None,
    "linalg_vector_norm.dim": None,
    "linalg_matrix_norm.dim": (-2, -1),
    "linalg_norm.dim": None,
    "var.dim": None,
    "std.dim": None,
    "var_mean.dim": None,
    "std_mean.dim": None,
    "gradient.dim": None,
}
#: Tensors that are not 2 by 2.
SHAPES = {
    "vec": (2,),
    "vec1": (2,),
    "vec2": (2,),
    "batch1": (1, 2, 2),
    "batch2": (1, 2, 2),
    "baddbmm.input": (1, 2, 2),
    "index_add.source": (1, 2),
    "addmv.input": (2,),
}
#: Sums and products: their integers wrap, as PyTorch's do.
RESIDUES = {"add", "sub", "rsub", "mul", "bitwise_and", "bitwise_or", "bitwise_xor"}
FACTORS = {"alpha", "beta", "addcmul.value", "addcdiv.value"}
#: What the op compares with: both sides count as they are.
EXACT = {"eq", "ne", "lt", "le", "gt", "ge", "isin", "searchsorted", "bucketize"}


class Case(NamedTuple):
    """An op, one of its signatures, and the parameter that gets the number."""

    name: str
    signature: tuple[tuple[str, str, bool], ...]
    parameter: str


def cases() -> Iterator[Case]:
    seen = set()
    for name, signatures in annotations().items():
        if "." in name or name.endswith("_") or not hasattr(rustorch._C, name):
            continue
        document = (getattr(rustorch._C, name).__doc__ or name).split("--")[-1]
        for signature in signatures:
            for parameter, annotation, _ in signature:
                # An alias has the document of the op.
                key = (document, parameter, str(signature))
                if "_Number" in annotation and key not in seen and name != "result_type":
                    seen.add(key)
                    yield Case(name, signature, parameter)


CASES = list(cases())


def beside(case: Case, parameter: str, annotation: str, dtype: Any) -> Any:
    """An ordinary argument."""
    own = f"{case.name}.{parameter}"
    for key in (own, parameter):
        if key in BESIDE:
            return BESIDE[key]
        if key in SHAPES:
            return (
                rustorch.tensor([[[1, 2], [3, 5]]]).reshape(-1)[: math.prod(SHAPES[key])].reshape(SHAPES[key]).to(dtype)
            )
    if parameter in ("boundaries", "sorted_sequence"):
        return rustorch.tensor([1, 2, 100]).to(dtype)
    if "Tensor" in annotation:
        return rustorch.tensor([[1, 2], [3, 100]]).to(dtype)
    assert "_Number" in annotation, f"say in BESIDE what {own}: {annotation} gets"
    return 1


def run(case: Case, number: Any, dtype: Any) -> list[rustorch.Tensor]:
    """The results of a call with the number in its place."""
    given = {}
    optional = {"out", "device", "requires_grad"}
    for parameter, annotation, _ in case.signature:
        left_out = annotation.endswith("None") and f"{case.name}.{parameter}" not in BESIDE
        wanted = "Tensor" in annotation or "_Number" in annotation or parameter in BESIDE
        if parameter == case.parameter:
            given[parameter] = number
        elif parameter == "dtype" and not any("Tensor" in a for p, a, _ in case.signature if p != "out"):
            # Otherwise the dtype is that of the tensors.
            given[parameter] = dtype
        elif parameter not in optional and not left_out and wanted:
            given[parameter] = beside(case, parameter, annotation, dtype)
    result = getattr(rustorch._C, case.name)(**given)
    return list(result) if isinstance(result, tuple) else [result]


def attempt(case: Case, number: Any, dtype: Any) -> list[rustorch.Tensor] | Exception:
    try:
        return run(case, number, dtype)
    except ERRORS as refused:
        if "internal error" in str(refused):
            raise
        return refused


def limits(dtype: Any) -> tuple[int, int]:
    return int(rustorch.iinfo(dtype).min), int(rustorch.iinfo(dtype).max)


def wraps(case: Case) -> bool:
    return (
        case.name in RESIDUES
        or case.parameter in FACTORS
        or f"{case.name}.{case.parameter}" in FACTORS
        or "reduce" in str(case.signature)
    )


def agree(got: list[rustorch.Tensor], exact: list[rustorch.Tensor], modulo: bool, what: str) -> None:
    for mine, theirs in zip(got, exact, strict=True):
        if mine.dtype in INTEGERS:
            low, high = limits(mine.dtype)
            values = [int(v) for v in theirs.reshape(-1).tolist()]
            if modulo:
                values = [(v - low) % (high - low + 1) + low for v in values]
            assert mine.reshape(-1).tolist() == values, what
        else:
            assert mine.shape == theirs.shape, what
            assert rustorch.allclose(
                mine.to(rustorch.complex128), theirs.to(rustorch.complex128), rtol=1e-5, equal_nan=True
            ), what


def name_of(case: Case) -> str:
    return f"{case.name}-{len(case.signature)}-{case.parameter}"


def test_there_are_cases() -> None:
    names = {case.name for case in CASES}
    assert {
        "full",
        "clamp",
        "masked_fill",
        "scatter",
        "threshold",
        "where",
        "linspace",
        "lt",
        "addmm",
        "index_fill",
    } <= names
    # Each can be called as it stands here, so that the errors below are about the number.
    for case in CASES:
        results = [
            attempt(case, number, dtype) for dtype in (rustorch.float32, rustorch.int64) for number in (1, 2.0, 0.5)
        ]
        assert any(not isinstance(result, Exception) for result in results), (case, results)


@pytest.mark.parametrize("case", CASES, ids=name_of)
@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_integers(case: Case, dtype: Any) -> None:
    low, high = limits(dtype)
    plain = attempt(case, 1, dtype)
    for number in (low, high, low - 1, high + 1, -1, 2 * high + 2, -2 * high - 2, 300, 2**40, -(2**62)):
        if not -(2**63) <= number < 2**63:
            continue
        got, what = attempt(case, number, dtype), f"{case.name}({case.parameter}={number}) of {dtype}"
        if isinstance(got, Exception):
            # What fits may only be refused by an op that refuses the dtype, or for what the number means.
            if isinstance(plain, Exception) or not low <= number <= high:
                continue
            assert (
                isinstance(attempt(case, number, rustorch.int64), Exception)
                or "power" in str(got)
                or case.name in MEANING
            ), what
            continue
        exact = attempt(case, number, rustorch.int64)
        if isinstance(exact, Exception) or (case.name in ("bitwise_left_shift", "bitwise_right_shift") and number < 0):
            continue
        agree(got, exact, wraps(case) or case.name in OVERFLOWS, what)


#: Where a number that the dtype holds leads to one that it does not hold.
MEANING = {"arange", "linspace", "logspace", "pow", "scalar_tensor"}
#: Ops of what fits whose results may not fit: they wrap as sums do.
OVERFLOWS = {"pow", "bitwise_left_shift", "floor_divide", "div", "addmm", "addmv", "addr", "addbmm", "baddbmm"}


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_nan_and_infinities_are_no_integers(case: Case) -> None:
    for dtype in INTEGERS:
        for number in (math.nan, math.inf, -math.inf):
            got = attempt(case, number, dtype)
            if isinstance(got, Exception):
                continue
            for result in got:
                # A float or complex result, or the answer of a comparison; of integers, only where it counts them.
                assert result.dtype not in INTEGERS or case.name in (
                    "searchsorted",
                    "bucketize",
                    "linalg_matrix_rank",
                ), (case.name, case.parameter, number)


@pytest.mark.parametrize("case", CASES, ids=name_of)
@pytest.mark.parametrize("dtype", [rustorch.uint8, rustorch.int64, rustorch.float16, rustorch.float32], ids=str)
def test_complex_numbers_keep_their_imaginary_part(case: Case, dtype: Any) -> None:
    got = attempt(case, 2 + 3j, dtype)
    if isinstance(got, Exception):
        return
    for result in got:
        assert result.dtype.is_complex or (result.dtype == rustorch.bool and case.name in ("eq", "ne", "isin")), (
            case.name,
            case.parameter,
        )


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_ints_beyond_64_bits(case: Case) -> None:
    for number in (2**63, -(2**63) - 1, 2**64 - 1, 2**70, 10**40):
        # Beside tensors of floats they are floats.
        got, exact = attempt(case, number, rustorch.float64), attempt(case, float(number), rustorch.float64)
        assert isinstance(got, Exception) == isinstance(exact, Exception), (
            case.name,
            case.parameter,
            number,
            got,
            exact,
        )
        if not isinstance(got, Exception) and not isinstance(exact, Exception):
            agree(got, exact, False, f"{case.name}({case.parameter}={number})")
        with pytest.raises(ERRORS) as error:
            run(case, number, rustorch.int64)
        if isinstance(error.value, OverflowError):
            assert case.name in str(error.value), error.value
            assert f"'{case.parameter}'" in str(error.value), error.value


def test_comparisons_are_those_of_the_numbers() -> None:
    for dtype in INTEGERS:
        low, high = limits(dtype)
        values = [low, high, 0, 1]
        x = rustorch.tensor(values, dtype=dtype)
        for number in (low - 1, low, high, high + 1, 300, -300, 2**40):
            if not -(2**63) <= number < 2**63:
                continue
            for other in (number, rustorch.tensor(number)):
                for got, expected in (
                    (x < other, [v < number for v in values]),
                    (x <= other, [v <= number for v in values]),
                    (x > other, [v > number for v in values]),
                    (x >= other, [v >= number for v in values]),
                    (x == other, [v == number for v in values]),
                    (x != other, [v != number for v in values]),
                ):
                    assert got.tolist() == expected, (dtype, number)


@pytest.mark.parametrize(
    "set_value",
    [
        "x[0] = n",
        "x[x > 0] = n",
        "x[:, 0] = n",
        "x.fill_(n)",
        "x.fill_diagonal_(n)",
        "x.copy_(n)",
        "x.masked_fill_(x > 0, n)",
        "x.index_fill_(0, rustorch.tensor([0]), n)",
        "x.scatter_(0, rustorch.tensor([[0]]), n)",
        "x.new_full((2,), n)",
        "rustorch.full_like(x, n)",
        "rustorch.tensor([n], dtype=x.dtype)",
        "rustorch.tensor(n, dtype=x.dtype)",
        "rustorch.as_tensor(n, dtype=x.dtype)",
        "x.new_tensor([n])",
    ],
)
def test_writing_what_the_dtype_does_not_hold(set_value: str) -> None:
    for dtype in INTEGERS:
        low, high = limits(dtype)
        for number in (low - 1, high + 1, math.nan, math.inf, -math.inf, 1e30, 2 + 3j):
            x = rustorch.ones(2, 2, dtype=dtype)
            with pytest.raises(ERRORS):
                exec(set_value, {"x": x, "n": number, "rustorch": rustorch})
            assert x.tolist() == [[1, 1], [1, 1]]
        for number in (low, high):
            exec(set_value, {"x": rustorch.ones(2, 2, dtype=dtype), "n": number, "rustorch": rustorch})
    for dtype in (rustorch.float16, rustorch.float32, rustorch.float64):
        with pytest.raises(ERRORS):
            exec(set_value, {"x": rustorch.ones(2, 2, dtype=dtype), "n": 2 + 3j, "rustorch": rustorch})


@pytest.mark.parametrize(
    "divide",
    [
        lambda x, n: x % n,
        lambda x, n: x // n,
        lambda x, n: rustorch.fmod(x, n),
        lambda x, n: rustorch.div(x, n, rounding_mode="floor"),
        lambda x, n: rustorch.div(x, n, rounding_mode="trunc"),
        lambda x, n: x.clone().remainder_(n),
        lambda x, n: x.clone().floor_divide_(n),
    ],
)
def test_divisors_that_are_zero_in_the_dtype(divide: Any) -> None:
    for dtype in INTEGERS[:-1]:
        low, high = limits(dtype)
        for number in (0, high - low + 1, -2 * (high - low + 1)):
            for divisor in (number, rustorch.tensor(number), rustorch.tensor([number], dtype=rustorch.int64).to(dtype)):
                with pytest.raises(ERRORS):
                    divide(rustorch.tensor([7, 1], dtype=dtype), divisor)


def test_the_least_integer_divided_by_minus_one() -> None:
    for dtype in INTEGERS[1:]:
        low, _ = limits(dtype)
        x, minus = rustorch.tensor([low], dtype=dtype), rustorch.tensor([-1], dtype=dtype)
        for divisor in (minus, -1, rustorch.tensor(-1)):
            # The quotient is one more than the dtype holds: it wraps, as negation does.
            assert (x // divisor).tolist() == (-x).tolist() == [low]
            assert (x % divisor).tolist() == [0]
            assert rustorch.fmod(x, divisor).tolist() == [0]
            assert rustorch.div(x, divisor, rounding_mode="trunc").tolist() == [low]


def test_large_floats_in_half_precision() -> None:
    x = rustorch.ones(2, dtype=rustorch.float16)
    # PyTorch's rule: what fills has to be a number of the dtype, what is computed with is rounded.
    for fill in (
        lambda: x.fill_(1e6),
        lambda: x.masked_fill(x > 0, 1e6),
        lambda: rustorch.full((2,), 1e6, dtype=x.dtype),
    ):
        with pytest.raises(ERRORS, match="float16"):
            fill()
    assert (x + 1e6).tolist() == [math.inf, math.inf]
    assert (x * math.inf).tolist() == [math.inf, math.inf]
    assert x.fill_(-math.inf).tolist() == [-math.inf, -math.inf]
