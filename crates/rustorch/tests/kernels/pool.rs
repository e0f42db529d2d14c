//! Pools and their gradients.

use rustorch::backend::{DType, PoolOp, PoolParams, kernel};

use crate::harness::{
    Data, LAYOUT_KINDS, LayoutKind, compare, cpu, device, is_unsupported, noise, with_operands,
};

const MAXIMUM: PoolParams = PoolParams {
    op: PoolOp::Max,
    spatial: 2,
    kernel: [3, 2, 1],
    stride: [2, 1, 1],
    padding: [1, 0, 0],
    dilation: [1; 3],
};

/// Shapes of input and output, with or without windows that stick out at the end.
fn shapes(params: &PoolParams, sizes: &[usize], ceil: bool) -> [Vec<usize>; 2] {
    let output = (0..params.spatial).map(|d| {
        let reach = params.dilation[d] * (params.kernel[d] - 1) + 1;
        let room = sizes[d] + 2 * params.padding[d] - reach;
        let count = if ceil { room.div_ceil(params.stride[d]) } else { room / params.stride[d] } + 1;
        // The last window begins inside the input or the padding before it.
        if (count - 1) * params.stride[d] >= sizes[d] + params.padding[d] { count - 1 } else { count }
    });
    let lead = [2, 3];
    let output: Vec<usize> = lead.into_iter().chain(output).collect();
    [lead.into_iter().chain(sizes.iter().copied()).collect(), output]
}

fn cases() -> Vec<(PoolParams, Vec<usize>)> {
    vec![
        (MAXIMUM, vec![9, 8]),
        (PoolParams { dilation: [2, 3, 1], padding: [2, 1, 0], ..MAXIMUM }, vec![12, 9]),
        (PoolParams { kernel: [2, 2, 1], stride: [2, 2, 1], padding: [0; 3], ..MAXIMUM }, vec![10, 7]),
        (PoolParams { spatial: 1, kernel: [3, 1, 1], stride: [2, 1, 1], ..MAXIMUM }, vec![300]),
        (
            PoolParams { spatial: 3, kernel: [3, 2, 3], stride: [2, 2, 1], padding: [1, 1, 1], ..MAXIMUM },
            vec![7, 6, 5],
        ),
    ]
}

#[test]
#[ignore = "needs a device"]
fn maxima_and_their_places_agree_with_the_cpu() {
    for (params, sizes) in cases() {
        for ceil in [false, true] {
            let [input, output] = shapes(&params, &sizes, ceil);
            for dtype in
                [DType::Float32, DType::Float16, DType::BFloat16, DType::Float64, DType::Int64, DType::UInt8]
            {
                let layout_kind =
                    if dtype == DType::Float32 { LayoutKind::Transposed } else { LayoutKind::Contiguous };
                // Few different values, so that many are equal.
                let data = [
                    Data::random(1, dtype, &input, layout_kind, 4.0),
                    Data::zeros(dtype, &output),
                    Data::zeros(DType::Int64, &output),
                ];
                let what = format!("maxima of {dtype} {input:?} {params:?}");
                compare(&what, &data, 1.0, |b, o| {
                    b.run(&kernel::Pool { params, input: o[0], output: o[1], indices: Some(o[2]) }.into())
                });
            }
            let mut values = noise(3, input.iter().product());
            (values[3], values[4], values[7]) = (f64::NAN, f64::NAN, f64::NEG_INFINITY);
            let data = [
                Data::new(DType::Float32, &input, LayoutKind::Gaps, &values),
                Data::zeros(DType::Float32, &output),
            ];
            compare("maxima of NaN", &data, 1.0, |b, o| {
                b.run(&kernel::Pool { params, input: o[0], output: o[1], indices: None }.into())
            });
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn means_and_their_gradients_agree_with_the_cpu() {
    for (params, sizes) in cases() {
        for (ceil, count_include_pad, divisor_override) in
            [(false, true, 0), (true, true, 0), (true, false, 0), (false, true, 5)]
        {
            let op = PoolOp::Average { count_include_pad, divisor_override };
            let params =
                PoolParams { op, dilation: [1; 3], padding: params.padding.map(|p| p.min(1)), ..params };
            let [input, output] = shapes(&params, &sizes, ceil);
            for (dtype, layout_kind) in [
                (DType::Float32, LayoutKind::Contiguous),
                (DType::Float32, LayoutKind::Gaps),
                (DType::Float16, LayoutKind::Transposed),
                (DType::BFloat16, LayoutKind::Contiguous),
                (DType::Float64, LayoutKind::Contiguous),
                (DType::Int64, LayoutKind::Contiguous),
            ] {
                let data = [
                    Data::random(1, dtype, &input, layout_kind, 9.0),
                    Data::random(2, dtype, &output, layout_kind, 9.0),
                ];
                let what = format!("means of {dtype} {input:?} {params:?}");
                compare(&what, &data, 4.0, |b, o| {
                    b.run(&kernel::Pool { params, input: o[0], output: o[1], indices: None }.into())
                });
                if dtype.is_floating_point() {
                    compare(&what, &data, 4.0, |b, o| {
                        b.run(
                            &kernel::PoolGrad { params, grad: o[1], indices: None, grad_input: o[0] }.into(),
                        )
                    });
                }
            }
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn gradients_of_maxima_agree_with_the_cpu() {
    for (params, sizes) in cases() {
        let [input, output] = shapes(&params, &sizes, true);
        let plane: usize = sizes.iter().product();
        let count: usize = output.iter().product();
        // Indices as pooling gives them, and others.
        for scattered in [false, true] {
            for (dtype, layout_kind) in [
                (DType::Float32, LAYOUT_KINDS[1]),
                (DType::Float16, LAYOUT_KINDS[0]),
                (DType::Float64, LAYOUT_KINDS[2]),
            ] {
                let places: Vec<f64> =
                    noise(5, count).iter().map(|v| ((v + 1.0) / 2.0 * plane as f64).floor()).collect();
                let data = [
                    Data::random(1, dtype, &input, LayoutKind::Contiguous, 3.0),
                    Data::random(2, dtype, &output, layout_kind, 3.0),
                    Data::new(DType::Int64, &output, LayoutKind::Contiguous, &places),
                    Data::zeros(dtype, &output),
                ];
                let what = format!("gradients of maxima of {dtype} {input:?} {params:?}");
                compare(&what, &data, 8.0, |b, o| {
                    if !scattered {
                        b.run(
                            &kernel::Pool { params, input: o[0], output: o[3], indices: Some(o[2]) }.into(),
                        )?;
                    }
                    b.run(
                        &kernel::PoolGrad {
                            params: PoolParams { kernel: [1; 3], ..params },
                            grad: o[1],
                            indices: Some(o[2]),
                            grad_input: o[0],
                        }
                        .into(),
                    )
                });
            }
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn an_index_outside_the_plane_is_refused_before_anything_is_written() {
    let device = device();
    if !device.runs {
        return;
    }
    let data = [
        Data::zeros(DType::Float32, &[1, 1, 4]),
        Data::zeros(DType::Float32, &[1, 1, 2]),
        Data::new(DType::Int64, &[1, 1, 2], LayoutKind::Contiguous, &[1.0, 4.0]),
    ];
    for backend in [cpu(), device.backend] {
        let params = PoolParams { spatial: 1, ..MAXIMUM };
        let error = with_operands(backend, &data, |o| {
            backend
                .run(&kernel::PoolGrad { params, grad: o[1], indices: Some(o[2]), grad_input: o[0] }.into())
        })
        .expect_err("the index 4 is outside a plane of 4 elements");
        assert!(!is_unsupported(&error) && error.to_string().contains("outside"), "{error}");
    }
}
