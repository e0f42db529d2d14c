//! Combinations, products of sets, and coordinates.

use rustorch_backend::{DType, Device};
use rustorch_error::{Result, RusTorchError};

use super::creation::{to_device, to_dtype};
use super::shape_ops::{expand_to, reshape_to};
use crate::{Tensor, ops};

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

/// All selections of `r` elements, a row each.
pub fn combinations(input: &Tensor, r: i64, with_replacement: bool) -> Result<Tensor> {
    if input.ndim() != 1 {
        return Err(RusTorchError::shape(
            "combinations",
            format!("expect a 1D vector, but got shape {:?}", input.shape()),
        ));
    }
    let r = usize::try_from(r).map_err(|_| {
        RusTorchError::argument("combinations", format!("expect a non-negative number, but got {r}"))
    })?;
    if r == 0 {
        return Tensor::empty(&[0], input.dtype(), input.device());
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
    let step = usize::from(!with_replacement);
    let mut picked: Vec<usize> = (0..r).map(|i| i * step).collect();
    let mut places: Vec<i64> = Vec::with_capacity(count as usize * r);
    for _ in 0..count {
        places.extend(picked.iter().map(|&p| p as i64));
        // The last element that can move on does, and those behind it follow as closely as they may.
        if let Some(i) = (0..r).rev().find(|&i| picked[i] + 1 + step * (r - 1 - i) < n) {
            let next = picked[i] + 1;
            for (behind, place) in picked[i..].iter_mut().enumerate() {
                *place = next + step * behind;
            }
        }
    }
    let places = Tensor::from_slice(&places, &[places.len()])?;
    reshape_to(&ops::index_select(input, 0, &places)?, &[count as usize, r])
}

/// All ways to take one element of each vector.
pub fn cartesian_prod(tensors: &[Tensor]) -> Result<Tensor> {
    if tensors.is_empty() {
        return Err(RusTorchError::argument("cartesian_prod", "expects at least one tensor"));
    }
    if let Some(t) = tensors.iter().find(|t| t.ndim() != 1) {
        return Err(RusTorchError::shape(
            "cartesian_prod",
            format!("expect a 1D vector, but got shape {:?}", t.shape()),
        ));
    }
    if let [only] = tensors {
        return Ok(only.clone());
    }
    let sizes: Vec<usize> = tensors.iter().map(Tensor::numel).collect();
    let columns = tensors
        .iter()
        .enumerate()
        .map(|(d, t)| {
            let mut along = vec![1; sizes.len()];
            along[d] = sizes[d];
            ops::reshape(
                &expand_to(&reshape_to(t, &along)?, &sizes)?,
                &[sizes.iter().product::<usize>() as i64],
            )
        })
        .collect::<Result<Vec<_>>>()?;
    ops::stack(&columns, 1)
}

/// The coordinates of flat row-major indices.
pub fn unravel_index(indices: &Tensor, shape: &[i64]) -> Result<Vec<Tensor>> {
    if !indices.dtype().is_integral(false) {
        return Err(RusTorchError::dtype(
            "unravel_index",
            format!("expected 'indices' to be integer dtype, but got {}", indices.dtype()),
        ));
    }
    let sizes = super::creation::sizes("unravel_index", shape)?;
    if sizes.contains(&0) {
        return Err(RusTorchError::shape("unravel_index", format!("shape {shape:?} has no elements")));
    }
    let mut rest = indices.detach();
    let mut coordinates = Vec::with_capacity(sizes.len());
    for &size in sizes.iter().rev() {
        let size = Tensor::number(size as i64)?;
        coordinates.push(ops::remainder(&rest, &size)?);
        rest = ops::div(&rest, &size, Some("floor"))?;
    }
    coordinates.reverse();
    Ok(coordinates)
}

fn triangle_indices(
    op: &'static str,
    (row, col): (i64, i64),
    dtype: Option<DType>,
    device: Option<Device>,
    columns_of: impl Fn(i64) -> (i64, i64),
) -> Result<Tensor> {
    if row < 0 || col < 0 {
        return Err(RusTorchError::argument(
            op,
            format!("row and col must be non-negative, got {row} and {col}"),
        ));
    }
    let dtype = dtype.unwrap_or(DType::Int64);
    if !dtype.is_integral(false) {
        return Err(RusTorchError::dtype(op, format!("not implemented for {dtype}; integer dtypes work")));
    }
    let span = |i: i64| {
        let (start, end) = columns_of(i);
        start.clamp(0, col)..end.clamp(0, col)
    };
    let (mut rows, mut columns) = (Vec::new(), Vec::new());
    for i in 0..row {
        let span = span(i);
        rows.extend(span.clone().map(|_| i));
        columns.extend(span);
    }
    let count = rows.len();
    rows.extend(columns);
    let indices = to_dtype(&Tensor::from_slice(&rows, &[2, count])?, Some(dtype))?;
    to_device(&indices, device.unwrap_or(Device::CPU))
}

/// The coordinates of a matrix's lower triangle.
pub fn tril_indices(
    row: i64,
    col: i64,
    offset: i64,
    dtype: Option<DType>,
    device: Option<Device>,
) -> Result<Tensor> {
    let end = |i: i64| (0, i.saturating_add(offset).saturating_add(1));
    triangle_indices("tril_indices", (row, col), dtype, device, end)
}

/// The coordinates of a matrix's upper triangle.
pub fn triu_indices(
    row: i64,
    col: i64,
    offset: i64,
    dtype: Option<DType>,
    device: Option<Device>,
) -> Result<Tensor> {
    triangle_indices("triu_indices", (row, col), dtype, device, |i| (i.saturating_add(offset), i64::MAX))
}
