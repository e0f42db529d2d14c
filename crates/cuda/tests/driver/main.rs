//! The executor over a driver that is not one: what is called, and what becomes of its errors. It shows nothing about
//! a GPU.
#![allow(unsafe_code, clippy::print_stderr, clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use rustorch_backend::{Buffer, ComputeBackend, DType, Layout, Operand, Scalar, StreamId};
use rustorch_cuda::{CudaExecutor, Nvrtc};
use rustorch_error::{Result, RusTorchError};
use rustorch_gpu::{GpuBackend, KernelExecutor};

/// The driver's library, compiled; `None` where there is no C compiler.
fn build() -> Option<libloading::Library> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("libcuda-{}.so", std::process::id()));
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/driver/libcuda.c");
    let compiled = Command::new("gcc").args(["-shared", "-fPIC", source, "-o"]).arg(&file).status();
    if !compiled.is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no gcc");
        return None;
    }
    // SAFETY: this is the only test of the process, and no other thread reads the environment.
    unsafe { std::env::set_var("RUSTORCH_CUDA_LIBRARY", &file) };
    // SAFETY: the library has no initialisers.
    let library = unsafe { libloading::Library::new(&file) }.expect("the library is opened");
    rustorch_cuda::devices().expect("the driver starts");
    let _ = std::fs::remove_file(&file);
    Some(library)
}

/// The functions with which the driver is told to fail, and asked what it saw.
struct Fake(libloading::Library);

impl Fake {
    fn ask(&self, name: &str) -> i32 {
        // SAFETY: the library has a function of this name and type.
        unsafe { self.0.get::<extern "C" fn() -> i32>(name.as_bytes()).expect(name)() }
    }

    fn at(&self, name: &str, d: i32) -> u32 {
        // SAFETY: as above.
        unsafe { self.0.get::<extern "C" fn(i32) -> u32>(name.as_bytes()).expect(name)(d) }
    }

    fn notes(&self) -> String {
        // SAFETY: as above; the text stays until the next call.
        unsafe {
            let notes = self.0.get::<extern "C" fn() -> *const std::ffi::c_char>(b"fake_notes");
            std::ffi::CStr::from_ptr(notes.expect("fake_notes")()).to_string_lossy().into_owned()
        }
    }

    fn done(&self, all: bool) {
        // SAFETY: as above.
        unsafe { self.0.get::<extern "C" fn(i32)>(b"fake_done").expect("fake_done")(all.into()) };
    }

    fn fail(&self, after: i32, code: i32) {
        // SAFETY: as above.
        unsafe { self.0.get::<extern "C" fn(i32, i32)>(b"fake_fail").expect("fake_fail")(after, code) };
    }
}

#[test]
fn calls_and_errors_are_the_drivers() {
    let Some(library) = build() else { return };
    let fake = Fake(library);
    let devices = rustorch_cuda::devices().expect("the driver starts");
    let [device] = devices else { panic!("{} devices", devices.len()) };
    assert_eq!(device.device_info().name, "Pretended GPU");
    assert_eq!(device.executor().capability(), 80);
    assert_eq!(device.executor().limits().shared_bytes, 49152);
    assert_eq!(fake.ask("fake_contexts"), 0, "a device that is not used is not opened");

    let buffer = Buffer::allocate(device.allocator(), 1000).expect("memory");
    device.write(&buffer, 100, &[1, 2, 3]).expect("written");
    let mut bytes = [0; 4];
    device.read(&buffer, 99, &mut bytes).expect("read");
    assert_eq!(bytes[1..], [1, 2, 3]);
    let executor: &CudaExecutor = device.executor();
    let legacy = executor.default_stream();
    executor.copy(legacy, (buffer.address(), 100), (buffer.address(), 500), 3).expect("copied");
    device.read(&buffer, 500, &mut bytes).expect("read");
    assert_eq!(bytes[..3], [1, 2, 3]);
    assert_eq!(
        (fake.ask("fake_contexts"), fake.ask("fake_depth")),
        (1, 0),
        "the thread's context is as before"
    );

    streams_wait_for_each_other(&fake, device);
    memory_runs_out(&fake, device);
    kernels_are_started(&fake, device, &buffer);
    a_fault_is_told(&fake, device);
}

fn streams_wait_for_each_other(fake: &Fake, device: &'static GpuBackend<CudaExecutor>) {
    let streams = ComputeBackend::streams(device).expect("it has streams");
    let _ = fake.notes();
    let side = streams.create(-1).expect("a stream");
    let event = streams.record(StreamId::DEFAULT, true).expect("recorded");
    streams.wait_event(side, event.as_ref()).expect("it will wait");
    let later = streams.record(side, true).expect("recorded");
    assert_eq!(fake.notes(), "create -1; event 0 on 1; 100 waits for event 0; event 1 on 100; ");
    assert!(!later.is_done().expect("asked"));
    later.wait().expect("waited");
    assert!((event.elapsed_time(later.as_ref()).expect("both have times") - 0.5).abs() < 1e-9);

    // A block that the other stream uses is not handed out again before that stream is done.
    let buffer = Buffer::allocate(device.allocator(), 5000).expect("memory");
    let address = buffer.address();
    streams.record_use(&buffer, side).expect("noted");
    drop(buffer);
    assert_eq!(fake.notes(), "event 2 on 100; ");
    let other = Buffer::allocate(device.allocator(), 5000).expect("memory");
    assert_ne!(other.address(), address);
    fake.done(true);
    assert_eq!(Buffer::allocate(device.allocator(), 5000).expect("memory").address(), address);
    fake.done(false);

    // Copies between pinned memory and the device are not waited for; others are.
    let pinned = Buffer::allocate(streams.pinned(), 100).expect("memory");
    streams.set_current(side).expect("it is there");
    streams.write_later((&pinned, 0), (&other, 7), 93).expect("queued");
    streams.read_later((&other, 7), (&pinned, 0), 93).expect("queued");
    assert_eq!(fake.notes(), "");
    device.read(&other, 7, &mut [0; 93]).expect("read");
    assert_eq!(fake.notes(), "synchronize 100; ");
    let address = pinned.address();
    drop(pinned);
    assert_eq!(fake.notes(), "event 3 on 100; ");
    assert_ne!(Buffer::allocate(streams.pinned(), 100).expect("memory").address(), address);
    streams.set_current(StreamId::DEFAULT).expect("it is there");
    device.synchronize().expect("both are waited for");
    assert_eq!(fake.notes(), "synchronize 1; synchronize 100; ");
    fake.done(true);
}

fn memory_runs_out(fake: &Fake, device: &GpuBackend<CudaExecutor>) {
    // A kept block goes back before the second try.
    drop(Buffer::allocate(device.allocator(), 4 << 20).expect("memory"));
    assert!(device.allocator().stats().cached > 0);
    fake.fail(0, 2);
    drop(Buffer::allocate(device.allocator(), 8 << 20).expect("memory at the second try"));
    device.allocator().empty_cache();
    fake.fail(0, 2);
    let Err(refused) = Buffer::allocate(device.allocator(), 8 << 20) else { panic!("there is no memory") };
    assert!(matches!(refused, RusTorchError::OutOfMemory { .. }), "{refused}");
    assert!(refused.to_string().contains("CUDA_ERROR_OUT_OF_MEMORY"), "{refused}");
    fake.fail(-1, 0);
}

fn kernels_are_started(fake: &Fake, device: &GpuBackend<CudaExecutor>, buffer: &Buffer) {
    if let Err(missing) = Nvrtc::open(12) {
        eprintln!("skipped: {missing}");
        return;
    }
    let layout = Layout::contiguous("main", &[250]).unwrap();
    let operand = Operand { buffer, layout: &layout, dtype: DType::Int32 };
    let fill = || -> Result<()> { device.fill(operand, Scalar::Int(7)) };
    fill().expect("started");
    assert_eq!(fake.ask("fake_launches"), 1);
    let sizes = |name| [0, 1, 2].map(|d| fake.at(name, d));
    assert_eq!((sizes("fake_grid"), sizes("fake_block")), ([1, 1, 1], [256, 1, 1]));
    assert_eq!(fake.ask("fake_parameter"), 250);
    // A launch that the driver refuses, a module that it does not load: the next call may go well.
    fake.fail(0, 701);
    let refused = fill().expect_err("the kernel needs too much").to_string();
    assert!(refused.contains("cuLaunchKernel") && !refused.contains("restart"), "{refused}");
    fill().expect("started");
    let other = Operand { dtype: DType::Int16, ..operand };
    fake.fail(0, 209);
    let refused = device.fill(other, Scalar::Int(7)).expect_err("the module is not loaded").to_string();
    assert!(refused.contains("fill") && refused.contains("209"), "{refused}");
    fake.fail(-1, 0);
    device.fill(other, Scalar::Int(7)).expect("loaded at the second try");
    // A kernel that fails while it runs is told of by what comes next, and by everything after that.
    fake.fail(0, 719);
    let mut bytes = [0; 4];
    let told = |result: Result<()>| {
        let text = result.expect_err("the device is lost").to_string();
        assert!(text.contains("719") && text.contains("restart"), "{text}");
    };
    told(device.read(buffer, 0, &mut bytes));
    told(fill());
    told(device.write(buffer, 0, &bytes));
    let (executor, address) = (device.executor(), buffer.address());
    told(executor.copy(executor.default_stream(), (address, 0), (address, 8), 4));
    told(Buffer::allocate(device.allocator(), 64 << 20).map(drop));
    told(device.synchronize());
    fake.fail(-1, 0);
}

fn a_fault_is_told(fake: &Fake, device: &GpuBackend<CudaExecutor>) {
    fake.fail(0, 700);
    for _ in 0..2 {
        let fault = device.synchronize().expect_err("the fault stays");
        let text = fault.to_string();
        assert!(text.contains("CUDA_ERROR_ILLEGAL_ADDRESS") && text.contains("restart"), "{text}");
    }
}
