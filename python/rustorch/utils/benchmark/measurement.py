"""What a timing gives."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any

#: Units of time, the largest first.
UNITS = ((1.0, "s", "seconds"), (1e-3, "ms", "milliseconds"), (1e-6, "us", "microseconds"), (1e-9, "ns", "nanoseconds"))

#: From how much of the median on the range of the middle half is told, and warned of.
_NOTABLE, _ALARMING = 0.025, 0.10


def unit_of(seconds: float) -> tuple[float, str, str]:
    """The unit in which a time is at least 1: its size in seconds, its short name and its name."""
    return next((unit for unit in UNITS if seconds >= unit[0]), UNITS[-1])


def quantile(values: list[float], part: float) -> float:
    """The value below which a part of sorted values lies, between neighbours in proportion."""
    place = part * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


@dataclass
class Measurement:
    """The times of a piece of code.

    `raw_times` has the seconds of each block of `number_per_run` runs; `times` has the seconds of one run, by blocks.

    Args:
        number_per_run: how many runs each time is of.
        raw_times: the seconds of each block.
        stmt: the code.
        setup: what runs before it, once a block.
        label: what is measured. Default: None, the code.
        sub_label: which of several ways of it, a row of a table. Default: None.
        description: under which circumstances, a column of a table. Default: None.
        env: in which environment, where several are compared. Default: None.
        num_threads: how many threads ops used. Default: 1.

    Example:

    >>> from rustorch.utils.benchmark import Measurement
    >>> Measurement(number_per_run=10, raw_times=[1.0, 3.0, 2.0], stmt="f()").median
    0.2
    """

    number_per_run: int
    raw_times: list[float]
    stmt: str
    setup: str = "pass"
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1
    metadata: dict[Any, Any] | None = field(default=None, repr=False)

    @property
    def times(self) -> list[float]:
        """The seconds of one run, by blocks."""
        return [time / self.number_per_run for time in self.raw_times]

    @property
    def median(self) -> float:
        """The median of `times`."""
        return median(self.times)

    @property
    def mean(self) -> float:
        """The mean of `times`."""
        return fmean(self.times)

    @property
    def iqr(self) -> float:
        """How far the middle half of `times` reaches: from the first quartile to the third."""
        times = sorted(self.times)
        return quantile(times, 0.75) - quantile(times, 0.25)

    @property
    def significant_figures(self) -> int:
        """How many figures of the median can be relied on, judged by the spread of the middle half."""
        # The middle half of a normal distribution is 1.35 standard deviations wide.
        error = self.iqr / 1.35 / math.sqrt(len(self.times))
        return 5 if error == 0 else max(1, min(5, math.floor(math.log10(self.median / error))))

    @property
    def has_warnings(self) -> bool:
        """Whether the middle half of the times is more than a tenth of the median wide."""
        return self.iqr > _ALARMING * self.median

    def meets_confidence(self, threshold: float = _ALARMING) -> bool:
        """Whether the middle half of the times is less than a part of the median wide."""
        return self.iqr / self.median < threshold

    @property
    def title(self) -> str:
        """What is measured, in a line."""
        label = self.label or self.stmt
        return f"{label}: {self.sub_label}" if self.sub_label else label

    @property
    def as_row_name(self) -> str:
        """The name of its row in a table."""
        return self.sub_label or self.stmt or "[Unknown]"

    def __repr__(self) -> str:
        scale, short, _ = unit_of(self.median)
        lines = [f"<{type(self).__module__}.Measurement>", self.title]
        lines += [text for text in (self.description, None if self.setup == "pass" else f"setup: {self.setup}") if text]
        count = len(self.times)
        lines.append(f"  {'Median: ' if count > 1 else ''}{self.median / scale:.2f} {short}")
        if count > 1 and self.iqr > _NOTABLE * self.median:
            times = sorted(self.times)
            first, third = (quantile(times, part) / scale for part in (0.25, 0.75))
            lines.append(f"  IQR:    {self.iqr / scale:.2f} {short} ({first:.2f} to {third:.2f})")
        runs = f"{self.number_per_run} run{'s' if self.number_per_run > 1 else ''}"
        threads = f"{self.num_threads} thread{'s' if self.num_threads > 1 else ''}"
        lines.append(f"  {count} measurement{'s' if count > 1 else ''}, {runs} per measurement, {threads}")
        if self.has_warnings:
            lines.append(f"  WARNING: the middle half of the times is {self.iqr / self.median:.0%} of the median wide")
        return "\n".join(lines)

    @staticmethod
    def merge(measurements: Iterable[Measurement]) -> list[Measurement]:
        """One measurement for all of the same code, with the times of all blocks."""
        groups: dict[tuple[Any, ...], list[Measurement]] = {}
        for one in measurements:
            key = (one.number_per_run, one.stmt, one.setup, one.label, one.sub_label, one.description, one.env)
            groups.setdefault((*key, one.num_threads), []).append(one)
        return [
            Measurement(
                first.number_per_run,
                [time for one in group for time in one.raw_times],
                first.stmt,
                first.setup,
                first.label,
                first.sub_label,
                first.description,
                first.env,
                first.num_threads,
                first.metadata,
            )
            for group in groups.values()
            for first in group[:1]
        ]
