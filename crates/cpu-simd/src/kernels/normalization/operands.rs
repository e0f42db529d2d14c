//! What goes into a group besides the input, and groups that are computed in scratch memory.

use rustorch_backend::{Dims, Layout, Operand};
use rustorch_error::{Result, RusTorchError};
use smallvec::smallvec;

use crate::kernels::dense::{ComputeType, Dense};
use crate::kernels::rowwise::{FloatComputeType, Rows, StorageType, staged_step};
use crate::kernels::walk::{Elements, Walk};

/// Weight or bias in the type of the computation, seen under the input's shape.
pub(super) struct Parameter<T> {
    dense: Option<Dense<T>>,
    /// Stands for a parameter that is not there.
    neutral: T,
    pub(super) strides: Dims<isize>,
}

impl<T: FloatComputeType> Parameter<T> {
    pub(super) fn new(
        op: &'static str,
        operand: Option<Operand<'_>>,
        neutral: f64,
        shape: &[usize],
    ) -> Result<Self> {
        let neutral = T::from_f64(neutral);
        let Some(operand) = operand else {
            return Ok(Parameter { dense: None, neutral, strides: smallvec![0; shape.len()] });
        };
        let layout = operand.layout.broadcast_to(op, shape)?;
        let dense = Dense::<T>::strided(op, Operand { layout: &layout, ..operand })?;
        let strides = Dims::from_slice(dense.strides());
        Ok(Parameter { dense: Some(dense), neutral, strides })
    }

    pub(super) fn elements(&self) -> Elements<T> {
        Elements::at_address(self.dense.as_ref().map_or(&raw const self.neutral, Dense::as_ptr))
    }

    /// The positions within a group, relative to its first.
    pub(super) fn within(&self, shape: &[usize], dims: &[usize]) -> Walk<1> {
        Walk::over(shape, dims, [(&self.strides, 0)])
    }

    /// Whether the parameter is the same throughout each group.
    pub(super) fn is_constant(&self, shape: &[usize], dims: &[usize]) -> bool {
        dims.iter().all(|&d| self.strides[d] == 0 || shape[d] == 1)
    }
}

/// A statistic: one number per group, of whatever dtype the caller keeps it in.
pub(super) struct Statistic<'a> {
    pub(super) operand: Operand<'a>,
    layout: Layout,
}

impl<'a> Statistic<'a> {
    pub(super) fn new<T: ComputeType>(
        op: &'static str,
        operand: Operand<'a>,
        shape: &[usize],
    ) -> Result<Self> {
        if !T::computes(operand.dtype) {
            return Err(RusTorchError::dtype(
                op,
                format!("statistics in {} do not go with a computation in {}", operand.dtype, T::DTYPE),
            ));
        }
        Ok(Statistic { operand, layout: operand.layout.broadcast_to(op, shape)? })
    }

    pub(super) fn parts(&self) -> (&[isize], usize) {
        (self.layout.strides(), self.layout.offset())
    }

    /// # Safety
    /// `offset` is a position of the layout.
    pub(super) unsafe fn at(&self, offset: isize) -> *mut u8 {
        // SAFETY: the caller's offset lies in the buffer.
        unsafe { self.operand.buffer.address().as_ptr().offset(offset * self.operand.dtype.size() as isize) }
    }
}

/// How groups are brought to scratch memory and back: `N` tensors, then `P` parameters, of which those that are the
/// same throughout a group stay where they are.
pub(super) struct Stage<const N: usize, const P: usize> {
    tensors: [Walk<1>; N],
    parameters: [Walk<1>; P],
    constant: [bool; P],
    /// The positions of a group in scratch memory: the tensors in one piece, then the parameters.
    pub(super) flat: Walk<4>,
    /// The step from one row in scratch memory to the next.
    pub(super) step: usize,
}

impl<const N: usize, const P: usize> Stage<N, P> {
    pub(super) fn new<T: FloatComputeType>(
        layouts: [&Layout; N],
        parameters: [&Parameter<T>; P],
        shape: &[usize],
        dims: &[usize],
    ) -> Self {
        let tensors = layouts.map(|l| Walk::over(shape, dims, [(l.strides(), 0)]));
        let constant = parameters.map(|p| p.is_constant(shape, dims));
        let length = tensors[0].len();
        let step = |t: usize| isize::from(t < N || !constant[t - N]);
        let steps = [step(0), step(1), step(2), step(3)];
        let flat = Walk::over(&[length], &[0], std::array::from_fn(|t| (&steps[t..=t], 0)));
        Stage {
            tensors,
            parameters: parameters.map(|p| p.within(shape, dims)),
            constant,
            flat,
            step: staged_step::<T>(length),
        }
    }

    /// Rows of the `t`-th tensor.
    pub(super) fn rows<S>(
        &self,
        t: usize,
        elements: Elements<S>,
        first: isize,
        step: isize,
        count: usize,
    ) -> Rows<'_, S> {
        Rows { elements, positions: &self.tensors[t], first, step, count }
    }

    /// Copies rows of the `p`-th parameter to `slot`, if it varies.
    ///
    /// # Safety
    /// As [`Rows::read`].
    pub(super) unsafe fn parameter<T: FloatComputeType + StorageType<Compute = T>>(
        &self,
        p: usize,
        elements: Elements<T>,
        first: isize,
        step: isize,
        count: usize,
        slot: *mut T,
    ) {
        if !self.constant[p] {
            // SAFETY: the caller's.
            unsafe { Rows { elements, positions: &self.parameters[p], first, step, count }.read(slot) };
        }
    }

    /// Where the `p`-th parameter of a row is.
    ///
    /// # Safety
    /// `at` is a position of the parameter, and `slot` has the row.
    pub(super) unsafe fn parameter_row<T: FloatComputeType>(
        &self,
        p: usize,
        elements: Elements<T>,
        at: isize,
        slot: *mut T,
        row: usize,
    ) -> *const T {
        // SAFETY: the caller's.
        unsafe { if self.constant[p] { elements.at(at) } else { slot.add(row * self.step) } }
    }
}
