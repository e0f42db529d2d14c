//! Systems of linear equations, inverses, determinants.

mod determinant;
mod exponential;
mod least_squares;

pub use determinant::{det, log_abs_det, logdet, slogdet};
pub use exponential::matrix_exp;
pub use least_squares::{
    linalg_cond, linalg_cond_named, linalg_lstsq, linalg_matrix_rank, linalg_matrix_rank_tol, linalg_pinv,
    linalg_pinv_rcond, pinverse, pseudo_inverse,
};

use rustorch_backend::{Operand, Shape, broadcast_shapes, kernel, volume};
use rustorch_error::{Result, RusTorchError};

use super::decomposition::{
    batch_of, check_info, matrix_sizes, permutations, reorder_rows, square_size, transposed,
};
use super::linear_algebra::same_dtype;
use super::shape_ops::{expand_to, reshape_to};
use crate::{Tensor, ops};

#[cold]
fn incompatible(op: &'static str, a: &Tensor, b: &Tensor) -> RusTorchError {
    RusTorchError::shape(
        op,
        format!("incompatible shapes of A {:?} and B {:?} for the equation AX = B", a.shape(), b.shape()),
    )
}

/// X of `A X = B` for triangular matrices.
pub fn triangular_solution(a: &Tensor, b: &Tensor, upper: bool, unit: bool) -> Result<Tensor> {
    let op = "linalg.solve_triangular";
    let n = square_size(op, a)?;
    same_dtype(op, a, b)?;
    let [rows, columns] = matrix_sizes(op, b)?;
    if rows != n {
        return Err(incompatible(op, a, b));
    }
    let batch = broadcast_shapes(op, [batch_of(a), batch_of(b)])?;
    let full = |sizes: [usize; 2]| batch.iter().copied().chain(sizes).collect::<Shape>();
    let shape = full([n, columns]);
    let result = Tensor::empty(&shape, a.dtype(), a.device())?;
    if result.numel() > 0 {
        let (a_layout, b_layout) = (a.broadcast_layout(op, &full([n, n]))?, b.broadcast_layout(op, &shape)?);
        let a_operand = Operand { layout: &a_layout, ..a.operand() };
        let b_operand = Operand { layout: &b_layout, ..b.operand() };
        result.backend()?.run(kernel::SolveTriangular {
            upper,
            unit,
            a: a_operand,
            b: b_operand,
            output: result.operand(),
        })?;
    }
    Ok(result)
}

/// X of `A X = B` for square matrices, by LU; and info as LU gives it.
pub fn solution(a: &Tensor, b: &Tensor) -> Result<(Tensor, Tensor)> {
    let op = "linalg.solve";
    let n = square_size(op, a)?;
    same_dtype(op, a, b)?;
    if matrix_sizes(op, b)?[0] != n {
        return Err(incompatible(op, a, b));
    }
    let (packed, pivots, info) = ops::lu_decomposition(a, true)?;
    Ok((linalg_lu_solve(&packed, &pivots, b, true, false)?, info))
}

/// X of `A X = B`, where B may be vectors, and X and A may change places.
fn solve(op: &'static str, a: &Tensor, b: &Tensor, left: bool) -> Result<(Tensor, Tensor)> {
    square_size(op, a)?;
    let vector = b.ndim() == 1 || (b.ndim() + 1 == a.ndim() && *b.shape() == a.shape()[..a.ndim() - 1]);
    if vector {
        if !left {
            return Err(RusTorchError::argument(op, "a vector B has no X A = B; left must be True"));
        }
        let (x, info) = ops::solution(a, &ops::unsqueeze(b, -1)?)?;
        return Ok((ops::squeeze(&x, Some(&[-1]))?, info));
    }
    if left {
        return ops::solution(a, b);
    }
    let (x, info) = ops::solution(&transposed(a)?, &transposed(b)?)?;
    Ok((transposed(&x)?, info))
}

fn singular_system(_: i64) -> String {
    "The solver failed because the input matrix is singular.".into()
}

/// X of `A X = B`.
pub fn linalg_solve(a: &Tensor, b: &Tensor, left: bool) -> Result<Tensor> {
    let (x, info) = solve("linalg.solve", a, b, left)?;
    check_info("linalg.solve", &info, singular_system)?;
    Ok(x)
}

/// X of `A X = B`, and where A is singular.
pub fn linalg_solve_ex(a: &Tensor, b: &Tensor, left: bool, check_errors: bool) -> Result<(Tensor, Tensor)> {
    let (x, info) = solve("linalg.solve_ex", a, b, left)?;
    if check_errors {
        check_info("linalg.solve_ex", &info, singular_system)?;
    }
    Ok((x, info))
}

/// X of `A X = B` or `X A = B` for triangular matrices.
pub fn linalg_solve_triangular(
    a: &Tensor,
    b: &Tensor,
    upper: bool,
    left: bool,
    unitriangular: bool,
) -> Result<Tensor> {
    let op = "linalg.solve_triangular";
    if left {
        return ops::triangular_solution(a, b, upper, unitriangular);
    }
    square_size(op, a)?;
    matrix_sizes(op, b)?;
    transposed(&ops::triangular_solution(&transposed(a)?, &transposed(b)?, !upper, unitriangular)?)
}

/// X of `A X = B` for triangular matrices, and a copy of A.
pub fn triangular_solve(
    input: &Tensor,
    a: &Tensor,
    upper: bool,
    transpose: bool,
    unitriangular: bool,
) -> Result<(Tensor, Tensor)> {
    square_size("triangular_solve", a)?;
    let matrix = if transpose { transposed(a)? } else { a.clone() };
    let x = ops::triangular_solution(&matrix, input, upper != transpose, unitriangular)?;
    Ok((x, ops::clone(a)?))
}

/// X of `A X = B` from A's LU decomposition.
pub fn linalg_lu_solve(
    packed: &Tensor,
    pivots: &Tensor,
    b: &Tensor,
    left: bool,
    adjoint: bool,
) -> Result<Tensor> {
    let op = "linalg.lu_solve";
    let n = square_size(op, packed)?;
    same_dtype(op, packed, b)?;
    let [rows, columns] = matrix_sizes(op, b)?;
    if n != if left { rows } else { columns } || pivots.shape() != &packed.shape()[..packed.ndim() - 1] {
        return Err(incompatible(op, packed, b));
    }
    if !left {
        return transposed(&linalg_lu_solve(packed, pivots, &transposed(b)?, true, !adjoint)?);
    }
    if adjoint {
        // Aᵀ = Uᵀ Lᵀ Pᵀ
        let turned = transposed(packed)?;
        let y = ops::triangular_solution(&turned, b, false, false)?;
        let z = ops::triangular_solution(&turned, &y, true, true)?;
        return reorder_rows(&z, &permutations(op, pivots, n, true)?);
    }
    let permuted = reorder_rows(b, &permutations(op, pivots, n, false)?)?;
    let y = ops::triangular_solution(packed, &permuted, false, true)?;
    ops::triangular_solution(packed, &y, true, false)
}

/// X of `A X = B` from A's LU decomposition.
pub fn lu_solve(input: &Tensor, packed: &Tensor, pivots: &Tensor) -> Result<Tensor> {
    linalg_lu_solve(packed, pivots, input, true, false)
}

/// X of `A X = B` from A's Cholesky factor.
pub fn cholesky_solve(b: &Tensor, factor: &Tensor, upper: bool) -> Result<Tensor> {
    let op = "cholesky_solve";
    square_size(op, factor)?;
    same_dtype(op, b, factor)?;
    let other = transposed(factor)?;
    let (first, second) = if upper { (&other, factor) } else { (factor, &other) };
    let y = triangular_solution(first, b, false, false)?;
    triangular_solution(second, &y, true, false)
}

fn identity_like(a: &Tensor) -> Result<Tensor> {
    let n = a.shape()[a.ndim() - 1] as i64;
    let identity = ops::eye(n, Some(n), Some(a.dtype()), Some(a.device()), false)?;
    expand_to(&identity, a.shape())
}

/// The inverse from a Cholesky factor.
pub fn cholesky_inverse(factor: &Tensor, upper: bool) -> Result<Tensor> {
    square_size("cholesky_inverse", factor)?;
    ops::cholesky_solve(&identity_like(factor)?, factor, upper)
}

fn no_inverse(at: i64) -> String {
    format!(
        "The diagonal element {at} is zero, the inversion could not be completed because the input matrix is singular."
    )
}

/// The inverse.
pub fn inverse(input: &Tensor) -> Result<Tensor> {
    square_size("linalg.inv", input)?;
    let (inverse, info) = ops::solution(input, &identity_like(input)?)?;
    check_info("linalg.inv", &info, no_inverse)?;
    Ok(inverse)
}

/// The inverse, and where there is none.
pub fn linalg_inv_ex(a: &Tensor, check_errors: bool) -> Result<(Tensor, Tensor)> {
    square_size("linalg.inv_ex", a)?;
    let (inverse, info) = ops::solution(a, &identity_like(a)?)?;
    if check_errors {
        check_info("linalg.inv_ex", &info, no_inverse)?;
    }
    Ok((inverse, info))
}

/// The inverse for `tensordot`.
pub fn linalg_tensorinv(a: &Tensor, ind: i64) -> Result<Tensor> {
    let op = "linalg.tensorinv";
    if ind <= 0 || ind as usize > a.ndim() {
        return Err(RusTorchError::argument(
            op,
            format!("ind must be a strictly positive integer of at most {}, got {ind}", a.ndim()),
        ));
    }
    let (head, tail) = a.shape().split_at(ind as usize);
    let (rows, columns) = (volume(head), volume(tail));
    if rows != columns {
        return Err(RusTorchError::shape(
            op,
            format!(
                "the sizes before and from dimension {ind} must have one product, got shape {:?}",
                a.shape()
            ),
        ));
    }
    let shape = [tail, head].concat();
    reshape_to(&inverse(&reshape_to(a, &[rows, columns])?)?, &shape)
}

/// X of `tensordot(A, X) = B`.
pub fn linalg_tensorsolve(a: &Tensor, b: &Tensor, dims: Option<&[i64]>) -> Result<Tensor> {
    let op = "linalg.tensorsolve";
    let a = match dims {
        None => a.clone(),
        Some(dims) => {
            // Short: one per dimension.
            let last: Vec<i64> = (-(dims.len() as i64)..0).collect();
            ops::movedim(a, dims, &last)?
        }
    };
    let sizes = a.shape().get(b.ndim()..).unwrap_or(&[]).to_vec();
    let columns = volume(&sizes);
    if columns * b.numel() != a.numel() || columns != b.numel() {
        return Err(RusTorchError::shape(
            op,
            format!("A of shape {:?} and B of shape {:?} make no square system", a.shape(), b.shape()),
        ));
    }
    let matrix = reshape_to(&a, &[columns, columns])?;
    reshape_to(&linalg_solve(&matrix, &reshape_to(b, &[columns])?, true)?, &sizes)
}
