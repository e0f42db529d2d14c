"""The recorded graph: its nodes, and what they keep for backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rustorch._C import Node, Tensor, _pop_saved_tensors_hooks, _push_saved_tensors_hooks

__all__ = ["Node", "saved_tensors_hooks"]


class saved_tensors_hooks:
    """Inside, ``pack_hook(tensor)`` is kept instead of each tensor that an op saves for backward.

    ``unpack_hook`` is given what ``pack_hook`` gave when backward needs it, and gives the tensor: equal in content to
    the one that was packed. Of nested contexts the innermost works.
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        _push_saved_tensors_hooks(self.pack_hook, self.unpack_hook)

    def __exit__(self, *exception: object) -> None:
        _pop_saved_tensors_hooks()
