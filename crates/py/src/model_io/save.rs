//! Python's values as files.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rustorch::model_io::Format;
use rustorch::model_io::common::output::Output;
use rustorch::model_io::common::replace::replace_file;
use rustorch::model_io::pytorch::PyTorch;

use super::plain;
use crate::errors::IntoPyResult;

/// How many bytes a file of Python's is handed at once.
const BUFFER: usize = 256 << 10;

/// An open file of Python's; an exception of its waits in `raised`, because a writer cannot carry it.
struct PyFile<'a> {
    file: &'a Py<PyAny>,
    raised: Option<PyErr>,
}

impl Write for PyFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Python::attach(|py| {
            let written = self.file.bind(py).call_method1("write", (PyBytes::new(py, bytes),));
            // What a raw file gives is how much it took; others take all.
            let count = written.map(|count| count.extract().unwrap_or(bytes.len()).min(bytes.len()));
            count.map_err(|error| {
                self.raised = Some(error);
                io::Error::other("the file's write() raised an exception")
            })
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes values to a file at a path, which appears only when it is complete.
#[pyfunction]
fn _save_file(value: &Bound<'_, PyAny>, path: PathBuf) -> PyResult<()> {
    let py = value.py();
    let content = plain::content(value)?;
    py.detach(|| replace_file("save", &path, |to| PyTorch.write(&content, to))).into_py(py)
}

/// Writes values to an open file.
#[pyfunction]
fn _save_to(value: &Bound<'_, PyAny>, file: Py<PyAny>) -> PyResult<()> {
    let py = value.py();
    let content = plain::content(value)?;
    let mut target = PyFile { file: &file, raised: None };
    let written = py.detach(|| {
        let mut buffered = BufWriter::with_capacity(BUFFER, &mut target);
        let mut to = Output::new("the file", &mut buffered);
        let written = PyTorch.write(&content, &mut to).and_then(|()| to.flush());
        // What could not be written is not tried again when the writer is dropped.
        let _ = buffered.into_parts();
        written
    });
    match target.raised {
        Some(raised) => Err(raised),
        None => written.into_py(py),
    }
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(_save_file, module)?)?;
    module.add_function(wrap_pyfunction!(_save_to, module)?)
}
