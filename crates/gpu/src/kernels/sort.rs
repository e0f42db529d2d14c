//! Sorting lines, their extreme elements, and searching in sorted ones.

use rustorch_backend::{Category, DType, Dims, Layout, Operand, kernel};
use rustorch_error::{Result, RusTorchError};

use super::copy::{Raw, groups_for};
use super::index::check;
use super::lines::Lines;
use super::radix::{self, Keys, key_type};
use crate::device::Device;
use crate::kernel::{Call, GROUP};
use crate::positions::Strided;

/// The longest lines that are sorted in shared memory.
const SHORT: usize = 2048;

/// Sorts the lines along `dim`, stably; NaN is the largest.
pub(crate) fn sort(device: &dyn Device, kernel: &kernel::Sort<Operand<'_>>) -> Result<()> {
    let &kernel::Sort { input, dim, descending, values, indices } = kernel;
    arrange(device, "sort", input, dim, descending, values, indices)
}

/// The `k` smallest or largest elements of the lines along `dim`, always in order.
pub(crate) fn top_k(device: &dyn Device, kernel: &kernel::TopK<Operand<'_>>) -> Result<()> {
    let &kernel::TopK { input, dim, largest, sorted: _, values, indices } = kernel;
    arrange(device, "topk", input, dim, largest, values, indices)
}

/// Lines of the input, and where the results go.
struct Plan<'a> {
    from: Operand<'a>,
    values: Option<Operand<'a>>,
    indices: Operand<'a>,
    /// Input, indices and values across the lines, and their steps along them.
    lines: [Lines; 3],
    steps: [isize; 3],
    length: usize,
    kept: usize,
}

impl Plan<'_> {
    /// Operands and parameters that the texts of both ways share.
    fn call<'a>(&'a self, call: Call<'a>) -> Call<'a> {
        let mut call = call.read("from", self.from).write("indices", self.indices);
        if let Some(values) = self.values {
            call = call.write("values", values);
        }
        let [from, indices, values] = &self.lines;
        let of = |name, lines: &'a Lines, operand: Operand<'a>| Strided {
            name,
            strides: &lines.strides,
            offset: operand.layout.offset(),
        };
        call.constant("VALUES", usize::from(self.values.is_some()))
            .size("lines", from.count())
            .size("length", self.length)
            .size("kept", self.kept)
            .i64("from_step", self.steps[0] as i64)
            .i64("indices_step", self.steps[1] as i64)
            .i64("values_step", self.steps[2] as i64)
            .positions(
                "LINES",
                &from.shape,
                &[
                    of("from", from, self.from),
                    of("indices", indices, self.indices),
                    of("values", values, self.values.unwrap_or(self.indices)),
                ],
            )
    }
}

/// What `key.c` needs for elements of a dtype.
fn with_keys(call: Call<'_>, dtype: DType, descending: bool) -> Call<'_> {
    let bits = dtype.size() * 8;
    let kind = match dtype.category() {
        Category::Float => 2,
        _ if matches!(dtype, DType::Bool | DType::UInt8) => 0,
        _ => 1,
    };
    let infinite: i64 = match dtype {
        DType::Float16 => 0x7c00,
        DType::BFloat16 => 0x7f80,
        DType::Float64 => 0x7ff0_0000_0000_0000,
        _ => 0x7f80_0000,
    };
    let flip = if descending { u64::MAX >> (64 - bits) } else { 0 };
    call.define("K", key_type(key_dtype(dtype)))
        .define("BITS_TYPE", ["u8", "u16", "u32", "u64"][dtype.size().ilog2() as usize])
        .i64("sign", (1u64 << (bits - 1)) as i64)
        .i64("infinite", infinite)
        .i64("flip", flip as i64)
        .i32("kind", kind)
}

fn key_dtype(dtype: DType) -> DType {
    if dtype.size() == 8 { DType::Int64 } else { DType::Int32 }
}

fn arrange(
    device: &dyn Device,
    op: &'static str,
    input: Operand<'_>,
    dim: usize,
    descending: bool,
    values: Option<Operand<'_>>,
    indices: Operand<'_>,
) -> Result<()> {
    let dtype = input.dtype;
    if dtype.is_complex() || indices.dtype != DType::Int64 {
        return Err(RusTorchError::unsupported(op, "complex numbers, or indices other than int64"));
    }
    if indices.layout.numel() == 0 {
        return Ok(());
    }
    let size = |operand: Operand<'_>| operand.layout.shape().get(dim).copied().unwrap_or(1);
    let operands = [input, indices, values.unwrap_or(indices)];
    let raw = [Raw::of(input)?, Raw::of(operands[2])?];
    let plan = Plan {
        from: raw[0].operand(input),
        values: values.map(|values| raw[1].operand(values)),
        indices,
        lines: operands.map(|operand| Lines::new(operand.layout, &[dim])),
        steps: operands.map(|operand| operand.layout.strides().get(dim).copied().unwrap_or(0)),
        length: size(input),
        kept: size(indices),
    };
    if plan.length <= SHORT {
        short(device, &plan, dtype, descending)
    } else {
        long(device, op, &plan, dtype, descending)
    }
}

/// Lines that fit into shared memory.
fn short(device: &dyn Device, plan: &Plan<'_>, dtype: DType, descending: bool) -> Result<()> {
    let lines = plan.lines[0].count();
    let width = plan.length.next_power_of_two();
    let per_group = (SHORT / width).min(lines.next_power_of_two());
    let call = with_keys(plan.call(Call::new(kernel_text!("sort_short"))), dtype, descending)
        .i32("width", width as i32)
        .i32("lines_per_group", per_group as i32)
        .constant("LANES", GROUP as usize)
        .shared("keys", key_type(key_dtype(dtype)), SHORT)
        .shared("places", "u32", SHORT);
    device.run(call, [lines.div_ceil(per_group), 1, 1])
}

/// Other lines, by their keys' digits.
fn long(
    device: &dyn Device,
    op: &'static str,
    plan: &Plan<'_>,
    dtype: DType,
    descending: bool,
) -> Result<()> {
    let lines = &plan.lines[0];
    let (count, length) = (lines.count(), plan.length);
    let n = count * length;
    let key = key_dtype(dtype);
    let buffer = device.temporary(n * key.size())?;
    let layout = Layout::contiguous("sort", &[n])?;
    // The line's own dimension goes last.
    let mut shape = lines.shape.clone();
    shape.push(length);
    let mut strides: Dims<isize> = lines.strides.clone();
    strides.push(plan.steps[0]);
    let call = Call::new(kernel_text!("sort_keys"))
        .read("from", plan.from)
        .write("keys", Operand { buffer: &buffer, layout: &layout, dtype: key })
        .size("n", n)
        .positions(
            "POSITIONS",
            &shape,
            &[Strided { name: "from", strides: &strides, offset: plan.from.layout.offset() }],
        );
    device.run(with_keys(call, dtype, descending), groups_for(n))?;
    let bits = if dtype == DType::Bool && !descending { 1 } else { dtype.size() as u32 * 8 };
    let sorted = radix::sort(device, op, Keys { buffer, dtype: key, lines: count, length }, bits)?;
    let results = count * plan.kept;
    let call = plan
        .call(Call::new(kernel_text!("sort_results")).size("n", results))
        .read("places", Operand { buffer: &sorted.places, layout: &layout, dtype: DType::Int32 });
    device.run(call, groups_for(results))
}

/// How many elements of its line of `sorted` are smaller than each value; with `right`, not larger.
pub(crate) fn search_sorted(device: &dyn Device, kernel: &kernel::SearchSorted<Operand<'_>>) -> Result<()> {
    let &kernel::SearchSorted { sorted, sorter, values, right, output } = kernel;
    if values.dtype.is_complex() {
        return Err(RusTorchError::unsupported("searchsorted", "complex numbers"));
    }
    let Some(last) = sorted.layout.ndim().checked_sub(1) else {
        return Err(RusTorchError::unsupported("searchsorted", "a line without a dimension"));
    };
    let length = sorted.layout.shape()[last];
    if let Some(sorter) = sorter {
        check(device, "searchsorted", sorter, last, length)?;
    }
    let shape = values.layout.shape();
    // All values along the last dimension are looked for in the same line.
    let line = |operand: Operand<'_>| {
        let mut strides: Dims<isize> = operand.layout.strides()[..last].into();
        strides.resize(shape.len(), 0);
        strides
    };
    let order = sorter.unwrap_or(sorted);
    let (sorted_strides, order_strides) = (line(sorted), line(order));
    let mut call = Call::new(kernel_text!("search_sorted"))
        .read("sorted", sorted)
        .read("values", values)
        .write("to", output);
    if let Some(sorter) = sorter {
        call = call.read("sorter", sorter);
    }
    let n = output.layout.numel();
    let call = call
        .constant("SORTER", usize::from(sorter.is_some()))
        .constant("RIGHT", usize::from(right))
        .size("n", n)
        .size("length", length)
        .i64("sorted_step", sorted.layout.strides()[last] as i64)
        .i64("sorter_step", order.layout.strides()[last] as i64)
        .positions(
            "POSITIONS",
            shape,
            &[
                Strided { name: "sorted", strides: &sorted_strides, offset: sorted.layout.offset() },
                Strided { name: "sorter", strides: &order_strides, offset: order.layout.offset() },
                Strided::of("values", values.layout),
                Strided::of("to", output.layout),
            ],
        );
    device.run(call, groups_for(n))
}
