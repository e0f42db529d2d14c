"""Files that are made at random: they load or are refused, and never end the process or hang."""

from __future__ import annotations

import contextlib
import io
import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import rustorch

from tests.checkpoint_writer import legacy, name, number, numbers, pickled, storage, tensor, text, zipped

pytestmark = [pytest.mark.rustorch_only, pytest.mark.cpu_only]

FOUR = struct.pack("<4f", 1, 2, 3, 4)

# What a file may do wrong: it is no checkpoint, holds what RusTorch lacks, or has keys that Python cannot compare.
ALLOWED = (rustorch.ModelFormatError, rustorch.DeviceError, TypeError, RecursionError)

GOOD = b"}" + text("a") + tensor(storage("0", 4), (2, 2), (2, 1)) + b"s" + text("b") + b"](K\1K\2es"
FILES = {
    "zip": zipped(pickled(GOOD), {"0": FOUR}),
    "deflated": zipped(pickled(GOOD), {"0": FOUR}, compression=8),
    "legacy": legacy(pickled(GOOD), {"0": (4, FOUR)}),
}

sizes = st.one_of(st.integers(-3, 9), st.sampled_from([2**31, 2**62, 2**63, 2**64, -(2**63)]))
shapes = st.lists(sizes, max_size=3).map(lambda values: numbers(*values))
names = st.sampled_from(
    [
        ("collections", "OrderedDict"),
        ("collections", "Counter"),
        ("collections", "defaultdict"),
        ("builtins", "set"),
        ("builtins", "frozenset"),
        ("builtins", "bytearray"),
        ("builtins", "complex"),
        ("builtins", "list"),
        ("builtins", "range"),
        ("_codecs", "encode"),
        ("torch", "Size"),
        ("torch", "device"),
        ("torch", "float32"),
        ("torch", "FloatStorage"),
        ("torch", "Tensor"),
        ("torch._utils", "_rebuild_tensor_v2"),
        ("torch._utils", "_rebuild_parameter"),
        ("torch._tensor", "_rebuild_from_type_v2"),
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "scalar"),
        ("os", "system"),
    ]
).map(lambda pair: name(*pair))
views = st.builds(
    lambda count, size, stride, offset: (
        name("torch._utils", "_rebuild_tensor_v2")
        + b"("
        + storage("0", count)
        + number(offset)
        + size
        + stride
        + b"\x89"
        + name("collections", "OrderedDict")
        + b")RtR"
    ),
    st.one_of(st.just(4), sizes),
    shapes,
    shapes,
    sizes,
)
values = st.one_of(
    sizes.map(number),
    st.text(max_size=6).map(text),
    st.sampled_from([b"N", b"\x88", b"\x89", b"]", b"}", b")", b"\x8f", b"G?\xf0\0\0\0\0\0\0", b"C\x02ab"]),
    names,
    views,
    shapes,
    st.just(storage("0", 4)),
    st.integers(0, 9).map(lambda index: b"h" + bytes([index])),
)
operations = st.one_of(
    st.sampled_from([bytes([opcode]) for opcode in b"(.012RQabdelostu\x81\x85\x86\x87\x90\x91\x92\x93\x94"]),
    st.integers(0, 9).map(lambda index: b"q" + bytes([index])),
    st.binary(min_size=1, max_size=3),
)
programs = st.lists(st.one_of(values, values, operations), max_size=40).map(b"".join)


def tried(file: bytes, **options: Any) -> None:
    # RusTorch's own exceptions of other classes, as one about a bug, come out.
    with contextlib.suppress(*ALLOWED):
        rustorch.load(io.BytesIO(file), **options)


FUZZING = settings(max_examples=300, deadline=2000, suppress_health_check=[HealthCheck.too_slow])


@FUZZING
@given(programs)
def test_programs_of_opcodes(program: bytes) -> None:
    for file in (zipped(pickled(program), {"0": FOUR}), legacy(pickled(program), {"0": (4, FOUR)})):
        tried(file)
        tried(file, as_state=True)


@FUZZING
@given(st.sampled_from(sorted(FILES)), st.data())
def test_good_files_with_bytes_changed(kind: str, data: st.DataObject) -> None:
    file = bytearray(FILES[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    tried(bytes(file))


@pytest.mark.parametrize("kind", FILES)
def test_good_files_that_are_cut(kind: str) -> None:
    file = FILES[kind]
    assert rustorch.load(io.BytesIO(file))["a"].tolist() == [[1, 2], [3, 4]]
    for length in range(len(file)):
        with pytest.raises(rustorch.ModelFormatError):
            rustorch.load(io.BytesIO(file[:length]))


@FUZZING
@given(st.binary(max_size=600), st.sampled_from([b"", b"\x80\x02", b"PK\x03\x04", b"\x10\0\0\0\0\0\0\0{"]))
def test_anything_at_all(content: bytes, start: bytes) -> None:
    tried(start + content)
