//! Writing at positions that other tensors name, in the order of the source: the CPU's results, bit for bit.
//!
//! Where there are many lines that do not meet in the output, a work-item walks along each. Otherwise the rows are
//! sorted by where they go, stably, and a work-item per place and column combines what comes there. Where the order need
//! not be kept (`use_deterministic_algorithms(false)`), float32 numbers are added by atomic additions instead.

use rustorch_backend::{
    Category, DType, Dims, Layout, Operand, ScatterOp, Shape, is_deterministic, kernel, volume,
};
use rustorch_error::{Result, RusTorchError};
use smallvec::smallvec;

use super::copy::{Raw, groups_for};
use super::index::{ANY_PLACE, Listed, Lookup, Negative, check, look_up};
use super::program::define_value;
use super::radix::{self, Keys, key_type};
use crate::device::Device;
use crate::kernel::{Call, GROUP};
use crate::positions::Strided;

/// Lines up to this length are walked along whatever their number.
const SHORT: usize = 48;

/// Source and output as numbers that `op` combines: elements as they are where they are only moved, and the parts of
/// complex ones where those are added. `layout`s may have a last dimension of 2.
struct Numbers {
    source: Layout,
    output: Layout,
    dtype: DType,
}

impl Numbers {
    fn new(name: &'static str, op: ScatterOp, source: Operand<'_>, output: Operand<'_>) -> Result<Self> {
        let dtype = output.dtype;
        if op == ScatterOp::Assign {
            let (from, to) = (Raw::of(source)?, Raw::of(output)?);
            let dtype = to.operand(output).dtype;
            return Ok(Numbers { source: from.layout().clone(), output: to.layout().clone(), dtype });
        }
        if !dtype.is_complex() {
            return Ok(Numbers { source: source.layout.clone(), output: output.layout.clone(), dtype });
        }
        if op != ScatterOp::Add {
            return Err(RusTorchError::unsupported(name, "products and order of complex numbers"));
        }
        Ok(Numbers {
            source: source.layout.parts(name)?,
            output: output.layout.parts(name)?,
            dtype: dtype.to_real(),
        })
    }

    /// The dtype that holds every position of the output, and how many bits those have.
    fn positions(&self) -> (DType, u32) {
        let most = self.output.span().map_or(0, |(_, high)| high);
        let bits = usize::BITS - most.leading_zeros();
        (if bits < 32 { DType::Int32 } else { DType::Int64 }, bits)
    }
}

/// Whether each line has a work-item of its own, given how many there are and how long they are.
fn walks(device: &dyn Device, lines: usize, length: usize) -> bool {
    length <= SHORT || lines >= device.parallelism() * GROUP as usize
}

/// A call with the operands and what combines them.
fn combining<'a>(
    call: Call<'a>,
    op: ScatterOp,
    numbers: &Numbers,
    source: Operand<'a>,
    output: Operand<'a>,
) -> Call<'a> {
    let dtype = numbers.dtype;
    let combine = match op {
        ScatterOp::Assign => "ASSIGN",
        ScatterOp::Add => "SUM",
        ScatterOp::Multiply => "PRODUCT",
        ScatterOp::Max => "LARGER",
        ScatterOp::Min => "SMALLER",
    };
    let half = match dtype {
        DType::Float16 => 16,
        DType::BFloat16 => 8,
        _ => 0,
    };
    let computed = if dtype.category() == Category::Float && half != 0 { DType::Float32 } else { dtype };
    define_value(call, computed)
        .define("COMBINE", combine)
        .constant("HALF", half)
        .read("source", Operand { dtype, ..source })
        .write("to", Operand { dtype, ..output })
}

/// `out[i… with index[i…] at dim] op= source[i…]`.
pub(crate) fn scatter(device: &dyn Device, kernel: &kernel::Scatter<Operand<'_>>) -> Result<()> {
    let &kernel::Scatter { op, dim, index, source, output } = kernel;
    let numbers = Numbers::new("scatter", op, source, output)?;
    if index.layout.numel() == 0 {
        return Ok(());
    }
    let size = output.layout.shape().get(dim).copied().unwrap_or(1);
    // The index's elements, each as often as it has parts; at least one dimension.
    let mut shape = Shape::from_slice(index.layout.shape());
    let mut index_strides: Dims<isize> = Dims::from_slice(index.layout.strides());
    let mut from: Dims<isize> = Dims::from_slice(numbers.source.strides());
    let mut to: Dims<isize> = Dims::from_slice(numbers.output.strides());
    if index.layout.ndim() == 0 {
        shape.push(1);
        index_strides.push(0);
        from.insert(0, 0);
        to.insert(0, 0);
    }
    if to.len() > shape.len() {
        shape.push(2);
        index_strides.push(0);
    }
    let along = std::mem::take(&mut to[dim]);
    let length = shape[dim];
    let lines = volume(&shape) / length;
    if walks(device, lines, length) {
        check(device, "scatter", index, dim, size)?;
        let [index_line, from_line, to_line] = [&index_strides, &from, &to].map(|strides| {
            strides.iter().enumerate().filter(|&(d, _)| d != dim).map(|(_, &s)| s).collect::<Dims<isize>>()
        });
        let line_shape: Shape =
            shape.iter().enumerate().filter(|&(d, _)| d != dim).map(|(_, &n)| n).collect();
        return along_lines(
            device,
            combining(Call::new(kernel_text!("scatter_lines")), op, &numbers, source, output)
                .read("index", index)
                .size("places", size)
                .i64("along", along as i64),
            &line_shape,
            [
                Strided { name: "to", strides: &to_line, offset: numbers.output.offset() },
                Strided { name: "source", strides: &from_line, offset: numbers.source.offset() },
                Strided { name: "index", strides: &index_line, offset: index.layout.offset() },
            ],
            &[length],
            [
                Strided { name: "source_step", strides: &[from[dim]], offset: 0 },
                Strided { name: "index_step", strides: &[index_strides[dim]], offset: 0 },
            ],
        );
    }
    let (dtype, bits) = numbers.positions();
    let count = volume(&shape);
    let layout = Layout::contiguous("scatter", &[count])?;
    let buffer = device.temporary(count * dtype.size())?;
    let index_layout = Layout::new("scatter", shape.clone(), index_strides, index.layout.offset())?;
    let lookup = Lookup { index: Operand { layout: &index_layout, ..index }, dim, size, stride: along };
    let base = Strided { name: "base", strides: &to, offset: numbers.output.offset() };
    let offsets = Operand { buffer: &buffer, layout: &layout, dtype };
    look_up(device, "scatter", &shape, &[lookup], Negative::IsOutside, Some((offsets, base)))?;
    let keys = Keys { buffer, dtype, lines: 1, length: count };
    let rows = Strided { name: "row", strides: &from, offset: numbers.source.offset() };
    let none = Columns { shape: &[], source: &[], output: &[] };
    sorted_rows(device, "scatter", (op, &numbers), (source, output), (keys, bits), (&shape, rows), &none)
}

/// `out[indices[0][i…], …, r…] = source[i…, r…]`, or `+=`.
pub(crate) fn index_write(device: &dyn Device, kernel: &kernel::IndexWrite<Operand<'_>>) -> Result<()> {
    let &kernel::IndexWrite { accumulate, ref indices, source, output } = kernel;
    let op = if accumulate { ScatterOp::Add } else { ScatterOp::Assign };
    let numbers = Numbers::new("index_put", op, source, output)?;
    let (dtype, bits) = numbers.positions();
    let listed = Listed::new(device, "index_put", output.layout.shape(), indices, &numbers.output, dtype)?;
    if numbers.source.numel() == 0 {
        return Ok(());
    }
    let dims = listed.dims();
    let rows = Shape::from_slice(&numbers.source.shape()[..dims]);
    let columns = Layout::new(
        "scatter",
        Shape::from_slice(&numbers.source.shape()[dims..]),
        Dims::from_slice(&numbers.source.strides()[dims..]),
        numbers.source.offset(),
    )?;
    let row_strides = &numbers.source.strides()[..dims];
    let count = volume(&rows);
    if !walks(device, columns.numel(), count) {
        let keys = Keys { buffer: listed.into_buffer(), dtype, lines: 1, length: count };
        let rows_at = Strided { name: "row", strides: row_strides, offset: columns.offset() };
        let row = Columns {
            shape: columns.shape(),
            source: columns.strides(),
            output: &numbers.output.strides()[indices.len()..],
        };
        let operands = (source, output);
        return sorted_rows(
            device,
            "index_put",
            (op, &numbers),
            operands,
            (keys, bits),
            (&rows, rows_at),
            &row,
        );
    }
    let still: Dims<isize> = smallvec![0; columns.ndim()];
    along_lines(
        device,
        combining(Call::new(kernel_text!("scatter_lines")), op, &numbers, source, output)
            .read("index", listed.operand())
            .size("places", ANY_PLACE)
            .i64("along", 1),
        columns.shape(),
        [
            Strided { name: "to", strides: &numbers.output.strides()[indices.len()..], offset: 0 },
            Strided::of("source", &columns),
            Strided { name: "index", strides: &still, offset: 0 },
        ],
        &rows,
        [
            Strided { name: "source_step", strides: row_strides, offset: 0 },
            Strided { name: "index_step", strides: listed.layout.strides(), offset: 0 },
        ],
    )
}

/// A work-item per line, along its elements.
fn along_lines(
    device: &dyn Device,
    call: Call<'_>,
    lines: &[usize],
    starts: [Strided<'_>; 3],
    elements: &[usize],
    steps: [Strided<'_>; 2],
) -> Result<()> {
    let (count, length) = (volume(lines), volume(elements));
    let call = call
        .size("lines", count)
        .size("length", length)
        .places("LINES", lines, &starts)
        .positions("ELEMENTS", elements, &steps);
    device.run(call, groups_for(count))
}

/// The dimensions of a row, and the strides of source and output there.
struct Columns<'a> {
    shape: &'a [usize],
    source: &'a [isize],
    output: &'a [isize],
}

impl Columns<'_> {
    /// Where they lie in the output and in the source.
    fn strided(&self) -> [Strided<'_>; 2] {
        [
            Strided { name: "to", strides: self.output, offset: 0 },
            Strided { name: "source", strides: self.source, offset: 0 },
        ]
    }
}

/// Sorts rows by where they go, and combines those of each place. `rows` are the source's first dimensions and how it
/// lies there, counted from its first element.
fn sorted_rows(
    device: &dyn Device,
    name: &'static str,
    (op, numbers): (ScatterOp, &Numbers),
    (source, output): (Operand<'_>, Operand<'_>),
    (keys, bits): (Keys, u32),
    (rows, rows_at): (&[usize], Strided<'_>),
    row: &Columns<'_>,
) -> Result<()> {
    if op == ScatterOp::Add && numbers.dtype == DType::Float32 && !is_deterministic() {
        return atomic_rows(device, numbers.dtype, (source, output), &keys, (rows, rows_at), row);
    }
    let count = keys.length;
    let sorted = radix::sort(device, name, keys, bits)?;
    let layout = Layout::contiguous("scatter", &[count])?;
    let columns = volume(row.shape);
    let group = GROUP as usize;
    let across = columns.next_power_of_two().min(group);
    let column_groups = columns.div_ceil(across);
    let dtype = sorted.keys.dtype;
    let call = combining(Call::new(kernel_text!("scatter_sorted")), op, numbers, source, output)
        .read("keys", Operand { buffer: &sorted.keys.buffer, layout: &layout, dtype })
        .read("order", Operand { buffer: &sorted.places, layout: &layout, dtype: DType::Int32 })
        .define("K", key_type(dtype))
        .constant("LAST_WINS", usize::from(op == ScatterOp::Assign))
        .constant("LX", across)
        .constant("LY", group / across)
        .size("rows", count)
        .size("columns", columns)
        .size("column_groups", column_groups)
        .places("ROWS", rows, &[rows_at])
        .positions("COLUMNS", row.shape, &row.strided());
    device.run(call, [column_groups * count.div_ceil(group / across), 1, 1])
}

/// Adds rows where they go, as they come.
fn atomic_rows(
    device: &dyn Device,
    dtype: DType,
    (source, output): (Operand<'_>, Operand<'_>),
    keys: &Keys,
    (rows, rows_at): (&[usize], Strided<'_>),
    row: &Columns<'_>,
) -> Result<()> {
    let columns = volume(row.shape);
    let layout = Layout::contiguous("scatter", &[keys.length])?;
    let call = Call::new(kernel_text!("scatter_atomic"))
        .read("source", Operand { dtype, ..source })
        .write("to", Operand { dtype, ..output })
        .read("keys", Operand { buffer: &keys.buffer, layout: &layout, dtype: keys.dtype })
        .size("rows", keys.length)
        .size("columns", columns)
        .places("ROWS", rows, &[rows_at])
        .positions("COLUMNS", row.shape, &row.strided());
    device.run(call, groups_for(keys.length * columns))
}
