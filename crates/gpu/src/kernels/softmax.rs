//! Softmax, its logarithm, and their gradients.

use rustorch_backend::{DType, Operand, kernel};
use rustorch_error::{Result, RusTorchError};

use super::lines::{Lines, widest};
use crate::device::Device;
use crate::kernel::{Call, GROUP, value_type};

/// Refuses all but floating point.
fn check(op: &'static str, dtype: DType) -> Result<()> {
    if dtype.is_floating_point() {
        return Ok(());
    }
    Err(RusTorchError::unsupported(op, format!("not defined for {dtype}")))
}

/// Softmax along `dim`, or its logarithm.
pub(crate) fn softmax(device: &dyn Device, kernel: &kernel::Softmax<Operand<'_>>) -> Result<()> {
    let &kernel::Softmax { log, input, dim, output } = kernel;
    check(if log { "log_softmax" } else { "softmax" }, input.dtype)?;
    let lines = Lines::new(input.layout, &[dim]);
    let (x, y) = (lines.steps(input.layout), lines.steps(output.layout));
    let sum = value_type(widest(device, input.dtype));
    let call = Call::new(kernel_text!("softmax"))
        .read("x", input)
        .write("y", output)
        .define("V", value_type(input.dtype))
        .define("A", sum)
        .constant("LOGARITHM", usize::from(log))
        .constant("HELD", lines.held())
        .shared("tops", value_type(input.dtype), GROUP as usize)
        .shared("sums", sum, GROUP as usize)
        .lines(&lines, 1, &[x.line("x_line"), y.line("y_line")], &[x.element("x"), y.element("y")]);
    device.run(call, lines.groups(1))
}

/// The gradient of (log-)softmax from its `result`.
pub(crate) fn softmax_grad(device: &dyn Device, kernel: &kernel::SoftmaxGrad<Operand<'_>>) -> Result<()> {
    let &kernel::SoftmaxGrad { log, grad, result, dim, output } = kernel;
    check(if log { "log_softmax_backward" } else { "softmax_backward" }, grad.dtype)?;
    let lines = Lines::new(grad.layout, &[dim]);
    let (g, y, out) = (lines.steps(grad.layout), lines.steps(result.layout), lines.steps(output.layout));
    let sum = value_type(widest(device, grad.dtype));
    let call = Call::new(kernel_text!("softmax_grad"))
        .read("g", grad)
        .read("y", result)
        .write("out", output)
        .define("V", value_type(grad.dtype))
        .define("A", sum)
        .constant("LOGARITHM", usize::from(log))
        .constant("HELD", lines.held())
        .shared("sums", sum, GROUP as usize)
        .lines(
            &lines,
            1,
            &[g.line("g_line"), y.line("y_line"), out.line("out_line")],
            &[g.element("g"), y.element("y"), out.element("out")],
        );
    device.run(call, lines.groups(1))
}
