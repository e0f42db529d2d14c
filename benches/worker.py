"""Runs named cases on one library, spoken to over stdin and stdout: `worker.py LIBRARY THREADS [DEVICE SIZES]`.

Without a device, the cases are those below, on the processor; with one, those of `device_cases.py`. A line
`<case> <seconds>` is answered by a line with the seconds per call, measured over about that long, or by `-` where the
library does not have the case.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import device_cases

Case = Callable[[], object]


def cases(library: Any) -> dict[str, Callable[[], Case]]:
    """What can be asked for: each entry prepares its operands and returns the call to be timed."""
    functional = library.nn.functional

    def operands(*shapes: tuple[int, ...], requires_grad: bool = False) -> list[Any]:
        return [library.rand(*shape, requires_grad=requires_grad) for shape in shapes]

    def add_one() -> Case:
        a, b = operands((1,), (1,))
        return lambda: a + b

    def add_one_recorded() -> Case:
        a, b = operands((1,), (1,), requires_grad=True)
        return lambda: a + b

    def add_one_backward() -> Case:
        a, b = operands((1,), (1,), requires_grad=True)

        def call() -> None:
            a.grad = b.grad = None
            (a + b).backward()

        return call

    def add() -> Case:
        a, b = operands((1 << 24,), (1 << 24,))
        return lambda: a + b

    def exp() -> Case:
        (a,) = operands((1 << 23,))
        return lambda: a.exp()

    def softmax() -> Case:
        (a,) = operands((8192, 1024))
        return lambda: a.softmax(1)

    def matmul() -> Case:
        a, b = operands((1024, 1024), (1024, 1024))
        return lambda: a @ b

    def convolution() -> Case:
        x, w = operands((8, 64, 56, 56), (64, 64, 3, 3))
        return lambda: functional.conv2d(x, w, padding=1)

    def demo_step() -> Case:
        sys.path.insert(0, str(Path(__file__).parents[1] / "examples/digits"))
        model = importlib.import_module("model").DigitNet()
        optimizer = library.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
        images, labels = library.rand(32, 1, 8, 8), library.randint(0, 10, (32,))

        def call() -> None:
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            loss.item()

        return call

    listed = (add_one, add_one_recorded, add_one_backward, add, exp, softmax, matmul, convolution, demo_step)
    return {case.__name__: case for case in listed}


def timed(call: Case, count: int, wait: Case) -> float:
    """Seconds per call of `count` calls, until all of them are done."""
    wait()
    start = time.perf_counter()
    for _ in range(count):
        call()
    wait()
    return (time.perf_counter() - start) / count


def seconds_per_call(call: Case, seconds: float, wait: Case) -> float:
    """The median of five batches that together take about `seconds`."""
    count = max(1, int(seconds / 5 / min(timed(call, 1, wait) for _ in range(3))))
    return sorted(timed(call, count, wait) for _ in range(5))[2]


def nothing() -> None:
    """Waits for a processor, which is always done."""


def main() -> None:
    name, threads = sys.argv[1], int(sys.argv[2])
    library = importlib.import_module(name)
    # The networks say `from rustorch import nn`; here they are built of the library under test.
    sys.modules["rustorch"] = library
    wait: Case = nothing
    if name == "cupy":
        makers = device_cases.cupy_cases(library, device_cases.SIZES[sys.argv[4]])
        wait = device_cases.synchronize(library, sys.argv[3])
    else:
        library.set_num_threads(threads)
        library.manual_seed(0)
        makers = cases(library)
        if len(sys.argv) > 3:
            makers = device_cases.cases(library, sys.argv[3], device_cases.SIZES[sys.argv[4]])
            wait = device_cases.synchronize(library, sys.argv[3])
    ready: dict[str, Case] = {}
    for line in sys.stdin:
        case, seconds = line.split()
        if case not in makers:
            print("-", flush=True)
            continue
        if case not in ready:
            ready.clear()
            ready[case] = makers[case]()
        print(seconds_per_call(ready[case], float(seconds), wait), flush=True)


if __name__ == "__main__":
    main()
