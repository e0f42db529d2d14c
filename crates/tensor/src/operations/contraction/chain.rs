//! Products of several matrices, and powers of one.

use rustorch_backend::memory::Scratch;
use rustorch_error::{Result, RusTorchError};

use crate::operations::linear_algebra::ignoring;
use crate::{Tensor, ops};

/// The product of several matrices.
pub fn chain_matmul(matrices: &[Tensor]) -> Result<Tensor> {
    if let Some(other) = matrices.iter().find(|m| m.ndim() != 2) {
        return Err(RusTorchError::shape(
            "chain_matmul",
            format!("expected matrices, got a tensor of shape {:?}", other.shape()),
        ));
    }
    match matrices {
        [] => Err(RusTorchError::argument("chain_matmul", "expected one or more matrices, got none")),
        [only] => Ok(only.clone()),
        _ => product("chain_matmul", matrices),
    }
}

/// The product of matrices of which the first and the last may be vectors.
pub fn linalg_multi_dot(tensors: &[Tensor]) -> Result<Tensor> {
    let op = "linalg.multi_dot";
    let [first, middle @ .., last] = tensors else {
        return Err(RusTorchError::argument(
            op,
            format!("expected at least 2 tensors, got {}", tensors.len()),
        ));
    };
    let ends_fit = [first, last].iter().all(|t| matches!(t.ndim(), 1 | 2));
    if !ends_fit || middle.iter().any(|t| t.ndim() != 2) {
        // Short: one per tensor given.
        let shapes: Vec<_> = tensors.iter().map(Tensor::shape).collect();
        return Err(RusTorchError::shape(
            op,
            format!(
                "all tensors must be matrices, the first and the last may be vectors; got shapes {shapes:?}"
            ),
        ));
    }
    let row = if first.ndim() == 1 { ops::unsqueeze(first, 0)? } else { first.clone() };
    let column = if last.ndim() == 1 { ops::unsqueeze(last, 1)? } else { last.clone() };
    let mut matrices = vec![row];
    matrices.extend(middle.iter().cloned());
    matrices.push(column);
    let mut result = product(op, &matrices)?;
    if last.ndim() == 1 {
        result = ops::squeeze(&result, Some(&[1]))?;
    }
    if first.ndim() == 1 {
        result = ops::squeeze(&result, Some(&[0]))?;
    }
    Ok(result)
}

fn product(op: &'static str, matrices: &[Tensor]) -> Result<Tensor> {
    for pair in matrices.windows(2) {
        if pair[0].shape()[1] != pair[1].shape()[0] {
            return Err(RusTorchError::shape(
                op,
                format!("shapes {:?} and {:?} cannot be multiplied", pair[0].shape(), pair[1].shape()),
            ));
        }
    }
    let splits = cheapest_splits(matrices)?;
    multiply(matrices, &splits, 0, matrices.len() - 1)
}

/// Where each run of matrices is best cut in two: `splits[i * n + j]` for the matrices i to j. The dynamic program of Cormen et
/// al., Introduction to Algorithms, chapter 15.2.
fn cheapest_splits(matrices: &[Tensor]) -> Result<Scratch<usize>> {
    let n = matrices.len();
    let (rows, columns) = (|i: usize| matrices[i].shape()[0], |i: usize| matrices[i].shape()[1]);
    let mut cost = Scratch::filled(n * n, 0_usize)?;
    let mut splits = Scratch::filled(n * n, 0_usize)?;
    for length in 1..n {
        for i in 0..n - length {
            let j = i + length;
            cost[i * n + j] = usize::MAX;
            for cut in i..j {
                let last = rows(i).saturating_mul(columns(cut)).saturating_mul(columns(j));
                let total = cost[i * n + cut].saturating_add(cost[(cut + 1) * n + j]).saturating_add(last);
                if total < cost[i * n + j] || cut == i {
                    cost[i * n + j] = total;
                    splits[i * n + j] = cut;
                }
            }
        }
    }
    Ok(splits)
}

fn multiply(matrices: &[Tensor], splits: &[usize], i: usize, j: usize) -> Result<Tensor> {
    if i == j {
        return Ok(matrices[i].clone());
    }
    let cut = splits[i * matrices.len() + j];
    ops::mm(&multiply(matrices, splits, i, cut)?, &multiply(matrices, splits, cut + 1, j)?)
}

/// The n-th power of square matrices, by repeated squaring.
pub fn matrix_power(input: &Tensor, n: i64) -> Result<Tensor> {
    let op = "linalg.matrix_power";
    let [.., rows, columns] = input.shape() else {
        return Err(RusTorchError::shape(
            op,
            format!("expected matrices (*, m, m), got {:?}", input.shape()),
        ));
    };
    if rows != columns {
        return Err(RusTorchError::shape(
            op,
            format!("A must be batches of square matrices, but they are {rows} by {columns}"),
        ));
    }
    if n == 0 {
        let size = *rows as i64;
        let identity = ops::eye(size, Some(size), Some(input.dtype()), Some(input.device()), false)?;
        return ignoring(input, ops::clone(&super::expand_to(&identity, input.shape())?)?);
    }
    let mut rest = n.unsigned_abs();
    let mut square = if n < 0 { ops::inverse(input)? } else { input.clone() };
    let mut result: Option<Tensor> = None;
    loop {
        if rest & 1 == 1 {
            result = Some(match result {
                Some(product) => ops::matmul(&product, &square)?,
                None if rest == 1 && n == 1 => ops::clone(&square)?,
                None => square.clone(),
            });
        }
        rest >>= 1;
        if rest == 0 {
            break;
        }
        square = ops::matmul(&square, &square)?;
    }
    result.ok_or_else(|| RusTorchError::argument(op, "the power is empty"))
}
