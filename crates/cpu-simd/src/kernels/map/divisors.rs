//! Zeros among divisors.

use rustorch_backend::{Operand, with_element};
use rustorch_error::{Result, RusTorchError};

use super::plan::Plan;
use crate::kernels::dense::Shared;
use crate::threads::parallel_for;

/// Elements that one thread looks at.
const PIECE: usize = 64 * 1024;

/// Whether any element of an integer tensor is zero in those bits that a cast of it keeps.
pub(super) fn contains_zero(input: Operand<'_>, bits: i64) -> Result<bool> {
    let plan = Plan::new(&[input], 0);
    if plan.numel() == 0 {
        return Ok(false);
    }
    let found = std::sync::atomic::AtomicBool::new(false);
    let base = Shared::new(input.buffer.address().as_ptr());
    with_element!(input.dtype, T => {
        parallel_for(plan.numel(), PIECE, |range| {
            let step = plan.inner_step(0);
            plan.runs(0, range.start, range.len(), |_, position, count| {
                // SAFETY: the positions are the operand's.
                let at = |i: isize| unsafe { *base.get().cast::<T>().offset(position + i * step) };
                let whole = bits == -1 || !input.dtype.is_integral(false);
                let mut zero = false;
                if whole {
                    (0..count as isize).for_each(|i| zero |= at(i) == T::default());
                } else {
                    let kept = |i| rustorch_backend::Element::to_scalar(at(i)).to_i64() & bits;
                    (0..count as isize).for_each(|i| zero |= kept(i) == 0);
                }
                if zero {
                    found.store(true, std::sync::atomic::Ordering::Relaxed);
                }
            });
        });
    }, else {
        return Err(RusTorchError::unsupported("floor_divide", "not defined for complex numbers"));
    });
    Ok(found.into_inner())
}
