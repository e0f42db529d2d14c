"""Random shapes, strides, dtypes, dims and special values: reductions and scans agree with NumPy's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import rustorch

from tests.laid_out_tensors import (
    DTYPES,
    FLOATS,
    INTEGERS,
    SHAPES,
    Array,
    assert_equal,
    examples,
    in_some_layout,
    on_device,
    pairs,
)

pytestmark = pytest.mark.filterwarnings("ignore")
Reference = Callable[..., Any]


def dims_of(ndim: int, several: bool) -> st.SearchStrategy[Any]:
    """One dimension, several, or all, counted from either end; a tensor without dimensions has the dimension 0."""
    one = st.integers(-max(ndim, 1), max(ndim, 1) - 1)
    if not several or ndim == 0:
        return one
    signed = st.permutations(range(ndim)).flatmap(
        lambda order: st.tuples(st.integers(1, ndim), st.lists(st.booleans(), min_size=ndim, max_size=ndim)).map(
            lambda picked: tuple(
                d - ndim if back else d for d, back in list(zip(order, picked[1], strict=True))[: picked[0]]
            )
        )
    )
    return one | signed


def axis_of(array: Array, dim: Any) -> Any:
    """NumPy has no dimension 0 where there is none."""
    return None if array.ndim == 0 else dim


def reduced(name: str, array: Array, tensor: rustorch.Tensor, dim: Any, keepdim: bool, **kwargs: Any) -> Any:
    """Our result; without a dim, all of the tensor."""
    if dim is None:
        return getattr(tensor, name)(**kwargs)
    return getattr(tensor, name)(dim, keepdim=keepdim, **kwargs)


def total(dtype: str) -> str:
    return dtype if dtype in FLOATS else "int64"


@pytest.mark.parametrize("name", ["sum", "nansum", "prod"])
@examples(80)
@given(data=st.data())
def test_sums_and_products(name: str, data: st.DataObject) -> None:
    """Integers and truth values are counted in int64; nothing sums to 0 and multiplies to 1."""
    array, tensor = data.draw(pairs(special=True))
    dim = data.draw(st.none() | dims_of(array.ndim, several=name != "prod"))
    keepdim = data.draw(st.booleans())
    chosen = data.draw(st.sampled_from([None, "float64", "float32"]))
    out = chosen or total(str(array.dtype))
    kwargs = {} if chosen is None else {"dtype": getattr(rustorch, chosen)}
    widest = array.astype(out).astype("float64" if out in FLOATS else "int64")
    want = getattr(np, name)(widest, axis=axis_of(array, dim), keepdims=keepdim and dim is not None)
    assert_equal(reduced(name, array, tensor, dim, keepdim, **kwargs), want, out, exact=name != "prod")


@examples(120)
@given(data=st.data())
def test_means_and_variances(data: st.DataObject) -> None:
    """The mean of nothing and the variance of what has too few elements are NaN, not errors."""
    array, tensor = data.draw(pairs(dtypes=FLOATS, special=True))
    dim, keepdim = data.draw(st.none() | dims_of(array.ndim, several=True)), data.draw(st.booleans())
    kwargs = {"axis": axis_of(array, dim), "keepdims": keepdim and dim is not None}
    widest = array.astype("float64")
    assert_equal(reduced("mean", array, tensor, dim, keepdim), np.mean(widest, **kwargs), str(array.dtype), exact=False)
    correction = data.draw(st.integers(0, 3))
    for name in ("var", "std"):
        got = reduced(name, array, tensor, dim, keepdim, correction=correction)
        assert_equal(got, getattr(np, name)(widest, ddof=correction, **kwargs), str(array.dtype), exact=False)


@pytest.mark.parametrize("name", ["amax", "amin", "argmax", "argmin"])
@examples(80)
@given(data=st.data())
def test_extremes(name: str, data: st.DataObject) -> None:
    """NaN is the greatest and the least; the first of equals is the place; nothing has no extreme."""
    places = name.startswith("arg")
    array, tensor = data.draw(pairs(dtypes=(*FLOATS, *INTEGERS) if places else DTYPES, special=True))
    dim, keepdim = data.draw(st.none() | dims_of(array.ndim, several=not places)), data.draw(st.booleans())
    call = lambda: reduced(name, array, tensor, dim, keepdim)  # noqa: E731
    try:
        want = getattr(np, name)(array, axis=axis_of(array, dim), keepdims=keepdim and dim is not None)
    except ValueError:
        with pytest.raises((IndexError, RuntimeError)):
            call()
        return
    assert_equal(call(), want, "int64" if places else str(array.dtype))


@pytest.mark.parametrize("name", ["any", "all", "count_nonzero"])
@examples(60)
@given(data=st.data())
def test_truth(name: str, data: st.DataObject) -> None:
    """NaN is true; of uint8, PyTorch gives uint8."""
    array, tensor = data.draw(pairs(special=True))
    dim, keepdim = data.draw(st.none() | dims_of(array.ndim, several=True)), data.draw(st.booleans())
    if name == "count_nonzero":
        assert_equal(tensor.count_nonzero(dim), np.count_nonzero(array, axis=axis_of(array, dim)), "int64")
        return
    want = getattr(np, name)(array != 0, axis=axis_of(array, dim), keepdims=keepdim and dim is not None)
    assert_equal(reduced(name, array, tensor, dim, keepdim), want, "uint8" if array.dtype == np.uint8 else "bool")


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
@examples(80)
@given(data=st.data())
def test_scans(name: str, data: st.DataObject) -> None:
    array, tensor = data.draw(pairs(special=True))
    dim = data.draw(dims_of(array.ndim, several=False))
    out = total(str(array.dtype))
    widest = array.astype("float64" if out in FLOATS else "int64")
    want = getattr(np, name)(widest, axis=dim) if array.ndim else widest
    assert_equal(getattr(tensor, name)(dim), want, out, exact=name == "cumsum")


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "amax", "var", "logsumexp"])
@examples(25)
@given(data=st.data())
def test_gradients_come_back_in_the_shape_of_the_input(name: str, data: st.DataObject) -> None:
    """Along a random direction, the derivative is that of NumPy's function."""
    shape, rng = data.draw(SHAPES), np.random.default_rng(1)
    # Neither ties nor zeros.
    array = np.asarray(rng.permutation(int(np.prod(shape))).reshape(shape) * 0.1 + 0.5)
    leaf = data.draw(in_some_layout(array)).requires_grad_()
    dim = data.draw(dims_of(array.ndim, several=name != "prod"))
    if array.size == 0 and name in ("amax", "var"):
        return

    def reference(x: Array) -> Array:
        axis = axis_of(array, dim)
        if name == "logsumexp":
            return np.log(np.exp(x).sum(axis=axis))
        return getattr(np, name)(x, axis=axis, **({"ddof": 0} if name == "var" else {}))

    result = getattr(leaf, name)(dim, **({"correction": 0} if name == "var" else {}))
    weight, direction = rng.uniform(0.5, 1.5, result.shape), rng.uniform(-1, 1, array.shape)
    (gradient,) = rustorch.autograd.grad(result, leaf, on_device(np.asarray(weight)))
    assert gradient.shape == leaf.shape
    if array.size:
        step = 1e-6
        ahead, behind = reference(array + step * direction), reference(array - step * direction)
        want = ((ahead - behind) / (2 * step) * weight).sum()
        np.testing.assert_allclose((gradient.numpy(force=True) * direction).sum(), want, rtol=1e-6, atol=1e-7)
