//! Elements as unsigned numbers of the same order.

use rustorch_backend::Truth;
use rustorch_backend::half::{bf16, f16};

/// An element that can be sorted by an unsigned key of [`Self::BITS`] bits.
pub(super) trait SortKey: Copy + Send + Sync + 'static {
    /// The width of keys.
    const BITS: u32;

    /// The key: ordered as the elements, NaN last, the two zeros alike.
    fn key(self) -> u64;

    /// The one element with this key, where there is only one.
    fn from_key(key: u64) -> Option<Self>;
}

macro_rules! integers {
    ($($t:ty, $unsigned:ty, $flip:expr;)*) => {$(
        impl SortKey for $t {
            const BITS: u32 = <$t>::BITS;
            #[inline(always)]
            fn key(self) -> u64 {
                u64::from(self as $unsigned ^ $flip)
            }
            #[inline(always)]
            fn from_key(key: u64) -> Option<Self> {
                Some((key as $unsigned ^ $flip) as $t)
            }
        }
    )*};
}

integers! {
    u8, u8, 0;
    i8, u8, 1 << 7;
    i16, u16, 1 << 15;
    i32, u32, 1 << 31;
    i64, u64, 1 << 63;
}

impl SortKey for Truth {
    const BITS: u32 = 8;
    #[inline(always)]
    fn key(self) -> u64 {
        u64::from(self.get())
    }
    #[inline(always)]
    fn from_key(key: u64) -> Option<Self> {
        Some(Truth::from(key != 0))
    }
}

macro_rules! floats {
    ($($t:ty, $bits:ty;)*) => {$(
        impl SortKey for $t {
            const BITS: u32 = <$bits>::BITS;
            #[inline(always)]
            #[allow(clippy::eq_op)] // Only NaN differs from itself.
            fn key(self) -> u64 {
                const SIGN: $bits = 1 << (<$bits>::BITS - 1);
                let bits = self.to_bits();
                let key = if bits & !SIGN == 0 {
                    SIGN
                } else if self != self {
                    <$bits>::MAX
                } else if bits & SIGN == 0 {
                    bits | SIGN
                } else {
                    !bits
                };
                u64::from(key)
            }
            #[inline(always)]
            fn from_key(key: u64) -> Option<Self> {
                const SIGN: $bits = 1 << (<$bits>::BITS - 1);
                let key = key as $bits;
                if key == SIGN || key == <$bits>::MAX {
                    return None;
                }
                Some(<$t>::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN }))
            }
        }
    )*};
}

floats! { f16, u16; bf16, u16; f32, u32; f64, u64; }

/// A key and a place, ordered by key, then by place.
pub(super) trait Entry: Copy + Ord + Send + Default {
    fn new(key: u64, place: usize) -> Self;
    fn key(self) -> u64;
    fn place(self) -> usize;
}

impl Entry for u64 {
    #[inline(always)]
    fn new(key: u64, place: usize) -> Self {
        key << 32 | place as u64
    }
    #[inline(always)]
    fn key(self) -> u64 {
        self >> 32
    }
    #[inline(always)]
    fn place(self) -> usize {
        (self & u64::from(u32::MAX)) as usize
    }
}

impl Entry for u128 {
    #[inline(always)]
    fn new(key: u64, place: usize) -> Self {
        u128::from(key) << 64 | place as u128
    }
    #[inline(always)]
    fn key(self) -> u64 {
        (self >> 64) as u64
    }
    #[inline(always)]
    fn place(self) -> usize {
        self as u64 as usize
    }
}
