"""Files of parameters that are fetched once and kept."""

from __future__ import annotations

import os
import re
import sys
from importlib import import_module
from typing import Any
from urllib.parse import urlparse

from tqdm import tqdm as tqdm

__all__ = ["download_url_to_file", "get_dir", "load_state_dict_from_url", "set_dir"]

# The digits of the file's SHA-256 that a name such as resnet18-bfd8deac.pth has.
_DIGITS = re.compile(r"-([a-f0-9]+)\.")
_CHUNK = 1 << 20

_dir: str | None = None


def get_dir() -> str:
    """The folder where files are kept: what `set_dir` set, or `hub` in `$TORCH_HOME`, or where PyTorch has it.

    That is `$XDG_CACHE_HOME/torch/hub`, and `~/.cache/torch/hub` where the variable is not set, so that what PyTorch
    has fetched is found.
    """
    return os.path.join(_get_torch_home(), "hub") if _dir is None else _dir


def _get_torch_home() -> str:
    """The folder of everything that is kept."""
    cache = os.getenv("XDG_CACHE_HOME", "~/.cache")
    return os.path.expanduser(os.getenv("TORCH_HOME", os.path.join(cache, "torch")))


def set_dir(d: str | os.PathLike[str]) -> None:
    """Sets the folder where files are kept, in this process."""
    global _dir
    _dir = os.path.expanduser(os.fspath(d))


def download_url_to_file(url: str, dst: str, hash_prefix: str | None = None, progress: bool = True) -> None:
    """Fetches a file; it appears under its name when it is complete.

    Args:
        url: where it is.
        dst: where it goes.
        hash_prefix: what its SHA-256 begins with, in hexadecimal digits; RuntimeError where it does not. Default: None.
        progress: whether a bar on stderr shows how far it is. Default: True.
    """
    from hashlib import sha256
    from tempfile import NamedTemporaryFile
    from urllib.request import Request, urlopen

    digest = sha256()
    target = os.path.expanduser(dst)
    with urlopen(Request(url, headers={"User-Agent": "rustorch.hub"})) as answer:
        length = answer.headers.get("Content-Length")
        # Beside its place, so that it gets there in one step.
        with NamedTemporaryFile(dir=os.path.dirname(target) or ".", prefix=".download-", delete=False) as file:
            try:
                with tqdm(
                    total=int(length) if length else None, disable=not progress, unit="B", unit_scale=True
                ) as bar:
                    while chunk := answer.read(_CHUNK):
                        file.write(chunk)
                        digest.update(chunk)
                        bar.update(len(chunk))
                file.flush()
                if length and os.fstat(file.fileno()).st_size != int(length):
                    raise RuntimeError(f"{url}: the connection ended before all of {length} bytes had come")
                if hash_prefix and not digest.hexdigest().startswith(hash_prefix):
                    raise RuntimeError(f'invalid hash value (expected "{hash_prefix}", got "{digest.hexdigest()}")')
                file.close()
                os.chmod(file.name, 0o666 & ~_umask())
                os.replace(file.name, target)
            except BaseException:
                file.close()
                os.unlink(file.name)
                raise


def _umask() -> int:
    """The rights that new files do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = False,
) -> dict[str, Any]:
    """The tensors of a file that is fetched unless it is there: of a safetensors file, or of one that `load` reads.

    Args:
        url: where it is.
        model_dir: where it is kept. Default: None, `checkpoints` in `get_dir()`.
        map_location: on which device the tensors are; `load` says what it may be. Default: None.
        progress: whether a bar on stderr shows how far it is. Default: True.
        check_hash: whether the digits after the last hyphen of the file's name must be the first ones of its SHA-256.
            Default: False.
        file_name: its name. Default: None, the last part of the URL's path.
        weights_only: handed on to `load`. Default: False.
    """
    folder = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    os.makedirs(folder, exist_ok=True)
    name = file_name or os.path.basename(urlparse(url).path)
    file = os.path.join(folder, name)
    if not os.path.exists(file):
        sys.stderr.write(f'Downloading: "{url}" to {file}\n')
        digits = _DIGITS.search(name) if check_hash else None
        download_url_to_file(url, file, digits[1] if digits else None, progress=progress)
    if name.endswith(".safetensors"):
        from rustorch.safetensors import load_file

        return load_file(file, device="cpu" if map_location is None else map_location)
    tensors: dict[str, Any] = import_module("rustorch").load(file, map_location=map_location, weights_only=weights_only)
    return tensors
