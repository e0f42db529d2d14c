//! The algebra of integers and bool, one at a time. Its loops are compiled for each instruction set.

// Of truth values, `&` computes both sides without a branch, which is what the compiler vectorises.
#![allow(clippy::needless_bitwise_bool)]

use std::marker::PhantomData;

use rustorch_algebra::{Algebra, IntegerAlgebra, Truth};

use crate::Lanes;

/// The algebra of `T`: an integer or bool.
#[derive(Clone, Copy)]
pub struct Integer<T>(PhantomData<T>);

impl<T> Default for Integer<T> {
    fn default() -> Self {
        Integer(PhantomData)
    }
}

/// Arithmetic of one integer type, wrapping. Divisors have been looked at before, and one that another thread has made 0
/// since gives 0. Bool is the integers modulo "more than none".
#[allow(missing_docs)]
pub trait IntegerElement: Copy + Default + PartialEq + PartialOrd + 'static {
    const ZERO: Self;
    fn from_constant(value: f64) -> Self;
    fn add(self, y: Self) -> Self;
    fn sub(self, y: Self) -> Self;
    fn mul(self, y: Self) -> Self;
    fn neg(self) -> Self;
    fn abs(self) -> Self;
    fn max(self, y: Self) -> Self;
    fn min(self, y: Self) -> Self;
    fn floor_divide(self, y: Self) -> Self;
    fn remainder(self, y: Self) -> Self;
    fn fmod(self, y: Self) -> Self;
    fn pow(self, y: Self) -> Self;
    fn bit_and(self, y: Self) -> Self;
    fn bit_or(self, y: Self) -> Self;
    fn bit_xor(self, y: Self) -> Self;
    fn bit_not(self) -> Self;
    fn gcd(self, y: Self) -> Self;
    fn lcm(self, y: Self) -> Self;
    fn shift_left(self, y: Self) -> Self;
    fn shift_right(self, y: Self) -> Self;
}

macro_rules! integer {
    ($($t:ident)*) => {$(
        #[allow(unused_comparisons)]
        impl IntegerElement for $t {
            const ZERO: Self = 0;
            #[inline(always)]
            fn from_constant(value: f64) -> Self { value as i64 as $t }
            #[inline(always)]
            fn add(self, y: Self) -> Self { self.wrapping_add(y) }
            #[inline(always)]
            fn sub(self, y: Self) -> Self { self.wrapping_sub(y) }
            #[inline(always)]
            fn mul(self, y: Self) -> Self { self.wrapping_mul(y) }
            #[inline(always)]
            fn neg(self) -> Self { self.wrapping_neg() }
            #[inline(always)]
            fn abs(self) -> Self { if self < 0 { self.wrapping_neg() } else { self } }
            #[inline(always)]
            fn max(self, y: Self) -> Self { Ord::max(self, y) }
            #[inline(always)]
            fn min(self, y: Self) -> Self { Ord::min(self, y) }
            #[inline(always)]
            fn floor_divide(self, y: Self) -> Self {
                if y == 0 {
                    return 0;
                }
                let rest = self.wrapping_rem(y);
                let quotient = self.wrapping_div(y);
                if rest != 0 && (rest < 0) != (y < 0) { quotient.wrapping_sub(1) } else { quotient }
            }
            #[inline(always)]
            fn remainder(self, y: Self) -> Self {
                if y == 0 {
                    return 0;
                }
                let rest = self.wrapping_rem(y);
                if rest != 0 && (rest < 0) != (y < 0) { rest.wrapping_add(y) } else { rest }
            }
            #[inline(always)]
            fn fmod(self, y: Self) -> Self { if y == 0 { 0 } else { self.wrapping_rem(y) } }
            #[inline(always)]
            fn pow(self, y: Self) -> Self {
                if y < 0 {
                    // The reciprocal, truncated.
                    let minus_one = (0 as $t).wrapping_sub(1);
                    return if self == 1 {
                        1
                    } else if self == minus_one {
                        if y % 2 == 0 { 1 } else { minus_one }
                    } else {
                        0
                    };
                }
                // Squaring, wrapping at each step.
                let (mut base, mut exponent, mut power) = (self, y as u64, 1 as $t);
                while exponent > 0 {
                    if exponent & 1 == 1 {
                        power = power.wrapping_mul(base);
                    }
                    base = base.wrapping_mul(base);
                    exponent >>= 1;
                }
                power
            }
            #[inline(always)]
            fn bit_and(self, y: Self) -> Self { self & y }
            #[inline(always)]
            fn bit_or(self, y: Self) -> Self { self | y }
            #[inline(always)]
            fn bit_xor(self, y: Self) -> Self { self ^ y }
            #[inline(always)]
            fn bit_not(self) -> Self { !self }
            #[inline(always)]
            fn gcd(self, y: Self) -> Self {
                let (mut a, mut b) = (self, y);
                while b != 0 {
                    (a, b) = (b, a.wrapping_rem(b));
                }
                IntegerElement::abs(a)
            }
            #[inline(always)]
            fn lcm(self, y: Self) -> Self {
                let divisor = self.gcd(y);
                if divisor == 0 { 0 } else { IntegerElement::abs(self.wrapping_div(divisor).wrapping_mul(y)) }
            }
            #[inline(always)]
            fn shift_left(self, y: Self) -> Self {
                if (0..$t::BITS as i64).contains(&(y as i64)) { self << y } else { 0 }
            }
            #[inline(always)]
            fn shift_right(self, y: Self) -> Self {
                let most = $t::BITS as i64 - 1;
                let places = if (0..=most).contains(&(y as i64)) { y as i64 } else { most };
                // An unsigned number keeps nothing of a shift by its width.
                if <$t>::MIN == 0 && places != y as i64 { 0 } else { self >> places }
            }
        }
    )*};
}

integer! { u8 i8 i16 i32 i64 }

impl IntegerElement for Truth {
    const ZERO: Self = Truth::FALSE;
    #[inline(always)]
    fn from_constant(value: f64) -> Self {
        Truth::from(value != 0.0)
    }
    #[inline(always)]
    fn add(self, y: Self) -> Self {
        self | y
    }
    #[inline(always)]
    fn sub(self, y: Self) -> Self {
        self ^ y
    }
    #[inline(always)]
    fn mul(self, y: Self) -> Self {
        self & y
    }
    #[inline(always)]
    fn neg(self) -> Self {
        self
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self
    }
    #[inline(always)]
    fn max(self, y: Self) -> Self {
        self | y
    }
    #[inline(always)]
    fn min(self, y: Self) -> Self {
        self & y
    }
    #[inline(always)]
    fn floor_divide(self, _y: Self) -> Self {
        self
    }
    #[inline(always)]
    fn remainder(self, _y: Self) -> Self {
        Truth::FALSE
    }
    #[inline(always)]
    fn fmod(self, _y: Self) -> Self {
        Truth::FALSE
    }
    #[inline(always)]
    fn pow(self, y: Self) -> Self {
        self | !y
    }
    #[inline(always)]
    fn bit_and(self, y: Self) -> Self {
        self & y
    }
    #[inline(always)]
    fn bit_or(self, y: Self) -> Self {
        self | y
    }
    #[inline(always)]
    fn bit_xor(self, y: Self) -> Self {
        self ^ y
    }
    #[inline(always)]
    fn bit_not(self) -> Self {
        !self
    }
    #[inline(always)]
    fn gcd(self, y: Self) -> Self {
        self | y
    }
    #[inline(always)]
    fn lcm(self, y: Self) -> Self {
        self & y
    }
    #[inline(always)]
    fn shift_left(self, y: Self) -> Self {
        self & !y
    }
    #[inline(always)]
    fn shift_right(self, y: Self) -> Self {
        self & !y
    }
}

/// Forwards methods of the algebra to the element's.
macro_rules! forward {
    ($($name:ident($($x:ident),*);)*) => {$(
        #[inline(always)]
        fn $name(&self, $($x: T),*) -> T {
            T::$name($($x),*)
        }
    )*};
}

/// Integers are whole.
macro_rules! whole {
    ($($name:ident)*) => {$(
        #[inline(always)]
        fn $name(&self, x: T) -> T {
            x
        }
    )*};
}

impl<T: IntegerElement> Algebra for Integer<T> {
    type Value = T;
    type Mask = bool;

    #[inline(always)]
    fn constant(&self, value: f64) -> T {
        T::from_constant(value)
    }
    forward! {
        add(x, y);
        sub(x, y);
        mul(x, y);
        neg(x);
        abs(x);
        max(x, y);
        min(x, y);
        floor_divide(x, y);
        remainder(x, y);
        fmod(x, y);
        pow(x, y);
    }
    whole! { floor ceil round trunc }
    #[inline(always)]
    fn mul_add(&self, x: T, y: T, z: T) -> T {
        T::add(T::mul(x, y), z)
    }
    #[inline(always)]
    fn eq(&self, x: T, y: T) -> bool {
        x == y
    }
    #[inline(always)]
    fn ne(&self, x: T, y: T) -> bool {
        x != y
    }
    #[inline(always)]
    fn lt(&self, x: T, y: T) -> bool {
        x < y
    }
    #[inline(always)]
    fn le(&self, x: T, y: T) -> bool {
        x <= y
    }
    #[inline(always)]
    fn sign_bit(&self, x: T) -> bool {
        x < T::ZERO
    }
    #[inline(always)]
    fn select(&self, mask: bool, x: T, y: T) -> T {
        if mask { x } else { y }
    }
    #[inline(always)]
    fn mask_constant(&self, value: bool) -> bool {
        value
    }
    #[inline(always)]
    fn mask_and(&self, x: bool, y: bool) -> bool {
        x & y
    }
    #[inline(always)]
    fn mask_or(&self, x: bool, y: bool) -> bool {
        x | y
    }
    #[inline(always)]
    fn mask_xor(&self, x: bool, y: bool) -> bool {
        x ^ y
    }
    #[inline(always)]
    fn mask_not(&self, x: bool) -> bool {
        !x
    }
}

impl<T: IntegerElement> IntegerAlgebra for Integer<T> {
    forward! {
        bit_and(x, y);
        bit_or(x, y);
        bit_xor(x, y);
        bit_not(x);
        gcd(x, y);
        lcm(x, y);
        shift_left(x, y);
        shift_right(x, y);
    }
}

impl<T: IntegerElement> Lanes for Integer<T> {
    type Element = T;
    const LANES: usize = 1;

    #[inline(always)]
    unsafe fn load(&self, from: *const T) -> T {
        // SAFETY: the caller's.
        unsafe { *from }
    }
    #[inline(always)]
    unsafe fn load_partial(&self, _from: *const T, _n: usize) -> T {
        // Nothing is less than one lane.
        T::ZERO
    }
    #[inline(always)]
    unsafe fn store(&self, to: *mut T, x: T) {
        // SAFETY: the caller's.
        unsafe { *to = x }
    }
    #[inline(always)]
    unsafe fn store_partial(&self, _to: *mut T, _x: T, _n: usize) {}
    #[inline(always)]
    unsafe fn stream(&self, to: *mut T, x: T) {
        // SAFETY: the caller's.
        unsafe { *to = x }
    }
    #[inline(always)]
    unsafe fn load_mask(&self, from: *const u8) -> bool {
        // SAFETY: the caller's.
        unsafe { *from != 0 }
    }
    #[inline(always)]
    unsafe fn load_mask_partial(&self, _from: *const u8, _n: usize) -> bool {
        false
    }
    #[inline(always)]
    unsafe fn store_mask(&self, to: *mut u8, mask: bool) {
        // SAFETY: the caller's.
        unsafe { *to = u8::from(mask) }
    }
    #[inline(always)]
    unsafe fn store_mask_partial(&self, _to: *mut u8, _mask: bool, _n: usize) {}
}
