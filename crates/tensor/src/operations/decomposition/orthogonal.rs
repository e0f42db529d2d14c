//! QR, eigenvalues of symmetric matrices, singular values.

use rustorch_backend::sizes::checked_sum;
use rustorch_backend::{Factorization, Layout, Operand, Shape, contiguous_strides, kernel, volume};
use rustorch_error::{Result, RusTorchError};

use super::{batch_of, factorize, matrix_sizes, output, square_size, transposed, with_sizes};
use crate::operations::linear_algebra::ignoring;
use crate::operations::shape_ops::{expand_to, reshape_to};
use crate::{Tensor, ops};

/// One tensor with room for several factors, one after the other in its last dimension, and the factors' places in it.
fn packed(a: &Tensor, factors: &[&[usize]]) -> Result<(Tensor, Vec<Layout>)> {
    let total: usize = checked_sum("linalg", factors.iter().map(|sizes| volume(*sizes)))?;
    let whole = output(a, &[total], a.dtype())?;
    let lead = whole.strides()[..whole.ndim() - 1].to_vec();
    let mut offset = 0;
    let layouts = factors
        .iter()
        .map(|sizes| {
            let strides = lead.iter().copied().chain(contiguous_strides(sizes)).collect();
            let layout = Layout::new("linalg", with_sizes(a, sizes), strides, offset)?;
            offset += volume(*sizes);
            Ok(layout)
        })
        // Short: one per output.
        .collect::<Result<_>>()?;
    Ok((whole, layouts))
}

fn factorize_packed(op: Factorization, a: &Tensor, factors: &[&[usize]]) -> Result<Tensor> {
    let (whole, layouts) = packed(a, factors)?;
    let operands: Vec<Operand<'_>> =
        // Short: one per output.
        layouts.iter().map(|layout| Operand { layout, ..whole.operand() }).collect();
    a.backend()?.run(kernel::Factorize {
        op,
        input: a.operand(),
        outputs: kernel::List::from_slice(&operands),
    })?;
    Ok(whole)
}

/// The factors of a packed tensor.
fn unpacked(whole: &Tensor, factors: &[&[usize]]) -> Result<Vec<Tensor>> {
    let batch = &whole.shape()[..whole.ndim() - 1];
    let mut start = 0;
    factors
        .iter()
        .map(|sizes| {
            let length = volume(*sizes);
            let part = ops::narrow(whole, -1, start as i64, length as i64)?;
            start += length;
            let shape: Shape = batch.iter().chain(*sizes).copied().collect();
            reshape_to(&part, &shape)
        })
        // Short: one per output.
        .collect()
}

#[cold]
fn incomplete(op: &'static str) -> RusTorchError {
    RusTorchError::unsupported(op, "the decomposition lacks a factor")
}

fn qr_sizes([m, n]: [usize; 2], complete: bool) -> [[usize; 2]; 2] {
    let q = if complete { m } else { m.min(n) };
    [[m, q], [q, n]]
}

/// Q and R of matrices (m, n) from what [`qr_decomposition`] gives.
pub(crate) fn qr_parts(whole: &Tensor, sizes: [usize; 2], complete: bool) -> Result<(Tensor, Tensor)> {
    let [q, r] = qr_sizes(sizes, complete);
    let mut parts = unpacked(whole, &[&q, &r])?.into_iter();
    parts.next().zip(parts.next()).ok_or_else(|| incomplete("linalg.qr"))
}

/// Q and R, flattened.
pub fn qr_decomposition(input: &Tensor, complete: bool) -> Result<Tensor> {
    let [q, r] = qr_sizes(matrix_sizes("linalg.qr", input)?, complete);
    factorize_packed(Factorization::Orthogonal, input, &[&q, &r])
}

/// QR in one of three modes.
pub fn linalg_qr(a: &Tensor, mode: &str) -> Result<(Tensor, Tensor)> {
    let op = "linalg.qr";
    let sizes = matrix_sizes(op, a)?;
    let complete = match mode {
        "reduced" | "r" => false,
        "complete" => true,
        other => {
            return Err(RusTorchError::argument(
                op,
                format!("mode '{other}' is none of 'reduced' (default), 'r' and 'complete'"),
            ));
        }
    };
    let (q, r) = qr_parts(&ops::qr_decomposition(a, complete)?, sizes, complete)?;
    if mode == "r" { Ok((Tensor::empty(&[0], a.dtype(), a.device())?, r)) } else { Ok((q, r)) }
}

/// QR, reduced or complete.
pub fn qr(input: &Tensor, some: bool) -> Result<(Tensor, Tensor)> {
    linalg_qr(input, if some { "reduced" } else { "complete" })
}

/// QR as reflections.
pub fn geqrf(input: &Tensor) -> Result<(Tensor, Tensor)> {
    let [m, n] = matrix_sizes("geqrf", input)?;
    let reflections = output(input, &[m, n], input.dtype())?;
    let factors = output(input, &[m.min(n)], input.dtype())?;
    factorize(Factorization::Reflectors, input, &[&reflections, &factors])?;
    Ok((reflections, factors))
}

/// `target` reflected by each of the packed vectors, the last first, or the first first.
fn reflect(vectors: &Tensor, tau: &Tensor, target: Tensor, last_first: bool) -> Result<Tensor> {
    let [m, k] = [vectors.shape()[vectors.ndim() - 2] as i64, tau.shape()[tau.ndim() - 1] as i64];
    let dtype = (Some(vectors.dtype()), Some(vectors.device()));
    // Each vector has a 1 on the diagonal, which is not stored.
    let below = ops::tril(&ops::narrow(vectors, -1, 0, k)?, -1)?;
    let vectors = ops::add(&below, &ops::eye(m, Some(k), dtype.0, dtype.1, false)?, 1.into())?;
    let mut result = target;
    for step in 0..k {
        let at = if last_first { k - 1 - step } else { step };
        let v = ops::narrow(&vectors, -1, at, 1)?;
        let factor = ops::unsqueeze(&ops::narrow(tau, -1, at, 1)?, -1)?;
        let part = ops::matmul(&transposed(&v)?, &result)?;
        result = ops::sub(&result, &ops::matmul(&ops::mul(&v, &factor)?, &part)?, 1.into())?;
    }
    Ok(result)
}

fn check_reflections(op: &'static str, input: &Tensor, tau: &Tensor) -> Result<[usize; 2]> {
    let [m, n] = matrix_sizes(op, input)?;
    let fits = tau.dtype() == input.dtype()
        && tau.ndim() + 1 == input.ndim()
        && tau.shape()[..tau.ndim() - 1] == *batch_of(input)
        && tau.shape()[tau.ndim() - 1] <= n.min(m);
    if fits {
        return Ok([m, n]);
    }
    Err(RusTorchError::shape(
        op,
        format!(
            "input of shape {:?}, {}, and tau of shape {:?}, {}, do not fit; (*, m, n) and (*, k) with k <= min(m, n) would",
            input.shape(),
            input.dtype(),
            tau.shape(),
            tau.dtype()
        ),
    ))
}

/// The first columns of a product of reflections.
pub fn orgqr(input: &Tensor, tau: &Tensor) -> Result<Tensor> {
    let op = "linalg.householder_product";
    let [m, n] = check_reflections(op, input, tau)?;
    if m < n {
        return Err(RusTorchError::shape(
            op,
            format!("the matrices must not be wider than high, got {m} by {n}"),
        ));
    }
    let (dtype, device) = (Some(input.dtype()), Some(input.device()));
    let identity = expand_to(&ops::eye(m as i64, Some(n as i64), dtype, device, false)?, input.shape())?;
    // Without reflections the result depends on neither, but has a graph all the same.
    let start = if tau.numel() > 0 {
        identity
    } else {
        let nothing = ops::unsqueeze(&ops::sum(tau, Some(&[-1]), true, None)?, -1)?;
        ignoring(input, ops::add(&identity, &nothing, 1.into())?)?
    };
    reflect(input, tau, start, true)
}

/// A product of reflections times other matrices.
pub fn ormqr(input: &Tensor, tau: &Tensor, other: &Tensor, left: bool, transpose: bool) -> Result<Tensor> {
    let op = "ormqr";
    let [rows, _] = check_reflections(op, input, tau)?;
    let [m, n] = matrix_sizes(op, other)?;
    if rows != if left { m } else { n }
        || other.dtype() != input.dtype()
        || batch_of(other) != batch_of(input)
    {
        return Err(RusTorchError::shape(
            op,
            format!("reflections of shape {:?} do not apply to {:?}", input.shape(), other.shape()),
        ));
    }
    // Q = H_1 … H_k; from the right, it is the transposed product that is applied to the transposed.
    let target = if left { other.clone() } else { transposed(other)? };
    let result = reflect(input, tau, target, left != transpose)?;
    if left { Ok(result) } else { transposed(&result) }
}

/// Eigenvalues (n) and eigenvectors (n, n) from what [`eigen_decomposition`] gives.
pub(crate) fn eigen_parts(whole: &Tensor, n: usize) -> Result<(Tensor, Tensor)> {
    let mut parts = unpacked(whole, &[&[n], &[n, n]])?.into_iter();
    parts.next().zip(parts.next()).ok_or_else(|| incomplete("linalg.eigh"))
}

/// Eigenvalues and eigenvectors of symmetric matrices of which one triangle is read, flattened.
pub fn eigen_decomposition(input: &Tensor, upper: bool) -> Result<Tensor> {
    let n = square_size("linalg.eigh", input)?;
    factorize_packed(Factorization::SymmetricEigen { upper }, input, &[&[n], &[n, n]])
}

/// Eigenvalues and eigenvectors of symmetric matrices.
pub fn linalg_eigh(a: &Tensor, uplo: &str) -> Result<(Tensor, Tensor)> {
    let op = "linalg.eigh";
    let n = square_size(op, a)?;
    let upper = match uplo {
        "L" | "l" => false,
        "U" | "u" => true,
        other => {
            return Err(RusTorchError::argument(
                op,
                format!("expected UPLO to be 'L' or 'U', but got '{other}'"),
            ));
        }
    };
    eigen_parts(&ops::eigen_decomposition(a, upper)?, n)
}

/// Eigenvalues of symmetric matrices.
pub fn linalg_eigvalsh(a: &Tensor, uplo: &str) -> Result<Tensor> {
    Ok(linalg_eigh(a, uplo)?.0)
}

fn svd_sizes([m, n]: [usize; 2], full: bool) -> ([usize; 2], [usize; 1], [usize; 2]) {
    let k = m.min(n);
    if full { ([m, m], [k], [n, n]) } else { ([m, k], [k], [k, n]) }
}

/// U, S and Vᵀ of matrices (m, n) from what [`singular_value_decomposition`] gives.
pub(crate) fn svd_parts(whole: &Tensor, sizes: [usize; 2], full: bool) -> Result<(Tensor, Tensor, Tensor)> {
    let (u, s, vh) = svd_sizes(sizes, full);
    match <[Tensor; 3]>::try_from(unpacked(whole, &[&u, &s, &vh])?) {
        Ok([u, s, vh]) => Ok((u, s, vh)),
        Err(_) => Err(incomplete("linalg.svd")),
    }
}

/// U, S and Vᵀ, flattened.
pub fn singular_value_decomposition(input: &Tensor, full: bool) -> Result<Tensor> {
    let (u, s, vh) = svd_sizes(matrix_sizes("linalg.svd", input)?, full);
    factorize_packed(Factorization::SingularValues, input, &[&u, &s, &vh])
}

fn check_driver(op: &'static str, driver: Option<&str>) -> Result<()> {
    match driver {
        None => Ok(()),
        Some(driver) => Err(RusTorchError::argument(
            op,
            format!("keyword argument driver ('{driver}') is only supported on CUDA inputs; leave it out"),
        )),
    }
}

/// The singular value decomposition.
pub fn linalg_svd(a: &Tensor, full_matrices: bool, driver: Option<&str>) -> Result<(Tensor, Tensor, Tensor)> {
    check_driver("linalg.svd", driver)?;
    let sizes = matrix_sizes("linalg.svd", a)?;
    svd_parts(&ops::singular_value_decomposition(a, full_matrices)?, sizes, full_matrices)
}

/// The singular values.
pub fn linalg_svdvals(a: &Tensor, driver: Option<&str>) -> Result<Tensor> {
    Ok(linalg_svd(a, false, driver)?.1)
}

/// The singular value decomposition with V instead of Vᵀ.
pub fn svd(input: &Tensor, some: bool, compute_uv: bool) -> Result<(Tensor, Tensor, Tensor)> {
    let [m, n] = matrix_sizes("svd", input)?;
    if compute_uv {
        let (u, s, vh) = linalg_svd(input, !some, None)?;
        return Ok((u, s, transposed(&vh)?));
    }
    let zeros = |size: usize| {
        let zeros = output(input, &[size, size], input.dtype())?;
        zeros.backend()?.fill(zeros.operand(), 0.into())?;
        Ok::<_, RusTorchError>(zeros)
    };
    Ok((zeros(m)?, linalg_svdvals(input, None)?, zeros(n)?))
}
