//! Where the elements of strided operands lie: the part of a text that turns a flat index into positions.

use std::fmt::Write;

use rustorch_backend::{Dims, Layout};
use smallvec::smallvec;

use crate::kernel::Call;

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
#[derive(Debug)]
struct Merged {
    shape: Dims<usize>,
    strides: Vec<Dims<isize>>,
}

impl Merged {
    fn new(shape: &[usize], operands: &[Strided<'_>]) -> Self {
        let mut merged = Merged { shape: smallvec![], strides: vec![smallvec![]; operands.len()] };
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
}

impl Call<'_> {
    /// Defines `name(i)`, which declares `at_x` for each operand `x`: the position of the `i`-th element, row-major over
    /// `shape`. `i` is less than 2³¹ where `INDEX` is `u32`.
    ///
    /// The shape and strides are parameters, so that one text serves every size; only the number of merged dimensions,
    /// and which operands are contiguous, are in the text.
    #[must_use]
    pub fn positions(mut self, name: &'static str, shape: &[usize], operands: &[Strided<'_>]) -> Self {
        let merged = Merged::new(shape, operands);
        let rank = merged.shape.len();
        let numel: usize = shape.iter().product();
        let mut text = String::new();
        let mut divided = false;
        for (operand, strides) in operands.iter().zip(&merged.strides) {
            let at = operand.name;
            self = self.size(&format!("{at}_offset"), operand.offset);
            let contiguous = rank == 0 || (rank == 1 && strides[0] == 1);
            let _ = match (contiguous, rank) {
                (true, 0) => write!(text, "i64 at_{at} = p.{at}_offset; "),
                (true, _) => write!(text, "i64 at_{at} = p.{at}_offset + (i64)(i); "),
                (false, 1) => write!(text, "i64 at_{at} = p.{at}_offset + (i64)(i) * p.{at}_stride[0]; "),
                (false, _) => {
                    divided = true;
                    write!(text, "i64 at_{at} = p.{at}_offset; ")
                }
            };
            if !contiguous {
                self = self.i64s(&format!("{at}_stride"), strides.iter().map(|&s| s as i64));
            }
        }
        if divided {
            let sizes = format!("{name}_shape");
            self = self.i64s(&sizes, merged.shape.iter().map(|&s| s as i64));
            let _ = write!(text, "{{ INDEX rest_ = (INDEX)(i), c_; ");
            for d in (0..rank).rev() {
                if d == 0 {
                    let _ = write!(text, "c_ = rest_; ");
                } else {
                    let _ =
                        write!(text, "c_ = rest_ % (INDEX)p.{sizes}[{d}]; rest_ /= (INDEX)p.{sizes}[{d}]; ");
                }
                for operand in operands {
                    let at = operand.name;
                    let _ = write!(text, "at_{at} += (i64)c_ * p.{at}_stride[{d}]; ");
                }
            }
            text.push('}');
        }
        let index = if numel < 1 << 31 { "u32" } else { "i64" };
        self.define_function(name, "i", text).index(index)
    }
}
