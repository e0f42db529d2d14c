//! [`Operand`]: what a kernel is given of a tensor.

use crate::DType;
use crate::layout::Layout;
use crate::memory::Buffer;

/// A tensor as a kernel sees it: a ready buffer, where the elements lie in it, and what they are.
#[derive(Debug, Clone, Copy)]
pub struct Operand<'a> {
    /// The memory.
    pub buffer: &'a Buffer,
    /// Shape, strides and offset, in elements.
    pub layout: &'a Layout,
    /// The element type.
    pub dtype: DType,
}
