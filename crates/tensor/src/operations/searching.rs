//! Searching sorted sequences, and sets of values.

use rustorch_backend::{DType, Scalar, kernel, volume};
use rustorch_error::{Result, RusTorchError};

use super::contiguity::contiguous_copy;
use super::creation::cast;
use super::shape_ops::reshape_to;
use super::sorting::ordered_numbers;
use crate::autograd::GradMode;
use crate::placement::{common_device, together, travelled};
use crate::promotion::comparison_type;
use crate::{Tensor, ops};

/// How many elements of their sequence are smaller than each value, or with `right` not larger; without checks.
pub(super) fn count_smaller(
    sorted: &Tensor,
    sorter: Option<&Tensor>,
    values: &Tensor,
    right: bool,
    dtype: DType,
) -> Result<Tensor> {
    let output = Tensor::empty(values.shape(), dtype, values.device())?;
    if values.numel() > 0 {
        let sorter = sorter.map(Tensor::operand);
        values.backend()?.run(kernel::SearchSorted {
            sorted: sorted.operand(),
            sorter,
            values: values.operand(),
            right,
            output: output.operand(),
        })?;
    }
    Ok(output)
}

fn search(
    op: &'static str,
    sorted: &Tensor,
    values: &Tensor,
    sorter: Option<&Tensor>,
    right: bool,
    out_int32: bool,
) -> Result<Tensor> {
    ordered_numbers(op, sorted)?;
    let common = comparison_type(&[sorted, values])?;
    together(op, &[Some(sorted), sorter])?;
    let values = travelled(op, &values.detach(), sorted.device())?;
    let (sorted, values) = (cast(&sorted.detach(), common)?, cast(&values, common)?);
    let size = sorted.shape()[sorted.ndim() - 1];
    let dtype = if out_int32 { DType::Int32 } else { DType::Int64 };
    if out_int32 && i32::try_from(size).is_err() {
        return Err(RusTorchError::argument(
            op,
            format!("{size} elements cannot be counted in int32; leave out out_int32"),
        ));
    }
    count_smaller(&sorted, sorter, &values, right, dtype)
}

/// Where values would have to be inserted into sorted sequences.
pub fn searchsorted(
    sorted_sequence: &Tensor,
    input: &Tensor,
    out_int32: bool,
    right: bool,
    side: Option<&str>,
    sorter: Option<&Tensor>,
) -> Result<Tensor> {
    let right = match side {
        None => right,
        Some("right") => true,
        Some("left") if !right => false,
        Some("left") => {
            return Err(RusTorchError::argument(
                "searchsorted",
                "side and right can't be set to opposites, got side of left while right was True",
            ));
        }
        Some(other) => {
            return Err(RusTorchError::argument(
                "searchsorted",
                format!("side can only be 'left' or 'right' but got {other}"),
            ));
        }
    };
    let (line, values) = (sorted_sequence.shape(), input.shape());
    let fits = line.len() == 1
        || (line.len() == values.len()
            && line.len() > 1
            && line[..line.len() - 1] == values[..line.len() - 1]);
    if !fits {
        return Err(RusTorchError::shape(
            "searchsorted",
            format!(
                "boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input \
                 value tensor must match, but we got boundaries tensor {line:?} and input value tensor {values:?}"
            ),
        ));
    }
    if let Some(sorter) = sorter {
        if sorter.shape() != line {
            return Err(RusTorchError::shape(
                "searchsorted",
                format!(
                    "boundary and sorter must have the same size, but got boundary tensor {line:?} and got sorter \
                     tensor {:?}",
                    sorter.shape()
                ),
            ));
        }
        if sorter.dtype() != DType::Int64 {
            return Err(RusTorchError::dtype(
                "searchsorted",
                format!("sorter must be a tensor of int64 dtype but got dtype {}", sorter.dtype()),
            ));
        }
    }
    search("searchsorted", sorted_sequence, input, sorter, right, out_int32)
}

/// The bucket between sorted boundaries that each value falls into.
pub fn bucketize(input: &Tensor, boundaries: &Tensor, out_int32: bool, right: bool) -> Result<Tensor> {
    if boundaries.ndim() != 1 {
        return Err(RusTorchError::shape(
            "bucketize",
            format!("boundaries tensor must be 1 dimension, but got dim({})", boundaries.ndim()),
        ));
    }
    search("bucketize", boundaries, input, None, right, out_int32)
}

/// Whether each element is among others.
pub fn isin(elements: &Tensor, test_elements: &Tensor, _assume_unique: bool, invert: bool) -> Result<Tensor> {
    ordered_numbers("isin", elements)?;
    ordered_numbers("isin", test_elements)?;
    let common = comparison_type(&[elements, test_elements])?;
    let device = common_device("isin", &[elements, test_elements])?;
    let here = |t: &Tensor| cast(&travelled("isin", &t.detach(), device)?, common);
    let elements = here(elements)?;
    let tested = ops::reshape(&here(test_elements)?, &[-1])?;
    // NaN is equal to nothing, and would stand in the way of a binary search.
    let tested = ops::sort(&ops::masked_select(&tested, &ops::eq(&tested, &tested)?)?, 0, false, true)?.0;
    let found = if tested.numel() == 0 {
        ops::zeros_like(&elements, Some(DType::Bool), None, false)?
    } else {
        let last = Tensor::number(tested.numel() as i64 - 1)?;
        let place = ops::clamp_max(&count_smaller(&tested, None, &elements, false, DType::Int64)?, &last)?;
        ops::eq(&ops::take(&tested, &place)?, &elements)?
    };
    if invert { ops::logical_not(&found) } else { Ok(found) }
}

/// Runs of equal neighbours among `count` positions.
struct Runs {
    /// The position of each run's first member.
    first: Tensor,
    /// The number of each position's run.
    number: Tensor,
    count: usize,
}

impl Runs {
    /// `changes` says of each position but the first whether a run begins there.
    fn new(changes: &Tensor, count: usize) -> Result<Self> {
        let first = ops::ones(&[i64::from(count > 0)], Some(DType::Bool), Some(changes.device()), false)?;
        let begins = ops::cat(&[first, changes.clone()], 0)?;
        let first = ops::reshape(&ops::nonzero(&begins)?, &[-1])?;
        let number = ops::sub(&ops::cumsum(&begins, 0, None)?, &Tensor::number(1_i64)?, 1.into())?;
        Ok(Runs { first, number, count })
    }

    /// How long each run is.
    fn lengths(&self) -> Result<Tensor> {
        let end = ops::full(&[1], Scalar::Int(self.count as i64), None, Some(self.first.device()), false)?;
        let ends = ops::cat(&[self.first.clone(), end], 0)?;
        let runs = self.first.numel() as i64;
        ops::sub(&ops::narrow(&ends, 0, 1, runs)?, &ops::narrow(&ends, 0, 0, runs)?, 1.into())
    }
}

/// The different rows of `lines` (n, m): in order if `sort`, else of neighbours alone.
fn different_rows(lines: &Tensor, sort: bool) -> Result<(Tensor, Runs, Option<Tensor>)> {
    let (rows, columns) = (lines.shape()[0], lines.shape()[1]);
    let (lines, order) = if sort {
        // By one column after another, from the last one on; each sort is stable.
        let mut order: Option<Tensor> = None;
        // Of no rows the columns can be without end.
        let compared = if rows < 2 { 0 } else { columns as i64 };
        for column in (0..compared).rev() {
            let key = ops::select(lines, 1, column)?;
            order = Some(match order {
                None => ops::argsort(&key, 0, false, true)?,
                Some(order) => {
                    let next = ops::argsort(&ops::index_select(&key, 0, &order)?, 0, false, true)?;
                    ops::index_select(&order, 0, &next)?
                }
            });
        }
        let lines = match &order {
            Some(order) => ops::index_select(lines, 0, order)?,
            None => lines.clone(),
        };
        (lines, order)
    } else {
        (lines.clone(), None)
    };
    let pairs = rows.saturating_sub(1) as i64;
    let differ =
        ops::ne(&ops::narrow(&lines, 0, 1.min(rows as i64), pairs)?, &ops::narrow(&lines, 0, 0, pairs)?)?;
    let runs = Runs::new(&ops::any(&differ, Some(&[1]), false)?, rows)?;
    Ok((ops::index_select(&lines, 0, &runs.first)?, runs, order))
}

fn unique_of(
    op: &'static str,
    input: &Tensor,
    sort: bool,
    return_inverse: bool,
    return_counts: bool,
    dim: Option<i64>,
) -> Result<Vec<Tensor>> {
    let _mode = GradMode::no_grad();
    if input.dtype().is_complex() {
        return Err(RusTorchError::dtype(
            op,
            format!("complex numbers have no order; got {}, and every real dtype works", input.dtype()),
        ));
    }
    let input = input.detach();
    let Some(dim) = dim else {
        let column = reshape_to(&input, &[input.numel(), 1])?;
        let (values, runs, order) = different_rows(&column, sort)?;
        let mut results = vec![ops::reshape(&values, &[-1])?];
        if return_inverse {
            results.push(reshape_to(&inverse(&runs, order.as_ref())?, input.shape())?);
        }
        if return_counts {
            results.push(runs.lengths()?);
        }
        return Ok(results);
    };
    if input.ndim() == 0 {
        return Err(RusTorchError::index(
            op,
            format!("dimension specified as {dim} but tensor has no dimensions"),
        ));
    }
    let d = input.dim_index(op, dim)?;
    let moved = ops::movedim(&input, &[d as i64], &[0])?;
    let rest = volume(&moved.shape()[1..]);
    if rest == 0 && moved.shape()[0] > 0 {
        return Err(RusTorchError::shape(
            op,
            format!(
                "there are 0 sized dimensions besides {d} in {:?}, so there is nothing to compare",
                input.shape()
            ),
        ));
    }
    let lines = reshape_to(&moved, &[moved.shape()[0], rest])?;
    let (values, runs, order) = different_rows(&lines, sort)?;
    let mut shape = moved.shape().to_vec();
    shape[0] = values.shape()[0];
    let values = ops::movedim(&reshape_to(&values, &shape)?, &[0], &[d as i64])?;
    let mut results = vec![contiguous_copy(&values)?];
    if return_inverse {
        results.push(inverse(&runs, order.as_ref())?);
    }
    if return_counts {
        results.push(runs.lengths()?);
    }
    Ok(results)
}

/// The number of the run that each element of the input belongs to, where `order` sorted them.
fn inverse(runs: &Runs, order: Option<&Tensor>) -> Result<Tensor> {
    match order {
        Some(order) => ops::scatter(&runs.number, 0, order, &runs.number),
        None => Ok(runs.number.clone()),
    }
}

/// The different values or slices, in order.
pub fn unique(
    input: &Tensor,
    _sorted: bool,
    return_inverse: bool,
    return_counts: bool,
    dim: Option<i64>,
) -> Result<Vec<Tensor>> {
    unique_of("unique", input, true, return_inverse, return_counts, dim)
}

/// The first of each run of equal values or slices.
pub fn unique_consecutive(
    input: &Tensor,
    return_inverse: bool,
    return_counts: bool,
    dim: Option<i64>,
) -> Result<Vec<Tensor>> {
    unique_of("unique_consecutive", input, false, return_inverse, return_counts, dim)
}
