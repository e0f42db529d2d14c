//! The error function's relatives: scaled, inverse, and as the Gaussian's distribution.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI, SQRT_2};

use super::chebyshev;

/// (1 + 2x) erfcx(x), x from 0 to infinity, in `(x - 3.75) / (x + 3.75)`; the form is Shepherd and Laframboise's (1981).
const ERFCX: [f64; 27] = [
    1.1775789345674017,
    -0.004590054580646478,
    -0.08424913336651792,
    0.05920993999819189,
    -0.026658668435305753,
    0.009074997670705265,
    -0.002413163540417608,
    0.0004907758365258086,
    -6.916973302501207e-05,
    4.13902798607301e-06,
    7.74038306619849e-07,
    -2.1886401049234397e-07,
    1.076499946567091e-08,
    4.521959811218287e-09,
    -7.754400208831351e-10,
    -6.318088340886684e-11,
    2.86879501093067e-11,
    1.9455868545777347e-13,
    -9.65469674843344e-13,
    3.25254814814874e-14,
    3.3478119482868056e-14,
    -1.864562880419313e-15,
    -1.2507950530688648e-15,
    7.418235256624044e-17,
    5.068148904796111e-17,
    -2.2370566594359995e-18,
    -2.187342944303018e-18,
];

/// `1 - erf(x)`, accurate where that is small.
pub fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

/// `exp(x²) erfc(x)`.
pub fn erfcx(x: f64) -> f64 {
    if x < 0.0 {
        // 2 exp(x²) - erfcx(-x), with the rounding error of x² made good.
        let square = x * x;
        let lost = x.mul_add(x, -square);
        let exp = libm::exp(square);
        return if exp.is_infinite() { exp } else { 2.0 * exp * (1.0 + lost) - erfcx(-x) };
    }
    let t = if x.is_infinite() { 1.0 } else { (x - 3.75) / (x + 3.75) };
    chebyshev(&ERFCX, t) / (1.0 + 2.0 * x)
}

/// A first guess (Winitzki, 2008), then Halley's steps on `erf(w) = x`, or on `erfc(w) = 1 - x` in the tail.
pub fn erfinv(x: f64) -> f64 {
    let magnitude = x.abs();
    if magnitude >= 1.0 || x.is_nan() || x == 0.0 {
        return if magnitude == 1.0 {
            x * f64::INFINITY
        } else if x == 0.0 {
            x
        } else {
            f64::NAN
        };
    }
    let w = if magnitude < 0.5 {
        let mut w = guess(magnitude);
        if magnitude < 1e-3 {
            w = magnitude / FRAC_2_SQRT_PI;
        }
        for _ in 0..3 {
            w = halley(w, libm::erf(w) - magnitude);
        }
        w
    } else {
        inverse_erfc(1.0 - magnitude)
    };
    w.copysign(x)
}

/// Winitzki's approximation of the inverse of erf.
fn guess(x: f64) -> f64 {
    const A: f64 = 0.147;
    let tail = libm::log((1.0 - x) * (1.0 + x));
    let centre = 2.0 / (PI * A) + tail / 2.0;
    ((centre * centre - tail / A).sqrt() - centre).max(0.0).sqrt()
}

/// The next approximation of w where erf is too large by `error`.
fn halley(w: f64, error: f64) -> f64 {
    let step = error / (FRAC_2_SQRT_PI * libm::exp(-w * w));
    w - step / (1.0 + w * step)
}

/// The w whose erfc is `q`, between 0 and 1.
fn inverse_erfc(q: f64) -> f64 {
    if q > 0.01 {
        let mut w = guess(1.0 - q);
        for _ in 0..3 {
            w = halley(w, q - libm::erfc(w));
        }
        return w;
    }
    // Newton's steps on the logarithm: log erfc(w) = log erfcx(w) - w², whose slope is -2/√π / erfcx(w).
    let log = libm::log(q);
    let mut w = (-log).sqrt();
    for _ in 0..6 {
        let scaled = erfcx(w);
        let error = libm::log(scaled) - w * w - log;
        w += error * scaled / FRAC_2_SQRT_PI;
    }
    w
}

/// The Gaussian's distribution function.
pub fn ndtr(x: f64) -> f64 {
    // What the rounding of x/√2 loses is made good: far below 0 it counts x² times.
    const LOW: f64 = -4.833_646_656_726_457e-17;
    let t = -x * FRAC_1_SQRT_2;
    let value = 0.5 * libm::erfc(t);
    if x > -1.0 || x.is_nan() || value == 0.0 {
        return value;
    }
    let lost = (-x).mul_add(FRAC_1_SQRT_2, -t) - x * LOW;
    value - FRAC_2_SQRT_PI * 0.5 * libm::exp(-t * t) * lost
}

/// The logarithm of the Gaussian's distribution function, accurate where that is small.
pub fn log_ndtr(x: f64) -> f64 {
    let t = x * FRAC_1_SQRT_2;
    if x < -1.0 { libm::log(0.5 * erfcx(-t)) - 0.5 * x * x } else { libm::log1p(-0.5 * libm::erfc(t)) }
}

/// The inverse of the Gaussian's distribution function on [0, 1].
pub fn ndtri(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        f64::NAN
    } else if p == 0.0 {
        f64::NEG_INFINITY
    } else if p == 1.0 {
        f64::INFINITY
    } else if p == 0.5 {
        0.0
    } else if (p - 0.5).abs() < 0.25 {
        SQRT_2 * erfinv(2.0 * p - 1.0)
    } else if p < 0.5 {
        -SQRT_2 * inverse_erfc(2.0 * p)
    } else {
        SQRT_2 * inverse_erfc(2.0 * (1.0 - p))
    }
}

/// `-x log x`, which is 0 at 0 and minus infinity below.
pub fn entr(x: f64) -> f64 {
    if x > 0.0 {
        -x * libm::log(x)
    } else if x == 0.0 {
        0.0
    } else if x.is_nan() {
        x
    } else {
        f64::NEG_INFINITY
    }
}

/// `x log(1 + y)`, which is 0 where x is 0 unless y is NaN.
pub fn xlog1py(x: f64, y: f64) -> f64 {
    if x == 0.0 && !y.is_nan() { 0.0 } else { x * libm::log1p(y) }
}
