//! Runs a method of the contract on a device and on the CPU, from the same bytes, and compares what both wrote.

use std::sync::OnceLock;

use rustorch::backend::memory::from_bytes;
use rustorch::backend::{
    Buffer, ComputeBackend, DType, Dims, Element, Layout, Operand, Scalar, Shape, with_element,
};
use rustorch_cpu_simd::CpuBackend;
use rustorch_error::{Result, RusTorchError};
use rustorch_gpu::GpuBackend;

use crate::host_executor::HostExecutor;

/// How a tensor lies in its buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayoutKind {
    /// Row-major.
    Contiguous,
    /// The dimensions in reverse order in memory.
    Transposed,
    /// Every second element, from the third on.
    Gaps,
}

pub const LAYOUT_KINDS: [LayoutKind; 3] = [LayoutKind::Contiguous, LayoutKind::Transposed, LayoutKind::Gaps];

/// A tensor's content and place, before it is put on a backend.
#[derive(Debug, Clone)]
pub struct Data {
    pub dtype: DType,
    pub layout: Layout,
    bytes: Vec<u8>,
}

/// Where elements of `shape` lie.
pub fn layout(shape: &[usize], layout_kind: LayoutKind) -> Layout {
    let numel = |sizes: &[usize]| sizes.iter().product::<usize>() as isize;
    let (factor, offset) = if layout_kind == LayoutKind::Gaps { (2, 3) } else { (1, 0) };
    let strides: Dims<isize> = (0..shape.len())
        .map(|d| {
            factor
                * if layout_kind == LayoutKind::Transposed {
                    numel(&shape[..d])
                } else {
                    numel(&shape[d + 1..])
                }
        })
        .collect();
    Layout::new("harness", Shape::from_slice(shape), strides, offset).unwrap()
}

fn store(dtype: DType, value: f64, bytes: &mut [u8]) {
    let mut put = |source: &[u8]| bytes.copy_from_slice(source);
    match dtype {
        DType::Complex64 => {
            let parts = [(value as f32).to_ne_bytes(), (value as f32 / 2.0).to_ne_bytes()];
            put(&parts.concat());
        }
        DType::Complex128 => put(&[value.to_ne_bytes(), (value / 2.0).to_ne_bytes()].concat()),
        // Any byte but 0 is true.
        DType::Bool => put(&[2 * u8::from(value > 0.0)]),
        real => with_element!(real, T => {
            let element = T::from_scalar(Scalar::Float(value));
            put(rustorch::backend::memory::as_bytes(&[element]));
        }, else {}),
    }
}

fn load(dtype: DType, bytes: &[u8]) -> f64 {
    match dtype {
        DType::Complex64 => f64::from(from_bytes::<f32>(bytes)),
        DType::Complex128 => from_bytes::<f64>(bytes),
        real => with_element!(real, T => from_bytes::<T>(bytes).to_scalar().to_f64(), else { f64::NAN }),
    }
}

/// Numbers between -1 and 1 that look random.
pub fn noise(seed: u64, n: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
    (0..n)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        })
        .collect()
}

impl Data {
    /// The given values; what lies between them is filled with sevens.
    pub fn new(dtype: DType, shape: &[usize], layout_kind: LayoutKind, values: &[f64]) -> Self {
        let layout = layout(shape, layout_kind);
        let size = dtype.size();
        let reach = layout.span().map_or(0, |(_, high)| high + 1) + 2;
        let mut data = Data { dtype, layout, bytes: vec![7; reach * size] };
        if dtype == DType::Bool {
            data.bytes.fill(1);
        }
        for (position, &value) in data.positions().into_iter().zip(values) {
            store(dtype, value, &mut data.bytes[position * size..(position + 1) * size]);
        }
        data
    }

    /// Random values that suit the dtype: whole numbers up to `range` in magnitude for integers.
    pub fn random(seed: u64, dtype: DType, shape: &[usize], layout_kind: LayoutKind, range: f64) -> Self {
        let values: Vec<f64> = noise(seed, shape.iter().product())
            .into_iter()
            .map(|v| {
                let v = v * range;
                match dtype {
                    DType::UInt8 => v.abs().floor(),
                    _ if dtype.is_integral(true) => v.round(),
                    _ => v,
                }
            })
            .collect();
        Data::new(dtype, shape, layout_kind, &values)
    }

    /// Changes each element.
    pub fn change(&mut self, change: impl Fn(f64) -> f64) {
        let size = self.dtype.size();
        for position in self.positions() {
            let bytes = &mut self.bytes[position * size..(position + 1) * size];
            store(self.dtype, change(load(self.dtype, bytes)), bytes);
        }
    }

    /// A row-major tensor of zeros, for outputs.
    pub fn zeros(dtype: DType, shape: &[usize]) -> Self {
        let zeros = vec![0.0; shape.iter().product()];
        Data::new(dtype, shape, LayoutKind::Contiguous, &zeros)
    }

    /// The elements, row-major, as `bytes` has them where this has its own.
    pub fn values(&self, bytes: &[u8]) -> Vec<f64> {
        let size = self.dtype.size();
        self.positions().into_iter().map(|at| load(self.dtype, &bytes[at * size..(at + 1) * size])).collect()
    }

    /// The bytes of `bytes` that are of no element.
    pub fn rest(&self, bytes: &[u8]) -> Vec<u8> {
        let size = self.dtype.size();
        let own: std::collections::HashSet<usize> = self.positions().into_iter().collect();
        (0..bytes.len()).filter(|at| !own.contains(&(at / size))).map(|at| bytes[at]).collect()
    }

    /// The storage positions of the elements, row-major.
    fn positions(&self) -> Vec<usize> {
        let (shape, strides) = (self.layout.shape(), self.layout.strides());
        (0..self.layout.numel())
            .map(|flat| {
                let (mut rest, mut at) = (flat, self.layout.offset() as isize);
                for (&size, &stride) in shape.iter().zip(strides).rev() {
                    at += (rest % size) as isize * stride;
                    rest /= size;
                }
                at as usize
            })
            .collect()
    }
}

/// Data on a backend.
struct Placed {
    buffer: Buffer,
}

impl Placed {
    fn new(backend: &dyn ComputeBackend, data: &Data) -> Result<Self> {
        let buffer = Buffer::allocate(backend.allocator(), data.bytes.len())?;
        backend.write(&buffer, 0, &data.bytes)?;
        Ok(Placed { buffer })
    }
}

/// The CPU, which is the reference.
pub fn cpu() -> &'static dyn ComputeBackend {
    static CPU: OnceLock<CpuBackend> = OnceLock::new();
    CPU.get_or_init(|| CpuBackend::new().expect("the CPU backend starts"))
}

/// A device under test.
#[derive(Clone, Copy)]
pub struct Tested {
    pub backend: &'static dyn ComputeBackend,
    /// Whether kernels run; else they are only compiled.
    pub runs: bool,
    /// Whether everything must be there; else what the device does not compute is left out.
    pub has_all: bool,
}

/// The device that `RUSTORCH_TEST_DEVICE` names, by default the first of OpenCL.
///
/// `opencl`, `cuda` and `metal` are the machine's; `metal-shim` is the host as a Metal device; `cuda-compile:70,90`
/// compiles for these architectures and runs nothing.
pub fn device() -> Tested {
    static DEVICE: OnceLock<Tested> = OnceLock::new();
    *DEVICE.get_or_init(|| {
        let name = std::env::var("RUSTORCH_TEST_DEVICE").unwrap_or_else(|_| "opencl".to_string());
        open(&name).unwrap_or_else(|error| panic!("the tests of kernels need a device, {name}: {error}"))
    })
}

/// Whether the device adds up float32 in float64, which keeps digits that float32 has not.
pub fn adds_in_f64() -> bool {
    !device().backend.device_info().lacks.contains(&DType::Float64)
}

fn open(name: &str) -> Result<Tested> {
    let (kind, architectures) = name.split_once(':').unwrap_or((name, ""));
    let first = |devices: Vec<&'static dyn ComputeBackend>| {
        let first = devices.first().copied();
        match first {
            Some(backend) => Ok(Tested { backend, runs: true, has_all: kind != "metal" }),
            None => Err(RusTorchError::unavailable("device", format!("there is no {kind} device"))),
        }
    };
    match kind {
        "opencl" => first(rustorch_opencl::backends()?),
        "cuda" => first(rustorch_cuda::backends()?),
        #[cfg(target_os = "macos")]
        "metal" => first(rustorch_metal::backends()?),
        "metal-shim" => {
            let backend = GpuBackend::new(HostExecutor::metal()?);
            Ok(Tested { backend, runs: true, has_all: false })
        }
        "cuda-compile" => {
            let architectures =
                architectures.split(',').map(|a| a.parse().expect("a number, as 90 for sm_90"));
            let backend = GpuBackend::new(HostExecutor::cuda(architectures.collect())?);
            Ok(Tested { backend, runs: false, has_all: true })
        }
        _ => panic!("RUSTORCH_TEST_DEVICE={name} is not a device of these tests"),
    }
}

/// How far a device's result may be from the CPU's, relative to the larger of 1 and the value.
fn tolerance(dtype: DType) -> f64 {
    match dtype {
        DType::Float64 | DType::Complex128 => 1e-12,
        DType::Float32 | DType::Complex64 => 4e-6,
        DType::Float16 => 2e-3,
        DType::BFloat16 => 1.6e-2,
        _ => 0.0,
    }
}

/// Runs `method` over operands made of `data`; every operand's bytes afterwards.
pub fn run(
    backend: &dyn ComputeBackend,
    data: &[Data],
    method: impl Fn(&dyn ComputeBackend, &[Operand<'_>]) -> Result<()>,
) -> Result<Vec<Vec<u8>>> {
    let placed: Vec<Placed> = data.iter().map(|d| Placed::new(backend, d)).collect::<Result<_>>()?;
    let operands: Vec<Operand<'_>> = data
        .iter()
        .zip(&placed)
        .map(|(d, p)| Operand { buffer: &p.buffer, layout: &d.layout, dtype: d.dtype })
        .collect();
    method(backend, &operands)?;
    data.iter()
        .zip(&placed)
        .map(|(d, p)| {
            let mut bytes = vec![0u8; d.bytes.len()];
            backend.read(&p.buffer, 0, &mut bytes)?;
            Ok(bytes)
        })
        .collect()
}

/// Runs `method` on a backend over operands made of `data`: what it answers, and all bytes afterwards.
fn attempt(
    backend: &dyn ComputeBackend,
    data: &[Data],
    method: &impl Fn(&dyn ComputeBackend, &[Operand<'_>]) -> Result<()>,
) -> Result<(Result<()>, Vec<Vec<u8>>)> {
    let placed: Vec<Placed> = data.iter().map(|d| Placed::new(backend, d)).collect::<Result<_>>()?;
    let operands: Vec<Operand<'_>> = data
        .iter()
        .zip(&placed)
        .map(|(d, p)| Operand { buffer: &p.buffer, layout: &d.layout, dtype: d.dtype })
        .collect();
    let answer = method(backend, &operands);
    let read = |(d, p): (&Data, &Placed)| {
        let mut bytes = vec![0u8; d.bytes.len()];
        backend.read(&p.buffer, 0, &mut bytes)?;
        Ok(bytes)
    };
    let bytes = data.iter().zip(&placed).map(read).collect::<Result<_>>()?;
    Ok((answer, bytes))
}

/// What the CPU and the device made of `data`, where there is a device that runs and has the method.
fn run_both(
    what: &str,
    data: &[Data],
    method: &impl Fn(&dyn ComputeBackend, &[Operand<'_>]) -> Result<()>,
) -> Option<[Vec<Vec<u8>>; 2]> {
    let device = device();
    let expected = run(cpu(), data, method).unwrap_or_else(|error| panic!("{what}: the CPU: {error}"));
    match run(device.backend, data, method) {
        // Nothing has run, so what is read back means nothing, and nor does an error for it: only compiling can fail.
        Err(error @ RusTorchError::Device { op: "compile", .. }) => panic!("{what}: the device: {error}"),
        _ if !device.runs => None,
        Err(error) if !device.has_all && is_unsupported(&error) => None,
        got => Some([expected, got.unwrap_or_else(|error| panic!("{what}: the device: {error}"))]),
    }
}

/// As [`compare`], where every byte must be the same (a bool's, true or false).
pub fn compare_bits(
    what: &str,
    data: &[Data],
    method: impl Fn(&dyn ComputeBackend, &[Operand<'_>]) -> Result<()>,
) {
    let Some([expected, got]) = run_both(what, data, &method) else { return };
    for (n, d) in data.iter().enumerate() {
        // Any byte of a bool but 0 is true.
        let same = |a: u8, b: u8| a == b || (d.dtype == DType::Bool && a != 0 && b != 0);
        let wrong = expected[n].iter().zip(&got[n]).position(|(&a, &b)| !same(a, b));
        let of = |bytes: &[Vec<u8>], at: usize| {
            let size = d.dtype.size();
            bytes[n][at / size * size..][..size].to_vec()
        };
        assert!(
            wrong.is_none(),
            "{what}: operand {n} ({}, {:?}): {:?}",
            d.dtype,
            d.layout.shape(),
            wrong.map(|at| (at / d.dtype.size(), of(&expected, at), of(&got, at)))
        );
    }
}

/// Both backends refuse with the same words, and write nothing but into the operands from number `spared` on.
pub fn compare_errors(
    what: &str,
    data: &[Data],
    spared: usize,
    method: impl Fn(&dyn ComputeBackend, &[Operand<'_>]) -> Result<()>,
) {
    let device = device();
    if !device.runs {
        return;
    }
    let [expected, got] = [cpu(), device.backend].map(|backend| {
        let (answer, bytes) =
            attempt(backend, data, &method).unwrap_or_else(|error| panic!("{what}: {error}"));
        for (d, after) in data.iter().zip(bytes).take(spared) {
            assert_eq!(d.bytes, after, "{what}: something was written");
        }
        answer.err().map(|error| error.to_string())
    });
    assert!(expected.is_some(), "{what}: the CPU did not refuse");
    assert_eq!(expected, got, "{what}");
}

/// Runs `method` on both backends over operands made of `data`, and compares every byte's element afterwards: outputs
/// to the dtype's tolerance (times `slack`), and that nothing else has changed.
pub fn compare(
    what: &str,
    data: &[Data],
    slack: f64,
    method: impl Fn(&dyn ComputeBackend, &[Operand<'_>]) -> Result<()>,
) {
    let Some([expected, got]) = run_both(what, data, &method) else { return };
    for (n, d) in data.iter().enumerate() {
        let size = d.dtype.size();
        let places = if d.dtype.is_complex() { 2 } else { 1 };
        let part = d.dtype.to_real();
        for at in (0..d.bytes.len()).step_by(size / places) {
            let range = at..at + size / places;
            let (want, have) = (load(part, &expected[n][range.clone()]), load(part, &got[n][range]));
            let allowed = slack * tolerance(d.dtype) * want.abs().max(1.0);
            let same = want == have || want.is_nan() && have.is_nan() || (want - have).abs() <= allowed;
            assert!(
                same,
                "{what}: operand {n} ({}, {:?}) element {}: the CPU has {want}, the device {have}",
                d.dtype,
                d.layout.shape(),
                at / size
            );
        }
    }
}

/// Whether an error says that the device lacks the method.
pub fn is_unsupported(error: &RusTorchError) -> bool {
    matches!(error, RusTorchError::Unsupported { .. })
}

/// Runs `method` on one backend over operands made of `data`.
pub fn with_operands<R>(
    backend: &dyn ComputeBackend,
    data: &[Data],
    method: impl Fn(&[Operand<'_>]) -> Result<R>,
) -> Result<R> {
    let placed: Vec<Placed> = data.iter().map(|d| Placed::new(backend, d)).collect::<Result<_>>()?;
    let operands: Vec<Operand<'_>> = data
        .iter()
        .zip(&placed)
        .map(|(d, p)| Operand { buffer: &p.buffer, layout: &d.layout, dtype: d.dtype })
        .collect();
    method(&operands)
}
