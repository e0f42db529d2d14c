"""safetensors: files go both ways between RusTorch and the safetensors package, and damaged ones are refused."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.numpy

import rustorch
from rustorch import nn
from rustorch.safetensors import load_file, save_file

from tests.sample import ALL, dtype_name, to_array


def tensors() -> dict[str, rustorch.Tensor]:
    made = {d: (rustorch.arange(6).view(2, 3) - (0 if d == "uint8" else 2)).to(getattr(rustorch, d)) for d in ALL}
    return made | {"scalar": rustorch.tensor(2.5), "empty": rustorch.zeros(0, 3), "ünï": rustorch.ones(1)}


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file(tensors(), path)
    loaded = load_file(path)
    assert set(loaded) == set(tensors())
    for name, want in tensors().items():
        assert loaded[name].dtype is want.dtype
        assert loaded[name].shape == want.shape
        assert loaded[name].tolist() == want.tolist()
        assert not loaded[name].requires_grad


def test_the_safetensors_package_reads_ours(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    ours = {k: v for k, v in tensors().items() if k != "bfloat16"}
    save_file(ours, path, metadata={"format": "pt", "note": "α"})
    for name, array in safetensors.numpy.load_file(path).items():
        np.testing.assert_array_equal(array, to_array(ours[name]))
        assert str(array.dtype) == dtype_name(ours[name])
    with safetensors.safe_open(path, "numpy") as file:
        assert file.metadata() == {"format": "pt", "note": "α"}


def test_we_read_the_safetensors_packages(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    arrays = {d: np.arange(6).reshape(3, 2).astype(d) for d in ALL if d != "bfloat16"}
    safetensors.numpy.save_file(arrays, path)
    for name, tensor in load_file(path).items():
        assert dtype_name(tensor) == name
        np.testing.assert_array_equal(to_array(tensor), arrays[name])


def test_layout_of_the_file(tmp_path: Path) -> None:
    """A length, a JSON header padded to 8 bytes, then the data without gaps."""
    path = tmp_path / "x.safetensors"
    save_file({"b": rustorch.ones(3), "a": rustorch.ones(2, dtype=rustorch.float64)}, path)
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    assert length % 8 == 0
    ends = sorted(tuple(entry["data_offsets"]) for entry in header.values())
    assert ends[0][0] == 0
    assert ends[-1][1] == len(data) - 8 - length == 28


@pytest.mark.rustorch_only
def test_strided_tensors_are_saved_as_they_look(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    x = rustorch.arange(6).view(2, 3)
    save_file({"turned": x.t(), "part": x[:, 1:]}, path)
    assert load_file(path)["turned"].tolist() == x.t().tolist()
    assert load_file(path)["part"].tolist() == [[1, 2], [4, 5]]


def test_a_model(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    net, other = (nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)) for _ in range(2))
    net(rustorch.rand(4, 1, 8, 8))
    save_file(net.state_dict(), path)
    other.load_state_dict(load_file(path))
    x = rustorch.rand(2, 1, 8, 8)
    assert other.eval()(x).tolist() == net.eval()(x).tolist()


GOOD = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'


def file_of(header: bytes, data: bytes = bytes(4), length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + data


DAMAGED = {
    "empty": b"",
    "no header": bytes(7),
    "header longer than file": file_of(GOOD, length=2**40),
    "not json": file_of(b"{nope}"),
    "data cut off": file_of(GOOD, bytes(3)),
    "data left over": file_of(GOOD, bytes(5)),
    "offsets beyond": file_of(GOOD.replace(b"[0,4]", b"[4,8]")),
    "offsets turned": file_of(GOOD.replace(b"[0,4]", b"[4,0]")),
    "shape and size differ": file_of(GOOD.replace(b'"shape":[1]', b'"shape":[2]')),
    "unknown dtype": file_of(GOOD.replace(b"F32", b"X99")),
    "shape overflows": file_of(GOOD.replace(b'"shape":[1]', b'"shape":[4611686018427387904,4611686018427387904]')),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_files_are_refused(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(DAMAGED[damage])
    with pytest.raises((ValueError, OSError, safetensors.SafetensorError)):
        load_file(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"nothing\.safetensors"):
        load_file(tmp_path / "nothing.safetensors")


@pytest.mark.rustorch_only
def test_safe_open(tmp_path: Path) -> None:
    from rustorch.safetensors import load, safe_open, save, save_file

    path = tmp_path / "x.safetensors"
    save_file({"a": rustorch.ones(2)}, path, {"note": "hello"})
    with safe_open(path, "pt") as file:
        assert file.keys() == ["a"]
        assert file.metadata() == {"note": "hello"}
        assert file.get_tensor("a").tolist() == [1, 1]
    assert load(save({"a": rustorch.ones(2)}))["a"].tolist() == [1, 1]
    with pytest.raises(TypeError, match="invalid"):
        save_file({"a": 3}, path)
