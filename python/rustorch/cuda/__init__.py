"""GPUs of NVIDIA's: what there is, which is current, its streams, its memory and its random numbers."""

from typing import TYPE_CHECKING as _TYPE_CHECKING, Any as _Any

from rustorch import _C
from rustorch._accelerator import Accelerator as _Accelerator, Which as _Which
from rustorch._C import OutOfMemoryError as OutOfMemoryError
from rustorch._streams import Event as _Event, Stream as _Stream

_this = _Accelerator("cuda")

if _TYPE_CHECKING:
    from rustorch._accelerator_functions import *
else:
    globals().update(_this.functions())


def get_device_capability(device: _Which = None) -> tuple[int, int]:
    """The compute capability of a device, such as (9, 0)."""
    number = _this.get_device_properties(device).architecture.removeprefix("sm_").rstrip("af")
    return int(number[:-1]), int(number[-1])


def get_arch_list() -> list[str]:
    """The architectures for which kernels can be compiled: those of the devices that there are, such as "sm_90"."""
    there = {_this.get_device_properties(index).architecture for index in range(_this.device_count())}
    return sorted(there)


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether the current device computes with bfloat16; without a device it is False."""
    if not _this.is_available() or "bfloat16" in _this.get_device_properties().lacks:
        return False
    return including_emulation or get_device_capability() >= (8, 0)


def mem_get_info(device: _Which = None) -> tuple[int, int]:
    """The bytes of a device that are free, and all of them, as the driver says."""
    from ctypes import CDLL, byref, c_int, c_size_t, c_void_p

    where = _this._find(device)
    driver, context, current = CDLL("libcuda.so.1"), c_void_p(), c_int()
    free, total = c_size_t(), c_size_t()
    steps: list[_Any] = [
        lambda: driver.cuDeviceGet(byref(current), where.index or 0),
        lambda: driver.cuDevicePrimaryCtxRetain(byref(context), current),
        lambda: driver.cuCtxPushCurrent_v2(context),
        lambda: driver.cuMemGetInfo_v2(byref(free), byref(total)),
        lambda: driver.cuCtxPopCurrent_v2(byref(context)),
        lambda: driver.cuDevicePrimaryCtxRelease_v2(current),
    ]
    for step in steps:
        if code := step():
            raise _C.DeviceError(f"mem_get_info(): the CUDA driver answered {code}")
    return free.value, total.value


def set_per_process_memory_fraction(fraction: float, device: _Which = None) -> None:
    """Limits the memory that this process may use of a device: RusTorch takes 1.0, which is no limit, alone."""
    _this._find(device)
    if not 0 <= fraction <= 1:
        raise ValueError(f"set_per_process_memory_fraction(): expected a fraction between 0 and 1, but got {fraction}")
    if fraction != 1:
        raise _C.UnsupportedError(
            f"set_per_process_memory_fraction(): the memory of a device cannot be limited to {fraction} of it"
        )


def utilization(device: _Which = None) -> int:
    """How many percent of the last second a device was busy, by the package nvidia-ml-py."""
    from importlib import import_module

    try:
        pynvml: _Any = import_module("pynvml")
    except ModuleNotFoundError:
        raise ModuleNotFoundError("utilization(): needs the package nvidia-ml-py", name="pynvml") from None
    pynvml.nvmlInit()
    return int(
        pynvml.nvmlDeviceGetUtilizationRates(pynvml.nvmlDeviceGetHandleByIndex(_this._find(device).index or 0)).gpu
    )


class Stream(_Stream, owner=_this):
    __doc__ = _Stream.__doc__

    @property
    def cuda_stream(self) -> int:
        """The driver's handle of it, 0 of the default stream."""
        return self.native_handle if self.stream_id else 0

    def __cuda_stream__(self) -> tuple[int, int]:
        """For CUDA's libraries in Python: the version of this protocol, and the driver's handle."""
        return (0, self.cuda_stream)


class Event(_Event, owner=_this):
    __doc__ = _Event.__doc__


def __getattr__(name: str) -> _Any:
    if name == "amp":
        from importlib import import_module

        return import_module("rustorch.cuda.amp")
    from rustorch import _lazy, _tensor_types, storage

    for family in (_tensor_types, storage):
        classes = family.of_kind("cuda")
        if name in classes:
            globals().update(classes)
            return classes[name]
    raise _lazy.missing(__name__, name)
