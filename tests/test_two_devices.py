"""Two devices of one kind: what is where, copies between them, and ops that would mix them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import rustorch

from tests.announcements import beside_compilation

pytestmark = [pytest.mark.rustorch_only, pytest.mark.cpu_only]

START = """
import rustorch
from rustorch import nn

def refused(kind, function, *words):
    try:
        function()
    except kind as error:
        assert all(word in str(error) for word in words), str(error)
    else:
        raise AssertionError("nothing was refused")

first, second = rustorch.device("opencl:0"), rustorch.device("opencl:1")
x = rustorch.arange(24.0).reshape(4, 6)
a, b = x.to(first), x.to(second)
"""


def run(code: str, folder: Path) -> None:
    """Runs it where PoCL makes two devices of the processor."""
    if not any(
        "pthread" in entry.name or "cpu" in entry.name for entry in rustorch.devices() if entry.type == "opencl"
    ):
        pytest.skip("there is no PoCL")
    environment = os.environ | {
        "POCL_DEVICES": "pthread basic",
        "POCL_CACHE_DIR": str(folder),
        "RUSTORCH_CACHE_DIR": str(folder),
        "RUSTORCH_OPENCL_OPTIONS": "-cl-opt-disable",
    }
    count = "import rustorch; print(rustorch.opencl.device_count())"
    command = [sys.executable, "-c"]
    seen = subprocess.run([*command, count], env=environment, capture_output=True, text=True, timeout=120, check=True)
    if seen.stdout != "2\n":
        pytest.skip("PoCL does not make two devices")
    done = subprocess.run(
        [*command, START + code], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout, beside_compilation(done.stderr)) == (0, "done\n", ""), done.stderr


def test_copies_and_kernels(tmp_path: Path) -> None:
    code = """
assert (a.device, b.device) == (first, second)
assert (str(a.device), str(b.device), b.get_device()) == ("opencl:0", "opencl:1", 1)
for tensor in (x, x.t(), x[1:, ::2], x[:0], x[1, 2], x.long(), x > 3):
    there = tensor.to(first)
    over = there.to(second)
    back = over.to("opencl:0")
    assert (there.device, over.device, back.device) == (first, second, first)
    for moved in (there, over, back):
        assert moved.dtype == tensor.dtype and moved.shape == tensor.shape
        assert moved.cpu().equal(tensor)
    assert over.to(second) is over
assert a.to(second, rustorch.float64).cpu().equal(x.double())
# The source may change as soon as the copy was asked for.
source = a.clone()
copied = source.to(second)
source.zero_()
assert copied.cpu().equal(x)
target = rustorch.zeros(4, 12, device=second)
target[:, ::2].copy_(a)
assert target.cpu()[:, ::2].equal(x) and target.cpu()[:, 1::2].sum() == 0
for device in (first, second):
    t = x.to(device)
    assert (t * 2 + 1).cpu().equal(x * 2 + 1)
    assert (t @ t.t()).cpu().equal(x @ x.t())
    assert t.sum(1).cpu().equal(x.sum(1))
    assert rustorch.linalg.norm(t).device == device
    rustorch.manual_seed(3)
    here = rustorch.rand(50, device=device)
    rustorch.manual_seed(3)
    assert here.cpu().equal(rustorch.rand(50))
print("done")
"""
    run(code, tmp_path)


def test_ops_do_not_mix_devices(tmp_path: Path) -> None:
    code = """
for name, mix in (
    ("add", lambda: a + b),
    ("add_", lambda: a.add_(b)),
    ("matmul", lambda: a @ b.t()),
    ("cat", lambda: rustorch.cat([a, b])),
    ("where", lambda: rustorch.where(a > 0, a, b)),
    ("gather", lambda: a.gather(0, rustorch.zeros(1, 6, dtype=rustorch.int64, device=second))),
    ("linear", lambda: nn.functional.linear(a, b)),
):
    refused(rustorch.DeviceError, mix, name, "opencl:0", "opencl:1", "same device")
assert a.cpu().equal(x) and b.cpu().equal(x)
number = rustorch.tensor(2.0)
assert (a * number).device == first and (b * number).device == second
leaf = x.clone().requires_grad_()
(leaf.to(first).exp().to(second) * b).sum().backward()
assert leaf.grad.is_cpu and rustorch.allclose(leaf.grad, x * x.exp())
model = nn.Linear(6, 3)
one, two = (nn.Linear(6, 3).to(device) for device in (first, second))
for twin in (one, two):
    twin.load_state_dict(model.state_dict())
assert one.weight.device == first and two.weight.device == second
assert rustorch.allclose(one(a).cpu(), model(x)) and rustorch.allclose(two(b).cpu(), model(x))
print("done")
"""
    run(code, tmp_path)


def test_each_has_its_own_memory_and_turn(tmp_path: Path) -> None:
    code = """
opencl = rustorch.opencl
del a, b
for device in (first, second):
    opencl.empty_cache()
    assert opencl.memory_allocated(device) == 0
big = rustorch.zeros(1 << 16, device=second)
assert opencl.memory_allocated(first) == 0 and opencl.memory_allocated(1) >= big.nbytes
assert opencl.memory_stats(second) != opencl.memory_stats(first)
del big
assert opencl.memory_allocated(second) == 0 and opencl.memory_reserved(second) > 0
assert opencl.memory_reserved(first) == 0
assert opencl.current_device() == 0 and rustorch.zeros(1, device="opencl").device == first
with opencl.device(1):
    assert opencl.current_device() == 1 and rustorch.zeros(1, device="opencl").device == second
    assert rustorch.zeros(1, device=first).device == first
    opencl.synchronize()
assert opencl.current_device() == 0
opencl.set_device(second)
assert x.to("opencl").device == second
assert opencl.get_device_name(0) != opencl.get_device_name(1)
refused(rustorch.DeviceError, lambda: opencl.set_device(2), "'opencl:0' to 'opencl:1'")
with second:
    assert rustorch.ones(2).device == second
opencl.synchronize(first)
print("done")
"""
    run(code, tmp_path)
