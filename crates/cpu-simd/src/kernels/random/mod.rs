//! Random numbers and ranges: tensors whose elements depend on their position alone.

mod gaussian;
mod generate;
mod philox;
mod sampler;

pub use sampler::sample;

use rustorch_backend::{DType, Distribution, Layout, Operand, Truth, kernel, with_element};
use rustorch_error::{Result, RusTorchError};
use rustorch_simd::Lanes;

use super::rowwise::{FloatComputeType as _, RowKernel};
use super::walk::{Elements, Walk};
use crate::threads::parallel_for;
use generate::{Arange, BATCH, Coins, Generate, Integers, Normal32, Normal64, Uniform32, Uniform64};

/// How many elements a thread fills at a time; a multiple of [`BATCH`].
const GRAIN: usize = 1 << 12;

/// Fills `output` with random numbers by Philox 4x32-10, element `i` (row-major) from block `offset + i / n`, where a
/// block gives `n` elements:
///
/// - uniform, up to float32: `n = 4`, a word each; `low + (w >> 8) 2^-24 (high - low)` (float16: 11 bits, bfloat16: 8),
///   computed in float32, and never `high`;
/// - uniform, float64: `n = 2`, the upper 53 of 64 bits each;
/// - normal: pairs by Box-Muller, up to float32 two from words 0 and 1 and two from words 2 and 3, in float64 two from
///   all four; `mean + std * z`;
/// - integers: `n = 2`, `low + (x * (high - low)) >> 64` for the 64-bit `x`, which favours no value by more than
///   `(high - low) / 2^64`;
/// - Bernoulli: `n = 4`, 1 where the word is less than `p 2^32`.
///
/// A complex tensor is filled as twice as many real parts; a normal one has `std / √2` in each. So a tensor of `k`
/// elements uses at most `k` blocks. Only operations that every device rounds alike take part, so the numbers are the
/// same bits on all of them and for any number of threads.
///
/// # Errors
/// `DType` for uniform or normal integers and for complex integers; `InvalidArgument` for parameters that are not in
/// order.
pub fn random(kernel: &kernel::Random<Operand<'_>>) -> Result<()> {
    let &kernel::Random { distribution, key, output } = kernel;
    let bad = |message: String| Err(RusTorchError::argument("random", message));
    match distribution {
        Distribution::Uniform { low, high } => {
            if !(low <= high && (high - low).is_finite()) {
                return bad(format!("a uniform distribution over [{low}, {high}) does not exist"));
            }
            let (from, width) = (low as f32, (high - low) as f32);
            floats(output, "uniform", |parts, dtype| match dtype {
                DType::Float16 => {
                    let most = largest_below(high, low, rustorch_backend::f16_from_f64, |h| {
                        half::f16::from_bits(next_down(h.to_bits()))
                    });
                    fill(&Uniform32 { key, bits: 11, low: from, width, most }, &parts);
                }
                DType::BFloat16 => {
                    let most = largest_below(high, low, rustorch_backend::bf16_from_f64, |h| {
                        half::bf16::from_bits(next_down(h.to_bits()))
                    });
                    fill(&Uniform32 { key, bits: 8, low: from, width, most }, &parts);
                }
                DType::Float32 => {
                    let most = largest_below(high, low, |v| v as f32, f32::next_down);
                    fill(&Uniform32 { key, bits: 24, low: from, width, most }, &parts);
                }
                _ => {
                    let most = largest_below(high, low, |v| v, f64::next_down);
                    fill(&Uniform64 { key, low, width: high - low, most }, &parts);
                }
            })
        }
        Distribution::Normal { mean, std } => {
            if std < 0.0 || std.is_nan() {
                return bad(format!(
                    "a normal distribution needs a standard deviation of at least 0, got {std}"
                ));
            }
            let std = if output.dtype.is_complex() { std * std::f64::consts::FRAC_1_SQRT_2 } else { std };
            let single = Normal32 { key, mean: mean as f32, std: std as f32 };
            floats(output, "normal", |parts, dtype| match dtype {
                DType::Float16 => fill::<half::f16, _>(&single, &parts),
                DType::BFloat16 => fill::<half::bf16, _>(&single, &parts),
                DType::Float32 => fill::<f32, _>(&single, &parts),
                _ => fill::<f64, _>(&Normal64 { key, mean, std }, &parts),
            })
        }
        Distribution::Integer { low, high } => {
            if low >= high {
                return bad(format!("there is no integer in [{low}, {high})"));
            }
            reals(output, "integers", &Integers { key, low, range: high.wrapping_sub(low) as u64 })
        }
        Distribution::Bernoulli { p } => {
            if !(0.0..=1.0).contains(&p) {
                return bad(format!("a probability is from 0 to 1, got {p}"));
            }
            reals(output, "bernoulli", &Coins { key, threshold: (p * 4_294_967_296.0) as u64 })
        }
    }
}

/// `start + i * step` at row-major position `i`: for floating point in float64, rounded once; for bool and integers in
/// int64, wrapping.
///
/// # Errors
/// `DType` for complex dtypes.
pub fn arange(kernel: &kernel::Arange<Operand<'_>>) -> Result<()> {
    let &kernel::Arange { start, step, output } = kernel;
    reals(output, "arange", &Arange { start, step, floating: output.dtype.is_floating_point() })
}

/// The memory that is filled: an operand, or the real parts of a complex one.
struct Parts<'a> {
    operand: Operand<'a>,
    layout: Layout,
}

fn floats(output: Operand<'_>, what: &str, fill: impl FnOnce(Parts<'_>, DType)) -> Result<()> {
    let layout = output.layout;
    if output.dtype.is_floating_point() {
        fill(Parts { operand: output, layout: layout.clone() }, output.dtype);
        return Ok(());
    }
    if !output.dtype.is_complex() {
        return Err(RusTorchError::dtype(
            "random",
            format!(
                "{what} numbers in {} do not exist; floating-point and complex dtypes work",
                output.dtype
            ),
        ));
    }
    fill(Parts { operand: output, layout: layout.parts("random")? }, output.dtype.to_real());
    Ok(())
}

/// Fills every real dtype with what `generator` gives.
fn reals<G>(output: Operand<'_>, what: &str, generator: &G) -> Result<()>
where
    G: Generate<Truth> + Generate<u8> + Generate<i8> + Generate<i16> + Generate<i32> + Generate<i64>,
    G: Generate<half::f16> + Generate<half::bf16> + Generate<f32> + Generate<f64>,
{
    let parts = Parts { operand: output, layout: output.layout.clone() };
    with_element!(output.dtype, T => fill::<T, G>(generator, &parts), else {
        return Err(RusTorchError::dtype(
            if what == "arange" { "arange" } else { "random" },
            format!("{what} in {} is not defined; every real dtype works", output.dtype),
        ));
    });
    Ok(())
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

/// The bits of the next smaller number of a half precision.
const fn next_down(bits: u16) -> u16 {
    match bits {
        0 | 0x8000 => 0x8001,
        0x8001.. => bits + 1,
        _ => bits - 1,
    }
}

/// Fills all positions, batch by batch, on several threads.
fn fill<T: Copy + Send + Sync + 'static, G: Generate<T>>(generator: &G, parts: &Parts<'_>) {
    let walk = Walk::new(parts.layout.shape(), [&parts.layout]);
    let elements = Elements::<T>::of(parts.operand);
    parallel_for(walk.len(), GRAIN, |range| {
        // SAFETY: the walk's positions lie in the operand, and each belongs to one range.
        unsafe { f32::run(Fill { generator, walk: &walk, elements, range }) };
    });
}

/// Fills a range that begins at a multiple of [`BATCH`]. It is a row kernel for the sake of the instructions that the
/// compiler may then use; the numbers do not depend on them.
struct Fill<'a, T, G> {
    generator: &'a G,
    walk: &'a Walk<1>,
    elements: Elements<T>,
    range: std::ops::Range<usize>,
}

impl<T: Copy, G: Generate<T>> RowKernel<f32> for Fill<'_, T, G> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<A: Lanes<Element = f32>>(self, _: &A) {
        let [step] = self.walk.steps();
        let mut start = self.range.start;
        while start < self.range.end {
            let end = (start + BATCH).min(self.range.end);
            let batch = self.generator.batch(start as u64);
            for (position, [first], count) in self.walk.runs(start..end) {
                for i in 0..count {
                    // SAFETY: a position of the walk within the caller's range.
                    unsafe { self.elements.set(first + i as isize * step, batch[position - start + i]) };
                }
            }
            start = end;
        }
    }
}

#[cfg(test)]
mod tests;
