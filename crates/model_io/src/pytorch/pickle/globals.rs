//! The names that a pickle may use. Each stands for one of RusTorch's own functions below; none is looked up anywhere else,
//! so that no name of a file reaches code of Python's.

use crate::common::conversion::ElementType;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    /// `torch._utils._rebuild_tensor` and the later ones.
    RebuildTensor(TensorForm),
    /// `torch._utils._rebuild_parameter`; whether with a state.
    RebuildParameter(bool),
    /// `torch._tensor._rebuild_from_type_v2`.
    RebuildFromType,
    /// `torch._utils._rebuild_device_tensor_from_cpu_tensor`.
    RebuildOnDevice,
    /// `torch.Tensor`, and the classes that old files name, such as `torch.FloatTensor`: types, and not made.
    TensorType,
    /// `torch.nn.Parameter`, which old files make by its name.
    Parameter,
    /// `torch.FloatStorage` and the like; `None` for bytes.
    StorageType(Option<ElementType>),
    Size,
    Device,
    Layout,
    OrderedDict,
    DefaultDict,
    Counter,
    Set,
    FrozenSet,
    Bytes,
    ByteArray,
    Complex,
    Range,
    Slice,
    /// A type of Python's that is a value, as in `defaultdict(list)`, and is not called.
    Type,
    /// `copyreg._reconstructor`, by which old protocols make an object of a class.
    Reconstruct,
    /// `_codecs.encode`, as pickles of old protocols write bytes.
    Encode,
    NumpyReconstruct,
    NumpyScalar,
    NumpyFromBuffer,
    NumpyDType,
    NumpyArray,
    /// A class that the caller named, or, where a file is only looked at, any.
    Foreign,
}

/// How many arguments `_rebuild_tensor` has, and what the last one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TensorForm {
    /// Storage, offset, size, stride.
    First,
    /// Also whether it gets a gradient, hooks, and metadata.
    Second,
    /// Also a dtype, before the metadata.
    Third,
}

/// What a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    Function(Function),
    DType(ElementType),
    MemoryFormat(&'static str),
    /// Known, and not to be had: why.
    Refused(&'static str),
    Unknown,
}

const SPARSE: &str =
    "a sparse tensor (its indices, values and size), and RusTorch has none; save tensor.to_dense()";
const QUANTIZED: &str = "a quantized tensor, and RusTorch has none; save tensor.dequantize()";
const META: &str = "a tensor on the device meta, which has no data";
const SUBCLASS: &str = "a tensor of a subclass that keeps its data elsewhere; save plain tensors";
const NESTED: &str = "a nested tensor, and RusTorch has none; save its parts";

/// What a name stands for. Modules that were renamed are known by both names.
pub(super) fn find(module: &str, name: &str) -> Global {
    use Function as F;
    let function = match (module, name) {
        ("torch._utils", "_rebuild_tensor") => F::RebuildTensor(TensorForm::First),
        ("torch._utils", "_rebuild_tensor_v2") => F::RebuildTensor(TensorForm::Second),
        ("torch._utils", "_rebuild_tensor_v3") => F::RebuildTensor(TensorForm::Third),
        ("torch._utils", "_rebuild_parameter") => F::RebuildParameter(false),
        ("torch._utils", "_rebuild_parameter_with_state") => F::RebuildParameter(true),
        ("torch._tensor", "_rebuild_from_type_v2") => F::RebuildFromType,
        ("torch._utils", "_rebuild_device_tensor_from_cpu_tensor") => F::RebuildOnDevice,
        ("torch" | "torch._tensor" | "torch.tensor", "Tensor") => F::TensorType,
        ("torch.nn.parameter" | "torch.nn", "Parameter") => F::Parameter,
        ("torch" | "torch._C", "Size") => F::Size,
        ("torch", "device") => F::Device,
        ("torch.serialization", "_get_layout") => F::Layout,
        ("collections", "OrderedDict") => F::OrderedDict,
        ("collections", "defaultdict") => F::DefaultDict,
        ("collections", "Counter") => F::Counter,
        ("builtins" | "__builtin__", _) => match name {
            "set" => F::Set,
            "frozenset" => F::FrozenSet,
            "bytes" => F::Bytes,
            "bytearray" => F::ByteArray,
            "complex" => F::Complex,
            "range" | "xrange" => F::Range,
            "slice" => F::Slice,
            "list" | "dict" | "tuple" | "int" | "float" | "bool" | "str" | "object" => F::Type,
            _ => return Global::Unknown,
        },
        ("copyreg" | "copy_reg", "_reconstructor") => F::Reconstruct,
        ("_codecs", "encode") => F::Encode,
        ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => F::NumpyReconstruct,
        ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => F::NumpyScalar,
        ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => F::NumpyFromBuffer,
        ("numpy", "dtype") => F::NumpyDType,
        ("numpy", "ndarray") => F::NumpyArray,
        ("torch._utils", _) => match name {
            "_rebuild_sparse_tensor" | "_rebuild_sparse_csr_tensor" => return Global::Refused(SPARSE),
            "_rebuild_qtensor" => return Global::Refused(QUANTIZED),
            "_rebuild_meta_tensor_no_storage" => return Global::Refused(META),
            "_rebuild_wrapper_subclass" => return Global::Refused(SUBCLASS),
            "_rebuild_nested_tensor" => return Global::Refused(NESTED),
            _ => return Global::Unknown,
        },
        ("torch" | "torch.storage" | "torch.cuda", _) => return of_torch(module, name),
        _ => return Global::Unknown,
    };
    Global::Function(function)
}

/// Storages, classes of tensors, dtypes and memory formats.
fn of_torch(module: &str, name: &str) -> Global {
    if let Some(word) = name.strip_suffix("Storage") {
        return match word {
            "Untyped" | "_Untyped" => Global::Function(Function::StorageType(None)),
            "QUInt8" | "QInt8" | "QInt32" | "QUInt4x2" | "QUInt2x4" => Global::Refused(QUANTIZED),
            word => match ElementType::of_class(word) {
                Some(element) => Global::Function(Function::StorageType(Some(element))),
                None => Global::Unknown,
            },
        };
    }
    if name.strip_suffix("Tensor").is_some_and(|word| ElementType::of_class(word).is_some()) {
        return Global::Function(Function::TensorType);
    }
    match name {
        _ if module != "torch" => Global::Unknown,
        "contiguous_format" => Global::MemoryFormat("contiguous_format"),
        "preserve_format" => Global::MemoryFormat("preserve_format"),
        "channels_last" => Global::MemoryFormat("channels_last"),
        "channels_last_3d" => Global::MemoryFormat("channels_last_3d"),
        "quint8" | "qint8" | "qint32" | "quint4x2" | "quint2x4" => Global::Refused(QUANTIZED),
        name => ElementType::named(name).map_or(Global::Unknown, Global::DType),
    }
}
