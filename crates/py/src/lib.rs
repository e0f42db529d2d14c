//! The Python module `rustorch._C`: converts arguments, releases the GIL, maps errors. No mathematics.
//!
//! Ops come from the table: [`generated`] holds them as data, [`arguments`] runs them. What is not an op (the class
//! Tensor, dtypes, devices, generators, automatic differentiation) is written by hand.
// The interpreter's C interface is unsafe; each use says why it holds.
#![allow(unsafe_code)]
// What is documented here is read as Python docstrings, in Python's words; PyO3 decides how arguments arrive.
#![allow(clippy::doc_markdown, clippy::needless_pass_by_value, clippy::unused_self)]

mod arguments;
mod autograd;
mod device;
mod devices;
mod dlpack;
mod dtype;
mod errors;
mod generated;
mod init;
mod interrupts;
mod memory_format;
mod model_io;
mod numpy;
mod optim;
mod random;
mod return_types;
mod sequences;
mod settings;
mod sharing;
mod size;
mod streams;
mod tensor;

use pyo3::prelude::*;
use rustorch_backend::memory::ReservingAllocator;

use crate::errors::IntoPyResult;

#[global_allocator]
static ALLOCATOR: ReservingAllocator = ReservingAllocator;

/// RusTorch's native module; use it through `rustorch`.
#[pymodule(name = "_C")]
fn native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    rustorch::init().into_py(module.py())?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    errors::register(module)?;
    dtype::register(module)?;
    module.add_class::<device::PyDevice>()?;
    memory_format::register(module)?;
    tensor::register(module)?;
    tensor::memory::register(module)?;
    random::register(module)?;
    settings::register(module)?;
    devices::register(module)?;
    streams::register(module)?;
    sharing::register(module)?;
    numpy::register(module)?;
    dlpack::register(module)?;
    autograd::register(module)?;
    init::register(module)?;
    optim::register(module)?;
    model_io::register(module)?;
    arguments::register(module, &module.py().get_type::<tensor::PyTensor>())?;
    // PyO3 lists what it adds; the public names are those of the Python packages.
    module.delattr("__all__")
}
