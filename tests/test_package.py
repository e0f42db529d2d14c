"""The package as users meet it: cheap to import, small, with few dependencies, and typed."""

import importlib.metadata
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import rustorch

pytestmark = pytest.mark.rustorch_only

PACKAGE = Path(rustorch.__file__).parent
MEGABYTE = 1_000_000


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def metadata() -> importlib.metadata.Distribution:
    """What the wheel says of itself; a source tree on the path has none."""
    try:
        return importlib.metadata.distribution("rustorch")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("rustorch is imported from a source tree, not installed")


def test_import_is_cheap() -> None:
    """Less than 60 ms of processor time over a bare interpreter, the best of several runs."""
    code = "import time; s = time.process_time(); import rustorch; print(time.process_time() - s)"
    assert min(float(python(code)) for _ in range(7)) < 0.060


def test_import_loads_nothing_heavy() -> None:
    heavy = ("numpy", "tqdm", "asyncio", "multiprocessing")
    loaded = python("import sys, rustorch; print(*sys.modules)").split()
    assert [name for name in heavy if name in loaded] == []


def test_numpy_and_tqdm_are_the_only_dependencies(metadata: importlib.metadata.Distribution) -> None:
    needed = [r for r in metadata.requires or [] if "extra ==" not in r]
    assert sorted(re.split(r"[<>=!~ \[;]", r)[0] for r in needed) == ["numpy", "tqdm"]


def compressed_size(file: Path) -> int:
    """The bytes that a file takes in the wheel."""
    return len(zlib.compress(file.read_bytes(), 6))


def test_the_wheel_is_small() -> None:
    files = [f for f in PACKAGE.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    assert sum(map(compressed_size, files)) < 8 * MEGABYTE
    assert (PACKAGE / "datasets/digits.safetensors").stat().st_size < 60_000


def test_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()
    assert (PACKAGE / "_C.pyi").exists()


def test_version_is_the_wheels(metadata: importlib.metadata.Distribution) -> None:
    assert rustorch.__version__ == metadata.version


def test_public_names_exist_and_are_documented() -> None:
    for name in rustorch.__all__:
        assert hasattr(rustorch, name), name
    functions = [getattr(rustorch, n) for n in rustorch.__all__ if callable(getattr(rustorch, n))]
    assert [f.__name__ for f in functions if not f.__doc__] == []


@pytest.mark.rustorch_only
def test_without_tensorboard_its_writer_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['tensorboard'] = None\n"
        "import importlib.util as u; u.find_spec = lambda name, find=u.find_spec: None if name == 'tensorboard' else "
        "find(name)\n"
        "import rustorch.utils.tensorboard"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "pip install tensorboard" in done.stderr
