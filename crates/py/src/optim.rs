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

/// One step of SGD for a parameter group.
#[pyfunction]
fn _sgd_step(group: &Bound<'_, PyDict>, state: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = group.py();
    let key = intern!(py, "momentum_buffer");
    let group = Group { settings: group, state };
    let options = SgdOptions {
        learning_rate: group.number("lr")?,
        momentum: group.number("momentum")?,
        dampening: group.number("dampening")?,
        weight_decay: group.number("weight_decay")?,
        nesterov: group.get("nesterov")?,
        maximize: group.get("maximize")?,
    };
    let parameters = group.get::<Bound<'_, PyList>>("params")?;
    let Active { parameters, gradients, entries } =
        Active::of(&parameters, (options.momentum != 0.0).then_some(state))?;
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

/// A parameter group, which has the settings and the parameters, and the optimizer's state.
struct Group<'a, 'py> {
    settings: &'a Bound<'py, PyDict>,
    state: &'a Bound<'py, PyAny>,
}

impl<'py> Group<'_, 'py> {
    /// One step by a rule.
    fn run<R: Rule + Sync>(&self, rule: &R) -> PyResult<()> {
        let parameters = self.get::<Bound<'_, PyList>>("params")?;
        let Active { parameters, gradients, entries } = Active::of(&parameters, Some(self.state))?;
        let states = entries
            .iter()
            .zip(&parameters)
            .map(|(entry, parameter)| rule_state(rule, entry, parameter))
            .collect::<PyResult<Vec<_>>>()?;
        let py = self.settings.py();
        py.detach(|| rule_step(rule, &parameters, &gradients, &states)).into_py(py)
    }

    fn item(&self, name: &str) -> PyResult<Bound<'py, PyAny>> {
        self.settings
            .get_item(name)?
            .ok_or_else(|| PyValueError::new_err(format!("the parameter group lacks the setting '{name}'")))
    }

    fn get<T: FromPyObjectOwned<'py>>(&self, name: &str) -> PyResult<T> {
        self.item(name)?.extract().map_err(Into::into)
    }

    fn number(&self, name: &str) -> PyResult<f64> {
        crate::arguments::convert::float(&self.item(name)?)?
            .ok_or_else(|| PyValueError::new_err(format!("the setting '{name}' is not a number")))
    }

    fn betas(&self) -> PyResult<(f64, f64)> {
        match self.get::<Vec<f64>>("betas")?[..] {
            [first, second] => Ok((first, second)),
            _ => Err(PyValueError::new_err("the setting 'betas' is not two numbers")),
        }
    }

    fn decay(&self) -> PyResult<WeightDecay> {
        let decoupled = self.get::<bool>("decoupled_weight_decay")?;
        Ok(if decoupled { WeightDecay::Decoupled } else { WeightDecay::Gradient })
    }
}

/// One step of an optimizer whose update is one elementwise program, for a parameter group.
#[pyfunction]
fn _rule_step(kind: &str, group: &Bound<'_, PyDict>, state: &Bound<'_, PyAny>) -> PyResult<()> {
    let group = Group { settings: group, state };
    let learning_rate = group.number("lr")?;
    let maximize: bool = group.get("maximize")?;
    let weight_decay = if kind == "Rprop" { 0.0 } else { group.number("weight_decay")? };
    let eps = || group.number("eps");
    match kind {
        "Adam" => group.run(&Adam {
            learning_rate,
            betas: group.betas()?,
            eps: eps()?,
            weight_decay,
            decay: group.decay()?,
            amsgrad: group.get("amsgrad")?,
            maximize,
        }),
        "Adagrad" => group.run(&Adagrad {
            learning_rate,
            learning_rate_decay: group.number("lr_decay")?,
            weight_decay,
            initial_accumulator_value: group.number("initial_accumulator_value")?,
            eps: eps()?,
            maximize,
        }),
        "Adadelta" => group.run(&Adadelta {
            learning_rate,
            rho: group.number("rho")?,
            eps: eps()?,
            weight_decay,
            maximize,
        }),
        "Adamax" => {
            group.run(&Adamax { learning_rate, betas: group.betas()?, eps: eps()?, weight_decay, maximize })
        }
        "NAdam" => group.run(&NAdam {
            learning_rate,
            betas: group.betas()?,
            eps: eps()?,
            weight_decay,
            decay: group.decay()?,
            momentum_decay: group.number("momentum_decay")?,
            maximize,
        }),
        "RAdam" => group.run(&RAdam {
            learning_rate,
            betas: group.betas()?,
            eps: eps()?,
            weight_decay,
            decay: group.decay()?,
            maximize,
        }),
        "RMSprop" => group.run(&RmsProp {
            learning_rate,
            alpha: group.number("alpha")?,
            eps: eps()?,
            weight_decay,
            momentum: group.number("momentum")?,
            centered: group.get("centered")?,
            maximize,
        }),
        "ASGD" => group.run(&AveragedSgd {
            learning_rate,
            lambd: group.number("lambd")?,
            alpha: group.number("alpha")?,
            t0: group.number("t0")?,
            weight_decay,
            maximize,
        }),
        "Rprop" => group.run(&Rprop {
            learning_rate,
            etas: group.get("etas")?,
            step_sizes: group.get("step_sizes")?,
            maximize,
        }),
        _ => Err(PyValueError::new_err(format!("no optimizer of the name '{kind}' has a rule"))),
    }
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(_sgd_step, module)?)?;
    module.add_function(wrap_pyfunction!(_rule_step, module)?)
}
