"""cuDNN, which convolutions on GPUs of NVIDIA's use where it is found, and PyTorch's settings of it.

The settings are kept and given back. They do not change what RusTorch does: it takes the algorithm that cuDNN's
heuristics put first, and computes products by ``set_float32_matmul_precision``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CDLL

from rustorch.backends._flags import checked as _checked

__all__ = ["allow_tf32", "benchmark", "benchmark_limit", "deterministic", "enabled", "flags", "is_available", "version"]

enabled: bool = True
benchmark: bool = False
benchmark_limit: int | None = 10
deterministic: bool = False
allow_tf32: bool = True


def _library() -> CDLL | None:
    """cuDNN, where it is found as the core finds it; None without a GPU that would use it."""
    import sys
    from pathlib import Path

    from rustorch import cuda

    if not cuda.is_available():
        return None
    for name in ("libcudnn.so.9", "libcudnn.so.8"):
        for folder in ("", *(str(Path(path) / "nvidia/cudnn/lib") for path in sys.path)):
            try:
                return CDLL(str(Path(folder) / name))
            except OSError:
                continue
    return None


def is_available() -> bool:
    """Whether there is a GPU of NVIDIA's, and cuDNN is found."""
    return _library() is not None


def version() -> int | None:
    """cuDNN's version as a number, such as 90100; None where it is not available."""
    library = _library()
    return None if library is None else int(library.cudnnGetVersion())


@contextmanager
def flags(
    enabled: bool = False,
    benchmark: bool = False,
    benchmark_limit: int | None = 10,
    deterministic: bool = False,
    allow_tf32: bool = True,
) -> Iterator[None]:
    """A block in which the settings are others."""
    import sys

    module = sys.modules[__name__]
    wanted = {
        "enabled": enabled,
        "benchmark": benchmark,
        "benchmark_limit": benchmark_limit,
        "deterministic": deterministic,
        "allow_tf32": allow_tf32,
    }
    before = {name: getattr(module, name) for name in wanted}
    try:
        for name, value in wanted.items():
            setattr(module, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(module, name, value)


_checked(
    __name__,
    enabled=bool,
    benchmark=bool,
    benchmark_limit=(int, type(None)),
    deterministic=bool,
    allow_tf32=bool,
)
