"""`rustorch alias`: a distribution named torch in an environment, whose package torch is RusTorch."""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.util
import io
import shutil
import sysconfig
from importlib import metadata
from pathlib import Path

from rustorch._alias import DIST_INFO, SITE

#: What the file INSTALLER says, by which the distribution is known as RusTorch's.
INSTALLER = "rustorch"

_WHEEL = "Wheel-Version: 1.0\nGenerator: rustorch\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


class AliasError(Exception):
    """Why the alias can be neither installed nor removed."""


def _files() -> dict[str, bytes]:
    """What is installed, by path, but for RECORD."""
    return {
        "torch/__init__.py": (SITE / "torch/__init__.py").read_bytes(),
        f"{DIST_INFO}/METADATA": (SITE / DIST_INFO / "METADATA").read_bytes(),
        f"{DIST_INFO}/WHEEL": _WHEEL.encode(),
        f"{DIST_INFO}/INSTALLER": f"{INSTALLER}\n".encode(),
        f"{DIST_INFO}/top_level.txt": b"torch\n",
    }


def _record(files: dict[str, bytes]) -> bytes:
    """The text of RECORD: each file, its digest and its size."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.writerow([path, f"sha256={digest}", len(content)])
    rows.writerow([f"{DIST_INFO}/RECORD", "", ""])
    return text.getvalue().encode()


def _installed(site_packages: Path) -> metadata.Distribution | None:
    """The distribution torch of a folder of packages."""
    context = metadata.DistributionFinder.Context(name="torch", path=[str(site_packages)])
    return next(iter(metadata.MetadataPathFinder.find_distributions(context)), None)


def _is_alias(distribution: metadata.Distribution) -> bool:
    return (distribution.read_text("INSTALLER") or "").strip() == INSTALLER


def site_packages() -> Path:
    """Where this environment has its packages."""
    return Path(sysconfig.get_path("purelib"))


def install(target: Path) -> str:
    """Puts the distribution into a folder of packages; gives a sentence about it."""
    there = _installed(target)
    if there is not None and not _is_alias(there):
        raise AliasError(
            f"torch {there.version} is installed in {target}: an environment has either PyTorch or the alias; "
            "uninstall torch, or use another environment"
        )
    if there is None:
        found = importlib.util.find_spec("torch")
        if found is not None:
            raise AliasError(f"there is a package torch already, at {found.origin}; the alias would hide it")
    files = _files()
    files[f"{DIST_INFO}/RECORD"] = _record(files)
    for path, content in files.items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return f"import torch gives RusTorch in {target}; rustorch alias --remove, or pip uninstall torch, takes it away"


def remove(target: Path) -> str:
    """Takes the distribution out of a folder of packages; gives a sentence about it."""
    there = _installed(target)
    if there is None:
        raise AliasError(f"there is no alias to remove in {target}")
    if not _is_alias(there):
        raise AliasError(f"torch {there.version} in {target} is not the alias; it stays")
    for file in there.files or ():
        Path(str(there.locate_file(file))).unlink(missing_ok=True)
    shutil.rmtree(target / "torch/__pycache__", ignore_errors=True)
    for folder in ("torch", DIST_INFO):
        if (target / folder).is_dir() and not any((target / folder).iterdir()):
            (target / folder).rmdir()
    return f"import torch no longer gives RusTorch in {target}"
