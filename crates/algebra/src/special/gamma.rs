//! The logarithm of the gamma function and its derivative.

use std::f64::consts::PI;

/// The logarithm of `|Γ(x)|`.
pub fn lgamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// The derivative of `log Γ`: recurrence up to 10, then the asymptotic series (Abramowitz and Stegun 6.3.18);
/// reflection below 0.
pub fn digamma(x: f64) -> f64 {
    if x == 0.0 {
        return f64::INFINITY.copysign(-x);
    }
    if x < 0.0 {
        if x == x.trunc() {
            return f64::NAN;
        }
        // Reduced first, to the nearest pole: tan(π x) of the rest keeps its digits.
        let fraction = x - x.round();
        return digamma(1.0 - x) - PI / libm::tan(PI * fraction);
    }
    let mut x = x;
    let mut sum = 0.0;
    while x < 10.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let z = 1.0 / (x * x);
    let series = z
        * (1.0 / 12.0
            - z * (1.0 / 120.0
                - z * (1.0 / 252.0
                    - z * (1.0 / 240.0 - z * (1.0 / 132.0 - z * (691.0 / 32760.0 - z * (1.0 / 12.0)))))));
    let asymptotic = if x.is_infinite() { x } else { libm::log(x) - 0.5 / x - series };
    sum + asymptotic
}
