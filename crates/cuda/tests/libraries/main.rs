//! Products of matrices through cuBLASLt, as a library in its place understands its descriptions, against the CPU. It shows
//! nothing about a GPU: driver and library work in the host's memory.
#![allow(unsafe_code, clippy::expect_used, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::Command;

use rustorch_backend::memory::{as_bytes, from_bytes};
use rustorch_backend::{
    Buffer, ComputeBackend, DType, Dims, Element, Epilogue, Layout, Operand, Scalar, Shape, with_element,
};
use rustorch_cpu_simd::CpuBackend;
use rustorch_error::Result;
use rustorch_gpu::{Float32Precision, set_float32_matmul_precision};

/// A library of `tests/driver`, compiled; `None` where there is no C compiler.
fn build(name: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.so", std::process::id()));
    let source = format!("{}/tests/driver/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let compiled = Command::new("gcc").args(["-O1", "-shared", "-fPIC", &source, "-o"]).arg(&file).arg("-lm").status();
    compiled.is_ok_and(|status| status.success()).then_some(file)
}

/// A matrix of a batch in memory: rows, columns or both apart, from an odd element on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    Rows,
    Columns,
    RowsApart,
    ColumnsApart,
    Neither,
}

fn layout(lead: &[usize], [rows, columns]: [usize; 2], lie: Lie, spread: bool) -> Layout {
    let (row, column, size, offset) = match lie {
        Lie::Rows => (columns, 1, rows * columns, 0),
        Lie::Columns => (1, rows, rows * columns, 0),
        Lie::RowsApart => (columns + 3, 1, rows * (columns + 3), 5),
        Lie::ColumnsApart => (1, rows + 2, columns * (rows + 2), 1),
        Lie::Neither => (columns * 2, 2, rows * columns * 2, 0),
    };
    let mut strides: Dims<isize> = [row as isize, column as isize].as_slice().into();
    let mut step = (size + usize::from(lie == Lie::RowsApart)) as isize;
    for &count in lead.iter().rev() {
        strides.insert(0, if spread { 0 } else { step });
        step *= count as isize;
    }
    let shape: Vec<usize> = lead.iter().copied().chain([rows, columns]).collect();
    Layout::new(Shape::from_slice(&shape), strides, offset)
}

fn noise(seed: u64, n: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// Bytes of random elements, as many as a layout reaches.
fn bytes(seed: u64, dtype: DType, layout: &Layout) -> Vec<u8> {
    let reach = layout.span().map_or(0, |(_, high)| high + 1);
    with_element!(dtype, T => {
        let elements: Vec<T> =
            noise(seed, reach).into_iter().map(|v| T::from_scalar(Scalar::Float(v))).collect();
        as_bytes(&elements).to_vec()
    }, else { Vec::new() })
}

fn number(dtype: DType, bytes: &[u8]) -> f64 {
    with_element!(dtype, T => from_bytes::<T>(bytes).to_scalar().to_f64(), else { f64::NAN })
}

/// A product's operands and what is done to it.
#[derive(Debug, Clone)]
struct Case {
    dtype: DType,
    lead: Vec<usize>,
    sizes: [usize; 3],
    lies: [Lie; 3],
    /// Whether all of a batch share a factor.
    shared: [bool; 2],
    factors: (f64, f64),
    biased: bool,
}

/// What `backend` leaves in the output's memory.
fn run(backend: &dyn ComputeBackend, case: &Case) -> Result<Vec<u8>> {
    let [m, k, n] = case.sizes;
    let layouts = [
        layout(&case.lead, [m, k], case.lies[0], case.shared[0]),
        layout(&case.lead, [k, n], case.lies[1], case.shared[1]),
        layout(&case.lead, [m, n], case.lies[2], false),
        Layout::contiguous(&[n]),
    ];
    let mut buffers = Vec::new();
    let mut output = Vec::new();
    for (seed, layout) in layouts.iter().enumerate() {
        output.push(bytes(seed as u64 + 1, case.dtype, layout));
        let buffer = Buffer::allocate(backend.allocator(), output[seed].len())?;
        backend.write(&buffer, 0, &output[seed])?;
        buffers.push(buffer);
    }
    let operands: Vec<Operand<'_>> = layouts
        .iter()
        .zip(&buffers)
        .map(|(layout, buffer)| Operand { buffer, layout, dtype: case.dtype })
        .collect();
    let bias = case.biased.then(|| operands[3]);
    let epilogue = Epilogue { alpha: case.factors.0, beta: case.factors.1, bias };
    backend.matrix_multiply(operands[0], operands[1], operands[2], epilogue)?;
    let mut bytes = output.swap_remove(2);
    backend.read(&buffers[2], 0, &mut bytes)?;
    Ok(bytes)
}

/// What the library was asked.
struct Fake(libloading::Library);

impl Fake {
    fn ask(&self, name: &str) -> i32 {
        // SAFETY: the library has a function of this name and type.
        unsafe { self.0.get::<extern "C" fn() -> i32>(name.as_bytes()).expect(name)() }
    }
}

#[test]
fn products_are_described_as_they_are() {
    let (Some(driver), Some(library)) = (build("libcuda"), build("libcublasLt")) else {
        eprintln!("skipped: there is no gcc");
        return;
    };
    // SAFETY: this is the only test of the process, and no other thread reads the environment.
    unsafe {
        std::env::set_var("RUSTORCH_CUDA_LIBRARY", &driver);
        std::env::set_var("RUSTORCH_CUBLASLT_LIBRARY", &library);
        std::env::set_var("RUSTORCH_NVRTC_LIBRARY", "/nowhere");
        std::env::set_var("RUSTORCH_CACHE_DIR", "");
    }
    // SAFETY: the library has no initialisers.
    let fake = Fake(unsafe { libloading::Library::new(&library) }.expect("the library is opened"));
    let [device] = rustorch_cuda::devices().expect("the driver starts") else { panic!("one device") };
    let cpu = CpuBackend::new().expect("the CPU backend starts");
    let mut products = 0;
    for case in cases() {
        let expected = run(&cpu, &case).unwrap_or_else(|error| panic!("{case:?}: the CPU: {error}"));
        let got = run(*device, &case).unwrap_or_else(|error| panic!("{case:?}: {error}"));
        products += 1;
        assert_eq!(fake.ask("fake_products"), products, "{case:?} did not reach the library");
        let size = case.dtype.size();
        let exact = match case.dtype {
            DType::Float64 => 1e-12,
            DType::Float32 => 1e-5,
            DType::Float16 => 2e-3,
            _ => 1.6e-2,
        };
        for (at, (want, have)) in expected.chunks(size).zip(got.chunks(size)).enumerate() {
            let [want, have] = [want, have].map(|bytes| number(case.dtype, bytes));
            let near = (want - have).abs() <= exact * want.abs().max(1.0);
            assert!(near, "{case:?} element {at}: the CPU has {want}, the library {have}");
        }
    }
    let plans = fake.ask("fake_plans");
    run(*device, &cases()[0]).expect("the product");
    assert_eq!(fake.ask("fake_plans"), plans, "a plan is made once");
    precisions(&fake, *device);
    left_to_kernels(&fake, *device);
    let _ = (std::fs::remove_file(driver), std::fs::remove_file(library));
}

fn cases() -> Vec<Case> {
    let sizes = [[3, 5, 7], [64, 16, 8], [33, 2, 17], [5, 1, 4]];
    let lies = [Lie::Rows, Lie::Columns, Lie::RowsApart, Lie::ColumnsApart];
    let mut cases = Vec::new();
    for dtype in [DType::Float32, DType::Float64, DType::Float16, DType::BFloat16] {
        for (i, sizes) in sizes.into_iter().enumerate() {
            for (j, a) in lies.into_iter().enumerate() {
                let lies = [a, lies[(i + j) % 4], [Lie::Rows, Lie::RowsApart][(i + j) % 2]];
                let biased = (i + j) % 3 != 0 && !(dtype == DType::Float16 && lies[1] == Lie::ColumnsApart);
                let factors = [(1.0, 0.0), (0.5, -2.0), (2.0, 1.0)][j % 3];
                for (lead, shared) in [(vec![], [false; 2]), (vec![3], [false; 2]), (vec![2, 3], [i % 2 == 0, false])] {
                    cases.push(Case { dtype, lead, sizes, lies, shared, factors, biased });
                }
            }
        }
    }
    // Odd addresses of halves with a bias are none of the library's: see `left_to_kernels`.
    cases.retain(|case| !(case.dtype == DType::Float16 && case.biased && case.lies[1] != Lie::Rows && case.lies[1] != Lie::Columns));
    cases
}

/// The setting changes how float32 is multiplied, and nothing else.
fn precisions(fake: &Fake, device: &dyn ComputeBackend) {
    let case = |dtype| Case {
        dtype,
        lead: vec![],
        sizes: [4, 4, 4],
        lies: [Lie::Rows; 3],
        shared: [false; 2],
        factors: (1.0, 0.0),
        biased: false,
    };
    for (precision, compute) in
        [(Float32Precision::High, 77), (Float32Precision::Medium, 75), (Float32Precision::Highest, 68)]
    {
        set_float32_matmul_precision(precision);
        for (dtype, compute) in [(DType::Float32, compute), (DType::Float16, 68), (DType::Float64, 70)] {
            run(device, &case(dtype)).expect("the product");
            assert_eq!(fake.ask("fake_compute"), compute, "{dtype} {precision:?}");
        }
    }
}

/// What the library has no words for, or no algorithm, is for the kernels.
fn left_to_kernels(fake: &Fake, device: &dyn ComputeBackend) {
    let products = fake.ask("fake_products");
    let base = Case {
        dtype: DType::Float32,
        lead: vec![2],
        sizes: [4, 5, 6],
        lies: [Lie::Rows; 3],
        shared: [false; 2],
        factors: (1.0, 0.0),
        biased: false,
    };
    let others = [
        Case { lies: [Lie::Neither, Lie::Rows, Lie::Rows], ..base.clone() },
        Case { lies: [Lie::Rows, Lie::Rows, Lie::Columns], ..base.clone() },
        Case { sizes: [4, 5, 1], ..base.clone() },
        Case { dtype: DType::Int32, ..base.clone() },
        Case {
            dtype: DType::Float16,
            lies: [Lie::Rows, Lie::ColumnsApart, Lie::Rows],
            biased: true,
            ..base.clone()
        },
    ];
    for case in others {
        // The kernel may be one that needs the compiler, which is not here.
        let _ = run(device, &case);
        assert_eq!(fake.ask("fake_products"), products, "{case:?}");
    }
}
