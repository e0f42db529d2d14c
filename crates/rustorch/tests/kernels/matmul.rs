//! Products of matrices and vectors.

use rustorch::backend::{DType, Dims, Epilogue, Layout, Shape, kernel};

use crate::harness::{Data, LAYOUT_KINDS, LayoutKind, compare};

const DTYPES: [DType; 4] = [DType::Float32, DType::Float16, DType::BFloat16, DType::Float64];

/// Batch, m, k, n of a product.
fn product(
    dtype: DType,
    lead: &[usize],
    [m, k, n]: [usize; 3],
    layout_kinds: [LayoutKind; 3],
    epilogue: (f64, f64, bool),
) {
    let shape = |rows, columns| -> Vec<usize> { lead.iter().copied().chain([rows, columns]).collect() };
    let range = if dtype.is_floating_point() { 1.0 } else { 40.0 };
    let mut data = vec![
        Data::random(1, dtype, &shape(m, k), layout_kinds[0], range),
        Data::random(2, dtype, &shape(k, n), layout_kinds[1], range),
        Data::random(3, dtype, &shape(m, n), layout_kinds[2], range),
    ];
    let (alpha, beta, biased) = epilogue;
    if biased {
        data.push(Data::random(4, dtype, &[n], LayoutKind::Gaps, range));
    }
    let what = format!("{dtype} {lead:?} {m}x{k}x{n} {layout_kinds:?} {epilogue:?}");
    compare(&what, &data, 8.0, |b, o| {
        b.run(
            &kernel::MatrixMultiply {
                a: o[0],
                b: o[1],
                output: o[2],
                epilogue: Epilogue { alpha, beta, bias: o.get(3).copied() },
            }
            .into(),
        )
    });
}

#[test]
#[ignore = "needs a device"]
fn products_of_every_size_and_layout_agree_with_the_cpu() {
    let sizes =
        [[3, 5, 7], [65, 33, 70], [130, 17, 131], [20, 40, 200], [200, 40, 20], [64, 64, 64], [5, 0, 6]];
    for (i, size) in sizes.into_iter().enumerate() {
        for (j, layout_kind) in LAYOUT_KINDS.into_iter().enumerate() {
            let layout_kinds = [layout_kind, LAYOUT_KINDS[(i + j) % 3], LAYOUT_KINDS[(i + 2 * j + 1) % 3]];
            product(DType::Float32, &[], size, layout_kinds, (1.0, 0.0, false));
            product(DType::Float32, &[2, 3], size, layout_kinds, (0.5, -2.0, true));
        }
    }
    product(DType::Float32, &[0], [3, 4, 5], [LayoutKind::Contiguous; 3], (1.0, 0.0, false));
    product(DType::Float32, &[2], [0, 4, 5], [LayoutKind::Contiguous; 3], (1.0, 0.0, false));
}

#[test]
#[ignore = "needs a device"]
fn products_of_every_dtype_agree_with_the_cpu() {
    let layout_kinds = [LayoutKind::Contiguous, LayoutKind::Transposed, LayoutKind::Contiguous];
    for dtype in DTYPES {
        for size in [[33, 40, 37], [100, 20, 110], [1, 50, 37], [37, 50, 1]] {
            product(dtype, &[2], size, layout_kinds, (1.0, 0.0, false));
        }
        product(dtype, &[2], [33, 40, 37], layout_kinds, (2.0, 0.5, true));
    }
    for dtype in [DType::Int64, DType::Int32, DType::Int8, DType::UInt8] {
        for size in [[33, 40, 37], [1, 50, 37]] {
            product(dtype, &[2], size, layout_kinds, (1.0, 0.0, false));
        }
    }
    product(DType::Int16, &[2], [33, 40, 37], layout_kinds, (2.0, 3.0, true));
}

#[test]
#[ignore = "needs a device"]
fn vectors_and_long_sums_agree_with_the_cpu() {
    for size in [[1, 77, 300], [300, 77, 1], [1, 9000, 1], [1, 9000, 3], [1, 1, 1], [1, 0, 4]] {
        for layout_kind in LAYOUT_KINDS {
            product(
                DType::Float32,
                &[],
                size,
                [layout_kind, layout_kind, LayoutKind::Contiguous],
                (1.0, 0.0, false),
            );
            product(
                DType::Float32,
                &[3],
                size,
                [layout_kind, layout_kind, LayoutKind::Gaps],
                (0.5, 2.0, true),
            );
        }
    }
    for dtype in [DType::Float32, DType::Float16, DType::Float64, DType::Int32] {
        product(dtype, &[], [9, 5000, 11], [LayoutKind::Contiguous; 3], (0.5, 2.0, true));
        product(dtype, &[2], [9, 5000, 11], [LayoutKind::Transposed; 3], (1.0, 0.0, false));
    }
}

#[test]
#[ignore = "needs a device"]
fn matrices_that_are_broadcast_agree_with_the_cpu() {
    let wide = |mut data: Data, shape: &[usize], strides: &[isize]| {
        data.layout = Layout::new("matmul", Shape::from_slice(shape), Dims::from_slice(strides), 0).unwrap();
        data
    };
    for m in [1, 3, 40] {
        let a = Data::random(1, DType::Float32, &[4, 2, m, 30], LayoutKind::Contiguous, 1.0);
        let b = Data::random(2, DType::Float32, &[30, 20], LayoutKind::Contiguous, 1.0);
        let c = Data::zeros(DType::Float32, &[4, 2, m, 20]);
        let shared = wide(b.clone(), &[4, 2, 30, 20], &[0, 0, 20, 1]);
        let row = wide(b.clone(), &[4, 2, 30, 20], &[0, 0, 0, 1]);
        for b in [shared, row] {
            compare(&format!("one b for all, {m} rows"), &[a.clone(), b, c.clone()], 8.0, |backend, o| {
                backend.run(
                    &kernel::MatrixMultiply { a: o[0], b: o[1], output: o[2], epilogue: Epilogue::default() }
                        .into(),
                )
            });
        }
        let bs = Data::random(3, DType::Float32, &[4, 2, 30, 20], LayoutKind::Contiguous, 1.0);
        let one = wide(a, &[4, 2, m, 30], &[0, 30, 0, 1]);
        let bias = Data::random(4, DType::Float32, &[1], LayoutKind::Contiguous, 1.0);
        compare(&format!("one row for all, {m} rows"), &[one, bs, c, bias], 8.0, |backend, o| {
            backend.run(
                &kernel::MatrixMultiply {
                    a: o[0],
                    b: o[1],
                    output: o[2],
                    epilogue: Epilogue { alpha: 1.0, beta: 0.0, bias: Some(o[3]) },
                }
                .into(),
            )
        });
    }
}
