//! Scaled dot-product attention, in tiles: the scores of a block of queries with a block of keys are there at a time,
//! never all of them (T. Dao et al., *Fast and Memory-Efficient Exact Attention*, 2022; the running softmax is by
//! M. Milakov and N. Gimelshein, *Online normalizer calculation for softmax*, 2018).

mod backward;
mod rows;
#[cfg(test)]
mod tests;

use std::ptr;

use rustorch_backend::memory::Scratch;
use rustorch_backend::{AttentionParams, DType, Operand, kernel, volume};
use rustorch_error::Result;

use super::dense::{ComputeType, Dense, Shared, address, fill_contiguous, unsupported};
use super::matmul::blocking::{Product, multiply};
use super::matmul::tables::Gemm;
use super::matmul::vector::Float;
use super::rowwise::FloatComputeType;
use crate::threads::try_parallel_for;
pub use backward::attention_grad;
use rows::{Exponentials, Scaled};

const OP: &str = "attention";

/// Queries and keys of a tile: their scores and the rows of values fit in the second cache.
const QUERIES: usize = 128;
const KEYS: usize = 256;

/// A type that attention is computed in.
trait Real: FloatComputeType + ComputeType + Gemm {}
impl<T: FloatComputeType + ComputeType + Gemm> Real for T {}

/// Rounds.
fn real<T: Real>(value: f64) -> T {
    <T as Float>::from_f64(value)
}

/// `output = softmax(scale * query @ keyᵀ + mask) @ value`, and the logarithm of each row's sum of exponentials.
///
/// `query` is `(…, L, E)`, `key` `(…, S, E)`, `value` `(…, S, D)`, `mask` `(…, L, S)`, `output` `(…, L, D)` and `log_sum`
/// `(…, L)`, of equal leading dimensions; a stride of 0 broadcasts. A mask is contiguous along `S`. A query that sees no
/// key gets zeros, and a `log_sum` of `inf`. Half precisions are computed in float32.
///
/// # Errors
/// `Unsupported` for a dtype that is not floating point.
pub fn attention(kernel: &kernel::Attention<Operand<'_>>) -> Result<()> {
    let &kernel::Attention { ref params, query, key, value, mask, output, log_sum } = kernel;
    match query.dtype {
        DType::Float32 | DType::Float16 | DType::BFloat16 => {
            forward::<f32>(params, query, key, value, mask, output, log_sum)
        }
        DType::Float64 => forward::<f64>(params, query, key, value, mask, output, log_sum),
        dtype => Err(unsupported(OP, dtype)),
    }
}

/// The matrices of an operand: where the first begins, strides, and the sizes of the leading dimensions.
#[derive(Clone, Copy)]
struct Matrices<'a, T> {
    first: *const T,
    strides: &'a [isize],
    lead: &'a [usize],
}

// SAFETY: tasks read the elements, and nobody writes them meanwhile.
unsafe impl<T> Sync for Matrices<'_, T> {}

impl<'a, T: ComputeType> Matrices<'a, T> {
    fn of(dense: &'a Dense<T>, lead: &'a [usize]) -> Self {
        Matrices { first: dense.as_ptr(), strides: dense.strides(), lead }
    }

    /// Distance of rows, and of columns.
    fn steps(&self) -> (isize, isize) {
        (self.strides[self.lead.len()], self.strides[self.lead.len() + 1])
    }

    /// Row `row` of matrix number `index`.
    fn at(&self, index: usize, row: usize) -> *const T {
        let mut rest = index;
        let mut offset = row as isize * self.steps().0;
        for (&size, &stride) in self.lead.iter().zip(self.strides).rev() {
            offset += (rest % size) as isize * stride;
            rest /= size;
        }
        self.first.wrapping_offset(offset)
    }
}

/// What attention reads.
struct Inputs<'a, T> {
    queries: usize,
    keys: usize,
    features: usize,
    values: usize,
    heads: usize,
    query: Matrices<'a, T>,
    key: Matrices<'a, T>,
    value: Matrices<'a, T>,
    mask: Option<Matrices<'a, T>>,
    scale: f64,
    causal: bool,
}

impl<T: Real> Inputs<'_, T> {
    /// How many keys of a block that begins at `start` and has `width` the query sees.
    fn seen(&self, query: usize, start: usize, width: usize) -> usize {
        if self.causal { (query + 1).saturating_sub(start).min(width) } else { width }
    }

    /// What is added to the scores of a query with the keys from `start` on, or null.
    fn mask_row(&self, head: usize, query: usize, start: usize) -> *const T {
        self.mask.as_ref().map_or(ptr::null(), |mask| mask.at(head, query).wrapping_add(start))
    }

    /// The scores of a tile, in rows of [`KEYS`].
    ///
    /// # Safety
    /// `scores` has room for them.
    unsafe fn score(
        &self,
        head: usize,
        (i, rows): (usize, usize),
        (j, columns): (usize, usize),
        scores: *mut T,
    ) -> Result<()> {
        let (row, column) = self.key.steps();
        let product = Product {
            m: rows,
            n: columns,
            k: self.features,
            a: self.query.at(head, i),
            a_strides: self.query.steps(),
            b: self.key.at(head, j),
            b_strides: (column, row),
            c: scores,
            c_strides: (KEYS as isize, 1),
            alpha: real(self.scale),
            beta: T::ZERO,
            row_bias: ptr::null(),
            column_bias: ptr::null(),
        };
        // SAFETY: the operands are valid for their layouts, the scratch for the tile.
        unsafe { multiply(&product, T::kernels()) }
    }
}

/// What the operands say of the problem.
fn inputs<'a, T: Real>(
    params: &AttentionParams,
    query: (&'a Dense<T>, Operand<'a>),
    (key, keys): (&'a Dense<T>, usize),
    (value, values): (&'a Dense<T>, usize),
    mask: Option<&'a Dense<T>>,
) -> Inputs<'a, T> {
    let shape = query.1.layout.shape();
    let (lead, last) = shape.split_at(shape.len() - 2);
    Inputs {
        queries: last[0],
        keys,
        features: last[1],
        values,
        heads: volume(lead),
        query: Matrices::of(query.0, lead),
        key: Matrices::of(key, lead),
        value: Matrices::of(value, lead),
        mask: mask.map(|mask| Matrices::of(mask, lead)),
        scale: params.scale,
        causal: params.causal,
    }
}

/// The size of a dimension, counted from the end.
fn size(operand: Operand<'_>, from_end: usize) -> usize {
    let shape = operand.layout.shape();
    shape[shape.len() - from_end]
}

fn forward<T: Real>(
    params: &AttentionParams,
    query: Operand<'_>,
    key: Operand<'_>,
    value: Operand<'_>,
    mask: Option<Operand<'_>>,
    output: Operand<'_>,
    log_sum: Operand<'_>,
) -> Result<()> {
    let dense = |operand| Dense::<T>::strided(OP, operand);
    let (q, k, v) = (dense(query)?, dense(key)?, dense(value)?);
    let added = mask.map(dense).transpose()?;
    let inputs = inputs(params, (&q, query), (&k, size(key, 2)), (&v, size(value, 1)), added.as_ref());
    let sums = Shared::new(address::<T>(log_sum));
    fill_contiguous::<T>(OP, output, |to| {
        let to = Shared::new(to);
        let blocks = inputs.queries.div_ceil(QUERIES);
        try_parallel_for(inputs.heads * blocks, 1, |tasks| {
            let scores = Scratch::<T>::with_room(QUERIES * KEYS)?;
            let totals = Scratch::<T>::with_room(QUERIES * inputs.values)?;
            for task in tasks {
                let (head, start) = (task / blocks, task % blocks * QUERIES);
                let rows = (inputs.queries - start).min(QUERIES);
                let row = head * inputs.queries + start;
                // SAFETY: the outputs are contiguous, and these rows belong to one task.
                unsafe {
                    let out = to.get().add(row * inputs.values);
                    let tile = Tile { head, start, rows, scores: scores.as_ptr(), totals: totals.as_ptr() };
                    tile.run(&inputs, out, sums.get().add(row))?;
                }
            }
            Ok(())
        })
    })
}

/// A block of queries of one head, and scratch memory for its scores and its sums of values.
struct Tile<T> {
    head: usize,
    start: usize,
    rows: usize,
    scores: *mut T,
    totals: *mut T,
}

impl<T: Real> Tile<T> {
    /// Attends to all keys, block by block.
    ///
    /// # Safety
    /// The scratch has room for a tile; `out` and `log_sum` for the rows.
    unsafe fn run(&self, inputs: &Inputs<'_, T>, out: *mut T, log_sum: *mut T) -> Result<()> {
        let Tile { head, start, rows, scores, totals } = *self;
        let values = inputs.values;
        let mut most = [f64::NEG_INFINITY; QUERIES];
        let mut sums = [0.0; QUERIES];
        // Keys that no query of the block sees are not looked at.
        let keys = if inputs.causal { inputs.keys.min(start + rows) } else { inputs.keys };
        // SAFETY: as the caller vouches; rows of the scores and of the totals follow one another.
        unsafe {
            totals.write_bytes(0, rows * values);
            for first in (0..keys).step_by(KEYS) {
                let width = (keys - first).min(KEYS);
                inputs.score(head, (start, rows), (first, width), scores)?;
                for row in 0..rows {
                    let query = start + row;
                    let seen = inputs.seen(query, first, width);
                    let mask = inputs.mask_row(head, query, first);
                    let step =
                        Exponentials { scores: scores.add(row * KEYS), mask, seen, width, most: most[row] };
                    let (now, sum) = T::run(step);
                    if now != most[row] {
                        // What was summed so far was above another, smaller maximum.
                        let factor = (most[row] - now).exp();
                        sums[row] *= factor;
                        let total = totals.add(row * values);
                        T::run(Scaled { from: total, to: total, length: values, factor });
                    }
                    most[row] = now;
                    sums[row] += sum;
                }
                let product = Product {
                    m: rows,
                    n: values,
                    k: width,
                    a: scores,
                    a_strides: (KEYS as isize, 1),
                    b: inputs.value.at(head, first),
                    b_strides: inputs.value.steps(),
                    c: totals,
                    c_strides: (values as isize, 1),
                    alpha: T::ONE,
                    beta: T::ONE,
                    row_bias: ptr::null(),
                    column_bias: ptr::null(),
                };
                multiply(&product, T::kernels())?;
            }
            for row in 0..rows {
                let sum = sums[row];
                let from = totals.add(row * values);
                let factor = if sum == 0.0 { 0.0 } else { 1.0 / sum };
                T::run(Scaled { from, to: out.add(row * values), length: values, factor });
                // `inf` where nothing was seen, so that the probabilities are 0 again in the gradient.
                log_sum.add(row).write(real(if sum == 0.0 { f64::INFINITY } else { most[row] + sum.ln() }));
            }
        }
        Ok(())
    }
}
