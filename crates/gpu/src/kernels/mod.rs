//! A file per family, and the texts of its kernels beside it.

/// Names a text file of this folder as a kernel.
macro_rules! kernel_text {
    ($name:literal) => {
        $crate::KernelText { name: $name, text: include_str!(concat!($name, ".c")) }
    };
}

pub(crate) mod arg_reduce;
pub(crate) mod copy;
mod lines;
pub(crate) mod map;
pub(crate) mod moments;
pub(crate) mod nonzero;
pub(crate) mod norm;
pub(crate) mod reduce;
pub(crate) mod scan;
pub(crate) mod softmax;

/// Places a kernel's text, as part of which others are written `#include "algebra.c"`.
pub(crate) const INCLUDES: [(&str, &str); 3] = [
    ("#include \"algebra.c\"", include_str!("algebra.c")),
    ("#include \"joined_moments.c\"", include_str!("joined_moments.c")),
    ("#include \"lines.c\"", include_str!("lines.c")),
];
