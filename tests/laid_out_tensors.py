"""What the property tests draw: shapes, dtypes, and tensors of every memory layout beside the arrays they equal."""

from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

import rustorch

Array = NDArray[Any]
FLOATS = ("float64", "float32")
INTEGERS = ("int64", "int32", "int16", "int8", "uint8")
DTYPES = (*FLOATS, *INTEGERS, "bool")
SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
# Few binary digits, so that sums of dozens are exact in every order.
NUMBERS = (-2.0, -1.5, -0.5, -0.0, 0.0, 0.25, 0.75, 1.0, 1.25, 3.0)
SPECIAL = (float("nan"), float("inf"), float("-inf"))


def on_device(array: Array) -> rustorch.Tensor:
    """A tensor of the array's values on the device of --device, which is the default one."""
    return rustorch.from_numpy(array).to(rustorch.get_default_device())


def examples(count: int) -> settings:
    """The same `count` examples in each run; fewer on a device, whose kernels take time to compile."""
    on_cpu = rustorch.get_default_device().type == "cpu"
    return settings(
        max_examples=count if on_cpu else max(count // 5, 5),
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


@st.composite
def values(draw: st.DrawFn, shape: tuple[int, ...], dtype: str, special: bool = False, nonzero: bool = False) -> Array:
    """Small numbers of a dtype, which may repeat."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if dtype in FLOATS:
        pool = [x for x in NUMBERS if x or not nonzero] + (list(SPECIAL) if special and draw(st.booleans()) else [])
        return rng.choice(pool, shape).astype(dtype)
    low, high = (0 if dtype in ("uint8", "bool") else -4), (2 if dtype == "bool" else 6)
    array = np.asarray(rng.integers(low, high, shape))
    return (np.where(array == 0, 1, array) if nonzero else array).astype(dtype)


@st.composite
def in_some_layout(draw: st.DrawFn, array: Array) -> rustorch.Tensor:
    """A tensor of these values: a view of a larger storage with permuted dimensions and steps."""
    shape = array.shape
    order = draw(st.permutations(range(len(shape))))
    steps = [draw(st.integers(1, 2)) for _ in shape]
    starts = [draw(st.integers(0, 1)) for _ in shape]
    wide = np.zeros(tuple(shape[d] * steps[d] + starts[d] for d in order), array.dtype)
    cuts = tuple(slice(starts[d], None if steps[d] == 1 else starts[d] + shape[d] * steps[d], steps[d]) for d in order)
    wide[(*cuts, ...)] = array.transpose([int(d) for d in order])
    return on_device(wide)[(*cuts, ...)].permute([int(d) for d in np.argsort(order)])


@st.composite
def pairs(
    draw: st.DrawFn,
    shapes: st.SearchStrategy[tuple[int, ...]] = SHAPES,
    dtypes: tuple[str, ...] = DTYPES,
    special: bool = False,
) -> tuple[Array, rustorch.Tensor]:
    """An array and a tensor of equal values; now and then one that repeats along a dimension with stride 0."""
    shape = draw(shapes)
    array = draw(values(shape, draw(st.sampled_from(dtypes)), special))
    if shape and draw(st.integers(0, 4)) == 0:
        dim = draw(st.integers(0, len(shape) - 1))
        narrow = np.ascontiguousarray(array.take([0] if shape[dim] else [], dim))
        tensor = draw(in_some_layout(narrow)).expand(*shape) if shape[dim] else draw(in_some_layout(narrow))
        return np.broadcast_to(narrow, shape), tensor
    return array, draw(in_some_layout(array))


def name_of(tensor: rustorch.Tensor) -> str:
    """ "float32" and so on."""
    return str(tensor.dtype).rsplit(".", 1)[-1]


def assert_equal(got: rustorch.Tensor, want: Array, dtype: str, exact: bool = True) -> None:
    """Fails unless dtype, shape and values agree: exactly, or up to a few units in the last place."""
    want = np.asarray(want)
    assert (name_of(got), tuple(got.shape)) == (dtype, want.shape)
    if exact:
        np.testing.assert_array_equal(got.numpy(force=True), want.astype(dtype))
    else:
        tolerance = {"float64": 1e-13, "float32": 1e-6}.get(dtype, 0)
        np.testing.assert_allclose(got.numpy(force=True), want.astype(dtype), rtol=tolerance, atol=1e-36)
