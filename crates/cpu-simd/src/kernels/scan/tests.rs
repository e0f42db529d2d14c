#![allow(clippy::unwrap_used)]

use super::*;
use crate::kernels::number::Complex;
use crate::kernels::samples::{FLOATING, LAYOUT_KINDS, LayoutKind, REAL, Sample, noise};

const SHAPES: [&[usize]; 8] =
    [&[], &[9], &[3, 4], &[2, 5, 3], &[4, 0, 3], &[3, 70, 50], &[40_000], &[2, 1, 7, 3]];

/// Lines along `dim` of row-major values.
fn lines(shape: &[usize], dim: usize) -> Vec<Vec<usize>> {
    let length = shape.get(dim).copied().unwrap_or(1);
    let inner: usize = shape.iter().skip(dim + 1).product();
    let outer: usize = shape.iter().take(dim).product();
    (0..outer)
        .flat_map(|o| (0..inner).map(move |i| (0..length).map(|k| (o * length + k) * inner + i).collect()))
        .collect()
}

#[test]
fn sums_and_products_match_a_loop() {
    for dtype in REAL {
        for shape in SHAPES {
            for dim in 0..shape.len().max(1) {
                for layout_kind in LAYOUT_KINDS {
                    let count = shape.iter().product();
                    let values: Vec<f64> = match dtype.category() {
                        Category::Bool => noise(1, count).iter().map(|&v| f64::from(v > 0.9)).collect(),
                        Category::Integer => {
                            noise(1, count).iter().map(|v| (v * 1.5).round().abs()).collect()
                        }
                        _ => noise(1, count).iter().map(|v| (v * 4.0).round() / 4.0).collect(),
                    };
                    let input = Sample::new(dtype, shape, layout_kind, &values);
                    let out = if dtype.category() <= Category::Integer { DType::Int64 } else { dtype };
                    let output = Sample::zeros(out, shape, layout_kind);
                    for op in [ScanOp::Sum, ScanOp::Prod] {
                        scan(&kernel::Scan {
                            op,
                            input: input.operand(),
                            dim,
                            output: output.operand(),
                            indices: None,
                        })
                        .unwrap();
                        let mut expected = vec![0.0; count];
                        for line in lines(shape, dim) {
                            let mut sum = f64::from(u8::from(op == ScanOp::Prod));
                            let mut product = 1i64;
                            for i in line {
                                if op == ScanOp::Sum {
                                    sum += values[i];
                                } else if out == DType::Int64 {
                                    product = product.wrapping_mul(values[i] as i64);
                                    sum = product as f64;
                                } else {
                                    sum *= values[i];
                                    // Half precision keeps its products in float32.
                                    if dtype.size() == 2 {
                                        sum = f64::from(sum as f32);
                                    }
                                }
                                expected[i] = sum;
                            }
                        }
                        let rounded = Sample::new(out, shape, LayoutKind::Contiguous, &expected).values();
                        assert_eq!(
                            output.values(),
                            rounded,
                            "{op:?} {dtype} {shape:?} {dim} {layout_kind:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn long_float32_sums_stay_accurate() {
    let values = noise(3, 1_000_000);
    let input = Sample::new(DType::Float32, &[1_000_000], LayoutKind::Contiguous, &values);
    let output = Sample::zeros(DType::Float32, &[1_000_000], LayoutKind::Contiguous);
    scan(&kernel::Scan {
        op: ScanOp::Sum,
        input: input.operand(),
        dim: 0,
        output: output.operand(),
        indices: None,
    })
    .unwrap();
    let mut sum = 0.0;
    for (value, got) in input.values().into_iter().zip(output.values()) {
        sum += value;
        assert_eq!(got, f64::from(sum as f32));
    }
}

#[test]
fn complex_and_same_dtype_integers() {
    let values =
        [Complex { re: 1.0f32, im: 1.0 }, Complex { re: 0.0, im: 2.0 }, Complex { re: 3.0, im: -1.0 }];
    let input = Sample::raw(DType::Complex64, &[3], LayoutKind::Gaps, &values);
    let output = Sample::zeros(DType::Complex64, &[3], LayoutKind::Reversed);
    scan(&kernel::Scan {
        op: ScanOp::Prod,
        input: input.operand(),
        dim: 0,
        output: output.operand(),
        indices: None,
    })
    .unwrap();
    let expected =
        [Complex { re: 1.0f32, im: 1.0 }, Complex { re: -2.0, im: 2.0 }, Complex { re: -4.0, im: 8.0 }];
    assert_eq!(output.elements::<Complex<f32>>(), expected);

    let bytes = Sample::raw(DType::UInt8, &[3], LayoutKind::Contiguous, &[200u8, 100, 1]);
    scan(&kernel::Scan {
        op: ScanOp::Sum,
        input: bytes.operand(),
        dim: 0,
        output: bytes.operand(),
        indices: None,
    })
    .unwrap();
    assert_eq!(bytes.elements::<u8>(), [200, 44, 45], "in place, wrapping");
}

#[test]
fn extremes_and_their_last_places_match_a_loop() {
    for dtype in REAL {
        for shape in SHAPES {
            for dim in 0..shape.len().max(1) {
                for (op, layout_kind) in
                    [ScanOp::Max, ScanOp::Min].into_iter().flat_map(|o| LAYOUT_KINDS.map(|l| (o, l)))
                {
                    let count = shape.iter().product();
                    let values: Vec<f64> = noise(5, count).iter().map(|v| (v * 3.0).round().abs()).collect();
                    let input = Sample::new(dtype, shape, layout_kind, &values);
                    let values = input.values();
                    let output = Sample::zeros(dtype, shape, layout_kind);
                    let places = Sample::zeros(DType::Int64, shape, layout_kind);
                    scan(&kernel::Scan {
                        op,
                        input: input.operand(),
                        dim,
                        output: output.operand(),
                        indices: Some(places.operand()),
                    })
                    .unwrap();
                    let (mut expected, mut at) = (vec![0.0; count], vec![0.0; count]);
                    for line in lines(shape, dim) {
                        let mut best = 0;
                        for (k, &i) in line.iter().enumerate() {
                            let (new, old) = (values[i], values[line[best]]);
                            if if op == ScanOp::Max { new >= old } else { new <= old } {
                                best = k;
                            }
                            (expected[i], at[i]) = (values[line[best]], best as f64);
                        }
                    }
                    assert_eq!(output.values(), expected, "{op:?} {dtype} {shape:?} {dim} {layout_kind:?}");
                    assert_eq!(places.values(), at, "{op:?} {dtype} {shape:?} {dim} {layout_kind:?}");
                }
            }
        }
    }
}

#[test]
fn nan_wins_and_stays() {
    for dtype in FLOATING {
        let values = [1.0, f64::NEG_INFINITY, f64::NAN, 5.0, f64::NAN, f64::INFINITY];
        let input = Sample::new(dtype, &[6], LayoutKind::Contiguous, &values);
        let output = Sample::zeros(dtype, &[6], LayoutKind::Contiguous);
        let places = Sample::zeros(DType::Int64, &[6], LayoutKind::Contiguous);
        scan(&kernel::Scan {
            op: ScanOp::Min,
            input: input.operand(),
            dim: 0,
            output: output.operand(),
            indices: Some(places.operand()),
        })
        .unwrap();
        assert_eq!(places.values(), [0.0, 1.0, 2.0, 2.0, 4.0, 4.0]);
        assert_eq!(output.values()[..2], [1.0, f64::NEG_INFINITY]);
        assert!(output.values()[2..].iter().all(|v| v.is_nan()));
        scan(&kernel::Scan {
            op: ScanOp::Sum,
            input: input.operand(),
            dim: 0,
            output: output.operand(),
            indices: None,
        })
        .unwrap();
        assert_eq!(output.values()[..2], [1.0, f64::NEG_INFINITY]);
        assert!(output.values()[2..].iter().all(|v| v.is_nan()));
    }
}

#[test]
fn logarithms_of_sums_of_exponentials_match_a_loop() {
    for dtype in FLOATING {
        for shape in SHAPES {
            for dim in 0..shape.len().max(1) {
                let count = shape.iter().product();
                // Far apart, so that a common shift would lose the small ones.
                let values: Vec<f64> = noise(7, count).iter().map(|v| (v * 300.0).round()).collect();
                let input = Sample::new(dtype, shape, LayoutKind::Contiguous, &values);
                let values = input.values();
                let output = Sample::zeros(dtype, shape, LayoutKind::Transposed);
                scan(&kernel::Scan {
                    op: ScanOp::LogSumExp,
                    input: input.operand(),
                    dim,
                    output: output.operand(),
                    indices: None,
                })
                .unwrap();
                let mut expected = vec![0.0; count];
                for line in lines(shape, dim) {
                    let mut sum = f64::NEG_INFINITY;
                    for i in line {
                        let (low, high) = (sum.min(values[i]), sum.max(values[i]));
                        sum = high + (low - high).exp().ln_1p();
                        expected[i] = sum;
                    }
                }
                for (got, want) in output.values().into_iter().zip(expected) {
                    let unit = match dtype {
                        DType::Float64 => 1e-15,
                        DType::Float32 => 1e-7,
                        DType::Float16 => 1e-3,
                        _ => 8e-3,
                    };
                    assert!((got - want).abs() <= unit * want.abs().max(1.0), "{got} {want} {dtype}");
                }
            }
        }
    }
    let values = [f64::NEG_INFINITY, f64::NEG_INFINITY, 0.0, f64::INFINITY, f64::INFINITY, f64::NAN, 1.0];
    let input = Sample::new(DType::Float32, &[7], LayoutKind::Contiguous, &values);
    let output = Sample::zeros(DType::Float32, &[7], LayoutKind::Contiguous);
    scan(&kernel::Scan {
        op: ScanOp::LogSumExp,
        input: input.operand(),
        dim: 0,
        output: output.operand(),
        indices: None,
    })
    .unwrap();
    assert_eq!(output.values()[..5], values[..5]);
    assert!(output.values()[5..].iter().all(|v| v.is_nan()));
}

#[test]
fn what_does_not_work_says_so() {
    let a = Sample::zeros(DType::Complex64, &[2], LayoutKind::Contiguous);
    let b = Sample::zeros(DType::Float32, &[2], LayoutKind::Contiguous);
    let message = |op, x: &Sample, y: &Sample| {
        scan(&kernel::Scan { op, input: x.operand(), dim: 0, output: y.operand(), indices: None })
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        message(ScanOp::Max, &a, &a),
        "cummax: complex numbers have no order; got complex64, and every real dtype works"
    );
    assert!(message(ScanOp::Sum, &a, &b).starts_with("cumsum: cannot go from complex64 to float32"));
    assert!(
        message(ScanOp::LogSumExp, &a, &a).starts_with("logcumsumexp: cannot go from complex64 to complex64")
    );
}
