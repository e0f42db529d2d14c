"""Devices: names, copies between them, the default one, what a device lacks, and what is said without a driver."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator

import numpy as np
import pytest

import rustorch
from rustorch import nn

KINDS = ("cuda", "opencl", "metal")
SUBMODULES = {kind: getattr(rustorch, kind) for kind in KINDS}

pytestmark = pytest.mark.rustorch_only


@pytest.fixture
def on_cpu() -> Iterator[None]:
    """A test that sets the default device itself begins on the CPU."""
    before = rustorch.get_default_device()
    rustorch.set_default_device("cpu")
    yield
    rustorch.set_default_device(before)


@pytest.fixture
def counted() -> Iterator[None]:
    rustorch.backends.reset_fallbacks()
    yield
    rustorch.backends.strict = False


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:256", "CUDA", "", "cpu:1"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(rustorch.DeviceError):
        rustorch.device(name)


def test_names() -> None:
    assert rustorch.device("opencl", 1) == rustorch.device("opencl:1") != rustorch.device("opencl")
    assert (rustorch.device("cuda:2").type, rustorch.device("cuda:2").index) == ("cuda", 2)
    assert repr(rustorch.device("metal:0")) == "device(type='metal', index=0)"
    with pytest.raises(rustorch.DeviceError, match="cpu, cuda, opencl, metal"):
        rustorch.device("xpu")
    with pytest.raises(rustorch.DeviceError, match="'metal'"):
        rustorch.device("mps")
    assert pickle.loads(pickle.dumps(rustorch.device("cuda:1"))) == rustorch.device("cuda:1")


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_device(kind: str) -> None:
    module = SUBMODULES[kind]
    count = module.device_count()
    assert module.is_available() == (count > 0)
    assert [entry.index for entry in rustorch.devices() if entry.type == kind] == list(range(count))
    with pytest.raises(rustorch.RusTorchError):
        rustorch.zeros(1, device=f"{kind}:255")
    if count:
        assert isinstance(module.get_device_name(0), str)
        module.synchronize()
        return
    # Asking for it says what is missing, and everything else goes on.
    for ask in (
        lambda: rustorch.zeros(1, device=kind),
        lambda: rustorch.zeros(1).to(kind),
        lambda: rustorch.set_default_device(kind),
        lambda: nn.Linear(2, 2).to(kind),
        module.synchronize,
        module.current_device,
        module.memory_stats,
    ):
        with pytest.raises(rustorch.BackendUnavailableError, match=kind):
            ask()
    module.manual_seed(1)
    module.empty_cache()


def test_looking_for_devices_prints_nothing() -> None:
    code = "import rustorch; rustorch.devices(); rustorch.cuda.is_available(); rustorch.zeros(1, device='cpu')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == done.stderr == ""


def test_the_command_shows_every_device() -> None:
    done = subprocess.run([sys.executable, "-m", "rustorch", "info"], capture_output=True, text=True, check=True)
    for entry in rustorch.devices():
        assert f"  {entry.device}" in done.stdout
        assert entry.name in done.stdout
    assert "chosen: " in done.stdout
    assert done.stderr == ""


def test_the_cpu_is_a_device() -> None:
    first = rustorch.devices()[0]
    assert (first.type, first.index, first.lacks, first.is_host) == ("cpu", 0, (), True)
    assert first.multi_processor_count >= 1
    x = rustorch.ones(2, device="cpu:0")
    assert (x + rustorch.ones(2, device="cpu")).tolist() == [2.0, 2.0]
    assert x.get_device() == -1
    assert not x.is_cuda
    assert not x.is_opencl
    assert not x.is_metal


def test_the_default_device(on_cpu: None) -> None:
    assert rustorch.get_default_device() == rustorch.device("cpu")
    with rustorch.device("cpu"):
        assert rustorch.zeros(1).is_cpu
    with pytest.raises(rustorch.DeviceError), rustorch.device("opencl:255"):
        pass
    assert rustorch.get_default_device() == rustorch.device("cpu")
    rustorch.set_default_device(None)


def test_strict_is_a_bool() -> None:
    assert rustorch.backends.strict is False
    with pytest.raises(TypeError):
        rustorch.backends.strict = 1
    assert isinstance(rustorch.backends.fallbacks(), dict)


def test_copies_between_devices(there: rustorch.device, on_cpu: None) -> None:
    x = rustorch.randn(5, 7)
    for tensor in (x, x.t(), x[1:, ::2], x.bool(), x.half(), x[:0], x[0, 0]):
        moved = tensor.to(there)
        assert moved.device == there
        assert moved.dtype == tensor.dtype
        assert moved.shape == tensor.shape
        assert moved.to(there) is moved
        assert moved.cpu().equal(tensor)
    assert x.to(there, rustorch.float16).cpu().equal(x.half())
    target = rustorch.zeros(4, 6, device=there)
    target[:, ::2].copy_(rustorch.arange(3))
    assert target[0].tolist() == [0, 0, 1, 0, 2, 0]
    host = rustorch.zeros(3)
    host.copy_(target[0, ::2])
    assert host.tolist() == [0, 1, 2]
    assert target.is_cpu is False
    assert target.get_device() == there.index


def test_gradients_go_back_to_where_the_leaf_is(there: rustorch.device, on_cpu: None) -> None:
    leaf = rustorch.randn(3, requires_grad=True)
    number = rustorch.tensor(2.0, requires_grad=True)
    (leaf.to(there) * number).exp().sum().backward()
    assert leaf.grad is not None
    assert leaf.grad.is_cpu
    assert number.grad is not None
    assert number.grad.is_cpu
    assert rustorch.allclose(leaf.grad, 2 * (2 * leaf.detach()).exp())


def test_mixing_devices(there: rustorch.device, on_cpu: None) -> None:
    here, moved = rustorch.ones(2, 2), rustorch.ones(2, 2, device=there)
    for mix in (
        lambda: here + moved,
        lambda: moved.add_(here),
        lambda: here @ moved,
        lambda: rustorch.cat([here, moved]),
        lambda: nn.functional.linear(moved, here),
        lambda: rustorch.where(moved > 0, here, moved),
        lambda: moved.gather(0, rustorch.zeros(1, 2, dtype=rustorch.int64)),
        lambda: here[rustorch.zeros(1, dtype=rustorch.int64, device=there)],
    ):
        with pytest.raises(rustorch.DeviceError, match="same device"):
            mix()
    # Numbers without dimensions, and indices, may come from the CPU.
    two = rustorch.tensor(2.0)
    assert (moved * two).device == (two * moved).device == there
    assert (moved / 2 + two).sum().item() == 10
    assert moved[rustorch.tensor([0])].device == moved[[True, False]].device == there
    moved[rustorch.tensor([1])] = two
    assert moved.tolist() == [[1, 1], [2, 2]]
    assert rustorch.where(rustorch.tensor(True), moved, moved).device == there


def test_results_are_where_their_inputs_are(there: rustorch.device, on_cpu: None) -> None:
    x = rustorch.randn(4, 4, device=there)
    for made in (
        rustorch.zeros_like(x),
        x.new_zeros(2),
        x.new_tensor([1.0]),
        rustorch.rand_like(x),
        *x.sort(),
        x.argmax(),
    ):
        assert made.device == there
    with rustorch.device(there):
        for made in (
            rustorch.tensor([1, 2]),
            rustorch.eye(2),
            rustorch.arange(3),
            rustorch.randn(2),
            rustorch.randperm(3),
        ):
            assert made.device == there
        assert nn.Linear(2, 3).weight.device == there
    assert rustorch.zeros(1).is_cpu


def test_random_numbers_are_those_of_the_cpu(there: rustorch.device, on_cpu: None) -> None:
    rustorch.manual_seed(7)
    here = rustorch.rand(100)
    rustorch.manual_seed(7)
    moved = rustorch.rand(100, device=there)
    assert here.equal(moved.cpu())
    module = SUBMODULES[there.type]
    module.manual_seed(7)
    assert here.equal(rustorch.rand(100, device=there).cpu())
    state = module.get_rng_state()
    first = rustorch.rand(3, device=there)
    module.set_rng_state(state)
    assert first.equal(rustorch.rand(3, device=there))


def test_what_wants_host_memory_says_so(there: rustorch.device) -> None:
    x = rustorch.ones(2, device=there)
    with pytest.raises(TypeError, match=f"can't convert {there} device type tensor to numpy"):
        x.numpy()
    assert x.numpy(force=True).tolist() == [1, 1]
    with pytest.raises(BufferError, match=str(there)):
        memoryview(x)


def test_text_pickles_and_copies_keep_the_device(there: rustorch.device, on_cpu: None) -> None:
    x = rustorch.tensor([1.0, 2.0], device=there)
    assert repr(x) == f"tensor([1., 2.], device='{there}')"
    for copied in (pickle.loads(pickle.dumps(x, protocol)) for protocol in (2, 5)):
        assert copied.device == there
        assert copied.equal(x)
    model = nn.Linear(3, 2).to(there)
    twin = copy.deepcopy(model)
    assert twin.weight.device == there
    assert twin.weight.equal(model.weight)
    twin.load_state_dict({name: tensor.cpu() for name, tensor in model.state_dict().items()})
    assert twin.bias.device == there


def test_training_on_a_device(there: rustorch.device, on_cpu: None) -> None:
    def train(device: rustorch.device | str) -> list[float]:
        rustorch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)).to(device)
        optimizer = rustorch.optim.Adam(model.parameters(), lr=0.05)
        x, y = rustorch.randn(16, 4).to(device), rustorch.arange(16).remainder(2).to(device)
        losses = []
        for _ in range(5):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    assert train(there) == pytest.approx(train("cpu"), rel=1e-4)


def test_memory_is_counted(there: rustorch.device) -> None:
    module = SUBMODULES[there.type]
    before = module.memory_allocated(there)
    x = rustorch.zeros(1 << 18, device=there)
    assert module.memory_allocated(there) >= before + x.nbytes
    assert module.max_memory_allocated(there) >= module.memory_allocated(there)
    assert module.memory_reserved(there) >= module.memory_allocated(there)
    module.empty_cache()


def test_the_current_device(there: rustorch.device) -> None:
    module = SUBMODULES[there.type]
    last = module.device_count() - 1
    before = module.current_device()
    with module.device(last):
        assert module.current_device() == last
        assert rustorch.zeros(1, device=there.type).get_device() == last
    assert module.current_device() == before
    with pytest.raises(rustorch.DeviceError):
        module.set_device(last + 1)
    with pytest.raises(ValueError, match="Expected a"):
        module.synchronize("cpu")


@pytest.mark.filterwarnings("ignore:.* runs on the CPU:UserWarning")
def test_what_runs_on_the_cpu_changes_the_devices_memory(there: rustorch.device, on_cpu: None) -> None:
    # Complex products are the CPU's: in place, through views, with operands that are the same memory.
    x = rustorch.randn(6, 7, dtype=rustorch.complex64)
    here, moved = x.clone(), x.to(there)
    for tensor in (here, moved):
        view = tensor.t()[1:, ::2]
        view *= view
        tensor[2] /= tensor[4] * tensor[2]
        tensor[:0] *= 2
    assert moved.cpu().equal(here)
    factors = rustorch.linalg.qr(moved.real.contiguous())
    for factor, expected in zip(factors, rustorch.linalg.qr(here.real.contiguous()), strict=True):
        assert factor.device == there
        assert rustorch.allclose(factor.cpu(), expected)


def test_what_a_device_lacks_is_counted_and_warned_of(there: rustorch.device, counted: None) -> None:
    # Dense algebra is the CPU's.
    a = rustorch.eye(3, device=there)
    rustorch.backends.reset_fallbacks()
    with pytest.warns(UserWarning, match=f"runs on the CPU, with copies to and from {there.type}"):
        rustorch.linalg.svd(a)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = rustorch.linalg.svdvals(a)
    assert values.device == there
    counts = rustorch.backends.fallbacks()
    assert counts[there.type, "factorize"] == 2, counts
    rustorch.backends.strict = True
    with pytest.raises(rustorch.BackendUnavailableError, match=rf"linalg_svd.*{there.type}.*float32"):
        rustorch.linalg.svd(a)
    rustorch.backends.strict = False
    rustorch.backends.reset_fallbacks()
    assert rustorch.backends.fallbacks() == {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="factorize"):
            rustorch.linalg.svd(a)


@pytest.fixture
def any_order() -> Iterator[None]:
    rustorch.use_deterministic_algorithms(False)
    yield
    rustorch.use_deterministic_algorithms(True)


def test_additions_in_any_order(any_order: None) -> None:
    assert not rustorch.are_deterministic_algorithms_enabled()
    index = rustorch.randint(0, 5, (3000,))
    # Whole numbers, whose sums no order changes.
    source = rustorch.randint(-9, 10, (3000, 2)).float()
    want = np.zeros((5, 2), np.float32)
    np.add.at(want, index.numpy(force=True), source.numpy(force=True))
    assert rustorch.zeros(5, 2).index_add(0, index, source).tolist() == want.tolist()
    table = rustorch.zeros(5, 2, requires_grad=True)
    (nn.functional.embedding(index, table) * source).sum().backward()
    assert table.grad is not None
    assert table.grad.tolist() == want.tolist()
    rustorch.use_deterministic_algorithms(True, warn_only=True)
    assert rustorch.are_deterministic_algorithms_enabled()


@pytest.mark.rustorch_only
@pytest.mark.parametrize("kind", ["cuda", "opencl", "metal"])
def test_a_module_of_devices_has_the_functions_that_type_checkers_see(kind: str) -> None:
    from rustorch import _accelerator_functions

    seen = {name for name in vars(_accelerator_functions) if not name.startswith("_")}
    module = getattr(rustorch, kind)
    assert seen == set(module._this.functions())
    assert all(getattr(module, name).__self__ is module._this for name in seen)
