//! An executor for tests: memory of a limited size without content, and programs that are their texts.
#![allow(clippy::unwrap_used)]

use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustorch_backend::{DType, DeviceInfo, DeviceKind};
use rustorch_error::{Result, RusTorchError};

use crate::dialect::{Dialect, Signature};
use crate::executor::{KernelExecutor, Launch, Limits};

/// How many bytes the device has.
pub(crate) const MEMORY: usize = 1 << 20;

pub(crate) struct StandIn {
    info: DeviceInfo,
    limits: Limits,
    /// What is allocated: addresses that are nothing but names, and sizes.
    blocks: Mutex<Vec<(usize, usize)>>,
    names: AtomicUsize,
    /// How many texts were compiled.
    pub(crate) compiled: AtomicUsize,
}

impl StandIn {
    pub(crate) fn new() -> Self {
        let info = DeviceInfo {
            kind: DeviceKind::OpenCl,
            name: "stand-in".into(),
            parallelism: 1,
            architecture: String::new(),
            memory: Some(MEMORY as u64),
            driver: String::new(),
            lacks: vec![DType::Float64],
            is_host: false,
        };
        let limits = Limits {
            group_size: 256,
            groups: [u32::MAX, 4, 1],
            shared_bytes: 1 << 15,
            memory_bytes: MEMORY as u64,
            largest_allocation: MEMORY as u64,
            has_f64: false,
        };
        StandIn {
            info,
            limits,
            blocks: Mutex::default(),
            names: AtomicUsize::new(0),
            compiled: AtomicUsize::new(0),
        }
    }

    /// The bytes that the driver has given out.
    pub(crate) fn in_use(&self) -> usize {
        self.blocks.lock().unwrap().iter().map(|(_, bytes)| bytes).sum()
    }
}

struct Plain;

impl Dialect for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }
    fn prelude(&self) -> &'static str {
        ""
    }
    fn signature(&self, signature: &Signature<'_>) -> (String, String) {
        (format!("kernel {}", signature.name), String::new())
    }
}

impl KernelExecutor for StandIn {
    type Kernel = Vec<u8>;
    type Event = ();

    fn info(&self) -> &DeviceInfo {
        &self.info
    }
    fn limits(&self) -> &Limits {
        &self.limits
    }
    fn dialect(&self) -> &'static dyn Dialect {
        &Plain
    }
    fn identity(&self) -> &'static str {
        "stand-in 1.0"
    }
    fn allocate(&self, bytes: usize) -> Result<NonNull<u8>> {
        if self.in_use() + bytes > MEMORY {
            return Err(RusTorchError::OutOfMemory { bytes, device: "stand-in".into(), hint: String::new() });
        }
        let name = self.names.fetch_add(1, Ordering::Relaxed) + 1;
        let address = NonNull::without_provenance(name.try_into().unwrap());
        self.blocks.lock().unwrap().push((name, bytes));
        Ok(address)
    }
    unsafe fn free(&self, address: NonNull<u8>) {
        let mut blocks = self.blocks.lock().unwrap();
        let at = blocks
            .iter()
            .position(|&(name, _)| name == address.addr().get())
            .expect("a block that was given out");
        blocks.swap_remove(at);
    }
    fn write(&self, _: NonNull<u8>, _: usize, _: &[u8]) -> Result<()> {
        Ok(())
    }
    fn read(&self, _: NonNull<u8>, _: usize, _: &mut [u8]) -> Result<()> {
        Ok(())
    }
    fn copy(&self, _: (NonNull<u8>, usize), _: (NonNull<u8>, usize), _: usize) -> Result<()> {
        Ok(())
    }
    fn compile(&self, _: &str, text: &str) -> Result<Vec<u8>> {
        self.compiled.fetch_add(1, Ordering::Relaxed);
        Ok(text.as_bytes().to_vec())
    }
    fn load(&self, _: &str, binary: &[u8]) -> Result<Vec<u8>> {
        Ok(binary.to_vec())
    }
    fn launch(&self, _: &Vec<u8>, _: &Launch<'_>) -> Result<()> {
        Ok(())
    }
    fn record(&self) -> Result<()> {
        Ok(())
    }
    fn is_done(&self, (): &()) -> Result<bool> {
        Ok(true)
    }
    fn wait(&self, (): &()) -> Result<()> {
        Ok(())
    }
    fn synchronize(&self) -> Result<()> {
        Ok(())
    }
}
