//! What lies in memory for a truth value: a byte, of which any but 0 is true; and for a number: itself.

use crate::Lanes;

/// How an argument or result of an operation lies in memory.
pub(super) trait Kind<A: Lanes> {
    /// What the algebra computes with.
    type Lane: Copy;
    /// Bytes per element.
    const SIZE: usize;

    /// Reads lanes from element `i` on, `n` of them, at most `LANES`.
    ///
    /// # Safety
    /// `base` is valid for reads of `n` elements from `i` on.
    unsafe fn load(a: &A, base: *const u8, i: usize, n: usize) -> Self::Lane;

    /// Writes lanes from element `i` on, `n` of them, around the caches if `stream`.
    ///
    /// # Safety
    /// `base` is valid for writes of `n` elements from `i` on; if `stream`, whole vectors are aligned.
    unsafe fn store(a: &A, base: *mut u8, i: usize, n: usize, lane: Self::Lane, stream: bool);
}

/// A number of the compute dtype.
pub(super) struct Value;

/// A truth value.
pub(super) struct Mask;

impl<A: Lanes> Kind<A> for Value {
    type Lane = A::Value;
    const SIZE: usize = size_of::<A::Element>();

    #[inline(always)]
    unsafe fn load(a: &A, base: *const u8, i: usize, n: usize) -> A::Value {
        // SAFETY: the caller's.
        unsafe {
            let from = base.cast::<A::Element>().add(i);
            if n == A::LANES { a.load(from) } else { a.load_partial(from, n) }
        }
    }

    #[inline(always)]
    unsafe fn store(a: &A, base: *mut u8, i: usize, n: usize, lane: A::Value, stream: bool) {
        // SAFETY: the caller's.
        unsafe {
            let to = base.cast::<A::Element>().add(i);
            if n != A::LANES {
                a.store_partial(to, lane, n);
            } else if stream {
                a.stream(to, lane);
            } else {
                a.store(to, lane);
            }
        }
    }
}

impl<A: Lanes> Kind<A> for Mask {
    type Lane = A::Mask;
    const SIZE: usize = 1;

    #[inline(always)]
    unsafe fn load(a: &A, base: *const u8, i: usize, n: usize) -> A::Mask {
        // SAFETY: the caller's.
        unsafe {
            let from = base.add(i);
            if n == A::LANES { a.load_mask(from) } else { a.load_mask_partial(from, n) }
        }
    }

    #[inline(always)]
    unsafe fn store(a: &A, base: *mut u8, i: usize, n: usize, lane: A::Mask, _stream: bool) {
        // SAFETY: the caller's.
        unsafe {
            let to = base.add(i);
            if n == A::LANES {
                a.store_mask(to, lane);
            } else {
                a.store_mask_partial(to, lane, n);
            }
        }
    }
}
