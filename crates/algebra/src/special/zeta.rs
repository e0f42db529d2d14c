//! Hurwitz's zeta function, and the derivatives of digamma that follow from it.

use super::digamma;

/// Bernoulli's numbers `B₂ₖ / (2k)!` of the Euler-Maclaurin sum, from k = 1 on.
const BERNOULLI: [f64; 12] = [
    1.0 / 12.0,
    -1.0 / 720.0,
    1.0 / 30240.0,
    -1.0 / 1209600.0,
    1.0 / 47900160.0,
    -691.0 / 1307674368000.0,
    1.0 / 74724249600.0,
    -3617.0 / 10670622842880000.0,
    43867.0 / 5109094217170944000.0,
    -174611.0 / 802857662698291200000.0,
    77683.0 / 14101100039391805440000.0,
    -236364091.0 / 1693824136731743669452800000.0,
];

/// `Σ (q + k)^-s` over k from 0 on.
///
/// Infinite at `s = 1` and at poles (q = 0, -1, …); NaN for `s < 1`, and for negative q unless s is whole.
pub fn zeta(s: f64, q: f64) -> f64 {
    if s.is_nan() || q.is_nan() || s < 1.0 {
        return f64::NAN;
    }
    if s == 1.0 {
        return f64::INFINITY;
    }
    if q <= 0.0 {
        if q == q.floor() {
            return f64::INFINITY;
        }
        if s != s.floor() || s.is_infinite() {
            return f64::NAN;
        }
        if q > -16.0 {
            return upward(s, q);
        }
        // Over all whole k the sum depends on the fraction of q alone; what stands left of q is taken off again.
        let fraction = q - q.floor();
        let sign = if s % 2.0 == 0.0 { 1.0 } else { -1.0 };
        return upward(s, fraction) + sign * (upward(s, 1.0 - fraction) - upward(s, 1.0 - q));
    }
    upward(s, q)
}

/// [`zeta`] for `s > 1`, and whole s where q is negative, which is not far below 0: the first terms as they are, the rest by Euler and Maclaurin.
fn upward(s: f64, q: f64) -> f64 {
    if s.is_infinite() {
        return if q < 1.0 {
            f64::INFINITY
        } else if q == 1.0 {
            1.0
        } else {
            0.0
        };
    }
    if q.is_infinite() {
        return 0.0;
    }
    let mut sum = 0.0;
    let mut a = q;
    let mut terms = 0;
    while terms < 9 || a <= 9.0 {
        let term = libm::pow(a, -s);
        sum += term;
        if a > 0.0 && term <= sum.abs() * (f64::EPSILON / 16.0) {
            return sum;
        }
        a += 1.0;
        terms += 1;
    }
    let power = libm::pow(a, -s);
    sum += power * a / (s - 1.0) + 0.5 * power;
    let (mut factor, mut rest) = (1.0, power / a);
    for (k, bernoulli) in BERNOULLI.into_iter().enumerate() {
        let k = 2.0 * k as f64;
        factor *= s + k;
        let term = bernoulli * factor * rest;
        sum += term;
        if term.abs() <= sum.abs() * (f64::EPSILON / 16.0) {
            break;
        }
        factor *= s + k + 1.0;
        rest /= a * a;
    }
    sum
}

/// The n-th derivative of digamma, n a whole number from 0 on: `(-1)^(n+1) n! ζ(n + 1, x)`.
pub fn polygamma(x: f64, n: f64) -> f64 {
    if n == 0.0 {
        return digamma(x);
    }
    let sign = if n % 2.0 == 0.0 { -1.0 } else { 1.0 };
    let factorial = if n < 171.0 { libm::tgamma(n + 1.0).round() } else { f64::INFINITY };
    sign * factorial * zeta(n + 1.0, x)
}
