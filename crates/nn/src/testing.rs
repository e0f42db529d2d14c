//! What the tests of this crate share.

use std::sync::LazyLock;

use rustorch_cpu_simd::CpuBackend;
use rustorch_tensor::Tensor;

/// Registers the CPU backend.
pub(crate) fn init() {
    static CPU: LazyLock<CpuBackend> = LazyLock::new(|| CpuBackend::new().expect("the CPU is here"));
    rustorch_tensor::registry::register(&*CPU);
}

/// A float64 tensor of the given shape from a fixed, aperiodic sequence in (-1, 1).
pub(crate) fn sample(shape: &[usize], phase: f64) -> Tensor {
    let n: usize = shape.iter().product();
    let values: Vec<f64> = (0..n).map(|i| (1.7 * i as f64 + phase).sin()).collect();
    Tensor::from_slice(&values, shape).expect("the length fits the shape")
}

/// The elements as float64.
pub(crate) fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.to_vec::<f64>().expect("a tensor on the CPU can be read")
}

/// Fails unless both lists agree within `tolerance`, absolutely and relatively.
pub(crate) fn assert_close(actual: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len());
    for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
        assert!((a - e).abs() <= tolerance * (1.0 + e.abs()), "element {i}: {a} is not {e}");
    }
}
