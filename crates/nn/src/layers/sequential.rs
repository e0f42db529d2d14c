//! Layers one after the other.

use rustorch_error::Result;
use rustorch_tensor::Tensor;

use super::{Layer, Role};

/// Layers one after the other; their tensors are named `0.weight`, `0.bias`, `2.weight`, … as in PyTorch.
#[derive(Debug, Default)]
pub struct Sequential {
    layers: Vec<(String, Box<dyn Layer>)>,
}

impl Sequential {
    /// No layers yet: what goes in comes out.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more layer at the end, named by its position.
    pub fn then(self, layer: impl Layer + 'static) -> Self {
        let name = self.layers.len().to_string();
        self.then_named(name, layer)
    }

    /// With one more layer at the end, under this name.
    pub fn then_named(mut self, name: impl Into<String>, layer: impl Layer + 'static) -> Self {
        self.layers.push((name.into(), Box::new(layer)));
        self
    }

    /// How many layers there are.
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }
}

impl Layer for Sequential {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        self.layers.iter().try_fold(input.clone(), |x, (_, layer)| layer.forward(&x))
    }

    fn visit(&self, prefix: &str, visitor: &mut dyn FnMut(&str, &Tensor, Role)) {
        for (name, layer) in &self.layers {
            layer.visit(&format!("{prefix}{name}."), visitor);
        }
    }

    fn set_training(&mut self, training: bool) {
        for (_, layer) in &mut self.layers {
            layer.set_training(training);
        }
    }
}
