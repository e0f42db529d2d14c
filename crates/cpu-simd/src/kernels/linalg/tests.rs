use super::precision::Precision;
use super::reflections::{orthogonal_factor, qr};
use super::rows::{transposed, two_rows};
use super::singular::svd;
use super::symmetric::symmetric_eigen;
use super::triangular::{cholesky, lu, solve_triangular};

const SIZES: [(usize, usize); 11] =
    [(0, 0), (1, 1), (2, 2), (5, 5), (8, 5), (5, 8), (1, 4), (4, 1), (0, 3), (3, 0), (33, 17)];

/// Numbers in [-1, 1), always the same.
fn numbers(count: usize) -> Vec<f64> {
    let mut state = 12_345_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1 << 30) - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn product(a: &[f64], b: &[f64], m: usize, k: usize, n: usize) -> Vec<f64> {
    (0..m * n).map(|at| (0..k).map(|l| a[at / n * k + l] * b[l * n + at % n]).sum()).collect()
}

fn identity(n: usize) -> Vec<f64> {
    (0..n * n).map(|at| f64::from(u8::from(at / n == at % n))).collect()
}

fn assert_close(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    let distance = a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
    assert!(distance < 1e-13, "distance {distance:e}");
}

#[test]
fn lu_gives_back_the_matrix() {
    for (m, n) in SIZES {
        let (a, k) = (numbers(m * n), m.min(n));
        let (mut packed, mut pivots) = (a.clone(), vec![0; k]);
        assert_eq!(lu(&mut packed, m, n, true, &mut pivots), 0);
        let lower: Vec<f64> = (0..m * k)
            .map(|at| (at / k, at % k))
            .map(|(i, j)| match i.cmp(&j) {
                std::cmp::Ordering::Equal => 1.0,
                std::cmp::Ordering::Greater => packed[i * n + j],
                std::cmp::Ordering::Less => 0.0,
            })
            .collect();
        let upper: Vec<f64> = (0..k * n).map(|at| if at % n >= at / n { packed[at] } else { 0.0 }).collect();
        let mut permuted = a;
        for (i, &pivot) in pivots.iter().enumerate() {
            if pivot as usize - 1 != i {
                let (one, other) = two_rows(&mut permuted, n, i, pivot as usize - 1);
                one.swap_with_slice(other);
            }
        }
        assert_close(&product(&lower, &upper, m, k, n), &permuted);
        assert!(lower.iter().all(|x| x.abs() <= 1.0));
    }
    assert_eq!(lu(&mut [1.0, 2.0, 2.0, 4.0], 2, 2, true, &mut [0; 2]), 2);
}

#[test]
fn qr_gives_back_the_matrix() {
    for (m, n) in SIZES {
        let a = numbers(m * n);
        let (mut packed, mut tau) = (a.clone(), vec![0.0; m.min(n)]);
        qr(&mut packed, m, n, &mut tau).expect("memory");
        let q = orthogonal_factor(&packed, m, n, &tau, m).expect("memory");
        assert_close(&product(&transposed(&q, m, m).expect("memory"), &q, m, m, m), &identity(m));
        let r: Vec<f64> = (0..m * n).map(|at| if at % n >= at / n { packed[at] } else { 0.0 }).collect();
        assert_close(&product(&q, &r, m, m, n), &a);
    }
}

#[test]
fn singular_values_give_back_the_matrix() {
    for (m, n) in SIZES {
        let (a, k) = (numbers(m * n), m.min(n));
        for full in [false, true] {
            let svd = svd(&a, m, n, full, Precision::DOUBLE).expect("memory").expect("finite");
            let (p, q) = if full { (m, n) } else { (k, k) };
            assert_close(
                &product(&svd.left, &transposed(&svd.left, p, m).expect("memory"), p, m, p),
                &identity(p),
            );
            assert_close(
                &product(&svd.right, &transposed(&svd.right, q, n).expect("memory"), q, n, q),
                &identity(q),
            );
            assert!(svd.values.windows(2).all(|pair| pair[0] >= pair[1]));
            let scaled: Vec<f64> =
                (0..m * k).map(|at| svd.left[at % k * m + at / k] * svd.values[at % k]).collect();
            assert_close(&product(&scaled, &svd.right[..k * n], m, k, n), &a);
        }
    }
    let singular = svd(&[1., 2., 3., 2., 4., 6., 1., 0., 1.], 3, 3, false, Precision::DOUBLE)
        .expect("memory")
        .expect("converges");
    assert!(singular.values[2] < 1e-15);
    assert!(svd(&[1.0, f64::NAN], 2, 1, false, Precision::DOUBLE).expect("memory").is_none());
    assert!(
        svd(&[1.0, f64::INFINITY], 2, 1, false, Precision::DOUBLE)
            .expect("memory")
            .is_some_and(|svd| svd.values[0].is_nan())
    );
}

#[test]
fn singular_vectors_of_singular_matrices_are_orthonormal() {
    for a in [vec![0.0; 12], vec![1.0; 12], vec![1., 2., 3., 2., 4., 6., 3., 6., 9., 0., 0., 0.]] {
        let svd = svd(&a, 4, 3, true, Precision::DOUBLE).expect("memory").expect("finite");
        assert_close(
            &product(&svd.left, &transposed(&svd.left, 4, 4).expect("memory"), 4, 4, 4),
            &identity(4),
        );
        assert!(svd.values[1] < 1e-14);
    }
}

#[test]
fn eigenvectors_give_back_the_symmetric_matrix() {
    for n in [0, 1, 2, 3, 5, 20] {
        let a = numbers(n * n);
        let symmetric: Vec<f64> =
            (0..n * n).map(|at| a[at] + a[if n == 0 { 0 } else { at % n * n + at / n }]).collect();
        let (values, vectors) =
            symmetric_eigen(&symmetric, n, n % 2 == 0, Precision::DOUBLE).expect("memory").expect("finite");
        assert!(values.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_close(&product(&vectors, &transposed(&vectors, n, n).expect("memory"), n, n, n), &identity(n));
        let scaled: Vec<f64> = (0..n * n).map(|at| vectors[at] * values[at / n]).collect();
        assert_close(&product(&transposed(&vectors, n, n).expect("memory"), &scaled, n, n, n), &symmetric);
    }
    let (values, vectors) =
        symmetric_eigen(&[f64::NAN], 1, false, Precision::DOUBLE).expect("memory").expect("NaN");
    assert!(values[0].is_nan() && vectors[0].is_nan());
}

#[test]
fn cholesky_gives_back_the_matrix_and_triangles_are_solved() {
    for n in [0, 1, 2, 5, 20] {
        let a = numbers(n * n);
        let mut positive = product(&a, &transposed(&a, n, n).expect("memory"), n, n, n);
        (0..n).for_each(|i| positive[i * n + i] += 0.5);
        let mut lower = positive.clone();
        assert_eq!(cholesky(&mut lower, n), 0);
        let upper = transposed(&lower, n, n).expect("memory");
        assert_close(&product(&lower, &upper, n, n, n), &positive);
        for (triangle, is_upper) in [(&lower[..], false), (&upper[..], true)] {
            let mut b = product(triangle, &a, n, n, n);
            solve_triangular(triangle, &mut b, n, n, is_upper, false);
            assert_close(&b, &a);
        }
    }
    assert_eq!(cholesky(&mut [1.0, 0.0, 2.0, 1.0], 2), 2);
}
