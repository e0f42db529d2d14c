"""Settings of the process and of backends, and what is said of devices that are not there."""

import subprocess
import sys

import pytest

import rustorch

pytestmark = [pytest.mark.cpu_only, pytest.mark.rustorch_only]


def test_deterministic_algorithms_are_remembered_with_how_they_warn() -> None:
    assert not rustorch.is_deterministic_algorithms_warn_only_enabled()
    before = rustorch.get_deterministic_debug_mode()
    try:
        for mode, number in (("default", 0), ("warn", 1), ("error", 2)):
            rustorch.set_deterministic_debug_mode(mode)
            assert rustorch.get_deterministic_debug_mode() == number
            assert rustorch.are_deterministic_algorithms_enabled() is (number > 0)
            assert rustorch.is_deterministic_algorithms_warn_only_enabled() is (number == 1)
        with pytest.raises(ValueError, match="set_deterministic_debug_mode"):
            rustorch.set_deterministic_debug_mode("loud")
    finally:
        rustorch.set_deterministic_debug_mode(before)


def test_interop_threads_are_set_once() -> None:
    code = """
import rustorch
assert rustorch.get_num_interop_threads() == rustorch.get_num_threads()
for wrong in (0, -1, 2.5, True):
    try: rustorch.set_num_interop_threads(wrong)
    except RuntimeError as error: assert "positive integer" in str(error)
    else: raise AssertionError(wrong)
rustorch.set_num_interop_threads(3)
print(rustorch.get_num_interop_threads())
rustorch.set_num_interop_threads(3)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "3\n"
    assert "it can be set once" in done.stderr


def test_denormals_stay() -> None:
    assert rustorch.set_flush_denormal(True) is False
    assert rustorch.set_flush_denormal(False) is True
    assert (rustorch.full((40,), 1e-40) * 1.0).gt(0).all()
    with pytest.raises(TypeError):
        rustorch.set_flush_denormal(1)


def test_anomaly_detection_is_told() -> None:
    assert (rustorch.is_anomaly_enabled(), rustorch.is_anomaly_check_nan_enabled()) == (False, True)
    try:
        rustorch.set_anomaly_enabled(True, False)
        assert (rustorch.is_anomaly_enabled(), rustorch.is_anomaly_check_nan_enabled()) == (True, False)
    finally:
        rustorch.set_anomaly_enabled(False)
    with rustorch.autograd.detect_anomaly():
        assert rustorch.is_anomaly_enabled()
    assert not rustorch.is_anomaly_enabled()


def test_warn_always_is_kept() -> None:
    assert rustorch.is_warn_always_enabled() is False
    rustorch.set_warn_always(True)
    assert rustorch.is_warn_always_enabled() is True
    rustorch.set_warn_always(False)
    with pytest.raises(TypeError):
        rustorch.set_warn_always(1)


def test_assert_takes_tensors() -> None:
    rustorch._assert(rustorch.tensor(True), "unseen")
    for condition in (False, rustorch.tensor(False)):
        with pytest.raises(AssertionError, match=r"^seen$"):
            rustorch._assert(condition, "seen")


def test_newaxis_adds_a_dimension() -> None:
    assert rustorch.ones(2, 3)[:, rustorch.newaxis].shape == (2, 1, 3)


def test_what_is_not_used_is_not_available() -> None:
    backends = rustorch.backends
    for name in ("mps", "mkl", "mkldnn", "openmp", "opt_einsum"):
        assert getattr(backends, name).is_available() is False
    assert backends.mps.is_built() is False
    assert backends.cuda.is_built() is True
    assert backends.opt_einsum.get_opt_einsum() is None
    assert backends.cudnn.is_available() is (backends.cudnn.version() is not None)
    if not rustorch.cuda.is_available():
        assert not backends.cudnn.is_available()
    assert backends.cpu.get_cpu_capability().lower() in (rustorch.devices()[0].architecture, "default")


def test_settings_of_cudnn_are_kept_and_checked() -> None:
    cudnn = rustorch.backends.cudnn
    assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32) == (True, False, False, True)
    cudnn.benchmark = True
    try:
        with cudnn.flags(enabled=False, deterministic=True):
            assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic) == (False, False, True)
        assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic) == (True, True, False)
        with pytest.raises(TypeError, match=r"backends\.cudnn\.benchmark: expected bool, but got int"):
            cudnn.benchmark = 1
    finally:
        cudnn.benchmark = False


def test_allow_tf32_is_the_precision_of_products() -> None:
    matmul = rustorch.backends.cuda.matmul
    assert (matmul.allow_tf32, rustorch.get_float32_matmul_precision()) == (False, "highest")
    try:
        matmul.allow_tf32 = True
        assert (matmul.allow_tf32, rustorch.get_float32_matmul_precision()) == (True, "high")
    finally:
        matmul.allow_tf32 = False
    assert rustorch.get_float32_matmul_precision() == "highest"
    with pytest.raises(AttributeError, match="Unknown attribute speed"):
        _ = matmul.speed
    matmul.allow_fp16_reduced_precision_reduction = False
    assert matmul.allow_fp16_reduced_precision_reduction is False
    matmul.allow_fp16_reduced_precision_reduction = True


def test_ways_of_attention_are_allowed_and_forbidden() -> None:
    cuda = rustorch.backends.cuda
    for name in ("flash", "mem_efficient", "math", "cudnn"):
        enabled, enable = getattr(cuda, f"{name}_sdp_enabled"), getattr(cuda, f"enable_{name}_sdp")
        assert enabled() is True
        enable(False)
        assert enabled() is False
        enable(True)
        with pytest.raises(TypeError, match=f"enable_{name}_sdp"):
            enable("yes")


def test_the_cpu_is_a_device_that_never_waits() -> None:
    cpu = rustorch.cpu
    assert (cpu.is_available(), cpu.device_count(), cpu.current_device()) == (True, 1, "cpu")
    cpu.synchronize()
    with cpu.stream(cpu.Stream()), rustorch.Stream("cpu") as stream:
        assert stream.query()
    first, last = cpu.Event(enable_timing=True), cpu.Event(enable_timing=True)
    first.record()
    last.record(cpu.current_stream())
    assert 0 <= first.elapsed_time(last) < 1000
    assert isinstance(rustorch.Event("cpu"), cpu.Event)
    with pytest.raises(ValueError, match="enable_timing"):
        first.elapsed_time(cpu.Event())


def test_mps_is_not_there() -> None:
    mps = rustorch.mps
    assert (mps.is_available(), mps.device_count()) == (False, 0)
    mps.manual_seed(3)
    for function in (mps.synchronize, mps.empty_cache):
        with pytest.raises(rustorch.BackendUnavailableError, match=f"mps.{function.__name__}"):
            function()


@pytest.mark.skipif(rustorch.cuda.is_available(), reason="about machines without CUDA")
def test_cuda_says_that_it_is_not_there() -> None:
    cuda = rustorch.cuda
    assert (cuda.is_initialized(), cuda.is_bf16_supported(), cuda.get_arch_list()) == (False, False, [])
    assert cuda.get_rng_state_all() == []
    cuda.set_rng_state_all([])
    cuda.seed_all()
    assert issubclass(cuda.OutOfMemoryError, RuntimeError)
    for call in (cuda.init, cuda.get_device_capability, cuda.mem_get_info, cuda.memory_summary, rustorch.cuda.Stream):
        with pytest.raises(rustorch.BackendUnavailableError, match="libcuda"):
            call()
    with pytest.raises(rustorch.BackendUnavailableError, match="libcuda"):
        cuda.set_per_process_memory_fraction(0.5)


def test_types_are_for_annotations() -> None:
    from rustorch.types import Device, Number, Storage, _size  # noqa: F401

    assert isinstance(3, Number)
    assert isinstance(rustorch.ones(2).storage(), Storage)
    assert not isinstance("3", Number)
