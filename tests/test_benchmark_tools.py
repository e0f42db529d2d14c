"""utils.benchmark times code, and says how sure the times are."""

import time

import numpy as np
import pytest

import rustorch
from rustorch.utils.benchmark import Compare, Measurement, Timer

pytestmark = [pytest.mark.rustorch_only, pytest.mark.cpu_only]


def measured(*times: float, **about: object) -> Measurement:
    return Measurement(number_per_run=2, raw_times=[2 * t for t in times], stmt="f()", **about)


def test_statistics_are_numpys() -> None:
    times = [3e-3, 1e-3, 4e-3, 1.5e-3, 9e-3]
    m = measured(*times)
    assert m.times == pytest.approx(times)
    assert (m.median, m.mean) == pytest.approx((np.median(times), np.mean(times)))
    assert m.iqr == pytest.approx(np.subtract(*np.percentile(times, [75, 25])))
    assert m.has_warnings
    assert not m.meets_confidence()
    assert measured(1.0, 1.01, 1.02).meets_confidence(0.05)
    assert (measured(1.0).significant_figures, measured(1.0, 2.0, 3.0).significant_figures) == (5, 1)


def test_a_timer_times_with_its_threads_and_names() -> None:
    seen = []
    before = rustorch.get_num_threads()
    timer = Timer(
        "note(); sleep(0.002)", globals={"note": lambda: seen.append(rustorch.get_num_threads()), "sleep": time.sleep}
    )
    m = timer.timeit(5)
    assert set(seen) == {1}
    assert rustorch.get_num_threads() == before
    assert 0.002 <= m.median < 0.1
    assert (m.number_per_run, len(m.times), m.num_threads) == (5, 1, 1)


def test_blocks_fill_the_time_and_are_told() -> None:
    told = []
    m = Timer("x + 1", setup="x = 3").blocked_autorange(callback=lambda n, t: told.append((n, t)), min_run_time=0.02)
    assert [t for _, t in told] == m.raw_times
    assert {n for n, _ in told} == {m.number_per_run}
    assert sum(m.raw_times) >= 0.02
    assert m.number_per_run >= 100
    assert Timer("torch.ones(2)").adaptive_autorange(min_run_time=0.001, max_run_time=0.05).median > 0


def test_other_code_is_refused() -> None:
    with pytest.raises(ValueError, match="times Python"):
        Timer("int x;", language="c++")
    with pytest.raises(ValueError, match="text of the code"):
        Timer(print)
    with pytest.raises(NotImplementedError, match="blocked_autorange"):
        Timer("1").repeat()
    with pytest.raises(ValueError, match="expected a Measurement"):
        Compare([3])


def test_a_measurement_is_a_text() -> None:
    text = repr(measured(1e-3, 2e-3, 3e-3, label="sum", sub_label="fast", description="small", setup="x = 1"))
    for part in ("sum: fast", "small", "setup: x = 1", "Median: 2.00 ms", "IQR:    1.00 ms (1.50 to 2.50)", "WARNING"):
        assert part in text


def test_a_table_compares() -> None:
    about = {"label": "sum"}
    results = [
        measured(1e-6, sub_label="a", description="10", **about),
        measured(3e-6, sub_label="a", description="10", **about),
        measured(5e-6, sub_label="b", description="10", **about),
        measured(4e-6, sub_label="b", description="100", num_threads=2, **about),
    ]
    table = Compare(results)
    assert str(table).splitlines() == [
        "[--------- sum ----------]",
        "         |  10   |  100",
        "1 threads: ---------------",
        "      a  |  2.0  |",
        "      b  |  5.0  |",
        "2 threads: ---------------",
        "      b  |       |  4.0",
        "",
        "Times are in microseconds (us).",
    ]
    table.highlight_warnings()
    table.colorize()
    assert "(!)" in str(table)
    assert "\033[91m5.0" in str(table)


def test_the_accelerator_is_the_gpu_that_is_there() -> None:
    accelerator = rustorch.accelerator
    chosen = rustorch._C._preferred_device()
    assert accelerator.is_available() is (chosen.type != "cpu") is (accelerator.device_count() > 0)
    if chosen.type == "cpu":
        assert accelerator.current_accelerator() is None
        for call in (accelerator.synchronize, accelerator.current_device_index, accelerator.memory_allocated):
            with pytest.raises(rustorch.BackendUnavailableError, match="no GPU"):
                call()


def test_nothing_is_compiled() -> None:
    compiler = rustorch.compiler

    @compiler.disable
    def plain() -> int:
        return 1

    @compiler.disable(recursive=False)
    def given() -> int:
        return 2

    assert (plain(), given(), compiler.allow_in_graph(plain), compiler.list_backends()) == (1, 2, plain, [])
    assert (compiler.is_compiling(), compiler.is_dynamo_compiling(), compiler.is_exporting()) == (False,) * 3
    compiler.reset()
