//! Weighted sums of elements picked by index, the same for every channel: what sampling on a grid comes down to.

use rustorch_backend::{Category, DType, Layout, Operand, ReduceOp, Scalar, dims_from_slice, kernel};
use rustorch_error::{Result, RusTorchError};

use super::copy::{fill, groups_for};
use super::radix::{self, Keys};
use super::reduce::reduce;
use crate::device::Device;
use crate::kernel::{Call, GROUP, KernelText, value_type};
use crate::positions::Strided;

const OP: &str = "weighted_gather";

/// Images, channels, elements of a plane, points, taps of a point.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    channels: usize,
    plane: usize,
    points: usize,
    taps: usize,
}

impl Sizes {
    /// From `(N, C, S)`, `(N, P, T)` and `(N, C, P)`.
    fn new(planes: &[usize], taps: [&[usize]; 2], points: &[usize]) -> Result<Self> {
        match (planes, taps[0], points) {
            (&[batch, channels, plane], &[n, points, per_point], &[m, c, p])
                if taps[0] == taps[1] && [n, m] == [batch; 2] && c == channels && p == points =>
            {
                Ok(Sizes { channels, plane, points, taps: per_point })
            }
            _ => Err(RusTorchError::shape(OP, format!("{planes:?}, {taps:?} and {points:?} do not fit"))),
        }
    }

    /// A call of a text over `output`'s elements, with operands of three dimensions.
    fn call<'a>(&self, text: KernelText, inputs: &[Operand<'a>], output: Operand<'a>) -> Call<'a> {
        let n = output.layout.numel();
        let call = Call::new(text)
            .define("V", value_type(output.dtype))
            .constant("GROUP", GROUP as usize)
            .index(if n < 1 << 31 { "u32" } else { "i64" })
            .size("n", n)
            .size("channels", self.channels)
            .size("plane", self.plane)
            .size("points", self.points)
            .size("taps", self.taps);
        let named = ["x0", "x1", "x2"].into_iter().zip(inputs.iter().copied()).chain([("y0", output)]);
        named.fold(call, |call, (name, operand)| {
            let call = if name == "y0" { call.write(name, operand) } else { call.read(name, operand) };
            call.size((name, "_offset"), operand.layout.offset())
                .i64s((name, "_stride"), operand.layout.strides().iter().map(|&s| s as i64))
        })
    }
}

fn check_dtypes(operands: [Operand<'_>; 3]) -> Result<()> {
    let dtype = operands[0].dtype;
    if dtype.category() == Category::Float && operands.iter().all(|operand| operand.dtype == dtype) {
        return Ok(());
    }
    let [a, b, c] = operands.map(|operand| operand.dtype.name());
    Err(RusTorchError::unsupported(OP, format!("{a}, {b} and {c}")))
}

/// Each index is an element of the plane or negative.
fn check_indices(device: &dyn Device, index: Operand<'_>, plane: usize) -> Result<()> {
    if index.dtype != DType::Int64 {
        return Err(RusTorchError::dtype(OP, format!("indices are {}; they must be int64", index.dtype)));
    }
    if index.layout.numel() == 0 {
        return Ok(());
    }
    let buffer = device.temporary(size_of::<i64>())?;
    let layout = Layout::contiguous("weighted_gather", &[1, 1, 1])?;
    let largest = Operand { buffer: &buffer, layout: &layout, dtype: DType::Int64 };
    reduce(
        device,
        &kernel::Reduce {
            op: ReduceOp::Max,
            pre: None,
            input: index,
            dims: dims_from_slice(&[0, 1, 2]),
            output: largest,
        },
    )?;
    let mut bytes = [0; size_of::<i64>()];
    device.read(&buffer, 0, &mut bytes)?;
    let largest = i64::from_ne_bytes(bytes);
    if largest >= plane as i64 {
        let message = format!("index {largest} is outside a plane of {plane} elements");
        return Err(RusTorchError::index(OP, message));
    }
    Ok(())
}

/// `out[n, c, p] = Σ_t weight[n, p, t] * input[n, c, index[n, p, t]]`; a negative index picks nothing.
///
/// # Errors
/// `IndexOutOfRange` for an index beyond the plane.
pub(crate) fn weighted_gather(
    device: &dyn Device,
    kernel: &kernel::WeightedGather<Operand<'_>>,
) -> Result<()> {
    let &kernel::WeightedGather { input, index, weight, output } = kernel;
    check_dtypes([input, weight, output])?;
    let taps = [index.layout.shape(), weight.layout.shape()];
    let sizes = Sizes::new(input.layout.shape(), taps, output.layout.shape())?;
    check_indices(device, index, sizes.plane)?;
    let call = sizes.call(kernel_text!("weighted_gather"), &[input, index, weight], output);
    device.run(call, groups_for(output.layout.numel()))
}

/// The gradient of [`weighted_gather`] by its input: the taps are sorted by what they pick, and an element's are added in
/// their order.
///
/// # Errors
/// As there.
pub(crate) fn weighted_gather_grad_input(
    device: &dyn Device,
    kernel: &kernel::WeightedGatherGradInput<Operand<'_>>,
) -> Result<()> {
    let &kernel::WeightedGatherGradInput { grad, index, weight, grad_input } = kernel;
    check_dtypes([grad, weight, grad_input])?;
    let taps = [index.layout.shape(), weight.layout.shape()];
    let sizes = Sizes::new(grad_input.layout.shape(), taps, grad.layout.shape())?;
    check_indices(device, index, sizes.plane)?;
    let n = index.layout.numel();
    if n == 0 {
        return fill(device, grad_input, Scalar::Int(0));
    }
    let length = sizes.points * sizes.taps;
    let dtype = if i32::try_from(sizes.plane).is_ok() { DType::Int32 } else { DType::Int64 };
    let layout = Layout::contiguous(OP, &[n])?;
    let buffer = device.temporary(n * dtype.size())?;
    let call = Call::new(kernel_text!("weighted_gather_keys"))
        .read("taps", index)
        .write("keys", Operand { buffer: &buffer, layout: &layout, dtype })
        .size("n", n)
        .size("plane", sizes.plane)
        .positions("POSITIONS", index.layout.shape(), &[Strided::of("taps", index.layout)]);
    device.run(call, groups_for(n))?;
    let bits = usize::BITS - sizes.plane.leading_zeros();
    let sorted = radix::sort(device, OP, Keys { buffer, dtype, lines: n / length, length }, bits)?;
    let call = sizes
        .call(kernel_text!("weighted_gather_grad_input"), &[grad, weight], grad_input)
        .read("keys", Operand { buffer: &sorted.keys.buffer, layout: &layout, dtype })
        .read("order", Operand { buffer: &sorted.places, layout: &layout, dtype: DType::Int32 });
    device.run(call, groups_for(grad_input.layout.numel()))
}

/// The gradient of [`weighted_gather`] by its weight.
///
/// # Errors
/// As there.
pub(crate) fn weighted_gather_grad_weight(
    device: &dyn Device,
    kernel: &kernel::WeightedGatherGradWeight<Operand<'_>>,
) -> Result<()> {
    let &kernel::WeightedGatherGradWeight { grad, input, index, grad_weight } = kernel;
    check_dtypes([grad, input, grad_weight])?;
    let taps = [index.layout.shape(), grad_weight.layout.shape()];
    let sizes = Sizes::new(input.layout.shape(), taps, grad.layout.shape())?;
    check_indices(device, index, sizes.plane)?;
    let call = sizes.call(kernel_text!("weighted_gather_grad_weight"), &[grad, index, input], grad_weight);
    device.run(call, groups_for(grad_weight.layout.numel()))
}
