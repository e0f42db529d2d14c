//! The Box-Muller transform in operations that every device rounds alike.
//!
//! Bit for bit the same everywhere: additions, subtractions, multiplications, divisions and square roots, each rounded
//! to nearest even, in exactly the order that is written, **never contracted** to fused multiply-adds (CUDA
//! `--fmad=false` and `__fsqrt_rn`, OpenCL `FP_CONTRACT OFF` and `-cl-fp32-correctly-rounded-divide-sqrt`, Metal
//! `fp contract(off)` and `precise::`), conversions from integers rounded to nearest even, and bit operations.
//! The polynomials are those of fdlibm's log, sin and cos, and Cephes' for sin and cos in float32.

// The literals are written as they were published; the nearest number of the type is meant.
#![allow(clippy::excessive_precision)]

/// `c[0] + x (c[1] + x (c[2] + …))`.
macro_rules! horner {
    ($x:expr, $c:expr) => { $c };
    ($x:expr, $c:expr, $($rest:expr),+) => { $c + $x * horner!($x, $($rest),+) };
}

macro_rules! gaussian {
    (
        $function:ident, $t:ty, $unsigned:ty, $signed:ty, mantissa $mantissa:literal, sqrt_half $sqrt_half:literal,
        ln2 $ln2_high:literal $ln2_low:literal,
        odd [$($odd:literal),+], even [$($even:literal),+], sin [$($sin:literal),+], cos [$($cos:literal),+]
    ) => {
        /// Two independent standard normal numbers from two independent uniform integers.
        ///
        /// `radius` gives `r = sqrt(-2 log u)` with `u = radius * 2^-bits + 2^-(bits + 1)`. `angle` is in units of
        /// `2^-bits` turns; its top bits, rounded, name the quarter, the rest is an angle of at most an eighth.
        #[inline(always)]
        #[allow(clippy::approx_constant, reason = "written out so that every device rounds the same digits")]
        pub(super) fn $function(radius: $unsigned, angle: $unsigned) -> [$t; 2] {
            const BITS: u32 = <$unsigned>::BITS;
            // 2^-bits and half of it, exactly.
            let unit: $t = 1.0 / (1 as $unsigned).rotate_right(1) as $t / 2.0;
            let u = radius as $t * unit + unit / 2.0;

            // log u = exponent log 2 + log m, √½ ≤ m < √2, and log m = log((1 + s) / (1 - s)).
            let bits = (u.to_bits() as $signed).wrapping_sub($sqrt_half);
            let exponent = (bits >> $mantissa) as $t;
            let m = <$t>::from_bits(((bits & ((1 << $mantissa) - 1)) + $sqrt_half) as $unsigned);
            let f = m - 1.0;
            let s = f / (2.0 + f);
            let z = s * s;
            let w = z * z;
            let series = w * (horner!(w, $($even),+)) + z * (horner!(w, $($odd),+));
            let half_square = 0.5 * f * f;
            let log = s * (half_square + series) + exponent * $ln2_low - half_square + f + exponent * $ln2_high;
            // Rounding may leave the logarithm of a number next to 1 above 0.
            let squared = -2.0 * log;
            let r = (if squared > 0.0 { squared } else { 0.0 }).sqrt();

            let quarter = angle.wrapping_add(1 << (BITS - 3)) >> (BITS - 2);
            let x = (angle << 2) as $signed as $t * (unit * 1.570_796_326_794_896_6);
            let z = x * x;
            let sin = x + x * (z * (horner!(z, $($sin),+)));
            let cos = 1.0 - 0.5 * z + z * z * (horner!(z, $($cos),+));
            // A quarter turn takes (cos, sin) to (-sin, cos).
            let swap = quarter & 1 != 0;
            let (across, up) = if swap { (sin, cos) } else { (cos, sin) };
            let across_sign = ((quarter ^ (quarter >> 1)) & 1) << (BITS - 1);
            let up_sign = (quarter >> 1) << (BITS - 1);
            [
                r * <$t>::from_bits(across.to_bits() ^ across_sign),
                r * <$t>::from_bits(up.to_bits() ^ up_sign),
            ]
        }
    };
}

gaussian!(
    gaussian32, f32, u32, i32, mantissa 23, sqrt_half 0x3f35_04f3,
    ln2 6.931_381_225_6e-1 9.058_000_614_5e-6,
    odd [0.666_666_626_93, 0.284_987_866_88], even [0.400_009_721_52, 0.242_790_788_41],
    sin [-1.666_665_461_1e-1, 8.332_160_873_6e-3, -1.951_529_589_1e-4],
    cos [4.166_664_568_298_827e-2, -1.388_731_625_493_765e-3, 2.443_315_711_809_948e-5]
);

gaussian!(
    gaussian64, f64, u64, i64, mantissa 52, sqrt_half 0x3fe6_a09e_667f_3bcd,
    ln2 6.931_471_803_691_238_164_90e-1 1.908_214_929_270_587_700_02e-10,
    odd [
        6.666_666_666_666_735_130e-1, 2.857_142_874_366_239_149e-1, 1.818_357_216_161_805_012e-1,
        1.479_819_860_511_658_591e-1
    ],
    even [3.999_999_999_940_941_908e-1, 2.222_219_843_214_978_396e-1, 1.531_383_769_920_937_332e-1],
    sin [
        -1.666_666_666_666_663_243_48e-1, 8.333_333_333_322_489_461_24e-3, -1.984_126_982_985_794_931_34e-4,
        2.755_731_370_707_006_767_89e-6, -2.505_076_025_340_686_341_95e-8, 1.589_690_995_211_550_102_21e-10
    ],
    cos [
        4.166_666_666_666_660_190_37e-2, -1.388_888_888_887_410_957_49e-3, 2.480_158_728_947_672_941_78e-5,
        -2.755_731_435_139_066_330_35e-7, 2.087_572_321_298_174_827_90e-9, -1.135_964_755_778_819_482_65e-11
    ]
);

#[cfg(test)]
mod tests {
    use super::*;

    /// The transform by the standard library's functions.
    fn reference(radius: f64, angle: f64) -> [f64; 2] {
        let r = (-2.0 * radius.ln()).sqrt();
        let turn = angle * std::f64::consts::TAU;
        [r * turn.cos(), r * turn.sin()]
    }

    #[test]
    fn follows_the_exact_transform() {
        let mut state = 1u64;
        for i in 0..200_000u64 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let edges = [0, 1, 1 << 29, 1 << 30, 1 << 31, 3 << 30, u32::MAX, u32::MAX - 1];
            let (a, b) = match i {
                0..64 => (edges[i as usize % 8], edges[i as usize / 8]),
                _ => ((state >> 32) as u32, (state.rotate_left(17) >> 32) as u32),
            };
            let u = f64::from(a as f32 * 2f32.powi(-32) + 2f32.powi(-33));
            let expected = reference(u, f64::from(b) / 2f64.powi(32));
            for (got, expected) in gaussian32(a, b).into_iter().zip(expected) {
                assert!((f64::from(got) - expected).abs() <= 1.5e-6, "{a} {b}: {got} {expected}");
            }
            let (a, b) = (u64::from(a) << 32 | state >> 32, u64::from(b) << 32 | state & 0xffff_ffff);
            let u = a as f64 * 2f64.powi(-64) + 2f64.powi(-65);
            let expected = reference(u, b as f64 / 2f64.powi(64));
            for (got, expected) in gaussian64(a, b).into_iter().zip(expected) {
                assert!((got - expected).abs() <= 1e-14, "{a} {b}: {got} {expected}");
            }
        }
    }

    #[test]
    fn gives_the_same_bits_everywhere() {
        // Another device that gives these has understood the rules above.
        let bits = |a, b| gaussian32(a, b).map(f32::to_bits);
        let wide = |a, b| gaussian64(a, b).map(f64::to_bits);
        assert_eq!(bits(0, 0), PINNED_32[0]);
        assert_eq!(bits(0x1234_5678, 0x9abc_def0), PINNED_32[1]);
        assert_eq!(wide(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210), PINNED_64);
    }

    /// From a transcription of the rules to NumPy's float32 and float64.
    const PINNED_32: [[u32; 2]; 2] = [[0x40d8_7047, 0], [0xbfe9_2f37, 0xbfb3_9381]];
    const PINNED_64: [u64; 2] = [0x400a_51d0_18ac_baca, 0xbfb7_8688_6fd8_3763];
}
