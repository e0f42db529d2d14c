//! Reductions of complex numbers: sums by parts, products by way of cumulative ones.

use rustorch_backend::memory::host_allocator;
use rustorch_backend::{
    Buffer, DType, Dims, Layout, Operand, ReduceOp, Scalar, ScanOp, dims_from_slice, kernel, volume,
};
use rustorch_error::{Result, RusTorchError};

use crate::kernels::copy::{copy, fill};
use crate::kernels::scan::scan;

/// Reduces a complex `input` into a complex `output`.
pub(super) fn reduce(op: ReduceOp, input: Operand<'_>, dims: &[usize], output: Operand<'_>) -> Result<()> {
    match op {
        ReduceOp::Sum | ReduceOp::Mean => {
            for i in 0..2 {
                let (from, to) = (input.layout.part("reduce", i)?, output.layout.part("reduce", i)?);
                let from = Operand { layout: &from, dtype: input.dtype.to_real(), ..input };
                let to = Operand { layout: &to, dtype: output.dtype.to_real(), ..output };
                super::reduce(&kernel::Reduce {
                    op,
                    pre: None,
                    input: from,
                    dims: dims_from_slice(dims),
                    output: to,
                })?;
            }
            Ok(())
        }
        ReduceOp::Prod => product(input, dims, output),
        _ => Err(RusTorchError::unsupported("reduce", "complex numbers have no order")),
    }
}

/// Products in complex128: the last of the cumulative ones.
fn product(input: Operand<'_>, dims: &[usize], output: Operand<'_>) -> Result<()> {
    let (reduced, kept): (Dims<usize>, Dims<usize>) =
        (0..input.layout.ndim()).partition(|d| dims.contains(d));
    let order: Dims<usize> = kept.iter().chain(&reduced).copied().collect();
    let source = input.layout.permute(&order);
    let rows = Layout::contiguous("reduce", source.shape())?;
    let factors = volume(reduced.iter().map(|&d| &input.layout.shape()[d]));
    let lines = volume(kept.iter().map(|&d| &input.layout.shape()[d]));
    if factors == 0 {
        return fill(output, Scalar::Int(1));
    }
    let dtype = DType::Complex128;
    let allocate = || Buffer::allocate(host_allocator(), lines * factors * dtype.size());
    let (values, products) = (allocate()?, allocate()?);
    copy(Operand { layout: &source, ..input }, Operand { buffer: &values, layout: &rows, dtype })?;
    let table = Layout::contiguous("reduce", &[lines, factors])?;
    let table = |buffer| Operand { buffer, layout: &table, dtype };
    scan(&kernel::Scan {
        op: ScanOp::Prod,
        input: table(&values),
        dim: 1,
        output: table(&products),
        indices: None,
    })?;
    let target = output.layout.permute(&kept);
    let mut strides: Dims<isize> = Layout::contiguous("reduce", target.shape())?.strides().into();
    strides.iter_mut().for_each(|s| *s *= factors as isize);
    let last = Layout::new("reduce", target.shape().into(), strides, factors - 1)?;
    copy(Operand { buffer: &products, layout: &last, dtype }, Operand { layout: &target, ..output })
}
