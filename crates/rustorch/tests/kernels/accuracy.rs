//! How exactly the functions are computed that Metal's library lacks, and its dialect brings.

use rustorch::backend::{DType, DeviceKind, ElementwiseOp, Program};

use crate::harness::{Data, LayoutKind, cpu, device, run};

/// float32 numbers of every magnitude, both signs, and those around which functions are hard.
fn numbers() -> Vec<f64> {
    let every = (0..4000u32).map(|n| f64::from(f32::from_bits(n.wrapping_mul(1_073_741_827))));
    let near = (0..4000).map(|n| f64::from((f64::from(n) / 400.0 - 5.0) as f32));
    let normal = |v: &f64| v.is_finite() && (*v == 0.0 || v.abs() >= f64::from(f32::MIN_POSITIVE));
    every.chain(near).filter(normal).collect()
}

/// The distance between `got` and the exact `want`, in units of float32's last place there.
fn ulps(got: f64, want: f64) -> f64 {
    let nearest = want as f32;
    if f64::from(nearest) == got || (nearest.is_nan() && got.is_nan()) {
        return 0.0;
    }
    // Where the result is not normal, a device may flush it to 0.
    if want.abs() < f64::from(f32::MIN_POSITIVE) {
        return if got.abs() <= f64::from(f32::MIN_POSITIVE) { 0.0 } else { f64::INFINITY };
    }
    let exponent = want.abs().log2().floor() as i32;
    (got - want).abs() / 2f64.powi(exponent - 23)
}

#[test]
#[ignore = "needs a device"]
fn functions_are_exact_to_a_few_units_in_the_last_place() {
    let device = device();
    if device.backend.device_info().kind != DeviceKind::Metal {
        return;
    }
    let functions: [(ElementwiseOp, f64); 6] = [
        (ElementwiseOp::Expm1, 2.0),
        (ElementwiseOp::Log1p, 2.0),
        (ElementwiseOp::Erf, 2.0),
        (ElementwiseOp::Erfc, 4.0),
        (ElementwiseOp::Lgamma, 8.0),
        (ElementwiseOp::Hypot, 2.0),
    ];
    let x = numbers();
    let mut y = x.clone();
    y.rotate_left(x.len() / 3);
    for (op, allowed) in functions {
        let compute = |dtype: DType| {
            let shape = [x.len()];
            let mut data = vec![Data::new(dtype, &shape, LayoutKind::Contiguous, &x)];
            if op.arity() == 2 {
                data.push(Data::new(dtype, &shape, LayoutKind::Contiguous, &y));
            }
            data.push(Data::zeros(dtype, &shape));
            data
        };
        let program = |dtype| Program::single(op, dtype);
        let inputs = op.arity();
        let exact = run(cpu(), &compute(DType::Float64), |backend, operands| {
            backend.map(&program(DType::Float64), &operands[..inputs], &operands[inputs..])
        });
        let got = run(device.backend, &compute(DType::Float32), |backend, operands| {
            backend.map(&program(DType::Float32), &operands[..inputs], &operands[inputs..])
        });
        let got = got.expect("the device computes it");
        let exact = compute(DType::Float64)[inputs].values(&exact.expect("the CPU computes it")[inputs]);
        let got = compute(DType::Float32)[inputs].values(&got[inputs]);
        let worst = (0..x.len()).map(|n| (ulps(got[n], exact[n]), n)).fold((0.0, 0), |worst, one| {
            // Near a root of the gamma function's logarithm, units of 1 instead.
            let near_root = op == ElementwiseOp::Lgamma && exact[one.1].abs() < 1.0;
            let off = (got[one.1] - exact[one.1]).abs() / f64::from(f32::EPSILON);
            let error = if near_root { off } else { one.0 };
            if error > worst.0 || error.is_nan() { (error, one.1) } else { worst }
        });
        let (error, n) = worst;
        assert!(
            error <= allowed,
            "{} of {:e} and {:e}: {:e}, not {:e}: {error} units in the last place",
            op.name(),
            x[n],
            y[n],
            got[n],
            exact[n]
        );
    }
}
