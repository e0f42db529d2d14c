//! From the instructions of a vector of floats to its algebra.

use std::marker::PhantomData;

use rustorch_algebra::{Algebra, FloatAlgebra, FloatBits, polynomial_transcendentals, polynomials};

use crate::Lanes;

/// float32 or float64.
pub trait FloatElement: Copy + Default + 'static {
    /// Whether this is float32.
    const SINGLE: bool;
    /// Rounds.
    fn from_f64(x: f64) -> Self;
    /// Exact.
    fn to_f64(self) -> f64;
    /// The next representable number from `self` toward `y`.
    fn next_after(self, y: Self) -> Self;
}

impl FloatElement for f32 {
    const SINGLE: bool = true;
    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn next_after(self, y: Self) -> Self {
        libm::nextafterf(self, y)
    }
}

impl FloatElement for f64 {
    const SINGLE: bool = false;
    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn next_after(self, y: Self) -> Self {
        libm::nextafter(self, y)
    }
}

/// The most lanes of any vector.
pub const MAX_LANES: usize = 16;

/// What an instruction set offers for a vector of floats; each method is an instruction or a few.
///
/// # Safety
/// Every function may only run on a machine that has the instruction set. Pointers are valid for what the name says;
/// partial reads and writes touch `n < LANES` elements. Masks in memory are bytes: any but 0 reads as true, 0 or 1 is
/// written.
#[allow(missing_docs, clippy::missing_safety_doc)]
pub unsafe trait Vector: Copy + Default + 'static {
    type Element: FloatElement;
    type Register: Copy;
    type Mask: Copy;
    const LANES: usize;

    unsafe fn splat(x: Self::Element) -> Self::Register;
    unsafe fn load(p: *const Self::Element) -> Self::Register;
    unsafe fn store(p: *mut Self::Element, x: Self::Register);
    unsafe fn load_partial(p: *const Self::Element, n: usize) -> Self::Register;
    unsafe fn store_partial(p: *mut Self::Element, x: Self::Register, n: usize);
    /// `p` is aligned to the vector.
    unsafe fn stream(p: *mut Self::Element, x: Self::Register);
    unsafe fn load_mask(p: *const u8) -> Self::Mask;
    unsafe fn store_mask(p: *mut u8, m: Self::Mask);

    unsafe fn add(x: Self::Register, y: Self::Register) -> Self::Register;
    unsafe fn sub(x: Self::Register, y: Self::Register) -> Self::Register;
    unsafe fn mul(x: Self::Register, y: Self::Register) -> Self::Register;
    unsafe fn div(x: Self::Register, y: Self::Register) -> Self::Register;
    unsafe fn mul_add(x: Self::Register, y: Self::Register, z: Self::Register) -> Self::Register;
    unsafe fn neg(x: Self::Register) -> Self::Register;
    unsafe fn abs(x: Self::Register) -> Self::Register;
    unsafe fn sqrt(x: Self::Register) -> Self::Register;
    /// The larger; `y` when either is NaN.
    unsafe fn max(x: Self::Register, y: Self::Register) -> Self::Register;
    /// The smaller; `y` when either is NaN.
    unsafe fn min(x: Self::Register, y: Self::Register) -> Self::Register;
    unsafe fn floor(x: Self::Register) -> Self::Register;
    unsafe fn ceil(x: Self::Register) -> Self::Register;
    unsafe fn round(x: Self::Register) -> Self::Register;
    unsafe fn trunc(x: Self::Register) -> Self::Register;
    unsafe fn copysign(magnitude: Self::Register, sign: Self::Register) -> Self::Register;

    unsafe fn eq(x: Self::Register, y: Self::Register) -> Self::Mask;
    /// True when either is NaN.
    unsafe fn ne(x: Self::Register, y: Self::Register) -> Self::Mask;
    unsafe fn lt(x: Self::Register, y: Self::Register) -> Self::Mask;
    unsafe fn le(x: Self::Register, y: Self::Register) -> Self::Mask;
    unsafe fn sign_bit(x: Self::Register) -> Self::Mask;
    unsafe fn select(m: Self::Mask, x: Self::Register, y: Self::Register) -> Self::Register;
    unsafe fn mask_constant(value: bool) -> Self::Mask;
    unsafe fn mask_and(x: Self::Mask, y: Self::Mask) -> Self::Mask;
    unsafe fn mask_or(x: Self::Mask, y: Self::Mask) -> Self::Mask;
    unsafe fn mask_xor(x: Self::Mask, y: Self::Mask) -> Self::Mask;
    unsafe fn mask_not(x: Self::Mask) -> Self::Mask;
    unsafe fn any(m: Self::Mask) -> bool;

    /// As `FloatBits::scale`.
    unsafe fn scale(x: Self::Register, n: Self::Register) -> Self::Register;
    /// As `FloatBits::split_exponent`.
    unsafe fn split_exponent(x: Self::Register) -> (Self::Register, Self::Register);
}

/// Functions of a [`Vector`] from registers to a register, written as their bodies alone.
macro_rules! registers {
    ($(fn $name:ident($($x:ident: $t:ty),*) -> $result:ty $body:block)*) => {$(
        #[inline(always)]
        unsafe fn $name($($x: $t),*) -> $result {
            // SAFETY: instructions between registers touch no memory and are defined for every value of their lanes. That
            // the machine has them is what the trait asks of whoever calls its functions.
            unsafe { $body }
        }
    )*};
}
pub(super) use registers;

/// The algebra of the vector `V`.
#[derive(Clone, Copy, Default)]
pub struct Float<V>(PhantomData<V>);

/// Forwards methods of the algebra to the vector's function of the same name.
macro_rules! forward {
    ($($name:ident($($x:ident: $t:ident),*) -> $r:ident;)*) => {$(
        #[inline(always)]
        fn $name(&self, $($x: Self::$t),*) -> Self::$r {
            // SAFETY: whoever drives the algebra has the instruction set (see `Lanes`).
            unsafe { V::$name($($x),*) }
        }
    )*};
}

impl<V: Vector> Algebra for Float<V> {
    type Value = V::Register;
    type Mask = V::Mask;

    #[inline(always)]
    fn constant(&self, value: f64) -> Self::Value {
        // SAFETY: as in `forward`.
        unsafe { V::splat(V::Element::from_f64(value)) }
    }

    forward! {
        add(x: Value, y: Value) -> Value;
        sub(x: Value, y: Value) -> Value;
        mul(x: Value, y: Value) -> Value;
        mul_add(x: Value, y: Value, z: Value) -> Value;
        neg(x: Value) -> Value;
        abs(x: Value) -> Value;
        floor(x: Value) -> Value;
        ceil(x: Value) -> Value;
        round(x: Value) -> Value;
        trunc(x: Value) -> Value;
        eq(x: Value, y: Value) -> Mask;
        ne(x: Value, y: Value) -> Mask;
        lt(x: Value, y: Value) -> Mask;
        le(x: Value, y: Value) -> Mask;
        sign_bit(x: Value) -> Mask;
        select(mask: Mask, x: Value, y: Value) -> Value;
        mask_and(x: Mask, y: Mask) -> Mask;
        mask_or(x: Mask, y: Mask) -> Mask;
        mask_xor(x: Mask, y: Mask) -> Mask;
        mask_not(x: Mask) -> Mask;
    }

    #[inline(always)]
    fn max(&self, x: Self::Value, y: Self::Value) -> Self::Value {
        // SAFETY: as in `forward`. The instruction gives y when either is NaN: that leaves a NaN in x.
        unsafe { V::select(V::ne(x, x), x, V::max(x, y)) }
    }
    #[inline(always)]
    fn min(&self, x: Self::Value, y: Self::Value) -> Self::Value {
        // SAFETY: as in `max`.
        unsafe { V::select(V::ne(x, x), x, V::min(x, y)) }
    }
    #[inline(always)]
    fn floor_divide(&self, x: Self::Value, y: Self::Value) -> Self::Value {
        polynomials::floor_divide(self, x, y)
    }
    #[inline(always)]
    fn remainder(&self, x: Self::Value, y: Self::Value) -> Self::Value {
        polynomials::remainder(self, x, y)
    }
    #[inline(always)]
    fn fmod(&self, x: Self::Value, y: Self::Value) -> Self::Value {
        polynomials::fmod(self, x, y)
    }
    #[inline(always)]
    fn pow(&self, x: Self::Value, y: Self::Value) -> Self::Value {
        polynomials::pow(self, x, y)
    }
    #[inline(always)]
    fn mask_constant(&self, value: bool) -> Self::Mask {
        // SAFETY: as in `forward`.
        unsafe { V::mask_constant(value) }
    }
}

impl<V: Vector> Float<V> {
    /// The lanes of a vector, in the order of memory; those beyond it are 0.
    #[inline(always)]
    pub fn lanes_of(x: V::Register) -> [V::Element; MAX_LANES] {
        let mut lanes = [V::Element::default(); MAX_LANES];
        // SAFETY: no vector has more than MAX_LANES lanes; else as in `forward`.
        unsafe { V::store(lanes.as_mut_ptr(), x) };
        lanes
    }
    #[inline(always)]
    fn of_lanes(lanes: &[V::Element; MAX_LANES]) -> V::Register {
        // SAFETY: as in `lanes_of`.
        unsafe { V::load(lanes.as_ptr()) }
    }
}

impl<V: Vector> FloatAlgebra for Float<V> {
    forward! {
        div(x: Value, y: Value) -> Value;
        sqrt(x: Value) -> Value;
        copysign(magnitude: Value, sign: Value) -> Value;
    }

    #[inline(always)]
    fn next_after(&self, x: Self::Value, y: Self::Value) -> Self::Value {
        let mut lanes = Self::lanes_of(x);
        let towards = Self::lanes_of(y);
        for (lane, &y) in lanes.iter_mut().zip(&towards).take(V::LANES) {
            *lane = lane.next_after(y);
        }
        Self::of_lanes(&lanes)
    }

    polynomial_transcendentals!();
}

impl<V: Vector> FloatBits for Float<V> {
    const SINGLE: bool = V::Element::SINGLE;

    forward! {
        scale(x: Value, n: Value) -> Value;
    }

    #[inline(always)]
    fn limit(&self, x: Self::Value, low: f64, high: f64) -> Self::Value {
        // SAFETY: as in `forward`. x comes second, so that a NaN stays.
        unsafe { V::max(self.constant(low), V::min(self.constant(high), x)) }
    }
    #[inline(always)]
    fn split_exponent(&self, x: Self::Value) -> (Self::Value, Self::Value) {
        // SAFETY: as in `forward`.
        unsafe { V::split_exponent(x) }
    }
    #[inline(always)]
    fn any(&self, mask: Self::Mask) -> bool {
        // SAFETY: as in `forward`.
        unsafe { V::any(mask) }
    }
    #[inline(always)]
    fn lanewise(&self, x: Self::Value, function: fn(f64) -> f64) -> Self::Value {
        let mut lanes = Self::lanes_of(x);
        apply(&mut lanes, V::LANES, function);
        Self::of_lanes(&lanes)
    }
    #[inline(always)]
    fn lanewise2(&self, x: Self::Value, y: Self::Value, function: fn(f64, f64) -> f64) -> Self::Value {
        let mut lanes = Self::lanes_of(x);
        apply2(&mut lanes, &Self::lanes_of(y), V::LANES, function);
        Self::of_lanes(&lanes)
    }
}

/// Out of line: it is called for rare functions, and in many kernels.
#[inline(never)]
fn apply<T: FloatElement>(lanes: &mut [T; MAX_LANES], n: usize, function: fn(f64) -> f64) {
    for lane in lanes.iter_mut().take(n) {
        *lane = T::from_f64(function(lane.to_f64()));
    }
}

#[inline(never)]
fn apply2<T: FloatElement>(
    lanes: &mut [T; MAX_LANES],
    others: &[T; MAX_LANES],
    n: usize,
    function: fn(f64, f64) -> f64,
) {
    for (lane, other) in lanes.iter_mut().zip(others).take(n) {
        *lane = T::from_f64(function(lane.to_f64(), other.to_f64()));
    }
}

impl<V: Vector> Lanes for Float<V> {
    type Element = V::Element;
    const LANES: usize = V::LANES;

    #[inline(always)]
    unsafe fn load(&self, from: *const Self::Element) -> Self::Value {
        // SAFETY: the caller's.
        unsafe { V::load(from) }
    }
    #[inline(always)]
    unsafe fn load_partial(&self, from: *const Self::Element, n: usize) -> Self::Value {
        // SAFETY: the caller's.
        unsafe { V::load_partial(from, n) }
    }
    #[inline(always)]
    unsafe fn store(&self, to: *mut Self::Element, x: Self::Value) {
        // SAFETY: the caller's.
        unsafe { V::store(to, x) }
    }
    #[inline(always)]
    unsafe fn store_partial(&self, to: *mut Self::Element, x: Self::Value, n: usize) {
        // SAFETY: the caller's.
        unsafe { V::store_partial(to, x, n) }
    }
    #[inline(always)]
    unsafe fn stream(&self, to: *mut Self::Element, x: Self::Value) {
        // SAFETY: the caller's.
        unsafe { V::stream(to, x) }
    }
    #[inline(always)]
    unsafe fn load_mask(&self, from: *const u8) -> Self::Mask {
        // SAFETY: the caller's.
        unsafe { V::load_mask(from) }
    }
    #[inline(always)]
    unsafe fn load_mask_partial(&self, from: *const u8, n: usize) -> Self::Mask {
        let mut bytes = [0u8; MAX_LANES];
        // SAFETY: the caller has n < LANES readable bytes; the copy has MAX_LANES.
        unsafe {
            std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), n);
            V::load_mask(bytes.as_ptr())
        }
    }
    #[inline(always)]
    unsafe fn store_mask(&self, to: *mut u8, mask: Self::Mask) {
        // SAFETY: the caller's.
        unsafe { V::store_mask(to, mask) }
    }
    #[inline(always)]
    unsafe fn store_mask_partial(&self, to: *mut u8, mask: Self::Mask, n: usize) {
        let mut bytes = [0u8; MAX_LANES];
        // SAFETY: the copy has MAX_LANES bytes, of which the caller can take n < LANES.
        unsafe {
            V::store_mask(bytes.as_mut_ptr(), mask);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, n);
        }
    }
}
