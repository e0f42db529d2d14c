"""rustorch.load of PyTorch's checkpoints: what they hold comes back, and nothing in them is run."""

from __future__ import annotations

import base64
import collections
import io
import json
import pickle
import struct
import sys
import tarfile
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rustorch
from rustorch import nn, serialization

from tests.checkpoint_writer import (
    NO_HOOKS,
    STORAGES,
    legacy,
    name,
    number,
    numbers,
    pickled,
    storage,
    tensor,
    text,
    zipped,
)

pytestmark = [pytest.mark.rustorch_only, pytest.mark.cpu_only]

RECORDED = json.loads((Path(__file__).parent / "pytorch_answers" / "checkpoints.json").read_text())
FOUR = struct.pack("<4f", 1, 2, 3, 4)


def loaded(content: bytes, **options: Any) -> Any:
    return rustorch.load(io.BytesIO(content), **options)


def recorded(what: str, **options: Any) -> Any:
    return loaded(base64.b64decode(RECORDED[what]), **options)


@pytest.mark.parametrize("form", ["state_dict zip", "state_dict legacy"])
def test_a_state_dict_of_pytorchs_loads_into_a_module(form: str) -> None:
    state = recorded(form)
    assert type(state) is collections.OrderedDict
    assert state._metadata[""] == {"version": 1}
    net = nn.Linear(2, 1)
    net.load_state_dict(state)
    assert net(rustorch.tensor([[3.0, 4.0]])).tolist() == [[11.5]]


def test_tensors_that_shared_memory_share_it() -> None:
    whole, row, turned = recorded("views")
    assert whole.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (turned.stride(), row.storage_offset()) == ((1, 3), 3)
    row[0] = 9
    assert whole[1, 0] == 9
    assert turned[0, 1] == 9


def test_values_of_pytorchs() -> None:
    values = recorded("values")
    assert values["list"] == [1, -2, 2**70, 1.5, 1 + 2j, None, True]
    assert values["bytes"] == b"a\xff"
    assert values["set"] == {1, 2}
    assert values["size"] == rustorch.Size([2, 3])
    assert type(values["size"]) is rustorch.Size
    assert values["dtype"] is rustorch.float16
    assert values["device"] == rustorch.device("cuda", 1)
    assert values["counter"] == collections.Counter("aab")
    assert type(values["counter"]) is collections.Counter
    parameter = values["parameter"]
    assert type(parameter) is nn.Parameter
    assert parameter.requires_grad
    assert parameter.is_leaf


SHARED: list[Any] = [1, 2]
PLAIN: dict[Any, Any] = {
    "ints": [0, -1, 255, 256, 65535, 65536, 2**31 - 1, -(2**31), 2**63, -(2**63), 2**2000, -(2**2000)],
    "floats": [0.0, -0.0, 1.5, float("inf"), -float("inf"), 1e-300],
    "texts": ["", "plain", "ünïcödé", "😀", "a\0b\n\\x", "x" * 300, "\ud800"],
    "bytes": [b"", b"abc\x80\xff", bytes(300), bytearray(b"abc"), bytearray()],
    "others": [None, True, False, 1j, (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {}, set(), frozenset({1})],
    "dicts": [collections.OrderedDict(b=1, a=2), collections.defaultdict(list, a=[1]), collections.Counter("abca")],
    "ranges": [range(3), slice(1, None, 2)],
    (1, "key"): {frozenset({1, 2}): SHARED},
    b"key": [SHARED, SHARED],
}


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_of_every_protocol_come_back(protocol: int) -> None:
    plain = PLAIN
    if protocol == 0:
        # Its texts are Latin-1 with escapes, of which a half of a pair is none that is read.
        plain = PLAIN | {"texts": PLAIN["texts"][:-1], "ints": PLAIN["ints"][:-2]}
    content = pickle.dumps(plain, protocol)
    for file in (zipped(content), legacy(content)):
        found = loaded(file)
        assert found == plain
        assert repr(found) == repr(plain)
        assert found[b"key"][0] is found[b"key"][1] is found[(1, "key")][frozenset({1, 2})]


def test_nothing_is_lost_of_what_holds_itself_or_is_nested_deeply() -> None:
    ring: list[Any] = []
    ring.append({"ring": ring})
    found = loaded(zipped(pickle.dumps(ring, 2)))
    assert found[0]["ring"] is found
    deep = loaded(zipped(pickled(b"]" * 50000 + b"a" * 49999)))
    for _ in range(49999):
        (deep,) = deep
    assert deep == []


@pytest.mark.parametrize("dtype", STORAGES)
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_dtype_in_both_byte_orders(dtype: str, order: str) -> None:
    values = np.array([0, 1, 2, 100])
    array = values.astype(np.float32 if dtype == "bfloat16" else dtype)
    data = array.astype(array.dtype.newbyteorder(order)).tobytes()
    if dtype == "bfloat16":
        bits = (array.view(np.uint32) >> 16).astype(np.uint16)
        data = bits.astype(bits.dtype.newbyteorder(order)).tobytes()
    content = pickled(tensor(storage("0", 4, dtype), (2, 2), (1, 2)))
    little = order == "<"
    for file in (
        zipped(content, {"0": data}, "little" if little else "big"),
        zipped(content, {"0": data}, "little" if little else "big", zipfile.ZIP_DEFLATED),
        legacy(content, {"0": (4, data)}, little),
    ):
        found = loaded(file)
        assert found.dtype is getattr(rustorch, dtype)
        np.testing.assert_array_equal(found.to(rustorch.complex128).numpy(), array.astype("c16").reshape(2, 2).T)


def test_conjugates_and_negatives_are_computed() -> None:
    data = np.array([1 + 2j, 3 - 4j], np.complex64)
    stored = storage("0", 2, "complex64")
    for metadata, expected in [(b"conj", data.conj()), (b"neg", -data)]:
        more = b"}" + text(metadata.decode()) + b"\x88s"
        found = loaded(zipped(pickled(tensor(stored, (2,), (1,), more=more)), {"0": data.tobytes()}))
        np.testing.assert_array_equal(found.numpy(), expected)


def test_views_of_storages_in_old_files_share_memory() -> None:
    view = b"(" + text("v") + number(1) + number(2) + b"t"
    viewed = storage("0", 4)[:-2] + view + b"tQ"
    content = pickled(b"]" + tensor(storage("0", 4), (4,), (1,)) + b"a" + tensor(viewed, (2,), (1,)) + b"a")
    whole, part = loaded(legacy(content, {"0": (4, FOUR)}))
    assert part.tolist() == [2, 3]
    part[0] = 7
    assert whole.tolist() == [1, 7, 3, 4]
    beyond = pickled(tensor(viewed, (3,), (1,)))
    with pytest.raises(rustorch.ModelFormatError, match="beyond"):
        loaded(legacy(beyond, {"0": (4, FOUR)}))


def test_tar_archives() -> None:
    def dumped(*parts: bytes | Any) -> bytes:
        return b"".join(part if isinstance(part, bytes) else pickle.dumps(part, 2) for part in parts)

    described = pickled(b"(" + number(10) + text("cpu") + name("torch", "FloatStorage") + b"t")
    storages = dumped(1, described, struct.pack("<q", 4), FOUR, [(11, 10, 1, 3)])
    first = pickled(b"(" + number(20) + number(10) + name("torch", "FloatTensor") + b"t")
    second = pickled(b"(" + number(21) + number(11) + name("torch", "FloatTensor") + b"t")
    tensors = dumped(2, first, struct.pack("<ii5q", 2, 0, 2, 2, 2, 1, 0), second, struct.pack("<ii3q", 1, 0, 2, 1, 1))
    whole = pickled(b"]" + text("20") + b"Qa" + text("21") + b"Qa")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for member, data in [("storages", storages), ("tensors", tensors), ("pickle", whole)]:
            info = tarfile.TarInfo(member)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    square, part = loaded(out.getvalue())
    assert square.tolist() == [[1, 2], [3, 4]]
    assert part.tolist() == [3, 4]
    part[0] = 9
    assert square[1, 0] == 9


def test_numpys_arrays_and_numbers_come_back() -> None:
    values = [
        np.arange(6, dtype="<f4").reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=">i8").reshape(2, 3)),
        np.array("text"),
        np.float64(1.5),
        np.uint16(7),
        np.dtype("<c8"),
        np.zeros((0, 3)),
    ]
    for protocol in (2, 5):
        found = loaded(zipped(pickle.dumps(values, protocol)))
        for want, got in zip(values, found, strict=True):
            assert type(want) is type(got)
            np.testing.assert_equal(got, want)
            assert getattr(want, "dtype", want) == getattr(got, "dtype", got)


def test_where_a_file_comes_from(tmp_path: Path) -> None:
    content = zipped(pickled(tensor(storage("0", 4), (4,), (1,))), {"0": FOUR})
    path = tmp_path / "x.pt"
    path.write_bytes(b"before" + content)
    with path.open("rb") as file:
        file.seek(6)
        assert rustorch.load(file).tolist() == [1, 2, 3, 4]
    path.write_bytes(content)
    assert rustorch.load(path).tolist() == [1, 2, 3, 4]
    assert rustorch.load(str(path)).tolist() == [1, 2, 3, 4]
    with path.open() as file, pytest.raises((TypeError, UnicodeDecodeError)):
        rustorch.load(file)  # type: ignore[arg-type]
    with pytest.raises(rustorch.FileError, match="directory"):
        rustorch.load(tmp_path)
    with pytest.raises(rustorch.FileError, match=r"none\.pt"):
        rustorch.load(tmp_path / "none.pt")


def test_mapped_files_are_shared_until_they_are_written_to(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    rustorch.save({"a": rustorch.arange(4.0)}, path)
    before = path.read_bytes()
    mapped = rustorch.load(path, mmap=True)["a"]
    mapped[0] = 9
    assert mapped.tolist() == [9, 1, 2, 3]
    assert path.read_bytes() == before
    assert rustorch.load(path, mmap=True)["a"].tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="mmap=True takes a path"):
        loaded(before, mmap=True)


def test_devices_are_mapped() -> None:
    file = zipped(pickled(tensor(storage("0", 4, location="xla:1"), (4,), (1,))), {"0": FOUR})
    asked = []

    def place(given: rustorch.UntypedStorage, location: str) -> rustorch.UntypedStorage:
        asked.append((location, given.nbytes(), str(given.device)))
        return given

    for location in ("cpu", rustorch.device("cpu"), {"xla:1": "cpu"}, place):
        assert loaded(file, map_location=location).tolist() == [1, 2, 3, 4]
    assert asked == [("xla:1", 16, "cpu")]
    for wrong in (None, {"xla:0": "cpu"}, lambda storage, location: None):
        with pytest.raises(rustorch.DeviceError, match=r"xla:1.*map_location"):
            loaded(file, map_location=wrong)
    with pytest.raises(TypeError, match="UntypedStorage"):
        loaded(file, map_location=lambda storage, location: 3)
    with pytest.raises(ZeroDivisionError):
        loaded(file, map_location=lambda storage, location: 1 // 0)


def call(module: str, attribute: str, *arguments: bytes) -> bytes:
    return name(module, attribute) + b"(" + b"".join(arguments) + b"tR"


ONE = storage("0", 4)
REFUSED = {
    "os.system": call("os", "system", text("true")),
    "builtins.eval": b"\x8c\x08builtins\x8c\x04eval\x93" + text("1") + b"\x85R",
    "subprocess.Popen": name("subprocess", "Popen") + text("true") + b"\x85\x81",
    "posix.system": b"(" + text("true") + b"iposix\nsystem\n",
    "torch.serialization.os.system": call("torch.serialization.os", "system", text("true")),
    "EXT": b"\x82\x01",
    "reaches beyond": tensor(ONE, (2, 3), (3, 1)),
    "overflows": tensor(ONE, (2**64, 1), (1, 1)),
    "more elements": tensor(ONE, (2**32, 2**32), (0, 0)),
    "negative": tensor(ONE, (-4,), (1,)),
    "is negative: -1": tensor(ONE, (4,), (-1,)),
    "2 strides": tensor(ONE, (1, 2, 2), (2, 1)),
    "is float, not an int": name("torch._utils", "_rebuild_tensor_v2")
    + b"("
    + ONE
    + number(0)
    + b"G?\xf0\0\0\0\0\0\0\x85"
    + numbers(1)
    + b"\x89"
    + NO_HOOKS
    + b"tR",
    "16 bytes": tensor(storage("0", 5), (5,), (1,)),
    "data/7": tensor(storage("7", 4), (4,), (1,)),
    "requires grad": tensor(storage("0", 2, "int64"), (2,), (1,), grad=True),
    "persistent id": text("storage") + b"Q",
    "unhashable": b"}]]s",
    "empty stack": b"0",
    "no mark": b"t",
    "memo": b"h\x05",
    "no opcode": b"\xff",
    "ends early": b"]",
    "not UTF-8": b"X\1\0\0\0\xff",
    "a text of 4294967295 bytes": b"X\xff\xff\xff\xff",
    "bytes of 18446744073709551615": b"\x8e" + b"\xff" * 8,
    "digits": b"I" + b"9" * 20000 + b"\n",
    "quantized": call("torch._utils", "_rebuild_qtensor"),
    "sparse": call("torch._utils", "_rebuild_sparse_tensor"),
    "numpy": call("numpy.core.multiarray", "_reconstruct", name("numpy", "ndarray"), numbers(2**40), text("b")),
    "codec": call("_codecs", "encode", text("x"), text("rot13")),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_is_broken_or_would_run_is_refused_with_the_reason(reason: str) -> None:
    content = b"\x80\x02" + REFUSED[reason] + (b"" if reason == "ends early" else b".")
    with pytest.raises(rustorch.ModelFormatError) as refused:
        loaded(zipped(content, {"0": FOUR}))
    assert reason in str(refused.value)


def test_keys_whose_hash_would_take_for_ever_are_refused() -> None:
    doubled = b"K\1\x85" + b"q\0h\0\x86" * 60
    with pytest.raises(rustorch.ModelFormatError, match="beyond the limit"):
        loaded(zipped(pickled(b"}" + doubled + b"Ns")))
    nested = b"K\1" + b"\x85" * 1000
    with pytest.raises(rustorch.ModelFormatError, match="nested so deep"):
        loaded(zipped(pickled(b"}" + nested + b"Ns")))


def test_archives_that_two_readers_would_read_differently_are_refused() -> None:
    good = zipped(pickle.dumps([1], 2))
    assert loaded(good) == [1]
    directory = good.index(b"PK\1\2")
    for file, reason in [
        (good[:-1], "truncated"),
        (good + b"more", "truncated"),
        (good[:directory] + good[directory:].replace(b"archive/byteorder", b"archive/byteordex"), "another name"),
        (good.replace(b"]q", b"}q"), "checksum"),
        (b"GGUF" + good, "not a model file"),
        (b"", "empty"),
        (b"text", "not a model file"),
        (pickle.dumps({}, 2), "magic number"),
        (zipped(b"", byteorder="middle"), "byteorder"),
    ]:
        with pytest.raises(rustorch.ModelFormatError, match=reason):
            loaded(file)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", b"N.")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("archive/data.pkl", b"K\1.")
    with pytest.raises(rustorch.ModelFormatError, match="two records"):
        loaded(out.getvalue())


def test_a_small_record_that_claims_to_be_large_is_refused_before_memory_is_taken() -> None:
    count = 1 << 40
    file = zipped(pickled(tensor(storage("0", count), (count,), (1,))), {"0": FOUR})
    with pytest.raises(rustorch.ModelFormatError, match="16 bytes"):
        loaded(file)
    bomb = zipped(b"0N" * (32 << 20), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(rustorch.ModelFormatError, match="inflates"):
        loaded(bomb)


class Point:
    """A class of the caller's."""

    def __init__(self, x: int = 0) -> None:
        self.x = x
        self.items: list[int] = []

    def append(self, item: int) -> None:
        self.items.append(item)


def test_classes_that_the_caller_names_are_made() -> None:
    point = Point(3)
    point.items = [1, 2]
    file = zipped(pickle.dumps({"point": [point, point]}, 2))
    oldest = zipped(pickle.dumps(point, 0))
    full = f"{__name__}.Point"
    with pytest.raises(rustorch.ModelFormatError, match=full):
        loaded(file)
    assert serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(file)) == [full]
    with serialization.safe_globals([Point]):
        found = loaded(file)["point"]
        assert type(found[0]) is Point
        assert found[0] is found[1]
        assert (found[0].x, found[0].items) == (3, [1, 2])
        assert loaded(oldest).items == [1, 2]
        assert serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(file)) == []
    assert serialization.get_safe_globals() == []
    renamed = zipped(pickled(name("old.place", "Dot") + number(5) + b"\x85R"))
    with serialization.safe_globals([(Point, "old.place.Dot")]):
        assert loaded(renamed).x == 5
    with pytest.raises(TypeError, match="add_safe_globals"):
        serialization.add_safe_globals([3])  # type: ignore[list-item]


class Fakes:
    """Stand-ins of PyTorch's classes, which pickle by PyTorch's names."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    def make(self, module: str, named: str) -> type:
        place = sys.modules.get(module)
        if not isinstance(place, Fake):
            place = Fake(module)
            self.monkeypatch.setitem(sys.modules, module, place)
        made = type(named, (), {"__module__": module, "__qualname__": named})
        setattr(place, named, made)
        return made


class Fake(types.ModuleType):
    """A module that stands for one of PyTorch's."""


def test_a_pickled_modules_state_without_its_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes = Fakes(monkeypatch)
    kind = fakes.make("torch", "FloatStorage")
    rebuild = fakes.make("torch._utils", "_rebuild_tensor_v2")
    linear = fakes.make("torch.nn.modules.linear", "Linear")

    class Stored:
        pass

    class Tensor:
        def __reduce__(self) -> Any:
            return rebuild, (Stored(), 0, (4,), (1,), False, collections.OrderedDict())

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: object) -> Any:
            return ("storage", kind, "0", "cpu", 4) if isinstance(value, Stored) else None

    def module(**state: Any) -> Any:
        made = linear()
        made.__dict__ |= {"training": True, "_parameters": {}, "_buffers": {}, "_modules": {}, **state}
        return made

    buffers = {"mean": Tensor(), "skipped": Tensor()}
    inner = module(_buffers=buffers, _non_persistent_buffers_set={"skipped"}, width=3)
    net = module(_parameters={"bias": None, "weight": Tensor()}, _modules={"inner": inner})
    out = io.BytesIO()
    Pickler(out, 2).dump({"net": net, "epoch": 3})
    file = zipped(out.getvalue(), {"0": FOUR})
    found = loaded(file, as_state=True)
    assert found["epoch"] == 3
    assert found["net"]["class"] == "torch.nn.modules.linear.Linear"
    assert list(found["net"]["state_dict"]) == ["weight", "inner.mean"]
    assert found["net"]["state_dict"]["weight"].tolist() == [1, 2, 3, 4]
    assert list(found["net"]["modules"]) == ["", "inner"]
    assert found["net"]["modules"]["inner"] == {"class": "torch.nn.modules.linear.Linear", "training": True, "width": 3}
    with pytest.raises(rustorch.ModelFormatError, match=r"torch\.nn\.modules\.linear\.Linear.*as_state"):
        loaded(file)


def test_running_what_a_file_brings_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"never does.*add_safe_globals.*as_state"):
        loaded(zipped(b"N."), weights_only=False)


def test_npy_and_npz(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.uint16).reshape(2, 3)
    np.save(tmp_path / "x.npy", array)
    np.testing.assert_array_equal(rustorch.load(tmp_path / "x.npy"), array)
    np.savez_compressed(tmp_path / "x.npz", a=array, b=np.asfortranarray(array.astype(">f4")))
    found = rustorch.load(tmp_path / "x.npz")
    assert list(found) == ["a", "b"]
    np.testing.assert_array_equal(found["b"], array)
    np.save(tmp_path / "o.npy", np.array([{}], object))
    with pytest.raises(rustorch.ModelFormatError, match="pickle"):
        rustorch.load(tmp_path / "o.npy")
    data = (tmp_path / "x.npy").read_bytes()
    for broken in (data[:-1], data.replace(b"(2, 3)", b"(2,-3)"), data.replace(b"(2, 3)", b"(9, 9)")):
        with pytest.raises(rustorch.ModelFormatError, match=r"shape|end"):
            loaded(broken)


def test_safetensors_by_the_same_function(tmp_path: Path) -> None:
    rustorch.safetensors.save_file({"a": rustorch.ones(2)}, tmp_path / "x")
    assert rustorch.load(tmp_path / "x", map_location="cpu")["a"].tolist() == [1, 1]
    (tmp_path / "m.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "x"}}))
    assert rustorch.safetensors.load_file(tmp_path / "m.safetensors.index.json")["a"].tolist() == [1, 1]
    (tmp_path / "m.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../x"}}))
    with pytest.raises(rustorch.ModelFormatError, match="outside"):
        rustorch.safetensors.load_file(tmp_path / "m.safetensors.index.json")
