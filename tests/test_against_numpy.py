"""Indexing, broadcasting and reductions on shapes that Hypothesis thinks of, held against NumPy."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import rustorch

from tests.arrays import axes, broadcastable, index, numbered, shapes
from tests.sample import to_array, to_tensor

settings.register_profile("rustorch", deadline=None, derandomize=True, max_examples=150)
settings.load_profile("rustorch")


def equal(got: rustorch.Tensor, want: Any) -> None:
    np.testing.assert_array_equal(to_array(got), want)
    assert tuple(got.shape) == np.shape(want)


def as_tensors(item: Any, device: str) -> Any:
    return rustorch.from_numpy(item).to(device) if isinstance(item, np.ndarray) else item


@given(st.data())
def test_basic_indexing(device: str, data: st.DataObject) -> None:
    array = numbered(data.draw(shapes()))
    key = data.draw(index(array.shape, advanced=False))
    x = to_tensor(array, "int64", device)
    equal(x[key], array[key])
    if array[key].size:
        assert x[key].data_ptr() == x.data_ptr() + array[key].__array_interface__["data"][0] - array.ctypes.data


@given(st.data())
def test_advanced_indexing(device: str, data: st.DataObject) -> None:
    array = numbered(data.draw(shapes(1, 4)))
    key = data.draw(index(array.shape, advanced=True))
    x = to_tensor(array, "int64", device)
    try:
        want = array[key]
    except IndexError:
        with pytest.raises((IndexError, RuntimeError, ValueError)):
            x[tuple(as_tensors(k, device) for k in key)]
        return
    equal(x[tuple(as_tensors(k, device) for k in key)], want)


def test_indexing_forms(device: str) -> None:
    array = numbered((3, 4, 5))
    x = to_tensor(array, "int64", device)
    equal(x[True], array[None])
    equal(x[False], array[None][:0])
    equal(x[[0, 2]], array[[0, 2]])
    equal(x[..., [True, False, True, False, True]], array[..., [True, False, True, False, True]])
    equal(x[x > 10], array[array > 10])
    equal(
        x[rustorch.tensor([[True, False, True, False]] * 3, device=device)], array[np.array([[1, 0, 1, 0]] * 3, bool)]
    )
    equal(x[rustorch.tensor(1, device=device)], array[1])
    equal(x[[0, 1], :, [2, 3]], array[[0, 1], :, [2, 3]])
    equal(x[:, [0, 1], [2, 3]], array[:, [0, 1], [2, 3]])
    equal(x[rustorch.tensor([-1, 0], dtype=rustorch.int32, device=device)], array[[-1, 0]])
    equal(x[rustorch.zeros(0, dtype=rustorch.int64, device=device)], array[:0])
    equal(list(x)[1], array[1])


@pytest.mark.parametrize("key", [3, -4, (0, 4), (..., 5), (0, 0, 0, 0), [3], (slice(None), [-5])], ids=str)
def test_index_out_of_range(key: Any, device: str) -> None:
    with pytest.raises(IndexError):
        rustorch.zeros(3, 4, 5, device=device)[key]


def test_bad_indices(device: str) -> None:
    x = rustorch.zeros(3, 4, device=device)
    with pytest.raises((IndexError, TypeError)):
        x[rustorch.tensor([0.5], device=device)]
    with pytest.raises((IndexError, ValueError, RuntimeError)):
        x[rustorch.tensor([True, False], device=device)]
    with pytest.raises((ValueError, RuntimeError)):
        x[::-1]
    with pytest.raises((IndexError, TypeError)):
        x["a"]


BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "maximum": np.maximum,
    "eq": np.equal,
    "lt": np.less,
}


@given(st.sampled_from(sorted(BINARY)), broadcastable(2), st.sampled_from(["int64", "float32"]))
def test_broadcasting(device: str, name: str, pair: list[tuple[int, ...]], dtype: str) -> None:
    a, b = (numbered(shape, dtype) for shape in pair)
    got = getattr(rustorch, name)(to_tensor(a, dtype, device), to_tensor(b, dtype, device))
    equal(got, BINARY[name](a, b))


@given(broadcastable(3))
def test_broadcasting_of_three(device: str, triple: list[tuple[int, ...]]) -> None:
    c, a, b = (numbered(shape, "float32") for shape in triple)
    got = rustorch.where(
        *(to_tensor(t, d, device) for t, d in ((np.asarray(c > 0), "bool"), (a, "float32"), (b, "float32")))
    )
    equal(got, np.where(c > 0, a, b))


@given(broadcastable(2))
def test_gradients_undo_broadcasting(device: str, pair: list[tuple[int, ...]]) -> None:
    """The gradient has the operand's shape: each element's share is summed over what it was repeated for."""
    a, b = (to_tensor(numbered(shape), "float64", device).requires_grad_() for shape in pair)
    (a + b).sum().backward()
    total = np.prod(np.broadcast_shapes(*pair), dtype=int)
    for x in (a, b):
        assert x.grad.shape == x.shape
        if x.numel():
            equal(x.grad, np.full(tuple(x.shape), total / x.numel()))


@given(shapes(1), shapes(1))
def test_shapes_that_do_not_broadcast(device: str, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises((RuntimeError, ValueError)):
            rustorch.zeros(a, device=device) + rustorch.zeros(b, device=device)
    else:
        assert tuple(
            (rustorch.zeros(a, device=device) + rustorch.zeros(b, device=device)).shape
        ) == np.broadcast_shapes(a, b)


REDUCTIONS = {
    "sum": np.sum,
    "any": np.any,
    "all": np.all,
    "amax": np.max,
    "amin": np.min,
    "mean": np.mean,
    "var": np.var,
}


@given(st.sampled_from(sorted(REDUCTIONS)), st.data())
def test_reductions(device: str, name: str, data: st.DataObject) -> None:
    dtype = "float64" if name in ("mean", "var") else "int64"
    array = numbered(data.draw(shapes()), dtype)
    dims, keepdim, turned = data.draw(axes(array.ndim)), data.draw(st.booleans()), data.draw(st.booleans())
    x = to_tensor(array, dtype, device)
    if turned:
        array, x = array.T, x.permute(tuple(reversed(range(x.ndim))))
    kwargs = {"correction": 0} if name == "var" else {}
    if dims is not None:
        kwargs |= {"dim": dims, "keepdim": keepdim}
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            want = REDUCTIONS[name](array, axis=dims, keepdims=keepdim and dims is not None)
    except ValueError:  # the largest of nothing
        with pytest.raises((IndexError, RuntimeError, ValueError)):
            getattr(rustorch, name)(x, **kwargs)
        return
    if array.size or name not in ("mean", "var"):
        np.testing.assert_allclose(to_array(getattr(rustorch, name)(x, **kwargs)), want, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [1, 7, 1000, 100_003])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_long_sums_keep_their_precision(size: int, dtype: str, device: str) -> None:
    """A running sum in the dtype itself would stop growing long before the end."""
    x = rustorch.ones(size, dtype=getattr(rustorch, dtype), device=device)
    assert x.sum(dtype=rustorch.float64).item() == size
    assert x.mean().item() == 1
    if dtype == "float32":
        values = np.random.default_rng(0).random(size, np.float32)
        got = rustorch.from_numpy(values).to(device).sum().item()
        assert abs(got - values.astype(np.float64).sum()) <= 1e-6 * size


def test_reductions_of_nan(device: str) -> None:
    x = rustorch.tensor([[1.0, float("nan"), 3.0], [4.0, 5.0, 6.0]], device=device)
    assert np.isnan(x.sum().item())
    assert np.isnan(x.max().item())
    assert np.isnan(x.amin(1)[0].item())
    assert (x.argmax(1).tolist(), x.argmin(1).tolist()) == ([1, 2], [1, 0])
    assert x.max(1).values[1].item() == 6
    assert x.nansum(1).tolist() == [4, 15]
    assert (x.max(1).indices.tolist(), x.min(dim=0).indices.tolist()) == ([1, 2], [0, 0, 0])
