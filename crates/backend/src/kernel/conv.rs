//! Convolutions.

/// A convolution over one to three spatial dimensions. Entries beyond `spatial` are unused.
///
/// Input `(N, C_in, *spatial)`, weight `(C_out, C_in / groups, *kernel)`, output `(N, C_out, *out)`, where
/// `out = (in + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvParams {
    /// The number of spatial dimensions: 1, 2 or 3.
    pub spatial: usize,
    /// Step of the window, per dimension.
    pub stride: [usize; 3],
    /// Zeros added at both ends, per dimension.
    pub padding: [usize; 3],
    /// Distance between the kernel's taps, per dimension.
    pub dilation: [usize; 3],
    /// The number of independent channel groups.
    pub groups: usize,
}

kernel! {
    /// Cross-correlation, as deep learning calls convolution; shapes as [`ConvParams`] says.
    Convolution, "convolution" {
        /// Where the window lies.
        params: ConvParams,
    }
    reads {
        /// The images.
        input: O,
        /// The filters.
        weight: O,
        /// Added to each output channel.
        bias: Option<O>,
    }
    writes {
        /// The sums.
        output: O,
    }
}

kernel! {
    /// The convolution's gradient by its input: also the transposed convolution.
    ConvolutionGradInput, "convolution_grad_input" {
        /// The convolution's.
        params: ConvParams,
    }
    reads {
        /// The gradient of its output.
        grad: O,
        /// Its filters.
        weight: O,
    }
    writes {
        /// The gradient.
        grad_input: O,
    }
}

kernel! {
    /// The convolution's gradient by its weight.
    ConvolutionGradWeight, "convolution_grad_weight" {
        /// The convolution's.
        params: ConvParams,
    }
    reads {
        /// The gradient of its output.
        grad: O,
        /// Its images.
        input: O,
    }
    writes {
        /// The gradient.
        grad_weight: O,
    }
}
