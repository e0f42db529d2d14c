"""Model files in the safetensors format: named tensors, and nothing that could run.

https://github.com/huggingface/safetensors
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from rustorch import _C
from rustorch._C import Tensor

# The end of the name of a file that tells in which others tensors are.
_INDEX = ".safetensors.index.json"

__all__ = ["load", "load_file", "safe_open", "save", "save_file"]


def save_file(
    tensors: Mapping[str, Tensor], filename: str | os.PathLike[str], metadata: Mapping[str, str] | None = None
) -> None:
    """Writes named tensors to a file, and `metadata` about it; the file appears only when it is complete."""
    _C._safetensors_save_file(_checked("save_file", tensors), os.fspath(filename), _texts("save_file", metadata))


def save(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a file with named tensors."""
    return _C._safetensors_save(_checked("save", tensors), _texts("save", metadata))


def load_file(filename: str | os.PathLike[str], device: str | _C.device = "cpu") -> dict[str, Tensor]:
    """The tensors of a file by name, or of the files that an index (`….safetensors.index.json`) names, beside it.

    ModelFormatError says what is wrong with a file that is not what it should be.
    """
    path = os.fspath(filename)
    if path.endswith(_INDEX):
        return _load_sharded(path, device)
    return _C._safetensors_load_file(path, device)[0]


def _load_sharded(path: str, device: str | _C.device) -> dict[str, Tensor]:
    try:
        with open(path, encoding="utf-8") as file:
            shards = json.load(file)["weight_map"]
    except OSError as error:
        raise _C.FileError(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _C.ModelFormatError(f"{path}: it is no index of safetensors files: {error!r}") from error
    if not isinstance(shards, dict) or not all(isinstance(shard, str) for shard in shards.values()):
        raise _C.ModelFormatError(f"{path}: its weight_map is no dict of names of files")
    tensors: dict[str, Tensor] = {}
    for shard in sorted(set(shards.values())):
        if shard in ("", ".", "..") or any(separator in shard for separator in "/\\:\0"):
            raise _C.ModelFormatError(f"{path}: it names the file '{shard}', which may be outside of its folder")
        there = _C._safetensors_load_file(os.path.join(os.path.dirname(path), shard), device)[0]
        for name in (name for name, place in shards.items() if place == shard):
            if name not in there:
                raise _C.ModelFormatError(f"{path}: the tensor '{name}' is not in '{shard}'")
            tensors[name] = there[name]
    return {name: tensors[name] for name in shards}


def load(data: bytes) -> dict[str, Tensor]:
    """The tensors in the bytes of a file."""
    return _C._safetensors_load(data, "cpu")[0]


class safe_open:
    """A file as the safetensors package opens it: `with safe_open(path) as file: file.get_tensor(name)`."""

    def __init__(
        self, filename: str | os.PathLike[str], framework: str = "pt", device: str | _C.device = "cpu"
    ) -> None:
        if framework not in ("pt", "torch", "pytorch", "rustorch"):
            raise ValueError(f"safe_open: framework must be 'pt' or 'rustorch', got '{framework}'")
        self._tensors, self._metadata = _C._safetensors_load_file(os.fspath(filename), device)

    def __enter__(self) -> safe_open:
        return self

    def __exit__(self, *exception: object) -> None:
        self._tensors = {}

    def keys(self) -> list[str]:
        """The names of the tensors."""
        return list(self._tensors)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def metadata(self) -> dict[str, str] | None:
        """What the file says about itself."""
        return self._metadata or None

    def get_tensor(self, name: str) -> Tensor:
        """The tensor of that name."""
        if name not in self._tensors:
            raise KeyError(f"File does not contain tensor {name}")
        return self._tensors[name]


def _checked(op: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    if not isinstance(tensors, Mapping):
        raise TypeError(f"{op}: expected a dict of [str, rustorch.Tensor] but received {type(tensors).__name__}")
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise TypeError(f"{op}: key {name!r} is invalid, expected rustorch.Tensor but received {_kind(tensor)}")
    return dict(tensors)


def _texts(op: str, metadata: Mapping[str, str] | None) -> dict[str, str] | None:
    for name, text in (metadata or {}).items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise TypeError(f"{op}: metadata maps str to str, but got {name!r}: {text!r}")
    return None if metadata is None else dict(metadata)


def _kind(value: Any) -> str:
    return type(value).__name__
