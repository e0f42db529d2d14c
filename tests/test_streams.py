"""Streams, events, and copies that nobody waits for, on the device of --device."""

from __future__ import annotations

import threading
from types import ModuleType

import pytest

import rustorch
from rustorch.utils.data import DataLoader, TensorDataset

pytestmark = pytest.mark.rustorch_only

MODULES = {"cuda": rustorch.cuda, "opencl": rustorch.opencl, "metal": rustorch.metal}


@pytest.fixture
def module(there: rustorch.device) -> ModuleType:
    """What has the streams of that device: rustorch.opencl, say."""
    return MODULES[there.type]


@pytest.mark.parametrize("kind", MODULES)
def test_without_a_driver_everything_says_what_is_missing(kind: str) -> None:
    module = MODULES[kind]
    if module.is_available():
        pytest.skip(f"there is a {kind} device")
    with pytest.raises(rustorch.BackendUnavailableError) as missing:
        rustorch.zeros(1, device=kind)
    for ask in (module.Stream, module.Event, module.current_stream, module.default_stream):
        with pytest.raises(rustorch.BackendUnavailableError) as error:
            ask()
        # Who asks for a device by an op is told the op's name in the place of the device's.
        reason = str(error.value).split(": ", 1)[1]
        assert str(missing.value) == f"zeros: {reason}"
    with module.stream(None):
        pass
    module.set_stream(None)


def test_the_cpu_has_no_streams() -> None:
    with pytest.raises(rustorch.UnsupportedError, match="cpu has no streams"):
        rustorch._C._stream_current("cpu")


def test_a_stream_is_current_in_its_block_and_thread(there: rustorch.device, module: ModuleType) -> None:
    default = module.default_stream()
    assert module.current_stream() == default
    assert default.stream_id == 0
    assert default.device == there
    one, other = module.Stream(), module.Stream(there, priority=-1)
    assert one != other
    assert one != default
    assert len({one, other, default, module.default_stream()}) == 3
    seen = []
    with module.stream(one):
        assert module.current_stream() == module.current_stream(there) == one
        with other as entered:
            assert entered is other
            assert module.current_stream() == other
            thread = threading.Thread(target=lambda: seen.append(module.current_stream()))
            thread.start()
            thread.join()
        with module.stream(None):
            assert module.current_stream() == one
    assert seen == [default]
    assert module.current_stream() == default
    with pytest.raises(ZeroDivisionError), module.stream(one):
        _ = 1 / 0
    assert module.current_stream() == default
    module.set_stream(one)
    assert module.current_stream() == one
    module.set_stream(default)
    assert isinstance(one, module.Stream)
    assert f"rustorch.{there.type}.Stream device={there}" in repr(one)


def test_after_32_streams_they_are_handed_out_again(module: ModuleType) -> None:
    streams = [module.Stream() for _ in range(33)]
    assert len(set(streams)) == 32
    assert streams[0] == streams[32]


def test_streams_compute_beside_each_other_and_wait_where_they_are_told(module: ModuleType, there: str) -> None:
    streams = [module.Stream() for _ in range(3)]
    start = rustorch.arange(50_000, dtype=rustorch.float32, device=there)
    results = []
    for factor, stream in enumerate(streams):
        stream.wait_stream(module.current_stream())
        with module.stream(stream):
            x = start
            for _ in range(20):
                x = x + factor
            results.append(x)
    for stream in streams:
        module.current_stream().wait_stream(stream)
    total = results[0] + results[1] + results[2]
    assert total.tolist() == (3 * start.cpu() + 60).tolist()
    for stream in streams:
        stream.synchronize()
        assert stream.query()
    with module.stream(streams[0]):
        start = start + 1
    while not streams[0].query():
        pass


def test_events(module: ModuleType, there: rustorch.device) -> None:
    event = module.Event()
    assert event.query()
    event.synchronize()
    event.wait()
    start, end = module.Event(enable_timing=True), module.Event(enable_timing=True)
    with pytest.raises(ValueError, match="must be recorded"):
        start.elapsed_time(end)
    with pytest.raises(ValueError, match="enable_timing=True"):
        start.elapsed_time(event)
    side = module.Stream()
    x = rustorch.ones(200_000, device=there)
    side.wait_stream(module.current_stream())
    with side:
        start.record()
        for _ in range(10):
            x = x * 1.5
        end.record(side)
    event.record(side)
    event.wait(module.default_stream())
    assert (x + 0).tolist()[0] == 1.5**10
    end.synchronize()
    assert start.query()
    assert end.query()
    assert 0 < start.elapsed_time(end) < 60_000
    assert end.elapsed_time(start) == -start.elapsed_time(end)
    assert side.record_event().device == there
    with pytest.raises(rustorch.UnsupportedError, match="interprocess"):
        module.Event(interprocess=True)


def test_memory_stays_with_its_stream(module: ModuleType, there: rustorch.device) -> None:
    side = module.Stream()
    with module.stream(side):
        x = rustorch.zeros(300_001, device=there)
        address = x.data_ptr()
        del x
    y = rustorch.zeros(300_001, device=there)
    assert y.data_ptr() != address, "the stream may still use it"
    with module.stream(side):
        assert rustorch.zeros(300_001, device=there).data_ptr() == address


def test_memory_that_another_stream_uses_waits_for_it(module: ModuleType, there: rustorch.device) -> None:
    side = module.Stream()
    for _ in range(5):
        x = rustorch.full((500_000,), 2.0, device=there)
        side.wait_stream(module.current_stream())
        with module.stream(side):
            y = x
            for _ in range(10):
                y = y * x
        x.record_stream(side)
        del x
        # Were the memory handed out again now, this would be the factor.
        z = rustorch.full((500_000,), 3.0, device=there)
        side.synchronize()
        assert y[::1000].tolist() == [2.0**11] * 500
        assert z[0].item() == 3
    with pytest.raises(rustorch.DeviceError, match="record_stream"):
        rustorch.zeros(1, device="cpu").record_stream(side)


def test_peaks_of_memory(module: ModuleType, there: rustorch.device) -> None:
    x = rustorch.zeros(1_000_000, device=there)
    del x
    assert module.max_memory_reserved() >= module.max_memory_allocated() >= 4_000_000
    module.empty_cache()
    module.reset_peak_memory_stats()
    assert module.max_memory_allocated() == module.memory_allocated() < 4_000_000
    assert module.max_memory_reserved() == module.memory_reserved() < 4_000_000


def test_pinned_memory(module: ModuleType, there: rustorch.device) -> None:
    x = rustorch.arange(100_000.0, device="cpu").reshape(100, 1000).t()
    assert not x.is_pinned()
    pinned = x.pin_memory(there)
    assert pinned.is_pinned()
    assert pinned.device.type == "cpu"
    assert pinned.stride() == x.stride()
    assert rustorch.equal(pinned, x)
    assert pinned.pin_memory() is pinned
    assert pinned[3:].is_pinned()
    assert not (pinned + 1).is_pinned()
    for source in (pinned, x, pinned[::2]):
        moved = source.to(there, non_blocking=True)
        back = moved.to("cpu", non_blocking=True)
        assert back.is_pinned()
        module.current_stream().synchronize()
        assert rustorch.equal(back, source)
        half = moved.to("cpu", rustorch.float64, non_blocking=True)
        module.current_stream().synchronize()
        assert rustorch.equal(half, source.double())
    target = rustorch.zeros(1000, 100, device=there)
    target.copy_(pinned, non_blocking=True)
    landed = rustorch.empty(1000, 100, device="cpu").pin_memory(there)
    landed.copy_(target * 2, non_blocking=True)
    module.synchronize()
    assert rustorch.equal(landed, 2 * x)
    with pytest.raises(rustorch.DeviceError, match="only tensors of the CPU"):
        target.pin_memory()
    with pytest.raises(rustorch.RusTorchError, match="not for cpu"):
        x.pin_memory("cpu")
    assert rustorch.empty(0, device="cpu").pin_memory(there).to(there, non_blocking=True).shape == (0,)


def test_pinned_memory_is_not_handed_out_before_its_copies_are_done(module: ModuleType, there: rustorch.device) -> None:
    results = []
    for value in range(20):
        pinned = rustorch.full((300_000,), float(value), device="cpu").pin_memory(there)
        results.append(pinned.to(there, non_blocking=True))
        del pinned
    assert [result[::100_000].tolist() for result in results] == [[float(value)] * 3 for value in range(20)]


def test_gradients_through_copies_nobody_waits_for(module: ModuleType, there: rustorch.device) -> None:
    x = rustorch.ones(5, device="cpu").pin_memory(there).requires_grad_()
    (x.to(there, non_blocking=True) * 3).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [3.0] * 5


def test_a_loader_that_pins(there: rustorch.device) -> None:
    data = TensorDataset(rustorch.arange(6.0, device="cpu"), rustorch.arange(6, device="cpu"))
    for batch in DataLoader(data, batch_size=2, pin_memory=True, pin_memory_device=str(there)):
        assert isinstance(batch, list)
        assert all(part.is_pinned() for part in batch)
    items = [{"a": rustorch.zeros(1, device="cpu"), "b": "text"}] * 2
    (batch,) = DataLoader(items, batch_size=2, pin_memory=True)
    assert batch["a"].is_pinned()
    assert batch["b"] == ["text", "text"]
