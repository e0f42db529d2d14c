//! Tensors for the kernels' tests.
#![allow(clippy::unwrap_used)]

use rustorch_backend::memory::host_allocator;
use rustorch_backend::{Buffer, DType, Dims, Element, Layout, Operand, Scalar, Shape, with_element};

use super::number::Complex;

/// The real dtypes.
pub(crate) const REAL: [DType; 10] = [
    DType::Bool,
    DType::UInt8,
    DType::Int8,
    DType::Int16,
    DType::Int32,
    DType::Int64,
    DType::Float16,
    DType::BFloat16,
    DType::Float32,
    DType::Float64,
];

/// The floating-point dtypes.
pub(crate) const FLOATING: [DType; 4] = [DType::Float16, DType::BFloat16, DType::Float32, DType::Float64];

/// How a sample lies in its buffer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum LayoutKind {
    /// Row-major without gaps.
    Contiguous,
    /// Column-major.
    Transposed,
    /// Every second element, after some that belong to nobody.
    Gaps,
    /// The last dimension backwards.
    Reversed,
}

pub(crate) const LAYOUT_KINDS: [LayoutKind; 4] =
    [LayoutKind::Contiguous, LayoutKind::Transposed, LayoutKind::Gaps, LayoutKind::Reversed];

/// A tensor that owns its memory.
pub(crate) struct Sample {
    pub(crate) buffer: Buffer,
    pub(crate) layout: Layout,
    pub(crate) dtype: DType,
}

impl Sample {
    /// All bytes 0.
    pub(crate) fn zeros(dtype: DType, shape: &[usize], layout_kind: LayoutKind) -> Self {
        let mut strides = Layout::contiguous("samples", shape).unwrap().strides().to_vec();
        let mut offset = 0;
        match layout_kind {
            LayoutKind::Contiguous => {}
            LayoutKind::Transposed => {
                let reversed: Vec<usize> = shape.iter().rev().copied().collect();
                strides = Layout::contiguous("samples", &reversed)
                    .unwrap()
                    .strides()
                    .iter()
                    .rev()
                    .copied()
                    .collect();
            }
            LayoutKind::Gaps => {
                offset = 3;
                for stride in &mut strides {
                    *stride *= 2;
                }
            }
            LayoutKind::Reversed => {
                if let (Some(&n), Some(stride)) = (shape.last(), strides.last_mut()) {
                    offset = n.saturating_sub(1);
                    *stride = -1;
                }
            }
        }
        let layout =
            Layout::new("samples", Shape::from_slice(shape), Dims::from_slice(&strides), offset).unwrap();
        let bytes = layout.span().map_or(0, |(_, high)| high + 1) * dtype.size();
        let buffer = Buffer::allocate(host_allocator(), bytes).expect("samples are small");
        // SAFETY: the buffer has that many bytes.
        unsafe { buffer.address().as_ptr().write_bytes(0, bytes) };
        Sample { buffer, layout, dtype }
    }

    /// Row-major `values`, converted.
    pub(crate) fn new(dtype: DType, shape: &[usize], layout_kind: LayoutKind, values: &[f64]) -> Self {
        with_element!(dtype, T => {
            let values: Vec<T> = values.iter().map(|&v| T::from_scalar(Scalar::Float(v))).collect();
            Self::raw(dtype, shape, layout_kind, &values)
        }, else {
            let pairs = |v: f64| (v, -0.5 * v);
            if dtype == DType::Complex64 {
                let values: Vec<_> = values.iter().map(|&v| Complex { re: pairs(v).0 as f32, im: pairs(v).1 as f32 }).collect();
                Self::raw(dtype, shape, layout_kind, &values)
            } else {
                let values: Vec<_> = values.iter().map(|&v| Complex { re: pairs(v).0, im: pairs(v).1 }).collect();
                Self::raw(dtype, shape, layout_kind, &values)
            }
        })
    }

    /// Row-major int64.
    pub(crate) fn indices(shape: &[usize], layout_kind: LayoutKind, values: &[i64]) -> Self {
        Self::raw(DType::Int64, shape, layout_kind, values)
    }

    /// Row-major elements as they are.
    pub(crate) fn raw<T: Copy>(dtype: DType, shape: &[usize], layout_kind: LayoutKind, values: &[T]) -> Self {
        assert_eq!(size_of::<T>(), dtype.size());
        let sample = Self::zeros(dtype, shape, layout_kind);
        let offsets = sample.offsets();
        assert_eq!(offsets.len(), values.len());
        for (&offset, &value) in offsets.iter().zip(values) {
            // SAFETY: offsets lie in the layout's span, which the buffer covers.
            unsafe { sample.buffer.address().cast::<T>().offset(offset).write(value) };
        }
        sample
    }

    pub(crate) fn operand(&self) -> Operand<'_> {
        Operand { buffer: &self.buffer, layout: &self.layout, dtype: self.dtype }
    }

    /// The elements as they are, row-major.
    pub(crate) fn elements<T: Copy>(&self) -> Vec<T> {
        assert_eq!(size_of::<T>(), self.dtype.size());
        // SAFETY: offsets lie in the layout's span, which the buffer covers and which was written.
        self.offsets()
            .iter()
            .map(|&o| unsafe { self.buffer.address().cast::<T>().offset(o).read() })
            .collect()
    }

    /// The elements as float64, row-major; of complex ones the real parts.
    pub(crate) fn values(&self) -> Vec<f64> {
        with_element!(self.dtype, T => self.elements::<T>().into_iter().map(|v| v.to_scalar().to_f64()).collect(), else {
            if self.dtype == DType::Complex64 {
                self.elements::<Complex<f32>>().into_iter().map(|v| v.re as f64).collect()
            } else {
                self.elements::<Complex<f64>>().into_iter().map(|v| v.re).collect()
            }
        })
    }

    /// The buffer position of each element, row-major.
    fn offsets(&self) -> Vec<isize> {
        let mut out = vec![self.layout.offset() as isize];
        for (&n, &s) in self.layout.shape().iter().zip(self.layout.strides()) {
            out = out.iter().flat_map(|&o| (0..n as isize).map(move |i| o + i * s)).collect();
        }
        out
    }
}

/// The coordinates of each position of `shape`, row-major.
pub(crate) fn coordinates(shape: &[usize]) -> Vec<Vec<usize>> {
    let mut out = vec![vec![]];
    for &n in shape {
        out = out.iter().flat_map(|c| (0..n).map(move |i| [&c[..], &[i]].concat())).collect();
    }
    out
}

/// The row-major position of `coordinates` in `shape`.
pub(crate) fn flat(shape: &[usize], coordinates: &[usize]) -> usize {
    shape.iter().zip(coordinates).fold(0, |flat, (n, c)| flat * n + c)
}

/// Numbers that look random, in `-1..1`, the same for each seed.
pub(crate) fn noise(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        })
        .collect()
}
