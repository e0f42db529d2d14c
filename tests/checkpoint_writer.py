"""Checkpoints written by hand, good and bad: pickles opcode by opcode, and the files around them."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Mapping

STORAGES = {
    "float32": "FloatStorage",
    "float64": "DoubleStorage",
    "float16": "HalfStorage",
    "bfloat16": "BFloat16Storage",
    "int64": "LongStorage",
    "int32": "IntStorage",
    "int16": "ShortStorage",
    "int8": "CharStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
    "complex64": "ComplexFloatStorage",
    "complex128": "ComplexDoubleStorage",
}

MAGIC = 0x1950A86A20F9469CFC6C
NO_HOOKS = b"ccollections\nOrderedDict\n)R"


def name(module: str, attribute: str) -> bytes:
    """The opcode that names something of a module."""
    return f"c{module}\n{attribute}\n".encode()


def text(value: str) -> bytes:
    """The opcode of a text."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    """The opcode of an integer."""
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def numbers(*values: int) -> bytes:
    """A tuple of integers."""
    return b"(" + b"".join(map(number, values)) + b"t"


def storage(key: str, count: int, dtype: str = "float32", location: str = "cpu") -> bytes:
    """A storage's persistent id."""
    parts = text("storage") + name("torch", STORAGES[dtype]) + text(key) + text(location) + number(count)
    return b"(" + parts + b"tQ"


def tensor(
    stored: bytes,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    offset: int = 0,
    grad: bool = False,
    more: bytes = b"",
) -> bytes:
    """A tensor of a storage."""
    parts = (
        stored + number(offset) + numbers(*size) + numbers(*stride) + (b"\x88" if grad else b"\x89") + NO_HOOKS + more
    )
    return name("torch._utils", "_rebuild_tensor_v2") + b"(" + parts + b"tR"


def pickled(content: bytes) -> bytes:
    """A whole pickle."""
    return b"\x80\x02" + content + b"."


def zipped(
    content: bytes,
    storages: Mapping[str, bytes] | None = None,
    byteorder: str | None = "little",
    compression: int = zipfile.ZIP_STORED,
) -> bytes:
    """A zip checkpoint of a pickle and the storages' bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        archive.writestr("archive/data.pkl", content)
        if byteorder is not None:
            archive.writestr("archive/byteorder", byteorder)
        for key, data in (storages or {}).items():
            archive.writestr(f"archive/data/{key}", data)
        archive.writestr("archive/version", "3\n")
    return out.getvalue()


def legacy(content: bytes, storages: Mapping[str, tuple[int, bytes]] | None = None, little: bool = True) -> bytes:
    """A checkpoint as before version 1.6; of each storage the number of elements and the bytes."""
    parts = [MAGIC, 1001, {"protocol_version": 1001, "little_endian": little, "type_sizes": {}}]
    head = b"".join(pickle.dumps(part, 2) for part in parts)
    stored = storages or {}
    data = b"".join(struct.pack("<q", count) + content for count, content in stored.values())
    return head + content + pickle.dumps(list(stored), 2) + data
