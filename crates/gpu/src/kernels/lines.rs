//! Lines of elements, each of which a few work-items work on together: what reductions, scans and norms share.

use rustorch_backend::{Category, DType, Dims, Layout, Shape, dims_from_slice, volume};
use smallvec::smallvec;

use crate::device::Device;
use crate::kernel::{Call, GROUP};
use crate::positions::Strided;

/// Lines and the elements of each: the kept and the reduced dimensions of an operand.
#[derive(Debug)]
pub(crate) struct Lines {
    /// Sizes of the kept dimensions.
    pub shape: Shape,
    /// The operand's strides there.
    pub strides: Dims<isize>,
    /// Sizes of the reduced dimensions.
    pub inner_shape: Shape,
    /// The operand's strides there.
    pub inner_strides: Dims<isize>,
    /// The reduced dimensions.
    dims: Dims<usize>,
}

/// Where the lines of one operand lie.
#[derive(Debug)]
pub(crate) struct Steps {
    across: Dims<isize>,
    along: Dims<isize>,
    offset: usize,
}

impl Steps {
    /// `at_name` is a line's first element.
    pub(crate) fn line(&self, name: &'static str) -> Strided<'_> {
        Strided { name, strides: &self.across, offset: self.offset }
    }

    /// `at_name` is the way from a line's first element to another.
    pub(crate) fn element(&self, name: &'static str) -> Strided<'_> {
        Strided { name, strides: &self.along, offset: 0 }
    }
}

impl Lines {
    /// The lines of a layout along `dims`.
    pub(crate) fn new(layout: &Layout, dims: &[usize]) -> Self {
        let mut lines = Lines {
            shape: smallvec![],
            strides: smallvec![],
            inner_shape: smallvec![],
            inner_strides: smallvec![],
            dims: dims_from_slice(dims),
        };
        for (d, (&size, &stride)) in layout.shape().iter().zip(layout.strides()).enumerate() {
            let (shape, strides) = if dims.contains(&d) {
                (&mut lines.inner_shape, &mut lines.inner_strides)
            } else {
                (&mut lines.shape, &mut lines.strides)
            };
            shape.push(size);
            strides.push(stride);
        }
        lines
    }

    /// The number of lines.
    pub(crate) fn count(&self) -> usize {
        volume(&self.shape)
    }

    /// The number of elements of each.
    pub(crate) fn length(&self) -> usize {
        volume(&self.inner_shape)
    }

    /// Where an operand's lines lie, whose layout has as many dimensions as the first's.
    pub(crate) fn steps(&self, layout: &Layout) -> Steps {
        let mut steps = Steps { across: smallvec![], along: smallvec![], offset: layout.offset() };
        for (d, &stride) in layout.strides().iter().enumerate() {
            if self.dims.contains(&d) { &mut steps.along } else { &mut steps.across }.push(stride);
        }
        steps
    }

    /// Whether neighbouring lines are nearer to each other than neighbouring elements.
    fn across(&self) -> bool {
        let step = |shape: &[usize], strides: &[isize]| {
            let moves = shape.iter().zip(strides).filter(|(n, _)| **n > 1);
            moves.map(|(_, s)| s.unsigned_abs()).filter(|&s| s > 0).min().unwrap_or(usize::MAX)
        };
        step(&self.shape, &self.strides) < step(&self.inner_shape, &self.inner_strides)
    }

    /// How many lines a group works on, so that neighbouring work-items read neighbouring memory: a power of two.
    pub(crate) fn per_group(&self) -> usize {
        let group = GROUP as usize;
        let lanes = self.length().next_power_of_two().clamp(1, group);
        let least = if self.across() { 32 } else { 1 };
        (group / lanes).max(least).min(self.count().next_power_of_two()).min(group)
    }

    /// How many work-items work on a line.
    pub(crate) fn lanes(&self) -> usize {
        GROUP as usize / self.per_group()
    }

    /// How many elements of its line a work-item keeps in registers; 0 when those are too many. Few values, so that few
    /// texts are compiled.
    pub(crate) fn held(&self) -> usize {
        let most = self.length().div_ceil(self.lanes());
        [1, 4, 16].into_iter().find(|&held| most <= held).unwrap_or(0)
    }

    /// Into how many pieces each line is cut, so that there are groups for the whole device.
    pub(crate) fn chunks(&self, device: &dyn Device) -> usize {
        let groups = self.count().div_ceil(self.per_group()).max(1);
        let wanted = (device.parallelism() * 8).div_ceil(groups);
        wanted.min(self.length() / (self.lanes() * 16)).clamp(1, 1024)
    }

    /// The groups of a launch.
    pub(crate) fn groups(&self, chunks: usize) -> [usize; 3] {
        [self.count().div_ceil(self.per_group()), chunks, 1]
    }

    /// The layout of one result per chunk and line, and the lines along the chunks.
    pub(crate) fn partials(&self, chunks: usize) -> rustorch_error::Result<(Layout, Lines)> {
        let mut shape: Shape = smallvec![chunks];
        shape.extend_from_slice(&self.shape);
        let layout = Layout::contiguous("reduce", &shape)?;
        let lines = Lines::new(&layout, &[0]);
        Ok((layout, lines))
    }
}

impl Call<'_> {
    /// What `lines.c` needs: how a group's work-items share lines that are cut into `chunks`; `LINES(line)` declares the
    /// positions of `across`, `ELEMENTS(k)` those of `along`.
    pub(crate) fn lines(
        self,
        lines: &Lines,
        chunks: usize,
        across: &[Strided<'_>],
        along: &[Strided<'_>],
    ) -> Self {
        let (together, lanes) = (lines.per_group(), lines.lanes());
        let (lane_step, column_step) = if lines.across() { (together, 1) } else { (1, lanes) };
        self.size("lines", lines.count())
            .size("length", lines.length())
            .size("chunk", lines.length().div_ceil(chunks))
            .size("together", together)
            .size("lanes", lanes)
            .size("lane_step", lane_step)
            .size("column_step", column_step)
            .places("LINES", &lines.shape, across)
            .positions("ELEMENTS", &lines.inner_shape, along)
    }
}

/// The dtype in which sums of numbers of a dtype are kept: what is exact, or nearly.
pub(crate) fn widest(device: &dyn Device, value: DType) -> DType {
    if value.category() != Category::Float {
        DType::Int64
    } else if value == DType::Float64 || device.limits().has_f64 {
        DType::Float64
    } else {
        DType::Float32
    }
}

/// The dtype in which numbers of a dtype are compared.
pub(crate) fn compared(value: DType) -> DType {
    match value {
        DType::Float64 => DType::Float64,
        _ if value.category() == Category::Float => DType::Float32,
        _ => DType::Int64,
    }
}
