//! Counts from distributions whose parameters differ by element: by inversion where few are expected, else by
//! transformed rejection (W. Hormann: "The transformed rejection method for generating Poisson random variables" and
//! "The generation of binomial random variates", both 1993).

use rustorch_backend::{DType, Operand, RandomKey, Sampler, kernel};
use rustorch_error::{Result, RusTorchError};

use super::super::walk::{Elements, Walk};
use super::philox::attempt;
use crate::threads::parallel_for;

/// How many elements a thread draws at a time.
const GRAIN: usize = 1 << 9;

/// Fills `output` with counts, element `i` (row-major) by the parameters at `i`: all of them float64 of one shape.
///
/// Element `i` takes what it needs from the blocks with the number `offset + i` in their counter's low half; its
/// `k`-th attempt has `k` in the high half. Logarithms take part, so the last bit of a parameter's neighbourhood may
/// differ between devices; the number of threads does not matter.
///
/// # Errors
/// `DType` for other dtypes, `InvalidArgument` for another number of parameters than the distribution has.
pub fn sample(kernel: &kernel::Sample<Operand<'_>>) -> Result<()> {
    let &kernel::Sample { sampler, key, ref parameters, output } = kernel;
    if parameters.iter().chain([&output]).any(|operand| operand.dtype != DType::Float64) {
        return Err(RusTorchError::dtype("sample", "parameters and counts are float64"));
    }
    match (sampler, parameters.as_slice()) {
        (Sampler::Poisson, &[rate]) => {
            each(output, [rate, rate], |i, rate, _| poisson(key, i, rate));
        }
        (Sampler::Binomial, &[count, p]) => {
            each(output, [count, p], |i, count, p| binomial(key, i, count, p));
        }
        _ => {
            return Err(RusTorchError::argument(
                "sample",
                format!("{sampler:?} does not have {} parameters", parameters.len()),
            ));
        }
    }
    Ok(())
}

/// Stores `draw(i, x, y)` at each position `i`.
fn each(output: Operand<'_>, parameters: [Operand<'_>; 2], draw: impl Fn(u64, f64, f64) -> f64 + Sync) {
    let [x, y] = parameters;
    let walk = Walk::new(output.layout.shape(), [output.layout, x.layout, y.layout]);
    let [to, x, y] = [output, x, y].map(Elements::<f64>::of);
    let steps = walk.steps();
    parallel_for(walk.len(), GRAIN, |range| {
        for (position, first, count) in walk.runs(range) {
            for i in 0..count {
                let [to_at, x_at, y_at] = std::array::from_fn(|t| first[t] + i as isize * steps[t]);
                // SAFETY: positions of the walk lie in the operands; each of the output's belongs to one range.
                unsafe { to.set(to_at, draw((position + i) as u64, x.get(x_at), y.get(y_at))) };
            }
        }
    });
}

/// Below this mean, counting up from 0 takes few steps.
const FEW: f64 = 10.0;

fn poisson(key: RandomKey, element: u64, rate: f64) -> f64 {
    if rate.is_nan() || rate <= 0.0 || rate.is_infinite() {
        return if rate == 0.0 { 0.0 } else { rate };
    }
    if rate < FEW {
        let [u, _] = attempt(key, element, 0);
        let (mut k, mut term) = (0.0, libm::exp(-rate));
        let mut sum = term;
        while u > sum && term > 0.0 {
            k += 1.0;
            term *= rate / k;
            sum += term;
        }
        return k;
    }
    let b = 0.931 + 2.53 * rate.sqrt();
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let accept = 0.9277 - 3.6224 / (b - 2.0);
    let log_rate = libm::log(rate);
    let mut round = 0;
    loop {
        let [u, v] = attempt(key, element, round);
        round += 1;
        let u = u - 0.5;
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + rate + 0.43).floor();
        if us >= 0.07 && v <= accept {
            return k;
        }
        if k < 0.0 || (us < 0.013 && v > us) {
            continue;
        }
        let height = libm::log(v * inverse_alpha / (a / (us * us) + b));
        if height <= k * log_rate - rate - libm::lgamma(k + 1.0) {
            return k;
        }
    }
}

fn binomial(key: RandomKey, element: u64, count: f64, p: f64) -> f64 {
    if count.is_nan() || p.is_nan() || count.is_infinite() {
        return f64::NAN;
    }
    let n = count.floor();
    if n <= 0.0 || p <= 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return n;
    }
    if p > 0.5 { n - rare(key, element, n, 1.0 - p) } else { rare(key, element, n, p) }
}

/// The successes of `n > 0` trials, `0 < p <= 0.5`.
fn rare(key: RandomKey, element: u64, n: f64, p: f64) -> f64 {
    let q = 1.0 - p;
    let odds = p / q;
    if n * p < FEW {
        let [u, _] = attempt(key, element, 0);
        let (mut k, mut term) = (0.0, libm::exp(n * libm::log1p(-p)));
        let mut sum = term;
        while u > sum && k < n && term > 0.0 {
            term *= (n - k) / (k + 1.0) * odds;
            k += 1.0;
            sum += term;
        }
        return k;
    }
    let deviation = (n * p * q).sqrt();
    let b = 1.15 + 2.53 * deviation;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let centre = n * p + 0.5;
    let accept = 0.92 - 4.2 / b;
    let alpha = (2.83 + 5.1 / b) * deviation;
    let mode = ((n + 1.0) * p).floor();
    let top = libm::lgamma(mode + 1.0) + libm::lgamma(n - mode + 1.0);
    let log_odds = libm::log(odds);
    let mut round = 0;
    loop {
        let [u, v] = attempt(key, element, round);
        round += 1;
        let u = u - 0.5;
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + centre).floor();
        if us >= 0.07 && v <= accept {
            return k;
        }
        if k < 0.0 || k > n {
            continue;
        }
        let height = libm::log(v * alpha / (a / (us * us) + b));
        if height <= top - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0) + (k - mode) * log_odds {
            return k;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: RandomKey = RandomKey { seed: 9, offset: 3 };

    /// The mean and variance of some draws.
    fn moments(draw: impl Fn(u64) -> f64) -> (f64, f64) {
        let values: Vec<f64> = (0..100_000).map(draw).collect();
        let mean = values.iter().sum::<f64>() / 1e5;
        (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 1e5)
    }

    #[test]
    fn counts_have_their_mean_and_variance() {
        for rate in [0.01, 3.0, 9.9, 10.1, 47.0, 1e6] {
            let (mean, variance) = moments(|i| poisson(KEY, i, rate));
            assert!((mean - rate).abs() < 4.0 * (rate / 1e5).sqrt(), "{rate} {mean}");
            assert!((variance / rate - 1.0).abs() < 0.02 + 0.02 / rate, "{rate} {variance}");
        }
        for (n, p) in [(1.0, 0.3), (20.0, 0.1), (30.0, 0.5), (100.0, 0.9), (1e6, 0.25), (1e6, 1e-6)] {
            let (mean, variance) = moments(|i| binomial(KEY, i, n, p));
            let expected = n * p * (1.0 - p);
            assert!((mean - n * p).abs() < 4.0 * (expected / 1e5).sqrt(), "{n} {p} {mean}");
            assert!((variance / expected - 1.0).abs() < 0.03, "{n} {p} {variance}");
        }
    }

    #[test]
    fn ends_are_certain() {
        assert_eq!(poisson(KEY, 0, 0.0), 0.0);
        assert!(poisson(KEY, 0, f64::NAN).is_nan() && binomial(KEY, 0, 3.0, f64::NAN).is_nan());
        assert_eq!(
            (binomial(KEY, 0, 7.0, 0.0), binomial(KEY, 0, 7.0, 1.0), binomial(KEY, 0, 0.0, 0.5)),
            (0.0, 7.0, 0.0)
        );
    }
}
