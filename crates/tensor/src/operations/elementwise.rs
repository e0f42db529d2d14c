//! How every elementwise op runs: promote, broadcast, allocate, `map`.

use rustorch_backend::{
    DType, ElementwiseOp, Layout, Operand, Program, RegisterKind, Scalar, Shape, Source, broadcast_shapes,
    dims_from_slice,
};
use rustorch_error::{Result, RusTorchError};
use smallvec::SmallVec;

use super::contiguity::{contiguous_copy, dense_layout};
use super::creation::moved;
use super::memory_overlap::overlaps_partly;
use crate::Tensor;
use crate::placement::{apart, common_device};
use crate::promotion::{comparison_type, default_dtype, result_type};

/// How the dtypes of the arguments give the dtype of the computation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promote {
    /// Their common dtype.
    Common,
    /// Their common dtype; the default float for integers and bools.
    Float,
    /// Their common dtype, which must be floating point.
    Same,
}

/// For which dtypes an op is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// All real dtypes, bool included.
    Number,
    /// Integers and floats.
    Real,
    /// Floats.
    Float,
    /// Integers and bool.
    Integer,
}

/// What an op makes of complex numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// Complex numbers.
    Complex,
    /// Real numbers, or truth values.
    Real,
}

/// A row of the table, as far as the runtime needs it.
#[derive(Debug)]
pub struct Spec {
    /// The public name, for errors.
    pub name: &'static str,
    /// The name of the in-place form.
    pub in_place: &'static str,
    /// The names of the tensors and of the scalars after them, for errors.
    pub arguments: &'static [&'static str],
    /// What each element goes through.
    pub op: ElementwiseOp,
    /// See [`Promote`].
    pub promote: Promote,
    /// See [`Domain`].
    pub domain: Domain,
    /// What it makes of complex numbers, if it takes them.
    pub complex: Option<Parts>,
    /// Whether integers are residues to it, as to sums and products: a number that the dtype does not hold counts by its
    /// low bits. Elsewhere such a number is an error.
    pub wraps: bool,
}

impl Spec {
    #[inline]
    fn result_is_mask(&self) -> bool {
        self.op.result_kind() == RegisterKind::Mask
    }

    /// The dtype in which the op is computed before half precisions are widened.
    #[inline]
    fn dtype(&self, inputs: &[&Tensor]) -> Result<DType> {
        // A mask argument (the condition of `where`) has no part in promotion; it comes first.
        let masks = inputs
            .iter()
            .enumerate()
            .take_while(|(i, _)| self.op.argument_kind(*i) == RegisterKind::Mask)
            .count();
        if masks > 0 && inputs[..masks].iter().any(|t| t.dtype() != DType::Bool) {
            return Err(RusTorchError::dtype(
                self.name,
                format!(
                    "expected condition to be a boolean tensor, but got a tensor with dtype {}",
                    inputs[0].dtype()
                ),
            ));
        }
        let values = &inputs[masks..];
        let common = if self.result_is_mask() { comparison_type(values)? } else { result_type(values) };
        let dtype =
            if self.promote == Promote::Float && common.is_integral(true) { default_dtype() } else { common };
        let supported = match self.domain {
            _ if dtype.is_complex() => self.complex.is_some(),
            Domain::Number => true,
            Domain::Real => dtype != DType::Bool,
            Domain::Float => dtype.is_floating_point(),
            Domain::Integer => dtype.is_integral(true),
        };
        if supported { Ok(dtype) } else { Err(self.dtype_error(dtype)) }
    }

    /// A number beside tensors of `dtype`, which is the dtype of the computation.
    #[inline]
    fn constant(&self, place: usize, value: Scalar, dtype: DType) -> Result<Scalar> {
        match value {
            // Rounded as results are: what is too large is infinite.
            Scalar::Bool(_) | Scalar::Int(_) | Scalar::Float(_)
                if dtype.is_floating_point() || dtype.is_complex() =>
            {
                Ok(value)
            }
            Scalar::Int(_) if self.wraps => Ok(value),
            Scalar::Complex(..) if dtype.is_complex() => Ok(value),
            _ => value.convert(self.name, self.arguments[place], dtype),
        }
    }

    /// The dtype of the result, computed in `dtype`.
    #[inline]
    fn result_dtype(&self, dtype: DType) -> DType {
        if self.result_is_mask() {
            DType::Bool
        } else if self.complex == Some(Parts::Real) {
            dtype.to_real()
        } else {
            dtype
        }
    }

    #[cold]
    fn dtype_error(&self, dtype: DType) -> RusTorchError {
        let works = match self.domain {
            Domain::Number => "bool, integer and floating-point tensors",
            Domain::Real => {
                "integer and floating-point tensors (for bool see logical_not, bitwise_xor and their like)"
            }
            Domain::Float => "floating-point tensors",
            Domain::Integer => "bool and integer tensors",
        };
        RusTorchError::dtype(self.name, format!("not implemented for {dtype}; it takes {works}"))
    }
}

/// The dtype in which a function of floats takes a tensor: its own, or the default float for integers and bool.
pub fn float_dtype_of(tensor: &Tensor) -> DType {
    if tensor.dtype().is_integral(true) { default_dtype() } else { tensor.dtype() }
}

/// The shape that all broadcast to.
#[inline]
pub fn broadcast(op: &'static str, inputs: &[&Tensor]) -> Result<Shape> {
    let first = inputs[0].shape();
    if inputs[1..].iter().all(|t| t.shape() == first) {
        return Ok(dims_from_slice(first));
    }
    let shapes: SmallVec<[&[usize]; 4]> = inputs.iter().map(|t| t.shape()).collect();
    broadcast_shapes(op, shapes.iter().copied())
}

/// Whether all tensors are row-major, of one shape, dtype and device, and none is a Python number.
#[inline]
fn are_alike(inputs: &[&Tensor]) -> bool {
    let first = inputs[0];
    first.is_contiguous()
        && inputs.iter().all(|t| {
            t.dtype() == first.dtype()
                && t.device() == first.device()
                && t.ndim() == first.ndim()
                && t.shape().iter().zip(first.shape()).all(|(a, b)| a == b)
                && !t.is_wrapped_number()
                && (std::ptr::eq(*t, first) || t.is_contiguous())
        })
}

/// Runs an op into a fresh tensor, without history.
#[inline]
pub fn run(spec: &'static Spec, inputs: &[&Tensor], scalars: &[Scalar]) -> Result<Tensor> {
    let dtype = spec.dtype(inputs)?;
    let out_dtype = spec.result_dtype(dtype);
    if are_alike(inputs) {
        let output = Tensor::empty(inputs[0].shape(), out_dtype, inputs[0].device())?;
        run_into(spec, inputs, scalars, &output, dtype)?;
        return Ok(output);
    }
    if !spec.result_is_mask() && inputs.iter().all(|t| t.is_wrapped_number()) {
        return run_numbers(spec, inputs, scalars);
    }
    let shape = broadcast(spec.name, inputs)?;
    let device = common_device(spec.name, inputs)?;
    // As PyTorch's iterator: the result keeps a permuted but dense order of its inputs' dimensions.
    let output = match dense_layout(inputs, &shape) {
        None => Tensor::empty(&shape, out_dtype, device)?,
        Some(layout) => {
            let flat = Tensor::empty(&shape, out_dtype, device)?;
            flat.alias(layout)
        }
    };
    run_into(spec, inputs, scalars, &output, dtype)?;
    Ok(output)
}

/// An op of Python numbers alone gives a number, computed as Python would: `exponent - 1` in the derivative of a power
/// has no tensor beside it that says how precise it should be, and what it is multiplied with may be float64.
fn run_numbers(spec: &'static Spec, inputs: &[&Tensor], scalars: &[Scalar]) -> Result<Tensor> {
    let plain: SmallVec<[Tensor; 3]> = inputs.iter().map(|t| t.alias(t.layout().clone())).collect();
    let plain: SmallVec<[&Tensor; 3]> = plain.iter().collect();
    let common = result_type(&plain);
    let dtype =
        if spec.promote == Promote::Float && common.is_integral(true) { DType::Float64 } else { common };
    let output = Tensor::empty(&[], spec.result_dtype(dtype), inputs[0].device())?;
    run_into(spec, &plain, scalars, &output, dtype)?;
    Tensor::number(output.item()?)
}

/// Runs an op into a tensor of the right shape.
#[inline]
pub fn run_into(
    spec: &'static Spec,
    inputs: &[&Tensor],
    scalars: &[Scalar],
    output: &Tensor,
    dtype: DType,
) -> Result<()> {
    let mut program = Program::single(spec.op, dtype.compute());
    // Tensors that come along from the CPU have 0 dimensions, as Python numbers do.
    let foreign = |t: &Tensor| !t.device().is_same(output.device());
    let numbers = inputs.iter().filter(|t| t.is_wrapped_number() || foreign(t)).count();
    if scalars.is_empty() && (numbers == 0 || numbers == inputs.len()) {
        return run_program(&program, inputs, output);
    }
    // Numbers beside tensors, and the op's own scalars, are constants of the program; truth values can not be.
    let is_constant = |place: usize, t: &Tensor| {
        t.is_wrapped_number() || (foreign(t) && spec.op.argument_kind(place) == RegisterKind::Value)
    };
    let mut tensors: SmallVec<[&Tensor; 3]> = SmallVec::new();
    let instruction = &mut program.instructions.to_mut()[0];
    let mut constant = |value: Scalar| {
        program.constants.push(value);
        Source::Constant(program.constants.len() as u8 - 1)
    };
    for (place, (argument, &input)) in instruction.arguments.iter_mut().zip(inputs).enumerate() {
        *argument = if numbers < inputs.len() && is_constant(place, input) {
            let value = input.item()?;
            constant(if foreign(input) && !input.is_wrapped_number() {
                value
            } else {
                spec.constant(place, value, dtype)?
            })
        } else {
            tensors.push(input);
            Source::Input(tensors.len() as u8 - 1)
        };
    }
    let scalars = scalars.iter().enumerate();
    for (argument, (place, &scalar)) in instruction.arguments[inputs.len()..].iter_mut().zip(scalars) {
        *argument = constant(spec.constant(inputs.len() + place, scalar, dtype)?);
    }
    run_program(&program, &tensors, output)
}

/// Runs an op in place: `target` is also the first input. Shapes and dtypes must allow it.
pub fn run_in_place(
    spec: &'static Spec,
    inputs: &[&Tensor],
    scalars: &[Scalar],
    target: &Tensor,
) -> Result<()> {
    let dtype = spec.dtype(inputs)?;
    let produced = spec.result_dtype(dtype);
    if produced != dtype && produced != DType::Bool {
        return Err(RusTorchError::dtype(
            spec.in_place,
            format!("is not supported for complex tensors: the result is {produced}; use {}()", spec.name),
        ));
    }
    if !crate::can_cast(produced, target.dtype()) {
        return Err(RusTorchError::dtype(
            spec.in_place,
            format!("result type {produced} can't be cast to the desired output type {}", target.dtype()),
        ));
    }
    let shape = broadcast(spec.in_place, inputs)?;
    if shape.as_slice() != target.shape() {
        return Err(output_shape_error(spec.in_place, target.shape(), &shape));
    }
    let device = common_device(spec.in_place, inputs)?;
    if !device.is_same(target.device()) {
        return Err(apart(spec.in_place, device, target.device()));
    }
    if inputs.iter().any(|t| overlaps_partly(t, target)) {
        let separate: SmallVec<[Tensor; 3]> = inputs
            .iter()
            .map(|t| if overlaps_partly(t, target) { contiguous_copy(t) } else { Ok((*t).clone()) })
            .collect::<Result<_>>()?;
        let separate: SmallVec<[&Tensor; 3]> = separate.iter().collect();
        run_into(spec, &separate, scalars, target, dtype)?;
    } else {
        run_into(spec, inputs, scalars, target, dtype)?;
    }
    target.storage().bump_version();
    Ok(())
}

/// The error for an in-place op whose result is larger than its target.
#[cold]
pub fn output_shape_error(op: &'static str, target: &[usize], result: &[usize]) -> RusTorchError {
    RusTorchError::shape(
        op,
        format!("output with shape {target:?} doesn't match the broadcast shape {result:?}"),
    )
}

/// Runs a program whose inputs broadcast to the output's shape.
#[inline]
pub fn run_program(program: &Program, inputs: &[&Tensor], output: &Tensor) -> Result<()> {
    if output.numel() == 0 {
        return Ok(());
    }
    if inputs.iter().any(|t| !t.device().is_same(output.device())) {
        let here: SmallVec<[Tensor; 4]> =
            inputs.iter().map(|t| moved(&t.detach(), output.device())).collect::<Result<_>>()?;
        return run_program(program, &here.iter().collect::<SmallVec<[&Tensor; 4]>>(), output);
    }
    // The common case, kept free of anything that a one-element tensor would notice.
    let same =
        |t: &&Tensor| t.ndim() == output.ndim() && t.shape().iter().zip(output.shape()).all(|(a, b)| a == b);
    if inputs.len() <= 4 && inputs.iter().all(same) {
        let mut operands = [output.operand(); 4];
        for (slot, input) in operands.iter_mut().zip(inputs) {
            *slot = input.operand();
        }
        return output.backend()?.map(program, &operands[..inputs.len()], &[output.operand()]);
    }
    let layouts: SmallVec<[Option<Layout>; 4]> = inputs
        .iter()
        .map(|t| (t.shape() != output.shape()).then(|| t.broadcast_layout("map", output.shape())).transpose())
        .collect::<Result<_>>()?;
    let operands: SmallVec<[Operand<'_>; 4]> = inputs
        .iter()
        .zip(&layouts)
        .map(|(t, layout)| Operand { layout: layout.as_ref().unwrap_or(t.layout()), ..t.operand() })
        .collect();
    output.backend()?.map(program, &operands, &[output.operand()])
}
