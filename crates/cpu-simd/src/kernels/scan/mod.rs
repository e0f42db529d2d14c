//! Cumulative sums, products and extremes.

use rustorch_backend::{Category, DType, Element, Operand, ScanOp, kernel, with_element};
use rustorch_error::{Result, RusTorchError};

use super::number::{Number, Ordered, with_number};
use super::rowwise::with_storage_type;
use super::walk::{Elements, Walk};
use crate::threads::parallel_for;

/// How many elements a thread scans at a time, about.
const GRAIN: usize = 1 << 14;

/// How many neighbouring lines are scanned together when the lines themselves are not in one piece.
const NEIGHBOURS: usize = 32;

/// Combines each element along `dim` with those before it; `indices` (int64) for `Max` and `Min` names the last place
/// where the extreme occurred. NaN wins and stays.
///
/// Sums and products take every dtype, and bool and integers also into an int64 output; they are kept in float64 for
/// float32 and in float32 for half precision. Extremes take every real dtype, logarithms of sums floating-point ones.
///
/// # Errors
/// `DType` for dtypes that do not go together.
pub fn scan(kernel: &kernel::Scan<Operand<'_>>) -> Result<()> {
    let &kernel::Scan { op, input, dim, output, indices } = kernel;
    let same = input.dtype == output.dtype;
    let counted = output.dtype == DType::Int64 && input.dtype.category() <= Category::Integer;
    match op {
        ScanOp::Sum | ScanOp::Prod if same => {
            with_number!(input.dtype, T => accumulate::<T, T>(op, |v| v, input, dim, output));
        }
        ScanOp::Sum | ScanOp::Prod if counted => with_element!(input.dtype, T => {
            accumulate::<T, i64>(op, |v| v.to_scalar().to_i64(), input, dim, output);
        }, else return Err(mismatch(op, input, output))),
        ScanOp::Max | ScanOp::Min if same => with_element!(input.dtype, T => {
            if op == ScanOp::Max {
                extreme::<T>(T::reaches_up, input, dim, output, indices);
            } else {
                extreme::<T>(T::reaches_down, input, dim, output, indices);
            }
        }, else return Err(RusTorchError::dtype(
            name(op),
            format!("complex numbers have no order; got {}, and every real dtype works", input.dtype),
        ))),
        ScanOp::LogSumExp if same => with_storage_type!(input.dtype, T => {
            accumulate_with::<T, T>(
                |v| v, LogAddExp::OF_ZERO, LogAddExp::log_add_exp, input, dim, output,
            );
        }, else return Err(mismatch(op, input, output))),
        _ => return Err(mismatch(op, input, output)),
    }
    Ok(())
}

/// PyTorch's name of a scan.
const fn name(op: ScanOp) -> &'static str {
    match op {
        ScanOp::Sum => "cumsum",
        ScanOp::Prod => "cumprod",
        ScanOp::Max => "cummax",
        ScanOp::Min => "cummin",
        ScanOp::LogSumExp => "logcumsumexp",
    }
}

/// A floating-point number as the logarithm of another.
trait LogAddExp: Number {
    /// The logarithm of 0.
    const OF_ZERO: Self;
    /// `log(exp(self) + exp(other))`.
    fn log_add_exp(self, other: Self) -> Self;
}

macro_rules! log_add_exp {
    ($($t:ty)*) => {$(
        impl LogAddExp for $t {
            const OF_ZERO: Self = <$t>::NEG_INFINITY;
            fn log_add_exp(self, other: Self) -> Self {
                if self == other && self.is_infinite() {
                    return self;
                }
                let (low, high) = if self < other { (self, other) } else { (other, self) };
                high + (low - high).exp().ln_1p()
            }
        }
    )*};
}

log_add_exp! { f32 f64 }

#[cold]
fn mismatch(op: ScanOp, input: Operand<'_>, output: Operand<'_>) -> RusTorchError {
    RusTorchError::dtype(
        name(op),
        format!(
            "cannot go from {} to {}; the same dtype works, and int64 for sums and products of bool and integers",
            input.dtype, output.dtype
        ),
    )
}

/// How the lines along `dim` are divided: each call of `body` gets the first offsets of up to [`NEIGHBOURS`] lines at
/// the walk's steps, or of one line if its elements are nearer to each other than those of two lines.
fn for_line_groups<const N: usize>(
    walk: &Walk<N>,
    (length, along): (usize, [isize; N]),
    body: impl Fn([isize; N], usize) + Sync,
) {
    let steps = walk.steps();
    let together = if steps[0].abs() < along[0].abs() { NEIGHBOURS } else { 1 };
    parallel_for(walk.len(), (GRAIN / length.max(1)).max(1), |range| {
        for (_, start, count) in walk.runs(range) {
            let mut done = 0;
            while done < count {
                let lines = (count - done).min(together);
                let mut first = start;
                for t in 0..N {
                    first[t] += done as isize * steps[t];
                }
                body(first, lines);
                done += lines;
            }
        }
    });
}

/// The length of the lines along `dim`, and the steps along it.
fn along<const N: usize>(dim: usize, operands: [Operand<'_>; N]) -> (usize, [isize; N]) {
    let length = operands[0].layout.shape().get(dim).copied().unwrap_or(1);
    (length, operands.map(|o| o.layout.strides().get(dim).copied().unwrap_or(0)))
}

fn accumulate<T: Number, U: Number>(
    op: ScanOp,
    convert: impl Fn(T) -> U + Sync,
    input: Operand<'_>,
    dim: usize,
    output: Operand<'_>,
) {
    if op == ScanOp::Sum {
        accumulate_with(convert, U::Wide::ZERO, U::Wide::add, input, dim, output);
    } else {
        accumulate_with(convert, U::Wide::ONE, U::Wide::multiply, input, dim, output);
    }
}

fn accumulate_with<T: Number, U: Number>(
    convert: impl Fn(T) -> U + Sync,
    neutral: U::Wide,
    combine: impl Fn(U::Wide, U::Wide) -> U::Wide + Sync,
    input: Operand<'_>,
    dim: usize,
    output: Operand<'_>,
) {
    let walk = Walk::lines(input.layout.shape(), dim, [input.layout, output.layout]);
    let (length, [from_step, to_step]) = along(dim, [input, output]);
    let [next_from, next_to] = walk.steps();
    let (from, to) = (Elements::<T>::of(input), Elements::<U>::of(output));
    for_line_groups(&walk, (length, [from_step, to_step]), |[from_start, to_start], lines| {
        let mut sums = [neutral; NEIGHBOURS];
        for k in 0..length as isize {
            for (line, sum) in sums[..lines].iter_mut().enumerate() {
                let line = line as isize;
                // SAFETY: positions of the layouts; each line belongs to one group.
                unsafe {
                    let value = convert(from.get(from_start + k * from_step + line * next_from)).widen();
                    *sum = combine(*sum, value);
                    to.set(to_start + k * to_step + line * next_to, U::narrow(*sum));
                }
            }
        }
    });
}

fn extreme<T: Ordered>(
    reaches: impl Fn(T, T) -> bool + Sync,
    input: Operand<'_>,
    dim: usize,
    output: Operand<'_>,
    indices: Option<Operand<'_>>,
) {
    // Without indices a third tensor that nobody touches keeps the loop one.
    let places = indices.map(Elements::<i64>::of);
    let operands = [input, output, indices.unwrap_or(output)];
    let walk = Walk::lines(input.layout.shape(), dim, operands.map(|o| o.layout));
    let (length, [from_step, to_step, place_step]) = along(dim, operands);
    let [next_from, next_to, next_place] = walk.steps();
    let (from, to) = (Elements::<T>::of(input), Elements::<T>::of(output));
    for_line_groups(
        &walk,
        (length, [from_step, to_step, place_step]),
        |[from_start, to_start, place_start], lines| {
            let mut best = [(T::ZERO, 0i64); NEIGHBOURS];
            for k in 0..length as isize {
                for (line, (value, at)) in best[..lines].iter_mut().enumerate() {
                    let line = line as isize;
                    // SAFETY: positions of the layouts; each line belongs to one group.
                    unsafe {
                        let new = from.get(from_start + k * from_step + line * next_from);
                        if k == 0 || reaches(new, *value) {
                            (*value, *at) = (new, k as i64);
                        }
                        to.set(to_start + k * to_step + line * next_to, *value);
                        if let Some(places) = places {
                            places.set(place_start + k * place_step + line * next_place, *at);
                        }
                    }
                }
            }
        },
    );
}

#[cfg(test)]
mod tests;
