//! Convolution with PyTorch's ways to say the padding.

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
    /// Reads `valid` or `same`.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "valid" => Ok(Padding::Valid),
            "same" => Ok(Padding::Same),
            _ => Err(RusTorchError::argument(
                "conv",
                format!("Invalid padding string '{name}', should be one of 'valid', 'same'"),
            )),
        }
    }

    /// Zeros before and after each spatial dimension, for a kernel and its dilation.
    pub fn amounts(&self, kernel: &[usize], dilation: &[i64]) -> Vec<(i64, i64)> {
        match self {
            Padding::Valid => vec![(0, 0); kernel.len()],
            Padding::Explicit(both) => each(both, kernel.len()).map(|n| (n, n)).collect(),
            Padding::Same => kernel
                .iter()
                .zip(each(dilation, kernel.len()))
                .map(|(&k, d)| {
                    let total = d * (k as i64 - 1);
                    (total / 2, total - total / 2)
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
    /// Reads `zeros`, `reflect`, `replicate` or `circular`.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "zeros" => Ok(PaddingMode::Zeros),
            "reflect" => Ok(PaddingMode::Reflect),
            "replicate" => Ok(PaddingMode::Replicate),
            "circular" => Ok(PaddingMode::Circular),
            _ => Err(RusTorchError::argument(
                "conv",
                format!("padding_mode must be one of zeros, reflect, replicate, circular, but got '{name}'"),
            )),
        }
    }

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

type ConvolutionOp = fn(&Tensor, &Tensor, Option<&Tensor>, &[i64], &[i64], &[i64], i64) -> Result<Tensor>;

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
    let spatial = weight.ndim().saturating_sub(2);
    let (op, run): (&'static str, ConvolutionOp) = match spatial {
        1 => ("conv1d", ops::conv1d),
        2 => ("conv2d", ops::conv2d),
        3 => ("conv3d", ops::conv3d),
        _ => {
            return Err(RusTorchError::shape(
                "conv",
                format!("expected a weight of 3, 4 or 5 dimensions, got one of shape {:?}", weight.shape()),
            ));
        }
    };
    if let Padding::Explicit(both) = padding {
        return run(input, weight, bias, stride, both, dilation, groups);
    }
    if *padding == Padding::Same && stride.iter().any(|&s| s != 1) {
        return Err(RusTorchError::argument(op, "padding='same' is not supported for strided convolutions"));
    }
    if dilation.len() != 1 && dilation.len() != spatial {
        return Err(RusTorchError::argument(
            op,
            format!("expected dilation to be a single number or {spatial} of them, got {dilation:?}"),
        ));
    }
    if input.ndim() != spatial + 1 && input.ndim() != spatial + 2 {
        return Err(RusTorchError::shape(
            op,
            format!(
                "expected {}D (unbatched) or {}D (batched) input, but got input of shape {:?}",
                spatial + 1,
                spatial + 2,
                input.shape()
            ),
        ));
    }
    let amounts = padding.amounts(&weight.shape()[2..], dilation);
    let both: Vec<i64> = amounts.iter().map(|&(before, after)| before.min(after)).collect();
    let mut padded = input.clone();
    for (i, &(before, after)) in amounts.iter().enumerate() {
        if after > before {
            padded = append_zeros(&padded, input.ndim() - spatial + i, (after - before) as usize)?;
        }
    }
    run(&padded, weight, bias, stride, &both, dilation, groups)
}

/// The input with `count` zeros more at the end of dimension `dim`.
fn append_zeros(input: &Tensor, dim: usize, count: usize) -> Result<Tensor> {
    let sizes: Vec<i64> = input
        .shape()
        .iter()
        .enumerate()
        .map(|(d, &n)| if d == dim { count as i64 } else { n as i64 })
        .collect();
    let zeros = ops::zeros(&sizes, Some(input.dtype()), Some(input.device()), false)?;
    ops::cat(&[input.clone(), zeros], dim as i64)
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
