//! Decompositions of dense matrices, computed in float64 and rounded once.
//!
//! The algorithms work on plain row-major slices: [`triangular`], [`reflections`], [`symmetric`] and [`singular`] over
//! [`bidiagonal`], on the loops of [`rows`] and the [`rotations`]. They go LAPACK's ways, as the signs of eigenvectors and singular vectors,
//! which the problem leaves open, follow from the way.

mod bidiagonal;
mod precision;
mod reflections;
mod rotations;
mod rows;
mod singular;
mod symmetric;
#[cfg(test)]
mod tests;
mod triangular;

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, Factorization, Operand, kernel, volume};
use rustorch_error::{Result, RusTorchError};

use self::precision::Precision;
use super::dense::{address, unsupported};
use crate::threads::try_parallel_for;

/// From this many multiplications on, matrices of a batch are worth a thread.
const TASK_WORK: usize = 1 << 16;

/// The position, within its buffer, of the first element of matrix number `index`; the last `inner` dimensions are its own.
fn origin(operand: Operand<'_>, inner: usize, index: usize) -> isize {
    let lead = operand.layout.ndim() - inner;
    let mut rest = index;
    let mut at = 0;
    for d in (0..lead).rev() {
        let size = operand.layout.shape()[d].max(1);
        at += (rest % size) as isize * operand.layout.strides()[d];
        rest /= size;
    }
    at
}

/// The sizes and strides of the last dimensions, as of a matrix.
fn matrix_of(operand: Operand<'_>, inner: usize) -> ([usize; 2], [isize; 2]) {
    let (shape, strides) = (operand.layout.shape(), operand.layout.strides());
    let at = |d: usize| {
        if d < inner { (shape[shape.len() - 1 - d], strides[strides.len() - 1 - d]) } else { (1, 0) }
    };
    let ((columns, right), (rows, down)) = (at(0), at(1));
    ([rows, columns], [down, right])
}

/// Matrix number `index` of a float operand, row-major.
fn load(operand: Operand<'_>, index: usize) -> Result<Scratch<f64>> {
    let ([rows, columns], [down, right]) = matrix_of(operand, 2);
    let first = origin(operand, 2, index);
    let mut values = Scratch::with_room(rows * columns)?;
    for i in 0..rows as isize {
        for j in 0..columns as isize {
            let at = first + i * down + j * right;
            // SAFETY: the position lies in the operand's layout, and its dtype is one of the two.
            values.push(unsafe {
                match operand.dtype {
                    DType::Float32 => f64::from(*address::<f32>(operand).offset(at)),
                    _ => *address::<f64>(operand).offset(at),
                }
            })?;
        }
    }
    Ok(values)
}

/// Writes matrix (or vector, or number) `index` of an output, which is this task's alone.
fn store(operand: Operand<'_>, inner: usize, index: usize, value: impl Fn(usize, usize) -> f64) {
    let ([rows, columns], [down, right]) = matrix_of(operand, inner);
    let first = origin(operand, inner, index);
    for i in 0..rows {
        for j in 0..columns {
            let at = first + i as isize * down + j as isize * right;
            let value = value(i, j);
            // SAFETY: the position lies in the operand's layout, and its dtype is one of the three.
            unsafe {
                match operand.dtype {
                    DType::Int32 => *address::<i32>(operand).offset(at) = value as i32,
                    DType::Float32 => *address::<f32>(operand).offset(at) = value as f32,
                    _ => *address::<f64>(operand).offset(at) = value,
                }
            }
        }
    }
}

fn check_float(op: &'static str, operand: Operand<'_>) -> Result<()> {
    match operand.dtype {
        DType::Float32 | DType::Float64 => Ok(()),
        other => Err(unsupported(op, other)),
    }
}

/// Runs `body` for each of `count` matrices of so much work.
fn for_each_matrix(count: usize, work: usize, body: impl Fn(usize) -> Result<()> + Sync) -> Result<()> {
    try_parallel_for(count, TASK_WORK.div_ceil(work.max(1)), |range| {
        for index in range {
            body(index)?;
        }
        Ok(())
    })
}

/// Decomposes each matrix of a batch, as [`Factorization`] says.
///
/// # Errors
/// Other dtypes than float32 and float64; eigenvalues or singular values that are not found, as with NaN.
pub fn factorize(kernel: &kernel::Factorize<Operand<'_>>) -> Result<()> {
    let &kernel::Factorize { op, input, ref outputs } = kernel;
    const OP: &str = "factorize";
    check_float(OP, input)?;
    let ([m, n], _) = matrix_of(input, 2);
    let k = m.min(n);
    let count = volume(&input.layout.shape()[..input.layout.ndim() - 2]);
    let precision = if input.dtype == DType::Float32 { Precision::SINGLE } else { Precision::DOUBLE };
    // The matrix is named where there are several.
    let failed = |op: &'static str, index: usize| {
        let which =
            if input.layout.ndim() > 2 { format!("(Batch element {index}): ") } else { String::new() };
        RusTorchError::linear_algebra(
            op,
            format!(
                "{which}The algorithm failed to converge because the input matrix contained non-finite values or is \
                 ill-conditioned"
            ),
        )
    };
    for_each_matrix(count, m * n * k, |index| {
        let mut a = load(input, index)?;
        match (op, outputs.as_slice()) {
            (Factorization::Lu { pivoting }, &[packed, pivots, info]) => {
                let mut exchanged = Scratch::zeroed(k)?;
                let singular = triangular::lu(&mut a, m, n, pivoting, &mut exchanged);
                store(packed, 2, index, |i, j| a[i * n + j]);
                store(pivots, 1, index, |_, j| f64::from(exchanged[j]));
                store(info, 0, index, |_, _| f64::from(singular));
            }
            (Factorization::Cholesky, &[lower, info]) => {
                let minor = triangular::cholesky(&mut a, n);
                store(lower, 2, index, |i, j| if j <= i { a[i * n + j] } else { 0.0 });
                store(info, 0, index, |_, _| f64::from(minor));
            }
            (Factorization::Reflectors, &[packed, factors]) => {
                let mut tau = Scratch::zeroed(k)?;
                reflections::qr(&mut a, m, n, &mut tau)?;
                store(packed, 2, index, |i, j| a[i * n + j]);
                store(factors, 1, index, |_, j| tau[j]);
            }
            (Factorization::Orthogonal, &[q, r]) => {
                let mut tau = Scratch::zeroed(k)?;
                reflections::qr(&mut a, m, n, &mut tau)?;
                let ([_, columns], _) = matrix_of(q, 2);
                let unitary = reflections::orthogonal_factor(&a, m, n, &tau, columns)?;
                store(q, 2, index, |i, j| unitary[i * columns + j]);
                store(r, 2, index, |i, j| if i <= j { a[i * n + j] } else { 0.0 });
            }
            (Factorization::SymmetricEigen { upper }, &[values, vectors]) => {
                let (w, v) = symmetric::symmetric_eigen(&a, n, upper, precision)?
                    .ok_or_else(|| failed("linalg.eigh", index))?;
                store(values, 1, index, |_, j| w[j]);
                store(vectors, 2, index, |i, j| v[j * n + i]);
            }
            (Factorization::SingularValues, &[u, s, vh]) => {
                let full = matrix_of(u, 2).0[1] > k || matrix_of(vh, 2).0[0] > k;
                let svd =
                    singular::svd(&a, m, n, full, precision)?.ok_or_else(|| failed("linalg.svd", index))?;
                store(u, 2, index, |i, j| svd.left[j * m + i]);
                store(s, 1, index, |_, j| svd.values[j]);
                store(vh, 2, index, |i, j| svd.right[i * n + j]);
            }
            _ => {
                return Err(RusTorchError::argument(OP, format!("{op:?} has not {} outputs", outputs.len())));
            }
        }
        Ok(())
    })
}

/// Solves `A X = B` for triangular matrices A (…, n, n), B and X (…, n, columns); one triangle of A is read.
pub fn solve_triangular(kernel: &kernel::SolveTriangular<Operand<'_>>) -> Result<()> {
    let &kernel::SolveTriangular { upper, unit, a, b, output } = kernel;
    check_float("solve_triangular", a)?;
    let ([n, columns], _) = matrix_of(b, 2);
    let count = volume(&b.layout.shape()[..b.layout.ndim() - 2]);
    for_each_matrix(count, n * n * columns, |index| {
        let mut x = load(b, index)?;
        triangular::solve_triangular(&load(a, index)?, &mut x, n, columns, upper, unit);
        store(output, 2, index, |i, j| x[i * columns + j]);
        Ok(())
    })
}
