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


def _alias(options: argparse.Namespace) -> int:
    from rustorch._alias.install import AliasError, install, remove, site_packages

    try:
        said = (install if options.install else remove)(site_packages())
    except AliasError as error:
        sys.stderr.write(f"rustorch alias: {error}\n")
        return 1
    sys.stdout.write(said + "\n")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; gives its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] == "run":
        # What follows is the program's.
        from rustorch._alias.run import run

        return run(arguments[1:])
    parser = argparse.ArgumentParser(prog="rustorch", description="Deep learning with PyTorch's names, on a Rust core.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("info", help="show every device, what it can do, and which one is chosen and why")
    commands.add_parser(
        "run", help="run a program in which `import torch` gives RusTorch: script.py arguments, or -m module arguments"
    )
    alias = commands.add_parser("alias", help="install a distribution named torch, whose package torch is RusTorch")
    way = alias.add_mutually_exclusive_group(required=True)
    way.add_argument("--install", action="store_true", help="put it into this environment")
    way.add_argument("--remove", action="store_true", help="take it out of this environment")
    options = parser.parse_args(arguments)
    if options.command == "alias":
        return _alias(options)
    sys.stdout.write(info() + "\n")
    return 0
