//! Reductions: sums, products, extremes, truth.

use rustorch_backend::{
    Buffer, Category, DType, Layout, Operand, Program, ReduceOp, dims_from_slice, kernel,
};
use rustorch_error::{Result, RusTorchError};
use smallvec::smallvec;

use super::lines::{Lines, compared, widest};
use super::program::{check, define_value, result_dtype, with_program};
use crate::device::Device;
use crate::kernel::{Call, GROUP, value_type};
use crate::positions::Strided;

/// The dtype in which elements are combined, its type in the text, its identity and how two are combined.
fn accumulator(device: &dyn Device, op: ReduceOp, value: DType) -> (DType, &'static str, &'static str) {
    let (exact, same) = (widest(device, value), compared(value));
    let (lowest, highest) = if value.category() == Category::Float {
        ("((A)-INFINITY)", "((A)INFINITY)")
    } else {
        ("((A)(-9223372036854775807 - 1))", "((A)9223372036854775807)")
    };
    match op {
        ReduceOp::Sum | ReduceOp::Mean => (exact, "((A)0)", "ADD"),
        // The squares of float32 need float64's range; without it, lengths are combined.
        ReduceOp::Norm if exact == DType::Float64 => (exact, "((A)0)", "ADD"),
        ReduceOp::Norm => (exact, "((A)0)", "LENGTH"),
        ReduceOp::Prod => (exact, "((A)1)", "MULTIPLY"),
        ReduceOp::Max => (same, lowest, "LARGER"),
        ReduceOp::Min => (same, highest, "SMALLER"),
        ReduceOp::Any => (DType::Int32, "((A)0)", "EITHER"),
        ReduceOp::All => (DType::Int32, "((A)1)", "BOTH"),
    }
}

/// Reduces `input` over `dims` into `output`, after `pre` if there is one.
pub(crate) fn reduce(device: &dyn Device, kernel: &kernel::Reduce<Operand<'_>>) -> Result<()> {
    let &kernel::Reduce { op, ref pre, input, ref dims, output } = kernel;
    let pre = pre.as_ref();
    let complex = input.dtype.is_complex() && output.dtype.is_complex();
    if complex && pre.is_none() && matches!(op, ReduceOp::Sum | ReduceOp::Mean) {
        for k in 0..2 {
            let (from, to) = (input.layout.part("reduce", k)?, output.layout.part("reduce", k)?);
            let from = Operand { layout: &from, dtype: input.dtype.to_real(), ..input };
            let to = Operand { layout: &to, dtype: output.dtype.to_real(), ..output };
            reduce(
                device,
                &kernel::Reduce { op, pre: None, input: from, dims: dims_from_slice(dims), output: to },
            )?;
        }
        return Ok(());
    }
    if input.dtype.is_complex() || output.dtype.is_complex() {
        return Err(RusTorchError::unsupported("reduce", "complex numbers"));
    }
    if let Some(program) = pre {
        check(program, [&input, &output].into_iter())?;
    }
    let value = pre.map_or(input.dtype, |program| result_dtype(program, program.outputs[0]));
    if matches!(op, ReduceOp::Mean | ReduceOp::Norm) && value.category() != Category::Float {
        return Err(RusTorchError::unsupported("reduce", "means and norms are not defined for integers"));
    }
    let lines = Lines::new(input.layout, dims);
    let length = lines.length();
    let chunks = lines.chunks(device);
    let steps = lines.steps(output.layout);
    let results = steps.line("y0");
    if chunks == 1 {
        let whole = Pass { op, pre, value, lines: &lines, chunks, count: length, first: true };
        return whole.run(device, input, output, results);
    }
    // Each chunk's result, chunk by chunk; those are reduced in their turn.
    let (partial, _, _) = accumulator(device, op, value);
    let buffer: Buffer = device.temporary(chunks * lines.count() * partial.size())?;
    let flat = Layout::contiguous("reduce", &lines.shape)?;
    let partials = Operand { buffer: &buffer, layout: &flat, dtype: partial };
    let first = Pass { op, pre, value, lines: &lines, chunks, count: 0, first: true };
    first.run(device, input, partials, Strided::of("y0", &flat))?;
    let (layout, again) = lines.partials(chunks)?;
    let partials = Operand { buffer: &buffer, layout: &layout, dtype: partial };
    let last = Pass { op, pre: None, value: partial, lines: &again, chunks: 1, count: length, first: false };
    last.run(device, partials, output, results)
}

/// What is combined of each element.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Element {
    Itself,
    Truth,
    Square,
    Size,
}

/// One kernel over all lines.
struct Pass<'a> {
    op: ReduceOp,
    pre: Option<&'a Program>,
    /// Of what `pre` gives.
    value: DType,
    lines: &'a Lines,
    chunks: usize,
    /// What a mean divides by; 0 when this is not the last pass.
    count: usize,
    /// Elements are what they are; later they are partial results.
    first: bool,
}

impl Pass<'_> {
    fn run(
        &self,
        device: &dyn Device,
        input: Operand<'_>,
        output: Operand<'_>,
        results: Strided<'_>,
    ) -> Result<()> {
        let &Pass { op, lines, chunks, count, .. } = self;
        let (accumulator, identity, combine) = accumulator(device, op, self.value);
        let finish = match op {
            ReduceOp::Mean if count > 0 => "((x) / (A)p.count)",
            ReduceOp::Mean if chunks == 1 => "((x) / (A)0)",
            ReduceOp::Norm if chunks == 1 && accumulator == DType::Float64 => "SQRT(x)",
            _ => "(x)",
        };
        let kind = match op {
            ReduceOp::Any | ReduceOp::All => Element::Truth,
            ReduceOp::Norm if self.first && accumulator == DType::Float64 => Element::Square,
            ReduceOp::Norm if self.first => Element::Size,
            _ => Element::Itself,
        };
        let load = move |from: &str| match kind {
            Element::Truth => format!("const A element = (A)(({from}) != 0);\n"),
            Element::Square => format!("const A root_ = (A)({from});\nconst A element = root_ * root_;\n"),
            Element::Size => format!("const A element = FABS((A)({from}));\n"),
            Element::Itself => format!("const A element = (A)({from});\n"),
        };
        let steps = lines.steps(input.layout);
        let call = Call::new(kernel_text!("reduce"))
            .read("x0", input)
            .write("y0", output)
            .define("A", value_type(accumulator))
            .define("IDENTITY", identity)
            .define("COMBINE_OP", combine)
            .constant("LENGTHS", usize::from(combine == "LENGTH"))
            .define("FINISH(x)", finish)
            .shared("partial", value_type(accumulator), GROUP as usize)
            .size("count", count)
            .lines(lines, chunks, &[steps.line("line")], &[steps.element("element")])
            .places("RESULTS", &lines.shape, &[results]);
        let call = match self.pre {
            Some(program) => with_program(call, program, smallvec![input.dtype], move |text| {
                text.push_str(&load("out0"));
            }),
            None => define_value(call, accumulator)
                .insert("PROGRAM", &[kind as u8], move || Ok(load("LOAD_x0(at_x0)"))),
        };
        device.run(call, lines.groups(chunks))
    }
}
