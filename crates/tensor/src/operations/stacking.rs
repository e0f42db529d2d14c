//! Joining tensors that are first raised to enough dimensions; blocks, grids and combinations.

use rustorch_backend::memory::Scratch;
use rustorch_error::{Result, RusTorchError};

use super::shape_ops::{expand_to, reshape_to};
use crate::{Tensor, ops};

/// A 0-d tensor as a vector of one; any other as it is.
pub fn atleast_1d(input: &Tensor) -> Result<Tensor> {
    if input.ndim() == 0 { ops::unsqueeze(input, 0) } else { Ok(input.clone()) }
}

/// A tensor with leading dimensions of size 1, so that there are two.
pub fn atleast_2d(input: &Tensor) -> Result<Tensor> {
    if input.ndim() < 2 { ops::unsqueeze(&atleast_1d(input)?, 0) } else { Ok(input.clone()) }
}

/// A tensor with dimensions of size 1, so that there are three: `(n,)` becomes `(1, n, 1)`, `(m, n)` becomes `(m, n, 1)`.
pub fn atleast_3d(input: &Tensor) -> Result<Tensor> {
    if input.ndim() < 3 { ops::unsqueeze(&atleast_2d(input)?, -1) } else { Ok(input.clone()) }
}

/// [`atleast_1d`] of each.
pub fn atleast_1d_each(tensors: &[Tensor]) -> Result<Vec<Tensor>> {
    // Short: one per tensor given.
    tensors.iter().map(atleast_1d).collect()
}

/// [`atleast_2d`] of each.
pub fn atleast_2d_each(tensors: &[Tensor]) -> Result<Vec<Tensor>> {
    // Short: one per tensor given.
    tensors.iter().map(atleast_2d).collect()
}

/// [`atleast_3d`] of each.
pub fn atleast_3d_each(tensors: &[Tensor]) -> Result<Vec<Tensor>> {
    // Short: one per tensor given.
    tensors.iter().map(atleast_3d).collect()
}

fn not_empty(op: &'static str, tensors: &[Tensor]) -> Result<()> {
    if tensors.is_empty() {
        return Err(RusTorchError::argument(op, "expects a non-empty list of tensors"));
    }
    Ok(())
}

/// Joins tensors side by side: vectors along their only dimension, others along the second.
pub fn hstack(tensors: &[Tensor]) -> Result<Tensor> {
    not_empty("hstack", tensors)?;
    let raised = atleast_1d_each(tensors)?;
    let dim = i64::from(raised[0].ndim() != 1);
    ops::cat(&raised, dim)
}

/// Joins tensors one under the other; vectors become rows.
pub fn vstack(tensors: &[Tensor]) -> Result<Tensor> {
    not_empty("vstack", tensors)?;
    ops::cat(&atleast_2d_each(tensors)?, 0)
}

/// Joins tensors along the third dimension.
pub fn dstack(tensors: &[Tensor]) -> Result<Tensor> {
    not_empty("dstack", tensors)?;
    ops::cat(&atleast_3d_each(tensors)?, 2)
}

/// Joins tensors side by side; vectors become columns.
pub fn column_stack(tensors: &[Tensor]) -> Result<Tensor> {
    not_empty("column_stack", tensors)?;
    let columns = tensors
        .iter()
        .map(|t| if t.ndim() < 2 { reshape_to(t, &[t.numel(), 1]) } else { Ok(t.clone()) })
        // Short: one per tensor given.
        .collect::<Result<Vec<_>>>()?;
    ops::cat(&columns, 1)
}

/// The matrix with the given matrices on its diagonal and zeros elsewhere.
pub fn block_diag(tensors: &[Tensor]) -> Result<Tensor> {
    if tensors.is_empty() {
        return ops::empty(&[1, 0], None, None, false);
    }
    // Short: one per tensor given.
    let mut blocks = Vec::with_capacity(tensors.len());
    for (i, t) in tensors.iter().enumerate() {
        if t.ndim() > 2 {
            return Err(RusTorchError::shape(
                "block_diag",
                format!("input tensors must have 2 or fewer dimensions, got {:?} for tensor {i}", t.shape()),
            ));
        }
        blocks.push(atleast_2d(t)?);
    }
    let width: i64 = blocks.iter().map(|b| b.shape()[1] as i64).sum();
    let mut left = 0;
    // Short: one per tensor given.
    let mut rows = Vec::with_capacity(blocks.len());
    for block in &blocks {
        let (height, own) = (block.shape()[0] as i64, block.shape()[1] as i64);
        let zeros =
            |columns| ops::zeros(&[height, columns], Some(block.dtype()), Some(block.device()), false);
        rows.push(ops::cat(&[zeros(left)?, block.clone(), zeros(width - left - own)?], 1)?);
        left += own;
    }
    ops::cat(&rows, 0)
}

/// The coordinates of a grid: the `i`-th result varies along dimension `i` as the `i`-th vector does. With `indexing`
/// `"xy"` the first two dimensions change places.
pub fn meshgrid(tensors: &[Tensor], indexing: Option<&str>) -> Result<Vec<Tensor>> {
    not_empty("meshgrid", tensors)?;
    let swapped = match indexing {
        None | Some("ij") => false,
        Some("xy") => tensors.len() > 1,
        Some(other) => {
            return Err(RusTorchError::argument(
                "meshgrid",
                format!("indexing must be one of \"xy\" or \"ij\", but received: {other}"),
            ));
        }
    };
    for t in tensors {
        if t.ndim() > 1 {
            return Err(RusTorchError::shape(
                "meshgrid",
                format!("expected scalar or 1D tensors, but got {:?}", t.shape()),
            ));
        }
        if t.dtype() != tensors[0].dtype() {
            return Err(RusTorchError::dtype(
                "meshgrid",
                format!(
                    "expects all tensors to have the same dtype, got {} and {}",
                    tensors[0].dtype(),
                    t.dtype()
                ),
            ));
        }
    }
    let place = |i: usize| if swapped && i < 2 { 1 - i } else { i };
    // Short: one per tensor given.
    let mut shape = vec![0; tensors.len()];
    for (i, t) in tensors.iter().enumerate() {
        shape[place(i)] = t.numel();
    }
    let grid = |(i, t): (usize, &Tensor)| {
        let mut own = vec![1; shape.len()];
        own[place(i)] = t.numel();
        expand_to(&reshape_to(t, &own)?, &shape)
    };
    // Short: one per tensor given.
    tensors.iter().enumerate().map(grid).collect()
}

/// The Cartesian product of vectors: a row per combination of their elements.
pub fn cartesian_prod(tensors: &[Tensor]) -> Result<Tensor> {
    if let Some(t) = tensors.iter().find(|t| t.ndim() != 1) {
        return Err(RusTorchError::shape(
            "cartesian_prod",
            format!("expects 1D vectors, but got shape {:?}", t.shape()),
        ));
    }
    if let [only] = tensors {
        return Ok(only.clone());
    }
    not_empty("cartesian_prod", tensors)?;
    let columns =
        // Short: one per tensor given.
        meshgrid(tensors, None)?.iter().map(|grid| ops::reshape(grid, &[-1])).collect::<Result<Vec<_>>>()?;
    ops::stack(&columns, 1)
}

/// More positions than this are refused before memory is asked for.
const TOO_MANY: u128 = 1 << 36;

/// `n` over `r`, or more than [`TOO_MANY`].
fn binomial(n: u128, r: u128) -> u128 {
    let r = r.min(n.saturating_sub(r));
    (0..r)
        .try_fold(1u128, |product, i| {
            let next = product.checked_mul(n - i)? / (i + 1);
            (next <= TOO_MANY).then_some(next)
        })
        .unwrap_or(TOO_MANY + 1)
}

/// All ways to choose `r` elements of a vector, in the order of their positions.
pub fn combinations(input: &Tensor, r: i64, with_replacement: bool) -> Result<Tensor> {
    if input.ndim() != 1 {
        return Err(RusTorchError::shape(
            "combinations",
            format!("expects a 1D vector, but got shape {:?}", input.shape()),
        ));
    }
    let r = usize::try_from(r).map_err(|_| {
        RusTorchError::argument("combinations", format!("expects a non-negative number, but got r={r}"))
    })?;
    if r == 0 {
        return ops::empty(&[0], Some(input.dtype()), Some(input.device()), false);
    }
    let n = input.numel();
    let count = match (n, with_replacement) {
        (0, _) => 0,
        (_, true) => binomial((n + r - 1) as u128, r as u128),
        (_, false) if r > n => 0,
        (_, false) => binomial(n as u128, r as u128),
    };
    if count.saturating_mul(r as u128) > TOO_MANY {
        return Err(RusTorchError::argument(
            "combinations",
            format!("the selections of {r} out of {n} elements are too many"),
        ));
    }
    let mut positions =
        Scratch::with_room(usize::try_from(count.saturating_mul(r as u128)).unwrap_or(usize::MAX))?;
    if n > 0 && (with_replacement || r <= n) {
        // The first choice, then each next one in lexicographic order.
        let repeat = usize::from(!with_replacement);
        let mut choice = Scratch::collect((0..r).map(|i| i * repeat))?;
        loop {
            positions.extend(choice.iter().map(|&i| i as i64))?;
            let highest = |i: usize| n - 1 - (r - 1 - i) * repeat;
            let Some(i) = (0..r).rev().find(|&i| choice[i] < highest(i)) else { break };
            let next = choice[i] + 1;
            for (k, slot) in choice[i..].iter_mut().enumerate() {
                *slot = next + k * repeat;
            }
        }
    }
    let index = Tensor::from_slice_on(input.device(), &positions, &[positions.len() / r, r])?;
    ops::index_read(input, &[index])
}
