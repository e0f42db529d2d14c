//! On which device tensors are: checks that they are together, and copies from one device to another.

use rustorch_backend::memory::HostBuffer;
use rustorch_backend::{Buffer, Device, Layout, Streams};
use rustorch_error::{Result, RusTorchError};

use smallvec::SmallVec;

use crate::Tensor;
use crate::operations::contiguity::contiguous;
use crate::operations::creation::moved;

/// The most that goes through host memory at once, in bytes.
const CHUNK: usize = 4 << 20;

/// The error for tensors on two devices.
#[cold]
pub(crate) fn apart(op: &'static str, one: Device, other: Device) -> RusTorchError {
    RusTorchError::device(
        op,
        format!(
            "Expected all tensors to be on the same device, but found at least two devices, {one} and {other}; \
             move them with Tensor.to()"
        ),
    )
}

/// Refuses tensors that are not all on one device.
#[inline]
pub(crate) fn together(op: &'static str, tensors: &[Option<&Tensor>]) -> Result<()> {
    let mut devices = tensors.iter().flatten().map(|t| t.device());
    let Some(first) = devices.next() else { return Ok(()) };
    match devices.find(|device| !device.is_same(first)) {
        None => Ok(()),
        Some(other) => Err(apart(op, first, other)),
    }
}

/// As [`together`], of a list and further tensors.
pub(crate) fn list_together(op: &'static str, list: &[Tensor], others: &[Option<&Tensor>]) -> Result<()> {
    let all: SmallVec<[Option<&Tensor>; 8]> = list.iter().map(Some).chain(others.iter().copied()).collect();
    together(op, &all)
}

/// A tensor that may come from the CPU if it has 0 dimensions, where it is needed; recorded.
pub(crate) fn travelled(op: &'static str, tensor: &Tensor, device: Device) -> Result<Tensor> {
    if tensor.ndim() == 0 && tensor.device().is_cpu() {
        return moved(tensor, device);
    }
    if tensor.device().is_same(device) { Ok(tensor.clone()) } else { Err(apart(op, device, tensor.device())) }
}

/// The device on which an elementwise op runs: that of its inputs, among which tensors of 0 dimensions on the CPU go
/// anywhere.
#[inline]
pub(crate) fn common_device(op: &'static str, inputs: &[&Tensor]) -> Result<Device> {
    let travels = |t: &Tensor| t.ndim() == 0 && t.device().is_cpu();
    let device = inputs.iter().find(|t| !travels(t)).unwrap_or(&inputs[0]).device();
    match inputs.iter().find(|t| !t.device().is_same(device) && !travels(t)) {
        None => Ok(device),
        Some(other) => Err(apart(op, device, other.device())),
    }
}

/// Writes `source`, in the broadcast `layout`, into `destination`, which has that shape and may be of another dtype and on
/// another device. Without history. With `non_blocking`, a copy between a device and pinned memory is not waited for.
pub(crate) fn transfer(
    source: &Tensor,
    layout: &Layout,
    destination: &Tensor,
    non_blocking: bool,
) -> Result<()> {
    if destination.numel() == 0 {
        return Ok(());
    }
    if source.device().is_same(destination.device()) {
        let operand = rustorch_backend::Operand { layout, ..source.operand() };
        return destination.backend()?.copy(operand, destination.operand());
    }
    // What is small travels: the source as it is, before it is broadcast, in the smaller of the two dtypes.
    let narrowing = destination.dtype().size() < source.dtype().size();
    let dtype = if narrowing { destination.dtype() } else { source.dtype() };
    let packed = contiguous(&crate::operations::creation::to_dtype(source, Some(dtype))?)?;
    let whole = packed.shape() == destination.shape()
        && packed.dtype() == destination.dtype()
        && destination.is_contiguous();
    if whole {
        return relay(&packed, destination, non_blocking);
    }
    let landed = Tensor::empty(packed.shape(), dtype, destination.device())?;
    relay(&packed, &landed, false)?;
    let layout = landed.layout().broadcast_to("copy_", destination.shape())?;
    let operand = rustorch_backend::Operand { layout: &layout, ..landed.operand() };
    destination.backend()?.copy(operand, destination.operand())
}

/// Copies row-major elements from one device to another: straight where one of them is host memory, else through it.
fn relay(source: &Tensor, destination: &Tensor, non_blocking: bool) -> Result<()> {
    let size = source.dtype().size();
    let bytes = source.numel() * size;
    let (from, to) = (source.layout().offset() * size, destination.layout().offset() * size);
    let (reader, writer) = (source.backend()?, destination.backend()?);
    let (source, destination) = (source.storage().buffer(), destination.storage().buffer());
    if non_blocking {
        let (read, written) = ((source, from), (destination, to));
        let pinned = |streams: &dyn Streams, buffer: &Buffer| {
            buffer.allocator().is_some_and(|owner| std::ptr::addr_eq(owner, streams.pinned()))
        };
        if let Some(streams) = writer.streams().filter(|&streams| pinned(streams, read.0)) {
            return streams.write_later(read, written, bytes);
        }
        if let Some(streams) = reader.streams().filter(|&streams| pinned(streams, written.0)) {
            return streams.read_later(read, written, bytes);
        }
    }
    if let Some(host) = reader.map_host(source, from..from + bytes, false)? {
        return writer.write(destination, to, host.bytes());
    }
    if let Some(mut host) = writer.map_host(destination, to..to + bytes, true)? {
        return reader.read(source, from, host.bytes_mut());
    }
    let mut chunk = HostBuffer::zeroed(bytes.min(CHUNK))?;
    let mut done = 0;
    while done < bytes {
        let part = &mut chunk.bytes_mut()[..CHUNK.min(bytes - done)];
        reader.read(source, from + done, part)?;
        writer.write(destination, to + done, part)?;
        done += part.len();
    }
    Ok(())
}
