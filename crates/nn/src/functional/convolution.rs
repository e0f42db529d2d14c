//! Convolution with PyTorch's ways to say the padding.

use rustorch_backend::sizes::same_padding;
use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{Tensor, ops};

/// How much is added around the input of a convolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Padding {
    /// Nothing.
    Valid,
    /// As much as keeps the size for stride 1; what is odd goes to the end.
    Same,
    /// So many zeros at both ends of each spatial dimension.
    Explicit(Vec<i64>),
}

impl Padding {
    /// Zeros before and after each spatial dimension, for a kernel and its dilation.
    pub fn amounts(&self, kernel: &[usize], dilation: &[usize]) -> Result<Vec<(i64, i64)>> {
        match self {
            Padding::Valid => Ok(vec![(0, 0); kernel.len()]),
            Padding::Explicit(both) => Ok(each(both, kernel.len()).map(|n| (n, n)).collect()),
            Padding::Same => kernel
                .iter()
                .zip(dilation)
                .map(|(&kernel, &dilation)| match same_padding(kernel, dilation) {
                    Some((before, after)) => Ok((before as i64, after as i64)),
                    None => Err(RusTorchError::argument(
                        "conv",
                        format!("padding='same' has no size for a kernel of {kernel} with a dilation of {dilation}"),
                    )),
                })
                .collect(),
        }
    }
}

/// What is added around the input of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PaddingMode {
    /// Zeros.
    #[default]
    Zeros,
    /// The input mirrored at its edge.
    Reflect,
    /// The input's edge.
    Replicate,
    /// The input's other side.
    Circular,
}

impl PaddingMode {
    /// The mode of `pad`; nothing for zeros, which convolutions add themselves.
    pub fn name(self) -> Option<&'static str> {
        match self {
            PaddingMode::Zeros => None,
            PaddingMode::Reflect => Some("reflect"),
            PaddingMode::Replicate => Some("replicate"),
            PaddingMode::Circular => Some("circular"),
        }
    }
}

/// One number per spatial dimension; a single one counts for all.
fn each(numbers: &[i64], spatial: usize) -> impl Iterator<Item = i64> + '_ {
    (0..spatial).map(move |i| if numbers.len() == 1 { numbers[0] } else { numbers[i] })
}

/// Cross-correlation of `input` `(N, C_in, *spatial)` or `(C_in, *spatial)` with `weight` `(C_out, C_in / groups,
/// *kernel)`; `weight` decides whether there are one, two or three spatial dimensions.
pub fn convolution(
    input: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    stride: &[i64],
    padding: &Padding,
    dilation: &[i64],
    groups: i64,
) -> Result<Tensor> {
    let word = match padding {
        Padding::Valid => "valid",
        Padding::Same => "same",
        Padding::Explicit(both) => {
            let run = match weight.ndim() {
                3 => ops::conv1d,
                4 => ops::conv2d,
                5 => ops::conv3d,
                _ => return Err(wrong_weight(weight)),
            };
            return run(input, weight, bias, stride, both, dilation, groups);
        }
    };
    let run = match weight.ndim() {
        3 => ops::conv1d_padding,
        4 => ops::conv2d_padding,
        5 => ops::conv3d_padding,
        _ => return Err(wrong_weight(weight)),
    };
    run(input, weight, bias, stride, word, dilation, groups)
}

fn wrong_weight(weight: &Tensor) -> RusTorchError {
    RusTorchError::shape(
        "conv",
        format!("expected a weight of 3, 4 or 5 dimensions, got one of shape {:?}", weight.shape()),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::{assert_close, init, sample, values};

    #[test]
    fn same_keeps_the_size_and_puts_the_odd_zero_at_the_end() {
        init();
        let input = sample(&[2, 1, 5], 0.0);
        for (kernel, dilation) in [(1, 1), (2, 1), (3, 1), (4, 2), (2, 3)] {
            let weight = sample(&[1, 1, kernel], 1.0);
            let output =
                convolution(&input, &weight, None, &[1], &Padding::Same, &[dilation as i64], 1).unwrap();
            assert_eq!(output.shape(), input.shape());
            let (x, w) = (values(&input), values(&weight));
            let before = dilation * (kernel - 1) / 2;
            let expected: Vec<f64> = (0..10)
                .map(|i| {
                    let (row, column) = (i / 5, i % 5);
                    (0..kernel)
                        .map(|k| {
                            let at = column + k * dilation;
                            if (before..before + 5).contains(&at) {
                                w[k] * x[row * 5 + at - before]
                            } else {
                                0.0
                            }
                        })
                        .sum()
                })
                .collect();
            assert_close(&values(&output), &expected, 1e-12);
        }
    }

    #[test]
    fn a_stride_and_same_do_not_go_together() {
        init();
        let (input, weight) = (sample(&[1, 1, 5, 5], 0.0), sample(&[1, 1, 3, 3], 1.0));
        let error = convolution(&input, &weight, None, &[2], &Padding::Same, &[1], 1).unwrap_err();
        assert_eq!(error.to_string(), "conv2d: padding='same' is not supported for strided convolutions");
    }
}
