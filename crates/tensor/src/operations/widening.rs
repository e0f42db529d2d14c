//! Half precisions in ops of several kernels: cast to float32, computed so, and cast back, so that the op rounds once.
//! The rows with `widen` begin with this; their gradients are computed in float32, too, as the casts are recorded.

use rustorch_backend::DType;
use rustorch_error::Result;

use super::creation::cast;
use crate::{Tensor, result_type};

/// An argument that may be of half precision.
#[derive(Debug, Clone, Copy)]
pub enum Given<'a> {
    /// A tensor.
    One(&'a Tensor),
    /// A tensor or none.
    Maybe(Option<&'a Tensor>),
    /// Several.
    List(&'a [Tensor]),
}

impl<'a> Given<'a> {
    fn tensors(self) -> impl Iterator<Item = &'a Tensor> {
        let (one, list): (Option<&Tensor>, &[Tensor]) = match self {
            Given::One(tensor) => (Some(tensor), &[]),
            Given::Maybe(tensor) => (tensor, &[]),
            Given::List(tensors) => (None, tensors),
        };
        one.into_iter().chain(list)
    }
}

const fn is_half(dtype: DType) -> bool {
    matches!(dtype, DType::Float16 | DType::BFloat16)
}

/// What a call of an op on tensors of half precision is turned into.
#[derive(Debug, Clone, Copy)]
pub struct Widening {
    /// The dtype of the results.
    narrow: DType,
    /// The dtype that the caller asked for.
    asked: Option<DType>,
}

impl Widening {
    /// None where nothing has to be widened.
    #[inline]
    pub fn of(given: &[Given<'_>], asked: Option<DType>) -> Option<Self> {
        let any = given.iter().any(|g| g.tensors().any(|t| is_half(t.dtype())));
        if any { Self::of_some(given, asked) } else { None }
    }

    #[cold]
    fn of_some(given: &[Given<'_>], asked: Option<DType>) -> Option<Self> {
        // Short: one per tensor given.
        let tensors: Vec<&Tensor> = given.iter().flat_map(|g| g.tensors()).collect();
        let narrow = result_type(&tensors);
        is_half(narrow).then_some(Widening { narrow, asked })
    }

    /// A tensor as the op sees it.
    pub fn tensor(self, tensor: &Tensor) -> Result<Tensor> {
        if is_half(tensor.dtype()) { cast(tensor, DType::Float32) } else { Ok(tensor.clone()) }
    }

    /// A tensor as the op sees it, if there is one.
    pub fn optional(self, tensor: Option<&Tensor>) -> Result<Option<Tensor>> {
        tensor.map(|tensor| self.tensor(tensor)).transpose()
    }

    /// Tensors as the op sees them.
    pub fn list(self, tensors: &[Tensor]) -> Result<Vec<Tensor>> {
        // Short: one per tensor given.
        tensors.iter().map(|tensor| self.tensor(tensor)).collect()
    }

    /// The dtype that the op is asked for.
    pub fn dtype(self, asked: Option<DType>) -> Option<DType> {
        asked.map(|dtype| if is_half(dtype) { DType::Float32 } else { dtype })
    }

    fn narrow(self, result: Tensor) -> Result<Tensor> {
        let narrow = self.asked.unwrap_or(self.narrow);
        if result.dtype() == DType::Float32 { cast(&result, narrow) } else { Ok(result) }
    }
}

/// Results that are rounded to the dtype that the op has for its caller.
pub trait Narrowed: Sized {
    /// These results, rounded once.
    fn narrowed(self, widening: Widening) -> Result<Self>;
}

impl Narrowed for Tensor {
    fn narrowed(self, widening: Widening) -> Result<Self> {
        widening.narrow(self)
    }
}

impl Narrowed for (Tensor, Tensor) {
    fn narrowed(self, widening: Widening) -> Result<Self> {
        Ok((widening.narrow(self.0)?, widening.narrow(self.1)?))
    }
}

impl Narrowed for Vec<Tensor> {
    fn narrowed(self, widening: Widening) -> Result<Self> {
        self.into_iter().map(|result| widening.narrow(result)).collect()
    }
}
