//! Weighted sums of elements picked by index, the same for every channel: what sampling on a grid comes down to.

use rustorch_backend::{DType, Operand, kernel};
use rustorch_error::{Result, RusTorchError};

use super::dense::{ComputeType, Dense, Shared, fill_contiguous, unsupported};
use super::index::changed_meanwhile;
use super::walk::Elements;
use crate::threads::try_parallel_for;

const OP: &str = "weighted_gather";

/// Taps per task, at least.
const TASK_WORK: usize = 1 << 14;

/// Images, channels, elements of a plane, points, taps of a point.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    batch: usize,
    channels: usize,
    plane: usize,
    points: usize,
    taps: usize,
}

impl Sizes {
    /// From `(N, C, S)`, `(N, P, T)` and `(N, C, P)`.
    fn new(planes: &[usize], taps: [&[usize]; 2], points: &[usize]) -> Result<Self> {
        match (planes, taps[0], points) {
            (&[batch, channels, plane], &[n, points, per_point], &[m, c, p])
                if taps[0] == taps[1] && [n, m] == [batch; 2] && c == channels && p == points =>
            {
                Ok(Sizes { batch, channels, plane, points, taps: per_point })
            }
            _ => Err(RusTorchError::shape(OP, format!("{planes:?}, {taps:?} and {points:?} do not fit"))),
        }
    }

    /// An image's taps.
    fn image(&self) -> usize {
        self.points * self.taps
    }
}

/// Row-major indices, each an element of the plane or negative.
fn checked_indices(index: Operand<'_>, plane: usize) -> Result<Dense<i64>> {
    if index.dtype != DType::Int64 {
        return Err(RusTorchError::dtype(OP, format!("indices are {}; they must be int64", index.dtype)));
    }
    let count = index.layout.numel();
    let dense = Dense::<i64>::contiguous(OP, index)?;
    let first = Shared::new(dense.as_ptr().cast_mut());
    try_parallel_for(count, TASK_WORK, |range| {
        // SAFETY: the indices are row-major, `count` of them.
        let part =
            unsafe { std::slice::from_raw_parts(first.get().add(range.start).cast_const(), range.len()) };
        match part.iter().find(|&&i| i >= plane as i64) {
            Some(i) => {
                Err(RusTorchError::index(OP, format!("index {i} is outside a plane of {plane} elements")))
            }
            None => Ok(()),
        }
    })?;
    Ok(dense)
}

/// Indices that were checked, and are looked at again where they are used.
#[derive(Clone, Copy)]
struct Taps {
    first: Elements<i64>,
    plane: usize,
}

impl Taps {
    fn of(indices: &Dense<i64>, plane: usize) -> Self {
        Taps { first: Elements::at_address(indices.as_ptr()), plane }
    }

    /// The element of the plane that tap `i` picks, if it picks one. An index that is beyond the plane by now picks
    /// nothing and is noted in `changed`.
    ///
    /// # Safety
    /// There is a tap `i`.
    #[inline(always)]
    unsafe fn pick(self, i: usize, changed: &mut bool) -> Option<usize> {
        // SAFETY: the caller's.
        let at = unsafe { self.first.index(i as isize) };
        if (at as u64) < self.plane as u64 {
            return Some(at as usize);
        }
        *changed |= at >= 0;
        None
    }
}

/// What is computed in.
trait Float: ComputeType + std::ops::Mul<Output = Self> + std::ops::AddAssign {
    const ZERO: Self;
}
impl Float for f32 {
    const ZERO: Self = 0.0;
}
impl Float for f64 {
    const ZERO: Self = 0.0;
}

macro_rules! by_float {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            DType::Float32 | DType::Float16 | DType::BFloat16 => {
                type $T = f32;
                $body
            }
            DType::Float64 => {
                type $T = f64;
                $body
            }
            dtype => Err(unsupported(OP, dtype)),
        }
    };
}

/// `out[n, c, p] = Σ_t weight[n, p, t] * input[n, c, index[n, p, t]]`; a negative index picks nothing.
///
/// # Errors
/// `IndexOutOfRange` for an index beyond the plane.
pub fn weighted_gather(kernel: &kernel::WeightedGather<Operand<'_>>) -> Result<()> {
    let &kernel::WeightedGather { input, index, weight, output } = kernel;
    let taps = [index.layout.shape(), weight.layout.shape()];
    let sizes = Sizes::new(input.layout.shape(), taps, output.layout.shape())?;
    let indices = checked_indices(index, sizes.plane)?;
    let index = Taps::of(&indices, sizes.plane);
    by_float!(output.dtype, T => {
        let (input, weight) = (Dense::<T>::contiguous(OP, input)?, Dense::<T>::contiguous(OP, weight)?);
        fill_contiguous(OP, output, |output: *mut T| {
            // SAFETY: all are row-major and of these sizes.
            unsafe { forward(sizes, input.as_ptr(), index, weight.as_ptr(), output) }
        })
    })
}

/// # Safety
/// The pointers are valid for the sizes, and the taps for their plane.
unsafe fn forward<T: Float>(
    sizes: Sizes,
    input: *const T,
    index: Taps,
    weight: *const T,
    output: *mut T,
) -> Result<()> {
    let (input, weight) = (Shared::new(input.cast_mut()), Shared::new(weight.cast_mut()));
    let output = Shared::new(output);
    try_parallel_for(sizes.batch * sizes.channels, TASK_WORK.div_ceil(sizes.image().max(1)), |planes| {
        let mut changed = false;
        for plane in planes {
            let image = plane / sizes.channels;
            // SAFETY: the caller vouches for the sizes; planes are disjoint.
            unsafe {
                let from = input.get().add(plane * sizes.plane).cast_const();
                let to = output.get().add(plane * sizes.points);
                let taps = image * sizes.image();
                for p in 0..sizes.points {
                    let mut total = T::ZERO;
                    for tap in taps + p * sizes.taps..taps + (p + 1) * sizes.taps {
                        if let Some(at) = index.pick(tap, &mut changed) {
                            total += *from.add(at) * *weight.get().add(tap);
                        }
                    }
                    *to.add(p) = total;
                }
            }
        }
        if changed { Err(changed_meanwhile(OP)) } else { Ok(()) }
    })
}

/// The gradient of [`weighted_gather`] by its input.
///
/// # Errors
/// As there.
pub fn weighted_gather_grad_input(kernel: &kernel::WeightedGatherGradInput<Operand<'_>>) -> Result<()> {
    let &kernel::WeightedGatherGradInput { grad, index, weight, grad_input } = kernel;
    let taps = [index.layout.shape(), weight.layout.shape()];
    let sizes = Sizes::new(grad_input.layout.shape(), taps, grad.layout.shape())?;
    let indices = checked_indices(index, sizes.plane)?;
    let index = Taps::of(&indices, sizes.plane);
    by_float!(grad_input.dtype, T => {
        let (grad, weight) = (Dense::<T>::contiguous(OP, grad)?, Dense::<T>::contiguous(OP, weight)?);
        fill_contiguous(OP, grad_input, |to: *mut T| {
            // SAFETY: all are row-major and of these sizes.
            unsafe { backward(sizes, grad.as_ptr(), index, weight.as_ptr(), to) }
        })
    })
}

/// # Safety
/// As [`forward`].
unsafe fn backward<T: Float>(
    sizes: Sizes,
    grad: *const T,
    index: Taps,
    weight: *const T,
    to: *mut T,
) -> Result<()> {
    let (grad, weight) = (Shared::new(grad.cast_mut()), Shared::new(weight.cast_mut()));
    let to = Shared::new(to);
    let work = sizes.image().max(sizes.plane).max(1);
    try_parallel_for(sizes.batch * sizes.channels, TASK_WORK.div_ceil(work), |planes| {
        let mut changed = false;
        for plane in planes {
            let image = plane / sizes.channels;
            // SAFETY: the caller vouches for the sizes; planes are disjoint.
            unsafe {
                let to = std::slice::from_raw_parts_mut(to.get().add(plane * sizes.plane), sizes.plane);
                to.fill(T::ZERO);
                let taps = image * sizes.image();
                for p in 0..sizes.points {
                    let grad = *grad.get().add(plane * sizes.points + p);
                    for tap in taps + p * sizes.taps..taps + (p + 1) * sizes.taps {
                        if let Some(at) = index.pick(tap, &mut changed) {
                            to[at] += grad * *weight.get().add(tap);
                        }
                    }
                }
            }
        }
        if changed { Err(changed_meanwhile(OP)) } else { Ok(()) }
    })
}

/// The gradient of [`weighted_gather`] by its weight.
///
/// # Errors
/// As there.
pub fn weighted_gather_grad_weight(kernel: &kernel::WeightedGatherGradWeight<Operand<'_>>) -> Result<()> {
    let &kernel::WeightedGatherGradWeight { grad, input, index, grad_weight } = kernel;
    let taps = [index.layout.shape(), grad_weight.layout.shape()];
    let sizes = Sizes::new(input.layout.shape(), taps, grad.layout.shape())?;
    let indices = checked_indices(index, sizes.plane)?;
    let index = Taps::of(&indices, sizes.plane);
    by_float!(grad_weight.dtype, T => {
        let (grad, input) = (Dense::<T>::contiguous(OP, grad)?, Dense::<T>::contiguous(OP, input)?);
        fill_contiguous(OP, grad_weight, |to: *mut T| {
            // SAFETY: all are row-major and of these sizes.
            unsafe { correlate(sizes, grad.as_ptr(), input.as_ptr(), index, to) }
        })
    })
}

/// # Safety
/// As [`forward`].
unsafe fn correlate<T: Float>(
    sizes: Sizes,
    grad: *const T,
    input: *const T,
    index: Taps,
    to: *mut T,
) -> Result<()> {
    let (grad, input) = (Shared::new(grad.cast_mut()), Shared::new(input.cast_mut()));
    let to = Shared::new(to);
    let work = (sizes.channels * sizes.taps).max(1);
    try_parallel_for(sizes.batch * sizes.points, TASK_WORK.div_ceil(work), |points| {
        let mut changed = false;
        // SAFETY: the caller vouches for the sizes; points are disjoint.
        unsafe {
            let first = points.start * sizes.taps;
            std::slice::from_raw_parts_mut(to.get().add(first), points.len() * sizes.taps).fill(T::ZERO);
            for channel in 0..sizes.channels {
                for point in points.clone() {
                    let (image, p) = (point / sizes.points, point % sizes.points);
                    let plane = image * sizes.channels + channel;
                    let grad = *grad.get().add(plane * sizes.points + p);
                    let from = input.get().add(plane * sizes.plane).cast_const();
                    for tap in point * sizes.taps..(point + 1) * sizes.taps {
                        if let Some(at) = index.pick(tap, &mut changed) {
                            *to.get().add(tap) += grad * *from.add(at);
                        }
                    }
                }
            }
        }
        if changed { Err(changed_meanwhile(OP)) } else { Ok(()) }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::kernels::samples::{LayoutKind, Sample, noise};

    /// The three kernels are the three derivatives of one trilinear form, so all give the same number.
    #[test]
    fn all_three_compute_one_form() {
        let (batch, channels, plane, points, taps) = (2, 3, 700, 900, 4);
        let float = |seed, shape: &[usize]| {
            Sample::new(DType::Float64, shape, LayoutKind::Contiguous, &noise(seed, shape.iter().product()))
        };
        let input = float(1, &[batch, channels, plane]);
        let weight = float(2, &[batch, points, taps]);
        let grad = float(3, &[batch, channels, points]);
        let indices: Vec<i64> = (0..(batch * points * taps) as i64).map(|i| i * 7919 % 701 - 1).collect();
        let index = Sample::indices(&[batch, points, taps], LayoutKind::Contiguous, &indices);
        let zeros =
            |like: &Sample| Sample::zeros(DType::Float64, like.layout.shape(), LayoutKind::Contiguous);
        let (out, to_input, to_weight) = (zeros(&grad), zeros(&input), zeros(&weight));
        weighted_gather(&kernel::WeightedGather {
            input: input.operand(),
            index: index.operand(),
            weight: weight.operand(),
            output: out.operand(),
        })
        .unwrap();
        weighted_gather_grad_input(&kernel::WeightedGatherGradInput {
            grad: grad.operand(),
            index: index.operand(),
            weight: weight.operand(),
            grad_input: to_input.operand(),
        })
        .unwrap();
        weighted_gather_grad_weight(&kernel::WeightedGatherGradWeight {
            grad: grad.operand(),
            input: input.operand(),
            index: index.operand(),
            grad_weight: to_weight.operand(),
        })
        .unwrap();
        let dot = |a: &Sample, b: &Sample| a.values().iter().zip(b.values()).map(|(x, y)| x * y).sum::<f64>();
        let (grads, weights, inputs) = (grad.values(), weight.values(), input.values());
        let mut expected = 0.0;
        for n in 0..batch {
            for c in 0..channels {
                for tap in 0..points * taps {
                    let at = indices[n * points * taps + tap];
                    if at >= 0 {
                        expected += grads[(n * channels + c) * points + tap / taps]
                            * weights[n * points * taps + tap]
                            * inputs[(n * channels + c) * plane + at as usize];
                    }
                }
            }
        }
        for (name, got) in [
            ("out", dot(&out, &grad)),
            ("input", dot(&to_input, &input)),
            ("weight", dot(&to_weight, &weight)),
        ] {
            assert!((got - expected).abs() < 1e-9, "{name}: {got} is not {expected}");
        }
    }

    #[test]
    fn an_index_beyond_the_plane_is_refused() {
        let input = Sample::zeros(DType::Float32, &[1, 1, 3], LayoutKind::Contiguous);
        let weight = Sample::zeros(DType::Float32, &[1, 1, 1], LayoutKind::Contiguous);
        let index = Sample::indices(&[1, 1, 1], LayoutKind::Contiguous, &[3]);
        let out = Sample::zeros(DType::Float32, &[1, 1, 1], LayoutKind::Contiguous);
        assert!(
            weighted_gather(&kernel::WeightedGather {
                input: input.operand(),
                index: index.operand(),
                weight: weight.operand(),
                output: out.operand()
            })
            .is_err()
        );
    }

    /// Indices that another thread writes after the check pick nothing, and are reported.
    #[test]
    fn an_index_that_changes_after_the_check_picks_nothing() {
        let sizes = Sizes { batch: 1, channels: 1, plane: 3, points: 1, taps: 4 };
        let indices = Sample::indices(&[4], LayoutKind::Contiguous, &[1, 3, 1 << 40, -7]);
        let index = Taps { first: Elements::of(indices.operand()), plane: 3 };
        let (three, four, one) = ([1.0, 2.0, 4.0], [1.0; 4], [3.0]);
        let (mut out, mut to_input, mut to_weight) = ([0.0; 1], [0.0; 3], [0.0; 4]);
        // SAFETY: the arrays have the sizes' elements.
        let outcomes = unsafe {
            [
                forward::<f64>(sizes, three.as_ptr(), index, four.as_ptr(), out.as_mut_ptr()),
                backward::<f64>(sizes, one.as_ptr(), index, four.as_ptr(), to_input.as_mut_ptr()),
                correlate::<f64>(sizes, one.as_ptr(), three.as_ptr(), index, to_weight.as_mut_ptr()),
            ]
        };
        assert!(outcomes.iter().all(Result::is_err));
        assert_eq!((out, to_input, to_weight), ([2.0], [0.0, 3.0, 0.0], [6.0, 0.0, 0.0, 0.0]));
    }
}
