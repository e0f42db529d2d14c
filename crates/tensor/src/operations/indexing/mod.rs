//! Reading and writing by index.

mod subscript;

pub use subscript::{IndexItem, get, index_put, index_put_, put};

use rustorch_backend::{DType, Operand, broadcast_shapes, kernel, volume};
use rustorch_error::{Result, RusTorchError};

use crate::autograd::{check_inplace, is_recording, rebase};
use crate::operations::contiguity::contiguous_copy;
use crate::operations::creation::{cast, check_number, filling};
use crate::operations::memory_overlap::{apart_from, overlaps_partly};
use crate::operations::shape_ops::{expand_to, reshape_to};
use crate::placement::{list_together, transfer, travelled};
use crate::{Tensor, ops};

/// An index as int64; narrower integers are converted.
pub(super) fn int64(op: &'static str, index: &Tensor) -> Result<Tensor> {
    match index.dtype() {
        DType::Int64 => Ok(index.detach()),
        dtype if dtype.is_integral(false) => cast(&index.detach(), DType::Int64),
        other => Err(RusTorchError::dtype(op, format!("expected an int64 index, got {other}"))),
    }
}

/// The elements along `dim` that `index` names.
pub fn gather(input: &Tensor, dim: i64, index: &Tensor) -> Result<Tensor> {
    let index = int64("gather", index)?;
    let d = input.dim_index("gather", dim)?;
    let result = Tensor::empty(index.shape(), input.dtype(), input.device())?;
    let (source, places, output) = (raise(input)?, raise(&index)?, raise(&result)?);
    if places.numel() == 0 {
        return Ok(result);
    }
    let fits = places.ndim() == source.ndim()
        && (0..source.ndim()).all(|i| i == d || places.shape()[i] <= source.shape()[i]);
    if !fits {
        return Err(RusTorchError::shape(
            "gather",
            format!(
                "size does not match at some dimension apart from {d}: expected index {:?} to be no larger than self {:?}",
                index.shape(),
                input.shape()
            ),
        ));
    }
    output.backend()?.run(kernel::Gather {
        input: source.operand(),
        dim: d,
        index: places.operand(),
        output: output.operand(),
    })?;
    Ok(result)
}

/// A 0-d tensor as a vector of one; any other as it is; without history.
pub(super) fn raise(t: &Tensor) -> Result<Tensor> {
    if t.ndim() == 0 { reshape_to(&t.detach(), &[1]) } else { Ok(t.detach()) }
}

/// The slices of a dimension that a vector of indices names.
pub fn index_select(input: &Tensor, dim: i64, index: &Tensor) -> Result<Tensor> {
    if !matches!(index.dtype(), DType::Int64 | DType::Int32) {
        return Err(RusTorchError::dtype(
            "index_select",
            format!("expected an int64 or int32 index, got {}", index.dtype()),
        ));
    }
    let index = int64("index_select", index)?;
    if index.ndim() > 1 {
        return Err(RusTorchError::shape(
            "index_select",
            format!("index is supposed to be a vector, got {:?}", index.shape()),
        ));
    }
    let d = input.dim_index("index_select", dim)?;
    if input.ndim() == 0 && index.numel() != 1 {
        return Err(RusTorchError::shape(
            "index_select",
            format!("the index of a 0-d tensor can have only 1 value, got {}", index.numel()),
        ));
    }
    let (source, index) = (raise(input)?, raise(&index)?);
    if let Some(low) = negative(&index)? {
        return Err(RusTorchError::index(
            "index_select",
            format!("index {low} is out of bounds for dimension {d} with size {}", source.shape()[d]),
        ));
    }
    let picked = read(&to_front(&source, d)?, &[index])?;
    if input.ndim() == 0 {
        return reshape_to(&picked, &[]);
    }
    contiguous_copy(&from_front(&picked, d)?)
}

pub(super) fn negative(index: &Tensor) -> Result<Option<i64>> {
    if index.numel() == 0 {
        return Ok(None);
    }
    let low = crate::operations::reduction_ops::amin(index, &[], false)?.item()?.to_i64();
    Ok((low < 0).then_some(low))
}

/// The tensor with dimension `d` first; a view without history.
fn to_front(t: &Tensor, d: usize) -> Result<Tensor> {
    crate::operations::shape_ops::movedim(&t.detach(), &[d as i64], &[0])
}

fn from_front(t: &Tensor, d: usize) -> Result<Tensor> {
    crate::operations::shape_ops::movedim(&t.detach(), &[0], &[d as i64])
}

/// Advanced indexing over the leading dimensions, without history.
fn read(input: &Tensor, indices: &[Tensor]) -> Result<Tensor> {
    list_together("index", indices, &[Some(input)])?;
    let common = broadcast_shapes("index", indices.iter().map(Tensor::shape))?;
    let mut shape = common.clone();
    shape.extend_from_slice(&input.shape()[indices.len()..]);
    let result = Tensor::empty(&shape, input.dtype(), input.device())?;
    // Short: one per index given, or per dimension.
    let layouts = indices.iter().map(|i| i.broadcast_layout("index", &common)).collect::<Result<Vec<_>>>()?;
    let operands: Vec<Operand<'_>> =
        // Short: one per index given, or per dimension.
        indices.iter().zip(&layouts).map(|(i, layout)| Operand { layout, ..i.operand() }).collect();
    if result.numel() > 0 || volume(&common) > 0 {
        result.backend()?.run(kernel::IndexRead {
            input: input.operand(),
            indices: kernel::List::from_slice(&operands),
            output: result.operand(),
        })?;
    }
    Ok(result)
}

/// Writes at advanced indices of the leading dimensions of `target`, which may be a view; without history.
pub(crate) fn write(accumulate: bool, target: &Tensor, indices: &[Tensor], values: &Tensor) -> Result<()> {
    list_together("index_put", indices, &[Some(target)])?;
    let common = broadcast_shapes("index_put", indices.iter().map(Tensor::shape))?;
    let mut shape = common.clone();
    shape.extend_from_slice(&target.shape()[indices.len()..]);
    // What the call reads stays as it is while it writes.
    let values = apart_from(
        &travelled("index_put", &cast(&values.detach(), target.dtype())?, target.device())?,
        target,
    )?;
    let indices: Vec<Tensor> = indices.iter().map(|i| apart_from(i, target)).collect::<Result<_>>()?;
    let values_layout = values.broadcast_layout("index_put", &shape).map_err(|_| {
        RusTorchError::shape(
            "index_put",
            format!(
                "value tensor of shape {:?} cannot be broadcast to the indexing result of shape {shape:?}",
                values.shape()
            ),
        )
    })?;
    let layouts =
        // Short: one per index given, or per dimension.
        indices.iter().map(|i| i.broadcast_layout("index_put", &common)).collect::<Result<Vec<_>>>()?;
    let operands: Vec<Operand<'_>> =
        // Short: one per index given, or per dimension.
        indices.iter().zip(&layouts).map(|(i, layout)| Operand { layout, ..i.operand() }).collect();
    if volume(&shape) > 0 {
        let source = Operand { layout: &values_layout, ..values.operand() };
        target.backend()?.run(kernel::IndexWrite {
            accumulate,
            indices: kernel::List::from_slice(&operands),
            source,
            output: target.operand(),
        })?;
    }
    Ok(())
}

/// Reads at int64 indices of the leading dimensions; differentiable.
pub fn index_read(input: &Tensor, indices: &[Tensor]) -> Result<Tensor> {
    let result = read(&input.detach(), indices)?;
    if result.dtype().is_differentiable() && is_recording(&[input]) {
        let node = crate::autograd::formulas::index_backward(input, indices)?;
        crate::autograd::record(&result, node, smallvec::smallvec![input.edge()]);
    }
    Ok(result)
}

/// A copy with `values` written, or added, at int64 indices of the leading dimensions; differentiable.
pub fn index_write(input: &Tensor, indices: &[Tensor], values: &Tensor, accumulate: bool) -> Result<Tensor> {
    let result = contiguous_copy(input)?;
    write(accumulate, &result, indices, values)?;
    if result.dtype().is_differentiable() && is_recording(&[input, values]) {
        let node = crate::autograd::formulas::index_write_backward(input, indices, values, accumulate)?;
        crate::autograd::record(&result, node, smallvec::smallvec![input.edge(), values.edge()]);
    }
    Ok(result)
}

/// The coordinates of the nonzero elements, a row each.
pub fn nonzero(input: &Tensor) -> Result<Tensor> {
    let count = Tensor::empty(&[], DType::Int64, input.device())?;
    input.backend()?.run(kernel::CountNonzero { input: input.operand(), output: count.operand() })?;
    let count = count.item()?.to_i64() as usize;
    let result = Tensor::empty(&[count, input.ndim()], DType::Int64, input.device())?;
    if result.numel() > 0 {
        input.backend()?.run(kernel::Nonzero { input: input.operand(), output: result.operand() })?;
    }
    Ok(result)
}

/// The coordinates of the nonzero elements, a row each.
pub fn argwhere(input: &Tensor) -> Result<Tensor> {
    nonzero(&input.detach())
}

/// One int64 vector per dimension of a mask: where it holds.
pub(super) fn mask_indices(mask: &Tensor) -> Result<Vec<Tensor>> {
    let coordinates = nonzero(&mask.detach())?;
    (0..mask.ndim() as i64).map(|d| crate::operations::shape_ops::select(&coordinates, 1, d)).collect()
}

pub(super) fn check_mask(op: &'static str, mask: &Tensor) -> Result<()> {
    if mask.dtype() == DType::Bool {
        return Ok(());
    }
    Err(RusTorchError::dtype(
        op,
        format!("expected a bool mask, got {}; compare first, for example mask != 0", mask.dtype()),
    ))
}

/// A copy with `value` where the mask holds.
pub fn masked_fill(input: &Tensor, mask: &Tensor, value: &Tensor) -> Result<Tensor> {
    check_mask("masked_fill", mask)?;
    if value.ndim() > 0 {
        return Err(RusTorchError::shape(
            "masked_fill",
            format!("only supports a 0-dimensional value tensor, but got one with shape {:?}", value.shape()),
        ));
    }
    ops::where_(mask, &filling("masked_fill", "value", value, input.dtype())?, input)
}

/// The elements where the mask holds.
pub fn masked_select(input: &Tensor, mask: &Tensor) -> Result<Tensor> {
    check_mask("masked_select", mask)?;
    let shape = broadcast_shapes("masked_select", [input.shape(), mask.shape()])?;
    let (input, mask) = (expand_to(input, &shape)?, expand_to(mask, &shape)?);
    let (input, mask) =
        if shape.is_empty() { (ops::unsqueeze(&input, 0)?, raise(&mask)?) } else { (input, mask) };
    index_read(&input, &mask_indices(&mask)?)
}

/// The elements at flat indices; negative ones count from the end.
pub fn take(input: &Tensor, index: &Tensor) -> Result<Tensor> {
    if index.dtype() != DType::Int64 {
        return Err(RusTorchError::dtype("take", format!("expected an int64 index, got {}", index.dtype())));
    }
    if input.numel() == 0 && index.numel() != 0 {
        return Err(RusTorchError::index("take", "tried to take from an empty tensor"));
    }
    index_read(&ops::reshape(input, &[-1])?, &[index.detach()])
}

/// The elements along `dim` that `indices` names, where the other dimensions broadcast.
pub fn take_along_dim(input: &Tensor, indices: &Tensor, dim: Option<i64>) -> Result<Tensor> {
    const OP: &str = "take_along_dim";
    if indices.dtype() != DType::Int64 {
        return Err(RusTorchError::dtype(OP, format!("expected int64 indices, got {}", indices.dtype())));
    }
    let Some(dim) = dim else {
        return take_along_dim(&ops::reshape(input, &[-1])?, &ops::reshape(indices, &[-1])?, Some(0));
    };
    let d = input.dim_index(OP, dim)?;
    if input.ndim() != indices.ndim() {
        return Err(RusTorchError::shape(
            OP,
            format!(
                "input and indices should have the same number of dimensions, but got {:?} and {:?}",
                input.shape(),
                indices.shape()
            ),
        ));
    }
    if input.ndim() == 0 {
        return ops::gather(input, 0, indices);
    }
    let beside = |t: &Tensor| {
        let mut shape = t.shape().to_vec();
        shape[d] = 1;
        shape
    };
    let common = broadcast_shapes(OP, [&beside(input)[..], &beside(indices)[..]])?;
    let with_own = |t: &Tensor| {
        // Short: one per index given, or per dimension.
        let mut shape = common.to_vec();
        shape[d] = t.shape()[d];
        expand_to(t, &shape)
    };
    let (input, indices) = (with_own(input)?, with_own(&indices.detach())?);
    let below = ops::lt(&indices, &Tensor::number(0)?)?;
    let from_end = ops::add(&indices, &Tensor::number(input.shape()[d] as i64)?, 1.into())?;
    ops::gather(&input, d as i64, &ops::where_(&below, &from_end, &indices)?)
}

/// The coordinates of flat, row-major positions in a tensor of a shape: an index tensor per dimension.
pub fn unravel_index(indices: &Tensor, shape: &[i64]) -> Result<Vec<Tensor>> {
    const OP: &str = "unravel_index";
    if !indices.dtype().is_integral(false) {
        return Err(RusTorchError::dtype(OP, format!("expected integer indices, got {}", indices.dtype())));
    }
    let sizes = crate::operations::creation::sizes(OP, shape)?;
    let total = sizes.iter().try_fold(1usize, |product, &n| product.checked_mul(n));
    if indices.numel() > 0 {
        let extreme = |t: Result<Tensor>| t?.item().map(rustorch_backend::Scalar::to_i64);
        let low = extreme(crate::operations::reduction_ops::amin(&indices.detach(), &[], false))?;
        let high = extreme(crate::operations::reduction_ops::amax(&indices.detach(), &[], false))?;
        if low < 0 || total.is_some_and(|total| high as usize >= total) {
            return Err(RusTorchError::index(
                OP,
                format!("indices from {low} to {high} do not all lie in a tensor of shape {shape:?}"),
            ));
        }
    }
    // Sizes may be larger than what the dtype of the indices holds.
    let mut rest = cast(&indices.detach(), DType::Int64)?;
    let mut coordinates = Vec::with_capacity(shape.len());
    for &size in shape.iter().rev() {
        // An empty shape has no positions, so there is nothing to divide.
        let size = Tensor::number(size.max(1))?;
        coordinates.push(ops::remainder(&rest, &size)?);
        rest = ops::div(&rest, &size, Some("floor"))?;
    }
    coordinates.reverse();
    Ok(coordinates)
}

/// A new last dimension with 1 at each index.
pub fn one_hot(input: &Tensor, num_classes: i64) -> Result<Tensor> {
    let index = int64("one_hot", input)?;
    if index.numel() > 0
        && let Some(low) = negative(&index)?
    {
        return Err(RusTorchError::index("one_hot", format!("class values must be non-negative, got {low}")));
    }
    let classes = if num_classes >= 0 {
        num_classes
    } else if index.numel() == 0 {
        return Err(RusTorchError::argument(
            "one_hot",
            "cannot infer total number of classes from empty tensor",
        ));
    } else {
        crate::operations::reduction_ops::amax(&index, &[], false)?.item()?.to_i64() + 1
    };
    let range = crate::operations::ranges::arange_to(classes.into(), None, Some(input.device()), false)?;
    let result = cast(&ops::eq(&ops::unsqueeze(&index, -1)?, &range)?, DType::Int64)?;
    let highest = if index.numel() > 0 {
        crate::operations::reduction_ops::amax(&index, &[], false)?.item()?.to_i64()
    } else {
        -1
    };
    if highest >= classes {
        return Err(RusTorchError::index(
            "one_hot",
            format!("class values must be smaller than num_classes={classes}, got {highest}"),
        ));
    }
    Ok(result)
}

/// Writes `src`, broadcast and converted, into the tensor.
pub fn copy_(input: &Tensor, src: &Tensor, non_blocking: bool) -> Result<()> {
    check_number("copy_", "src", src, input.dtype())?;
    check_inplace("copy_", input, &[src])?;
    let layout = src.layout().broadcast_to("copy_", input.shape()).map_err(|_| {
        RusTorchError::shape(
            "copy_",
            format!(
                "a tensor of shape {:?} cannot be written into one of shape {:?}",
                src.shape(),
                input.shape()
            ),
        )
    })?;
    let recording = input.dtype().is_differentiable() && is_recording(&[input, src]);
    let node = recording.then(|| crate::autograd::formulas::copy_backward(input, src));
    let edges = recording.then(|| smallvec::smallvec![input.edge(), src.edge()]);
    if input.numel() > 0 {
        let source = if overlaps_partly(src, input) {
            Some(contiguous_copy(&src.alias(layout.clone()))?)
        } else {
            None
        };
        match &source {
            Some(copy) => transfer(copy, copy.layout(), input, non_blocking)?,
            None => transfer(src, &layout, input, non_blocking)?,
        }
    }
    input.storage().bump_version();
    if let (Some(node), Some(edges)) = (node, edges) {
        rebase(input, node, edges);
    }
    Ok(())
}

/// The coordinates of the elements that differ from zero, as a tensor or, with `as_tuple`, one per dimension.
pub fn nonzero_as_tuple(input: &Tensor, as_tuple: bool) -> Result<Vec<Tensor>> {
    if !as_tuple {
        return Ok(vec![ops::nonzero(input)?]);
    }
    let at_least_1d = raise(&input.detach())?;
    ops::unbind(&ops::nonzero(&at_least_1d)?, 1)
}
