//! Linear maps along the last dimensions: padding by what is there, interpolation, and the gradients of both.

use rustorch_backend::memory::{Scratch, as_bytes};
use rustorch_backend::{Category, DType, DimensionMap, Layout, Operand, kernel};
use rustorch_error::{Result, RusTorchError};

use super::copy::groups_for;
use super::tile::{sums_of, value_of};
use crate::device::Device;
use crate::kernel::{Call, GROUP};

const OP: &str = "resample";

/// The tables of three maps, one behind the other, and where their parts begin.
#[derive(Debug, Default)]
struct Tables {
    maps: Scratch<i64>,
    weights: Scratch<f64>,
    starts: [i64; 3],
    positions: [i64; 3],
    factors: [i64; 3],
    input: [i64; 3],
    output: [i64; 3],
}

impl Tables {
    fn new(maps: &[DimensionMap]) -> Result<Tables> {
        let mut tables = Tables::default();
        let identity = DimensionMap::selection(1, [0])?;
        let missing = std::iter::repeat_n(&identity, 3 - maps.len());
        for (d, map) in missing.chain(maps).enumerate() {
            tables.input[d] = map.input() as i64;
            tables.output[d] = map.output() as i64;
            tables.starts[d] = tables.maps.len() as i64;
            tables.maps.extend(map.starts().iter().map(|&start| start as i64))?;
            tables.positions[d] = tables.maps.len() as i64;
            tables.maps.extend(map.positions().iter().map(|&position| position as i64))?;
            tables.factors[d] = tables.weights.len() as i64;
            match map.weights() {
                Some(weights) => tables.weights.extend_from_slice(weights)?,
                None => tables.weights.extend(std::iter::repeat_n(1.0, map.positions().len()))?,
            }
        }
        Ok(tables)
    }
}

/// Applies `maps` to the last dimensions of `input`, the last map to the last dimension. Selections move elements of any
/// dtype; other maps are computed in floating point, half precisions in float32 and rounded once.
pub(crate) fn resample(device: &dyn Device, kernel: &kernel::Resample<Operand<'_>>) -> Result<()> {
    let &kernel::Resample { ref maps, input, output } = kernel;
    let (from, to) = (input.layout.shape(), output.layout.shape());
    let lead = from.len().checked_sub(maps.len());
    let fits = lead.is_some_and(|lead| {
        from.len() == to.len()
            && from[..lead] == to[..lead]
            && maps.iter().zip(&from[lead..]).all(|(map, &n)| map.input() == n)
            && maps.iter().zip(&to[lead..]).all(|(map, &n)| map.output() == n)
    });
    if !fits || !input.layout.is_contiguous() || !output.layout.is_contiguous() {
        return Err(RusTorchError::shape(OP, format!("{from:?} does not become {to:?} by these maps")));
    }
    let dtype = input.dtype;
    let selection = maps.iter().all(DimensionMap::is_selection);
    // A selection moves elements as they are, by their size.
    let moved = match dtype.size() {
        1 => DType::UInt8,
        2 => DType::Int16,
        4 => DType::Int32,
        _ => DType::Int64,
    };
    let known = if selection { dtype.size() <= 8 } else { dtype.category() == Category::Float };
    if maps.len() > 3 || !known || output.dtype != dtype {
        return Err(RusTorchError::unsupported(OP, format!("{} dimensions of {dtype}", maps.len())));
    }
    let n = output.layout.numel();
    if n == 0 {
        return Ok(());
    }
    let tables = Tables::new(maps)?;
    let element = if selection { moved } else { dtype };
    let sums = sums_of(element);
    let upload = |bytes: &[u8]| {
        let buffer = device.temporary(bytes.len().max(8))?;
        device.write(&buffer, 0, bytes)?;
        Result::Ok(buffer)
    };
    let map_table = upload(as_bytes(&tables.maps))?;
    let map_layout = Layout::contiguous("resample", &[tables.maps.len()])?;
    let call = Call::new(kernel_text!("resample"))
        .read("x0", Operand { dtype: element, ..input })
        .read("maps", Operand { buffer: &map_table, layout: &map_layout, dtype: DType::Int64 })
        .write("y0", Operand { dtype: element, ..output })
        .constant("GROUP", GROUP as usize)
        .constant("SELECTION", usize::from(selection))
        .index(if n < 1 << 31 { "u32" } else { "i64" })
        .size("n", n)
        .size("x0_offset", input.layout.offset())
        .size("y0_offset", output.layout.offset())
        .i64s("input", tables.input)
        .i64s("output", tables.output)
        .i64s("positions", tables.positions);
    if selection {
        return device.run(call, groups_for(n));
    }
    let factor_table = match sums {
        DType::Float64 => upload(as_bytes(&tables.weights))?,
        _ => upload(as_bytes(&Scratch::collect(tables.weights.iter().map(|&weight| weight as f32))?))?,
    };
    let factor_layout = Layout::contiguous("resample", &[tables.weights.len()])?;
    let call = call
        .read("weights", Operand { buffer: &factor_table, layout: &factor_layout, dtype: sums })
        .define("ACC", value_of(sums))
        .i64s("starts", tables.starts)
        .i64s("factors", tables.factors);
    device.run(call, groups_for(n))
}
