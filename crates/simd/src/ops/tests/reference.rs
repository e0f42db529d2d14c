//! Operations against their formulas in plain float64.

use rustorch_algebra::ElementwiseOp;

use super::{ALL, SPECIAL, run, ulps};
use crate::SimdLevel;

/// What each operation is, in plain float64.
#[allow(clippy::too_many_lines, reason = "a table, with a line per operation")]
fn reference(op: ElementwiseOp, x: f64, y: f64, z: f64) -> Option<f64> {
    use ElementwiseOp::*;
    let truth = |b: bool| if b { 1.0 } else { 0.0 };
    let softplus = |x: f64| if x > 30.0 { x } else { libm::log1p(libm::exp(x)) };
    let gauss = |x: f64| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2);
    let nan_or = |v: f64, bad: bool| if bad { f64::NAN } else { v };
    let python_mod = |x: f64, y: f64| {
        let r = libm::fmod(x, y);
        let differs = (r < 0.0) != (y < 0.0);
        if r != 0.0 && differs { r + y } else { r }
    };
    Some(match op {
        Add => x + y,
        Sub => x - y,
        Mul => x * y,
        Div => x / y,
        ScaledAdd => x + y * z,
        Neg => -x,
        Abs => x.abs(),
        Square => x * x,
        Sign => nan_or(truth(x > 0.0) - truth(x < 0.0), false),
        Maximum => nan_or(x.max(y), x.is_nan() || y.is_nan()),
        Minimum => nan_or(x.min(y), x.is_nan() || y.is_nan()),
        Fmax => x.max(y),
        Fmin => x.min(y),
        Clamp => nan_or(x.max(y).min(z), x.is_nan() || y.is_nan() || z.is_nan()),
        Floor => x.floor(),
        Ceil => x.ceil(),
        Round => x.round_ties_even(),
        Trunc => x.trunc(),
        Frac => x - x.trunc(),
        Fmod => libm::fmod(x, y),
        Remainder => python_mod(x, y),
        Copysign => x.copysign(y),
        Hypot => libm::hypot(x, y),
        Atan2 => libm::atan2(x, y),
        Eq => truth(x == y),
        Ne => truth(x != y),
        Lt => truth(x < y),
        Le => truth(x <= y),
        Gt => truth(x > y),
        Ge => truth(x >= y),
        Isnan => truth(x.is_nan()),
        Isinf => truth(x.is_infinite()),
        Isfinite => truth(x.is_finite()),
        Isposinf => truth(x == f64::INFINITY),
        Isneginf => truth(x == f64::NEG_INFINITY),
        Signbit => truth(x.is_sign_negative()),
        LogicalAnd | MaskAnd => truth(x != 0.0 && y != 0.0),
        LogicalOr | MaskOr => truth(x != 0.0 || y != 0.0),
        LogicalXor => truth((x != 0.0) != (y != 0.0)),
        LogicalNot | MaskNot => truth(x == 0.0),
        MaskToValue | ValueToMask => truth(x != 0.0),
        Select => {
            if x == 0.0 {
                z
            } else {
                y
            }
        }
        Relu => nan_or(x.max(0.0), x.is_nan()),
        Relu6 => nan_or(x.clamp(0.0, 6.0), x.is_nan()),
        LeakyRelu => {
            if x > 0.0 {
                x
            } else {
                x * y
            }
        }
        Threshold => {
            if x <= y {
                z
            } else {
                x
            }
        }
        Heaviside => nan_or(if x == 0.0 { y } else { truth(x > 0.0) }, x.is_nan()),
        Deg2rad => x.to_radians(),
        Rad2deg => x.to_degrees(),
        Softsign => x / (1.0 + x.abs()),
        Hardsigmoid => nan_or((x + 3.0).clamp(0.0, 6.0) / 6.0, x.is_nan()),
        Hardswish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Silu => x / (1.0 + libm::exp(-x)),
        Mish => x * libm::tanh(softplus(x)),
        Gelu => x * gauss(x),
        GeluTanh => 0.5 * x * (1.0 + libm::tanh(0.797_884_560_802_865_4 * (x + 0.044_715 * x * x * x))),
        Elu => {
            if x > 0.0 {
                x
            } else {
                y * libm::expm1(x)
            }
        }
        Selu => 1.050_700_987_355_480_5 * if x > 0.0 { x } else { 1.673_263_242_354_377_2 * libm::expm1(x) },
        Tanhshrink => x - libm::tanh(x),
        SigmoidSlope => 0.25 / libm::cosh(x / 2.0).powi(2),
        TanhSlope => 1.0 / libm::cosh(x).powi(2),
        AsinhSlope => 1.0 / libm::hypot(1.0, x),
        LogSigmoid => -softplus(-x),
        Sinc => {
            if x == 0.0 {
                1.0
            } else {
                (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x)
            }
        }
        Lerp => x + z * (y - x),
        _ => return None,
    })
}

#[test]
fn every_operation_agrees_with_its_reference_at_odd_lengths() {
    let mut covered = 0;
    for level in SimdLevel::available() {
        for &(op, domain) in ALL {
            if domain == "integer" {
                continue;
            }
            for n in [0, 1, 7, 8, 63, 64, 65, 1000] {
                let plain: Vec<f32> = (0..n).map(|i| ((i * 37 % 101) as f32 - 50.0) * 0.17).collect();
                let other: Vec<f32> = (0..n).map(|i| ((i * 53 % 97) as f32 - 48.0) * 0.11).collect();
                let third: Vec<f32> = (0..n).map(|i| ((i * 29 % 89) as f32) * 0.01).collect();
                let outputs = run(op, level, &[&plain[..], &other[..], &third[..]][..op.arity()]);
                for i in 0..n {
                    let [x, y, z] = [plain[i], other[i], third[i]].map(f64::from);
                    let Some(expected) = reference(op, x, y, z) else { continue };
                    covered += 1;
                    let (got, expected) = (outputs[i], expected as f32);
                    let near = f64::from((got - expected).abs()) <= 3e-7 * x.abs().max(1.0);
                    assert!(
                        ulps(got, expected) <= 3 || near,
                        "{level} {} of {x}, {y}, {z}: {got:e}, not {expected:e}",
                        op.name()
                    );
                }
            }
        }
    }
    assert!(covered > 100_000);
}

/// Operations whose results are exact or rounded once, on zeros, infinities and NaN in every combination.
#[test]
fn exact_operations_agree_on_special_values() {
    use ElementwiseOp::*;
    let exact = [
        Add, Sub, Mul, Div, Neg, Abs, Maximum, Minimum, Fmax, Fmin, Floor, Ceil, Round, Trunc, Fmod,
        Remainder, Copysign, Eq, Ne, Lt, Le, Gt, Ge, Isnan, Isinf, Isfinite, Isposinf, Isneginf, Signbit,
        LogicalAnd, LogicalOr, LogicalXor, LogicalNot, Relu, Heaviside, Sign, Hypot, Atan2,
    ];
    let pairs: Vec<(f32, f32)> =
        SPECIAL.iter().flat_map(|&x| SPECIAL.iter().map(move |&y| (x as f32, y as f32))).collect();
    let (left, right): (Vec<f32>, Vec<f32>) = pairs.iter().copied().unzip();
    let (left64, right64): (Vec<f64>, Vec<f64>) =
        pairs.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).unzip();
    for level in SimdLevel::available() {
        for op in exact {
            let single = run(op, level, &[&left[..], &right[..]][..op.arity()]);
            let double = run(op, level, &[&left64[..], &right64[..]][..op.arity()]);
            for (i, &(x, y)) in pairs.iter().enumerate() {
                let expected = reference(op, f64::from(x), f64::from(y), 0.0).expect("listed");
                // The remainder's last addition is rounded to the type.
                let allowed = u64::from(matches!(op, Remainder | Hypot | Atan2));
                assert!(
                    ulps(single[i], expected as f32) <= allowed,
                    "{level} {} of {x:e}, {y:e}: {:e}, not {expected:e}",
                    op.name(),
                    single[i]
                );
                assert!(
                    ulps(double[i], expected) <= allowed,
                    "{level} {} of {x:e}, {y:e} in float64: {:e}, not {expected:e}",
                    op.name(),
                    double[i]
                );
            }
        }
    }
}
