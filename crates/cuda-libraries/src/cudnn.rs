//! cuDNN: convolutions and their gradients.
//!
//! The functions are those of cuDNN 7 that 8 and 9 still have: one call for each of the three, on tensors as they are. The
//! newer graphs would fuse what follows a convolution, which nothing here asks for.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

use rustorch_backend::memory::fork::Mutex;
use rustorch_backend::{DType, Operand};
use rustorch_error::{Result, RusTorchError};
use rustorch_gpu::{Convolution, ConvolutionPart, Float32Precision, Workspace};

use crate::objects::{Code, Factor, Handle, Owned, Stream, address};
use crate::search::Library;

/// Where it is found.
pub const LIBRARY: Library = Library {
    name: "cuDNN",
    variable: "RUSTORCH_CUDNN_LIBRARY",
    package: "nvidia-cudnn",
    files: if cfg!(windows) {
        &[
            (13, "cudnn64_9.dll", "nvidia/cudnn/bin"),
            (12, "cudnn64_9.dll", "nvidia/cudnn/bin"),
            (11, "cudnn64_8.dll", "nvidia/cudnn/bin"),
        ]
    } else {
        &[
            (13, "libcudnn.so.9", "nvidia/cudnn/lib"),
            (12, "libcudnn.so.9", "nvidia/cudnn/lib"),
            (11, "libcudnn.so.8", "nvidia/cudnn/lib"),
        ]
    },
    first: None,
};

/// What an algorithm is said to do: `cudnnConvolutionFwdAlgoPerf_t` and its like for the gradients.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
struct Choice {
    algorithm: c_int,
    status: Code,
    time: f32,
    memory: usize,
    deterministic: c_int,
    math: c_int,
    reserved: [c_int; 3],
}

/// Asks for algorithms: of two operands' descriptors, the convolution and the result's.
type Choose =
    unsafe extern "system" fn(Handle, Handle, Handle, Handle, Handle, c_int, *mut c_int, *mut Choice) -> Code;
/// Asks for an algorithm's workspace.
type Measure = unsafe extern "system" fn(Handle, Handle, Handle, Handle, Handle, c_int, *mut usize) -> Code;
/// Queues one of the three.
type Run = unsafe extern "system" fn(
    Handle,
    *const c_void,
    Handle,
    *const c_void,
    Handle,
    *const c_void,
    Handle,
    c_int,
    *mut c_void,
    usize,
    *const c_void,
    Handle,
    *mut c_void,
) -> Code;

rustorch_gpu::functions! {
    /// cuDNN 8 or 9.
    Functions {
        fn cudnnCreate(*mut Handle) -> Code;
        fn cudnnSetStream(Handle, Handle) -> Code;
        fn cudnnCreateTensorDescriptor(*mut Handle) -> Code;
        fn cudnnSetTensorNdDescriptor(Handle, c_int, c_int, *const c_int, *const c_int) -> Code;
        fn cudnnDestroyTensorDescriptor(Handle) -> Code;
        fn cudnnCreateFilterDescriptor(*mut Handle) -> Code;
        fn cudnnSetFilterNdDescriptor(Handle, c_int, c_int, c_int, *const c_int) -> Code;
        fn cudnnDestroyFilterDescriptor(Handle) -> Code;
        fn cudnnCreateConvolutionDescriptor(*mut Handle) -> Code;
        fn cudnnSetConvolutionNdDescriptor(Handle, c_int, *const c_int, *const c_int, *const c_int, c_int, c_int) -> Code;
        fn cudnnSetConvolutionGroupCount(Handle, c_int) -> Code;
        fn cudnnSetConvolutionMathType(Handle, c_int) -> Code;
        fn cudnnDestroyConvolutionDescriptor(Handle) -> Code;
        fn cudnnGetConvolutionForwardAlgorithm_v7(Handle, Handle, Handle, Handle, Handle, c_int, *mut c_int, *mut Choice) -> Code;
        fn cudnnGetConvolutionBackwardDataAlgorithm_v7(Handle, Handle, Handle, Handle, Handle, c_int, *mut c_int, *mut Choice) -> Code;
        fn cudnnGetConvolutionBackwardFilterAlgorithm_v7(Handle, Handle, Handle, Handle, Handle, c_int, *mut c_int, *mut Choice) -> Code;
        fn cudnnGetConvolutionForwardWorkspaceSize(Handle, Handle, Handle, Handle, Handle, c_int, *mut usize) -> Code;
        fn cudnnGetConvolutionBackwardDataWorkspaceSize(Handle, Handle, Handle, Handle, Handle, c_int, *mut usize) -> Code;
        fn cudnnGetConvolutionBackwardFilterWorkspaceSize(Handle, Handle, Handle, Handle, Handle, c_int, *mut usize) -> Code;
        fn cudnnConvolutionForward(Handle, *const c_void, Handle, *const c_void, Handle, *const c_void, Handle, c_int, *mut c_void, usize, *const c_void, Handle, *mut c_void) -> Code;
        fn cudnnConvolutionBackwardData(Handle, *const c_void, Handle, *const c_void, Handle, *const c_void, Handle, c_int, *mut c_void, usize, *const c_void, Handle, *mut c_void) -> Code;
        fn cudnnConvolutionBackwardFilter(Handle, *const c_void, Handle, *const c_void, Handle, *const c_void, Handle, c_int, *mut c_void, usize, *const c_void, Handle, *mut c_void) -> Code;
        fn cudnnAddTensor(Handle, *const c_void, Handle, *const c_void, *const c_void, Handle, *mut c_void) -> Code;
    }
}

// The numbers are those of the headers of cuDNN 8 and 9.
const DATA_FLOAT: c_int = 0;
const DATA_DOUBLE: c_int = 1;
const DATA_HALF: c_int = 2;
const DATA_BFLOAT16: c_int = 9;
const DEFAULT_MATH: c_int = 0;
const TENSOR_OP_MATH: c_int = 1;
const FMA_MATH: c_int = 3;
const NCHW: c_int = 0;
const CROSS_CORRELATION: c_int = 1;
const DETERMINISTIC: c_int = 1;

/// More memory than this is not given to an algorithm.
const WORKSPACE: usize = 512 << 20;
/// Plans that are kept at most.
const PLANS: usize = 4096;
/// There are at most eight algorithms for each part, some of them with two kinds of arithmetic.
const CHOICES: usize = 16;

/// What a plan depends on. A convolution of one dimension is one of two, of height 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Problem {
    part: ConvolutionPart,
    dtype: DType,
    math: c_int,
    /// Dimensions of the tensors: 4 or 5.
    rank: usize,
    /// The shapes of input, weight and output.
    shapes: [[c_int; 5]; 3],
    padding: [c_int; 3],
    stride: [c_int; 3],
    dilation: [c_int; 3],
    groups: c_int,
}

/// A convolution of given sizes, ready to be queued.
struct Plan {
    /// Input, weight and output.
    tensors: [Owned; 3],
    bias: Owned,
    convolution: Owned,
    algorithm: c_int,
    workspace: usize,
}

/// The library, for one device.
pub struct Cudnn {
    functions: Functions,
    /// The handle is one thread's at a time. Plans are `None` for what the library does not compute.
    state: Mutex<(Handle, HashMap<Problem, Option<Plan>>)>,
}

// SAFETY: the library's objects may be used from any thread, one at a time, which the lock sees to.
unsafe impl Send for Cudnn {}
// SAFETY: as above.
unsafe impl Sync for Cudnn {}

/// Calls a function of the library, in an `unsafe` block, and makes an error of a code that is not 0.
macro_rules! call {
    ($functions:expr, $function:ident $(, $argument:expr)* $(,)?) => {
        check(stringify!($function), ($functions.$function)($($argument),*))
    };
}

fn check(function: &'static str, code: Code) -> Result<()> {
    if code == 0 {
        return Ok(());
    }
    Err(RusTorchError::device(function, format!("cuDNN answered {code}")))
}

impl Cudnn {
    /// The newest library that works with a driver of CUDA `most`, for the device whose context is current.
    ///
    /// # Errors
    /// There is none, or it does not start.
    pub fn open(most: i32) -> Result<Self> {
        let functions = Functions::load("cuda", LIBRARY.open(most)?)?;
        let mut handle = null_mut();
        // SAFETY: a place for the handle.
        unsafe { call!(functions, cudnnCreate, &raw mut handle) }?;
        Ok(Cudnn { functions, state: Mutex::new((handle, HashMap::new())) })
    }

    /// Queues a convolution on `stream`, if the library computes it; the device's context is current. `workspace` gives
    /// memory that work queued before it is dropped may use.
    ///
    /// # Errors
    /// The library's.
    pub fn convolve(
        &self,
        convolution: &Convolution<'_>,
        workspace: &Workspace<'_>,
        stream: Stream,
    ) -> Result<bool> {
        let Some(problem) = Problem::new(convolution) else { return Ok(false) };
        let mut state = self.state.lock();
        let (handle, plans) = &mut *state;
        if plans.len() >= PLANS {
            plans.clear();
        }
        let plan = match plans.entry(problem) {
            Entry::Occupied(kept) => kept.into_mut(),
            Entry::Vacant(place) => place.insert(self.plan(*handle, &problem)?),
        };
        let Some(plan) = plan else { return Ok(false) };
        let memory = match plan.workspace {
            0 => None,
            bytes => match workspace(bytes) {
                Ok(memory) => Some(memory),
                // The kernels need none.
                Err(RusTorchError::OutOfMemory { .. }) => return Ok(false),
                Err(error) => return Err(error),
            },
        };
        let work = memory.as_ref().map_or(null_mut(), |memory| memory.address().as_ptr().cast());
        let (one, zero) = (Factor::new(1.0, problem.dtype), Factor::new(0.0, problem.dtype));
        let places = [convolution.input, convolution.weight, convolution.output].map(address);
        let [left, right, result] = order(problem.part);
        let tensor = |n: usize| plan.tensors[n].handle;
        let (_, _, run) = self.of(problem.part);
        // SAFETY: the stream is of the current context.
        unsafe { call!(self.functions, cudnnSetStream, *handle, stream.handle()) }?;
        // SAFETY: the plan was made for tensors of these sizes, and the factors are of its type.
        let code = unsafe {
            run(
                *handle,
                one.place(),
                tensor(left),
                places[left],
                tensor(right),
                places[right],
                plan.convolution.handle,
                plan.algorithm,
                work,
                plan.workspace,
                zero.place(),
                tensor(result),
                places[result].cast_mut(),
            )
        };
        check("cudnnConvolution", code)?;
        if let Some(bias) = convolution.bias {
            let (by, to, place) = (plan.bias.handle, tensor(2), places[2].cast_mut());
            let (one, bias) = (one.place(), address(bias));
            // SAFETY: as above; the bias has an element for each of the output's channels.
            unsafe { call!(self.functions, cudnnAddTensor, *handle, one, by, bias, one, to, place) }?;
        }
        Ok(true)
    }

    fn of(&self, part: ConvolutionPart) -> (Choose, Measure, Run) {
        let f = &self.functions;
        match part {
            ConvolutionPart::Forward => (
                f.cudnnGetConvolutionForwardAlgorithm_v7,
                f.cudnnGetConvolutionForwardWorkspaceSize,
                f.cudnnConvolutionForward,
            ),
            ConvolutionPart::GradInput => (
                f.cudnnGetConvolutionBackwardDataAlgorithm_v7,
                f.cudnnGetConvolutionBackwardDataWorkspaceSize,
                f.cudnnConvolutionBackwardData,
            ),
            ConvolutionPart::GradWeight => (
                f.cudnnGetConvolutionBackwardFilterAlgorithm_v7,
                f.cudnnGetConvolutionBackwardFilterWorkspaceSize,
                f.cudnnConvolutionBackwardFilter,
            ),
        }
    }

    fn tensor(&self, problem: &Problem, shape: [c_int; 5]) -> Result<Owned> {
        let (functions, mut handle) = (&self.functions, null_mut());
        // SAFETY: a place for the handle.
        unsafe { call!(functions, cudnnCreateTensorDescriptor, &raw mut handle) }?;
        let tensor = Owned { handle, destroy: functions.cudnnDestroyTensorDescriptor };
        let mut strides = [1; 5];
        for d in (1..problem.rank).rev() {
            strides[d - 1] = strides[d] * shape[d];
        }
        let (dtype, rank) = (data_type(problem.dtype), problem.rank as c_int);
        let (shape, strides) = (shape.as_ptr(), strides.as_ptr());
        // SAFETY: both arrays are at least as long as the rank.
        unsafe { call!(functions, cudnnSetTensorNdDescriptor, handle, dtype, rank, shape, strides) }?;
        Ok(tensor)
    }

    fn filter(&self, problem: &Problem) -> Result<Owned> {
        let (functions, mut handle) = (&self.functions, null_mut());
        // SAFETY: a place for the handle.
        unsafe { call!(functions, cudnnCreateFilterDescriptor, &raw mut handle) }?;
        let filter = Owned { handle, destroy: functions.cudnnDestroyFilterDescriptor };
        let (dtype, rank, shape) =
            (data_type(problem.dtype), problem.rank as c_int, problem.shapes[1].as_ptr());
        // SAFETY: the array is at least as long as the rank.
        unsafe { call!(functions, cudnnSetFilterNdDescriptor, handle, dtype, NCHW, rank, shape) }?;
        Ok(filter)
    }

    fn convolution(&self, problem: &Problem) -> Result<Owned> {
        let (functions, mut handle) = (&self.functions, null_mut());
        // SAFETY: a place for the handle.
        unsafe { call!(functions, cudnnCreateConvolutionDescriptor, &raw mut handle) }?;
        let convolution = Owned { handle, destroy: functions.cudnnDestroyConvolutionDescriptor };
        let compute = if problem.dtype == DType::Float64 { DATA_DOUBLE } else { DATA_FLOAT };
        let spatial = problem.rank as c_int - 2;
        let arrays = [problem.padding, problem.stride, problem.dilation];
        let [padding, stride, dilation] = arrays.each_ref().map(|array| array.as_ptr());
        // SAFETY: the arrays are at least as long as there are spatial dimensions.
        unsafe {
            call!(
                functions,
                cudnnSetConvolutionNdDescriptor,
                handle,
                spatial,
                padding,
                stride,
                dilation,
                CROSS_CORRELATION,
                compute,
            )
        }?;
        // SAFETY: the descriptor is set.
        unsafe { call!(functions, cudnnSetConvolutionGroupCount, handle, problem.groups) }?;
        // SAFETY: as above.
        unsafe { call!(functions, cudnnSetConvolutionMathType, handle, problem.math) }?;
        Ok(convolution)
    }

    /// The library's choice of an algorithm that gives the same bits each time; `None` where it has none.
    fn plan(&self, handle: Handle, problem: &Problem) -> Result<Option<Plan>> {
        let [input, _, output] = problem.shapes;
        let tensors = [self.tensor(problem, input)?, self.filter(problem)?, self.tensor(problem, output)?];
        let mut per_channel = [1; 5];
        per_channel[1] = output[1];
        let bias = self.tensor(problem, per_channel)?;
        let convolution = self.convolution(problem)?;
        let [left, right, result] = order(problem.part).map(|n| tensors[n].handle);
        let (choose, measure, _) = self.of(problem.part);
        let (mut choices, mut found) = ([Choice::default(); CHOICES], 0);
        let (most, by) = (CHOICES as c_int, convolution.handle);
        // SAFETY: there is room for as many answers as are asked for.
        let code =
            unsafe { choose(handle, left, right, by, result, most, &raw mut found, choices.as_mut_ptr()) };
        if code != 0 {
            // Sizes or dtypes that no algorithm has are errors here; those of the device come back when a kernel runs.
            return Ok(None);
        }
        let choices = &choices[..(found.max(0) as usize).min(CHOICES)];
        for choice in
            choices.iter().filter(|choice| choice.status == 0 && choice.deterministic == DETERMINISTIC)
        {
            // In float32, only what was asked for: another kind of arithmetic would give another result.
            if problem.dtype == DType::Float32 && problem.math == FMA_MATH && choice.math != FMA_MATH {
                continue;
            }
            // SAFETY: the descriptor is set.
            unsafe { call!(self.functions, cudnnSetConvolutionMathType, by, choice.math) }?;
            let mut workspace = 0;
            // SAFETY: a place for the size.
            let code =
                unsafe { measure(handle, left, right, by, result, choice.algorithm, &raw mut workspace) };
            if code == 0 && workspace <= WORKSPACE {
                let algorithm = choice.algorithm;
                return Ok(Some(Plan { tensors, bias, convolution, algorithm, workspace }));
            }
        }
        Ok(None)
    }
}

/// Which of input, weight and output are the operands of a part, and which is its result.
fn order(part: ConvolutionPart) -> [usize; 3] {
    match part {
        ConvolutionPart::Forward => [0, 1, 2],
        ConvolutionPart::GradInput => [1, 2, 0],
        ConvolutionPart::GradWeight => [0, 2, 1],
    }
}

impl Problem {
    /// `None` where the library has no words for a convolution: it takes contiguous floats, as many as an int counts.
    fn new(convolution: &Convolution<'_>) -> Option<Problem> {
        let Convolution { part, params, input, weight, output, bias, precision } = *convolution;
        let dtype = output.dtype;
        let math = match dtype {
            DType::Float32 if precision == Float32Precision::Highest => FMA_MATH,
            DType::Float32 | DType::Float64 => DEFAULT_MATH,
            DType::Float16 | DType::BFloat16 => TENSOR_OP_MATH,
            _ => return None,
        };
        let operands = [input, weight, output];
        let taken = |operand: &Operand<'_>| {
            let numel = operand.layout.numel();
            operand.dtype == dtype
                && operand.layout.is_contiguous()
                && numel > 0
                && i32::try_from(numel).is_ok()
        };
        if !operands.iter().chain(&bias).all(taken) {
            return None;
        }
        let spatial = params.spatial;
        let rank = spatial.max(2) + 2;
        let mut shapes = [[1; 5]; 3];
        for (to, operand) in shapes.iter_mut().zip(operands) {
            let shape = operand.layout.shape();
            if shape.len() != spatial + 2 {
                return None;
            }
            (to[0], to[1]) = (shape[0] as c_int, shape[1] as c_int);
            for (to, &size) in to[rank - spatial..].iter_mut().zip(&shape[2..]) {
                *to = size as c_int;
            }
        }
        let along = |sizes: [usize; 3], fill: c_int| {
            let mut all = [fill; 3];
            for (to, size) in all[rank - 2 - spatial..].iter_mut().zip(&sizes[..spatial]) {
                *to = *size as c_int;
            }
            all
        };
        Some(Problem {
            part,
            dtype,
            math,
            rank,
            shapes,
            padding: along(params.padding, 0),
            stride: along(params.stride, 1),
            dilation: along(params.dilation, 1),
            groups: params.groups as c_int,
        })
    }
}

/// The library's number of a dtype.
fn data_type(dtype: DType) -> c_int {
    match dtype {
        DType::Float64 => DATA_DOUBLE,
        DType::Float16 => DATA_HALF,
        DType::BFloat16 => DATA_BFLOAT16,
        _ => DATA_FLOAT,
    }
}
