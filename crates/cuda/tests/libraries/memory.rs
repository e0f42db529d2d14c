//! What the CPU and the device are given, and how far they may be apart.

use rustorch_backend::memory::{as_bytes, from_bytes};
use rustorch_backend::{DType, Element, Layout, Scalar, with_element};

fn noise(seed: u64, n: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// Bytes of random elements, as many as a layout reaches.
pub fn bytes(seed: u64, dtype: DType, layout: &Layout) -> Vec<u8> {
    let reach = layout.span().map_or(0, |(_, high)| high + 1);
    with_element!(dtype, T => {
        let elements: Vec<T> =
            noise(seed, reach).into_iter().map(|v| T::from_scalar(Scalar::Float(v))).collect();
        as_bytes(&elements).to_vec()
    }, else { Vec::new() })
}

fn number(dtype: DType, bytes: &[u8]) -> f64 {
    with_element!(dtype, T => from_bytes::<T>(bytes).to_scalar().to_f64(), else { f64::NAN })
}

/// Whether two operands' bytes are the same numbers, as far as sums in another order are.
pub fn compare(what: &dyn std::fmt::Debug, dtype: DType, expected: &[u8], got: &[u8]) {
    let exact = match dtype {
        DType::Float64 => 1e-12,
        DType::Float32 => 1e-5,
        DType::Float16 => 2e-3,
        _ => 1.6e-2,
    };
    let size = dtype.size();
    for (at, (want, have)) in expected.chunks(size).zip(got.chunks(size)).enumerate() {
        let [want, have] = [want, have].map(|bytes| number(dtype, bytes));
        let near = (want - have).abs() <= exact * want.abs().max(1.0);
        assert!(near, "{what:?} element {at}: the CPU has {want}, the library {have}");
    }
}
