//! Sorting, the extreme elements, and binary search.

use rustorch::backend::{DType, kernel};

use crate::harness::{Data, LAYOUT_KINDS, LayoutKind, compare_bits, compare_errors, noise};
use crate::indexing::indices;

/// Values with many equal ones, both zeros, NaN and infinities.
fn odd_values(dtype: DType, n: usize) -> Vec<f64> {
    let mut values: Vec<f64> = noise(n as u64 + 1, n).into_iter().map(|v| (v * 20.0).round()).collect();
    if dtype.is_floating_point() {
        let odd = [f64::NAN, -0.0, f64::INFINITY, 0.0, f64::NEG_INFINITY, f64::NAN, 0.5];
        for (k, value) in values.iter_mut().enumerate().filter(|(k, _)| k % 5 == 3) {
            *value = odd[k / 5 % odd.len()];
        }
    }
    if dtype == DType::UInt8 {
        for v in &mut values {
            *v = v.abs() * 12.0;
        }
    }
    values
}

#[test]
#[ignore = "needs a device"]
fn sorts_every_dtype_stably() {
    let cases: [(&[usize], usize); 7] = [
        (&[3, 11, 5], 1),
        (&[2, 2048], 1),
        (&[2500, 2], 0),
        (&[], 0),
        (&[4, 0], 1),
        (&[70, 1], 1),
        (&[9, 300], 1),
    ];
    for dtype in DType::ALL.into_iter().filter(|dtype| !dtype.is_complex()) {
        let all = dtype == DType::Float32;
        for (shape, dim) in &cases[..if all { 7 } else { 1 }] {
            let (shape, dim) = (*shape, *dim);
            for layout_kind in
                LAYOUT_KINDS.into_iter().filter(|&layout_kind| all || layout_kind == LayoutKind::Contiguous)
            {
                for descending in [false, true] {
                    let n = shape.iter().product();
                    let data = [
                        Data::new(dtype, shape, layout_kind, &odd_values(dtype, n)),
                        Data::new(dtype, shape, layout_kind, &vec![0.0; n]),
                        Data::new(DType::Int64, shape, layout_kind, &vec![0.0; n]),
                    ];
                    let what = format!("sort {dtype} {shape:?} {dim} {layout_kind:?} {descending}");
                    compare_bits(&what, &data, |b, o| {
                        b.run(
                            &kernel::Sort { input: o[0], dim, descending, values: Some(o[1]), indices: o[2] }
                                .into(),
                        )
                    });
                }
            }
        }
    }
    let data =
        [Data::random(5, DType::Float32, &[300], LayoutKind::Gaps, 9.0), Data::zeros(DType::Int64, &[300])];
    compare_bits("places alone", &data, |b, o| {
        b.run(&kernel::Sort { input: o[0], dim: 0, descending: false, values: None, indices: o[1] }.into())
    });
}

#[test]
#[ignore = "needs a device"]
fn sorts_long_lines() {
    for (dtype, shape) in [
        (DType::Float32, &[40_000][..]),
        (DType::Float64, &[3, 9001]),
        (DType::Int64, &[20_000]),
        (DType::Bool, &[5000]),
    ] {
        for descending in [false, true] {
            let data = [
                Data::random(7, dtype, shape, LayoutKind::Contiguous, 1e4),
                Data::zeros(dtype, shape),
                Data::zeros(DType::Int64, shape),
            ];
            let dim = shape.len() - 1;
            compare_bits(&format!("sort {dtype} {shape:?}"), &data, |b, o| {
                b.run(
                    &kernel::Sort { input: o[0], dim, descending, values: Some(o[1]), indices: o[2] }.into(),
                )
            });
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn finds_the_extreme_elements() {
    for dtype in [DType::Float32, DType::Int64] {
        for (shape, dim, k) in [(&[5usize, 40, 3][..], 1, 7), (&[5000, 2], 0, 20), (&[3, 9], 1, 9)] {
            for (layout_kind, largest) in
                [(LayoutKind::Contiguous, true), (LayoutKind::Transposed, false), (LayoutKind::Gaps, true)]
            {
                let n = shape.iter().product();
                let mut kept = shape.to_vec();
                kept[dim] = k;
                let zeros = vec![0.0; kept.iter().product()];
                let data = [
                    Data::new(dtype, shape, layout_kind, &odd_values(dtype, n)),
                    Data::new(dtype, &kept, layout_kind, &zeros),
                    Data::new(DType::Int64, &kept, layout_kind, &zeros),
                ];
                let what = format!("top_k {dtype} {shape:?} {dim} {k} {largest}");
                compare_bits(&what, &data, |b, o| {
                    b.run(
                        &kernel::TopK {
                            input: o[0],
                            dim,
                            largest,
                            sorted: true,
                            values: Some(o[1]),
                            indices: o[2],
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
fn searches_in_sorted_lines() {
    for dtype in DType::ALL.into_iter().filter(|dtype| !dtype.is_complex()) {
        let all = dtype == DType::Float32;
        for layout_kind in
            LAYOUT_KINDS.into_iter().filter(|&layout_kind| all || layout_kind == LayoutKind::Contiguous)
        {
            for (result, right) in [(DType::Int64, false), (DType::Int32, true)] {
                if !all && right != (dtype as usize).is_multiple_of(2) {
                    continue;
                }
                let mut lines = Vec::new();
                for line in 0..6 {
                    let mut values = odd_values(DType::Float32, 37 + line);
                    values.truncate(37);
                    for v in &mut values {
                        *v = if dtype == DType::UInt8 { v.abs() } else { *v };
                    }
                    values.sort_by(f64::total_cmp);
                    lines.extend(values);
                }
                let data = [
                    Data::new(dtype, &[2, 3, 37], layout_kind, &lines),
                    Data::random(8, dtype, &[2, 3, 9], layout_kind, 21.0),
                    Data::new(result, &[2, 3, 9], layout_kind, &[0.0; 54]),
                    Data::new(dtype, &[37], layout_kind, &lines[..37]),
                ];
                let what = format!("search_sorted {dtype} {layout_kind:?} {right}");
                compare_bits(&what, &data, |b, o| {
                    b.run(
                        &kernel::SearchSorted {
                            sorted: o[0],
                            sorter: None,
                            values: o[1],
                            right,
                            output: o[2],
                        }
                        .into(),
                    )
                });
                if all {
                    compare_bits(&what, &data, |b, o| {
                        b.run(
                            &kernel::SearchSorted {
                                sorted: o[3],
                                sorter: None,
                                values: o[1],
                                right,
                                output: o[2],
                            }
                            .into(),
                        )
                    });
                }
            }
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn searches_by_an_order_and_in_an_empty_line() {
    let data = [
        Data::random(1, DType::Float32, &[30], LayoutKind::Gaps, 9.0),
        indices(2, &[30], LayoutKind::Gaps, 0, 30),
        Data::random(3, DType::Float32, &[4, 5], LayoutKind::Transposed, 9.0),
        Data::zeros(DType::Int64, &[4, 5]),
    ];
    compare_bits("with an order", &data, |b, o| {
        b.run(
            &kernel::SearchSorted {
                sorted: o[0],
                sorter: Some(o[1]),
                values: o[2],
                right: false,
                output: o[3],
            }
            .into(),
        )
    });
    let data = [
        Data::zeros(DType::Float32, &[3]),
        Data::new(DType::Int64, &[3], LayoutKind::Contiguous, &[0.0, 3.0, 1.0]),
        Data::zeros(DType::Float32, &[2]),
        Data::zeros(DType::Int64, &[2]),
    ];
    compare_errors("a place outside", &data, 4, |b, o| {
        b.run(
            &kernel::SearchSorted {
                sorted: o[0],
                sorter: Some(o[1]),
                values: o[2],
                right: false,
                output: o[3],
            }
            .into(),
        )
    });
    let data = [
        Data::zeros(DType::Float32, &[0]),
        Data::zeros(DType::Float32, &[2]),
        Data::zeros(DType::Int64, &[2]),
    ];
    compare_bits("an empty line", &data, |b, o| {
        b.run(
            &kernel::SearchSorted { sorted: o[0], sorter: None, values: o[1], right: true, output: o[2] }
                .into(),
        )
    });
}
