//! Reading at positions that other tensors name, and looking those up.

use std::fmt::Write;

use rustorch_backend::memory::Scratch;
use rustorch_backend::{Buffer, DType, Dims, Layout, Operand, kernel, volume};
use rustorch_error::{Result, RusTorchError};
use smallvec::{SmallVec, smallvec};

use super::copy::{Raw, groups_for};
use super::program::INPUTS;
use crate::device::Device;
use crate::kernel::{Call, GROUP};
use crate::positions::Strided;

/// Groups that look indices up at most: each reports to the host.
const LOOKING: usize = 256;

/// An index tensor (int64), and the dimension that it indexes.
#[derive(Clone, Copy)]
pub(crate) struct Lookup<'a> {
    pub index: Operand<'a>,
    pub dim: usize,
    /// The dimension's size, and the distance of its neighbours.
    pub size: usize,
    pub stride: isize,
}

/// Whether negative indices count from the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Negative {
    Wraps,
    IsOutside,
}

/// Checks indices, all of one shape, and waits for the answer; stores where they lead into `offsets`: the positions
/// `base`, and for each index its value times the stride.
///
/// # Errors
/// `IndexOutOfRange` with the CPU's words.
pub(crate) fn look_up(
    device: &dyn Device,
    op: &'static str,
    shape: &[usize],
    lookups: &[Lookup<'_>],
    negative: Negative,
    offsets: Option<(Operand<'_>, Strided<'_>)>,
) -> Result<()> {
    let n = volume(shape);
    if n == 0 {
        return Ok(());
    }
    if lookups.len() > INPUTS.len() {
        return Err(RusTorchError::unsupported(op, "more than 16 index tensors"));
    }
    let groups = n.div_ceil(GROUP as usize).min(LOOKING);
    let outside = Layout::contiguous("index", &[groups * 2])?;
    let buffer: Buffer = device.temporary(groups * 16)?;
    let mut call = Call::new(kernel_text!("look_up"))
        .write("outside", Operand { buffer: &buffer, layout: &outside, dtype: DType::Int64 })
        .size("n", n)
        .constant("GROUP_ITEMS", GROUP as usize)
        .constant("OFFSETS", usize::from(offsets.is_some()))
        .shared("firsts", "i64", GROUP as usize)
        .shared("values", "i64", GROUP as usize);
    let mut strided: SmallVec<[Strided<'_>; 6]> = SmallVec::new();
    for (name, lookup) in INPUTS.into_iter().zip(lookups) {
        call = call.read(name, lookup.index);
        strided.push(Strided::of(name, lookup.index.layout));
    }
    if let Some((offsets, base)) = offsets {
        call = call.write("offsets", offsets);
        strided.push(base);
    }
    let (count, wraps, stores) = (lookups.len(), negative == Negative::Wraps, offsets.is_some());
    let call = call
        .positions("POSITIONS", shape, &strided)
        .i64s("size", lookups.iter().map(|lookup| lookup.size as i64))
        .i64s("step", lookups.iter().map(|lookup| lookup.stride as i64))
        .insert("LOOKUPS", &[count as u8, u8::from(wraps), u8::from(stores)], move || {
            Ok(lookups_text(count, wraps, stores))
        });
    device.run(call, [groups, 1, 1])?;
    let mut bytes = Scratch::zeroed(groups * 16)?;
    device.read(&buffer, 0, &mut bytes)?;
    let number = |at: usize| bytes[at..].first_chunk().map_or(0, |bytes| i64::from_ne_bytes(*bytes));
    let first = (0..groups).map(|group| (number(group * 16), number(group * 16 + 8))).min();
    match first {
        Some((place, value)) if place < i64::MAX => {
            let lookup = usize::try_from(place).ok().and_then(|place| lookups.get(place / n));
            let Some(Lookup { dim, size, .. }) = lookup else {
                return Err(RusTorchError::device(op, "the device did not check the indices; is it lost?"));
            };
            Err(RusTorchError::index(
                op,
                format!("index {value} is out of bounds for dimension {dim} with size {size}"),
            ))
        }
        _ => Ok(()),
    }
}

/// What the kernel does at each position with each of `count` index tensors.
fn lookups_text(count: usize, wraps: bool, stores: bool) -> String {
    let mut text = String::new();
    for k in 0..count {
        let wrapped = if wraps { format!("v < 0 ? v + p.size[{k}] : v") } else { "v".to_string() };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{{ const i64 v = LOAD_x{k}(at_x{k}); const i64 w = {wrapped}; \
             if ((u64)w >= (u64)p.size[{k}] && {k} * p.n + i < first) {{ first = {k} * p.n + i; value = v; }} {} }}",
            if stores { format!("offset += w * p.step[{k}];") } else { String::new() }
        );
    }
    text
}

/// Checks the indices of a method whose negative ones are errors, each seen once where they repeat.
pub(crate) fn check(
    device: &dyn Device,
    op: &'static str,
    index: Operand<'_>,
    dim: usize,
    size: usize,
) -> Result<()> {
    let layout = index.layout.without_repetitions();
    let index = Operand { layout: &layout, ..index };
    let lookup = Lookup { index, dim, size, stride: 0 };
    look_up(device, op, layout.shape(), &[lookup], Negative::IsOutside, None)
}

/// `out[i…] = input[i… with index[i…] at dim]`.
pub(crate) fn gather(device: &dyn Device, kernel: &kernel::Gather<Operand<'_>>) -> Result<()> {
    let &kernel::Gather { input, dim, index, output } = kernel;
    let places = input.layout.shape().get(dim).copied().unwrap_or(1);
    check(device, "gather", index, dim, places)?;
    let (from, to) = (Raw::of(input)?, Raw::of(output)?);
    let mut strides: Dims<isize> = Dims::from_slice(from.layout().strides());
    // The index, not the position, moves along `dim` of the input.
    let along = if input.layout.ndim() == 0 { 0 } else { std::mem::take(&mut strides[dim]) };
    let mut index_strides: Dims<isize> = Dims::from_slice(index.layout.strides());
    index_strides.resize(to.layout().ndim(), 0);
    strides.resize(to.layout().ndim(), 0);
    let positions = [
        Strided { name: "from", strides: &strides, offset: from.layout().offset() },
        Strided { name: "index", strides: &index_strides, offset: index.layout.offset() },
    ];
    take(device, from.operand(input), (index, places), to.operand(output), positions, along)
}

/// `out[i…, r…] = input[indices[0][i…], …, r…]`.
pub(crate) fn index_read(device: &dyn Device, kernel: &kernel::IndexRead<Operand<'_>>) -> Result<()> {
    let &kernel::IndexRead { input, ref indices, output } = kernel;
    let (from, to) = (Raw::of(input)?, Raw::of(output)?);
    let listed = Listed::new(device, "index", input.layout.shape(), indices, from.layout(), DType::Int64)?;
    let mut strides: Dims<isize> = smallvec![0; listed.dims()];
    strides.extend_from_slice(&from.layout().strides()[indices.len()..]);
    let mut index_strides: Dims<isize> = Dims::from_slice(listed.layout.strides());
    index_strides.resize(to.layout().ndim(), 0);
    let positions = [
        Strided { name: "from", strides: &strides, offset: 0 },
        Strided { name: "index", strides: &index_strides, offset: 0 },
    ];
    take(device, from.operand(input), (listed.operand(), ANY_PLACE), to.operand(output), positions, 1)
}

/// The bound of positions that were looked up, and that nobody else can write.
pub(crate) const ANY_PLACE: usize = isize::MAX as usize;

/// Moves elements from the places that an index names, of which there are so many.
fn take(
    device: &dyn Device,
    from: Operand<'_>,
    (index, places): (Operand<'_>, usize),
    to: Operand<'_>,
    [from_position, index_position]: [Strided<'_>; 2],
    along: isize,
) -> Result<()> {
    let n = to.layout.numel();
    let call = Call::new(kernel_text!("gather"))
        .read("from", from)
        .read("index", index)
        .write("to", to)
        .size("n", n)
        .size("places", places)
        .i64("along", along as i64)
        .positions(
            "POSITIONS",
            to.layout.shape(),
            &[from_position, index_position, Strided::of("to", to.layout)],
        );
    device.run(call, groups_for(n))
}

/// Where the rows lie that index tensors name, one after the other.
pub(crate) struct Listed {
    buffer: Buffer,
    pub layout: Layout,
    dtype: DType,
}

impl Listed {
    /// Looks `indices` up in a tensor of `shape` whose elements lie as `raw` says (which may count them in parts).
    /// `dtype` (int64 or int32) holds the positions.
    pub(crate) fn new(
        device: &dyn Device,
        op: &'static str,
        shape: &[usize],
        indices: &[Operand<'_>],
        raw: &Layout,
        dtype: DType,
    ) -> Result<Self> {
        let rows = indices.first().map_or(&[][..], |index| index.layout.shape());
        let layout = Layout::contiguous("index", rows)?;
        let buffer = device.temporary(layout.numel() * dtype.size())?;
        let lookups: SmallVec<[Lookup<'_>; 4]> = indices
            .iter()
            .enumerate()
            .map(|(dim, &index)| Lookup { index, dim, size: shape[dim], stride: raw.strides()[dim] })
            .collect();
        let listed = Listed { buffer, layout, dtype };
        let still: Dims<isize> = smallvec![0; rows.len()];
        let base = Strided { name: "base", strides: &still, offset: raw.offset() };
        look_up(device, op, rows, &lookups, Negative::Wraps, Some((listed.operand(), base)))?;
        Ok(listed)
    }

    /// The positions as a tensor of the indices' shape.
    pub(crate) fn operand(&self) -> Operand<'_> {
        Operand { buffer: &self.buffer, layout: &self.layout, dtype: self.dtype }
    }

    /// The number of the indices' dimensions.
    pub(crate) fn dims(&self) -> usize {
        self.layout.ndim()
    }

    /// The memory.
    pub(crate) fn into_buffer(self) -> Buffer {
        self.buffer
    }
}
