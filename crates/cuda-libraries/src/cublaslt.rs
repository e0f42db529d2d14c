//! cuBLASLt: products of matrices on tensor cores.
//!
//! The library counts matrices column by column. Memory of a row-major matrix is, to it, the transposed one's; so it is
//! asked for `cᵀ = bᵀ aᵀ`, and a bias of one element per column of c is one per row of what it computes.

use std::collections::HashMap;
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

use rustorch_backend::DType;
use rustorch_backend::memory::fork::Mutex;
use rustorch_error::{Result, RusTorchError};
use rustorch_gpu::{Float32Precision, Matrix, MatrixProduct, Workspace};

use crate::objects::{Code, Factor, Handle, Owned, Stream, address};
use crate::search::Library;

/// Where it is found.
pub const LIBRARY: Library = Library {
    name: "cuBLASLt",
    variable: "RUSTORCH_CUBLASLT_LIBRARY",
    package: "nvidia-cublas",
    files: if cfg!(windows) {
        &[
            (13, "cublasLt64_13.dll", "nvidia/cu13/bin/x86_64"),
            (12, "cublasLt64_12.dll", "nvidia/cublas/bin"),
            (11, "cublasLt64_11.dll", "nvidia/cublas/bin"),
        ]
    } else {
        &[
            (13, "libcublasLt.so.13", "nvidia/cu13/lib"),
            (12, "libcublasLt.so.12", "nvidia/cublas/lib"),
            (11, "libcublasLt.so.11", "nvidia/cublas/lib"),
        ]
    },
    first: None,
};

/// How a product is computed: what `cublasLtMatmulAlgoGetHeuristic` answers.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
struct Heuristic {
    algorithm: [u64; 8],
    workspace: usize,
    state: Code,
    waves: f32,
    reserved: [c_int; 4],
}

rustorch_gpu::functions! {
    /// cuBLASLt of CUDA 11.2 or later.
    Functions {
        fn cublasLtCreate(*mut Handle) -> Code;
        fn cublasLtMatmulDescCreate(*mut Handle, c_int, c_int) -> Code;
        fn cublasLtMatmulDescSetAttribute(Handle, c_int, *const c_void, usize) -> Code;
        fn cublasLtMatmulDescDestroy(Handle) -> Code;
        fn cublasLtMatrixLayoutCreate(*mut Handle, c_int, u64, u64, i64) -> Code;
        fn cublasLtMatrixLayoutSetAttribute(Handle, c_int, *const c_void, usize) -> Code;
        fn cublasLtMatrixLayoutDestroy(Handle) -> Code;
        fn cublasLtMatmulPreferenceCreate(*mut Handle) -> Code;
        fn cublasLtMatmulPreferenceSetAttribute(Handle, c_int, *const c_void, usize) -> Code;
        fn cublasLtMatmulPreferenceDestroy(Handle) -> Code;
        fn cublasLtMatmulAlgoGetHeuristic(Handle, Handle, Handle, Handle, Handle, Handle, Handle, c_int, *mut Heuristic, *mut c_int) -> Code;
        fn cublasLtMatmul(Handle, Handle, *const c_void, *const c_void, Handle, *const c_void, Handle, *const c_void, *const c_void, Handle, *mut c_void, Handle, *const [u64; 8], *mut c_void, usize, Handle) -> Code;
    }
}

// The numbers are those of cublasLt.h, cublas_api.h and library_types.h, the same since CUDA 11.
const NOT_SUPPORTED: Code = 15;
const COMPUTE_32F: c_int = 68;
const COMPUTE_32F_FAST_16BF: c_int = 75;
const COMPUTE_32F_FAST_TF32: c_int = 77;
const COMPUTE_64F: c_int = 70;
const R_32F: c_int = 0;
const R_64F: c_int = 1;
const R_16F: c_int = 2;
const R_16BF: c_int = 14;
const DESC_TRANSA: c_int = 3;
const DESC_TRANSB: c_int = 4;
const DESC_EPILOGUE: c_int = 7;
const DESC_BIAS_POINTER: c_int = 8;
const EPILOGUE_BIAS: c_int = 4;
const LAYOUT_BATCH_COUNT: c_int = 5;
const LAYOUT_STRIDED_BATCH_OFFSET: c_int = 6;
const PREF_MAX_WORKSPACE_BYTES: c_int = 1;
/// The first of four: those of a, b, c and d.
const PREF_MIN_ALIGNMENT_A_BYTES: c_int = 5;

/// What an algorithm may want for itself: what NVIDIA recommends for Hopper.
const WORKSPACE: u64 = 32 << 20;
/// Plans that are kept at most.
const PLANS: usize = 4096;

/// A matrix as the library counts: column by column, `leading` elements from one to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Side {
    transposed: bool,
    leading: i64,
    batch_stride: i64,
    /// Of its first element's address, in bytes.
    alignment: u32,
}

/// What a plan depends on. `a` is the library's left factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Problem {
    dtype: DType,
    compute: c_int,
    has_bias: bool,
    rows: u64,
    columns: u64,
    inner: u64,
    batch: i32,
    a: Side,
    b: Side,
    d: Side,
}

/// A product of given sizes, ready to be queued.
struct Plan {
    description: Owned,
    layouts: [Owned; 3],
    algorithm: [u64; 8],
    workspace: usize,
}

/// The library, for one device.
pub struct CublasLt {
    functions: Functions,
    handle: Handle,
    /// `None` for what the library does not compute. Descriptions are changed at each call, so one thread has them.
    plans: Mutex<HashMap<Problem, Option<Plan>>>,
}

// SAFETY: the library's handle may be used from any thread, and the plans are behind a lock.
unsafe impl Send for CublasLt {}
// SAFETY: as above.
unsafe impl Sync for CublasLt {}

/// Calls a function of the library, in an `unsafe` block, and makes an error of a code that is not 0.
macro_rules! call {
    ($functions:expr, $function:ident $(, $argument:expr)* $(,)?) => {
        check(stringify!($function), ($functions.$function)($($argument),*))
    };
}

fn check(function: &'static str, code: Code) -> Result<()> {
    let meaning = match code {
        0 => return Ok(()),
        1 => "not initialised",
        3 => "out of memory",
        7 => "an invalid value",
        8 => "the device is too old",
        13 => "the device failed",
        14 => "an internal error",
        NOT_SUPPORTED => "not supported",
        _ => "an error",
    };
    Err(RusTorchError::device(function, format!("cuBLASLt answered {code}: {meaning}")))
}

impl CublasLt {
    /// The newest library that works with a driver of CUDA `most`, for the device whose context is current.
    ///
    /// # Errors
    /// There is none, or it does not start.
    pub fn open(most: i32) -> Result<Self> {
        let functions = Functions::load("cuda", LIBRARY.open(most)?)?;
        let mut handle = null_mut();
        // SAFETY: a place for the handle.
        unsafe { call!(functions, cublasLtCreate, &raw mut handle) }?;
        Ok(CublasLt { functions, handle, plans: Mutex::default() })
    }

    /// Queues a product on `stream`, if the library computes it; the device's context is current. `workspace` gives memory
    /// that work queued before it is dropped may use.
    ///
    /// # Errors
    /// The library's, or that of `workspace`.
    pub fn multiply(
        &self,
        product: &MatrixProduct<'_>,
        workspace: &Workspace<'_>,
        stream: Stream,
    ) -> Result<bool> {
        let Some((problem, [a, b])) = Problem::new(product) else { return Ok(false) };
        let d = address(product.c.operand).cast_mut();
        let bias = product.bias.map_or(std::ptr::null(), address);
        let mut plans = self.plans.lock();
        if plans.len() >= PLANS {
            plans.clear();
        }
        let plan = match plans.entry(problem) {
            std::collections::hash_map::Entry::Occupied(kept) => kept.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => place.insert(self.plan(&problem, bias)?),
        };
        let Some(plan) = plan else { return Ok(false) };
        if problem.has_bias {
            self.describe(&plan.description, DESC_BIAS_POINTER, &bias)?;
        }
        let memory = if plan.workspace > 0 { Some(workspace(plan.workspace)?) } else { None };
        let work = memory.as_ref().map_or(null_mut(), |memory| memory.address().as_ptr().cast());
        let (alpha, beta) =
            (Factor::new(product.alpha, problem.dtype), Factor::new(product.beta, problem.dtype));
        let [layout_a, layout_b, layout_d] = plan.layouts.each_ref().map(|layout| layout.handle);
        let (description, algorithm) = (plan.description.handle, &raw const plan.algorithm);
        // SAFETY: the plan was made for matrices of these places, sizes and alignment; the factors are of its scale type.
        unsafe {
            call!(
                self.functions,
                cublasLtMatmul,
                self.handle,
                description,
                alpha.place(),
                a,
                layout_a,
                b,
                layout_b,
                beta.place(),
                d.cast_const(),
                layout_d,
                d,
                layout_d,
                algorithm,
                work,
                plan.workspace,
                stream.handle(),
            )
        }?;
        Ok(true)
    }

    fn describe<T>(&self, description: &Owned, attribute: c_int, value: &T) -> Result<()> {
        let (value, bytes) = (std::ptr::from_ref(value).cast(), size_of::<T>());
        // SAFETY: the attribute is of the value's type.
        unsafe {
            call!(self.functions, cublasLtMatmulDescSetAttribute, description.handle, attribute, value, bytes)
        }
    }

    fn layout(&self, problem: &Problem, side: Side, [rows, columns]: [u64; 2]) -> Result<Owned> {
        let (rows, columns) = if side.transposed { (columns, rows) } else { (rows, columns) };
        let (functions, mut handle) = (&self.functions, null_mut());
        let (dtype, leading) = (data_type(problem.dtype), side.leading);
        // SAFETY: a place for the handle.
        unsafe {
            call!(functions, cublasLtMatrixLayoutCreate, &raw mut handle, dtype, rows, columns, leading)
        }?;
        let layout = Owned { handle, destroy: functions.cublasLtMatrixLayoutDestroy };
        if problem.batch > 1 {
            let set = |attribute, value: *const c_void, bytes| {
                // SAFETY: the value has the attribute's type, as below.
                unsafe { call!(functions, cublasLtMatrixLayoutSetAttribute, handle, attribute, value, bytes) }
            };
            set(LAYOUT_BATCH_COUNT, (&raw const problem.batch).cast(), size_of::<i32>())?;
            set(LAYOUT_STRIDED_BATCH_OFFSET, (&raw const side.batch_stride).cast(), size_of::<i64>())?;
        }
        Ok(layout)
    }

    /// The library's choice of an algorithm; `None` where it has none.
    fn plan(&self, problem: &Problem, bias: *const c_void) -> Result<Option<Plan>> {
        let (functions, mut handle) = (&self.functions, null_mut());
        let scale = if problem.dtype == DType::Float64 { R_64F } else { R_32F };
        // SAFETY: a place for the handle.
        unsafe { call!(functions, cublasLtMatmulDescCreate, &raw mut handle, problem.compute, scale) }?;
        let description = Owned { handle, destroy: functions.cublasLtMatmulDescDestroy };
        self.describe(&description, DESC_TRANSA, &c_int::from(problem.a.transposed))?;
        self.describe(&description, DESC_TRANSB, &c_int::from(problem.b.transposed))?;
        if problem.has_bias {
            self.describe(&description, DESC_EPILOGUE, &EPILOGUE_BIAS)?;
            self.describe(&description, DESC_BIAS_POINTER, &bias)?;
        }
        let layouts = [
            self.layout(problem, problem.a, [problem.rows, problem.inner])?,
            self.layout(problem, problem.b, [problem.inner, problem.columns])?,
            self.layout(problem, problem.d, [problem.rows, problem.columns])?,
        ];
        let mut handle = null_mut();
        // SAFETY: a place for the handle.
        unsafe { call!(functions, cublasLtMatmulPreferenceCreate, &raw mut handle) }?;
        let preference = Owned { handle, destroy: functions.cublasLtMatmulPreferenceDestroy };
        let prefer = |attribute, value: *const c_void, bytes| {
            // SAFETY: the value has the attribute's type, as below.
            unsafe { call!(functions, cublasLtMatmulPreferenceSetAttribute, handle, attribute, value, bytes) }
        };
        let most = WORKSPACE;
        prefer(PREF_MAX_WORKSPACE_BYTES, (&raw const most).cast(), size_of::<u64>())?;
        for (n, side) in [problem.a, problem.b, problem.d, problem.d].iter().enumerate() {
            let attribute = PREF_MIN_ALIGNMENT_A_BYTES + n as c_int;
            prefer(attribute, (&raw const side.alignment).cast(), size_of::<u32>())?;
        }
        let mut best = Heuristic { algorithm: [0; 8], workspace: 0, state: 0, waves: 0.0, reserved: [0; 4] };
        let mut found = 0;
        let [a, b, d] = layouts.each_ref().map(|layout| layout.handle);
        let ask = functions.cublasLtMatmulAlgoGetHeuristic;
        let (description_handle, preference_handle) = (description.handle, preference.handle);
        // SAFETY: there is room for the one answer that is asked for.
        let code = unsafe {
            ask(
                self.handle,
                description_handle,
                a,
                b,
                d,
                d,
                preference_handle,
                1,
                &raw mut best,
                &raw mut found,
            )
        };
        if code == NOT_SUPPORTED || code == 0 && (found == 0 || best.state != 0) {
            return Ok(None);
        }
        check("cublasLtMatmulAlgoGetHeuristic", code)?;
        Ok(Some(Plan { description, layouts, algorithm: best.algorithm, workspace: best.workspace }))
    }
}

impl Problem {
    /// A product as the library counts, with the addresses of its two factors; `None` where it has no words for it.
    fn new(product: &MatrixProduct<'_>) -> Option<(Problem, [*const c_void; 2])> {
        let dtype = product.dtype;
        if !matches!(dtype, DType::Float32 | DType::Float64 | DType::Float16 | DType::BFloat16) {
            return None;
        }
        let compute = match (dtype, product.precision) {
            (DType::Float64, _) => COMPUTE_64F,
            (DType::Float32, Float32Precision::High) => COMPUTE_32F_FAST_TF32,
            (DType::Float32, Float32Precision::Medium) => COMPUTE_32F_FAST_16BF,
            _ => COMPUTE_32F,
        };
        let MatrixProduct { m, n, k, .. } = *product;
        // A sum of nothing is not asked for, and sizes are the library's ints.
        if k == 0 || [m, n, k, product.batch].iter().any(|&size| size == 0 || i32::try_from(size).is_err()) {
            return None;
        }
        if product.bias.is_some_and(|bias| alignment(address(bias)) < 16) {
            return None;
        }
        // The transposed factors: b is the left one.
        let a = side(product.b, [k, n])?;
        let b = side(product.a, [m, k])?;
        let d = side(product.c, [m, n])?;
        if d.transposed || product.batch > 1 && d.batch_stride == 0 {
            return None;
        }
        let problem = Problem {
            dtype,
            compute,
            has_bias: product.bias.is_some(),
            rows: n as u64,
            columns: m as u64,
            inner: k as u64,
            batch: product.batch as i32,
            a,
            b,
            d,
        };
        Some((problem, [address(product.b.operand), address(product.a.operand)]))
    }
}

/// How a matrix of `rows` by `columns` lies, if its rows or its columns are contiguous and do not overlap: not transposed
/// when the rows are, as the library sees its transposed.
fn side(matrix: Matrix<'_>, [rows, columns]: [usize; 2]) -> Option<Side> {
    let (row, column) = matrix.strides;
    let fits = |step: isize, length: usize, count: usize| {
        if count == 1 { Some(length as i64) } else { (step >= length as isize).then_some(step as i64) }
    };
    let by_rows = (column == 1 || columns == 1).then(|| fits(row, columns, rows)).flatten();
    let by_columns = || (row == 1 || rows == 1).then(|| fits(column, rows, columns)).flatten();
    let (transposed, leading) = match by_rows {
        Some(leading) => (false, leading),
        None => (true, by_columns()?),
    };
    if matrix.batch_stride < 0 {
        return None;
    }
    let alignment = alignment(address(matrix.operand));
    Some(Side { transposed, leading, batch_stride: matrix.batch_stride as i64, alignment })
}

/// The largest power of two up to 256 that divides an address.
fn alignment(address: *const c_void) -> u32 {
    1 << address.addr().trailing_zeros().min(8)
}

/// The library's number of a dtype.
fn data_type(dtype: DType) -> c_int {
    match dtype {
        DType::Float64 => R_64F,
        DType::Float16 => R_16F,
        DType::BFloat16 => R_16BF,
        _ => R_32F,
    }
}
