//! Matrix products of 64 to 2048, on one thread and on all: `cargo bench -p rustorch-cpu-simd --bench gemm`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::{Duration, Instant};

use rustorch_backend::memory::PoolAllocator;
use rustorch_backend::{Buffer, ComputeBackend, DType, Epilogue, Layout, Operand, Scalar, kernel};
use rustorch_cpu_simd::{CpuBackend, threads};

/// The best and the median time of a product, in seconds, over 0.3 s of repetitions.
fn measure(backend: &impl ComputeBackend, size: usize) -> (f64, f64) {
    let layout = Layout::contiguous("gemm", &[size, size]).unwrap();
    let buffers: [Buffer; 3] =
        std::array::from_fn(|_| Buffer::allocate(PoolAllocator::global(), size * size * 4).unwrap());
    let [a, b, c] =
        [0, 1, 2].map(|i| Operand { buffer: &buffers[i], layout: &layout, dtype: DType::Float32 });
    for operand in [a, b, c] {
        backend.fill(operand, Scalar::Float(0.5)).unwrap();
    }
    let mut times = Vec::new();
    let start = Instant::now();
    while times.len() < 5 || start.elapsed() < Duration::from_millis(300) {
        let before = Instant::now();
        backend
            .run(&kernel::MatrixMultiply { a, b, output: c, epilogue: Epilogue::default() }.into())
            .unwrap();
        times.push(before.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    (times[0], times[times.len() / 2])
}

fn main() {
    let backend = CpuBackend::new().unwrap();
    let all = threads::num_threads();
    for threads in if all == 1 { vec![1] } else { vec![1, all] } {
        threads::set_num_threads(threads);
        for size in [64, 128, 256, 512, 1024, 2048] {
            let (best, median) = measure(&backend, size);
            let work = 2.0 * (size as f64).powi(3) / 1e9;
            println!(
                "{threads} threads, {size:4}: best {:6.1}, median {:6.1} GFLOP/s",
                work / best,
                work / median
            );
        }
    }
}
