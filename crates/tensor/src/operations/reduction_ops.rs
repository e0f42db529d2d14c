//! Reductions and cumulative ops.

use rustorch_backend::{DType, Dims, Program, ReduceOp, Scalar, ScanOp, Shape, dims_from_slice, kernel};
use rustorch_error::{Result, RusTorchError};

use super::contiguity::contiguous_copy;
use super::creation::cast;
use crate::{Tensor, default_dtype, ops};

/// The dimensions a reduction runs over, ascending; none given means all.
pub(crate) fn reduced_dims(op: &'static str, input: &Tensor, dim: Option<&[i64]>) -> Result<Dims<usize>> {
    let Some(dims) = dim.filter(|d| !d.is_empty()) else { return Ok((0..input.ndim()).collect()) };
    let mut out: Dims<usize> = dims.iter().map(|&d| input.dim_index(op, d)).collect::<Result<_>>()?;
    out.sort_unstable();
    if out.windows(2).any(|w| w[0] == w[1]) {
        return Err(RusTorchError::argument(
            op,
            format!("a dimension appears multiple times in the list of dims {dims:?}"),
        ));
    }
    if input.ndim() == 0 {
        out.clear();
    }
    Ok(out)
}

/// The shape with size 1 at `dims`.
pub(crate) fn kept_shape(shape: &[usize], dims: &[usize]) -> Shape {
    shape.iter().enumerate().map(|(d, &n)| if dims.contains(&d) { 1 } else { n }).collect()
}

/// A reduced tensor without its reduced dimensions, unless they are kept; without history.
pub(crate) fn drop_dims(kept: Tensor, dims: &[usize], keepdim: bool) -> Tensor {
    if keepdim || dims.is_empty() {
        return kept;
    }
    let rest: Dims<usize> = (0..kept.ndim()).filter(|d| !dims.contains(d)).collect();
    let layout = kept.layout().permute(&rest);
    kept.alias(layout)
}

/// `op` over `dims`, of the elements as `pre` maps them; without history.
pub(crate) fn reduce(
    op: ReduceOp,
    pre: Option<&Program>,
    input: &Tensor,
    dims: &[usize],
    dtype: DType,
    keepdim: bool,
) -> Result<Tensor> {
    let kept = Tensor::empty(&kept_shape(input.shape(), dims), dtype, input.device())?;
    if kept.numel() > 0 {
        input.backend()?.run(kernel::Reduce {
            op,
            pre: pre.cloned(),
            input: input.operand(),
            dims: dims_from_slice(dims),
            output: kept.operand(),
        })?;
    }
    Ok(drop_dims(kept, dims, keepdim))
}

fn real_only(op: &'static str, input: &Tensor) -> Result<()> {
    if input.dtype().is_complex() {
        return Err(RusTorchError::dtype(
            op,
            format!("not implemented for {}; it takes real tensors", input.dtype()),
        ));
    }
    Ok(())
}

/// The dtype that sums and products have unless told otherwise.
fn sum_dtype(input: &Tensor, dtype: Option<DType>) -> DType {
    dtype.unwrap_or(if input.dtype().is_integral(true) { DType::Int64 } else { input.dtype() })
}

/// The sum over dimensions.
pub fn sum(input: &Tensor, dim: Option<&[i64]>, keepdim: bool, dtype: Option<DType>) -> Result<Tensor> {
    let dims = reduced_dims("sum", input, dim)?;
    let out = sum_dtype(input, dtype);
    let input = if out.category() < input.dtype().category() || out.is_differentiable() {
        &cast(input, out)?
    } else {
        input
    };
    reduce(ReduceOp::Sum, None, input, &dims, out, keepdim)
}

/// The mean over dimensions.
pub fn mean(input: &Tensor, dim: Option<&[i64]>, keepdim: bool, dtype: Option<DType>) -> Result<Tensor> {
    let out = dtype.unwrap_or(input.dtype());
    if !out.is_differentiable() {
        return Err(RusTorchError::dtype(
            "mean",
            format!(
                "could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: {}; \
                 pass dtype=",
                input.dtype()
            ),
        ));
    }
    let dims = reduced_dims("mean", input, dim)?;
    reduce(ReduceOp::Mean, None, &cast(input, out)?, &dims, out, keepdim)
}

/// The product of all elements.
pub fn prod_all(input: &Tensor, dtype: Option<DType>) -> Result<Tensor> {
    ops::prod_dim(&ops::reshape(input, &[-1])?, 0, false, dtype)
}

/// The product along a dimension.
pub fn prod_dim(input: &Tensor, dim: i64, keepdim: bool, dtype: Option<DType>) -> Result<Tensor> {
    let dims = reduced_dims("prod", input, Some(&[dim]))?;
    let out = sum_dtype(input, dtype);
    reduce(ReduceOp::Prod, None, &cast(input, out)?, &dims, out, keepdim)
}

fn extremum(name: &'static str, op: ReduceOp, input: &Tensor, dim: &[i64], keepdim: bool) -> Result<Tensor> {
    real_only(name, input)?;
    let dims = reduced_dims(name, input, Some(dim))?;
    if dims.iter().any(|&d| input.shape()[d] == 0) {
        return Err(RusTorchError::index(
            name,
            format!(
                "expected reduction dim to have non-zero size, got shape {:?} and dims {dim:?}",
                input.shape()
            ),
        ));
    }
    reduce(op, None, input, &dims, input.dtype(), keepdim)
}

/// The largest element over dimensions.
pub fn amax(input: &Tensor, dim: &[i64], keepdim: bool) -> Result<Tensor> {
    extremum("amax", ReduceOp::Max, input, dim, keepdim)
}

/// The smallest element over dimensions.
pub fn amin(input: &Tensor, dim: &[i64], keepdim: bool) -> Result<Tensor> {
    extremum("amin", ReduceOp::Min, input, dim, keepdim)
}

/// The largest of all elements.
pub fn max_all(input: &Tensor) -> Result<Tensor> {
    extremum("max", ReduceOp::Max, input, &[], false)
}

/// The smallest of all elements.
pub fn min_all(input: &Tensor) -> Result<Tensor> {
    extremum("min", ReduceOp::Min, input, &[], false)
}

/// The smallest and the largest of all elements or along a dimension.
pub fn aminmax(input: &Tensor, dim: Option<i64>, keepdim: bool) -> Result<(Tensor, Tensor)> {
    let dims = dim.map(|d| [d]);
    let dims: &[i64] = dims.as_ref().map_or(&[], |d| d);
    let (low, high) = (ops::amin(input, dims, keepdim)?, ops::amax(input, dims, keepdim)?);
    Ok((low, high))
}

/// The larger of each pair.
pub fn max_other(input: &Tensor, other: &Tensor) -> Result<Tensor> {
    ops::maximum(input, other)
}

/// The smaller of each pair.
pub fn min_other(input: &Tensor, other: &Tensor) -> Result<Tensor> {
    ops::minimum(input, other)
}

fn arg_reduce(
    name: &'static str,
    op: ReduceOp,
    input: &Tensor,
    dim: i64,
    keepdim: bool,
    with_values: bool,
) -> Result<(Option<Tensor>, Tensor)> {
    real_only(name, input)?;
    let d = input.dim_index(name, dim)?;
    if input.ndim() == 0 {
        let index = Tensor::scalar(0.into(), DType::Int64, input.device())?;
        return Ok((with_values.then(|| contiguous_copy(input)).transpose()?, index));
    }
    if input.shape()[d] == 0 {
        return Err(RusTorchError::index(
            name,
            format!("expected reduction dim {d} to have non-zero size, got shape {:?}", input.shape()),
        ));
    }
    let shape = kept_shape(input.shape(), &[d]);
    let indices = Tensor::empty(&shape, DType::Int64, input.device())?;
    let values = with_values.then(|| Tensor::empty(&shape, input.dtype(), input.device())).transpose()?;
    if indices.numel() > 0 {
        let operand = values.as_ref().map(Tensor::operand);
        input.backend()?.run(kernel::ArgReduce {
            op,
            input: input.operand(),
            dim: d,
            values: operand,
            indices: indices.operand(),
        })?;
    }
    Ok((values.map(|v| drop_dims(v, &[d], keepdim)), drop_dims(indices, &[d], keepdim)))
}

/// The largest element along a dimension, and its index.
pub fn max_dim(input: &Tensor, dim: i64, keepdim: bool) -> Result<(Tensor, Tensor)> {
    with_indices(arg_reduce("max", ReduceOp::Max, input, dim, keepdim, true)?)
}

/// The smallest element along a dimension, and its index.
pub fn min_dim(input: &Tensor, dim: i64, keepdim: bool) -> Result<(Tensor, Tensor)> {
    with_indices(arg_reduce("min", ReduceOp::Min, input, dim, keepdim, true)?)
}

fn with_indices((values, indices): (Option<Tensor>, Tensor)) -> Result<(Tensor, Tensor)> {
    let values = values.ok_or_else(|| RusTorchError::unsupported("max", "the backend gave no values"))?;
    Ok((values, indices))
}

fn arg_extremum(
    name: &'static str,
    op: ReduceOp,
    input: &Tensor,
    dim: Option<i64>,
    keepdim: bool,
) -> Result<Tensor> {
    if let Some(dim) = dim {
        return Ok(arg_reduce(name, op, input, dim, keepdim, false)?.1);
    }
    let flat = ops::reshape(&input.detach(), &[-1])?;
    let index = arg_reduce(name, op, &flat, 0, false, false)?.1;
    if keepdim { super::shape_ops::reshape_to(&index, &vec![1; input.ndim()]) } else { Ok(index) }
}

/// The index of the first largest element.
pub fn argmax(input: &Tensor, dim: Option<i64>, keepdim: bool) -> Result<Tensor> {
    arg_extremum("argmax", ReduceOp::Max, input, dim, keepdim)
}

/// The index of the first smallest element.
pub fn argmin(input: &Tensor, dim: Option<i64>, keepdim: bool) -> Result<Tensor> {
    arg_extremum("argmin", ReduceOp::Min, input, dim, keepdim)
}

fn truth(
    name: &'static str,
    op: ReduceOp,
    input: &Tensor,
    dim: Option<&[i64]>,
    keepdim: bool,
) -> Result<Tensor> {
    let dims = reduced_dims(name, input, dim)?;
    // PyTorch keeps uint8 for historical reasons.
    let dtype = if input.dtype() == DType::UInt8 { DType::UInt8 } else { DType::Bool };
    cast(&reduce(op, None, input, &dims, DType::Bool, keepdim)?, dtype)
}

/// Whether any element differs from zero.
pub fn any(input: &Tensor, dim: Option<&[i64]>, keepdim: bool) -> Result<Tensor> {
    truth("any", ReduceOp::Any, input, dim, keepdim)
}

/// Whether all elements differ from zero.
pub fn all(input: &Tensor, dim: Option<&[i64]>, keepdim: bool) -> Result<Tensor> {
    truth("all", ReduceOp::All, input, dim, keepdim)
}

/// `log(sum(exp(x)))`.
pub fn logsumexp(input: &Tensor, dim: &[i64], keepdim: bool) -> Result<Tensor> {
    let input = if input.dtype().is_integral(true) { cast(input, default_dtype())? } else { input.clone() };
    // Short: one per dimension.
    let dims: Vec<i64> = reduced_dims("logsumexp", &input, Some(dim))?.iter().map(|&d| d as i64).collect();
    if input.ndim() == 0 {
        return ops::view(&logsumexp(&ops::view(&input, &[1])?, &[0], false)?, &[]);
    }
    if input.numel() == 0 {
        return ops::log(&ops::sum(&ops::exp(&input)?, Some(&dims), keepdim, None)?);
    }
    // The shift is a constant: its derivative cancels. An infinite one would give inf - inf.
    let highest = ops::amax(&ops::real(&input.detach())?, &dims, true)?;
    let zero = Tensor::number(0.0)?;
    let shift = ops::where_(&ops::isfinite(&highest)?, &highest, &zero)?;
    let sum = ops::sum(&ops::exp(&ops::sub(&input, &shift, 1.into())?)?, Some(&dims), true, None)?;
    // Nothing but -inf has no share in its sum: its gradient is 0, where the logarithm's at 0 would give NaN.
    let empty = ops::eq(&sum.detach(), &zero)?;
    let logarithm = ops::log(&ops::where_(&empty, &Tensor::number(1.0)?, &sum)?)?;
    let result = ops::add(&logarithm, &shift, 1.into())?;
    let result = ops::where_(&empty, &Tensor::number(f64::NEG_INFINITY)?, &result)?;
    if keepdim { Ok(result) } else { ops::squeeze(&result, Some(&dims)) }
}

fn scan(
    name: &'static str,
    op: ScanOp,
    input: &Tensor,
    dim: i64,
    dtype: DType,
    indices: bool,
) -> Result<(Tensor, Option<Tensor>)> {
    if indices {
        real_only(name, input)?;
    }
    let d = input.dim_index(name, dim)?;
    let input = cast(input, dtype)?;
    let output = Tensor::empty(input.shape(), dtype, input.device())?;
    let indices = indices.then(|| Tensor::empty(input.shape(), DType::Int64, input.device())).transpose()?;
    if input.ndim() == 0 {
        input.backend()?.copy(input.operand(), output.operand())?;
        if let Some(indices) = &indices {
            indices.backend()?.fill(indices.operand(), 0.into())?;
        }
    } else if input.numel() > 0 {
        input.backend()?.run(kernel::Scan {
            op,
            input: input.operand(),
            dim: d,
            output: output.operand(),
            indices: indices.as_ref().map(Tensor::operand),
        })?;
    }
    Ok((output, indices))
}

/// Cumulative sum.
pub fn cumsum(input: &Tensor, dim: i64, dtype: Option<DType>) -> Result<Tensor> {
    Ok(scan("cumsum", ScanOp::Sum, input, dim, sum_dtype(input, dtype), false)?.0)
}

/// Cumulative product.
pub fn cumprod(input: &Tensor, dim: i64, dtype: Option<DType>) -> Result<Tensor> {
    Ok(scan("cumprod", ScanOp::Prod, input, dim, sum_dtype(input, dtype), false)?.0)
}

/// Cumulative maximum and its index.
pub fn cummax(input: &Tensor, dim: i64) -> Result<(Tensor, Tensor)> {
    let (values, indices) = scan("cummax", ScanOp::Max, input, dim, input.dtype(), true)?;
    with_indices((
        Some(values),
        indices.ok_or_else(|| RusTorchError::unsupported("cummax", "the backend gave no indices"))?,
    ))
}

/// Cumulative minimum and its index.
pub fn cummin(input: &Tensor, dim: i64) -> Result<(Tensor, Tensor)> {
    let (values, indices) = scan("cummin", ScanOp::Min, input, dim, input.dtype(), true)?;
    with_indices((
        Some(values),
        indices.ok_or_else(|| RusTorchError::unsupported("cummin", "the backend gave no indices"))?,
    ))
}

/// Cumulative logarithm of the sum of exponentials.
pub fn logcumsumexp(input: &Tensor, dim: i64) -> Result<Tensor> {
    if !input.dtype().is_floating_point() {
        return Err(RusTorchError::dtype(
            "logcumsumexp",
            format!("not implemented for {}; it takes floating-point tensors", input.dtype()),
        ));
    }
    Ok(scan("logcumsumexp", ScanOp::LogSumExp, input, dim, input.dtype(), false)?.0)
}

/// The number of elements that differ from zero.
pub fn count_nonzero(input: &Tensor, dim: Option<&[i64]>) -> Result<Tensor> {
    let truth = ops::ne(input, &Tensor::number(0_i64)?)?;
    sum(&truth, dim, false, None)
}

/// The sum that counts NaN as 0.
pub fn nansum(input: &Tensor, dim: Option<&[i64]>, keepdim: bool, dtype: Option<DType>) -> Result<Tensor> {
    if input.dtype().is_integral(true) {
        return ops::sum(input, dim, keepdim, dtype);
    }
    real_only("nansum", input)?;
    let clean = ops::where_(&ops::isnan(input)?, &Tensor::number(0.0)?, input)?;
    ops::sum(&clean, dim, keepdim, dtype)
}

/// The mean of the elements that are not NaN.
pub fn nanmean(input: &Tensor, dim: Option<&[i64]>, keepdim: bool, dtype: Option<DType>) -> Result<Tensor> {
    if !input.dtype().is_floating_point() {
        return Err(RusTorchError::dtype(
            "nanmean",
            format!("expected input to have floating point or complex dtype but got {}", input.dtype()),
        ));
    }
    let count = ops::sum(&ops::eq(&input.detach(), &input.detach())?, dim, keepdim, None)?;
    ops::div(&ops::nansum(input, dim, keepdim, dtype)?, &count, None)
}

/// The p-norm of the difference.
pub fn dist(input: &Tensor, other: &Tensor, p: Scalar) -> Result<Tensor> {
    p.real("dist", "p")?;
    ops::norm(&ops::sub(input, other, 1.into())?, Some(p), None, false, None)
}

/// Scales the slices along a dimension whose p-norm is larger than `maxnorm` down to it.
pub fn renorm(input: &Tensor, p: Scalar, dim: i64, maxnorm: Scalar) -> Result<Tensor> {
    let d = input.dim_index("renorm", dim)?;
    let refuse = |why: String| Err(RusTorchError::argument("renorm", why));
    let (order, largest) = (p.real("renorm", "p")?, maxnorm.real("renorm", "maxnorm")?);
    if order.is_nan() || order <= 0.0 {
        return refuse(format!("non-positive-norm not supported, got p = {p}"));
    }
    if largest.is_nan() || largest < 0.0 {
        return refuse(format!("expected maxnorm to be >= 0 but got {maxnorm}"));
    }
    if input.ndim() < 2 {
        return Err(RusTorchError::shape(
            "renorm",
            format!("input needs at least 2 dimensions, got {} dimensions", input.ndim()),
        ));
    }
    let others: Vec<i64> = (0..input.ndim()).filter(|&i| i != d).map(|i| i as i64).collect();
    let norms = ops::norm(input, Some(p), Some(&others), true, None)?;
    let limit = Tensor::number(largest)?;
    let shrunk = ops::div(&limit, &ops::add(&norms, &Tensor::number(1e-7)?, 1.into())?, None)?;
    let factor = ops::where_(&ops::gt(&norms.detach(), &limit)?, &shrunk, &Tensor::number(1.0)?)?;
    ops::mul(input, &factor)
}

/// Sums the dimensions that broadcasting `size` to the tensor's shape would repeat.
pub fn sum_to_size(input: &Tensor, size: &[i64]) -> Result<Tensor> {
    let shape = super::creation::sizes("sum_to_size", size)?;
    let leading = input.ndim().checked_sub(shape.len());
    let fits = leading.is_some_and(|leading| {
        input.shape()[leading..].iter().zip(&shape).all(|(&have, &want)| want == have || want == 1)
    });
    let Some(leading) = leading.filter(|_| fits) else {
        return Err(RusTorchError::shape(
            "sum_to_size",
            format!("size {size:?} is not expandable to size {:?}", input.shape()),
        ));
    };
    let dims: Vec<i64> = (0..input.ndim())
        .filter(|&d| d < leading || (shape[d - leading] == 1 && input.shape()[d] != 1))
        .map(|d| d as i64)
        .collect();
    // As PyTorch, the sum of a 0-d tensor is one, too: an integer becomes int64.
    if dims.is_empty() && !shape.is_empty() {
        return Ok(input.clone());
    }
    super::shape_ops::reshape_to(&ops::sum(input, Some(&dims), true, None)?, &shape)
}
