//! A device without any op: everything runs on the CPU, and gives the CPU's results.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use rustorch_backend::memory::{HostBuffer, host_allocator};
use rustorch_backend::{
    AttentionParams, Buffer, DType, DeviceInfo, Epilogue, Kernel, MemoryAllocator, Operand, Program, Scalar,
    kernel,
};
use rustorch_cpu_simd::CpuBackend;

use super::*;
use crate::operations::creation::moved;
use crate::{Tensor, ops};

/// Its memory is the CPU's; it can hold tensors and nothing else.
struct Bare {
    info: DeviceInfo,
    /// Whether the host may use its memory without copies.
    lends: bool,
    /// How often something was copied.
    copies: AtomicUsize,
}

fn cpu() -> &'static CpuBackend {
    static CPU: LazyLock<CpuBackend> = LazyLock::new(|| CpuBackend::new().expect("the CPU is here"));
    &CPU
}

fn lacks(kernel: &'static str) -> Result<()> {
    Err(RusTorchError::unsupported(kernel, "this device has no ops"))
}

impl ComputeBackend for Bare {
    fn device_info(&self) -> &DeviceInfo {
        &self.info
    }

    fn allocator(&self) -> &'static dyn MemoryAllocator {
        host_allocator()
    }

    fn synchronize(&self) -> Result<()> {
        Ok(())
    }

    fn read(&self, buffer: &Buffer, offset: usize, destination: &mut [u8]) -> Result<()> {
        self.copies.fetch_add(1, Ordering::Relaxed);
        cpu().read(buffer, offset, destination)
    }

    fn write(&self, buffer: &Buffer, offset: usize, source: &[u8]) -> Result<()> {
        self.copies.fetch_add(1, Ordering::Relaxed);
        cpu().write(buffer, offset, source)
    }

    fn map_host(&self, buffer: &Buffer, range: Range<usize>, written: bool) -> Result<Option<HostBuffer>> {
        if self.lends { cpu().map_host(buffer, range, written) } else { Ok(None) }
    }

    fn copy(&self, _: Operand<'_>, _: Operand<'_>) -> Result<()> {
        lacks("copy")
    }

    fn fill(&self, _: Operand<'_>, _: Scalar) -> Result<()> {
        lacks("fill")
    }

    fn map(&self, program: &Program, _: &[Operand<'_>], _: &[Operand<'_>]) -> Result<()> {
        lacks(program.name())
    }

    fn run(&self, kernel: &Kernel<Operand<'_>>) -> Result<()> {
        lacks(kernel.name())
    }
}

/// Copied to and from, and lent.
static DEVICES: LazyLock<[Bare; 2]> = LazyLock::new(|| {
    [false, true].map(|lends| Bare {
        info: DeviceInfo {
            kind: DeviceKind::Metal,
            name: format!("bare {}", u8::from(lends)),
            parallelism: 1,
            architecture: "none".into(),
            memory: None,
            driver: String::new(),
            lacks: Vec::new(),
            is_host: true,
        },
        lends,
        copies: AtomicUsize::new(0),
    })
});

/// The settings are the process's: one test at a time.
fn start() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    register(cpu());
    register_provider(DeviceKind::Metal, || {
        Ok(DEVICES.iter().map(|device| device as &'static dyn ComputeBackend).collect())
    });
    register_provider(DeviceKind::Cuda, || {
        Err(RusTorchError::unavailable("cuda", "libcuda.so.1 was not found"))
    });
    set_strict(false);
    reset_fallbacks();
    turn
}

const BARE: Device = Device::new(DeviceKind::Metal, 0);
const LENDING: Device = Device::new(DeviceKind::Metal, 1);

fn sample(shape: &[usize], phase: f32) -> Tensor {
    let n: usize = shape.iter().product();
    let values: Vec<f32> = (0..n).map(|i| (1.7 * i as f32 + phase).sin()).collect();
    Tensor::from_slice(&values, shape).expect("the length fits the shape")
}

fn there(tensor: &Tensor) -> Tensor {
    moved(tensor, BARE).expect("the device is here")
}

/// Fails unless both hold the same elements, bit for bit, where they should be.
fn assert_same(on_device: &Tensor, on_cpu: &Tensor) {
    assert_eq!(on_device.device().kind, DeviceKind::Metal);
    assert_eq!(on_device.shape(), on_cpu.shape());
    assert_eq!(on_device.dtype(), on_cpu.dtype());
    let (a, b) = (on_device.to_vec::<f64>().unwrap(), on_cpu.to_vec::<f64>().unwrap());
    assert_eq!(a, b);
}

/// Runs `f` on each device and compares.
fn check(inputs: &[&Tensor], f: impl Fn(&[Tensor]) -> Result<Vec<Tensor>>) {
    for device in [BARE, LENDING] {
        let on_cpu: Vec<Tensor> = inputs.iter().map(|t| ops::clone(t).unwrap()).collect();
        let on_device: Vec<Tensor> = inputs.iter().map(|t| moved(t, device).unwrap()).collect();
        let expected = f(&on_cpu).unwrap();
        let copies = || DEVICES[1].copies.load(Ordering::Relaxed);
        let before = copies();
        let actual = f(&on_device).unwrap();
        // What is lent is not copied, but for numbers that an op asks for.
        assert!(device == BARE || copies() - before <= expected.len(), "{}", copies() - before);
        assert_eq!(expected.len(), actual.len());
        for (a, b) in actual.iter().zip(&expected) {
            assert_same(a, b);
        }
        // In-place ops have changed their inputs alike.
        for (a, b) in on_device.iter().zip(&on_cpu) {
            assert_same(a, b);
        }
    }
}

#[test]
fn ops_give_the_results_of_the_cpu() {
    let _turn = start();
    let (a, b) = (sample(&[4, 6], 0.0), sample(&[6], 0.5));
    check(&[&a, &b], |t| {
        Ok(vec![ops::add(&t[0], &t[1], 1.into())?, ops::mul(&t[0], &Tensor::number(3.0)?)?])
    });
    // In place through a view with strides: the elements between them stay.
    check(&[&a, &b], |t| {
        let view = ops::slice(&ops::transpose(&t[0], 0, 1)?, 0, 1, i64::MAX, 2)?;
        ops::mul_(&view, &view)?;
        ops::add_(&view, &Tensor::number(1.0)?, 1.into())?;
        Ok(vec![ops::clone(&view)?])
    });
    check(&[&a], |t| {
        Ok(vec![ops::sum(&t[0], Some(&[1]), false, None)?, ops::var(&t[0], Some(&[0]), true, true, None)?])
    });
    check(&[&a], |t| {
        let (values, indices) = ops::sort(&t[0], -1, true, false)?;
        let (largest, places) = ops::max_dim(&t[0], 0, false)?;
        Ok(vec![values, indices, largest, places])
    });
    check(&[&a], |t| Ok(vec![ops::softmax(&t[0], 1, None)?, ops::cumsum(&t[0], 0, None)?]));
    check(&[&a], |t| Ok(vec![ops::nonzero(&ops::gt(&t[0], &Tensor::number(0.0)?)?)?]));
    let empty = sample(&[0, 6], 0.0);
    check(&[&empty, &b], |t| {
        Ok(vec![ops::add(&t[0], &t[1], 1.into())?, ops::sum(&t[0], Some(&[0]), false, None)?])
    });
}

#[test]
fn every_kind_of_argument_is_staged() {
    let _turn = start();
    let (host, device) = (backend(Device::CPU).unwrap(), backend(BARE).unwrap());
    let (a, b, bias) = (sample(&[3, 5], 0.0), sample(&[5, 4], 1.0), sample(&[4], 2.0));
    let multiplied = |backend: Backend, t: &[Tensor], output: &Tensor| {
        let epilogue = Epilogue { alpha: 0.5, beta: 2.0, bias: Some(t[2].operand()) };
        backend
            .run(kernel::MatrixMultiply {
                a: t[0].operand(),
                b: t[1].operand(),
                output: output.operand(),
                epilogue,
            })
            .unwrap();
    };
    let (on_cpu, on_device) = (sample(&[3, 4], 3.0), there(&sample(&[3, 4], 3.0)));
    multiplied(host, &[a.clone(), b.clone(), bias.clone()], &on_cpu);
    multiplied(device, &[there(&a), there(&b), there(&bias)], &on_device);
    assert_same(&on_device, &on_cpu);

    let params = AttentionParams { scale: 0.5, causal: true };
    let run = |backend: Backend, place: &dyn Fn(&Tensor) -> Tensor| -> Vec<Tensor> {
        let make = |phase| place(&sample(&[2, 3, 4], phase));
        let (q, k, v, output, grad) = (make(0.0), make(1.0), make(2.0), make(3.0), make(4.0));
        let log_sum = place(&sample(&[2, 3], 5.0));
        let [q, k, v, output, grad, log_sum] = [q, k, v, output, grad, log_sum];
        backend
            .run(kernel::Attention {
                params,
                query: q.operand(),
                key: k.operand(),
                value: v.operand(),
                mask: None,
                output: output.operand(),
                log_sum: log_sum.operand(),
            })
            .unwrap();
        let grads = [make(0.0), make(0.0), make(0.0)];
        backend
            .run(kernel::AttentionGrad {
                params,
                grad: grad.operand(),
                query: q.operand(),
                key: k.operand(),
                value: v.operand(),
                mask: None,
                output: output.operand(),
                log_sum: log_sum.operand(),
                grad_query: grads[0].operand(),
                grad_key: grads[1].operand(),
                grad_value: grads[2].operand(),
            })
            .unwrap();
        grads.into_iter().chain([output, log_sum]).collect()
    };
    for (a, b) in run(device, &there).iter().zip(&run(host, &Tensor::clone)) {
        assert_same(a, b);
    }
}

#[test]
fn fallbacks_are_counted_and_strict_refuses() {
    let _turn = start();
    let x = there(&sample(&[3], 0.0));
    ops::exp(&x).unwrap();
    ops::exp(&x).unwrap();
    let counts = fallbacks();
    assert!(counts.contains(&((DeviceKind::Metal, "exp"), 2)), "{counts:?}");
    set_strict(true);
    let error = ops::exp(&x).unwrap_err();
    set_strict(false);
    assert!(matches!(error, RusTorchError::BackendUnavailable { op: "exp", .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("metal") && text.contains("float32"), "{text}");
    reset_fallbacks();
    assert!(fallbacks().is_empty());
}

#[test]
fn devices_are_found_by_name() {
    let _turn = start();
    assert_eq!(devices(DeviceKind::Metal).len(), 2);
    assert!(devices(DeviceKind::Cuda).is_empty());
    let message = |name: &str| backend(name.parse().unwrap()).err().expect(name).to_string();
    assert!(message("cuda").contains("libcuda.so.1"), "{}", message("cuda"));
    assert!(message("metal:2").contains("'metal:0' to 'metal:1'"), "{}", message("metal:2"));
    assert!(message("opencl").contains("opencl"), "{}", message("opencl"));
    let here = Device { kind: DeviceKind::Metal, index: None };
    let made = |device| Tensor::empty(&[1], DType::Float32, device).unwrap().device().to_string();
    assert_eq!(made(here), "metal:0");
    set_current("metal:1".parse().unwrap()).unwrap();
    assert_eq!(made(here), "metal:1");
    set_current(BARE).unwrap();
    assert_eq!(preferred(), Device::CPU);
}

#[test]
fn tensors_move_between_devices() {
    let _turn = start();
    let x = ops::transpose(&sample(&[700, 3], 0.0), 0, 1).unwrap();
    let other = moved(&there(&x), Device::new(DeviceKind::Metal, 1)).unwrap();
    assert_eq!(other.device().to_string(), "metal:1");
    assert_eq!(other.to_vec::<f32>().unwrap(), x.to_vec::<f32>().unwrap());
    // Broadcast, converted, into a view.
    let target = there(&sample(&[4, 6], 0.0));
    let expected = sample(&[4, 6], 0.0);
    let row = Tensor::from_slice(&[1_i64, 2, 3], &[3]).unwrap();
    for t in [&target, &expected] {
        ops::copy_(&ops::slice(t, 1, 0, i64::MAX, 2).unwrap(), &row, false).unwrap();
    }
    assert_same(&target, &expected);
    let error = ops::add(&x, &there(&x), 1.into()).unwrap_err().to_string();
    assert!(error.contains("same device") && error.contains("metal:0"), "{error}");
    // A 0-d tensor of the CPU goes along.
    let number = Tensor::scalar(2.0.into(), DType::Float32, Device::CPU).unwrap();
    assert_same(&ops::mul(&number, &there(&x)).unwrap(), &ops::mul(&number, &x).unwrap());
}
