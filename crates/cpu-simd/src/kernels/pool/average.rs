//! Average pooling and its gradient.

use rustorch_backend::Operand;
use rustorch_error::Result;

use super::{Geometry, Mean, OP, Window, volume};
use crate::kernels::dense::{Dense, Shared, fill_contiguous};
use crate::threads::parallel_for;

/// What the sum of a window is divided by.
fn divisor(window: [Window; 3], count_include_pad: bool, divisor_override: i64) -> i64 {
    match (divisor_override, count_include_pad) {
        (0, true) => window.iter().fold(1, |all: i64, w| all.saturating_mul(w.padded as i64)),
        // A window of padding alone has the sum 0.
        (0, false) => window.iter().map(|w| w.taps as i64).product::<i64>().max(1),
        (divisor, _) => divisor,
    }
}

pub(super) fn average<T: Mean>(
    geometry: &Geometry,
    count_include_pad: bool,
    divisor_override: i64,
    input: Operand<'_>,
    output: Operand<'_>,
) -> Result<()> {
    let input = Dense::<T>::contiguous(OP, input)?;
    let input = Shared::new(input.as_ptr().cast_mut());
    let windows = [geometry.windows(0)?, geometry.windows(1)?, geometry.windows(2)?];
    let (in_size, out_size) = (volume(geometry.input), volume(geometry.output));
    fill_contiguous(OP, output, |output: *mut T| {
        let output = Shared::new(output);
        parallel_for(geometry.count, geometry.grain(), |planes| {
            for plane in planes {
                let input = input.get().wrapping_add(plane * in_size).cast_const();
                let output = output.get().wrapping_add(plane * out_size);
                Geometry::for_each_window(&windows, |at, window| {
                    let mut sum = T::ZERO;
                    // SAFETY: the operands are contiguous and of the geometry's sizes; planes are disjoint.
                    unsafe {
                        geometry.for_each_tap(window, |tap| sum = sum.plus(*input.add(tap)));
                        *output.add(at) = sum.over(divisor(window, count_include_pad, divisor_override));
                    }
                });
            }
        });
        Ok(())
    })
}

pub(super) fn average_grad<T: Mean>(
    geometry: &Geometry,
    count_include_pad: bool,
    divisor_override: i64,
    grad: Operand<'_>,
    grad_input: Operand<'_>,
) -> Result<()> {
    let grad = Dense::<T>::contiguous(OP, grad)?;
    let grad = Shared::new(grad.as_ptr().cast_mut());
    let windows = [geometry.windows(0)?, geometry.windows(1)?, geometry.windows(2)?];
    let (in_size, out_size) = (volume(geometry.input), volume(geometry.output));
    fill_contiguous(OP, grad_input, |to: *mut T| {
        let to = Shared::new(to);
        parallel_for(geometry.count, geometry.grain(), |planes| {
            for plane in planes {
                let to = to.get().wrapping_add(plane * in_size);
                // SAFETY: the operands are contiguous and of the geometry's sizes; planes are disjoint.
                unsafe {
                    std::slice::from_raw_parts_mut(to, in_size).fill(T::ZERO);
                    Geometry::for_each_window(&windows, |at, window| {
                        let divisor = divisor(window, count_include_pad, divisor_override);
                        let share = (*grad.get().add(plane * out_size + at)).over(divisor);
                        geometry.for_each_tap(window, |tap| *to.add(tap) = (*to.add(tap)).plus(share));
                    });
                }
            }
        });
        Ok(())
    })
}
