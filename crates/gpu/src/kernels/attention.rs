//! Scaled dot-product attention and its gradients, in tiles of scores.

use rustorch_backend::{AttentionParams, Buffer, Category, DType, Layout, Operand, kernel, volume};
use rustorch_error::{Result, RusTorchError};
use smallvec::SmallVec;

use super::tile::{Tile, define_sums, factor, position_type, sums_of, value_of};
use crate::device::Device;
use crate::kernel::{Call, GROUP};
use crate::positions::Strided;

const OP: &str = "attention";

/// Columns of a result that a group computes, at most.
const WIDTHS: [usize; 3] = [32, 64, 128];

/// An operand's matrices: its name in the texts, and those of the steps between rows and columns.
type Named<'a> = (&'static str, Operand<'a>, [&'static str; 2]);

/// What the operands say of the problem.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    heads: usize,
    queries: usize,
    keys: usize,
    features: usize,
    values: usize,
}

impl Sizes {
    fn new(query: Operand<'_>, key: Operand<'_>, value: Operand<'_>) -> Result<Sizes> {
        match (query.layout.shape(), key.layout.shape(), value.layout.shape()) {
            (&[ref lead @ .., queries, features], &[.., keys, key_features], &[.., value_keys, values])
                if features == key_features && keys == value_keys =>
            {
                Ok(Sizes { heads: volume(lead), queries, keys, features, values })
            }
            shapes => Err(RusTorchError::shape(OP, format!("{shapes:?} do not fit"))),
        }
    }
}

/// How the scores are cut: a tile of them, and how many columns of a result go with it.
#[derive(Debug, Clone, Copy)]
struct Cut {
    tile: Tile,
    width: usize,
    parts: usize,
}

impl Cut {
    /// For `rows` rows and results of `columns` columns. Everything that a group shares fits into 32 KiB.
    fn new(sums: DType, rows: usize, columns: usize) -> Cut {
        let width = WIDTHS.into_iter().find(|&width| columns <= width).unwrap_or(WIDTHS[2]);
        let wide = sums == DType::Float64;
        let (m, n) = (if wide || rows <= 32 { 32 } else { 64 }, if wide { 32 } else { 64 });
        let k = if wide || width == WIDTHS[2] { 8 } else { 16 };
        let tile = Tile { m, n, k, rows: m / 16, columns: n / 16 };
        Cut { tile, width, parts: columns.div_ceil(width).max(1) }
    }

    /// What the texts are told of it.
    fn define(self, call: Call<'_>, sums: DType, rows: usize) -> Call<'_> {
        let tile = self.tile;
        tile.define(define_sums(call, sums), sums, self.width)
            .constant("W", self.width)
            .shared("weights", value_of(sums), tile.m * (tile.n + 1))
            .size("row_blocks", rows.div_ceil(tile.m))
            .size("parts", self.parts)
    }

    fn groups(self, sizes: Sizes, rows: usize) -> [usize; 3] {
        [rows.div_ceil(self.tile.m) * self.parts * sizes.heads, 1, 1]
    }
}

/// Where the heads of operands begin (`HEADS`), and the steps of their rows and columns.
fn matrices<'a>(mut call: Call<'a>, operands: &[Named<'_>]) -> Call<'a> {
    let Some((_, first, _)) = operands.first() else { return call };
    let lead = first.layout.ndim() - 2;
    let places: SmallVec<[Strided<'_>; 8]> = operands
        .iter()
        .map(|(name, operand, _)| Strided {
            name,
            strides: &operand.layout.strides()[..lead],
            offset: operand.layout.offset(),
        })
        .collect();
    call = call.places("HEADS", &first.layout.shape()[..lead], &places);
    for (name, operand, steps) in operands {
        for (step, &stride) in steps.iter().zip(&operand.layout.strides()[lead..]) {
            call = call.i64((*name, *step), stride as i64);
        }
    }
    call
}

const ROW: [&str; 2] = ["_row", "_column"];

/// A mask as a text adds it, and as a named operand.
fn masked<'a>(call: Call<'a>, mask: Option<Operand<'a>>) -> (Call<'a>, Option<Named<'a>>) {
    match mask {
        Some(mask) => {
            let text = "(ACC)LOAD_mask(at_mask + (row) * p.mask_row + (column) * p.mask_column)";
            (call.read("mask", mask).define("MASK(row, column)", text), Some(("mask", mask, ROW)))
        }
        None => (call.define("MASK(row, column)", "(ACC)0"), None),
    }
}

/// Refuses what the texts do not compute; otherwise the dtype of sums.
fn check(operands: &[Operand<'_>], log_sum: Operand<'_>) -> Result<DType> {
    let dtype = operands.first().map_or(log_sum.dtype, |operand| operand.dtype);
    if dtype.category() != Category::Float || operands.iter().any(|operand| operand.dtype != dtype) {
        // Short: one per operand.
        let dtypes: Vec<&str> = operands.iter().map(|operand| operand.dtype.name()).collect();
        return Err(RusTorchError::unsupported(OP, dtypes.join(", ")));
    }
    let sums = sums_of(dtype);
    if log_sum.dtype != sums || !log_sum.layout.is_contiguous() {
        return Err(RusTorchError::unsupported(OP, format!("sums in {}", log_sum.dtype)));
    }
    Ok(sums)
}

/// `output = softmax(scale * query @ keyᵀ + mask) @ value`, and the logarithm of each row's sum of exponentials.
pub(crate) fn attention(device: &dyn Device, kernel: &kernel::Attention<Operand<'_>>) -> Result<()> {
    let &kernel::Attention { ref params, query, key, value, mask, output, log_sum } = kernel;
    let operands: SmallVec<[Operand<'_>; 5]> = [query, key, value, output].into_iter().chain(mask).collect();
    let sums = check(&operands, log_sum)?;
    let sizes = Sizes::new(query, key, value)?;
    let cut = Cut::new(sums, sizes.queries, sizes.values);
    let call = Call::new(kernel_text!("attention"))
        .read("query", query)
        .read("key", key)
        .read("value", value)
        .write("out", output)
        .write("log_sum", log_sum)
        .define("AT", position_type(&operands))
        .size("queries", sizes.queries)
        .size("keys", sizes.keys)
        .size("features", sizes.features)
        .size("values", sizes.values)
        .i64("causal", i64::from(params.causal))
        .size("log_sum_offset", log_sum.layout.offset())
        .shared("shared_rows", value_of(sums), cut.tile.m * 17);
    let (call, mask) = masked(factor(call, "scale", params.scale, sums), mask);
    let mut operands: SmallVec<[Named<'_>; 8]> = SmallVec::new();
    operands.extend([("query", query, ROW), ("key", key, ROW), ("value", value, ROW), ("out", output, ROW)]);
    operands.extend(mask);
    let call = cut.define(matrices(call, &operands), sums, sizes.queries);
    device.run(call, cut.groups(sizes, sizes.queries))
}

/// What both gradients are made from.
struct Backward<'a> {
    params: AttentionParams,
    sums: DType,
    sizes: Sizes,
    position: &'static str,
    mask: Option<Operand<'a>>,
    log_sum: Operand<'a>,
    /// Each query's mean slope.
    means: Operand<'a>,
}

impl<'a> Backward<'a> {
    /// The gradients of what the rows stand for: by `left`, and by the value if rows are keys.
    fn run(
        &self,
        device: &dyn Device,
        left: [Operand<'a>; 2],
        right: [Operand<'a>; 2],
        to_left: Operand<'a>,
        to_value: Option<Operand<'a>>,
    ) -> Result<()> {
        let Sizes { queries, keys, features, values, .. } = self.sizes;
        let (rows, columns) = if to_value.is_some() { (keys, queries) } else { (queries, keys) };
        let width = if to_value.is_some() { features.max(values) } else { features };
        let cut = Cut::new(self.sums, rows, width);
        let call = Call::new(kernel_text!("attention_grad"))
            .read("left", left[0])
            .read("right", right[0])
            .read("left_slope", left[1])
            .read("right_slope", right[1])
            .read("log_sum", self.log_sum)
            .read("mean", self.means)
            .write("to_left", to_left)
            .define("AT", self.position)
            .constant("BY_KEYS", usize::from(to_value.is_some()))
            .size("rows", rows)
            .size("columns", columns)
            .size("queries", queries)
            .size("features", features)
            .size("values", values)
            .i64("causal", i64::from(self.params.causal))
            .size("log_sum_offset", self.log_sum.layout.offset());
        let (call, mask) = masked(factor(call, "scale", self.params.scale, self.sums), self.mask);
        let mut operands: SmallVec<[Named<'_>; 8]> = SmallVec::new();
        operands.extend([
            ("left", left[0], ["_step", "_feature"]),
            ("right", right[0], ["_step", "_feature"]),
            ("left_slope", left[1], ["_step", "_value"]),
            ("right_slope", right[1], ["_step", "_value"]),
            ("to_left", to_left, ["_step", "_feature"]),
        ]);
        operands.extend(mask);
        let call = match to_value {
            Some(to_value) => {
                operands.push(("to_value", to_value, ["_step", "_value"]));
                call.write("to_value", to_value)
            }
            None => call,
        };
        let call = cut.define(matrices(call, &operands), self.sums, rows);
        device.run(call, cut.groups(self.sizes, rows))
    }
}

/// The gradients of [`attention`] by query, key and value, from its result and `log_sum`.
pub(crate) fn attention_grad(device: &dyn Device, kernel: &kernel::AttentionGrad<Operand<'_>>) -> Result<()> {
    let &kernel::AttentionGrad {
        ref params,
        grad,
        query,
        key,
        value,
        mask,
        output: result,
        log_sum,
        grad_query,
        grad_key,
        grad_value,
    } = kernel;
    let mut operands: SmallVec<[Operand<'_>; 9]> = SmallVec::new();
    operands.extend([query, key, value, grad, result, grad_query, grad_key, grad_value]);
    operands.extend(mask);
    let sums = check(&operands, log_sum)?;
    let sizes = Sizes::new(query, key, value)?;
    let count = sizes.heads * sizes.queries;
    // A buffer of 0 bytes is no argument of a kernel.
    let buffer: Buffer = device.temporary(count.max(1) * sums.size())?;
    let layout = Layout::contiguous("attention", &[count])?;
    let means = Operand { buffer: &buffer, layout: &layout, dtype: sums };
    let call = Call::new(kernel_text!("attention_means"))
        .read("out", result)
        .read("grad", grad)
        .write("mean", means)
        .shared("partial", value_of(sums), GROUP as usize)
        .size("heads", sizes.heads)
        .size("queries", sizes.queries)
        .size("values", sizes.values);
    let call = matrices(define_sums(call, sums), &[("out", result, ROW), ("grad", grad, ROW)]);
    device.run(call, [count.div_ceil(GROUP as usize / 32), 1, 1])?;
    let position = position_type(&operands);
    let backward = Backward { params: *params, sums, sizes, position, mask, log_sum, means };
    backward.run(device, [query, grad], [key, value], grad_query, None)?;
    backward.run(device, [key, value], [query, grad], grad_key, Some(grad_value))
}
