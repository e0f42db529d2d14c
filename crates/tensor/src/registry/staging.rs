//! Operands of a device's op, brought to host memory for the CPU to work on.

use std::ops::Range;

use rustorch_backend::memory::{HostBuffer, Scratch};
use rustorch_backend::{
    AttentionParams, Buffer, ComputeBackend, ConvParams, CtcSample, DimensionMap, Distribution, Epilogue,
    Factorization, Layout, Operand, PoolParams, Program, RandomKey, ReduceOp, Sampler, Scalar, ScanOp,
    ScatterOp,
};
use rustorch_error::Result;
use smallvec::SmallVec;

/// A list of operands that stays on the stack for most ops.
pub(super) type Operands<'a> = SmallVec<[Operand<'a>; 8]>;

/// Where a staged range begins: a multiple of this, so that every dtype's elements begin on one of its own.
const GRAIN: usize = rustorch_backend::memory::ALIGNMENT;

/// An argument of a method of the contract.
pub(super) trait Argument: Copy {
    /// The same argument with other operands.
    type Staged<'s>
    where
        Self: 's;

    /// Appends the operands in it, in order.
    fn gather<'a>(self, list: &mut Operands<'a>)
    where
        Self: 'a;

    /// The argument with its operands replaced by the next staged ones.
    fn restage<'s>(self, staged: &mut Cursor<'s>) -> Self::Staged<'s>
    where
        Self: 's;
}

/// Hands out staged operands in order.
pub(super) struct Cursor<'s>(&'s [Operand<'s>]);

impl<'s> Cursor<'s> {
    fn take(&mut self, count: usize) -> &'s [Operand<'s>] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn one(&mut self) -> Operand<'s> {
        self.take(1)[0]
    }
}

/// Arguments without operands.
macro_rules! plain {
    ($($type:ty),* $(,)?) => {$(
        impl Argument for $type {
            type Staged<'s> = Self where Self: 's;

            fn gather<'a>(self, _: &mut Operands<'a>) where Self: 'a {}

            fn restage<'s>(self, _: &mut Cursor<'s>) -> Self where Self: 's {
                self
            }
        }
    )*};
}

plain! {
    bool, usize, f64, Scalar, &[usize], &Program, Option<&Program>, ReduceOp, ScanOp, ScatterOp, Factorization,
    &ConvParams, &PoolParams, &AttentionParams, &[CtcSample], &[DimensionMap], &[Scratch<Range<usize>>], Distribution,
    Sampler, RandomKey,
}

impl Argument for Operand<'_> {
    type Staged<'s>
        = Operand<'s>
    where
        Self: 's;

    fn gather<'a>(self, list: &mut Operands<'a>)
    where
        Self: 'a,
    {
        list.push(self);
    }

    fn restage<'s>(self, staged: &mut Cursor<'s>) -> Operand<'s>
    where
        Self: 's,
    {
        staged.one()
    }
}

impl Argument for Option<Operand<'_>> {
    type Staged<'s>
        = Option<Operand<'s>>
    where
        Self: 's;

    fn gather<'a>(self, list: &mut Operands<'a>)
    where
        Self: 'a,
    {
        list.extend(self);
    }

    fn restage<'s>(self, staged: &mut Cursor<'s>) -> Option<Operand<'s>>
    where
        Self: 's,
    {
        self.map(|_| staged.one())
    }
}

impl Argument for &[Operand<'_>] {
    type Staged<'s>
        = &'s [Operand<'s>]
    where
        Self: 's;

    fn gather<'a>(self, list: &mut Operands<'a>)
    where
        Self: 'a,
    {
        list.extend(self.iter().copied());
    }

    fn restage<'s>(self, staged: &mut Cursor<'s>) -> &'s [Operand<'s>]
    where
        Self: 's,
    {
        staged.take(self.len())
    }
}

impl<const N: usize> Argument for [Operand<'_>; N] {
    type Staged<'s>
        = [Operand<'s>; N]
    where
        Self: 's;

    fn gather<'a>(self, list: &mut Operands<'a>)
    where
        Self: 'a,
    {
        list.extend(self);
    }

    fn restage<'s>(self, staged: &mut Cursor<'s>) -> [Operand<'s>; N]
    where
        Self: 's,
    {
        self.map(|_| staged.one())
    }
}

impl Argument for (Operand<'_>, Operand<'_>) {
    type Staged<'s>
        = (Operand<'s>, Operand<'s>)
    where
        Self: 's;

    fn gather<'a>(self, list: &mut Operands<'a>)
    where
        Self: 'a,
    {
        list.extend([self.0, self.1]);
    }

    fn restage<'s>(self, staged: &mut Cursor<'s>) -> (Operand<'s>, Operand<'s>)
    where
        Self: 's,
    {
        (staged.one(), staged.one())
    }
}

impl Argument for Epilogue<'_> {
    type Staged<'s>
        = Epilogue<'s>
    where
        Self: 's;

    fn gather<'a>(self, list: &mut Operands<'a>)
    where
        Self: 'a,
    {
        self.bias.gather(list);
    }

    fn restage<'s>(self, staged: &mut Cursor<'s>) -> Epilogue<'s>
    where
        Self: 's,
    {
        Epilogue { alpha: self.alpha, beta: self.beta, bias: self.bias.restage(staged) }
    }
}

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

    /// The operands in host memory, in order.
    pub(super) fn operands<'s>(&'s self, originals: &[Operand<'_>]) -> Operands<'s> {
        let staged = |((buffer, layout), original): (&'s (usize, Layout), &Operand<'_>)| Operand {
            buffer: self.buffers[*buffer].host.buffer(),
            layout,
            dtype: original.dtype,
        };
        self.places.iter().zip(originals).map(staged).collect()
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

/// Starts handing out the staged operands of a call.
pub(super) fn cursor<'s>(operands: &'s [Operand<'s>]) -> Cursor<'s> {
    Cursor(operands)
}
