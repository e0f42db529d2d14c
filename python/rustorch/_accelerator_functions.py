"""The functions of `rustorch.cuda`, `rustorch.opencl` and `rustorch.metal`, for type checkers alone.

When a program runs, each of those modules has the methods of its own `Accelerator` under these names.
"""

from rustorch._accelerator import Accelerator as _Accelerator

_any_kind = _Accelerator("any")

current_device = _any_kind.current_device
current_stream = _any_kind.current_stream
default_stream = _any_kind.default_stream
device = _any_kind.device
device_count = _any_kind.device_count
empty_cache = _any_kind.empty_cache
get_device_name = _any_kind.get_device_name
get_device_properties = _any_kind.get_device_properties
get_rng_state = _any_kind.get_rng_state
get_rng_state_all = _any_kind.get_rng_state_all
init = _any_kind.init
initial_seed = _any_kind.initial_seed
is_available = _any_kind.is_available
is_initialized = _any_kind.is_initialized
manual_seed = _any_kind.manual_seed
manual_seed_all = _any_kind.manual_seed_all
max_memory_allocated = _any_kind.max_memory_allocated
max_memory_reserved = _any_kind.max_memory_reserved
memory_allocated = _any_kind.memory_allocated
memory_reserved = _any_kind.memory_reserved
memory_stats = _any_kind.memory_stats
memory_summary = _any_kind.memory_summary
reset_peak_memory_stats = _any_kind.reset_peak_memory_stats
seed = _any_kind.seed
seed_all = _any_kind.seed_all
set_device = _any_kind.set_device
set_rng_state = _any_kind.set_rng_state
set_rng_state_all = _any_kind.set_rng_state_all
set_stream = _any_kind.set_stream
stream = _any_kind.stream
synchronize = _any_kind.synchronize
