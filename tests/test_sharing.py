"""Memory of devices shared with other libraries: pyopencl on an OpenCL device, others on a stand-in for CUDA."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rustorch

pytestmark = pytest.mark.rustorch_only

ROOT = Path(__file__).parent.parent


@pytest.fixture
def opencl(device: str) -> rustorch.device:
    """The device of --device, which must be OpenCL's."""
    if rustorch.device(device).type != "opencl":
        pytest.skip("needs --device opencl")
    return rustorch.zeros(1, device=device).device


def test_dlpack_between_devices_of_one_kind(opencl: rustorch.device) -> None:
    x = rustorch.arange(24.0, device=opencl).reshape(4, 6)
    assert x.__dlpack_device__() == (4, opencl.index)
    for view in (x, x[1:, ::2], x.t(), x[4:]):
        back = rustorch.from_dlpack(view)
        assert (back.device, back.dtype, back.shape) == (opencl, view.dtype, view.shape)
        assert back.tolist() == view.tolist()
    back = rustorch.from_dlpack(x[1])
    back.add_(100)
    assert x[1].tolist() == [106.0, 107, 108, 109, 110, 111], "it is the same memory"
    copied = rustorch.from_dlpack(x, copy=True)
    copied.zero_()
    assert x[0, 1].item() == 1
    del x
    assert back.tolist() == [106.0, 107, 108, 109, 110, 111], "the memory lives as long as it is used"
    assert rustorch.from_dlpack(back, device="cpu").device.type == "cpu"
    assert np.from_dlpack(back.cpu()).tolist() == back.tolist()
    with pytest.raises(ValueError, match="without copying"):
        rustorch.from_dlpack(back, device="cpu", copy=False)
    with pytest.raises(BufferError, match="stream is for tensors on CUDA"):
        back.__dlpack__(stream=1)
    with pytest.raises(BufferError, match="cannot be exported"):
        back.__dlpack__(dl_device=(2, 0))
    capsule = back.__dlpack__(dl_device=(1, 0), max_version=(1, 0))
    assert rustorch.from_dlpack(capsule).device.type == "cpu"
    with pytest.raises(AttributeError, match="CUDA"):
        _ = back.__cuda_array_interface__


def test_pyopencl(opencl: rustorch.device) -> None:
    cl = pytest.importorskip("pyopencl", reason="needs pyopencl")
    context = cl.Context.from_int_ptr(rustorch.opencl.context_handle(opencl))
    stream = rustorch.opencl.Stream(opencl)
    with stream:
        x = rustorch.arange(10.0, device=opencl)[2:]
        queue = cl.CommandQueue.from_int_ptr(rustorch.opencl.queue_handle())
        assert queue.context == context
        assert queue.int_ptr == stream.native_handle
        # Out of a tensor, and into it.
        handle, offset = rustorch.opencl.buffer_handle(x)
        assert offset == 8
        memory = cl.MemoryObject.from_int_ptr(handle)
        there = np.empty(8, dtype=np.float32)
        cl.enqueue_copy(queue, there, memory, src_offset=offset)
        assert there.tolist() == x.tolist()
        cl.enqueue_copy(queue, memory, np.float32([40, 41]), dst_offset=offset)
        assert x.tolist() == [40, 41, 4, 5, 6, 7, 8, 9]
        # A buffer of theirs, as a tensor.
        buffer = cl.Buffer(context, cl.mem_flags.READ_WRITE, 48)
        cl.enqueue_copy(queue, buffer, np.arange(12, dtype=np.int32))
        over = rustorch.opencl.from_buffer_handle(buffer.int_ptr, (2, 3), rustorch.int32, offset=4)
        assert over.device == opencl
        assert over.tolist() == [[4, 5, 6], [7, 8, 9]]
        turned = rustorch.opencl.from_buffer_handle(buffer.int_ptr, (3, 2), rustorch.int32, strides=(1, 3))
        assert turned.tolist() == [[0, 3], [1, 4], [2, 5]]
        over.mul_(2)
        here = np.empty(12, dtype=np.int32)
        cl.enqueue_copy(queue, here, buffer)
        assert here.tolist() == [0, 1, 2, 3, 8, 10, 12, 14, 16, 18, 10, 11]
        assert buffer.get_info(cl.mem_info.REFERENCE_COUNT) == 3
        del turned
        assert buffer.get_info(cl.mem_info.REFERENCE_COUNT) == 2
        buffer.release()
        assert (over + 1).tolist() == [[9, 11, 13], [15, 17, 19]], "the tensor keeps the buffer"
        for shape, start in (((13,), 0), ((3, 4), 1)):
            big = cl.Buffer(context, cl.mem_flags.READ_WRITE, 48)
            with pytest.raises(rustorch.RusTorchError):
                rustorch.opencl.from_buffer_handle(big.int_ptr, shape, rustorch.int32, offset=start)
        for shape, strides, start in (
            ((2**62, 4), None, 0),
            ((2, 2), (2**62, 2**62), 0),
            ((1,), None, 2**63 - 1),
            ((2,), (-1,), 1),
        ):
            with pytest.raises(ValueError, match="fits no memory"):
                rustorch.opencl.from_buffer_handle(big.int_ptr, shape, rustorch.int32, strides=strides, offset=start)
        foreign = cl.Buffer(cl.Context(context.devices), cl.mem_flags.READ_WRITE, 48)
        with pytest.raises(rustorch.DeviceError, match="another opencl context"):
            rustorch.opencl.from_buffer_handle(foreign.int_ptr, (12,))
    with pytest.raises(ValueError, match="on cpu"):
        rustorch.opencl.buffer_handle(rustorch.zeros(1, device="cpu"))
    with pytest.raises(ValueError, match="must not be 0"):
        rustorch.opencl.from_buffer_handle(0, (1,))


def test_cuda_on_a_stand_in(tmp_path: Path) -> None:
    """Addresses, shapes, strides and calls of streams; nothing is computed, since there is no GPU behind the driver."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("needs gcc, which compiles the driver that stands in")
    driver = tmp_path / "libcuda.so"
    source = ROOT / "crates/cuda/tests/driver/libcuda.c"
    subprocess.run([compiler, "-shared", "-fPIC", source, "-o", driver], check=True)
    program = ROOT / "tests/cuda_sharing.py"
    environment = {"RUSTORCH_CUDA_LIBRARY": str(driver), "PYTHONPATH": str(Path(rustorch.__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, program, driver], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all is well\n")
