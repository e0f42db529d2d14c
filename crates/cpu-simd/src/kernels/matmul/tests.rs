//! Every path of the product beside plain loops in float64.
#![allow(clippy::unwrap_used)]

use half::{bf16, f16};
use rustorch_backend::memory::SystemAllocator;
use rustorch_backend::{
    Buffer, DType, Element, Epilogue, Layout, Operand, Scalar, contiguous_strides, kernel,
};
use rustorch_simd::SimdLevel;

use super::blocking::{Product, multiply};
use super::matrix_multiply;
use super::tables::Gemm;

/// A linear congruential generator: small integers and halves, whose products and sums are exact in float32.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % below
    }
    pub fn value(&mut self) -> f64 {
        (self.next(17) as f64 - 8.0) / 2.0
    }
    pub fn values(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.value()).collect()
    }
}

/// The levels that this machine has.
pub fn levels() -> Vec<SimdLevel> {
    let mut levels = vec![SimdLevel::Fallback];
    #[cfg(target_arch = "x86_64")]
    {
        if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
            levels.push(SimdLevel::Avx2);
        }
        if std::is_x86_feature_detected!("avx512f") {
            levels.push(SimdLevel::Avx512);
        }
    }
    #[cfg(target_arch = "aarch64")]
    levels.push(SimdLevel::Neon);
    levels
}

/// A tensor of a dtype, with room around it that must stay as it is.
pub struct Tensor {
    pub buffer: Buffer,
    pub layout: Layout,
    pub dtype: DType,
}

impl Tensor {
    /// The values of `shape` in row-major order, stored with `strides` (those of a dimension permutation, steps or 0).
    pub fn with_strides(dtype: DType, shape: &[usize], strides: &[isize], values: &[f64]) -> Self {
        let low = strides.iter().zip(shape).filter(|(s, _)| **s < 0);
        let offset = low.map(|(s, n)| (n.saturating_sub(1)) * s.unsigned_abs()).sum::<usize>() + 3;
        let layout = Layout::new("matmul", shape.into(), strides.into(), offset).unwrap();
        let size = layout.span().map_or(offset, |(_, high)| high + 1) + 2;
        let buffer = Buffer::allocate(SystemAllocator::global(), size * dtype.size()).unwrap();
        let tensor = Tensor { buffer, layout, dtype };
        for at in 0..size {
            tensor.set(at, f64::from(99));
        }
        for (index, &value) in values.iter().enumerate() {
            tensor.set(tensor.position(index), value);
        }
        tensor
    }

    pub fn new(dtype: DType, shape: &[usize], values: &[f64]) -> Self {
        Self::with_strides(dtype, shape, &contiguous_strides(shape), values)
    }

    fn position(&self, index: usize) -> usize {
        let (mut rest, mut at) = (index, self.layout.offset() as isize);
        for (&size, &stride) in self.layout.shape().iter().zip(self.layout.strides()).rev() {
            at += (rest % size) as isize * stride;
            rest /= size;
        }
        at as usize
    }

    fn set(&self, at: usize, value: f64) {
        fn write<T: Element>(buffer: &Buffer, at: usize, value: f64) {
            // SAFETY: the position lies in the buffer.
            unsafe { buffer.address().cast::<T>().add(at).write(T::from_scalar(Scalar::Float(value))) }
        }
        rustorch_backend::with_element!(self.dtype, T => write::<T>(&self.buffer, at, value), else ());
    }

    fn get(&self, at: usize) -> f64 {
        fn read<T: Element>(buffer: &Buffer, at: usize) -> f64 {
            // SAFETY: the position lies in the buffer.
            unsafe { buffer.address().cast::<T>().add(at).read().to_scalar().to_f64() }
        }
        rustorch_backend::with_element!(self.dtype, T => read::<T>(&self.buffer, at), else f64::NAN)
    }

    pub fn values(&self) -> Vec<f64> {
        (0..self.layout.numel()).map(|index| self.get(self.position(index))).collect()
    }

    pub fn operand(&self) -> Operand<'_> {
        Operand { buffer: &self.buffer, layout: &self.layout, dtype: self.dtype }
    }

    /// Checks that nothing but the elements was written.
    pub fn check_surroundings(&self) {
        let inside: std::collections::HashSet<_> =
            (0..self.layout.numel()).map(|i| self.position(i)).collect();
        for at in 0..self.buffer.bytes() / self.dtype.size() {
            assert!(inside.contains(&at) || self.get(at) == 99.0, "position {at} was written");
        }
    }
}

/// Row-major strides of a matrix, its transpose's, with gaps, or backwards.
fn matrix_strides(kind: usize, rows: usize, columns: usize) -> (isize, isize) {
    let (rows, columns) = (rows.max(1) as isize, columns.max(1) as isize);
    match kind {
        0 => (columns, 1),
        1 => (1, rows),
        2 => (columns + 5, 1),
        3 => (3 * columns, 3),
        _ => (-columns, 1),
    }
}

fn matrix(kind: usize, rows: usize, columns: usize, values: &[f64]) -> Tensor {
    let strides = matrix_strides(kind, rows, columns);
    Tensor::with_strides(DType::Float64, &[rows, columns], &[strides.0, strides.1], values)
}

fn check_level<T: Gemm + Into<f64>>(level: SimdLevel) {
    let sizes = [0, 1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 48, 64, 70, 100];
    let mut numbers = Numbers(7);
    for case in 0..600 {
        let mut size =
            || if case % 50 == 49 { 150 + numbers.next(300) } else { sizes[numbers.next(sizes.len())] };
        let (m, n, k) = (size(), size(), size());
        let kinds = [numbers.next(5), numbers.next(5), numbers.next(4)];
        let (alpha, beta) = ([1.0, -0.5][numbers.next(2)], [0.0, 1.0, 0.5][numbers.next(3)]);
        let biased = [numbers.next(2) == 1, numbers.next(2) == 1];
        let (a, b) = (numbers.values(m * k), numbers.values(k * n));
        let mut c = numbers.values(m * n);
        if beta == 0.0 {
            c.fill(f64::NAN);
        }
        let (row_bias, column_bias) = (numbers.values(m), numbers.values(n));
        let mut want = vec![0.0; m * n];
        for i in 0..m {
            for j in 0..n {
                let sum: f64 = (0..k).map(|p| a[i * k + p] * b[p * n + j]).sum();
                let held = if beta == 0.0 { 0.0 } else { beta * c[i * n + j] };
                let bias =
                    if biased[0] { row_bias[i] } else { 0.0 } + if biased[1] { column_bias[j] } else { 0.0 };
                want[i * n + j] = alpha * sum + held + bias;
            }
        }
        // The layouts are made in float64 and copied element by element.
        let narrow = |t: &Tensor| -> Vec<T> {
            let count = t.buffer.bytes() / 8;
            (0..count).map(|at| T::from_f64(t.get(at))).collect()
        };
        let tensors = [matrix(kinds[0], m, k, &a), matrix(kinds[1], k, n, &b), matrix(kinds[2], m, n, &c)];
        let [a, b, mut c] = [0, 1, 2].map(|t| narrow(&tensors[t]));
        let [row_bias, column_bias] =
            [&row_bias, &column_bias].map(|v| v.iter().map(|&x| T::from_f64(x)).collect::<Vec<T>>());
        let pick = |wanted: bool, v: &Vec<T>| if wanted { v.as_ptr() } else { std::ptr::null() };
        let pair = |t: &Tensor| (t.layout.strides()[0], t.layout.strides()[1]);
        let product = Product {
            m,
            n,
            k,
            a: a.as_ptr().wrapping_add(tensors[0].layout.offset()),
            a_strides: pair(&tensors[0]),
            b: b.as_ptr().wrapping_add(tensors[1].layout.offset()),
            b_strides: pair(&tensors[1]),
            c: c.as_mut_ptr().wrapping_add(tensors[2].layout.offset()),
            c_strides: pair(&tensors[2]),
            alpha: T::from_f64(alpha),
            beta: T::from_f64(beta),
            row_bias: pick(biased[0], &row_bias),
            column_bias: pick(biased[1], &column_bias),
        };
        // SAFETY: the vectors hold all elements.
        unsafe { multiply(&product, T::kernels_at(level)).unwrap() };
        for (index, want) in want.iter().enumerate() {
            let got: f64 = c[tensors[2].position(index)].into();
            assert_eq!(got, *want, "{level:?} case {case}: {m}x{n}x{k}, layouts {kinds:?}, at {index}");
        }
        let inside: std::collections::HashSet<_> = (0..m * n).map(|i| tensors[2].position(i)).collect();
        for (at, &value) in c.iter().enumerate() {
            assert!(
                inside.contains(&at) || value.into() == 99.0,
                "{level:?} case {case}: wrote beside the output"
            );
        }
    }
}

#[test]
fn products_of_every_shape_and_layout_are_exact() {
    for level in levels() {
        check_level::<f32>(level);
        check_level::<f64>(level);
    }
}

#[test]
fn rounding_stays_within_the_bound_of_summation() {
    let (m, n, k) = (65, 97, 1111);
    let mut numbers = Numbers(3);
    let mut values = |n: usize| (0..n).map(|_| numbers.next(1 << 20) as f32 / 1e6 - 0.5).collect::<Vec<_>>();
    let (a, b) = (values(m * k), values(k * n));
    let (a, b): (Vec<f64>, Vec<f64>) =
        (a.iter().map(|&x| x.into()).collect(), b.iter().map(|&x| x.into()).collect());
    let tensors = (Tensor::new(DType::Float32, &[m, k], &a), Tensor::new(DType::Float32, &[k, n], &b));
    let c = Tensor::new(DType::Float32, &[m, n], &vec![0.0; m * n]);
    matrix_multiply(&kernel::MatrixMultiply {
        a: tensors.0.operand(),
        b: tensors.1.operand(),
        output: c.operand(),
        epilogue: Epilogue::default(),
    })
    .unwrap();
    for (at, got) in c.values().into_iter().enumerate() {
        let terms = (0..k).map(|p| a[at / n * k + p] * b[p * n + at % n]);
        let (sum, size) = terms.fold((0.0, 0.0), |(sum, size), term| (sum + term, size + term.abs()));
        assert!((got - sum).abs() <= size * 1e-6, "{got} is not {sum}");
    }
}

fn reference(a: &[f64], b: &[f64], [batch, m, n, k]: [usize; 4]) -> Vec<f64> {
    let mut out = Vec::new();
    for at in 0..batch * m * n {
        let (batch, i, j) = (at / (m * n), at / n % m, at % n);
        out.push((0..k).map(|p| a[(batch * m + i) * k + p] * b[(batch * k + p) * n + j]).sum());
    }
    out
}

#[test]
fn batches_broadcast_and_every_dtype_works() {
    let mut numbers = Numbers(11);
    for dtype in DType::ALL.into_iter().filter(|d| !d.is_complex() && *d != DType::Bool) {
        for [outer, inner, m, n, k] in [[2, 3, 4, 5, 6], [0, 3, 2, 2, 2], [5, 1, 1, 20, 9], [3, 2, 33, 1, 17]]
        {
            let batch = outer * inner;
            let mut small = |n: usize| (0..n).map(|_| numbers.next(3) as f64).collect::<Vec<_>>();
            let (a, b, bias) = (small(batch * m * k), small(k * n), small(n));
            // b is one matrix, transposed in memory, for all batches.
            let repeated: Vec<_> = (0..batch).flat_map(|_| b.iter().copied()).collect();
            let b = Tensor::with_strides(dtype, &[outer, inner, k, n], &[0, 0, 1, k as isize], &repeated);
            let a_tensor = Tensor::new(dtype, &[outer, inner, m, k], &a);
            let bias_tensor = Tensor::new(dtype, &[n], &bias);
            let held = small(batch * m * n);
            let c = Tensor::new(dtype, &[outer, inner, m, n], &held);
            let epilogue = Epilogue { alpha: 2.0, beta: 1.0, bias: Some(bias_tensor.operand()) };
            matrix_multiply(&kernel::MatrixMultiply {
                a: a_tensor.operand(),
                b: b.operand(),
                output: c.operand(),
                epilogue,
            })
            .unwrap();
            let want = reference(&a, &repeated, [batch, m, n, k]);
            for (at, (got, want)) in c.values().into_iter().zip(want).enumerate() {
                let want = Scalar::Float(2.0 * want + held[at] + bias[at % n]);
                let want = match dtype {
                    DType::Int8 => i8::from_scalar(want).to_scalar(),
                    DType::Float16 => f16::from_scalar(want).to_scalar(),
                    DType::BFloat16 => bf16::from_scalar(want).to_scalar(),
                    _ => want,
                };
                assert_eq!(got, want.to_f64(), "{dtype} at {at}");
            }
            c.check_surroundings();
        }
    }
}

#[test]
fn integers_wrap_around() {
    let a = Tensor::new(DType::UInt8, &[1, 2], &[200.0, 100.0]);
    let b = Tensor::new(DType::UInt8, &[2, 1], &[2.0, 3.0]);
    let c = Tensor::new(DType::UInt8, &[1, 1], &[7.0]);
    matrix_multiply(&kernel::MatrixMultiply {
        a: a.operand(),
        b: b.operand(),
        output: c.operand(),
        epilogue: Epilogue::default(),
    })
    .unwrap();
    assert_eq!(c.values(), [f64::from((700 % 256) as u8)]);
}

#[test]
fn nan_and_infinity_spread_only_along_their_rows_and_columns() {
    for (m, n, k) in [(20, 40, 20), (3, 40, 20), (40, 3, 20), (1, 1, 33)] {
        let mut a = vec![1.0; m * k];
        a[k - 1] = f64::NAN;
        let mut b = vec![1.0; k * n];
        b[n - 1] = f64::INFINITY;
        let tensors = (Tensor::new(DType::Float32, &[m, k], &a), Tensor::new(DType::Float32, &[k, n], &b));
        let c = Tensor::new(DType::Float32, &[m, n], &vec![f64::NAN; m * n]);
        matrix_multiply(&kernel::MatrixMultiply {
            a: tensors.0.operand(),
            b: tensors.1.operand(),
            output: c.operand(),
            epilogue: Epilogue::default(),
        })
        .unwrap();
        for (at, got) in c.values().into_iter().enumerate() {
            match (at / n, at % n) {
                (0, _) => assert!(got.is_nan()),
                (_, j) if j == n - 1 => assert_eq!(got, f64::INFINITY),
                _ => assert_eq!(got, k as f64),
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let tensor = |dtype, shape: &[usize]| Tensor::new(dtype, shape, &vec![0.0; shape.iter().product()]);
    let f = DType::Float32;
    let run = |a: &Tensor, b: &Tensor, c: &Tensor| {
        matrix_multiply(&kernel::MatrixMultiply {
            a: a.operand(),
            b: b.operand(),
            output: c.operand(),
            epilogue: Epilogue::default(),
        })
        .unwrap_err()
        .to_string()
    };
    let message = run(&tensor(f, &[2, 3]), &tensor(f, &[2, 3]), &tensor(f, &[2, 3]));
    assert!(message.starts_with("matmul: a [2, 3], b [2, 3], output [2, 3] do not fit"), "{message}");
    let message = run(&tensor(f, &[2, 3]), &tensor(DType::Int32, &[3, 2]), &tensor(f, &[2, 2]));
    assert_eq!(message, "matmul: a is float32 but b is int32; all must have one dtype");
    let bools = [[2, 3], [3, 2], [2, 2]].map(|shape| tensor(DType::Bool, &shape));
    assert!(run(&bools[0], &bools[1], &bools[2]).contains("does not compute this in bool"));
}
