//! Gathering, and reading at indices.

use rustorch::backend::{DType, Layout, kernel};

use crate::harness::{Data, LAYOUT_KINDS, LayoutKind, compare_bits, compare_errors, noise};

/// Random indices of `low..high`.
pub fn indices(seed: u64, shape: &[usize], layout_kind: LayoutKind, low: i64, high: i64) -> Data {
    let range = (high - low) as f64;
    let values: Vec<f64> = noise(seed, shape.iter().product())
        .into_iter()
        .map(|v| (low as f64 + f64::midpoint(v, 1.0) * range).floor().clamp(low as f64, (high - 1) as f64))
        .collect();
    Data::new(DType::Int64, shape, layout_kind, &values)
}

#[test]
#[ignore = "needs a device"]
fn gather_moves_every_dtype() {
    for dtype in DType::ALL {
        for layout_kind in LAYOUT_KINDS {
            // Elements are moved by their size: one dtype of each is seen in every layout.
            let cases = [(&[4usize, 6, 5][..], 1), (&[4, 6, 5], 0), (&[4, 6, 5], 2), (&[7], 0)];
            for (shape, dim) in &cases[..if dtype == DType::Complex128 { 4 } else { 1 }] {
                let (shape, dim) = (*shape, *dim);
                let mut taken = shape.to_vec();
                taken[dim] = 9;
                let data = [
                    Data::random(1, dtype, shape, layout_kind, 50.0),
                    indices(2, &taken, layout_kind, 0, shape[dim] as i64),
                    Data::new(dtype, &taken, layout_kind, &vec![0.0; taken.iter().product()]),
                ];
                compare_bits(&format!("gather {dtype} {shape:?} {dim} {layout_kind:?}"), &data, |b, o| {
                    b.run(&kernel::Gather { input: o[0], dim, index: o[1], output: o[2] }.into())
                });
            }
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn gather_of_scalars_nothing_and_repeated_indices() {
    let scalar = |dtype, value| Data::new(dtype, &[], LayoutKind::Contiguous, &[value]);
    let data = [scalar(DType::Float32, 3.0), scalar(DType::Int64, 0.0), scalar(DType::Float32, 0.0)];
    compare_bits("gather of a scalar", &data, |b, o| {
        b.run(&kernel::Gather { input: o[0], dim: 0, index: o[1], output: o[2] }.into())
    });
    let data = [
        Data::random(1, DType::Float32, &[3, 4], LayoutKind::Contiguous, 5.0),
        Data::zeros(DType::Int64, &[0, 4]),
        Data::zeros(DType::Float32, &[0, 4]),
    ];
    compare_bits("gather of nothing", &data, |b, o| {
        b.run(&kernel::Gather { input: o[0], dim: 0, index: o[1], output: o[2] }.into())
    });
    let mut index = indices(3, &[5, 1], LayoutKind::Contiguous, 0, 300);
    index.layout =
        Layout::new("indexing", [5, 7].into_iter().collect(), [1, 0].into_iter().collect(), 0).unwrap();
    let data = [
        Data::random(1, DType::Int16, &[300, 7], LayoutKind::Transposed, 900.0),
        index,
        Data::zeros(DType::Int16, &[5, 7]),
    ];
    compare_bits("gather with a repeated index", &data, |b, o| {
        b.run(&kernel::Gather { input: o[0], dim: 0, index: o[1], output: o[2] }.into())
    });
}

#[test]
#[ignore = "needs a device"]
fn rows_are_read_where_indices_say() {
    for dtype in DType::ALL {
        for layout_kind in LAYOUT_KINDS {
            let data = [
                Data::random(1, dtype, &[6, 5, 7, 3], layout_kind, 50.0),
                indices(2, &[4, 9], layout_kind, -6, 6),
                indices(3, &[4, 9], LayoutKind::Contiguous, -5, 5),
                Data::new(dtype, &[4, 9, 7, 3], layout_kind, &vec![0.0; 4 * 9 * 7 * 3]),
            ];
            compare_bits(&format!("index_read {dtype} {layout_kind:?}"), &data, |b, o| {
                b.run(
                    &kernel::IndexRead {
                        input: o[0],
                        indices: kernel::List::from_slice(&o[1..3]),
                        output: o[3],
                    }
                    .into(),
                )
            });
        }
    }
    let data = [
        Data::random(1, DType::Float32, &[100, 33], LayoutKind::Contiguous, 50.0),
        indices(2, &[1000], LayoutKind::Gaps, -100, 100),
        Data::zeros(DType::Float32, &[1000, 33]),
    ];
    compare_bits("rows of a table", &data, |b, o| {
        b.run(
            &kernel::IndexRead { input: o[0], indices: kernel::List::from_slice(&o[1..2]), output: o[2] }
                .into(),
        )
    });
    let data = [
        Data::random(1, DType::Float32, &[4], LayoutKind::Contiguous, 50.0),
        Data::new(DType::Int64, &[], LayoutKind::Contiguous, &[-4.0]),
        Data::zeros(DType::Float32, &[]),
    ];
    compare_bits("one element", &data, |b, o| {
        b.run(
            &kernel::IndexRead { input: o[0], indices: kernel::List::from_slice(&o[1..2]), output: o[2] }
                .into(),
        )
    });
    let mut column = indices(5, &[3, 1], LayoutKind::Contiguous, -4, 4);
    column.layout =
        Layout::new("indexing", [3, 5].into_iter().collect(), [1, 0].into_iter().collect(), 0).unwrap();
    let data = [
        Data::random(1, DType::Complex128, &[4, 8], LayoutKind::Transposed, 50.0),
        column,
        indices(6, &[3, 5], LayoutKind::Transposed, -8, 8),
        Data::zeros(DType::Complex128, &[3, 5]),
    ];
    compare_bits("a broadcast index", &data, |b, o| {
        b.run(
            &kernel::IndexRead { input: o[0], indices: kernel::List::from_slice(&o[1..3]), output: o[3] }
                .into(),
        )
    });
}

#[test]
#[ignore = "needs a device"]
fn indices_out_of_range_are_refused_in_the_cpu_s_words() {
    for bad in [-1.0, 5.0, -9.0, 1e15] {
        let mut values = vec![1.0; 700];
        (values[613], values[640]) = (bad, 77.0);
        let index = Data::new(DType::Int64, &[700], LayoutKind::Gaps, &values);
        let source = Data::random(1, DType::Float32, &[700], LayoutKind::Contiguous, 5.0);
        let table = Data::random(1, DType::Float32, &[5], LayoutKind::Contiguous, 5.0);
        let data = [table.clone(), index.clone(), source.clone()];
        compare_errors("gather", &data, 2, |b, o| {
            b.run(&kernel::Gather { input: o[0], dim: 0, index: o[1], output: o[2] }.into())
        });
        compare_errors("scatter", &data, 3, |b, o| {
            b.run(
                &kernel::Scatter {
                    op: rustorch::backend::ScatterOp::Add,
                    dim: 0,
                    index: o[1],
                    source: o[2],
                    output: o[0],
                }
                .into(),
            )
        });
        if bad != -1.0 {
            compare_errors("index_read", &data, 3, |b, o| {
                b.run(
                    &kernel::IndexRead {
                        input: o[0],
                        indices: kernel::List::from_slice(&o[1..2]),
                        output: o[2],
                    }
                    .into(),
                )
            });
            compare_errors("index_write", &data, 3, |b, o| {
                b.run(
                    &kernel::IndexWrite {
                        accumulate: true,
                        indices: kernel::List::from_slice(&o[1..2]),
                        source: o[2],
                        output: o[0],
                    }
                    .into(),
                )
            });
        }
    }
    let data = [
        Data::random(1, DType::Float32, &[5, 4], LayoutKind::Contiguous, 5.0),
        Data::new(DType::Int64, &[3], LayoutKind::Contiguous, &[0.0, 1.0, 2.0]),
        Data::new(DType::Int64, &[3], LayoutKind::Contiguous, &[0.0, 4.0, -7.0]),
        Data::zeros(DType::Float32, &[3]),
    ];
    compare_errors("the second index", &data, 4, |b, o| {
        b.run(
            &kernel::IndexRead { input: o[0], indices: kernel::List::from_slice(&o[1..3]), output: o[3] }
                .into(),
        )
    });
}
