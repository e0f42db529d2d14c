"""A saved file takes its place whole: its mode, links, what killed saves left, and what is no file."""

from __future__ import annotations

import json
import os
import stat
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

import rustorch
from rustorch.safetensors import load, load_file, save, save_file

pytestmark = [pytest.mark.rustorch_only, pytest.mark.cpu_only]

NEW = {"a": rustorch.ones(3)}


def is_saved(path: Path) -> bool:
    return load_file(path)["a"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o666, 0o755])
def test_a_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "x"
    path.touch()
    path.chmod(mode)
    save_file(NEW, path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert is_saved(path)


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o007])
def test_a_new_file_has_the_mode_of_new_files(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        save_file(NEW, tmp_path / "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o666 & ~mask


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("relative", [True, False])
def test_links_stay_and_their_targets_are_written(tmp_path: Path, exists: bool, relative: bool) -> None:
    (tmp_path / "there").mkdir()
    target, middle, link = tmp_path / "there" / "target", tmp_path / "there" / "middle", tmp_path / "link"
    middle.symlink_to("target")
    link.symlink_to("there/middle" if relative else middle)
    if exists:
        target.write_bytes(b"before")
    save_file(NEW, link)
    assert link.is_symlink()
    assert middle.is_symlink()
    assert not target.is_symlink()
    assert is_saved(target)
    assert sorted(os.listdir(tmp_path / "there")) == ["middle", "target"]


def test_links_in_a_circle_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(rustorch.FileError):
        save_file(NEW, tmp_path / "a")


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for path, kind in [
        (tmp_path, "directory"),
        (tmp_path / "pipe", "pipe"),
        (tmp_path / "link", "pipe"),
        (Path("/dev/null"), "device"),
    ]:
        with pytest.raises(rustorch.FileError, match=kind) as refused:
            save_file(NEW, path)
        assert str(path) in str(refused.value)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert sorted(os.listdir(tmp_path)) == ["link", "pipe"]


def test_what_killed_saves_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    path, other = tmp_path / "m", tmp_path / ".m.mine"
    other.write_text("keep")
    (tmp_path / ".m2.1.1.rustorch-draft").write_text("another file's")
    code = (
        "a={'a': rustorch.ones(3000000)}\nprint('go', flush=True)\n"
        f"while True: rustorch.safetensors.save_file(a, {str(path)!r})"
    )
    for i in range(5):
        process = subprocess.Popen([sys.executable, "-c", "import rustorch\n" + code], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.01 + 0.003 * i)
        process.kill()
        process.wait()
        process.stdout.close()
    # For sure, one that was left.
    (tmp_path / ".m.1.1.rustorch-draft").write_text("half")
    save_file(NEW, path)
    assert sorted(os.listdir(tmp_path)) == [".m.mine", ".m2.1.1.rustorch-draft", "m"]


def test_saves_at_the_same_time_do_not_disturb_each_other(tmp_path: Path) -> None:
    code = f"for i in range(60): rustorch.safetensors.save_file({{'a': rustorch.ones(3)}}, {str(tmp_path / 'm')!r})"
    processes = [subprocess.Popen([sys.executable, "-c", "import rustorch\n" + code]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert is_saved(tmp_path / "m")
    assert os.listdir(tmp_path) == ["m"]


def test_a_write_that_fails_leaves_the_file_before_it(tmp_path: Path) -> None:
    path = tmp_path / "m"
    save_file(NEW, path)
    code = (
        "import resource, rustorch\nx = rustorch.ones(10**6)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))\n"
        f"try: rustorch.safetensors.save_file({{'x': x}}, {str(path)!r})\n"
        "except rustorch.FileError as error: print(isinstance(error, OSError), error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("True")
    assert str(path) in done.stdout
    assert is_saved(path)
    assert os.listdir(tmp_path) == ["m"]


def file_of(header: str, content: bytes) -> bytes:
    return struct.pack("<Q", len(header)) + header.encode() + content


def test_complex64_goes_both_ways() -> None:
    entry = {"dtype": "C64", "shape": [2], "data_offsets": [0, 16]}
    loaded = load(file_of(json.dumps({"a": entry}), struct.pack("<4f", 1, 2, -3, 0.5)))["a"]
    assert loaded.dtype is rustorch.complex64
    assert loaded.tolist() == [1 + 2j, -3 + 0.5j]
    again = load(save({"a": loaded, "t": loaded.view(2, 1).t()}))
    assert again["a"].tolist() == loaded.tolist()
    assert again["t"].tolist() == [loaded.tolist()]


@pytest.mark.parametrize("name", ["a", "\\u0061", "__metadata__"])
def test_a_name_twice_is_refused(name: str) -> None:
    value = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
    first, value = ('"__metadata__":{}', "{}") if name == "__metadata__" else (f'"a":{value}', value)
    with pytest.raises(rustorch.ModelFormatError, match=r"twice|duplicate"):
        load(file_of(f'{{{first},"{name}":{value}}}', b"\0" * 4))
