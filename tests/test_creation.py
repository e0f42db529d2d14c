"""Tensors out of nothing, out of Python values, and out of NumPy arrays."""

import math

import numpy as np
import pytest

import rustorch

from tests.sample import ALL, dtype_name


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("shape", [(), (3,), (2, 0, 4), (2, 3, 5)])
def test_constants(shape: tuple[int, ...], dtype: str, device: str) -> None:
    kwargs = {"dtype": getattr(rustorch, dtype), "device": device}
    for function, value in ((rustorch.zeros, 0), (rustorch.ones, 1)):
        x = function(shape, **kwargs)
        assert (tuple(x.shape), dtype_name(x), x.numel()) == (shape, dtype, math.prod(shape))
        assert x.is_contiguous()
        assert (x == value).all().item()
    assert (rustorch.full(shape, 1, **kwargs) == 1).all().item()
    assert tuple(rustorch.empty(shape, **kwargs).shape) == shape


def test_sizes_as_arguments_and_as_sequence() -> None:
    assert rustorch.zeros(2, 3).shape == rustorch.zeros((2, 3)).shape == rustorch.zeros([2, 3]).shape == (2, 3)


def test_like(device: str) -> None:
    x = rustorch.ones(2, 3, dtype=rustorch.int16, device=device)
    for y, value in (
        (rustorch.zeros_like(x), 0),
        (rustorch.ones_like(x), 1),
        (rustorch.full_like(x, 7), 7),
    ):
        assert y.tolist() == [[value] * 3] * 2
        assert (y.dtype, y.device) == (x.dtype, x.device)
    assert rustorch.empty_like(x, dtype=rustorch.float64).dtype is rustorch.float64


@pytest.mark.parametrize("args", [(5,), (2, 7), (1, 8, 3), (5, 0, -2), (0, 1, 0.25), (1.5,), (3, 3)])
def test_arange(args: tuple[float, ...], device: str) -> None:
    x = rustorch.arange(*args, device=device)
    np.testing.assert_allclose(x.tolist(), np.arange(*args))
    assert x.dtype is (rustorch.int64 if all(isinstance(a, int) for a in args) else rustorch.float32)


def test_linspace_and_eye(device: str) -> None:
    np.testing.assert_allclose(rustorch.linspace(-1, 3, 9, device=device).tolist(), np.linspace(-1, 3, 9))
    assert rustorch.linspace(2, 5, 1, device=device).tolist() == [2]
    assert rustorch.eye(2, 3, device=device).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert rustorch.eye(2).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (True, "bool", ()),
        (3, "int64", ()),
        (2.5, "float32", ()),
        ([], "float32", (0,)),
        ([[1, 2, 3], [4, 5, 6]], "int64", (2, 3)),
        ([[True], [False]], "bool", (2, 1)),
        ([1, 2.5], "float32", (2,)),
        ((1, (2)), "int64", (2,)),
        ([[], []], "float32", (2, 0)),
        (np.float64(1.5), "float64", ()),
        (np.ones((2, 1), np.int16), "int16", (2, 1)),
        ([float("nan"), float("inf")], "float32", (2,)),
    ],
)
def test_tensor(data: object, dtype: str, shape: tuple[int, ...], device: str) -> None:
    x = rustorch.tensor(data, device=device)
    assert (dtype_name(x), tuple(x.shape)) == (dtype, shape)
    np.testing.assert_array_equal(np.array(x.tolist()).reshape(shape), np.array(data).reshape(shape))


def test_tensor_refuses_ragged_lists() -> None:
    with pytest.raises((ValueError, TypeError)):
        rustorch.tensor([[1, 2], [3]])


def test_item_and_conversions(device: str) -> None:
    assert rustorch.tensor([[2.5]], device=device).item() == 2.5
    assert float(rustorch.tensor(2.5)) == 2.5
    assert int(rustorch.tensor(3)) == 3
    assert bool(rustorch.tensor(1)) is True
    assert [10, 20, 30][rustorch.tensor(1)] == 20
    assert isinstance(rustorch.tensor(True).item(), bool)
    with pytest.raises((RuntimeError, ValueError)):
        rustorch.tensor([1, 2]).item()
    with pytest.raises((RuntimeError, ValueError)):
        bool(rustorch.tensor([1, 2]))


def test_fill_zero_copy(device: str) -> None:
    x = rustorch.arange(6, device=device).view(2, 3)
    assert x[:, 1:].fill_(9) is not x
    assert x.tolist() == [[0, 9, 9], [3, 9, 9]]
    assert x.copy_(rustorch.tensor([1.9, 2.2, -3.9], device=device)).tolist() == [[1, 2, -3]] * 2
    assert x.zero_().tolist() == [[0] * 3] * 2


@pytest.mark.parametrize("dtype", [d for d in ALL if d != "bfloat16"])
def test_numpy_shares_memory(dtype: str) -> None:
    array = np.arange(12).reshape(3, 4).astype(dtype)
    x = rustorch.from_numpy(array)
    assert dtype_name(x) == dtype
    array[1, 2] = 1
    assert x[1, 2].item() == 1
    back = x.numpy()
    assert back.dtype == array.dtype
    x[:, 0].fill_(0)
    assert not back[:, 0].any()
    assert not array[:, 0].any()


@pytest.mark.cpu_only
def test_numpy_strides() -> None:
    array = np.arange(24.0).reshape(2, 3, 4)
    for view in (array.transpose(2, 0, 1), array[:, ::2, 1:], array[1], array[:, :0]):
        np.testing.assert_array_equal(rustorch.from_numpy(view).numpy(force=True), view)
    x = rustorch.arange(6).view(2, 3)
    np.testing.assert_array_equal(x.t().numpy(force=True), np.arange(6).reshape(2, 3).T)
    np.testing.assert_array_equal(np.asarray(x), np.arange(6).reshape(2, 3))


def test_numpy_refuses_what_it_cannot_share() -> None:
    with pytest.raises((RuntimeError, ValueError)):
        rustorch.ones(2, requires_grad=True).numpy()
    with pytest.raises((TypeError, RuntimeError)):
        rustorch.ones(2, dtype=rustorch.bfloat16).numpy()
    with pytest.raises(TypeError):
        rustorch.from_numpy([1, 2])
    with pytest.raises(TypeError):
        rustorch.from_numpy(np.array(["a"]))


def test_new_tensors_take_after_another() -> None:
    x = rustorch.zeros(2, dtype=rustorch.float16)
    for made in (x.new_zeros(2, 3), x.new_ones((2, 3)), x.new_empty(2, 3), x.new_full((2, 3), 7)):
        assert made.dtype == rustorch.float16
        assert made.shape == (2, 3)
    assert x.new_full((2,), 7).tolist() == [7, 7]
    assert x.new_ones(2, dtype=rustorch.int32).dtype == rustorch.int32
    assert x.new_zeros(2, requires_grad=True).requires_grad
    with pytest.raises((RuntimeError, TypeError)):
        x.new_full((2,), 1j)


def test_scalar_tensor() -> None:
    x = rustorch.scalar_tensor(3)
    assert (x.dtype, x.shape, x.item()) == (rustorch.float32, (), 3)
    assert rustorch.scalar_tensor(3, dtype=rustorch.int64).dtype == rustorch.int64


def test_logspace() -> None:
    for start, end, steps, base in ((0, 3, 4, 10.0), (-1.5, 2, 7, 2.0), (2, 2, 1, 3.0), (0, 1, 0, 2.0)):
        x = rustorch.logspace(start, end, steps, base, dtype=rustorch.float64)
        np.testing.assert_allclose(x.numpy(force=True), np.logspace(start, end, steps, base=base), rtol=1e-14)
    assert rustorch.logspace(rustorch.tensor(0), rustorch.tensor(3), 4, 2, dtype=rustorch.int64).tolist() == [
        1,
        2,
        4,
        8,
    ]
    with pytest.raises((RuntimeError, ValueError)):
        rustorch.logspace(0, 1, -1)


def test_indices_of_triangles() -> None:
    for rows, columns, offset in ((3, 3, 0), (3, 5, 1), (4, 2, -1), (2, 3, 9), (0, 3, 0)):
        lower = rustorch.tril_indices(rows, columns, offset)
        upper = rustorch.triu_indices(rows, columns, offset)
        np.testing.assert_array_equal(lower.numpy(force=True), np.tril_indices(rows, offset, columns))
        np.testing.assert_array_equal(upper.numpy(force=True), np.triu_indices(rows, offset, columns))
        assert lower.dtype == rustorch.int64
    assert rustorch.tril_indices(2, 2, dtype=rustorch.int32).dtype == rustorch.int32
    with pytest.raises((RuntimeError, ValueError)):
        rustorch.tril_indices(-1, 2)


def test_broadcast_shapes() -> None:
    assert rustorch.broadcast_shapes((3, 1), (1, 4), 4) == (3, 4)
    assert rustorch.broadcast_shapes() == ()
    assert isinstance(rustorch.broadcast_shapes(2), rustorch.Size)
    for shapes in (((2,), (3,)), ((-1,), (3,))):
        with pytest.raises((RuntimeError, ValueError)):
            rustorch.broadcast_shapes(*shapes)


@pytest.mark.rustorch_only
def test_impossible_allocation_is_an_error_that_can_be_caught() -> None:
    with pytest.raises(rustorch.RusTorchError, match="4000000000000000"):
        rustorch.zeros(10**15)
    with pytest.raises(rustorch.RusTorchError):
        rustorch.zeros(2**62, 2**62)
    assert rustorch.zeros(3).sum().item() == 0


def test_memory_of_empty_tensors_is_what_their_strides_reach() -> None:
    x = rustorch.empty_strided((2, 3), (1, 4), dtype=rustorch.int16)
    assert x.untyped_storage().nbytes() == 2 * (1 + 1 + 2 * 4)
    assert not x._is_view()
    assert rustorch.empty_permuted((2, 3), (1, 0)).untyped_storage().nbytes() == 4 * 6
