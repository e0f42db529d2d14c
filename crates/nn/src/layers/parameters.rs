//! The tensors of a layer.

use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{DType, Tensor, TensorOptions, default_dtype, registry};
use smallvec::SmallVec;

use super::{ParameterizedLayer, Role::Learned};

/// Tensors handed to a layer, one per declaration; `None` where the layer has none.
pub type Handed<'a> = &'a [Option<&'a Tensor>];

/// What a tensor of a layer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Moved by an optimizer.
    Learned,
    /// Gathered by the layer itself, and part of its state.
    Gathered,
}

/// One tensor that a layer needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// PyTorch's name.
    pub name: &'static str,
    /// Its sizes; `None` when this layer is configured without it.
    pub shape: Option<Vec<usize>>,
    /// What it is for.
    pub role: Role,
    /// Its dtype, where the layer's own does not decide.
    pub dtype: Option<DType>,
}

impl Declaration {
    /// A learned tensor.
    pub(super) fn learned(name: &'static str, shape: &[usize]) -> Self {
        Declaration { name, shape: Some(shape.to_vec()), role: Learned, dtype: None }
    }

    /// A tensor that the layer gathers.
    pub(super) fn gathered(name: &'static str, shape: &[usize], dtype: Option<DType>) -> Self {
        Declaration { name, shape: Some(shape.to_vec()), role: Role::Gathered, dtype }
    }

    /// The declaration itself when `present`, else that of a tensor this layer goes without.
    pub(super) fn when(mut self, present: bool) -> Self {
        if !present {
            self.shape = None;
        }
        self
    }

    /// A tensor of unspecified content as declared.
    pub fn allocate(&self, options: TensorOptions) -> Result<Option<Tensor>> {
        let Some(shape) = &self.shape else { return Ok(None) };
        let dtype = self.dtype.or(options.dtype).unwrap_or_else(default_dtype);
        Tensor::empty(shape, dtype, options.device.unwrap_or_else(registry::default_device)).map(Some)
    }
}

/// A layer's own tensors.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    entries: SmallVec<[(Declaration, Option<Tensor>); 2]>,
}

impl Parameters {
    /// Allocates and initialises what `layer` declares.
    pub(super) fn of<L: ParameterizedLayer>(layer: &L, options: TensorOptions) -> Result<Self> {
        let mut entries = SmallVec::new();
        for declaration in layer.declarations() {
            let tensor = declaration.allocate(options)?;
            entries.push((declaration, tensor));
        }
        let parameters = Parameters { entries };
        layer.initialize(&parameters.handed())?;
        for (declaration, tensor) in &parameters.entries {
            if let Some(tensor) = tensor
                && declaration.role == Learned
            {
                tensor.set_requires_grad(true)?;
            }
        }
        Ok(parameters)
    }

    /// The tensors in the form in which a layer takes them.
    pub(super) fn handed(&self) -> SmallVec<[Option<&Tensor>; 2]> {
        self.entries.iter().map(|(_, tensor)| tensor.as_ref()).collect()
    }

    /// The tensor of that name, if the layer has it.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.entries
            .iter()
            .find(|(declaration, _)| declaration.name == name)
            .and_then(|(_, tensor)| tensor.as_ref())
    }

    /// Calls [`ParameterizedLayer::forward_with`] with these tensors.
    pub(super) fn forward<L: ParameterizedLayer>(&self, layer: &L, input: &Tensor) -> Result<Tensor> {
        if self.entries.is_empty() {
            return Err(RusTorchError::argument(
                "forward",
                "this layer was made as a configuration, without tensors of its own; call forward_with",
            ));
        }
        layer.forward_with(&self.handed(), input)
    }

    pub(super) fn visit(&self, prefix: &str, visitor: &mut dyn FnMut(&str, &Tensor, Role)) {
        for (declaration, tensor) in &self.entries {
            if let Some(tensor) = tensor {
                visitor(&format!("{prefix}{}", declaration.name), tensor, declaration.role);
            }
        }
    }
}

/// The tensor of a declaration that the layer cannot do without.
pub(super) fn required<'a>(
    op: &'static str,
    tensors: Handed<'a>,
    index: usize,
    name: &str,
) -> Result<&'a Tensor> {
    tensors
        .get(index)
        .copied()
        .flatten()
        .ok_or_else(|| RusTorchError::argument(op, format!("the layer was not handed its tensor '{name}'")))
}

/// The tensor of a declaration that may be missing.
pub(super) fn optional(tensors: Handed<'_>, index: usize) -> Option<&Tensor> {
    tensors.get(index).copied().flatten()
}
