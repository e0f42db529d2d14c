//! Mean and squared deviations in one stable pass.

use rustorch_backend::{DType, Layout, Operand, Scalar, kernel};
use rustorch_error::{Result, RusTorchError};

use super::copy::fill;
use super::lines::{Lines, widest};
use crate::device::Device;
use crate::kernel::{Call, GROUP, KernelText, value_type};

const TEXT: KernelText = kernel_text!("moments");

/// What is stored of the squared deviations.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spread {
    /// Their sum divided by a number.
    Variance(f64),
    /// The square root of that.
    Deviation(f64),
    /// `1 / sqrt(variance + eps)`, of the biased variance.
    Rstd(f64),
}

/// Mean over `dims`, and the sum of squared deviations from it divided by `divisor`, or the root of that.
pub(crate) fn moments(device: &dyn Device, kernel: &kernel::Moments<Operand<'_>>) -> Result<()> {
    let &kernel::Moments { input, ref dims, divisor, root, mean, spread } = kernel;
    if !input.dtype.is_floating_point() {
        return Err(RusTorchError::unsupported("var", format!("not defined for {}", input.dtype)));
    }
    let lines = Lines::new(input.layout, dims);
    if lines.length() == 0 {
        fill(device, mean, Scalar::Float(f64::NAN))?;
        return fill(device, spread, Scalar::Float(f64::NAN));
    }
    let kind = if root { Spread::Deviation(divisor) } else { Spread::Variance(divisor) };
    statistics(device, input, &lines, mean, spread, kind)
}

/// The mean of each line, and how far its elements are from it.
pub(crate) fn statistics(
    device: &dyn Device,
    input: Operand<'_>,
    lines: &Lines,
    mean: Operand<'_>,
    spread: Operand<'_>,
    kind: Spread,
) -> Result<()> {
    let wide = widest(device, input.dtype);
    let chunks = lines.chunks(device);
    let (to_mean, to_spread) = (lines.steps(mean.layout), lines.steps(spread.layout));
    let finish = |call: Call<'static>| {
        let call = match kind {
            Spread::Variance(divisor) => {
                number(call, "divisor", wide, divisor).define("FINISH", "VARIANCE(n, m2, (A)p.divisor)")
            }
            Spread::Deviation(divisor) => {
                number(call, "divisor", wide, divisor).define("FINISH", "DEVIATION(n, m2, (A)p.divisor)")
            }
            Spread::Rstd(eps) => number(call, "eps", wide, eps).define("FINISH", "RSTD(n, m2, (A)p.eps)"),
        };
        call.write("mean", mean).write("spread", spread).places(
            "RESULTS",
            &lines.shape,
            &[to_mean.line("mean"), to_spread.line("spread")],
        )
    };
    if chunks == 1 {
        return device.run(finish(call(wide, input, lines, 1)), lines.groups(1));
    }
    let (layout, parts) = lines.partials(chunks)?;
    let plane = layout.numel();
    let buffer = device.temporary(3 * plane * wide.size())?;
    let flat = Layout::contiguous("moments", &[3 * plane])?;
    let gather = call(wide, input, lines, chunks)
        .write("out", Operand { buffer: &buffer, layout: &flat, dtype: wide })
        .size("plane", plane)
        .constant("TO_PARTS", 1);
    device.run(gather, lines.groups(chunks))?;
    let gathered = Operand { buffer: &buffer, layout: &layout, dtype: wide };
    let join = call(wide, gathered, &parts, 1).size("plane", plane).constant("FROM_PARTS", 1);
    device.run(finish(join), parts.groups(1))
}

fn call(wide: DType, input: Operand<'_>, lines: &Lines, chunks: usize) -> Call<'static> {
    let steps = lines.steps(input.layout);
    with_moments(Call::new(TEXT), wide).read("x", input).lines(
        lines,
        chunks,
        &[steps.line("x_line")],
        &[steps.element("x")],
    )
}

/// What `joined_moments.c` needs, in numbers of a dtype.
pub(crate) fn with_moments(call: Call<'_>, wide: DType) -> Call<'_> {
    let element = value_type(wide);
    // The squares of float32 need float64's range.
    let call = call.define("A", element).constant("LENGTHS", usize::from(wide != DType::Float64));
    ["counts", "means", "m2s"].into_iter().fold(call, |call, name| call.shared(name, element, GROUP as usize))
}

/// A parameter of a dtype.
pub(crate) fn number<'a>(call: Call<'a>, name: &'static str, dtype: DType, value: f64) -> Call<'a> {
    if dtype == DType::Float64 { call.f64(name, value) } else { call.f32_wide(name, value as f32) }
}
