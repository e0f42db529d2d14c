//! Convolutions and their gradients beside plain loops in float64.
#![allow(clippy::unwrap_used)]

use half::f16;
use rustorch_backend::{ConvParams, DType, Element, Scalar};

use super::*;
use crate::kernels::matmul::tests::{Numbers, Tensor, levels};

/// Calls `visit` with the flat positions in input, weight and output of every product that a convolution sums.
fn for_each_product(g: &Geometry, mut visit: impl FnMut(usize, usize, usize)) {
    let (kernel, output) = (volume(g.kernel), volume(g.output));
    let unravel =
        |at: usize, sizes: [usize; 3]| [at / (sizes[1] * sizes[2]), at / sizes[2] % sizes[1], at % sizes[2]];
    for image in 0..g.batch {
        for filter in 0..g.groups * g.filters {
            let group = filter / g.filters;
            for channel in 0..g.channels {
                for tap in 0..kernel {
                    for at in 0..output {
                        let (k, o) = (unravel(tap, g.kernel), unravel(at, g.output));
                        let mut plane = 0;
                        let mut inside = true;
                        for d in 0..3 {
                            let x = (o[d] * g.stride[d] + k[d] * g.dilation[d]).wrapping_sub(g.padding[d]);
                            inside &= x < g.input[d];
                            plane = plane * g.input[d] + x.min(g.input[d]);
                        }
                        if inside {
                            let input = image * g.groups * g.channels + group * g.channels + channel;
                            let weight = (filter * g.channels + channel) * kernel + tap;
                            let output = (image * g.groups * g.filters + filter) * output + at;
                            visit(input * volume(g.input) + plane, weight, output);
                        }
                    }
                }
            }
        }
    }
}

/// Shapes and parameters of one convolution.
struct Case {
    params: ConvParams,
    shapes: [Vec<usize>; 3],
    geometry: Geometry,
}

fn case(numbers: &mut Numbers, large: bool) -> Case {
    let spatial = if large { 2 } else { 1 + numbers.next(3) };
    let groups = [1, 1, 1, 2, 3][numbers.next(5)];
    let depthwise = numbers.next(4) == 0;
    let channels = if depthwise { 1 } else { 1 + numbers.next(if large { 40 } else { 5 }) };
    let filters = 1 + numbers.next(if large { 40 } else { 5 });
    let batch = [0, 1, 2, 5, 9][numbers.next(5)];
    let mut params = ConvParams { spatial, stride: [1; 3], padding: [0; 3], dilation: [1; 3], groups };
    let mut shapes =
        [vec![batch, groups * channels], vec![groups * filters, channels], vec![batch, groups * filters]];
    for d in 0..spatial {
        params.stride[d] = [1, 1, 2, 3][numbers.next(4)];
        params.padding[d] = numbers.next(4);
        params.dilation[d] = [1, 1, 2, 3][numbers.next(4)];
        let kernel = 1 + numbers.next(4);
        let reach = (kernel - 1) * params.dilation[d] + 1;
        let least = reach.saturating_sub(2 * params.padding[d]).max(1);
        let input = least + numbers.next(if large { 20 } else { 7 });
        shapes[0].push(input);
        shapes[1].push(kernel);
        shapes[2].push((input + 2 * params.padding[d] - reach) / params.stride[d] + 1);
    }
    let geometry = Geometry::new(&params, &shapes[0], &shapes[1], &shapes[2]).unwrap();
    Case { params, shapes, geometry }
}

fn check_level<T: Element + Gemm + ComputeType + Into<f64>>(level: rustorch_simd::SimdLevel) {
    let kernels = T::kernels_at(level);
    let mut numbers = Numbers(5);
    for number in 0..300 {
        let Case { params, shapes, geometry } = case(&mut numbers, number % 10 == 9);
        let sizes = [0, 1, 2].map(|i| shapes[i].iter().product::<usize>());
        let [x, w, gradient] = sizes.map(|size| numbers.values(size));
        let bias = numbers.values(shapes[1][0]);
        let mut want = sizes.map(|size| vec![0.0; size]);
        for (at, y) in want[2].iter_mut().enumerate() {
            *y = bias[at / volume(geometry.output) % bias.len()];
        }
        for_each_product(&geometry, |i, j, k| {
            want[0][i] += gradient[k] * w[j];
            want[1][j] += gradient[k] * x[i];
            want[2][k] += x[i] * w[j];
        });
        let narrow = |v: &Vec<f64>| v.iter().map(|&x| T::from_scalar(Scalar::Float(x))).collect::<Vec<T>>();
        let [x, w, gradient, bias] = [&x, &w, &gradient, &bias].map(narrow);
        let mut got = sizes.map(|size| vec![T::from_scalar(Scalar::Float(f64::NAN)); size]);
        // SAFETY: the vectors have the geometry's sizes.
        unsafe {
            grad_input(&geometry, gradient.as_ptr(), w.as_ptr(), got[0].as_mut_ptr(), kernels).unwrap();
            grad_weight(&geometry, gradient.as_ptr(), x.as_ptr(), got[1].as_mut_ptr(), kernels).unwrap();
            forward(&geometry, x.as_ptr(), w.as_ptr(), bias.as_ptr(), got[2].as_mut_ptr(), kernels).unwrap();
        }
        for (name, (got, want)) in ["grad_input", "grad_weight", "output"].iter().zip(got.iter().zip(&want)) {
            for (at, (&got, &want)) in got.iter().zip(want).enumerate() {
                assert_eq!(
                    got.into(),
                    want,
                    "{level:?} case {number}, {name} at {at}: {shapes:?} {params:?}"
                );
            }
        }
    }
}

#[test]
fn convolutions_and_gradients_are_exact() {
    for level in levels() {
        check_level::<f32>(level);
        check_level::<f64>(level);
    }
}

#[test]
fn few_large_images_are_cut_into_columns() {
    let params = ConvParams { spatial: 2, stride: [1; 3], padding: [1; 3], dilation: [1; 3], groups: 1 };
    let shapes = [vec![1, 20, 40, 41], vec![30, 20, 3, 3], vec![1, 30, 40, 41]];
    let geometry = Geometry::new(&params, &shapes[0], &shapes[1], &shapes[2]).unwrap();
    let mut numbers = Numbers(9);
    let [x, w, y] = [0, 1, 2].map(|i| numbers.values(shapes[i].iter().product()));
    let mut want = y.clone();
    want.fill(0.0);
    for_each_product(&geometry, |i, j, k| want[k] += x[i] * w[j]);
    let mut got = y;
    // SAFETY: the vectors have the geometry's sizes.
    unsafe {
        forward(&geometry, x.as_ptr(), w.as_ptr(), std::ptr::null(), got.as_mut_ptr(), f64::kernels())
            .unwrap();
    }
    assert_eq!(got, want);
}

#[test]
fn operands_may_be_strided_and_half() {
    let params =
        ConvParams { spatial: 1, stride: [2, 1, 1], padding: [1, 0, 0], dilation: [1; 3], groups: 1 };
    for dtype in [DType::Float32, DType::Float64, DType::Float16, DType::BFloat16] {
        let mut numbers = Numbers(2);
        let (x, w, bias) = (numbers.values(2 * 3 * 9), numbers.values(4 * 3 * 3), numbers.values(4));
        let shapes = [[2, 3, 9], [4, 3, 3], [2, 4, 5]];
        let geometry = Geometry::new(&params, &shapes[0], &shapes[1], &shapes[2]).unwrap();
        let mut want: Vec<f64> = (0..40).map(|at| bias[at / 5 % 4]).collect();
        for_each_product(&geometry, |i, j, k| want[k] += x[i] * w[j]);
        let input = Tensor::with_strides(dtype, &shapes[0], &[1, 18, 2], &x);
        let weight = Tensor::with_strides(dtype, &shapes[1], &[9, -3, 1], &w);
        let bias = Tensor::new(dtype, &[4], &bias);
        let output = Tensor::with_strides(dtype, &shapes[2], &[5, 10, 1], &[f64::NAN; 40]);
        let (i, w, b) = (input.operand(), weight.operand(), bias.operand());
        convolution(&kernel::Convolution {
            params,
            input: i,
            weight: w,
            bias: Some(b),
            output: output.operand(),
        })
        .unwrap();
        for (got, want) in output.values().into_iter().zip(want) {
            let want = match dtype {
                DType::Float16 => f16::from_f64(want).to_f64(),
                DType::BFloat16 => half::bf16::from_f64(want).to_f64(),
                _ => want,
            };
            assert_eq!(got, want, "{dtype}");
        }
        output.check_surroundings();
    }
}

#[test]
fn nan_reaches_only_what_touches_it() {
    // A 3 × 3 kernel with padding 1 over 4 × 4: the corner is not seen by outputs two away, nor by taps that miss it.
    let params = ConvParams { spatial: 2, stride: [1; 3], padding: [1; 3], dilation: [1; 3], groups: 1 };
    let geometry = Geometry::new(&params, &[1, 1, 4, 4], &[1, 1, 3, 3], &[1, 1, 4, 4]).unwrap();
    let mut x = [1.0_f32; 16];
    x[15] = f32::NAN;
    let (w, gradient) = ([1.0_f32; 9], [1.0_f32; 16]);
    let (mut y, mut w_gradient) = ([0.0_f32; 16], [0.0_f32; 9]);
    for level in levels() {
        let kernels = f32::kernels_at(level);
        // SAFETY: the arrays have the geometry's sizes.
        unsafe {
            forward(&geometry, x.as_ptr(), w.as_ptr(), std::ptr::null(), y.as_mut_ptr(), kernels).unwrap();
            grad_weight(&geometry, gradient.as_ptr(), x.as_ptr(), w_gradient.as_mut_ptr(), kernels).unwrap();
        }
        for (at, y) in y.iter().enumerate() {
            assert_eq!(y.is_nan(), at / 4 >= 2 && at % 4 >= 2, "output {at}");
        }
        for (at, g) in w_gradient.iter().enumerate() {
            assert_eq!(g.is_nan(), at / 3 >= 1 && at % 3 >= 1, "tap {at}");
        }
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let params = ConvParams { spatial: 1, stride: [1; 3], padding: [0; 3], dilation: [1; 3], groups: 1 };
    let tensor = |dtype, shape: &[usize]| Tensor::new(dtype, shape, &vec![0.0; shape.iter().product()]);
    let run = |dtype, output: &[usize]| {
        let (input, weight) = (tensor(dtype, &[1, 2, 5]), tensor(dtype, &[3, 2, 3]));
        let output = tensor(dtype, output);
        convolution(&kernel::Convolution {
            params,
            input: input.operand(),
            weight: weight.operand(),
            bias: None,
            output: output.operand(),
        })
        .unwrap_err()
        .to_string()
    };
    assert!(run(DType::Float32, &[1, 3, 4]).starts_with("convolution: input [1, 2, 5], weight [3, 2, 3]"));
    assert!(run(DType::Int32, &[1, 3, 3]).contains("does not compute this in int32"));
}
