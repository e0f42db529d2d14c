//! Tensors that share memory: views, and tensors made twice of memory that another library has.

use std::ops::Range;
use std::sync::Arc;

use rustorch_backend::DeviceKind;
use rustorch_error::Result;

use super::contiguity::contiguous_copy;
use crate::Tensor;

/// Whether two tensors share memory in another way than element for element.
#[inline]
pub fn overlaps_partly(a: &Tensor, b: &Tensor) -> bool {
    share_storage(a, b)
        && !(a.layout() == b.layout()
            && a.dtype() == b.dtype()
            && a.storage().buffer().address() == b.storage().buffer().address())
        && meet(a, b)
}

/// The tensor, or a row-major copy where it lies where `target` does: to be read while that is written in any order.
pub fn apart_from(tensor: &Tensor, target: &Tensor) -> Result<Tensor> {
    if share_storage(tensor, target) && meet(tensor, target) {
        contiguous_copy(tensor)
    } else {
        Ok(tensor.clone())
    }
}

/// Whether two tensors' storages are the same memory, or parts of it: a storage may count its writes on its own, and two
/// may stand for one array.
#[inline]
pub fn share_storage(a: &Tensor, b: &Tensor) -> bool {
    let (a, b) = (a.storage(), b.storage());
    if Arc::ptr_eq(a, b) {
        return true;
    }
    let (device, others) = (a.device(), b.device());
    if device.kind != others.kind || device.index != others.index {
        return false;
    }
    let (start, other) = (a.buffer().address().addr().get(), b.buffer().address().addr().get());
    match device.kind {
        DeviceKind::Cpu | DeviceKind::Cuda => {
            start < other + b.buffer().bytes() && other < start + a.buffer().bytes()
        }
        // The addresses are the driver's handles.
        _ => start == other,
    }
}

/// Whether the bytes from the first element to the last one meet.
fn meet(a: &Tensor, b: &Tensor) -> bool {
    match (extent(a), extent(b)) {
        (Some(a), Some(b)) => a.start < b.end && b.start < a.end,
        _ => false,
    }
}

/// The bytes between which a tensor's elements lie.
fn extent(tensor: &Tensor) -> Option<Range<usize>> {
    let (low, high) = tensor.layout().span()?;
    let (start, size) = (tensor.storage().buffer().address().addr().get(), tensor.dtype().size());
    Some(start + low * size..start + (high + 1) * size)
}
