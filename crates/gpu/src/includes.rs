//! The texts that are parts of kernels' texts.

/// Makes pairs of the line that asks for a text, and the text.
macro_rules! includes {
    ($($name:literal)*) => {
        [$((concat!("#include \"", $name, "\""), include_str!(concat!("kernels/", $name)))),*]
    };
}

/// The line that asks for a text, and the text.
pub(crate) const INCLUDES: [(&str, &str); 12] = includes! {
    "algebra.c" "attend.c" "combine.c" "joined_moments.c" "key.c" "length.c" "lines.c" "pooling.c" "special.c" "tile.c" "unroll.c" "windows.c"
};
