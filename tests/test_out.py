"""`out=`: which functions take it, and what it does to the tensors it is given."""

import json
import tomllib
import warnings
from pathlib import Path

import numpy as np
import pytest

import rustorch

from tests.op_samples import SAMPLES
from tests.sample import Call, Sample, listed, to_array

HERE = Path(__file__).parent
ROWS = [
    row
    for file in sorted((HERE.parent / "crates/backend/ops").glob("*.toml"))
    for row in tomllib.loads(file.read_text())["op"]
]
TAKES_OUT = frozenset(json.loads((HERE / "pytorch_answers/out.json").read_text()))


def native_name(row: dict[str, object]) -> str:
    return "_".join(filter(None, [str(row.get("module", "")).replace(".", "_"), str(row["name"])]))


PUBLIC = [
    row
    for row in ROWS
    if row.get("public", True) and row.get("function", True) and row.get("module") != "nn.functional"
]


@pytest.mark.rustorch_only
@pytest.mark.parametrize("name", sorted({native_name(row) for row in PUBLIC}))
def test_takes_out_as_pytorchs_twin(name: str) -> None:
    """The column `out` says what PyTorch's function does."""
    function = getattr(rustorch._C, name)
    text = function.__text_signature__ or ""
    takes = "out=None" in text
    if text == "(*args, **kwargs)":
        with pytest.raises(TypeError) as error:
            function(object(), object(), object())
        takes = "out=None" in str(error.value)
    assert takes == (name in TAKES_OUT)


def samples() -> list[Sample]:
    # Of all elements there is one median, and PyTorch's takes no `out` then.
    whole = ("median", "nanmedian")
    chosen = [
        s
        for s in SAMPLES
        if not (s.name in whole and isinstance(s.result, str)) and s.function and s.name.replace(".", "_") in TAKES_OUT
    ]
    return [s for s in chosen if not s.name.startswith("nn.")]


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_out_holds_the_result(sample: Sample, device: str) -> None:
    """The results stand in the targets, whatever those held, and the targets come back."""
    dtype = sample.dtypes[0]
    for case in sample.cases_for(dtype):
        call = Call(sample, case, dtype, device)
        args, kwargs = call.bind(call.tensors())
        want = listed(sample.call(*args, **kwargs))
        targets = [rustorch.empty(0, dtype=w.dtype) for w in want]
        several = isinstance(sample.call(*args, **kwargs), tuple)
        for _ in range(2):  # empty, then full
            got = listed(sample.call(*args, **kwargs, out=tuple(targets) if several else targets[0]))
            for result, target, expected in zip(got, targets, want, strict=True):
                assert result is target
                assert target.shape == expected.shape
                assert target.dtype == expected.dtype
                np.testing.assert_array_equal(to_array(target), to_array(expected))


x = rustorch.tensor([1.0, 2.0, 3.0])


def test_strided_targets_keep_their_place() -> None:
    base = rustorch.zeros(3, 2)
    out = base[:, 1]
    assert rustorch.add(x, 1, out=out) is out
    assert base.tolist() == [[0, 2], [0, 3], [0, 4]]
    assert out.stride() == (2,)


def test_the_target_may_be_an_input() -> None:
    y = rustorch.arange(4.0)
    rustorch.mul(y[1:], y[:-1].clone(), out=y[1:])
    rustorch.sub(y, 1, out=y)
    assert y.tolist() == [-1, -1, 1, 5]


def test_another_shape_is_resized_with_a_warning() -> None:
    out = rustorch.zeros(5)
    with pytest.warns(UserWarning, match=r"shape \[5\], which does not match the required output shape \[3\]"):
        rustorch.neg(x, out=out)
    assert out.tolist() == [-1, -2, -3]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rustorch.outer(x, x, out=rustorch.empty(0)).shape == (3, 3)


def test_dtypes_are_cast_as_far_as_that_is_allowed() -> None:
    wide = rustorch.zeros(3, dtype=rustorch.float64)
    rustorch.add(x, x, out=wide)
    assert wide.tolist() == [2, 4, 6]
    with pytest.raises(RuntimeError, match="can't be cast to the desired output type"):
        rustorch.add(x, x, out=rustorch.zeros(3, dtype=rustorch.int64))
    rustorch.lt(x, 2, out=wide)
    assert wide.tolist() == [1, 0, 0]


def test_the_target_gives_the_dtype() -> None:
    """Where an op has a dtype argument and it is not given."""
    out = rustorch.empty(0, dtype=rustorch.float64)
    assert rustorch.sum(rustorch.tensor([1, 2]), 0, out=out).item() == 3
    assert rustorch.arange(3, out=rustorch.empty(0, dtype=rustorch.int32)).dtype == rustorch.int32
    assert rustorch.zeros(2, out=rustorch.empty(0, dtype=rustorch.bool)).tolist() == [False, False]
    with pytest.raises(RuntimeError, match="dtype"):
        rustorch.zeros(2, dtype=rustorch.float32, out=out)


def test_gradients_are_refused() -> None:
    leaf = rustorch.ones(3, requires_grad=True)
    message = "add.*arguments don't support automatic differentiation"
    for call in (
        lambda: rustorch.add(leaf, 1, out=rustorch.empty(3)),
        lambda: rustorch.add(x, 1, out=leaf),
    ):
        with pytest.raises(RuntimeError, match=message):
            call()
    with rustorch.no_grad():
        assert rustorch.add(leaf, 1, out=leaf) is leaf
    assert leaf.requires_grad
    assert leaf.tolist() == [2, 2, 2]


def test_a_write_counts_as_a_change_in_place() -> None:
    w = rustorch.ones(3, requires_grad=True)
    y = x.clone()
    loss = (w * y).sum()
    rustorch.add(y, 1, out=y)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_several_results_need_as_many_targets() -> None:
    values, places = rustorch.empty(0), rustorch.empty(0, dtype=rustorch.int64)
    result = rustorch.max(x, 0, out=(values, places))
    assert result.values is values
    assert result.indices is places
    assert (values.item(), places.item()) == (3, 2)
    for wrong in (values, (values,)):
        with pytest.raises(TypeError):
            rustorch.max(x, 0, out=wrong)


def test_what_is_no_tensor_is_refused() -> None:
    with pytest.raises(TypeError, match="out"):
        rustorch.add(x, 1, out=[0.0])
    with pytest.raises(TypeError):
        x.add(1, out=x)
    assert rustorch.add(x, 1, out=None).tolist() == [2, 3, 4]
    with pytest.raises(RuntimeError, match=r"single memory location|more than one element"):
        rustorch.add(x, 1, out=rustorch.zeros(1).expand(3))
