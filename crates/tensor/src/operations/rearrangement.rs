//! Channels into the plane and back.

use rustorch_backend::volume;
use rustorch_error::{Result, RusTorchError};

use super::shape_ops::{contiguous, reshape_to};
use crate::{Tensor, ops};

/// A factor, and the sizes of (*, C, H, W).
fn image(op: &'static str, input: &Tensor, factor: i64) -> Result<(usize, usize, usize, usize)> {
    let factor = usize::try_from(factor)
        .ok()
        .filter(|&r| r > 0)
        .ok_or_else(|| RusTorchError::argument(op, format!("expects a positive factor, but got {factor}")))?;
    match input.shape() {
        &[.., channels, height, width] => Ok((factor, channels, height, width)),
        shape => Err(RusTorchError::shape(
            op,
            format!(
                "expects input to have at least 3 dimensions, but got input with {} dimension(s)",
                shape.len()
            ),
        )),
    }
}

/// Splits the last three dimensions as `split` says, reorders the parts by `order`, and joins them to `joined`.
fn rearrange(input: &Tensor, split: &[usize], order: &[usize], joined: [usize; 3]) -> Result<Tensor> {
    let lead = &input.shape()[..input.ndim() - 3];
    let parts = reshape_to(input, &[lead, split].concat())?;
    let dims: Vec<i64> =
        (0..lead.len()).chain(order.iter().map(|d| lead.len() + d)).map(|d| d as i64).collect();
    contiguous(&reshape_to(&ops::permute(&parts, &dims)?, &[lead, &joined].concat())?)
}

/// Channels become squares of pixels.
pub fn pixel_shuffle(input: &Tensor, upscale_factor: i64) -> Result<Tensor> {
    let op = "pixel_shuffle";
    let (r, channels, height, width) = image(op, input, upscale_factor)?;
    let square = r.checked_mul(r).filter(|square| channels.is_multiple_of(*square)).ok_or_else(|| {
        RusTorchError::shape(
            op,
            format!("expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but {channels} is not divisible by {r}²"),
        )
    })?;
    let c = channels / square;
    rearrange(input, &[c, r, r, height, width], &[0, 3, 1, 4, 2], [c, height * r, width * r])
}

/// Squares of pixels become channels.
pub fn pixel_unshuffle(input: &Tensor, downscale_factor: i64) -> Result<Tensor> {
    let op = "pixel_unshuffle";
    let (r, channels, height, width) = image(op, input, downscale_factor)?;
    if !height.is_multiple_of(r) || !width.is_multiple_of(r) {
        return Err(RusTorchError::shape(
            op,
            format!(
                "expects height and width to be divisible by downscale_factor, but {height} or {width} is not divisible by {r}"
            ),
        ));
    }
    let (h, w) = (height / r, width / r);
    rearrange(input, &[channels, h, r, w, r], &[0, 2, 4, 1, 3], [channels * r * r, h, w])
}

/// Deals channels out over groups.
pub fn channel_shuffle(input: &Tensor, groups: i64) -> Result<Tensor> {
    let op = "channel_shuffle";
    let fail = |message: String| Err(RusTorchError::shape(op, message));
    if input.ndim() < 3 {
        return fail(format!("expects input with > 2 dims, but got input with shape {:?}", input.shape()));
    }
    let channels = input.shape()[1];
    let Some(groups) = usize::try_from(groups).ok().filter(|&g| g > 0) else {
        return Err(RusTorchError::argument(
            op,
            format!("number of groups to divide channels in must be positive, got {groups}"),
        ));
    };
    if !channels.is_multiple_of(groups) {
        return fail(format!(
            "number of channels must be divisible by groups, got {channels} channels and {groups} groups"
        ));
    }
    let (batch, rest): (usize, usize) = (input.shape()[0], volume(&input.shape()[2..]));
    let split = reshape_to(input, &[batch, groups, channels / groups, rest])?;
    contiguous(&reshape_to(&ops::transpose(&split, 1, 2)?, input.shape())?)
}
