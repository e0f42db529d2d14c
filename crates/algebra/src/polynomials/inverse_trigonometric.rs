//! Inverse circular functions: an odd polynomial near 0, and identities that lead there.

use std::f64::consts::PI;

use crate::FloatBits;

/// `(atan x - x) / x³` in `x²`, for `|x| ≤ 1`.
const ATAN_SINGLE: [f64; 10] = [
    -0.33333325386047363,
    0.19999633729457855,
    -0.14279332756996155,
    0.11054951697587967,
    -0.08798883110284805,
    0.0671394020318985,
    -0.044302549213171005,
    0.022212041541934013,
    -0.007164361421018839,
    0.001083198469132185,
];
const ATAN_DOUBLE: [f64; 21] = [
    -0.33333333333333276,
    0.1999999999998895,
    -0.14285714284946852,
    0.11111111083656836,
    -0.09090908494545852,
    0.07692299049256009,
    -0.06666577850053976,
    0.058816779629035386,
    -0.052592464746367945,
    0.04744219643661078,
    -0.04284314703304446,
    0.03816213201010736,
    -0.032698192926413315,
    0.026026625549118283,
    -0.01847388739489664,
    0.011195889130341896,
    -0.005532359496729474,
    0.0021130985276246175,
    -0.0005801217238663091,
    0.00010125988179758544,
    -8.406146087826959e-06,
];

/// `(asin x - x) / x³` in `x²`, for `|x| ≤ ½`.
const ASIN_SINGLE: [f64; 6] = [
    0.16666659712791443,
    0.07500497251749039,
    0.044518522918224335,
    0.031793925911188126,
    0.014491950161755085,
    0.03744102641940117,
];
const ASIN_DOUBLE: [f64; 13] = [
    0.16666666666666757,
    0.07499999999971521,
    0.04464285717380503,
    0.030381942749934335,
    0.022372213738795926,
    0.017351635152949296,
    0.013980537778747257,
    0.011401252713132394,
    0.010767050420932416,
    0.003756418384580855,
    0.021585730664082457,
    -0.020827071058849313,
    0.03252136677253647,
];

/// π as a sum of two floats of the type.
#[inline(always)]
const fn pi<A: FloatBits>() -> [f64; 2] {
    if A::SINGLE { [3.1415927410125732, -8.742277657347586e-08] } else { [PI, 1.2246467991473532e-16] }
}

/// So many quarters of a turn minus `angle`.
#[inline(always)]
fn quarters_minus<A: FloatBits>(a: &A, quarters: f64, angle: A::Value) -> A::Value {
    let [high, low] = pi::<A>().map(|part| part * 0.5 * quarters);
    a.add(a.sub(a.constant(high), angle), a.constant(low))
}

/// The inverse tangent of `|x| ≤ 1`.
#[inline(always)]
fn atan_near<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    let z = a.mul(x, x);
    let curve = if A::SINGLE { a.polynomial(z, ATAN_SINGLE) } else { a.polynomial(z, ATAN_DOUBLE) };
    a.mul_add(a.mul(x, z), curve, x)
}

/// The inverse tangent: beyond 1 that of the reciprocal, taken from a quarter turn.
#[inline(always)]
pub fn atan<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    let one = a.constant(1.0);
    let magnitude = a.abs(x);
    let beyond = a.gt(magnitude, one);
    let near = atan_near(a, a.select(beyond, a.div(one, magnitude), magnitude));
    a.copysign(a.select(beyond, quarters_minus(a, 1.0, near), near), x)
}

/// The angle of the point `(x, y)`: the inverse tangent of the smaller coordinate by the larger, turned to where the point
/// is.
#[inline(always)]
pub fn atan2<A: FloatBits>(a: &A, y: A::Value, x: A::Value) -> A::Value {
    let (zero, one) = (a.constant(0.0), a.constant(1.0));
    let (across, up) = (a.abs(x), a.abs(y));
    let steep = a.gt(up, across);
    let (larger, smaller) = (a.select(steep, up, across), a.select(steep, across, up));
    // The angles of the origin are those of the axes, and between two infinities there is a diagonal.
    let ratio = a.select(a.eq(larger, zero), zero, a.div(smaller, larger));
    let ratio = a.select(a.eq(smaller, a.constant(f64::INFINITY)), one, ratio);
    let angle = atan_near(a, ratio);
    let angle = a.select(steep, quarters_minus(a, 1.0, angle), angle);
    let angle = a.select(a.sign_bit(x), quarters_minus(a, 2.0, angle), angle);
    let nan = a.mask_or(a.ne(x, x), a.ne(y, y));
    a.select(nan, a.add(x, y), a.copysign(angle, y))
}

/// `asin(root)` with `root² = z ≤ ¼`, less `root`.
#[inline(always)]
fn asin_rest<A: FloatBits>(a: &A, root: A::Value, z: A::Value) -> A::Value {
    let curve = if A::SINGLE { a.polynomial(z, ASIN_SINGLE) } else { a.polynomial(z, ASIN_DOUBLE) };
    a.mul(a.mul(root, z), curve)
}

/// Whether `|x| > ½`; then, and else, a number of which the inverse sine is needed, and its square.
#[inline(always)]
fn halved<A: FloatBits>(a: &A, magnitude: A::Value) -> (A::Mask, A::Value, A::Value) {
    let half = a.constant(0.5);
    let far = a.gt(magnitude, half);
    // 1 - |x| is exact there.
    let z = a.mul(half, a.sub(a.constant(1.0), magnitude));
    (far, a.select(far, a.sqrt(z), magnitude), a.select(far, z, a.mul(magnitude, magnitude)))
}

/// The inverse sine: beyond ½, `π/2 - 2 asin(√((1 - |x|) / 2))`.
#[inline(always)]
pub fn asin<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    let (far, root, z) = halved(a, a.abs(x));
    let rest = asin_rest(a, root, z);
    let near = a.add(root, rest);
    let beyond = quarters_minus(a, 1.0, a.mul(a.constant(2.0), near));
    a.copysign(a.select(far, beyond, near), x)
}

/// The inverse cosine: `π/2 - asin(x)`, beyond ½ twice the inverse sine above.
#[inline(always)]
pub fn acos<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    let (far, root, z) = halved(a, a.abs(x));
    let near = a.add(root, asin_rest(a, root, z));
    let negative = a.lt(x, a.constant(0.0));
    let twice = a.mul(a.constant(2.0), near);
    let beyond = a.select(negative, quarters_minus(a, 2.0, twice), twice);
    let signed = a.select(negative, a.neg(near), near);
    a.select(far, beyond, quarters_minus(a, 1.0, signed))
}
