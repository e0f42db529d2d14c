//! The interpreter: a program over pieces of its operands.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::atomic::{AtomicU8, Ordering};

use rustorch_backend::{DType, Operand, Program, Scalar, Source, with_element};
use rustorch_error::{Result, RusTorchError};
use rustorch_simd::SimdLevel;
use rustorch_simd::ops::Kernel;
use smallvec::SmallVec;

use super::convert::{Convert, convert};
use super::plan::{AccessPattern, Plan};
use super::{divides, division_by_zero, grain, kernel_of, storage};
use crate::kernels::dense::Shared;
use crate::kernels::number::{Number, with_number};
use crate::threads::parallel_for;

/// The memory of all tiles of a thread; within the first-level cache.
const SCRATCH: usize = 40 * 1024;
/// The most elements of a tile.
const LONGEST: usize = 1024;
/// From this length on a row is worth its own tile; shorter ones are collected.
const LONG_ROW: usize = 128;

#[repr(C, align(64))]
struct Scratch([MaybeUninit<u8>; SCRATCH]);

/// Where an argument's or result's tile is.
#[derive(Debug, Clone, Copy)]
enum Location {
    /// In the n-th slot of the scratch memory.
    Slot(usize),
    /// The n-th input's own memory.
    Input(usize),
    /// The first output's own memory.
    Output,
}

/// How an input gets to where instructions read it.
struct Load {
    operand: usize,
    pattern: AccessPattern,
    slot: usize,
    convert: Option<Convert>,
}

/// How a result gets to its output.
struct Store {
    operand: usize,
    contiguous: bool,
    location: Location,
    convert: Option<Convert>,
}

struct Step {
    kernel: Kernel,
    arguments: [Location; 3],
    result: Location,
    /// The place of a divisor that must not be 0, and the instruction's number.
    divisor: Option<Location>,
}

/// A program made ready for its operands.
struct Machine {
    plan: Plan,
    /// Each operand's memory and the size of its elements.
    memory: SmallVec<[(Shared<u8>, usize); 5]>,
    /// The number of the first output among the operands.
    first_output: usize,
    compute: DType,
    loads: SmallVec<[Load; 4]>,
    steps: SmallVec<[Step; 4]>,
    stores: SmallVec<[Store; 1]>,
    /// The slots of constants.
    constants: SmallVec<[(usize, Scalar); 2]>,
    /// Elements per tile; a slot has room for that many of the largest dtype.
    tile: usize,
    slot_bytes: usize,
    /// Where elements are collected before they are converted.
    staging: usize,
}

/// Runs any program.
pub(super) fn run(
    level: SimdLevel,
    program: &Program,
    inputs: &[Operand<'_>],
    outputs: &[Operand<'_>],
) -> Result<()> {
    let Some(first) = outputs.first() else { return Ok(()) };
    let name = program.instructions.first().map_or("map", |i| i.op.name());
    if outputs.len() != program.outputs.len() {
        return Err(RusTorchError::argument(
            name,
            format!("a program of {} outputs got {}", program.outputs.len(), outputs.len()),
        ));
    }
    if first.layout.numel() == 0 {
        return Ok(());
    }
    let machine = Machine::new(level, program, inputs, outputs)?;
    check_divisors(program, inputs)?;
    let n = machine.plan.numel();
    let cost = program.instructions.iter().map(|i| 32768 / grain(i.op)).sum::<usize>().max(1);
    let grain = (32768 / cost).max(machine.tile).next_multiple_of(machine.tile);
    // The number of the instruction that divided by zero, plus 1.
    let failed = AtomicU8::new(0);
    parallel_for(n, grain, |range| {
        if let Some(step) = machine.run(range) {
            failed.store(step as u8 + 1, Ordering::Relaxed);
        }
    });
    match failed.into_inner() {
        0 => Ok(()),
        step => Err(division_by_zero(program.instructions[step as usize - 1].op)),
    }
}

/// The bits of an int64 that an integer of a dtype keeps.
fn low_bits(dtype: DType) -> i64 {
    match dtype.size() {
        size @ 1..8 => (1 << (8 * size)) - 1,
        _ => -1,
    }
}

/// Finds zeros among integer divisors that are inputs or constants, before anything is written.
fn check_divisors(program: &Program, inputs: &[Operand<'_>]) -> Result<()> {
    for instruction in program.instructions.iter().filter(|i| divides(i.op, program.compute)) {
        let zero = match instruction.arguments[1] {
            // As the division will see them: in its dtype, in which 256 may be 0.
            Source::Constant(c) => program.constants[c as usize].to_i64() & low_bits(program.compute) == 0,
            Source::Input(i) => {
                let divisor = inputs[i as usize];
                let bits = if divisor.dtype == program.compute { -1 } else { low_bits(program.compute) };
                super::divisors::contains_zero(divisor, bits)?
            }
            Source::Register(_) => false,
        };
        if zero {
            return Err(division_by_zero(instruction.op));
        }
    }
    Ok(())
}

/// Which instruction is the last to use each register; an output is used at the end.
fn last_uses(program: &Program) -> SmallVec<[usize; 8]> {
    let mut last_use = SmallVec::from_elem(0, program.instructions.len());
    for (i, instruction) in program.instructions.iter().enumerate() {
        for &argument in &instruction.arguments[..instruction.op.arity()] {
            if let Source::Register(r) = argument {
                last_use[r as usize] = i;
            }
        }
    }
    for &source in &program.outputs {
        if let Source::Register(r) = source {
            last_use[r as usize] = usize::MAX;
        }
    }
    last_use
}

impl Machine {
    fn new(
        level: SimdLevel,
        program: &Program,
        inputs: &[Operand<'_>],
        outputs: &[Operand<'_>],
    ) -> Result<Self> {
        let compute = program.compute;
        let operands: SmallVec<[Operand<'_>; 5]> = inputs.iter().chain(outputs).copied().collect();
        let plan = Plan::new(&operands, inputs.len());
        let mut slots = 0;
        let mut next_slot = || {
            slots += 1;
            slots - 1
        };

        let mut loads = SmallVec::new();
        let mut input_locations: SmallVec<[Location; 4]> = SmallVec::new();
        for (operand, input) in inputs.iter().enumerate() {
            let to = storage(program.kind(Source::Input(operand as u8)), compute);
            let pattern = plan.pattern(operand);
            if pattern == AccessPattern::Contiguous && input.dtype == to {
                input_locations.push(Location::Input(operand));
                continue;
            }
            let slot = next_slot();
            input_locations.push(Location::Slot(slot));
            let convert = (input.dtype != to).then(|| convert(input.dtype, to, level));
            loads.push(Load { operand, pattern, slot, convert });
        }
        let constants: SmallVec<[(usize, Scalar); 2]> =
            program.constants.iter().map(|&scalar| (next_slot(), scalar)).collect();

        // A register's slot is free again after its last use.
        let count = program.instructions.len();
        let last_use = last_uses(program);
        // The last result may be computed straight into the one output.
        let direct = match (outputs, program.outputs.as_slice()) {
            ([output], &[Source::Register(r)]) => {
                r as usize + 1 == count
                    && plan.pattern(inputs.len()) == AccessPattern::Contiguous
                    && output.dtype == storage(program.kind(program.outputs[0]), compute)
            }
            _ => false,
        };

        let mut free: SmallVec<[usize; 8]> = SmallVec::new();
        let mut registers: SmallVec<[Location; 8]> = SmallVec::new();
        let mut steps = SmallVec::new();
        for (i, instruction) in program.instructions.iter().enumerate() {
            let op = instruction.op;
            let mut arguments = [Location::Output; 3];
            for (location, &source) in arguments.iter_mut().zip(&instruction.arguments[..op.arity()]) {
                *location = location_of(source, &input_locations, &constants, &registers);
            }
            let result = if direct && i + 1 == count {
                Location::Output
            } else {
                Location::Slot(free.pop().unwrap_or_else(&mut next_slot))
            };
            registers.push(result);
            for (r, &last) in last_use.iter().enumerate().take(i + 1) {
                if last == i
                    && r < i
                    && let Location::Slot(slot) = registers[r]
                {
                    free.push(slot);
                }
            }
            let divisor = (divides(op, compute) && matches!(instruction.arguments[1], Source::Register(_)))
                .then_some(arguments[1]);
            steps.push(Step { kernel: kernel_of(op, compute, level)?, arguments, result, divisor });
        }

        let mut stores = SmallVec::new();
        if !direct {
            for (i, (output, &source)) in outputs.iter().zip(&program.outputs).enumerate() {
                let operand = inputs.len() + i;
                let from = storage(program.kind(source), compute);
                stores.push(Store {
                    operand,
                    contiguous: plan.pattern(operand) == AccessPattern::Contiguous,
                    location: location_of(source, &input_locations, &constants, &registers),
                    convert: (from != output.dtype).then(|| convert(from, output.dtype, level)),
                });
            }
        }
        let staging = next_slot();
        let widest = operands.iter().map(|o| o.dtype.size()).max().unwrap_or(1).max(compute.size());
        let tile = (SCRATCH / slots / widest / 64 * 64).clamp(16, LONGEST);
        Ok(Machine {
            plan,
            memory: operands
                .iter()
                .map(|o| (Shared::new(o.buffer.address().as_ptr()), o.dtype.size()))
                .collect(),
            first_output: inputs.len(),
            compute,
            loads,
            steps,
            stores,
            constants,
            tile,
            slot_bytes: tile * widest,
            staging,
        })
    }

    /// Computes the positions of `range`; the number of the instruction that divided by zero, if one did.
    // The array is the point: tiles without an allocation.
    #[allow(clippy::large_stack_arrays)]
    fn run(&self, range: Range<usize>) -> Option<usize> {
        let mut scratch = Scratch([MaybeUninit::uninit(); SCRATCH]);
        let scratch = scratch.0.as_mut_ptr().cast::<u8>();
        let longest = self.tile.min(range.len());
        for &(slot, scalar) in &self.constants {
            with_number!(self.compute, T => {
                let value = T::of_scalar(scalar);
                let to = self.slot(scratch, slot).cast::<T>();
                for i in 0..longest {
                    // SAFETY: a slot has room for a tile of the compute dtype.
                    unsafe { to.add(i).write(value) };
                }
            });
        }
        for load in self.loads.iter().filter(|f| f.pattern == AccessPattern::Single) {
            self.load(load, scratch, range.start, longest);
        }
        let inner = self.plan.inner();
        let by_rows = inner >= LONG_ROW && inner < self.plan.numel();
        let mut at = range.start;
        while at < range.end {
            let mut n = self.tile.min(range.end - at);
            if by_rows {
                n = n.min(inner - at % inner);
            }
            for load in self.loads.iter().filter(|f| f.pattern != AccessPattern::Single) {
                self.load(load, scratch, at, n);
            }
            for (i, step) in self.steps.iter().enumerate() {
                if let Some(divisor) = step.divisor
                    && self.has_zero(self.address(divisor, scratch, at), n)
                {
                    return Some(i);
                }
                let arguments =
                    step.arguments.map(|location| self.address(location, scratch, at).cast_const());
                // SAFETY: arguments and result are tiles of n elements of the kernel's dtypes: slots of the scratch
                // memory, or operands that are contiguous in the plan's order. The level is available.
                unsafe { (step.kernel)(&arguments, self.address(step.result, scratch, at), n, false) };
            }
            for store in &self.stores {
                self.store(store, scratch, at, n);
            }
            at += n;
        }
        None
    }

    fn slot(&self, scratch: *mut u8, slot: usize) -> *mut u8 {
        scratch.wrapping_add(slot * self.slot_bytes)
    }

    /// The tile of `place` that begins at position `at` of the plan.
    fn address(&self, location: Location, scratch: *mut u8, at: usize) -> *mut u8 {
        match location {
            Location::Slot(slot) => self.slot(scratch, slot),
            Location::Input(operand) => self.element(operand, at as isize + self.plan.position(operand, 0)),
            Location::Output => {
                self.element(self.first_output, at as isize + self.plan.position(self.first_output, 0))
            }
        }
    }

    /// The operand's element at a position of its buffer.
    fn element(&self, operand: usize, position: isize) -> *mut u8 {
        let (base, size) = self.memory[operand];
        base.get().wrapping_offset(position * size as isize)
    }

    /// Brings an input's tile into its slot.
    fn load(&self, load: &Load, scratch: *mut u8, at: usize, n: usize) {
        let slot = self.slot(scratch, load.slot);
        let (base, size) = self.memory[load.operand];
        let Some(convert) = load.convert else {
            // SAFETY: the operand's elements have this size and go to a slot that has room for them.
            unsafe { self.plan.gather(load.operand, size, base.get(), at, n, slot) };
            return;
        };
        let from = if load.pattern == AccessPattern::Contiguous {
            self.element(load.operand, at as isize + self.plan.position(load.operand, 0))
        } else {
            let staging = self.slot(scratch, self.staging);
            // SAFETY: as above.
            unsafe { self.plan.gather(load.operand, size, base.get(), at, n, staging) };
            staging
        };
        // SAFETY: n elements of the dtypes that `convert` was made for; a slot does not overlap its source.
        unsafe { convert(from, slot, n) };
    }

    /// Takes a result's tile to its output.
    fn store(&self, store: &Store, scratch: *mut u8, at: usize, n: usize) {
        let mut from = self.address(store.location, scratch, at);
        let (base, size) = self.memory[store.operand];
        let direct = store
            .contiguous
            .then(|| self.element(store.operand, at as isize + self.plan.position(store.operand, 0)));
        if let Some(convert) = store.convert {
            let to = direct.unwrap_or_else(|| self.slot(scratch, self.staging));
            // SAFETY: n elements of the dtypes that `convert` was made for. Where the output is its own source, the
            // sizes are equal or the source was brought into a slot.
            unsafe { convert(from, to, n) };
            from = to;
        } else if let Some(to) = direct {
            // SAFETY: n elements of one size.
            unsafe { std::ptr::copy(from, to, n * size) };
        }
        if direct.is_none() {
            // SAFETY: the operand's elements have this size, and this thread alone writes these positions.
            unsafe { self.plan.scatter(store.operand, size, base.get(), at, n, from) };
        }
    }

    /// Whether a tile of integers holds a zero.
    fn has_zero(&self, tile: *const u8, n: usize) -> bool {
        with_element!(self.compute, T => {
            // SAFETY: n elements of the compute dtype.
            let elements = unsafe { std::slice::from_raw_parts(tile.cast::<T>(), n) };
            elements.contains(&T::default())
        }, else false)
    }
}

fn location_of(
    source: Source,
    inputs: &[Location],
    constants: &[(usize, Scalar)],
    registers: &[Location],
) -> Location {
    match source {
        Source::Input(i) => inputs[i as usize],
        Source::Constant(c) => Location::Slot(constants[c as usize].0),
        Source::Register(r) => registers[r as usize],
    }
}
