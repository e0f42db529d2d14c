//! Sorting long lines of unsigned keys: by 4 bits after another, from the least significant ones on.
//!
//! Each pass counts the digits of every tile, sums the counts, and moves each key with its place in the line to where
//! it belongs; keys of one digit keep their order, so the sort is stable. No atomics take part.

use rustorch_backend::{Buffer, DType, Layout, Operand};
use rustorch_error::{Result, RusTorchError};

use crate::device::Device;
use crate::kernel::{Call, GROUP};

/// Elements of a work-item.
const EACH: usize = 8;
/// Bits of a digit, which the texts rely on.
const DIGIT: u32 = 4;
/// Its values.
const DIGITS: usize = 1 << DIGIT;

/// Lines of keys, one after the other: `u32` as int32, `u64` as int64.
pub(crate) struct Keys {
    pub buffer: Buffer,
    pub dtype: DType,
    pub lines: usize,
    pub length: usize,
}

/// Keys in order, and where in its line each was (`u32` as int32).
pub(crate) struct Sorted {
    pub keys: Keys,
    pub places: Buffer,
}

/// The type of keys in the text.
pub(crate) fn key_type(dtype: DType) -> &'static str {
    if dtype == DType::Int64 { "u64" } else { "u32" }
}

/// Sorts each line of keys of at most `bits` bits.
pub(crate) fn sort(device: &dyn Device, op: &'static str, keys: Keys, bits: u32) -> Result<Sorted> {
    let Keys { lines, length, dtype, .. } = keys;
    let n = lines * length;
    let tiles = length.div_ceil(GROUP as usize * EACH);
    if u32::try_from(length).is_err() {
        return Err(RusTorchError::unsupported(op, "lines of 2**32 elements or more"));
    }
    let layout = Layout::contiguous("radix", &[n])?;
    let counts_layout = Layout::contiguous("radix", &[lines * DIGITS * tiles])?;
    let counts = device.temporary(counts_layout.numel() * 4)?;
    let counts = Operand { buffer: &counts, layout: &counts_layout, dtype: DType::Int32 };
    let [mut places, mut other_places] = [device.temporary(n * 4)?, device.temporary(n * 4)?];
    let (mut buffer, mut other) = (keys.buffer, device.temporary(n * dtype.size())?);
    for pass in 0..bits.div_ceil(DIGIT).max(1) {
        let of = |buffer| Operand { buffer, layout: &layout, dtype };
        let place = |buffer| Operand { buffer, layout: &layout, dtype: DType::Int32 };
        let sized = |call: Call<'static>| {
            call.constant("LANES", GROUP as usize).constant("EACH", EACH).shared(
                "partial",
                "u32",
                GROUP as usize,
            )
        };
        let digits = |call: Call<'static>| {
            sized(call)
                .define("K", key_type(dtype))
                .shared("counted", "u32", DIGITS * GROUP as usize)
                .size("tiles", tiles)
                .size("length", length)
                .u32("shift", pass * DIGIT)
        };
        let count =
            digits(Call::new(kernel_text!("radix_count"))).read("keys", of(&buffer)).write("counts", counts);
        device.run(count, [lines * tiles, 1, 1])?;
        let scan =
            sized(Call::new(kernel_text!("radix_scan"))).write("counts", counts).size("n", DIGITS * tiles);
        device.run(scan, [lines, 1, 1])?;
        let moved = digits(Call::new(kernel_text!("radix_move")))
            .constant("FIRST", usize::from(pass == 0))
            .shared("begins", "u32", DIGITS)
            .read("keys", of(&buffer))
            .read("places", place(&places))
            .read("counts", counts)
            .write("sorted_keys", of(&other))
            .write("sorted_places", place(&other_places));
        device.run(moved, [lines * tiles, 1, 1])?;
        std::mem::swap(&mut buffer, &mut other);
        std::mem::swap(&mut places, &mut other_places);
    }
    Ok(Sorted { keys: Keys { buffer, dtype, lines, length }, places })
}
