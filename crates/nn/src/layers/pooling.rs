//! Pooling layers; the const parameter is the number of spatial dimensions, 1 to 3.

use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{Tensor, ops};

use super::Layer;

fn wrong_dimensions(dimensions: usize) -> RusTorchError {
    RusTorchError::unsupported("pool", format!("pooling is over 1 to 3 spatial dimensions, not {dimensions}"))
}

/// The largest element of each window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaxPool<const D: usize> {
    /// Sizes of the window.
    pub kernel_size: [i64; D],
    /// Steps of the window.
    pub stride: [i64; D],
    /// Minus infinities added at both ends.
    pub padding: [i64; D],
    /// Distances between the window's taps.
    pub dilation: [i64; D],
    /// Whether a last window may stick out.
    pub ceil_mode: bool,
}

impl<const D: usize> MaxPool<D> {
    /// Windows side by side.
    pub fn new(kernel_size: usize) -> Self {
        let size = [kernel_size as i64; D];
        MaxPool { kernel_size: size, stride: size, padding: [0; D], dilation: [1; D], ceil_mode: false }
    }
}

impl<const D: usize> Layer for MaxPool<D> {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        let pool = match D {
            1 => ops::max_pool1d,
            2 => ops::max_pool2d,
            3 => ops::max_pool3d,
            other => return Err(wrong_dimensions(other)),
        };
        pool(input, &self.kernel_size, &self.stride, &self.padding, &self.dilation, self.ceil_mode)
    }
}

/// The mean of each window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvgPool<const D: usize> {
    /// Sizes of the window.
    pub kernel_size: [i64; D],
    /// Steps of the window.
    pub stride: [i64; D],
    /// Zeros added at both ends.
    pub padding: [i64; D],
    /// Whether a last window may stick out.
    pub ceil_mode: bool,
    /// Whether the added zeros count.
    pub count_include_pad: bool,
}

impl<const D: usize> AvgPool<D> {
    /// Windows side by side.
    pub fn new(kernel_size: usize) -> Self {
        let size = [kernel_size as i64; D];
        AvgPool {
            kernel_size: size,
            stride: size,
            padding: [0; D],
            ceil_mode: false,
            count_include_pad: true,
        }
    }
}

impl<const D: usize> Layer for AvgPool<D> {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        let (kernel, stride, padding) = (&self.kernel_size, &self.stride, &self.padding);
        let (ceil, include) = (self.ceil_mode, self.count_include_pad);
        match D {
            1 => ops::avg_pool1d(input, kernel, stride, padding, ceil, include),
            2 => ops::avg_pool2d(input, kernel, stride, padding, ceil, include, None),
            3 => ops::avg_pool3d(input, kernel, stride, padding, ceil, include, None),
            other => Err(wrong_dimensions(other)),
        }
    }
}

/// The means of as many windows as the output has elements, which cover the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdaptiveAvgPool<const D: usize> {
    /// Spatial sizes of the output.
    pub output_size: [i64; D],
}

impl<const D: usize> Layer for AdaptiveAvgPool<D> {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        match D {
            1 => ops::adaptive_avg_pool1d(input, &self.output_size),
            2 => ops::adaptive_avg_pool2d(input, &self.output_size),
            3 => ops::adaptive_avg_pool3d(input, &self.output_size),
            other => Err(wrong_dimensions(other)),
        }
    }
}
