//! Where the elements of strided operands lie: the part of a text that turns a flat index into positions.

use std::fmt::Write;

use rustorch_backend::{Dims, Layout};
use smallvec::{SmallVec, smallvec};

use crate::key::Key;

/// An operand as a kernel walks it: its name in the text, its strides over the common shape, and its first element.
#[derive(Debug, Clone, Copy)]
pub struct Strided<'a> {
    /// The name: `at_name` is its position.
    pub name: &'static str,
    /// One stride per dimension of the common shape.
    pub strides: &'a [isize],
    /// The first element's position.
    pub offset: usize,
}

impl<'a> Strided<'a> {
    /// An operand whose layout has the common shape.
    pub fn of(name: &'static str, layout: &'a Layout) -> Self {
        Strided { name, strides: layout.strides(), offset: layout.offset() }
    }
}

/// Common dimensions of several operands, merged where they lie one behind the other in all of them.
pub(crate) struct Merged {
    pub(crate) shape: Dims<usize>,
    pub(crate) strides: SmallVec<[Dims<isize>; 4]>,
}

impl Merged {
    pub(crate) fn new(shape: &[usize], operands: &[Strided<'_>]) -> Self {
        let mut merged = Merged { shape: smallvec![], strides: smallvec![Dims::new(); operands.len()] };
        for (d, &size) in shape.iter().enumerate().filter(|&(_, &size)| size != 1) {
            let last = merged.shape.len().checked_sub(1);
            let joins = last.is_some_and(|last| {
                merged.strides.iter().zip(operands).all(|(s, o)| s[last] == o.strides[d] * size as isize)
            });
            if let (true, Some(last)) = (joins, last) {
                merged.shape[last] *= size;
                for (strides, operand) in merged.strides.iter_mut().zip(operands) {
                    strides[last] = operand.strides[d];
                }
            } else {
                merged.shape.push(size);
                for (strides, operand) in merged.strides.iter_mut().zip(operands) {
                    strides.push(operand.strides[d]);
                }
            }
        }
        merged
    }

    /// The macro `name(i)` for the operands that were merged.
    pub(crate) fn positions(&self, name: &'static str, operands: &[Strided<'_>]) -> Positions {
        let contiguous = |strides: &Dims<isize>| strides.is_empty() || **strides == [1];
        let operands = operands.iter().zip(&self.strides).map(|(o, strides)| (o.name, contiguous(strides)));
        Positions { name, rank: self.shape.len(), operands: operands.collect() }
    }
}

/// The macro `name(i)`, which declares `at_x` for each operand `x`.
pub(crate) struct Positions {
    name: &'static str,
    rank: usize,
    /// Each operand, and whether its elements lie one behind the other.
    pub(crate) operands: SmallVec<[(&'static str, bool); 4]>,
}

impl Positions {
    /// Whether a flat index is taken apart, for which the shape is needed.
    pub(crate) fn divides(&self) -> bool {
        self.rank > 1
    }

    /// What the text depends on.
    pub(crate) fn describe(&self, key: &mut Key) {
        key.text(self.name);
        key.number(self.rank);
        key.number(self.operands.len());
        for (name, contiguous) in &self.operands {
            key.text(name);
            key.number(usize::from(*contiguous));
        }
    }

    /// The macro's text.
    pub(crate) fn macro_text(&self) -> String {
        let (name, rank) = (self.name, self.rank);
        let mut text = format!("#define {name}(i) ");
        // Writing to a string cannot fail.
        for (at, contiguous) in &self.operands {
            let _ = match (contiguous, rank) {
                (true, 1..) => write!(text, "i64 at_{at} = p.{at}_offset + (i64)(i); "),
                (false, 1) => write!(text, "i64 at_{at} = p.{at}_offset + (i64)(i) * p.{at}_stride[0]; "),
                _ => write!(text, "i64 at_{at} = p.{at}_offset; "),
            };
        }
        if self.divides() {
            let _ = write!(text, "{{ INDEX rest_ = (INDEX)(i), c_; ");
            for d in (0..rank).rev() {
                let _ = if d == 0 {
                    write!(text, "c_ = rest_; ")
                } else {
                    write!(
                        text,
                        "c_ = rest_ % (INDEX)p.{name}_shape[{d}]; rest_ /= (INDEX)p.{name}_shape[{d}]; "
                    )
                };
                for (at, _) in &self.operands {
                    let _ = write!(text, "at_{at} += (i64)c_ * p.{at}_stride[{d}]; ");
                }
            }
            text.push('}');
        }
        text
    }
}
