//! Householder's reflections and the QR decomposition.

use rustorch_backend::memory::Scratch;
use rustorch_error::Result;

use super::rows::{add_scaled, dot, largest, transposed};
use crate::threads::checkpoint;

/// The reflection `I - tau v vᵀ`, `v_0` = 1, that takes x to (beta, 0, …): x becomes beta and the rest of v. Gives tau.
pub fn reflector(x: &mut [f64]) -> f64 {
    let Some((first, rest)) = x.split_first_mut() else { return 0.0 };
    let scale = largest(rest);
    if scale == 0.0 {
        return 0.0;
    }
    let squares: f64 = rest.iter().map(|v| (v / scale).powi(2)).sum();
    let norm = first.hypot(scale * squares.sqrt());
    // A negative zero counts as zero.
    let beta = if *first >= 0.0 { -norm } else { norm };
    let tau = (beta - *first) / beta;
    let divisor = *first - beta;
    for v in rest.iter_mut() {
        *v /= divisor;
    }
    *first = beta;
    tau
}

/// `x` reflected by the vector (1, v).
pub fn reflect(x: &mut [f64], v: &[f64], tau: f64) {
    if tau != 0.0 {
        let product = tau * (x[0] + dot(v, &x[1..]));
        x[0] -= product;
        add_scaled(&mut x[1..], -product, v);
    }
}

/// Householder's QR: `matrix` (m, n) becomes R on and above the diagonal and the reflectors' vectors below it, as LAPACK's
/// geqrf packs them; `tau` has their factors.
pub fn qr(matrix: &mut [f64], m: usize, n: usize, tau: &mut [f64]) -> Result<()> {
    // Columns are rows of the transposed.
    let mut columns = transposed(matrix, m, n)?;
    for k in 0..m.min(n) {
        checkpoint();
        let (done, rest) = columns.split_at_mut((k + 1) * m);
        let v = &mut done[k * m + k..];
        tau[k] = reflector(v);
        for column in rest.chunks_exact_mut(m) {
            reflect(&mut column[k..], &v[1..], tau[k]);
        }
    }
    matrix.copy_from_slice(&transposed(&columns, n, m)?);
    Ok(())
}

/// The first `count` columns of the product of the reflectors that [`qr`] packed: (m, count), row-major.
pub fn orthogonal_factor(
    packed: &[f64],
    m: usize,
    n: usize,
    tau: &[f64],
    count: usize,
) -> Result<Scratch<f64>> {
    let vectors = transposed(packed, m, n)?;
    let mut q = Scratch::zeroed(m * count)?;
    for j in 0..count.min(m) {
        q[j * m + j] = 1.0;
    }
    for (k, &tau) in tau.iter().enumerate().rev() {
        checkpoint();
        let v = &vectors[k * m + k + 1..(k + 1) * m];
        for column in q.chunks_exact_mut(m) {
            reflect(&mut column[k..], v, tau);
        }
    }
    transposed(&q, count, m)
}
