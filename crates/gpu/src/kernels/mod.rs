//! A file per family, and the texts of its kernels beside it.

/// Names a text file of this folder as a kernel.
macro_rules! kernel_text {
    ($name:literal) => {
        $crate::KernelText { name: $name, text: include_str!(concat!($name, ".c")) }
    };
}

pub(crate) mod arg_reduce;
pub(crate) mod attention;
pub(crate) mod conv;
pub(crate) mod copy;
pub(crate) mod index;
mod lines;
pub(crate) mod map;
pub(crate) mod matmul;
pub(crate) mod moments;
pub(crate) mod nonzero;
pub(crate) mod normalization;
pub(crate) mod pool;
mod program;
pub(crate) mod radix;
pub(crate) mod random;
pub(crate) mod reduce;
pub(crate) mod resample;
pub(crate) mod scan;
pub(crate) mod scatter;
pub(crate) mod softmax;
pub(crate) mod sort;
mod tile;
pub(crate) mod vendor_conv;
pub(crate) mod weighted_gather;
