"""Which of PyTorch's public names are not there: `python -m tests.pytorch_names` writes them into the guide.

pytorch_names.txt lists the public names of PyTorch 2.13 without `torch.`; tests/test_pytorch_names.py holds the guide's
list against what there is.
"""

from __future__ import annotations

import importlib
import sys
import textwrap
from pathlib import Path

NAMES = Path(__file__).with_name("pytorch_names.txt").read_text(encoding="utf-8").split()
GUIDE = Path(__file__).parents[1] / "docs/coming_from_pytorch.md"
BEGIN, END = "<!-- The missing names: python -m tests.pytorch_names -->\n", "<!-- End of the missing names. -->\n"


def is_there(path: str) -> bool:
    """Whether `rustorch.path` can be reached, importing modules on the way."""
    here, parts = importlib.import_module("rustorch"), path.split(".")
    for place, part in enumerate(parts):
        if hasattr(here, part):
            here = getattr(here, part)
            continue
        try:
            here = importlib.import_module(".".join(["rustorch", *parts[: place + 1]]))
        except ImportError:
            return False
    return True


def missing() -> list[str]:
    """The names that are not there, in the order of the list."""
    return [name for name in NAMES if not is_there(name)]


def section() -> str:
    """The guide's list of what is missing, by module."""
    lacking = missing()
    groups: dict[str, list[str]] = {}
    for name in lacking:
        module, _, last = name.rpartition(".")
        groups.setdefault(module, []).append(last)
    sizes = {module: sum(name.rpartition(".")[0] == module for name in NAMES) for module in groups}
    lines = [f"{len(NAMES) - len(lacking)} of {len(NAMES)} public names are there.\n"]
    for module, names in groups.items():
        title = f"`torch.{module}`" if module else "`torch`"
        whole = len(names) == sizes[module] and len(names) > 1
        text = f"- {title}{', all' if whole else ''}: {', '.join(f'`{name}`' for name in names)}"
        lines += textwrap.wrap(text, 120, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines) + "\n"


def written() -> tuple[str, str, str]:
    """The guide before its list, the list, and what comes after."""
    before, begin, rest = GUIDE.read_text(encoding="utf-8").partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{GUIDE} has no place for the list: {BEGIN.strip()} … {END.strip()}")
    return before + begin, inside, end + after


def main() -> None:
    before, _, after = written()
    GUIDE.write_text(before + section() + after, encoding="utf-8")
    sys.stdout.write(f"{len(missing())} of {len(NAMES)} names are missing; {GUIDE.name} lists them\n")


if __name__ == "__main__":
    main()
