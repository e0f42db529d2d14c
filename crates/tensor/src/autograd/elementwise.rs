//! The node of every elementwise op: its row says what the derivatives are.

use std::borrow::Cow;
use std::sync::Arc;

use rustorch_backend::{Instruction, Scalar, Source};
use rustorch_error::{Result, RusTorchError};
use smallvec::SmallVec;

use super::node::{Backward, Gradients, Node};
use super::saved::{Origin, Saved};
use super::{any_complex, conjugate, fused, mode};
use crate::Tensor;
use crate::operations::row::{Derivative, MOST, Row, Value};

/// A recorded elementwise op of `N` tensors.
#[derive(Debug)]
pub struct ElementwiseNode<const N: usize> {
    row: &'static Row,
    /// The op's own numbers.
    numbers: SmallVec<[Scalar; 1]>,
    /// Which values the derivatives need, a bit for each of the tensors and the last for the result.
    kept: u8,
    /// Those values, in order.
    saved: SmallVec<[Saved; 2]>,
    /// Of the tensors that want a gradient.
    origins: [Option<Origin>; N],
}

/// Which derivatives are wanted, a bit for each.
#[inline(always)]
fn wanted(inputs: &[&Tensor]) -> u8 {
    inputs.iter().enumerate().fold(0, |bits, (i, t)| bits | (u8::from(t.requires_grad()) << i))
}

/// What the derivatives that are wanted must be like.
#[inline(always)]
fn origins<const N: usize>(inputs: [&Tensor; N], wanted: u8) -> [Option<Origin>; N] {
    let mut origins = [const { None }; N];
    for (i, input) in inputs.into_iter().enumerate() {
        if wanted & (1 << i) != 0 {
            origins[i] = Some(Origin::of(input));
        }
    }
    origins
}

impl<const N: usize> ElementwiseNode<N> {
    /// Keeps the tensors whose values the derivatives that are wanted need.
    #[inline(always)]
    fn save(
        kept: &mut u8,
        saved: &mut SmallVec<[Saved; 2]>,
        row: &Row,
        inputs: [&Tensor; N],
        wanted: u8,
        save: impl Fn(&Tensor) -> Result<Saved>,
    ) -> Result<()> {
        for (i, input) in inputs.into_iter().enumerate() {
            if row.saves[i] & wanted != 0 {
                saved.push(save(input)?);
                *kept |= 1 << i;
            }
        }
        Ok(())
    }

    /// Of a row that gave `result`. It is made where it stays: a node is large to be moved about.
    #[inline]
    pub fn new(
        row: &'static Row,
        inputs: [&Tensor; N],
        numbers: &[Scalar],
        result: &Tensor,
    ) -> Result<Arc<Self>> {
        let wanted = wanted(&inputs);
        let (mut kept, mut saved) = (0, SmallVec::new());
        Self::save(&mut kept, &mut saved, row, inputs, wanted, Saved::input)?;
        if row.saves[MOST] & wanted != 0 {
            saved.push(Saved::output(result, 0)?);
            kept |= 1 << MOST;
        }
        let numbers = if numbers.is_empty() { SmallVec::new() } else { SmallVec::from_slice(numbers) };
        Ok(Arc::new(ElementwiseNode { row, numbers, kept, saved, origins: origins(inputs, wanted) }))
    }

    /// Of a row that is about to overwrite its first tensor; [`save_result`](Self::save_result) follows.
    pub fn before_write(row: &'static Row, inputs: [&Tensor; N], numbers: &[Scalar]) -> Result<Self> {
        let wanted = wanted(&inputs);
        let (mut kept, mut saved) = (0, SmallVec::new());
        let before = |input: &Tensor| Saved::before_write(input, inputs[0]);
        Self::save(&mut kept, &mut saved, row, inputs, wanted, before)?;
        let numbers = SmallVec::from_slice(numbers);
        Ok(ElementwiseNode { row, numbers, kept, saved, origins: origins(inputs, wanted) })
    }

    /// Keeps the result, if a derivative that is wanted needs it.
    #[inline]
    pub fn save_result(&mut self, inputs: [&Tensor; N], result: &Tensor) -> Result<()> {
        if self.row.saves[MOST] & wanted(&inputs) != 0 {
            self.saved.push(Saved::output(result, 0)?);
            self.kept |= 1 << MOST;
        }
        Ok(())
    }

    /// The values that a derivative is computed from; none stands for the gradient of the result.
    fn values(&self, values: &[Value], node: &Arc<Node>) -> Result<SmallVec<[Option<Tensor>; 4]>> {
        let unpacked = |place: usize| {
            let lacks = || format!("{} did not save a tensor that its gradient needs", self.row.node);
            let slot = (self.kept & ((1 << place) - 1)).count_ones() as usize;
            let saved = self.saved.get(slot).filter(|_| self.kept & (1 << place) != 0);
            saved.ok_or_else(|| RusTorchError::autograd("backward", lacks()))?.unpack(node).map(Some)
        };
        values
            .iter()
            .map(|value| match *value {
                Value::Grad => Ok(None),
                Value::Argument(n) => unpacked(n as usize),
                Value::Result => unpacked(MOST),
            })
            .collect()
    }

    /// The gradient by the `index`-th tensor.
    fn gradient(&self, index: usize, node: &Arc<Node>, grad: &Tensor) -> Result<Option<Tensor>> {
        let Some(origin) = &self.origins[index] else { return Ok(None) };
        match &self.row.derivatives[index] {
            Derivative::None => return Ok(None),
            Derivative::Zero => origin.zeros(),
            Derivative::Same => origin.restore(grad.clone()),
            Derivative::Missing(message) => Err(RusTorchError::autograd("backward", *message)),
            Derivative::Function { inputs, call } => {
                let values = self.values(inputs, node)?;
                origin.restore(call(&beside(&values, grad))?)
            }
            Derivative::Formula { inputs, instructions, constants, numbers, rows, conjugates } => {
                let values = self.values(inputs, node)?;
                let inputs = beside(&values, grad);
                let mut constants: SmallVec<[Scalar; 2]> = SmallVec::from_slice(constants);
                constants.extend(numbers.iter().map(|&n| self.numbers[n as usize]));
                let complex = self.row.spec.complex.is_some() && any_complex(&inputs);
                if !mode::is_enabled() && !complex {
                    return fused::run(instructions, constants, &inputs, origin).map(Some);
                }
                if !conjugates {
                    return origin.restore(replay(instructions, rows, &inputs, &constants)?).map(Some);
                }
                // The gradient of a holomorphic function is `grad * conj(f')`, and a formula says `grad * f'`.
                let conjugated = conjugate(grad)?;
                let gradient = replay(instructions, rows, &beside(&values, &conjugated), &constants)?;
                origin.restore(conjugate(&gradient)?)
            }
        }
        .map(Some)
    }
}

/// The values, with the gradient in its place.
fn beside<'a>(values: &'a [Option<Tensor>], grad: &'a Tensor) -> SmallVec<[&'a Tensor; 4]> {
    values.iter().map(|value| value.as_ref().unwrap_or(grad)).collect()
}

impl<const N: usize> Backward for ElementwiseNode<N> {
    fn name(&self) -> Cow<'static, str> {
        self.row.node.into()
    }

    fn backward(&self, node: &Arc<Node>, grads: &[Option<Tensor>]) -> Result<Gradients> {
        let mut gradients: Gradients = smallvec::smallvec![None; N];
        let Some(grad) = &grads[0] else { return Ok(gradients) };
        for (index, gradient) in gradients.iter_mut().enumerate() {
            if node.wants(index) {
                *gradient = self.gradient(index, node, grad)?;
            }
        }
        Ok(gradients)
    }
}

/// The result of a formula whose rows are called one by one: so they are recorded, and may be of complex numbers.
fn replay(
    instructions: &[Instruction],
    rows: &[Option<&'static Row>],
    inputs: &[&Tensor],
    constants: &[Scalar],
) -> Result<Tensor> {
    let numbers: SmallVec<[Tensor; 2]> =
        constants.iter().map(|&value| Tensor::number(value)).collect::<Result<_>>()?;
    let mut registers: SmallVec<[Tensor; 8]> = SmallVec::new();
    for (instruction, row) in instructions.iter().zip(rows) {
        let arguments = &instruction.arguments[..instruction.op.arity()];
        let (tensors, scalars) = arguments.split_at(row.map_or(1, |row| row.tensors));
        let tensors: SmallVec<[&Tensor; MOST]> = tensors
            .iter()
            .map(|source| match *source {
                Source::Input(n) => inputs[n as usize],
                Source::Register(n) => &registers[n as usize],
                Source::Constant(n) => &numbers[n as usize],
            })
            .collect();
        let scalars: SmallVec<[Scalar; 2]> = scalars
            .iter()
            .map(|source| match *source {
                Source::Constant(n) => constants[n as usize],
                Source::Input(_) | Source::Register(_) => unreachable!("codegen passes numbers as constants"),
            })
            .collect();
        let register = match row {
            Some(row) => row.call_list(&tensors, &scalars)?,
            // A mask becomes a number: nothing to a tensor of bools.
            None => tensors[0].clone(),
        };
        drop(tensors);
        registers.push(register);
    }
    Ok(registers.swap_remove(instructions.len() - 1))
}
