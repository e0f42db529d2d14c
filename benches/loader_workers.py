"""How much faster two workers feed a loop than none, where decoding is the cost; and what a batch of them costs.

python benches/loader_workers.py [--rounds 5]

Decoding an image is inflating its zlib stream, and NumPy's work on it. The first lines give the median time of a pass,
for which both ways of loading take turns; the others what one worker takes for a batch of a TensorDataset that costs
nothing to read. The exit status is 1 if two workers are less than 1.6 times as fast as none: that needs two processors
that nothing else uses, so the load is said, too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
import zlib
from typing import Any

import numpy as np

import rustorch
from rustorch.utils.data import DataLoader, Dataset, TensorDataset

LEAST = 1.6
SHAPE = (96, 96, 3)


class Images(Dataset[Any]):
    """Compressed images, which reading decodes and normalises."""

    def __init__(self, count: int) -> None:
        pixels = np.random.default_rng(0).integers(0, 64, (8, *SHAPE), dtype=np.uint8)
        self.streams = [zlib.compress(image.tobytes(), 6) for image in pixels]
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Any, int]:
        image = np.frombuffer(zlib.decompress(self.streams[index % len(self.streams)]), dtype=np.uint8)
        pixels = image.reshape(SHAPE).astype(np.float32)
        for _ in range(6):
            pixels = np.sqrt(np.square(pixels - pixels.mean()) + 1)
        return np.ascontiguousarray(pixels.transpose(2, 0, 1)), index


def seconds(loader: DataLoader[Any]) -> float:
    start = time.perf_counter()
    for images, _ in loader:
        images.mean().item()
    return time.perf_counter() - start


def decoding(rounds: int) -> float:
    loaders = {
        number: DataLoader(Images(1024), batch_size=32, num_workers=number, persistent_workers=number > 0)
        for number in (0, 2)
    }
    times: dict[int, list[float]] = {number: [] for number in loaders}
    for loader in loaders.values():
        seconds(loader)
    for _ in range(rounds):
        for number, loader in loaders.items():
            times[number].append(seconds(loader))
    medians = {number: statistics.median(found) for number, found in times.items()}
    for number, median in medians.items():
        print(f"{number} workers: {median:.3f} s for {len(loaders[number])} batches")
    return medians[0] / medians[2]


def small_batches(rounds: int) -> None:
    for numbers in (10, 1000, 100_000):
        dataset = TensorDataset(rustorch.zeros(500, numbers))
        loader = DataLoader(dataset, num_workers=1, persistent_workers=True)
        passes = []
        for _ in range(rounds + 1):
            start = time.perf_counter()
            for _ in loader:
                pass
            passes.append((time.perf_counter() - start) / len(loader))
        print(f"a batch of {4 * numbers} bytes by a worker: {statistics.median(passes[1:]) * 1e6:.0f} µs")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    faster = decoding(rounds)
    small_batches(rounds)
    print(f"two workers are {faster:.2f} times as fast as none (at least {LEAST}); load: {os.getloadavg()[0]:.1f}")
    return int(faster < LEAST)


if __name__ == "__main__":
    sys.exit(main())
