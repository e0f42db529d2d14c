//! Matrix products, and what they do besides multiplying.

use super::operands::Operands;

/// What is done to each element of a matrix product before it is stored: `alpha * a @ b + beta * out + bias`.
#[derive(Debug, Clone, Copy)]
pub struct Epilogue<O> {
    /// Factor of the product.
    pub alpha: f64,
    /// Factor of what the output held; 0 means that it is not read.
    pub beta: f64,
    /// Added to each row: one element per column, broadcast over rows and batches.
    pub bias: Option<O>,
}

impl<O> Default for Epilogue<O> {
    fn default() -> Self {
        Epilogue { alpha: 1.0, beta: 0.0, bias: None }
    }
}

impl<O> Operands<O> for Epilogue<O> {
    type Of<P> = Epilogue<P>;

    #[inline]
    fn each<'k>(&'k self, see: &mut impl FnMut(&'k O))
    where
        O: 'k,
    {
        self.bias.each(see);
    }

    #[inline]
    fn map<P>(&self, map: &mut impl FnMut(&O) -> P) -> Epilogue<P> {
        Epilogue { alpha: self.alpha, beta: self.beta, bias: self.bias.as_ref().map(map) }
    }
}

kernel! {
    /// `output[…, m, n] = Σ_k a[…, m, k] b[…, k, n]`, batched over equal leading dimensions (stride 0 broadcasts), with any
    /// strides, and the epilogue applied.
    MatrixMultiply, "matrix_multiply" {}
    reads {
        /// The left factors.
        a: O,
        /// The right factors.
        b: O,
        /// What is done to the products.
        epilogue: Epilogue<O>,
    }
    updates {
        /// The products; read where the epilogue's `beta` is not 0.
        output: O,
    }
}
