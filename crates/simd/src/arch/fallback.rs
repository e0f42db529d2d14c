//! One lane, in plain Rust: what runs where no vector instruction set is known.
// The trait's functions are unsafe for the sake of the others; only the reads and writes are here.

use super::Vector;

/// One lane of float32 or float64.
#[derive(Clone, Copy, Default)]
pub struct Scalar<T>(std::marker::PhantomData<T>);

macro_rules! scalar {
    ($t:ident, $bits:ident, $signed:ident, $mantissa:literal, $bias:literal, $mul_add:expr) => {
        // SAFETY: runs on every machine; reads and writes one element.
        unsafe impl Vector for Scalar<$t> {
            type Element = $t;
            type Register = $t;
            type Mask = bool;
            const LANES: usize = 1;

            #[inline(always)]
            unsafe fn splat(x: $t) -> $t {
                x
            }
            #[inline(always)]
            unsafe fn load(p: *const $t) -> $t {
                // SAFETY: `p` is valid for a read of one element.
                unsafe { *p }
            }
            #[inline(always)]
            unsafe fn store(p: *mut $t, x: $t) {
                // SAFETY: `p` is valid for a write of one element.
                unsafe { *p = x }
            }
            #[inline(always)]
            unsafe fn load_partial(_p: *const $t, _n: usize) -> $t {
                // Nothing is less than one lane.
                0.0
            }
            #[inline(always)]
            unsafe fn store_partial(_p: *mut $t, _x: $t, _n: usize) {}
            #[inline(always)]
            unsafe fn stream(p: *mut $t, x: $t) {
                // SAFETY: `p` is valid for a write of one element.
                unsafe { *p = x }
            }
            #[inline(always)]
            unsafe fn load_mask(p: *const u8) -> bool {
                // SAFETY: `p` is valid for a read of one byte.
                unsafe { *p != 0 }
            }
            #[inline(always)]
            unsafe fn store_mask(p: *mut u8, m: bool) {
                // SAFETY: `p` is valid for a write of one byte.
                unsafe { *p = u8::from(m) }
            }
            #[inline(always)]
            unsafe fn add(x: $t, y: $t) -> $t {
                x + y
            }
            #[inline(always)]
            unsafe fn sub(x: $t, y: $t) -> $t {
                x - y
            }
            #[inline(always)]
            unsafe fn mul(x: $t, y: $t) -> $t {
                x * y
            }
            #[inline(always)]
            unsafe fn div(x: $t, y: $t) -> $t {
                x / y
            }
            #[inline(always)]
            unsafe fn mul_add(x: $t, y: $t, z: $t) -> $t {
                $mul_add(x, y, z)
            }
            #[inline(always)]
            unsafe fn neg(x: $t) -> $t {
                -x
            }
            #[inline(always)]
            unsafe fn abs(x: $t) -> $t {
                x.abs()
            }
            #[inline(always)]
            unsafe fn sqrt(x: $t) -> $t {
                x.sqrt()
            }
            #[inline(always)]
            unsafe fn floor(x: $t) -> $t {
                x.floor()
            }
            #[inline(always)]
            unsafe fn ceil(x: $t) -> $t {
                x.ceil()
            }
            #[inline(always)]
            unsafe fn trunc(x: $t) -> $t {
                x.trunc()
            }
            #[inline(always)]
            unsafe fn round(x: $t) -> $t {
                x.round_ties_even()
            }
            #[inline(always)]
            unsafe fn max(x: $t, y: $t) -> $t {
                if x > y { x } else { y }
            }
            #[inline(always)]
            unsafe fn min(x: $t, y: $t) -> $t {
                if x < y { x } else { y }
            }
            #[inline(always)]
            unsafe fn copysign(magnitude: $t, sign: $t) -> $t {
                magnitude.copysign(sign)
            }
            #[inline(always)]
            unsafe fn eq(x: $t, y: $t) -> bool {
                x == y
            }
            #[inline(always)]
            unsafe fn ne(x: $t, y: $t) -> bool {
                x != y
            }
            #[inline(always)]
            unsafe fn lt(x: $t, y: $t) -> bool {
                x < y
            }
            #[inline(always)]
            unsafe fn le(x: $t, y: $t) -> bool {
                x <= y
            }
            #[inline(always)]
            unsafe fn sign_bit(x: $t) -> bool {
                x.is_sign_negative()
            }
            #[inline(always)]
            unsafe fn select(m: bool, x: $t, y: $t) -> $t {
                if m { x } else { y }
            }
            #[inline(always)]
            unsafe fn mask_constant(value: bool) -> bool {
                value
            }
            #[inline(always)]
            unsafe fn mask_and(x: bool, y: bool) -> bool {
                x & y
            }
            #[inline(always)]
            unsafe fn mask_or(x: bool, y: bool) -> bool {
                x | y
            }
            #[inline(always)]
            unsafe fn mask_xor(x: bool, y: bool) -> bool {
                x ^ y
            }
            #[inline(always)]
            unsafe fn mask_not(x: bool) -> bool {
                !x
            }
            #[inline(always)]
            unsafe fn any(m: bool) -> bool {
                m
            }
            #[inline(always)]
            unsafe fn scale(x: $t, n: $t) -> $t {
                // 2^n as a product of two powers whose exponents fit, so that a subnormal result is rounded once.
                let n = n as $signed;
                let half = n >> 1;
                let power = |n: $signed| $t::from_bits((n.wrapping_add($bias) as $bits) << $mantissa);
                x * power(half) * power(n - half)
            }
            #[inline(always)]
            unsafe fn split_exponent(x: $t) -> ($t, $t) {
                let tiny = x < $t::MIN_POSITIVE;
                let up = ((1 as $bits) << ($mantissa + 1)) as $t;
                let bits = if tiny { x * up } else { x }.to_bits() as $signed;
                let root = std::$t::consts::FRAC_1_SQRT_2.to_bits() as $signed;
                let e = bits.wrapping_sub(root) >> $mantissa;
                let m = $t::from_bits(bits.wrapping_sub(e << $mantissa) as $bits);
                (m, (e - if tiny { $mantissa + 1 } else { 0 }) as $t)
            }
        }
    };
}

/// `x * y + z` rounded nearly once: the product of two float32 is exact in float64.
#[inline(always)]
fn mul_add_single(x: f32, y: f32, z: f32) -> f32 {
    if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
        x.mul_add(y, z)
    } else {
        (f64::from(x) * f64::from(y) + f64::from(z)) as f32
    }
}

scalar!(f32, u32, i32, 23, 127, mul_add_single);
scalar!(f64, u64, i64, 52, 1023, f64::mul_add);
