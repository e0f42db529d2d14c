//! Rows of float64: the inner loops of the decompositions.

use rustorch_backend::memory::Scratch;
use rustorch_error::Result;

/// The sum of products, in eight partial sums that the compiler keeps in vectors.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail: f64 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for i in 0..8 {
            sums[i] += x[i] * y[i];
        }
    }
    sums.iter().sum::<f64>() + tail
}

/// `y += factor * x`.
pub fn add_scaled(y: &mut [f64], factor: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}

/// `(x, y)` becomes `(c x - s y, s x + c y)`.
pub fn rotate(x: &mut [f64], y: &mut [f64], c: f64, s: f64) {
    for (x, y) in x.iter_mut().zip(y) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
}

/// Two different rows of a matrix of `width` columns.
pub fn two_rows(matrix: &mut [f64], width: usize, first: usize, second: usize) -> (&mut [f64], &mut [f64]) {
    let (low, high) = (first.min(second), first.max(second));
    let (head, tail) = matrix.split_at_mut(high * width);
    let (one, other) = (&mut head[low * width..(low + 1) * width], &mut tail[..width]);
    if first < second { (one, other) } else { (other, one) }
}

/// The transposed of a row-major matrix.
pub fn transposed(matrix: &[f64], rows: usize, columns: usize) -> Result<Scratch<f64>> {
    let mut out = Scratch::zeroed(matrix.len())?;
    for i in 0..rows {
        for j in 0..columns {
            out[j * rows + i] = matrix[i * columns + j];
        }
    }
    Ok(out)
}

/// The largest absolute value; NaN if there is one.
pub fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most: f64, x| {
        if x.is_nan() {
            f64::NAN
        } else if most.is_nan() {
            most
        } else {
            most.max(x.abs())
        }
    })
}
