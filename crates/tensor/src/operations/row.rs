//! The elementwise rows of the op table as data, and the one way in which they are called.

use rustorch_backend::{Instruction, Scalar};
use rustorch_error::Result;

use super::elementwise::{self, Spec};
use crate::Tensor;
use crate::autograd::{self, elementwise::ElementwiseNode};

/// An elementwise row. Codegen writes a static per row.
#[derive(Debug)]
pub struct Row {
    /// What computes its result.
    pub spec: Spec,
    /// How many of its arguments are tensors; numbers follow.
    pub tensors: usize,
    /// PyTorch's name of its node in the graph.
    pub node: &'static str,
    /// By which tensors' derivatives a value is needed, a bit for each: those of the tensors, and last that of the result.
    pub saves: [u8; MOST + 1],
    /// By each of the tensors; none where the result has no derivative.
    pub derivatives: &'static [Derivative],
}

/// No row has more tensors.
pub const MOST: usize = 3;

/// The derivative by one tensor.
#[derive(Debug)]
pub enum Derivative {
    /// There is none: a condition.
    None,
    /// Zero almost everywhere.
    Zero,
    /// The gradient of the result itself.
    Same,
    /// Elementwise ops, run as one program or, where they have to be recorded or numbers are complex, one by one.
    Formula {
        /// The formula's inputs.
        inputs: &'static [Value],
        /// In order; the last one's result is the gradient.
        instructions: &'static [Instruction],
        /// What the instructions call constants.
        constants: &'static [Scalar],
        /// Those of the op's own numbers that follow the constants.
        numbers: &'static [u8],
        /// The row of each instruction; none where a mask becomes a number, which is nothing to a tensor of bools.
        rows: &'static [Option<&'static Row>],
        /// Whether it is the derivative of a holomorphic function: its gradient is `grad * conj(f')`.
        conjugates: bool,
    },
    /// A function of its own.
    Function {
        /// The function's inputs.
        inputs: &'static [Value],
        /// Gives the gradient.
        call: fn(&[&Tensor]) -> Result<Tensor>,
    },
    /// Not built; the message says why.
    Missing(&'static str),
}

/// What a derivative is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// The gradient of the result.
    Grad,
    /// The n-th tensor.
    Argument(u8),
    /// The result.
    Result,
}

impl Row {
    /// Calls the row with arguments in order: its tensors, then its numbers.
    pub(crate) fn call_list(&'static self, tensors: &[&Tensor], numbers: &[Scalar]) -> Result<Tensor> {
        match *tensors {
            [a] => call(self, [a], numbers),
            [a, b] => call(self, [a, b], numbers),
            [a, b, c] => call(self, [a, b, c], numbers),
            _ => unreachable!("a row has one to three tensors"),
        }
    }
}

/// Runs a row, and records it where a gradient is wanted.
pub fn call<const N: usize>(row: &'static Row, inputs: [&Tensor; N], numbers: &[Scalar]) -> Result<Tensor> {
    let mut result = elementwise::run(&row.spec, &inputs, numbers)?;
    if autograd::is_recording(&inputs) && !row.derivatives.is_empty() && result.dtype().is_differentiable() {
        let node = ElementwiseNode::new(row, inputs, numbers, &result)?;
        autograd::record_fresh(&mut result, node, autograd::edges(inputs));
    }
    Ok(result)
}

/// Runs a row and writes the result into its first tensor.
pub fn call_in_place<const N: usize>(
    row: &'static Row,
    inputs: [&Tensor; N],
    numbers: &[Scalar],
) -> Result<()> {
    let target = inputs[0];
    autograd::check_inplace(row.spec.in_place, target, &inputs[1..])?;
    // Where the result has no gradient (a comparison written into a float), what was recorded before ends here.
    if row.derivatives.is_empty() || !autograd::is_recording(&inputs) {
        return elementwise::run_in_place(&row.spec, &inputs, numbers, target);
    }
    let edges = autograd::edges(inputs);
    let mut node = ElementwiseNode::before_write(row, inputs, numbers)?;
    elementwise::run_in_place(&row.spec, &inputs, numbers, target)?;
    node.save_result(inputs, target)?;
    autograd::rebase(target, std::sync::Arc::new(node), edges);
    Ok(())
}

/// The public functions of rows: `ROW: name(tensors; numbers), name_;`, of which the last part is the in-place form. What is
/// `given` beside them decides whether something else is called in the row's place.
macro_rules! functions {
    ($(
        $(#[$doc:meta])*
        $row:ident: $name:ident($($tensor:ident),+ $(; $($number:ident: $type:ty),+)?)
        $(given($($given:ident: $given_type:ty),*) unless $when:expr => $instead:expr)?
        $(, $in_place:ident)?;
    )*) => {$(
        $(#[$doc])*
        pub fn $name(
            $($tensor: &Tensor,)+ $($($number: $type,)+)? $($($given: $given_type,)*)?
        ) -> Result<Tensor> {
            $(if $when {
                return $instead;
            })?
            row::call(&$row, [$($tensor),+], &[$($(Scalar::from($number)),+)?])
        }
        $crate::operations::row::in_place! {
            $($in_place)?: $row $name($($tensor),+) ($($($number: $type),+)?)
            $(($($given: $given_type),*) ($when) ($instead))?
        }
    )*};
}

/// The in-place form of a row's function, if it has one.
macro_rules! in_place {
    (: $($rest:tt)*) => {};
    (
        $in_place:ident: $row:ident $name:ident($target:ident $(, $tensor:ident)*)
        ($($number:ident: $type:ty),*)
        $(($($given:ident: $given_type:ty),*) ($when:expr) ($instead:expr))?
    ) => {
        #[doc = concat!("In-place form of [`", stringify!($name), "`]: writes the result into its first argument.")]
        pub fn $in_place(
            $target: &Tensor, $($tensor: &Tensor,)* $($number: $type,)* $($($given: $given_type,)*)?
        ) -> Result<()> {
            $(if $when {
                return autograd::overwrite($row.spec.in_place, $target, || $instead);
            })?
            row::call_in_place(&$row, [$target $(, $tensor)*], &[$(Scalar::from($number)),*])
        }
    };
}

/// What computes a row's result: its name, its arguments' names, and the columns `map`, `promote`, `domain`, `complex` and
/// `wraps`.
macro_rules! spec {
    ($name:literal, $arguments:expr, $op:ident, $promote:ident, $domain:ident, $complex:expr, $wraps:expr) => {
        Spec {
            name: $name,
            in_place: concat!($name, "_"),
            arguments: &$arguments,
            op: ElementwiseOp::$op,
            promote: Promote::$promote,
            domain: Domain::$domain,
            complex: $complex,
            wraps: $wraps,
        }
    };
}

/// A derivative of elementwise ops: its inputs, its constants, which of the op's numbers follow them, whether it
/// conjugates, and its instructions with their rows.
macro_rules! formula {
    ($inputs:expr, $constants:expr, $numbers:expr, $conjugates:expr,
     [$(($op:ident, $row:tt, $arguments:expr)),+ $(,)?] $(,)?) => {
        Derivative::Formula {
            inputs: &$inputs,
            instructions: &[$(Instruction::new(ElementwiseOp::$op, &$arguments)),+],
            constants: &$constants,
            numbers: &$numbers,
            rows: &[$($crate::operations::row::row_of!($row)),+],
            conjugates: $conjugates,
        }
    };
}

/// The row of an instruction in [`formula!`].
macro_rules! row_of {
    (_) => {
        None
    };
    ($row:ident) => {
        Some(&$row)
    };
}

pub(crate) use {formula, functions, in_place, row_of, spec};
