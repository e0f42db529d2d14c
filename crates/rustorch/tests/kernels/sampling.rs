//! Windows that lie anywhere, elements picked by index, and maps along dimensions.

use std::ops::Range;
use std::sync::Arc;

use rustorch::backend::memory::Scratch;
use rustorch::backend::{DType, DimensionMap, kernel};

use crate::harness::{Data, LAYOUT_KINDS, LayoutKind, compare, noise};

#[test]
#[ignore = "needs a device"]
fn maxima_of_regions_agree_with_the_cpu() {
    let (shape, pooled) = ([2, 3, 7, 9], [2, 3, 3, 4]);
    let rows = || Scratch::collect([0..3, 2..5, 4..7]).expect("memory");
    // Each plane has columns of its own.
    let columns = || Scratch::collect((0..24).map(|i| i % 4 * 2 + i / 12..i % 4 * 2 + 3)).expect("memory");
    for dtype in [DType::Float32, DType::Float16, DType::Float64, DType::Int32] {
        for layout_kind in LAYOUT_KINDS {
            let data = [
                Data::random(1, dtype, &shape, layout_kind, 9.0),
                Data::zeros(dtype, &pooled),
                Data::zeros(DType::Int64, &pooled),
            ];
            let regions: Arc<[Scratch<Range<usize>>]> = Arc::from([rows(), columns()]);
            compare(&format!("regions of {dtype} {layout_kind:?}"), &data, 1.0, |b, o| {
                b.run(
                    &kernel::MaxPoolRegions {
                        regions: regions.clone(),
                        input: o[0],
                        output: o[1],
                        indices: o[2],
                    }
                    .into(),
                )
            });
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn picked_elements_agree_with_the_cpu() {
    let (images, channels, plane, points, taps) = (2, 5, 40, 33, 4);
    // Negative ones pick nothing; some elements are picked by many taps, and some by none.
    let places: Vec<f64> = noise(1, images * points * taps).iter().map(|v| (v * 39.0).floor()).collect();
    for dtype in [DType::Float32, DType::Float16, DType::BFloat16, DType::Float64] {
        for layout_kind in LAYOUT_KINDS {
            let data = [
                Data::random(1, dtype, &[images, channels, plane], layout_kind, 1.0),
                Data::new(DType::Int64, &[images, points, taps], layout_kind, &places),
                Data::random(2, dtype, &[images, points, taps], layout_kind, 1.0),
                Data::random(3, dtype, &[images, channels, points], layout_kind, 1.0),
            ];
            let what = format!("picked elements of {dtype} {layout_kind:?}");
            compare(&what, &data, 8.0, |b, o| {
                b.run(&kernel::WeightedGather { input: o[0], index: o[1], weight: o[2], output: o[3] }.into())
            });
            compare(&what, &data, 8.0, |b, o| {
                b.run(
                    &kernel::WeightedGatherGradWeight {
                        grad: o[3],
                        input: o[0],
                        index: o[1],
                        grad_weight: o[2],
                    }
                    .into(),
                )
            });
            compare(&what, &data, 8.0, |b, o| {
                b.run(
                    &kernel::WeightedGatherGradInput {
                        grad: o[3],
                        index: o[1],
                        weight: o[2],
                        grad_input: o[0],
                    }
                    .into(),
                )
            });
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn maps_along_dimensions_agree_with_the_cpu() {
    let mirrored = || DimensionMap::selection(5, [1, 0, 1, 2, 3, 4, 3]).expect("memory");
    let shifted = || DimensionMap::selection(7, [6, 0, 1, 2]).expect("memory");
    let blended = || {
        let taps = (0..9).map(|i| [(i % 7, 0.25), ((i + 1) % 7, 0.75)]);
        DimensionMap::weighted(7, taps).expect("memory")
    };
    let averaged = || {
        let taps = [vec![(0, 0.5), (1, 0.5)], vec![], (0..5).map(|i| (i, 0.2)).collect()];
        DimensionMap::weighted(5, taps).expect("memory")
    };
    let cases = [
        vec![mirrored(), shifted()],
        vec![mirrored(), blended()],
        vec![averaged(), shifted()],
        vec![blended()],
        vec![DimensionMap::selection(3, [2, 2]).expect("memory"), averaged(), blended()],
    ];
    for maps in cases {
        let maps: Arc<[DimensionMap]> = Arc::from(maps);
        let lead = [2, 3];
        let input: Vec<usize> = lead.into_iter().chain(maps.iter().map(DimensionMap::input)).collect();
        let output: Vec<usize> = lead.into_iter().chain(maps.iter().map(DimensionMap::output)).collect();
        let selection = maps.iter().all(DimensionMap::is_selection);
        for dtype in DType::ALL {
            let floating = dtype.is_floating_point();
            if !(selection && dtype != DType::Complex128 || floating) {
                continue;
            }
            let data =
                [Data::random(1, dtype, &input, LayoutKind::Contiguous, 5.0), Data::zeros(dtype, &output)];
            compare(&format!("{dtype} {input:?} to {output:?}"), &data, 4.0, |b, o| {
                b.run(&kernel::Resample { maps: maps.clone(), input: o[0], output: o[1] }.into())
            });
        }
    }
}
