//! Tables of vectors: single rows, and bags of them.

use rustorch_backend::DType;
use rustorch_backend::memory::Scratch;
use rustorch_error::{Result, RusTorchError};

use super::creation::cast;
use super::shape_ops::reshape_to;
use crate::autograd::GradMode;
use crate::{Tensor, ops};

/// Indices as int64, not negative.
fn row_numbers(op: &'static str, indices: &Tensor, rows: usize) -> Result<Tensor> {
    if !indices.dtype().is_integral(false) {
        return Err(RusTorchError::dtype(op, format!("expected integer indices, got {}", indices.dtype())));
    }
    let indices = cast(&indices.detach(), DType::Int64)?;
    if indices.numel() > 0 {
        let low = super::reduction_ops::amin(&indices, &[], false)?.item()?.to_i64();
        if low < 0 {
            return Err(RusTorchError::index(op, format!("index {low} is out of range for {rows} rows")));
        }
    }
    Ok(indices)
}

fn refuse_sparse(op: &'static str, sparse: bool) -> Result<()> {
    if !sparse {
        return Ok(());
    }
    Err(RusTorchError::unsupported(op, "sparse gradients are not supported; leave sparse=False"))
}

fn table_rows(op: &'static str, weight: &Tensor) -> Result<usize> {
    match weight.shape() {
        [rows, _] => Ok(*rows),
        shape => Err(RusTorchError::shape(op, format!("'weight' must be 2-D, got {shape:?}"))),
    }
}

/// The rows of `weight` that `indices` name.
pub fn embedding(
    weight: &Tensor,
    indices: &Tensor,
    _padding_idx: i64,
    _scale_grad_by_freq: bool,
    sparse: bool,
) -> Result<Tensor> {
    refuse_sparse("embedding", sparse)?;
    let rows = table_rows("embedding", weight)?;
    ops::index_read(&weight.detach(), &[row_numbers("embedding", indices, rows)?])
}

/// Scales rows down to a largest norm.
pub fn embedding_renorm_(input: &Tensor, indices: &Tensor, max_norm: f64, norm_type: f64) -> Result<()> {
    let op = "embedding_renorm_";
    let rows = table_rows(op, input)?;
    let indices = reshape_to(&row_numbers(op, indices, rows)?, &[indices.numel()])?;
    let _mode = GradMode::no_grad();
    let named = ops::index_read(&input.detach(), std::slice::from_ref(&indices))?;
    let norms = ops::linalg_vector_norm(&named, norm_type.into(), Some(&[1]), true, None)?;
    let limit = Tensor::number(max_norm)?;
    let scale = ops::div(&limit, &ops::add(&norms, &Tensor::number(1e-7)?, 1.into())?, None)?;
    let scaled = ops::where_(&ops::gt(&norms, &limit)?, &ops::mul(&named, &scale)?, &named)?;
    // Equal indices write equal rows.
    super::indexing::write(false, input, &[indices], &scaled)?;
    input.storage().bump_version();
    Ok(())
}

/// How the rows of a bag become one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Sum,
    Mean,
    Max,
}

impl Mode {
    fn parse(op: &'static str, name: &str) -> Result<Self> {
        match name {
            "sum" => Ok(Mode::Sum),
            "mean" => Ok(Mode::Mean),
            "max" => Ok(Mode::Max),
            other => Err(RusTorchError::argument(
                op,
                format!("mode has to be one of 'sum', 'mean' or 'max', got '{other}'"),
            )),
        }
    }
}

/// Which positions of the flat indices belong to which bag.
struct Bags {
    count: usize,
    /// The positions that count, in order.
    positions: Scratch<i64>,
    /// The bag of each.
    owners: Scratch<i64>,
}

impl Bags {
    /// Reads where bags begin; positions whose index is the padding's count nowhere.
    fn new(
        op: &'static str,
        indices: &[i64],
        offsets: &[i64],
        include_last_offset: bool,
        padding: Option<i64>,
    ) -> Result<Self> {
        let length = indices.len() as i64;
        if offsets.first().is_some_and(|&first| first != 0) {
            return Err(RusTorchError::argument(
                op,
                format!("offsets[0] has to be 0, where the first bag begins, but got {}", offsets[0]),
            ));
        }
        if offsets.windows(2).any(|pair| pair[1] < pair[0])
            || offsets.last().is_some_and(|&last| last > length)
        {
            return Err(RusTorchError::argument(
                op,
                format!("offsets must not fall, nor exceed the number of indices, {length}"),
            ));
        }
        if include_last_offset && offsets.is_empty() {
            return Err(RusTorchError::argument(
                op,
                "include_last_offset: number of offsets should be at least 1",
            ));
        }
        let count = offsets.len() - usize::from(include_last_offset);
        let (mut positions, mut owners) = (Scratch::new(), Scratch::new());
        for bag in 0..count {
            let end = offsets.get(bag + 1).copied().unwrap_or(length);
            for position in offsets[bag]..end {
                if Some(indices[position as usize]) != padding {
                    positions.push(position)?;
                    owners.push(bag as i64)?;
                }
            }
        }
        Ok(Bags { count, positions, owners })
    }

    /// The number of positions of each bag, as a column.
    fn sizes(&self, like: &Tensor) -> Result<Tensor> {
        let mut sizes = Scratch::filled(self.count, 0_f64)?;
        for &bag in &self.owners {
            sizes[bag as usize] += 1.0;
        }
        cast(&Tensor::from_slice_on(like.device(), &sizes, &[self.count, 1])?, like.dtype())
    }

    /// The sum of the rows of each bag.
    fn sum(&self, rows: &Tensor) -> Result<Tensor> {
        let sizes = [self.count as i64, rows.shape()[1] as i64];
        let zeros = ops::zeros(&sizes, Some(rows.dtype()), Some(rows.device()), false)?;
        let owners = Tensor::from_slice_on(rows.device(), &self.owners, &[self.owners.len()])?;
        ops::index_add(&zeros, 0, &owners, rows, 1.into())
    }

    /// The largest of each column of each bag's rows; 0 for an empty bag.
    fn max(&self, rows: &Tensor) -> Result<Tensor> {
        let mut lengths = Scratch::filled(self.count, 0_usize)?;
        for &bag in &self.owners {
            lengths[bag as usize] += 1;
        }
        let longest = lengths.iter().copied().max().unwrap_or(0);
        if longest == 0 {
            return self.sum(rows);
        }
        let empty = Scratch::collect(lengths.iter().map(|&n| n == 0))?;
        let mut places = Scratch::filled(self.count * longest, 0_i64)?;
        let mut absent = Scratch::filled(self.count * longest, true)?;
        lengths.fill(0);
        for (row, &bag) in self.owners.iter().enumerate() {
            let at = bag as usize * longest + lengths[bag as usize];
            places[at] = row as i64;
            absent[at] = false;
            lengths[bag as usize] += 1;
        }
        let places = Tensor::from_slice_on(rows.device(), &places, &[self.count, longest])?;
        let absent = Tensor::from_slice_on(rows.device(), &absent, &[self.count, longest, 1])?;
        let padded = ops::index_read(rows, &[places])?;
        let padded = ops::masked_fill(&padded, &absent, &Tensor::number(f64::NEG_INFINITY)?)?;
        let (values, _) = ops::max_dim(&padded, 1, false)?;
        let empty = Tensor::from_slice_on(rows.device(), &empty, &[self.count, 1])?;
        ops::masked_fill(&values, &empty, &Tensor::number(0)?)
    }
}

/// Sums, means or maxima of bags of rows.
#[allow(clippy::too_many_arguments, reason = "PyTorch's signature")]
pub fn embedding_bag(
    input: &Tensor,
    weight: &Tensor,
    offsets: Option<&Tensor>,
    max_norm: Option<f64>,
    norm_type: f64,
    scale_grad_by_freq: bool,
    mode: &str,
    sparse: bool,
    per_sample_weights: Option<&Tensor>,
    include_last_offset: bool,
    padding_idx: Option<i64>,
) -> Result<Tensor> {
    let op = "embedding_bag";
    let mode = Mode::parse(op, mode)?;
    refuse_sparse(op, sparse)?;
    let table = table_rows(op, weight)?;
    if scale_grad_by_freq && mode == Mode::Max {
        return Err(RusTorchError::argument(
            op,
            "max mode does not support scaling the gradient by the frequency",
        ));
    }
    if let Some(weights) = per_sample_weights {
        if weights.shape() != input.shape() {
            return Err(RusTorchError::shape(
                op,
                format!(
                    "per_sample_weights must have the same shape as the input, got {:?} and {:?}",
                    weights.shape(),
                    input.shape()
                ),
            ));
        }
        if mode != Mode::Sum {
            return Err(RusTorchError::unsupported(op, "per_sample_weights go with mode='sum' only"));
        }
    }
    let padding = padding_idx.map(|i| if i < 0 { i + table as i64 } else { i });
    if padding.is_some_and(|i| i < 0 || i >= table as i64) {
        return Err(RusTorchError::index(
            op,
            format!("padding_idx must be within the {table} rows, got {padding_idx:?}"),
        ));
    }
    let offsets = match (input.shape(), offsets) {
        (&[bags, length], None) => Scratch::collect((0..bags).map(|bag| (bag * length) as i64))?,
        ([_], Some(offsets)) if offsets.ndim() == 1 => Scratch::copied(&offsets.to_vec::<i64>()?)?,
        (shape, offsets) => {
            return Err(RusTorchError::shape(
                op,
                format!(
                    "expected a 2-D input without offsets, or a 1-D input with 1-D offsets, got input {shape:?} and offsets {:?}",
                    offsets.map(Tensor::shape)
                ),
            ));
        }
    };
    let include_last_offset = include_last_offset && input.ndim() == 1;
    let indices = reshape_to(&row_numbers(op, input, table)?, &[input.numel()])?;
    if let Some(max_norm) = max_norm {
        ops::embedding_renorm_(weight, &indices, max_norm, norm_type)?;
    }
    let bags = Bags::new(op, &indices.to_vec::<i64>()?, &offsets, include_last_offset, padding)?;
    let positions = Tensor::from_slice_on(indices.device(), &bags.positions, &[bags.positions.len()])?;
    let rows =
        ops::embedding(weight, &ops::index_select(&indices, 0, &positions)?, -1, scale_grad_by_freq, false)?;
    // Half precisions are summed in float32 and rounded once.
    let rows = cast(&rows, weight.dtype().compute())?;
    let bagged = match (mode, per_sample_weights) {
        (Mode::Sum, Some(weights)) => {
            let flat = cast(&ops::reshape(weights, &[-1, 1])?, weights.dtype().compute())?;
            bags.sum(&ops::mul(&rows, &ops::index_select(&flat, 0, &positions)?)?)
        }
        (Mode::Sum, None) => bags.sum(&rows),
        (Mode::Mean, _) => {
            let sizes = ops::clamp_min(&bags.sizes(&rows)?, &Tensor::number(1)?)?;
            ops::div(&bags.sum(&rows)?, &sizes, None)
        }
        (Mode::Max, _) => bags.max(&rows),
    };
    cast(&bagged?, weight.dtype())
}
