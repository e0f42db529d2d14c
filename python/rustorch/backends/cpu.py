"""What the CPU can do."""

from rustorch import _C

__all__ = ["get_cpu_capability"]

_NAMES = {"avx512": "AVX512", "avx2": "AVX2", "neon": "NEON"}


def get_cpu_capability() -> str:
    """The instruction set that kernels use: "AVX512", "AVX2", "NEON", or "DEFAULT" for portable code."""
    architecture: str = _C._devices()[0]["architecture"]
    return _NAMES.get(architecture, "DEFAULT")
