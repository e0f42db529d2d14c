//! What numbers are: the traits over which the functions are written.

/// A domain of numbers: bool, integers or floats, in lanes of any count.
///
/// In the algebra of bool, addition and maximum are `or`, multiplication and minimum are `and`.
pub trait Algebra: Copy {
    /// Numbers.
    type Value: Copy;
    /// Truth values, one per number.
    type Mask: Copy;

    /// The number nearest to `value`.
    fn constant(&self, value: f64) -> Self::Value;
    /// `x + y`; integers wrap.
    fn add(&self, x: Self::Value, y: Self::Value) -> Self::Value;
    /// `x - y`; integers wrap.
    fn sub(&self, x: Self::Value, y: Self::Value) -> Self::Value;
    /// `x * y`; integers wrap.
    fn mul(&self, x: Self::Value, y: Self::Value) -> Self::Value;
    /// `x * y + z`, rounded once where the hardware can.
    fn mul_add(&self, x: Self::Value, y: Self::Value, z: Self::Value) -> Self::Value;
    /// `-x`.
    fn neg(&self, x: Self::Value) -> Self::Value;
    /// `|x|`; the lowest integer stays itself.
    fn abs(&self, x: Self::Value) -> Self::Value;
    /// The larger; NaN if either is.
    fn max(&self, x: Self::Value, y: Self::Value) -> Self::Value;
    /// The smaller; NaN if either is.
    fn min(&self, x: Self::Value, y: Self::Value) -> Self::Value;
    /// The quotient rounded down. Integers: `y` is not 0; the lowest divided by -1 wraps.
    fn floor_divide(&self, x: Self::Value, y: Self::Value) -> Self::Value;
    /// `x - floor(x / y) * y`, with the sign of `y`. Integers: `y` is not 0.
    fn remainder(&self, x: Self::Value, y: Self::Value) -> Self::Value;
    /// `x - trunc(x / y) * y`, with the sign of `x`. Integers: `y` is not 0.
    fn fmod(&self, x: Self::Value, y: Self::Value) -> Self::Value;
    /// `x` to the power `y`; integers wrap, and a negative integer power is 0 but for bases 1 and -1.
    fn pow(&self, x: Self::Value, y: Self::Value) -> Self::Value;
    /// The largest whole number not above `x`.
    fn floor(&self, x: Self::Value) -> Self::Value;
    /// The smallest whole number not below `x`.
    fn ceil(&self, x: Self::Value) -> Self::Value;
    /// The nearest whole number, halves to the even one.
    fn round(&self, x: Self::Value) -> Self::Value;
    /// `x` without its fraction.
    fn trunc(&self, x: Self::Value) -> Self::Value;

    /// `x == y`; NaN equals nothing.
    fn eq(&self, x: Self::Value, y: Self::Value) -> Self::Mask;
    /// `x != y`; true when either is NaN.
    fn ne(&self, x: Self::Value, y: Self::Value) -> Self::Mask;
    /// `x < y`.
    fn lt(&self, x: Self::Value, y: Self::Value) -> Self::Mask;
    /// `x <= y`.
    fn le(&self, x: Self::Value, y: Self::Value) -> Self::Mask;
    /// `x > y`.
    #[inline(always)]
    fn gt(&self, x: Self::Value, y: Self::Value) -> Self::Mask {
        self.lt(y, x)
    }
    /// `x >= y`.
    #[inline(always)]
    fn ge(&self, x: Self::Value, y: Self::Value) -> Self::Mask {
        self.le(y, x)
    }
    /// Whether `x` is negative; true for -0 and for a NaN whose sign bit is set.
    fn sign_bit(&self, x: Self::Value) -> Self::Mask;
    /// `x` where `mask` is true, else `y`.
    fn select(&self, mask: Self::Mask, x: Self::Value, y: Self::Value) -> Self::Value;

    /// The same truth value in every lane.
    fn mask_constant(&self, value: bool) -> Self::Mask;
    /// Both.
    fn mask_and(&self, x: Self::Mask, y: Self::Mask) -> Self::Mask;
    /// Either.
    fn mask_or(&self, x: Self::Mask, y: Self::Mask) -> Self::Mask;
    /// One but not both.
    fn mask_xor(&self, x: Self::Mask, y: Self::Mask) -> Self::Mask;
    /// The opposite.
    fn mask_not(&self, x: Self::Mask) -> Self::Mask;
}

/// Binary floating point with its elementary functions.
pub trait FloatAlgebra: Algebra {
    /// `x / y`.
    fn div(&self, x: Self::Value, y: Self::Value) -> Self::Value;
    /// The square root.
    fn sqrt(&self, x: Self::Value) -> Self::Value;
    /// `magnitude` with the sign of `sign`, which may be that of a zero or a NaN.
    fn copysign(&self, magnitude: Self::Value, sign: Self::Value) -> Self::Value;
    /// The next representable number from `x` toward `y`.
    fn next_after(&self, x: Self::Value, y: Self::Value) -> Self::Value;

    /// `e^x`.
    fn exp(&self, x: Self::Value) -> Self::Value;
    /// `2^x`.
    fn exp2(&self, x: Self::Value) -> Self::Value;
    /// `e^x - 1`, exact near 0.
    fn expm1(&self, x: Self::Value) -> Self::Value;
    /// The natural logarithm.
    fn log(&self, x: Self::Value) -> Self::Value;
    /// The logarithm to base 2.
    fn log2(&self, x: Self::Value) -> Self::Value;
    /// The logarithm to base 10.
    fn log10(&self, x: Self::Value) -> Self::Value;
    /// `log(1 + x)`, exact near 0.
    fn log1p(&self, x: Self::Value) -> Self::Value;
    /// The sine of an angle in radians.
    fn sin(&self, x: Self::Value) -> Self::Value;
    /// The cosine of an angle in radians.
    fn cos(&self, x: Self::Value) -> Self::Value;
    /// The tangent of an angle in radians.
    fn tan(&self, x: Self::Value) -> Self::Value;
    /// The inverse sine.
    fn asin(&self, x: Self::Value) -> Self::Value;
    /// The inverse cosine.
    fn acos(&self, x: Self::Value) -> Self::Value;
    /// The inverse tangent.
    fn atan(&self, x: Self::Value) -> Self::Value;
    /// The angle of the point `(x, y)`; the first argument is `y`.
    fn atan2(&self, y: Self::Value, x: Self::Value) -> Self::Value;
    /// The hyperbolic sine.
    fn sinh(&self, x: Self::Value) -> Self::Value;
    /// The hyperbolic cosine.
    fn cosh(&self, x: Self::Value) -> Self::Value;
    /// The hyperbolic tangent.
    fn tanh(&self, x: Self::Value) -> Self::Value;
    /// The inverse hyperbolic sine.
    fn asinh(&self, x: Self::Value) -> Self::Value;
    /// The inverse hyperbolic cosine.
    fn acosh(&self, x: Self::Value) -> Self::Value;
    /// The inverse hyperbolic tangent.
    fn atanh(&self, x: Self::Value) -> Self::Value;
    /// The error function.
    fn erf(&self, x: Self::Value) -> Self::Value;
    /// `1 - erf(x)`, with its digits where that is small: what `gelu` is made of.
    fn erfc(&self, x: Self::Value) -> Self::Value;
    /// `sqrt(x² + y²)` without overflow on the way.
    fn hypot(&self, x: Self::Value, y: Self::Value) -> Self::Value;
}

/// Integers and bool.
pub trait IntegerAlgebra: Algebra {
    /// Bits set in both.
    fn bit_and(&self, x: Self::Value, y: Self::Value) -> Self::Value;
    /// Bits set in either.
    fn bit_or(&self, x: Self::Value, y: Self::Value) -> Self::Value;
    /// Bits set in one.
    fn bit_xor(&self, x: Self::Value, y: Self::Value) -> Self::Value;
    /// Every bit turned; for bool the opposite.
    fn bit_not(&self, x: Self::Value) -> Self::Value;
    /// The greatest common divisor, not negative; 0 of two zeros.
    fn gcd(&self, x: Self::Value, y: Self::Value) -> Self::Value;
    /// The least common multiple, not negative; wraps.
    fn lcm(&self, x: Self::Value, y: Self::Value) -> Self::Value;
    /// `x · 2^y`, bits leaving at the top; 0 when `y` is negative or at least the width.
    fn shift_left(&self, x: Self::Value, y: Self::Value) -> Self::Value;
    /// `x / 2^y` rounded down; the sign alone when `y` is negative or at least the width.
    fn shift_right(&self, x: Self::Value, y: Self::Value) -> Self::Value;
}

/// The representation of a float, which [`polynomials`](crate::polynomials) need: a vector has it, a printed text does not.
pub trait FloatBits: FloatAlgebra {
    /// Whether this is float32 (else float64): decides how many coefficients a polynomial takes.
    const SINGLE: bool;

    /// `x` between the finite bounds `low` and `high`; NaN stays.
    fn limit(&self, x: Self::Value, low: f64, high: f64) -> Self::Value;
    /// `x · 2^n` rounded once, for whole `n` within twice the exponent's range.
    fn scale(&self, x: Self::Value, n: Self::Value) -> Self::Value;
    /// `(m, e)` with `x = m · 2^e`, `√½ ≤ m < √2` and whole `e`, for positive finite `x`, subnormal ones too.
    fn split_exponent(&self, x: Self::Value) -> (Self::Value, Self::Value);
    /// Whether any lane is true.
    fn any(&self, mask: Self::Mask) -> bool;
    /// `function` of each lane, computed in float64 and rounded: for functions too rare to be polynomials.
    fn lanewise(&self, x: Self::Value, function: fn(f64) -> f64) -> Self::Value;
    /// As [`Self::lanewise`], of two arguments.
    fn lanewise2(&self, x: Self::Value, y: Self::Value, function: fn(f64, f64) -> f64) -> Self::Value;
    /// `c[0] + c[1] x + c[2] x² + …` by Horner's rule.
    #[inline(always)]
    fn polynomial<const N: usize>(&self, x: Self::Value, coefficients: [f64; N]) -> Self::Value {
        let mut sum = self.constant(coefficients[N - 1]);
        let mut i = N - 1;
        while i > 0 {
            i -= 1;
            sum = self.mul_add(sum, x, self.constant(coefficients[i]));
        }
        sum
    }
}
