"""RusTorch: deep learning with PyTorch's names and semantics, a Rust core, and one small wheel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rustorch import _lazy, _ops, _sharing
from rustorch._C import (
    AutogradError,
    BackendUnavailableError,
    DeviceError,
    DTypeError,
    FileError,
    Generator,
    IndexOutOfRangeError,
    InvalidArgumentError,
    LinAlgError,
    ModelFormatError,
    OutOfMemoryError,
    RusTorchError,
    ShapeMismatchError,
    Tensor,
    UnsupportedError,
    UntypedStorage,
    __version__,
    are_deterministic_algorithms_enabled,
    as_tensor,
    asarray,
    bfloat16,
    bool,
    can_cast,
    cdouble,
    cfloat,
    channels_last,
    channels_last_3d,
    complex64,
    complex128,
    contiguous_format,
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
    get_default_device,
    get_default_dtype,
    get_float32_matmul_precision,
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
    is_inference_mode_enabled,
    is_tensor,
    layout,
    long,
    manual_seed,
    memory_format,
    memory_stats,
    preserve_format,
    promote_types,
    result_type,
    seed,
    set_default_device,
    set_default_dtype,
    set_float32_matmul_precision,
    set_num_threads,
    set_rng_state,
    short,
    strided,
    tensor,
    uint8,
)
from rustorch._devices import devices
from rustorch._methods import add_methods as _add_methods
from rustorch._naming import name_rare_methods as _name_rare_methods
from rustorch._ops import *  # noqa: F403
from rustorch._printing import set_printoptions
from rustorch._settings import (
    _assert as _assert,
    get_deterministic_debug_mode,
    get_device,
    get_num_interop_threads,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    is_deterministic_algorithms_warn_only_enabled,
    is_inference,
    is_signed,
    is_storage,
    is_warn_always_enabled,
    set_anomaly_enabled,
    set_deterministic_debug_mode,
    set_flush_denormal,
    set_num_interop_threads,
    set_warn_always,
    use_deterministic_algorithms,
)
from rustorch._size import Size
from rustorch._type_info import finfo, iinfo
from rustorch.autograd.grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from rustorch.functional import (  # type: ignore[assignment]  # einsum and tensordot take more than their rows do
    allclose,
    broadcast_shapes,
    einsum,
    equal,
    histogramdd,
    is_complex,
    is_conj,
    is_floating_point,
    is_neg,
    is_nonzero,
    isclose,
    lu,
    numel,
    tensordot,
)
from rustorch.serialization import load, save

_add_methods(Tensor)
_name_rare_methods(Tensor)
_sharing.complete(Tensor, UntypedStorage)

if TYPE_CHECKING:
    from rustorch import (
        accelerator as accelerator,
        amp as amp,
        autograd as autograd,
        backends as backends,
        compiler as compiler,
        cpu as cpu,
        cuda as cuda,
        datasets as datasets,
        distributed as distributed,
        distributions as distributions,
        fft as fft,
        func as func,
        hub as hub,
        jit as jit,
        linalg as linalg,
        metal as metal,
        mps as mps,
        multiprocessing as multiprocessing,
        nn as nn,
        opencl as opencl,
        optim as optim,
        overrides as overrides,
        safetensors as safetensors,
        serialization as serialization,
        signal as signal,
        special as special,
        storage as storage,
        testing as testing,
        types as types,
        utils as utils,
        version as version,
    )
    from rustorch._alias import as_torch as as_torch
    from rustorch._aten import *  # noqa: F403
    from rustorch._streams import Event as Event, Stream as Stream
    from rustorch._tensor_types import set_default_tensor_type as set_default_tensor_type, tensortype as _tensortype
    from rustorch.storage import TypedStorage as TypedStorage

    BFloat16Tensor: _tensortype
    BoolTensor: _tensortype
    ByteTensor: _tensortype
    CharTensor: _tensortype
    ComplexDoubleTensor: _tensortype
    ComplexFloatTensor: _tensortype
    DoubleTensor: _tensortype
    FloatTensor: _tensortype
    HalfTensor: _tensortype
    IntTensor: _tensortype
    LongTensor: _tensortype
    ShortTensor: _tensortype
    BFloat16Storage: type[TypedStorage]
    BoolStorage: type[TypedStorage]
    ByteStorage: type[TypedStorage]
    CharStorage: type[TypedStorage]
    ComplexDoubleStorage: type[TypedStorage]
    ComplexFloatStorage: type[TypedStorage]
    DoubleStorage: type[TypedStorage]
    FloatStorage: type[TypedStorage]
    HalfStorage: type[TypedStorage]
    IntStorage: type[TypedStorage]
    LongStorage: type[TypedStorage]
    ShortStorage: type[TypedStorage]

inf = 1e999
nan = inf - inf
pi = 3.141592653589793
e = 2.718281828459045
newaxis = None

# Imported when they are first used, so that `import rustorch` stays cheap.
_SUBMODULES = frozenset(
    {
        "accelerator",
        "amp",
        "autograd",
        "backends",
        "compiler",
        "cpu",
        "cuda",
        "datasets",
        "distributed",
        "distributions",
        "fft",
        "func",
        "functional",
        "hub",
        "jit",
        "linalg",
        "metal",
        "mps",
        "multiprocessing",
        "nn",
        "opencl",
        "optim",
        "overrides",
        "random",
        "return_types",
        "safetensors",
        "serialization",
        "signal",
        "special",
        "storage",
        "testing",
        "torch_version",
        "types",
        "utils",
        "version",
    }
)


# The modules of names that are imported when they are first used; those of `__all__` that are not here are in _aten.
_ELSEWHERE = {
    "Event": "_streams",
    "Stream": "_streams",
    "TypedStorage": "storage",
    "as_torch": "_alias",
    "set_default_tensor_type": "_tensor_types",
    **dict.fromkeys(
        (
            "BFloat16Tensor",
            "BoolTensor",
            "ByteTensor",
            "CharTensor",
            "ComplexDoubleTensor",
            "ComplexFloatTensor",
            "DoubleTensor",
            "FloatTensor",
            "HalfTensor",
            "IntTensor",
            "LongTensor",
            "ShortTensor",
        ),
        "_tensor_types",
    ),
    **dict.fromkeys(
        (
            "BFloat16Storage",
            "BoolStorage",
            "ByteStorage",
            "CharStorage",
            "ComplexDoubleStorage",
            "ComplexFloatStorage",
            "DoubleStorage",
            "FloatStorage",
            "HalfStorage",
            "IntStorage",
            "LongStorage",
            "ShortStorage",
        ),
        "storage",
    ),
}

_submodule = _lazy.getter("rustorch", _SUBMODULES)


def __getattr__(name: str) -> Any:
    if name in _ELSEWHERE or name in __all__ or name.startswith("_foreach_"):
        from importlib import import_module

        home = "_foreach" if name.startswith("_foreach_") else _ELSEWHERE.get(name, "_aten")
        value = globals()[name] = getattr(import_module(f"rustorch.{home}"), name)
        return value
    return _submodule(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBMODULES, *_ELSEWHERE})


__all__ = [
    "AutogradError",
    "BFloat16Storage",
    "BFloat16Tensor",
    "BackendUnavailableError",
    "BoolStorage",
    "BoolTensor",
    "ByteStorage",
    "ByteTensor",
    "CharStorage",
    "CharTensor",
    "ComplexDoubleStorage",
    "ComplexDoubleTensor",
    "ComplexFloatStorage",
    "ComplexFloatTensor",
    "DTypeError",
    "DeviceError",
    "DoubleStorage",
    "DoubleTensor",
    "Event",
    "FileError",
    "FloatStorage",
    "FloatTensor",
    "Generator",
    "HalfStorage",
    "HalfTensor",
    "IndexOutOfRangeError",
    "IntStorage",
    "IntTensor",
    "InvalidArgumentError",
    "LinAlgError",
    "LongStorage",
    "LongTensor",
    "ModelFormatError",
    "OutOfMemoryError",
    "RusTorchError",
    "ShapeMismatchError",
    "ShortStorage",
    "ShortTensor",
    "Size",
    "Stream",
    "Tensor",
    "TypedStorage",
    "UnsupportedError",
    "UntypedStorage",
    "__version__",
    "affine_grid_generator",
    "allclose",
    "are_deterministic_algorithms_enabled",
    "as_strided_",
    "as_tensor",
    "as_torch",
    "asarray",
    "batch_norm",
    "bfloat16",
    "binary_cross_entropy_with_logits",
    "bool",
    "broadcast_shapes",
    "can_cast",
    "cdouble",
    "cfloat",
    "channels_last",
    "channels_last_3d",
    "complex64",
    "complex128",
    "contiguous_format",
    "convolution",
    "cosine_embedding_loss",
    "ctc_loss",
    "default_generator",
    "detach_",
    "device",
    "devices",
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
    "get_default_device",
    "get_default_dtype",
    "get_deterministic_debug_mode",
    "get_device",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "get_num_threads",
    "get_rng_state",
    "grid_sampler",
    "grid_sampler_2d",
    "grid_sampler_3d",
    "gru",
    "gru_cell",
    "half",
    "hinge_embedding_loss",
    "histogramdd",
    "iinfo",
    "inf",
    "inference_mode",
    "initial_seed",
    "instance_norm",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_complex",
    "is_conj",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_floating_point",
    "is_grad_enabled",
    "is_inference",
    "is_inference_mode_enabled",
    "is_neg",
    "is_nonzero",
    "is_same_size",
    "is_signed",
    "is_storage",
    "is_tensor",
    "is_warn_always_enabled",
    "isclose",
    "kl_div",
    "layout",
    "load",
    "long",
    "lstm",
    "lstm_cell",
    "lu",
    "manual_seed",
    "margin_ranking_loss",
    "max_pool1d_with_indices",
    "memory_format",
    "memory_stats",
    "nan",
    "newaxis",
    "no_grad",
    "numel",
    "pi",
    "poisson_nll_loss",
    "preserve_format",
    "promote_types",
    "range",
    "resize_as_",
    "result_type",
    "rnn_relu",
    "rnn_relu_cell",
    "rnn_tanh",
    "rnn_tanh_cell",
    "save",
    "seed",
    "set_anomaly_enabled",
    "set_default_device",
    "set_default_dtype",
    "set_default_tensor_type",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_grad_enabled",
    "set_num_interop_threads",
    "set_num_threads",
    "set_printoptions",
    "set_rng_state",
    "set_warn_always",
    "short",
    "strided",
    "tensor",
    "tensordot",
    "triplet_margin_loss",
    "uint8",
    "use_deterministic_algorithms",
]
__all__ += _ops.__all__
