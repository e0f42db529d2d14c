//! Decompositions of matrices.

mod orthogonal;

pub use orthogonal::{
    eigen_decomposition, geqrf, linalg_eigh, linalg_eigvalsh, linalg_qr, linalg_svd, linalg_svdvals, orgqr,
    ormqr, qr, qr_decomposition, singular_value_decomposition, svd,
};
pub(crate) use orthogonal::{eigen_parts, qr_parts, svd_parts};

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, Factorization, Operand, Shape, kernel, volume};
use rustorch_error::{Result, RusTorchError};

use super::creation::cast;
use super::shape_ops::expand_to;
use crate::{Tensor, ops};

/// The sizes (m, n) of float32 or float64 matrices.
pub(crate) fn matrix_sizes(op: &'static str, a: &Tensor) -> Result<[usize; 2]> {
    if !matches!(a.dtype(), DType::Float32 | DType::Float64) {
        return Err(RusTorchError::dtype(
            op,
            format!("expected float32 or float64 matrices, got {}", a.dtype()),
        ));
    }
    match a.shape() {
        [.., m, n] => Ok([*m, *n]),
        shape => Err(RusTorchError::shape(
            op,
            format!("the input must have at least 2 dimensions, got shape {shape:?}"),
        )),
    }
}

/// The size n of square float32 or float64 matrices.
pub(crate) fn square_size(op: &'static str, a: &Tensor) -> Result<usize> {
    let [m, n] = matrix_sizes(op, a)?;
    if m != n {
        return Err(RusTorchError::shape(
            op,
            format!("A must be batches of square matrices, but they are {m} by {n} matrices"),
        ));
    }
    Ok(n)
}

/// The leading dimensions of matrices.
pub(crate) fn batch_of(a: &Tensor) -> &[usize] {
    &a.shape()[..a.ndim().saturating_sub(2)]
}

/// The matrices with their two dimensions exchanged.
pub(crate) fn transposed(a: &Tensor) -> Result<Tensor> {
    ops::transpose(a, -2, -1)
}

fn with_sizes(a: &Tensor, sizes: &[usize]) -> Shape {
    batch_of(a).iter().chain(sizes).copied().collect()
}

/// A fresh output beside `a`, of its leading dimensions and these sizes.
fn output(a: &Tensor, sizes: &[usize], dtype: DType) -> Result<Tensor> {
    Tensor::empty(&with_sizes(a, sizes), dtype, a.device())
}

fn factorize(op: Factorization, a: &Tensor, outputs: &[&Tensor]) -> Result<()> {
    // Short: one per output.
    let operands: Vec<Operand<'_>> = outputs.iter().map(|t| t.operand()).collect();
    a.backend()?.run(kernel::Factorize {
        op,
        input: a.operand(),
        outputs: kernel::List::from_slice(&operands),
    })
}

/// Raises unless all of `info` are 0; `why` says what the first other number means.
pub(crate) fn check_info(op: &'static str, info: &Tensor, why: impl Fn(i64) -> String) -> Result<()> {
    let values = info.to_vec::<i64>()?;
    let Some(index) = values.iter().position(|&i| i != 0) else { return Ok(()) };
    let which = if info.ndim() == 0 { String::new() } else { format!("(Batch element {index}): ") };
    Err(RusTorchError::linear_algebra(op, format!("{which}{}", why(values[index]))))
}

/// LU with partial pivoting.
pub fn lu_decomposition(input: &Tensor, pivoting: bool) -> Result<(Tensor, Tensor, Tensor)> {
    let [m, n] = matrix_sizes("linalg.lu_factor", input)?;
    let packed = output(input, &[m, n], input.dtype())?;
    let pivots = output(input, &[m.min(n)], DType::Int32)?;
    let info = output(input, &[], DType::Int32)?;
    factorize(Factorization::Lu { pivoting }, input, &[&packed, &pivots, &info])?;
    Ok((packed, pivots, info))
}

fn singular_factor(at: i64) -> String {
    format!(
        "U[{at},{at}] is zero and using it on lu_solve would result in a division by zero; linalg.lu_factor_ex() gives \
         the decomposition all the same"
    )
}

/// LU, packed, with what is known of U's diagonal.
pub fn linalg_lu_factor_ex(a: &Tensor, pivot: bool, check_errors: bool) -> Result<(Tensor, Tensor, Tensor)> {
    let (packed, pivots, info) = ops::lu_decomposition(a, pivot)?;
    if check_errors {
        check_info("linalg.lu_factor_ex", &info, singular_factor)?;
    }
    Ok((packed, pivots, info))
}

/// LU, packed.
pub fn linalg_lu_factor(a: &Tensor, pivot: bool) -> Result<(Tensor, Tensor)> {
    let (packed, pivots, info) = ops::lu_decomposition(a, pivot)?;
    check_info("linalg.lu_factor", &info, singular_factor)?;
    Ok((packed, pivots))
}

/// P, L and U.
pub fn linalg_lu(a: &Tensor, pivot: bool) -> Result<(Tensor, Tensor, Tensor)> {
    let (packed, pivots, _) = ops::lu_decomposition(a, pivot)?;
    lu_unpack(&packed, &pivots, true, pivot)
}

fn absent(like: &Tensor) -> Result<Tensor> {
    Tensor::empty(&[0], like.dtype(), like.device())
}

/// The unit lower triangle and the upper one of a packed decomposition: (m, k) and (k, n).
pub(crate) fn lu_parts(packed: &Tensor) -> Result<(Tensor, Tensor)> {
    let [m, n] = matrix_sizes("lu_unpack", packed)?;
    let k = m.min(n) as i64;
    let identity = ops::eye(m as i64, Some(k), Some(packed.dtype()), Some(packed.device()), false)?;
    let lower = ops::add(&ops::tril(&ops::narrow(packed, -1, 0, k)?, -1)?, &identity, 1.into())?;
    Ok((lower, ops::triu(&ops::narrow(packed, -2, 0, k)?, 0)?))
}

/// P, L and U from a packed decomposition.
pub fn lu_unpack(
    packed: &Tensor,
    pivots: &Tensor,
    unpack_data: bool,
    unpack_pivots: bool,
) -> Result<(Tensor, Tensor, Tensor)> {
    let [m, _] = matrix_sizes("lu_unpack", packed)?;
    let permutation = if unpack_pivots {
        // Row i of P is the unit vector of the place to which the exchanges brought row i.
        let places = ops::unsqueeze(&permutations("lu_unpack", pivots, m, true)?, -1)?;
        let numbers = ops::arange_to((m as i64).into(), Some(DType::Int64), Some(packed.device()), false)?;
        cast(&ops::eq(&places, &numbers)?, packed.dtype())?
    } else {
        absent(packed)?
    };
    let (lower, upper) = if unpack_data { lu_parts(packed)? } else { (absent(packed)?, absent(packed)?) };
    Ok((permutation, lower, upper))
}

/// The order in which exchanges bring `rows` rows, int64 (*, rows): at place i the row that comes there; `inverse`: at i the
/// place to which row i comes.
pub(crate) fn permutations(op: &'static str, pivots: &Tensor, rows: usize, inverse: bool) -> Result<Tensor> {
    let Some((&steps, batch)) = pivots.shape().split_last().filter(|_| pivots.dtype() == DType::Int32) else {
        return Err(RusTorchError::dtype(op, format!("pivots must be int32 (*, k), got {}", pivots.dtype())));
    };
    let count = volume(batch);
    let exchanges = pivots.to_vec::<i64>()?;
    let mut orders = Scratch::with_room(count.saturating_mul(rows))?;
    let (mut order, mut places) = (Scratch::with_room(rows)?, Scratch::filled(rows, 0_i64)?);
    for index in 0..count {
        order.clear();
        order.extend(0..rows as i64)?;
        for (i, &pivot) in exchanges[index * steps..(index + 1) * steps].iter().enumerate() {
            if pivot < 1 || pivot > rows as i64 || i >= rows {
                return Err(RusTorchError::argument(
                    op,
                    format!("pivots must be between 1 and the number of rows, {rows}, got {pivot}"),
                ));
            }
            order.swap(i, pivot as usize - 1);
        }
        if inverse {
            order.iter().enumerate().for_each(|(place, &row)| places[row as usize] = place as i64);
            std::mem::swap(&mut order, &mut places);
        }
        orders.extend_from_slice(&order)?;
    }
    let shape: Shape = batch.iter().copied().chain([rows]).collect();
    Tensor::from_slice_on(pivots.device(), &orders, &shape)
}

/// The rows of matrices in another order, int64 (*, rows); leading dimensions broadcast.
pub(crate) fn reorder_rows(matrices: &Tensor, order: &Tensor) -> Result<Tensor> {
    let order_batch = &order.shape()[..order.ndim() - 1];
    let batch = rustorch_backend::broadcast_shapes("lu_solve", [batch_of(matrices), order_batch])?;
    let sizes = &matrices.shape()[matrices.ndim() - 2..];
    let full: Shape = batch.iter().chain(sizes).copied().collect();
    let order = expand_to(&ops::unsqueeze(order, -1)?, &full)?;
    ops::gather(&expand_to(matrices, &full)?, -2, &order)
}

/// Cholesky's decomposition of the lower triangles.
pub fn cholesky_decomposition(input: &Tensor) -> Result<(Tensor, Tensor)> {
    let n = square_size("linalg.cholesky", input)?;
    let lower = output(input, &[n, n], input.dtype())?;
    let info = output(input, &[], DType::Int32)?;
    factorize(Factorization::Cholesky, input, &[&lower, &info])?;
    Ok((lower, info))
}

fn not_positive(order: i64) -> String {
    format!(
        "The factorization could not be completed because the input is not positive-definite (the leading minor of \
         order {order} is not positive-definite)."
    )
}

/// Cholesky's decomposition, with what is known of the minors.
pub fn linalg_cholesky_ex(a: &Tensor, upper: bool, check_errors: bool) -> Result<(Tensor, Tensor)> {
    square_size("linalg.cholesky_ex", a)?;
    // The upper triangle is the lower one of the transposed.
    let (factor, info) = if upper {
        let (lower, info) = ops::cholesky_decomposition(&transposed(a)?)?;
        (transposed(&lower)?, info)
    } else {
        ops::cholesky_decomposition(a)?
    };
    if check_errors {
        check_info("linalg.cholesky_ex", &info, not_positive)?;
    }
    Ok((factor, info))
}

/// Cholesky's decomposition.
pub fn cholesky(input: &Tensor, upper: bool) -> Result<Tensor> {
    square_size("linalg.cholesky", input)?;
    let (factor, info) = linalg_cholesky_ex(input, upper, false)?;
    check_info("linalg.cholesky", &info, not_positive)?;
    Ok(factor)
}
