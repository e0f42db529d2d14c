"""The class Tensor: identity, attributes, conversions, NumPy both ways, indexing, copies, argument rules."""

import copy
import gc
import inspect
import pickle
import weakref

import numpy as np
import pytest

import rustorch
from rustorch import Tensor

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


@pytest.mark.cpu_only
def test_attributes() -> None:
    x = rustorch.zeros(2, 3, 4).transpose(0, 2)
    assert x.shape == (4, 3, 2)
    assert isinstance(x.shape, rustorch.Size)
    assert x.shape.numel() == 24
    assert isinstance(x.shape[:2], rustorch.Size)
    assert (x.size(-1), x.stride(), x.stride(0)) == (2, (1, 4, 12), 1)
    assert (x.dim(), x.ndim, x.numel(), x.itemsize, x.nbytes, x.storage_offset()) == (3, 3, 24, 4, 96, 0)
    assert not x.is_contiguous()
    assert x.contiguous().is_contiguous()
    assert x[1:].storage_offset() == 1
    assert x[1:].data_ptr() == x.data_ptr() + 4
    assert x.T.shape == (2, 3, 4)
    assert x.mT.shape == (4, 2, 3)
    assert x.device == rustorch.device("cpu")
    with pytest.raises(IndexError):
        x.size(3)


@pytest.mark.rustorch_only
def test_size_text() -> None:
    assert repr(rustorch.zeros(2, 3).shape) == "rustorch.Size([2, 3])"
    assert repr(rustorch.float32) == "rustorch.float32"
    assert repr(rustorch.device("cpu")) == "device(type='cpu')"


def test_a_tensor_is_one_object() -> None:
    """The same tensor comes back as the same object while that object lives."""
    p = rustorch.ones(3, requires_grad=True)
    (p * 2).sum().backward()
    assert p.grad is p.grad
    q = rustorch.zeros(3)
    assert q.add_(1) is q
    before = q
    q += 1
    assert q is before
    assert q.tolist() == [2, 2, 2]
    assert q.to(rustorch.float32) is q
    assert q.to(rustorch.float64) is not q
    assert len({p, q, p}) == 2
    node = (p * 2).grad_fn
    assert node.next_functions[0][0].variable is p


def test_objects_die_with_their_last_reference() -> None:
    x = rustorch.ones(3)
    reference = weakref.ref(x)
    x.note = "kept in the object"
    assert x.note == "kept in the object"
    del x
    gc.collect()
    assert reference() is None


def test_subclasses() -> None:
    class Weight(Tensor):
        pass

    w = Tensor._make_subclass(Weight, rustorch.ones(2), True)
    assert isinstance(w, Weight)
    assert w.requires_grad
    assert w.is_leaf
    (w * 3).sum().backward()
    assert w.grad.tolist() == [3, 3]
    w.data = rustorch.zeros(2)
    assert w.tolist() == [0, 0]
    assert type(copy.deepcopy(w)) is Weight


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_both_ways(dtype: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)
    x = rustorch.from_numpy(array)
    assert x.dtype == getattr(rustorch, dtype)
    assert x.numpy().dtype == array.dtype
    np.testing.assert_array_equal(x.numpy(), array)
    array[0, 0] = 1
    assert x[0, 0].item() == 1
    x[1, 1] = 0
    assert array[1, 1] == 0


@pytest.mark.cpu_only
def test_numpy_keeps_strides_and_life() -> None:
    x = rustorch.arange(12.0).reshape(3, 4).T
    array = x.numpy()
    assert array.strides == (4, 16)
    expected = array.copy()
    del x
    gc.collect()
    np.testing.assert_array_equal(array, expected)
    y = rustorch.from_numpy(np.arange(12.0).reshape(3, 4)[:, ::2])
    gc.collect()
    assert y.stride() == (4, 2)
    assert y.tolist() == [[0, 2], [4, 6], [8, 10]]
    assert rustorch.zeros(0, 3).numpy().shape == (0, 3)
    assert rustorch.from_numpy(np.zeros((0, 3))).shape == (0, 3)
    assert rustorch.tensor(2.0).numpy().shape == ()
    assert rustorch.from_numpy(np.array(2.5)).item() == 2.5
    assert np.asarray(rustorch.ones(2)).tolist() == [1, 1]
    assert np.array(rustorch.ones(2), dtype=np.int64).dtype == np.int64
    assert np.add(np.ones(2), rustorch.ones(2).numpy()).tolist() == [2, 2]


def test_numpy_refuses_what_it_cannot_share() -> None:
    with pytest.raises(RuntimeError, match="requires grad"):
        rustorch.ones(2, requires_grad=True).numpy()
    assert rustorch.ones(2, requires_grad=True).numpy(force=True).tolist() == [1, 1]
    with pytest.raises(TypeError):
        rustorch.ones(2, dtype=rustorch.bfloat16).numpy()
    with pytest.raises(ValueError, match="negative"):
        rustorch.from_numpy(np.arange(3)[::-1])
    with pytest.raises(TypeError):
        rustorch.from_numpy([1, 2])
    with pytest.raises(TypeError):
        rustorch.from_numpy(np.array(["a"]))
    fixed = np.ones(2)
    fixed.flags.writeable = False
    with pytest.warns(UserWarning, match="not writable"):
        assert rustorch.from_numpy(fixed).tolist() == [1, 1]


@pytest.mark.cpu_only
def test_tensor_from_data() -> None:
    assert rustorch.tensor([[1, 2], [3, 4]]).dtype == rustorch.int64
    assert rustorch.tensor([1, 2.5]).dtype == rustorch.float32
    assert rustorch.tensor([True, False]).dtype == rustorch.bool
    assert rustorch.tensor([True, 2]).tolist() == [1, 2]
    assert rustorch.tensor([]).shape == (0,)
    assert rustorch.tensor([[], []]).shape == (2, 0)
    assert rustorch.tensor(3).shape == ()
    assert rustorch.tensor(np.float64(1.5)).dtype == rustorch.float64
    assert rustorch.tensor(np.arange(3)[::-1].copy()).tolist() == [2, 1, 0]
    assert rustorch.tensor([rustorch.tensor(1.5), 2]).tolist() == [1.5, 2]
    assert rustorch.tensor(range(3)).tolist() == [0, 1, 2]
    assert rustorch.tensor([1.9], dtype=rustorch.int64).tolist() == [1]
    assert rustorch.tensor([1.0], requires_grad=True).requires_grad
    array = np.ones(2)
    assert rustorch.as_tensor(array).data_ptr() == array.ctypes.data
    assert rustorch.tensor(array).data_ptr() != array.ctypes.data
    x = rustorch.ones(2)
    assert rustorch.as_tensor(x) is x


@pytest.mark.parametrize("data", [[[1, 2], [3]], [1, [2]], [[1], 2]])
def test_ragged_data_is_refused(data: list) -> None:
    with pytest.raises((ValueError, TypeError)):
        rustorch.tensor(data)


def test_tensor_refuses_other_data() -> None:
    for data in ("abc", [object()], {"a": 1}, None):
        with pytest.raises((TypeError, RuntimeError)):
            rustorch.tensor(data)
    with pytest.raises((RuntimeError, ValueError)):
        rustorch.tensor(300, dtype=rustorch.uint8)


def test_numbers() -> None:
    assert int(rustorch.tensor(3.7)) == 3
    assert float(rustorch.tensor(3)) == 3.0
    assert complex(rustorch.tensor(2.0)) == 2
    assert bool(rustorch.tensor([0.5]))
    assert [10, 20, 30][rustorch.tensor(1)] == 20
    assert rustorch.tensor(7).item() == 7
    assert isinstance(rustorch.tensor(7).item(), int)
    assert isinstance(rustorch.tensor(True).item(), bool)
    with pytest.raises(RuntimeError, match="ambiguous"):
        bool(rustorch.ones(2))
    with pytest.raises(TypeError):
        range(10)[rustorch.tensor(1.5)]
    with pytest.raises((RuntimeError, ValueError)):
        rustorch.ones(2).item()


def test_sequence() -> None:
    x = rustorch.arange(6).reshape(3, 2)
    assert len(x) == 3
    assert [row.tolist() for row in x] == [[0, 1], [2, 3], [4, 5]]
    assert 3 in x
    assert 9 not in x
    *_, last = x
    assert last.tolist() == [4, 5]
    with pytest.raises(TypeError):
        len(rustorch.tensor(1))
    with pytest.raises(TypeError):
        iter(rustorch.tensor(1))


KEYS = {
    "int": 1,
    "negative": -1,
    "slice": slice(1, 3),
    "step": slice(None, None, 2),
    "none": None,
    "ellipsis": (..., 0),
    "mixed": (1, None, slice(0, 2), ...),
    "list": [0, 2],
    "pairs": ([0, 1], [1, 2]),
    "apart": ([0, 1], slice(None), [1, 0]),
    "mask": np.array([True, False, True, True]),
    "true": True,
    "false": False,
    "numpy int": np.int64(2),
    "array": np.array([[0, 1], [2, 3]]),
    "empty list": [],
}


@pytest.mark.parametrize("name", KEYS)
def test_getitem_and_setitem_as_numpy(name: str) -> None:
    key = KEYS[name]
    array = np.arange(24.0).reshape(4, 3, 2)
    x = rustorch.tensor(array)
    expected = array[np.array([], dtype=np.int64) if name == "empty list" else key]
    np.testing.assert_array_equal(x[key].numpy(force=True), expected)
    if name != "empty list":
        array[key] = -1
        x[key] = -1
        np.testing.assert_array_equal(x.numpy(force=True), array)


def test_bad_indices() -> None:
    x = rustorch.zeros(2, 3)
    for key in (2, (0, 3), (0, 0, 0), slice(None, None, -1), "a", 1.5, object()):
        with pytest.raises((IndexError, ValueError, TypeError)):
            x[key]


def test_copies_and_pickles() -> None:
    x = rustorch.arange(6.0).reshape(2, 3).T.requires_grad_()
    (x * x).sum().backward()
    for made in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert made.tolist() == x.tolist()
        assert made.requires_grad
        assert made.data_ptr() != x.data_ptr()
    assert copy.deepcopy(x).grad.tolist() == x.grad.tolist()
    for dtype in (*DTYPES, "bfloat16"):
        y = rustorch.ones(2, dtype=getattr(rustorch, dtype))
        assert pickle.loads(pickle.dumps(y)).tolist() == y.tolist()
    twice = copy.deepcopy([x, x])
    assert twice[0] is twice[1]
    for value in (rustorch.float32, rustorch.device("cpu"), rustorch.Size([2, 3])):
        again = pickle.loads(pickle.dumps(value))
        assert again == value
        assert type(again) is type(value)
    assert pickle.loads(pickle.dumps(rustorch.float32)) is rustorch.float32
    with pytest.raises(RuntimeError):
        copy.deepcopy(x * 2)


@pytest.mark.cpu_only
def test_to_in_all_forms() -> None:
    x = rustorch.ones(2)
    assert x.to(rustorch.float64).dtype == rustorch.float64
    assert x.to("cpu") is x
    assert x.to("cpu", rustorch.int64).dtype == rustorch.int64
    assert x.to(device="cpu", dtype=rustorch.float16).dtype == rustorch.float16
    assert x.to(rustorch.zeros(1, dtype=rustorch.int32)).dtype == rustorch.int32
    assert x.to(rustorch.float32, copy=True) is not x
    assert x.to(rustorch.float32, non_blocking=True) is x
    for name in ("half", "bfloat16", "float", "double", "byte", "char", "short", "int", "long", "bool"):
        assert getattr(x, name)().tolist() == [1, 1]
    with pytest.raises(TypeError):
        x.to(3.5)
    with pytest.raises(RuntimeError):
        x.to("nowhere")


def test_arguments_as_pytorch_and_numpy_write_them() -> None:
    x = rustorch.arange(6.0).reshape(2, 3)
    assert x.sum(dim=1).tolist() == x.sum(axis=1).tolist() == x.sum((1,)).tolist() == [3, 12]
    assert x.sum(1, keepdim=True).shape == x.sum(1, keepdims=True).shape == (2, 1)
    assert rustorch.sum(input=x).item() == 15
    assert x.reshape(3, 2).shape == x.reshape((3, 2)).shape == x.reshape([3, 2]).shape == x.reshape(-1, 2).shape
    assert x.reshape(x.shape).shape == (2, 3)
    assert x.permute(1, 0).shape == x.permute((1, 0)).shape == (3, 2)
    assert rustorch.zeros(2, 3).shape == rustorch.zeros((2, 3)).shape == rustorch.zeros(size=(2, 3)).shape
    assert rustorch.zeros(np.int64(2), 3).shape == (2, 3)
    assert rustorch.zeros(rustorch.tensor(2), 3).shape == (2, 3)
    assert rustorch.zeros(()).shape == ()
    assert rustorch.add(x, 1, alpha=2).tolist() == (x + 2).tolist()
    assert rustorch.full((2,), rustorch.tensor(3.0)).tolist() == [3, 3]
    assert rustorch.zeros(2, dtype=float).dtype == rustorch.float32
    assert rustorch.zeros(2, dtype=int).dtype == rustorch.int64
    values, indices = x.max(1)
    assert x.max(1).values.tolist() == values.tolist() == [2, 5]
    assert indices.tolist() == [2, 2]
    assert rustorch.max(x).item() == 5
    assert rustorch.max(x, rustorch.ones(3)).tolist() == [[1, 1, 2], [3, 4, 5]]
    assert rustorch.arange(3).tolist() == rustorch.arange(0, 3).tolist() == [0, 1, 2]
    assert (np.float64(2.0) * x).tolist() == (x * 2).tolist()
    assert (2 - x).tolist() == (-(x - 2)).tolist()


@pytest.mark.rustorch_only
def test_messages_of_wrong_arguments() -> None:
    x = rustorch.ones(2, 3)
    cases = [
        (lambda: rustorch.add(x, "a"), "add(): argument 'other' must be Tensor or Number, not str"),
        (lambda: rustorch.add(x), "add() missing required argument: 'other'"),
        (lambda: x.add(1, 2), "add() takes 1 positional argument but 2 were given"),
        (lambda: x.exp(out=x), "exp() got an unexpected keyword argument 'out'"),
        (lambda: x.add(1, other=2), "add() got multiple values for argument 'other'"),
        (lambda: x.reshape(2, "a"), "reshape(): argument 'shape' must be tuple of ints, not str"),
        (lambda: x.sum(True), "sum(): argument 'dim' must be int, tuple of ints or None, not bool"),
        (lambda: rustorch.cat([1, 2]), "cat(): argument 'tensors' must be tuple of Tensors, not list of int"),
        (lambda: rustorch.exp(3.0), "exp(): argument 'input' must be Tensor, not float"),
    ]
    for call, text in cases:
        with pytest.raises(TypeError) as error:
            call()
        assert str(error.value) == text
    with pytest.raises(TypeError, match=r"max\(\) received an invalid combination of arguments - got \(Tensor, str\)"):
        rustorch.max(x, "a")


@pytest.mark.rustorch_only
def test_signatures_and_documentation() -> None:
    assert str(inspect.signature(rustorch.add)) == "(input, other, *, alpha=1, out=None)"
    assert str(inspect.signature(Tensor.add)) == "(self, /, other, *, alpha=1)"
    assert rustorch.add.__module__ == "rustorch"
    assert "broadcast" in rustorch.add.__doc__
    assert "Takes every dtype." in rustorch.mul.__doc__
    assert "In-place form of mul: Multiplies" in Tensor.mul_.__doc__
    assert ">>>" in rustorch.mul.__doc__
    assert ">>>" not in Tensor.mul_.__doc__
    assert "polygamma(n, input)" not in Tensor.polygamma.__doc__
    assert pickle.loads(pickle.dumps(rustorch.add)) is rustorch.add


def test_grad_modes() -> None:
    x = rustorch.ones(1, requires_grad=True)
    with rustorch.no_grad():
        assert not (x * 2).requires_grad
        with rustorch.enable_grad():
            assert (x * 2).requires_grad
        assert not rustorch.is_grad_enabled()
    assert (x * 2).requires_grad

    @rustorch.no_grad()
    def double(t: Tensor) -> Tensor:
        """Doubles."""
        return t * 2

    assert not double(x).requires_grad
    assert double.__doc__ == "Doubles."

    @rustorch.no_grad
    def triple(t: Tensor) -> Tensor:
        return t * 3

    assert not triple(x).requires_grad

    @rustorch.no_grad()
    def steps(t: Tensor):
        yield t * 2
        yield t * 3

    for value in steps(x):
        assert not value.requires_grad
        assert rustorch.is_grad_enabled()
    with rustorch.set_grad_enabled(False):
        assert not rustorch.is_grad_enabled()
    with rustorch.inference_mode():
        assert not (x * 2).requires_grad
    with pytest.raises(KeyError), rustorch.no_grad():
        raise KeyError
    assert rustorch.is_grad_enabled()


@pytest.mark.cpu_only
def test_generators() -> None:
    a = rustorch.Generator().manual_seed(3)
    first = rustorch.rand(4, generator=a).tolist()
    state = a.get_state()
    second = rustorch.rand(4, generator=a).tolist()
    assert first != second
    assert rustorch.rand(4, generator=a.set_state(state)).tolist() == second
    assert rustorch.rand(4, generator=a.manual_seed(3)).tolist() == first
    kept = rustorch.get_rng_state()
    x = rustorch.rand(3).tolist()
    rustorch.set_rng_state(kept)
    assert rustorch.rand(3).tolist() == x
    rustorch.manual_seed(11)
    assert rustorch.initial_seed() == 11


def test_type_limits() -> None:
    assert rustorch.finfo(rustorch.float32).eps == np.finfo(np.float32).eps
    assert rustorch.finfo(rustorch.float16).max == np.finfo(np.float16).max
    assert rustorch.finfo(rustorch.float64).tiny == np.finfo(np.float64).tiny
    assert (rustorch.iinfo(rustorch.uint8).min, rustorch.iinfo(rustorch.uint8).max) == (0, 255)
    assert rustorch.iinfo(rustorch.int64).min == -(2**63)
    with pytest.raises(TypeError):
        rustorch.finfo(rustorch.int32)


@pytest.mark.cpu_only
@pytest.mark.rustorch_only
def test_memory_stats() -> None:
    rustorch.empty_cache()  # threads that came and went may have left blocks that only they can give back
    held = rustorch.memory_stats()["cached_bytes"]
    before = rustorch.memory_stats()["allocated_bytes"]
    x = rustorch.zeros(1_000_000)
    assert rustorch.memory_stats()["allocated_bytes"] >= before + 4_000_000
    del x
    assert rustorch.memory_stats()["allocated_bytes"] < before + 4_000_000
    assert rustorch.memory_stats()["cached_bytes"] >= held + 4_000_000
    rustorch.empty_cache()
    assert rustorch.memory_stats()["cached_bytes"] <= held


def test_where_chooses_among_its_own_elements() -> None:
    x, condition = rustorch.tensor([1.0, 2.0], requires_grad=True), rustorch.tensor([True, False])
    other = rustorch.tensor([5.0, 6.0], requires_grad=True)
    chosen = x.where(condition, other)
    assert chosen.tolist() == [1.0, 6.0]
    chosen.sum().backward()
    assert x.grad is not None
    assert other.grad is not None
    assert (x.grad.tolist(), other.grad.tolist()) == ([1.0, 0.0], [0.0, 1.0])
    assert x.where(condition=condition, other=9).tolist() == [1.0, 9.0]
    assert rustorch.tensor([1, 2]).where(condition, 2.5).tolist() == [1.0, 2.5]
    assert rustorch.tensor([True, False]).where(condition, rustorch.tensor([5, 6])).tolist() == [1, 6]
    # The condition comes first in the function, and alone it is asked for where it holds.
    assert rustorch.where(condition, x, other).tolist() == [1.0, 6.0]
    assert [found.tolist() for found in rustorch.where(condition)] == [[0]]
    for wrong in (lambda: x.where(condition), lambda: x.where(1, 2), lambda: condition.where(x, other)):
        with pytest.raises((TypeError, RuntimeError), match="where"):
            wrong()


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
def test_unravelled_indices_are_int64(dtype: str) -> None:
    # Sizes may be more than what the dtype of the indices holds.
    coordinates = rustorch.unravel_index(rustorch.tensor([3, 100], dtype=getattr(rustorch, dtype)), (2, 200))
    assert [c.dtype for c in coordinates] == [rustorch.int64] * 2
    assert [c.tolist() for c in coordinates] == [[0, 0], [3, 100]]
