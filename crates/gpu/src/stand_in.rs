//! An executor for tests: memory of a limited size without content, and programs that are their texts.
#![allow(clippy::unwrap_used)]

use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustorch_backend::memory::fork::Mutex;
use rustorch_backend::{DType, DeviceInfo, DeviceKind};
use rustorch_error::Result;

use crate::dialect::{Dialect, Signature};
use crate::executor::{KernelExecutor, Launch, Limits, Transfer};

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
    /// Whether nothing that is queued gets done.
    stalled: AtomicBool,
    recorded: AtomicUsize,
    waited: AtomicUsize,
    streams: AtomicUsize,
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
            stalled: AtomicBool::new(false),
            recorded: AtomicUsize::new(0),
            waited: AtomicUsize::new(0),
            streams: AtomicUsize::new(0),
        }
    }

    /// From now on nothing that is queued gets done, or everything at once.
    pub(crate) fn stall(&self, stalled: bool) {
        self.stalled.store(stalled, Ordering::Relaxed);
    }

    /// How many events were recorded.
    pub(crate) fn recorded(&self) -> usize {
        self.recorded.load(Ordering::Relaxed)
    }

    /// How often a stream was waited for.
    pub(crate) fn waited(&self) -> usize {
        self.waited.load(Ordering::Relaxed)
    }

    /// How many streams were made.
    pub(crate) fn streams(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
    }

    /// The bytes that the driver has given out.
    pub(crate) fn in_use(&self) -> usize {
        self.blocks.lock().iter().map(|(_, bytes)| bytes).sum()
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
    type Stream = ();
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
            return Err(self.out_of_memory(bytes, ""));
        }
        let name = self.names.fetch_add(1, Ordering::Relaxed) + 1;
        let address = NonNull::without_provenance(name.try_into().unwrap());
        self.blocks.lock().push((name, bytes));
        Ok(address)
    }
    unsafe fn free(&self, address: NonNull<u8>) {
        let mut blocks = self.blocks.lock();
        let at = blocks
            .iter()
            .position(|&(name, _)| name == address.addr().get())
            .expect("a block that was given out");
        blocks.swap_remove(at);
    }
    fn allocate_pinned(&self, bytes: usize) -> Result<NonNull<u8>> {
        self.allocate(bytes)
    }
    unsafe fn free_pinned(&self, address: NonNull<u8>) {
        // SAFETY: as for `free`.
        unsafe { self.free(address) };
    }
    unsafe fn write(&self, (): &(), _: &Transfer) -> Result<()> {
        Ok(())
    }
    unsafe fn read(&self, (): &(), _: &Transfer) -> Result<()> {
        Ok(())
    }
    fn copy(&self, (): &(), _: (NonNull<u8>, usize), _: (NonNull<u8>, usize), _: usize) -> Result<()> {
        Ok(())
    }
    fn compile(&self, _: &str, text: &str) -> Result<Vec<u8>> {
        self.compiled.fetch_add(1, Ordering::Relaxed);
        Ok(text.as_bytes().to_vec())
    }
    fn load(&self, _: &str, binary: &[u8]) -> Result<Vec<u8>> {
        Ok(binary.to_vec())
    }
    fn launch(&self, (): &(), _: &Vec<u8>, _: &Launch<'_>) -> Result<()> {
        Ok(())
    }
    fn default_stream(&self) -> &() {
        &()
    }
    fn create_stream(&self, _: i32) -> Result<()> {
        self.streams.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
    fn synchronize(&self, (): &()) -> Result<()> {
        self.waited.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
    fn record(&self, (): &(), _: bool) -> Result<()> {
        self.recorded.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
    fn wait_event(&self, (): &(), (): &()) -> Result<()> {
        Ok(())
    }
    fn is_done(&self, (): &()) -> Result<bool> {
        Ok(!self.stalled.load(Ordering::Relaxed))
    }
    fn wait(&self, (): &()) -> Result<()> {
        Ok(())
    }
    unsafe fn extent(&self, _: NonNull<u8>) -> Result<Option<usize>> {
        Ok(None)
    }
    fn elapsed_time(&self, (): &(), (): &()) -> Result<f64> {
        Ok(0.0)
    }
}
