//! Every operation at every level against scalar references.

use rustorch_algebra::{DType, ElementwiseOp, RegisterKind, for_each_elementwise};

use super::kernel;
use crate::SimdLevel;

mod reference;

macro_rules! all_operations {
    ($(($variant:ident, $function:ident, $domain:ident, ($($argument:ident),*) -> $result:ident))*) => {
        const ALL: &[(ElementwiseOp, &str)] = &[$((ElementwiseOp::$variant, stringify!($domain))),*];
    };
}
for_each_elementwise!(all_operations);

/// A float type with an ordered integer beside it: neighbours differ by 1.
trait Float: Copy + Default + PartialEq + std::fmt::Debug + std::fmt::LowerExp {
    const DTYPE: DType;
    fn from_f64(x: f64) -> Self;
    fn to_f64(self) -> f64;
    fn rank(self) -> i64;
}

macro_rules! float {
    ($t:ident, $dtype:ident, $signed:ident) => {
        impl Float for $t {
            const DTYPE: DType = DType::$dtype;
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            fn to_f64(self) -> f64 {
                self as f64
            }
            fn rank(self) -> i64 {
                let bits = self.to_bits() as $signed;
                (if bits < 0 { $signed::MIN - bits } else { bits }) as i64
            }
        }
    };
}
float!(f32, Float32, i32);
float!(f64, Float64, i64);

/// How many representable numbers lie between; NaN agrees with NaN alone.
fn ulps<T: Float>(x: T, y: T) -> u64 {
    match (x.to_f64().is_nan(), y.to_f64().is_nan()) {
        (true, true) => 0,
        (false, false) => x.rank().abs_diff(y.rank()),
        _ => u64::MAX,
    }
}

/// Runs a kernel of floats; truth values come back as 1 and 0.
fn run<T: Float>(op: ElementwiseOp, level: SimdLevel, arguments: &[&[T]]) -> Vec<T> {
    let n = arguments[0].len();
    let kernel = kernel(op, T::DTYPE, level).expect("the operation takes floats");
    let masks: Vec<Vec<u8>> =
        arguments.iter().map(|x| x.iter().map(|x| u8::from(x.to_f64() != 0.0)).collect()).collect();
    let mut pointers = [std::ptr::null(); 3];
    for (i, argument) in arguments.iter().enumerate() {
        pointers[i] = match op.argument_kind(i) {
            RegisterKind::Value => argument.as_ptr().cast(),
            RegisterKind::Mask => masks[i].as_ptr(),
        };
    }
    match op.result_kind() {
        RegisterKind::Value => {
            let mut result = vec![T::from_f64(77.0); n + 1];
            // SAFETY: n elements each; the level is available.
            unsafe { kernel(&pointers, result.as_mut_ptr().cast(), n, false) };
            assert_eq!(result.pop(), Some(T::from_f64(77.0)), "{} wrote beyond its end", op.name());
            result
        }
        RegisterKind::Mask => {
            let mut result = vec![77u8; n + 1];
            // SAFETY: as above.
            unsafe { kernel(&pointers, result.as_mut_ptr(), n, false) };
            assert_eq!(result.pop(), Some(77), "{} wrote beyond its end", op.name());
            assert!(result.iter().all(|&b| b <= 1), "{}: a truth value that is neither 0 nor 1", op.name());
            result.into_iter().map(|b| T::from_f64(f64::from(b))).collect()
        }
    }
}

const SPECIAL: [f64; 29] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    3.0,
    -3.0,
    7.0,
    88.0,
    -88.0,
    104.0,
    -104.0,
    1e-30,
    -1e-30,
    1e-40,
    -1e-42,
    1e30,
    -1e30,
    3e38,
    4194303.5,
    8388609.0,
    0.49999997,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// Floats of every exponent and sign, and many of the sizes that networks see.
fn sweep<T: Float>(n: usize) -> Vec<T> {
    let mut values: Vec<T> = SPECIAL.iter().map(|&x| T::from_f64(x)).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    for i in 0..n {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let uniform = (state >> 11) as f64 / (1u64 << 53) as f64 * 2.0 - 1.0;
        let x = match i % 4 {
            0 => f64::from(f32::from_bits((state >> 32) as u32)),
            1 => uniform * 4.0,
            2 => uniform * 100.0,
            _ => 1.0 + uniform * 0.6,
        };
        values.push(T::from_f64(x));
    }
    values
}

type Reference = fn(f64) -> f64;

/// Polynomials: the reference in float64 and the allowance in float32 and float64.
fn transcendental() -> Vec<(ElementwiseOp, Reference, u64, u64)> {
    use ElementwiseOp::*;
    let sigmoid: Reference =
        |x| if x < 0.0 { libm::exp(x) / (1.0 + libm::exp(x)) } else { 1.0 / (1.0 + libm::exp(-x)) };
    vec![
        (Exp, libm::exp, 2, 2),
        (Exp2, libm::exp2, 2, 2),
        (Expm1, libm::expm1, 2, 4),
        (Log, libm::log, 2, 2),
        (Log2, libm::log2, 2, 4),
        (Log10, libm::log10, 2, 4),
        (Log1p, libm::log1p, 2, 4),
        (Sin, libm::sin, 2, 2),
        (Cos, libm::cos, 2, 2),
        (Tan, libm::tan, 2, 2),
        (Asin, libm::asin, 2, 2),
        (Acos, libm::acos, 2, 2),
        (Atan, libm::atan, 2, 2),
        (Sinh, libm::sinh, 2, 2),
        (Cosh, libm::cosh, 2, 2),
        (Tanh, libm::tanh, 2, 4),
        (Asinh, libm::asinh, 2, 1),
        // Below 1 libm's is wrong for many numbers.
        (Acosh, |x| if x < 1.0 { f64::NAN } else { libm::acosh(x) }, 2, 1),
        (Atanh, libm::atanh, 2, 2),
        (Erf, libm::erf, 2, 2),
        (Erfc, libm::erfc, 2, 1),
        (Lgamma, libm::lgamma, 2, 1),
        (Sigmoid, sigmoid, 2, 4),
        (Sqrt, f64::sqrt, 0, 0),
        (Reciprocal, |x| 1.0 / x, 0, 0),
        (Rsqrt, |x| 1.0 / x.sqrt(), 1, 1),
    ]
}

fn check_transcendental<T: Float>(count: usize) {
    let inputs = sweep::<T>(count);
    let mut failures = Vec::new();
    for level in SimdLevel::available() {
        for (op, reference, single, double) in transcendental() {
            let allowed = if T::DTYPE == DType::Float32 { single } else { double };
            let outputs = run(op, level, &[&inputs]);
            let (worst, at) = inputs
                .iter()
                .zip(&outputs)
                .map(|(&x, &y)| (ulps(y, T::from_f64(reference(x.to_f64()))), (x, y)))
                .max_by_key(|&(error, _)| error)
                .expect("inputs");
            if worst > allowed {
                let (x, y) = at;
                failures.push(format!(
                    "{level} {} {x:e}: {y:e}, {worst} ulp off {:e}",
                    op.name(),
                    reference(x.to_f64())
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn transcendental_functions_of_float32_are_within_2_ulp() {
    check_transcendental::<f32>(400_000);
}

#[test]
fn transcendental_functions_of_float64_are_within_4_ulp() {
    check_transcendental::<f64>(100_000);
}

#[test]
fn sines_of_huge_angles_are_reduced() {
    for level in SimdLevel::available() {
        let inputs =
            [1e5f32, 123_456.79, 99_999.99, 1e10, -3e38, 7.5e22, 355.0, 710.0, 33.0, -33.0, 22.0, 100_000.5];
        for (op, reference) in [(ElementwiseOp::Sin, libm::sin as Reference), (ElementwiseOp::Cos, libm::cos)]
        {
            for (&x, y) in inputs.iter().zip(run(op, level, &[&inputs[..]])) {
                assert!(ulps(y, reference(f64::from(x)) as f32) <= 2, "{level} {} {x:e}: {y:e}", op.name());
            }
        }
    }
}

#[test]
fn angles_near_multiples_of_a_quarter_turn_keep_their_digits() {
    fn check<T: Float>() {
        // The next number but for rounding.
        let step = if T::DTYPE == DType::Float32 { f64::from(f32::EPSILON) } else { f64::EPSILON };
        let mut inputs = Vec::new();
        for k in 1..60_000 {
            let x = T::from_f64(f64::from(k) * std::f64::consts::FRAC_PI_2);
            inputs.extend([x, T::from_f64(-x.to_f64() * (1.0 + step))]);
        }
        for level in SimdLevel::available() {
            for (op, reference) in [
                (ElementwiseOp::Sin, libm::sin as Reference),
                (ElementwiseOp::Cos, libm::cos),
                (ElementwiseOp::Tan, libm::tan),
            ] {
                for (&x, y) in inputs.iter().zip(run(op, level, &[&inputs])) {
                    let expected = T::from_f64(reference(x.to_f64()));
                    assert!(ulps(y, expected) <= 2, "{level} {} {x:e}: {y:e}, not {expected:e}", op.name());
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn angles_and_lengths_of_points_are_within_2_ulp_and_keep_cs_special_cases() {
    fn check<T: Float>() {
        let mut first = sweep::<T>(60_000);
        let mut second: Vec<T> = sweep::<T>(60_000).into_iter().rev().collect();
        for &x in &SPECIAL {
            for &y in &SPECIAL {
                first.push(T::from_f64(x));
                second.push(T::from_f64(y));
            }
        }
        for level in SimdLevel::available() {
            for (op, reference) in [
                (ElementwiseOp::Atan2, libm::atan2 as fn(f64, f64) -> f64),
                (ElementwiseOp::Hypot, libm::hypot),
            ] {
                let results = run(op, level, &[&first, &second]);
                for ((&x, &y), &result) in first.iter().zip(&second).zip(&results) {
                    let expected = T::from_f64(reference(x.to_f64(), y.to_f64()));
                    let name = op.name();
                    assert!(
                        ulps(result, expected) <= 2,
                        "{level} {name} {x:e} {y:e}: {result:e}, not {expected:e}"
                    );
                    let signs = [result, expected].map(|v| v.to_f64().is_sign_negative());
                    assert!(expected.to_f64().is_nan() || signs[0] == signs[1], "{level} {name} {x:e} {y:e}");
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn powers_are_within_2_ulp_and_keep_cs_special_cases() {
    check_powers::<f32>();
    check_powers::<f64>();
}

fn check_powers<T: Float>() {
    let mut bases = sweep::<T>(60_000);
    let mut exponents: Vec<T> = sweep::<T>(60_000).into_iter().rev().collect();
    let mut push = |x: f64, y: f64| {
        bases.push(T::from_f64(x));
        exponents.push(T::from_f64(y));
    };
    for &x in &SPECIAL {
        for &y in &SPECIAL {
            push(x, y);
        }
    }
    for i in 0..60_000 {
        push(0.01 + f64::from(i) * 1e-3, f64::from(i % 997) * 0.05 - 20.0);
        // Results up to the ends of the exponent's range.
        push(1.0 + f64::from(i) * 1e-4, f64::from(i % 1999) * 2.0 - 2000.0);
    }
    for level in SimdLevel::available() {
        let powers = run(ElementwiseOp::Pow, level, &[&bases, &exponents]);
        for ((&x, &y), &power) in bases.iter().zip(&exponents).zip(&powers) {
            let expected = T::from_f64(libm::pow(x.to_f64(), y.to_f64()));
            assert!(ulps(power, expected) <= 2, "{level} {x:e} ^ {y:e}: {power:e} is not {expected:e}");
            let [power, expected] = [power, expected].map(Float::to_f64);
            assert!(
                power != 0.0 || power.is_sign_negative() == expected.is_sign_negative(),
                "{level} {x:e} ^ {y:e}"
            );
        }
    }
}

#[test]
fn floor_division_of_floats_is_pythons() {
    let cases = [
        (7.0, 2.0, 3.0),
        (-7.0, 2.0, -4.0),
        (7.0, -2.0, -4.0),
        (-7.0, -2.0, 3.0),
        (0.9, 0.3, 3.0),
        (6.0, 0.1, 59.0),
        (1e300, 1e-5, 1e300 / 1e-5),
        (5.0, f64::INFINITY, 0.0),
        (-5.0, f64::INFINITY, -1.0),
        (1.0, 0.0, f64::INFINITY),
        (0.0, 0.0, f64::NAN),
        (f64::NAN, 1.0, f64::NAN),
    ];
    let x: Vec<f64> = cases.iter().map(|c| c.0).collect();
    let y: Vec<f64> = cases.iter().map(|c| c.1).collect();
    for level in SimdLevel::available() {
        for (got, (x, y, expected)) in
            run(ElementwiseOp::FloorDivide, level, &[&x, &y]).into_iter().zip(cases)
        {
            let same = got == expected || got.is_nan() && expected.is_nan();
            assert!(same || ulps(got, expected) <= 1, "{level} {x} // {y}: {got}");
        }
    }
}

#[test]
fn inverse_error_function_and_digamma() {
    let probabilities: [f64; 13] =
        [-0.999, -0.7, -0.5, -1e-5, 0.0, 1e-12, 0.1, 0.5, 0.9, 0.999_999, 1.0, -1.0, 1.5];
    for level in SimdLevel::available() {
        for (&p, w) in probabilities.iter().zip(run(ElementwiseOp::Erfinv, level, &[&probabilities[..]])) {
            if p.abs() < 1.0 {
                assert!(
                    (libm::erf(w) - p).abs() <= 4e-16 * (1.0 + p.abs() * 4.0),
                    "{level} erfinv({p}) = {w}"
                );
            } else if p.abs() == 1.0 {
                assert_eq!(w, p * f64::INFINITY);
            } else {
                assert!(w.is_nan());
            }
        }
        // Abramowitz and Stegun, table 6.1, and the reflection formula.
        let table = [
            (1.0, -0.577_215_664_901_532_9),
            (2.0, 0.422_784_335_098_467_1),
            (0.5, -1.963_510_026_021_423_5),
            (10.0, 2.251_752_589_066_721),
            (-0.5, 0.036_489_973_978_576_52),
            (100.0, 4.600_161_852_738_087),
        ];
        let x: Vec<f64> = table.iter().map(|t| t.0).collect();
        for (got, (x, expected)) in run(ElementwiseOp::Digamma, level, &[&x]).into_iter().zip(table) {
            assert!((got - expected).abs() <= 2e-14, "{level} digamma({x}) = {got}, not {expected}");
        }
    }
}

#[test]
fn integers_wrap_and_divide_as_python() {
    fn check(op: ElementwiseOp, level: SimdLevel, x: &[i32], y: &[i32], expected: impl Fn(i32, i32) -> i32) {
        let kernel = kernel(op, DType::Int32, level).expect("integers");
        let mut result = vec![0i32; x.len()];
        // SAFETY: equal lengths; the level is available.
        unsafe {
            kernel(
                &[x.as_ptr().cast(), y.as_ptr().cast(), x.as_ptr().cast()],
                result.as_mut_ptr().cast(),
                x.len(),
                false,
            );
        }
        for i in 0..x.len() {
            assert_eq!(result[i], expected(x[i], y[i]), "{level} {} of {}, {}", op.name(), x[i], y[i]);
        }
    }
    use ElementwiseOp::*;
    let edge = [0, 1, -1, 2, -2, 7, -7, 31, 32, 40, i32::MAX, i32::MIN, 1000, -1000];
    let x: Vec<i32> = edge.iter().flat_map(|&x| edge.map(|_| x)).collect();
    let y: Vec<i32> = edge.iter().flat_map(|_| edge).collect();
    let nonzero: Vec<i32> = y.iter().map(|&v| if v == 0 { 3 } else { v }).collect();
    for level in SimdLevel::available() {
        check(Add, level, &x, &y, i32::wrapping_add);
        check(Mul, level, &x, &y, i32::wrapping_mul);
        check(Maximum, level, &x, &y, i32::max);
        check(BitwiseXor, level, &x, &y, |x, y| x ^ y);
        check(BitwiseLeftShift, level, &x, &y, |x, y| if (0..32).contains(&y) { x << y } else { 0 });
        check(BitwiseRightShift, level, &x, &y, |x, y| x >> if (0..32).contains(&y) { y } else { 31 });
        check(FloorDivide, level, &x, &nonzero, |x, y| (f64::from(x) / f64::from(y)).floor() as i64 as i32);
        check(Remainder, level, &x, &nonzero, |x, y| {
            (i64::from(x) - (f64::from(x) / f64::from(y)).floor() as i64 * i64::from(y)) as i32
        });
        check(Fmod, level, &x, &nonzero, i32::wrapping_rem);
        check(Pow, level, &x, &[5; 196], |x, _| x.wrapping_pow(5));
        check(Pow, level, &x, &[-3; 196], |x, _| if x == 1 || x == -1 { x } else { 0 });
    }
}

#[test]
fn domains_decide_which_dtypes_an_operation_takes() {
    for level in SimdLevel::available() {
        for &(op, domain) in ALL {
            let takes = |dtype| kernel(op, dtype, level).is_some();
            assert_eq!(takes(DType::Float32), domain != "integer", "{}", op.name());
            assert_eq!(takes(DType::Float64), domain != "integer", "{}", op.name());
            let of_floats = domain == "float" || domain == "special";
            assert_eq!(takes(DType::Int64), !of_floats, "{}", op.name());
            assert_eq!(takes(DType::UInt8), !of_floats, "{}", op.name());
            assert_eq!(takes(DType::Bool), !of_floats && domain != "real", "{}", op.name());
            assert!(!takes(DType::Complex64) && !takes(DType::Float16));
        }
    }
}
