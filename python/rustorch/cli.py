"""The command ``rustorch``, also ``python -m rustorch``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rustorch import _C
from rustorch._devices import KINDS, DeviceProperties, choice, devices


def _described(entry: DeviceProperties) -> str:
    count, unit = entry.multi_processor_count, "thread" if entry.type == "cpu" else "compute unit"
    parts = [f"{count} {unit}{'' if count == 1 else 's'}"]
    if entry.architecture:
        parts.append(entry.architecture)
    if entry.total_memory is not None:
        parts.append(f"{entry.total_memory / 2**30:.1f} GiB")
    if entry.driver:
        parts.append(f"driver {entry.driver}")
    if entry.is_host and entry.type != "cpu":
        parts.append("runs on this processor")
    parts.append(f"without {', '.join(entry.lacks)}" if entry.lacks else "every dtype")
    return f"  {entry.device!s:<10} {entry.name}\n             {', '.join(parts)}"


def info() -> str:
    """Every device, what it can do, and which one is chosen and why."""
    there = devices()
    lines = [f"RusTorch {_C.__version__}", "devices:", *map(_described, there)]
    found = {entry.type for entry in there}
    missing = [(kind, _C._why_unavailable(kind)) for kind in KINDS if kind not in found]
    if missing:
        lines += ["not available:", *(f"  {kind:<10} {reason}" for kind, reason in missing)]
    chosen, reason = choice()
    lines.append(f"chosen: {chosen} ({reason})")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; gives its exit status."""
    parser = argparse.ArgumentParser(prog="rustorch", description="Deep learning with PyTorch's names, on a Rust core.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("info", help="show every device, what it can do, and which one is chosen and why")
    parser.parse_args(arguments)
    sys.stdout.write(info() + "\n")
    return 0
