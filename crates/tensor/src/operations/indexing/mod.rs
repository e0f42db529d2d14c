//! Reading and writing by index.

mod subscript;

pub use subscript::{IndexItem, get, put};

use rustorch_backend::{DType, Operand, Scalar, ScatterOp, broadcast_shapes};
use rustorch_error::{Result, RusTorchError};

use crate::autograd::{check_inplace, is_recording, rebase};
use crate::operations::creation::cast;
use crate::operations::elementwise::{contiguous_copy, overlaps_partly};
use crate::operations::shape_ops::{expand_to, reshape_to};
use crate::{Tensor, ops};

fn int64(op: &'static str, index: &Tensor) -> Result<Tensor> {
    if index.dtype() == DType::Int64 {
        return Ok(index.detach());
    }
    if index.dtype().is_integral(false) {
        return cast(&index.detach(), DType::Int64);
    }
    Err(RusTorchError::dtype(op, format!("expected an int64 index, got {}", index.dtype())))
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
    output.backend()?.gather(source.operand(), d, places.operand(), output.operand())?;
    Ok(result)
}

/// A 0-d tensor as a vector of one; any other as it is; without history.
fn raise(t: &Tensor) -> Result<Tensor> {
    if t.ndim() == 0 { reshape_to(&t.detach(), &[1]) } else { Ok(t.detach()) }
}

fn scatter_into(
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
    if index.numel() == 0 {
        return Ok(result);
    }
    let src = if src.is_wrapped_number() || (src.ndim() == 0 && index.ndim() > 0) {
        expand_to(&cast(&src.detach(), input.dtype())?, index.shape())?
    } else {
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
    let fits = index.ndim() == input.ndim()
        && src.ndim() == index.ndim()
        && (0..index.ndim())
            .all(|i| index.shape()[i] <= src.shape()[i] && (i == d || index.shape()[i] <= input.shape()[i]));
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
    let corner = src.layout().with(index.shape().into(), src.strides().into(), src.layout().offset());
    let (index, source, output) = (raise(&index)?, raise(&src.alias(corner))?, raise(&result)?);
    result.backend()?.scatter(op, d, index.operand(), source.operand(), output.operand())?;
    Ok(result)
}

/// A copy with `src` written where `index` says.
pub fn scatter(input: &Tensor, dim: i64, index: &Tensor, src: &Tensor) -> Result<Tensor> {
    scatter_into("scatter", ScatterOp::Assign, input, dim, index, src)
}

/// A copy with `src` added where `index` says.
pub fn scatter_add(input: &Tensor, dim: i64, index: &Tensor, src: &Tensor) -> Result<Tensor> {
    scatter_into("scatter_add", ScatterOp::Add, input, dim, index, src)
}

/// The slices of a dimension that a vector of indices names.
pub fn index_select(input: &Tensor, dim: i64, index: &Tensor) -> Result<Tensor> {
    let index = int64("index_select", index)?;
    if index.ndim() > 1 {
        return Err(RusTorchError::shape(
            "index_select",
            format!("index is supposed to be a vector, got {:?}", index.shape()),
        ));
    }
    let d = input.dim_index("index_select", dim)?;
    if input.ndim() == 0 {
        return contiguous_copy(input);
    }
    let (moved, index) = (to_front(input, d)?, raise(&index)?);
    if let Some(low) = negative(&index)? {
        return Err(RusTorchError::index(
            "index_select",
            format!("index {low} is out of bounds for dimension {d} with size {}", input.shape()[d]),
        ));
    }
    let picked = read(&moved, &[index])?;
    contiguous_copy(&from_front(&picked, d)?)
}

fn negative(index: &Tensor) -> Result<Option<i64>> {
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

/// A copy with slices added.
pub fn index_add(input: &Tensor, dim: i64, index: &Tensor, source: &Tensor, alpha: Scalar) -> Result<Tensor> {
    let d = input.dim_index("index_add", dim)?;
    let index = raise(&int64("index_add", index)?)?;
    let (input_raised, source_raised) = if input.ndim() == 0 {
        (reshape_to(input, &[1])?, reshape_to(source, &[source.numel()])?)
    } else {
        (input.clone(), source.clone())
    };
    let mut expected = input_raised.shape().to_vec();
    expected[d] = index.numel();
    if source_raised.shape() != expected {
        return Err(RusTorchError::shape(
            "index_add",
            format!(
                "source must have shape {expected:?}, the input's with index's length at dimension {d}, got {:?}",
                source.shape()
            ),
        ));
    }
    let mut shape = vec![1; input_raised.ndim()];
    shape[d] = index.numel();
    let index = expand_to(&reshape_to(&index, &shape)?, source_raised.shape())?;
    let scaled =
        if alpha.is_one() { source_raised } else { ops::mul(&source_raised, &Tensor::number(alpha)?)? };
    let scaled = cast(&scaled, input.dtype())?;
    reshape_to(&ops::scatter_add(&input_raised, d as i64, &index, &scaled)?, input.shape())
}

/// Advanced indexing over the leading dimensions, without history.
fn read(input: &Tensor, indices: &[Tensor]) -> Result<Tensor> {
    let common = broadcast_shapes("index", indices.iter().map(Tensor::shape))?;
    let mut shape = common.clone();
    shape.extend_from_slice(&input.shape()[indices.len()..]);
    let result = Tensor::empty(&shape, input.dtype(), input.device())?;
    let layouts = indices.iter().map(|i| i.broadcast_layout("index", &common)).collect::<Result<Vec<_>>>()?;
    let operands: Vec<Operand<'_>> =
        indices.iter().zip(&layouts).map(|(i, layout)| Operand { layout, ..i.operand() }).collect();
    if result.numel() > 0 || common.iter().product::<usize>() > 0 {
        result.backend()?.index_read(input.operand(), &operands, result.operand())?;
    }
    Ok(result)
}

/// Writes at advanced indices of the leading dimensions of `target`, which may be a view; without history.
pub(crate) fn write(accumulate: bool, target: &Tensor, indices: &[Tensor], values: &Tensor) -> Result<()> {
    let common = broadcast_shapes("index_put", indices.iter().map(Tensor::shape))?;
    let mut shape = common.clone();
    shape.extend_from_slice(&target.shape()[indices.len()..]);
    let values = cast(&values.detach(), target.dtype())?;
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
        indices.iter().map(|i| i.broadcast_layout("index_put", &common)).collect::<Result<Vec<_>>>()?;
    let operands: Vec<Operand<'_>> =
        indices.iter().zip(&layouts).map(|(i, layout)| Operand { layout, ..i.operand() }).collect();
    if shape.iter().product::<usize>() > 0 {
        let source = Operand { layout: &values_layout, ..values.operand() };
        target.backend()?.index_write(accumulate, &operands, source, target.operand())?;
    }
    Ok(())
}

/// Reads at int64 indices of the leading dimensions; differentiable.
pub fn index_read(input: &Tensor, indices: &[Tensor]) -> Result<Tensor> {
    let result = read(&input.detach(), indices)?;
    if result.dtype().is_differentiable() && is_recording(&[input]) {
        let node = crate::autograd::formulas::index_backward(input, indices);
        crate::autograd::record(&result, node, smallvec::smallvec![input.edge()]);
    }
    Ok(result)
}

/// A copy with `values` written, or added, at int64 indices of the leading dimensions; differentiable.
pub fn index_put(input: &Tensor, indices: &[Tensor], values: &Tensor, accumulate: bool) -> Result<Tensor> {
    let result = contiguous_copy(input)?;
    write(accumulate, &result, indices, values)?;
    if result.dtype().is_differentiable() && is_recording(&[input, values]) {
        let node = crate::autograd::formulas::index_put_backward(input, indices, values, accumulate);
        crate::autograd::record(&result, node, smallvec::smallvec![input.edge(), values.edge()]);
    }
    Ok(result)
}

/// The coordinates of the nonzero elements.
pub fn nonzero(input: &Tensor) -> Result<Tensor> {
    let count = input.backend()?.count_nonzero(input.operand())?;
    let result = Tensor::empty(&[count, input.ndim()], DType::Int64, input.device())?;
    if result.numel() > 0 {
        input.backend()?.nonzero(input.operand(), result.operand())?;
    }
    Ok(result)
}

/// One int64 vector per dimension of a mask: where it holds.
fn mask_indices(mask: &Tensor) -> Result<Vec<Tensor>> {
    let coordinates = nonzero(&mask.detach())?;
    (0..mask.ndim() as i64).map(|d| crate::operations::shape_ops::select(&coordinates, 1, d)).collect()
}

fn check_mask(op: &'static str, mask: &Tensor) -> Result<()> {
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
    ops::where_(mask, &cast(value, input.dtype())?, input)
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

/// The elements at flat indices.
pub fn take(input: &Tensor, index: &Tensor) -> Result<Tensor> {
    let flat = ops::reshape(input, &[-1])?;
    index_read(&flat, &[int64("take", index)?])
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
    let range = crate::operations::creation::arange_to(classes.into(), None, Some(input.device()), false)?;
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
pub fn copy_(input: &Tensor, src: &Tensor) -> Result<()> {
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
        let operand = match &source {
            Some(copy) => copy.operand(),
            None => Operand { layout: &layout, ..src.operand() },
        };
        input.backend()?.copy(operand, input.operand())?;
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

/// The coordinates of the elements that differ from zero, a row each.
pub fn argwhere(input: &Tensor) -> Result<Tensor> {
    ops::nonzero(&input.detach())
}
