//! A file per family, and the texts of its kernels beside it.

/// Names a text file of this folder as a kernel.
macro_rules! kernel_text {
    ($name:literal) => {
        $crate::KernelText { name: $name, text: include_str!(concat!($name, ".c")) }
    };
}

pub(crate) mod attention;
pub(crate) mod conv;
pub(crate) mod copy;
pub(crate) mod index;
pub(crate) mod map;
pub(crate) mod matmul;
pub(crate) mod pool;
pub(crate) mod reduce;
pub(crate) mod resample;
mod tile;
pub(crate) mod weighted_gather;

/// Places a kernel's text, as part of which others are written `#include "algebra.c"`.
pub(crate) const INCLUDES: [(&str, &str); 6] = [
    ("#include \"algebra.c\"", include_str!("algebra.c")),
    ("#include \"attend.c\"", include_str!("attend.c")),
    ("#include \"pooling.c\"", include_str!("pooling.c")),
    ("#include \"tile.c\"", include_str!("tile.c")),
    ("#include \"unroll.c\"", include_str!("unroll.c")),
    ("#include \"windows.c\"", include_str!("windows.c")),
pub(crate) mod radix;
pub(crate) mod random;
pub(crate) mod reduce;
pub(crate) mod scatter;
pub(crate) mod sort;

/// Places a kernel's text, as part of which others are written `#include "algebra.c"`.
pub(crate) const INCLUDES: [(&str, &str); 3] = [
    ("#include \"algebra.c\"", include_str!("algebra.c")),
    ("#include \"combine.c\"", include_str!("combine.c")),
    ("#include \"key.c\"", include_str!("key.c")),
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
