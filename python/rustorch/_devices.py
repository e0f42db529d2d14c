"""The devices of this machine, and which of them is chosen."""

from __future__ import annotations

from typing import Any

from rustorch import _C

__all__ = ["DeviceProperties", "devices"]

KINDS = ("cpu", "cuda", "opencl", "metal")


class DeviceProperties:
    """What a device is and can do.

    `total_memory` is in bytes, None where the system does not tell; `multi_processor_count` says how many workers run
    at a time, compute units or the CPU's threads; ops on the dtypes in `lacks` run on the CPU; `is_host` says whether
    the device is this machine's processor: the CPU itself, or an OpenCL device that runs on it.
    """

    # Not a dataclass: importing that module takes as long as much of `import rustorch`.
    def __init__(self, entry: dict[str, Any]) -> None:
        self.type: str = entry["type"]
        self.index: int = entry["index"]
        self.name: str = entry["name"]
        self.total_memory: int | None = entry["memory"]
        self.multi_processor_count: int = entry["parallelism"]
        self.architecture: str = entry["architecture"]
        self.driver: str = entry["driver"]
        self.lacks: tuple[str, ...] = tuple(entry["lacks"])
        self.is_host: bool = entry["is_host"]

    def __repr__(self) -> str:
        return f"DeviceProperties({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    @property
    def device(self) -> _C.device:
        """The device, to hand to ``Tensor.to``."""
        return _C.device("cpu") if self.type == "cpu" else _C.device(self.type, self.index)


def devices() -> list[DeviceProperties]:
    """All devices that there are, the CPU first.

    Looking for them loads the drivers that this machine has.

    >>> rustorch.devices()[0].type
    'cpu'
    """
    return [DeviceProperties(entry) for entry in _C._devices()]


def choice() -> tuple[_C.device, str]:
    """The device for a program that leaves the choice to RusTorch, and why that one."""
    chosen = _C._preferred_device()
    order = "the order is cuda, metal, opencl, cpu"
    if chosen.type != "cpu":
        return chosen, f"the first GPU that is there: {order}"
    on_host = [str(entry.device) for entry in devices() if entry.is_host and entry.type != "cpu"]
    if on_host:
        return chosen, f"{', '.join(on_host)} runs on this processor, where the CPU's own kernels are faster: {order}"
    return chosen, f"no GPU with a driver was found: {order}"
