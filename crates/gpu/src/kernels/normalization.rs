//! Normalisation by mean and variance, and its gradient: layer, batch, group and instance norm are choices of dimensions.
//!
//! Where there are groups of elements enough for the whole device, each is read, reduced and written by one group of
//! work-items; where there are few long ones, their chunks are reduced first, and the elements are normalised on their own.

use rustorch_backend::{Layout, Operand, ReduceOp, Shape, dims_from_slice, kernel};
use rustorch_error::{Result, RusTorchError};
use smallvec::{SmallVec, smallvec};

use super::copy::{copy, groups_for};
use super::lines::{Lines, Steps, widest};
use super::moments::{Spread, number, statistics, with_moments};
use super::reduce::reduce;
use crate::device::Device;
use crate::kernel::{Call, GROUP, value_type};
use crate::positions::Strided;

/// An operand seen under the input's shape.
struct Broadcast<'a> {
    operand: Operand<'a>,
    layout: Layout,
}

impl<'a> Broadcast<'a> {
    fn new(op: &'static str, operand: Operand<'a>, shape: &[usize]) -> Result<Self> {
        Ok(Broadcast { operand, layout: operand.layout.broadcast_to(op, shape)? })
    }

    fn optional(op: &'static str, operand: Option<Operand<'a>>, shape: &[usize]) -> Result<Option<Self>> {
        operand.map(|operand| Broadcast::new(op, operand, shape)).transpose()
    }
}

/// Refuses all but floating point, and groups of no elements.
fn check(op: &'static str, lines: &Lines, operands: &[Operand<'_>]) -> Result<()> {
    for operand in operands {
        if !operand.dtype.is_floating_point() {
            return Err(RusTorchError::unsupported(op, format!("not defined for {}", operand.dtype)));
        }
    }
    if lines.length() == 0 {
        return Err(RusTorchError::unsupported(op, "groups of no elements"));
    }
    Ok(())
}

/// `(x - mean) * rstd * weight + bias`, and the statistics.
pub(crate) fn normalize(device: &dyn Device, kernel: &kernel::Normalize<Operand<'_>>) -> Result<()> {
    let &kernel::Normalize { input, ref dims, eps, weight, bias, output, mean, rstd } = kernel;
    let op = "normalize";
    let shape = input.layout.shape();
    let lines = Lines::new(input.layout, dims);
    check(op, &lines, &[input, output, mean, rstd])?;
    check(op, &lines, &weight.into_iter().chain(bias).collect::<SmallVec<[Operand<'_>; 2]>>())?;
    let parameters = Broadcast::optional(op, weight, shape)?
        .map(|w| ("w", "w_line", w))
        .into_iter()
        .chain(Broadcast::optional(op, bias, shape)?.map(|b| ("b", "b_line", b)))
        .collect::<SmallVec<[(&'static str, &'static str, Broadcast<'_>); 2]>>();
    let wide = widest(device, input.dtype);
    let begin = |text| {
        let call = Call::new(text)
            .define("V", value_type(input.dtype))
            .constant("HAS_WEIGHT", usize::from(weight.is_some()))
            .constant("HAS_BIAS", usize::from(bias.is_some()))
            .read("x", input)
            .write("y", output);
        parameters.iter().fold(call, |call, (name, _, parameter)| call.read(name, parameter.operand))
    };
    if lines.chunks(device) == 1 {
        let (x, y) = (lines.steps(input.layout), lines.steps(output.layout));
        let (to_mean, to_rstd) = (lines.steps(mean.layout), lines.steps(rstd.layout));
        let steps: SmallVec<[Steps; 2]> = parameters.iter().map(|(_, _, p)| lines.steps(&p.layout)).collect();
        let mut across: SmallVec<[Strided<'_>; 6]> =
            smallvec![x.line("x_line"), y.line("y_line"), to_mean.line("mean"), to_rstd.line("rstd")];
        let mut along: SmallVec<[Strided<'_>; 4]> = smallvec![x.element("x"), y.element("y")];
        for (steps, (element, line, _)) in steps.iter().zip(&parameters) {
            across.push(steps.line(line));
            along.push(steps.element(element));
        }
        let call = with_moments(begin(kernel_text!("normalize_lines")), wide)
            .write("mean", mean)
            .write("rstd", rstd)
            .constant("HELD", lines.held())
            .lines(&lines, 1, &across, &along);
        return device.run(number(call, "eps", wide, eps), lines.groups(1));
    }
    // The statistics as exactly as they are computed; the outputs may be narrower.
    let kept = Layout::contiguous("norm", mean.layout.shape())?;
    let buffers = [0, 1].map(|_| device.temporary(kept.numel() * wide.size()));
    let [wide_mean, wide_rstd] = buffers;
    let (wide_mean, wide_rstd) = (wide_mean?, wide_rstd?);
    let wide_mean = Operand { buffer: &wide_mean, layout: &kept, dtype: wide };
    let wide_rstd = Operand { buffer: &wide_rstd, layout: &kept, dtype: wide };
    statistics(device, input, &lines, wide_mean, wide_rstd, Spread::Rstd(eps))?;
    copy(device, wide_mean, mean)?;
    copy(device, wide_rstd, rstd)?;
    let spread = kept.broadcast_to(op, shape)?;
    let mut strided: SmallVec<[Strided<'_>; 6]> = smallvec![
        Strided::of("x", input.layout),
        Strided::of("y", output.layout),
        Strided::of("mean", &spread),
        Strided::of("rstd", &spread)
    ];
    strided.extend(parameters.iter().map(|(name, _, p)| Strided::of(name, &p.layout)));
    let n = input.layout.numel();
    let call = begin(kernel_text!("normalize_elements"))
        .define("A", value_type(wide))
        .read("mean", wide_mean)
        .read("rstd", wide_rstd)
        .size("n", n)
        .positions("POSITIONS", shape, &strided);
    device.run(call, groups_for(n))
}

/// The gradient of `normalize` by its input, from the statistics it gave.
pub(crate) fn normalize_grad(device: &dyn Device, kernel: &kernel::NormalizeGrad<Operand<'_>>) -> Result<()> {
    let &kernel::NormalizeGrad { grad, input, ref dims, weight, mean, rstd, grad_input } = kernel;
    let op = "normalize_backward";
    let shape = input.layout.shape();
    let lines = Lines::new(input.layout, dims);
    check(op, &lines, &[grad, input, mean, rstd, grad_input])?;
    check(op, &lines, weight.as_slice())?;
    let weight = Broadcast::optional(op, weight, shape)?;
    let (mean, rstd) = (Broadcast::new(op, mean, shape)?, Broadcast::new(op, rstd, shape)?);
    let wide = widest(device, input.dtype);
    let begin = |text| {
        let call = Call::new(text)
            .define("V", value_type(input.dtype))
            .define("A", value_type(wide))
            .constant("HAS_WEIGHT", usize::from(weight.is_some()))
            .read("g", grad)
            .read("x", input)
            .read("mean", mean.operand)
            .read("rstd", rstd.operand);
        weight.iter().fold(call, |call, weight| call.read("w", weight.operand))
    };
    let chunks = lines.chunks(device);
    let [g, x, to_mean, to_rstd, out] =
        [grad.layout, input.layout, &mean.layout, &rstd.layout, grad_input.layout].map(|l| lines.steps(l));
    let w = weight.as_ref().map(|weight| lines.steps(&weight.layout));
    let over_lines = |call: Call<'static>, sums_only: bool| {
        let mut across: SmallVec<[Strided<'_>; 6]> =
            smallvec![g.line("g_line"), x.line("x_line"), to_mean.line("mean"), to_rstd.line("rstd")];
        let mut along: SmallVec<[Strided<'_>; 4]> = smallvec![g.element("g"), x.element("x")];
        if let Some(w) = &w {
            across.push(w.line("w_line"));
            along.push(w.element("w"));
        }
        if !sums_only {
            across.push(out.line("out_line"));
            along.push(out.element("out"));
        }
        call.constant("SUMS_ONLY", usize::from(sums_only))
            .constant("HELD", if sums_only { 0 } else { lines.held() })
            .shared("sums", value_type(wide), GROUP as usize)
            .shared("products", value_type(wide), GROUP as usize)
            .lines(&lines, chunks, &across, &along)
    };
    if chunks == 1 {
        let call = begin(kernel_text!("normalize_grad_lines")).write("out", grad_input);
        return device.run(over_lines(call, false), lines.groups(1));
    }
    // The sums over chunks, of both kinds; then those over groups.
    let plane = chunks * lines.count();
    let temporary = |shape: &[usize]| -> Result<_> {
        let layout = Layout::contiguous("norm", shape)?;
        Ok((device.temporary(layout.numel() * wide.size())?, layout))
    };
    let (partial, partial_layout) = temporary(&[2, chunks, lines.count()])?;
    let partial = Operand { buffer: &partial, layout: &partial_layout, dtype: wide };
    let call = begin(kernel_text!("normalize_grad_lines")).write("out", partial).size("plane", plane);
    device.run(over_lines(call, true), lines.groups(chunks))?;
    let (sums, sums_layout) = temporary(&[2, 1, lines.count()])?;
    let sums = Operand { buffer: &sums, layout: &sums_layout, dtype: wide };
    reduce(
        device,
        &kernel::Reduce {
            op: ReduceOp::Sum,
            pre: None,
            input: partial,
            dims: dims_from_slice(&[1]),
            output: sums,
        },
    )?;
    let mut kept = Shape::from_slice(shape);
    for &d in dims {
        kept[d] = 1;
    }
    let per_group = Layout::contiguous("norm", &kept)?.broadcast_to(op, shape)?;
    let mut strided: SmallVec<[Strided<'_>; 6]> = smallvec![
        Strided::of("g", grad.layout),
        Strided::of("x", input.layout),
        Strided::of("mean", &mean.layout),
        Strided::of("rstd", &rstd.layout),
        Strided::of("sums", &per_group),
        Strided::of("out", grad_input.layout)
    ];
    strided.extend(weight.as_ref().map(|weight| Strided::of("w", &weight.layout)));
    let n = input.layout.numel();
    let call = begin(kernel_text!("normalize_grad_elements"))
        .read("sums", sums)
        .write("out", grad_input)
        .size("n", n)
        .size("length", lines.length())
        .size("plane", lines.count())
        .positions("POSITIONS", shape, &strided);
    device.run(call, groups_for(n))
}
