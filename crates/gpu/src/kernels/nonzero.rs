//! Counting and finding the elements that differ from zero.

use rustorch_backend::{Buffer, DType, Layout, Operand, ReduceOp, Scalar, ScanOp, dims_from_slice, kernel};
use rustorch_error::Result;

use super::copy::fill;
use super::reduce::reduce;
use super::scan::scan;
use crate::device::Device;
use crate::kernel::{Call, GROUP, KernelText};
use crate::positions::Strided;

/// Elements that a work-item looks at.
const ITEMS: usize = 8;

/// Elements that a group looks at.
const PART: usize = ITEMS * GROUP as usize;

/// A kernel over the parts of `input`; it compares the elements' bits, so that it needs no arithmetic in their dtype.
fn call(text: KernelText, input: Operand<'_>) -> Call<'static> {
    let (bits, differs) = match input.dtype {
        DType::Bool | DType::UInt8 | DType::Int8 => (DType::UInt8, "(x[i] != 0)"),
        DType::Int16 => (DType::Int16, "(x[i] != 0)"),
        DType::Int32 => (DType::Int32, "(x[i] != 0)"),
        DType::Int64 => (DType::Int64, "(x[i] != 0)"),
        // Without the sign: minus zero is zero.
        DType::Float16 | DType::BFloat16 => (DType::Int16, "((x[i] & 0x7fff) != 0)"),
        DType::Float32 => (DType::Int32, "((x[i] & 0x7fffffff) != 0)"),
        DType::Float64 => (DType::Int64, "((x[i] & 0x7fffffffffffffff) != 0)"),
        DType::Complex64 => (DType::Int32, "(((x[2 * (i)] | x[2 * (i) + 1]) & 0x7fffffff) != 0)"),
        DType::Complex128 => (DType::Int64, "(((x[2 * (i)] | x[2 * (i) + 1]) & 0x7fffffffffffffff) != 0)"),
    };
    let layout = input.layout;
    Call::new(text)
        .read("x", Operand { dtype: bits, ..input })
        .define("DIFFERS(i)", differs)
        .constant("ITEMS", ITEMS)
        .constant("WORK_ITEMS", GROUP as usize)
        .shared("counts", "i32", GROUP as usize)
        .size("n", layout.numel())
        .positions("POSITIONS", layout.shape(), &[Strided::of("x", layout)])
}

/// The count of each part.
fn count_parts(device: &dyn Device, input: Operand<'_>) -> Result<(Buffer, Layout)> {
    let parts = input.layout.numel().div_ceil(PART);
    let layout = Layout::contiguous("nonzero", &[parts])?;
    let buffer = device.temporary(parts * DType::Int64.size())?;
    let counts = Operand { buffer: &buffer, layout: &layout, dtype: DType::Int64 };
    device.run(call(kernel_text!("nonzero_count"), input).write("parts", counts), [parts, 1, 1])?;
    Ok((buffer, layout))
}

/// The number of elements that differ from zero.
pub(crate) fn count_nonzero(device: &dyn Device, kernel: &kernel::CountNonzero<Operand<'_>>) -> Result<()> {
    let &kernel::CountNonzero { input, output } = kernel;
    if input.layout.numel() == 0 {
        return fill(device, output, Scalar::Int(0));
    }
    let (buffer, layout) = count_parts(device, input)?;
    let counts = Operand { buffer: &buffer, layout: &layout, dtype: DType::Int64 };
    let one = Layout::new("nonzero", dims_from_slice(&[1]), dims_from_slice(&[1]), output.layout.offset())?;
    let sum = Operand { layout: &one, ..output };
    let all = dims_from_slice(&[0]);
    reduce(device, &kernel::Reduce { op: ReduceOp::Sum, pre: None, dims: all, input: counts, output: sum })
}

/// The number of elements that differ from zero, which is waited for.
pub(crate) fn counted_nonzero(device: &dyn Device, input: Operand<'_>) -> Result<usize> {
    let (sum, one) = (device.temporary(DType::Int64.size())?, Layout::contiguous("nonzero", &[1])?);
    let output = Operand { buffer: &sum, layout: &one, dtype: DType::Int64 };
    count_nonzero(device, &kernel::CountNonzero { input, output })?;
    let mut bytes = [0; 8];
    device.read(&sum, 0, &mut bytes)?;
    Ok(i64::from_ne_bytes(bytes) as usize)
}

/// The coordinates of the elements that differ from zero, row-major.
pub(crate) fn nonzero(device: &dyn Device, kernel: &kernel::Nonzero<Operand<'_>>) -> Result<()> {
    let &kernel::Nonzero { input, output } = kernel;
    let shape = input.layout.shape();
    if output.layout.numel() == 0 {
        return Ok(());
    }
    let (buffer, layout) = count_parts(device, input)?;
    let parts = layout.numel();
    let counts = Operand { buffer: &buffer, layout: &layout, dtype: DType::Int64 };
    scan(device, &kernel::Scan { op: ScanOp::Sum, input: counts, dim: 0, output: counts, indices: None })?;
    let rows = output.layout.strides();
    let call = call(kernel_text!("nonzero_write"), input)
        .read("parts", counts)
        .write("out", output)
        .constant("RANK", shape.len())
        .size("rows", output.layout.shape()[0])
        .size("offset", output.layout.offset())
        .i64("row_step", rows[0] as i64)
        .i64("column_step", rows[1] as i64)
        .i64s("sizes", shape.iter().map(|&size| size as i64));
    device.run(call, [parts, 1, 1])
}
