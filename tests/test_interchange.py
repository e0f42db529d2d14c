"""Memory shared with other libraries: DLPack, the buffer protocol, NumPy."""

import ctypes
import gc

import numpy as np
import pytest

import rustorch
from rustorch.utils import dlpack

pytestmark = pytest.mark.cpu_only

DTYPES = (
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
)
VERSION = {"max_version": (1, 0)}


def ones(dtype: str) -> rustorch.Tensor:
    return rustorch.ones(2, 3, dtype=getattr(rustorch, dtype)).t()


def capsule_name(capsule: object) -> bytes:
    ctypes.pythonapi.PyCapsule_GetName.restype = ctypes.c_char_p
    ctypes.pythonapi.PyCapsule_GetName.argtypes = [ctypes.py_object]
    return ctypes.pythonapi.PyCapsule_GetName(capsule)


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_shares_memory_both_ways(dtype: str) -> None:
    tensor = ones(dtype)
    array = np.from_dlpack(tensor)
    assert (array.shape, array.dtype.name, array.flags.writeable) == ((3, 2), dtype, True)
    assert array.__array_interface__["data"][0] == tensor.data_ptr()
    assert array.strides == tuple(s * tensor.element_size() for s in tensor.stride())
    back = rustorch.from_dlpack(array)
    assert (back.data_ptr(), back.stride(), back.dtype) == (tensor.data_ptr(), tensor.stride(), tensor.dtype)
    array[0, 0] = 0
    assert not tensor[0, 0]
    assert not back[0, 0]


@pytest.mark.parametrize("dtype", [*DTYPES, "bfloat16"])
@pytest.mark.parametrize("version", [{}, VERSION])
def test_capsules_carry_every_dtype(dtype: str, version: dict[str, tuple[int, int]]) -> None:
    tensor = ones(dtype)
    capsule = tensor.__dlpack__(**version)
    assert capsule_name(capsule) == (b"dltensor_versioned" if version else b"dltensor")
    back = rustorch.from_dlpack(capsule)
    assert (back.data_ptr(), back.shape, back.dtype) == (tensor.data_ptr(), tensor.shape, tensor.dtype)
    with pytest.raises((RuntimeError, BufferError, ValueError)):
        rustorch.from_dlpack(capsule)


class DLTensor(ctypes.Structure):
    """The structure that a capsule holds, with its deleter: what a producer written in C fills in."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device", ctypes.c_int32 * 2),
        ("ndim", ctypes.c_int32),
        ("dtype", ctypes.c_uint8 * 4),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
    )


@pytest.mark.rustorch_only
@pytest.mark.parametrize(
    ("ndim", "shape", "strides", "message"),
    [
        (-1, (2,), None, "number of dimensions must not be negative, got -1"),
        (2, None, None, "no shape for 2 dimensions"),
        (2, (2, -3), None, r"must not be negative, got the shape \[2, -3\]"),
        (1, (2,), (-1,), "negative strides"),
        (2, (2**40, 2**40), None, "fits no memory"),
        (2, (2**40, 2**40), (0, 0), "fits no memory"),
        (1, (2**20,), (2**60,), "fits no memory"),
        (1, (3,), None, r"no data for a tensor of shape \[3\]"),
    ],
)
def test_numbers_that_make_no_tensor(ndim: int, shape: object, strides: object, message: str) -> None:
    """Nothing is read where a producer's shape, strides or data say nonsense."""
    held = DLTensor(ndim=ndim, dtype=(ctypes.c_uint8 * 4)(2, 32, 1, 0), device=(ctypes.c_int32 * 2)(1, 0))
    kept = [numbers and (ctypes.c_int64 * len(numbers))(*numbers) for numbers in (shape, strides)]
    held.shape, held.strides = (numbers and ctypes.cast(numbers, ctypes.POINTER(ctypes.c_int64)) for numbers in kept)
    ctypes.pythonapi.PyCapsule_New.restype = ctypes.py_object
    capsule = ctypes.pythonapi.PyCapsule_New(ctypes.byref(held), ctypes.c_char_p(b"dltensor"), None)
    with pytest.raises(BufferError, match=message):
        rustorch.from_dlpack(capsule)


def test_memory_outlives_its_maker() -> None:
    array = np.from_dlpack(rustorch.full((1000,), 3.0))
    tensor = rustorch.from_dlpack(np.full(1000, 4.0))
    unused = rustorch.ones(10).__dlpack__(**VERSION)
    gc.collect()
    assert (array == 3).all()
    assert (tensor == 4).all()
    del unused
    gc.collect()


def test_views_empty_and_scalar_tensors() -> None:
    base = rustorch.arange(10)
    assert np.from_dlpack(base[3::2]).tolist() == [3, 5, 7, 9]
    assert np.from_dlpack(rustorch.tensor(5)).tolist() == 5
    assert rustorch.from_dlpack(np.array(5)).shape == ()
    assert rustorch.from_dlpack(np.zeros((0, 3))).shape == (0, 3)
    assert np.from_dlpack(rustorch.zeros(0, 3)).shape == (0, 3)


def test_what_export_refuses() -> None:
    with pytest.raises(BufferError, match="require gradient"):
        rustorch.ones(2, requires_grad=True).__dlpack__()
    assert rustorch.ones(2).__dlpack_device__() == (1, 0)


@pytest.mark.rustorch_only
def test_read_only_data_is_copied() -> None:
    array = np.arange(3.0)
    array.flags.writeable = False
    tensor = rustorch.from_dlpack(array)
    tensor.zero_()
    assert array.tolist() == [0, 1, 2]
    with pytest.raises(BufferError, match="read-only"):
        rustorch.from_dlpack(array, copy=False)


def test_copies_on_request() -> None:
    array = np.arange(3.0)
    assert rustorch.from_dlpack(array, copy=True).data_ptr() != array.ctypes.data
    assert rustorch.from_dlpack(array, copy=False).data_ptr() == array.ctypes.data
    tensor = rustorch.ones(3)
    assert np.from_dlpack(tensor, copy=True).ctypes.data != tensor.data_ptr()


@pytest.mark.rustorch_only
def test_what_import_refuses() -> None:
    with pytest.raises(TypeError, match="__dlpack__"):
        rustorch.from_dlpack([1.0])
    with pytest.raises(BufferError, match="negative"):
        rustorch.from_dlpack(np.arange(3)[::-1])
    with pytest.raises(BufferError, match="no dtype"):
        rustorch.from_dlpack(np.arange(3, dtype=np.uint32))


def test_the_old_functions() -> None:
    tensor = rustorch.arange(3)
    assert dlpack.from_dlpack(dlpack.to_dlpack(tensor)).data_ptr() == tensor.data_ptr()


@pytest.mark.rustorch_only
def test_the_buffer_protocol() -> None:
    tensor = rustorch.arange(6, dtype=rustorch.int32).reshape(2, 3)
    view = memoryview(tensor)
    assert (view.shape, view.strides, view.format, view.readonly) == ((2, 3), (12, 4), "i", False)
    view[0, 1] = 7
    assert tensor[0, 1] == 7
    assert bytes(rustorch.tensor([1, 2], dtype=rustorch.uint8)) == b"\x01\x02"
    assert memoryview(tensor.t()).tolist() == [[0, 3], [7, 4], [2, 5]]
    held = memoryview(rustorch.ones(3))
    gc.collect()
    assert held.tolist() == [1, 1, 1]
    for unfit in (rustorch.ones(2, requires_grad=True), rustorch.ones(2, dtype=rustorch.bfloat16)):
        with pytest.raises(BufferError):
            memoryview(unfit)


def test_numpy_sees_the_memory() -> None:
    tensor = rustorch.arange(6.0).reshape(2, 3)
    array = np.asarray(tensor)
    assert array.ctypes.data == tensor.data_ptr()
    assert np.asarray(tensor, dtype=np.float64).dtype == np.float64
    assert np.array(tensor).ctypes.data != tensor.data_ptr()
    with pytest.raises(RuntimeError, match="requires grad"):
        np.asarray(rustorch.ones(2, requires_grad=True))


@pytest.mark.filterwarnings("ignore:The given buffer is not writable")
def test_frombuffer() -> None:
    raw = bytearray(b"\x01\x00\x02\x00\x03\x00")
    tensor = rustorch.frombuffer(raw, dtype=rustorch.int16)
    assert tensor.tolist() == [1, 2, 3]
    tensor[0] = 9
    assert raw[0] == 9
    assert rustorch.frombuffer(raw, dtype=rustorch.int16, count=1, offset=2).tolist() == [2]
    assert rustorch.frombuffer(b"\x01\x02", dtype=rustorch.uint8).tolist() == [1, 2]
    for wrong in ({"offset": 6}, {"count": 4}, {"count": 0}, {"offset": 1}):
        with pytest.raises(ValueError, match="buffer"):
            rustorch.frombuffer(raw, dtype=rustorch.int16, **wrong)
