//! The extreme along a dimension and where it is.

use rustorch_backend::{DType, Layout, Operand, ReduceOp, kernel};
use rustorch_error::{Result, RusTorchError};

use super::lines::Lines;
use crate::device::Device;
use crate::kernel::{Call, GROUP, KernelText, value_type};
use crate::positions::Strided;

const TEXT: KernelText = kernel_text!("arg_reduce");

/// The extreme element along `dim` and the index of its first occurrence; NaN wins.
pub(crate) fn arg_reduce(device: &dyn Device, kernel: &kernel::ArgReduce<Operand<'_>>) -> Result<()> {
    let &kernel::ArgReduce { op, input, dim, values, indices } = kernel;
    let (name, compare) = match op {
        ReduceOp::Max => ("argmax", ">"),
        ReduceOp::Min => ("argmin", "<"),
        _ => return Err(RusTorchError::unsupported("arg_reduce", "only Max and Min have a position")),
    };
    let lines = Lines::new(input.layout, &[dim]);
    if input.dtype.is_complex() || indices.dtype != DType::Int64 || lines.length() == 0 {
        // The CPU says what is wrong.
        return Err(RusTorchError::unsupported(name, "these operands"));
    }
    let begin = |input: Operand<'_>, lines: &Lines, chunks: usize| {
        // Bool is compared as the number that it is stored as.
        let value = if input.dtype == DType::Bool { DType::UInt8 } else { input.dtype };
        let steps = lines.steps(input.layout);
        Call::new(TEXT)
            .read("x", input)
            .define("V", value_type(value))
            .define("COMPARE", compare)
            .shared("extremes", value_type(value), GROUP as usize)
            .shared("places", "i64", GROUP as usize)
            .lines(lines, chunks, &[steps.line("x_line")], &[steps.element("x")])
    };
    let to_index = lines.steps(indices.layout);
    let to_value = values.map(|values| lines.steps(values.layout));
    let finish = |call: Call<'static>| {
        let call = call.write("index", indices).constant("HAS_VALUES", usize::from(values.is_some()));
        match (values, &to_value) {
            (Some(values), Some(steps)) => call.write("value", values).places(
                "RESULTS",
                &lines.shape,
                &[to_index.line("index"), steps.line("value")],
            ),
            _ => call.places("RESULTS", &lines.shape, &[to_index.line("index")]),
        }
    };
    let chunks = lines.chunks(device);
    if chunks == 1 {
        return device.run(finish(begin(input, &lines, 1)), lines.groups(1));
    }
    let (layout, parts) = lines.partials(chunks)?;
    let extremes = device.temporary(layout.numel() * input.dtype.size())?;
    let places = device.temporary(layout.numel() * DType::Int64.size())?;
    let flat = Layout::contiguous("arg_reduce", &[lines.count()])?;
    let gather = begin(input, &lines, chunks)
        .constant("HAS_VALUES", 1)
        .write("index", Operand { buffer: &places, layout: &flat, dtype: DType::Int64 })
        .write("value", Operand { buffer: &extremes, layout: &flat, dtype: input.dtype })
        .places("RESULTS", flat.shape(), &[Strided::of("index", &flat), Strided::of("value", &flat)]);
    device.run(gather, lines.groups(chunks))?;
    let join = begin(Operand { buffer: &extremes, layout: &layout, dtype: input.dtype }, &parts, 1)
        .constant("FROM_PARTS", 1)
        .read("where", Operand { buffer: &places, layout: &layout, dtype: DType::Int64 });
    device.run(finish(join), parts.groups(1))
}
