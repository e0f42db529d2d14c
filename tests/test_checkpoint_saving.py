"""rustorch.save: files that Python's own zipfile and pickle read as PyTorch would, written whole or not at all."""

from __future__ import annotations

import collections
import io
import os
import pickle
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rustorch
from rustorch import nn

from tests.checkpoint_writer import STORAGES

pytestmark = [pytest.mark.rustorch_only, pytest.mark.cpu_only]

NUMPY = {storage: dtype for dtype, storage in STORAGES.items()} | {"BFloat16Storage": "uint16"}


class Reader(pickle.Unpickler):
    """Reads a checkpoint with NumPy: what PyTorch's functions would do with arrays."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        super().__init__(io.BytesIO(archive.read("archive/data.pkl")))
        self.archive = archive
        self.storages: dict[str, np.ndarray[Any, Any]] = {}

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in NUMPY:
            return NUMPY[name]
        known = {
            "torch._utils._rebuild_tensor_v2": self.tensor,
            "torch._utils._rebuild_parameter": lambda data, grad, hooks: ("parameter", data, grad),
            "torch.Size": tuple,
            "torch.float16": "float16",
            "torch.device": lambda *parts: parts,
            "collections.OrderedDict": collections.OrderedDict,
            "collections.Counter": collections.Counter,
            "_codecs.encode": lambda text, encoding: text.encode(encoding),
            "__builtin__.set": set,
            "__builtin__.bytearray": bytearray,
            "__builtin__.complex": complex,
        }
        full = f"{module}.{name}".replace("builtins.", "__builtin__.")
        return known[full]

    def persistent_load(self, description: Any) -> np.ndarray[Any, Any]:
        word, dtype, key, location, count = description
        assert (word, location) == ("storage", "cpu")
        if key not in self.storages:
            self.storages[key] = np.frombuffer(self.archive.read(f"archive/data/{key}"), dtype)
        assert len(self.storages[key]) == count
        return self.storages[key]

    @staticmethod
    def tensor(storage: Any, offset: int, size: Any, stride: Any, grad: bool, hooks: Any) -> np.ndarray[Any, Any]:
        assert not hooks
        steps = [step * storage.itemsize for step in stride]
        return np.lib.stride_tricks.as_strided(storage[offset:], size, steps)


def saved(value: object) -> tuple[zipfile.ZipFile, Any]:
    out = io.BytesIO()
    rustorch.save(value, out)
    archive = zipfile.ZipFile(io.BytesIO(out.getvalue()))
    assert archive.testzip() is None
    return archive, Reader(archive).load()


@pytest.mark.parametrize("dtype", [dtype for dtype in STORAGES if dtype != "bfloat16"])
def test_every_dtype(dtype: str) -> None:
    values = rustorch.arange(6).view(2, 3).to(getattr(rustorch, dtype))
    _, found = saved([values, values.t(), values[1]])
    assert found[0].dtype == dtype
    np.testing.assert_array_equal(found[0], values.numpy())
    np.testing.assert_array_equal(found[1], values.numpy().T)
    np.testing.assert_array_equal(found[2], values.numpy()[1])


def test_shared_memory_is_one_record_and_records_are_aligned() -> None:
    x = rustorch.arange(100.0)
    archive, _ = saved({"a": x, "b": x[3:], "c": rustorch.ones(2, dtype=rustorch.bfloat16), "d": nn.Parameter(x)})
    names = [info.filename for info in archive.infolist() if "/data/" in info.filename]
    assert names == ["archive/data/0", "archive/data/1"]
    content = archive.fp.getvalue()  # type: ignore[union-attr]
    for name in archive.infolist():
        header = name.header_offset
        lengths = (
            int.from_bytes(content[header + 26 : header + 28], "little"),
            int.from_bytes(content[header + 28 : header + 30], "little"),
        )
        assert (header + 30 + sum(lengths)) % 64 == 0


def test_plain_values() -> None:
    shared = [1]
    value = {
        "ints": [0, -1, 255, 256, 65536, 2**31, -(2**63), 2**63, -(2**2100)],
        "floats": [1.5, -0.0, float("inf"), 1 + 2j],
        "texts": ["", "ü😀", "\ud800"],
        "bytes": [b"", b"\x00\xff", bytearray(b"x")],
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "set": {1, 2},
        "same": [shared, shared],
        "ordered": collections.OrderedDict(b=1, a=2),
        "counter": collections.Counter("aab"),
        None: (True, False, None),
    }
    _, found = saved(value)
    assert found == value
    assert repr(found) == repr(value)
    assert found["same"][0] is found["same"][1]
    _, found = saved([rustorch.Size([2, 3]), rustorch.float16, rustorch.device("cpu"), rustorch.device("metal:0")])
    assert found == [(2, 3), "float16", ("cpu",), ("mps", 0)]


def test_what_holds_itself_and_what_is_nested_deeply() -> None:
    ring: Any = ([],)
    ring[0].append(ring)
    _, found = saved(ring)
    assert found[0][0] is found
    deep: Any = []
    for _ in range(50000):
        deep = [deep]
    out = io.BytesIO()
    rustorch.save(deep, out)
    found = rustorch.load(io.BytesIO(out.getvalue()))
    for _ in range(50000):
        (found,) = found
    assert found == []
    # Freed bit by bit, as a list is not.
    while deep:
        deep = deep.pop()


def test_round_trips() -> None:
    buffer = nn.Buffer(rustorch.ones(2))
    parameter = nn.Parameter(rustorch.ones(2), requires_grad=False)
    parameter.note = "frozen"
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    value = {
        "state": net.state_dict(),
        "array": np.arange(6, dtype=">f4").reshape(2, 3),
        "scalar": np.float32(2.5),
        "dtype": np.dtype("<i8"),
        "default": collections.defaultdict(list, a=[1]),
        "frozen": frozenset({1, (2, 3)}),
        "range": range(2, 9, 3),
        "slice": slice(None, 3),
        "format": rustorch.channels_last,
        "layout": rustorch.strided,
        "empty": rustorch.zeros(0, 3),
        "scalar tensor": rustorch.tensor(2.0, requires_grad=True),
        "buffer": buffer,
        "parameter": parameter,
        "storage": rustorch.ones(3).untyped_storage(),
    }
    out = io.BytesIO()
    rustorch.save(value, out)
    found = rustorch.load(io.BytesIO(out.getvalue()))
    other = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    other.load_state_dict(found["state"])
    assert all(a.equal(b) for a, b in zip(net.state_dict().values(), other.state_dict().values(), strict=True))
    assert found["state"]._metadata == net.state_dict()._metadata
    np.testing.assert_array_equal(found["array"], value["array"])
    assert found["scalar"] == 2.5
    for same in ("dtype", "default", "frozen", "range", "slice"):
        assert found[same] == value[same]
    assert found["format"] is rustorch.channels_last
    assert found["layout"] is rustorch.strided
    assert found["empty"].shape == (0, 3)
    assert found["scalar tensor"].requires_grad
    assert (found["buffer"].persistent, found["buffer"]._is_buffer) == (True, True)
    assert (type(found["parameter"]), found["parameter"].note) == (nn.Parameter, "frozen")
    assert not found["parameter"].requires_grad
    assert found["storage"].tolist() == [0, 0, 128, 63] * 3


class Own:
    """Not plain data."""


def test_what_is_not_plain_data_is_refused_by_its_class(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    rustorch.save([1], path)
    before = path.read_bytes()
    x = rustorch.ones(4)
    for value, kind, reason in [
        ({"a": Own()}, TypeError, "Own"),
        (nn.Linear(1, 1), TypeError, r"Linear.*state_dict"),
        ([len], TypeError, "builtin"),
        (Own, TypeError, "type"),
        (np.array([{}], object), ValueError, "object"),
        ([x, rustorch.empty(0, dtype=rustorch.int32).set_(x.untyped_storage())], ValueError, "float32 and int32"),
    ]:
        with pytest.raises(kind, match=reason):
            rustorch.save(value, path)
    with pytest.raises(TypeError, match=r"save\(\): f is a path"):
        rustorch.save([1], 3)  # type: ignore[arg-type]
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["x.pt"]
    with pytest.raises(rustorch.FileError, match="none"):
        rustorch.save([1], tmp_path / "none" / "x.pt")


def test_an_exception_of_the_files_comes_out() -> None:
    class Full(io.RawIOBase):
        def write(self, data: Any) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        rustorch.save([1], Full())

    class Slow(io.BytesIO):
        def write(self, data: Any) -> int:
            return super().write(bytes(data)[:7])

    slow = Slow()
    rustorch.save(rustorch.arange(100.0), slow)
    assert rustorch.load(io.BytesIO(slow.getvalue())).sum() == 4950


def test_no_second_copy_is_held(tmp_path: Path) -> None:
    """A child saves 64 MiB; its memory may grow by a part of that only."""
    code = (
        "import resource, sys, rustorch\n"
        "x = rustorch.ones(16 << 20)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "rustorch.save({'x': x}, sys.argv[1])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    path = str(tmp_path / "x.pt")
    out = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True, timeout=60)
    assert os.path.getsize(path) > 64 << 20
    assert int(out.stdout) < 16 << 10


@pytest.mark.parametrize("after", [0.0, 0.004, 0.01, 0.02])
def test_a_killed_save_leaves_the_old_file_or_the_new_one(tmp_path: Path, after: float) -> None:
    path = tmp_path / "x.pt"
    rustorch.save({"a": rustorch.zeros(3)}, path)
    code = (
        "import sys, rustorch\nx = rustorch.ones(2 << 20)\nprint('go', flush=True)\n"
        "while True: rustorch.save({'a': x}, sys.argv[1])"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert rustorch.load(path)["a"].sum() in (0, 2 << 20)
