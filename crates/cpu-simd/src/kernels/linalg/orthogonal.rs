//! Householder's QR decomposition, the eigenvalues of symmetric matrices, and singular values.

use super::rows::{add_scaled, dot, largest, rotate, transposed, two_rows};

/// The reflection `I - tau v vᵀ`, `v_0` = 1, that takes x to (beta, 0, …): x becomes beta and the rest of v. Gives tau.
fn reflector(x: &mut [f64]) -> f64 {
    let Some((first, rest)) = x.split_first_mut() else { return 0.0 };
    let scale = largest(rest);
    if scale == 0.0 {
        return 0.0;
    }
    let squares: f64 = rest.iter().map(|v| (v / scale).powi(2)).sum();
    let norm = first.hypot(scale * squares.sqrt());
    let beta = if *first > 0.0 { -norm } else { norm };
    let tau = (beta - *first) / beta;
    let divisor = *first - beta;
    for v in rest.iter_mut() {
        *v /= divisor;
    }
    *first = beta;
    tau
}

/// Householder's QR: `matrix` (m, n) becomes R on and above the diagonal and the reflectors' vectors below it, as LAPACK's
/// geqrf packs them; `tau` has their factors.
pub fn qr(matrix: &mut [f64], m: usize, n: usize, tau: &mut [f64]) {
    // Columns are rows of the transposed.
    let mut columns = transposed(matrix, m, n);
    for k in 0..m.min(n) {
        let (done, rest) = columns.split_at_mut((k + 1) * m);
        let v = &mut done[k * m + k..];
        tau[k] = reflector(v);
        if tau[k] != 0.0 {
            for column in rest.chunks_exact_mut(m) {
                let x = &mut column[k..];
                let product = tau[k] * (x[0] + dot(&v[1..], &x[1..]));
                x[0] -= product;
                add_scaled(&mut x[1..], -product, &v[1..]);
            }
        }
    }
    matrix.copy_from_slice(&transposed(&columns, n, m));
}

/// The first `count` columns of the product of the reflectors that [`qr`] packed: (m, count), row-major.
pub fn orthogonal_factor(packed: &[f64], m: usize, n: usize, tau: &[f64], count: usize) -> Vec<f64> {
    let vectors = transposed(packed, m, n);
    let mut q = vec![0.0; m * count];
    for j in 0..count.min(m) {
        q[j * m + j] = 1.0;
    }
    for (k, &tau) in tau.iter().enumerate().rev() {
        let v = &vectors[k * m + k + 1..(k + 1) * m];
        for column in q.chunks_exact_mut(m) {
            let x = &mut column[k..];
            let product = tau * (x[0] + dot(v, &x[1..]));
            x[0] -= product;
            add_scaled(&mut x[1..], -product, v);
        }
    }
    transposed(&q, count, m)
}

/// The eigenvalues, ascending, of a symmetric matrix of which the lower triangle is read, and in the rows of the second
/// result its eigenvectors. None if the iteration does not end, as with NaN.
///
/// Tridiagonal by Householder's reflections, then the implicit QL algorithm: Golub and Van Loan, Matrix Computations,
/// sections 8.3.1 and 8.3.3.
pub fn symmetric_eigen(matrix: &[f64], n: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    let scale = largest(matrix);
    if !scale.is_finite() {
        return None;
    }
    let factor = if scale == 0.0 { 1.0 } else { scale };
    let mut a = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let value = matrix[i * n + j] / factor;
            a[i * n + j] = value;
            a[j * n + i] = value;
        }
    }
    let (mut diagonal, mut off, mut vectors) = tridiagonal(&mut a, n);
    implicit_ql(&mut diagonal, &mut off, &mut vectors, n)?;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| diagonal[i].total_cmp(&diagonal[j]));
    let values = order.iter().map(|&i| diagonal[i] * factor).collect();
    let sorted = order.iter().flat_map(|&i| vectors[i * n..(i + 1) * n].iter().copied()).collect();
    Some((values, sorted))
}

/// `T = Qᵀ A Q`: the diagonal of T, what stands beside it, and Qᵀ.
fn tridiagonal(a: &mut [f64], n: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (mut off, mut taus) = (vec![0.0; n], vec![0.0; n]);
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
        let mut w: Vec<f64> = rest.chunks_exact(n).map(|row| tau * dot(&row[k + 1..], v)).collect();
        let half = 0.5 * tau * dot(&w, v);
        add_scaled(&mut w, -half, v);
        for (i, row) in rest.chunks_exact_mut(n).enumerate() {
            add_scaled(&mut row[k + 1..], -v[i], &w);
            add_scaled(&mut row[k + 1..], -w[i], v);
        }
    }
    let diagonal = (0..n).map(|i| a[i * n + i]).collect();
    let mut q = vec![0.0; n * n];
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
    (diagonal, off, q)
}

/// The eigenvalues of a symmetric tridiagonal matrix in place of its diagonal `d`; the rows of `z` are rotated alike.
fn implicit_ql(d: &mut [f64], e: &mut [f64], z: &mut [f64], n: usize) -> Option<()> {
    const MOST: usize = 60;
    for l in 0..n {
        let mut steps = 0;
        loop {
            let small = |m: &usize| e[*m].abs() <= f64::EPSILON * (d[*m].abs() + d[*m + 1].abs());
            let end = (l..n - 1).find(small).unwrap_or(n - 1);
            if end == l {
                break;
            }
            steps += 1;
            if steps > MOST {
                return None;
            }
            // Wilkinson's shift.
            let ratio = (d[l + 1] - d[l]) / (2.0 * e[l]);
            let root = ratio.hypot(1.0).copysign(ratio);
            let mut g = d[end] - d[l] + e[l] / (ratio + root);
            let (mut sine, mut cosine, mut shift) = (1.0, 1.0, 0.0);
            let mut split = false;
            for i in (l..end).rev() {
                let (f, b) = (sine * e[i], cosine * e[i]);
                let r = f.hypot(g);
                e[i + 1] = r;
                if r == 0.0 {
                    d[i + 1] -= shift;
                    e[end] = 0.0;
                    split = true;
                    break;
                }
                (sine, cosine) = (f / r, g / r);
                let rest = d[i + 1] - shift;
                let turn = (d[i] - rest) * sine + 2.0 * cosine * b;
                shift = sine * turn;
                d[i + 1] = rest + shift;
                g = cosine * turn - b;
                let (low, high) = two_rows(z, n, i, i + 1);
                rotate(low, high, cosine, sine);
            }
            if !split {
                d[l] -= shift;
                e[l] = g;
                e[end] = 0.0;
            }
        }
    }
    Some(())
}

/// Singular values, descending, and the singular vectors in rows.
#[derive(Debug)]
pub struct Svd {
    /// The left vectors, each of length m: k of them, or m.
    pub left: Vec<f64>,
    /// k = min(m, n) values.
    pub values: Vec<f64>,
    /// The right vectors, each of length n: k of them, or n.
    pub right: Vec<f64>,
}

/// The singular value decomposition of a matrix (m, n). None if the iteration does not end, as with NaN.
///
/// One-sided Jacobi rotations: Demmel and Veselić, Jacobi's method is more accurate than QR, SIAM J. Matrix Anal. Appl. 13.
pub fn svd(matrix: &[f64], m: usize, n: usize, full: bool) -> Option<Svd> {
    if m < n {
        let Svd { left, values, right } = svd(&transposed(matrix, m, n), n, m, full)?;
        return Some(Svd { left: right, values, right: left });
    }
    let scale = largest(matrix);
    if !scale.is_finite() {
        return None;
    }
    let factor = if scale == 0.0 { 1.0 } else { scale };
    // Columns of A, and of the product of the rotations, as rows.
    let mut columns = transposed(matrix, m, n);
    for x in &mut columns {
        *x /= factor;
    }
    // A tall matrix is rotated as its R alone.
    let packed = (m > n).then(|| {
        let mut packed = transposed(&columns, n, m);
        let mut tau = vec![0.0; n];
        qr(&mut packed, m, n, &mut tau);
        let triangle: Vec<f64> =
            (0..n * n).map(|at| if at % n <= at / n { packed[(at % n) * n + at / n] } else { 0.0 }).collect();
        columns = triangle;
        (packed, tau)
    });
    let mut right = vec![0.0; n * n];
    for i in 0..n {
        right[i * n + i] = 1.0;
    }
    orthogonalize(&mut columns, &mut right, n)?;
    let lengths: Vec<f64> = columns.chunks_exact(n.max(1)).map(|c| dot(c, c).sqrt()).collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| lengths[j].total_cmp(&lengths[i]));
    let values: Vec<f64> = order.iter().map(|&i| lengths[i] * factor).collect();
    let mut units = Vec::with_capacity(n * n);
    for &i in order.iter().filter(|&&i| lengths[i] > 0.0) {
        units.extend(columns[i * n..(i + 1) * n].iter().map(|x| x / lengths[i]));
    }
    complete(&mut units, n, n);
    let mut left = match packed {
        None => units,
        Some((packed, tau)) => {
            // U = Q U_R, column by column.
            let q = orthogonal_factor(&packed, m, n, &tau, n);
            let mut left = Vec::with_capacity(n * m);
            for unit in units.chunks_exact(n.max(1)) {
                left.extend(q.chunks_exact(n.max(1)).map(|row| dot(row, unit)));
            }
            left
        }
    };
    if full {
        complete(&mut left, m, m);
    }
    let right = order.iter().flat_map(|&i| right[i * n..(i + 1) * n].iter().copied()).collect();
    Some(Svd { left, values, right })
}

/// Rotates the rows of `vectors` (n, n) until they are orthogonal, and those of `turned` alike.
fn orthogonalize(vectors: &mut [f64], turned: &mut [f64], n: usize) -> Option<()> {
    const SWEEPS: usize = 60;
    // Beside entries of size 1, a vector whose square is this small is the rounding of 0: each sweep makes it smaller.
    const NOTHING: f64 = 1e-280;
    // Less than the rounding of a short dot product would never be reached.
    let tolerance = f64::EPSILON * (8.0 + (n as f64).sqrt());
    for _ in 0..SWEEPS {
        let mut quiet = true;
        for p in 0..n {
            for q in p + 1..n {
                let (x, y) = two_rows(vectors, n, p, q);
                let (alpha, beta, gamma) = (dot(x, x), dot(y, y), dot(x, y));
                if alpha.min(beta) < NOTHING {
                    if alpha > 0.0 && beta > 0.0 {
                        if alpha < beta { x.fill(0.0) } else { y.fill(0.0) }
                    }
                    continue;
                }
                if gamma.abs() <= tolerance * alpha.sqrt() * beta.sqrt() {
                    continue;
                }
                quiet = false;
                let zeta = (beta - alpha) / (2.0 * gamma);
                let tangent = 1.0_f64.copysign(zeta) / (zeta.abs() + zeta.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                rotate(x, y, cosine, cosine * tangent);
                let (x, y) = two_rows(turned, n, p, q);
                rotate(x, y, cosine, cosine * tangent);
            }
        }
        if quiet {
            return Some(());
        }
    }
    None
}

/// Adds rows to orthonormal rows of `width` elements until there are `count`.
fn complete(rows: &mut Vec<f64>, width: usize, count: usize) {
    while width > 0 && rows.len() < count * width {
        // The unit vector that the rows cover least.
        let mut covered = vec![0.0; width];
        for row in rows.chunks_exact(width) {
            covered.iter_mut().zip(row).for_each(|(c, x)| *c += x * x);
        }
        let least = (0..width).min_by(|&i, &j| covered[i].total_cmp(&covered[j])).unwrap_or(0);
        let mut new = vec![0.0; width];
        new[least] = 1.0;
        // Twice is enough: Kahan's rule for Gram and Schmidt.
        for _ in 0..2 {
            for row in rows.chunks_exact(width) {
                let part = dot(row, &new);
                add_scaled(&mut new, -part, row);
            }
        }
        let length = dot(&new, &new).sqrt();
        rows.extend(new.iter().map(|x| x / length));
    }
}
