//! The steps of optimizers: one call per parameter group. The state lives in Python's dictionaries, as PyTorch's does.

use pyo3::conversion::FromPyObjectOwned;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use rustorch::nn::optim::{
    Adadelta, Adagrad, Adam, Adamax, AveragedSgd, NAdam, RAdam, RmsProp, Rprop, Rule, RuleState, SgdOptions,
    WeightDecay, rule_step, sgd_step,
};
use rustorch_tensor::Tensor;

use crate::errors::IntoPyResult;
use crate::tensor::{PyTensor, wrap};

/// The parameters that have a gradient, with their gradients and their entries in the optimizer's state.
struct Active<'py> {
    parameters: Vec<Tensor>,
    gradients: Vec<Tensor>,
    entries: Vec<Bound<'py, PyDict>>,
}

impl<'py> Active<'py> {
    /// `state` gives an empty dictionary for a parameter that has none yet (a defaultdict).
    fn of(parameters: &Bound<'py, PyList>, state: Option<&Bound<'py, PyAny>>) -> PyResult<Self> {
        let n = parameters.len();
        let mut active = Active {
            parameters: Vec::with_capacity(n),
            gradients: Vec::with_capacity(n),
            entries: Vec::with_capacity(if state.is_some() { n } else { 0 }),
        };
        for object in parameters {
            let object = object.cast_into::<PyTensor>()?;
            let tensor = object.get().tensor(&object);
            let Some(grad) = tensor.grad() else { continue };
            active.parameters.push(tensor);
            active.gradients.push(grad);
            if let Some(state) = state {
                active.entries.push(state.get_item(&object)?.cast_into::<PyDict>()?);
            }
        }
        Ok(active)
    }
}

fn state_tensor(entry: &Bound<'_, PyDict>, key: &Bound<'_, PyString>) -> PyResult<Option<Tensor>> {
    match entry.get_item(key)? {
        Some(value) if !value.is_none() => {
            let object = value.cast_into::<PyTensor>()?;
            Ok(Some(object.get().tensor(&object)))
        }
        _ => Ok(None),
    }
}

/// One step of SGD for a list of parameters.
#[pyfunction]
fn _sgd_step(
    parameters: &Bound<'_, PyList>,
    state: &Bound<'_, PyAny>,
    lr: f64,
    momentum: f64,
    dampening: f64,
    weight_decay: f64,
    nesterov: bool,
    maximize: bool,
) -> PyResult<()> {
    let py = parameters.py();
    let key = intern!(py, "momentum_buffer");
    let options = SgdOptions { learning_rate: lr, momentum, dampening, weight_decay, nesterov, maximize };
    let Active { parameters, gradients, entries } =
        Active::of(parameters, (momentum != 0.0).then_some(state))?;
    let mut buffers: Vec<Option<Tensor>> = vec![None; parameters.len()];
    for (buffer, entry) in buffers.iter_mut().zip(&entries) {
        *buffer = state_tensor(entry, key)?;
    }
    let fresh: Vec<bool> = buffers.iter().map(Option::is_none).collect();
    py.detach(|| sgd_step(&options, &parameters, &gradients, &mut buffers)).into_py(py)?;
    for ((entry, buffer), fresh) in entries.iter().zip(buffers).zip(fresh) {
        if let Some(buffer) = buffer
            && fresh
        {
            entry.set_item(key, wrap(py, buffer)?)?;
        }
    }
    Ok(())
}

/// A parameter's state in its dictionary; one that is not there yet is made.
fn rule_state<R: Rule>(rule: &R, entry: &Bound<'_, PyDict>, parameter: &Tensor) -> PyResult<RuleState> {
    let py = entry.py();
    let key = |name: &str| PyString::new(py, name);
    let find = |names: rustorch::nn::optim::Slots| -> PyResult<Option<Vec<Tensor>>> {
        names.into_iter().map(|(name, _)| state_tensor(entry, &key(name))).collect()
    };
    if let Some(step) = state_tensor(entry, intern!(py, "step"))?
        && let (Some(numbers), Some(tensors)) = (find(rule.numbers())?, find(rule.state())?)
    {
        return Ok(RuleState { step, numbers, tensors });
    }
    if !entry.is_empty() {
        let names: Vec<_> = rule.numbers().into_iter().chain(rule.state()).map(|(name, _)| name).collect();
        return Err(PyValueError::new_err(format!(
            "{}: the state of a parameter needs 'step' and {names:?}, but has {}; load a state of the same settings, or \
             clear it",
            R::NAME,
            entry.keys()
        )));
    }
    let state = RuleState::new(rule, parameter).into_py(py)?;
    entry.set_item(intern!(py, "step"), wrap(py, state.step.clone())?)?;
    let names = rule.numbers().into_iter().chain(rule.state());
    for ((name, _), tensor) in names.zip(state.numbers.iter().chain(&state.tensors)) {
        entry.set_item(key(name), wrap(py, tensor.clone())?)?;
    }
    Ok(state)
}

fn run_rule<R: Rule + Sync>(rule: &R, group: &Bound<'_, PyDict>, state: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = group.py();
    let parameters = setting::<Bound<'_, PyList>>(group, "params")?;
    let Active { parameters, gradients, entries } = Active::of(&parameters, Some(state))?;
    let states = entries
        .iter()
        .zip(&parameters)
        .map(|(entry, parameter)| rule_state(rule, entry, parameter))
        .collect::<PyResult<Vec<_>>>()?;
    py.detach(|| rule_step(rule, &parameters, &gradients, &states)).into_py(py)
}

/// A setting of a parameter group.
fn setting<'py, T: FromPyObjectOwned<'py>>(group: &Bound<'py, PyDict>, name: &str) -> PyResult<T> {
    match group.get_item(name)? {
        Some(value) => value.extract().map_err(Into::into),
        None => Err(PyValueError::new_err(format!("the parameter group lacks the setting '{name}'"))),
    }
}

/// One step of an optimizer whose update is one elementwise program, for a parameter group.
#[pyfunction]
fn _rule_step(kind: &str, group: &Bound<'_, PyDict>, state: &Bound<'_, PyAny>) -> PyResult<()> {
    let number = |name: &str| match group.get_item(name)? {
        Some(value) => match crate::arguments::convert::float(&value)? {
            Some(number) => Ok(number),
            None => Err(PyValueError::new_err(format!("the setting '{name}' is not a number"))),
        },
        None => Err(PyValueError::new_err(format!("the parameter group lacks the setting '{name}'"))),
    };
    let learning_rate = number("lr")?;
    let maximize: bool = setting(group, "maximize")?;
    let weight_decay = if kind == "Rprop" { 0.0 } else { number("weight_decay")? };
    let eps = || number("eps");
    let betas = || match setting::<Vec<f64>>(group, "betas")?[..] {
        [first, second] => Ok((first, second)),
        _ => Err(PyValueError::new_err("the setting 'betas' is not two numbers")),
    };
    let decay = || {
        setting::<bool>(group, "decoupled_weight_decay")
            .map(|decoupled| if decoupled { WeightDecay::Decoupled } else { WeightDecay::Gradient })
    };
    match kind {
        "Adam" => run_rule(
            &Adam {
                learning_rate,
                betas: betas()?,
                eps: eps()?,
                weight_decay,
                decay: decay()?,
                amsgrad: setting(group, "amsgrad")?,
                maximize,
            },
            group,
            state,
        ),
        "Adagrad" => run_rule(
            &Adagrad {
                learning_rate,
                learning_rate_decay: number("lr_decay")?,
                weight_decay,
                initial_accumulator_value: number("initial_accumulator_value")?,
                eps: eps()?,
                maximize,
            },
            group,
            state,
        ),
        "Adadelta" => run_rule(
            &Adadelta { learning_rate, rho: number("rho")?, eps: eps()?, weight_decay, maximize },
            group,
            state,
        ),
        "Adamax" => run_rule(
            &Adamax { learning_rate, betas: betas()?, eps: eps()?, weight_decay, maximize },
            group,
            state,
        ),
        "NAdam" => run_rule(
            &NAdam {
                learning_rate,
                betas: betas()?,
                eps: eps()?,
                weight_decay,
                decay: decay()?,
                momentum_decay: number("momentum_decay")?,
                maximize,
            },
            group,
            state,
        ),
        "RAdam" => run_rule(
            &RAdam { learning_rate, betas: betas()?, eps: eps()?, weight_decay, decay: decay()?, maximize },
            group,
            state,
        ),
        "RMSprop" => run_rule(
            &RmsProp {
                learning_rate,
                alpha: number("alpha")?,
                eps: eps()?,
                weight_decay,
                momentum: number("momentum")?,
                centered: setting(group, "centered")?,
                maximize,
            },
            group,
            state,
        ),
        "ASGD" => run_rule(
            &AveragedSgd {
                learning_rate,
                lambd: number("lambd")?,
                alpha: number("alpha")?,
                t0: number("t0")?,
                weight_decay,
                maximize,
            },
            group,
            state,
        ),
        "Rprop" => run_rule(
            &Rprop {
                learning_rate,
                etas: setting(group, "etas")?,
                step_sizes: setting(group, "step_sizes")?,
                maximize,
            },
            group,
            state,
        ),
        _ => Err(PyValueError::new_err(format!("no optimizer of the name '{kind}' has a rule"))),
    }
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(_sgd_step, module)?)?;
    module.add_function(wrap_pyfunction!(_rule_step, module)?)
}
