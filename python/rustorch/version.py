"""What this build is, under the names of `torch.version`."""

from __future__ import annotations

from typing import Any

from rustorch._lazy import missing as _missing

__all__ = ["__version__", "cuda", "debug", "hip", "xpu"]

__version__: str
"""The version of the package; where RusTorch answers for torch, that of the PyTorch it follows."""

cuda: str | None
"""The version of CUDA that the driver speaks, such as "12.4"; None where there is no GPU of NVIDIA's."""

debug = False
hip: str | None = None
xpu: str | None = None


def __getattr__(name: str) -> Any:
    if name == "__version__":
        import rustorch

        return rustorch.__version__
    if name == "cuda":
        from rustorch._devices import devices

        spoken = (entry.driver for entry in devices() if entry.type == "cuda")
        return next((driver.removeprefix("CUDA ") for driver in spoken), None)
    raise _missing(__name__, name)
