"""Every op of op_samples.py: values, dtypes, broadcasting, strides, special values, gradients, all forms."""

import itertools
import operator
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rustorch

from tests.finite_differences import check_gradients, check_second_gradients
from tests.op_samples import SAMPLES, WITHOUT_SAMPLE
from tests.sample import Call, Sample, assert_close, listed, round_to, to_array, to_tensor

ROWS = [
    row
    for file in sorted((Path(__file__).parents[1] / "crates/backend/ops").glob("*.toml"))
    for row in tomllib.loads(file.read_text())["op"]
]


def over_calls(
    keep: Callable[[Sample], bool] = lambda sample: True,
    dtypes: Callable[[Sample], tuple[str, ...]] = lambda sample: sample.dtypes,
) -> Callable[[Callable[[Call], None]], Callable[..., None]]:
    """Runs a test of one call over the cases of each sample and dtype; every failure says in which case it happened."""
    parameters = [
        pytest.param(sample, dtype, id=f"{sample.name}-{dtype}")
        for sample in filter(keep, SAMPLES)
        for dtype in dtypes(sample)
    ]

    def decorate(test: Callable[[Call], None]) -> Callable[..., None]:
        @pytest.mark.parametrize(("sample", "dtype"), parameters)
        def run(sample: Sample, dtype: str, device: str) -> None:
            failures: list[BaseException] = []
            for case in sample.cases_for(dtype):
                try:
                    test(Call(sample, case, dtype, device))
                except (Exception, pytest.fail.Exception) as error:
                    error.add_note(f"in {sample.name}({case})")
                    failures.append(error)
            if len(failures) > 1:
                raise BaseExceptionGroup(f"{len(failures)} calls of {sample.name}", failures)
            if failures:
                raise failures[0]

        run.__name__, run.__doc__ = test.__name__, test.__doc__
        return run

    return decorate


def one_dtype(sample: Sample) -> tuple[str, ...]:
    """Where the dtype cannot matter, one is enough."""
    return ("float32",) if "float32" in sample.dtypes else sample.dtypes[:1]


def float64_if_smooth(sample: Sample) -> tuple[str, ...]:
    return ("float64",) if sample.grad else ()


def check(results: list[rustorch.Tensor], call: Call) -> None:
    want = call.expected()
    for got, array, dtype in zip(results, want, call.result_dtypes(len(want)), strict=True):
        assert_close(got, array, dtype)


@over_calls()
def test_values(call: Call) -> None:
    """Result, dtype and shape are the reference's, and the inputs are left alone."""
    tensors = call.tensors()
    check(call.run(tensors), call)
    for tensor, array in zip(tensors, call.arrays, strict=True):
        np.testing.assert_array_equal(to_array(tensor).astype(array.dtype), array, err_msg="an input was changed")


@over_calls(keep=lambda sample: sample.name != "view", dtypes=one_dtype)
def test_strided_inputs(call: Call) -> None:
    """Inputs that are transposed, take every second element, and start within their storage."""

    def strided(array: np.ndarray, dtype: str) -> rustorch.Tensor:
        if array.ndim == 0:
            return to_tensor(np.stack([array, array]), dtype, call.device)[1]
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1] + 1), array.dtype)
        wide[..., 1::2] = array
        reversed_axes = to_tensor(np.ascontiguousarray(wide.T), dtype, call.device)
        return reversed_axes.permute(*reversed(range(array.ndim)))[..., 1::2]

    pairs = zip(call.arrays, call.specs, strict=True)
    check(call.run([strided(array, spec.dtype or call.dtype) for array, spec in pairs]), call)


def smooth_part(call: Call) -> tuple[Callable[..., list[rustorch.Tensor]], list[np.ndarray], str]:
    """The call as a function of the tensors by which it can be differentiated; their values; the device."""
    smooth = [i for i, spec in enumerate(call.specs) if spec.dtype is None and spec.grad]

    def function(inputs: list[rustorch.Tensor]) -> list[rustorch.Tensor]:
        tensors = call.tensors()
        for i, tensor in zip(smooth, inputs, strict=True):
            tensors[i] = tensor
        return call.run(tensors)

    return function, [call.arrays[i] for i in smooth], call.device


@over_calls(dtypes=float64_if_smooth)
def test_gradients(call: Call) -> None:
    """backward agrees with finite differences."""
    check_gradients(*smooth_part(call))


@over_calls(keep=lambda sample: sample.second_grad, dtypes=float64_if_smooth)
def test_second_gradients(call: Call) -> None:
    """The gradient's own gradient agrees with finite differences."""
    check_second_gradients(*smooth_part(call))


@over_calls(keep=lambda sample: sample.method and sample.function, dtypes=one_dtype)
def test_method(call: Call) -> None:
    """The method of Tensor is the function."""
    (first, *rest), kwargs = call.bind(call.tensors())
    check(listed(getattr(first, call.sample.name)(*rest, **kwargs)), call)


@over_calls(keep=lambda sample: sample.inplace)
def test_inplace(call: Call) -> None:
    """`name_` writes the result into its first operand and returns it; refuses what does not fit there."""
    want, result_dtype = call.expected()[0], call.result_dtypes(1)[0]
    (first, *rest), kwargs = call.bind(call.tensors())
    method = getattr(first, call.sample.name + "_")
    if want.shape != tuple(first.shape) or result_dtype not in (call.dtype, "bool"):
        with pytest.raises((RuntimeError, TypeError, ValueError)):
            method(*rest, **kwargs)
        return
    address, version = first.data_ptr(), first._version
    assert method(*rest, **kwargs) is first
    assert first.data_ptr() == address
    assert first._version > version
    assert_close(first, round_to(want.astype(np.float64), call.dtype), call.dtype)


SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e-30, 88.0, -88.0, 1e30]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.special_values], ids=lambda s: s.name)
def test_special_values(sample: Sample, dtype: str, device: str) -> None:
    """NaN, infinities, signed zeros, the very large and the very small, in every combination."""
    if dtype not in sample.dtypes:
        pytest.skip(f"{sample.name} does not take {dtype}")
    call = Call(sample, sample.cases[1], dtype, device)
    columns = zip(*itertools.product(SPECIAL, repeat=sample.elementwise), strict=True)
    call.arrays = [round_to(np.array(c), spec.dtype or dtype) for c, spec in zip(columns, call.specs, strict=True)]
    check(call.run(call.tensors()), call)


def full_name(row: dict[str, Any], name: str) -> str:
    """Where Python finds an op: its module, if that is not `rustorch`, and a name."""
    return f"{row['module']}.{name}" if row.get("module") and "." not in name else name


def without_functional(name: str) -> str:
    """The name under which an op is sampled: some are in both `rustorch` and `nn.functional`."""
    return name.removeprefix("nn.functional.")


SAMPLE_OF = {without_functional(sample.name): sample for sample in SAMPLES}


def test_every_public_op_has_an_example() -> None:
    """What help() shows; test_examples.py runs it."""
    public = [r for r in ROWS if r.get("public", True) and not r["name"].startswith("_")]
    public = [r for r in public if r.get("function", True) or r.get("method", True)]
    names = {(row.get("module", ""), row["name"]) for row in public}
    shown = {(row.get("module", ""), row["name"]) for row in public if "example" in row}
    assert sorted(names - shown) == []


def test_every_public_op_has_a_sample() -> None:
    public = {without_functional(full_name(row, row["name"])) for row in ROWS if row.get("public", True)}
    assert public - set(SAMPLE_OF) == set(WITHOUT_SAMPLE)


ALIASES = [(full_name(row, row["name"]), full_name(row, alias)) for row in ROWS for alias in row.get("aliases", [])]


@pytest.mark.parametrize("alias", [a for a in ALIASES if a[0] not in WITHOUT_SAMPLE], ids=str)
def test_aliases(alias: tuple[str, str], device: str) -> None:
    """Another name for an op does the same."""
    name, other = alias
    sample = SAMPLE_OF[without_functional(name)]
    call = Call(sample, sample.cases[0], one_dtype(sample)[0], device)
    args, kwargs = call.bind(call.tensors())
    check(listed(operator.attrgetter(other)(rustorch)(*args, **kwargs)), call)
