//! Counting and finding the elements that differ from zero.

use rustorch::backend::{ComputeBackend, DType, Operand, kernel};
use rustorch_error::Result;

use crate::harness::{Data, LAYOUT_KINDS, LayoutKind, compare, device, noise, run};

/// The number of elements that differ from zero, counted into one int64.
pub fn count_nonzero(backend: &dyn ComputeBackend, input: Operand<'_>, output: Operand<'_>) -> Result<usize> {
    backend.run(&kernel::CountNonzero { input, output }.into())?;
    let mut bytes = [0; 8];
    backend.read(output.buffer, 0, &mut bytes)?;
    Ok(i64::from_ne_bytes(bytes) as usize)
}

#[test]
#[ignore = "needs a device"]
fn what_differs_from_zero_is_counted_and_found_as_on_the_cpu() {
    let shapes: [&[usize]; 6] = [&[3, 5, 11], &[2, 3000], &[50, 7, 61], &[20_000], &[3, 0], &[]];
    for dtype in [
        DType::Float32,
        DType::Float64,
        DType::Float16,
        DType::Int64,
        DType::Int16,
        DType::UInt8,
        DType::Bool,
        DType::Complex64,
        DType::Complex128,
    ] {
        for shape in shapes {
            for layout_kind in LAYOUT_KINDS {
                if dtype != DType::Float32 && layout_kind == LayoutKind::Transposed {
                    continue;
                }
                let sparse = noise(7, shape.iter().product()).into_iter().map(|v| {
                    // Minus zero is zero; NaN is not.
                    if v < 0.2 {
                        -0.0
                    } else if v > 0.9 && dtype.is_floating_point() {
                        f64::NAN
                    } else {
                        (v * 9.0).ceil()
                    }
                });
                let values: Vec<f64> = sparse.collect();
                let count = values.iter().filter(|&&v| v != 0.0).count();
                let what = format!("elements of {dtype} {shape:?} {layout_kind:?} that differ from zero");
                let data = [
                    Data::new(dtype, shape, layout_kind, &values),
                    Data::zeros(DType::Int64, &[count, shape.len()]),
                    Data::zeros(DType::Int64, &[1]),
                ];
                compare(&what, &data, 0.0, |b, o| {
                    let found = count_nonzero(b, o[0], o[2])?;
                    assert!(found == count || !device().runs, "{what}: {found}");
                    b.run(&kernel::Nonzero { input: o[0], output: o[1] }.into())
                });
            }
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn coordinates_are_written_to_any_layout() {
    let values: Vec<f64> = noise(7, 60).iter().map(|v| v.max(0.0).ceil()).collect();
    let count = values.iter().filter(|&&v| v != 0.0).count();
    for layout_kind in LAYOUT_KINDS {
        let coordinates = Data::new(DType::Int64, &[count, 2], layout_kind, &vec![0.0; 2 * count]);
        let data = [Data::new(DType::Float32, &[6, 10], LayoutKind::Contiguous, &values), coordinates];
        compare("coordinates", &data, 0.0, |b, o| {
            b.run(&kernel::Nonzero { input: o[0], output: o[1] }.into())
        });
    }
}

/// Another thread writes to the elements between the count and the search, which a test can have by asking for other rows.
#[test]
#[ignore = "needs a device"]
fn other_rows_than_there_are_elements_stay_inside_and_have_no_old_memory() {
    let device = device();
    if !device.runs {
        return;
    }
    let values: Vec<f64> = (0..20_000).map(|i| f64::from(u8::from(i % 3 == 0))).collect();
    let count = values.iter().filter(|&&v| v != 0.0).count();
    for rows in [1, 100, count - 1, count + 1, count + 5000] {
        let coordinates = Data::new(DType::Int64, &[rows, 1], LayoutKind::Gaps, &vec![7.0; rows]);
        let data = [Data::new(DType::Float32, &[20_000], LayoutKind::Contiguous, &values), coordinates];
        let bytes =
            run(device.backend, &data, |b, o| b.run(&kernel::Nonzero { input: o[0], output: o[1] }.into()))
                .expect("it runs");
        let found = (0..20_000).step_by(3).map(f64::from).chain(std::iter::repeat(0.0));
        assert_eq!(data[1].values(&bytes[1]), found.take(rows).collect::<Vec<_>>(), "{rows} rows");
        // What lies between and behind the rows is as it was: all of it sevens.
        assert!(data[1].rest(&bytes[1]).iter().all(|&byte| byte == 7), "{rows} rows");
    }
}
