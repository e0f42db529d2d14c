"""GPUs of NVIDIA's: what there is, which is current, its memory and its random numbers."""

from rustorch._accelerator import Accelerator as _Accelerator

_this = _Accelerator("cuda")

current_device = _this.current_device
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
memory_allocated = _this.memory_allocated
memory_reserved = _this.memory_reserved
memory_stats = _this.memory_stats
set_device = _this.set_device
set_rng_state = _this.set_rng_state
synchronize = _this.synchronize

__all__ = [
    "current_device",
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
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "set_device",
    "set_rng_state",
    "synchronize",
]
