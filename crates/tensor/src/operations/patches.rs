//! Windows of a tensor as columns, and columns summed into windows.

use rustorch_backend::sizes::{padded, reach};
use rustorch_backend::{Dims, Layout, Shape, checked_product, stepped, volume};
use rustorch_error::{Result, RusTorchError};

use super::contiguity::{contiguous, contiguous_copy};
use super::creation::{cast, sizes};
use super::shape_ops::reshape_to;
use super::spatial_arguments::per_dimension;
use crate::{Tensor, ops};

/// Where windows of one to three spatial dimensions lie.
pub(super) struct Windows {
    spatial: usize,
    kernel: [usize; 3],
    stride: [usize; 3],
    padding: [usize; 3],
    dilation: [usize; 3],
}

impl Windows {
    pub(super) fn new(
        op: &'static str,
        spatial: usize,
        [kernel, stride, padding, dilation]: [&[i64]; 4],
    ) -> Result<Self> {
        Ok(Windows {
            spatial,
            kernel: per_dimension(op, "kernel_size", kernel, spatial, 1, 1)?,
            stride: per_dimension(op, "stride", stride, spatial, 1, 1)?,
            padding: per_dimension(op, "padding", padding, spatial, 0, 0)?,
            dilation: per_dimension(op, "dilation", dilation, spatial, 1, 1)?,
        })
    }

    /// The kernel's sizes.
    pub(super) fn kernel(&self) -> &[usize] {
        &self.kernel[..self.spatial]
    }

    /// How many windows there are along each of the spatial sizes.
    pub(super) fn positions(&self, op: &'static str, sizes: &[usize]) -> Result<Dims<usize>> {
        (0..self.spatial)
            .map(|d| {
                let reach = reach(self.kernel[d], self.dilation[d]);
                let padded = padded(sizes[d], self.padding[d], self.padding[d]);
                let room = padded.zip(reach).and_then(|(padded, reach)| padded.checked_sub(reach));
                room.map(|room| room / self.stride[d] + 1).ok_or_else(|| {
                    RusTorchError::shape(
                        op,
                        format!(
                            "a window of {} taps with dilation {} does not fit spatial dimension {d} of {sizes:?} with \
                             padding {}",
                            self.kernel[d], self.dilation[d], self.padding[d]
                        ),
                    )
                })
            })
            .collect()
    }

    fn pads(&self, sign: i64) -> Vec<i64> {
        // Short: one per dimension.
        self.padding[..self.spatial].iter().rev().flat_map(|&p| [sign * p as i64; 2]).collect()
    }

    /// The windows of a padded row-major tensor as (N, C, *kernel, *positions), without copying.
    fn view(&self, op: &'static str, padded: &Tensor, positions: &[usize]) -> Result<Tensor> {
        let mut shape = Shape::from_slice(&padded.shape()[..2]);
        shape.extend_from_slice(self.kernel());
        shape.extend_from_slice(positions);
        let mut strides = Dims::from_slice(&padded.strides()[..2]);
        let spatial = &padded.strides()[2..];
        strides.extend(spatial.iter().zip(&self.dilation).map(|(&s, &step)| stepped(s, step)));
        strides.extend(spatial.iter().zip(&self.stride).map(|(&s, &step)| stepped(s, step)));
        Ok(padded.alias(Layout::new(op, shape, strides, padded.layout().offset())?))
    }
}

fn check_input(op: &'static str, input: &Tensor) -> Result<usize> {
    if (3..=5).contains(&input.ndim()) {
        return Ok(input.ndim() - 2);
    }
    Err(RusTorchError::shape(
        op,
        format!("expected (N, C, *spatial) with 1 to 3 spatial dimensions, got {:?}", input.shape()),
    ))
}

/// The windows of (N, C, *spatial) as (N, C, *kernel, *positions).
pub fn patches(
    input: &Tensor,
    kernel_size: &[i64],
    stride: &[i64],
    padding: &[i64],
    dilation: &[i64],
) -> Result<Tensor> {
    let op = "unfold";
    let windows = Windows::new(op, check_input(op, input)?, [kernel_size, stride, padding, dilation])?;
    let positions = windows.positions(op, &input.shape()[2..])?;
    let padded = contiguous(&ops::constant_pad_nd(input, &windows.pads(1), 0.into())?)?;
    contiguous_copy(&windows.view(op, &padded, &positions)?)
}

/// Windows (N, C, *kernel, *positions), summed where they lie in (N, C, *spatial).
pub fn patches_input(
    grad_output: &Tensor,
    shape: &[i64],
    kernel_size: &[i64],
    stride: &[i64],
    padding: &[i64],
    dilation: &[i64],
) -> Result<Tensor> {
    let op = "fold";
    let shape = sizes(op, shape)?;
    let spatial = shape.len() - 2;
    let windows = Windows::new(op, spatial, [kernel_size, stride, padding, dilation])?;
    let positions = windows.positions(op, &shape[2..])?;
    let mut padded = shape.clone();
    for d in 0..spatial {
        padded[d + 2] += 2 * windows.padding[d]; // As `positions` has found, it fits.
    }
    // Half precisions are summed in float32 and rounded once.
    let sum = Tensor::empty(&padded, grad_output.dtype().compute(), grad_output.device())?;
    sum.backend()?.fill(sum.operand(), 0.into())?;
    let places = windows.view(op, &sum, &positions)?;
    if places.numel() > 0 {
        add_taps(&places, grad_output, windows.kernel())?;
    }
    cast(&ops::constant_pad_nd(&sum, &windows.pads(-1), 0.into())?, grad_output.dtype())
}

/// Adds the elements of each tap of the kernel, dimensions 2 and on, where they lie. The places of one tap do not overlap.
fn add_taps(places: &Tensor, values: &Tensor, kernel: &[usize]) -> Result<()> {
    let Some((&count, rest)) = kernel.split_first() else {
        return ops::add_(places, values, 1.into());
    };
    for tap in 0..count as i64 {
        let at = |t: &Tensor| super::shape_ops::select(t, 2, tap);
        add_taps(&at(places)?, &at(values)?, rest)?;
    }
    Ok(())
}

/// The windows of images as columns.
pub fn unfold2d(
    input: &Tensor,
    kernel_size: &[i64],
    dilation: &[i64],
    padding: &[i64],
    stride: &[i64],
) -> Result<Tensor> {
    let op = "unfold";
    if input.ndim() == 3 {
        let columns = unfold2d(&ops::unsqueeze(input, 0)?, kernel_size, dilation, padding, stride)?;
        return ops::squeeze(&columns, Some(&[0]));
    }
    if input.ndim() != 4 || input.shape()[1..].contains(&0) {
        return Err(RusTorchError::shape(
            op,
            format!(
                "expected a 3D or 4D tensor without empty dimensions beside the batch, got {:?}",
                input.shape()
            ),
        ));
    }
    let windows = ops::patches(input, kernel_size, stride, padding, dilation)?;
    let shape = windows.shape();
    let (rows, columns) = (volume(&shape[1..4]), volume(&shape[4..]));
    reshape_to(&windows, &[shape[0], rows, columns])
}

/// Columns as images.
pub fn fold2d(
    input: &Tensor,
    output_size: &[i64],
    kernel_size: &[i64],
    dilation: &[i64],
    padding: &[i64],
    stride: &[i64],
) -> Result<Tensor> {
    let op = "fold";
    if input.ndim() == 2 {
        let image = fold2d(&ops::unsqueeze(input, 0)?, output_size, kernel_size, dilation, padding, stride)?;
        return ops::squeeze(&image, Some(&[0]));
    }
    let windows = Windows::new(op, 2, [kernel_size, stride, padding, dilation])?;
    let size = per_dimension(op, "output_size", output_size, 2, 1, 1)?;
    let positions = windows.positions(op, &size[..2])?;
    let taps = checked_product(op, windows.kernel())?;
    let count = checked_product(op, &positions)?;
    if input.ndim() != 3
        || input.shape()[1] == 0
        || !input.shape()[1].is_multiple_of(taps)
        || input.shape()[2] != count
    {
        return Err(RusTorchError::shape(
            op,
            format!(
                "expected (N, C * {taps}, {count}) for output_size {output_size:?} and these windows, got {:?}",
                input.shape()
            ),
        ));
    }
    let (batch, channels) = (input.shape()[0], input.shape()[1] / taps);
    let mut split = vec![batch, channels];
    split.extend_from_slice(windows.kernel());
    split.extend_from_slice(&positions);
    let shape = [batch as i64, channels as i64, size[0] as i64, size[1] as i64];
    ops::patches_input(&reshape_to(input, &split)?, &shape, kernel_size, stride, padding, dilation)
}
