//! An observer sees every kernel that a backend is asked to run, and nobody else's.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::thread::{ThreadId, current};

use rustorch_backend::{
    Buffer, ComputeBackend, Device, DeviceInfo, Kernel, MemoryAllocator, Operand, Program, Scalar,
};
use rustorch_cpu_simd::CpuBackend;
use rustorch_error::Result;
use rustorch_tensor::autograd::backward;
use rustorch_tensor::registry::{self, Observed, Observer, observe};
use rustorch_tensor::{Tensor, ops};

thread_local! {
    /// What the backend was asked to run, by this thread.
    static ASKED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// The CPU, which writes down what it is asked to run.
struct Noted(CpuBackend);

fn note(name: &'static str) {
    ASKED.with_borrow_mut(|asked| asked.push(name));
}

impl ComputeBackend for Noted {
    fn device_info(&self) -> &DeviceInfo {
        self.0.device_info()
    }

    fn allocator(&self) -> &'static dyn MemoryAllocator {
        self.0.allocator()
    }

    fn synchronize(&self) -> Result<()> {
        self.0.synchronize()
    }

    fn read(&self, buffer: &Buffer, offset: usize, destination: &mut [u8]) -> Result<()> {
        self.0.read(buffer, offset, destination)
    }

    fn write(&self, buffer: &Buffer, offset: usize, source: &[u8]) -> Result<()> {
        self.0.write(buffer, offset, source)
    }

    fn copy(&self, source: Operand<'_>, destination: Operand<'_>) -> Result<()> {
        note("copy");
        self.0.copy(source, destination)
    }

    fn fill(&self, destination: Operand<'_>, value: Scalar) -> Result<()> {
        note("fill");
        self.0.fill(destination, value)
    }

    fn map(&self, program: &Program, inputs: &[Operand<'_>], outputs: &[Operand<'_>]) -> Result<()> {
        note(program.name());
        self.0.map(program, inputs, outputs)
    }

    fn run(&self, kernel: &Kernel<Operand<'_>>) -> Result<()> {
        note(kernel.name());
        self.0.run(kernel)
    }
}

/// Counts what one thread runs, and how many bytes it writes.
struct Counter {
    thread: ThreadId,
    seen: Mutex<Vec<(&'static str, usize)>>,
}

impl Counter {
    fn new() -> Arc<Self> {
        Arc::new(Counter { thread: current().id(), seen: Mutex::new(Vec::new()) })
    }

    fn names(&self) -> Vec<&'static str> {
        self.seen.lock().expect("no test panicked").iter().map(|&(name, _)| name).collect()
    }
}

impl Observer for Counter {
    fn ran(&self, observed: &Observed<'_, '_>) {
        if current().id() != self.thread {
            return;
        }
        assert!(observed.outcome.is_ok() && observed.device.name == backend().device_info().name);
        let bytes = observed.kernel.writes().iter().map(|o| o.layout.numel() * o.dtype.size()).sum();
        self.seen.lock().expect("no test panicked").push((observed.kernel.name(), bytes));
    }
}

fn backend() -> registry::Backend {
    static CPU: std::sync::OnceLock<Noted> = std::sync::OnceLock::new();
    registry::register(CPU.get_or_init(|| Noted(CpuBackend::new().expect("the CPU is here"))));
    registry::backend(Device::CPU).expect("it is registered")
}

fn numbers(shape: &[usize], phase: f32) -> Result<Tensor> {
    let values: Vec<f32> = (0..shape.iter().product()).map(|i| (1.7 * i as f32 + phase).sin()).collect();
    Tensor::from_slice(&values, shape)
}

/// One step of a layer: forward, loss, backward, and the weights moved on.
fn step() -> Result<()> {
    let (x, target) = (numbers(&[8, 5], 0.0)?, numbers(&[8, 3], 1.0)?);
    let weights = [numbers(&[3, 5], 2.0)?, numbers(&[3], 3.0)?];
    for weight in &weights {
        weight.set_requires_grad(true)?;
    }
    let output = ops::softmax(&ops::linear(&x, &weights[0], Some(&weights[1]))?, 1, None)?;
    let error = ops::sub(&output, &target, 1.into())?;
    let loss = ops::mean(&ops::mul(&error, &error)?, None, false, None)?;
    backward(&[loss], &[None], false, false, None)?;
    for weight in &weights {
        let grad = weight.grad().expect("backward made one");
        ops::sub_(&weight.detach(), &grad, Scalar::Float(0.1))?;
    }
    Ok(())
}

#[test]
fn every_kernel_of_a_training_step_is_seen() -> Result<()> {
    backend();
    step()?;
    ASKED.take();
    step()?;
    let alone = ASKED.take();
    let counter = Counter::new();
    let observation = observe(counter.clone());
    step()?;
    drop(observation);
    let observed = ASKED.take();
    assert_eq!(counter.names(), observed);
    // Being observed changes nothing of what is run.
    assert_eq!(observed, alone);
    for name in ["matrix_multiply", "softmax", "softmax_grad", "reduce", "sub", "mul"] {
        assert!(observed.contains(&name), "{name}: {observed:?}");
    }
    step()?;
    assert_eq!(counter.names(), observed, "the observation has ended");
    Ok(())
}

#[test]
fn each_observer_sees_what_ran_between_its_begin_and_its_end() -> Result<()> {
    backend();
    let (outer, inner) = (Counter::new(), Counter::new());
    let outer_observation = observe(outer.clone());
    let x = numbers(&[6], 0.0)?;
    ops::sin(&x)?;
    let observation = observe(inner.clone());
    ops::exp(&x)?;
    drop(outer_observation);
    ops::cumsum(&x, 0, None)?;
    drop(observation);
    assert_eq!(*outer.seen.lock().expect("no test panicked"), [("sin", 24), ("exp", 24)]);
    assert_eq!(*inner.seen.lock().expect("no test panicked"), [("exp", 24), ("scan", 24)]);
    Ok(())
}
