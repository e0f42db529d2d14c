//! What products in tiles have in common: the sizes of tiles, the type of sums, and sums in several parts.

use rustorch_backend::{Buffer, Category, DType, Dims, Layout, Operand};
use rustorch_error::Result;
use smallvec::smallvec;

use super::copy::groups_for;
use crate::device::Device;
use crate::kernel::{Call, GROUP, value_type};
use crate::positions::Strided;

/// Elements beyond which positions need 64 bits.
const NARROW: usize = 1 << 30;

/// Bytes of the parts of a sum, at most.
const PARTS: usize = 1 << 28;

/// A tile of the product that a group computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tile {
    /// Rows.
    pub m: usize,
    /// Columns.
    pub n: usize,
    /// Elements of the inner dimension at a time.
    pub k: usize,
    /// Rows of each work-item.
    pub rows: usize,
    /// Columns of each work-item.
    pub columns: usize,
}

/// A tile whose work-items stand 16 by 16.
const fn tile(m: usize, n: usize, k: usize) -> Tile {
    Tile { m, n, k, rows: m / 16, columns: n / 16 }
}

const LARGE: Tile = tile(128, 128, 16);
const LARGE_F64: Tile = tile(128, 128, 8);
const MEDIUM: Tile = tile(64, 64, 16);
const FLAT: Tile = tile(32, 64, 16);
const SLIM: Tile = tile(64, 32, 16);

impl Tile {
    /// The tile for a product of `m` by `n`, of which there are `batch`.
    pub(crate) fn choose(device: &dyn Device, sums: DType, m: usize, n: usize, batch: usize) -> Tile {
        let fills = |tile: Tile| tile.count(m, n).saturating_mul(batch) >= device.parallelism();
        let large = if sums.size() == 8 { LARGE_F64 } else { LARGE };
        if m <= FLAT.m {
            FLAT
        } else if n <= SLIM.n {
            SLIM
        } else if m >= 96 && n >= 96 && fills(large) {
            large
        } else {
            MEDIUM
        }
    }

    /// How many tiles cover `m` by `n`.
    pub(crate) fn count(self, m: usize, n: usize) -> usize {
        m.div_ceil(self.m).saturating_mul(n.div_ceil(self.n))
    }

    /// The sizes, as a text that includes `tile.c` wants them, and the shared arrays; `tile_b` has rows of `b_width` at
    /// least.
    pub(crate) fn define(self, call: Call<'_>, sums: DType, b_width: usize) -> Call<'_> {
        let a = value_of(sums);
        call.constant("TM", self.m)
            .constant("TN", self.n)
            .constant("TK", self.k)
            .constant("RM", self.rows)
            .constant("RN", self.columns)
            .constant("TX", self.n / self.columns)
            .constant("TY", self.m / self.rows)
            .shared("tile_a", a, self.k * (self.m + 1))
            .shared("tile_b", a, self.k * (self.n.max(b_width) + 1))
    }
}

/// The dtype that products of elements are summed in.
pub(crate) fn sums_of(dtype: DType) -> DType {
    match dtype {
        DType::Float64 => DType::Float64,
        dtype if dtype.category() == Category::Float => DType::Float32,
        _ => DType::Int64,
    }
}

/// The type of sums in a text. Integers wrap around, which C defines for unsigned ones.
pub(crate) fn value_of(sums: DType) -> &'static str {
    if sums == DType::Int64 { "u64" } else { value_type(sums) }
}

/// The type of sums, how a product is added to one, and the group's size.
pub(crate) fn define_sums(call: Call<'_>, sums: DType) -> Call<'_> {
    let add = if sums.is_floating_point() { "FMA(x, y, z)" } else { "((x) * (y) + (z))" };
    call.define("ACC", value_of(sums)).define("MULTIPLY_ADD(x, y, z)", add).constant("GROUP", GROUP as usize)
}

/// A factor, as the type of sums has it.
pub(crate) fn factor<'a>(call: Call<'a>, name: &'static str, value: f64, sums: DType) -> Call<'a> {
    match sums {
        DType::Float64 => call.f64(name, value),
        DType::Int64 => call.i64(name, value as i64),
        _ => call.f32_wide(name, value as f32),
    }
}

/// The type of positions: `i32` where all of them fit.
pub(crate) fn position_type(operands: &[Operand<'_>]) -> &'static str {
    let fits = |operand: &Operand<'_>| operand.layout.span().is_none_or(|(_, high)| high < NARROW);
    if operands.iter().all(fits) && operands.iter().all(|o| o.layout.numel() < NARROW) {
        "i32"
    } else {
        "i64"
    }
}

/// A sum over an inner dimension in several parts, each by groups of its own, so that there is work for the whole device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunks {
    /// How many parts.
    pub count: usize,
    /// Elements of each but the last.
    pub length: usize,
}

impl Chunks {
    /// For sums over `inner` elements, `step` at a time, of `outputs` elements, computed by `groups` groups per part.
    pub(crate) fn new(
        device: &dyn Device,
        groups: usize,
        inner: usize,
        step: usize,
        outputs: usize,
    ) -> Chunks {
        let wanted = (device.parallelism() * 2).div_ceil(groups.max(1));
        let room = PARTS / outputs.saturating_mul(8).max(1);
        let count = wanted.min(inner / (step * 8)).min(room).clamp(1, 64);
        let length = inner.div_ceil(count).next_multiple_of(step).max(step);
        Chunks { count: inner.div_ceil(length).max(1), length }
    }

    /// The parts of sums, behind one another, each with `output`'s shape.
    pub(crate) fn buffer(self, device: &dyn Device, output: Operand<'_>, sums: DType) -> Result<Buffer> {
        device.temporary(self.count * output.layout.numel() * sums.size())
    }
}

/// What is done to a sum before it is stored: `alpha * sum + beta * output + bias`, where the bias broadcasts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finish<'a> {
    pub alpha: f64,
    pub beta: f64,
    /// The bias and its strides over the output's shape.
    pub bias: Option<(Operand<'a>, &'a [isize])>,
}

/// A bias that a text adds as `BIAS(n)`, one element for each `n`. Without one `other` stands in its place and is not read,
/// so that one text serves both.
pub(crate) fn with_bias<'a>(
    call: Call<'a>,
    bias: Option<(Operand<'a>, isize)>,
    other: Operand<'a>,
) -> Call<'a> {
    let (operand, stride) = bias.unwrap_or((other, 0));
    call.read("bias", operand)
        .size("has_bias", usize::from(bias.is_some()))
        .size("bias_offset", operand.layout.offset())
        .i64("bias_stride", stride as i64)
        .define("BIAS(n)", "(p.has_bias ? (ACC)LOAD_bias(p.bias_offset + (n) * p.bias_stride) : (ACC)0)")
}

/// Adds up the parts of sums into `output`.
pub(crate) fn combine(
    device: &dyn Device,
    chunks: Chunks,
    parts: &Buffer,
    sums: DType,
    output: Operand<'_>,
    finish: Finish<'_>,
) -> Result<()> {
    let n = output.layout.numel();
    let layout = Layout::contiguous("tile", &[chunks.count, n])?;
    let parts = Operand { buffer: parts, layout: &layout, dtype: sums };
    let still: Dims<isize> = smallvec![0; output.layout.ndim()];
    let (bias, strides) = finish.bias.unwrap_or((parts, &still));
    let places =
        [Strided::of("y", output.layout), Strided { name: "bias", strides, offset: bias.layout.offset() }];
    let call = Call::new(kernel_text!("matmul_chunks"))
        .read("parts", parts)
        .write("y", output)
        .read("bias", bias)
        .define("ACC", value_of(sums))
        .size("n", n)
        .size("chunks", chunks.count)
        .size("has_bias", usize::from(finish.bias.is_some()))
        .places("POSITIONS", output.layout.shape(), &places);
    let call = factor(call, "alpha", finish.alpha, sums);
    let call = factor(call, "beta", finish.beta, sums);
    device.run(call, groups_for(n))
}
