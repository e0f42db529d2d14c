#![allow(clippy::unwrap_used)]

use rustorch_backend::{DType, ScatterOp, kernel};

use super::*;
use crate::kernels::number::Complex;
use crate::kernels::samples::{LAYOUT_KINDS, LayoutKind, Sample, coordinates, flat, noise};
use crate::kernels::walk::Walk;

/// Whole numbers that every dtype holds: 0 and 1 for bool.
fn whole(dtype: DType, seed: u64, count: usize) -> Vec<f64> {
    let most = if dtype == DType::Bool { 2.0 } else { 6.0 };
    noise(seed, count).into_iter().map(|v| ((v * 0.5 + 0.5) * most).floor()).collect()
}

fn random_indices(seed: u64, count: usize, size: usize) -> Vec<i64> {
    noise(seed, count).into_iter().map(|v| ((v * 0.5 + 0.5) * size as f64) as i64).collect()
}

const SHAPES: [(&[usize], &[usize]); 7] = [
    (&[5], &[9]),
    (&[], &[]),
    (&[3, 4], &[3, 4]),
    (&[7, 3, 5], &[7, 3, 2]),
    (&[7, 3, 5], &[2, 3, 5]),
    (&[4, 6], &[0, 6]),
    (&[3, 4, 2, 3], &[2, 4, 1, 3]),
];

/// The dimensions along which `index` fits `other`.
fn dims_that_fit(other: &[usize], index: &[usize]) -> Vec<usize> {
    (0..other.len().max(1))
        .filter(|&dim| (0..other.len()).all(|d| d == dim || index[d] <= other[d]))
        .collect()
}

/// What [`count_nonzero`] says.
fn counted(input: &Sample) -> usize {
    let output = Sample::zeros(DType::Int64, &[], LayoutKind::Contiguous);
    count_nonzero(&kernel::CountNonzero { input: input.operand(), output: output.operand() }).unwrap();
    output.values()[0] as usize
}

#[test]
fn gather_matches_its_definition() {
    for dtype in DType::ALL {
        for (shape, index_shape) in SHAPES {
            for dim in dims_that_fit(shape, index_shape) {
                for layout_kind in LAYOUT_KINDS {
                    let count: usize = shape.iter().product();
                    let n: usize = index_shape.iter().product();
                    let values = whole(dtype, 1, count);
                    let size = shape.get(dim).copied().unwrap_or(1);
                    let picks = random_indices(2, n, size);
                    let input = Sample::new(dtype, shape, layout_kind, &values);
                    let index = Sample::indices(index_shape, layout_kind, &picks);
                    let output = Sample::zeros(dtype, index_shape, layout_kind);
                    gather(&kernel::Gather {
                        input: input.operand(),
                        dim,
                        index: index.operand(),
                        output: output.operand(),
                    })
                    .unwrap();
                    let expected: Vec<f64> = coordinates(index_shape)
                        .into_iter()
                        .enumerate()
                        .map(|(i, mut c)| {
                            if !c.is_empty() {
                                c[dim] = picks[i] as usize;
                            }
                            values[flat(shape, &c)]
                        })
                        .collect();
                    assert_eq!(
                        output.values(),
                        expected,
                        "{dtype} {shape:?} {index_shape:?} {dim} {layout_kind:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn scatter_matches_its_definition() {
    let ops = [ScatterOp::Assign, ScatterOp::Add, ScatterOp::Multiply, ScatterOp::Max, ScatterOp::Min];
    for dtype in DType::ALL {
        for (shape, index_shape) in SHAPES {
            for dim in dims_that_fit(shape, index_shape) {
                for (op, layout_kind) in
                    ops.into_iter().flat_map(|op| LAYOUT_KINDS.map(|layout_kind| (op, layout_kind)))
                {
                    let n: usize = index_shape.iter().product();
                    // At most three writes to a place, so that products stay small.
                    let old = whole(dtype, 3, shape.iter().product());
                    let new = whole(dtype, 4, n);
                    let picks = random_indices(5, n, shape.get(dim).copied().unwrap_or(1));
                    let output = Sample::new(dtype, shape, layout_kind, &old);
                    let source = Sample::new(dtype, index_shape, layout_kind, &new);
                    let index = Sample::indices(index_shape, layout_kind, &picks);
                    let outcome = scatter(&kernel::Scatter {
                        op,
                        dim,
                        index: index.operand(),
                        source: source.operand(),
                        output: output.operand(),
                    });
                    let ordered = matches!(op, ScatterOp::Max | ScatterOp::Min);
                    if dtype.is_complex() && (ordered || op == ScatterOp::Multiply) {
                        assert_eq!(outcome.is_err(), ordered);
                        continue;
                    }
                    outcome.unwrap();
                    let mut expected = old;
                    for (i, mut c) in coordinates(index_shape).into_iter().enumerate() {
                        if !c.is_empty() {
                            c[dim] = picks[i] as usize;
                        }
                        let place = &mut expected[flat(shape, &c)];
                        *place = match op {
                            ScatterOp::Assign => new[i],
                            ScatterOp::Add => *place + new[i],
                            ScatterOp::Multiply => *place * new[i],
                            ScatterOp::Max => place.max(new[i]),
                            ScatterOp::Min => place.min(new[i]),
                        };
                        match dtype {
                            DType::Bool => *place = f64::from(*place != 0.0),
                            DType::UInt8 => *place = f64::from(*place as i64 as u8),
                            DType::Int8 => *place = f64::from(*place as i64 as i8),
                            DType::BFloat16 => *place = half::bf16::from_f64(*place).to_f64(),
                            _ => {}
                        }
                    }
                    assert_eq!(
                        output.values(),
                        expected,
                        "{op:?} {dtype} {shape:?} {index_shape:?} {dim} {layout_kind:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn large_scatters_add_up_and_the_last_write_wins() {
    // More than a grain on every axis, so that threads take part.
    for (rows, columns, dim) in [(3000, 40, 0), (40, 3000, 1), (70_000, 2, 0)] {
        let shape = [rows, columns];
        let size = 7;
        let mut out_shape = shape;
        out_shape[dim] = size;
        let picks = random_indices(1, rows * columns, size);
        let new = whole(DType::Int64, 2, rows * columns);
        let index = Sample::indices(&shape, LayoutKind::Contiguous, &picks);
        let source = Sample::new(DType::Int64, &shape, LayoutKind::Contiguous, &new);
        for op in [ScatterOp::Add, ScatterOp::Assign] {
            let output = Sample::zeros(DType::Int64, &out_shape, LayoutKind::Contiguous);
            scatter(&kernel::Scatter {
                op,
                dim,
                index: index.operand(),
                source: source.operand(),
                output: output.operand(),
            })
            .unwrap();
            let mut expected = vec![0.0; size * rows * columns / shape[dim]];
            for (i, mut c) in coordinates(&shape).into_iter().enumerate() {
                c[dim] = picks[i] as usize;
                let place = &mut expected[flat(&out_shape, &c)];
                *place = if op == ScatterOp::Add { *place + new[i] } else { new[i] };
            }
            assert_eq!(output.values(), expected);
        }
    }
}

#[test]
fn scatter_of_complex_products_and_of_nan() {
    let output =
        Sample::raw(DType::Complex64, &[1], LayoutKind::Contiguous, &[Complex { re: 1.0f32, im: 2.0 }]);
    let source = Sample::raw(
        DType::Complex64,
        &[2],
        LayoutKind::Contiguous,
        &[Complex { re: 3.0f32, im: -1.0 }, Complex { re: 0.0, im: 1.0 }],
    );
    let index = Sample::indices(&[2], LayoutKind::Contiguous, &[0, 0]);
    scatter(&kernel::Scatter {
        op: ScatterOp::Multiply,
        dim: 0,
        index: index.operand(),
        source: source.operand(),
        output: output.operand(),
    })
    .unwrap();
    assert_eq!(output.elements::<Complex<f32>>(), [Complex { re: -5.0, im: 5.0 }]);

    for op in [ScatterOp::Max, ScatterOp::Min] {
        for (old, new) in [(f64::NAN, 1.0), (1.0, f64::NAN)] {
            let output = Sample::new(DType::Float32, &[1], LayoutKind::Contiguous, &[old]);
            let source = Sample::new(DType::Float32, &[2], LayoutKind::Contiguous, &[new, 5.0]);
            scatter(&kernel::Scatter {
                op,
                dim: 0,
                index: index.operand(),
                source: source.operand(),
                output: output.operand(),
            })
            .unwrap();
            assert!(output.values()[0].is_nan(), "{op:?} {old} {new}");
        }
    }
}

#[test]
fn index_read_and_write_match_their_definitions() {
    // Input shape, index shape, how many dimensions are indexed.
    let cases: [(&[usize], &[usize], usize); 8] = [
        (&[10, 33], &[7], 1),
        (&[10, 33], &[2, 3], 2),
        (&[4, 5, 6], &[3, 2], 1),
        (&[4, 5, 6], &[9], 2),
        (&[4, 5, 6], &[], 3),
        (&[6], &[0], 1),
        (&[3, 0], &[4], 1),
        (&[5], &[3, 1, 4], 1),
    ];
    for dtype in DType::ALL {
        for (shape, index_shape, indexed) in cases {
            for layout_kind in LAYOUT_KINDS {
                let n: usize = index_shape.iter().product();
                let picks: Vec<Vec<i64>> = (0..indexed)
                    .map(|d| {
                        let size = shape[d] as i64;
                        // Every third counts from the end.
                        let all = random_indices(d as u64, n, shape[d]);
                        all.iter().enumerate().map(|(i, &v)| if i % 3 == 0 { v - size } else { v }).collect()
                    })
                    .collect();
                let samples: Vec<_> =
                    picks.iter().map(|p| Sample::indices(index_shape, layout_kind, p)).collect();
                let operands: Vec<_> = samples.iter().map(Sample::operand).collect();
                let out_shape = [index_shape, &shape[indexed..]].concat();
                let place = |c: &[usize]| {
                    let row = flat(index_shape, &c[..index_shape.len()]);
                    let lead = (0..indexed).map(|d| picks[d][row].rem_euclid(shape[d] as i64) as usize);
                    let full: Vec<usize> = lead.chain(c[index_shape.len()..].iter().copied()).collect();
                    flat(shape, &full)
                };
                let values = whole(dtype, 8, shape.iter().product());
                let input = Sample::new(dtype, shape, layout_kind, &values);
                let output = Sample::zeros(dtype, &out_shape, layout_kind);
                index_read(&kernel::IndexRead {
                    input: input.operand(),
                    indices: kernel::List::from_slice(&operands),
                    output: output.operand(),
                })
                .unwrap();
                let expected: Vec<f64> = coordinates(&out_shape).iter().map(|c| values[place(c)]).collect();
                assert_eq!(output.values(), expected, "{dtype} {shape:?} {index_shape:?} {layout_kind:?}");

                for accumulate in [false, true] {
                    let new = whole(dtype, 9, out_shape.iter().product());
                    let source = Sample::new(dtype, &out_shape, layout_kind, &new);
                    let target = Sample::new(dtype, shape, layout_kind, &values);
                    index_write(&kernel::IndexWrite {
                        accumulate,
                        indices: kernel::List::from_slice(&operands),
                        source: source.operand(),
                        output: target.operand(),
                    })
                    .unwrap();
                    let mut expected = values.clone();
                    for (i, c) in coordinates(&out_shape).iter().enumerate() {
                        let at = &mut expected[place(c)];
                        *at = if accumulate { *at + new[i] } else { new[i] };
                        if dtype == DType::Bool {
                            *at = f64::from(*at != 0.0);
                        }
                    }
                    assert_eq!(
                        target.values(),
                        expected,
                        "{dtype} {shape:?} {index_shape:?} {layout_kind:?} {accumulate}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_index_may_broadcast() {
    let input = Sample::new(DType::Float32, &[3, 4], LayoutKind::Contiguous, &whole(DType::Float32, 1, 12));
    let rows = Sample::indices(&[2, 1], LayoutKind::Contiguous, &[2, 0]);
    let columns = Sample::indices(&[1, 3], LayoutKind::Contiguous, &[1, 3, -4]);
    let (rows_layout, columns_layout) = (
        rows.layout.broadcast_to("test", &[2, 3]).unwrap(),
        columns.layout.broadcast_to("test", &[2, 3]).unwrap(),
    );
    let mut operands = [rows.operand(), columns.operand()];
    operands[0].layout = &rows_layout;
    operands[1].layout = &columns_layout;
    let output = Sample::zeros(DType::Float32, &[2, 3], LayoutKind::Contiguous);
    index_read(&kernel::IndexRead {
        input: input.operand(),
        indices: kernel::List::from_slice(&operands),
        output: output.operand(),
    })
    .unwrap();
    let v = input.values();
    assert_eq!(output.values(), [v[9], v[11], v[8], v[1], v[3], v[0]]);
}

#[test]
fn a_bad_index_is_named_and_nothing_is_written() {
    let input = Sample::new(DType::Float32, &[3, 4], LayoutKind::Contiguous, &[1.0; 12]);
    let ones = Sample::new(DType::Float32, &[2, 2], LayoutKind::Contiguous, &[9.0; 4]);
    for (bad, layout_kind) in [
        (4, LayoutKind::Contiguous),
        (-1, LayoutKind::Transposed),
        (i64::MIN, LayoutKind::Gaps),
        (i64::MAX, LayoutKind::Reversed),
    ] {
        let index = Sample::indices(&[2, 2], layout_kind, &[0, 1, bad, 2]);
        let output = Sample::zeros(DType::Float32, &[2, 2], LayoutKind::Contiguous);
        let message = gather(&kernel::Gather {
            input: input.operand(),
            dim: 1,
            index: index.operand(),
            output: output.operand(),
        })
        .unwrap_err()
        .to_string();
        assert_eq!(message, format!("gather: index {bad} is out of bounds for dimension 1 with size 4"));
        let outcome = scatter(&kernel::Scatter {
            op: ScatterOp::Add,
            dim: 1,
            index: index.operand(),
            source: ones.operand(),
            output: input.operand(),
        });
        assert_eq!(outcome.unwrap_err().to_string(), message.replace("gather", "scatter"));
    }
    for bad in [3, -4, i64::MIN, i64::MAX] {
        let index = Sample::indices(&[2], LayoutKind::Contiguous, &[0, bad]);
        let output = Sample::new(DType::Float32, &[2, 4], LayoutKind::Contiguous, &[5.0; 8]);
        let message = index_read(&kernel::IndexRead {
            input: input.operand(),
            indices: kernel::List::from_slice(&[index.operand()]),
            output: output.operand(),
        })
        .unwrap_err()
        .to_string();
        assert_eq!(message, format!("index: index {bad} is out of bounds for dimension 0 with size 3"));
        assert_eq!(output.values(), [5.0; 8]);
        assert!(
            index_write(&kernel::IndexWrite {
                accumulate: true,
                indices: kernel::List::from_slice(&[index.operand()]),
                source: output.operand(),
                output: input.operand()
            })
            .is_err()
        );
    }
    assert_eq!(input.values(), [1.0; 12]);
}

#[test]
fn nonzero_lists_coordinates_in_order() {
    for dtype in DType::ALL {
        for shape in [&[][..], &[7], &[3, 0], &[5, 4, 3], &[300, 301]] {
            for layout_kind in LAYOUT_KINDS {
                let values: Vec<f64> =
                    whole(dtype, 6, shape.iter().product()).iter().map(|v| v.max(0.0)).collect();
                let input = Sample::new(dtype, shape, layout_kind, &values);
                let expected: Vec<f64> = coordinates(shape)
                    .into_iter()
                    .zip(&values)
                    .filter(|(_, v)| **v != 0.0)
                    .flat_map(|(c, _)| c.into_iter().map(|c| c as f64))
                    .collect();
                let count = values.iter().filter(|v| **v != 0.0).count();
                assert_eq!(counted(&input), count);
                let output = Sample::zeros(DType::Int64, &[count, shape.len()], layout_kind);
                nonzero(&kernel::Nonzero { input: input.operand(), output: output.operand() }).unwrap();
                assert_eq!(output.values(), expected, "{dtype} {shape:?} {layout_kind:?}");
            }
        }
    }
    let odd = Sample::new(DType::Float32, &[3], LayoutKind::Contiguous, &[f64::NAN, -0.0, f64::INFINITY]);
    assert_eq!(counted(&odd), 2);
}

/// Indices that another thread writes after the check, which these tests leave out: the first is right.
const WRITTEN_SINCE: [i64; 4] = [2, 1 << 40, -1, i64::MIN];

#[test]
fn an_index_that_changes_after_the_check_stays_inside_and_is_reported() {
    for layout_kind in LAYOUT_KINDS {
        let index = Sample::indices(&[4, 1], layout_kind, &WRITTEN_SINCE);
        let bound = check::Bound::new(4);
        let target = Sample::zeros(DType::Float32, &[4, 3], LayoutKind::Contiguous);
        let source = Sample::new(DType::Float32, &[4, 1], layout_kind, &[1.0, 2.0, 3.0, 4.0]);
        let plan = scatter::Plan::new(0, bound, index.operand(), source.operand(), target.operand());
        let outcome = plan.run::<f32>(source.operand(), target.operand(), |old, new| old + new);
        assert!(outcome.unwrap_err().to_string().contains("scatter: another thread"), "{layout_kind:?}");
        let mut expected = [0.0; 12];
        expected[6] = 1.0;
        assert_eq!(target.values(), expected);
    }
}

#[test]
fn rows_are_found_in_a_copy_of_the_indices() {
    // The indices are those of the second call: what the first call found is its own.
    let index = Sample::indices(&[2], LayoutKind::Contiguous, &[1, 0]);
    let output = Sample::zeros(DType::Int64, &[2], LayoutKind::Contiguous);
    let rows = rows::Rows::find("index", &[index.operand()], output.operand().layout).unwrap();
    // SAFETY: the buffer holds two numbers.
    unsafe { index.buffer.address().cast::<[i64; 2]>().write([1 << 40, i64::MIN]) };
    let source = Sample::indices(&[2], LayoutKind::Contiguous, &[7, 8]);
    rows.write::<i64>(source.operand(), output.operand(), |_, new| new);
    assert_eq!(output.values(), [8.0, 7.0]);
}

#[test]
fn more_or_fewer_elements_than_were_counted_are_an_error_and_stay_inside() {
    // Several parts, so that threads take part, and a guard behind the rows.
    let count = 100_000;
    let values: Vec<f64> = (0..count).map(|i| f64::from(u8::from(i % 3 == 0))).collect();
    let input = Sample::new(DType::Bool, &[count], LayoutKind::Contiguous, &values);
    let found = counted(&input);
    for rows in [0, 1, found - 1, found + 1, count] {
        let output = Sample::zeros(DType::Int64, &[rows, 1], LayoutKind::Gaps);
        let message = nonzero(&kernel::Nonzero { input: input.operand(), output: output.operand() })
            .unwrap_err()
            .to_string();
        assert!(message.contains("nonzero: another thread"), "{message}");
    }
    // Each part writes no more rows than it has, and says so when it finds other than those.
    let walk = Walk::new(&[count], [input.operand().layout]);
    let output = Sample::indices(&[4, 1], LayoutKind::Contiguous, &[-1; 4]);
    for (rows, expected) in [(1..1, [-1; 4]), (1..3, [-1, 0, 3, -1]), (0..3, [0, 3, 6, -1])] {
        let found = nonzero::write_rows::<u8>(input.operand(), &walk, 0..7, output.operand(), rows.clone());
        assert_eq!(found, rows.len() == 3, "{rows:?}");
        assert_eq!(output.elements::<i64>(), expected);
    }
    assert!(!nonzero::write_rows::<u8>(input.operand(), &walk, 0..7, output.operand(), 0..4));
}
