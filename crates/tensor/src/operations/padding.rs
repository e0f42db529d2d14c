//! Padding.

use std::sync::Arc;

use rustorch_backend::sizes::same_padding;
use rustorch_backend::{DType, DimensionMap, MOST_IN_MEMORY, Scalar, Shape, kernel};
use rustorch_error::{Result, RusTorchError};

use super::contiguity::contiguous;
use super::creation::sizes;
use super::shape_ops::slice;
use super::spatial_arguments::per_dimension;
use crate::{Tensor, ops};

/// How each spatial dimension is read.
type Maps = Arc<[DimensionMap]>;

/// The pads before and after each dimension, from PyTorch's list, which begins with the last.
fn pairs(op: &'static str, ndim: usize, pad: &[i64]) -> Result<Vec<(i64, i64)>> {
    if !pad.len().is_multiple_of(2) || pad.len() > 2 * ndim {
        return Err(RusTorchError::shape(
            op,
            format!(
                "padding length must be even and at most twice the {ndim} dimensions of the input, got {} numbers",
                pad.len()
            ),
        ));
    }
    let mut pairs = vec![(0, 0); ndim];
    for (pair, given) in pairs.iter_mut().rev().zip(pad.chunks_exact(2)) {
        *pair = (given[0], given[1]);
    }
    Ok(pairs)
}

fn padded_size(op: &'static str, size: usize, (before, after): (i64, i64), dim: usize) -> Result<usize> {
    let held = |pad: i64| pad.unsigned_abs() <= MOST_IN_MEMORY as u64;
    let padded = usize::try_from((size as i64).saturating_add(before.saturating_add(after))).ok();
    padded.filter(|_| held(before) && held(after)).ok_or_else(|| {
        RusTorchError::shape(
            op,
            format!("the size {size} of dimension {dim}, plus pads {before} and {after}, is not a size"),
        )
    })
}

/// What a convolution's padding as a word means: the padding of both ends as numbers, and the input, with a zero more at the
/// end of each dimension whose padding is odd.
pub(super) fn padded_input(
    op: &'static str,
    spatial: usize,
    input: &Tensor,
    weight: &Tensor,
    [stride, dilation]: [&[i64]; 2],
    padding: &str,
) -> Result<(Tensor, Vec<i64>)> {
    match padding {
        "valid" => return Ok((input.clone(), vec![0])),
        "same" => {}
        _ => {
            return Err(RusTorchError::argument(
                op,
                format!("Invalid padding string '{padding}', should be one of 'valid', 'same'"),
            ));
        }
    }
    if stride.iter().any(|&s| s != 1) {
        return Err(RusTorchError::argument(op, "padding='same' is not supported for strided convolutions"));
    }
    let dilation = per_dimension(op, "dilation", dilation, spatial, 1, 1)?;
    if weight.ndim() != spatial + 2 || input.ndim() < spatial {
        // The convolution says what is wrong with the shapes.
        return Ok((input.clone(), vec![0]));
    }
    let mut both = vec![0; spatial]; // Short: one per dimension.
    let mut ends = [0; 6];
    for (d, &kernel) in weight.shape()[2..].iter().enumerate() {
        let (before, after) = same_padding(kernel, dilation[d]).ok_or_else(|| {
            RusTorchError::argument(
                op,
                format!(
                    "padding='same' has no size for a kernel of {kernel} with a dilation of {}",
                    dilation[d]
                ),
            )
        })?;
        both[d] = before as i64;
        // `constant_pad_nd` begins with the last dimension.
        ends[2 * (spatial - 1 - d) + 1] = (after - before) as i64;
    }
    let ends = &ends[..2 * spatial];
    let odd = ends.iter().any(|&more| more != 0);
    let input = if odd { ops::constant_pad_nd(input, ends, 0.into())? } else { input.clone() };
    Ok((input, both))
}

/// A constant around a tensor.
pub fn constant_pad_nd(input: &Tensor, pad: &[i64], value: Scalar) -> Result<Tensor> {
    let op = "constant_pad_nd";
    let value = value.convert("pad", "value", input.dtype())?;
    let pairs = pairs(op, input.ndim(), pad)?;
    let mut shape = Shape::new();
    let mut whole = true;
    // The part of the input that stays, and its place in the output.
    let mut from = input.detach();
    // Short: one per dimension.
    let mut places = Vec::with_capacity(pairs.len());
    for (d, &(before, after)) in pairs.iter().enumerate() {
        let size = input.shape()[d];
        shape.push(padded_size(op, size, (before, after), d)?);
        let (start, end) = ((-before).max(0), size as i64 + after.min(0));
        from = slice(&from, d as i64, start, end.max(start), 1)?;
        places.push((before.max(0), before.max(0) + (end - start).max(0)));
        whole &= before <= 0 && after <= 0;
    }
    let output = Tensor::empty(&shape, input.dtype(), input.device())?;
    if output.numel() == 0 {
        return Ok(output);
    }
    if !whole {
        output.backend()?.fill(output.operand(), value)?;
    }
    let mut to = output.clone();
    for (d, &(start, end)) in places.iter().enumerate() {
        to = slice(&to, d as i64, start, end, 1)?;
    }
    if to.numel() > 0 {
        output.backend()?.copy(from.operand(), to.operand())?;
    }
    Ok(output)
}

/// The input that each output shows.
fn positions(mode: &str, size: usize, padded: usize, (before, after): (i64, i64)) -> Result<DimensionMap> {
    let last = size as i64 - 1;
    let kept = size as i64 + before.min(0) + after.min(0);
    let source = |i: i64| {
        let at = i - before;
        let source = match mode {
            "replicate" => at.clamp(0, last.max(0)),
            "reflect" if at < 0 => -at,
            "reflect" if at > last => 2 * last - at,
            "reflect" => at,
            // What is cropped does not come back at the other side.
            _ => (-before).max(0) + (i - before.max(0)).rem_euclid(kept.max(1)),
        };
        source as usize
    };
    DimensionMap::selection(size, (0..padded as i64).map(source))
}

/// The sizes of each of the last dimensions after padding, after the checks of each mode.
fn padded_sizes(input: &[usize], pad: &[i64], mode: &str) -> Result<Shape> {
    let op = "pad";
    let spatial = pad.len() / 2;
    if !pad.len().is_multiple_of(2) || !(1..=3).contains(&spatial) || input.len().abs_diff(spatial) > 2 {
        return Err(unsupported(pad.len(), input.len()));
    }
    let Some(lead) = input.len().checked_sub(spatial).filter(|lead| (1..=2).contains(lead)) else {
        return Err(unsupported(pad.len(), input.len()));
    };
    // Without images there is nothing to show, and nothing to fail.
    let fixed = usize::from(lead == 2);
    let empty = input[fixed..].contains(&0);
    let mut sizes = Shape::new();
    for d in lead..input.len() {
        let at = 2 * (input.len() - 1 - d);
        let (size, pair) = (input[d], (pad[at], pad[at + 1]));
        let padded = padded_size(op, size, pair, d)?;
        let largest = pair.0.max(pair.1);
        let message = match mode {
            "reflect" | "replicate" if empty => {
                Some("the dimensions after the batch must not be empty".to_owned())
            }
            "reflect" if largest >= size as i64 => {
                Some("reflection needs pads smaller than the dimension".to_owned())
            }
            "circular" if largest > size as i64 => Some("padding wraps around more than once".to_owned()),
            _ => None,
        };
        if let Some(message) = message {
            return Err(RusTorchError::shape(
                op,
                format!("{message}: dimension {d} of {input:?} has size {size} and gets pads {pair:?}"),
            ));
        }
        if padded > 0
            && (size == 0 || (mode == "circular" && size as i64 + pair.0.min(0) + pair.1.min(0) <= 0))
        {
            return Err(RusTorchError::shape(
                op,
                format!("dimension {d} of {input:?} has nothing to pad with"),
            ));
        }
        sizes.push(padded);
    }
    Ok(sizes)
}

/// How each of the last dimensions is read, whose sizes become `padded`.
fn maps(input: &[usize], padded: &[usize], pad: &[i64], mode: &str) -> Result<Maps> {
    let sizes = &input[input.len() - padded.len()..];
    let along = sizes.iter().zip(padded).zip(pad.chunks_exact(2).rev());
    along.map(|((&size, &padded), pair)| positions(mode, size, padded, (pair[0], pair[1]))).collect()
}

#[cold]
fn unsupported(numbers: usize, ndim: usize) -> RusTorchError {
    RusTorchError::shape(
        "pad",
        format!(
            "padding size {numbers} is not supported for a {ndim}D input in this mode; 2 numbers pad a 2D or 3D input, 4 a \
             3D or 4D one, 6 a 4D or 5D one"
        ),
    )
}

/// The tensor's own elements around it.
pub fn pad_from_inside(input: &Tensor, pad: &[i64], mode: &str) -> Result<Tensor> {
    let padded = padded_sizes(input.shape(), pad, mode)?;
    let mut shape = Shape::from_slice(&input.shape()[..input.ndim() - padded.len()]);
    shape.extend_from_slice(&padded);
    let output = Tensor::empty(&shape, input.dtype(), input.device())?;
    if output.numel() > 0 {
        let input = contiguous(input)?;
        let maps = maps(input.shape(), &padded, pad, mode)?;
        output.backend()?.run(kernel::Resample { maps, input: input.operand(), output: output.operand() })?;
    }
    Ok(output)
}

/// The gradient of [`pad_from_inside`] by its input.
pub fn pad_from_inside_input(grad_output: &Tensor, shape: &[i64], pad: &[i64], mode: &str) -> Result<Tensor> {
    let shape = sizes("pad", shape)?;
    let padded = padded_sizes(&shape, pad, mode)?;
    let output = Tensor::empty(&shape, grad_output.dtype(), grad_output.device())?;
    if output.numel() > 0 {
        let grad = contiguous(grad_output)?;
        let maps = maps(&shape, &padded, pad, mode)?
            .iter()
            .map(DimensionMap::transposed)
            .collect::<Result<Maps>>()?;
        output.backend()?.run(kernel::Resample { maps, input: grad.operand(), output: output.operand() })?;
    }
    Ok(output)
}

/// Padding in any of its modes.
pub fn pad(input: &Tensor, pad: &[i64], mode: &str, value: Option<Scalar>) -> Result<Tensor> {
    match mode {
        "constant" => ops::constant_pad_nd(input, pad, value.unwrap_or(Scalar::Int(0))),
        "reflect" | "replicate" | "circular" => {
            if value.is_some_and(Scalar::to_bool) {
                return Err(RusTorchError::argument(
                    "pad",
                    format!("mode '{mode}' doesn't take in value argument"),
                ));
            }
            if input.dtype() == DType::Bool && mode != "circular" {
                return Err(RusTorchError::dtype(
                    "pad",
                    format!("mode '{mode}' is not implemented for bool"),
                ));
            }
            ops::pad_from_inside(input, pad, mode)
        }
        _ => Err(RusTorchError::argument(
            "pad",
            format!(
                "unrecognised padding mode '{mode}'; there are 'constant', 'reflect', 'replicate' and 'circular'"
            ),
        )),
    }
}
