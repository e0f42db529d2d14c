//! Cumulative sums, products, extremes and logarithms of sums.

use rustorch_backend::{Buffer, Category, DType, Layout, Operand, ScanOp, kernel};
use rustorch_error::{Result, RusTorchError};
use smallvec::{SmallVec, smallvec};

use super::lines::{Lines, Steps, compared, widest};
use super::program::define_value;
use crate::device::Device;
use crate::kernel::{Call, GROUP, KernelText, value_type};
use crate::positions::Strided;

const TEXT: KernelText = kernel_text!("scan");

/// How many elements that follow one another a work-item scans at a time.
const ITEMS: usize = 4;

/// Into how many chunks a line is cut at most: each reads what those before come to.
const CHUNKS: usize = 128;

/// A scan over lines.
struct Scan<'a> {
    op: ScanOp,
    input: Operand<'a>,
    output: Operand<'a>,
    indices: Option<Operand<'a>>,
    lines: Lines,
    chunks: usize,
    /// The dtype in which elements are combined.
    wide: DType,
    from: Steps,
    to: Steps,
    places: Option<Steps>,
}

/// What each chunk comes to, and the place of an extreme.
struct Totals {
    values: Buffer,
    places: Option<Buffer>,
    layout: Layout,
}

/// Combines each element along `dim` with those before it.
pub(crate) fn scan(device: &dyn Device, kernel: &kernel::Scan<Operand<'_>>) -> Result<()> {
    let &kernel::Scan { op, input, dim, output, indices } = kernel;
    let (name, extreme) = match op {
        ScanOp::Sum => ("cumsum", false),
        ScanOp::Prod => ("cumprod", false),
        ScanOp::Max => ("cummax", true),
        ScanOp::Min => ("cummin", true),
        ScanOp::LogSumExp => ("logcumsumexp", false),
    };
    let same = input.dtype == output.dtype;
    let counted = matches!(op, ScanOp::Sum | ScanOp::Prod)
        && output.dtype == DType::Int64
        && input.dtype.category() <= Category::Integer;
    let indexed = indices.is_none_or(|indices| extreme && indices.dtype == DType::Int64);
    let floating = op != ScanOp::LogSumExp || input.dtype.is_floating_point();
    if input.dtype.is_complex() || !(same || counted) || !indexed || !floating {
        return Err(RusTorchError::unsupported(name, format!("from {} to {}", input.dtype, output.dtype)));
    }
    let lines = Lines::new(input.layout, &[dim]);
    let scan = Scan {
        op,
        input,
        output,
        indices,
        chunks: lines.chunks(device).min(CHUNKS),
        wide: if extreme { compared(input.dtype) } else { widest(device, input.dtype) },
        from: lines.steps(input.layout),
        to: lines.steps(output.layout),
        places: indices.map(|indices| lines.steps(indices.layout)),
        lines,
    };
    if scan.chunks == 1 {
        return device.run(scan.results(scan.call()), scan.lines.groups(1));
    }
    let n = scan.chunks * scan.lines.count();
    let places = indices.map(|_| device.temporary(n * DType::Int64.size())).transpose()?;
    let totals = Totals {
        values: device.temporary(n * scan.wide.size())?,
        places,
        layout: Layout::contiguous("scan", &[n])?,
    };
    let values = Operand { buffer: &totals.values, layout: &totals.layout, dtype: scan.wide };
    let places = |buffer| Operand { buffer, layout: &totals.layout, dtype: DType::Int64 };
    let mut call = scan.call().constant("TOTALS_ONLY", 1).write("total", values);
    if let Some(buffer) = &totals.places {
        call = call.write("total_place", places(buffer));
    }
    let call = call.lines(&scan.lines, scan.chunks, &[scan.from.line("x_line")], &[scan.from.element("x")]);
    device.run(call, scan.lines.groups(scan.chunks))?;
    let mut call = scan.call().constant("WITH_TOTALS", 1).read("total", values);
    if let Some(buffer) = &totals.places {
        call = call.read("total_place", places(buffer));
    }
    device.run(scan.results(call), scan.lines.groups(scan.chunks))
}

impl Scan<'_> {
    /// What every pass needs.
    fn call(&self) -> Call<'static> {
        let float = self.wide.category() == Category::Float;
        let (lowest, highest) = if float {
            ("((A)-INFINITY)", "((A)INFINITY)")
        } else {
            ("((A)(-9223372036854775807 - 1))", "((A)9223372036854775807)")
        };
        let (identity, combine, reaches) = match self.op {
            ScanOp::Sum => ("((A)0)", "ADD", ""),
            ScanOp::Prod => ("((A)1)", "MULTIPLY", ""),
            ScanOp::Max => (lowest, "LARGER", ">="),
            ScanOp::Min => (highest, "SMALLER", "<="),
            ScanOp::LogSumExp => (lowest, "log_add_exp", ""),
        };
        let element = value_type(self.wide);
        let slots = GROUP as usize;
        let call = define_value(Call::new(TEXT), self.wide)
            .read("x", self.input)
            .define("A", element)
            .define("IDENTITY", identity)
            .define("COMBINE", combine)
            .define("REACHES", reaches)
            .constant("LOGARITHMS", usize::from(self.op == ScanOp::LogSumExp))
            .constant("PLACES", usize::from(self.indices.is_some()))
            .constant("ITEMS", ITEMS)
            .shared("elements", element, slots * ITEMS)
            .shared("totals", element, slots);
        if self.indices.is_some() {
            call.shared("places", "i64", slots * ITEMS).shared("total_places", "i64", slots)
        } else {
            call
        }
    }

    /// With the outputs of the last pass.
    fn results<'b>(&self, call: Call<'b>) -> Call<'b> {
        let mut call = call.write("y", self.output);
        let mut across: SmallVec<[Strided<'_>; 3]> =
            smallvec![self.from.line("x_line"), self.to.line("y_line")];
        let mut along: SmallVec<[Strided<'_>; 3]> = smallvec![self.from.element("x"), self.to.element("y")];
        if let (Some(indices), Some(places)) = (self.indices, &self.places) {
            call = call.write("index", indices);
            across.push(places.line("index_line"));
            along.push(places.element("index"));
        }
        call.lines(&self.lines, self.chunks, &across, &along)
    }
}
