"""testing.assert_close says what PyTorch's says; make_tensor makes what it is asked for."""

import json
from pathlib import Path

import numpy as np
import pytest

import rustorch
from rustorch.testing import assert_allclose, assert_close, make_tensor

from tests.pytorch_answers.comparison_cases import CALLS, comparison

ANSWERS = json.loads((Path(__file__).parent / "pytorch_answers/assert_close.json").read_text())
DTYPES = [
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_assert_close_answers_as_pytorch(call: str) -> None:
    got, wanted = comparison(rustorch, call), ANSWERS[call]
    if wanted is not None and wanted[0] != "AssertionError":
        # What cannot be compared, and options that do not fit: in words of our own.
        assert got is not None
        assert (got[0], "assert_close()" in got[1]) == (wanted[0], True)
    else:
        assert got == wanted


def test_assert_close_takes_devices_for_what_differs() -> None:
    x = rustorch.ones(2)
    assert_close(x, x.clone(), check_device=True)
    assert_close([x, {"a": (x, None)}], [x.clone(), {"a": (x.clone(), None)}])


def test_assert_allclose_is_deprecated_and_works() -> None:
    with pytest.warns(FutureWarning, match="assert_close"):
        assert_allclose(rustorch.ones(3), [1, 1, 1.00005])
    with pytest.warns(FutureWarning), pytest.raises(AssertionError, match=r"index \(2,\) \(up to 1e-05 allowed\)"):
        assert_allclose(rustorch.ones(3), [1, 1, 2])
    with pytest.warns(FutureWarning):
        assert_allclose(np.array([float("nan")]), rustorch.tensor([float("nan")], dtype=rustorch.float64))


@pytest.mark.parametrize("name", DTYPES)
def test_make_tensor_has_its_dtypes_range(name: str) -> None:
    dtype = getattr(rustorch, name)
    x = make_tensor(100, 10, dtype=dtype, device="cpu")
    assert (x.dtype, x.shape, x.device.type, x.is_contiguous()) == (dtype, (100, 10), "cpu", True)
    values = x.flatten().tolist()
    low, high = {"bool": (0, 1), "uint8": (0, 9)}.get(name, (-9, 9))
    parts = [part for v in values for part in ((v.real, v.imag) if isinstance(v, complex) else (v,))]
    assert low <= min(parts) <= max(parts) <= high
    # All of a thousand values, or nearly the whole range, are met.
    assert max(parts) - min(parts) > 0.9 * (high - low)


@pytest.mark.parametrize("name", ["int32", "float32", "complex64"])
def test_make_tensor_makes_what_it_is_asked_for(name: str) -> None:
    dtype = getattr(rustorch, name)
    assert make_tensor((2, 3), dtype=dtype, device="cpu").shape == (2, 3)
    assert make_tensor([4], dtype=dtype, device="cpu").shape == (4,)
    assert make_tensor(dtype=dtype, device="cpu").shape == ()
    apart = make_tensor(2, 3, dtype=dtype, device="cpu", noncontiguous=True)
    assert (apart.stride(), apart.is_contiguous()) == ((6, 2), False)
    assert not (make_tensor(500, dtype=dtype, device="cpu", low=-1, high=2, exclude_zero=True) == 0).any()
    channels = make_tensor(2, 3, 4, 5, dtype=dtype, device="cpu", memory_format=rustorch.channels_last)
    assert channels.is_contiguous(memory_format=rustorch.channels_last)
    if name != "int32":
        assert make_tensor(2, dtype=dtype, device="cpu", requires_grad=True).requires_grad


def test_make_tensor_stays_inside_of_the_dtype() -> None:
    assert make_tensor(99, dtype=rustorch.uint8, device="cpu", low=-5, high=3).max() <= 2
    assert make_tensor(99, dtype=rustorch.float16, device="cpu", low=0, high=float("inf")).isfinite().all()
    assert make_tensor(3, dtype=rustorch.float32, device="cpu", low=1, high=1).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("dtype", "options", "words"),
    [
        ("float32", {"low": 2, "high": 1}, "low must be less than high"),
        ("float32", {"low": float("nan")}, "cannot be NaN"),
        ("uint8", {"low": -5, "high": -3}, "has no values from -5 to -3"),
        ("int32", {"low": 0.5, "high": 0.7}, "has no values from 0.5 to 0.7"),
        ("int32", {"requires_grad": True}, "requires_grad=True is not supported"),
        ("float32", {"noncontiguous": True, "memory_format": rustorch.channels_last}, "exclude each other"),
    ],
)
@pytest.mark.rustorch_only
def test_make_tensor_refuses_what_cannot_be(dtype: str, options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make_tensor(2, 2, 2, 2, dtype=getattr(rustorch, dtype), device="cpu", **options)
