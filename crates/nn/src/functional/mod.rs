//! Functions that layers share and that are more than one op of [`rustorch_tensor::ops`].

mod convolution;

pub use convolution::{Padding, PaddingMode, convolution};
