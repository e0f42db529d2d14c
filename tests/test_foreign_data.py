"""What other objects say of themselves is not believed: lists without end, arrays that lie, capsules of nonsense."""

import array
import ctypes
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

import rustorch

pytestmark = [pytest.mark.cpu_only, pytest.mark.rustorch_only]


# --- nested sequences ---


def deep(depth: int, kind: type = list) -> Any:
    nested: Any = 1.0
    for _ in range(depth):
        nested = kind([nested])
    return nested


class Endless(Sequence):  # type: ignore[type-arg]
    """A sequence whose every entry is itself."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, i: int) -> "Endless":
        return self


def endless_list() -> list[Any]:
    made: list[Any] = []
    made.append(made)
    return made


READERS: dict[str, Callable[[Any], Any]] = {
    "tensor": rustorch.tensor,
    "as_tensor": rustorch.as_tensor,
    "asarray": rustorch.asarray,
    "Tensor": rustorch.Tensor,
    "new_tensor": lambda data: rustorch.ones(1).new_tensor(data),
    "index": lambda data: rustorch.ones(1)[data,],
    "assignment": lambda data: rustorch.ones(1).__setitem__(0, data),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "data",
    [deep(129), deep(100_000), deep(100_000, tuple), endless_list(), Endless(), [Endless()]],
    ids=["129", "100000", "tuples", "itself", "endless", "endless inside"],
)
def test_sequences_nested_too_deep(reader: str, data: Any) -> None:
    if reader == "assignment" and isinstance(data, Endless):
        pytest.skip("neither a list nor a tuple")
    with pytest.raises(ValueError, match="too many dimensions"):
        READERS[reader](data)


def test_as_deep_as_pytorch_goes() -> None:
    made = rustorch.tensor(deep(128))
    assert made.ndim == 128
    assert made.tolist() == deep(128)


def test_tolist_of_many_dimensions() -> None:
    lists = rustorch.ones([1] * 20_000).tolist()
    for _ in range(20_000):
        (lists,) = lists
    assert lists == 1.0
    shapes = [(), (0,), (3, 0), (0, 3), (2, 3, 4)]
    assert [rustorch.arange(int(np.prod(s))).reshape(s).tolist() for s in shapes] == [
        np.arange(int(np.prod(s))).reshape(s).tolist() for s in shapes
    ]


class Lying(Sequence):  # type: ignore[type-arg]
    """Says to have `length` entries, and has `entries`."""

    def __init__(self, length: int, entries: int) -> None:
        self.length, self.entries = length, entries

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, i: int) -> float:
        if i >= self.entries:
            raise IndexError(i)
        return float(i)


class Growing(Sequence):  # type: ignore[type-arg]
    """Has one entry more each time it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __len__(self) -> int:
        self.asked += 1
        return self.asked

    def __getitem__(self, i: int) -> float:
        return float(i)


class Changing:
    """A number that changes the list it is in when it is read."""

    def __init__(self, change: Callable[[], Any]) -> None:
        self.change = change

    def __index__(self) -> int:
        self.change()
        return 1


def changed_while_read(change: str) -> list[Any]:
    data: list[Any] = [1, 2, 3, 4]
    changes = {"clear": data.clear, "grow": lambda: len(data) < 1000 and data.extend([5, 6]), "pop": data.pop}
    data[1] = Changing(changes[change])
    return data


@pytest.mark.parametrize(
    "data",
    [Lying(4, 2), [Lying(2, 2), Lying(2, 1)], Lying(-1, 3), *map(changed_while_read, ("clear", "pop"))],
    ids=["short", "short row", "negative", "clear", "pop"],
)
def test_sequences_that_lie_about_their_length(data: Any) -> None:
    with pytest.raises((ValueError, IndexError, TypeError, rustorch.RusTorchError)):
        rustorch.tensor(data)


def test_sequences_that_are_right_when_asked() -> None:
    assert rustorch.tensor(Lying(2, 4)).tolist() == [0.0, 1.0]  # what it says is there
    assert rustorch.tensor(changed_while_read("grow")).tolist() == [1, 1, 3, 4]  # as long as it was
    made = rustorch.tensor(Growing())
    assert made.tolist() == [float(i) for i in range(made.numel())]


# --- arrays that lie ---


class Liar(np.ndarray):
    """An array whose attributes are whatever the test says."""

    lies: ClassVar[dict[str, Any]] = {}

    def __getattribute__(self, name: str) -> Any:
        lies = type(self).lies
        return lies[name] if name in lies else super().__getattribute__(name)


SHARED: list[Callable[[Any], rustorch.Tensor]] = [rustorch.from_numpy, rustorch.as_tensor, rustorch.tensor]


@pytest.mark.parametrize("share", SHARED)
@pytest.mark.parametrize(
    "lies",
    [
        {"shape": (10**9,)},
        {"shape": (-1,), "ndim": 1},
        {"strides": (10**9,)},
        {"strides": (-4,)},
        {"dtype": np.dtype(np.float64), "itemsize": 8},
        {"size": 10**9, "nbytes": 10**10},
        {"ndim": 7},
        {"ndim": -1},
        {"ndim": "x"},
        {"data": b"", "ctypes": None, "__array_interface__": {"shape": (10**9,), "data": (8, False), "typestr": "<f8"}},
        {"__len__": 10**9},
    ],
    ids=lambda lies: ",".join(lies),
)
def test_attributes_are_not_believed(share: Callable[[Any], rustorch.Tensor], lies: dict[str, Any]) -> None:
    liar = np.arange(3, dtype=np.float32).view(type("Liar", (Liar,), {"lies": lies}))
    made = share(liar)
    assert (made.dtype, made.tolist(), made.stride()) == (rustorch.float32, [0.0, 1.0, 2.0], (1,))


@pytest.mark.parametrize("share", SHARED)
@pytest.mark.parametrize(
    "reshaped",
    [np.empty(0, np.float32), np.ones(5, np.float32), b"", 3, None, np.ones((), np.float32), bytearray(7)],
    ids=["empty", "five", "bytes", "int", "none", "scalar", "odd"],
)
def test_an_array_that_says_it_has_no_dimensions(share: Callable[[Any], rustorch.Tensor], reshaped: Any) -> None:
    lies = {"ndim": 0, "reshape": lambda *_: reshaped}
    liar = np.arange(3, dtype=np.float32).view(type("Liar", (Liar,), {"lies": lies}))
    try:
        made = share(liar)
    except (TypeError, ValueError, BufferError):
        return
    assert made.tolist() in ([0.0, 1.0, 2.0], 0.0)  # `tensor` goes by what the array is


def test_a_read_only_array_warns_whatever_it_says() -> None:
    fixed = np.arange(3, dtype=np.float32)
    fixed.flags.writeable = False
    for lies in ({}, {"flags": np.ones(1).flags}):
        with pytest.warns(UserWarning, match="not writable"):
            rustorch.from_numpy(fixed.view(type("Liar", (Liar,), {"lies": lies})))


# --- memory that shows itself ---


def test_buffers_that_cannot_be_shared() -> None:
    for wrong in (bytearray(), memoryview(bytearray(8))[::2], array.array("h", [1]), object(), 3):
        with pytest.raises((TypeError, ValueError, BufferError)):
            rustorch.frombuffer(wrong, dtype=rustorch.float32)
    held = bytearray(8)
    view = rustorch.frombuffer(held, dtype=rustorch.uint8)
    with pytest.raises(BufferError):
        held.clear()  # the memory cannot go away under the tensor
    assert view.tolist() == [0] * 8
    for arguments in ({"count": 9}, {"count": 2**62}, {"count": 0}, {"count": -2}, {"offset": 8}, {"offset": 2**63}):
        with pytest.raises((ValueError, OverflowError)):
            rustorch.frombuffer(held, dtype=rustorch.uint8, **arguments)
    with pytest.raises(ValueError, match="multiple"):
        rustorch.frombuffer(held, dtype=rustorch.int32, count=1, offset=1)


# --- DLPack ---


class DLTensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("byte_offset", ctypes.c_uint64),
    )


class Managed(ctypes.Structure):
    _fields_ = (("tensor", DLTensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p))


@pytest.fixture
def capsule() -> Callable[..., Any]:
    """Makes capsules over 24 bytes, and counts how often they are given back."""
    kept: list[Any] = []
    deleted: list[int] = []
    deleter = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(deleted.append)
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)

    def make(name: bytes = b"dltensor", shape: Any = (2, 3), strides: Any = None, **fields: Any) -> Any:
        data = (ctypes.c_float * 6)(*range(6))
        lists = [None if numbers is None else (ctypes.c_int64 * len(numbers))(*numbers) for numbers in (shape, strides)]
        addresses = [None if numbers is None else ctypes.addressof(numbers) for numbers in lists]
        known = {"data": ctypes.addressof(data), "device_type": 1, "ndim": 2, "code": 2, "bits": 32, "lanes": 1}
        known |= {"shape": addresses[0], "strides": addresses[1]}
        shift = fields.pop("shift", {})
        known |= fields
        for field, by in shift.items():
            known[field] += by
        managed = Managed(DLTensor(**known), None, ctypes.cast(deleter, ctypes.c_void_p))
        kept.extend((data, lists, managed, name))
        return new(ctypes.addressof(managed), name, None)

    make.deleted = deleted  # type: ignore[attr-defined]
    return make


@pytest.mark.parametrize(
    "fields",
    [
        {"ndim": -1},
        {"ndim": 2**31 - 1},
        {"ndim": 5000},
        {"shape": (-1, 3)},
        {"shape": (2**62, 3)},
        {"shape": (2**32, 2**32)},
        {"shape": None},
        {"shape": (2, 3), "strides": (2**62, 1)},
        {"shape": (2, 3), "strides": (2**61, 2**61)},
        {"strides": (-3, 1)},
        {"strides": (3, -(2**63))},
        {"data": None},
        {"data": None, "byte_offset": 64},
        {"byte_offset": 2**64 - 8},
        {"byte_offset": 2**63},
        {"byte_offset": 2},
        {"shift": {"data": 1}},
        {"shift": {"shape": 4}},
        {"shape": (2, 3), "strides": (3, 1), "shift": {"strides": 1}},
        {"device_type": 0},
        {"device_type": 3},
        {"device_type": -7},
        {"device_type": 99},
        {"bits": 0},
        {"bits": 255},
        {"bits": 4},
        {"lanes": 0},
        {"lanes": 4},
        {"lanes": 65535},
        {"code": 200},
        {"code": 3},
        {"name": b"dltensor_"},
        {"name": b""},
        {"name": b"used_dltensor"},
    ],
    ids=str,
)
def test_capsules_that_make_no_sense(capsule: Any, fields: dict[str, Any]) -> None:
    made = capsule(**fields)
    with pytest.raises((BufferError, ValueError, TypeError, RuntimeError)):
        rustorch.from_dlpack(made)
    taken = "name" not in fields
    assert len(capsule.deleted) == taken  # what was taken is given back, once
    with pytest.raises((BufferError, ValueError, TypeError, RuntimeError)):
        rustorch.from_dlpack(made)
    assert len(capsule.deleted) == taken


def test_capsules_that_do(capsule: Any) -> None:
    for made in (capsule(), capsule(strides=(3, 1)), capsule(shape=(2, 3), device_id=5)):
        assert rustorch.from_dlpack(made).tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert rustorch.from_dlpack(capsule(shape=(1, 2), strides=(-9, 2), byte_offset=4)).tolist() == [[1.0, 3.0]]
    assert rustorch.from_dlpack(capsule(shape=(0, 3), data=None)).shape == (0, 3)
    assert rustorch.from_dlpack(capsule(ndim=0, shape=None, byte_offset=20)).item() == 5.0
    assert len(capsule.deleted) == 6


@pytest.mark.parametrize(
    "producer",
    [
        {"__dlpack_device__": lambda self: (1, 0), "__dlpack__": lambda self, **_: None},
        {"__dlpack_device__": lambda self: (1, 0), "__dlpack__": lambda self, **_: 3},
        {"__dlpack_device__": lambda self: (1,), "__dlpack__": lambda self, **_: None},
        {"__dlpack_device__": lambda self: "cpu", "__dlpack__": lambda self, **_: None},
        {"__dlpack_device__": lambda self: (2**40, 0), "__dlpack__": lambda self, **_: None},
        {"__dlpack__": lambda self, **_: None},
    ],
    ids=range(6),
)
def test_producers_that_give_no_capsule(producer: dict[str, Any]) -> None:
    with pytest.raises((BufferError, ValueError, TypeError, AttributeError, OverflowError)):
        rustorch.from_dlpack(type("Producer", (), producer)())


def test_a_producer_on_another_device_than_it_says(capsule: Any) -> None:
    made = capsule(device_type=2)
    producer = type("Producer", (), {"__dlpack_device__": lambda _: (1, 0), "__dlpack__": lambda _, **__: made})()
    with pytest.raises((BufferError, RuntimeError)):
        rustorch.from_dlpack(producer)


def test_a_process_survives_the_deepest_list() -> None:
    # The stack of a thread is small; a crash would take the tests with it.
    program = (
        "import sys, threading, rustorch\nthreading.stack_size(1 << 18)\nl = []\n"
        "for _ in range(200_000): l = [l]\n"
        "def read():\n    try: rustorch.tensor(l)\n    except ValueError as e: print('raised', e)\n"
        "t = threading.Thread(target=read); t.start(); t.join()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout[:6]) == (0, "raised"), done.stderr
