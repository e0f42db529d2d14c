//! Counting values and binning them.

use rustorch_backend::memory::{Scratch, gathered};
use rustorch_backend::{DType, Scalar, volume};
use rustorch_error::{Result, RusTorchError};

use super::creation::cast;
use super::searching::count_smaller;
use super::shape_ops::reshape_to;
use crate::{Tensor, ops};

/// How often each number occurs, or the sum of its weights.
pub fn bincount(input: &Tensor, weights: Option<&Tensor>, minlength: i64) -> Result<Tensor> {
    if !input.dtype().is_integral(false) {
        return Err(RusTorchError::dtype(
            "bincount",
            format!("not implemented for {}; it takes integer tensors", input.dtype()),
        ));
    }
    if minlength < 0 {
        return Err(RusTorchError::argument(
            "bincount",
            format!("minlength should be >= 0, got {minlength}"),
        ));
    }
    if input.ndim() != 1 {
        return Err(RusTorchError::shape(
            "bincount",
            format!("only supports 1-d non-negative integral inputs, got shape {:?}", input.shape()),
        ));
    }
    if let Some(weights) = weights.filter(|w| w.shape() != input.shape()) {
        return Err(RusTorchError::shape(
            "bincount",
            format!("weights should be 1-d and have the same length as input, got {:?}", weights.shape()),
        ));
    }
    let index = cast(&input.detach(), DType::Int64)?;
    let mut size = minlength;
    if index.numel() > 0 {
        let (low, high) = ops::aminmax(&index, None, false)?;
        let low = low.item()?.to_i64();
        if low < 0 {
            return Err(RusTorchError::argument(
                "bincount",
                format!("only supports 1-d non-negative integral inputs, got {low}"),
            ));
        }
        size = size.max(high.item()?.to_i64().saturating_add(1));
    }
    let dtype = weights
        .map_or(DType::Int64, |w| if w.dtype() == DType::Float32 { DType::Float32 } else { DType::Float64 });
    let counts = ops::zeros(&[size], Some(dtype), Some(input.device()), false)?;
    let weights = match weights {
        Some(weights) => cast(&weights.detach(), dtype)?,
        None => ops::ones_like(&index, None, None, false)?,
    };
    ops::scatter_add(&counts, 0, &index, &weights)
}

fn floats_only(op: &'static str, input: &Tensor) -> Result<()> {
    if input.dtype().is_floating_point() {
        return Ok(());
    }
    Err(RusTorchError::dtype(
        op,
        format!("not implemented for {}; it takes floating-point tensors", input.dtype()),
    ))
}

fn positive_bins(op: &'static str, bins: i64) -> Result<()> {
    if bins > 0 {
        return Ok(());
    }
    Err(RusTorchError::argument(op, format!("bins must be > 0, but got {bins}")))
}

/// The extremes of the data.
fn extremes(input: &Tensor) -> Result<(f64, f64)> {
    let (low, high) = ops::aminmax(input, None, false)?;
    Ok((low.item()?.to_f64(), high.item()?.to_f64()))
}

fn finite_range(op: &'static str, low: f64, high: f64) -> Result<()> {
    if low.is_finite() && high.is_finite() {
        return Ok(());
    }
    Err(RusTorchError::argument(op, format!("range of [{low}, {high}] is not finite")))
}

/// The number of elements in each bin of equal width.
pub fn histc(input: &Tensor, bins: i64, min: Scalar, max: Scalar) -> Result<Tensor> {
    floats_only("histc", input)?;
    positive_bins("histc", bins)?;
    let flat = ops::reshape(&input.detach(), &[-1])?;
    let (mut low, mut high) = (min.real("histc", "min")?, max.real("histc", "max")?);
    if low == high && flat.numel() > 0 {
        (low, high) = extremes(&flat)?;
    }
    if low == high {
        (low, high) = (low - 1.0, high + 1.0);
    }
    finite_range("histc", low, high)?;
    if low > high {
        return Err(RusTorchError::argument(
            "histc",
            format!("max must be larger than min, got min {low} and max {high}"),
        ));
    }
    let (first, last) = (Tensor::number(low)?, Tensor::number(high)?);
    let inside = ops::logical_and(&ops::ge(&flat, &first)?, &ops::le(&flat, &last)?)?;
    let values = ops::masked_select(&flat, &inside)?;
    let scaled = ops::mul(&ops::sub(&values, &first, 1.into())?, &Tensor::number(bins)?)?;
    let place = cast(&ops::div(&scaled, &Tensor::number(high - low)?, None)?, DType::Int64)?;
    let place = ops::clamp_max(&place, &Tensor::number(bins - 1)?)?;
    let counts = ops::zeros(&[bins], Some(DType::Int64), Some(input.device()), false)?;
    let ones = ops::ones_like(&place, None, None, false)?;
    cast(&ops::scatter_add(&counts, 0, &place, &ones)?, input.dtype())
}

/// Edges at equal distances over a range.
fn edges_of(
    op: &'static str,
    column: &Tensor,
    dimension: usize,
    bins: i64,
    range: Option<(f64, f64)>,
) -> Result<Tensor> {
    positive_bins(op, bins)?;
    let (mut low, mut high) = match range {
        Some(range) => range,
        None if column.numel() == 0 => (0.0, 1.0),
        None => extremes(column)?,
    };
    finite_range(op, low, high)?;
    if low > high {
        return Err(RusTorchError::argument(
            op,
            format!("min should not exceed max, but got min {low} max {high} for dimension {dimension}"),
        ));
    }
    if low == high {
        (low, high) = (low - 0.5, high + 0.5);
    }
    ops::linspace(
        low.into(),
        high.into(),
        bins.saturating_add(1),
        Some(column.dtype()),
        Some(column.device()),
        false,
    )
}

fn check_edges(op: &'static str, input: &Tensor, edges: &Tensor, dimension: usize) -> Result<()> {
    if edges.ndim() != 1 || edges.numel() == 0 {
        return Err(RusTorchError::shape(
            op,
            format!(
                "bins tensor should have one dimension and at least 1 element, but got shape {:?} for dimension \
                 {dimension}",
                edges.shape()
            ),
        ));
    }
    if edges.dtype() != input.dtype() {
        return Err(RusTorchError::dtype(
            op,
            format!(
                "input tensor and bins tensors should have the same dtype, but got input with dtype {} and bins for \
                 dimension {dimension} with dtype {}",
                input.dtype(),
                edges.dtype()
            ),
        ));
    }
    Ok(())
}

/// The histogram of `points` (m, d) over a grid of edges.
fn binned(
    op: &'static str,
    points: &Tensor,
    edges: &[Tensor],
    weight: Option<&Tensor>,
    density: bool,
) -> Result<Tensor> {
    // Short: one per tensor of edges given.
    let shape: Vec<usize> = edges.iter().map(|e| e.numel() - 1).collect();
    let total =
        shape.iter().try_fold(1usize, |n, &size| n.checked_mul(size)).filter(|&n| i64::try_from(n).is_ok());
    let Some(total) = total else {
        return Err(RusTorchError::argument(op, format!("a histogram of shape {shape:?} has too many bins")));
    };
    let count = points.shape()[0];
    if let Some(weight) = weight.filter(|w| w.dtype() != points.dtype()) {
        return Err(RusTorchError::dtype(
            op,
            format!(
                "if weight tensor is provided, input tensor and weight tensor should have the same dtype, but got {} \
                 and {}",
                points.dtype(),
                weight.dtype()
            ),
        ));
    }
    let weights = match weight {
        Some(weight) => reshape_to(&weight.detach(), &[count])?,
        None => ops::ones(&[count as i64], Some(points.dtype()), Some(points.device()), false)?,
    };
    let mut hist = ops::zeros(&[total as i64], Some(points.dtype()), Some(points.device()), false)?;
    if total > 0 {
        let mut place = ops::zeros(&[count as i64], Some(DType::Int64), Some(points.device()), false)?;
        let mut inside = ops::ones(&[count as i64], Some(DType::Bool), Some(points.device()), false)?;
        for (d, edges) in edges.iter().enumerate() {
            let column = ops::select(points, 1, d as i64)?;
            let (first, last) = (ops::select(edges, 0, 0)?, ops::select(edges, 0, -1)?);
            let within = ops::logical_and(&ops::ge(&column, &first)?, &ops::le(&column, &last)?)?;
            inside = ops::logical_and(&inside, &within)?;
            let before = count_smaller(edges, None, &column, true, DType::Int64)?;
            // The last bin has its right edge too.
            let bin = ops::sub(&before, &Tensor::number(1_i64)?, 1.into())?;
            let bin = ops::clamp_max(&bin, &Tensor::number(shape[d] as i64 - 1)?)?;
            place = ops::add(&ops::mul(&place, &Tensor::number(shape[d] as i64)?)?, &bin, 1.into())?;
        }
        let place = ops::masked_select(&place, &inside)?;
        hist = ops::scatter_add(&hist, 0, &place, &ops::masked_select(&weights, &inside)?)?;
    }
    let mut hist = reshape_to(&hist, &shape)?;
    if density {
        hist = ops::div(&hist, &ops::sum(&hist, None, false, None)?, None)?;
        for (d, edges) in edges.iter().enumerate() {
            let bins = shape[d] as i64;
            let widths =
                ops::sub(&ops::narrow(edges, 0, 1, bins)?, &ops::narrow(edges, 0, 0, bins)?, 1.into())?;
            let mut along = vec![1; shape.len()];
            along[d] = shape[d];
            hist = ops::div(&hist, &reshape_to(&widths, &along)?, None)?;
        }
    }
    Ok(hist)
}

fn check_weight(op: &'static str, weight: Option<&Tensor>, shape: &[usize]) -> Result<()> {
    match weight.filter(|w| w.shape() != shape) {
        None => Ok(()),
        Some(weight) => Err(RusTorchError::shape(
            op,
            format!(
                "weight tensor should have shape {shape:?}, one for each point, but got {:?}",
                weight.shape()
            ),
        )),
    }
}

/// The ranges of `dimensions` dimensions from a flat list.
fn ranges(op: &'static str, range: Option<&[f64]>, dimensions: usize) -> Result<Scratch<Option<(f64, f64)>>> {
    let Some(range) = range else { return Scratch::filled(dimensions, None) };
    if range.len() != 2 * dimensions {
        return Err(RusTorchError::argument(
            op,
            format!(
                "for a {dimensions}-dimensional histogram range should have {} elements, but got {}",
                2 * dimensions,
                range.len()
            ),
        ));
    }
    Scratch::collect(range.chunks(2).map(|pair| Some((pair[0], pair[1]))))
}

/// The histogram of all elements over given edges.
pub fn histogram_edges(
    input: &Tensor,
    bins: &Tensor,
    weight: Option<&Tensor>,
    density: bool,
) -> Result<(Tensor, Tensor)> {
    floats_only("histogram", input)?;
    check_weight("histogram", weight, input.shape())?;
    check_edges("histogram", input, bins, 0)?;
    let points = reshape_to(&input.detach(), &[input.numel(), 1])?;
    let hist = binned("histogram", &points, &[bins.detach()], weight, density)?;
    Ok((hist, ops::clone(&bins.detach())?))
}

/// The histogram of all elements over bins of equal width.
pub fn histogram_bins(
    input: &Tensor,
    bins: i64,
    range: Option<&[f64]>,
    weight: Option<&Tensor>,
    density: bool,
) -> Result<(Tensor, Tensor)> {
    floats_only("histogram", input)?;
    check_weight("histogram", weight, input.shape())?;
    let range = ranges("histogram", range, 1)?[0];
    let points = reshape_to(&input.detach(), &[input.numel(), 1])?;
    let edges = edges_of("histogram", &points, 0, bins, range)?;
    Ok((binned("histogram", &points, std::slice::from_ref(&edges), weight, density)?, edges))
}

/// The points (m, d) of an input whose last dimension holds coordinates.
fn points_of(input: &Tensor, weight: Option<&Tensor>, dimensions: usize) -> Result<Tensor> {
    floats_only("histogramdd", input)?;
    let shape = input.shape();
    if shape.len() < 2 || shape[shape.len() - 1] != dimensions {
        return Err(RusTorchError::shape(
            "histogramdd",
            format!(
                "expected an input of at least two dimensions, the last of {dimensions} coordinates, got {shape:?}"
            ),
        ));
    }
    check_weight("histogramdd", weight, &shape[..shape.len() - 1])?;
    reshape_to(&input.detach(), &[volume(&shape[..shape.len() - 1]), dimensions])
}

/// The histogram over several dimensions with bins of equal width, then the edges of each dimension.
pub fn histogramdd_bins(
    input: &Tensor,
    bins: &[i64],
    range: Option<&[f64]>,
    weight: Option<&Tensor>,
    density: bool,
) -> Result<Vec<Tensor>> {
    // One number serves every dimension.
    let dimensions = input.shape().last().copied().unwrap_or(0);
    let bins = if bins.len() == 1 { Scratch::filled(dimensions, bins[0])? } else { Scratch::copied(bins)? };
    let points = points_of(input, weight, bins.len())?;
    let ranges = ranges("histogramdd", range, bins.len())?;
    let edges =
        gathered(ranges.iter().enumerate().map(|(d, &range)| {
            edges_of("histogramdd", &ops::select(&points, 1, d as i64)?, d, bins[d], range)
        }))?;
    let hist = binned("histogramdd", &points, &edges, weight, density)?;
    gathered(std::iter::once(hist).chain(edges).map(Ok))
}

/// The histogram over several dimensions with given edges, then those.
pub fn histogramdd_edges(
    input: &Tensor,
    bins: &[Tensor],
    _range: Option<&[f64]>,
    weight: Option<&Tensor>,
    density: bool,
) -> Result<Vec<Tensor>> {
    let points = points_of(input, weight, bins.len())?;
    for (d, edges) in bins.iter().enumerate() {
        check_edges("histogramdd", input, edges, d)?;
    }
    // Short: one per tensor of edges given.
    let edges: Vec<Tensor> = bins.iter().map(Tensor::detach).collect();
    let hist = binned("histogramdd", &points, &edges, weight, density)?;
    gathered(std::iter::once(hist).chain(edges).map(Ok))
}
