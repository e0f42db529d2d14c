"""Random shapes that broadcast, of random dtypes: binary ops agree with NumPy's in PyTorch's dtypes, and gradients with
the shapes of their operands."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as arrays

import rustorch

from tests.laid_out_tensors import DTYPES, FLOATS, Array, assert_equal, examples, in_some_layout, values

pytestmark = pytest.mark.filterwarnings("ignore")
RANK = {"bool": 0, "uint8": 1, "int8": 1, "int16": 1, "int32": 1, "int64": 1, "float32": 2, "float64": 2}


def promoted(*operands: tuple[str, int]) -> str:
    """PyTorch's dtype for operands of these dtypes and numbers of dimensions.

    Those without dimensions count only where their kind, float over integer over bool, is higher.
    """
    wide = [dtype for dtype, ndim in operands if ndim > 0]
    narrow = [dtype for dtype, ndim in operands if ndim == 0]
    kinds = [max((RANK[dtype] for dtype in group), default=-1) for group in (wide, narrow)]
    chosen = wide if kinds[0] >= kinds[1] else narrow
    kind = max(kinds)
    names = [dtype for dtype in chosen if RANK[dtype] == kind]
    return str(np.result_type(*names))


def floating(dtype: str) -> str:
    return dtype if dtype in FLOATS else "float32"


# By name: the reference, the dtypes refused, the result's dtype, whether the second operand must not be zero.
OPS: dict[str, tuple[Callable[..., Any], tuple[str, ...], Callable[[str], str], bool]] = {
    "add": (np.add, (), str, False),
    "sub": (np.subtract, ("bool",), str, False),
    "mul": (np.multiply, (), str, False),
    "div": (np.divide, (), floating, False),
    "floor_divide": (np.floor_divide, ("bool",), str, True),
    "remainder": (np.remainder, ("bool",), str, True),
    "fmod": (np.fmod, ("bool",), str, True),
    "maximum": (np.maximum, (), str, False),
    "minimum": (np.minimum, (), str, False),
    "fmax": (np.fmax, (), str, False),
    "copysign": (np.copysign, (), floating, False),
    "hypot": (np.hypot, ("bool", "uint8", "int8", "int16", "int32", "int64"), str, False),
    "atan2": (np.arctan2, (), floating, False),
    "eq": (np.equal, (), lambda dtype: "bool", False),
    "lt": (np.less, (), lambda dtype: "bool", False),
    "ge": (np.greater_equal, (), lambda dtype: "bool", False),
    "logical_xor": (lambda x, y: np.logical_xor(x, y), (), lambda dtype: "bool", False),
    "bitwise_and": (np.bitwise_and, FLOATS, str, False),
}


def operand(shape: tuple[int, ...], dtype: str, nonzero: bool) -> st.SearchStrategy[tuple[Array, rustorch.Tensor]]:
    return values(shape, dtype, special=not nonzero, nonzero=nonzero).flatmap(
        lambda array: in_some_layout(array).map(lambda tensor: (array, tensor))
    )


@pytest.mark.parametrize("name", OPS)
@examples(40)
@given(data=st.data())
def test_values_and_dtypes(name: str, data: st.DataObject) -> None:
    """The operands are promoted first; the op is computed in the dtype that they share."""
    reference, refused, result, nonzero = OPS[name]
    shapes = data.draw(arrays.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=4))
    kinds = [d for d in DTYPES if d not in refused]
    (a, x), (b, y) = (
        data.draw(operand(shape, data.draw(st.sampled_from(kinds)), nonzero and i == 1))
        for i, shape in enumerate(shapes.input_shapes)
    )
    common = promoted((str(a.dtype), a.ndim), (str(b.dtype), b.ndim))
    out = result(common)
    compute = out if out in FLOATS else common
    want = np.broadcast_to(reference(a.astype(compute), b.astype(compute)), shapes.result_shape)
    got = getattr(rustorch, name)(x, y)
    assert_equal(got, want, out, exact=name not in ("div", "hypot", "atan2"))
    if out == str(a.dtype) and a.shape == shapes.result_shape and hasattr(x, name + "_"):
        assert getattr(x, name + "_")(y) is x
        assert_equal(x, want, out, exact=name not in ("div", "hypot", "atan2"))


@examples(40)
@given(data=st.data())
def test_numbers(data: st.DataObject) -> None:
    """A Python number has no dtype of its own beyond bool, integer or float."""
    dtype = data.draw(st.sampled_from(DTYPES))
    array, tensor = data.draw(operand(data.draw(arrays.array_shapes(min_dims=0, max_dims=2)), dtype, nonzero=False))
    number = data.draw(st.sampled_from([True, 3, -2, 0.5, -1.25]))
    kind = {bool: "bool", int: "int64", float: "float32"}[type(number)]
    out = promoted((dtype, 1), (kind, 0))
    for name, function in (("add", np.add), ("mul", np.multiply)):
        want = function(array.astype(out), np.asarray(number).astype(out))
        assert_equal(getattr(tensor, name)(number), want, out)
    if out != "bool":
        assert_equal(number - tensor, np.asarray(number).astype(out) - array.astype(out), out)


@examples(60)
@given(data=st.data())
def test_where(data: st.DataObject) -> None:
    shapes = data.draw(arrays.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, min_side=0, max_side=4))
    (m, mask), (a, x), (b, y) = (
        data.draw(operand(shape, "bool" if i == 0 else data.draw(st.sampled_from(DTYPES)), nonzero=False))
        for i, shape in enumerate(shapes.input_shapes)
    )
    out = promoted((str(a.dtype), a.ndim), (str(b.dtype), b.ndim))
    want = np.broadcast_to(np.where(m, a.astype(out), b.astype(out)), shapes.result_shape)
    assert_equal(rustorch.where(mask, x, y), want, out)


# By name: the derivatives by both operands.
DERIVATIVES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "add": (lambda x, y: np.ones_like(x * y), lambda x, y: np.ones_like(x * y)),
    "sub": (lambda x, y: np.ones_like(x * y), lambda x, y: -np.ones_like(x * y)),
    "mul": (lambda x, y: y + 0 * x, lambda x, y: x + 0 * y),
    "div": (lambda x, y: 1 / y + 0 * x, lambda x, y: -x / y**2),
    "pow": (lambda x, y: y * x ** (y - 1), lambda x, y: x**y * np.log(x)),
    "hypot": (lambda x, y: x / np.hypot(x, y), lambda x, y: y / np.hypot(x, y)),
    "atan2": (lambda x, y: y / (x**2 + y**2), lambda x, y: -x / (x**2 + y**2)),
    "maximum": (lambda x, y: (x > y) * 1.0, lambda x, y: (y > x) * 1.0),
}


def summed_to(array: Array, shape: tuple[int, ...]) -> Array:
    """What flows back to an operand that was broadcast."""
    array = array.sum(axis=tuple(range(array.ndim - len(shape))))
    return array.sum(axis=tuple(d for d, n in enumerate(shape) if n == 1), keepdims=True)


@pytest.mark.parametrize("name", DERIVATIVES)
@examples(25)
@given(data=st.data())
def test_gradients_are_summed_to_the_operands(name: str, data: st.DataObject) -> None:
    shapes = data.draw(arrays.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=4))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    a, b = (np.asarray(rng.uniform(0.5, 2.0, shape)) for shape in shapes.input_shapes)
    x, y = (data.draw(in_some_layout(array)).requires_grad_() for array in (a, b))
    flowing = np.asarray(rng.uniform(-1, 1, shapes.result_shape))
    result = getattr(rustorch, name)(x, y)
    gradients = rustorch.autograd.grad(result, [x, y], data.draw(in_some_layout(flowing)))
    for got, derivative, array in zip(gradients, DERIVATIVES[name], (a, b), strict=True):
        want = summed_to(flowing * derivative(a, b), array.shape)
        assert (tuple(got.shape), got.dtype) == (array.shape, rustorch.float64)
        np.testing.assert_allclose(got.numpy(force=True), want, rtol=1e-12, atol=1e-13)
