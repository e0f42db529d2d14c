"""Times RusTorch beside PyTorch and holds it to its limits.

python benches/compare.py --torch-python PYTHON [--wheel dist] [--rounds 15] [--case PATTERN] [--json FILE]
python benches/compare.py --torch-python PYTHON --device cuda [--sizes gpu] [--rounds 15] [--markdown FILE]

Each library runs in a process of its own, with two threads. In every round each process runs the case for a while, in
turn; a round gives RusTorch's time as a fraction of PyTorch's, and the median over the rounds counts. PyTorch runs
twice: as it comes, where each large result is fresh memory from the kernel, and with glibc told to keep freed memory.
The exit status is 1 if a limit is broken.

With a device, the cases are those of device_cases.py, beside PyTorch and CuPy there, where they are; the result is a
table.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from device_cases import SIZES, TEXTS

WORKER = Path(__file__).with_name("worker.py")
KEEP_MEMORY = "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=4294967296"
THREADS = 2
IMPORT_LIMIT = 0.060  # seconds over a bare interpreter
WHEEL_LIMIT = 15_000_000  # bytes


@dataclass(frozen=True)
class Limit:
    """The most that RusTorch's time may be, as a fraction of PyTorch's: as it comes, and with memory kept."""

    text: str
    plain: float
    tuned: float | None = None


LIMITS = {
    "add_one": Limit("a + b, 1 element", 0.35),
    "add_one_recorded": Limit("a + b, 1 element, recorded for backward", 0.35),
    "add_one_backward": Limit("a + b, 1 element, and backward", 0.35),
    "add": Limit("a + b, 16 M float32", 0.4, 1.0),
    "exp": Limit("exp, 8 M float32", 0.4, 1.0),
    "softmax": Limit("softmax, 8192 x 1024", 0.4, 1.0),
    "matmul": Limit("matmul, 1024 x 1024", 1.1),
    "convolution": Limit("conv2d, 64 channels, 56 x 56, 3 x 3, batch 8", 1.1),
    "demo_step": Limit("the demo's training step, batch 32", 0.8),
}


class Worker:
    """A process that runs cases on one library."""

    def __init__(self, python: str, library: str, *device: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [python, str(WORKER), library, str(THREADS), *device],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": str(THREADS)} | environment,
        )

    def time(self, case: str, seconds: float) -> float:
        """Seconds per call."""
        print(case, seconds, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"the worker failed at {case}; its message is above")
        return float("nan") if answer.strip() == "-" else float(answer)

    def close(self) -> None:
        """Ends the process."""
        self.process.stdin.close()
        self.process.wait()


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the per-round ratios."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def spread(ours: list[float], theirs: list[float]) -> list[float]:
    """The quartiles of the per-round ratios."""
    return statistics.quantiles([a / b for a, b in zip(ours, theirs, strict=True)], n=4)


def duration(seconds: float) -> str:
    """With a unit that keeps it readable."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.0f} ns"


def run_cases(names: list[str], torch_python: str, rounds: int, seconds: float) -> tuple[dict[str, dict], bool]:
    """Times every case, prints a row for each, and says whether all limits held."""
    workers = {
        "rustorch": Worker(sys.executable, "rustorch"),
        "plain": Worker(torch_python, "torch"),
        "tuned": Worker(torch_python, "torch", GLIBC_TUNABLES=KEEP_MEMORY),
    }
    print(
        f"{'':46}{'RusTorch':>10}{'PyTorch':>10}{'ratio':>7}{'limit':>7}   {'kept memory':>11}{'ratio':>7}{'limit':>7}"
    )
    results, held = {}, True
    for name in names:
        times: dict[str, list[float]] = {key: [] for key in workers}
        for i in range(rounds + 1):
            # Turns change from round to round, so that none always follows the same neighbour.
            order = list(workers) if i % 2 else list(reversed(workers))
            for key in order:
                taken = workers[key].time(name, seconds)
                if i:  # the first round warms up
                    times[key].append(taken)
                time.sleep(0.01)
        limit = LIMITS[name]
        plain, tuned = (ratio(times["rustorch"], times[key]) for key in ("plain", "tuned"))
        broken = plain > limit.plain or (limit.tuned is not None and tuned > limit.tuned)
        held &= not broken
        middle = {key: statistics.median(values) for key, values in times.items()}
        print(
            f"{limit.text:46}{duration(middle['rustorch']):>10}{duration(middle['plain']):>10}{plain:>7.2f}"
            f"{limit.plain:>7}   {duration(middle['tuned']):>11}{tuned:>7.2f}{limit.tuned or '':>7}"
            f"{'   BROKEN' if broken else ''}",
            flush=True,
        )
        results[name] = {
            "seconds": middle,
            "ratio": plain,
            "ratio_kept_memory": tuned,
            "quartiles": spread(times["rustorch"], times["plain"]),
            "quartiles_kept_memory": spread(times["rustorch"], times["tuned"]),
        }
    for worker in workers.values():
        worker.close()
    return results, held


def device_table(names: list[str], torch_python: str, device: str, sizes: str, rounds: int, seconds: float) -> str:
    """Times every case on a device, beside PyTorch on its device of that kind (else its CPU) and CuPy; a table."""
    theirs = {"cuda": device, "metal": "mps"}.get(device.partition(":")[0], "cpu")
    workers = {"RusTorch": Worker(sys.executable, "rustorch", device, sizes)}
    workers["PyTorch"] = Worker(torch_python, "torch", theirs, sizes)
    has_cupy = subprocess.run([torch_python, "-c", "import cupy"], capture_output=True, check=False).returncode == 0
    if theirs == device and has_cupy:
        workers["CuPy"] = Worker(torch_python, "cupy", device, sizes)
    others = [key for key in workers if key != "RusTorch"]
    note = "" if theirs == device else f" (PyTorch: {theirs})"
    rows = [f"| on {device}{note}, sizes {sizes} | RusTorch |" + "".join(f" {key} | ratio |" for key in others)]
    rows.append("|---|---:|" + "---:|---:|" * len(others))
    print(*rows, sep="\n", flush=True)
    for name in names:
        times: dict[str, list[float]] = {key: [] for key in workers}
        for i in range(rounds + 1):
            for key in list(workers) if i % 2 else list(reversed(workers)):
                taken = workers[key].time(name, seconds)
                if i:  # the first round warms up
                    times[key].append(taken)
        middle = {key: statistics.median(values) for key, values in times.items()}
        row = f"| {TEXTS[name]} | {duration(middle['RusTorch'])} |"
        for key in others:
            has = middle[key] == middle[key]
            row += f" {duration(middle[key])} | {ratio(times['RusTorch'], times[key]):.2f} |" if has else " | |"
        rows.append(row)
        print(row, flush=True)
    for worker in workers.values():
        worker.close()
    return "\n".join(rows) + "\n"


def import_seconds(python: str, library: str, rounds: int) -> float:
    """What `import library` costs over a bare interpreter: the median difference of neighbouring runs."""

    def run(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([python, "-c", code], check=True)
        return time.perf_counter() - start

    run(f"import {library}")
    return statistics.median(run(f"import {library}") - run("pass") for _ in range(rounds))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch-python", required=True, help="an interpreter that has PyTorch")
    parser.add_argument("--wheel", type=Path, help="the wheel, or the folder that holds it")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.1, help="how long each process runs a case in a round")
    parser.add_argument("--case", default="*", help="only the cases that match")
    parser.add_argument("--json", type=Path, help="write the results here too")
    parser.add_argument("--device", help="time on this device instead: cuda, opencl, metal or cpu")
    parser.add_argument("--sizes", choices=SIZES, default="gpu", help="with a device: how large the operands are")
    parser.add_argument("--markdown", type=Path, help="with a device: write the table here too")
    args = parser.parse_args()

    if args.device:
        names = [name for name in TEXTS if fnmatch.fnmatch(name, args.case)]
        table = device_table(names, args.torch_python, args.device, args.sizes, args.rounds, args.seconds)
        if args.markdown:
            args.markdown.write_text(table)
        return 0
    names = [name for name in LIMITS if fnmatch.fnmatch(name, args.case)]
    results, held = run_cases(names, args.torch_python, args.rounds, args.seconds)
    if args.case == "*":
        ours, theirs = (
            import_seconds(p, n, 11) for p, n in ((sys.executable, "rustorch"), (args.torch_python, "torch"))
        )
        broken = ours > IMPORT_LIMIT
        held &= not broken
        print(
            f"{'import, over a bare interpreter':46}{duration(ours):>10}{duration(theirs):>10}{ours / theirs:>7.2f}"
            f"{duration(IMPORT_LIMIT):>7}{'   BROKEN' if broken else ''}"
        )
        results["import"] = {"seconds": {"rustorch": ours, "plain": theirs}}
    if args.wheel:
        wheel = next(args.wheel.glob("*.whl")) if args.wheel.is_dir() else args.wheel
        size = wheel.stat().st_size
        held &= size <= WHEEL_LIMIT
        print(
            f"{'wheel':46}{size / 1e6:>7.2f} MB, limit {WHEEL_LIMIT / 1e6:.0f} MB{'   BROKEN' * (size > WHEEL_LIMIT)}"
        )
        results["wheel_bytes"] = size
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
