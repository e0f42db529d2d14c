//! Derivatives of elementwise functions where the formula by the value would cancel or overflow: `y (1 - y)` of a sigmoid
//! near 1 is 0, the slope is not.

use super::trigonometric::half_turns;
use crate::FloatAlgebra;

/// `e^-x / (1 + e^-x)²` from `e^-x` with `x ≥ 0`.
#[inline(always)]
fn bell<A: FloatAlgebra>(a: &A, small: A::Value) -> A::Value {
    let divisor = a.add(a.constant(1.0), small);
    a.div(small, a.mul(divisor, divisor))
}

/// The derivative of the sigmoid.
#[inline(always)]
pub fn sigmoid_slope<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    bell(a, a.exp(a.neg(a.abs(x))))
}

/// The derivative of the hyperbolic tangent, `1 / cosh(x)²`.
#[inline(always)]
pub fn tanh_slope<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    a.mul(a.constant(4.0), bell(a, a.exp(a.mul(a.constant(-2.0), a.abs(x)))))
}

/// `x`, or a finite number of its sign beyond which every slope below is a limit: infinity times 0 would be NaN.
#[inline(always)]
fn within<A: FloatAlgebra>(a: &A, x: A::Value, bound: f64) -> A::Value {
    a.max(a.min(x, a.constant(bound)), a.constant(-bound))
}

/// The derivative of `silu`: `σ(x) + x σ'(x)`.
#[inline(always)]
pub fn silu_slope<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    let one = a.constant(1.0);
    let small = a.exp(a.neg(a.abs(x)));
    let divisor = a.add(one, small);
    let numerator = a.select(a.lt(x, a.constant(0.0)), small, one);
    let spread = a.div(a.mul(within(a, x, 1000.0), small), divisor);
    a.div(a.add(numerator, spread), divisor)
}

/// `tanh(log(1 + e^x))` and its derivative, by `u = e^-|x|`.
#[inline(always)]
pub(super) fn mish_gate<A: FloatAlgebra>(a: &A, x: A::Value) -> (A::Value, A::Value) {
    let (one, two) = (a.constant(1.0), a.constant(2.0));
    let u = a.exp(a.neg(a.abs(x)));
    // With n = e^x (e^x + 2) the gate is n / (n + 2); both are multiplied by u² where x is positive.
    let negative = a.lt(x, a.constant(0.0));
    let numerator = a.select(negative, a.mul(u, a.add(u, two)), a.mul_add(two, u, one));
    let divisor = a.add(numerator, a.select(negative, two, a.mul(two, a.mul(u, u))));
    let rise = a.mul(a.mul(a.constant(4.0), u), a.add(one, u));
    let rise = a.select(negative, rise, a.mul(rise, u));
    (a.div(numerator, divisor), a.div(rise, a.mul(divisor, divisor)))
}

/// The derivative of `mish`.
#[inline(always)]
pub fn mish_slope<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    let (gate, rise) = mish_gate(a, x);
    a.mul_add(within(a, x, 1000.0), rise, gate)
}

/// `2 √(2/π) (x + 0.044715 x³)`.
#[inline(always)]
pub(super) fn gelu_tanh_argument<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    let cube = a.mul(a.mul(x, x), x);
    let inner = a.mul_add(a.constant(0.044_715), cube, x);
    a.mul(inner, a.constant(1.595_769_121_605_730_8))
}

/// The derivative of `gelu`: `Φ(x) + x φ(x)` with the Gaussian's distribution function and density.
#[inline(always)]
pub fn gelu_slope<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    let chance = a.mul(a.constant(0.5), a.erfc(a.mul(x, a.constant(-std::f64::consts::FRAC_1_SQRT_2))));
    let density = a.exp(a.mul(a.mul(x, x), a.constant(-0.5)));
    let density = a.mul(density, a.constant(0.398_942_280_401_432_7));
    a.mul_add(within(a, x, 100.0), density, chance)
}

/// The derivative of `gelu_tanh`: `σ(y) + x y' σ'(y)` with its argument y.
#[inline(always)]
pub fn gelu_tanh_slope<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    let one = a.constant(1.0);
    let x = within(a, x, 40.0);
    let y = gelu_tanh_argument(a, x);
    let rise = a.mul_add(a.constant(0.134_145), a.mul(x, x), one);
    let rise = a.mul(rise, a.constant(1.595_769_121_605_730_8));
    let small = a.exp(a.neg(a.abs(y)));
    let divisor = a.add(one, small);
    let numerator = a.select(a.lt(y, a.constant(0.0)), small, one);
    let spread = a.div(a.mul(a.mul(x, rise), small), divisor);
    a.div(a.add(numerator, spread), divisor)
}

/// The derivative of the inverse sine, `1 / √(1 - x²)`.
#[inline(always)]
pub fn asin_slope<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    let one = a.constant(1.0);
    // Factors, so that nothing cancels near ±1.
    a.div(one, a.sqrt(a.mul(a.sub(one, x), a.add(one, x))))
}

/// The derivative of the inverse hyperbolic tangent, `1 / (1 - x²)`.
#[inline(always)]
pub fn atanh_slope<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    let one = a.constant(1.0);
    a.div(a.div(one, a.sub(one, x)), a.add(one, x))
}

/// The derivative of `logit`, `1 / x + 1 / (1 - x)`; NaN outside [0, 1].
#[inline(always)]
pub fn logit_slope<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    let one = a.constant(1.0);
    let inside = a.mask_and(a.ge(x, a.constant(0.0)), a.le(x, one));
    let slope = a.add(a.div(one, x), a.div(one, a.sub(one, x)));
    a.select(inside, slope, a.constant(f64::NAN))
}

/// The derivative of the inverse hyperbolic sine, `1 / √(1 + x²)`, from the larger of the two terms.
#[inline(always)]
pub fn asinh_slope<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    let one = a.constant(1.0);
    let magnitude = a.abs(x);
    let larger = a.max(magnitude, one);
    let ratio = a.div(a.min(magnitude, one), larger);
    a.div(one, a.mul(larger, a.sqrt(a.mul_add(ratio, ratio, one))))
}

/// `(sinc'(x) / (-π² x))` in `(π x)²`: `2 (j + 1) (-1)^j / (2 j + 3)!`.
pub(crate) const SINC_SLOPE: [f64; 12] = [
    3.333_333_333_333_333e-1,
    -3.333_333_333_333_333e-2,
    1.190_476_190_476_190_6e-3,
    -2.204_585_537_918_871_4e-5,
    2.505_210_838_544_172e-7,
    -1.927_085_260_418_593_7e-9,
    1.070_602_922_454_774_3e-11,
    -4.498_331_606_952_833e-14,
    1.479_714_344_392_379_3e-16,
    -3.914_588_212_678_252_3e-19,
    8.509_974_375_387_505e-22,
    -1.547_268_068_252_273_6e-24,
];

/// The derivative of `sinc`: its power series near 0, else `(cos(πx) - sinc(x)) / x`.
#[inline(always)]
pub fn sinc_slope<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    let pi = a.constant(std::f64::consts::PI);
    let turned = a.mul(x, pi);
    let square = a.mul(turned, turned);
    let mut sum = a.constant(SINC_SLOPE[11]);
    for &coefficient in SINC_SLOPE[..11].iter().rev() {
        sum = a.mul_add(sum, square, a.constant(coefficient));
    }
    let near = a.mul(a.mul(sum, a.neg(pi)), turned);
    let (_, rest, odd) = half_turns(a, x);
    let angle = a.mul(rest, pi);
    let far = a.sub(a.cos(angle), a.div(a.sin(angle), turned));
    let far = a.div(a.select(odd, a.neg(far), far), x);
    a.select(a.lt(a.abs(x), a.constant(0.5)), near, far)
}
