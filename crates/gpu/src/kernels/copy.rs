//! Copies between layouts and dtypes, fills, and ranges.

use rustorch_backend::{Category, DType, Layout, Operand, Scalar, kernel};
use rustorch_error::{Result, RusTorchError};

use crate::device::Device;
use crate::kernel::{Call, GROUP};
use crate::positions::Strided;

/// What turns an element of one dtype into one of another, around the argument `x`: floats truncate toward zero, as
/// on the CPU: by way of int32, int64 for that, whose lowest number stands for what they cannot hold.
pub(crate) fn conversion(from: DType, to: DType) -> &'static str {
    match (from.category(), to) {
        (_, DType::Bool) => "((x) != 0)",
        (Category::Float, _) if to.category() == Category::Integer => match (from, to) {
            (DType::Float64, DType::Int64) => {
                "((x) >= -9223372036854775808.0 && (x) < 9223372036854775808.0 ? F64_TO_I64(x) : (i64)(-9223372036854775807 - 1))"
            }
            (DType::Float64, _) => {
                "((x) > -2147483649.0 && (x) < 2147483648.0 ? F64_TO_I64(x) : (i64)(-2147483647 - 1))"
            }
            (_, DType::Int64) => {
                "((x) >= -9223372036854775808.0f && (x) < 9223372036854775808.0f ? F32_TO_I64(x) : (i64)(-9223372036854775807 - 1))"
            }
            _ => "((x) >= -2147483648.0f && (x) < 2147483648.0f ? F32_TO_I64(x) : (i64)(-2147483647 - 1))",
        },
        _ => "(x)",
    }
}

/// How many groups of [`GROUP`] cover `n` elements.
pub(crate) fn groups_for(n: usize) -> [usize; 3] {
    [n.div_ceil(GROUP as usize), 1, 1]
}

/// An operand's elements as unsigned integers of the same size, two of 8 bytes for the largest: for moving them as they
/// are, also where the device does not compute their dtype.
pub(crate) struct Raw {
    layout: Layout,
    dtype: DType,
}

impl Raw {
    /// An operand, seen so.
    pub(crate) fn of(operand: Operand<'_>) -> Result<Raw> {
        let layout = operand.layout;
        let dtype = match operand.dtype.size() {
            1 => DType::UInt8,
            2 => DType::Int16,
            4 => DType::Int32,
            8 => DType::Int64,
            _ => return Ok(Raw { layout: layout.parts("copy")?, dtype: DType::Int64 }),
        };
        Ok(Raw { layout: layout.clone(), dtype })
    }

    /// Where the numbers lie: with a last dimension of 2 where an element is two of them.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The operand itself, seen so.
    pub(crate) fn operand<'a>(&'a self, of: Operand<'a>) -> Operand<'a> {
        Operand { buffer: of.buffer, layout: &self.layout, dtype: self.dtype }
    }
}

/// Copies between layouts and dtypes of one shape.
pub(crate) fn copy(device: &dyn Device, source: Operand<'_>, destination: Operand<'_>) -> Result<()> {
    if source.dtype == destination.dtype {
        let (from, to) = (Raw::of(source)?, Raw::of(destination)?);
        return copy_elements(device, from.operand(source), to.operand(destination), "(x)");
    }
    if source.dtype.is_complex() || destination.dtype.is_complex() {
        return Err(RusTorchError::unsupported("copy", "between complex and other dtypes"));
    }
    copy_elements(device, source, destination, conversion(source.dtype, destination.dtype))
}

fn copy_elements(
    device: &dyn Device,
    source: Operand<'_>,
    destination: Operand<'_>,
    conversion: &'static str,
) -> Result<()> {
    let shape = destination.layout.shape();
    let n = destination.layout.numel();
    let call = Call::new(kernel_text!("copy"))
        .read("from", source)
        .write("to", destination)
        .size("n", n)
        .positions(
            "POSITIONS",
            shape,
            &[Strided::of("from", source.layout), Strided::of("to", destination.layout)],
        )
        .define("CONVERT(x)", conversion);
    device.run(call, groups_for(n))
}

/// Sets every element.
pub(crate) fn fill(device: &dyn Device, destination: Operand<'_>, value: Scalar) -> Result<()> {
    let complex = |re: f64, im: f64| -> Result<()> {
        // The parts are filled one after the other, as the two columns of a real tensor.
        let dtype = destination.dtype.to_real();
        let layout = destination.layout;
        for (k, value) in [re, im].into_iter().enumerate() {
            let layout = layout.part("fill", k)?;
            let column = Operand { buffer: destination.buffer, layout: &layout, dtype };
            fill_real(device, column, Scalar::Float(value))?;
        }
        Ok(())
    };
    match (destination.dtype.is_complex(), value) {
        (true, Scalar::Complex(re, im)) => complex(re, im),
        (true, real) => complex(real.to_f64(), 0.0),
        (false, value) => fill_real(device, destination, value),
    }
}

fn fill_real(device: &dyn Device, destination: Operand<'_>, value: Scalar) -> Result<()> {
    // The bits of the element, so that a device fills what it does not compute, too.
    let bits = match destination.dtype {
        DType::Bool => i64::from(value.to_bool()),
        DType::Float16 => i64::from(rustorch_backend::f16_from_f64(value.to_f64()).to_bits()),
        DType::BFloat16 => i64::from(rustorch_backend::bf16_from_f64(value.to_f64()).to_bits()),
        DType::Float32 => i64::from((value.to_f64() as f32).to_bits()),
        DType::Float64 => value.to_f64().to_bits() as i64,
        _ => value.to_i64(),
    };
    let raw = Raw::of(destination)?;
    let to = raw.operand(destination);
    let n = to.layout.numel();
    let call = Call::new(kernel_text!("fill")).write("to", to).size("n", n).i64("value", bits).positions(
        "POSITIONS",
        to.layout.shape(),
        &[Strided::of("to", to.layout)],
    );
    device.run(call, groups_for(n))
}

/// `start + i * step` at flat position `i`.
pub(crate) fn arange(device: &dyn Device, kernel: &kernel::Arange<Operand<'_>>) -> Result<()> {
    let &kernel::Arange { start, step, output } = kernel;
    let n = output.layout.numel();
    let floating = output.dtype.is_floating_point();
    let call = Call::new(kernel_text!("arange"))
        .write("to", output)
        .size("n", n)
        .positions("POSITIONS", output.layout.shape(), &[Strided::of("to", output.layout)])
        .define("NUMBER", if floating { "double" } else { "i64" });
    let call = if floating {
        call.f64("start", start.to_f64()).f64("step", step.to_f64())
    } else {
        call.i64("start", start.to_i64()).i64("step", step.to_i64())
    };
    device.run(call, groups_for(n))
}
