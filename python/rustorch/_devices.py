"""The devices of this machine, and which of them is chosen."""

from __future__ import annotations

from dataclasses import dataclass

from rustorch import _C

__all__ = ["DeviceProperties", "devices"]

KINDS = ("cpu", "cuda", "opencl", "metal")


@dataclass(frozen=True)
class DeviceProperties:
    """What a device is and can do."""

    type: str
    index: int
    name: str
    total_memory: int | None
    """In bytes; None where the system does not tell."""
    multi_processor_count: int
    """How many workers run at a time: compute units, or threads on the CPU."""
    architecture: str
    """The instruction set or architecture, such as ``'avx2'`` or ``'sm_90'``."""
    driver: str
    """The driver and its version; empty for the CPU."""
    lacks: tuple[str, ...]
    """Dtypes in which it does not compute; ops on them run on the CPU."""
    is_host: bool
    """Whether it is this machine's processor: the CPU itself, or an OpenCL device that runs on it."""

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
    return [
        DeviceProperties(
            type=entry["type"],
            index=entry["index"],
            name=entry["name"],
            total_memory=entry["memory"],
            multi_processor_count=entry["parallelism"],
            architecture=entry["architecture"],
            driver=entry["driver"],
            lacks=tuple(entry["lacks"]),
            is_host=entry["is_host"],
        )
        for entry in _C._devices()
    ]


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
