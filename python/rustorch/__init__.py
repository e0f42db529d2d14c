"""RusTorch: deep learning with PyTorch's names and semantics, a Rust core, and one small wheel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rustorch import _ops
from rustorch._C import (
    AutogradError,
    BackendUnavailableError,
    DeviceError,
    DTypeError,
    FileError,
    Generator,
    IndexOutOfRangeError,
    InvalidArgumentError,
    ModelFormatError,
    OutOfMemoryError,
    RusTorchError,
    ShapeMismatchError,
    Tensor,
    UnsupportedError,
    __version__,
    as_tensor,
    asarray,
    bfloat16,
    bool,
    can_cast,
    cdouble,
    cfloat,
    complex64,
    complex128,
    default_generator,
    device,
    double,
    dtype,
    empty_cache,
    float,
    float16,
    float32,
    float64,
    from_dlpack,
    from_numpy,
    frombuffer,
    get_default_dtype,
    get_num_threads,
    get_rng_state,
    half,
    initial_seed,
    int,
    int8,
    int16,
    int32,
    int64,
    is_grad_enabled,
    is_tensor,
    long,
    manual_seed,
    memory_stats,
    promote_types,
    result_type,
    seed,
    set_default_dtype,
    set_num_threads,
    set_rng_state,
    short,
    tensor,
    uint8,
)
from rustorch._ops import *  # noqa: F403
from rustorch._printing import set_printoptions
from rustorch._size import Size
from rustorch._type_info import finfo, iinfo
from rustorch.autograd.grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from rustorch.functional import (
    allclose,
    einsum,
    equal,
    histogramdd,
    is_complex,
    is_conj,
    is_floating_point,
    is_neg,
    is_nonzero,
    isclose,
    numel,
    tensordot,
)

if TYPE_CHECKING:
    from rustorch import (
        autograd as autograd,
        datasets as datasets,
        linalg as linalg,
        nn as nn,
        optim as optim,
        safetensors as safetensors,
        special as special,
        utils as utils,
    )

inf = 1e999
nan = inf - inf
pi = 3.141592653589793
e = 2.718281828459045

# Imported when they are first used, so that `import rustorch` stays cheap.
_SUBMODULES = frozenset(
    {"autograd", "datasets", "functional", "linalg", "nn", "optim", "return_types", "safetensors", "special", "utils"}
)


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        from importlib import import_module

        return import_module(f"rustorch.{name}")
    raise AttributeError(f"module 'rustorch' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES})


__all__ = [
    "AutogradError",
    "BackendUnavailableError",
    "DTypeError",
    "DeviceError",
    "FileError",
    "Generator",
    "IndexOutOfRangeError",
    "InvalidArgumentError",
    "ModelFormatError",
    "OutOfMemoryError",
    "RusTorchError",
    "ShapeMismatchError",
    "Size",
    "Tensor",
    "UnsupportedError",
    "__version__",
    "allclose",
    "as_tensor",
    "asarray",
    "bfloat16",
    "bool",
    "can_cast",
    "cdouble",
    "cfloat",
    "complex64",
    "complex128",
    "default_generator",
    "device",
    "double",
    "dtype",
    "e",
    "einsum",
    "empty_cache",
    "enable_grad",
    "equal",
    "finfo",
    "float",
    "float16",
    "float32",
    "float64",
    "from_dlpack",
    "from_numpy",
    "frombuffer",
    "get_default_dtype",
    "get_num_threads",
    "get_rng_state",
    "half",
    "histogramdd",
    "iinfo",
    "inf",
    "inference_mode",
    "initial_seed",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_complex",
    "is_conj",
    "is_floating_point",
    "is_grad_enabled",
    "is_neg",
    "is_nonzero",
    "is_tensor",
    "isclose",
    "long",
    "manual_seed",
    "memory_stats",
    "nan",
    "no_grad",
    "numel",
    "pi",
    "promote_types",
    "result_type",
    "seed",
    "set_default_dtype",
    "set_grad_enabled",
    "set_num_threads",
    "set_printoptions",
    "set_rng_state",
    "short",
    "tensor",
    "tensordot",
    "uint8",
]
__all__ += _ops.__all__
