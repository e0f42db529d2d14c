//! Pooling and its gradient beside plain loops in float64.
#![allow(clippy::unwrap_used)]

use rustorch_backend::DType;

use super::*;
use crate::kernels::matmul::tests::{Numbers, Tensor};

struct Case {
    params: PoolParams,
    input: Vec<usize>,
    output: Vec<usize>,
}

fn case(numbers: &mut Numbers, op: PoolOp) -> Case {
    let spatial = 1 + numbers.next(3);
    let mut params =
        PoolParams { op, spatial, kernel: [1; 3], stride: [1; 3], padding: [0; 3], dilation: [1; 3] };
    let lead = [numbers.next(3), 1 + numbers.next(3)];
    let (mut input, mut output) = (lead.to_vec(), lead.to_vec());
    let halving = numbers.next(4) == 0;
    for d in 0..spatial {
        let kernel = if halving { 2 } else { 1 + numbers.next(4) };
        params.kernel[d] = kernel;
        params.stride[d] = if halving { 2 } else { 1 + numbers.next(3) };
        params.padding[d] = if halving { 0 } else { numbers.next(kernel / 2 + 1) };
        params.dilation[d] = if halving || op != PoolOp::Max { 1 } else { 1 + numbers.next(2) };
        let reach = (kernel - 1) * params.dilation[d] + 1;
        let size = reach + numbers.next(8);
        let room = size + 2 * params.padding[d] - reach;
        let mut windows = room / params.stride[d] + 1;
        // As `ceil_mode` does: one more window, if it begins inside the input or the padding before it.
        let ceil =
            !room.is_multiple_of(params.stride[d]) && windows * params.stride[d] < size + params.padding[d];
        if ceil && numbers.next(2) == 1 {
            windows += 1;
        }
        input.push(size);
        output.push(windows);
    }
    Case { params, input, output }
}

/// A window: the plane's flat positions that it covers, and how many taps lie in input and padding.
fn windows(case: &Case) -> Vec<(Vec<usize>, usize)> {
    let spatial = case.params.spatial;
    let (sizes, counts) = (&case.input[2..], &case.output[2..]);
    let total: usize = counts.iter().product();
    let taps: usize = case.params.kernel[..spatial].iter().product();
    let mut all = Vec::new();
    for window in 0..total {
        let (mut covered, mut padded) = (Vec::new(), 0);
        for tap in 0..taps {
            let (mut window, mut tap, mut step, mut at) = (window, tap, 1, 0);
            let (mut inside, mut inside_padding) = (true, true);
            for d in (0..spatial).rev() {
                let (o, k) = (window % counts[d], tap % case.params.kernel[d]);
                (window, tap) = (window / counts[d], tap / case.params.kernel[d]);
                let x = (o * case.params.stride[d] + k * case.params.dilation[d]) as isize;
                let x = x - case.params.padding[d] as isize;
                inside &= (0..sizes[d] as isize).contains(&x);
                inside_padding &= x < (sizes[d] + case.params.padding[d]) as isize;
                at += x * step;
                step *= sizes[d] as isize;
            }
            if inside {
                covered.push(at as usize);
            }
            padded += usize::from(inside_padding);
        }
        all.push((covered, padded));
    }
    all
}

fn volume_of(shape: &[usize]) -> usize {
    shape[2..].iter().product()
}

fn check_maximum(dtype: DType) {
    let mut numbers = Numbers(1);
    for number in 0..150 {
        let case = case(&mut numbers, PoolOp::Max);
        let planes = case.input[0] * case.input[1];
        let (plane, pooled) = (volume_of(&case.input), volume_of(&case.output));
        let mut x: Vec<f64> = (0..planes * plane).map(|_| numbers.next(50) as f64).collect();
        if dtype.is_floating_point() {
            for x in &mut x {
                match numbers.next(12) {
                    0 => *x = f64::NAN,
                    1 | 2 => *x = f64::NEG_INFINITY,
                    _ => *x -= 25.0,
                }
            }
        }
        let input = Tensor::new(dtype, &case.input, &x);
        let output = Tensor::new(dtype, &case.output, &vec![0.0; planes * pooled]);
        let indices = Tensor::new(DType::Int64, &case.output, &vec![0.0; planes * pooled]);
        pool(&kernel::Pool {
            params: case.params,
            input: input.operand(),
            output: output.operand(),
            indices: Some(indices.operand()),
        })
        .unwrap();
        let (got, got_indices) = (output.values(), indices.values());
        let gradient = numbers.values(planes * pooled);
        let mut want_gradient = vec![0.0; planes * plane];
        for (w, (covered, _)) in windows(&case).iter().enumerate() {
            for p in 0..planes {
                let mut best = covered[0];
                for &at in covered {
                    let (value, held) = (x[p * plane + at], x[p * plane + best]);
                    if value > held || value.is_nan() {
                        best = at;
                    }
                }
                let (want, got) = (x[p * plane + best], got[p * pooled + w]);
                assert!(
                    got == want || got.is_nan() && want.is_nan(),
                    "{dtype} case {number}: {got} is not {want}"
                );
                assert_eq!(got_indices[p * pooled + w], best as f64, "{dtype} case {number}");
                want_gradient[p * plane + best] += gradient[p * pooled + w];
            }
        }
        pool(&kernel::Pool {
            params: case.params,
            input: input.operand(),
            output: output.operand(),
            indices: None,
        })
        .unwrap();
        assert_eq!(output.values().len(), got.len());
        if matches!(dtype, DType::Float32 | DType::Float64) {
            let gradient = Tensor::new(dtype, &case.output, &gradient);
            let to = Tensor::new(dtype, &case.input, &vec![f64::NAN; planes * plane]);
            pool_grad(&kernel::PoolGrad {
                params: case.params,
                grad: gradient.operand(),
                indices: Some(indices.operand()),
                grad_input: to.operand(),
            })
            .unwrap();
            assert_eq!(to.values(), want_gradient, "{dtype} case {number}");
        }
        output.check_surroundings();
    }
}

#[test]
fn maxima_and_their_gradients() {
    for dtype in DType::ALL.into_iter().filter(|d| !d.is_complex() && *d != DType::Bool) {
        check_maximum(dtype);
    }
}

#[test]
fn averages_and_their_gradients() {
    let mut numbers = Numbers(4);
    for number in 0..300 {
        let dtype = [DType::Float32, DType::Float64, DType::BFloat16][number % 3];
        let (count_include_pad, divisor_override) = (numbers.next(2) == 1, [0, 0, 3][numbers.next(3)]);
        let case = case(&mut numbers, PoolOp::Average { count_include_pad, divisor_override });
        let planes = case.input[0] * case.input[1];
        let (plane, pooled) = (volume_of(&case.input), volume_of(&case.output));
        let (x, gradient) = (numbers.values(planes * plane), numbers.values(planes * pooled));
        let (mut want, mut want_gradient) = (vec![0.0; planes * pooled], vec![0.0; planes * plane]);
        for (w, (covered, padded)) in windows(&case).iter().enumerate() {
            let divisor = match (divisor_override, count_include_pad) {
                (0, true) => *padded,
                (0, false) => covered.len(),
                (divisor, _) => divisor.unsigned_abs() as usize,
            } as f64;
            for p in 0..planes {
                want[p * pooled + w] = covered.iter().map(|at| x[p * plane + at]).sum::<f64>() / divisor;
                for at in covered {
                    want_gradient[p * plane + at] += gradient[p * pooled + w] / divisor;
                }
            }
        }
        let input = Tensor::new(dtype, &case.input, &x);
        let output = Tensor::new(dtype, &case.output, &vec![0.0; planes * pooled]);
        pool(&kernel::Pool {
            params: case.params,
            input: input.operand(),
            output: output.operand(),
            indices: None,
        })
        .unwrap();
        let to = Tensor::new(dtype, &case.input, &vec![f64::NAN; planes * plane]);
        let gradient = Tensor::new(dtype, &case.output, &gradient);
        pool_grad(&kernel::PoolGrad {
            params: case.params,
            grad: gradient.operand(),
            indices: None,
            grad_input: to.operand(),
        })
        .unwrap();
        for (got, want) in [(output.values(), want), (to.values(), want_gradient)] {
            for (got, want) in got.into_iter().zip(want) {
                let rounding = match dtype {
                    // FloatComputeType in float32, then rounded to eight bits.
                    DType::BFloat16 => 4e-6 + want.abs() / 256.0,
                    DType::Float32 => 4e-6,
                    _ => 1e-14,
                };
                assert!((got - want).abs() <= rounding + 1e-14, "{dtype} case {number}: {got} is not {want}");
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let params = PoolParams {
        op: PoolOp::Max,
        spatial: 1,
        kernel: [2, 1, 1],
        stride: [2, 1, 1],
        padding: [0; 3],
        dilation: [1; 3],
    };
    let tensor = |dtype, n: usize| Tensor::new(dtype, &[1, 1, n], &vec![0.0; n]);
    let (input, good, long) =
        (tensor(DType::Float32, 6), tensor(DType::Float32, 3), tensor(DType::Float32, 4));
    let message =
        pool(&kernel::Pool { params, input: input.operand(), output: long.operand(), indices: None })
            .unwrap_err()
            .to_string();
    assert!(message.starts_with("pool: input [1, 1, 6] and output [1, 1, 4] do not fit"), "{message}");
    let wrong = pool(&kernel::Pool {
        params,
        input: input.operand(),
        output: good.operand(),
        indices: Some(good.operand()),
    })
    .unwrap_err()
    .to_string();
    assert_eq!(wrong, "pool: indices are float32; they must be int64");
    assert!(
        pool_grad(&kernel::PoolGrad {
            params,
            grad: good.operand(),
            indices: None,
            grad_input: input.operand()
        })
        .is_err()
    );
    let indices = Tensor::new(DType::Int64, &[1, 1, 3], &[0.0, 6.0, 1.0]);
    let outside = pool_grad(&kernel::PoolGrad {
        params,
        grad: good.operand(),
        indices: Some(indices.operand()),
        grad_input: input.operand(),
    })
    .unwrap_err();
    assert_eq!(outside.to_string(), "pool: index 6 is outside the input's plane of 6 elements");
}
