//! `x[…]`: what Python's subscripts mean.

use rustorch_backend::{DType, Device, Shape, broadcast_shapes};
use rustorch_error::{Result, RusTorchError};

use super::{copy_, index_read, int64, mask_indices, write};
use crate::autograd::{check_inplace, is_recording, overwrite};
use crate::operations::creation::moved;
use crate::operations::shape_ops::{expand_to, reshape_to};
use crate::placement::travelled;
use crate::{Tensor, ops};
use smallvec::SmallVec;

/// One entry of `x[…]`.
#[derive(Debug, Clone)]
pub enum IndexItem {
    /// A new dimension of size 1.
    NewAxis,
    /// All dimensions that no other entry names.
    Ellipsis,
    /// One index; the dimension disappears.
    Integer(i64),
    /// `start:end:step`.
    Slice(Option<i64>, Option<i64>, Option<i64>),
    /// A Python bool: a mask without dimensions.
    Bool(bool),
    /// Integers that pick, or a mask over as many dimensions as it has.
    Tensor(Tensor),
}

/// What `x[items]` selects: the view that the basic entries give, and the advanced indices of its leading dimensions.
struct Selection {
    view: Tensor,
    /// One per leading dimension of `view`, after the permutation that brings indexed dimensions to the front.
    indices: Vec<Tensor>,
    /// Where the joint index dimensions go in the result.
    place: usize,
}

fn too_many(count: usize, ndim: usize) -> RusTorchError {
    RusTorchError::index("index", format!("too many indices for tensor of dimension {ndim} (got {count})"))
}

/// An index tensor where the indexed tensor is; it may come from the CPU.
fn beside(item: &IndexItem, device: Device) -> Result<IndexItem> {
    match item {
        IndexItem::Tensor(t) if t.device().is_same(device) => Ok(item.clone()),
        IndexItem::Tensor(t) if t.device().is_cpu() => Ok(IndexItem::Tensor(moved(&t.detach(), device)?)),
        IndexItem::Tensor(t) => Err(RusTorchError::device(
            "index",
            format!(
                "indices should be either on cpu or on the same device as the indexed tensor ({device}), not on {}",
                t.device()
            ),
        )),
        other => Ok(other.clone()),
    }
}

/// An index tensor as int64; one of bytes is a mask, as before there was bool.
fn as_index(item: &IndexItem) -> Result<IndexItem> {
    Ok(match item {
        IndexItem::Tensor(t) if t.dtype() == DType::UInt8 => {
            IndexItem::Tensor(ops::ne(&t.detach(), &Tensor::number(0)?)?)
        }
        IndexItem::Tensor(t) if !matches!(t.dtype(), DType::Bool | DType::Int64 | DType::Int32) => {
            return Err(RusTorchError::index(
                "index",
                format!("tensors used as indices must be int64, int32, uint8 or bool, got {}", t.dtype()),
            ));
        }
        other => other.clone(),
    })
}

fn select_all(tensor: &Tensor, items: &[IndexItem]) -> Result<Selection> {
    let items: SmallVec<[IndexItem; 4]> =
        items.iter().map(|item| as_index(&beside(item, tensor.device())?)).collect::<Result<_>>()?;
    let consumes = |item: &IndexItem| match item {
        IndexItem::Integer(_) | IndexItem::Slice(..) => 1,
        IndexItem::Tensor(t) if t.dtype() == DType::Bool => t.ndim(),
        IndexItem::Tensor(_) => 1,
        IndexItem::NewAxis | IndexItem::Ellipsis | IndexItem::Bool(_) => 0,
    };
    let consumed: usize = items.iter().map(consumes).sum();
    if consumed > tensor.ndim() {
        return Err(too_many(consumed, tensor.ndim()));
    }
    if items.iter().filter(|i| matches!(i, IndexItem::Ellipsis)).count() > 1 {
        return Err(RusTorchError::index("index", "an index can only have a single ellipsis ('...')"));
    }
    let mut view = tensor.clone();
    let mut dim = 0;
    let mut advanced: Vec<Option<Tensor>> = Vec::new();
    for item in &items {
        match item {
            IndexItem::NewAxis => {
                view = ops::unsqueeze(&view, dim as i64)?;
                dim += 1;
            }
            IndexItem::Ellipsis => dim += tensor.ndim() - consumed,
            IndexItem::Integer(i) => {
                let size = view.shape()[dim] as i64;
                view = ops::select(&view, dim as i64, *i).map_err(|_| {
                    RusTorchError::index(
                        "index",
                        format!("index {i} is out of bounds for dimension {dim} with size {size}"),
                    )
                })?;
            }
            IndexItem::Slice(start, end, step) => {
                if start.is_some() || end.is_some() || step.is_some_and(|s| s != 1) {
                    let step = step.unwrap_or(1);
                    view = ops::slice(&view, dim as i64, start.unwrap_or(0), end.unwrap_or(i64::MAX), step)?;
                }
                dim += 1;
            }
            IndexItem::Bool(b) => {
                view = ops::unsqueeze(&view, dim as i64)?;
                set(
                    &mut advanced,
                    dim,
                    // Short: one per index given, or per dimension.
                    Tensor::from_slice_on(tensor.device(), &vec![0i64; usize::from(*b)], &[usize::from(*b)])?,
                );
                dim += 1;
            }
            IndexItem::Tensor(mask) if mask.dtype() == DType::Bool => {
                if mask.ndim() == 0 {
                    view = ops::unsqueeze(&view, dim as i64)?;
                    let count = usize::from(mask.item()?.to_bool());
                    set(
                        &mut advanced,
                        dim,
                        // Short: one per index given, or per dimension.
                        Tensor::from_slice_on(tensor.device(), &vec![0i64; count], &[count])?,
                    );
                    dim += 1;
                    continue;
                }
                for (i, &n) in mask.shape().iter().enumerate() {
                    if view.shape()[dim + i] != n {
                        return Err(RusTorchError::index(
                            "index",
                            format!(
                                "the shape of the mask {:?} at index {i} does not match the shape of the indexed tensor {:?} at index {}",
                                mask.shape(),
                                tensor.shape(),
                                dim + i
                            ),
                        ));
                    }
                }
                for index in mask_indices(mask)? {
                    set(&mut advanced, dim, index);
                    dim += 1;
                }
            }
            IndexItem::Tensor(index) => {
                set(&mut advanced, dim, int64("index", index)?);
                dim += 1;
            }
        }
    }
    // Short: one per index given, or per dimension.
    let indexed: Vec<usize> = (0..advanced.len()).filter(|&d| advanced[d].is_some()).collect();
    // NumPy's rule: indexed dimensions that stand side by side leave their joint result there, else it comes first.
    let adjacent = indexed.windows(2).all(|w| w[1] == w[0] + 1);
    let place = if adjacent { indexed.first().copied().unwrap_or(0) } else { 0 };
    if !indexed.is_empty() {
        let order: Vec<i64> = indexed
            .iter()
            .copied()
            .chain((0..view.ndim()).filter(|d| !indexed.contains(d)))
            .map(|d| d as i64)
            // Short: one per index given, or per dimension.
            .collect();
        view = ops::permute(&view, &order)?;
    }
    Ok(Selection { view, indices: advanced.into_iter().flatten().collect(), place })
}

fn set(list: &mut Vec<Option<Tensor>>, at: usize, index: Tensor) {
    if list.len() <= at {
        list.resize(at + 1, None);
    }
    list[at] = Some(index);
}

/// `x[items]`: a view where only basic entries are given, else a copy.
pub fn get(tensor: &Tensor, items: &[IndexItem]) -> Result<Tensor> {
    let Selection { view, indices, place } = select_all(tensor, items)?;
    if indices.is_empty() {
        return if view.is_same(tensor) {
            crate::operations::shape_ops::expand_to(&ops::view(tensor, &shape_i64(tensor))?, tensor.shape())
        } else {
            Ok(view)
        };
    }
    let result = index_read(&view, &indices)?;
    let joint = broadcast_shapes("index", indices.iter().map(Tensor::shape))?.len();
    move_joint(&result, joint, place, true)
}

fn shape_i64(t: &Tensor) -> Vec<i64> {
    t.shape().iter().map(|&n| n as i64).collect()
}

/// Moves the `joint` leading dimensions behind the next `place` ones, or back.
fn move_joint(t: &Tensor, joint: usize, place: usize, forth: bool) -> Result<Tensor> {
    if place == 0 || joint == 0 {
        return Ok(t.clone());
    }
    let mut order: Vec<i64> = (0..t.ndim() as i64).collect();
    if forth {
        order[..joint + place].rotate_left(joint);
    } else {
        order[..joint + place].rotate_left(place);
    }
    ops::permute(t, &order)
}

/// `x[items] = value`.
pub fn put(tensor: &Tensor, items: &[IndexItem], value: &Tensor) -> Result<()> {
    let selection = select_all(tensor, items)?;
    let value = strip_leading_ones(value, selection.view.ndim())?;
    write_selected(tensor, selection, &value, false)
}

/// Writes `value`, or adds it, where `selection` of `tensor` lies.
fn write_selected(tensor: &Tensor, selection: Selection, value: &Tensor, accumulate: bool) -> Result<()> {
    let Selection { view, indices, place } = selection;
    if indices.is_empty() {
        return copy_(&view, value, false);
    }
    check_inplace("index_put_", tensor, &[value])?;
    let value = &travelled("index_put_", value, tensor.device())?;
    let joint: Shape = broadcast_shapes("index", indices.iter().map(Tensor::shape))?;
    let mut shape: Vec<usize> = view.shape()[indices.len()..].to_vec();
    shape.splice(place.min(shape.len())..place.min(shape.len()), joint.iter().copied());
    let value = move_joint(&expand_to(value, &shape)?, joint.len(), place, false)?;
    if is_recording(&[tensor, &value]) {
        return overwrite("index_put_", &view, || ops::index_write(&view, &indices, &value, accumulate));
    }
    write(accumulate, &view, &indices, &value)?;
    tensor.storage().bump_version();
    Ok(())
}

fn tensor_items(op: &'static str, tensor: &Tensor, indices: &[Tensor], values: &Tensor) -> Result<Selection> {
    if indices.is_empty() {
        return Err(RusTorchError::argument(op, "expects at least one index tensor"));
    }
    if tensor.dtype() != values.dtype() {
        return Err(RusTorchError::dtype(
            op,
            format!(
                "requires the source and destination dtypes match, got {} for the destination and {} for the source",
                tensor.dtype(),
                values.dtype()
            ),
        ));
    }
    // Short: one per index given, or per dimension.
    let items: Vec<IndexItem> = indices.iter().cloned().map(IndexItem::Tensor).collect();
    select_all(tensor, &items)
}

/// A copy with `values` written, or added, where index tensors or masks of the leading dimensions say.
pub fn index_put(input: &Tensor, indices: &[Tensor], values: &Tensor, accumulate: bool) -> Result<Tensor> {
    let Selection { view, indices, .. } = tensor_items("index_put", input, indices, values)?;
    reshape_to(&ops::index_write(&view, &indices, values, accumulate)?, input.shape())
}

/// Writes `values`, or adds them, where index tensors or masks of the leading dimensions say.
pub fn index_put_(input: &Tensor, indices: &[Tensor], values: &Tensor, accumulate: bool) -> Result<()> {
    let selection = tensor_items("index_put_", input, indices, values)?;
    write_selected(input, selection, values, accumulate)
}

/// The value without leading dimensions of size 1 that its target does not have, as PyTorch allows in assignments.
fn strip_leading_ones(value: &Tensor, ndim: usize) -> Result<Tensor> {
    let extra = value.ndim().saturating_sub(ndim);
    if extra > 0 && value.shape()[..extra].iter().all(|&n| n == 1) {
        return reshape_to(value, &value.shape()[extra..]);
    }
    Ok(value.clone())
}
