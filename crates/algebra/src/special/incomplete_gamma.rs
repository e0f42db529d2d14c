//! The regularized incomplete gamma functions.

use std::f64::consts::PI;

use super::chebyshev;

/// log Γ(1 + a) / a, a from 0 to 1.
const LGAMMA1P: [f64; 23] = [
    -0.2647362369323025,
    0.28587285859139466,
    -0.0235145763321575,
    0.002685079974656731,
    -0.0003497552715727561,
    4.880755320003236e-05,
    -7.098358790485804e-06,
    1.060746616681459e-06,
    -1.6155933858435658e-07,
    2.4955218012272827e-08,
    -3.896697345119788e-09,
    6.137352658308378e-10,
    -9.734966110649396e-11,
    1.5533015630980043e-11,
    -2.4909467297324567e-12,
    4.0120228240690907e-13,
    -6.486576014785499e-14,
    1.0522714222232995e-14,
    -1.7121447861626472e-15,
    2.7933134227060936e-16,
    -4.568268129158122e-17,
    7.487532521139084e-18,
    -1.2296930695316564e-18,
];

/// From here on the uniform expansion's first two terms are exact to the last digits.
const LARGE: f64 = 1e6;

/// `log(1 + x) - x` without cancellation.
fn log1p_minus(x: f64) -> f64 {
    if x.abs() > 0.3 {
        return libm::log1p(x) - x;
    }
    let mut power = -x * x;
    let mut sum = 0.0;
    let mut k = 2.0;
    loop {
        let term = power / k;
        sum += term;
        if term.abs() <= sum.abs() * f64::EPSILON / 4.0 {
            return sum;
        }
        power *= -x;
        k += 1.0;
    }
}

/// What Stirling's formula for `log Γ(a)` leaves out: `log Γ(a) - ((a - ½) log a - a + ½ log 2π)`.
fn stirling_rest(a: f64) -> f64 {
    if a < 10.0 {
        return libm::lgamma(a) - ((a - 0.5) * libm::log(a) - a + 0.5 * libm::log(2.0 * PI));
    }
    let z = 1.0 / (a * a);
    (1.0 / 12.0
        - z * (1.0 / 360.0
            - z * (1.0 / 1260.0 - z * (1.0 / 1680.0 - z * (1.0 / 1188.0 - z * 691.0 / 360360.0)))))
        / a
}

/// `x^a e^-x / Γ(a)`.
fn density(a: f64, x: f64) -> f64 {
    if a < 10.0 {
        // Small enough that the power keeps its digits, unless it leaves the range.
        let power = libm::pow(x, a) * libm::exp(-x);
        if power.is_normal() {
            return power / libm::tgamma(a);
        }
        return libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    }
    let relative = (x - a) / a;
    // Far from a the difference would lose the digits of a small x.
    let exponent =
        if relative.abs() > 0.3 { a * libm::log(x / a) - (x - a) } else { a * log1p_minus(relative) };
    libm::exp(exponent - stirling_rest(a)) * (a / (2.0 * PI)).sqrt()
}

/// P by its power series, for x not much larger than a.
fn series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    let mut n = a;
    loop {
        n += 1.0;
        term *= x / n;
        sum += term;
        if term <= sum * f64::EPSILON / 4.0 {
            return sum * density(a, x) / a;
        }
    }
}

/// Q by its continued fraction (Lentz's method), for x larger than a and 1.
fn fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / f64::MIN_POSITIVE;
    let mut d = 1.0 / b;
    let mut h = d;
    let mut i = 1.0;
    loop {
        let numerator = -i * (i - a);
        b += 2.0;
        d = 1.0 / nonzero(numerator * d + b);
        c = nonzero(b + numerator / c);
        let change = d * c;
        h *= change;
        if (change - 1.0).abs() <= f64::EPSILON || i > 100_000.0 {
            return h * density(a, x);
        }
        i += 1.0;
    }
}

fn nonzero(x: f64) -> f64 {
    if x == 0.0 { f64::MIN_POSITIVE } else { x }
}

/// Q for `x < 1.1` and `a < 1`, where P is close to 1 by its first terms: `1 - P` would lose digits.
fn small(a: f64, x: f64) -> f64 {
    // x^a / Γ(a + 1) · (1 + a Σ (-x)^k / ((a + k) k!)) = P, so that Q = (1 - x^a / Γ(a + 1)) - x^a / Γ(a + 1) · a Σ….
    let exponent = a * (libm::log(x) - chebyshev(&LGAMMA1P, 2.0 * a - 1.0));
    let (mut term, mut sum) = (1.0, 0.0);
    let mut k = 1.0;
    loop {
        term *= -x / k;
        let part = term / (a + k);
        sum += part;
        if part.abs() <= sum.abs() * f64::EPSILON / 4.0 {
            break;
        }
        k += 1.0;
    }
    -libm::expm1(exponent) - libm::exp(exponent) * a * sum
}

/// P and Q by Temme's uniform expansion for large a.
fn uniform(a: f64, x: f64) -> (f64, f64) {
    let relative = (x - a) / a;
    let half_square = -log1p_minus(relative);
    let eta = (2.0 * half_square).sqrt().copysign(relative);
    let y = (a * half_square).sqrt().copysign(relative);
    let scale = libm::exp(-a * half_square) / (2.0 * PI * a).sqrt();
    let rest = if scale == 0.0 {
        0.0
    } else {
        let first = -1.0 / 3.0
            + eta * (1.0 / 12.0 + eta * (-2.0 / 135.0 + eta * (1.0 / 864.0 + eta * (1.0 / 2835.0))));
        let second = -1.0 / 540.0 + eta * (-1.0 / 288.0 + eta * (1.0 / 378.0));
        scale * (first + second / a)
    };
    (0.5 * libm::erfc(-y) - rest, 0.5 * libm::erfc(y) + rest)
}

/// The two functions where they are limits, or not defined.
fn limits(a: f64, x: f64) -> Option<(f64, f64)> {
    if a.is_nan() || x.is_nan() || a < 0.0 || x < 0.0 || (a == 0.0 && x == 0.0) {
        Some((f64::NAN, f64::NAN))
    } else if a.is_infinite() {
        Some(if x.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, 1.0) })
    } else if a == 0.0 || x.is_infinite() {
        Some((1.0, 0.0))
    } else if x == 0.0 {
        Some((0.0, 1.0))
    } else {
        None
    }
}

/// The lower regularized incomplete gamma function, `1/Γ(a) ∫₀ˣ t^(a-1) e^-t dt`.
pub fn gammainc(a: f64, x: f64) -> f64 {
    if let Some((lower, _)) = limits(a, x) {
        lower
    } else if a > LARGE {
        uniform(a, x).0
    } else if x <= 1.0 || x <= a {
        series(a, x)
    } else {
        1.0 - gammaincc(a, x)
    }
}

/// The upper regularized incomplete gamma function, `1 - gammainc(a, x)`.
pub fn gammaincc(a: f64, x: f64) -> f64 {
    if let Some((_, upper)) = limits(a, x) {
        upper
    } else if a > LARGE {
        uniform(a, x).1
    } else if x < 1.1 {
        // Small where a lies well below the median: there the series for Q keeps the digits.
        if x < 0.5 && -0.4 / libm::log(x) < a || x >= 0.5 && x < 1.1 * a {
            1.0 - series(a, x)
        } else {
            small(a, x)
        }
    } else if x <= a {
        1.0 - series(a, x)
    } else {
        fraction(a, x)
    }
}
