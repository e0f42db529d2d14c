//! Products of matrices.

mod accumulation;

pub(in crate::operations) use accumulation::ignoring;
pub use accumulation::{
    accumulated_matrix_product, addbmm, addmm, addmv, addr, baddbmm, scaled_matrix_product,
};

use rustorch_backend::{Epilogue, Layout, Operand, Shape, broadcast_shapes, kernel, volume};
use rustorch_error::{Result, RusTorchError};

use super::shape_ops::reshape_to;
use crate::placement::together;
use crate::{Tensor, ops};

pub(super) fn same_dtype(op: &'static str, a: &Tensor, b: &Tensor) -> Result<()> {
    if a.dtype() != b.dtype() {
        return Err(RusTorchError::dtype(
            op,
            format!("expected both to have the same dtype, but got: {} and {}", a.dtype(), b.dtype()),
        ));
    }
    Ok(())
}

#[cold]
fn shape_error(op: &'static str, a: &[usize], b: &[usize]) -> RusTorchError {
    RusTorchError::shape(
        op,
        format!(
            "shapes {a:?} and {b:?} cannot be multiplied: the last size of the first must equal the last but one of \
             the second"
        ),
    )
}

/// The product of matrices with broadcast leading dimensions.
pub fn matrix_product(input: &Tensor, other: &Tensor) -> Result<Tensor> {
    same_dtype("matmul", input, other)?;
    let (a, b) = (input.shape(), other.shape());
    let ([a_batch @ .., m, k], [b_batch @ .., k2, n]) = (a, b) else {
        return Err(shape_error("matmul", a, b));
    };
    if k != k2 {
        return Err(shape_error("matmul", a, b));
    }
    let batch = broadcast_shapes("matmul", [a_batch, b_batch])?;
    let full = |rows: usize, columns: usize| {
        let mut shape = batch.clone();
        shape.extend([rows, columns]);
        shape
    };
    let output = Tensor::empty(&full(*m, *n), input.dtype(), input.device())?;
    let a_layout = input.broadcast_layout("matmul", &full(*m, *k))?;
    let b_layout = other.broadcast_layout("matmul", &full(*k, *n))?;
    if output.numel() > 0 {
        let a = Operand { layout: &a_layout, ..input.operand() };
        let b = Operand { layout: &b_layout, ..other.operand() };
        output.backend()?.run(kernel::MatrixMultiply {
            a,
            b,
            output: output.operand(),
            epilogue: Epilogue::default(),
        })?;
    }
    Ok(output)
}

/// The matrix product with PyTorch's rules for vectors and batches.
pub fn matmul(input: &Tensor, other: &Tensor) -> Result<Tensor> {
    together("matmul", &[Some(input), Some(other)])?;
    match (input.ndim(), other.ndim()) {
        (0, _) | (_, 0) => Err(RusTorchError::shape(
            "matmul",
            format!(
                "both arguments need to be at least 1D, but they are {}D and {}D; use * for scalars",
                input.ndim(),
                other.ndim()
            ),
        )),
        (1, 1) => dot(input, other),
        (1, _) => {
            if other.shape()[other.ndim() - 2] != input.shape()[0] {
                return Err(shape_error("matmul", input.shape(), other.shape()));
            }
            ops::squeeze(&ops::matrix_product(&ops::unsqueeze(input, 0)?, other)?, Some(&[-2]))
        }
        (_, 1) => {
            if input.shape()[input.ndim() - 1] != other.shape()[0] {
                return Err(shape_error("matmul", input.shape(), other.shape()));
            }
            ops::squeeze(&matmul(input, &ops::unsqueeze(other, 1)?)?, Some(&[-1]))
        }
        (2, 2) => ops::matrix_product(input, other),
        // A batch of matrices times one matrix is one tall matrix times it.
        (n, 2) if n > 2 && input.shape()[n - 1] == other.shape()[0] && input.is_contiguous() => {
            let flat = fold_rows(input)?;
            let mut shape = input.shape()[..n - 1].to_vec();
            shape.push(other.shape()[1]);
            reshape_to(&ops::matrix_product(&flat, other)?, &shape)
        }
        _ => ops::matrix_product(input, other),
    }
}

/// All but the last dimension joined into one.
pub(crate) fn fold_rows(input: &Tensor) -> Result<Tensor> {
    let columns = input.shape().last().copied().unwrap_or(1);
    let rows = volume(&input.shape()[..input.ndim().saturating_sub(1)]);
    reshape_to(input, &[rows, columns])
}

fn expect_dims(op: &'static str, tensors: [(&Tensor, usize); 2]) -> Result<()> {
    together(op, &tensors.map(|(tensor, _)| Some(tensor)))?;
    for (tensor, ndim) in tensors {
        if tensor.ndim() != ndim {
            return Err(RusTorchError::shape(
                op,
                format!(
                    "expected tensors of {} and {} dimensions, but got shapes {:?} and {:?}; see matmul()",
                    tensors[0].1,
                    tensors[1].1,
                    tensors[0].0.shape(),
                    tensors[1].0.shape()
                ),
            ));
        }
    }
    Ok(())
}

/// The product of two matrices.
pub fn mm(input: &Tensor, mat2: &Tensor) -> Result<Tensor> {
    expect_dims("mm", [(input, 2), (mat2, 2)])?;
    ops::matrix_product(input, mat2)
}

/// The products of two batches of matrices.
pub fn bmm(input: &Tensor, mat2: &Tensor) -> Result<Tensor> {
    expect_dims("bmm", [(input, 3), (mat2, 3)])?;
    if input.shape()[0] != mat2.shape()[0] {
        return Err(RusTorchError::shape(
            "bmm",
            format!("batch sizes differ: {:?} and {:?}; matmul() broadcasts", input.shape(), mat2.shape()),
        ));
    }
    ops::matrix_product(input, mat2)
}

/// The product of a matrix and a vector.
pub fn mv(input: &Tensor, vec: &Tensor) -> Result<Tensor> {
    expect_dims("mv", [(input, 2), (vec, 1)])?;
    matmul(input, vec)
}

/// The sum of the products of two vectors' elements.
pub fn dot(input: &Tensor, tensor: &Tensor) -> Result<Tensor> {
    expect_dims("dot", [(input, 1), (tensor, 1)])?;
    if input.shape() != tensor.shape() {
        return Err(RusTorchError::shape(
            "dot",
            format!(
                "inconsistent tensor size, expected the same number of elements, but got {:?} and {:?}",
                input.shape(),
                tensor.shape()
            ),
        ));
    }
    let product = ops::matrix_product(&ops::unsqueeze(input, 0)?, &ops::unsqueeze(tensor, 1)?)?;
    ops::view(&product, &[])
}

/// All products of the elements of two vectors.
pub fn outer(input: &Tensor, vec2: &Tensor) -> Result<Tensor> {
    expect_dims("outer", [(input, 1), (vec2, 1)])?;
    ops::mul(&ops::unsqueeze(input, 1)?, vec2)
}

/// The sum of the products of two vectors' elements; of real ones, as [`dot`].
pub fn vdot(input: &Tensor, other: &Tensor) -> Result<Tensor> {
    expect_dims("vdot", [(input, 1), (other, 1)])?;
    dot(&ops::conj(input)?, other)
}

/// The sums of products along the last dimensions.
pub fn inner(input: &Tensor, other: &Tensor) -> Result<Tensor> {
    if input.ndim() == 0 || other.ndim() == 0 {
        return ops::mul(input, other);
    }
    let (n, m) = (input.shape()[input.ndim() - 1], other.shape()[other.ndim() - 1]);
    if n != m {
        return Err(RusTorchError::shape(
            "inner",
            format!(
                "the size of the last dimension must match, but got {:?} and {:?}",
                input.shape(),
                other.shape()
            ),
        ));
    }
    let product = ops::matrix_product(&fold_rows(input)?, &ops::t(&fold_rows(other)?)?)?;
    let shape = [&input.shape()[..input.ndim() - 1], &other.shape()[..other.ndim() - 1]].concat();
    reshape_to(&product, &shape)
}

/// `input @ weight.T + bias`.
pub fn linear(input: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    same_dtype("linear", input, weight)?;
    let features = input.shape().last().copied();
    let ([out, inner], Some(features)) = (weight.shape(), features) else {
        return Err(RusTorchError::shape(
            "linear",
            format!(
                "input {:?} must be (*, in) and weight {:?} must be (out, in)",
                input.shape(),
                weight.shape()
            ),
        ));
    };
    if *inner != features {
        return Err(RusTorchError::shape(
            "linear",
            format!(
                "input of shape {:?} and weight of shape {:?} cannot be multiplied ({features} features, weight takes {inner})",
                input.shape(),
                weight.shape()
            ),
        ));
    }
    if let Some(bias) = bias {
        same_dtype("linear", input, bias)?;
        if bias.shape() != [*out] {
            return Err(RusTorchError::shape(
                "linear",
                format!("bias must have shape [{out}] as the weight has {out} rows, got {:?}", bias.shape()),
            ));
        }
    }
    let rows = fold_rows(input)?;
    let mut shape = Shape::from_slice(&input.shape()[..input.ndim() - 1]);
    shape.push(*out);
    let output = Tensor::empty(&shape, input.dtype(), input.device())?;
    if output.numel() > 0 {
        let flat = Layout::contiguous("linear_algebra", &[rows.shape()[0], *out])?;
        let transposed = weight.layout().permute(&[1, 0]);
        let destination = Operand { layout: &flat, ..output.operand() };
        let epilogue = Epilogue { bias: bias.map(Tensor::operand), ..Epilogue::default() };
        let weight = Operand { layout: &transposed, ..weight.operand() };
        output.backend()?.run(kernel::MatrixMultiply {
            a: rows.operand(),
            b: weight,
            output: destination,
            epilogue,
        })?;
    }
    Ok(output)
}
