"""The version of PyTorch whose behaviour is followed, and texts that compare like versions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

__all__ = ["TorchVersion"]

#: What `torch.__version__` is where RusTorch answers for torch.
FOLLOWED = "2.13.0"

_FORM = re.compile(
    r"\s*v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>alpha|beta|preview|pre|a|b|c|rc)[-_.]?(?P<pre_number>\d*))?"
    r"(?:-(?P<post_number>\d+)|[-_.]?(?P<post>post|rev|r)[-_.]?(?P<named_post_number>\d*))?"
    r"(?:[-_.]?(?P<dev>dev)[-_.]?(?P<dev_number>\d*))?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*",
    re.IGNORECASE,
)
_PHASES = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}
_BEFORE, _AFTER = -1, 3


def _key(version: str) -> tuple[Any, ...] | None:
    """What versions are ordered by, as PEP 440 says; None of a text that is none."""
    match = _FORM.fullmatch(version)
    if match is None:
        return None
    release = [int(part) for part in match["release"].split(".")]
    while release and release[-1] == 0:
        release.pop()
    has_post = match["post"] is not None or match["post_number"] is not None
    post = int(match["post_number"] or match["named_post_number"] or 0) if has_post else -1
    if match["pre"]:
        phase = (_PHASES[match["pre"].lower()], int(match["pre_number"] or 0))
    else:
        # A development release of a version comes before its pre-releases.
        phase = (_BEFORE if match["dev"] and not has_post else _AFTER, 0)
    dev: float = int(match["dev_number"] or 0) if match["dev"] else float("inf")
    parts = re.split(r"[-_.]", match["local"].lower()) if match["local"] else []
    local = tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)
    return int(match["epoch"] or 0), tuple(release), phase, post, dev, local


class TorchVersion(str):
    """A version that is a text, and compares as a version with texts, with tuples of numbers and with versions.

    >>> from rustorch.torch_version import TorchVersion
    >>> TorchVersion("2.13.0") > "2.9"
    True
    >>> TorchVersion("2.13.0") >= (2, 0)
    True
    """

    def _keys(self, other: object) -> tuple[Any, Any]:
        """What to compare: keys, or the texts where one is no version."""
        if not isinstance(other, str) and isinstance(other, Iterable):
            other = ".".join(map(str, other))
        own, others = _key(str(self)), _key(str(other))
        return (str(self), str(other)) if own is None or others is None else (own, others)

    def __lt__(self, other: object) -> bool:
        own, others = self._keys(other)
        return bool(own < others)

    def __le__(self, other: object) -> bool:
        own, others = self._keys(other)
        return bool(own <= others)

    def __gt__(self, other: object) -> bool:
        own, others = self._keys(other)
        return bool(own > others)

    def __ge__(self, other: object) -> bool:
        own, others = self._keys(other)
        return bool(own >= others)

    def __eq__(self, other: object) -> bool:
        own, others = self._keys(other)
        return bool(own == others)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__
