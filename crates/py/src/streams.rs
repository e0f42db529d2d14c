//! What the classes Stream and Event of `rustorch.cuda` and its like ask.

use std::sync::Arc;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rustorch_backend::{Event, StreamId, Streams};
use rustorch_tensor::{RusTorchError, registry};

use crate::devices::required;
use crate::errors::IntoPyResult;

/// The streams of a device, which must be there.
pub fn of(object: &Bound<'_, PyAny>) -> PyResult<&'static dyn Streams> {
    let device = required(object)?;
    let none = || RusTorchError::unsupported("stream", format!("{device} has no streams"));
    registry::backend(device).and_then(|backend| backend.streams().ok_or_else(none)).into_py(object.py())
}

/// A stream beside the default one: its number.
#[pyfunction]
fn _stream_create(device: &Bound<'_, PyAny>, priority: i32) -> PyResult<u32> {
    of(device)?.create(priority).map(|stream| stream.0).into_py(device.py())
}

/// The number of the stream to which this thread's work goes.
#[pyfunction]
fn _stream_current(device: &Bound<'_, PyAny>) -> PyResult<u32> {
    Ok(of(device)?.current().0)
}

/// Sets to which stream this thread's work goes.
#[pyfunction]
fn _stream_set_current(device: &Bound<'_, PyAny>, stream: u32) -> PyResult<()> {
    of(device)?.set_current(StreamId(stream)).into_py(device.py())
}

/// Whether a stream has done everything.
#[pyfunction]
fn _stream_query(device: &Bound<'_, PyAny>, stream: u32) -> PyResult<bool> {
    of(device)?.is_done(StreamId(stream)).into_py(device.py())
}

/// Waits until a stream has done everything.
#[pyfunction]
fn _stream_synchronize(device: &Bound<'_, PyAny>, stream: u32) -> PyResult<()> {
    let streams = of(device)?;
    device.py().detach(|| streams.synchronize(StreamId(stream))).into_py(device.py())
}

/// A point in a stream.
#[pyclass(name = "_Event", module = "rustorch._C", frozen)]
pub struct PyEvent {
    event: Arc<dyn Event>,
}

#[pymethods]
impl PyEvent {
    /// Marks a stream's end as it is now.
    #[new]
    fn new(device: &Bound<'_, PyAny>, stream: u32, timed: bool) -> PyResult<Self> {
        let event = of(device)?.record(StreamId(stream), timed).into_py(device.py())?;
        Ok(PyEvent { event })
    }

    /// Whether everything before it is done.
    fn query(&self, py: Python<'_>) -> PyResult<bool> {
        self.event.is_done().into_py(py)
    }

    /// Waits for everything before it.
    fn synchronize(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.event.wait()).into_py(py)
    }

    /// What a stream is asked for from now on begins after this point.
    fn delay(&self, device: &Bound<'_, PyAny>, stream: u32) -> PyResult<()> {
        let streams = of(device)?;
        let py = device.py();
        py.detach(|| streams.wait_event(StreamId(stream), self.event.as_ref())).into_py(py)
    }

    /// Milliseconds until a later point; both must be done.
    fn elapsed_time(&self, py: Python<'_>, end: &PyEvent) -> PyResult<f64> {
        if !self.event.is_done().into_py(py)? || !end.event.is_done().into_py(py)? {
            return Err(PyRuntimeError::new_err(
                "Both events must be completed before calculating elapsed time.",
            ));
        }
        py.detach(|| self.event.elapsed_time(end.event.as_ref())).into_py(py)
    }
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyEvent>()?;
    module.add_function(wrap_pyfunction!(_stream_create, module)?)?;
    module.add_function(wrap_pyfunction!(_stream_current, module)?)?;
    module.add_function(wrap_pyfunction!(_stream_set_current, module)?)?;
    module.add_function(wrap_pyfunction!(_stream_query, module)?)?;
    module.add_function(wrap_pyfunction!(_stream_synchronize, module)?)
}
