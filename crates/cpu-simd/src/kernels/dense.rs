//! Operands as kernels that want plain arrays see them: contiguous copies in the type that is computed in.

use half::{bf16, f16};
use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, Dims, Element, Layout, Operand};
use rustorch_error::{Result, RusTorchError};

/// A pointer that a parallel loop may share, because its ranges touch different elements or only read.
#[derive(Debug)]
pub struct Shared<T>(*mut T);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Shared<T> {}
// SAFETY: whoever reads or writes through the pointer states why it may.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// Wraps `pointer`.
    pub fn new(pointer: *mut T) -> Self {
        Shared(pointer)
    }
    /// The pointer.
    pub fn get(self) -> *mut T {
        self.0
    }
}

/// The first element of an operand whose dtype is `T`'s.
pub fn address<T>(operand: Operand<'_>) -> *mut T {
    operand.buffer.address().as_ptr().cast::<T>().wrapping_add(operand.layout.offset())
}

/// A type that other dtypes are converted to for computing, each element rounded once on the way back.
pub trait ComputeType: Element {
    /// Whether elements of `dtype` can be computed with in this type.
    fn computes(dtype: DType) -> bool {
        dtype == Self::DTYPE
    }
    /// Reads one element of `dtype`.
    ///
    /// # Safety
    /// `at` is valid for a read of an element of `dtype`, which `computes` accepts.
    unsafe fn read(dtype: DType, at: *const u8) -> Self;
    /// Writes one element of `dtype`.
    ///
    /// # Safety
    /// `at` is valid for a write of an element of `dtype`, which `computes` accepts.
    unsafe fn write(self, dtype: DType, at: *mut u8);
}

macro_rules! computes_itself {
    ($($T:ty),*) => {$(
        impl ComputeType for $T {
            #[inline(always)]
            unsafe fn read(_: DType, at: *const u8) -> Self {
                // SAFETY: the caller vouches for the element.
                unsafe { at.cast::<$T>().read() }
            }
            #[inline(always)]
            unsafe fn write(self, _: DType, at: *mut u8) {
                // SAFETY: the caller vouches for the element.
                unsafe { at.cast::<$T>().write(self) }
            }
        }
    )*};
}
computes_itself!(u8, i8, i16, i32, i64, f64);

impl ComputeType for f32 {
    fn computes(dtype: DType) -> bool {
        dtype.compute() == DType::Float32
    }
    #[inline(always)]
    unsafe fn read(dtype: DType, at: *const u8) -> Self {
        // SAFETY: the caller vouches for the element.
        unsafe {
            match dtype {
                DType::Float16 => at.cast::<f16>().read().to_f32(),
                DType::BFloat16 => at.cast::<bf16>().read().to_f32(),
                _ => at.cast::<f32>().read(),
            }
        }
    }
    #[inline(always)]
    unsafe fn write(self, dtype: DType, at: *mut u8) {
        // SAFETY: the caller vouches for the element.
        unsafe {
            match dtype {
                DType::Float16 => at.cast::<f16>().write(f16::from_f32(self)),
                DType::BFloat16 => at.cast::<bf16>().write(bf16::from_f32(self)),
                _ => at.cast::<f32>().write(self),
            }
        }
    }
}

/// The error for a dtype that a kernel does not compute in.
pub fn unsupported(op: &'static str, dtype: DType) -> RusTorchError {
    RusTorchError::unsupported(op, format!("the cpu backend does not compute this in {dtype}"))
}

/// An operand's elements in the type `T`: where they are if they are that already, else copied.
pub struct Dense<T> {
    copy: Option<Scratch<T>>,
    first: *const T,
    strides: Dims<isize>,
}

impl<T: ComputeType> Dense<T> {
    /// `operand` row-major without gaps.
    pub fn contiguous(op: &'static str, operand: Operand<'_>) -> Result<Self> {
        if operand.dtype == T::DTYPE && operand.layout.is_contiguous() {
            return Ok(Self::in_place(operand));
        }
        Self::copied(op, operand, &Layout::contiguous(op, operand.layout.shape())?)
    }

    /// `operand` with whatever strides, copied only to convert it; dimensions of stride 0 keep it.
    pub fn strided(op: &'static str, operand: Operand<'_>) -> Result<Self> {
        if operand.dtype == T::DTYPE {
            return Ok(Self::in_place(operand));
        }
        let strides = operand.layout.strides();
        let from = operand.layout.without_repetitions();
        let to = Layout::contiguous(op, from.shape())?;
        let broadcast =
            to.strides().iter().zip(strides).map(|(&step, &s)| if s == 0 { 0 } else { step }).collect();
        let to = to.with_strides(op, broadcast)?;
        Self::copied(op, Operand { layout: &from, ..operand }, &to)
    }

    fn in_place(operand: Operand<'_>) -> Self {
        Dense { copy: None, first: address(operand), strides: operand.layout.strides().into() }
    }

    fn copied(op: &'static str, operand: Operand<'_>, to: &Layout) -> Result<Self> {
        if !T::computes(operand.dtype) {
            return Err(unsupported(op, operand.dtype));
        }
        let scratch = Scratch::<T>::with_room(to.numel())?;
        let (size, base) = (operand.dtype.size() as isize, operand.buffer.address().as_ptr());
        let out = scratch.as_ptr();
        for_each_pair(operand.layout, to, |from, to| {
            // SAFETY: both positions lie in their layouts, the operand's within its buffer.
            unsafe { *out.offset(to) = T::read(operand.dtype, base.offset(from * size)) }
        });
        Ok(Dense { first: scratch.as_ptr(), copy: Some(scratch), strides: to.strides().into() })
    }

    /// The first element.
    pub fn as_ptr(&self) -> *const T {
        self.first
    }

    /// Strides in elements.
    pub fn strides(&self) -> &[isize] {
        &self.strides
    }

    /// The copy, if the elements were copied.
    pub fn into_scratch(self) -> Option<Scratch<T>> {
        self.copy
    }
}

/// Hands `fill` row-major memory for `output`'s elements in `T`: the output's own, or scratch that is stored after.
pub fn fill_contiguous<T: ComputeType>(
    op: &'static str,
    output: Operand<'_>,
    fill: impl FnOnce(*mut T) -> Result<()>,
) -> Result<()> {
    if output.dtype == T::DTYPE && output.layout.is_contiguous() {
        return fill(address(output));
    }
    if !T::computes(output.dtype) {
        return Err(unsupported(op, output.dtype));
    }
    let scratch = Scratch::<T>::with_room(output.layout.numel())?;
    fill(scratch.as_ptr())?;
    store(op, &scratch, output)
}

/// Stores row-major `scratch` into `output`, rounding each element once.
pub fn store<T: ComputeType>(op: &'static str, scratch: &Scratch<T>, output: Operand<'_>) -> Result<()> {
    let (size, base) = (output.dtype.size() as isize, output.buffer.address().as_ptr());
    let values = scratch.as_ptr();
    for_each_pair(output.layout, &Layout::contiguous(op, output.layout.shape())?, |to, from| {
        // SAFETY: both positions lie in their layouts, the output's within its buffer.
        unsafe { (*values.offset(from)).write(output.dtype, base.offset(to * size)) }
    });
    Ok(())
}

/// Calls `visit` with both layouts' positions of each element, in row-major order. The shapes are equal.
fn for_each_pair(one: &Layout, other: &Layout, mut visit: impl FnMut(isize, isize)) {
    let shape = one.shape();
    if shape.contains(&0) {
        return;
    }
    let (mut p, mut q) = (one.offset() as isize, other.offset() as isize);
    let Some((&inner, outer)) = shape.split_last() else {
        return visit(p, q);
    };
    let (step_p, step_q) = (one.strides()[outer.len()], other.strides()[outer.len()]);
    let mut index: Dims<usize> = outer.iter().map(|_| 0).collect();
    loop {
        for i in 0..inner as isize {
            visit(p + i * step_p, q + i * step_q);
        }
        let mut d = outer.len();
        loop {
            if d == 0 {
                return;
            }
            d -= 1;
            index[d] += 1;
            p += one.strides()[d];
            q += other.strides()[d];
            if index[d] < outer[d] {
                break;
            }
            p -= one.strides()[d] * outer[d] as isize;
            q -= other.strides()[d] * outer[d] as isize;
            index[d] = 0;
        }
    }
}
