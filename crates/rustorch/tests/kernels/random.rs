//! Random numbers: the CPU's bits.

use rustorch::backend::{DType, Distribution, RandomKey, kernel};

use crate::harness::{Data, LAYOUT_KINDS, LayoutKind, compare_bits};

const KEY: RandomKey = RandomKey { seed: 0x0123_4567_89ab_cdef, offset: 0xffff_fff0 };

#[test]
#[ignore = "needs a device"]
fn the_same_bits_as_on_the_cpu() {
    let reals = [
        Distribution::Integer { low: -5, high: 250 },
        Distribution::Integer { low: 0, high: 2 },
        Distribution::Bernoulli { p: 0.3 },
        Distribution::Bernoulli { p: 1.0 },
    ];
    let floats = [
        Distribution::Uniform { low: 0.0, high: 1.0 },
        Distribution::Uniform { low: -3.0, high: 0.1 },
        Distribution::Uniform { low: 2.0, high: 2.0 },
        Distribution::Normal { mean: 0.0, std: 1.0 },
        Distribution::Normal { mean: 1.5, std: 0.3 },
    ];
    for dtype in DType::ALL {
        let floating = dtype.is_floating_point() || dtype.is_complex();
        let distributions =
            reals.into_iter().filter(|_| !dtype.is_complex()).chain(floats.into_iter().filter(|_| floating));
        for distribution in distributions {
            // Layouts for some dtypes: every kernel takes its time to compile.
            let strided = matches!(dtype, DType::Float32 | DType::Int16 | DType::Complex128);
            let shapes = if strided { &[&[][..], &[33, 7, 5], &[4099]][..] } else { &[&[0][..], &[4099]] };
            for shape in shapes {
                for layout_kind in LAYOUT_KINDS
                    .into_iter()
                    .filter(|&layout_kind| strided || layout_kind == LayoutKind::Contiguous)
                {
                    let zeros = vec![0.0; shape.iter().product()];
                    let data = [Data::new(dtype, shape, layout_kind, &zeros)];
                    compare_bits(
                        &format!("{distribution:?} {dtype} {shape:?} {layout_kind:?}"),
                        &data,
                        |b, o| b.run(&kernel::Random { distribution, key: KEY, output: o[0] }.into()),
                    );
                }
            }
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn many_numbers_and_wide_integers() {
    let whole = Distribution::Integer { low: i64::MIN, high: i64::MAX };
    for (distribution, dtype) in [
        (Distribution::Normal { mean: 0.0, std: 1.0 }, DType::Float32),
        (Distribution::Normal { mean: 0.0, std: 1.0 }, DType::Float64),
        (whole, DType::Int64),
        (whole, DType::Float32),
        (whole, DType::Float64),
    ] {
        let data = [Data::zeros(dtype, &[300_001])];
        compare_bits(&format!("{distribution:?} {dtype}"), &data, |b, o| {
            b.run(&kernel::Random { distribution, key: KEY, output: o[0] }.into())
        });
    }
}
