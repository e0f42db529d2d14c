"""GPUs of NVIDIA's: what there is, which is current, its streams, its memory and its random numbers."""

from rustorch._accelerator import Accelerator as _Accelerator
from rustorch._streams import Event as _Event, Stream as _Stream

_this = _Accelerator("cuda")


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


current_device = _this.current_device
current_stream = _this.current_stream
default_stream = _this.default_stream
device = _this.device
device_count = _this.device_count
empty_cache = _this.empty_cache
get_device_name = _this.get_device_name
get_device_properties = _this.get_device_properties
get_rng_state = _this.get_rng_state
initial_seed = _this.initial_seed
is_available = _this.is_available
manual_seed = _this.manual_seed
manual_seed_all = _this.manual_seed_all
max_memory_allocated = _this.max_memory_allocated
max_memory_reserved = _this.max_memory_reserved
memory_allocated = _this.memory_allocated
memory_reserved = _this.memory_reserved
memory_stats = _this.memory_stats
reset_peak_memory_stats = _this.reset_peak_memory_stats
set_device = _this.set_device
set_rng_state = _this.set_rng_state
set_stream = _this.set_stream
stream = _this.stream
synchronize = _this.synchronize

__all__ = [
    "Event",
    "Stream",
    "current_device",
    "current_stream",
    "default_stream",
    "device",
    "device_count",
    "empty_cache",
    "get_device_name",
    "get_device_properties",
    "get_rng_state",
    "initial_seed",
    "is_available",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "reset_peak_memory_stats",
    "set_device",
    "set_rng_state",
    "set_stream",
    "stream",
    "synchronize",
]
