"""FloatTensor and its siblings, typed storages, and Variable, as old programs use them. Runs on PyTorch, too."""

import copy
import pickle
import struct

import numpy as np
import pytest

import rustorch

pytestmark = pytest.mark.filterwarnings("ignore:TypedStorage is deprecated:UserWarning")

TYPES = {
    "BFloat16": rustorch.bfloat16,
    "Bool": rustorch.bool,
    "Byte": rustorch.uint8,
    "Char": rustorch.int8,
    "ComplexDouble": rustorch.complex128,
    "ComplexFloat": rustorch.complex64,
    "Double": rustorch.float64,
    "Float": rustorch.float32,
    "Half": rustorch.float16,
    "Int": rustorch.int32,
    "Long": rustorch.int64,
    "Short": rustorch.int16,
}
# PyTorch has tensors of these by type() alone, and no class.
CLASSES = [name for name in TYPES if not name.startswith("Complex")]


@pytest.mark.parametrize("name", CLASSES)
def test_classes_make_tensors_of_their_dtype_and_know_them(name: str) -> None:
    cls, dtype = getattr(rustorch, f"{name}Tensor"), TYPES[name]
    made = cls([1, 0])
    assert (made.dtype, made.tolist(), cls.dtype) == (dtype, [1, 0], dtype)
    assert isinstance(made, cls)
    assert [other for other in CLASSES if isinstance(made, getattr(rustorch, f"{other}Tensor"))] == [name]
    assert not isinstance(np.ones(2), cls)
    assert cls(2, 3).shape == (2, 3)
    assert cls().shape == (0,)
    assert cls(rustorch.Size([2, 1])).shape == (2, 1)
    assert made.type().endswith(f"torch.{name}Tensor")


@pytest.mark.parametrize("name", TYPES)
def test_type_names_and_converts(name: str) -> None:
    x = rustorch.tensor([1.0, 0.0])
    converted = x.type(TYPES[name])
    assert (converted.dtype, converted.tolist()) == (TYPES[name], [1, 0])
    assert converted.type().split(".")[1:] == [f"{name}Tensor"]
    if name in CLASSES:
        assert x.type(getattr(rustorch, f"{name}Tensor")).dtype == x.type(f"torch.{name}Tensor").dtype == TYPES[name]


def test_type_keeps_a_tensor_that_has_the_dtype_and_the_gradient() -> None:
    x = rustorch.ones(2, requires_grad=True)
    assert x.type(rustorch.float32) is x
    x.type(rustorch.DoubleTensor).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


@pytest.mark.rustorch_only
@pytest.mark.parametrize("wrong", ["FloatTensor", "torch.Tensor2", "numpy.FloatTensor", 3, "torch.nn.Linear"])
def test_type_refuses_what_is_no_type(wrong: object) -> None:
    with pytest.raises(TypeError, match=r"FloatTensor|dtype"):
        rustorch.ones(2).type(wrong)


def test_parameters_and_subclasses_are_of_the_classes() -> None:
    parameter = rustorch.nn.Parameter(rustorch.ones(2))
    assert isinstance(parameter, rustorch.FloatTensor)
    assert not isinstance(parameter, rustorch.DoubleTensor)
    assert not issubclass(rustorch.FloatTensor, rustorch.Tensor)
    with pytest.raises(TypeError, match="not an acceptable base type"):

        class Own(rustorch.FloatTensor):
            pass


def test_constructors_take_data_of_every_kind() -> None:
    assert rustorch.FloatTensor((2, 3)).tolist() == [2.0, 3.0]
    assert rustorch.LongTensor([[1], [2]]).shape == (2, 1)
    assert rustorch.LongTensor([1.5]).tolist() == [1]
    assert rustorch.DoubleTensor(np.array([1, 2])).tolist() == [1.0, 2.0]
    shared = np.zeros(2, dtype=np.float32)
    rustorch.FloatTensor(shared)[0] = 7
    assert shared.tolist() == [7, 0]
    x = rustorch.ones(2)
    assert rustorch.FloatTensor(x).data_ptr() == x.data_ptr()
    assert rustorch.FloatTensor(x.storage()).data_ptr() == x.data_ptr()


@pytest.mark.parametrize(
    "data",
    [2.5, None, {}, {"a": 1}, rustorch.ones(2, dtype=rustorch.int64), (1, 2.5)],
    ids=lambda data: str(type(data)),
)
def test_constructors_refuse_other_data(data: object) -> None:
    with pytest.raises(TypeError):
        rustorch.FloatTensor(*data) if isinstance(data, tuple) else rustorch.FloatTensor(data)
    with pytest.raises(RuntimeError):
        rustorch.FloatTensor(-1)
    with pytest.raises(RuntimeError):
        rustorch.FloatTensor(rustorch.ones(2, dtype=rustorch.float64).storage())


def test_new_keeps_dtype_and_device() -> None:
    x = rustorch.ones(2, dtype=rustorch.int16)
    assert (x.new(2, 2).dtype, x.new(2, 2).shape, x.new().shape) == (rustorch.int16, (2, 2), (0,))
    assert x.new([5, 6]).tolist() == [5, 6]
    assert x.new(x.size()).shape == (2,)
    with pytest.raises(TypeError):
        x.new(rustorch.ones(2))


def test_the_default_type_is_set_by_class_or_name() -> None:
    try:
        rustorch.set_default_tensor_type(rustorch.DoubleTensor)
        assert rustorch.ones(1).dtype == rustorch.float64
        rustorch.set_default_tensor_type("torch.HalfTensor")
        assert rustorch.ones(1).dtype == rustorch.float16
        for wrong in (rustorch.LongTensor, rustorch.float32, 3):
            with pytest.raises(TypeError):
                rustorch.set_default_tensor_type(wrong)
    finally:
        rustorch.set_default_tensor_type("torch.FloatTensor")
    assert rustorch.ones(1).dtype == rustorch.float32


@pytest.mark.rustorch_only
@pytest.mark.cpu_only
def test_classes_of_cuda_say_what_is_missing_there() -> None:
    assert rustorch.cuda.FloatTensor.is_cuda
    assert not isinstance(rustorch.ones(2), rustorch.cuda.FloatTensor)
    if not rustorch.cuda.is_available():
        with pytest.raises(rustorch.BackendUnavailableError, match="cuda"):
            rustorch.cuda.FloatTensor(2)
    with pytest.raises(RuntimeError, match="makes tensors on cpu, not on opencl"):
        rustorch.FloatTensor(2, device="opencl")


def test_storages_show_the_memory_of_tensors() -> None:
    x = rustorch.arange(6, dtype=rustorch.float32).view(2, 3)
    storage = x[1].storage()
    assert (storage.size(), len(storage), storage.nbytes(), storage.element_size()) == (6, 6, 24, 4)
    assert (storage.dtype, storage.device.type, storage.data_ptr()) == (rustorch.float32, "cpu", x.data_ptr())
    storage[4] = 9
    storage[-1] = 8
    assert x.tolist() == [[0, 1, 2], [3, 9, 8]]
    assert (storage[4], storage[-6], list(storage)) == (9.0, 0.0, [0, 1, 2, 3, 9, 8])
    for index in (6, -7):
        with pytest.raises(IndexError, match="out of range for storage of size 6"):
            storage[index]
    with pytest.raises(TypeError):
        storage["a"]
    assert storage.fill_(2).tolist() == [2] * 6
    assert x.tolist() == [[2, 2, 2], [2, 2, 2]]
    assert rustorch.is_storage(storage)
    assert rustorch.is_storage(storage.untyped())
    assert not rustorch.is_storage(x)
    assert storage == x.storage()
    assert storage != storage.clone()


@pytest.mark.parametrize("name", TYPES)
def test_storages_have_classes(name: str) -> None:
    cls, dtype = getattr(rustorch, f"{name}Storage"), TYPES[name]
    storage = cls([1, 0])
    assert (storage.dtype, cls.dtype, storage.tolist(), cls(3).size(), cls().size()) == (dtype, dtype, [1, 0], 3, 0)
    assert storage.pickle_storage_type() == f"{name}Storage"
    assert storage.type().endswith(f"torch.{name}Storage")
    assert isinstance(storage, cls)
    assert isinstance(storage, rustorch.TypedStorage)
    assert sum(isinstance(storage, getattr(rustorch, f"{other}Storage")) for other in TYPES) == 1
    assert cls(wrap_storage=storage.untyped()).data_ptr() == storage.data_ptr()


@pytest.mark.parametrize("wrong", [(2.5,), (1, 2), (rustorch.ones(2),), ({},)], ids=str)
def test_storages_are_made_of_nothing_else(wrong: tuple) -> None:
    with pytest.raises((TypeError, RuntimeError)):
        rustorch.FloatStorage(*wrong)


def test_storages_convert_and_copy() -> None:
    storage = rustorch.FloatStorage([1.5, -2])
    for method, dtype in (("double", "float64"), ("int", "int32"), ("half", "float16"), ("complex_float", "complex64")):
        converted = getattr(storage, method)()
        assert converted.dtype == getattr(rustorch, dtype)
        assert converted.tolist() == (np.array([1.5, -2]).astype(dtype).tolist())
    other = rustorch.FloatStorage(2).copy_(storage)
    assert other.tolist() == [1.5, -2]
    with pytest.raises(RuntimeError, match="size does not match"):
        storage.copy_(rustorch.FloatStorage(3))
    for copied in (copy.deepcopy(storage), pickle.loads(pickle.dumps(storage)), storage.clone()):
        assert (copied.tolist(), copied.dtype) == ([1.5, -2], rustorch.float32)
        assert copied.data_ptr() != storage.data_ptr()


@pytest.mark.parametrize("order", ["native", "little", "big"])
def test_storages_are_read_from_buffers(order: str) -> None:
    form = {"native": "=", "little": "<", "big": ">"}[order]
    content = b"ab" + struct.pack(f"{form}3d", 1.5, -2, 1e300)
    read = rustorch.DoubleStorage.from_buffer(content, byte_order=order, count=2, offset=2)
    assert read.tolist() == [1.5, -2]


def test_variables_are_tensors_without_history() -> None:
    x = rustorch.ones(2, requires_grad=True)
    variable = rustorch.autograd.Variable(x * 2)
    assert (type(variable), variable.requires_grad, variable.is_leaf) == (rustorch.Tensor, False, True)
    variable = rustorch.autograd.Variable(rustorch.ones(2), requires_grad=True)
    (variable * 3).sum().backward()
    assert variable.grad.tolist() == [3.0, 3.0]
    assert isinstance(x, rustorch.autograd.Variable)
    assert not isinstance(3, rustorch.autograd.Variable)
    assert rustorch.autograd.Variable().shape == (0,)
    with pytest.raises(TypeError, match="has to be a tensor, but got int"):
        rustorch.autograd.Variable(3)
    with pytest.warns(UserWarning, match="volatile"):
        rustorch.autograd.Variable(x, volatile=True)
