//! What a vendor's libraries are asked: products of matrices, and convolutions.

use std::sync::atomic::{AtomicU8, Ordering};

use rustorch_backend::{Buffer, ConvParams, DType, Operand};
use rustorch_error::Result;

/// How exactly a vendor's libraries multiply float32 in products of matrices and in convolutions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Float32Precision {
    /// In float32.
    Highest,
    /// The factors are rounded to `TensorFloat32` (10 bits of mantissa), where the device is faster with it.
    High,
    /// The factors are rounded to bfloat16 (7 bits), where the device is faster with it.
    Medium,
}

impl Float32Precision {
    const ALL: [Float32Precision; 3] =
        [Float32Precision::Highest, Float32Precision::High, Float32Precision::Medium];

    /// Its name in Python.
    pub const fn name(self) -> &'static str {
        match self {
            Float32Precision::Highest => "highest",
            Float32Precision::High => "high",
            Float32Precision::Medium => "medium",
        }
    }

    /// The precision of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|precision| precision.name() == name)
    }
}

static PRECISION: AtomicU8 = AtomicU8::new(0);

/// How exactly float32 is multiplied by libraries. The CPU and this crate's kernels always do it in float32.
pub fn float32_matmul_precision() -> Float32Precision {
    Float32Precision::ALL[usize::from(PRECISION.load(Ordering::Relaxed)) % 3]
}

/// Changes [`float32_matmul_precision`] for the process.
pub fn set_float32_matmul_precision(precision: Float32Precision) {
    PRECISION.store(precision as u8, Ordering::Relaxed);
}

/// A matrix of a batch, or a batch of them.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    /// Its memory and dtype, and in the layout its first element; the layout's shape and strides say nothing here.
    pub operand: Operand<'a>,
    /// From row to row, and from column to column.
    pub strides: (isize, isize),
    /// From matrix to matrix; 0 where all are the same.
    pub batch_stride: isize,
}

/// `c = alpha * a @ b + beta * c + bias`, where `c` is not read when `beta` is 0.
#[derive(Debug, Clone, Copy)]
pub struct MatrixProduct<'a> {
    /// The dtype of all matrices: a floating-point one.
    pub dtype: DType,
    /// Rows of a and c.
    pub m: usize,
    /// Columns of b and c.
    pub n: usize,
    /// Columns of a, rows of b.
    pub k: usize,
    /// How many products.
    pub batch: usize,
    /// Left factors.
    pub a: Matrix<'a>,
    /// Right factors.
    pub b: Matrix<'a>,
    /// Results.
    pub c: Matrix<'a>,
    /// The products' factor.
    pub alpha: f64,
    /// The factor of what c holds.
    pub beta: f64,
    /// One element per column, contiguous, added to every row.
    pub bias: Option<Operand<'a>>,
    /// How exactly, if the dtype is float32.
    pub precision: Float32Precision,
}

/// What a convolution's tensors are: which of them is computed from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConvolutionPart {
    /// The output.
    Forward,
    /// The gradient by the input, which is in the input's place, and the gradient by the output in the output's.
    GradInput,
    /// The gradient by the weight, likewise.
    GradWeight,
}

/// A convolution or one of its gradients. Shapes fit each other.
#[derive(Debug, Clone, Copy)]
pub struct Convolution<'a> {
    /// What is computed.
    pub part: ConvolutionPart,
    /// Steps, padding, groups.
    pub params: &'a ConvParams,
    /// `(N, C_in, *in)`.
    pub input: Operand<'a>,
    /// `(C_out, C_in / groups, *kernel)`.
    pub weight: Operand<'a>,
    /// `(N, C_out, *out)`.
    pub output: Operand<'a>,
    /// An element for each of the output's channels; only forward.
    pub bias: Option<Operand<'a>>,
    /// How exactly, if the dtype is float32.
    pub precision: Float32Precision,
}

/// Gives memory of so many bytes.
pub type Workspace<'a> = dyn Fn(usize) -> Result<Buffer> + 'a;
