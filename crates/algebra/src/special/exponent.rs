//! A number as a fraction and a power of 2.

/// The fraction m of `x = m · 2^e` with `½ ≤ |m| < 1`; 0, infinities and NaN are their own.
pub fn frexp_mantissa(x: f64) -> f64 {
    if x.is_finite() { libm::frexp(x).0 } else { x }
}

/// The exponent e of `x = m · 2^e` with `½ ≤ |m| < 1`; 0 for 0, infinities and NaN.
pub fn frexp_exponent(x: f64) -> f64 {
    if x.is_finite() { f64::from(libm::frexp(x).1) } else { 0.0 }
}
