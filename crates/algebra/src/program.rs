//! Straight-line programs over the algebra: what `ComputeBackend::map` runs.
//!
//! One instruction is the common case; several are a fusion. All values of a program have one compute dtype; masks are
//! truth values beside them. A backend converts inputs to the compute dtype as it loads them, and results to the
//! outputs' dtypes as it stores them.

use std::borrow::Cow;

use crate::{DType, ElementwiseOp, Scalar};

/// Whether a register holds numbers of the compute dtype or truth values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RegisterKind {
    /// A number of the program's compute dtype.
    Value,
    /// A truth value.
    Mask,
}

/// How long an operation takes for an element: whether a second thread pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cost {
    /// A few instructions: memory decides.
    Low,
    /// A polynomial.
    Medium,
    /// A series, or a function of one number at a time.
    High,
}

/// Where an instruction finds an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The n-th input.
    Input(u8),
    /// The n-th constant.
    Constant(u8),
    /// The result of the n-th instruction.
    Register(u8),
}

/// One elementwise operation. Unused arguments repeat the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// What to compute.
    pub op: ElementwiseOp,
    /// From what; only the first `op.arity()` count.
    pub arguments: [Source; 3],
}

impl Instruction {
    /// An instruction from one to three arguments.
    pub const fn new(op: ElementwiseOp, arguments: &[Source]) -> Self {
        let first = arguments[0];
        let second = if arguments.len() > 1 { arguments[1] } else { first };
        let third = if arguments.len() > 2 { arguments[2] } else { first };
        Instruction { op, arguments: [first, second, third] }
    }
}

/// A straight-line program: inputs and constants in, one or more outputs out.
///
/// At most 16 inputs, 16 constants and 64 instructions; the constructor checks the references.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// The dtype in which values are computed; never a half precision.
    pub compute: DType,
    /// In order; an instruction refers only to earlier ones.
    pub instructions: Cow<'static, [Instruction]>,
    /// Scalars, converted to the compute dtype.
    pub constants: smallvec::SmallVec<[Scalar; 2]>,
    /// What each output stores.
    pub outputs: smallvec::SmallVec<[Source; 1]>,
}

impl Program {
    /// A program of a single operation on its first `op.arity()` inputs.
    #[inline]
    pub fn single(op: ElementwiseOp, compute: DType) -> Self {
        Program {
            compute,
            instructions: Cow::Borrowed(op.as_single()),
            constants: smallvec::SmallVec::new(),
            outputs: smallvec::smallvec![Source::Register(0)],
        }
    }

    /// The name of the op that it is, where it is one.
    pub fn name(&self) -> &'static str {
        match &*self.instructions {
            [] => "copy",
            [only] => only.op.name(),
            _ => "fused elementwise ops",
        }
    }

    /// The kind of what `source` names.
    pub fn kind(&self, source: Source) -> RegisterKind {
        match source {
            Source::Register(i) => self.instructions[i as usize].op.result_kind(),
            Source::Constant(_) => RegisterKind::Value,
            Source::Input(n) => {
                // An input is a mask when an instruction takes it as one.
                for instruction in self.instructions.iter() {
                    for (i, &argument) in
                        instruction.arguments.iter().take(instruction.op.arity()).enumerate()
                    {
                        if argument == Source::Input(n) {
                            return instruction.op.argument_kind(i);
                        }
                    }
                }
                RegisterKind::Value
            }
        }
    }
}
