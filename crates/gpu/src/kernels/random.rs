//! Random numbers: the CPU's, bit for bit.

use rustorch_backend::half::{bf16, f16};
use rustorch_backend::{DType, Distribution, Layout, Operand, kernel};
use rustorch_error::{Result, RusTorchError};

use super::copy::groups_for;
use crate::device::Device;
use crate::kernel::Call;
use crate::positions::Strided;

/// What `random.c` computes, and the elements that one block of the generator gives.
#[derive(Clone, Copy)]
enum Kind {
    Uniform32 = 0,
    Uniform64 = 1,
    Normal32 = 2,
    Normal64 = 3,
    Integers = 4,
    Coins = 5,
}

impl Kind {
    fn per_block(self) -> usize {
        match self {
            Kind::Uniform32 | Kind::Normal32 | Kind::Coins => 4,
            Kind::Uniform64 | Kind::Normal64 | Kind::Integers => 2,
        }
    }
}

/// Fills `output`; see the CPU's kernel for which bits of which block an element is made of.
pub(crate) fn random(device: &dyn Device, kernel: &kernel::Random<Operand<'_>>) -> Result<()> {
    let &kernel::Random { distribution, key, output } = kernel;
    check(distribution, output.dtype)?;
    let layout = parts(output.layout, output.dtype)?;
    let dtype = output.dtype.to_real();
    let to = Operand { buffer: output.buffer, layout: &layout, dtype };
    let kind = match distribution {
        Distribution::Uniform { .. } if dtype == DType::Float64 => Kind::Uniform64,
        Distribution::Uniform { .. } => Kind::Uniform32,
        Distribution::Normal { .. } if dtype == DType::Float64 => Kind::Normal64,
        Distribution::Normal { .. } => Kind::Normal32,
        Distribution::Integer { .. } => Kind::Integers,
        Distribution::Bernoulli { .. } => Kind::Coins,
    };
    let n = layout.numel();
    let blocks = n.div_ceil(kind.per_block());
    let call = Call::new(kernel_text!("random"))
        .write("to", to)
        .constant("KIND", kind as usize)
        .size("n", n)
        .size("blocks", blocks)
        .i64("seed", key.seed as i64)
        .i64("offset", key.offset as i64)
        .positions("POSITIONS", layout.shape(), &[Strided::of("to", &layout)]);
    let call = match distribution {
        Distribution::Uniform { low, high } if dtype == DType::Float64 => call
            .f64("low", low)
            .f64("width", high - low)
            .f64("unit", 1.0 / (1u64 << 53) as f64)
            .f64("most", largest_below(high, low, |v| v, f64::next_down)),
        Distribution::Uniform { low, high } => {
            let (bits, most) = match dtype {
                DType::Float16 => (
                    11,
                    half_below(
                        high,
                        low,
                        rustorch_backend::f16_from_f64,
                        f16::to_f64,
                        f16::to_bits,
                        f16::from_bits,
                    ),
                ),
                DType::BFloat16 => (
                    8,
                    half_below(
                        high,
                        low,
                        rustorch_backend::bf16_from_f64,
                        bf16::to_f64,
                        bf16::to_bits,
                        bf16::from_bits,
                    ),
                ),
                _ => (24, largest_below(high, low, |v| v as f32, f32::next_down)),
            };
            call.f32("low", low as f32)
                .f32("width", (high - low) as f32)
                .f32("unit", 1.0 / (1u32 << bits) as f32)
                .f32("most", most)
                .u32("bits", bits)
        }
        Distribution::Normal { mean, std } => {
            let std = if output.dtype.is_complex() { std * std::f64::consts::FRAC_1_SQRT_2 } else { std };
            if dtype == DType::Float64 {
                call.f64("mean", mean).f64("std", std)
            } else {
                call.f32("mean", mean as f32).f32("std", std as f32)
            }
        }
        Distribution::Integer { low, high } => {
            // The CPU rounds by way of float64; where float32 holds every number this changes nothing.
            let magnitude = low.unsigned_abs().max(high.unsigned_abs());
            let convert = match dtype {
                DType::Float16 | DType::BFloat16 if magnitude > 1 << 20 => {
                    return Err(RusTorchError::unsupported(
                        "random",
                        "integers beyond 2**20 in half precision",
                    ));
                }
                DType::Float32 if magnitude > 1 << 53 => "double",
                DType::Bool => "bool",
                _ => "i64",
            };
            call.i64("low", low).i64("range", high.wrapping_sub(low)).define("CONVERT", convert)
        }
        Distribution::Bernoulli { p } => call.i64("threshold", (p * 4_294_967_296.0) as i64),
    };
    device.run(call, groups_for(blocks))
}

/// What the CPU's kernel refuses is left to it, for its words.
fn check(distribution: Distribution, dtype: DType) -> Result<()> {
    let floating = dtype.is_floating_point() || dtype.is_complex();
    let fits = match distribution {
        Distribution::Uniform { low, high } => floating && low <= high && (high - low).is_finite(),
        Distribution::Normal { std, .. } => floating && std >= 0.0,
        Distribution::Integer { low, high } => !dtype.is_complex() && low < high,
        Distribution::Bernoulli { p } => !dtype.is_complex() && (0.0..=1.0).contains(&p),
    };
    if fits { Ok(()) } else { Err(RusTorchError::unsupported("random", "these parameters in this dtype")) }
}

/// Where the real numbers of a tensor lie: a complex element is two of them.
fn parts(layout: &Layout, dtype: DType) -> Result<Layout> {
    if dtype.is_complex() { layout.parts("random") } else { Ok(layout.clone()) }
}

/// The largest number of a dtype that is less than `high`, or the one nearest to `low` if that is larger.
fn largest_below<T: PartialOrd + Into<f64> + Copy>(
    high: f64,
    low: f64,
    round: impl Fn(f64) -> T,
    next_down: impl Fn(T) -> T,
) -> T {
    let nearest = round(high);
    let below = if nearest.into() >= high { next_down(nearest) } else { nearest };
    let lowest = round(low);
    if below < lowest { lowest } else { below }
}

/// [`largest_below`] of a half precision, as float32.
fn half_below<H: PartialOrd + Copy + Into<f64>>(
    high: f64,
    low: f64,
    round: impl Fn(f64) -> H,
    widen: impl Fn(H) -> f64,
    to_bits: impl Fn(H) -> u16,
    from_bits: impl Fn(u16) -> H,
) -> f32 {
    let next_down = |h: H| {
        from_bits(match to_bits(h) {
            0 | 0x8000 => 0x8001,
            bits @ 0x8001.. => bits + 1,
            bits => bits - 1,
        })
    };
    widen(largest_below(high, low, round, next_down)) as f32
}
