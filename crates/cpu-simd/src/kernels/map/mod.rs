//! Elementwise programs.
//!
//! One instruction over contiguous operands of the compute dtype runs straight over memory. Everything else goes
//! through [`tile`]: pieces small enough for the first-level cache, each instruction a loop over the piece.

pub(crate) mod convert;
mod divisors;
pub(crate) mod plan;
mod tile;

use std::mem::MaybeUninit;

use rustorch_backend::{
    Cost, DType, Element, ElementwiseOp, Operand, Program, RegisterKind, Scalar, Source, with_element,
};
use rustorch_error::{Result, RusTorchError};
use rustorch_simd::ops::{Kernel, kernel};
use rustorch_simd::{SimdLevel, level};

use crate::kernels::dense::Shared;
use crate::threads::parallel_for;

/// Runs `program` on `inputs` and stores into `outputs`, all of one shape.
#[inline]
pub fn map(program: &Program, inputs: &[Operand<'_>], outputs: &[Operand<'_>]) -> Result<()> {
    map_at(level(), program, inputs, outputs)
}

/// [`map`] with the instructions of a given level.
fn map_at(
    level: SimdLevel,
    program: &Program,
    inputs: &[Operand<'_>],
    outputs: &[Operand<'_>],
) -> Result<()> {
    match straight(level, program, inputs, outputs) {
        Some(outcome) => outcome,
        None => tile::run(level, program, inputs, outputs),
    }
}

/// The kernel of `op`, or the error that says what it takes.
fn kernel_of(op: ElementwiseOp, dtype: DType, level: SimdLevel) -> Result<Kernel> {
    kernel(op, dtype, level).ok_or_else(|| not_defined(op, dtype))
}

#[cold]
fn not_defined(op: ElementwiseOp, dtype: DType) -> RusTorchError {
    RusTorchError::unsupported(op.name(), format!("not defined for {dtype} on the cpu"))
}

/// The dtype in which a register of this kind lies in memory.
#[inline]
fn storage(kind: RegisterKind, compute: DType) -> DType {
    match kind {
        RegisterKind::Value => compute,
        RegisterKind::Mask => DType::Bool,
    }
}

/// The address of an operand's first element.
#[inline]
fn address(operand: &Operand<'_>) -> *mut u8 {
    // A layout's offset lies in its buffer, or the operand is empty.
    operand.buffer.address().as_ptr().wrapping_add(operand.layout.offset() * operand.dtype.size())
}

/// How many elements are worth a second thread.
pub(crate) fn grain(op: ElementwiseOp) -> usize {
    match op.cost() {
        Cost::Low => 32768,
        Cost::Medium => 8192,
        Cost::High => 1024,
    }
}

/// From this many bytes on, results go around the caches: they would push out what is still needed, and be pushed out
/// before they are read.
const STREAM_BYTES: usize = 16 << 20;

/// Whether integers divide: then a zero is an error that must be found before anything is written.
#[inline]
fn divides(op: ElementwiseOp, compute: DType) -> bool {
    matches!(op, ElementwiseOp::FloorDivide | ElementwiseOp::Remainder | ElementwiseOp::Fmod)
        && compute.is_integral(true)
}

/// How many elements are so few that a constant, or an operand of one element, is written out: that takes less than making
/// ready for tiles.
const FEW: usize = 256;

/// Room for a constant that is written out.
type Room = [MaybeUninit<u64>; FEW];

/// Writes a number of the compute dtype out, `n` times, which is at most [`FEW`].
#[inline]
fn repeat(room: &mut Room, compute: DType, scalar: Scalar, n: usize) -> Option<*const u8> {
    let to = room.as_mut_ptr();
    with_element!(compute, T => {
        let value = T::from_scalar(scalar);
        for i in 0..n {
            // SAFETY: an element is at most as large as the eight bytes that there is room for.
            unsafe { to.cast::<T>().add(i).write(value) };
        }
    }, else return None);
    Some(to.cast_const().cast())
}

/// Writes an operand's one element out, `n` times, which is at most [`FEW`]; if it has but one, of at most eight bytes.
#[inline]
fn spread(room: &mut Room, operand: &Operand<'_>, n: usize) -> Option<*const u8> {
    let layout = operand.layout;
    if n == 0 || !layout.strides().iter().zip(layout.shape()).all(|(&step, &size)| step == 0 || size == 1) {
        return None;
    }
    macro_rules! written {
        ($T:ty) => {{
            let to = room.as_mut_ptr().cast::<$T>();
            // SAFETY: the element is there, as `n` is not 0; there is room for `n` of at most eight bytes.
            unsafe {
                let value = address(operand).cast::<$T>().read();
                for i in 0..n {
                    to.add(i).write(value);
                }
            }
        }};
    }
    match operand.dtype.size() {
        1 => written!(u8),
        2 => written!(u16),
        4 => written!(u32),
        8 => written!(u64),
        _ => return None,
    }
    Some(room.as_ptr().cast())
}

#[cold]
fn division_by_zero(op: ElementwiseOp) -> RusTorchError {
    RusTorchError::argument(op.name(), "integer division by zero")
}

/// The one instruction over contiguous operands, if that is what is asked.
#[inline]
fn straight(
    level: SimdLevel,
    program: &Program,
    inputs: &[Operand<'_>],
    outputs: &[Operand<'_>],
) -> Option<Result<()>> {
    let ([instruction], [output], [Source::Register(0)]) =
        (program.instructions.as_ref(), outputs, program.outputs.as_slice())
    else {
        return None;
    };
    let op = instruction.op;
    if output.dtype != storage(op.result_kind(), program.compute)
        || !output.layout.is_contiguous()
        || divides(op, program.compute)
    {
        return None;
    }
    let n = output.layout.numel();
    let result = address(output);
    let mut arguments = [result.cast_const(); 3];
    let mut in_place = false;
    // Of few elements a constant is written out, as a tile would be.
    let mut rooms = [[MaybeUninit::uninit(); FEW]; 3];
    for ((i, argument), room) in arguments.iter_mut().enumerate().take(op.arity()).zip(&mut rooms) {
        let input = match instruction.arguments[i] {
            Source::Input(input) => input,
            Source::Constant(c) if n <= FEW && op.argument_kind(i) == RegisterKind::Value => {
                let scalar = *program.constants.get(c as usize)?;
                *argument = repeat(room, program.compute, scalar, n)?;
                continue;
            }
            _ => return None,
        };
        let input = inputs.get(input as usize)?;
        if input.dtype != storage(op.argument_kind(i), program.compute) {
            return None;
        }
        if !input.layout.is_contiguous() {
            *argument = if n <= FEW { spread(room, input, n)? } else { return None };
            continue;
        }
        *argument = address(input);
        in_place |= *argument == result.cast_const();
    }
    if n == 0 {
        return Some(Ok(()));
    }
    let kernel = match kernel_of(op, program.compute, level) {
        Ok(kernel) => kernel,
        Err(error) => return Some(Err(error)),
    };
    let grain = grain(op);
    if n <= grain {
        // SAFETY: the operands are contiguous, of n elements of the kernel's dtypes; the trait's contract excludes
        // partial overlap; `level` is available.
        unsafe { kernel(&arguments, result, n, false) };
        return Some(Ok(()));
    }
    parallel_straight(kernel, op, program.compute, &arguments, result, n, in_place);
    Some(Ok(()))
}

/// Above the grain: threads, and streaming stores where they pay.
#[cold]
fn parallel_straight(
    kernel: Kernel,
    op: ElementwiseOp,
    compute: DType,
    arguments: &[*const u8; 3],
    result: *mut u8,
    n: usize,
    in_place: bool,
) {
    let result_size = storage(op.result_kind(), compute).size();
    let stream = !in_place && n * result_size >= STREAM_BYTES;
    let mut bases = [(Shared::new(result), result_size); 4];
    for (i, base) in bases.iter_mut().enumerate().take(op.arity()) {
        *base = (Shared::new(arguments[i].cast_mut()), storage(op.argument_kind(i), compute).size());
    }
    parallel_for(n, grain(op), |range| {
        let at = |i: usize| {
            let (base, size) = bases[i];
            base.get().wrapping_add(range.start * size)
        };
        let arguments = [at(0).cast_const(), at(1).cast_const(), at(2).cast_const()];
        // SAFETY: as in `straight`, for this range; ranges are disjoint.
        unsafe { kernel(&arguments, at(3), range.len(), stream) };
        if stream {
            fence();
        }
    });
}

/// Makes streaming stores visible to other threads before what follows.
#[inline]
pub(crate) fn fence() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 processor has SSE.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}

#[cfg(test)]
mod tests;
