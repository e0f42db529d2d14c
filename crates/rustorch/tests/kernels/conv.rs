//! Convolutions and their gradients.

use rustorch::backend::{ConvParams, DType, kernel};

use crate::harness::{Data, LayoutKind, compare};

/// A convolution over `kernel.len()` dimensions.
struct Case<'a> {
    images: usize,
    groups: usize,
    channels: usize,
    filters: usize,
    input: &'a [usize],
    kernel: &'a [usize],
    stride: [usize; 3],
    padding: [usize; 3],
    dilation: [usize; 3],
}

const PLAIN: Case<'_> = Case {
    images: 2,
    groups: 1,
    channels: 3,
    filters: 6,
    input: &[9, 8],
    kernel: &[3, 2],
    stride: [1; 3],
    padding: [0; 3],
    dilation: [1; 3],
};

fn check(case: &Case<'_>, dtype: DType, layout_kinds: [LayoutKind; 3]) {
    let spatial = case.kernel.len();
    let params = ConvParams {
        spatial,
        stride: case.stride,
        padding: case.padding,
        dilation: case.dilation,
        groups: case.groups,
    };
    let output: Vec<usize> = (0..spatial)
        .map(|d| {
            let reach = case.dilation[d] * (case.kernel[d] - 1) + 1;
            (case.input[d] + 2 * case.padding[d] - reach) / case.stride[d] + 1
        })
        .collect();
    let shape = |a: usize, b: usize, rest: &[usize]| -> Vec<usize> { [&[a, b], rest].concat() };
    let input = shape(case.images, case.groups * case.channels, case.input);
    let weight = shape(case.groups * case.filters, case.channels, case.kernel);
    let result = shape(case.images, case.groups * case.filters, &output);
    let what = format!("{dtype} {input:?} by {weight:?} {params:?} {layout_kinds:?}");
    let data = [
        Data::random(1, dtype, &input, layout_kinds[0], 1.0),
        Data::random(2, dtype, &weight, layout_kinds[1], 1.0),
        Data::random(3, dtype, &result, layout_kinds[2], 1.0),
        Data::random(4, dtype, &weight[..1], LayoutKind::Gaps, 1.0),
    ];
    compare(&what, &data, 16.0, |b, o| {
        b.run(
            &kernel::Convolution { params, input: o[0], weight: o[1], bias: Some(o[3]), output: o[2] }.into(),
        )
    });
    compare(&what, &data, 16.0, |b, o| {
        b.run(&kernel::Convolution { params, input: o[0], weight: o[1], bias: None, output: o[2] }.into())
    });
    compare(&what, &data, 16.0, |b, o| {
        b.run(&kernel::ConvolutionGradInput { params, grad: o[2], weight: o[1], grad_input: o[0] }.into())
    });
    compare(&what, &data, 32.0, |b, o| {
        b.run(&kernel::ConvolutionGradWeight { params, grad: o[2], input: o[0], grad_weight: o[1] }.into())
    });
}

#[test]
#[ignore = "needs a device"]
fn convolutions_of_every_geometry_agree_with_the_cpu() {
    let same = [LayoutKind::Contiguous; 3];
    let mixed = [LayoutKind::Transposed, LayoutKind::Gaps, LayoutKind::Transposed];
    let cases = [
        PLAIN,
        Case { stride: [2, 3, 1], padding: [1, 2, 0], ..PLAIN },
        Case { dilation: [2, 3, 1], padding: [3, 1, 0], stride: [2, 2, 1], ..PLAIN },
        Case { dilation: [3, 2, 1], stride: [1, 4, 1], input: &[11, 14], ..PLAIN },
        Case { stride: [4, 4, 1], kernel: &[2, 2], ..PLAIN },
        Case { groups: 2, filters: 5, channels: 5, ..PLAIN },
        Case { images: 0, ..PLAIN },
        Case { input: &[23], kernel: &[4], stride: [3, 1, 1], padding: [2, 0, 0], ..PLAIN },
        Case { input: &[5, 6, 7], kernel: &[2, 3, 2], stride: [2, 1, 2], padding: [1; 3], ..PLAIN },
        Case { channels: 40, filters: 70, kernel: &[3, 3], padding: [1, 1, 0], ..PLAIN },
        Case { channels: 70, filters: 40, kernel: &[1, 1], ..PLAIN },
        Case {
            images: 5,
            channels: 2,
            filters: 9,
            input: &[40, 40],
            kernel: &[3, 3],
            stride: [2, 2, 1],
            ..PLAIN
        },
    ];
    for case in cases {
        check(&case, DType::Float32, same);
        check(&case, DType::Float32, mixed);
    }
}

#[test]
#[ignore = "needs a device"]
fn depthwise_convolutions_agree_with_the_cpu() {
    let depthwise = Case { groups: 7, channels: 1, filters: 1, padding: [1, 1, 0], ..PLAIN };
    let cases = [
        Case { stride: [2, 2, 1], dilation: [2, 1, 1], ..depthwise },
        Case { filters: 2, ..depthwise },
        Case { groups: 1, channels: 20, ..depthwise },
        depthwise,
    ];
    for case in cases {
        check(&case, DType::Float32, [LayoutKind::Contiguous; 3]);
        check(&case, DType::Float32, [LayoutKind::Gaps, LayoutKind::Transposed, LayoutKind::Gaps]);
    }
}

#[test]
#[ignore = "needs a device"]
fn convolutions_of_every_dtype_agree_with_the_cpu() {
    for dtype in [DType::Float16, DType::BFloat16, DType::Float64] {
        check(&Case { stride: [2, 1, 1], ..PLAIN }, dtype, [LayoutKind::Contiguous; 3]);
        check(&Case { groups: 4, channels: 1, filters: 1, ..PLAIN }, dtype, [LayoutKind::Contiguous; 3]);
        check(&Case { images: 5, filters: 9, input: &[24, 20], ..PLAIN }, dtype, [LayoutKind::Contiguous; 3]);
    }
}
