//! The singular value decomposition: to a bidiagonal matrix by reflections, and on by the QR iteration.

use rustorch_backend::memory::Scratch;
use rustorch_error::Result;

use super::bidiagonal::{Bidiagonal, Vectors};
use super::precision::{Precision, opposed, scale_of, witness};
use super::reflections::{qr, reflect, reflector};
use super::rotations::rotation;
use super::rows::{add_scaled, largest, transposed};

/// Singular values, descending, and the singular vectors in rows.
#[derive(Debug)]
pub struct Svd {
    /// The left vectors, each of length m: k of them, or m.
    pub left: Scratch<f64>,
    /// k = min(m, n) values.
    pub values: Scratch<f64>,
    /// The right vectors, each of length n: k of them, or n.
    pub right: Scratch<f64>,
}

/// Reflectors one after the other; number i leaves the first `i + skipped` entries alone.
struct Reflectors {
    /// The vectors without their first entry, which is 1.
    vectors: Scratch<Scratch<f64>>,
    taus: Scratch<f64>,
    skipped: usize,
    /// How many entries there are.
    length: usize,
}

impl Reflectors {
    fn new(skipped: usize, length: usize) -> Self {
        Self { vectors: Scratch::new(), taus: Scratch::new(), skipped, length }
    }

    /// The product of all reflections, times the first entries of `x`.
    fn apply(&self, x: &mut [f64]) {
        for (i, (v, &tau)) in self.vectors.iter().zip(&self.taus).enumerate().rev() {
            reflect(&mut x[i + self.skipped..self.length], v, tau);
        }
    }

    fn push(&mut self, x: &mut [f64]) -> Result<f64> {
        let tau = reflector(x);
        let (first, rest) = x.split_at(1);
        self.vectors.push(Scratch::copied(rest)?)?;
        self.taus.push(tau)?;
        Ok(first[0])
    }
}

/// `A = Q B Pᵀ` with an upper bidiagonal B.
struct Reduction {
    diagonal: Scratch<f64>,
    beside: Scratch<f64>,
    left: Reflectors,
    right: Reflectors,
}

/// Reduces a matrix (m, n) that is not wider than high.
fn bidiagonal(mut a: Scratch<f64>, m: usize, n: usize) -> Result<Reduction> {
    let (mut left, mut right) = (Reflectors::new(0, m), Reflectors::new(1, n));
    let (mut diagonal, mut beside) = (Scratch::with_room(n)?, Scratch::with_room(n)?);
    let (mut column, mut products) = (Scratch::with_room(m)?, Scratch::with_room(n)?);
    for k in 0..n {
        column.clear();
        column.extend(a[k * n + k..].iter().step_by(n).copied())?;
        diagonal.push(left.push(&mut column)?)?;
        column[0] = 1.0;
        let tau = left.taus[k];
        if tau != 0.0 {
            products.clear();
            products.resize(n - k - 1, 0.0)?;
            for (row, &v) in a[k * n..].chunks_exact(n).zip(&column) {
                add_scaled(&mut products, tau * v, &row[k + 1..]);
            }
            for (row, &v) in a[k * n..].chunks_exact_mut(n).zip(&column) {
                add_scaled(&mut row[k + 1..], -v, &products);
            }
        }
        if k + 1 < n {
            let (done, rest) = a.split_at_mut((k + 1) * n);
            beside.push(right.push(&mut done[k * n + k + 1..])?)?;
            for row in rest.chunks_exact_mut(n) {
                reflect(&mut row[k + 1..], &right.vectors[k], right.taus[k]);
            }
        }
    }
    Ok(Reduction { diagonal, beside, left, right })
}

fn identity(n: usize) -> Result<Scratch<f64>> {
    Scratch::collect((0..n * n).map(|at| f64::from(u8::from(at / n == at % n))))
}

/// The singular values of a bidiagonal matrix in place of its diagonal, and in rows the left and right vectors.
fn bidiagonal_svd(
    d: &mut [f64],
    mut e: Scratch<f64>,
    lower: bool,
    precision: Precision,
) -> Result<Option<(Scratch<f64>, Scratch<f64>)>> {
    let n = d.len();
    let (mut left, mut right) = (identity(n)?, identity(n)?);
    if n == 0 {
        return Ok(Some((left, right)));
    }
    if n == 1 {
        left[0] = if d[0] < 0.0 { -1.0 } else { 1.0 };
        d[0] = d[0].abs();
        return Ok(Some((left, right)));
    }
    let mut turns = Scratch::new();
    if lower {
        for i in 0..n - 1 {
            let (c, s, r) = rotation(d[i], e[i]);
            (d[i], e[i], d[i + 1]) = (r, s * d[i + 1], c * d[i + 1]);
            turns.push((c, s))?;
        }
    }
    let signs = if precision.unit > Precision::DOUBLE.unit {
        let witness = witness(n)?;
        let mut products = Scratch::copied(&witness)?;
        let (mut d, e) = (Scratch::copied(d)?, Scratch::copied(&e)?);
        let (none, some) = (Vectors::new(&mut [], n), Vectors::new(&mut products, n));
        if Bidiagonal::new(&mut d, e, none, some, precision).run().is_none() {
            return Ok(None);
        }
        Some((witness, products))
    } else {
        None
    };
    let vectors = (Vectors::new(&mut left, n), Vectors::new(&mut right, n));
    if Bidiagonal::new(d, e, vectors.0, vectors.1, Precision::DOUBLE).run().is_none() {
        return Ok(None);
    }
    if let Some((witness, products)) = signs {
        for ((x, y), &product) in left.chunks_exact_mut(n).zip(right.chunks_exact_mut(n)).zip(&products) {
            if opposed(y, &witness, product) {
                x.iter_mut().chain(y).for_each(|x| *x = -*x);
            }
        }
    }
    for (i, &(c, s)) in turns.iter().enumerate().rev() {
        for vector in left.chunks_exact_mut(n) {
            (vector[i], vector[i + 1]) =
                (c * vector[i] - s * vector[i + 1], s * vector[i] + c * vector[i + 1]);
        }
    }
    Ok(Some((left, right)))
}

/// The rows (k, k) with zeros on the right, and unit vectors up to `count` rows, all of this length and reflected.
fn extended(
    rows: &[f64],
    k: usize,
    length: usize,
    count: usize,
    reflections: &[&Reflectors],
) -> Result<Scratch<f64>> {
    let mut out = Scratch::zeroed(count * length)?;
    for (i, row) in out.chunks_exact_mut(length.max(1)).enumerate() {
        if i < k {
            row[..k].copy_from_slice(&rows[i * k..(i + 1) * k]);
        } else {
            row[i] = 1.0;
        }
        for reflectors in reflections {
            reflectors.apply(row);
        }
    }
    Ok(out)
}

/// The singular value decomposition of a matrix (m, n), with the signs that LAPACK gives the vectors; NaN for infinities. None
/// if the iteration does not end, and for NaN.
pub fn svd(matrix: &[f64], m: usize, n: usize, full: bool, precision: Precision) -> Result<Option<Svd>> {
    let scale = largest(matrix);
    let wide = n > m;
    let (rows, k) = (m.max(n), m.min(n));
    if !scale.is_finite() {
        let nothing = |count| Scratch::filled(count, f64::NAN);
        let (p, q) = if full { (m, n) } else { (k, k) };
        let svd = Svd { left: nothing(p * m)?, values: nothing(k)?, right: nothing(q * n)? };
        return Ok((!scale.is_nan()).then_some(svd));
    }
    let factor = scale_of(scale);
    let mut a = if wide { transposed(matrix, m, n)? } else { Scratch::copied(matrix)? };
    for x in &mut a {
        *x /= factor;
    }
    let mut outer = Reflectors::new(0, rows);
    let mut height = rows;
    // Of a tall matrix only R is reduced.
    if !wide && k > 0 && rows >= k + k / 2 {
        let mut taus = Scratch::zeroed(k)?;
        qr(&mut a, rows, k, &mut taus)?;
        let column = |j: usize| Scratch::collect(a[j * k + j..].iter().step_by(k).skip(1).copied());
        outer.vectors = Scratch::try_collect((0..k).map(column))?;
        outer.taus = taus;
        a.truncate(k * k);
        (1..k).for_each(|i| a[i * k..i * k + i].fill(0.0));
        height = k;
    }
    let Reduction { mut diagonal, beside, left, right } = bidiagonal(a, height, k)?;
    let Some((inner_left, inner_right)) = bidiagonal_svd(&mut diagonal, beside, wide, precision)? else {
        return Ok(None);
    };
    for value in &mut diagonal {
        *value *= factor;
    }
    let count = if full { rows } else { k };
    // A wide matrix is the transposed of a tall one, whose lower bidiagonal matrix it has.
    let (long, short) = if wide { (inner_right, inner_left) } else { (inner_left, inner_right) };
    let long = extended(&long, k, rows, count, &[&left, &outer])?;
    let short = extended(&short, k, k, k, &[&right])?;
    let (left, right) = if wide { (short, long) } else { (long, short) };
    Ok(Some(Svd { left, values: diagonal, right }))
}
