//! LU with partial pivoting, Cholesky, and the solution of triangular systems.

use super::rows::{add_scaled, dot, two_rows};
use crate::threads::checkpoint;

/// `P A = L U` in place: `matrix` (m, n) becomes L below the diagonal, of which all entries are 1, and U on and above it.
///
/// `pivots[k]` is the row, from 1, with which row k was exchanged at step k. Gives the first k, from 1, whose `U_kk` is 0,
/// or 0. Golub and Van Loan, Matrix Computations, algorithm 3.4.1.
pub fn lu(matrix: &mut [f64], m: usize, n: usize, pivoting: bool, pivots: &mut [i32]) -> i32 {
    let mut singular = 0;
    for k in 0..m.min(n) {
        checkpoint();
        let mut pivot = k;
        if pivoting {
            let size = |i: usize| matrix[i * n + k].abs();
            for i in k + 1..m {
                if size(i) > size(pivot) || (size(i).is_nan() && !size(pivot).is_nan()) {
                    pivot = i;
                }
            }
        }
        pivots[k] = pivot as i32 + 1;
        if pivot != k {
            let (one, other) = two_rows(matrix, n, k, pivot);
            one.swap_with_slice(other);
        }
        let diagonal = matrix[k * n + k];
        if diagonal == 0.0 {
            if singular == 0 {
                singular = k as i32 + 1;
            }
            continue;
        }
        for i in k + 1..m {
            let (row, target) = two_rows(matrix, n, k, i);
            let factor = target[k] / diagonal;
            target[k] = factor;
            if factor != 0.0 {
                add_scaled(&mut target[k + 1..], -factor, &row[k + 1..]);
            }
        }
    }
    singular
}

/// `A = L Lᵀ` in place, of which the lower triangle is read; the upper one becomes 0.
///
/// Gives 0, or the order, from 1, of the first leading minor that is not positive definite.
pub fn cholesky(matrix: &mut [f64], n: usize) -> i32 {
    for i in 0..n {
        checkpoint();
        for j in 0..=i {
            let (above, row) = matrix.split_at_mut(i * n);
            if j == i {
                let rest = row[i] - dot(&row[..i], &row[..i]);
                if rest.is_nan() || rest <= 0.0 {
                    return i as i32 + 1;
                }
                row[i] = rest.sqrt();
            } else {
                let other = &above[j * n..j * n + n];
                row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
            }
        }
        matrix[i * n + i + 1..(i + 1) * n].fill(0.0);
    }
    0
}

/// Solves `A X = B` in place of B, for A (n, n) of which one triangle is read and B (n, columns).
pub fn solve_triangular(a: &[f64], b: &mut [f64], n: usize, columns: usize, upper: bool, unit: bool) {
    if columns == 0 {
        return;
    }
    for step in 0..n {
        checkpoint();
        let i = if upper { n - 1 - step } else { step };
        let known = if upper { i + 1..n } else { 0..i };
        for j in known {
            let factor = a[i * n + j];
            if factor != 0.0 {
                let (row, solved) = two_rows(b, columns, i, j);
                add_scaled(row, -factor, solved);
            }
        }
        if !unit {
            let diagonal = a[i * n + i];
            b[i * columns..(i + 1) * columns].iter_mut().for_each(|x| *x /= diagonal);
        }
    }
}
