"""Random shapes, indices and layouts: gathers and scatters agree with NumPy loops, and gradients with transposes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as arrays

import rustorch

from tests.laid_out_tensors import DTYPES, FLOATS, Array, assert_equal, examples, in_some_layout, on_device, values

SHAPES = arrays.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)
Drawn = tuple[Array, rustorch.Tensor]


def drawn(data: st.DataObject, shape: tuple[int, ...], dtype: str) -> Drawn:
    array = data.draw(values(shape, dtype))
    return array, data.draw(in_some_layout(array))


def indices(data: st.DataObject, shape: tuple[int, ...], size: int, distinct: int | None = None) -> Drawn:
    """Places along a dimension of this size; with `distinct`, none twice along that dimension of the index."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    array = np.asarray(rng.integers(0, size, shape))
    if distinct is not None:
        moved = np.moveaxis(array, distinct, -1)
        for place in np.ndindex(*moved.shape[:-1]):
            moved[place] = rng.permutation(size)[: moved.shape[-1]]
    return array, data.draw(in_some_layout(array))


def index_shape(data: st.DataObject, shape: tuple[int, ...], dim: int, longest: int) -> tuple[int, ...]:
    """An index may be smaller than what it goes into, and of any length along the dimension."""
    return tuple(data.draw(st.integers(0, longest if d == dim else n)) for d, n in enumerate(shape))


def at(place: tuple[int, ...], dim: int, index: int) -> tuple[int, ...]:
    return (*place[:dim], int(index), *place[dim + 1 :])


@examples(60)
@given(data=st.data())
def test_gather(data: st.DataObject) -> None:
    shape, dtype = data.draw(SHAPES), data.draw(st.sampled_from(DTYPES))
    dim = data.draw(st.integers(0, len(shape) - 1))
    array, tensor = drawn(data, shape, dtype)
    index, places = indices(data, index_shape(data, shape, dim, 5), shape[dim])
    want = np.zeros(index.shape, array.dtype)
    for place in np.ndindex(*index.shape):
        want[place] = array[at(place, dim, index[place])]
    signed = data.draw(st.sampled_from([dim, dim - len(shape)]))
    assert_equal(tensor.gather(signed, places), want, dtype)


REDUCE: dict[str, Callable[[Any, Any], Any]] = {
    "sum": np.add,
    "prod": np.multiply,
    "amax": np.maximum,
    "amin": np.minimum,
    "mean": np.add,
}


@pytest.mark.parametrize("name", ["scatter", "scatter_add", *REDUCE])
@examples(40)
@given(data=st.data())
def test_scatter(name: str, data: st.DataObject) -> None:
    """Into a copy and in place; the source may be larger than the index."""
    shape = data.draw(SHAPES)
    dtype = data.draw(st.sampled_from(FLOATS if name == "mean" else [d for d in DTYPES if d != "bool"]))
    dim = data.draw(st.integers(0, len(shape) - 1))
    array, tensor = drawn(data, shape, dtype)
    own = index_shape(data, shape, dim, shape[dim])
    index, places = indices(data, own, shape[dim], dim if name == "scatter" else None)
    wider = tuple(n + data.draw(st.integers(0, 1)) for n in own)
    source, src = drawn(data, wider, dtype)
    include = name not in REDUCE or data.draw(st.booleans())
    want, count = array.copy(), np.full(shape, int(include))
    for place in np.ndindex(*own):
        target = at(place, dim, index[place])
        if name == "scatter" or count[target] == 0:
            want[target] = source[place]
        else:
            want[target] = REDUCE.get(name, np.add)(want[target], source[place])
        count[target] += 1
    if name == "mean":
        want = want / np.maximum(count, 1).astype(dtype)
    arguments = (dim, places, src, name) if name in REDUCE else (dim, places, src)
    kwargs = {"include_self": include} if name in REDUCE else {}
    method = "scatter_reduce" if name in REDUCE else name
    exact = name not in ("mean", "prod")
    assert_equal(getattr(tensor, method)(*arguments, **kwargs), want, dtype, exact)
    assert_equal(tensor, array, dtype)
    assert getattr(tensor, method + "_")(*arguments, **kwargs) is tensor
    assert_equal(tensor, want, dtype, exact)


@examples(60)
@given(data=st.data())
def test_along_one_dimension(data: st.DataObject) -> None:
    """Whole slices, by a vector of places."""
    shape = data.draw(SHAPES)
    dtype = data.draw(st.sampled_from([d for d in DTYPES if d != "bool"]))
    dim = data.draw(st.integers(0, len(shape) - 1))
    array, tensor = drawn(data, shape, dtype)
    index, places = indices(data, (data.draw(st.integers(0, shape[dim])),), shape[dim], 0)
    assert_equal(tensor.index_select(dim, places), array.take(index, dim), dtype)
    source, src = drawn(data, (*shape[:dim], len(index), *shape[dim + 1 :]), dtype)
    key = (slice(None),) * dim + (index,)
    want = array.copy()
    want[key] = source
    assert_equal(tensor.index_copy(dim, places, src), want, dtype)
    want = array.copy()
    want[key] = 2
    assert_equal(tensor.index_fill(dim, places, 2), want, dtype)
    repeated, again = indices(data, (len(index),), shape[dim])
    want = array.copy()
    np.add.at(want, (slice(None),) * dim + (repeated,), source)
    assert_equal(tensor.index_add(dim, again, src), want, dtype)
    flat, spots = indices(data, (3, 2), array.size)
    assert_equal(tensor.take(spots), array.reshape(-1)[flat], dtype)


@examples(60)
@given(data=st.data())
def test_masks(data: st.DataObject) -> None:
    """A mask broadcasts to what it chooses from."""
    shape, dtype = data.draw(SHAPES), data.draw(st.sampled_from(DTYPES))
    array, tensor = drawn(data, shape, dtype)
    own = tuple(data.draw(st.sampled_from([1, n])) for n in shape)[data.draw(st.integers(0, len(shape))) :]
    mask, chosen = drawn(data, own, "bool")
    wide = np.broadcast_to(mask, shape)
    assert_equal(tensor.masked_select(chosen), array[wide], dtype)
    assert_equal(tensor.masked_fill(chosen, 1), np.where(wide, np.ones((), array.dtype), array), dtype)
    source, src = drawn(data, (array.size,), dtype)
    want = array.copy()
    want[wide] = source[: wide.sum()]
    assert_equal(tensor.masked_scatter(chosen, src), want, dtype)


LINEAR: dict[str, Callable[..., rustorch.Tensor]] = {
    "gather": lambda x, s, dim, i: x.gather(dim, i),
    "scatter": lambda x, s, dim, i: x.scatter(dim, i, s),
    "scatter_add": lambda x, s, dim, i: x.scatter_add(dim, i, s),
    "scatter_reduce": lambda x, s, dim, i: x.scatter_reduce(dim, i, s, "mean"),
    "index_put": lambda x, s, dim, i: x.index_put((i,), s[0, ..., :1].sum() * x.new_ones(()), True),
    "take": lambda x, s, dim, i: x.take(i),
    "take_along_dim": lambda x, s, dim, i: x.take_along_dim(i, dim),
}


@pytest.mark.parametrize("name", LINEAR)
@examples(25)
@given(data=st.data())
def test_gradients_are_transposes(name: str, data: st.DataObject) -> None:
    """The op is linear in what is read and what is written: <v, A d> = <A' v, d> for any v and d."""
    shape = data.draw(arrays.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=4))
    dim = data.draw(st.integers(0, len(shape) - 1))
    _, places = indices(data, shape, min(shape), dim if name == "scatter" and len(set(shape)) == 1 else None)
    if name == "scatter" and len(set(shape)) > 1:
        _, places = indices(data, shape, shape[dim], dim)
    rng = np.random.default_rng(3)
    x, s, dx, ds = (rng.uniform(-1, 1, shape) for _ in range(4))
    leaves = [data.draw(in_some_layout(array)).requires_grad_() for array in (x, s)]
    result = LINEAR[name](*leaves, dim, places)
    weight = np.asarray(rng.uniform(-1, 1, tuple(result.shape)))
    gradients = rustorch.autograd.grad(result, leaves, on_device(weight), allow_unused=True)
    got = sum((g.numpy(force=True) * d).sum() for g, d in zip(gradients, (dx, ds), strict=True) if g is not None)
    moved = LINEAR[name](on_device(dx), on_device(ds), dim, places)
    np.testing.assert_allclose(got, (moved.numpy(force=True) * weight).sum(), rtol=1e-11, atol=1e-12)
