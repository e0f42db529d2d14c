"""Calls every public function and method with hostile arguments, in child processes with limits.

`python -m tests.soak.hostile_calls --seconds 600 --seed 1` prints its seed and what it finds: whatever is not a
value or an ordinary exception. A finding is a line of source that can be run as it stands.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import values

#: What a child may have of memory; what a call may take of the processors' time before it counts as a hang (the first
#: touch of so much memory takes some of it, in NumPy too); and what of time, for one that waits: long, for other
#: programs may want the processors.
MEMORY, SECONDS, WAIT = 6 << 30, 90, 1200

#: Changes the process for the calls after it, or is meant to write files.
LEFT_OUT = {
    "set_default_dtype",
    "set_default_device",
    "set_num_threads",
    "set_num_interop_threads",
    "set_printoptions",
    "set_flush_denormal",
    "save",
    "load",
    "seed",
    "manual_seed",
    "set_rng_state",
    "use_deterministic_algorithms",
    "empty_cache",
    "from_file",
    "set_device",
    "set_grad_enabled",
    "inference_mode",
    "no_grad",
    "enable_grad",
    "__del__",
    "__init_subclass__",
    "__subclasshook__",
    "__class__",
    "__reduce__",
    "__reduce_ex__",
    "__new__",
    "__getattribute__",
    "__setattr__",
    "__delattr__",
    "__dir__",
    "__init__",
    "__sizeof__",
    "__format__",
}
MODULES = (
    "",
    "nn.functional",
    "linalg",
    "special",
    "signal.windows",
    "nn.init",
    "autograd",
    "utils.dlpack",
    "safetensors",
)


@dataclass(frozen=True)
class Target:
    """A function or method: how it is called, and what its parameters take."""

    label: str
    #: Overloads: pairs of a name and an annotation; of a method without `self`.
    signatures: tuple[tuple[tuple[str, str, bool], ...], ...]
    method: bool
    #: Its name and those of what is documented in the same words: an alias speaks of the op.
    names: frozenset[str] = frozenset()


def annotations() -> dict[str, list[list[tuple[str, str, bool]]]]:
    """The annotations of the compiled module, by name; methods as `Tensor.name`."""
    import rustorch

    tree = ast.parse((Path(rustorch.__file__).parent / "_C.pyi").read_text())
    found: dict[str, list[list[tuple[str, str, bool]]]] = {}

    def meet(node: ast.FunctionDef, prefix: str) -> None:
        arguments = node.args
        plain = [
            (a.arg, ast.unparse(a.annotation) if a.annotation else "", False)
            for a in arguments.posonlyargs + arguments.args
        ]
        if arguments.vararg is not None:
            plain.append((arguments.vararg.arg, "Sequence[int]", False))
        named = [(a.arg, ast.unparse(a.annotation) if a.annotation else "", True) for a in arguments.kwonlyargs]
        found.setdefault(prefix + node.name, []).append([p for p in plain + named if p[0] not in ("self", "cls")])

    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            meet(node, "")
        elif isinstance(node, ast.ClassDef) and node.name == "Tensor":
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    meet(inner, "Tensor.")
    return found


def targets() -> list[Target]:
    """Every public function of the modules and every method of Tensor."""
    import rustorch

    stub = annotations()
    found: dict[str, Target] = {}
    for module in MODULES:
        home: Any = rustorch
        for part in filter(None, module.split(".")):
            home = getattr(home, part, None)
        for name in sorted(vars(home)) if home is not None else ():
            value = getattr(home, name)
            if name.startswith("_") or name in LEFT_OUT or isinstance(value, type) or not callable(value):
                continue
            label = "rt." + (module + "." if module else "") + name
            found[label] = Target(
                label, _signatures(value, stub, f"{module.replace('.', '_')}_{name}" if module else name, name), False
            )
    for name in sorted(set(dir(rustorch.Tensor)) - LEFT_OUT):
        value = getattr(rustorch.Tensor, name)
        if callable(value) and not isinstance(value, type):
            found["Tensor." + name] = Target(
                "Tensor." + name, _signatures(value, stub, "Tensor." + name, name, method=True), True
            )
    by_document: dict[str, set[str]] = {}
    for label in found:
        by_document.setdefault(_document(label), set()).add(label.rsplit(".", 1)[-1])
    return [replace(t, names=frozenset(by_document[_document(label)])) for label, t in found.items()]


def _document(label: str) -> str:
    import rustorch as rt

    text = eval(label, {"rt": rt, "Tensor": rt.Tensor}).__doc__ or label
    # That of an in-place form begins otherwise.
    return str(text).removeprefix("In-place form of ").split(": ", 1)[-1] if text.startswith("In-place") else str(text)


def _signatures(
    value: Any, stub: dict[str, Any], *names: str, method: bool = False
) -> tuple[tuple[tuple[str, str, bool], ...], ...]:
    for name in names:
        if name in stub:
            return tuple(tuple(overload) for overload in stub[name])
    try:
        parameters = list(inspect.signature(value).parameters.values())[1 if method else 0 :]
    except (TypeError, ValueError):
        return ()
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return (
        tuple(
            (p.name, "" if p.annotation is p.empty else str(p.annotation), p.kind is p.KEYWORD_ONLY)
            for p in parameters
            if p.kind not in kinds
        ),
    )


def call(rng: random.Random, target: Target) -> str:
    """The source of a call."""
    shape = rng.choice(values.SHAPES) if rng.random() < 0.6 else None
    dtype = (rng.choice(values.DTYPES) if rng.random() < 0.5 else "rt.float32") if rng.random() < 0.6 else None
    parts = []
    if target.signatures and rng.random() < 0.85:
        for name, annotation, by_name in rng.choice(target.signatures):
            if name == "out" and rng.random() < 0.9:
                continue
            if by_name and rng.random() < 0.5:
                continue
            value = values.of_type(rng, annotation, shape, dtype)
            parts.append(f"{name}={value}" if by_name else value)
        # The last ones may be left out, or be too many.
        if rng.random() < 0.3:
            parts = parts[: rng.randrange(len(parts) + 1)]
    else:
        parts = [values.anything(rng) for _ in range(rng.randrange(4))]
    receiver = f"({values.tensor(rng, shape, dtype)})." if target.method else ""
    return f"{receiver}{target.label.removeprefix('Tensor.')}({', '.join(_ordered(parts))})"


def _ordered(parts: list[str]) -> list[str]:
    named = [p for p in parts if p.split("=")[0].isidentifier()]
    return [p for p in parts if p not in named] + list(dict.fromkeys(named))


def calls(seed: int, start: int = 0) -> Iterator[tuple[int, Target, str]]:
    """The calls of a seed; the i-th depends on `(seed, i)` alone."""
    everything = targets()
    index = start
    while True:
        rng = random.Random(f"{seed}/{index}")
        target = rng.choice(everything)
        yield index, target, call(rng, target)
        index += 1


def _child(seed: int, start: int, count: int, log: str, memory: int, large: bool = True) -> None:
    import warnings

    import numpy as np

    import rustorch as rt

    if not large:
        values.leave_out_large()
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    names = {"rt": rt, "np": np, "nan": float("nan"), "inf": float("inf")}
    with open(log, "w") as file, open(os.devnull, "w") as nowhere:
        sys.stdout = nowhere
        for index, target, source in calls(seed, start):
            if index >= start + count:
                break
            print(json.dumps({"at": index, "call": source}), file=file, flush=True)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            signal.alarm(WAIT)
            try:
                eval(source, dict(names))
            except Exception as error:
                _judge(file, target, source, error)
            except BaseException as error:
                print(
                    json.dumps({"finding": f"{type(error).__name__}: {error}"[:300], "call": source}),
                    file=file,
                    flush=True,
                )
            signal.alarm(0)
            signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps({"done": index}), file=file, flush=True)


def _judge(file: Any, target: Target, source: str, error: Exception) -> None:
    text = str(error)
    if "internal error" in text or "panicked" in text or isinstance(error, SystemError):
        print(json.dumps({"finding": f"{type(error).__name__}: {text}"[:300], "call": source}), file=file, flush=True)
    elif not (names_function(target, text) or isinstance(error, UnicodeError) or _read_by_pyo3(error)):
        print(
            json.dumps({"unnamed": f"{type(error).__name__}: {text}"[:200], "call": f"{target.label}: {source}"}),
            file=file,
            flush=True,
        )


def _read_by_pyo3(error: Exception) -> bool:
    """Whether an argument was not of its type, in a function that is no op: a note names it."""
    return any(note.startswith("while processing") for note in getattr(error, "__notes__", ()))


def names_function(target: Target, text: str) -> bool:
    """Whether a message says which function was called. Operators are the interpreter's, and speak of their ops."""
    own = target.label.rsplit(".", 1)[-1]
    return own.startswith("__") or any(name.strip("_").lower() in text.lower() for name in target.names | {own})


@dataclass
class Report:
    """What a run met."""

    calls: int
    findings: list[str]
    unnamed: list[str]


def run(
    seed: int,
    count: int,
    start: int = 0,
    memory: int = MEMORY,
    seconds: float = float("inf"),
    large: bool = True,
) -> Report:
    """Runs `count` calls of a seed in children; a child that dies is followed by another."""
    report, stop, until = Report(0, [], []), start + count, time.monotonic() + seconds
    while start < stop and time.monotonic() < until:
        with tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, "log")
            arguments = f"{seed}, {start}, {min(stop - start, 2000)}, {log!r}, {memory}, {large}"
            source = f"from tests.soak.hostile_calls import _child; _child({arguments})"
            process = subprocess.run(
                [sys.executable, "-c", source], cwd=Path(__file__).parents[2], capture_output=True, text=True
            )
            lines = [json.loads(line) for line in Path(log).read_text().splitlines()] if os.path.exists(log) else []
        last = None
        for line in lines:
            if "at" in line:
                last = line
                report.calls += 1
            elif "finding" in line:
                report.findings.append(f"{line['call']}\n    {line['finding']}")
            elif "unnamed" in line:
                report.unnamed.append(f"{line['call']}\n    {line['unnamed']}")
        if last is None:
            raise RuntimeError(f"the child did not start: {process.stderr[-500:]}")
        if process.returncode != 0:
            what = f"exit {process.returncode}" if process.returncode > 0 else signal.Signals(-process.returncode).name
            report.findings.append(f"{last['call']}\n    {what} {process.stderr.strip()[-300:]}")
        start = last["at"] + 1
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description="Calls everything with hostile arguments.")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--calls", type=int, default=10**12)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--unnamed", action="store_true", help="also show messages that do not name the function")
    given = parser.parse_args()
    print(f"hostile calls, seed {given.seed}", flush=True)
    report = run(given.seed, given.calls, given.start, seconds=given.seconds)
    for finding in report.findings + (report.unnamed if given.unnamed else []):
        print(finding)
    figures = f"{report.calls} calls, {len(report.findings)} findings, {len(report.unnamed)} messages without a name"
    print(f"seed {given.seed}: {figures}")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
