//! What lies in memory for a truth value.

use std::cmp::Ordering;
use std::ops::{BitAnd, BitOr, BitXor, Not};

/// A byte of a bool tensor: false if it is 0, true if it is anything else.
///
/// The memory may be another library's, or be seen as numbers too, so that any byte can turn up at any time, which Rust's
/// `bool` does not allow. What logic gives is 0 or 1.
#[derive(Debug, Clone, Copy, Default)]
#[repr(transparent)]
pub struct Truth(u8);

impl Truth {
    /// False.
    pub const FALSE: Truth = Truth(0);
    /// True, as what is computed is.
    pub const TRUE: Truth = Truth(1);

    /// The truth value.
    #[inline(always)]
    pub const fn get(self) -> bool {
        self.0 != 0
    }

    /// 0 or 1: an instruction for many bytes at once.
    #[inline(always)]
    pub fn bit(self) -> u8 {
        self.0.min(1)
    }
}

impl From<bool> for Truth {
    #[inline(always)]
    fn from(value: bool) -> Self {
        Truth(value as u8)
    }
}

impl From<Truth> for i64 {
    #[inline(always)]
    fn from(value: Truth) -> Self {
        value.bit().into()
    }
}

impl PartialEq for Truth {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl PartialOrd for Truth {
    #[inline(always)]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.get().partial_cmp(&other.get())
    }
}

impl BitAnd for Truth {
    type Output = Truth;
    #[inline(always)]
    fn bitand(self, other: Truth) -> Truth {
        Truth(self.0.min(other.0).min(1))
    }
}

impl BitOr for Truth {
    type Output = Truth;
    #[inline(always)]
    fn bitor(self, other: Truth) -> Truth {
        Truth((self.0 | other.0).min(1))
    }
}

impl BitXor for Truth {
    type Output = Truth;
    #[inline(always)]
    fn bitxor(self, other: Truth) -> Truth {
        Truth(self.bit() ^ other.bit())
    }
}

impl Not for Truth {
    type Output = Truth;
    #[inline(always)]
    fn not(self) -> Truth {
        Truth(self.bit() ^ 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_but_0_is_true_and_results_are_0_or_1() {
        for a in 0..=u8::MAX {
            assert_eq!(Truth(a).get(), a != 0);
            assert_eq!((!Truth(a)).0, u8::from(a == 0));
            for b in 0..=u8::MAX {
                let (x, y) = (Truth(a), Truth(b));
                let (p, q) = (a != 0, b != 0);
                assert_eq!((x == y, x.partial_cmp(&y)), (p == q, p.partial_cmp(&q)));
                let got = [x & y, x | y, x ^ y].map(|t| t.0);
                assert_eq!(got, [p & q, p | q, p ^ q].map(u8::from), "{a} {b}");
            }
        }
    }
}
