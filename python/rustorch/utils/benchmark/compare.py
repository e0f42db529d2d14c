"""Tables of timings."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from rustorch.utils.benchmark.measurement import Measurement, unit_of

_BEST, _GOOD, _BAD, _END = "\033[92m\033[1m", "\033[34m", "\033[91m", "\033[0m"


class Compare:
    """A table of timings for each label: a row per sub-label and environment, a column per description.

    Args:
        results: the measurements. Those of the same code are merged.

    Example:

    >>> from rustorch.utils.benchmark import Compare, Measurement
    >>> a = Measurement(1, [2e-6], "f", label="f", sub_label="a", description="now")
    >>> b = Measurement(1, [3e-6], "f", label="f", sub_label="b", description="now")
    >>> print(Compare([a, b]))
    [------ f -------]
             |  now
    1 threads: -------
          a  |  2.0
          b  |  3.0
    <BLANKLINE>
    Times are in microseconds (us).
    """

    def __init__(self, results: Iterable[Measurement]) -> None:
        self._results: list[Measurement] = []
        self.extend_results(results)
        self._trims = self._colours = self._warns = False

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """Adds measurements."""
        for result in results:
            if not isinstance(result, Measurement):
                raise ValueError(f"Compare: expected a Measurement, but got {type(result).__name__}")
            self._results.append(result)

    def trim_significant_figures(self) -> None:
        """Writes as many figures as can be relied on."""
        self._trims = True

    def colorize(self, rowwise: bool = False) -> None:
        """Writes the best time of each column, or row, in green, and those that take twice as long in red."""
        self._colours, self._by_row = True, rowwise

    def highlight_warnings(self) -> None:
        """Marks times that spread more than a tenth of their median with (!)."""
        self._warns = True

    def print(self) -> None:
        """Prints the table."""
        sys.stdout.write(str(self) + "\n")

    def __str__(self) -> str:
        merged = Measurement.merge(self._results)
        labels = dict.fromkeys(result.label or result.stmt for result in merged)
        tables = (self._table(label, [r for r in merged if (r.label or r.stmt) == label]) for label in labels)
        return "\n\n".join(tables)

    def _table(self, label: str, results: list[Measurement]) -> str:
        scale, short, unit = unit_of(min(result.median for result in results))
        columns = list(dict.fromkeys(result.description or "" for result in results))
        threads = sorted({result.num_threads for result in results})
        rows: list[tuple[str, list[Measurement | None]] | str] = []
        for count in threads:
            rows.append(f"{count} threads: ")
            mine = [result for result in results if result.num_threads == count]
            for name in dict.fromkeys((f"({r.env}) " if r.env else "") + r.as_row_name for r in mine):
                of_row = [r for r in mine if (f"({r.env}) " if r.env else "") + r.as_row_name == name]
                found = {result.description or "": result for result in of_row}
                rows.append((f"      {name}", [found.get(column) for column in columns]))
        texts = [[self._text(cell, scale) for cell in row[1]] for row in rows if not isinstance(row, str)]
        widths = [max(len(column), *(len(text[i]) for text in texts)) for i, column in enumerate(columns)]
        first = max(len(row[0]) for row in rows if not isinstance(row, str))
        head = " " * first + "  |  " + "  |  ".join(c.ljust(w) for c, w in zip(columns, widths, strict=True))
        lines = [f"[{f' {label} '.center(len(head) + 1, '-')}]", head.rstrip()]
        remaining = iter(texts)
        for row in rows:
            if isinstance(row, str):
                lines.append(row + "-" * max(0, len(head) + 3 - len(row)))
            else:
                written = (t.ljust(w) for t, w in zip(next(remaining), widths, strict=True))
                coloured = self._coloured(list(written), row[1], results)
                lines.append((row[0].ljust(first) + "  |  " + "  |  ".join(coloured)).rstrip())
        notes = ["", f"Times are in {unit} ({short})."]
        if self._warns and any(result.has_warnings for result in results):
            notes.append("(!) The middle half of the times is more than a tenth of the median wide.")
        return "\n".join(lines + notes)

    def _text(self, result: Measurement | None, scale: float) -> str:
        if result is None:
            return ""
        value = result.median / scale
        text = f"{value:.{result.significant_figures}g}" if self._trims else f"{value:.1f}"
        if "e" in text:
            text = f"{float(text):.0f}"
        return text + (" (!)" if self._warns and result.has_warnings else "")

    def _coloured(self, texts: list[str], row: list[Measurement | None], results: list[Measurement]) -> list[str]:
        if not self._colours:
            return texts
        out = []
        for text, result in zip(texts, row, strict=True):
            if result is not None:
                others = row if self._by_row else [r for r in results if r.description == result.description]
                best = min(other.median for other in others if other is not None)
                ratio = result.median / best
                colour = _BEST if ratio == 1 else _BAD if ratio >= 2 else _GOOD if ratio < 1.1 else ""
                text = f"{colour}{text}{_END}" if colour else text
            out.append(text)
        return out
