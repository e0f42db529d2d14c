//! The singular values of upper bidiagonal matrices, by the implicit QR iteration that keeps small ones exact: Demmel and
//! Kahan, Accurate singular values of bidiagonal matrices.

use rustorch_backend::memory::Scratch;

use super::precision::Precision;
use super::rotations::{rotation, smaller_singular_value, triangular_pair};
use super::rows::{rotate, two_rows};

/// Rows that are rotated with a matrix.
#[derive(Debug)]
pub struct Vectors<'a> {
    rows: &'a mut [f64],
    width: usize,
}

impl<'a> Vectors<'a> {
    /// As many rows as the matrix has.
    pub fn new(rows: &'a mut [f64], count: usize) -> Self {
        let width = rows.len() / count.max(1);
        Self { rows, width }
    }

    fn turn(&mut self, i: usize, c: f64, s: f64) {
        let (one, other) = two_rows(self.rows, self.width, i, i + 1);
        rotate(one, other, c, -s);
    }

    fn negate(&mut self, i: usize) {
        self.rows[i * self.width..(i + 1) * self.width].iter_mut().for_each(|x| *x = -*x);
    }

    fn swap(&mut self, i: usize, j: usize) {
        let (one, other) = two_rows(self.rows, self.width, i, j);
        one.swap_with_slice(other);
    }
}

/// The iteration on the matrix with the diagonal `d` and `e` right of it.
#[derive(Debug)]
pub struct Bidiagonal<'a> {
    d: &'a mut [f64],
    e: Scratch<f64>,
    left: Vectors<'a>,
    right: Vectors<'a>,
    precision: Precision,
    tolerance: f64,
    threshold: f64,
}

/// What is left to do within a block of rows.
enum Block {
    /// An entry beside the diagonal became 0: look for the block anew.
    Changed,
    /// A step with this shift.
    Step(f64),
}

impl<'a> Bidiagonal<'a> {
    /// Of which the left and the right vectors stand in rows.
    pub fn new(
        d: &'a mut [f64],
        e: Scratch<f64>,
        left: Vectors<'a>,
        right: Vectors<'a>,
        precision: Precision,
    ) -> Self {
        let n = d.len();
        let tolerance = precision.unit.powf(-0.125).clamp(10.0, 100.0) * precision.unit;
        // A lower bound of the smallest singular value.
        let mut bound = d.first().map_or(0.0, |x| x.abs());
        let mut least = bound;
        for i in 1..n {
            if least == 0.0 {
                break;
            }
            bound = d[i].abs() * (bound / (bound + e[i - 1].abs()));
            least = least.min(bound);
        }
        let count = n as f64;
        let threshold =
            (tolerance * (least / count.max(1.0).sqrt())).max(6.0 * count * count * precision.smallest);
        Self { d, e, left, right, precision, tolerance, threshold }
    }

    /// Finds the singular values, not negative and descending. None if the iteration does not end.
    pub fn run(mut self) -> Option<()> {
        const MOST: usize = 6;
        let n = self.d.len();
        let mut left_over = MOST.saturating_mul(n).saturating_mul(n);
        // The block of the step before, and whether it went downwards.
        let mut before: Option<(usize, usize)> = None;
        let mut down = true;
        let mut rows = n;
        while rows > 1 {
            let m = rows - 1;
            let split = (0..m).rev().find(|&i| self.e[i].abs() <= self.threshold);
            if let Some(i) = split {
                self.e[i] = 0.0;
                if i + 1 == m {
                    rows -= 1;
                    continue;
                }
            }
            let l = split.map_or(0, |i| i + 1);
            if l + 1 == m {
                self.pair(l);
                rows -= 2;
                continue;
            }
            // From the end with the larger entries to the other; within one block the direction stays.
            if before.is_none_or(|(first, last)| l > last || m < first) {
                down = self.d[l].abs() >= self.d[m].abs();
            }
            let Block::Step(shift) = self.look(l, m, down) else { continue };
            before = Some((l, m));
            if left_over < m - l {
                return None;
            }
            left_over -= m - l;
            match (shift == 0.0, down) {
                (true, true) => self.unshifted_down(l, m),
                (true, false) => self.unshifted_up(l, m),
                (false, true) => self.shifted_down(l, m, shift),
                (false, false) => self.shifted_up(l, m, shift),
            }
        }
        self.sort();
        Some(())
    }

    fn pair(&mut self, l: usize) {
        let pair = triangular_pair(self.d[l], self.e[l], self.d[l + 1]);
        (self.d[l], self.e[l], self.d[l + 1]) = (pair.most, 0.0, pair.least);
        self.right.turn(l, pair.right.0, pair.right.1);
        self.left.turn(l, pair.left.0, pair.left.1);
    }

    /// Sets what is negligible in the block l..=m to 0, or finds the shift.
    fn look(&mut self, l: usize, m: usize, down: bool) -> Block {
        let (end, last) = if down { (m - 1, m) } else { (l, l) };
        if self.e[end].abs() <= self.tolerance * self.d[last].abs() {
            self.e[end] = 0.0;
            return Block::Changed;
        }
        let mut bound = self.d[if down { l } else { m }].abs();
        let mut least = bound;
        for step in 0..m - l {
            let (i, next) = if down { (l + step, l + step + 1) } else { (m - 1 - step, m - 1 - step) };
            if self.e[i].abs() <= self.tolerance * bound {
                self.e[i] = 0.0;
                return Block::Changed;
            }
            bound = self.d[next].abs() * (bound / (bound + self.e[i].abs()));
            least = least.min(bound);
        }
        let most = (l..m).fold(self.d[m].abs(), |most, i| most.max(self.d[i].abs()).max(self.e[i].abs()));
        let unit = self.precision.unit;
        // A shift would spoil small singular values.
        if self.d.len() as f64 * self.tolerance * (least / most) <= unit.max(0.01 * self.tolerance) {
            return Block::Step(0.0);
        }
        let (start, at) = if down { (self.d[l], m - 1) } else { (self.d[m], l) };
        let shift = smaller_singular_value(self.d[at], self.e[at], self.d[at + 1]);
        if start != 0.0 && (shift / start).powi(2) < unit { Block::Step(0.0) } else { Block::Step(shift) }
    }

    /// Sets an entry beside the diagonal, to 0 if it is negligible.
    fn close(&mut self, i: usize, value: f64) {
        self.e[i] = if value.abs() <= self.threshold { 0.0 } else { value };
    }

    fn unshifted_down(&mut self, l: usize, m: usize) {
        let (mut c, mut old_c, mut old_s) = (1.0, 1.0, 0.0);
        for i in l..m {
            let (s, r);
            (c, s, r) = rotation(self.d[i] * c, self.e[i]);
            if i > l {
                self.e[i - 1] = old_s * r;
            }
            (old_c, old_s, self.d[i]) = rotation(old_c * r, self.d[i + 1] * s);
            self.right.turn(i, c, s);
            self.left.turn(i, old_c, old_s);
        }
        let h = self.d[m] * c;
        self.d[m] = h * old_c;
        self.close(m - 1, h * old_s);
    }

    fn unshifted_up(&mut self, l: usize, m: usize) {
        let (mut c, mut old_c, mut old_s) = (1.0, 1.0, 0.0);
        for i in (l + 1..=m).rev() {
            let (s, r);
            (c, s, r) = rotation(self.d[i] * c, self.e[i - 1]);
            if i < m {
                self.e[i] = old_s * r;
            }
            (old_c, old_s, self.d[i]) = rotation(old_c * r, self.d[i - 1] * s);
            self.right.turn(i - 1, old_c, -old_s);
            self.left.turn(i - 1, c, -s);
        }
        let h = self.d[l] * c;
        self.d[l] = h * old_c;
        self.close(l, h * old_s);
    }

    fn shifted_down(&mut self, l: usize, m: usize, shift: f64) {
        let (d, e) = (&mut *self.d, &mut self.e);
        let mut f = (d[l].abs() - shift) * (1.0_f64.copysign(d[l]) + shift / d[l]);
        let mut g = e[l];
        for i in l..m {
            let (c, s, r) = rotation(f, g);
            if i > l {
                e[i - 1] = r;
            }
            f = c * d[i] + s * e[i];
            e[i] = c * e[i] - s * d[i];
            g = s * d[i + 1];
            d[i + 1] *= c;
            self.right.turn(i, c, s);
            let (c, s, r) = rotation(f, g);
            d[i] = r;
            f = c * e[i] + s * d[i + 1];
            d[i + 1] = c * d[i + 1] - s * e[i];
            if i + 1 < m {
                g = s * e[i + 1];
                e[i + 1] *= c;
            }
            self.left.turn(i, c, s);
        }
        self.close(m - 1, f);
    }

    fn shifted_up(&mut self, l: usize, m: usize, shift: f64) {
        let (d, e) = (&mut *self.d, &mut self.e);
        let mut f = (d[m].abs() - shift) * (1.0_f64.copysign(d[m]) + shift / d[m]);
        let mut g = e[m - 1];
        for i in (l + 1..=m).rev() {
            let (c, s, r) = rotation(f, g);
            if i < m {
                e[i] = r;
            }
            f = c * d[i] + s * e[i - 1];
            e[i - 1] = c * e[i - 1] - s * d[i];
            g = s * d[i - 1];
            d[i - 1] *= c;
            self.left.turn(i - 1, c, -s);
            let (c, s, r) = rotation(f, g);
            d[i] = r;
            f = c * e[i - 1] + s * d[i - 1];
            d[i - 1] = c * d[i - 1] - s * e[i - 1];
            if i > l + 1 {
                g = s * e[i - 2];
                e[i - 2] *= c;
            }
            self.right.turn(i - 1, c, -s);
        }
        self.close(l, f);
    }

    fn exchange(&mut self, i: usize, j: usize) {
        if i != j {
            self.d.swap(i, j);
            self.left.swap(i, j);
            self.right.swap(i, j);
        }
    }

    /// Makes the values positive and sorts them. They are sorted three times, as LAPACK's routines do one after the other:
    /// the order of equal ones, and with it which vectors belong to them, depends on it.
    fn sort(&mut self) {
        let n = self.d.len();
        for i in 0..n {
            if self.d[i] < 0.0 {
                self.d[i] = -self.d[i];
                self.right.negate(i);
            }
        }
        for last in (1..n).rev() {
            let least = (1..=last).fold(0, |k, j| if self.d[j] <= self.d[k] { j } else { k });
            self.exchange(least, last);
        }
        for first in 0..n {
            let least = (first + 1..n).fold(first, |k, j| if self.d[j] < self.d[k] { j } else { k });
            self.exchange(first, least);
        }
        for first in 0..n {
            let most = (first + 1..n).fold(first, |k, j| if self.d[j] > self.d[k] { j } else { k });
            self.exchange(first, most);
        }
    }
}
