//! Process-wide settings: default dtype, promotion rules, threads, memory.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rustorch::Float32Precision;
use rustorch_tensor::{Device, registry};

use crate::arguments::{convert, type_name};
use crate::dtype::{self, PyDType};
use crate::errors::{self, IntoPyResult};

/// The dtype of floats made from Python numbers.
#[pyfunction]
fn get_default_dtype(py: Python<'_>) -> PyResult<Bound<'_, PyDType>> {
    dtype::object(py, rustorch_tensor::default_dtype())
}

/// Changes the dtype of floats made from Python numbers.
#[pyfunction]
fn set_default_dtype(d: &Bound<'_, PyDType>) -> PyResult<()> {
    rustorch_tensor::set_default_dtype(d.get().dtype).into_py(d.py())
}

/// The dtype that both convert to.
#[pyfunction]
fn promote_types<'py>(
    type1: &Bound<'py, PyDType>,
    type2: &Bound<'py, PyDType>,
) -> PyResult<Bound<'py, PyDType>> {
    dtype::object(type1.py(), rustorch_tensor::promote(type1.get().dtype, type2.get().dtype))
}

/// Whether promotion lets a value of one dtype be written into a tensor of another.
#[pyfunction]
fn can_cast(from_: &Bound<'_, PyDType>, to: &Bound<'_, PyDType>) -> bool {
    rustorch_tensor::can_cast(from_.get().dtype, to.get().dtype)
}

/// The dtype of an op on two tensors or numbers.
#[pyfunction]
fn result_type<'py>(
    tensor1: &Bound<'py, PyAny>,
    tensor2: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDType>> {
    let read = |object: &Bound<'py, PyAny>| {
        convert::tensor_like(object)?.ok_or_else(|| {
            PyTypeError::new_err(format!(
                "result_type(): arguments must be Tensor or Number, not {}",
                type_name(object)
            ))
        })
    };
    let (a, b) = (read(tensor1)?, read(tensor2)?);
    dtype::object(tensor1.py(), rustorch_tensor::result_type(&[&a, &b]))
}

/// How many threads an op may use.
#[pyfunction]
fn get_num_threads() -> usize {
    rustorch::num_threads()
}

/// Sets how many threads an op may use.
#[pyfunction]
fn set_num_threads(num: usize) -> PyResult<()> {
    if num == 0 {
        return Err(PyValueError::new_err("set_num_threads(): expected a positive number of threads, got 0"));
    }
    rustorch::set_num_threads(num);
    Ok(())
}

/// How exactly libraries multiply float32 on a device: "highest", "high" or "medium".
#[pyfunction]
fn get_float32_matmul_precision() -> &'static str {
    rustorch::float32_matmul_precision().name()
}

/// Sets how exactly libraries multiply float32 in products of matrices and in convolutions: "highest" in float32, "high"
/// with TensorFloat32, "medium" with bfloat16. On devices without such a library (the CPU, OpenCL, Metal) it changes nothing.
#[pyfunction]
fn set_float32_matmul_precision(precision: &str) -> PyResult<()> {
    let Some(precision) = Float32Precision::from_name(precision) else {
        return Err(PyValueError::new_err(format!(
            "set_float32_matmul_precision(): expected 'highest', 'high' or 'medium', got '{precision}'"
        )));
    };
    rustorch::set_float32_matmul_precision(precision);
    Ok(())
}

/// Whether the same program must give the same bits each time, which it does by default; with `False`, GPUs may add what
/// meets at one place (`index_add`, `scatter_add`, the gradient of an embedding) by atomic additions, in whatever order.
/// Everything has a deterministic algorithm, so that `warn_only` changes nothing.
#[pyfunction]
#[pyo3(signature = (mode, *, warn_only=false))]
fn use_deterministic_algorithms(mode: bool, warn_only: bool) {
    let _ = warn_only;
    rustorch::backend::use_deterministic_algorithms(mode);
}

/// Whether the same program must give the same bits each time.
#[pyfunction]
fn are_deterministic_algorithms_enabled() -> bool {
    rustorch::backend::is_deterministic()
}

/// What the allocator of a device has handed out and keeps, in bytes unless the name says otherwise.
#[pyfunction]
#[pyo3(signature = (device=None))]
fn memory_stats<'py>(py: Python<'py>, device: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyDict>> {
    let stats = registry::backend(device_or_cpu(device)?).into_py(py)?.allocator().stats();
    let result = PyDict::new(py);
    result.set_item("allocated_bytes", stats.allocated)?;
    result.set_item("peak_allocated_bytes", stats.peak_allocated)?;
    result.set_item("cached_bytes", stats.cached)?;
    result.set_item("peak_reserved_bytes", stats.peak_reserved)?;
    result.set_item("allocations", stats.allocations)?;
    result.set_item("cache_hits", stats.cache_hits)?;
    Ok(result)
}

/// Counts the peaks of a device's memory anew, from what is in use and kept now.
#[pyfunction]
fn _reset_peak_memory_stats(device: &Bound<'_, PyAny>) -> PyResult<()> {
    let backend = registry::backend(device_or_cpu(Some(device))?).into_py(device.py())?;
    backend.allocator().reset_peaks();
    Ok(())
}

/// For tests: from now on `granted` requests of memory are granted and the next one is refused; `lasting`, all after it, too.
#[pyfunction]
fn _refuse_memory_after(granted: usize, lasting: bool) {
    rustorch_backend::memory::refuse_after(granted, lasting);
}

/// For tests: memory is granted again; how many requests were refused.
#[pyfunction]
fn _grant_memory() -> usize {
    rustorch_backend::memory::refuse_no_more()
}

/// Gives the memory that is kept for reuse back to the system.
#[pyfunction]
#[pyo3(signature = (device=None))]
fn empty_cache(py: Python<'_>, device: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    let backend = registry::backend(device_or_cpu(device)?).into_py(py)?;
    py.detach(|| backend.allocator().empty_cache());
    Ok(())
}

/// Waits for what is queued on devices, so that it is done, and its failures are heard, before the process ends. That a
/// device is lost is not said again to a program that an op has told so.
#[pyfunction]
fn _finish(py: Python<'_>) -> PyResult<()> {
    let failures = py.detach(registry::finish);
    failures.into_iter().find(|error| !errors::was_told(error)).map_or(Ok(()), Err).into_py(py)
}

fn device_or_cpu(device: Option<&Bound<'_, PyAny>>) -> PyResult<Device> {
    match device {
        Some(object) if !object.is_none() => crate::device::extract(object)?.ok_or_else(|| {
            PyTypeError::new_err(format!(
                "argument 'device' must be rustorch.device or str, not {}",
                type_name(object)
            ))
        }),
        _ => Ok(Device::CPU),
    }
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(get_default_dtype, module)?)?;
    module.add_function(wrap_pyfunction!(set_default_dtype, module)?)?;
    module.add_function(wrap_pyfunction!(promote_types, module)?)?;
    module.add_function(wrap_pyfunction!(can_cast, module)?)?;
    module.add_function(wrap_pyfunction!(result_type, module)?)?;
    module.add_function(wrap_pyfunction!(get_num_threads, module)?)?;
    module.add_function(wrap_pyfunction!(set_num_threads, module)?)?;
    module.add_function(wrap_pyfunction!(get_float32_matmul_precision, module)?)?;
    module.add_function(wrap_pyfunction!(set_float32_matmul_precision, module)?)?;
    module.add_function(wrap_pyfunction!(use_deterministic_algorithms, module)?)?;
    module.add_function(wrap_pyfunction!(are_deterministic_algorithms_enabled, module)?)?;
    module.add_function(wrap_pyfunction!(memory_stats, module)?)?;
    module.add_function(wrap_pyfunction!(_reset_peak_memory_stats, module)?)?;
    module.add_function(wrap_pyfunction!(_refuse_memory_after, module)?)?;
    module.add_function(wrap_pyfunction!(_grant_memory, module)?)?;
    module.add_function(wrap_pyfunction!(empty_cache, module)?)?;
    let finish = wrap_pyfunction!(_finish, module)?;
    module.py().import("atexit")?.call_method1("register", (&finish,))?;
    module.add_function(finish)
}
