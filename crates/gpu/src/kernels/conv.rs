//! Convolutions over one to three spatial dimensions, and their gradients, as implicit matrix products.

use rustorch_backend::memory::Scratch;
use rustorch_backend::{Category, ConvParams, Dims, Layout, Operand, kernel, volume};
use rustorch_error::{Result, RusTorchError};
use smallvec::smallvec;

use super::copy::groups_for;
use super::tile::{Chunks, Finish, Tile, combine, define_sums, position_type, sums_of, value_of, with_bias};
use crate::device::Device;
use crate::kernel::{Call, GROUP, KernelText};

pub(super) const OP: &str = "convolution";

/// Rows up to which a group of channels is computed element by element, as a tile would be almost empty.
const FEW_ROWS: usize = 4;

/// Where an operand's elements lie: images, channels or filters, and three spatial dimensions.
#[derive(Debug, Clone, Copy)]
struct OperandStrides {
    offset: i64,
    strides: [i64; 2],
    spatial: [i64; 3],
}

impl OperandStrides {
    fn of(layout: &Layout) -> OperandStrides {
        let strides = layout.strides();
        let mut spatial = [0; 3];
        for (to, &stride) in spatial[5 - strides.len()..].iter_mut().zip(&strides[2..]) {
            *to = stride as i64;
        }
        OperandStrides {
            offset: layout.offset() as i64,
            strides: [strides[0] as i64, strides[1] as i64],
            spatial,
        }
    }
}

/// How points and taps meet the source, dimension by dimension: tap `t` of point `i` is at
/// `i * point_step + first + t * tap_step`.
#[derive(Debug, Clone, Copy)]
struct Windows {
    points: [usize; 3],
    taps: [usize; 3],
    point_step: [i64; 3],
    first: [i64; 3],
    tap_step: [i64; 3],
}

/// A convolution's sizes, always with three spatial dimensions: those that are missing have size 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Geometry {
    images: usize,
    pub(super) groups: usize,
    /// Input channels, and output channels, of a group.
    channels: usize,
    pub(super) filters: usize,
    input: [usize; 3],
    kernel: [usize; 3],
    output: [usize; 3],
    stride: [usize; 3],
    padding: [usize; 3],
    dilation: [usize; 3],
}

fn signed(sizes: [usize; 3]) -> [i64; 3] {
    sizes.map(|size| size as i64)
}

impl Geometry {
    pub(super) fn new(
        params: &ConvParams,
        input: Operand<'_>,
        weight: Operand<'_>,
        output: Operand<'_>,
    ) -> Result<Self> {
        let shapes = [input, weight, output].map(|operand| operand.layout.shape());
        let dtype = output.dtype;
        if dtype.category() != Category::Float || [input, weight].iter().any(|o| o.dtype != dtype) {
            return Err(RusTorchError::unsupported(OP, format!("{} with {}", input.dtype, weight.dtype)));
        }
        let fail = || {
            RusTorchError::shape(
                OP,
                format!(
                    "input {:?}, weight {:?}, output {:?} do not fit {params:?}",
                    shapes[0], shapes[1], shapes[2]
                ),
            )
        };
        let spatial = params.spatial;
        if !(1..=3).contains(&spatial)
            || shapes.iter().any(|shape| shape.len() != spatial + 2)
            || params.groups == 0
        {
            return Err(fail());
        }
        let sizes = |shape: &[usize], fill| {
            let mut all = [fill; 3];
            all[3 - spatial..].copy_from_slice(&shape[..spatial]);
            all
        };
        let [from, by, to] = shapes;
        let g = Geometry {
            images: from[0],
            groups: params.groups,
            channels: by[1],
            filters: by[0] / params.groups,
            input: sizes(&from[2..], 1),
            kernel: sizes(&by[2..], 1),
            output: sizes(&to[2..], 1),
            stride: sizes(&params.stride, 1),
            padding: sizes(&params.padding, 0),
            dilation: sizes(&params.dilation, 1),
        };
        let fits = to[0] == g.images
            && from[1] == g.groups * g.channels
            && by[0] == g.groups * g.filters
            && to[1] == by[0]
            && (0..3).all(|d| {
                let reach = g.dilation[d] * g.kernel[d].saturating_sub(1) + 1;
                let padded = g.input[d] + 2 * g.padding[d];
                g.kernel[d] > 0
                    && g.stride[d] > 0
                    && g.dilation[d] > 0
                    && padded >= reach
                    && (padded - reach) / g.stride[d] + 1 == g.output[d]
            });
        if fits { Ok(g) } else { Err(fail()) }
    }

    /// The windows of outputs over the input.
    fn windows(&self) -> Windows {
        Windows {
            points: self.output,
            taps: self.kernel,
            point_step: signed(self.stride),
            first: self.padding.map(|padding| -(padding as i64)),
            tap_step: signed(self.dilation),
        }
    }

    /// The inputs along dimension `d` that are met by the same taps, and those.
    fn residues(&self, d: usize) -> Result<Scratch<Residue>> {
        let (stride, dilation, padding) = (self.stride[d], self.dilation[d], self.padding[d]);
        let period = stride / gcd(stride, dilation);
        let residue = |r: usize| {
            // Inputs y where y + padding has residue r, and taps k where k * dilation has.
            let start = (r + stride - padding % stride) % stride;
            let tap = (0..period.min(self.kernel[d])).find(|k| k * dilation % stride == r);
            let first = start as i64 + padding as i64 - (tap.unwrap_or(0) * dilation) as i64;
            Residue {
                start,
                points: self.input[d].saturating_sub(start).div_ceil(stride),
                tap: tap.unwrap_or(0),
                taps: tap.map_or(0, |tap| (self.kernel[d] - tap).div_ceil(period)),
                tap_period: period,
                first: first / stride as i64,
                tap_step: -((period * dilation / stride) as i64),
            }
        };
        Scratch::collect((0..stride).map(residue).filter(|residue| residue.points > 0))
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// One residue of the input's positions by the stride: position `start + q * stride` is met by taps
/// `tap + j * tap_period` of outputs `q + first + j * tap_step`.
#[derive(Debug, Clone, Copy)]
struct Residue {
    start: usize,
    points: usize,
    tap: usize,
    taps: usize,
    tap_period: usize,
    first: i64,
    tap_step: i64,
}

/// A batched product of a weight with the windows of a source, or of a result with them: everything the texts are told.
struct Sum<'a> {
    windows: Windows,
    images: usize,
    groups: usize,
    /// Weight rows of a group, and the channels that are summed over.
    rows: usize,
    channels: usize,
    source: (Operand<'a>, OperandStrides, [usize; 3]),
    /// Operand, place, and the strides of groups, rows and channels.
    weight: (Operand<'a>, OperandStrides, [i64; 3]),
    out: (Operand<'a>, OperandStrides),
}

impl<'a> Sum<'a> {
    fn points(&self) -> usize {
        self.images * volume(self.windows.points)
    }

    fn taps(&self) -> usize {
        self.channels * volume(self.windows.taps)
    }

    /// The parameters that all texts have.
    fn describe(&self, call: Call<'a>) -> Call<'a> {
        let windows = self.windows;
        let (source, from, size) = self.source;
        let (_, by, [by_group, by_row, by_channel]) = self.weight;
        let (_, to) = self.out;
        define_sums(call, sums_of(source.dtype))
            .define("AT", self.position())
            .size("rows", self.rows)
            .size("groups", self.groups)
            .size("channels", self.channels)
            .i64s("points", signed(windows.points))
            .i64s("taps", signed(windows.taps.map(|taps| taps.max(1))))
            .i64s("point_step", windows.point_step)
            .i64s("first", windows.first)
            .i64s("tap_step", windows.tap_step)
            .i64s("size", signed(size))
            .i64("source_offset", from.offset)
            .i64("source_group", from.strides[1] * self.channels as i64)
            .i64("source_image", from.strides[0])
            .i64("source_channel", from.strides[1])
            .i64s("source_stride", from.spatial)
            .i64("weight_offset", by.offset)
            .i64("weight_group", by_group)
            .i64("weight_row", by_row)
            .i64("weight_channel", by_channel)
            .i64s("weight_tap", by.spatial)
            .i64("out_offset", to.offset)
            .i64("out_group", to.strides[1] * self.rows as i64)
            .i64("out_image", to.strides[0])
            .i64("out_row", to.strides[1])
            .i64s("out_stride", to.spatial)
    }

    /// How a tiled product of these rows, columns and inner elements is cut.
    fn tiles(
        &self,
        call: Call<'a>,
        tile: Tile,
        [rows, columns, inner]: [usize; 3],
        chunks: Chunks,
    ) -> Call<'a> {
        let outputs = rows * columns * self.groups;
        tile.define(call, sums_of(self.source.0.dtype), 0)
            .size("row_tiles", rows.div_ceil(tile.m))
            .size("column_tiles", columns.div_ceil(tile.n))
            .size("columns", columns)
            .size("inner", inner)
            .size("chunks", chunks.count)
            .size("chunk", chunks.length)
            .size("chunk_stride", outputs)
    }

    /// The type of positions.
    fn position(&self) -> &'static str {
        position_type(&[self.source.0, self.weight.0, self.out.0])
    }

    /// The call of a text that makes `out` of weight and source.
    fn call(&self, text: KernelText, bias: Option<Operand<'a>>) -> Call<'a> {
        let (weight, source, out) = (self.weight.0, self.source.0, self.out.0);
        let call =
            self.describe(Call::new(text).read("weight", weight).read("source", source).write("out", out));
        let bias = bias.map(|bias| (bias, bias.layout.strides().first().copied().unwrap_or(0)));
        with_bias(call, bias, weight)
    }

    /// Each row's sum over channels and taps at every point, plus the row's bias.
    fn convolve(&self, device: &dyn Device, bias: Option<Operand<'a>>) -> Result<()> {
        let (rows, columns) = (self.rows, self.points());
        let numel = rows * columns * self.groups;
        if numel == 0 {
            return Ok(());
        }
        if rows <= FEW_ROWS {
            let call = self.call(kernel_text!("convolve_direct"), bias).size("columns", columns);
            return device.run(call, groups_for(numel));
        }
        let output = self.out.0;
        let sums = sums_of(output.dtype);
        let tile = Tile::choose(device, sums, rows, columns, self.groups);
        let groups = tile.count(rows, columns) * self.groups;
        let mut chunks = Chunks::new(device, groups, self.taps(), tile.k, numel);
        if output.layout.numel() != numel {
            // A part of the output is not added up from parts.
            chunks = Chunks { count: 1, length: self.taps().max(1) };
        }
        if chunks.count == 1 {
            return self.convolve_tiles(device, bias, tile, chunks);
        }
        let parts = chunks.buffer(device, output, sums)?;
        let layout = Layout::contiguous("conv", output.layout.shape())?;
        let target = Operand { buffer: &parts, layout: &layout, dtype: sums };
        let part = Sum { out: (target, OperandStrides::of(&layout)), ..*self };
        part.convolve_tiles(device, None, tile, chunks)?;
        let mut strides: Dims<isize> = smallvec![0; layout.ndim()];
        strides[1] = bias.and_then(|bias| bias.layout.strides().first().copied()).unwrap_or(0);
        let bias = bias.map(|bias| (bias, &strides[..]));
        combine(device, chunks, &parts, sums, output, Finish { alpha: 1.0, beta: 0.0, bias })
    }

    fn convolve_tiles(
        &self,
        device: &dyn Device,
        bias: Option<Operand<'a>>,
        tile: Tile,
        chunks: Chunks,
    ) -> Result<()> {
        let sizes = [self.rows, self.points(), self.taps()];
        let (_, place, [_, by_row, _]) = self.weight;
        let along = place.spatial[2].abs() < by_row.abs();
        let position = self.position();
        let call = self
            .tiles(self.call(kernel_text!("convolve"), bias), tile, sizes, chunks)
            .i64("weight_along", i64::from(along))
            .shared("tap_source", position, tile.k)
            .shared("tap_weight", position, tile.k)
            .shared("tap_z", "i32", tile.k)
            .shared("tap_y", "i32", tile.k)
            .shared("tap_x", "i32", tile.k);
        device.run(call, [tile.count(sizes[0], sizes[1]) * self.groups * chunks.count, 1, 1])
    }

    /// Each row's sum over all points with every tap, into the weight.
    fn correlate(&self, device: &dyn Device) -> Result<()> {
        let (rows, columns, inner) = (self.rows, self.taps(), self.points());
        let target = self.weight.0;
        if target.layout.numel() == 0 {
            return Ok(());
        }
        let sums = sums_of(target.dtype);
        if rows <= FEW_ROWS {
            let call = self
                .gather(kernel_text!("correlate_direct"))
                .size("columns", columns)
                .size("inner", inner)
                .shared("partial", value_of(sums), GROUP as usize);
            return device.run(call, [rows * columns * self.groups, 1, 1]);
        }
        let tile = Tile::choose(device, sums, rows, columns, self.groups);
        let groups = tile.count(rows, columns) * self.groups;
        let chunks = Chunks::new(device, groups, inner, tile.k, target.layout.numel());
        if chunks.count == 1 {
            return self.correlate_tiles(device, tile, chunks);
        }
        let parts = chunks.buffer(device, target, sums)?;
        let layout = Layout::contiguous("conv", target.layout.shape())?;
        let place = OperandStrides::of(&layout);
        let strides = weight_strides(place, self.rows);
        let part = Operand { buffer: &parts, layout: &layout, dtype: sums };
        Sum { weight: (part, place, strides), ..*self }.correlate_tiles(device, tile, chunks)?;
        combine(device, chunks, &parts, sums, target, Finish { alpha: 1.0, beta: 0.0, bias: None })
    }

    /// The call of a text that makes the weight of source and `out`.
    fn gather(&self, text: KernelText) -> Call<'a> {
        let (weight, source, out) = (self.weight.0, self.source.0, self.out.0);
        self.describe(Call::new(text).read("out", out).read("source", source).write("weight", weight))
    }

    fn correlate_tiles(&self, device: &dyn Device, tile: Tile, chunks: Chunks) -> Result<()> {
        let sizes = [self.rows, self.taps(), self.points()];
        let position = self.position();
        let call = self
            .tiles(self.gather(kernel_text!("correlate")), tile, sizes, chunks)
            .shared("tap_source", position, tile.n)
            .shared("tap_z", "i32", tile.n)
            .shared("tap_y", "i32", tile.n)
            .shared("tap_x", "i32", tile.n)
            .shared("point_source", position, tile.k)
            .shared("point_out", position, tile.k)
            .shared("point_z", "i32", tile.k)
            .shared("point_y", "i32", tile.k)
            .shared("point_x", "i32", tile.k);
        device.run(call, [tile.count(sizes[0], sizes[1]) * self.groups * chunks.count, 1, 1])
    }
}

/// The strides of groups, filters and channels of a weight whose groups have `filters` filters.
fn weight_strides(place: OperandStrides, filters: usize) -> [i64; 3] {
    let [filter, channel] = place.strides;
    [filter * filters as i64, filter, channel]
}

/// Cross-correlation of `(N, C_in, *in)` with `(C_out, C_in / groups, *kernel)` into `(N, C_out, *out)`, plus a bias per
/// output channel.
pub(crate) fn convolution(device: &dyn Device, kernel: &kernel::Convolution<Operand<'_>>) -> Result<()> {
    let &kernel::Convolution { ref params, input, weight, bias, output } = kernel;
    let g = Geometry::new(params, input, weight, output)?;
    let place = OperandStrides::of(weight.layout);
    let sum = Sum {
        windows: g.windows(),
        images: g.images,
        groups: g.groups,
        rows: g.filters,
        channels: g.channels,
        source: (input, OperandStrides::of(input.layout), g.input),
        weight: (weight, place, weight_strides(place, g.filters)),
        out: (output, OperandStrides::of(output.layout)),
    };
    sum.convolve(device, bias)
}

/// The convolution's gradient by its input, which is a convolution too: of the gradient, with channels and filters in each
/// other's place. Inputs that differ in their residue by the stride are met by different taps, so each residue is a
/// product of its own.
pub(crate) fn convolution_grad_input(
    device: &dyn Device,
    kernel: &kernel::ConvolutionGradInput<Operand<'_>>,
) -> Result<()> {
    let &kernel::ConvolutionGradInput { ref params, grad, weight, grad_input } = kernel;
    let g = Geometry::new(params, grad_input, weight, grad)?;
    let (by, to) = (OperandStrides::of(weight.layout), OperandStrides::of(grad_input.layout));
    let residues = [g.residues(0)?, g.residues(1)?, g.residues(2)?];
    for &z in &residues[0] {
        for &y in &residues[1] {
            for &x in &residues[2] {
                let along = [z, y, x];
                let (mut by, mut to) = (by, to);
                for (d, residue) in along.into_iter().enumerate() {
                    by.offset += residue.tap as i64 * by.spatial[d];
                    by.spatial[d] *= residue.tap_period as i64;
                    to.offset += residue.start as i64 * to.spatial[d];
                    to.spatial[d] *= g.stride[d] as i64;
                }
                let [filter, channel] = by.strides;
                let sum = Sum {
                    windows: Windows {
                        points: along.map(|residue| residue.points),
                        taps: along.map(|residue| residue.taps),
                        point_step: [1; 3],
                        first: along.map(|residue| residue.first),
                        tap_step: along.map(|residue| residue.tap_step),
                    },
                    images: g.images,
                    groups: g.groups,
                    rows: g.channels,
                    channels: if along.iter().all(|residue| residue.taps > 0) { g.filters } else { 0 },
                    source: (grad, OperandStrides::of(grad.layout), g.output),
                    weight: (weight, by, [filter * g.filters as i64, channel, filter]),
                    out: (grad_input, to),
                };
                sum.convolve(device, None)?;
            }
        }
    }
    Ok(())
}

/// The convolution's gradient by its weight.
pub(crate) fn convolution_grad_weight(
    device: &dyn Device,
    kernel: &kernel::ConvolutionGradWeight<Operand<'_>>,
) -> Result<()> {
    let &kernel::ConvolutionGradWeight { ref params, grad, input, grad_weight } = kernel;
    let g = Geometry::new(params, input, grad_weight, grad)?;
    let place = OperandStrides::of(grad_weight.layout);
    let sum = Sum {
        windows: g.windows(),
        images: g.images,
        groups: g.groups,
        rows: g.filters,
        channels: g.channels,
        source: (input, OperandStrides::of(input.layout), g.input),
        weight: (grad_weight, place, weight_strides(place, g.filters)),
        out: (grad, OperandStrides::of(grad.layout)),
    };
    sum.correlate(device)
}
