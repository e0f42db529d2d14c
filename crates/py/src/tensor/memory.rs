//! A tensor's memory: its storage, its size in place, its format.

use std::sync::Arc;

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};
use rustorch_backend::{Device, Dims, StreamId, contiguous_strides};
use rustorch_tensor::pinned;
use rustorch_tensor::{
    DType, DeviceKind, Layout, MemoryFormat, RusTorchError, Shape, Storage, Tensor, autograd, ops,
};

use super::{PyTensor, wrap};
use crate::arguments::{convert, type_name};
use crate::device::PyDevice;
use crate::errors::IntoPyResult;
use crate::memory_format::{PyMemoryFormat, strided};

/// The memory under tensors, as bytes: views share one.
#[pyclass(name = "UntypedStorage", module = "rustorch", weakref, frozen)]
pub struct PyStorage {
    /// The core's handle of it.
    pub storage: Arc<Storage>,
}

#[pymethods]
impl PyStorage {
    /// The address of the first byte.
    fn data_ptr(&self) -> usize {
        if self.nbytes() == 0 { 0 } else { self.storage.buffer().address().as_ptr() as usize }
    }

    /// How many bytes there are.
    fn nbytes(&self) -> usize {
        self.storage.buffer().bytes()
    }

    /// How many bytes there are.
    fn size(&self) -> usize {
        self.nbytes()
    }

    fn __len__(&self) -> usize {
        self.nbytes()
    }

    /// Where the memory is.
    #[getter]
    fn device(&self) -> PyDevice {
        PyDevice { device: self.storage.device() }
    }

    /// The bytes as numbers.
    fn tolist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyList>> {
        let mut bytes = Vec::new();
        rustorch_backend::memory::reserve(&mut bytes, self.nbytes()).into_py(py)?;
        bytes.resize(self.nbytes(), 0);
        let backend = rustorch_tensor::registry::backend(self.storage.device()).into_py(py)?;
        backend.read(self.storage.buffer(), 0, &mut bytes).into_py(py)?;
        pyo3::types::PyList::new(py, bytes.iter().map(|&byte| usize::from(byte)))
    }

    /// The same bytes on another device; the storage itself when it is there already.
    fn to<'py>(slf: &Bound<'py, Self>, device: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Self>> {
        let py = slf.py();
        let device = crate::devices::required(device)?;
        if slf.get().storage.device().is_same(device) {
            return Ok(slf.clone());
        }
        let storage =
            rustorch::model_io::common::destination::moved(&slf.get().storage, device).into_py(py)?;
        Bound::new(py, PyStorage { storage })
    }

    /// The same bytes in main memory.
    fn cpu<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        Self::to(slf, pyo3::types::PyString::new(slf.py(), "cpu").as_any())
    }

    /// Whether other processes see the memory: never.
    fn is_shared(&self) -> bool {
        false
    }

    fn __reduce_ex__<'py>(slf: &Bound<'py, Self>, protocol: usize) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("rustorch._tensor")?.call_method1("reduce_storage", (slf, protocol))
    }

    fn __repr__(&self) -> String {
        format!("UntypedStorage({} bytes on {})", self.nbytes(), self.storage.device())
    }
}

/// Sizes that are none below 0.
pub fn sizes(op: &str, sizes: &[i64]) -> PyResult<Shape> {
    sizes
        .iter()
        .map(|&n| {
            usize::try_from(n)
                .map_err(|_| PyRuntimeError::new_err(format!("{op}(): {sizes:?} has a negative size")))
        })
        .collect()
}

fn no_gradients(op: &'static str, py: Python<'_>, tensor: &Tensor) -> PyResult<()> {
    if tensor.requires_grad() {
        let message = "cannot resize variables that require grad";
        return Err(RusTorchError::autograd(op, message)).into_py(py);
    }
    Ok(())
}

fn row_major(op: &str, format: Option<&Bound<'_, PyMemoryFormat>>) -> PyResult<()> {
    match format.map(|format| format.get().format) {
        None | Some(MemoryFormat::Contiguous | MemoryFormat::Preserve) => Ok(()),
        Some(_) => Err(PyRuntimeError::new_err(format!(
            "{op}(): only row-major tensors can be resized; use contiguous(memory_format=...) afterwards"
        ))),
    }
}

/// The class of tensors of a dtype, as old programs name it.
fn class_name(dtype: DType) -> &'static str {
    match dtype {
        DType::Bool => "rustorch.BoolTensor",
        DType::UInt8 => "rustorch.ByteTensor",
        DType::Int8 => "rustorch.CharTensor",
        DType::Int16 => "rustorch.ShortTensor",
        DType::Int32 => "rustorch.IntTensor",
        DType::Int64 => "rustorch.LongTensor",
        DType::Float16 => "rustorch.HalfTensor",
        DType::BFloat16 => "rustorch.BFloat16Tensor",
        DType::Float32 => "rustorch.FloatTensor",
        DType::Float64 => "rustorch.DoubleTensor",
        DType::Complex64 => "rustorch.ComplexFloatTensor",
        DType::Complex128 => "rustorch.ComplexDoubleTensor",
    }
}

#[pymethods]
impl PyTensor {
    /// The memory, which views share.
    fn untyped_storage(&self) -> PyStorage {
        PyStorage { storage: self.with(|t| t.storage().clone()) }
    }

    /// Whether the elements lie without gaps in row-major order, or in that of `memory_format`.
    #[pyo3(signature = (memory_format=None))]
    fn is_contiguous(
        &self,
        py: Python<'_>,
        memory_format: Option<&Bound<'_, PyMemoryFormat>>,
    ) -> PyResult<bool> {
        let format = memory_format.map_or(MemoryFormat::Contiguous, |format| format.get().format);
        self.with(|t| t.is_contiguous_in(format)).into_py(py)
    }

    /// Gives this tensor another shape in place; what is new in it is unspecified. Memory is kept where it is large
    /// enough; else the tensor moves to a larger storage, which its views do not follow.
    #[pyo3(signature = (*sizes, memory_format=None))]
    fn resize_<'py>(
        slf: Bound<'py, Self>,
        sizes: &Bound<'py, PyTuple>,
        memory_format: Option<&Bound<'py, PyMemoryFormat>>,
    ) -> PyResult<Bound<'py, Self>> {
        row_major("resize_", memory_format)?;
        no_gradients("resize_", slf.py(), &slf.get().tensor(&slf))?;
        let first = if sizes.len() == 1 { sizes.get_item(0)? } else { sizes.clone().into_any() };
        let shape = convert::ints(&first)?.ok_or_else(|| {
            PyTypeError::new_err(format!("resize_(): expected sizes, not {}", type_name(&first)))
        })?;
        slf.get().resize(&slf, &self::sizes("resize_", &shape)?).into_py(slf.py())?;
        Ok(slf)
    }

    /// Gives this tensor the shape of another, as resize_() does.
    #[pyo3(signature = (other, memory_format=None))]
    fn resize_as_<'py>(
        slf: Bound<'py, Self>,
        other: &Bound<'py, PyTensor>,
        memory_format: Option<&Bound<'py, PyMemoryFormat>>,
    ) -> PyResult<Bound<'py, Self>> {
        row_major("resize_as_", memory_format)?;
        no_gradients("resize_as_", slf.py(), &slf.get().tensor(&slf))?;
        let shape = other.get().with(|t| Shape::from_slice(t.shape()));
        slf.get().resize(&slf, &shape).into_py(slf.py())?;
        Ok(slf)
    }

    /// Makes this tensor show other memory: a tensor's or a storage's, from `storage_offset` on, with `size` and `stride`.
    /// Without a source it becomes empty.
    #[pyo3(signature = (source=None, storage_offset=0, size=None, stride=None))]
    fn set_<'py>(
        slf: Bound<'py, Self>,
        source: Option<&Bound<'py, PyAny>>,
        storage_offset: usize,
        #[pyo3(from_py_with = convert::optional_ints)] size: Option<Dims<i64>>,
        #[pyo3(from_py_with = convert::optional_ints)] stride: Option<Dims<i64>>,
    ) -> PyResult<Bound<'py, Self>> {
        let py = slf.py();
        let tensor = slf.get().tensor(&slf);
        if autograd::mode::is_enabled() {
            no_gradients("set_", py, &tensor)?;
        }
        let (storage, whole) = match source {
            None => {
                (Tensor::empty(&[0], tensor.dtype(), tensor.device()).into_py(py)?.storage().clone(), None)
            }
            Some(source) => {
                if let Ok(storage) = source.cast::<PyStorage>() {
                    (storage.get().storage.clone(), None)
                } else if let Ok(other) = source.cast::<PyTensor>() {
                    let other = other.get().tensor(other);
                    if other.dtype() != tensor.dtype() {
                        let message =
                            format!("the source has dtype {}, this tensor {}", other.dtype(), tensor.dtype());
                        return Err(RusTorchError::dtype("set_", message)).into_py(py);
                    }
                    (other.storage().clone(), Some(other.layout().clone()))
                } else {
                    return Err(PyTypeError::new_err(format!(
                        "set_(): argument 'source' must be a Tensor or an UntypedStorage, not {}",
                        type_name(source)
                    )));
                }
            }
        };
        let layout = match (size, whole) {
            (None, Some(layout)) => layout,
            (None, None) => {
                Layout::contiguous("set_", &[storage.buffer().bytes() / tensor.dtype().size()]).into_py(py)?
            }
            (Some(size), _) => {
                let shape = sizes("set_", &size)?;
                let strides = match stride {
                    Some(stride) if stride.len() != shape.len() || stride.iter().any(|&s| s < 0) => {
                        return Err(PyRuntimeError::new_err(format!(
                            "set_(): strides {stride:?} do not fit sizes {size:?}"
                        )));
                    }
                    Some(stride) => stride.into_iter().map(|s| s as isize).collect(),
                    None => contiguous_strides(&shape),
                };
                Layout::new("set_", shape, strides, storage_offset).into_py(py)?
            }
        };
        let shown = Tensor::from_storage(storage, layout, tensor.dtype()).into_py(py)?;
        slf.get().replace(tensor.with_data(&shown));
        Ok(slf)
    }

    /// The name of the class that old programs would give this dtype; with `dtype`, the tensor converted to it.
    #[pyo3(signature = (dtype=None, non_blocking=false))]
    fn r#type<'py>(
        slf: &Bound<'py, Self>,
        dtype: Option<&Bound<'py, PyAny>>,
        non_blocking: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _ = non_blocking;
        let py = slf.py();
        let Some(dtype) = dtype.filter(|dtype| !dtype.is_none()) else {
            return Ok(class_name(slf.get().with(Tensor::dtype)).into_pyobject(py)?.into_any());
        };
        let target = match dtype.extract::<String>() {
            Ok(name) => DType::ALL.into_iter().find(|&d| {
                let class = class_name(d);
                class == name || class.strip_prefix("rus") == Some(&name)
            }),
            Err(_) => crate::dtype::extract(dtype),
        };
        let target = target.ok_or_else(|| {
            PyTypeError::new_err(format!("type(): {dtype} is no dtype; give one such as rustorch.float32"))
        })?;
        slf.call_method1("to", (crate::dtype::object(py, target)?,))
    }

    /// Another object, of the class `cls`, for the same data and history.
    fn as_subclass<'py>(slf: &Bound<'py, Self>, cls: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if !cls.is_subclass_of::<PyTensor>()? {
            return Err(PyTypeError::new_err(format!(
                "as_subclass(): {} is no subclass of Tensor",
                cls.name()?
            )));
        }
        let object = py.get_type::<PyTensor>().call_method1("__new__", (cls, slf))?;
        let tensor = slf.get().tensor(slf);
        let shape: Vec<i64> = tensor.shape().iter().map(|&n| n as i64).collect();
        object.cast::<PyTensor>()?.get().replace(ops::view(&tensor, &shape).into_py(py)?);
        Ok(object)
    }

    /// How the elements are found: by strides.
    #[getter]
    fn layout<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        strided(py)
    }

    /// Whether other processes see the memory: never.
    fn is_shared(&self) -> bool {
        false
    }

    /// Whether a device copies from and to the memory at its own time: what `pin_memory()` gave.
    #[pyo3(signature = (device=None))]
    fn is_pinned(&self, device: Option<&Bound<'_, PyAny>>) -> bool {
        let _ = device;
        self.with(pinned::is_pinned)
    }

    /// A copy in memory that a device copies from and to at its own time, so that `to(device, non_blocking=True)` need
    /// not be waited for; the tensor itself when it is pinned. `device` is by default the first kind that is there.
    #[pyo3(signature = (device=None))]
    fn pin_memory<'py>(
        slf: &Bound<'py, Self>,
        device: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let tensor = slf.get().tensor(slf);
        if pinned::is_pinned(&tensor) {
            return Ok(slf.clone().into_any());
        }
        let device = device.filter(|device| !device.is_none()).map(crate::devices::required).transpose()?;
        let result = slf.py().detach(|| pinned::pin_memory(&tensor, device));
        wrap(slf.py(), result.into_py(slf.py())?)
    }

    /// Says that a stream other than the one that allocated the memory uses it: the memory is not handed out again before
    /// what that stream was asked for until then is done.
    fn record_stream(slf: &Bound<'_, Self>, stream: &Bound<'_, PyAny>) -> PyResult<()> {
        let part = |name: &str| {
            stream.getattr(name).map_err(|_| {
                PyTypeError::new_err(format!(
                    "record_stream(): argument 'stream' must be a stream, one of the ones that rustorch.Stream() makes, not {}",
                    type_name(stream)
                ))
            })
        };
        let (device, tensor) = (part("device")?, slf.get().tensor(slf));
        let streams = crate::streams::of(&device)?;
        let of: Device = crate::devices::required(&device)?;
        if !of.is_same(tensor.device()) {
            let message = format!("the stream is of {of}, the tensor on {}", tensor.device());
            return Err(RusTorchError::device("record_stream", message)).into_py(slf.py());
        }
        let stream = StreamId(part("stream_id")?.extract()?);
        streams.record_use(tensor.storage().buffer(), stream).into_py(slf.py())
    }

    /// The number of the device, -1 for main memory.
    fn get_device(&self) -> i64 {
        self.with(|t| if t.device().is_cpu() { -1 } else { t.device().index.map_or(-1, i64::from) })
    }

    /// Whether the one element differs from zero.
    fn is_nonzero(slf: &Bound<'_, Self>) -> PyResult<bool> {
        slf.is_truthy()
    }

    /// Whether the data is on a GPU of NVIDIA's.
    #[getter]
    fn is_cuda(&self) -> bool {
        self.with(|t| t.device().kind == DeviceKind::Cuda)
    }

    /// Whether the data is on an OpenCL device.
    #[getter]
    fn is_opencl(&self) -> bool {
        self.with(|t| t.device().kind == DeviceKind::OpenCl)
    }

    /// Whether the data is on a GPU of Apple's.
    #[getter]
    fn is_metal(&self) -> bool {
        self.with(|t| t.device().kind == DeviceKind::Metal)
    }

    /// PyTorch's name of `is_metal`.
    #[getter]
    fn is_mps(&self) -> bool {
        self.is_metal()
    }

    /// Whether only shape and dtype exist: never.
    #[getter]
    fn is_meta(&self) -> bool {
        false
    }

    /// Whether zeros are left out: never.
    #[getter]
    fn is_sparse(&self) -> bool {
        false
    }

    /// Whether the elements are quantized: never.
    #[getter]
    fn is_quantized(&self) -> bool {
        false
    }

    /// Whether the rows have sizes of their own: never.
    #[getter]
    fn is_nested(&self) -> bool {
        false
    }

    /// A tensor's rows in reverse order.
    fn __reversed__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let tensor = slf.get().tensor(slf);
        if tensor.ndim() == 0 {
            return Ok(slf.clone().into_any());
        }
        wrap(slf.py(), ops::flip(&tensor, &[0]).into_py(slf.py())?)
    }
}

/// Adds the class to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyStorage>()
}
