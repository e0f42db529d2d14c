//! What the elements at given positions are.

use rustorch_backend::{Element, RandomKey, Scalar};

use super::gaussian::{gaussian32, gaussian64};
use super::philox::{WORDS, blocks, wide_blocks};
use crate::kernels::rowwise::StorageType;

/// How many elements are generated at a time.
pub(super) const BATCH: usize = WORDS;

/// Half as many: what one batch of blocks gives of 64-bit numbers.
const HALF: usize = BATCH / 2;

/// A tensor's content as a function of the position.
pub(super) trait Generate<T>: Sync {
    /// The elements from `first`, a multiple of [`BATCH`], on.
    fn batch(&self, first: u64) -> [T; BATCH];
}

/// Uniform numbers from 32-bit words.
pub(super) struct Uniform32<S> {
    pub(super) key: RandomKey,
    /// How many of a word's bits count: as many as the dtype's mantissa holds.
    pub(super) bits: u32,
    pub(super) low: f32,
    pub(super) width: f32,
    /// The largest number of the dtype that is less than the upper end.
    pub(super) most: S,
}

impl<S: StorageType<Compute = f32> + PartialOrd> Generate<S> for Uniform32<S> {
    #[inline(always)]
    fn batch(&self, first: u64) -> [S; BATCH] {
        let words = blocks(self.key, first / 4);
        // 2^-bits, exactly.
        let unit = 1.0 / (1u32 << self.bits) as f32;
        let mut out = [self.most; BATCH];
        for (i, out) in out.iter_mut().enumerate() {
            let u = (words[i % 4][i / 4] >> (32 - self.bits)) as f32 * unit;
            let value = S::from_compute(self.low + u * self.width);
            *out = if value > self.most { self.most } else { value };
        }
        out
    }
}

/// Uniform numbers from 64-bit words.
pub(super) struct Uniform64 {
    pub(super) key: RandomKey,
    pub(super) low: f64,
    pub(super) width: f64,
    /// The largest number that is less than the upper end.
    pub(super) most: f64,
}

impl Generate<f64> for Uniform64 {
    #[inline(always)]
    fn batch(&self, first: u64) -> [f64; BATCH] {
        let unit = 1.0 / (1u64 << 53) as f64;
        let mut out = [0.0; BATCH];
        for (half, out) in out.chunks_exact_mut(HALF).enumerate() {
            let words = wide_blocks(self.key, first / 2 + (half * HALF / 2) as u64);
            for (i, out) in out.iter_mut().enumerate() {
                let value = self.low + (words[i % 2][i / 2] >> 11) as f64 * unit * self.width;
                *out = if value > self.most { self.most } else { value };
            }
        }
        out
    }
}

/// Normal numbers from 32-bit words.
pub(super) struct Normal32 {
    pub(super) key: RandomKey,
    pub(super) mean: f32,
    pub(super) std: f32,
}

impl<S: StorageType<Compute = f32>> Generate<S> for Normal32 {
    #[inline(always)]
    fn batch(&self, first: u64) -> [S; BATCH] {
        let words = blocks(self.key, first / 4);
        let mut normal = [[0.0f32; BATCH / 4]; 4];
        for pair in [0, 2] {
            for l in 0..BATCH / 4 {
                [normal[pair][l], normal[pair + 1][l]] = gaussian32(words[pair][l], words[pair + 1][l]);
            }
        }
        std::array::from_fn(|i| S::from_compute(self.mean + self.std * normal[i % 4][i / 4]))
    }
}

/// Normal numbers from 64-bit words.
pub(super) struct Normal64 {
    pub(super) key: RandomKey,
    pub(super) mean: f64,
    pub(super) std: f64,
}

impl Generate<f64> for Normal64 {
    #[inline(always)]
    fn batch(&self, first: u64) -> [f64; BATCH] {
        let mut out = [0.0; BATCH];
        for (half, out) in out.chunks_exact_mut(HALF).enumerate() {
            let words = wide_blocks(self.key, first / 2 + (half * HALF / 2) as u64);
            let mut normal = [[0.0; HALF / 2]; 2];
            for l in 0..HALF / 2 {
                [normal[0][l], normal[1][l]] = gaussian64(words[0][l], words[1][l]);
            }
            for (i, out) in out.iter_mut().enumerate() {
                *out = self.mean + self.std * normal[i % 2][i / 2];
            }
        }
        out
    }
}

/// Integers over `low..low + range`.
pub(super) struct Integers {
    pub(super) key: RandomKey,
    pub(super) low: i64,
    pub(super) range: u64,
}

impl<T: Element> Generate<T> for Integers {
    #[inline(always)]
    fn batch(&self, first: u64) -> [T; BATCH] {
        let mut out = [T::default(); BATCH];
        for (half, out) in out.chunks_exact_mut(HALF).enumerate() {
            let words = wide_blocks(self.key, first / 2 + (half * HALF / 2) as u64);
            for (i, out) in out.iter_mut().enumerate() {
                let above = (u128::from(words[i % 2][i / 2]) * u128::from(self.range)) >> 64;
                *out = T::from_scalar(Scalar::Int(self.low.wrapping_add(above as i64)));
            }
        }
        out
    }
}

/// 1 where a word is less than the threshold, else 0.
pub(super) struct Coins {
    pub(super) key: RandomKey,
    pub(super) threshold: u64,
}

impl<T: Element> Generate<T> for Coins {
    #[inline(always)]
    fn batch(&self, first: u64) -> [T; BATCH] {
        let words = blocks(self.key, first / 4);
        let (one, zero) = (T::from_scalar(Scalar::Int(1)), T::default());
        std::array::from_fn(|i| if u64::from(words[i % 4][i / 4]) < self.threshold { one } else { zero })
    }
}

/// `start + i * step`.
pub(super) struct Arange {
    pub(super) start: Scalar,
    pub(super) step: Scalar,
    pub(super) floating: bool,
}

impl<T: Element> Generate<T> for Arange {
    #[inline(always)]
    fn batch(&self, first: u64) -> [T; BATCH] {
        let mut out = [T::default(); BATCH];
        for (i, out) in (first..).zip(&mut out) {
            *out = T::from_scalar(if self.floating {
                Scalar::Float(self.start.to_f64() + i as f64 * self.step.to_f64())
            } else {
                Scalar::Int(self.start.to_i64().wrapping_add((i as i64).wrapping_mul(self.step.to_i64())))
            });
        }
        out
    }
}
