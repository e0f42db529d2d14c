//! Writing along a dimension at positions that an index names: scatter, its reductions, and those of whole slices.

use rustorch_backend::{Layout, Scalar, ScatterOp, kernel};
use rustorch_error::{Result, RusTorchError};

use super::contiguity::contiguous_copy;
use super::creation::filling;
use super::indexing::{int64, raise};
use super::shape_ops::{expand_to, reshape_to};
use crate::placement::{together, travelled};
use crate::{Tensor, ops};

/// A copy of `input` into which `src` was scattered; without history. 0-d tensors count as vectors of one.
fn scattered(
    name: &'static str,
    op: ScatterOp,
    input: &Tensor,
    dim: i64,
    index: &Tensor,
    src: &Tensor,
) -> Result<Tensor> {
    let index = int64(name, index)?;
    let d = input.dim_index(name, dim)?;
    let result = contiguous_copy(input)?;
    let src = if src.is_wrapped_number() {
        let src = filling(name, "value", &src.detach(), input.dtype())?;
        expand_to(&travelled(name, &src, input.device())?, index.shape())?
    } else {
        together(name, &[Some(input), Some(src)])?;
        src.detach()
    };
    if src.dtype() != input.dtype() {
        return Err(RusTorchError::dtype(
            name,
            format!(
                "expected self.dtype to be equal to src.dtype, got {} and {}",
                input.dtype(),
                src.dtype()
            ),
        ));
    }
    if index.numel() == 0 {
        return Ok(result);
    }
    let (index, src, output) = (raise(&index)?, raise(&src)?, raise(&result)?);
    let fits = index.ndim() == output.ndim()
        && src.ndim() == index.ndim()
        && (0..index.ndim())
            .all(|i| index.shape()[i] <= src.shape()[i] && (i == d || index.shape()[i] <= output.shape()[i]));
    if !fits {
        return Err(RusTorchError::shape(
            name,
            format!(
                "expected index {:?} to be no larger than self {:?} apart from dimension {d} and to be no larger than src {:?}",
                index.shape(),
                input.shape(),
                src.shape()
            ),
        ));
    }
    let corner =
        src.alias(Layout::new(name, index.shape().into(), src.strides().into(), src.layout().offset())?);
    result.backend()?.run(kernel::Scatter {
        op,
        dim: d,
        index: index.operand(),
        source: corner.operand(),
        output: output.operand(),
    })?;
    Ok(result)
}

/// A copy with `src`, a tensor or a number, written where `index` says.
pub fn scatter(input: &Tensor, dim: i64, index: &Tensor, src: &Tensor) -> Result<Tensor> {
    scattered("scatter", ScatterOp::Assign, input, dim, index, src)
}

/// A copy with a number written where `index` says.
pub fn scatter_value(input: &Tensor, dim: i64, index: &Tensor, value: Scalar) -> Result<Tensor> {
    ops::scatter(input, dim, index, &Tensor::number(value)?)
}

/// A copy with `src` added to, or multiplied into, what is there.
pub fn scatter_combine(
    input: &Tensor,
    dim: i64,
    index: &Tensor,
    src: &Tensor,
    reduce: &str,
) -> Result<Tensor> {
    let src = if src.is_wrapped_number() {
        let src = filling("scatter", "value", src, input.dtype())?;
        &expand_to(&travelled("scatter", &src, input.device())?, index.shape())?
    } else {
        src
    };
    match reduce {
        "add" => ops::scatter_add(input, dim, index, src),
        "multiply" => ops::scatter_prod(input, dim, index, src),
        other => Err(RusTorchError::argument(
            "scatter",
            format!("reduce argument must be either add or multiply, got {other}; see scatter_reduce()"),
        )),
    }
}

/// A copy with a number added to, or multiplied into, what is there.
pub fn scatter_combine_value(
    input: &Tensor,
    dim: i64,
    index: &Tensor,
    value: Scalar,
    reduce: &str,
) -> Result<Tensor> {
    scatter_combine(input, dim, index, &Tensor::number(value)?, reduce)
}

/// A copy with `src` added where `index` says.
pub fn scatter_add(input: &Tensor, dim: i64, index: &Tensor, src: &Tensor) -> Result<Tensor> {
    scattered("scatter_add", ScatterOp::Add, input, dim, index, src)
}

/// A copy with `src` multiplied in where `index` says.
pub fn scatter_prod(input: &Tensor, dim: i64, index: &Tensor, src: &Tensor) -> Result<Tensor> {
    scattered("scatter_reduce", ScatterOp::Multiply, input, dim, index, src)
}

/// A copy with the largest (or smallest) of what is there and of `src` where `index` says; what is there counts only
/// with `include_self`.
pub fn scatter_extremum(
    input: &Tensor,
    dim: i64,
    index: &Tensor,
    src: &Tensor,
    largest: bool,
    include_self: bool,
) -> Result<Tensor> {
    // An element of each group in place of what is there: it does not change the group's extremum.
    let start = if include_self { input.clone() } else { scatter(input, dim, index, src)? };
    let op = if largest { ScatterOp::Max } else { ScatterOp::Min };
    scattered("scatter_reduce", op, &start, dim, index, src)
}

/// A copy where each element that `index` names is the sum, product, mean or extremum of those of `src` that fall on it,
/// with `include_self` also of what was there.
pub fn scatter_reduce(
    input: &Tensor,
    dim: i64,
    index: &Tensor,
    src: &Tensor,
    reduce: &str,
    include_self: bool,
) -> Result<Tensor> {
    let start = |neutral: i64| {
        if include_self {
            Ok(input.clone())
        } else {
            ops::scatter(input, dim, index, &Tensor::number(neutral)?)
        }
    };
    match reduce {
        "sum" => ops::scatter_add(&start(0)?, dim, index, src),
        "prod" => ops::scatter_prod(&start(1)?, dim, index, src),
        "mean" => {
            let sum = ops::scatter_add(&start(0)?, dim, index, src)?;
            let one = ops::ones_like(&src.detach(), None, None, false)?;
            let counted = ops::full_like(&input.detach(), i64::from(include_self).into(), None, None, false)?;
            let count = ops::scatter_add(&counted, dim, index, &one)?;
            let count =
                ops::masked_fill(&count, &ops::eq(&count, &Tensor::number(0)?)?, &Tensor::number(1)?)?;
            let rounding =
                (!input.dtype().is_floating_point() && !input.dtype().is_complex()).then_some("floor");
            ops::div(&sum, &count, rounding)
        }
        "amax" => ops::scatter_extremum(input, dim, index, src, true, include_self),
        "amin" => ops::scatter_extremum(input, dim, index, src, false, include_self),
        other => Err(RusTorchError::argument(
            "scatter_reduce",
            format!("reduce argument must be either sum, prod, mean, amax or amin, got {other}"),
        )),
    }
}

/// The index of slices, `(n,)`, as one of elements, of `source`'s shape; checks that `source` fits.
fn index_of_elements(
    op: &'static str,
    input: &Tensor,
    d: usize,
    index: &Tensor,
    source: &Tensor,
) -> Result<Tensor> {
    if index.ndim() > 1 {
        return Err(RusTorchError::shape(
            op,
            format!("index is supposed to be a vector, got {:?}", index.shape()),
        ));
    }
    let mut expected = input.shape().to_vec();
    if let Some(size) = expected.get_mut(d) {
        *size = index.numel();
    }
    // A 0-d tensor is one slice of one element.
    let matches = match input.ndim() {
        0 => source.numel() == 1 && source.ndim() <= 1 && index.numel() == 1,
        _ => source.shape() == expected,
    };
    if !matches {
        return Err(RusTorchError::shape(
            op,
            format!(
                "source must have shape {expected:?}, the input's with index's length at dimension {d}, got {:?}",
                source.shape()
            ),
        ));
    }
    if source.ndim() == 0 {
        return reshape_to(index, &[]);
    }
    let mut shape = vec![1; source.ndim()];
    shape[d] = index.numel();
    expand_to(&reshape_to(index, &shape)?, source.shape())
}

/// A copy with the slices of `source`, times `alpha`, added to the slices that `index` names.
pub fn index_add(input: &Tensor, dim: i64, index: &Tensor, source: &Tensor, alpha: Scalar) -> Result<Tensor> {
    let d = input.dim_index("index_add", dim)?;
    let index = index_of_elements("index_add", input, d, &int64("index_add", index)?, source)?;
    let alpha = alpha.convert_factor("index_add", "alpha", input.dtype())?;
    let scaled = if alpha.is_one() { source.clone() } else { ops::mul(source, &Tensor::number(alpha)?)? };
    ops::scatter_add(input, d as i64, &index, &super::creation::cast(&scaled, input.dtype())?)
}

/// A copy where each slice that `index` names is the product, mean or extremum of those of `source` that fall on it,
/// with `include_self` also of what was there.
pub fn index_reduce(
    input: &Tensor,
    dim: i64,
    index: &Tensor,
    source: &Tensor,
    reduce: &str,
    include_self: bool,
) -> Result<Tensor> {
    if !matches!(reduce, "prod" | "mean" | "amax" | "amin") {
        return Err(RusTorchError::argument(
            "index_reduce",
            format!(
                "expected reduce to be one of prod, mean, amax or amin but got {reduce}; for sums see index_add()"
            ),
        ));
    }
    let d = input.dim_index("index_reduce", dim)?;
    let index = index_of_elements("index_reduce", input, d, &int64("index_reduce", index)?, source)?;
    ops::scatter_reduce(input, d as i64, &index, source, reduce, include_self)
}
