"""The pictures of the demo: how training went, and what the network sees."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from rustorch import Tensor

ROWS, COLUMNS = 6, 12


def training_curve(history: list[dict[str, float]], path: Path) -> None:
    """Loss and test accuracy over the epochs."""
    epochs = range(1, len(history) + 1)
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(epochs, [epoch["loss"] for epoch in history], marker="o", color="tab:red")
    left.set(title="training loss", xlabel="epoch", ylabel="cross-entropy", yscale="log")
    right.plot(epochs, [epoch["test_accuracy"] for epoch in history], marker="o", color="tab:blue")
    right.axhline(0.98, linestyle=":", color="gray")
    right.set(title="test accuracy (held-out third)", xlabel="epoch")
    right.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=150)


def predictions(images: Tensor, labels: Tensor, predicted: Tensor, path: Path) -> None:
    """A grid of test digits with their predictions: the mistakes first, in red, then the others in order."""
    pictures, truth, seen = images.numpy()[:, 0], labels.numpy(), predicted.numpy()
    wrong = np.flatnonzero(truth != seen)
    order = np.concatenate([wrong, np.flatnonzero(truth == seen)])[: ROWS * COLUMNS]
    figure = Figure(figsize=(COLUMNS, ROWS * 1.3), layout="constrained")
    grid = figure.subplots(ROWS, COLUMNS)
    for axes, i in zip(grid.flat, order, strict=True):
        axes.imshow(pictures[i], cmap="gray_r", vmin=0, vmax=1)
        right = truth[i] == seen[i]
        axes.set_title(f"{seen[i]}" if right else f"{seen[i]}, is {truth[i]}", color="black" if right else "red")
        axes.set_axis_off()
    figure.suptitle(f"{len(truth) - len(wrong)} of {len(truth)} right; the {len(wrong)} mistakes come first")
    figure.savefig(path, dpi=110)
