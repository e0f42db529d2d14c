//! Activation functions of neural networks.

use crate::{Algebra, FloatAlgebra};

/// `1 / (1 + e^-x)`, from `e^-|x|` so that the small side keeps its digits.
#[inline(always)]
pub fn sigmoid<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    let one = a.constant(1.0);
    let small = a.exp(a.neg(a.abs(x)));
    let numerator = a.select(a.lt(x, a.constant(0.0)), small, one);
    a.div(numerator, a.add(one, small))
}

/// `log(sigmoid(x)) = min(x, 0) - log(1 + e^-|x|)`.
#[inline(always)]
pub fn log_sigmoid<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    let low = a.min(x, a.constant(0.0));
    a.sub(low, a.log1p(a.exp(a.neg(a.abs(x)))))
}

/// `log(1 + e^(beta·x)) / beta`, and `x` itself where `beta·x > threshold`.
#[inline(always)]
pub fn softplus<A: FloatAlgebra>(a: &A, x: A::Value, beta: A::Value, threshold: A::Value) -> A::Value {
    let scaled = a.mul(x, beta);
    let smooth = a.div(a.log1p(a.exp(scaled)), beta);
    a.select(a.gt(scaled, threshold), x, smooth)
}

/// `x · sigmoid(x)`, by `e^-|x|`, which does not overflow where the result is small.
#[inline(always)]
pub fn silu<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    let small = a.exp(a.neg(a.abs(x)));
    let numerator = a.select(a.lt(x, a.constant(0.0)), a.mul(x, small), x);
    a.div(numerator, a.add(a.constant(1.0), small))
}

/// `x · tanh(log(1 + e^x))` (Misra, 2019).
#[inline(always)]
pub fn mish<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    a.mul(x, super::slope::mish_gate(a, x).0)
}

/// `x · Φ(x)` with the Gaussian distribution function (Hendrycks and Gimpel, 2016).
#[inline(always)]
pub fn gelu<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    let chance = a.erfc(a.mul(x, a.constant(-std::f64::consts::FRAC_1_SQRT_2)));
    a.mul(a.mul(x, a.constant(0.5)), chance)
}

/// `x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))`, which is `x · sigmoid(2 √(2/π) (x + 0.044715 x³))`.
#[inline(always)]
pub fn gelu_tanh<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    a.mul(x, sigmoid(a, super::slope::gelu_tanh_argument(a, x)))
}

/// `x - tanh(x)`, by its power series where the two are near each other.
#[inline(always)]
pub fn tanhshrink<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    /// `(tanh x - x) / x³` in `x²`, for `|x| ≤ 0.625`.
    const CURVE: [f64; 14] = [
        -0.3333333333333333,
        0.13333333333333322,
        -0.05396825396824564,
        0.02186948853581651,
        -0.008863235521714813,
        0.0035921279081023573,
        -0.0014558330074025305,
        0.000590016965867263,
        -0.00023907183698950238,
        9.668818737101929e-05,
        -3.862668376872207e-05,
        1.4586799225336393e-05,
        -4.564436190625968e-06,
        8.40034744577684e-07,
    ];
    let square = a.mul(x, x);
    let mut sum = a.constant(-CURVE[13]);
    for coefficient in CURVE[..13].iter().rev() {
        sum = a.mul_add(sum, square, a.constant(-coefficient));
    }
    let near = a.mul(a.mul(x, square), sum);
    a.select(a.lt(a.abs(x), a.constant(0.625)), near, a.sub(x, a.tanh(x)))
}

/// `max(x, 0)`; NaN stays.
#[inline(always)]
pub fn relu<A: Algebra>(a: &A, x: A::Value) -> A::Value {
    let zero = a.constant(0.0);
    a.select(a.lt(x, zero), zero, x)
}

/// `min(max(x, 0), 6)`; NaN stays.
#[inline(always)]
pub fn relu6<A: Algebra>(a: &A, x: A::Value) -> A::Value {
    let six = a.constant(6.0);
    let low = relu(a, x);
    a.select(a.gt(low, six), six, low)
}

/// 0 where `|x| <= lambda`, else `x`; NaN stays.
#[inline(always)]
pub fn hardshrink<A: Algebra>(a: &A, x: A::Value, lambda: A::Value) -> A::Value {
    a.select(a.le(a.abs(x), lambda), a.constant(0.0), x)
}

/// `x` moved toward 0 by `lambda`, 0 where `|x| <= lambda`; NaN stays.
#[inline(always)]
pub fn shrink<A: Algebra>(a: &A, x: A::Value, lambda: A::Value) -> A::Value {
    let moved = a.select(a.lt(x, a.constant(0.0)), a.add(x, lambda), a.sub(x, lambda));
    // A NaN is not inside, and stays NaN by the subtraction. Inside, PyTorch gives a zero of the input's sign.
    a.select(a.le(a.abs(x), lambda), a.mul(x, a.constant(0.0)), moved)
}

/// `x` where above `threshold`, else `value`; NaN stays.
#[inline(always)]
pub fn threshold<A: Algebra>(a: &A, x: A::Value, threshold: A::Value, value: A::Value) -> A::Value {
    a.select(a.le(x, threshold), value, x)
}

/// `x` where positive, else `slope · x`.
#[inline(always)]
pub fn leaky_relu<A: FloatAlgebra>(a: &A, x: A::Value, slope: A::Value) -> A::Value {
    a.select(a.gt(x, a.constant(0.0)), x, a.mul(x, slope))
}

/// `x` where positive, else `alpha (e^x - 1)` (Clevert and others, 2015).
#[inline(always)]
pub fn elu<A: FloatAlgebra>(a: &A, x: A::Value, alpha: A::Value) -> A::Value {
    a.select(a.gt(x, a.constant(0.0)), x, a.mul(alpha, a.expm1(x)))
}

/// `scale (x where positive, else alpha (e^x - 1))` with the constants of Klambauer and others, 2017.
#[inline(always)]
pub fn selu<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    const ALPHA: f64 = 1.673_263_242_354_377_2;
    const SCALE: f64 = 1.050_700_987_355_480_5;
    let negative = a.mul(a.constant(ALPHA * SCALE), a.expm1(x));
    a.select(a.gt(x, a.constant(0.0)), a.mul(x, a.constant(SCALE)), negative)
}

/// `x` where positive, else `alpha (e^(x/alpha) - 1)` (Barron, 2017).
#[inline(always)]
pub fn celu<A: FloatAlgebra>(a: &A, x: A::Value, alpha: A::Value) -> A::Value {
    a.select(a.gt(x, a.constant(0.0)), x, a.mul(alpha, a.expm1(a.div(x, alpha))))
}

/// `min(max(x + 3, 0), 6) / 6` (Howard and others, 2019).
#[inline(always)]
pub fn hardsigmoid<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    a.div(relu6(a, a.add(x, a.constant(3.0))), a.constant(6.0))
}

/// `x · min(max(x + 3, 0), 6) / 6` (Howard and others, 2019).
#[inline(always)]
pub fn hardswish<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    a.div(a.mul(x, relu6(a, a.add(x, a.constant(3.0)))), a.constant(6.0))
}

/// `x / (1 + |x|)`.
#[inline(always)]
pub fn softsign<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    a.div(x, a.add(a.constant(1.0), a.abs(x)))
}

/// `x²/2` where `|x| <= delta`, else `delta (|x| - delta/2)` (Huber, 1964).
#[inline(always)]
pub fn huber<A: FloatAlgebra>(a: &A, x: A::Value, delta: A::Value) -> A::Value {
    let half = a.constant(0.5);
    let size = a.abs(x);
    let linear = a.mul(delta, a.sub(size, a.mul(half, delta)));
    a.select(a.gt(size, delta), linear, a.mul(half, a.mul(x, x)))
}
