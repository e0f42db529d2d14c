//! Creation and conversion.

use rustorch_backend::{Category, DType, Device, Dims, Layout, Scalar, Shape};
use rustorch_error::{Result, RusTorchError};

use crate::autograd::{GradMode, check_inplace};
use crate::operations::contiguity;
pub use crate::operations::numbers::{check_number, dtype_of};
use crate::pinned;
use crate::placement::transfer;
use crate::registry::default_device;
use crate::{MemoryFormat, Tensor, default_dtype, memory_format, ops, registry};

/// The sizes of a shape argument; negative ones are refused.
pub(crate) fn sizes(op: &'static str, size: &[i64]) -> Result<rustorch_backend::Shape> {
    size.iter()
        .map(|&n| {
            usize::try_from(n).map_err(|_| {
                RusTorchError::shape(
                    op,
                    format!("trying to create a tensor with negative dimension {n}: {size:?}"),
                )
            })
        })
        .collect()
}

/// A fresh tensor as its caller asked for it.
pub(super) fn finish(tensor: Tensor, requires_grad: bool) -> Result<Tensor> {
    if requires_grad { tensor.requires_grad_() } else { Ok(tensor) }
}

fn filled(
    op: &'static str,
    size: &[i64],
    value: Option<Scalar>,
    dtype: DType,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let tensor = Tensor::empty(&sizes(op, size)?, dtype, device.unwrap_or_else(default_device))?;
    if let Some(value) = value {
        tensor.backend()?.fill(tensor.operand(), value.convert(op, "fill_value", dtype)?)?;
    }
    finish(tensor, requires_grad)
}

/// A tensor of zeros.
pub fn zeros(
    size: &[i64],
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    filled("zeros", size, Some(0.into()), dtype.unwrap_or_else(default_dtype), device, requires_grad)
}

/// A tensor of ones.
pub fn ones(
    size: &[i64],
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    filled("ones", size, Some(1.into()), dtype.unwrap_or_else(default_dtype), device, requires_grad)
}

/// A tensor of unspecified content.
pub fn empty(
    size: &[i64],
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    filled("empty", size, None, dtype.unwrap_or_else(default_dtype), device, requires_grad)
}

/// A tensor of unspecified content whose elements lie in memory as the strides say.
pub fn empty_strided(
    size: &[i64],
    stride: &[i64],
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    const OP: &str = "empty_strided";
    let shape = sizes(OP, size)?;
    if stride.len() != size.len() {
        let message = format!("the sizes {size:?} and the strides {stride:?} are not as many");
        return Err(RusTorchError::shape(OP, message));
    }
    let steps = stride.iter().map(|&step| {
        isize::try_from(step).ok().filter(|&step| step >= 0).ok_or_else(|| {
            RusTorchError::argument(OP, format!("strides must not be negative, got {stride:?}"))
        })
    });
    let layout = Layout::new(OP, shape, steps.collect::<Result<_>>()?, 0)?;
    let reach = layout.span().map_or(0, |(_, last)| last + 1);
    let memory =
        Tensor::empty(&[reach], dtype.unwrap_or_else(default_dtype), device.unwrap_or_else(default_device))?;
    let tensor = Tensor::from_storage(memory.storage().clone(), layout, memory.dtype())?;
    finish(tensor, requires_grad)
}

/// A tensor of unspecified content without gaps, whose dimensions lie in memory in the order of `physical_layout`.
pub fn empty_permuted(
    size: &[i64],
    physical_layout: &[i64],
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    const OP: &str = "empty_permuted";
    let shape = sizes(OP, size)?;
    // Where each dimension stands in memory.
    let places: Dims<usize> =
        (0..shape.len()).filter_map(|dim| physical_layout.iter().position(|&d| d == dim as i64)).collect();
    if places.len() != shape.len() || physical_layout.len() != shape.len() {
        let message = format!(
            "physical_layout must name each of the {} dimensions, from 0 on, once; got {physical_layout:?}",
            shape.len()
        );
        return Err(RusTorchError::argument(OP, message));
    }
    let physical: Shape = physical_layout.iter().map(|&dim| shape[dim as usize]).collect();
    let memory =
        Tensor::empty(&physical, dtype.unwrap_or_else(default_dtype), device.unwrap_or_else(default_device))?;
    let layout = memory.layout().permute(&places);
    let tensor = Tensor::from_storage(memory.storage().clone(), layout, memory.dtype())?;
    finish(tensor, requires_grad)
}

/// A tensor with one value everywhere.
pub fn full(
    size: &[i64],
    fill_value: Scalar,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let dtype = dtype.unwrap_or_else(|| dtype_of(fill_value));
    filled("full", size, Some(fill_value), dtype, device, requires_grad)
}

fn like(
    input: &Tensor,
    value: Option<Scalar>,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let tensor =
        Tensor::empty(input.shape(), dtype.unwrap_or(input.dtype()), device.unwrap_or(input.device()))?;
    if let Some(value) = value {
        tensor
            .backend()?
            .fill(tensor.operand(), value.convert("full_like", "fill_value", tensor.dtype())?)?;
    }
    finish(tensor, requires_grad)
}

/// Zeros of another tensor's shape.
pub fn zeros_like(
    input: &Tensor,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    like(input, Some(0.into()), dtype, device, requires_grad)
}

/// Ones of another tensor's shape.
pub fn ones_like(
    input: &Tensor,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    like(input, Some(1.into()), dtype, device, requires_grad)
}

/// Unspecified content of another tensor's shape.
pub fn empty_like(
    input: &Tensor,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    like(input, None, dtype, device, requires_grad)
}

/// One value in another tensor's shape.
pub fn full_like(
    input: &Tensor,
    fill_value: Scalar,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    like(input, Some(fill_value), dtype, device, requires_grad)
}

/// Zeros of another tensor's dtype.
pub fn new_zeros(
    input: &Tensor,
    size: &[i64],
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    zeros(size, dtype.or(Some(input.dtype())), device.or(Some(input.device())), requires_grad)
}

/// Ones of another tensor's dtype.
pub fn new_ones(
    input: &Tensor,
    size: &[i64],
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    ones(size, dtype.or(Some(input.dtype())), device.or(Some(input.device())), requires_grad)
}

/// Unspecified content of another tensor's dtype.
pub fn new_empty(
    input: &Tensor,
    size: &[i64],
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    empty(size, dtype.or(Some(input.dtype())), device.or(Some(input.device())), requires_grad)
}

/// One value of another tensor's dtype.
pub fn new_full(
    input: &Tensor,
    size: &[i64],
    fill_value: Scalar,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let (dtype, device) = (dtype.unwrap_or(input.dtype()), device.or(Some(input.device())));
    filled("new_full", size, Some(fill_value), dtype, device, requires_grad)
}

/// A 0-d tensor of a number.
pub fn scalar_tensor(
    s: Scalar,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let default = if s.category() == Category::Complex { dtype_of(s) } else { default_dtype() };
    let tensor = filled("scalar_tensor", &[], None, dtype.unwrap_or(default), device, false)?;
    let value = s.convert("scalar_tensor", "s", tensor.dtype())?;
    tensor.backend()?.fill(tensor.operand(), value)?;
    finish(tensor, requires_grad)
}

/// Ones on the diagonal.
pub fn eye(
    n: i64,
    m: Option<i64>,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let matrix = zeros(&[n, m.unwrap_or(n)], dtype, device, false)?;
    let diagonal = ops::diagonal(&matrix, 0, 0, 1)?;
    diagonal.backend()?.fill(diagonal.operand(), 1.into())?;
    finish(matrix, requires_grad)
}

/// A copy in another dtype; the tensor itself, without history, when it has that dtype already.
pub fn to_dtype(input: &Tensor, dtype: Option<DType>) -> Result<Tensor> {
    let dtype = dtype.unwrap_or(input.dtype());
    if dtype == input.dtype() {
        return Ok(input.detach());
    }
    let result = Tensor::empty(input.shape(), dtype, input.device())?;
    input.backend()?.copy(input.operand(), result.operand())?;
    Ok(result)
}

/// A copy on another device; the tensor itself, without history, when it is there already.
pub fn to_device(input: &Tensor, device: Option<Device>, non_blocking: bool) -> Result<Tensor> {
    let (_, device) = registry::resolve(device.unwrap_or(input.device()))?;
    if input.device().is_same(device) {
        return Ok(input.detach());
    }
    // As PyTorch: what is not waited for lands in pinned memory.
    let result = match input.backend()?.streams().filter(|_| non_blocking && device.is_cpu()) {
        Some(streams) => pinned::empty(input.shape(), input.dtype(), streams)?,
        None => Tensor::empty(input.shape(), input.dtype(), device)?,
    };
    // As PyTorch: a permuted but dense order of dimensions goes along.
    let result = match contiguity::dense_layout(&[input], input.shape()) {
        Some(layout) => result.alias(layout),
        None => result,
    };
    transfer(input, input.layout(), &result, non_blocking)?;
    Ok(result)
}

/// The tensor on another device, itself when it is there already; recorded.
pub fn moved(input: &Tensor, device: Device) -> Result<Tensor> {
    moved_with(input, device, false)
}

/// As [`moved`]; `non_blocking` where nobody waits for a copy from or to pinned memory.
pub fn moved_with(input: &Tensor, device: Device, non_blocking: bool) -> Result<Tensor> {
    let (_, device) = registry::resolve(device)?;
    if input.device().is_same(device) {
        return Ok(input.clone());
    }
    ops::to_device(input, Some(device), non_blocking)
}

/// The tensor in another dtype, itself when it has that dtype already; recorded.
pub fn cast(input: &Tensor, dtype: DType) -> Result<Tensor> {
    if input.dtype() == dtype {
        return Ok(input.clone());
    }
    // Ops that know the argument's name have looked before.
    check_number("number", "value", input, dtype)?;
    ops::to_dtype(input, Some(dtype))
}

/// A value that fills elements of `dtype`, in that dtype; recorded. A number has to be one of `dtype`'s.
pub(crate) fn filling(op: &'static str, argument: &str, value: &Tensor, dtype: DType) -> Result<Tensor> {
    if value.ndim() == 0 && value.device().is_cpu() && value.dtype() != dtype {
        value.item()?.convert(op, argument, dtype)?;
    }
    cast(value, dtype)
}

/// Sets every element.
pub fn fill_(input: &Tensor, value: &Tensor) -> Result<()> {
    if value.ndim() != 0 {
        return Err(RusTorchError::shape(
            "fill_",
            format!(
                "only supports a 0-dimensional value tensor but got one with {} dimensions",
                value.ndim()
            ),
        ));
    }
    if value.requires_grad() || input.requires_grad() {
        return ops::copy_(input, &filling("fill_", "value", value, input.dtype())?, false);
    }
    check_inplace("fill_", input, &[])?;
    let number = value.item()?;
    let number =
        if value.is_wrapped_number() { number.convert("fill_", "value", input.dtype())? } else { number };
    input.backend()?.fill(input.operand(), number)?;
    input.storage().bump_version();
    Ok(())
}

/// One value in another tensor's shape, recorded for both.
pub fn fill(input: &Tensor, value: &Tensor) -> Result<Tensor> {
    let result = ops::clone(input)?;
    fill_(&result, value)?;
    Ok(result)
}

/// Sets every element to 0.
pub fn zero_(input: &Tensor) -> Result<()> {
    if input.requires_grad() && crate::autograd::mode::is_enabled() {
        return ops::copy_(input, &Tensor::number(0_i64)?, false);
    }
    let _mode = GradMode::no_grad();
    check_inplace("zero_", input, &[])?;
    input.backend()?.fill(input.operand(), 0.into())?;
    input.storage().bump_version();
    Ok(())
}

/// See [`ops::zeros_like_as`](crate::ops::zeros_like_as).
pub fn zeros_like_as(
    input: &Tensor,
    memory_format: Option<MemoryFormat>,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let fresh = zeros_like(input, dtype, device, requires_grad)?;
    memory_format::laid_out("zeros_like", fresh, input, memory_format.unwrap_or(MemoryFormat::Preserve))
}

/// See [`ops::ones_like_as`](crate::ops::ones_like_as).
pub fn ones_like_as(
    input: &Tensor,
    memory_format: Option<MemoryFormat>,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let fresh = ones_like(input, dtype, device, requires_grad)?;
    memory_format::laid_out("ones_like", fresh, input, memory_format.unwrap_or(MemoryFormat::Preserve))
}

/// See [`ops::empty_like_as`](crate::ops::empty_like_as).
pub fn empty_like_as(
    input: &Tensor,
    memory_format: Option<MemoryFormat>,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let fresh = empty_like(input, dtype, device, requires_grad)?;
    memory_format::laid_out("empty_like", fresh, input, memory_format.unwrap_or(MemoryFormat::Preserve))
}

/// See [`ops::full_like_as`](crate::ops::full_like_as).
pub fn full_like_as(
    input: &Tensor,
    fill_value: Scalar,
    memory_format: Option<MemoryFormat>,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let fresh = full_like(input, fill_value, dtype, device, requires_grad)?;
    memory_format::laid_out("full_like", fresh, input, memory_format.unwrap_or(MemoryFormat::Preserve))
}
