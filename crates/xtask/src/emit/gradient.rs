//! What a row's gradient needs: which values are saved, whose shapes are kept.

use std::collections::{BTreeMap, BTreeSet};

use crate::formula::{Expr, parse};
use crate::signature::{Parameter, Type};
use crate::table::{Gradient, Op, pascal};

/// A row's gradient, ready to be written.
pub(super) struct Backward {
    pub(super) node: String,
    /// Per argument with a formula: name and parsed formula.
    pub(super) formulas: Vec<(String, Expr)>,
    /// Tensors whose values formulas use, each with the targets that need it.
    pub(super) saved: BTreeMap<String, BTreeSet<String>>,
    /// Other arguments that formulas use.
    pub(super) captured: BTreeSet<String>,
    /// Tensors whose shape or dtype is kept.
    pub(super) origins: BTreeSet<String>,
}

pub(super) fn backward(op: &Op) -> Result<Option<Backward>, String> {
    let formulas = match &op.gradient {
        Gradient::Formulas(formulas) => {
            formulas.iter().map(|(t, f)| Ok((t.clone(), parse(f)?))).collect::<Result<Vec<_>, String>>()?
        }
        Gradient::Zero | Gradient::Missing(_) => Vec::new(),
        Gradient::NotDifferentiable | Gradient::Inherited => return Ok(None),
    };
    let mut b = Backward {
        node: format!("{}Backward", pascal(op.rust_name.trim_end_matches('_'))),
        saved: BTreeMap::new(),
        captured: BTreeSet::new(),
        origins: formulas.iter().map(|(t, _)| t.clone()).collect(),
        formulas,
    };
    if matches!(op.gradient, Gradient::Zero) {
        b.origins.extend(op.tensors().map(|p| p.name.clone()));
    }
    for (target, expr) in &b.formulas {
        expr.names(&mut |name, attribute| {
            if name == "grad" || matches!(name, "true" | "false" | "None") {
                return;
            }
            if let Some(attribute) = attribute {
                if attribute != "wanted" {
                    b.origins.insert(name.into());
                }
                return;
            }
            let tensor = op.returns.iter().any(|r| r == name)
                || op.parameters.iter().any(|p| p.name == name && p.kind.is_tensor());
            if tensor {
                b.saved.entry(name.into()).or_default().insert(target.clone());
            } else {
                b.captured.insert(name.into());
            }
        });
    }
    Ok(Some(b))
}

pub(super) fn is_optional(op: &Op, name: &str) -> bool {
    op.parameters.iter().any(|p| p.name == name && p.kind.is_optional())
}

pub(super) fn list_parameter(op: &Op) -> Option<&str> {
    op.parameters.iter().find(|p| p.kind == Type::TensorList).map(|p| p.name.as_str())
}

/// The inputs of the node: tensor arguments in order, or the list.
pub(super) fn inputs(op: &Op) -> Vec<&Parameter> {
    op.parameters.iter().filter(|p| p.kind.is_tensor_or_list()).collect()
}
