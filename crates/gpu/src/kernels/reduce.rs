//! Reductions: sums, products, extremes, truth.

use rustorch_backend::{Buffer, Category, DType, Dims, Layout, Operand, Program, ReduceOp, Shape};
use rustorch_error::{Result, RusTorchError};
use smallvec::smallvec;

use super::map::{check, define_value, result_dtype, with_program};
use crate::backend::Device;
use crate::kernel::{Call, GROUP, value_type};
use crate::positions::Strided;

/// Lines and the elements of each: the kept and the reduced dimensions of an operand.
#[derive(Debug)]
pub(crate) struct Lines {
    /// Sizes of the kept dimensions.
    pub shape: Shape,
    /// The operand's strides there.
    pub strides: Dims<isize>,
    /// Sizes of the reduced dimensions.
    pub inner_shape: Shape,
    /// The operand's strides there.
    pub inner_strides: Dims<isize>,
}

impl Lines {
    /// The lines of a layout along `dims`.
    pub(crate) fn new(layout: &Layout, dims: &[usize]) -> Self {
        let mut lines = Lines {
            shape: smallvec![],
            strides: smallvec![],
            inner_shape: smallvec![],
            inner_strides: smallvec![],
        };
        for (d, (&size, &stride)) in layout.shape().iter().zip(layout.strides()).enumerate() {
            let (shape, strides) = if dims.contains(&d) {
                (&mut lines.inner_shape, &mut lines.inner_strides)
            } else {
                (&mut lines.shape, &mut lines.strides)
            };
            shape.push(size);
            strides.push(stride);
        }
        lines
    }

    /// The number of lines.
    pub(crate) fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// The number of elements of each.
    pub(crate) fn length(&self) -> usize {
        self.inner_shape.iter().product()
    }

    /// How many lines a group works on, so that neighbouring work-items read neighbouring memory: a power of two.
    pub(crate) fn per_group(&self) -> usize {
        let step = |shape: &[usize], strides: &[isize]| {
            let moves = shape.iter().zip(strides).filter(|(n, _)| **n > 1);
            moves.map(|(_, s)| s.unsigned_abs()).filter(|&s| s > 0).min().unwrap_or(usize::MAX)
        };
        let across = step(&self.shape, &self.strides) < step(&self.inner_shape, &self.inner_strides);
        let group = GROUP as usize;
        let lanes = self.length().next_power_of_two().clamp(1, group);
        let least = if across { 32 } else { 1 };
        (group / lanes).max(least).min(self.count().next_power_of_two()).min(group)
    }
}

/// A layout with the sizes of `kept`'s other dimensions only.
fn strides_without(layout: &Layout, dims: &[usize]) -> Dims<isize> {
    layout.strides().iter().enumerate().filter(|(d, _)| !dims.contains(d)).map(|(_, &s)| s).collect()
}

/// The dtype in which elements are combined, its type in the text, its identity and how two are combined.
fn accumulator(device: &dyn Device, op: ReduceOp, value: DType) -> (DType, &'static str, &'static str) {
    let category = value.category();
    let exact = if category == Category::Float {
        if value == DType::Float64 || device.limits().has_f64 { DType::Float64 } else { DType::Float32 }
    } else {
        DType::Int64
    };
    let same = match value {
        DType::Float64 => DType::Float64,
        _ if category == Category::Float => DType::Float32,
        _ => DType::Int64,
    };
    let (lowest, highest) = if category == Category::Float {
        ("((A)-INFINITY)", "((A)INFINITY)")
    } else {
        ("((A)(-9223372036854775807 - 1))", "((A)9223372036854775807)")
    };
    match op {
        ReduceOp::Sum | ReduceOp::Mean => (exact, "((A)0)", "ADD"),
        ReduceOp::Prod => (exact, "((A)1)", "MULTIPLY"),
        ReduceOp::Max => (same, lowest, "LARGER"),
        ReduceOp::Min => (same, highest, "SMALLER"),
        ReduceOp::Any => (DType::Int32, "((A)0)", "EITHER"),
        ReduceOp::All => (DType::Int32, "((A)1)", "BOTH"),
    }
}

/// Reduces `input` over `dims` into `output`, after `pre` if there is one.
pub(crate) fn reduce(
    device: &dyn Device,
    op: ReduceOp,
    pre: Option<&Program>,
    input: Operand<'_>,
    dims: &[usize],
    output: Operand<'_>,
) -> Result<()> {
    if input.dtype.is_complex() || output.dtype.is_complex() {
        return Err(RusTorchError::unsupported("reduce", "complex numbers"));
    }
    if let Some(program) = pre {
        check(program, [&input, &output].into_iter())?;
    }
    let value = pre.map_or(input.dtype, |program| result_dtype(program, program.outputs[0]));
    if op == ReduceOp::Mean && value.category() != Category::Float {
        return Err(RusTorchError::unsupported("mean", "not defined for integers"));
    }
    let lines = Lines::new(input.layout, dims);
    let length = lines.length();
    let chunks = chunks(device, &lines);
    let strides = strides_without(output.layout, dims);
    let results = Strided { name: "y0", strides: &strides, offset: output.layout.offset() };
    if chunks == 1 {
        return pass(device, op, pre, value, input, &lines, 1, length, output, results);
    }
    // Each chunk's result, chunk by chunk; those are reduced in their turn.
    let (partial, _, _) = accumulator(device, op, value);
    let buffer: Buffer = device.temporary(chunks * lines.count() * partial.size())?;
    let flat = Layout::contiguous(&lines.shape);
    let partials = Operand { buffer: &buffer, layout: &flat, dtype: partial };
    pass(device, op, pre, value, input, &lines, chunks, 0, partials, Strided::of("y0", &flat))?;
    let mut shape: Shape = smallvec![chunks];
    shape.extend_from_slice(&lines.shape);
    let layout = Layout::contiguous(&shape);
    let again = Lines::new(&layout, &[0]);
    let partials = Operand { buffer: &buffer, layout: &layout, dtype: partial };
    pass(device, op, None, partial, partials, &again, 1, length, output, results)
}

/// Into how many pieces each line is cut, so that there are groups for the whole device.
fn chunks(device: &dyn Device, lines: &Lines) -> usize {
    let per_group = lines.per_group();
    let lanes = GROUP as usize / per_group;
    let groups = lines.count().div_ceil(per_group).max(1);
    let wanted = (device.parallelism() * 8).div_ceil(groups);
    wanted.min(lines.length() / (lanes * 16)).clamp(1, 1024)
}

/// One kernel over all lines. `count` is what a mean divides by; 0 when this is not the last pass.
fn pass(
    device: &dyn Device,
    op: ReduceOp,
    pre: Option<&Program>,
    value: DType,
    input: Operand<'_>,
    lines: &Lines,
    chunks: usize,
    count: usize,
    output: Operand<'_>,
    results: Strided<'_>,
) -> Result<()> {
    let (accumulator, identity, combine) = accumulator(device, op, value);
    let per_group = lines.per_group();
    let finish = match op {
        ReduceOp::Mean if count > 0 => "((x) / (A)p.count)",
        ReduceOp::Mean if chunks == 1 => "((x) / (A)0)",
        _ => "(x)",
    };
    let truth = matches!(op, ReduceOp::Any | ReduceOp::All);
    let load = move |from: &str| {
        if truth {
            format!("const A element = (A)(({from}) != 0);\n")
        } else {
            format!("const A element = (A)({from});\n")
        }
    };
    let length = lines.length();
    let call = Call::new(kernel_text!("reduce"))
        .read("x0", input)
        .write("y0", output)
        .define("A", value_type(accumulator))
        .define("IDENTITY", identity)
        .define("COMBINE_OP", combine)
        .define("FINISH(x)", finish)
        .constant("LX", per_group)
        .constant("LY", GROUP as usize / per_group)
        .shared("partial", value_type(accumulator), GROUP as usize)
        .size("lines", lines.count())
        .size("length", length)
        .size("chunk", length.div_ceil(chunks))
        .size("count", count)
        .positions(
            "LINES",
            &lines.shape,
            &[Strided { name: "line", strides: &lines.strides, offset: input.layout.offset() }],
        )
        .positions(
            "ELEMENTS",
            &lines.inner_shape,
            &[Strided { name: "element", strides: &lines.inner_strides, offset: 0 }],
        )
        .positions("RESULTS", &lines.shape, &[results]);
    let call = match pre {
        Some(program) => with_program(call, program, smallvec![input.dtype], move |text| {
            text.push_str(&load("out0"));
        }),
        None => define_value(call, accumulator).insert("PROGRAM", &truth, move || Ok(load("LOAD_x0(at_x0)"))),
    };
    device.run(call, [lines.count().div_ceil(per_group), chunks, 1])
}
