//! Normalisation by mean and variance: layer, batch, group and instance norm are choices of dimensions.

mod group;
mod operands;

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, Dims, Operand, kernel};
use rustorch_error::{Result, RusTorchError};
use rustorch_simd::arch::FloatElement as _;

use super::dense::ComputeType as _;
use super::rowwise::{FloatComputeType as _, StorageType, rows_together, with_storage_type};
use super::walk::{Elements, Walk};
use crate::threads::try_parallel_for;
use group::{Gradient, Normalize};
use operands::{Parameter, Stage, Statistic};

/// How many elements a thread takes at a time, about.
const GRAIN: usize = 1 << 14;

/// `(x - mean) * rstd * weight + bias`, where `mean` and `rstd = 1 / sqrt(variance + eps)` are taken over `dims` with
/// the biased variance, and stored.
///
/// The statistics are gathered in blocks of elements that fit a first-level cache, each in two passes, and merged in
/// float64 (Chan et al. 1979), so a large mean costs no digits of the variance. Every floating-point dtype;
/// half precision is computed in float32, and parameters and statistics may be in that too.
///
/// # Errors
/// `DType` for a dtype that is not floating point.
pub fn normalize(kernel: &kernel::Normalize<Operand<'_>>) -> Result<()> {
    with_storage_type!(
        kernel.input.dtype,
        S => forward::<S>(kernel),
        else Err(not_floating("normalize", kernel.input.dtype))
    )
}

/// The gradient by the input: with `h = grad * weight` and `z = (x - mean) * rstd`, it is
/// `rstd * (h - mean(h) - z * mean(h z))`, the means over `dims`.
///
/// # Errors
/// As [`normalize`].
pub fn normalize_grad(kernel: &kernel::NormalizeGrad<Operand<'_>>) -> Result<()> {
    let &kernel::NormalizeGrad { grad, input, ref dims, weight, mean, rstd, grad_input } = kernel;
    with_storage_type!(
        input.dtype,
        S => backward::<S>(grad, input, dims, weight, mean, rstd, grad_input),
        else Err(not_floating("normalize_backward", input.dtype))
    )
}

#[cold]
fn not_floating(op: &'static str, dtype: DType) -> RusTorchError {
    RusTorchError::dtype(op, format!("got {dtype}; float16, bfloat16, float32 and float64 work"))
}

/// The dimensions that are not normalised over: each position of theirs is a group.
fn group_dims(shape: &[usize], dims: &[usize]) -> Dims<usize> {
    (0..shape.len()).filter(|d| !dims.contains(d)).collect()
}

/// The shortest run, in elements, for which computing in place beats copying a group of many runs into one.
const SHORTEST_RUN: usize = 128;

/// Whether groups can be computed where they are: in vectors of neighbours, with parameters to match.
fn is_direct<S: StorageType>(within: &Walk<4>, parameters: [usize; 2]) -> bool {
    let steps = within.steps();
    let one_by_one =
        |t: usize| if parameters.contains(&t) { steps[t] == 0 || steps[t] == 1 } else { steps[t] == 1 };
    size_of::<S>() == size_of::<S::Compute>()
        && (0..4).all(one_by_one)
        && (within.single_run().is_some() || within.run_length() >= SHORTEST_RUN)
}

/// How many groups are staged at a time: one where a group's elements are neighbours, else those that share cache lines.
fn staged_together<S: StorageType>(within: &Walk<4>) -> usize {
    if within.steps()[..2] == [1, 1] { 1 } else { rows_together::<S::Compute>(within.len()) }
}

fn forward<S: StorageType>(kernel: &kernel::Normalize<Operand<'_>>) -> Result<()> {
    let &kernel::Normalize { input, ref dims, eps, weight, bias, output, mean, rstd } = kernel;
    let op = "normalize";
    let shape = input.layout.shape();
    let weight = Parameter::<S::Compute>::new(op, weight, 1.0, shape)?;
    let bias = Parameter::<S::Compute>::new(op, bias, 0.0, shape)?;
    let mean = Statistic::new::<S::Compute>(op, mean, shape)?;
    let rstd = Statistic::new::<S::Compute>(op, rstd, shape)?;
    let (x, y) = (input.layout, output.layout);
    let groups = Walk::over(
        shape,
        &group_dims(shape, dims),
        [
            (x.strides(), x.offset()),
            (y.strides(), y.offset()),
            (&weight.strides, 0),
            (&bias.strides, 0),
            mean.parts(),
            rstd.parts(),
        ],
    );
    let within = Walk::over(
        shape,
        dims,
        [(x.strides(), 0), (y.strides(), 0), (&weight.strides, 0), (&bias.strides, 0)],
    );
    let length = within.len();
    let direct = is_direct::<S>(&within, [2, 3]);
    let staged = Stage::new([x, y], [&weight, &bias], shape, dims);
    let (from, to) = (Elements::<S>::of(input), Elements::<S>::of(output));
    let (weights, biases) = (weight.elements(), bias.elements());
    let steps = groups.steps();
    let step = staged.step;
    let together = if direct { 1 } else { staged_together::<S>(&within) };
    try_parallel_for(groups.len(), (GRAIN / length.max(1)).max(together), |range| {
        let scratch = Scratch::<S::Compute>::with_room(if direct { 0 } else { 4 * together * step })?;
        let slot = |t: usize| scratch.as_ptr().wrapping_add(t * together * step);
        for (_, start, count) in groups.runs(range) {
            for done in (0..count).step_by(together) {
                let rows = (count - done).min(together);
                let first = |t: usize| start[t] + done as isize * steps[t];
                // SAFETY: groups' positions lie in the operands, and each group belongs to one range; the scratch
                // memory holds `together` rows of each of four tensors.
                unsafe {
                    if !direct {
                        staged.rows(0, from, first(0), steps[0], rows).read(slot(0));
                        staged.parameter(0, weights, first(2), steps[2], rows, slot(2));
                        staged.parameter(1, biases, first(3), steps[3], rows, slot(3));
                    }
                    for row in 0..rows {
                        let at = |t: usize| first(t) + row as isize * steps[t];
                        let group = if direct {
                            Normalize {
                                within: &within,
                                input: from.at(at(0)).cast(),
                                output: to.at(at(1)).cast(),
                                weight: weights.at(at(2)),
                                bias: biases.at(at(3)),
                                eps,
                            }
                        } else {
                            Normalize {
                                within: &staged.flat,
                                input: slot(0).add(row * step),
                                output: slot(1).add(row * step),
                                weight: staged.parameter_row(0, weights, at(2), slot(2), row),
                                bias: staged.parameter_row(1, biases, at(3), slot(3), row),
                                eps,
                            }
                        };
                        let (m, r) = S::Compute::run(group);
                        S::Compute::from_f64(m).write(mean.operand.dtype, mean.at(at(4)));
                        S::Compute::from_f64(r).write(rstd.operand.dtype, rstd.at(at(5)));
                    }
                    if !direct {
                        staged.rows(1, to, first(1), steps[1], rows).write(slot(1));
                    }
                }
            }
        }
        Ok(())
    })
}

fn backward<S: StorageType>(
    grad: Operand<'_>,
    input: Operand<'_>,
    dims: &[usize],
    weight: Option<Operand<'_>>,
    mean: Operand<'_>,
    rstd: Operand<'_>,
    grad_input: Operand<'_>,
) -> Result<()> {
    let op = "normalize_backward";
    let shape = input.layout.shape();
    let weight = Parameter::<S::Compute>::new(op, weight, 1.0, shape)?;
    let mean = Statistic::new::<S::Compute>(op, mean, shape)?;
    let rstd = Statistic::new::<S::Compute>(op, rstd, shape)?;
    let layouts = [grad.layout, input.layout, grad_input.layout];
    let [g, x, dx] = layouts.map(|l| (l.strides(), l.offset()));
    let w = (&weight.strides[..], 0);
    let groups = Walk::over(shape, &group_dims(shape, dims), [g, x, dx, w, mean.parts(), rstd.parts()]);
    let within = Walk::over(shape, dims, [(g.0, 0), (x.0, 0), (dx.0, 0), w]);
    let length = within.len();
    let direct = is_direct::<S>(&within, [3, 3]);
    let staged = Stage::new(layouts, [&weight], shape, dims);
    let tensors = [grad, input, grad_input].map(Elements::<S>::of);
    let weights = weight.elements();
    let steps = groups.steps();
    let step = staged.step;
    let together = if direct { 1 } else { staged_together::<S>(&within) };
    try_parallel_for(groups.len(), (GRAIN / length.max(1)).max(together), |range| {
        let scratch = Scratch::<S::Compute>::with_room(if direct { 0 } else { 4 * together * step })?;
        let slot = |t: usize| scratch.as_ptr().wrapping_add(t * together * step);
        for (_, start, count) in groups.runs(range) {
            for done in (0..count).step_by(together) {
                let rows = (count - done).min(together);
                let first = |t: usize| start[t] + done as isize * steps[t];
                // SAFETY: as in `forward`.
                unsafe {
                    if !direct {
                        staged.rows(0, tensors[0], first(0), steps[0], rows).read(slot(0));
                        staged.rows(1, tensors[1], first(1), steps[1], rows).read(slot(1));
                        staged.parameter(0, weights, first(3), steps[3], rows, slot(3));
                    }
                    for row in 0..rows {
                        let at = |t: usize| first(t) + row as isize * steps[t];
                        let mean = S::Compute::read(mean.operand.dtype, mean.at(at(4))).to_f64();
                        let rstd = S::Compute::read(rstd.operand.dtype, rstd.at(at(5))).to_f64();
                        let [grad, input, output] = [0, 1, 2].map(|t| {
                            if direct { tensors[t].at(at(t)).cast() } else { slot(t).add(row * step) }
                        });
                        let (within, weight) = if direct {
                            (&within, weights.at(at(3)).cast_const())
                        } else {
                            (&staged.flat, staged.parameter_row(0, weights, at(3), slot(3), row))
                        };
                        S::Compute::run(Gradient { within, grad, input, output, weight, mean, rstd });
                    }
                    if !direct {
                        staged.rows(2, tensors[2], first(2), steps[2], rows).write(slot(2));
                    }
                }
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests;
