"""Which dtype comes out: every answer of PyTorch's promote_types and result_type, and ops that obey them."""

import json
from pathlib import Path

import pytest

import rustorch

from tests.sample import dtype_name

TABLE = json.loads((Path(__file__).parent / "pytorch_answers/promotion.json").read_text())
# Complex numbers are storable dtypes, not yet computable ones.
ARITHMETIC = [row for row in TABLE["result_type"].items() if "complex" not in row[0]]


def of(name: str) -> rustorch.dtype:
    return getattr(rustorch, name)


@pytest.mark.parametrize(("pair", "want"), TABLE["promote_types"].items())
def test_promote_types(pair: str, want: str) -> None:
    a, b = pair.split()
    assert rustorch.promote_types(of(a), of(b)) is of(want)


@pytest.mark.parametrize("first", sorted({pair.split()[0] for pair in TABLE["promote_types"]}))
def test_result_type(first: str, device: str) -> None:
    """Tensors with dimensions decide before tensors without, and both before Python numbers, within a category."""
    for row, want in TABLE["result_type"].items():
        a, i, b, j = row.split()
        if a == first:
            x, y = (rustorch.zeros((1,) * int(n), dtype=of(d), device=device) for d, n in ((a, i), (b, j)))
            assert rustorch.result_type(x, y) is of(want), row
    for row, want in TABLE["python_number"].items():
        a, i, number = row.split()
        if a == first:
            x = rustorch.zeros((1,) * int(i), dtype=of(a), device=device)
            assert rustorch.result_type(x, json.loads(number.lower())) is of(want), row


@pytest.mark.parametrize("first", sorted({row.split()[0] for row, _ in ARITHMETIC}))
def test_ops_promote(first: str, device: str) -> None:
    for row, want in ARITHMETIC:
        a, i, b, j = row.split()
        if a == first:
            x, y = (rustorch.ones((1,) * int(n), dtype=of(d), device=device) for d, n in ((a, i), (b, j)))
            assert dtype_name(x + y) == want, row
            assert dtype_name(x * y) == want, row
            assert dtype_name(x / y) == (want if of(want).is_floating_point else "float32"), row
            assert dtype_name(x == y) == "bool", row


@pytest.mark.parametrize(
    ("dtype", "number", "want"),
    [
        ("uint8", 1, "uint8"),
        ("uint8", 1.5, "float32"),
        ("bool", 1, "int64"),
        ("float16", 1.5, "float16"),
        ("int64", True, "int64"),
    ],
)
def test_python_numbers_promote_by_category_alone(dtype: str, number: float, want: str, device: str) -> None:
    x = rustorch.ones(2, dtype=of(dtype), device=device)
    assert dtype_name(x + number) == want
    assert dtype_name(number * x) == want


def test_inplace_never_changes_category(device: str) -> None:
    x = rustorch.ones(2, dtype=rustorch.int32, device=device)
    with pytest.raises(RuntimeError if not hasattr(rustorch, "DTypeError") else rustorch.DTypeError):
        x += 1.5
    x += rustorch.ones(2, dtype=rustorch.int64, device=device)
    assert x.tolist() == [2, 2]
    assert x.dtype is rustorch.int32


def test_default_dtype() -> None:
    assert rustorch.get_default_dtype() is rustorch.float32
    rustorch.set_default_dtype(rustorch.float64)
    try:
        assert rustorch.tensor(1.5).dtype is rustorch.float64
        assert (rustorch.tensor([1, 2]) / 2).dtype is rustorch.float64
    finally:
        rustorch.set_default_dtype(rustorch.float32)


@pytest.mark.parametrize(
    "source", ["float64", "float32", "float16", "bfloat16", "int64", "int32", "uint8", "int8", "bool"]
)
def test_casts(source: str, device: str) -> None:
    """Floats lose their fraction toward zero, integers wrap, everything but zero is true."""
    values = [0.0, 1.0, 2.75, 100.0] if of(source).is_floating_point else [0, 1, 2, 100]
    x = rustorch.tensor(values, dtype=of(source), device=device)
    assert x.to(rustorch.int32).tolist() == [int(v) for v in x.tolist()]
    assert x.bool().tolist() == [bool(v) for v in values]
    assert x.double().tolist() == [float(v) for v in x.tolist()]
    assert rustorch.tensor([-1, 300], device=device).to(rustorch.uint8).tolist() == [255, 44]
    assert x.to(x.dtype) is x
