//! Faults that a simulator must find: `tests/oclgrind.sh` runs each, and fails when nothing is reported.

use rustorch::backend::{ComputeBackend, DType, Layout, Operand};
use rustorch_gpu::{Call, Device, GROUP, KernelText};

/// Runs a kernel of one group that writes `GROUP` numbers.
fn run(name: &'static str, text: &'static str) {
    let devices = rustorch_opencl::devices().expect("there is a driver");
    let device = devices.first().expect("there is a device");
    let buffer = device.temporary(GROUP as usize * 4).expect("there is memory");
    let layout = Layout::contiguous("faults", &[GROUP as usize]).unwrap();
    let call = Call::new(KernelText { name, text })
        .write("to", Operand { buffer: &buffer, layout: &layout, dtype: DType::Int32 })
        .shared("passed_on", "i32", GROUP as usize);
    Device::run(*device, call, [1, 1, 1]).expect("it is queued");
    ComputeBackend::synchronize(*device).expect("it runs");
}

#[test]
#[ignore = "it is wrong"]
fn fault_race() {
    run("fault_race", "KERNEL { passed_on[LID(0)] = LID(0); STORE_to(LID(0), passed_on[LID(0) ^ 1]); }");
}

#[test]
#[ignore = "it is wrong"]
fn fault_bounds() {
    run(
        "fault_bounds",
        "KERNEL { passed_on[LID(0)] = 1; BARRIER(); STORE_to(LID(0) + 1, passed_on[LID(0)]); }",
    );
}

#[test]
#[ignore = "it is right, as the others would be"]
fn fault_none() {
    run(
        "fault_none",
        "KERNEL { passed_on[LID(0)] = 1; BARRIER(); STORE_to(LID(0), passed_on[LID(0) ^ 1]); }",
    );
}
