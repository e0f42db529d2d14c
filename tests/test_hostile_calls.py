"""A few seconds of what `python -m tests.soak.hostile_calls` does for as long as one wants."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import rustorch

from tests.soak import hostile_calls

pytestmark = [pytest.mark.rustorch_only, pytest.mark.cpu_only]

OPS = Path(__file__).parent.parent / "crates" / "backend" / "ops"
#: A few seconds. Another seed is an environment variable away.
CALLS = int(os.environ.get("RUSTORCH_HOSTILE_CALLS", "1500"))
SEED = int(os.environ.get("RUSTORCH_HOSTILE_SEED", "20261201"))


@pytest.fixture(scope="module")
def report() -> hostile_calls.Report:
    # Sizes that take memory or time to refuse are left to the long runs.
    return hostile_calls.run(SEED, CALLS, large=False)


def test_no_call_ends_otherwise_than_with_a_value_or_an_ordinary_error(report: hostile_calls.Report) -> None:
    assert report.calls == CALLS
    assert not report.findings, f"seed {SEED}:\n" + "\n".join(report.findings)


def test_errors_name_the_function(report: hostile_calls.Report) -> None:
    """Those of the ops. What else is written by hand may speak of what it reads, such as a file."""
    rows = [row for file in OPS.glob("*.toml") for row in tomllib.loads(file.read_text())["op"]]
    ops = {name.rsplit(".", 1)[-1] for row in rows for name in (row["name"], *row.get("aliases", ()))}
    unnamed = [m for m in report.unnamed if m.split(":")[0].rsplit(".", 1)[-1].rstrip("_") in ops]
    assert not unnamed, f"seed {SEED}:\n" + "\n".join(unnamed)


def test_the_attack_reaches_the_functions() -> None:
    targets = hostile_calls.targets()
    labels = {target.label for target in targets}
    assert len(targets) > 900
    assert {
        "rt.conv2d",
        "rt.nn.functional.huber_loss",
        "rt.linalg.norm",
        "rt.special.zeta",
        "Tensor.movedim",
        "Tensor.__mod__",
    } <= labels
    # Most know what their parameters take, so that calls get past the first check.
    assert sum(bool(target.signatures) for target in targets) > 0.9 * len(targets)


def test_what_it_would_find(tmp_path: Path) -> None:
    """A child that dies or panics is told of, with the call that did it."""
    log = tmp_path / "log"
    code = f"""
import os, rustorch, tests.soak.hostile_calls as h
rustorch.abs = lambda *a, **k: os.abort()
h.targets = lambda: [h.Target('rt.abs', (), False)]
h._child(1, 0, 10, {str(log)!r}, {1 << 33})
"""
    process = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], capture_output=True)
    assert process.returncode == -6
    assert "rt.abs(" in log.read_text()


def test_a_panic_is_an_exception() -> None:
    # What PyO3 makes of a panic in a function that is no op.
    found = [c for c in RuntimeError.__subclasses__() if c.__name__ == "PanicException"]
    assert found
    assert issubclass(found[0], Exception)


@pytest.mark.parametrize(
    "call",
    [
        "F.huber_loss(rustorch.ones(1), 'x')",
        "F.mse_loss('x', rustorch.ones(1))",
        "F.cross_entropy(rustorch.ones(2, 3), rustorch.ones(3))",
        "rustorch.allclose(rustorch.ones(1), 'x')",
        "rustorch.isclose(None, rustorch.ones(1))",
        "F.adaptive_avg_pool2d(rustorch.ones(1, 1, 4, 4), [])",
        "F.adaptive_max_pool1d('x', 2)",
        "F.max_pool2d('x', 2)",
        "rustorch.tensordot(rustorch.ones(3), rustorch.ones(3), [])",
        "rustorch.equal(True, 3)",
        "rustorch.ones(3).record_stream('x')",
        "rustorch.column_stack([rustorch.ones(2), rustorch.ones(3)])",
        "rustorch.addcmul(rustorch.ones(2), rustorch.ones(3), rustorch.ones(4))",
        "rustorch.ones(2).nanmean(5)",
        "rustorch.ones(3).roll(10**40)",
        "rustorch.ones(3).sum(2**63)",
        "rustorch.ones(3).reshape(2**70)",
        "rustorch.zeros([2**70])",
        "rustorch.full((2,), 10**400, dtype=rustorch.float32)",
        "rustorch.randperm(2**64)",
        "F.dropout(rustorch.ones(3), 10**400)",
        "rustorch.ones(3).split([2**64])",
    ],
)
def test_messages_name_the_function(call: str) -> None:
    with pytest.raises((rustorch.RusTorchError, TypeError, ValueError, OverflowError)) as error:
        eval(call, {"rustorch": rustorch, "F": rustorch.nn.functional})
    function = ast.parse(call, mode="eval").body
    assert isinstance(function, ast.Call)
    assert isinstance(function.func, ast.Attribute)
    assert function.func.attr in str(error.value), error.value
    if isinstance(error.value, OverflowError):
        assert "argument '" in str(error.value), error.value
