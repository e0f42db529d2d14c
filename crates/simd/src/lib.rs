//! Vectors: which instruction sets there are, the algebra over each, and the loops that drive it.
// Vectors read and write raw memory and run instructions that only some machines have; each block says why it may.
#![allow(unsafe_code)]
// Memory travels as bytes; every buffer is aligned for the widest vector, so for every element.
#![allow(clippy::cast_ptr_alignment)]

pub mod arch;
mod level;
pub mod ops;

pub use level::{SimdLevel, level};

use rustorch_algebra::Algebra;

/// An algebra whose values are lanes that lie side by side in memory.
///
/// The methods that touch memory, and all of the algebra's, may only run where the instruction set is there: inside
/// the functions of [`ops`] that enable it.
pub trait Lanes: Algebra + Default {
    /// One lane in memory.
    type Element: Copy + 'static;
    /// How many.
    const LANES: usize;

    /// Reads [`Self::LANES`] elements.
    ///
    /// # Safety
    /// `from` is valid for that many reads.
    unsafe fn load(&self, from: *const Self::Element) -> Self::Value;
    /// Reads the first `n < LANES` elements; the other lanes are 0.
    ///
    /// # Safety
    /// `from` is valid for `n` reads.
    unsafe fn load_partial(&self, from: *const Self::Element, n: usize) -> Self::Value;
    /// Writes [`Self::LANES`] elements.
    ///
    /// # Safety
    /// `to` is valid for that many writes.
    unsafe fn store(&self, to: *mut Self::Element, x: Self::Value);
    /// Writes the first `n < LANES` elements.
    ///
    /// # Safety
    /// `to` is valid for `n` writes.
    unsafe fn store_partial(&self, to: *mut Self::Element, x: Self::Value, n: usize);
    /// Writes [`Self::LANES`] elements around the caches.
    ///
    /// # Safety
    /// `to` is valid for that many writes and aligned to the whole vector. A fence follows before others read.
    unsafe fn stream(&self, to: *mut Self::Element, x: Self::Value);
    /// Reads [`Self::LANES`] bytes, of which any but 0 is true.
    ///
    /// # Safety
    /// `from` is valid for that many reads.
    unsafe fn load_mask(&self, from: *const u8) -> Self::Mask;
    /// Reads the first `n < LANES` bytes; the other lanes are false.
    ///
    /// # Safety
    /// `from` is valid for `n` reads.
    unsafe fn load_mask_partial(&self, from: *const u8, n: usize) -> Self::Mask;
    /// Writes [`Self::LANES`] bytes of 0 or 1.
    ///
    /// # Safety
    /// `to` is valid for that many writes.
    unsafe fn store_mask(&self, to: *mut u8, mask: Self::Mask);
    /// Writes the first `n < LANES` bytes.
    ///
    /// # Safety
    /// `to` is valid for `n` writes.
    unsafe fn store_mask_partial(&self, to: *mut u8, mask: Self::Mask, n: usize);
}
