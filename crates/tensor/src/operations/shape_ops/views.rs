//! Views: the same storage under another layout.

use rustorch_backend::{Dims, Layout, Shape, checked_product};
use rustorch_error::{Result, RusTorchError};
use smallvec::smallvec;

use crate::operations::contiguity::contiguous_copy;
use crate::operations::creation::sizes;
use crate::tensor::infer_shape;
use crate::{MemoryFormat, Tensor, autograd, memory_format, ops};

pub(super) fn to_i64(shape: &[usize]) -> Vec<i64> {
    // What is no number of elements must not become the -1 that asks for one.
    shape.iter().map(|&n| i64::try_from(n).unwrap_or(i64::MAX)).collect()
}

fn with_view(op: &'static str, input: &Tensor, shape: Shape) -> Result<Option<Tensor>> {
    let Some(strides) = input.layout().view_strides(&shape) else { return Ok(None) };
    Ok(Some(input.alias(Layout::new(op, shape, strides, input.layout().offset())?)))
}

/// The same elements under another shape, without copying.
pub fn view(input: &Tensor, shape: &[i64]) -> Result<Tensor> {
    let shape = infer_shape("view", shape, input.shape())?;
    with_view("view", input, shape.clone())?.ok_or_else(|| {
        RusTorchError::shape(
            "view",
            format!(
                "shape {:?} is not compatible with input tensor's size {:?} and stride {:?} (at least one dimension \
                 spans across two contiguous subspaces); use reshape(...) instead",
                shape.as_slice(),
                input.shape(),
                input.strides()
            ),
        )
    })
}

/// The same elements under another shape; a copy only where no view exists.
pub fn reshape(input: &Tensor, shape: &[i64]) -> Result<Tensor> {
    let target = infer_shape("reshape", shape, input.shape())?;
    let target = to_i64(&target);
    if input.layout().view_strides(&sizes("reshape", &target)?).is_some() {
        ops::view(input, &target)
    } else {
        ops::view(&ops::clone(input)?, &target)
    }
}

/// `reshape` to sizes that are known to fit.
pub fn reshape_to(input: &Tensor, shape: &[usize]) -> Result<Tensor> {
    if input.shape() == shape { Ok(input.clone()) } else { reshape(input, &to_i64(shape)) }
}

/// Joins dimensions into one.
pub fn flatten(input: &Tensor, start_dim: i64, end_dim: i64) -> Result<Tensor> {
    let (start, end) = (input.dim_index("flatten", start_dim)?, input.dim_index("flatten", end_dim)?);
    if start > end {
        return Err(RusTorchError::argument(
            "flatten",
            format!("start_dim {start_dim} cannot come after end_dim {end_dim}"),
        ));
    }
    if input.ndim() == 0 {
        return reshape(input, &[1]);
    }
    if start == end {
        return Ok(input.clone());
    }
    let mut shape = input.shape()[..start].to_vec();
    shape.push(checked_product("flatten", &input.shape()[start..=end])?);
    shape.extend_from_slice(&input.shape()[end + 1..]);
    reshape_to(input, &shape)
}

/// Splits a dimension into several.
pub fn unflatten(input: &Tensor, dim: i64, sizes: &[i64]) -> Result<Tensor> {
    let dim = input.dim_index("unflatten", dim)?;
    if input.ndim() == 0 || sizes.is_empty() {
        return Err(RusTorchError::shape(
            "unflatten",
            format!(
                "splits a dimension into at least one, got a {}-dimensional tensor and sizes {sizes:?}",
                input.ndim()
            ),
        ));
    }
    let inner = infer_shape("unflatten", sizes, &input.shape()[dim..=dim])?;
    let mut shape = input.shape()[..dim].to_vec();
    shape.extend_from_slice(&inner);
    shape.extend_from_slice(&input.shape()[dim + 1..]);
    reshape_to(input, &shape)
}

/// All elements in one dimension.
pub fn ravel(input: &Tensor) -> Result<Tensor> {
    reshape(input, &[-1])
}

/// Exchanges two dimensions.
pub fn transpose(input: &Tensor, dim0: i64, dim1: i64) -> Result<Tensor> {
    let (a, b) = (input.dim_index("transpose", dim0)?, input.dim_index("transpose", dim1)?);
    let mut order: Dims<usize> = (0..input.ndim()).collect();
    if !order.is_empty() {
        order.swap(a, b);
    }
    Ok(input.alias(input.layout().permute(&order)))
}

/// Exchanges the dimensions of a matrix.
pub fn t(input: &Tensor) -> Result<Tensor> {
    match input.ndim() {
        0 | 1 => Ok(input.clone()),
        2 => ops::transpose(input, 0, 1),
        n => {
            Err(RusTorchError::shape("t", format!("expects a tensor with <= 2 dimensions, but self is {n}D")))
        }
    }
}

/// The order of dimensions that `dims` names; each must appear once.
pub(crate) fn permutation(op: &'static str, input: &Tensor, dims: &[i64]) -> Result<Dims<usize>> {
    let order: Dims<usize> = dims.iter().map(|&d| input.dim_index(op, d)).collect::<Result<_>>()?;
    let mut seen: Dims<bool> = smallvec![false; input.ndim()];
    let valid = order.len() == input.ndim() && order.iter().all(|&d| !std::mem::replace(&mut seen[d], true));
    if valid {
        Ok(order)
    } else {
        Err(RusTorchError::shape(
            op,
            format!(
                "dims {dims:?} must name each of the {} dimensions of shape {:?} once",
                input.ndim(),
                input.shape()
            ),
        ))
    }
}

/// Reorders the dimensions.
pub fn permute(input: &Tensor, dims: &[i64]) -> Result<Tensor> {
    Ok(input.alias(input.layout().permute(&permutation("permute", input, dims)?)))
}

/// Moves dimensions to other positions.
pub fn movedim(input: &Tensor, source: &[i64], destination: &[i64]) -> Result<Tensor> {
    if source.len() != destination.len() {
        return Err(RusTorchError::argument(
            "movedim",
            format!("source {source:?} and destination {destination:?} must have as many entries"),
        ));
    }
    let from: Vec<usize> = source.iter().map(|&d| input.dim_index("movedim", d)).collect::<Result<_>>()?;
    let to: Vec<usize> = destination.iter().map(|&d| input.dim_index("movedim", d)).collect::<Result<_>>()?;
    if input.ndim() == 0 && from.len() <= 1 {
        return ops::permute(input, &[]);
    }
    let twice = |dims: &[usize]| dims.iter().enumerate().any(|(i, d)| dims[..i].contains(d));
    if twice(&from) || twice(&to) {
        return Err(RusTorchError::argument(
            "movedim",
            format!(
                "repeated dim in source {source:?} or destination {destination:?}: each must be named once"
            ),
        ));
    }
    let mut order: Vec<Option<usize>> = vec![None; input.ndim()];
    for (&f, &t) in from.iter().zip(&to) {
        order[t] = Some(f);
    }
    let mut rest = (0..input.ndim()).filter(|d| !from.contains(d));
    let order: Vec<i64> =
        // Short: one per tensor given, or per dimension.
        order.into_iter().map(|slot| slot.or_else(|| rest.next()).map_or(-1, |d| d as i64)).collect();
    ops::permute(input, &order)
}

/// Repeats dimensions of size 1 without copying.
pub fn expand(input: &Tensor, size: &[i64]) -> Result<Tensor> {
    let fail = || {
        RusTorchError::shape(
            "expand",
            format!(
                "the expanded size {size:?} does not fit the tensor's shape {:?}: sizes must match or be 1",
                input.shape()
            ),
        )
    };
    let lead = size.len().checked_sub(input.ndim()).ok_or_else(fail)?;
    let shape: Shape = size
        .iter()
        .enumerate()
        .map(|(i, &n)| match n {
            -1 if i >= lead => Ok(input.shape()[i - lead]),
            n => usize::try_from(n).map_err(|_| fail()),
        })
        .collect::<Result<_>>()?;
    let layout = input.layout().broadcast_to("expand", &shape).map_err(|_| fail())?;
    Ok(input.alias(layout))
}

/// The tensor broadcast to a shape.
pub fn broadcast_to(input: &Tensor, size: &[i64]) -> Result<Tensor> {
    ops::expand(input, size)
}

/// The tensor broadcast to another's shape.
pub fn expand_as(input: &Tensor, other: &Tensor) -> Result<Tensor> {
    ops::expand(input, &to_i64(other.shape()))
}

/// The same elements under another tensor's shape.
pub fn view_as(input: &Tensor, other: &Tensor) -> Result<Tensor> {
    ops::view(input, &to_i64(other.shape()))
}

/// The same elements under another tensor's shape; a copy only where no view exists.
pub fn reshape_as(input: &Tensor, other: &Tensor) -> Result<Tensor> {
    reshape(input, &to_i64(other.shape()))
}

/// Sums down to a shape that broadcasts to the input's.
pub fn sum_to_size(input: &Tensor, size: &[i64]) -> Result<Tensor> {
    let shape = sizes("sum_to_size", size)?;
    match rustorch_backend::broadcast_shapes("sum_to_size", [&shape[..], input.shape()]) {
        Ok(common) if common.as_slice() == input.shape() => {
            if shape.is_empty() {
                return ops::sum(input, None, false, None);
            }
            if shape.as_slice() == input.shape() {
                return Ok(input.clone());
            }
            let lead = input.ndim() - shape.len();
            let dims: Vec<i64> = (0..input.ndim())
                .filter(|&d| d < lead || (shape[d - lead] == 1 && input.shape()[d] != 1))
                .map(|d| d as i64)
                .collect();
            reshape_to(&ops::sum(input, Some(&dims), true, None)?, &shape)
        }
        _ => Err(RusTorchError::shape(
            "sum_to_size",
            format!("size {size:?} does not expand to the input's shape {:?}", input.shape()),
        )),
    }
}

/// `expand` to sizes.
pub(crate) fn expand_to(input: &Tensor, shape: &[usize]) -> Result<Tensor> {
    if input.shape() == shape { Ok(input.clone()) } else { ops::expand(input, &to_i64(shape)) }
}

/// The tensors broadcast to their common shape.
pub fn broadcast_tensors(tensors: &[Tensor]) -> Result<Vec<Tensor>> {
    let shape = rustorch_backend::broadcast_shapes("broadcast_tensors", tensors.iter().map(Tensor::shape))?;
    // Short: one per tensor given, or per dimension.
    tensors.iter().map(|t| expand_to(t, &shape)).collect()
}

/// Drops dimensions of size 1.
pub fn squeeze(input: &Tensor, dim: Option<&[i64]>) -> Result<Tensor> {
    let dims: Dims<usize> = match dim {
        None => (0..input.ndim()).collect(),
        Some(dims) => dims.iter().map(|&d| input.dim_index("squeeze", d)).collect::<Result<_>>()?,
    };
    let keep = |d: &usize| !(dims.contains(d) && input.shape()[*d] == 1);
    let kept: Dims<usize> = (0..input.ndim()).filter(keep).collect();
    Ok(input.alias(input.layout().permute(&kept)))
}

/// Inserts a dimension of size 1.
pub fn unsqueeze(input: &Tensor, dim: i64) -> Result<Tensor> {
    let at = rustorch_backend::normalize_dim("unsqueeze", dim, input.ndim() + 1)?;
    Ok(input.alias(input.layout().unsqueeze(at)))
}

/// The slice at one index.
pub fn select(input: &Tensor, dim: i64, index: i64) -> Result<Tensor> {
    if input.ndim() == 0 {
        return Err(RusTorchError::index("select", "cannot be applied to a 0-dim tensor"));
    }
    let d = input.dim_index("select", dim)?;
    let size = input.shape()[d] as i64;
    if !(-size..size).contains(&index) {
        return Err(RusTorchError::index(
            "select",
            format!("index {index} is out of bounds for dimension {d} with size {size}"),
        ));
    }
    let index = if index < 0 { index + size } else { index } as usize;
    Ok(input.alias(input.layout().select(d, index)))
}

/// Every `step`-th index of a dimension, with Python's rules for what is out of range.
pub fn slice(input: &Tensor, dim: i64, start: i64, end: i64, step: i64) -> Result<Tensor> {
    let d = input.dim_index("slice", dim)?;
    if input.ndim() == 0 {
        return Err(RusTorchError::index("slice", "cannot be applied to a 0-dim tensor"));
    }
    if step <= 0 {
        return Err(RusTorchError::argument(
            "slice",
            format!("step must be greater than zero, got {step}; see flip()"),
        ));
    }
    let size = input.shape()[d] as i64;
    let clip = |i: i64| if i < 0 { (i + size).max(0) } else { i.min(size) };
    let (start, end) = (clip(start) as usize, clip(end) as usize);
    let count = end.saturating_sub(start).div_ceil(step as usize);
    Ok(input.alias(input.layout().slice(d, start, count, step as usize)))
}

/// Some indices of a dimension.
pub fn narrow(input: &Tensor, dim: i64, start: i64, length: i64) -> Result<Tensor> {
    let d = input.dim_index("narrow", dim)?;
    if input.ndim() == 0 {
        return Err(RusTorchError::index("narrow", "cannot be applied to a 0-dim tensor"));
    }
    let size = input.shape().get(d).copied().unwrap_or(0) as i64;
    let from = if start < 0 { start + size } else { start };
    if length < 0 || !(0..=size).contains(&from) || length > size - from {
        return Err(RusTorchError::index(
            "narrow",
            format!("start {start} and length {length} exceed dimension {d} with size {size}"),
        ));
    }
    ops::slice(input, d as i64, from, from + length, 1)
}

/// The windows along a dimension, as the last dimension.
pub fn unfold(input: &Tensor, dimension: i64, size: i64, step: i64) -> Result<Tensor> {
    let d = input.dim_index("unfold", dimension)?;
    let length = input.shape().get(d).copied().unwrap_or(1) as i64;
    // A 0-d tensor has one window.
    let layout = if input.ndim() == 0 { input.layout().unsqueeze(0) } else { input.layout().clone() };
    if !(0..=length).contains(&size) || step <= 0 {
        return Err(RusTorchError::argument(
            "unfold",
            format!(
                "size must lie between 0 and {length}, the size of dimension {d}, and step must be positive; got size \
                 {size} and step {step}"
            ),
        ));
    }
    let windows = layout.unfold("unfold", d, size as usize, step as usize)?;
    Ok(input.alias(if input.ndim() == 0 { windows.select(0, 0) } else { windows }))
}

/// The diagonal of two dimensions.
pub fn diagonal(input: &Tensor, offset: i64, dim1: i64, dim2: i64) -> Result<Tensor> {
    let (a, b) = (input.dim_index("diagonal", dim1)?, input.dim_index("diagonal", dim2)?);
    if a == b || input.ndim() < 2 {
        return Err(RusTorchError::shape(
            "diagonal",
            format!(
                "dimensions must be two different ones, got {dim1} and {dim2} of shape {:?}",
                input.shape()
            ),
        ));
    }
    Ok(input.alias(input.layout().diagonal(offset, a, b)))
}

/// The same data without history.
pub fn detach(input: &Tensor) -> Result<Tensor> {
    Ok(input.detach())
}

/// See [`ops::clone_as`](crate::ops::clone_as).
pub fn clone_as(input: &Tensor, memory_format: Option<MemoryFormat>) -> Result<Tensor> {
    memory_format::copied("clone", input, memory_format.unwrap_or(MemoryFormat::Preserve))
}

/// See [`ops::contiguous_as`](crate::ops::contiguous_as).
pub fn contiguous_as(input: &Tensor, memory_format: Option<MemoryFormat>) -> Result<Tensor> {
    memory_format::converted("contiguous", input, memory_format.unwrap_or(MemoryFormat::Contiguous))
}

/// The tensor itself if it is row-major, else a copy.
pub fn contiguous(input: &Tensor) -> Result<Tensor> {
    if input.is_contiguous() { Ok(input.clone()) } else { ops::clone(input) }
}

/// A row-major copy.
pub fn clone(input: &Tensor) -> Result<Tensor> {
    contiguous_copy(input)
}

/// The layout of `as_strided`; it must stay inside `bytes` of storage.
fn strided_layout(
    op: &'static str,
    size: &[i64],
    stride: &[i64],
    offset: usize,
    elements: usize,
) -> Result<Layout> {
    let shape = sizes(op, size)?;
    if stride.len() != shape.len() || stride.iter().any(|&s| s < 0) {
        return Err(RusTorchError::argument(
            op,
            format!("size {size:?} needs as many strides, none negative, got {stride:?}"),
        ));
    }
    let layout = Layout::new(op, shape, stride.iter().map(|&s| s as isize).collect(), offset)?;
    match layout.span() {
        Some((_, high)) if high >= elements => Err(RusTorchError::shape(
            op,
            format!(
                "size {size:?}, stride {stride:?} and offset {offset} reach beyond a storage of {elements} elements"
            ),
        )),
        _ => Ok(layout),
    }
}

/// A view of the storage with the given sizes, strides and offset.
pub fn as_strided(
    input: &Tensor,
    size: &[i64],
    stride: &[i64],
    storage_offset: Option<i64>,
) -> Result<Tensor> {
    let offset = match storage_offset {
        None => input.layout().offset(),
        Some(offset) => usize::try_from(offset).map_err(|_| {
            RusTorchError::argument(
                "as_strided",
                format!("storage_offset must not be negative, got {offset}"),
            )
        })?,
    };
    let elements = input.storage().buffer().bytes() / input.dtype().size();
    let result = input.alias(strided_layout("as_strided", size, stride, offset, elements)?);
    result.set_base(input);
    if result.dtype().is_differentiable() && autograd::is_recording(&[input]) {
        let node = autograd::formulas::as_strided_node(input, result.layout());
        autograd::record(&result, node, smallvec::smallvec![input.edge()]);
    }
    Ok(result)
}

/// Zeros with `src` added where a strided view lies.
pub fn as_strided_backward(
    src: &Tensor,
    shape: &[i64],
    size: &[i64],
    stride: &[i64],
    offset: Option<i64>,
) -> Result<Tensor> {
    let result = Tensor::empty(&sizes("as_strided", shape)?, src.dtype(), src.device())?;
    result.backend()?.fill(result.operand(), 0.into())?;
    let layout = strided_layout("as_strided", size, stride, offset.unwrap_or(0) as usize, result.numel())?;
    if !layout.overlaps_itself() {
        let window = result.alias(layout);
        src.backend()?.copy(src.operand(), window.operand())?;
        return Ok(result);
    }
    // Elements that lie on one another add up: every position of the window, as an index into the flat result.
    let positions = ops::arange_to((result.numel() as i64).into(), None, Some(src.device()), false)?;
    let index = contiguous_copy(&positions.alias(layout))?;
    let flat = ops::index_write(&reshape_to(&result, &[result.numel()])?, &[index], src, true)?;
    reshape_to(&flat, &sizes("as_strided", shape)?)
}
