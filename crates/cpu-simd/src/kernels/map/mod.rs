//! Elementwise programs.
//!
//! One instruction over contiguous operands of the compute dtype runs straight over memory. Everything else goes
//! through [`tile`]: pieces small enough for the first-level cache, each instruction a loop over the piece.

pub(crate) mod convert;
pub(crate) mod plan;
mod tile;

use rustorch_backend::{DType, ElementwiseOp, Operand, Program, RegisterKind, Source};
use rustorch_error::{Result, RusTorchError};

use crate::kernels::dense::Shared;
use crate::simd::ops::{Kernel, kernel};
use crate::simd::{SimdLevel, level};
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
pub(crate) const fn grain(op: ElementwiseOp) -> usize {
    #[allow(clippy::enum_glob_use)]
    use ElementwiseOp::*;
    match op {
        Add | Sub | Mul | ScaledAdd | Neg | Abs | Square | Sign | Relu | Relu6 | LeakyRelu | Threshold
        | Maximum | Minimum | Fmax | Fmin | Clamp | Select | Eq | Ne | Lt | Le | Gt | Ge | Isnan | Isinf
        | Isfinite | Isposinf | Isneginf | Signbit | LogicalAnd | LogicalOr | LogicalXor | LogicalNot
        | Conj | MaskAnd | MaskOr | MaskNot | MaskToValue | ValueToMask | BitwiseAnd | BitwiseOr
        | BitwiseXor | BitwiseNot | BitwiseLeftShift | BitwiseRightShift | Floor | Ceil | Round | Trunc
        | Frac | Div | Sqrt | Reciprocal | Copysign | Heaviside | Deg2rad | Rad2deg => 32768,
        _ => 8192,
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
    for (i, argument) in arguments.iter_mut().enumerate().take(op.arity()) {
        let Source::Input(input) = instruction.arguments[i] else { return None };
        let input = inputs.get(input as usize)?;
        if input.dtype != storage(op.argument_kind(i), program.compute) || !input.layout.is_contiguous() {
            return None;
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
