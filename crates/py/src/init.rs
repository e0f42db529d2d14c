//! Initial values for `rustorch.nn.init`: a tensor in, the same tensor filled.

use pyo3::prelude::*;
use rustorch::nn::init::{self, FanMode};
use rustorch_tensor::{Generator, Tensor};

use crate::errors::IntoPyResult;
use crate::random::PyGenerator;
use crate::tensor::PyTensor;

type Object<'a, 'py> = &'a Bound<'py, PyTensor>;

/// Runs an initial distribution over a tensor and gives the tensor back.
fn fill<'py>(
    object: &Bound<'py, PyTensor>,
    generator: Option<&Bound<'py, PyGenerator>>,
    run: impl FnOnce(&Tensor, Option<&Generator>) -> rustorch_tensor::Result<()> + Send,
) -> PyResult<Bound<'py, PyTensor>> {
    let py = object.py();
    let tensor = object.get().tensor(object);
    let generator = generator.map(|g| g.get().generator.clone());
    py.detach(|| run(&tensor, generator.as_ref())).into_py(py)?;
    Ok(object.clone())
}

type Filled<'py> = PyResult<Bound<'py, PyTensor>>;
type MaybeGenerator<'a, 'py> = Option<&'a Bound<'py, PyGenerator>>;

#[pyfunction]
fn _init_uniform<'py>(
    tensor: Object<'_, 'py>,
    a: f64,
    b: f64,
    generator: MaybeGenerator<'_, 'py>,
) -> Filled<'py> {
    fill(tensor, generator, |t, g| init::uniform_(t, a, b, g))
}

#[pyfunction]
fn _init_normal<'py>(
    tensor: Object<'_, 'py>,
    mean: f64,
    std: f64,
    generator: MaybeGenerator<'_, 'py>,
) -> Filled<'py> {
    fill(tensor, generator, |t, g| init::normal_(t, mean, std, g))
}

#[pyfunction]
fn _init_trunc_normal<'py>(
    tensor: Object<'_, 'py>,
    mean: f64,
    std: f64,
    a: f64,
    b: f64,
    generator: MaybeGenerator<'_, 'py>,
) -> Filled<'py> {
    fill(tensor, generator, |t, g| init::trunc_normal_(t, mean, std, a, b, g))
}

#[pyfunction]
fn _init_constant<'py>(tensor: Object<'_, 'py>, val: f64) -> Filled<'py> {
    fill(tensor, None, |t, _| init::constant_(t, val.into()))
}

#[pyfunction]
fn _init_eye<'py>(tensor: Object<'_, 'py>) -> Filled<'py> {
    fill(tensor, None, |t, _| init::eye_(t))
}

#[pyfunction]
fn _init_dirac<'py>(tensor: Object<'_, 'py>, groups: usize) -> Filled<'py> {
    fill(tensor, None, |t, _| init::dirac_(t, groups))
}

#[pyfunction]
fn _init_xavier<'py>(
    tensor: Object<'_, 'py>,
    gain: f64,
    uniform: bool,
    generator: MaybeGenerator<'_, 'py>,
) -> Filled<'py> {
    let run = if uniform { init::xavier_uniform_ } else { init::xavier_normal_ };
    fill(tensor, generator, |t, g| run(t, gain, g))
}

#[pyfunction]
fn _init_kaiming<'py>(
    tensor: Object<'_, 'py>,
    a: f64,
    mode: &str,
    nonlinearity: &str,
    uniform: bool,
    generator: MaybeGenerator<'_, 'py>,
) -> Filled<'py> {
    let mode = FanMode::parse(mode).into_py(tensor.py())?;
    let run = if uniform { init::kaiming_uniform_ } else { init::kaiming_normal_ };
    fill(tensor, generator, |t, g| run(t, a, mode, nonlinearity, g))
}

#[pyfunction]
fn _init_orthogonal<'py>(
    tensor: Object<'_, 'py>,
    gain: f64,
    generator: MaybeGenerator<'_, 'py>,
) -> Filled<'py> {
    fill(tensor, generator, |t, g| init::orthogonal_(t, gain, g))
}

#[pyfunction]
fn _calculate_gain(py: Python<'_>, nonlinearity: &str, param: Option<f64>) -> PyResult<f64> {
    init::calculate_gain(nonlinearity, param).into_py(py)
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(_init_uniform, module)?)?;
    module.add_function(wrap_pyfunction!(_init_normal, module)?)?;
    module.add_function(wrap_pyfunction!(_init_trunc_normal, module)?)?;
    module.add_function(wrap_pyfunction!(_init_constant, module)?)?;
    module.add_function(wrap_pyfunction!(_init_eye, module)?)?;
    module.add_function(wrap_pyfunction!(_init_dirac, module)?)?;
    module.add_function(wrap_pyfunction!(_init_xavier, module)?)?;
    module.add_function(wrap_pyfunction!(_init_kaiming, module)?)?;
    module.add_function(wrap_pyfunction!(_init_orthogonal, module)?)?;
    module.add_function(wrap_pyfunction!(_calculate_gain, module)?)
}
