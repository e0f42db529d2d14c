"""float16 and bfloat16: an op computes in float32 and rounds once, whatever kernels it is made of."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import rustorch
from rustorch.nn import functional as F

from tests.op_samples import SAMPLES
from tests.sample import Call, Sample, round_to, to_array, to_tensor

HALVES = ("float16", "bfloat16")
DIGITS = {"float16": (11, -14), "bfloat16": (8, -126)}
# What float32 itself loses in sums of a few dozen terms of size 1.
FLOAT32 = 1e-5

# Their bin edges are results of half precision, by which elements are counted.
BY_ROUNDED_RESULTS = {"histogram", "histc", "histogramdd"}

# Their gradients' formulas take differences of the rounded result, as PyTorch's do.
FROM_ROUNDED_RESULTS = {
    "nn.functional.softmin",
    "sinc",
    "softmax",
    "special.i1e",
    "special.scaled_modified_bessel_k0",
    "special.spherical_bessel_j0",
    "tanh",
}


def takes_floats(sample: Sample) -> bool:
    return "float32" in sample.dtypes and sample.name not in BY_ROUNDED_RESULTS


def spacing(values: NDArray[Any], dtype: str) -> NDArray[Any]:
    """The distance from each value to the next that the dtype holds."""
    digits, least = DIGITS[dtype]
    size = np.where(np.isfinite(values) & (values != 0), np.abs(values), 2.0**least)
    return np.exp2(np.maximum(np.floor(np.log2(size)), least) - digits + 1)


def half_calls(sample: Sample, dtype: str, device: str) -> list[Call]:
    cases = (case for case in sample.cases if case.dtypes is None or "float32" in case.dtypes)
    return [Call(sample, case, dtype, device) for case in cases]


PARAMETERS = [
    pytest.param(sample, dtype, id=f"{sample.name}-{dtype}")
    for sample in SAMPLES
    if takes_floats(sample)
    for dtype in HALVES
]


@pytest.mark.parametrize(("sample", "dtype"), PARAMETERS)
def test_values_are_rounded_once(sample: Sample, dtype: str, device: str) -> None:
    """The result is that of float64, rounded, or a neighbour of it."""
    for call in half_calls(sample, dtype, device):
        try:
            results = call.run(call.tensors())
        except rustorch.DTypeError as error:
            pytest.skip(str(error))
        for got, want, kind in zip(results, call.expected(), call.result_dtypes(len(results)), strict=True):
            if kind != dtype:
                continue
            error = np.abs(to_array(got).astype(np.float64) - want)
            with np.errstate(invalid="ignore"):
                fine = (error <= spacing(want, dtype) + FLOAT32) | ~np.isfinite(want)
            assert fine.all(), f"{call.case}: {to_array(got)[~fine]} for {want[~fine]}"


def has_exact_gradient(sample: Sample) -> bool:
    return sample.grad and sample.name not in FROM_ROUNDED_RESULTS


def gradients(call: Call, dtype: str) -> list[NDArray[Any]]:
    """Those of the call's values taken in `dtype`, for weights of the results that the call's own dtype holds."""
    smooth = [i for i, spec in enumerate(call.specs) if spec.dtype is None and spec.grad]
    pairs = zip(call.arrays, call.specs, strict=True)
    tensors = [to_tensor(array, spec.dtype or dtype, call.device) for array, spec in pairs]
    for i in smooth:
        tensors[i].requires_grad_()
    rustorch.manual_seed(0)
    outputs = [t for t in call.run(tensors) if t.requires_grad]
    if not outputs:
        return []
    rng = np.random.default_rng(0)
    weights = [round_to(rng.uniform(0.5, 1, tuple(t.shape)), call.dtype) for t in outputs]
    rustorch.autograd.backward(outputs, [to_tensor(w, dtype, call.device) for w in weights])
    return [to_array(g).astype(np.float64) for g in (tensors[i].grad for i in smooth) if g is not None]


@pytest.mark.parametrize(("sample", "dtype"), [p for p in PARAMETERS if has_exact_gradient(p.values[0])])
def test_gradients_are_rounded_once(sample: Sample, dtype: str, device: str) -> None:
    """They are those of float64, up to two steps of the largest one."""
    for call in half_calls(sample, dtype, device):
        try:
            got = gradients(call, dtype)
        except rustorch.DTypeError as error:
            pytest.skip(str(error))
        for half, exact in zip(got, gradients(call, "float64"), strict=True):
            want = round_to(exact, dtype)
            finite = np.isfinite(want) & np.isfinite(half)
            largest = np.abs(want[finite]).max(initial=0.0)
            error = np.abs(half - want)[finite].max(initial=0.0)
            assert error <= 2 * spacing(np.array(largest), dtype) + FLOAT32, f"{call.case}: {half} for {want}"


WIDE = {
    "addmm": lambda c, a, b, k: rustorch.addmm(c[0], a[0], b[0], beta=k, alpha=k / 8),
    "addmm of a vector": lambda c, a, b, k: rustorch.addmm(c[0, 0], a[0], b[0], alpha=k / 8),
    "addmv": lambda c, a, b, k: rustorch.addmv(c[0, 0, :3], a[0], b[0, :, 0], beta=k, alpha=k / 8),
    "addr": lambda c, a, b, k: rustorch.addr(c[0], a[0, :, 0], b[0, 0], beta=k, alpha=k / 2),
    "addbmm": lambda c, a, b, k: rustorch.addbmm(c[0], a, b, beta=k, alpha=k / 8),
    "baddbmm": lambda c, a, b, k: rustorch.baddbmm(c, a, b, beta=k, alpha=k / 8),
    "baddbmm without input": lambda c, a, b, k: rustorch.baddbmm(c, a, b, beta=0, alpha=k / 8),
    "addcmul": lambda c, a, b, k: rustorch.addcmul(c[0, 0], a[0, 0, :4], b[0, 0], value=k / 2),
    "addcdiv": lambda c, a, b, k: rustorch.addcdiv(c[0, 0], a[0, 0, :4] * 128, b[0, 0], value=k / 2),
    "ldexp": lambda c, a, b, k: rustorch.ldexp(a / 2**13, rustorch.full((), 17, device=a.device)) * k,
    "lerp": lambda c, a, b, k: rustorch.lerp(c, -c, k),
    "normalize": lambda c, a, b, k: F.normalize(a * 128, dim=-1),
    "cosine_similarity": lambda c, a, b, k: F.cosine_similarity(a * 128, a.flip(-1) * 128, dim=-1),
    "std": lambda c, a, b, k: (a * 128).std(-1),
    "std of small numbers": lambda c, a, b, k: (a / 2**22).std(-1),
    "mse_loss": lambda c, a, b, k: F.mse_loss(a, a.flip(-1)),
    "batch_norm": lambda c, a, b, k: F.batch_norm(a, b[0, 0, :3] * 4, a[0, :, 1].abs() * 64, c[0, :, 0], -c[0, :, 0]),
    "rms_norm": lambda c, a, b, k: F.rms_norm(a / 1024, (6,)),
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", WIDE)
def test_what_is_large_on_the_way_only(name: str, dtype: str, seed: int, device: str) -> None:
    """Products, squares and sums that the dtype does not hold, in results that it does; and their gradients.

    The ops before it change nothing but exponents and signs, so that they round nothing.
    """
    rng = np.random.default_rng(seed)
    shapes = [(2, 3, 4), (2, 3, 6), (2, 6, 4)]
    arrays = [round_to(rng.uniform(9, 300, shape) * rng.choice([-1, 1], shape), dtype) for shape in shapes]

    def run(kind: str) -> list[NDArray[Any]]:
        tensors = [to_tensor(array, kind, device).requires_grad_() for array in arrays]
        result = WIDE[name](*tensors, 2.0**-7)
        result.backward(rustorch.full_like(result, 2.0**-4))
        return [to_array(t).astype(np.float64) for t in (result, *(t.grad for t in tensors)) if t is not None]

    for got, exact in zip(run(dtype), run("float64"), strict=True):
        want = round_to(exact, dtype)
        assert np.isfinite(want).all()
        largest = np.abs(want).max()
        assert np.abs(got - want).max() <= 2 * spacing(np.array(largest), dtype) + FLOAT32
