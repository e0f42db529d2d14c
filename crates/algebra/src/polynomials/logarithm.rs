//! Logarithms: `x = 2^e m` with `m` near 1, a polynomial in `f = m - 1`, and `e` times the logarithm of 2.

use crate::FloatBits;

/// `(log_b(1 + f) - f / ln b) / f²` for `√½ - 1 ≤ f ≤ √2 - 1` and b = e, 2, 10.
const LOG_SINGLE: [f64; 10] = [
    -0.5,
    0.3333331048488617,
    -0.25000032782554626,
    0.20002278685569763,
    -0.16667532920837402,
    0.14216476678848267,
    -0.12407940626144409,
    0.11909501254558563,
    -0.11680014431476593,
    0.06714259833097458,
];
const LOG2_SINGLE: [f64; 10] = [
    -0.7213475108146667,
    0.48089802265167236,
    -0.3606742322444916,
    0.28857189416885376,
    -0.24046167731285095,
    0.205100417137146,
    -0.17900873720645905,
    0.17181777954101562,
    -0.16850697994232178,
    0.09686629474163055,
];
const LOG10_SINGLE: [f64; 10] = [
    -0.21714724600315094,
    0.1447647213935852,
    -0.10857376456260681,
    0.08686879277229309,
    -0.07238617539405823,
    0.06174137815833092,
    -0.05388700217008591,
    0.05172230675816536,
    -0.05072565749287605,
    0.029159661382436752,
];
/// `(log((1 + s) / (1 - s)) - 2 s) / s³` as a polynomial in `s²`.
const ATANH_DOUBLE: [f64; 8] = [
    0.6666666666666666,
    0.4000000000000644,
    0.2857142856903218,
    0.22222222654076268,
    0.181817751261753,
    0.15387113007629477,
    0.13249638515308265,
    0.13255538077041729,
];

/// A base: its logarithms of e and of 2 as sums of two floats, and the polynomial for float32.
struct Base {
    of_e: [f64; 2],
    of_two: [f64; 2],
    single: [f64; 10],
}

const NATURAL_SINGLE: Base =
    Base { of_e: [1.0, 0.0], of_two: [0.6931471824645996, -1.9046542121259336e-09], single: LOG_SINGLE };
const NATURAL_DOUBLE: Base =
    Base { of_e: [1.0, 0.0], of_two: [std::f64::consts::LN_2, 2.3190468138462996e-17], single: LOG_SINGLE };
const BINARY_SINGLE: Base =
    Base { of_e: [1.4426950216293335, 1.925963033500011e-08], of_two: [1.0, 0.0], single: LOG2_SINGLE };
const BINARY_DOUBLE: Base = Base {
    of_e: [std::f64::consts::LOG2_E, 2.035_527_374_093_103_3e-17],
    of_two: [1.0, 0.0],
    single: LOG2_SINGLE,
};
const DECIMAL_SINGLE: Base = Base {
    of_e: [0.4342944920063019, -1.0103049952192578e-08],
    of_two: [0.3010300099849701, -1.432098883924482e-08],
    single: LOG10_SINGLE,
};
const DECIMAL_DOUBLE: Base = Base {
    of_e: [std::f64::consts::LOG10_E, 1.098_319_650_216_765_1e-17],
    of_two: [std::f64::consts::LOG10_2, -2.8037281277851704e-18],
    single: LOG10_SINGLE,
};

/// `log_b(2^e (1 + f))`.
#[inline(always)]
fn logarithm_of<A: FloatBits>(a: &A, base: &Base, f: A::Value, e: A::Value) -> A::Value {
    let [high, low] = base.of_e;
    let near = if A::SINGLE {
        let square = a.mul(f, f);
        let curve = a.mul(square, a.polynomial(f, base.single));
        let curve = if low == 0.0 { curve } else { a.mul_add(f, a.constant(low), curve) };
        a.mul_add(e, a.constant(base.of_two[1]), curve)
    } else {
        // log(1 + f) = f - (f²/2 - s (f²/2 + R)), s = f / (2 + f) (FreeBSD's e_log.c).
        let s = a.div(f, a.add(a.constant(2.0), f));
        let z = a.mul(s, s);
        let curve = a.mul(z, a.polynomial(z, ATANH_DOUBLE));
        let half_square = a.mul(a.mul(f, f), a.constant(0.5));
        let tail = a.sub(a.mul(s, a.add(half_square, curve)), half_square);
        let tail =
            if low == 0.0 { tail } else { a.mul_add(f, a.constant(low), a.mul(tail, a.constant(high))) };
        a.mul_add(e, a.constant(base.of_two[1]), tail)
    };
    let sum = if high == 1.0 { a.add(f, near) } else { a.mul_add(f, a.constant(high), near) };
    a.mul_add(e, a.constant(base.of_two[0]), sum)
}

/// What every logarithm is at 0, below it, and at infinity.
#[inline(always)]
fn with_edges<A: FloatBits>(a: &A, x: A::Value, finite: A::Value) -> A::Value {
    let zero = a.constant(0.0);
    let infinity = a.constant(f64::INFINITY);
    let result = a.select(a.lt(x, infinity), finite, x);
    let result = a.select(a.eq(x, zero), a.neg(infinity), result);
    a.select(a.lt(x, zero), a.constant(f64::NAN), result)
}

#[inline(always)]
fn logarithm<A: FloatBits>(a: &A, base: &Base, x: A::Value) -> A::Value {
    let (m, e) = a.split_exponent(x);
    with_edges(a, x, logarithm_of(a, base, a.sub(m, a.constant(1.0)), e))
}

/// The natural logarithm.
#[inline(always)]
pub fn log<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    logarithm(a, if A::SINGLE { &NATURAL_SINGLE } else { &NATURAL_DOUBLE }, x)
}

/// The logarithm to base 2.
#[inline(always)]
pub fn log2<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    logarithm(a, if A::SINGLE { &BINARY_SINGLE } else { &BINARY_DOUBLE }, x)
}

/// The logarithm to base 10.
#[inline(always)]
pub fn log10<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    logarithm(a, if A::SINGLE { &DECIMAL_SINGLE } else { &DECIMAL_DOUBLE }, x)
}

/// `log(1 + x)`: the logarithm of the rounded `1 + x`, with what the rounding lost put back.
#[inline(always)]
pub fn log1p<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    let one = a.constant(1.0);
    let sum = a.add(one, x);
    // One of the two is exact: the sum minus the larger addend.
    let lost = a.select(a.lt(x, one), a.sub(x, a.sub(sum, one)), a.sub(one, a.sub(sum, x)));
    let (m, e) = a.split_exponent(sum);
    let f = a.add(a.sub(m, one), a.mul(lost, a.scale(one, a.neg(e))));
    let base = if A::SINGLE { &NATURAL_SINGLE } else { &NATURAL_DOUBLE };
    let result = with_edges(a, sum, logarithm_of(a, base, f, e));
    // Keeps -0 and the subnormal numbers.
    a.select(a.lt(a.abs(x), a.constant(if A::SINGLE { 1e-9 } else { 1e-18 })), x, result)
}
