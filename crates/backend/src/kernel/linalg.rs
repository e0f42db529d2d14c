//! Matrices, decomposed and solved with.

use super::operands::List;

/// A decomposition of the matrices (…, m, n); k is the smaller of m and n, and all operands share the leading dimensions.
///
/// Shapes in the variants leave these dimensions out. `pivots` and `info` are int32, all else has the input's dtype.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Factorization {
    /// `P A = L U`, outputs: L below the diagonal, where it is 1, and U in one matrix (m, n); pivots (k), the row, from 1,
    /// with which each row was exchanged; info (), the first zero on U's diagonal, from 1, or 0.
    Lu {
        /// Whether rows are exchanged for the largest pivot.
        pivoting: bool,
    },
    /// `A = L Lᵀ` of which the lower triangle is read, outputs: L (n, n); info (), the order of the first leading minor that
    /// is not positive definite, or 0.
    Cholesky,
    /// `A = Q R` by reflections, outputs: R on and above the diagonal and the reflectors' vectors below it (m, n); their
    /// factors (k). The first entry of each vector is 1 and not stored.
    Reflectors,
    /// `A = Q R`, outputs: Q (m, q) and R (q, n) for a q of k or m.
    Orthogonal,
    /// `A = V diag(w) Vᵀ` of which one triangle is read, outputs: w (n), ascending; V (n, n).
    SymmetricEigen {
        /// Whether that is the upper triangle.
        upper: bool,
    },
    /// `A = U diag(s) Vᵀ`, outputs: U (m, p), s (k), descending, Vᵀ (q, n), for p of k or m and q of k or n.
    SingularValues,
}

kernel! {
    /// Decomposes each matrix of a batch, in the precision of float64 at least.
    Factorize, "factorize" {
        /// Into what.
        op: Factorization,
    }
    reads {
        /// The matrices.
        input: O,
    }
    writes {
        /// The factors, as [`Factorization`] lists them.
        outputs: List<O>,
    }
}

kernel! {
    /// `output = A⁻¹ b`, batched, for triangular A.
    SolveTriangular, "solve_triangular" {
        /// Whether A's upper triangle is read, else the lower.
        upper: bool,
        /// Whether its diagonal is of ones, and not read.
        unit: bool,
    }
    reads {
        /// A (…, n, n).
        a: O,
        /// b (…, n, columns).
        b: O,
    }
    writes {
        /// The solutions (…, n, columns).
        output: O,
    }
}
