//! `e^x`, `2^x`, `e^x - 1`: `x = n ln 2 + r`, a polynomial in `r`, and a scaling by `2^n`.

use std::f64::consts::LOG2_E;

use super::fused_subtract;
use crate::FloatBits;

const LN2_PARTS_SINGLE: [f64; 2] = [0.6931471824645996, -1.9046542121259336e-9];
const LN2_PARTS_DOUBLE: [f64; 2] = [6.93147180369123816490e-01, 1.90821492927058770002e-10];

/// `(e^r - 1 - r) / r²` for `|r| ≤ ln 2 / 2`.
const TAIL_SINGLE: [f64; 6] = [
    0.5,
    0.1666666567325592,
    0.04166626185178757,
    0.008333432488143444,
    0.0013946653343737125,
    0.0001982629473786801,
];
const TAIL_DOUBLE: [f64; 11] = [
    0.5,
    0.16666666666666685,
    0.041666666666665735,
    0.00833333333331598,
    0.001388888888923311,
    0.00019841269898876823,
    2.4801586754103375e-05,
    2.7557232444236314e-06,
    2.7557698669001057e-07,
    2.5112862426674927e-08,
    2.0796944402242816e-09,
];

/// The same for `|r| ≤ 0.53`.
const WIDE_TAIL_SINGLE: [f64; 7] = [
    0.5,
    0.1666666716337204,
    0.0416666679084301,
    0.008333087898790836,
    0.0013888520188629627,
    0.00019991083536297083,
    2.4976323402370326e-05,
];
const WIDE_TAIL_DOUBLE: [f64; 12] = [
    0.5,
    0.16666666666666666,
    0.041666666666668455,
    0.008333333333333554,
    0.0013888888888379239,
    0.00019841269840765928,
    2.4801587923502378e-05,
    2.755731975540267e-06,
    2.755695036773597e-07,
    2.5051824713726034e-08,
    2.0981724147743403e-09,
    1.613356414435088e-10,
];

/// `(2^r - 1) / r` for `|r| ≤ ½`.
pub(super) const EXP2_SINGLE: [f64; 7] = [
    0.6931471824645996,
    0.24022650718688965,
    0.05550410971045494,
    0.009618035517632961,
    0.0013333449605852365,
    0.00015467620687559247,
    1.5310311937355436e-05,
];
pub(super) const EXP2_DOUBLE: [f64; 13] = [
    0.6931471805599453,
    0.24022650695910072,
    0.05550410866482158,
    0.009618129107628489,
    0.0013333558146428454,
    0.00015403530393353184,
    1.525273380403795e-05,
    1.3215486823696437e-06,
    1.0178086030556207e-07,
    7.054891573375713e-09,
    4.44552715614867e-10,
    2.5737395861065486e-11,
    1.3721002680652034e-12,
];

/// Beyond these powers of 2 the result is 0 or infinite; within them `scale` is exact.
#[inline(always)]
pub(super) const fn exponent_bounds<A: FloatBits>() -> (f64, f64) {
    if A::SINGLE { (-160.0, 140.0) } else { (-1090.0, 1040.0) }
}

/// `e^x`.
#[inline(always)]
pub fn exp<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    let (low, high) = exponent_bounds::<A>();
    let x = a.limit(x, low / LOG2_E, high / LOG2_E);
    let n = a.round(a.mul(x, a.constant(LOG2_E)));
    let r = fused_subtract(a, x, n, if A::SINGLE { LN2_PARTS_SINGLE } else { LN2_PARTS_DOUBLE });
    let tail = if A::SINGLE { a.polynomial(r, TAIL_SINGLE) } else { a.polynomial(r, TAIL_DOUBLE) };
    let one = a.constant(1.0);
    a.scale(a.mul_add(a.mul_add(tail, r, one), r, one), n)
}

/// `2^x`.
#[inline(always)]
pub fn exp2<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    let (low, high) = exponent_bounds::<A>();
    let x = a.limit(x, low, high);
    let n = a.round(x);
    let r = a.sub(x, n);
    let slope = if A::SINGLE { a.polynomial(r, EXP2_SINGLE) } else { a.polynomial(r, EXP2_DOUBLE) };
    a.scale(a.mul_add(r, slope, a.constant(1.0)), n)
}

/// `e^x - 1`.
#[inline(always)]
pub fn expm1<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    // Below the lower bound the result rounds to -1.
    let (low, high) = if A::SINGLE { (-20.0, 97.0) } else { (-40.0, 720.0) };
    let limited = a.limit(x, low, high);
    // Near 0 the polynomial alone, on a wider interval, so that 2^n - 1 never cancels it.
    let n = a.round(a.mul(limited, a.constant(LOG2_E)));
    let n = a.select(a.lt(a.abs(limited), a.constant(0.52)), a.constant(0.0), n);
    let r = fused_subtract(a, limited, n, if A::SINGLE { LN2_PARTS_SINGLE } else { LN2_PARTS_DOUBLE });
    let tail = if A::SINGLE { a.polynomial(r, WIDE_TAIL_SINGLE) } else { a.polynomial(r, WIDE_TAIL_DOUBLE) };
    let small = a.mul_add(a.mul(r, r), tail, r);
    // 2^n small + (2^n - 1) = 2^n (small + (1 - 2^-n)); the second form does not overflow.
    let one = a.constant(1.0);
    let rest = a.sub(one, a.scale(one, a.neg(n)));
    let result = a.scale(a.add(small, rest), n);
    // Keeps -0.
    a.select(a.eq(x, a.constant(0.0)), x, result)
}
