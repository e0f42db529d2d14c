"""Random shapes, strides, dtypes and indices: indexing, broadcasting and writes through views agree with NumPy's."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

import rustorch

from tests.laid_out_tensors import examples, on_device

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
quick = examples(60)
DTYPES = ("float32", "float64", "int64", "int32", "int16", "uint8", "bool")
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)


def filled(shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Distinct values as far as the dtype has them."""
    return np.resize(np.arange(251), shape).astype(dtype)


@st.composite
def laid_out(draw: st.DrawFn) -> tuple[NDArray[Any], rustorch.Tensor]:
    """An array and a tensor of the same values, both views of a larger storage, with permuted dimensions and steps."""
    shape, dtype = draw(SHAPES), draw(st.sampled_from(DTYPES))
    order = draw(st.permutations(range(len(shape))))
    steps = [draw(st.integers(1, 2)) for _ in shape]
    starts = [draw(st.integers(0, 1)) for _ in shape]
    inverse = np.argsort(order)
    wide = filled(tuple(shape[d] * steps[d] + starts[d] for d in order), dtype)
    cuts = tuple(slice(starts[d], None, steps[d]) for d in range(len(shape)))
    array = wide.transpose(inverse)[(*cuts, ...)]
    tensor = on_device(wide.copy()).permute([int(d) for d in inverse])[cuts]
    assert array.shape == shape
    return array, tensor


def integer(size: int) -> st.SearchStrategy[int]:
    return st.integers(-size, size - 1) if size else st.nothing()


def part(size: int) -> st.SearchStrategy[Any]:
    """A slice with a positive step, or an integer where there is one."""
    bound = st.none() | st.integers(-size - 2, size + 2)
    return st.builds(slice, bound, bound, st.none() | st.integers(1, 3)) | integer(size)


@st.composite
def basic_key(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Integers and slices for the first dimensions, maybe an ellipsis and some for the last ones, and None anywhere."""
    first = draw(st.integers(0, len(shape)))
    key = [draw(part(size)) for size in shape[:first]]
    if draw(st.booleans()):
        key.append(...)
        last = draw(st.integers(first, len(shape)))
        key += [draw(part(size)) for size in shape[last:]]
    if draw(st.booleans()):
        key.insert(draw(st.integers(0, len(key))), None)
    return tuple(key)


@st.composite
def advanced_key(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Arrays of integers or a mask, among slices and an ellipsis.

    Not integers, which NumPy takes for arrays there and PyTorch does not, nor arrays without dimensions, which PyTorch
    takes for integers.
    """
    joint = draw(arrays.array_shapes(min_dims=1, max_dims=2, max_side=3))
    key: list[Any] = []
    dim = 0
    while dim < len(shape):
        size = shape[dim]
        kind = draw(st.sampled_from(["array", "slice", "mask"]))
        if kind == "mask" and not any(isinstance(k, np.ndarray) for k in key):
            # A mask decides the joint shape, so what follows are arrays of a single index.
            key.append(draw(arrays.arrays(bool, (size,))))
            joint = (1,)
        elif kind == "array" and size:
            own = tuple(draw(st.sampled_from([1, n])) for n in joint)
            key.append(draw(arrays.arrays(np.int64, own, elements=integer(size))))
        else:
            key.append(slice(draw(st.none() | st.integers(-size, size)), None))
        dim += 1
    if draw(st.booleans()) and key and isinstance(key[-1], slice):
        key[-1] = ...
    return tuple(key)


def converted(key: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(on_device(np.array(k)) if isinstance(k, np.ndarray) else k for k in key)


@quick
@given(st.data())
def test_basic_reading_is_a_view(data: st.DataObject) -> None:
    array, tensor = data.draw(laid_out())
    key = data.draw(basic_key(array.shape))
    part = tensor[key]
    np.testing.assert_array_equal(part.numpy(force=True), array[key])
    if part.numel():
        # Writing into what was read writes into where it was read from.
        array[key] = 1
        part.fill_(1)
        np.testing.assert_array_equal(tensor.numpy(force=True), array)


@quick
@given(st.data())
def test_advanced_reading_is_a_copy(data: st.DataObject) -> None:
    array, tensor = data.draw(laid_out())
    key = data.draw(advanced_key(array.shape))
    part = tensor[converted(key)]
    np.testing.assert_array_equal(part.numpy(force=True), array[key])
    if any(isinstance(k, np.ndarray) for k in key):
        part.fill_(1)
        np.testing.assert_array_equal(tensor.numpy(force=True), array)


@quick
@given(st.data())
def test_writing(data: st.DataObject) -> None:
    """A value that broadcasts to what the key selects; the last of several writes to one place wins."""
    array, tensor = data.draw(laid_out())
    key = data.draw(basic_key(array.shape) | advanced_key(array.shape))
    target = array[key].shape
    shape = tuple(data.draw(st.sampled_from([1, n])) for n in target)[data.draw(st.integers(0, len(target))) :]
    value = np.asarray(100 + filled(shape, "int64"))
    array[key] = value
    tensor[converted(key)] = on_device(value)
    np.testing.assert_array_equal(tensor.numpy(force=True), array)


@quick
@given(st.data())
def test_index_put(data: st.DataObject) -> None:
    """With and without accumulation, as a method in place and as a function that leaves its input alone."""
    array, tensor = data.draw(laid_out())
    count = data.draw(st.integers(1, max(array.ndim, 1)))
    joint = data.draw(arrays.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=3))
    if array.ndim == 0 or 0 in array.shape[:count] or array.dtype == bool:
        return
    indices = tuple(data.draw(arrays.arrays(np.int64, joint, elements=integer(n))) for n in array.shape[:count])
    values = filled(joint + array.shape[count:], str(array.dtype))
    accumulate = data.draw(st.booleans())
    want = array.copy()
    if accumulate:
        np.add.at(want, indices, values)
    else:
        want[indices] = values
    got = tensor.index_put(converted(indices), on_device(values), accumulate)
    np.testing.assert_array_equal(got.numpy(force=True), want)
    np.testing.assert_array_equal(tensor.numpy(force=True), array)
    assert tensor.index_put_(converted(indices), on_device(values), accumulate) is tensor
    np.testing.assert_array_equal(tensor.numpy(force=True), want)


@quick
@given(st.data())
def test_broadcasting(data: st.DataObject) -> None:
    shapes = data.draw(arrays.mutually_broadcastable_shapes(num_shapes=3, max_dims=4, min_side=0, max_side=4))
    tensors = [on_device(filled(shape, "int64")) for shape in shapes.input_shapes]
    got = rustorch.broadcast_tensors(*tensors)
    want = np.broadcast_arrays(*(t.numpy(force=True) for t in tensors))
    assert rustorch.broadcast_shapes(*shapes.input_shapes) == shapes.result_shape
    for ours, theirs in zip(got, want, strict=True):
        np.testing.assert_array_equal(ours.numpy(force=True), theirs)
    total = tensors[0] + tensors[1] * tensors[2]
    np.testing.assert_array_equal(
        total.numpy(force=True),
        tensors[0].numpy(force=True) + tensors[1].numpy(force=True) * tensors[2].numpy(force=True),
    )


VIEWS: list[tuple[Any, Any]] = [
    (lambda x: x.transpose(0, -1), lambda x: np.swapaxes(x, 0, -1)),
    (lambda x: x.movedim(0, -1), lambda x: np.moveaxis(x, 0, -1)),
    (lambda x: x.unsqueeze(1), lambda x: np.expand_dims(x, 1)),
    (lambda x: x.tensor_split(2)[1], lambda x: np.array_split(x, 2)[1]),
    (lambda x: x[..., ::2], lambda x: x[..., ::2]),
    (lambda x: x.narrow(0, 0, x.shape[0] // 2), lambda x: x[: x.shape[0] // 2]),
]


@quick
@given(st.data())
def test_chains_of_views_after_writes(data: st.DataObject) -> None:
    """A view of a view of a view, written in place, changes its base just where NumPy's does."""
    array, tensor = data.draw(laid_out())
    if array.ndim == 0:
        return
    ours, theirs = tensor, array
    for ours_view, theirs_view in data.draw(st.lists(st.sampled_from(VIEWS), min_size=1, max_size=3)):
        ours, theirs = ours_view(ours), theirs_view(theirs)
    np.testing.assert_array_equal(ours.numpy(force=True), theirs)
    if array.dtype == bool:
        ours.logical_not_()
        np.logical_not(theirs, out=theirs)
    else:
        ours.mul_(3).add_(1)
        theirs *= 3
        theirs += 1
    np.testing.assert_array_equal(tensor.numpy(force=True), array)
    np.testing.assert_array_equal(ours.numpy(force=True), theirs)


@pytest.mark.parametrize(
    ("key", "error"),
    [
        ((5,), IndexError),
        ((0, 0, 0), IndexError),
        ((rustorch.tensor([3]),), IndexError),
        ((rustorch.tensor([0.5]),), IndexError),
        ((rustorch.tensor([True, False]),), IndexError),
        ((slice(None, None, -1),), ValueError),
        ((..., ...), IndexError),
        (("a",), (IndexError, TypeError)),
    ],
)
def test_wrong_keys(key: tuple[Any, ...], error: Any) -> None:
    x = rustorch.zeros(3, 4)
    with pytest.raises(error):
        x[key]
    with pytest.raises(error):
        x[key] = 1
    assert not x.any()


def test_values_that_do_not_fit() -> None:
    x = rustorch.zeros(3, 4)
    for key in (slice(None), rustorch.tensor([0, 1]), x == 0):
        with pytest.raises((RuntimeError, ValueError)):
            x[key] = rustorch.ones(5)
    assert not x.any()
    x[rustorch.zeros(3, 4, dtype=rustorch.bool)] = rustorch.ones(0)
    x[rustorch.tensor([], dtype=rustorch.int64)] = 7
    assert not x.any()
