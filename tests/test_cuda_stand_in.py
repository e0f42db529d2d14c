"""The CUDA device over a driver that only pretends: which kernels need no compiler, and what is said of the others.

Nothing runs on a GPU here: `crates/cuda/tests/driver/libcuda.c` takes kernels and does not start them.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rustorch

pytestmark = [pytest.mark.rustorch_only, pytest.mark.cpu_only]

CUDA = Path(__file__).parents[1] / "crates/cuda"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment with that driver, and neither a compiler nor kernels that were compiled before."""
    if not shutil.which("gcc"):
        pytest.skip("there is no gcc")
    library = tmp_path_factory.mktemp("driver") / "libcuda.so"
    subprocess.run(["gcc", "-shared", "-fPIC", str(CUDA / "tests/driver/libcuda.c"), "-o", str(library)], check=True)
    return os.environ | {
        "RUSTORCH_CUDA_LIBRARY": str(library),
        "RUSTORCH_NVRTC_LIBRARY": "/nowhere/libnvrtc.so",
        "RUSTORCH_CUBLASLT_LIBRARY": "",
        "RUSTORCH_CUDNN_LIBRARY": "",
        "RUSTORCH_CACHE_DIR": "",
        "STAND_IN_ZEROS": "1",
    }


def python(settings: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], env=settings, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("multiprocessors", [20, 132])
def test_networks_need_no_compiler(settings: dict[str, str], multiprocessors: int) -> None:
    """If this fails after a change of a kernel or of an op: `make ptx`."""
    settings = settings | {"STAND_IN_MULTIPROCESSORS": str(multiprocessors)}
    result = python(settings, str(CUDA / "ptx/programs.py"))
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stderr == ""


def test_the_driver_is_given_the_embedded_program(settings: dict[str, str]) -> None:
    code = """if True:
        import ctypes, os
        import rustorch
        rustorch.full((4,), 2.5, device="cuda")
        image = ctypes.CDLL(os.environ["RUSTORCH_CUDA_LIBRARY"]).fake_image
        image.restype = ctypes.c_char_p
        print(image().decode())
    """
    ptx = python(settings, "-c", code).stdout
    assert ptx.startswith(".version 8.4\n.target sm_70\n")
    assert ".entry fill(" in ptx


def test_other_kernels_name_the_compiler(settings: dict[str, str]) -> None:
    code = """if True:
        import rustorch
        x = rustorch.ones(4, dtype=rustorch.int16, device="cuda")
        try:
            x.cumprod(0)
        except rustorch.BackendUnavailableError as error:
            print(error)
    """
    assert "NVRTC" in python(settings, "-c", code).stdout


def test_a_library_that_is_named_has_to_be_there(settings: dict[str, str]) -> None:
    code = """if True:
        import rustorch
        x = rustorch.ones(4, 4, device="cuda")
        try:
            x @ x
        except rustorch.BackendUnavailableError as error:
            print(error)
    """
    assert python(settings, "-c", code).stdout == ""
    named = settings | {"RUSTORCH_CUBLASLT_LIBRARY": "/nowhere/libcublasLt.so"}
    assert "RUSTORCH_CUBLASLT_LIBRARY" in python(named, "-c", code).stdout


def test_float32_matmul_precision_is_a_setting() -> None:
    assert rustorch.get_float32_matmul_precision() == "highest"
    try:
        for precision in ("medium", "high", "highest"):
            rustorch.set_float32_matmul_precision(precision)
            assert rustorch.get_float32_matmul_precision() == precision
        with pytest.raises(ValueError, match="'highest', 'high' or 'medium', got 'exact'"):
            rustorch.set_float32_matmul_precision("exact")  # type: ignore[arg-type]
    finally:
        rustorch.set_float32_matmul_precision("highest")
