//! Layer, batch and group norm, and their gradient.

use rustorch::backend::{Buffer, DType, DeviceKind, Layout, Operand, dims_from_slice, kernel};

use crate::harness::{Data, LayoutKind, adds_in_f64, compare, device, noise};
use crate::reductions::reduced;

/// Shape, normalised dimensions, shape of weight and bias.
const CASES: [(&[usize], &[usize], &[usize]); 11] = [
    (&[6, 33], &[1], &[1, 33]),
    (&[3, 4, 10], &[1, 2], &[1, 4, 10]),
    (&[5, 3, 7], &[0, 2], &[1, 3, 1]),
    (&[40, 19], &[0], &[1, 19]),
    (&[2, 3, 4, 15], &[2, 3], &[1, 3, 4, 1]),
    (&[40, 1500], &[1], &[1, 1500]),
    (&[40, 6000], &[1], &[1, 6000]),
    (&[2, 9000, 3], &[1], &[1, 1, 3]),
    (&[7, 2, 3000], &[0, 2], &[1, 2, 1]),
    (&[0, 4], &[1], &[1, 4]),
    (&[9], &[0], &[9]),
];

fn normalize(
    dtype: DType,
    shape: &[usize],
    dims: &[usize],
    parameters: &[usize],
    layout_kind: LayoutKind,
    affine: bool,
) {
    let what = format!("normalize {dtype} {shape:?} over {dims:?} {layout_kind:?} affine {affine}");
    let kept = reduced(shape, dims);
    // Statistics and parameters of half precision are kept in float32.
    let wide = if dtype.size() == 2 { DType::Float32 } else { dtype };
    let mut input = Data::random(1, dtype, shape, layout_kind, 3.0);
    input.change(|v| v + 2.0);
    let weight = Data::random(2, wide, parameters, layout_kind, 2.0);
    let bias = Data::random(3, wide, parameters, layout_kind, 2.0);
    let statistics = Data::zeros(wide, &kept);
    let output = Data::zeros(dtype, shape);
    let data = [input.clone(), weight.clone(), bias, output.clone(), statistics.clone(), statistics.clone()];
    compare(&what, &data, 8.0, |b, o| {
        b.run(
            &kernel::Normalize {
                input: o[0],
                dims: dims_from_slice(dims),
                eps: 1e-5,
                weight: affine.then_some(o[1]),
                bias: affine.then_some(o[2]),
                output: o[3],
                mean: o[4],
                rstd: o[5],
            }
            .into(),
        )
    });
    let grad = Data::random(4, dtype, shape, layout_kind, 2.0);
    let (mut mean, mut rstd) = (statistics.clone(), statistics);
    mean.change(|_| 2.1);
    rstd.change(|_| 0.6);
    let data = [grad, input, weight, mean, rstd, output];
    compare(&format!("gradient of {what}"), &data, 8.0, |b, o| {
        b.run(
            &kernel::NormalizeGrad {
                grad: o[0],
                input: o[1],
                dims: dims_from_slice(dims),
                weight: affine.then_some(o[2]),
                mean: o[3],
                rstd: o[4],
                grad_input: o[5],
            }
            .into(),
        )
    });
}

#[test]
#[ignore = "needs a device"]
fn norms_and_their_gradients_agree_with_the_cpu() {
    for (shape, dims, parameters) in CASES {
        normalize(DType::Float32, shape, dims, parameters, LayoutKind::Contiguous, true);
    }
    for (shape, dims, parameters) in [CASES[0], CASES[2], CASES[7]] {
        normalize(DType::Float32, shape, dims, parameters, LayoutKind::Transposed, true);
        normalize(DType::Float32, shape, dims, parameters, LayoutKind::Gaps, false);
    }
    for dtype in [DType::Float64, DType::Float16, DType::BFloat16] {
        for (shape, dims, parameters) in [CASES[0], CASES[2], CASES[8]] {
            normalize(dtype, shape, dims, parameters, LayoutKind::Contiguous, true);
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn norms_with_nan_and_inf_agree_with_the_cpu() {
    for length in [9, 9000] {
        let mut values = noise(3, 7 * length);
        values[3] = f64::NAN;
        // Of both signs the mean is NaN, of one it is infinite.
        values[length + 4] = f64::INFINITY;
        values[length + 5] = f64::NEG_INFINITY;
        values[2 * length..3 * length].fill(1.5);
        values[4 * length] = f64::NEG_INFINITY;
        values[6 * length - 1] = f64::INFINITY;
        values[6 * length..].fill(f64::INFINITY);
        let statistics = Data::zeros(DType::Float32, &[7, 1]);
        let data = [
            Data::new(DType::Float32, &[7, length], LayoutKind::Contiguous, &values),
            Data::zeros(DType::Float32, &[7, length]),
            statistics.clone(),
            statistics,
        ];
        compare("normalize with NaN and inf", &data, 8.0, |b, o| {
            b.run(
                &kernel::Normalize {
                    input: o[0],
                    dims: dims_from_slice(&[1]),
                    eps: 1e-5,
                    weight: None,
                    bias: None,
                    output: o[1],
                    mean: o[2],
                    rstd: o[3],
                }
                .into(),
            )
        });
    }
}

#[test]
#[ignore = "needs a device"]
fn a_large_mean_costs_no_digits_of_the_norm() {
    if !adds_in_f64() {
        return;
    }
    // The CPU rounds the mean to float32 before it subtracts it; the device is held to the exact result.
    let (groups, length) = (3, 10_000);
    let values: Vec<f64> =
        noise(7, groups * length).iter().map(|v| 16384.0 + (v * 64.0).round() / 64.0).collect();
    let exact = |group: usize, i: usize| {
        let group = &values[group * length..(group + 1) * length];
        let mean = group.iter().sum::<f64>() / length as f64;
        let variance = group.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / length as f64;
        (group[i] - mean) / variance.sqrt()
    };
    let statistics = Data::zeros(DType::Float32, &[groups, 1]);
    let data = [
        Data::new(DType::Float32, &[groups, length], LayoutKind::Contiguous, &values),
        statistics.clone(),
        statistics,
    ];
    compare("normalize around 16384", &data, 1.0, |b, o| {
        let layout = Layout::contiguous("norm", &[groups, length]).unwrap();
        let buffer = Buffer::allocate(b.allocator(), layout.numel() * 4)?;
        let output = Operand { buffer: &buffer, layout: &layout, dtype: DType::Float32 };
        b.run(
            &kernel::Normalize {
                input: o[0],
                dims: dims_from_slice(&[1]),
                eps: 0.0,
                weight: None,
                bias: None,
                output,
                mean: o[1],
                rstd: o[2],
            }
            .into(),
        )?;
        for (group, i) in [(0, 0), (1, 7000), (2, 9999)] {
            let mut bytes = [0; 4];
            b.read(&buffer, (group * length + i) * 4, &mut bytes)?;
            let (got, want) = (f64::from(f32::from_ne_bytes(bytes)), exact(group, i));
            let held = b.device_info().kind != DeviceKind::Cpu && device().runs;
            assert!(!held || (got - want).abs() < 1e-6, "normalize around 16384: {got}, exactly {want}");
        }
        Ok(())
    });
}

#[test]
#[ignore = "needs a device"]
fn parameters_of_one_dimension_broadcast() {
    let layout = Layout::contiguous("norm", &[33]).unwrap();
    let statistics = Data::zeros(DType::Float32, &[6, 1]);
    let data = [
        Data::random(1, DType::Float32, &[6, 33], LayoutKind::Contiguous, 3.0),
        Data::random(2, DType::Float32, &[33], LayoutKind::Contiguous, 3.0),
        Data::zeros(DType::Float32, &[6, 33]),
        statistics.clone(),
        statistics,
    ];
    compare("normalize with a weight of one dimension", &data, 8.0, |b, o| {
        let weight = Operand { layout: &layout, ..o[1] };
        b.run(
            &kernel::Normalize {
                input: o[0],
                dims: dims_from_slice(&[1]),
                eps: 1e-5,
                weight: Some(weight),
                bias: None,
                output: o[2],
                mean: o[3],
                rstd: o[4],
            }
            .into(),
        )
    });
}
