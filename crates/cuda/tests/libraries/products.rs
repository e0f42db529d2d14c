//! Products of matrices through cuBLASLt.

use rustorch_backend::{Buffer, ComputeBackend, DType, Dims, Epilogue, Layout, Operand, Shape, kernel};
use rustorch_error::Result;
use rustorch_gpu::{Float32Precision, set_float32_matmul_precision};

use crate::Fake;
use crate::memory::{bytes, compare};

/// A matrix of a batch in memory: rows, columns or both apart, from an odd element on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MatrixLayout {
    Rows,
    Columns,
    RowsApart,
    ColumnsApart,
    Neither,
}

fn layout(lead: &[usize], [rows, columns]: [usize; 2], matrix_layout: MatrixLayout, spread: bool) -> Layout {
    let (row, column, size, offset) = match matrix_layout {
        MatrixLayout::Rows => (columns, 1, rows * columns, 0),
        MatrixLayout::Columns => (1, rows, rows * columns, 0),
        MatrixLayout::RowsApart => (columns + 3, 1, rows * (columns + 3), 5),
        MatrixLayout::ColumnsApart => (1, rows + 2, columns * (rows + 2), 1),
        MatrixLayout::Neither => (columns * 2, 2, rows * columns * 2, 0),
    };
    let mut strides: Dims<isize> = [row as isize, column as isize].as_slice().into();
    let mut step = (size + usize::from(matrix_layout == MatrixLayout::RowsApart)) as isize;
    for &count in lead.iter().rev() {
        strides.insert(0, if spread { 0 } else { step });
        step *= count as isize;
    }
    let shape: Vec<usize> = lead.iter().copied().chain([rows, columns]).collect();
    Layout::new("products", Shape::from_slice(&shape), strides, offset).unwrap()
}

/// A product's operands and what is done to it.
#[derive(Debug, Clone)]
struct Case {
    dtype: DType,
    lead: Vec<usize>,
    sizes: [usize; 3],
    matrix_layouts: [MatrixLayout; 3],
    /// Whether all of a batch share a factor.
    shared: [bool; 2],
    factors: (f64, f64),
    biased: bool,
}

/// What `backend` leaves in the output's memory.
fn run(backend: &dyn ComputeBackend, case: &Case) -> Result<Vec<u8>> {
    let [m, k, n] = case.sizes;
    let layouts = [
        layout(&case.lead, [m, k], case.matrix_layouts[0], case.shared[0]),
        layout(&case.lead, [k, n], case.matrix_layouts[1], case.shared[1]),
        layout(&case.lead, [m, n], case.matrix_layouts[2], false),
        Layout::contiguous("products", &[n]).unwrap(),
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
    backend.run(
        &kernel::MatrixMultiply { a: operands[0], b: operands[1], output: operands[2], epilogue }.into(),
    )?;
    let mut bytes = output.swap_remove(2);
    backend.read(&buffers[2], 0, &mut bytes)?;
    Ok(bytes)
}

/// Products are described to the library as they are.
pub fn test(fake: &Fake, cpu: &dyn ComputeBackend, device: &dyn ComputeBackend) {
    for (done, case) in cases().into_iter().enumerate() {
        let expected = run(cpu, &case).unwrap_or_else(|error| panic!("{case:?}: the CPU: {error}"));
        let got = run(device, &case).unwrap_or_else(|error| panic!("{case:?}: {error}"));
        assert_eq!(fake.ask("fake_products"), done as i32 + 1, "{case:?} did not reach the library");
        compare(&case, case.dtype, &expected, &got);
    }
    let plans = fake.ask("fake_plans");
    run(device, &cases()[0]).expect("the product");
    assert_eq!(fake.ask("fake_plans"), plans, "a plan is made once");
    precisions(fake, device);
    left_to_kernels(fake, device);
}

fn cases() -> Vec<Case> {
    let sizes = [[3, 5, 7], [64, 16, 8], [33, 2, 17], [5, 1, 4]];
    let matrix_layouts =
        [MatrixLayout::Rows, MatrixLayout::Columns, MatrixLayout::RowsApart, MatrixLayout::ColumnsApart];
    let mut cases = Vec::new();
    for dtype in [DType::Float32, DType::Float64, DType::Float16, DType::BFloat16] {
        for (i, sizes) in sizes.into_iter().enumerate() {
            for (j, a) in matrix_layouts.into_iter().enumerate() {
                let matrix_layouts = [
                    a,
                    matrix_layouts[(i + j) % 4],
                    [MatrixLayout::Rows, MatrixLayout::RowsApart][(i + j) % 2],
                ];
                let biased = (i + j) % 3 != 0
                    && !(dtype == DType::Float16 && matrix_layouts[1] == MatrixLayout::ColumnsApart);
                let factors = [(1.0, 0.0), (0.5, -2.0), (2.0, 1.0)][j % 3];
                for (lead, shared) in
                    [(vec![], [false; 2]), (vec![3], [false; 2]), (vec![2, 3], [i % 2 == 0, false])]
                {
                    cases.push(Case { dtype, lead, sizes, matrix_layouts, shared, factors, biased });
                }
            }
        }
    }
    // Odd addresses of halves with a bias are none of the library's: see `left_to_kernels`.
    cases.retain(|case| {
        !(case.dtype == DType::Float16
            && case.biased
            && case.matrix_layouts[1] != MatrixLayout::Rows
            && case.matrix_layouts[1] != MatrixLayout::Columns)
    });
    cases
}

/// The setting changes how float32 is multiplied, and nothing else.
fn precisions(fake: &Fake, device: &dyn ComputeBackend) {
    let case = |dtype| Case {
        dtype,
        lead: vec![],
        sizes: [4, 4, 4],
        matrix_layouts: [MatrixLayout::Rows; 3],
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
        matrix_layouts: [MatrixLayout::Rows; 3],
        shared: [false; 2],
        factors: (1.0, 0.0),
        biased: false,
    };
    let others = [
        Case {
            matrix_layouts: [MatrixLayout::Neither, MatrixLayout::Rows, MatrixLayout::Rows],
            ..base.clone()
        },
        Case {
            matrix_layouts: [MatrixLayout::Rows, MatrixLayout::Rows, MatrixLayout::Columns],
            ..base.clone()
        },
        Case { sizes: [4, 5, 1], ..base.clone() },
        Case { dtype: DType::Int32, ..base.clone() },
        Case {
            dtype: DType::Float16,
            matrix_layouts: [MatrixLayout::Rows, MatrixLayout::ColumnsApart, MatrixLayout::Rows],
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
