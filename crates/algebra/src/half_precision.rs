//! From float64 to the half precisions, rounded once. By way of float32 a number beside the middle between two halves would
//! first become that middle, and then round to the wrong side.

use half::{bf16, f16};

/// The float32 that rounds to a half as `x` does: `x` itself where it is a float32, else that one of its neighbours whose
/// last bit is 1 ("round to odd"), which is no middle between halves.
#[inline(always)]
fn to_odd(x: f64) -> f32 {
    let nearest = x as f32;
    let back = f64::from(nearest);
    let bits = nearest.to_bits();
    // Exact, NaN, or odd already; else the other neighbour is odd, and a step of the magnitude away.
    if back == x || x.is_nan() || bits & 1 == 1 {
        nearest
    } else if back.abs() > x.abs() {
        f32::from_bits(bits - 1)
    } else {
        f32::from_bits(bits + 1)
    }
}

/// The nearest float16, halves to even.
#[inline]
pub fn f16_from_f64(x: f64) -> f16 {
    f16::from_f32(to_odd(x))
}

/// The nearest bfloat16, halves to even.
#[inline]
pub fn bf16_from_f64(x: f64) -> bf16 {
    bf16::from_f32(to_odd(x))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of all halves the one at the least distance, the even one of two.
    fn nearest(x: f64, values: &[(u16, f64)]) -> u16 {
        let distance = |&(bits, value): &(u16, f64)| ((value - x).abs(), bits & 1);
        let least = values.iter().min_by(|a, b| {
            let ((a, odd_a), (b, odd_b)) = (distance(a), distance(b));
            a.total_cmp(&b).then(odd_a.cmp(&odd_b))
        });
        least.map_or(0, |(bits, _)| *bits)
    }

    #[test]
    fn numbers_beside_a_middle_round_to_the_nearest() {
        for (values, from) in [
            (
                (0..0x7c00u16).map(|b| (b, f16::from_bits(b).to_f64())).collect::<Vec<_>>(),
                (|x| f16_from_f64(x).to_bits()) as fn(f64) -> u16,
            ),
            ((0..0x7f80u16).map(|b| (b, bf16::from_bits(b).to_f64())).collect(), |x| {
                bf16_from_f64(x).to_bits()
            }),
        ] {
            for pair in values.windows(2).step_by(37) {
                let (low, high) = (pair[0].1, pair[1].1);
                let middle = low / 2.0 + high / 2.0;
                let gap = high - low;
                for x in
                    [middle, middle + gap * 1e-12, middle - gap * 1e-12, middle.next_up(), middle.next_down()]
                {
                    assert_eq!(from(x), nearest(x, pair), "{x:e}");
                    assert_eq!(from(-x), nearest(x, pair) | 0x8000, "-{x:e}");
                }
            }
        }
        assert_eq!(bf16_from_f64(1.128_906_664_322_090_4).to_f64(), 1.132_812_5);
        assert!(f16_from_f64(f64::NAN).is_nan() && bf16_from_f64(f64::NAN).is_nan());
        assert_eq!(f16_from_f64(65519.999), f16::MAX);
        assert_eq!(f16_from_f64(65520.0), f16::INFINITY);
        assert_eq!(bf16_from_f64(f64::MAX), bf16::INFINITY);
        assert_eq!(bf16_from_f64(f64::NEG_INFINITY), bf16::NEG_INFINITY);
        assert_eq!(f16_from_f64(1e-30).to_bits(), 0);
    }
}
