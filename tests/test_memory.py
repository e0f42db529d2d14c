"""A tensor's memory: formats, storages, resizing in place, other attributes, copies and pickles, subclasses."""

import copy
import os
import pickle
import subprocess
import sys

import pytest

import rustorch

DTYPES = [
    *("bool", "uint8", "int8", "int16", "int32", "int64"),
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
]

CHANNELS_LAST = rustorch.channels_last


def image() -> rustorch.Tensor:
    return rustorch.arange(120.0).reshape(2, 3, 4, 5)


def test_channels_last() -> None:
    x = image()
    y = x.contiguous(memory_format=CHANNELS_LAST)
    assert y.stride() == (60, 1, 15, 3)
    assert rustorch.equal(x, y)
    assert y.is_contiguous(memory_format=CHANNELS_LAST)
    assert not y.is_contiguous()
    assert not x.is_contiguous(memory_format=CHANNELS_LAST)
    assert y.contiguous(memory_format=CHANNELS_LAST) is y
    assert y.contiguous().stride() == x.stride()
    assert x.to(memory_format=CHANNELS_LAST).stride() == y.stride()
    assert x.to(rustorch.float64, memory_format=CHANNELS_LAST).stride() == y.stride()
    assert x.clone(memory_format=CHANNELS_LAST).stride() == y.stride()
    assert y.clone(memory_format=rustorch.preserve_format).stride() == y.stride()
    assert y.clone(memory_format=rustorch.contiguous_format).stride() == x.stride()
    volume = rustorch.ones(1, 2, 3, 4, 5).contiguous(memory_format=rustorch.channels_last_3d)
    assert volume.stride() == (120, 1, 40, 10, 2)
    with pytest.raises((RuntimeError, ValueError), match=r"4|channels"):
        rustorch.ones(2, 3).contiguous(memory_format=CHANNELS_LAST)


@pytest.mark.parametrize("name", ["zeros_like", "ones_like", "empty_like", "rand_like", "randn_like"])
def test_like_functions_take_a_memory_format(name: str) -> None:
    function = getattr(rustorch, name)
    strides = (60, 1, 15, 3)
    assert function(image(), memory_format=CHANNELS_LAST).stride() == strides
    last = image().contiguous(memory_format=CHANNELS_LAST)
    made = function(last, memory_format=rustorch.preserve_format, dtype=rustorch.float64)
    assert (made.stride(), made.dtype) == (strides, rustorch.float64)
    assert function(last, memory_format=rustorch.contiguous_format).is_contiguous()


def test_memory_formats_have_gradients() -> None:
    x = image().requires_grad_()
    weights = rustorch.randn(2, 3, 4, 5)
    (x.contiguous(memory_format=CHANNELS_LAST) * weights).sum().backward()
    assert rustorch.equal(x.grad, weights)


def test_resize_in_place() -> None:
    x = rustorch.arange(6)
    pointer = x.data_ptr()
    assert x.resize_(2, 2) is x
    assert x.tolist() == [[0, 1], [2, 3]]
    assert x.data_ptr() == pointer
    assert x.resize_((2, 3)).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert x.resize_(0).shape == (0,)
    assert x.resize_(10).flatten()[:6].tolist() == [0, 1, 2, 3, 4, 5]
    assert x.resize_as_(rustorch.ones(3, 1)).shape == (3, 1)
    with pytest.raises(RuntimeError, match="cannot resize variables that require grad"):
        rustorch.ones(2, requires_grad=True).resize_(3)
    with pytest.raises((RuntimeError, ValueError)):
        x.resize_(-2)


def test_storages() -> None:
    x = rustorch.arange(6, dtype=rustorch.int32)
    storage = x[2:].untyped_storage()
    assert (storage.nbytes(), len(storage), storage.data_ptr()) == (24, 24, x.data_ptr())
    y = rustorch.empty(0, dtype=rustorch.int32).set_(storage, 1, (2, 2), (2, 1))
    assert y.tolist() == [[1, 2], [3, 4]]
    y[0, 0] = 9
    assert x[1] == 9
    assert rustorch.empty(0, dtype=rustorch.int32).set_(x).data_ptr() == x.data_ptr()
    assert x.set_().shape == (0,)
    with pytest.raises((RuntimeError, ValueError)):
        rustorch.empty(0, dtype=rustorch.int32).set_(storage, 5, (2, 2), (2, 1))


@pytest.mark.cpu_only
def test_attributes() -> None:
    x = image()
    assert (x.is_cuda, x.is_sparse, x.is_quantized, x.is_meta, x.is_shared(), x.is_pinned()) == (False,) * 6
    assert x.layout == rustorch.strided
    assert x.get_device() == -1
    assert rustorch.tensor([2]).is_nonzero()
    assert [r.item() for r in reversed(rustorch.arange(3))] == [2, 1, 0]
    assert x.type(rustorch.int64).dtype == rustorch.int64
    assert x.type("torch.DoubleTensor").dtype == rustorch.float64
    assert x.type().endswith("orch.FloatTensor")
    for value in (rustorch.channels_last, rustorch.strided):
        assert pickle.loads(pickle.dumps(value)) is value
        assert copy.deepcopy(value) is value


def test_copies_share_what_was_shared() -> None:
    x = rustorch.arange(6.0)
    shallow = copy.copy(x)
    assert shallow is not x
    assert shallow.data_ptr() == x.data_ptr()
    a, b = copy.deepcopy([x, x[2:]])
    a[3] = -1
    assert b[1] == -1
    assert x[3] == 3
    assert b.stride() == (1,)
    transposed = copy.deepcopy(rustorch.arange(6).reshape(2, 3).t())
    assert transposed.stride() == (1, 3)


def test_pickles_share_what_was_shared() -> None:
    x = rustorch.arange(6.0)
    a, b = pickle.loads(pickle.dumps([x, x[2:]]))
    assert a.tolist() == x.tolist()
    assert b.tolist() == [2, 3, 4, 5]
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(x.requires_grad_(False), protocol)).tolist() == x.tolist()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (2,), (0,)])
def test_copies_of_the_smallest_tensors(dtype: str, shape: tuple[int, ...], device: str) -> None:
    """Storages of one byte included, alone, and seen by two tensors."""
    x = rustorch.ones(shape, dtype=getattr(rustorch, dtype), device=device)
    wide = rustorch.ones(3, dtype=x.dtype, device=device)
    pickled = [lambda y, p=p: pickle.loads(pickle.dumps(y, p)) for p in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    for duplicate in (copy.copy, copy.deepcopy, *pickled):
        for y in (x, wide[1:2], wide[2]):
            again = duplicate(y)
            assert (again.dtype, again.device) == (y.dtype, y.device)
            assert rustorch.equal(again, y)
        a, b = duplicate([x, x.view_as(x)])
        a.zero_()
        assert not b.any()


@pytest.mark.rustorch_only
def test_pickles_out_of_band() -> None:
    x = rustorch.arange(1000.0)
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(x, 5, buffer_callback=buffers.append)
    assert len(data) < 1000
    assert len(buffers) == 1
    again = pickle.loads(data, buffers=buffers)
    assert rustorch.equal(again, x)
    memory = bytearray(buffers[0].raw())
    apart = pickle.loads(data, buffers=[memory])
    assert rustorch.equal(apart, x)


class Named(rustorch.Tensor):
    """A subclass with an attribute."""

    label: str


def test_subclasses() -> None:
    x = rustorch.arange(3.0).as_subclass(Named)
    x.label = "a"
    assert type(x) is Named
    assert isinstance(x, rustorch.Tensor)
    for made in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x), copy.copy(x)):
        assert type(made) is Named
        assert made.label == "a"
        assert made.tolist() == [0, 1, 2]
    leaf = rustorch.ones(2, requires_grad=True)
    (leaf * 2).as_subclass(Named).sum().backward()
    assert leaf.grad.tolist() == [2, 2]


@pytest.mark.rustorch_only
def test_ops_of_subclasses_give_plain_tensors() -> None:
    """There is no __torch_function__: a subclass is a Tensor to every op, and ops give Tensors."""
    x = rustorch.arange(3.0).as_subclass(Named)
    assert type(x + 1) is rustorch.Tensor
    assert type(x[0]) is rustorch.Tensor
    assert x.add_(1) is x


def with_allocator(name: str, code: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RUSTORCH_ALLOCATOR": name}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)


@pytest.mark.cpu_only
@pytest.mark.rustorch_only
@pytest.mark.parametrize(("name", "bytes_of_65"), [("system", 65), ("pool", 128), ("", 128)])
def test_the_environment_names_the_allocator(name: str, bytes_of_65: int) -> None:
    """Only the system's blocks are as long as asked for, and nothing of it is kept."""
    code = """
import rustorch
before = rustorch.memory_stats()["allocated_bytes"]
x = rustorch.ones(65, dtype=rustorch.uint8)
print(rustorch.memory_stats()["allocated_bytes"] - before, x.sum().item())
"""
    assert with_allocator(name, code).stdout.split() == [str(bytes_of_65), "65"]


@pytest.mark.rustorch_only
def test_an_allocator_that_there_is_none_of_is_refused() -> None:
    run = with_allocator("jemalloc", "import rustorch")
    assert run.returncode == 1
    assert "RUSTORCH_ALLOCATOR" in run.stderr
    assert "pool, system" in run.stderr
