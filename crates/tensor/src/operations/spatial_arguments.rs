//! Arguments that are a number per spatial dimension: sizes of kernels, strides, paddings.

use rustorch_error::{Result, RusTorchError};

/// One value per spatial dimension, from one for all or one each.
pub(crate) fn per_dimension(
    op: &'static str,
    name: &str,
    values: &[i64],
    spatial: usize,
    least: i64,
    fill: usize,
) -> Result<[usize; 3]> {
    if (values.len() != 1 && values.len() != spatial) || values.iter().any(|&v| v < least) {
        return Err(RusTorchError::argument(
            op,
            format!("{name} must be one integer >= {least} or {spatial} of them, got {values:?}"),
        ));
    }
    let mut out = [fill; 3];
    for (d, slot) in out.iter_mut().enumerate().take(spatial) {
        *slot = values[if values.len() == 1 { 0 } else { d }] as usize;
    }
    Ok(out)
}
