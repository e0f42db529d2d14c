#![allow(clippy::unwrap_used)]

use std::cmp::Ordering;

use super::*;
use crate::kernels::samples::{FLOATING, LAYOUT_KINDS, LayoutKind, REAL, Sample, coordinates, flat, noise};

const SHAPES: [&[usize]; 7] = [&[], &[9], &[5, 4], &[2, 5, 3], &[4, 0, 3], &[3, 2500], &[2, 700, 2]];

/// Values with many ties, and the special ones of their dtype.
fn values(dtype: DType, count: usize) -> Vec<f64> {
    let mut values: Vec<f64> = noise(11, count).iter().map(|v| (v * 60.0).round()).collect();
    match dtype {
        DType::Bool => values.iter_mut().for_each(|v| *v = f64::from(*v > 0.0)),
        DType::UInt8 => values.iter_mut().for_each(|v| *v = v.abs()),
        _ if dtype.is_floating_point() => {
            let special = [f64::NAN, -0.0, 0.0, f64::NEG_INFINITY, f64::INFINITY, -f64::NAN];
            for (value, special) in values.iter_mut().skip(1).step_by(3).zip(special) {
                *value = special;
            }
        }
        _ => {}
    }
    values
}

fn compare(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// The row-major positions of each line along `dim`.
fn lines(shape: &[usize], dim: usize) -> Vec<Vec<usize>> {
    let length = shape.get(dim).copied().unwrap_or(1);
    let inner: usize = shape.iter().skip(dim + 1).product();
    let outer: usize = shape.iter().take(dim).product();
    (0..outer)
        .flat_map(|o| (0..inner).map(move |i| (0..length).map(|k| (o * length + k) * inner + i).collect()))
        .collect()
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|v| if v.is_nan() { 1 } else { v.to_bits() }).collect()
}

#[test]
fn lines_are_sorted_stably() {
    for dtype in REAL {
        for shape in SHAPES {
            for dim in 0..shape.len().max(1) {
                for (layout_kind, descending) in
                    LAYOUT_KINDS.into_iter().flat_map(|l| [(l, false), (l, true)])
                {
                    let count = shape.iter().product();
                    let input = Sample::new(dtype, shape, layout_kind, &values(dtype, count));
                    let given = input.values();
                    let sorted = Sample::zeros(dtype, shape, layout_kind);
                    let places = Sample::zeros(DType::Int64, shape, LayoutKind::Transposed);
                    sort(&kernel::Sort {
                        input: input.operand(),
                        dim,
                        descending,
                        values: Some(sorted.operand()),
                        indices: places.operand(),
                    })
                    .unwrap();
                    let (mut expected, mut at) = (vec![0.0; count], vec![0.0; count]);
                    for line in lines(shape, dim) {
                        let mut order: Vec<usize> = (0..line.len()).collect();
                        order.sort_by(|&a, &b| {
                            let order = compare(given[line[a]], given[line[b]]);
                            if descending { order.reverse() } else { order }
                        });
                        for (&to, from) in line.iter().zip(order) {
                            (expected[to], at[to]) = (given[line[from]], from as f64);
                        }
                    }
                    assert_eq!(places.values(), at, "{dtype} {shape:?} {dim} {layout_kind:?} {descending}");
                    assert_eq!(
                        bits(&sorted.values()),
                        bits(&expected),
                        "{dtype} {shape:?} {dim} {layout_kind:?} {descending}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_best_are_the_first_of_the_sorted() {
    for dtype in REAL {
        for (shape, dim, k) in
            [(&[9][..], 0, 4), (&[2, 5, 3], 1, 5), (&[3, 2500], 1, 7), (&[3000, 2], 0, 900), (&[6], 0, 1)]
        {
            for (largest, in_order) in [(true, true), (false, true), (false, false)] {
                let count = shape.iter().product();
                let input = Sample::new(dtype, shape, LayoutKind::Gaps, &values(dtype, count));
                let all = Sample::zeros(DType::Int64, shape, LayoutKind::Contiguous);
                sort(&kernel::Sort {
                    input: input.operand(),
                    dim,
                    descending: largest,
                    values: None,
                    indices: all.operand(),
                })
                .unwrap();
                let mut kept = shape.to_vec();
                kept[dim] = k;
                let best = Sample::zeros(dtype, &kept, LayoutKind::Reversed);
                let places = Sample::zeros(DType::Int64, &kept, LayoutKind::Contiguous);
                top_k(&kernel::TopK {
                    input: input.operand(),
                    dim,
                    largest,
                    sorted: in_order,
                    values: Some(best.operand()),
                    indices: places.operand(),
                })
                .unwrap();
                let (given, all, best, places) =
                    (input.values(), all.values(), best.values(), places.values());
                let mut found: Vec<(Vec<usize>, f64)> = Vec::new();
                let mut expected = Vec::new();
                for position in coordinates(&kept) {
                    let (mut line, here) = (position.clone(), flat(&kept, &position));
                    let mut from = line.clone();
                    from[dim] = places[here] as usize;
                    assert_eq!(bits(&[best[here]]), bits(&[given[flat(shape, &from)]]));
                    // Without order only the last one's place is certain.
                    if !in_order && position[dim] + 1 < k {
                        line[dim] = k;
                    }
                    found.push((line.clone(), places[here]));
                    expected.push((line, all[flat(shape, &position)]));
                }
                found.sort_by(|a, b| a.partial_cmp(b).unwrap());
                expected.sort_by(|a, b| a.partial_cmp(b).unwrap());
                assert!(found == expected, "{dtype} {shape:?} {dim} {k} {largest} {in_order}");
            }
        }
    }
}

#[test]
fn places_in_sorted_lines_match_a_count() {
    for dtype in REAL {
        let count = 2 * 40;
        let all: Vec<f64> = values(dtype, count).iter().map(|v| if v.is_nan() { 1.0 } else { *v }).collect();
        let lines = Sample::new(dtype, &[2, 40], LayoutKind::Contiguous, &all);
        let sorter = Sample::zeros(DType::Int64, &[2, 40], LayoutKind::Transposed);
        sort(&kernel::Sort {
            input: lines.operand(),
            dim: 1,
            descending: false,
            values: None,
            indices: sorter.operand(),
        })
        .unwrap();
        let wanted = Sample::new(dtype, &[2, 30], LayoutKind::Gaps, &values(dtype, 60));
        for (right, out) in [(false, DType::Int64), (true, DType::Int64), (false, DType::Int32)] {
            let output = Sample::zeros(out, &[2, 30], LayoutKind::Reversed);
            search_sorted(&kernel::SearchSorted {
                sorted: lines.operand(),
                sorter: Some(sorter.operand()),
                values: wanted.operand(),
                right,
                output: output.operand(),
            })
            .unwrap();
            let (elements, wanted) = (lines.values(), wanted.values());
            for (i, got) in output.values().into_iter().enumerate() {
                let line = &elements[i / 30 * 40..i / 30 * 40 + 40];
                // NaN is beyond everything.
                let before = |&&e: &&f64| !(if right { e > wanted[i] } else { e >= wanted[i] });
                assert_eq!(got, line.iter().filter(before).count() as f64, "{dtype} {right}");
            }
        }
    }
}

#[test]
fn one_line_serves_values_of_any_shape() {
    let line = Sample::new(DType::Float32, &[4], LayoutKind::Reversed, &[1.0, 2.0, 2.0, 5.0]);
    let wanted =
        Sample::new(DType::Float32, &[2, 1, 3], LayoutKind::Transposed, &[0.0, 1.0, 2.0, 3.0, 5.0, 9.0]);
    let output = Sample::zeros(DType::Int64, &[2, 1, 3], LayoutKind::Contiguous);
    search_sorted(&kernel::SearchSorted {
        sorted: line.operand(),
        sorter: None,
        values: wanted.operand(),
        right: true,
        output: output.operand(),
    })
    .unwrap();
    assert_eq!(output.values(), [0.0, 1.0, 3.0, 3.0, 4.0, 4.0]);
    let scalar = Sample::new(DType::Float32, &[], LayoutKind::Contiguous, &[2.0]);
    let output = Sample::zeros(DType::Int64, &[], LayoutKind::Contiguous);
    search_sorted(&kernel::SearchSorted {
        sorted: line.operand(),
        sorter: None,
        values: scalar.operand(),
        right: false,
        output: output.operand(),
    })
    .unwrap();
    assert_eq!(output.values(), [1.0]);
}

#[test]
fn what_does_not_work_says_so() {
    let a = Sample::zeros(DType::Complex64, &[2], LayoutKind::Contiguous);
    let places = Sample::zeros(DType::Int64, &[2], LayoutKind::Contiguous);
    let error = sort(&kernel::Sort {
        input: a.operand(),
        dim: 0,
        descending: false,
        values: None,
        indices: places.operand(),
    })
    .unwrap_err()
    .to_string();
    assert_eq!(error, "sort: complex numbers have no order; got complex64, and every real dtype works");
    let b = Sample::zeros(FLOATING[0], &[2], LayoutKind::Contiguous);
    let outside = Sample::indices(&[2], LayoutKind::Contiguous, &[0, 2]);
    let error = search_sorted(&kernel::SearchSorted {
        sorted: b.operand(),
        sorter: Some(outside.operand()),
        values: b.operand(),
        right: false,
        output: places.operand(),
    })
    .unwrap_err();
    assert_eq!(error.to_string(), "searchsorted: index 2 is out of bounds for dimension 0 with size 2");
}

#[test]
fn a_sorter_that_changes_after_the_check_stays_inside_and_is_reported() {
    let line = Sample::new(DType::Float32, &[5], LayoutKind::Contiguous, &[1.0, 2.0, 3.0, 4.0, 5.0]);
    let wanted = Sample::new(DType::Float32, &[1], LayoutKind::Contiguous, &[4.5]);
    for bad in [5, 1 << 40, -1, i64::MIN] {
        let sorter = Sample::indices(&[5], LayoutKind::Contiguous, &[0, 1, bad, 3, 4]);
        let output = Sample::zeros(DType::Int64, &[1], LayoutKind::Contiguous);
        let outcome = search::search(
            line.operand(),
            Some(sorter.operand()),
            wanted.operand(),
            output.operand(),
            |a: f32, b: f32| a >= b,
            |n| n as i64,
        );
        assert!(outcome.unwrap_err().to_string().contains("searchsorted: another thread"), "{bad}");
    }
}
