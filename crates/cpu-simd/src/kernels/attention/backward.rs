//! The gradient of attention: scores are computed again, tile by tile.

use std::ptr;

use rustorch_backend::memory::Scratch;
use rustorch_backend::{AttentionParams, DType, Operand, kernel};
use rustorch_error::Result;

use super::rows::{Probabilities, ScoreGradient};
use super::{Inputs, KEYS, Matrices, OP, QUERIES, Real, inputs, real, size};
use crate::kernels::dense::{Dense, Shared, address, fill_contiguous, unsupported};
use crate::kernels::matmul::blocking::{Product, multiply};
use crate::threads::try_parallel_for;

/// The gradients of [`super::attention`] by query, key and value, from its result and `log_sum`.
///
/// Gradients have the shapes of what they are by, without broadcasting; a head is one task.
///
/// # Errors
/// `Unsupported` for a dtype that is not floating point.
pub fn attention_grad(kernel: &kernel::AttentionGrad<Operand<'_>>) -> Result<()> {
    let &kernel::AttentionGrad {
        ref params,
        grad,
        query,
        key,
        value,
        mask,
        output,
        log_sum,
        grad_query,
        grad_key,
        grad_value,
    } = kernel;
    let [query, key, value] = [query, key, value];
    let (result, log_sum) = (output, log_sum);
    let grads = [grad_query, grad_key, grad_value];
    match query.dtype {
        DType::Float32 | DType::Float16 | DType::BFloat16 => {
            backward::<f32>(params, grad, [query, key, value], mask, (result, log_sum), grads)
        }
        DType::Float64 => backward::<f64>(params, grad, [query, key, value], mask, (result, log_sum), grads),
        dtype => Err(unsupported(OP, dtype)),
    }
}

fn backward<T: Real>(
    params: &AttentionParams,
    grad: Operand<'_>,
    [query, key, value]: [Operand<'_>; 3],
    mask: Option<Operand<'_>>,
    (result, log_sum): (Operand<'_>, Operand<'_>),
    [grad_query, grad_key, grad_value]: [Operand<'_>; 3],
) -> Result<()> {
    let dense = |operand| Dense::<T>::strided(OP, operand);
    let (q, k, v) = (dense(query)?, dense(key)?, dense(value)?);
    let added = mask.map(dense).transpose()?;
    let inputs = inputs(params, (&q, query), (&k, size(key, 2)), (&v, size(value, 1)), added.as_ref());
    let (slope, made) = (dense(grad)?, dense(result)?);
    let slope = Matrices::of(&slope, inputs.query.lead);
    let made = Matrices::of(&made, inputs.query.lead);
    let sums = Shared::new(address::<T>(log_sum));
    fill_contiguous::<T>(OP, grad_query, |by_query| {
        fill_contiguous::<T>(OP, grad_key, |by_key| {
            fill_contiguous::<T>(OP, grad_value, |by_value| {
                let targets = [by_query, by_key, by_value].map(Shared::new);
                try_parallel_for(inputs.heads, 1, |heads| {
                    let tile =
                        [Scratch::<T>::with_room(QUERIES * KEYS)?, Scratch::<T>::with_room(QUERIES * KEYS)?];
                    let means = Scratch::<f64>::with_room(inputs.queries)?;
                    for head in heads {
                        let sizes = [
                            inputs.queries * inputs.features,
                            inputs.keys * inputs.features,
                            inputs.keys * inputs.values,
                        ];
                        // SAFETY: the gradients are contiguous, and a head's belong to one task.
                        unsafe {
                            let [by_query, by_key, by_value] =
                                [0, 1, 2].map(|i| targets[i].get().add(head * sizes[i]));
                            for (target, size) in [by_query, by_key, by_value].into_iter().zip(sizes) {
                                target.write_bytes(0, size);
                            }
                            let task = Head {
                                index: head,
                                slope: &slope,
                                made: &made,
                                log_sum: sums.get().add(head * inputs.queries),
                                probabilities: tile[0].as_ptr(),
                                slopes: tile[1].as_ptr(),
                                means: means.as_ptr(),
                                by_query,
                                by_key,
                                by_value,
                            };
                            task.run(&inputs)?;
                        }
                    }
                    Ok(())
                })
            })
        })
    })
}

/// One head: what its gradient is made from, scratch memory for a tile, and where the gradients go.
struct Head<'a, T> {
    index: usize,
    /// The gradient by the result.
    slope: &'a Matrices<'a, T>,
    /// The result.
    made: &'a Matrices<'a, T>,
    log_sum: *const T,
    probabilities: *mut T,
    slopes: *mut T,
    /// Each query's mean slope: the inner product of its result and of the gradient by it.
    means: *mut f64,
    by_query: *mut T,
    by_key: *mut T,
    by_value: *mut T,
}

impl<T: Real> Head<'_, T> {
    /// Adds up the gradients over all tiles.
    ///
    /// # Safety
    /// Scratch memory and gradients have room for what their documentation says, and the gradients are 0.
    unsafe fn run(&self, inputs: &Inputs<'_, T>) -> Result<()> {
        // SAFETY: the caller's.
        unsafe {
            let (made_step, slope_step) = (self.made.steps().1, self.slope.steps().1);
            for query in 0..inputs.queries {
                let (made, slope) = (self.made.at(self.index, query), self.slope.at(self.index, query));
                let inner = (0..inputs.values as isize)
                    .map(|d| {
                        (*made.offset(d * made_step)).to_f64() * (*slope.offset(d * slope_step)).to_f64()
                    })
                    .sum();
                self.means.add(query).write(inner);
            }
            for first in (0..inputs.keys).step_by(KEYS) {
                let columns = (first, (inputs.keys - first).min(KEYS));
                for start in (0..inputs.queries).step_by(QUERIES) {
                    let rows = (start, (inputs.queries - start).min(QUERIES));
                    if !inputs.causal || start + rows.1 > first {
                        self.tile(inputs, rows, columns)?;
                    }
                }
            }
        }
        Ok(())
    }

    unsafe fn tile(
        &self,
        inputs: &Inputs<'_, T>,
        (start, rows): (usize, usize),
        (first, width): (usize, usize),
    ) -> Result<()> {
        let Head { index: head, probabilities, slopes, .. } = *self;
        let (features, values) = (inputs.features, inputs.values);
        let (tall, flipped) = ((KEYS as isize, 1), (1, KEYS as isize));
        let product = Product {
            m: rows,
            n: width,
            k: values,
            a: self.slope.at(head, start),
            a_strides: self.slope.steps(),
            b: inputs.value.at(head, first),
            b_strides: (inputs.value.steps().1, inputs.value.steps().0),
            c: slopes,
            c_strides: tall,
            alpha: T::ONE,
            beta: T::ZERO,
            row_bias: ptr::null(),
            column_bias: ptr::null(),
        };
        // SAFETY: as the caller of `run` vouches; the rows of a tile follow one another at KEYS elements.
        unsafe {
            inputs.score(head, (start, rows), (first, width), probabilities)?;
            for row in 0..rows {
                let query = start + row;
                T::run(Probabilities {
                    scores: probabilities.add(row * KEYS),
                    mask: inputs.mask_row(head, query, first),
                    seen: inputs.seen(query, first, width),
                    width,
                    log_sum: (*self.log_sum.add(query)).to_f64(),
                });
            }
            // By the values: Pᵀ g.
            let by_value = Product {
                m: width,
                n: values,
                k: rows,
                a: probabilities,
                a_strides: flipped,
                b: self.slope.at(head, start),
                b_strides: self.slope.steps(),
                c: self.by_value.add(first * values),
                c_strides: (values as isize, 1),
                beta: T::ONE,
                ..product
            };
            multiply(&by_value, T::kernels())?;
            // By the scores: P (g vᵀ - mean).
            multiply(&product, T::kernels())?;
            for row in 0..rows {
                let (probabilities, slopes) = (probabilities.add(row * KEYS), slopes.add(row * KEYS));
                let mean = *self.means.add(start + row);
                T::run(ScoreGradient { probabilities, slopes, length: width, mean });
            }
            let by_query = Product {
                m: rows,
                n: features,
                k: width,
                a: slopes,
                a_strides: tall,
                b: inputs.key.at(head, first),
                b_strides: inputs.key.steps(),
                c: self.by_query.add(start * features),
                c_strides: (features as isize, 1),
                alpha: real(inputs.scale),
                beta: T::ONE,
                ..product
            };
            multiply(&by_query, T::kernels())?;
            let by_key = Product {
                m: width,
                n: features,
                k: rows,
                a: slopes,
                a_strides: flipped,
                b: inputs.query.at(head, start),
                b_strides: inputs.query.steps(),
                c: self.by_key.add(first * features),
                ..by_query
            };
            multiply(&by_key, T::kernels())
        }
    }
}
