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

    /// The macro `name(i)` for the operands that were merged; a text of its own where all lie one behind the other, if it
    /// may have that.
    pub(crate) fn positions(
        &self,
        name: &'static str,
        operands: &[Strided<'_>],
        may_be_contiguous: bool,
    ) -> Positions {
        let contiguous = self.strides.iter().all(|strides| strides.is_empty() || **strides == [1]);
        let rank = self.shape.len();
        let most = (!(contiguous && may_be_contiguous)).then_some(if rank <= MOST { MOST } else { rank });
        Positions { name, most, operands: operands.iter().map(|operand| operand.name).collect() }
    }
}

/// The most merged dimensions that a text serves with any strides; more of them have a text for each number.
const MOST: usize = 4;

/// The macro `name(i)`, which declares `at_x` for each operand `x`.
pub(crate) struct Positions {
    name: &'static str,
    /// Up to how many dimensions are walked; none where all operands' elements lie one behind the other.
    pub(crate) most: Option<usize>,
    operands: SmallVec<[&'static str; 4]>,
}

impl Positions {
    /// `values`, and `rest` for the dimensions that are not there; nothing where none is walked.
    pub(crate) fn padded(&self, values: impl Iterator<Item = i64>, rest: i64) -> SmallVec<[i64; 8]> {
        values.chain(std::iter::repeat(rest)).take(self.most.unwrap_or(0)).collect()
    }

    /// What the text depends on.
    pub(crate) fn describe(&self, key: &mut Key) {
        key.text(self.name);
        key.number(self.most.unwrap_or(0));
        key.number(self.operands.len());
        for name in &self.operands {
            key.text(name);
        }
    }

    /// The macro's text. The number of dimensions is a parameter, the same for all work-items: those that are not there
    /// cost a comparison, not a division.
    pub(crate) fn macro_text(&self) -> String {
        let name = self.name;
        let mut text = format!("#define {name}(i) ");
        // Writing to a string cannot fail.
        let Some(most) = self.most else {
            for at in &self.operands {
                let _ = write!(text, "i64 at_{at} = p.{at}_offset + (i64)(i); ");
            }
            return text;
        };
        for at in &self.operands {
            let _ = write!(text, "i64 at_{at} = p.{at}_offset; ");
        }
        let _ = write!(text, "{{ INDEX rest_ = (INDEX)(i); ");
        for d in (1..most).rev() {
            let size = format!("(INDEX)p.{name}_shape[{d}]");
            let _ = write!(
                text,
                "if (p.{name}_rank > {d}) {{ const INDEX c_ = rest_ % {size}; rest_ /= {size}; "
            );
            for at in &self.operands {
                let _ = write!(text, "at_{at} += (i64)c_ * p.{at}_stride[{d}]; ");
            }
            text.push_str("} ");
        }
        for at in &self.operands {
            let _ = write!(text, "at_{at} += (i64)rest_ * p.{at}_stride[0]; ");
        }
        text.push('}');
        text
    }
}
