//! Pooling over one to three spatial dimensions, and its gradient.

use rustorch_backend::memory::{Scratch, as_bytes};
use rustorch_backend::{Category, DType, Layout, Operand, PoolOp, PoolParams, kernel};
use rustorch_error::{Result, RusTorchError};

use super::copy::{fill, groups_for};
use crate::device::Device;
use crate::kernel::{Call, GROUP, value_type};

const OP: &str = "pool";

/// Groups that look for the spread of indices, at most.
const SPREAD_GROUPS: usize = 256;

/// What a group of those writes: least and most of three dimensions, and whether an index is outside.
const SPREAD: usize = 7;

/// A pooling's sizes, always with three spatial dimensions: those that are missing have size 1.
#[derive(Clone, Copy, Debug)]
struct Geometry {
    channels: usize,
    input: [i64; 3],
    output: [i64; 3],
    kernel: [i64; 3],
    stride: [i64; 3],
    padding: [i64; 3],
    dilation: [i64; 3],
}

impl Geometry {
    fn new(params: &PoolParams, input: &[usize], output: &[usize]) -> Result<Self> {
        let spatial = params.spatial;
        let positive = |sizes: [usize; 3]| sizes[..spatial.min(3)].iter().all(|&size| size > 0);
        if !(1..=3).contains(&spatial)
            || [input.len(), output.len()] != [spatial + 2; 2]
            || input[..2] != output[..2]
            || ![params.kernel, params.stride, params.dilation].into_iter().all(positive)
        {
            let message = format!("input {input:?} and output {output:?} do not fit {params:?}");
            return Err(RusTorchError::shape(OP, message));
        }
        let sizes = |shape: &[usize], fill| {
            let mut all = [fill; 3];
            for (to, &size) in all[3 - spatial..].iter_mut().zip(shape) {
                *to = size as i64;
            }
            all
        };
        Ok(Geometry {
            channels: input[1],
            input: sizes(&input[2..], 1),
            output: sizes(&output[2..], 1),
            kernel: sizes(&params.kernel, 1),
            stride: sizes(&params.stride, 1),
            padding: sizes(&params.padding, 0),
            dilation: sizes(&params.dilation, 1),
        })
    }

    /// The parameters that all texts have; `n` elements are computed.
    fn describe<'a>(&self, call: Call<'a>, n: usize) -> Call<'a> {
        call.constant("GROUP", GROUP as usize)
            .index(if n < 1 << 31 { "u32" } else { "i64" })
            .size("n", n)
            .size("channels", self.channels)
            .i64s("size", self.input)
            .i64s("output", self.output)
    }

    /// Where windows lie.
    fn windows<'a>(&self, call: Call<'a>) -> Call<'a> {
        call.i64s("window", self.kernel)
            .i64s("step", self.stride)
            .i64s("padding", self.padding)
            .i64s("dilation", self.dilation)
    }
}

/// Where an operand's elements lie: parameters `name_offset` and five of `name_stride`.
fn place<'a>(call: Call<'a>, name: &'static str, layout: &Layout) -> Call<'a> {
    let strides = layout.strides();
    let mut all = [0; 5];
    for (d, &stride) in strides.iter().enumerate() {
        all[if d < 2 { d } else { d + 5 - strides.len() }] = stride as i64;
    }
    call.size((name, "_offset"), layout.offset()).i64s((name, "_stride"), all)
}

/// What is below every element of a dtype, in a text.
fn lowest(dtype: DType) -> &'static str {
    match dtype {
        DType::Bool | DType::UInt8 => "((V)0)",
        DType::Int8 => "((V)-128)",
        DType::Int16 => "((V)-32768)",
        DType::Int32 => "((V)(-2147483647 - 1))",
        DType::Int64 => "((V)(-9223372036854775807 - 1))",
        _ => "((V)-INFINITY)",
    }
}

fn average(call: Call<'_>, count_include_pad: bool, divisor: i64) -> Call<'_> {
    call.i64("padded", i64::from(count_include_pad)).i64("divisor", divisor)
}

fn check_indices(indices: Operand<'_>, pooled: Operand<'_>) -> Result<()> {
    if indices.dtype != DType::Int64 {
        return Err(RusTorchError::dtype(OP, format!("indices are {}; they must be int64", indices.dtype)));
    }
    if indices.layout.shape() != pooled.layout.shape() {
        let (indices, pooled) = (indices.layout.shape(), pooled.layout.shape());
        return Err(RusTorchError::shape(
            OP,
            format!("indices {indices:?} do not fit the pooled {pooled:?}"),
        ));
    }
    Ok(())
}

/// Pools the windows of `(N, C, *in)` into `(N, C, *out)`.
pub(crate) fn pool(device: &dyn Device, kernel: &kernel::Pool<Operand<'_>>) -> Result<()> {
    let &kernel::Pool { ref params, input, output, indices } = kernel;
    let dtype = output.dtype;
    let floating = dtype.category() == Category::Float;
    let known = match params.op {
        PoolOp::Max => floating || dtype.category() == Category::Integer,
        PoolOp::Average { .. } => floating || dtype == DType::Int64,
    };
    if !known || input.dtype != dtype {
        return Err(RusTorchError::unsupported(OP, format!("{} into {dtype}", input.dtype)));
    }
    if let Some(indices) = indices {
        check_indices(indices, output)?;
    }
    let geometry = Geometry::new(params, input.layout.shape(), output.layout.shape())?;
    let n = output.layout.numel();
    let call = Call::new(kernel_text!("pool"))
        .read("x0", input)
        .write("y0", output)
        .define("V", value_type(dtype))
        .constant("V_FLOAT", usize::from(floating))
        .constant("MAXIMUM", usize::from(params.op == PoolOp::Max));
    let call = geometry.windows(geometry.describe(call, n));
    let call = place(place(call, "x0", input.layout), "y0", output.layout);
    let call = match (params.op, indices) {
        (PoolOp::Average { count_include_pad, divisor_override }, _) => {
            average(call, count_include_pad, divisor_override)
        }
        (PoolOp::Max, Some(indices)) => {
            let call = call.define("LOWEST", lowest(dtype)).constant("INDICES", 1).write("y1", indices);
            place(call, "y1", indices.layout)
        }
        (PoolOp::Max, None) => call.define("LOWEST", lowest(dtype)).constant("INDICES", 0),
    };
    device.run(call, groups_for(n))
}

/// The gradient of [`pool`] by its input. `indices` as `pool` gave them, for maxima.
pub(crate) fn pool_grad(device: &dyn Device, kernel: &kernel::PoolGrad<Operand<'_>>) -> Result<()> {
    let &kernel::PoolGrad { ref params, grad, indices, grad_input } = kernel;
    let dtype = grad_input.dtype;
    if dtype.category() != Category::Float || grad.dtype != dtype {
        return Err(RusTorchError::unsupported(OP, format!("the gradient {} into {dtype}", grad.dtype)));
    }
    let geometry = Geometry::new(params, grad_input.layout.shape(), grad.layout.shape())?;
    let n = grad_input.layout.numel();
    if grad.layout.numel() == 0 {
        return fill(device, grad_input, 0.into());
    }
    let gather = |text| {
        let call = Call::new(text).read("x0", grad).write("y0", grad_input).define("V", value_type(dtype));
        place(place(geometry.describe(call, n), "x0", grad.layout), "y0", grad_input.layout)
    };
    let call = match (params.op, indices) {
        (PoolOp::Average { count_include_pad, divisor_override }, _) => {
            let call = geometry.windows(gather(kernel_text!("pool_average_grad")));
            average(call, count_include_pad, divisor_override)
        }
        (PoolOp::Max, Some(indices)) => {
            check_indices(indices, grad)?;
            let (least, most) = spread(device, &geometry, indices)?;
            let call = gather(kernel_text!("pool_maximum_grad")).read("x1", indices);
            place(call, "x1", indices.layout).i64s("least", least).i64s("most", most)
        }
        (PoolOp::Max, None) => {
            let message = "the gradient of max pooling needs the indices that pooling gave";
            return Err(RusTorchError::argument(OP, message));
        }
    };
    device.run(call, groups_for(n))
}

/// How far indices lie, at least and at most, from where their outputs stand.
///
/// # Errors
/// `IndexOutOfRange` for an index outside its plane.
fn spread(device: &dyn Device, geometry: &Geometry, indices: Operand<'_>) -> Result<([i64; 3], [i64; 3])> {
    let n = indices.layout.numel();
    let groups = n.div_ceil(GROUP as usize).min(SPREAD_GROUPS);
    let layout = Layout::contiguous("pool", &[groups, SPREAD])?;
    let found = device.temporary(groups * SPREAD * size_of::<i64>())?;
    let call = Call::new(kernel_text!("pool_spread"))
        .read("x1", indices)
        .write("y0", Operand { buffer: &found, layout: &layout, dtype: DType::Int64 })
        .shared("partial", "i64", GROUP as usize);
    device.run(place(geometry.describe(call, n), "x1", indices.layout), [groups, 1, 1])?;
    let mut bytes = Scratch::zeroed(groups * SPREAD * size_of::<i64>())?;
    device.read(&found, 0, &mut bytes)?;
    let (mut least, mut most) = ([i64::MAX; 3], [i64::MIN; 3]);
    let number = |bytes: &[u8]| bytes.first_chunk().map_or(0, |bytes| i64::from_ne_bytes(*bytes));
    for part in bytes.chunks_exact(SPREAD * size_of::<i64>()) {
        let part: [i64; SPREAD] = std::array::from_fn(|i| number(&part[i * size_of::<i64>()..]));
        for d in 0..3 {
            (least[d], most[d]) = (least[d].min(part[d]), most[d].max(part[d + 3]));
        }
        if part[SPREAD - 1] != 0 {
            let plane: i64 = geometry.input.iter().product();
            let message = format!("an index is outside the input's plane of {plane} elements");
            return Err(RusTorchError::index(OP, message));
        }
    }
    Ok((least, most))
}

/// The largest element of each window of `(N, C, *in)`, and its flat position in the plane. `regions` has for each spatial
/// dimension the part of it that each output covers; for every plane of its own, if there are that many.
pub(crate) fn max_pool_regions(
    device: &dyn Device,
    kernel: &kernel::MaxPoolRegions<Operand<'_>>,
) -> Result<()> {
    let &kernel::MaxPoolRegions { ref regions, input, output, indices } = kernel;
    let dtype = output.dtype;
    if !matches!(dtype.category(), Category::Float | Category::Integer) || input.dtype != dtype {
        return Err(RusTorchError::unsupported(OP, format!("{} into {dtype}", input.dtype)));
    }
    check_indices(indices, output)?;
    let (from, to) = (input.layout.shape(), output.layout.shape());
    let fail = || RusTorchError::shape(OP, format!("windows do not lead from {from:?} to {to:?}"));
    let spatial = regions.len();
    let params = PoolParams {
        op: PoolOp::Max,
        spatial,
        kernel: [1; 3],
        stride: [1; 3],
        padding: [0; 3],
        dilation: [1; 3],
    };
    let geometry = Geometry::new(&params, from, to)?;
    let planes = from[0] * from[1];
    let mut table = Scratch::copied(&[0_i64, 1])?;
    let (mut first, mut per_plane) = ([0; 3], [0; 3]);
    for (d, windows) in regions.iter().enumerate() {
        let (size, count) = (from[d + 2], to[d + 2]);
        let inside = windows.iter().all(|window| window.start < window.end && window.end <= size);
        if !inside || (windows.len() != count && windows.len() != planes * count) {
            return Err(fail());
        }
        let d = d + 3 - spatial;
        first[d] = table.len() as i64;
        per_plane[d] = if windows.len() == count { 0 } else { count as i64 };
        table.extend(windows.iter().flat_map(|window| [window.start as i64, window.end as i64]))?;
    }
    let bytes = as_bytes(&table);
    let buffer = device.temporary(bytes.len())?;
    device.write(&buffer, 0, bytes)?;
    let layout = Layout::contiguous("pool", &[table.len()])?;
    let n = output.layout.numel();
    let call = Call::new(kernel_text!("pool_regions"))
        .read("x0", input)
        .read("regions", Operand { buffer: &buffer, layout: &layout, dtype: DType::Int64 })
        .write("y0", output)
        .write("y1", indices)
        .define("V", value_type(dtype))
        .define("LOWEST", lowest(dtype))
        .i64s("region_first", first)
        .i64s("region_plane", per_plane);
    let call = place(place(geometry.describe(call, n), "x0", input.layout), "y0", output.layout);
    device.run(place(call, "y1", indices.layout), groups_for(n))
}
