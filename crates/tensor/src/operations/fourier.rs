//! Discrete Fourier transforms, of whole signals and of windows of them.
//!
//! Every transform is one of three: complex to complex, real to the half of its spectrum that is not conjugates, and back.

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, Device, Dims, Shape, kernel};
use rustorch_error::{Result, RusTorchError};

use super::creation::{cast, moved, to_dtype};
use crate::registry::default_device;
use crate::{Tensor, default_dtype, ops};

fn run(input: &Tensor, dims: &[i64], inverse: bool, scale: f64, output: Tensor) -> Result<Tensor> {
    input.backend()?.run(kernel::FourierTransform {
        dims: dims.iter().map(|&d| d as usize).collect(),
        inverse,
        scale,
        input: input.operand(),
        output: output.operand(),
    })?;
    Ok(output)
}

/// Complex to complex over `dims`.
pub fn fourier_complex(input: &Tensor, dims: &[i64], inverse: bool, scale: f64) -> Result<Tensor> {
    run(input, dims, inverse, scale, Tensor::empty(input.shape(), input.dtype(), input.device())?)
}

/// From real numbers; the last of `dims` keeps its non-negative frequencies.
pub fn fourier_from_real(input: &Tensor, dims: &[i64], scale: f64) -> Result<Tensor> {
    let mut shape = Shape::from_slice(input.shape());
    if let Some(&last) = dims.last() {
        shape[last as usize] = shape[last as usize] / 2 + 1;
    }
    let dtype = complex_dtype("fft", input.dtype())?;
    run(input, dims, false, scale, Tensor::empty(&shape, dtype, input.device())?)
}

/// To real numbers, `size` of them along the last of `dims`.
pub fn fourier_to_real(input: &Tensor, dims: &[i64], size: i64, scale: f64) -> Result<Tensor> {
    let mut shape = Shape::from_slice(input.shape());
    if let Some(&last) = dims.last() {
        shape[last as usize] = size as usize;
    }
    let output = Tensor::empty(&shape, input.dtype().to_real(), input.device())?;
    run(input, dims, true, scale, output)
}

/// The complex dtype with parts of `dtype`.
fn complex_dtype(op: &'static str, dtype: DType) -> Result<DType> {
    match dtype {
        DType::Float32 | DType::Complex64 => Ok(DType::Complex64),
        DType::Float64 | DType::Complex128 => Ok(DType::Complex128),
        other => Err(RusTorchError::dtype(
            op,
            format!("not implemented for {other}; convert it to float32, float64, complex64 or complex128"),
        )),
    }
}

/// A transform of an input: its name, over which dimensions, how long it is there, and its norm.
struct Transform<'a> {
    op: &'static str,
    norm: Option<&'a str>,
    dims: Dims<i64>,
    sizes: Dims<i64>,
}

impl<'a> Transform<'a> {
    /// Over one dimension.
    fn line(
        op: &'static str,
        input: &Tensor,
        n: Option<i64>,
        dim: i64,
        norm: Option<&'a str>,
    ) -> Result<Self> {
        if input.ndim() == 0 {
            let message = format!("dimension specified as {dim} but tensor has no dimensions");
            return Err(RusTorchError::index(op, message));
        }
        let d = input.dim_index(op, dim)?;
        let size = n.unwrap_or(input.shape()[d] as i64);
        Ok(Transform {
            op,
            norm,
            dims: [d as i64].into_iter().collect(),
            sizes: [size].into_iter().collect(),
        })
    }

    /// Over those in `dim`, or the last ones if only sizes are given, or all.
    fn over(
        op: &'static str,
        input: &Tensor,
        s: Option<&[i64]>,
        dim: Option<&[i64]>,
        norm: Option<&'a str>,
    ) -> Result<Self> {
        let ndim = input.ndim() as i64;
        let dims: Dims<i64> = match (dim, s) {
            (Some(dim), _) => {
                dim.iter().map(|&d| Ok(input.dim_index(op, d)? as i64)).collect::<Result<_>>()?
            }
            (None, Some(s)) if s.len() as i64 > ndim => {
                let message =
                    format!("got shape with {} values but input tensor only has {ndim} dimensions", s.len());
                return Err(RusTorchError::shape(op, message));
            }
            (None, Some(s)) => (ndim - s.len() as i64..ndim).collect(),
            (None, None) => (0..ndim).collect(),
        };
        if dims.iter().enumerate().any(|(i, d)| dims[..i].contains(d)) {
            let message = format!("dimensions must be unique, got {:?}", dim.unwrap_or_default());
            return Err(RusTorchError::argument(op, message));
        }
        let own = |&d: &i64| input.shape()[d as usize] as i64;
        let sizes = match s {
            Some(s) if s.len() != dims.len() => {
                let message = format!("dim and s must have the same length, got {dims:?} and {s:?}");
                return Err(RusTorchError::argument(op, message));
            }
            Some(s) => s.iter().zip(&dims).map(|(&n, d)| if n == -1 { own(d) } else { n }).collect(),
            None => dims.iter().map(own).collect(),
        };
        Ok(Transform { op, norm, dims, sizes })
    }

    /// As a transform to real numbers: the last size is that of the result, an even one where `s` does not say it.
    fn ending_real(mut self, s: Option<&[i64]>) -> Result<Self> {
        let given = s.and_then(<[i64]>::last).is_some_and(|&n| n != -1);
        match self.sizes.last_mut() {
            None => Err(RusTorchError::argument(self.op, "must transform at least one dimension")),
            Some(size) => {
                *size = if given { *size } else { 2 * (*size - 1) };
                Ok(self)
            }
        }
    }

    /// What the sums are multiplied by, in a transform that goes back or not.
    fn scale(&self, inverse: bool) -> Result<f64> {
        let count: f64 = self.sizes.iter().map(|&n| n as f64).product();
        match self.norm.unwrap_or("backward") {
            "backward" => Ok(if inverse { 1.0 / count } else { 1.0 }),
            "forward" => Ok(if inverse { 1.0 } else { 1.0 / count }),
            "ortho" => Ok(1.0 / count.sqrt()),
            other => {
                let message = format!("norm must be 'backward', 'ortho' or 'forward', got '{other}'");
                Err(RusTorchError::argument(self.op, message))
            }
        }
    }

    /// The input in a dtype that can be transformed, cut or padded with zeros to `sizes`.
    fn prepared(&self, input: &Tensor, sizes: &[i64], complex: bool) -> Result<Tensor> {
        if let Some(size) = self.sizes.iter().find(|&&size| size < 1) {
            let message = format!("invalid number of data points ({size}); there must be at least one");
            return Err(RusTorchError::argument(self.op, message));
        }
        let dtype = if input.dtype().is_integral(true) { default_dtype() } else { input.dtype() };
        let as_complex = complex_dtype(self.op, dtype)?;
        let mut input = cast(input, if complex { as_complex } else { dtype })?;
        // Cut before anything is padded, which is less to copy.
        for (&d, &size) in self.dims.iter().zip(sizes) {
            if size < input.shape()[d as usize] as i64 {
                input = ops::narrow(&input, d, 0, size)?;
            }
        }
        let mut padding: Dims<i64> = std::iter::repeat_n(0, 2 * input.ndim()).collect();
        for (&d, &size) in self.dims.iter().zip(sizes) {
            // From the last dimension on, a pair each.
            padding[2 * (input.ndim() - 1 - d as usize) + 1] = size - input.shape()[d as usize] as i64;
        }
        if padding.iter().all(|&n| n == 0) {
            return Ok(input);
        }
        ops::constant_pad_nd(&input, &padding, 0.into())
    }

    fn complex(&self, input: &Tensor, inverse: bool) -> Result<Tensor> {
        let input = self.prepared(input, &self.sizes, true)?;
        ops::fourier_complex(&input, &self.dims, inverse, self.scale(inverse)?)
    }

    /// Half of the spectrum of real numbers, of a transform that is scaled as one that goes back or not.
    fn half(&self, input: &Tensor, inverse: bool) -> Result<Tensor> {
        if input.dtype().is_complex() {
            let message = format!("expects a real input tensor, but got {}", input.dtype());
            return Err(RusTorchError::dtype(self.op, message));
        }
        if self.dims.is_empty() {
            return Err(RusTorchError::argument(self.op, "must transform at least one dimension"));
        }
        let input = self.prepared(input, &self.sizes, false)?;
        ops::fourier_from_real(&input, &self.dims, self.scale(inverse)?)
    }

    /// Real numbers from half of a spectrum, which is conjugated for a transform that does not go back.
    fn real(&self, input: &Tensor, inverse: bool) -> Result<Tensor> {
        let mut sizes = self.sizes.clone();
        let size = sizes.last().copied().unwrap_or(1);
        if let Some(last) = sizes.last_mut() {
            *last = size / 2 + 1;
        }
        let input = self.prepared(input, &sizes, true)?;
        let input = if inverse { input } else { ops::conj(&input)? };
        ops::fourier_to_real(&input, &self.dims, size, self.scale(inverse)?)
    }
}

/// The three functions of a transform: over one dimension, over the last two, over any.
macro_rules! transforms {
    ($($(#[$documentation:meta])* $line:ident $plane:ident $all:ident: |$transform:ident, $input:ident, $s:ident| $result:expr;)*) => {$(
        $(#[$documentation])*
        ///
        /// Along a dimension.
        pub fn $line($input: &Tensor, n: Option<i64>, dim: i64, norm: Option<&str>) -> Result<Tensor> {
            let $transform = Transform::line(stringify!($line), $input, n, dim, norm)?;
            let $s = n.as_ref().map(std::slice::from_ref);
            $result
        }
        $(#[$documentation])*
        ///
        /// Over two dimensions.
        pub fn $plane($input: &Tensor, $s: Option<&[i64]>, dim: &[i64], norm: Option<&str>) -> Result<Tensor> {
            let $transform = Transform::over(stringify!($plane), $input, $s, Some(dim), norm)?;
            $result
        }
        $(#[$documentation])*
        ///
        /// Over any dimensions.
        pub fn $all(
            $input: &Tensor,
            $s: Option<&[i64]>,
            dim: Option<&[i64]>,
            norm: Option<&str>,
        ) -> Result<Tensor> {
            let $transform = Transform::over(stringify!($all), $input, $s, dim, norm)?;
            $result
        }
    )*};
}

transforms! {
    /// The spectrum.
    fft_fft fft_fft2 fft_fftn: |transform, input, _s| transform.complex(input, false);
    /// What has a spectrum.
    fft_ifft fft_ifft2 fft_ifftn: |transform, input, _s| transform.complex(input, true);
    /// The non-negative frequencies of real numbers.
    fft_rfft fft_rfft2 fft_rfftn: |transform, input, _s| transform.half(input, false);
    /// The real numbers that have these non-negative frequencies.
    fft_irfft fft_irfft2 fft_irfftn: |transform, input, s| transform.ending_real(s)?.real(input, true);
    /// The real spectrum of a signal of which half is given.
    fft_hfft fft_hfft2 fft_hfftn: |transform, input, s| transform.ending_real(s)?.real(input, false);
    /// Half of the signal that has a real spectrum.
    fft_ihfft fft_ihfft2 fft_ihfftn: |transform, input, _s| ops::conj(&transform.half(input, true)?);
}

/// Where frequencies go.
#[derive(Clone, Copy)]
struct Made {
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
}

/// `f(k) / (n d)` for k from 0 to `count - 1`.
fn frequencies(
    op: &'static str,
    n: i64,
    d: f64,
    count: i64,
    made: Made,
    f: impl Fn(i64) -> i64,
) -> Result<Tensor> {
    if n < 0 {
        return Err(RusTorchError::argument(
            op,
            format!("the number of points must not be negative, got {n}"),
        ));
    }
    let dtype = made.dtype.unwrap_or_else(default_dtype);
    if !dtype.is_differentiable() {
        let message = format!("gives floating-point or complex numbers, not {dtype}");
        return Err(RusTorchError::dtype(op, message));
    }
    let step = 1.0 / (n as f64 * d);
    let values = Scratch::collect((0..count).map(|k| f(k) as f64 * step))?;
    let values = to_dtype(&Tensor::from_slice(&values, &[count as usize])?, Some(dtype))?;
    let values = moved(&values, made.device.unwrap_or_else(default_device))?;
    if made.requires_grad { values.requires_grad_() } else { Ok(values) }
}

/// The frequencies of the bins of `fft`.
pub fn fft_fftfreq(
    n: i64,
    d: f64,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let made = Made { dtype, device, requires_grad };
    frequencies("fft_fftfreq", n, d, n, made, |k| if k < n - n / 2 { k } else { k - n })
}

/// The frequencies of the bins of `rfft`.
pub fn fft_rfftfreq(
    n: i64,
    d: f64,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let made = Made { dtype, device, requires_grad };
    frequencies("fft_rfftfreq", n, d, n / 2 + 1, made, |k| k)
}

/// Turns dimensions so that what is `by(size)` behind comes first.
fn turned(op: &'static str, input: &Tensor, dim: Option<&[i64]>, by: fn(i64) -> i64) -> Result<Tensor> {
    let all: Dims<i64> = (0..input.ndim() as i64).collect();
    let dims = dim.unwrap_or(&all);
    if dims.is_empty() {
        return ops::clone(input);
    }
    let shifts: Dims<i64> =
        dims.iter().map(|&d| Ok(by(input.shape()[input.dim_index(op, d)?] as i64))).collect::<Result<_>>()?;
    ops::roll(input, &shifts, Some(dims))
}

/// The bins of a spectrum from the lowest frequency to the highest.
pub fn fft_fftshift(input: &Tensor, dim: Option<&[i64]>) -> Result<Tensor> {
    turned("fft_fftshift", input, dim, |n| n / 2)
}

/// The inverse of `fftshift`.
pub fn fft_ifftshift(input: &Tensor, dim: Option<&[i64]>) -> Result<Tensor> {
    turned("fft_ifftshift", input, dim, |n| (n + 1) / 2)
}
