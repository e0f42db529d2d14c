//! Operands of a device's op, brought to host memory for the CPU to work on.

use std::ops::Range;

use rustorch_backend::memory::HostBuffer;
use rustorch_backend::{Buffer, ComputeBackend, Layout, Operand};
use rustorch_error::Result;
use smallvec::SmallVec;

/// A list of operands that stays on the stack for most ops.
pub(super) type Operands<'a> = SmallVec<[Operand<'a>; 8]>;

/// Where a staged range begins: a multiple of this, so that every dtype's elements begin on one of its own.
const GRAIN: usize = rustorch_backend::memory::ALIGNMENT;

/// One buffer of the device, as far as an op's operands reach into it, in host memory: itself where that is possible, else
/// a copy.
///
/// Operands of one buffer share the copy: what is the same element there is the same element here.
struct Staged<'a> {
    source: &'a Buffer,
    /// In bytes; empty if no operand has elements.
    range: Range<usize>,
    host: HostBuffer,
    /// Whether `host` is a copy that was changed.
    goes_back: bool,
}

/// The operands of a call in host memory.
pub(super) struct Staging<'a> {
    buffers: SmallVec<[Staged<'a>; 4]>,
    /// Per operand: which of `buffers`, and where in the copy.
    places: SmallVec<[(usize, Layout); 8]>,
}

/// The bytes of its buffer that an operand reaches.
fn reach(operand: &Operand<'_>) -> Range<usize> {
    let size = operand.dtype.size();
    operand.layout.span().map_or(0..0, |(low, high)| low * size..(high + 1) * size)
}

fn same_memory(a: &Buffer, b: &Buffer) -> bool {
    a.address() == b.address()
}

impl<'a> Staging<'a> {
    /// Brings what `operands` reach from `device`; `written` are those of them that the op writes.
    pub(super) fn read(
        device: &dyn ComputeBackend,
        operands: &[Operand<'a>],
        written: &[Operand<'_>],
    ) -> Result<Self> {
        let mut reached: SmallVec<[(&'a Buffer, Range<usize>); 4]> = SmallVec::new();
        for operand in operands {
            let range = reach(operand);
            match reached.iter_mut().find(|(buffer, _)| same_memory(buffer, operand.buffer)) {
                None => reached.push((operand.buffer, range)),
                Some((_, whole)) if Range::is_empty(whole) => *whole = range,
                Some(_) if range.is_empty() => {}
                Some((_, whole)) => *whole = whole.start.min(range.start)..whole.end.max(range.end),
            }
        }
        let mut buffers = SmallVec::new();
        for (source, range) in reached {
            let range = range.start / GRAIN * GRAIN..range.end;
            let written = written.iter().any(|o| same_memory(o.buffer, source));
            let lent =
                if range.is_empty() { None } else { device.map_host(source, range.clone(), written)? };
            let goes_back = written && lent.is_none() && !range.is_empty();
            let host = if let Some(host) = lent {
                host
            } else {
                let mut copy = HostBuffer::zeroed(range.len())?;
                if !range.is_empty() {
                    device.read(source, range.start, copy.bytes_mut())?;
                }
                copy
            };
            buffers.push(Staged { source, range, host, goes_back });
        }
        let places = operands.iter().map(|operand| place(&buffers, operand)).collect::<Result<_>>()?;
        Ok(Staging { buffers, places })
    }

    /// The operand of a number among those that were read, in host memory.
    pub(super) fn operand<'s>(&'s self, number: usize, original: &Operand<'_>) -> Operand<'s> {
        let (buffer, layout) = &self.places[number];
        Operand { buffer: self.buffers[*buffer].host.buffer(), layout, dtype: original.dtype }
    }

    /// Writes back what the op wrote.
    pub(super) fn write_back(&self, device: &dyn ComputeBackend) -> Result<()> {
        for staged in self.buffers.iter().filter(|staged| staged.goes_back) {
            device.write(staged.source, staged.range.start, staged.host.bytes())?;
        }
        Ok(())
    }
}

/// Where in the copies an operand is.
fn place(buffers: &[Staged<'_>], operand: &Operand<'_>) -> Result<(usize, Layout)> {
    let index = buffers.iter().position(|b| same_memory(b.source, operand.buffer)).unwrap_or(0);
    let layout = operand.layout;
    let skipped = buffers[index].range.start / operand.dtype.size();
    let offset = layout.offset().checked_sub(skipped).filter(|_| layout.numel() > 0);
    // An empty operand reaches nothing and may begin anywhere.
    let moved = offset.map(|offset| layout.at_offset("copy", offset));
    Ok((index, moved.unwrap_or_else(|| Layout::contiguous("copy", layout.shape()))?))
}
