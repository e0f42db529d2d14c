//! Matrix multiplication.
//!
//! [`blocking`] cuts a product into tiles and tasks, [`microkernel`] multiplies a tile, [`pack`] brings operands into
//! the order in which the microkernels read them, [`vector`] is the registers.

pub mod blocking;
mod complex;
mod integer;
pub mod microkernel;
pub mod pack;
pub mod tables;
#[cfg(test)]
pub mod tests;
pub mod vector;

use std::ptr;

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, Dims, Epilogue, Layout, Operand, Scalar, kernel, volume};
use rustorch_error::{Result, RusTorchError};

use super::dense::{ComputeType, Dense, address, store, unsupported};
use crate::threads::try_parallel_for;
use blocking::{Product, TASK_WORK, multiply};
use tables::{Gemm, Kernels};

const OP: &str = "matmul";

/// `output = alpha * a @ b + beta * output + bias`, batched over equal leading dimensions.
///
/// `a` is `(…, m, k)`, `b` `(…, k, n)`, `output` `(…, m, n)`, of one dtype and with any strides; a stride of 0
/// broadcasts. The bias has one element per column. Half precisions are computed in float32 and rounded once. With
/// `beta` 0 the output is not read.
pub fn matrix_multiply(kernel: &kernel::MatrixMultiply<Operand<'_>>) -> Result<()> {
    let &kernel::MatrixMultiply { a, b, output, epilogue } = kernel;
    check(a, b, output, epilogue)?;
    match output.dtype {
        DType::Float32 | DType::Float16 | DType::BFloat16 => multiply_floats::<f32>(a, b, output, epilogue),
        DType::Float64 => multiply_floats::<f64>(a, b, output, epilogue),
        DType::UInt8 => multiply_integers::<u8>(a, b, output, epilogue),
        DType::Int8 => multiply_integers::<i8>(a, b, output, epilogue),
        DType::Int16 => multiply_integers::<i16>(a, b, output, epilogue),
        DType::Int32 => multiply_integers::<i32>(a, b, output, epilogue),
        DType::Int64 => multiply_integers::<i64>(a, b, output, epilogue),
        DType::Complex64 | DType::Complex128 => complex::multiply(a, b, output, epilogue),
        dtype @ DType::Bool => Err(unsupported(OP, dtype)),
    }
}

fn check(a: Operand<'_>, b: Operand<'_>, output: Operand<'_>, epilogue: Epilogue<Operand<'_>>) -> Result<()> {
    for (name, operand) in [("b", Some(b)), ("the bias", epilogue.bias), ("the output", Some(output))] {
        if let Some(operand) = operand.filter(|o| o.dtype != a.dtype) {
            let message =
                format!("a is {} but {name} is {}; all must have one dtype", a.dtype, operand.dtype);
            return Err(RusTorchError::dtype(OP, message));
        }
    }
    let shapes = (a.layout.shape(), b.layout.shape(), output.layout.shape());
    let fits = match shapes {
        ([a @ .., m, k], [b @ .., k_b, n], [c @ .., m_c, n_c]) => {
            a == c
                && b == c
                && m == m_c
                && n == n_c
                && k == k_b
                && epilogue.bias.is_none_or(
                    |bias| matches!(bias.layout.shape().last(), Some(size) if size == n || *size == 1),
                )
        }
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let bias = epilogue.bias.map_or(String::new(), |bias| format!(", bias {:?}", bias.layout.shape()));
    Err(RusTorchError::shape(
        OP,
        format!(
            "a {:?}, b {:?}, output {:?}{bias} do not fit; (…, m, k), (…, k, n), (…, m, n) and (n) would",
            shapes.0, shapes.1, shapes.2
        ),
    ))
}

/// A leading dimension: its size, and the strides of a, b and the output.
type Batch = (usize, [isize; 3]);

/// The matrices of a batched product: the leading dimensions, outermost first, without those of size 1.
fn batches(shape: &[usize], strides: [&[isize]; 3]) -> Dims<Batch> {
    let lead = shape.len() - 2;
    (0..lead).filter(|&d| shape[d] != 1).map(|d| (shape[d], strides.map(|s| s[d]))).collect()
}

/// Where the matrices of batch number `index` begin.
fn batch_offsets(batches: &[Batch], index: usize) -> [isize; 3] {
    let mut rest = index;
    let mut offsets = [0; 3];
    for (size, strides) in batches.iter().rev() {
        let at = (rest % size) as isize;
        rest /= size;
        for (offset, stride) in offsets.iter_mut().zip(strides) {
            *offset += at * stride;
        }
    }
    offsets
}

/// The bias as a contiguous vector of `n` elements.
fn bias_vector<T: ComputeType>(bias: Option<Operand<'_>>, n: usize) -> Result<Option<Dense<T>>> {
    bias.map(|bias| {
        let (size, stride) = match (bias.layout.shape().last(), bias.layout.strides().last()) {
            (Some(&size), Some(&stride)) => (size, stride),
            _ => (1, 0),
        };
        let stride = if size == n { stride } else { 0 };
        let layout = Layout::new(OP, [n][..].into(), [stride][..].into(), bias.layout.offset())?;
        Dense::contiguous(OP, Operand { layout: &layout, ..bias })
    })
    .transpose()
}

fn multiply_floats<T: ComputeType + Gemm>(
    a: Operand<'_>,
    b: Operand<'_>,
    output: Operand<'_>,
    epilogue: Epilogue<Operand<'_>>,
) -> Result<()> {
    let (dense_a, dense_b) = (Dense::<T>::strided(OP, a)?, Dense::<T>::strided(OP, b)?);
    if output.dtype == T::DTYPE {
        let target = (address(output), output.layout.strides());
        return multiply_batches(T::kernels(), &dense_a, &dense_b, a, target, output, epilogue);
    }
    // What the output held is converted only when it is read.
    let held = if epilogue.beta == 0.0 { None } else { Dense::<T>::contiguous(OP, output)?.into_scratch() };
    let scratch = held.map_or_else(|| Scratch::<T>::with_room(output.layout.numel()), Ok)?;
    let layout = Layout::contiguous(OP, output.layout.shape())?;
    let target = (scratch.as_ptr(), layout.strides());
    multiply_batches(T::kernels(), &dense_a, &dense_b, a, target, output, epilogue)?;
    store(OP, &scratch, output)
}

fn multiply_batches<T: ComputeType + Gemm>(
    kernels: &Kernels<T>,
    a: &Dense<T>,
    b: &Dense<T>,
    a_operand: Operand<'_>,
    (c, c_strides): (*mut T, &[isize]),
    output: Operand<'_>,
    epilogue: Epilogue<Operand<'_>>,
) -> Result<()> {
    let shape = output.layout.shape();
    let lead = shape.len() - 2;
    let pair = |strides: &[isize]| (strides[lead], strides[lead + 1]);
    let bias = bias_vector::<T>(epilogue.bias, shape[lead + 1])?;
    let mut product = Product {
        m: shape[lead],
        n: shape[lead + 1],
        k: a_operand.layout.shape()[lead + 1],
        a: a.as_ptr(),
        a_strides: pair(a.strides()),
        b: b.as_ptr(),
        b_strides: pair(b.strides()),
        c,
        c_strides: pair(c_strides),
        alpha: T::from_f64(epilogue.alpha),
        beta: T::from_f64(epilogue.beta),
        row_bias: ptr::null(),
        column_bias: bias.as_ref().map_or(ptr::null(), Dense::as_ptr),
    };
    let mut batches = batches(shape, [a.strides(), b.strides(), c_strides]);
    // Matrices that share one B and lie one below the other are one tall matrix.
    while let Some(&(size, [a, 0, c])) = batches.last() {
        let rows = product.m as isize;
        if product.m == 1 {
            (product.a_strides.0, product.c_strides.0) = (a, c);
        } else if a != rows * product.a_strides.0 || c != rows * product.c_strides.0 {
            break;
        }
        product.m *= size;
        batches.pop();
    }
    let count = volume(batches.iter().map(|(size, _)| size));
    let work = product.m.saturating_mul(product.n).saturating_mul(product.k).max(1);
    // Large matrices one after the other, each on all threads; small ones side by side.
    let grain = if count == 1 || work >= 8 * TASK_WORK { count } else { TASK_WORK.div_ceil(work) };
    try_parallel_for(count, grain, |range| {
        for index in range {
            // SAFETY: the operands are valid for their layouts; the output's matrices do not overlap.
            unsafe { multiply(&product.moved(batch_offsets(&batches, index)), kernels)? };
        }
        Ok(())
    })
}

fn multiply_integers<T: integer::Integer + ComputeType>(
    a: Operand<'_>,
    b: Operand<'_>,
    output: Operand<'_>,
    epilogue: Epilogue<Operand<'_>>,
) -> Result<()> {
    let shape = output.layout.shape();
    let lead = shape.len() - 2;
    let pair = |operand: Operand<'_>| (operand.layout.strides()[lead], operand.layout.strides()[lead + 1]);
    let bias = bias_vector::<T>(epilogue.bias, shape[lead + 1])?;
    let scalar = |value: f64| T::from_scalar(Scalar::Float(value));
    let product = Product {
        m: shape[lead],
        n: shape[lead + 1],
        k: a.layout.shape()[lead + 1],
        a: address::<T>(a).cast_const(),
        a_strides: pair(a),
        b: address::<T>(b).cast_const(),
        b_strides: pair(b),
        c: address::<T>(output),
        c_strides: pair(output),
        alpha: scalar(epilogue.alpha),
        beta: scalar(epilogue.beta),
        row_bias: ptr::null(),
        column_bias: bias.as_ref().map_or(ptr::null(), Dense::as_ptr),
    };
    let strides = [a, b, output].map(|operand| operand.layout.strides());
    integer::multiply_batches(&product, &batches(shape, strides))
}
