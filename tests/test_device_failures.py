"""What goes wrong on a device is an error: no hang, no crash, no wrong number, and the CPU goes on."""

from __future__ import annotations

import ctypes.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import rustorch

from tests.announcements import beside_compilation

pytestmark = [pytest.mark.rustorch_only, pytest.mark.cpu_only]

DRIVER = Path(__file__).parent / "opencl" / "failing_driver.c"
# The first of them is told when the device is gone, every other one, too.
QUEUE = (
    "clEnqueueNDRangeKernel",
    "clEnqueueReadBuffer",
    "clEnqueueWriteBuffer",
    "clEnqueueCopyBuffer",
    "clEnqueueMapBuffer",
    "clEnqueueUnmapMemObject",
    "clEnqueueMarkerWithWaitList",
    "clWaitForEvents",
    "clFlush",
    "clFinish",
)
START = f"""
import ctypes, os, rustorch
from rustorch import nn
driver = ctypes.CDLL(os.environ.get("RUSTORCH_OPENCL_LIBRARY"))
QUEUE = {QUEUE!r}

def fail(function, code, after=0, times=-1):
    driver.fail(function.encode(), after, times, code)

def refused(kind, function, *words):
    try:
        function()
    except kind as error:
        assert all(word in str(error) for word in words), str(error)
    else:
        raise AssertionError("nothing was refused")

def the_cpu_works():
    a = rustorch.arange(6.0, device="cpu").reshape(2, 3)
    assert (a @ a.t()).tolist() == [[5.0, 14.0], [14.0, 50.0]]

x = rustorch.arange(1000.0).to("opencl")
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the processes, which share their compiled kernels."""
    if not rustorch.opencl.is_available():
        pytest.skip("there is no OpenCL device")
    folder = tmp_path_factory.mktemp("opencl")
    for name in ("pocl", "kernels"):
        (folder / name).mkdir()
    return os.environ | {
        "POCL_CACHE_DIR": str(folder / "pocl"),
        "RUSTORCH_CACHE_DIR": str(folder / "kernels"),
        "RUSTORCH_OPENCL_OPTIONS": "-cl-opt-disable",
    }


@pytest.fixture(scope="module")
def failing(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment, with a driver that can be told to fail."""
    real = ctypes.util.find_library("OpenCL")
    library = tmp_path_factory.mktemp("driver") / "libOpenCL.so"
    command = ["gcc", "-shared", "-fPIC", f'-DOPENCL="{real}"', "-o", str(library), str(DRIVER)]
    try:
        # Its other functions are found in what it needs.
        subprocess.run([*command, "-Wl,--no-as-needed", f"-l:{real}"], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"the driver could not be compiled: {getattr(error, 'stderr', error)}")
    return settings | {"RUSTORCH_OPENCL_LIBRARY": str(library)}


def run(code: str, environment: dict[str, str], compiler_talks: bool = False) -> str:
    """What a process prints, which must end by itself and well, without a word on stderr but for a compiler's."""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert compiler_talks or beside_compilation(done.stderr) == ""
    return done.stdout


@pytest.mark.parametrize("code", [-2, -5, -14, -34, -36])
@pytest.mark.parametrize(
    "first",
    ["clEnqueueNDRangeKernel", "clEnqueueMapBuffer", "clEnqueueReadBuffer", "clEnqueueWriteBuffer", "clFinish"],
)
def test_a_lost_device(first: str, code: int, failing: dict[str, str]) -> None:
    # Whatever call learns of it: everything after it is refused, even if the driver should answer again.
    script = f"""
y = x + 1
rustorch.opencl.synchronize()
lost = ("OpenCL", "lost", "restart")
for function in QUEUE if {first!r} == "clEnqueueNDRangeKernel" else [{first!r}]:
    fail(function, {code})
first = {{
    "clEnqueueNDRangeKernel": lambda: x + y,
    "clEnqueueMapBuffer": lambda: y.cpu(),
    "clEnqueueReadBuffer": lambda: y.cpu(),
    "clEnqueueWriteBuffer": lambda: rustorch.ones(1000, device="cpu").to("opencl"),
    "clFinish": rustorch.opencl.synchronize,
}}
refused(rustorch.DeviceError, first[{first!r}], *lost)
for function in QUEUE:
    fail(function, 0)
for op in (
    lambda: x + y,
    lambda: x.add_(y),
    lambda: y.sum().item(),
    lambda: y.cpu(),
    lambda: x.reshape(10, 100) @ y.reshape(100, 10),
    lambda: rustorch.zeros(5, device="opencl"),
    lambda: rustorch.rand(5, device="opencl"),
    lambda: rustorch.tensor([1, 2], device="opencl"),
    lambda: rustorch.linalg.svd(y.reshape(10, 100)),
    lambda: nn.Linear(2, 2).to("opencl"),
    rustorch.opencl.synchronize,
):
    refused(rustorch.DeviceError, op, *lost)
the_cpu_works()
del y
rustorch.opencl.empty_cache()
assert rustorch.opencl.memory_allocated() > 0
del x
assert rustorch.opencl.memory_allocated() == 0
rustorch.opencl.empty_cache()
print("done")
"""
    memory = {"SEPARATE_MEMORY": "1"} if first == "clEnqueueReadBuffer" else {}
    assert run(START + script, failing | memory) == "done\n"


def test_a_loss_that_no_op_met_is_told_at_the_end(failing: dict[str, str]) -> None:
    script = """
y = x + 1
fail("clFinish", -5)
print("done")
"""
    done = subprocess.run(
        [sys.executable, "-c", START + script], env=failing, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == "done\n"
    told = beside_compilation(done.stderr)
    assert "DeviceError: clFinish" in told
    assert "CL_OUT_OF_RESOURCES" in told
    assert "lost" in told


def test_a_launch_that_needs_too_much_is_not_a_lost_device(failing: dict[str, str]) -> None:
    script = """
fail("clEnqueueNDRangeKernel", -5, times=1)
refused(rustorch.DeviceError, lambda: x + 1, "CL_OUT_OF_RESOURCES")
assert (x + 1).sum().item() == 500500
print("done")
"""
    assert run(START + script, failing) == "done\n"


@pytest.mark.parametrize("function", ["clCreateBuffer", "clEnqueueNDRangeKernel", "clEnqueueWriteBuffer"])
def test_memory_runs_out(function: str, failing: dict[str, str]) -> None:
    # Drivers may look for the memory of a buffer as late as its first use.
    script = f"""
def make():
    return rustorch.arange(1000, device="cpu").float().to("opencl") * 2
make()
host = rustorch.ones(1 << 20, device="cpu")
host.to("opencl")
assert rustorch.opencl.memory_reserved() > rustorch.opencl.memory_allocated()
rustorch.opencl.empty_cache()
host.to("opencl")
fail({function!r}, -4, times=1)
assert make().sum().item() == 999000
assert rustorch.opencl.memory_reserved() < 1 << 20, "what was kept went back first"
fail({function!r}, -4)
rustorch.opencl.empty_cache()
refused(rustorch.OutOfMemoryError, make, "CL_MEM_OBJECT_ALLOCATION_FAILURE")
refused(MemoryError, make)
the_cpu_works()
fail({function!r}, 0)
assert make().sum().item() == 999000
print("done")
"""
    assert run(START + script, failing) == "done\n"


@pytest.mark.parametrize("memory", [{}, {"SEPARATE_MEMORY": "1"}])
def test_what_runs_on_the_cpu_is_copied_only_where_memory_is_not_shared(
    memory: dict[str, str], failing: dict[str, str]
) -> None:
    # Complex products are the CPU's.
    script = f"""
import warnings
warnings.simplefilter("ignore")
here = rustorch.randn(50, 40, dtype=rustorch.complex64)
there = here.to("opencl")
for function in ("clEnqueueReadBuffer", "clEnqueueWriteBuffer") if not {bool(memory)} else ("clEnqueueMapBuffer",):
    fail(function, -30)
for tensor in (here, there):
    view = tensor.t()[1:, ::2]
    view *= view
assert there.cpu().equal(here)
assert rustorch.backends.fallbacks() == {{("opencl", "mul"): 1}}
print("done")
"""
    assert run(START + script, failing | memory) == "done\n"


def test_a_compiler_that_refuses(failing: dict[str, str]) -> None:
    script = """
rustorch.opencl.synchronize()
fail("clBuildProgram", -11)
for _ in range(2):
    refused(rustorch.DeviceError, lambda: x.sinh(), "kernel 'map'")
    assert rustorch.backends.fallbacks() == {}
the_cpu_works()
assert x[:3].cpu().tolist() == [0, 1, 2]
fail("clBuildProgram", 0)
assert x[:2].sinh().cpu().tolist() == rustorch.arange(2.0, device="cpu").sinh().tolist()
print("done")
"""
    assert run(START + script, failing | {"RUSTORCH_CACHE_DIR": ""}) == "done\n"


def test_the_compilers_message_is_in_the_error(settings: dict[str, str]) -> None:
    nonsense = {"RUSTORCH_OPENCL_OPTIONS": "-Werror -DINDEX=no_such_type", "RUSTORCH_CACHE_DIR": ""}
    script = """
for _ in range(2):
    refused(rustorch.DeviceError, lambda: x * 3, "kernel 'map'", "INDEX", "error")
    assert rustorch.backends.fallbacks() == {}
the_cpu_works()
assert x[:3].cpu().tolist() == [0, 1, 2]
print("done")
"""
    assert run(START + script, settings | nonsense, compiler_talks=True) == "done\n"


def whole(path: Path) -> bool:
    """Whether a file of the cache is all there: four texts that end with a zero, a hash, a program."""
    rest = path.read_bytes()
    for _ in range(4):
        _, end, rest = rest.partition(b"\0")
        assert end
    value = 0x6C62272E07BB014262B821756295C58D
    for byte in rest[16:]:
        value = (value ^ byte) * 0x0000000001000000000000000000013B % (1 << 128)
    return int.from_bytes(rest[:16], "little") == value


TRAIN = """
import rustorch
from rustorch import nn

def train(device, steps, tell=False):
    rustorch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)).to(device)
    optimizer = rustorch.optim.SGD(model.parameters(), lr=0.1)
    x = rustorch.randn(16, 4).to(device)
    for step in range(steps):
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        if tell:
            print(step, loss.item(), flush=True)
    return loss.item()

"""


def test_killed_in_the_middle(settings: dict[str, str], tmp_path: Path) -> None:
    settings = settings | {"RUSTORCH_CACHE_DIR": str(tmp_path)}
    start = [sys.executable, "-c", TRAIN + "train('opencl', 1_000_000, tell=True)"]
    # While it compiles: as soon as there are so many kernels. Then while it trains.
    for kernels in (1, 2, 4, 7):
        with subprocess.Popen(start, env=settings, stdout=subprocess.PIPE, text=True) as process:
            limit = time.monotonic() + 120
            while len(list(tmp_path.iterdir())) < kernels and time.monotonic() < limit:
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    with subprocess.Popen(start, env=settings, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("5 "):
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    kept = [path for path in tmp_path.iterdir() if path.suffix != ".part"]
    assert len(kept) >= 7
    assert all(whole(path) for path in kept)
    # Files that are cut off, or hold something else, are not used, and written anew.
    for n, path in enumerate(kept):
        content = path.read_bytes()
        path.write_bytes([content[:-1], b"", content[: len(content) // 2], content[:-9] + b"\0" * 9][n % 4])
    check = "a, b = train('cpu', 20), train('opencl', 20); assert abs(a - b) < 1e-5 * abs(a), (a, b); print('done')"
    assert run(TRAIN + check, settings) == "done\n"
    assert all(whole(path) for path in kept)
