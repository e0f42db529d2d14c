//! The eigenvalues and eigenvectors of symmetric matrices: Golub and Van Loan, Matrix Computations, sections 8.3.1 and 8.3.3.

use rustorch_backend::memory::Scratch;
use rustorch_error::Result;

use super::precision::{Precision, opposed, scale_of, witness};
use super::reflections::reflector;
use super::rotations::{rotation_of_larger, symmetric_pair};
use super::rows::{add_scaled, dot, largest, rotate, two_rows};

/// The eigenvalues, ascending, of a symmetric matrix of which one triangle is read, and in the rows of the second
/// result its eigenvectors, with the signs that LAPACK gives them; all NaN if the matrix is not finite. None if the
/// iteration does not end.
pub fn symmetric_eigen(
    matrix: &[f64],
    n: usize,
    upper: bool,
    precision: Precision,
) -> Result<Option<(Scratch<f64>, Scratch<f64>)>> {
    let mut a = Scratch::zeroed(n * n)?;
    for i in 0..n {
        for j in 0..=i {
            // The upper triangle is reduced from its last column on: as the lower one of the matrix turned around.
            let value = matrix[if upper { n * n - 1 - (i * n + j) } else { i * n + j }];
            a[i * n + j] = value;
            a[j * n + i] = value;
        }
    }
    let scale = largest(&a);
    if !scale.is_finite() {
        return Ok(Some((Scratch::filled(n, f64::NAN)?, Scratch::filled(n * n, f64::NAN)?)));
    }
    let factor = scale_of(scale);
    for x in &mut a {
        *x /= factor;
    }
    let [mut values, mut off, mut vectors] = tridiagonal(&mut a, n)?;
    if upper {
        values.reverse();
        off[..n.saturating_sub(1)].reverse();
        vectors.reverse();
    }
    let signs = if precision.unit > Precision::DOUBLE.unit {
        let witness = witness(n)?;
        let mut products =
            Scratch::collect(vectors.chunks_exact(n.max(1)).map(|vector| dot(vector, &witness)))?;
        let (mut values, off) = (Scratch::copied(&values)?, Scratch::copied(&off)?);
        if Iteration::new(&mut values, off, &mut products, precision).run().is_none() {
            return Ok(None);
        }
        Some((witness, products))
    } else {
        None
    };
    if Iteration::new(&mut values, off, &mut vectors, Precision::DOUBLE).run().is_none() {
        return Ok(None);
    }
    if let Some((witness, products)) = signs {
        for (vector, &product) in vectors.chunks_exact_mut(n.max(1)).zip(&products) {
            if opposed(vector, &witness, product) {
                for x in vector {
                    *x = -*x;
                }
            }
        }
    }
    for value in &mut values {
        *value *= factor;
    }
    Ok(Some((values, vectors)))
}

/// `T = Qᵀ A Q`: the diagonal of T, what stands beside it, and Qᵀ.
fn tridiagonal(a: &mut [f64], n: usize) -> Result<[Scratch<f64>; 3]> {
    let (mut off, mut taus, mut w) = (Scratch::zeroed(n)?, Scratch::zeroed(n)?, Scratch::with_room(n)?);
    for k in 0..n.saturating_sub(1) {
        // The row beside the diagonal is, by symmetry, the column below it; it keeps the reflector.
        let (done, rest) = a.split_at_mut((k + 1) * n);
        let v = &mut done[k * n + k + 1..];
        let tau = reflector(v);
        off[k] = std::mem::replace(&mut v[0], 1.0);
        taus[k] = tau;
        if tau == 0.0 {
            continue;
        }
        w.clear();
        w.extend(rest.chunks_exact(n).map(|row| tau * dot(&row[k + 1..], v)))?;
        let half = 0.5 * tau * dot(&w, v);
        add_scaled(&mut w, -half, v);
        for (i, row) in rest.chunks_exact_mut(n).enumerate() {
            add_scaled(&mut row[k + 1..], -v[i], &w);
            add_scaled(&mut row[k + 1..], -w[i], v);
        }
    }
    let diagonal = Scratch::collect((0..n).map(|i| a[i * n + i]))?;
    let mut q = Scratch::zeroed(n * n)?;
    for i in 0..n {
        q[i * n + i] = 1.0;
    }
    for k in (0..n.saturating_sub(1)).rev() {
        let v = &a[k * n + k + 1..(k + 1) * n];
        for row in q[(k + 1) * n..].chunks_exact_mut(n) {
            let product = taus[k] * dot(&row[k + 1..], v);
            add_scaled(&mut row[k + 1..], -product, v);
        }
    }
    Ok([diagonal, off, q])
}

/// The implicit QL or QR iteration on a symmetric tridiagonal matrix.
struct Iteration<'a> {
    /// The diagonal, which becomes the eigenvalues.
    d: &'a mut [f64],
    /// What stands beside it.
    e: Scratch<f64>,
    /// One row for each eigenvalue, rotated alike, of `width` columns.
    z: &'a mut [f64],
    width: usize,
    precision: Precision,
    steps: usize,
}

impl<'a> Iteration<'a> {
    fn new(d: &'a mut [f64], e: Scratch<f64>, z: &'a mut [f64], precision: Precision) -> Self {
        let width = z.len() / d.len().max(1);
        Self { d, e, z, width, precision, steps: 0 }
    }

    /// Finds the eigenvalues and sorts them.
    fn run(mut self) -> Option<()> {
        let n = self.d.len();
        let mut first = 0;
        while first < n {
            if first > 0 {
                self.e[first - 1] = 0.0;
            }
            let last = (first..n - 1).find(|&i| self.separate(i)).unwrap_or(n - 1);
            // From the end with the larger entries to the other.
            if self.d[last].abs() < self.d[first].abs() {
                self.upwards(first, last)?;
            } else {
                self.downwards(first, last)?;
            }
            first = last + 1;
        }
        for i in 0..n {
            let least = (i + 1..n).fold(i, |k, j| if self.d[j] < self.d[k] { j } else { k });
            if least != i {
                self.d.swap(i, least);
                let (one, other) = two_rows(self.z, self.width, i, least);
                one.swap_with_slice(other);
            }
        }
        Some(())
    }

    /// Whether the matrix falls apart behind row i, as then it does.
    fn separate(&mut self, i: usize) -> bool {
        let bound = self.d[i].abs().sqrt() * self.d[i + 1].abs().sqrt() * self.precision.unit;
        let apart = self.e[i].abs() <= bound;
        if apart {
            self.e[i] = 0.0;
        }
        apart
    }

    /// Whether the entry between rows i and i + 1 is nothing beside theirs; `near` is the row from which the search came.
    fn negligible(&self, i: usize, near: usize) -> bool {
        let (one, other) = if near == i { (i, i + 1) } else { (i + 1, i) };
        let Precision { unit, smallest } = self.precision;
        self.e[i].powi(2) <= (unit * unit * self.d[one].abs()) * self.d[other].abs() + smallest
    }

    fn turn(&mut self, i: usize, c: f64, s: f64) {
        let (one, other) = two_rows(self.z, self.width, i, i + 1);
        rotate(one, other, c, -s);
    }

    fn count(&mut self) -> Option<()> {
        const MOST: usize = 30;
        self.steps += 1;
        (self.steps <= MOST * self.d.len()).then_some(())
    }

    /// The entry that starts a step: that of row `end` less the shift, an eigenvalue of the first two rows, `l` and `next`.
    fn start(&self, l: usize, next: usize, end: usize) -> f64 {
        let beside = self.e[l.min(next)];
        let ratio = (self.d[next] - self.d[l]) / (2.0 * beside);
        let root = ratio.hypot(1.0).copysign(ratio);
        self.d[end] - self.d[l] + beside / (ratio + root)
    }

    /// QL: eigenvalues are found from the first row on.
    fn downwards(&mut self, first: usize, last: usize) -> Option<()> {
        let mut l = first;
        while l <= last {
            let end = (l..last).find(|&i| self.negligible(i, i)).unwrap_or(last);
            if end < last {
                self.e[end] = 0.0;
            }
            if end == l {
                l += 1;
                continue;
            }
            if end == l + 1 {
                let (one, other, c, s) = symmetric_pair(self.d[l], self.e[l], self.d[l + 1]);
                self.turn(l, c, s);
                (self.d[l], self.d[l + 1], self.e[l]) = (one, other, 0.0);
                l += 2;
                continue;
            }
            self.count()?;
            let mut g = self.start(l, l + 1, end);
            let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
            for i in (l..end).rev() {
                let (f, b) = (s * self.e[i], c * self.e[i]);
                let r;
                (c, s, r) = rotation_of_larger(g, f);
                if i + 1 != end {
                    self.e[i + 1] = r;
                }
                g = self.d[i + 1] - p;
                let turned = (self.d[i] - g) * s + 2.0 * c * b;
                p = s * turned;
                self.d[i + 1] = g + p;
                g = c * turned - b;
                self.turn(i, c, -s);
            }
            self.d[l] -= p;
            self.e[l] = g;
        }
        Some(())
    }

    /// QR: eigenvalues are found from the last row on.
    fn upwards(&mut self, first: usize, last: usize) -> Option<()> {
        // One more than the row that is sought.
        let mut rows = last + 1;
        while rows > first {
            let l = rows - 1;
            let end = (first + 1..=l).rev().find(|&i| self.negligible(i - 1, i)).unwrap_or(first);
            if end > first {
                self.e[end - 1] = 0.0;
            }
            if end == l {
                rows -= 1;
                continue;
            }
            if end + 1 == l {
                let (one, other, c, s) = symmetric_pair(self.d[l - 1], self.e[l - 1], self.d[l]);
                self.turn(l - 1, c, s);
                (self.d[l - 1], self.d[l], self.e[l - 1]) = (one, other, 0.0);
                rows -= 2;
                continue;
            }
            self.count()?;
            let mut g = self.start(l, l - 1, end);
            let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
            for i in end..l {
                let (f, b) = (s * self.e[i], c * self.e[i]);
                let r;
                (c, s, r) = rotation_of_larger(g, f);
                if i != end {
                    self.e[i - 1] = r;
                }
                g = self.d[i] - p;
                let turned = (self.d[i + 1] - g) * s + 2.0 * c * b;
                p = s * turned;
                self.d[i] = g + p;
                g = c * turned - b;
                self.turn(i, c, s);
            }
            self.d[l] -= p;
            self.e[l - 1] = g;
        }
        Some(())
    }
}
