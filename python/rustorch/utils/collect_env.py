"""What a report of a fault should say of the machine: ``python -m rustorch.utils.collect_env`` prints it."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from typing import NamedTuple

__all__ = ["SystemEnv", "get_env_info", "get_pretty_env_info"]

#: Packages whose versions matter.
_PACKAGES = ("numpy", "rustorch", "safetensors", "scipy", "torch", "torchvision", "transformers")


class SystemEnv(NamedTuple):
    """What is known of the environment."""

    rustorch_version: str
    followed_version: str
    os: str
    libc_version: str
    python_version: str
    python_platform: str
    is_cuda_available: bool
    devices: str
    cpu_info: str
    num_threads: int
    pip_packages: str


def get_env_info() -> SystemEnv:
    """What is known of the environment; asking for devices loads their drivers."""
    from rustorch import _C, cuda
    from rustorch._devices import devices
    from rustorch.torch_version import FOLLOWED

    bits = "64" if sys.maxsize > 2**32 else "32"
    there = devices()
    packages = {d.metadata["Name"].lower(): d.version for d in metadata.distributions() if d.metadata["Name"]}
    return SystemEnv(
        rustorch_version=_C.__version__,
        followed_version=FOLLOWED,
        os=f"{platform.system()} {platform.release()} ({platform.machine()})",
        libc_version="-".join(part for part in platform.libc_ver() if part) or "N/A",
        python_version=f"{sys.version} ({bits}-bit runtime)".replace("\n", ""),
        python_platform=platform.platform(),
        is_cuda_available=cuda.is_available(),
        devices="\n".join(f"{d.device}: {d.name}" + (f", driver {d.driver}" if d.driver else "") for d in there),
        cpu_info=f"{there[0].name}, {there[0].architecture}",
        num_threads=_C.get_num_threads(),
        pip_packages="\n".join(f"{name}=={packages[name]}" for name in _PACKAGES if name in packages),
    )


def get_pretty_env_info() -> str:
    """The same as lines of text."""
    info = get_env_info()
    return "\n".join(
        [
            f"RusTorch version: {info.rustorch_version}",
            f"Follows PyTorch version: {info.followed_version}",
            "",
            f"OS: {info.os}",
            f"Libc version: {info.libc_version}",
            f"Python version: {info.python_version}",
            f"Python platform: {info.python_platform}",
            f"Is CUDA available: {info.is_cuda_available}",
            "",
            "Devices:",
            info.devices,
            "",
            f"CPU: {info.cpu_info}",
            f"Threads: {info.num_threads}",
            "",
            "Versions of relevant libraries:",
            info.pip_packages,
        ]
    )


def main() -> None:
    """Prints what is known of the environment."""
    sys.stdout.write(get_pretty_env_info() + "\n")


if __name__ == "__main__":
    main()
