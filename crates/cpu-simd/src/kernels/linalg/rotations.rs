//! Plane rotations, and the 2 by 2 matrices at the end of each iteration. Their signs are those of LAPACK, on which the signs
//! of eigenvectors and singular vectors depend.

/// `(c, s, r)` with `c f + s g = r` and `c g = s f`, c not negative.
pub fn rotation(f: f64, g: f64) -> (f64, f64, f64) {
    if g == 0.0 {
        return (1.0, 0.0, f);
    }
    if f == 0.0 {
        return (0.0, 1.0_f64.copysign(g), g.abs());
    }
    let r = f.hypot(g).copysign(f);
    (f / r, g / r, r)
}

/// The same rotation with c positive where f is larger than g, and with r positive elsewhere: what the QL iteration takes.
pub fn rotation_of_larger(f: f64, g: f64) -> (f64, f64, f64) {
    if g == 0.0 {
        return (1.0, 0.0, f);
    }
    if f == 0.0 {
        return (0.0, 1.0, g);
    }
    let length = f.hypot(g);
    let r = if f.abs() > g.abs() { length.copysign(f) } else { length };
    (f / r, g / r, r)
}

/// The eigenvalues of `[[a, b], [b, c]]`, the one of larger absolute value first, and the unit eigenvector of that one.
pub fn symmetric_pair(a: f64, b: f64, c: f64) -> (f64, f64, f64, f64) {
    let (sum, difference, double) = (a + c, a - c, b + b);
    let (most, least) = if a.abs() > c.abs() { (a, c) } else { (c, a) };
    let root = difference.hypot(double);
    // The smaller eigenvalue as a quotient, as the difference would cancel.
    let (first, second) = if sum == 0.0 {
        (0.5 * root, -0.5 * root)
    } else {
        let first = 0.5 * (sum + root.copysign(sum));
        (first, (most / first) * least - (b / first) * b)
    };
    let side = if difference >= 0.0 { difference + root } else { difference - root };
    let (cosine, sine) = if side.abs() > double.abs() {
        let cotangent = -double / side;
        let sine = 1.0 / cotangent.hypot(1.0);
        (cotangent * sine, sine)
    } else if double == 0.0 {
        (1.0, 0.0)
    } else {
        let tangent = -side / double;
        let cosine = 1.0 / tangent.hypot(1.0);
        (cosine, tangent * cosine)
    };
    let positive = sum >= 0.0;
    if positive == (difference >= 0.0) {
        (first, second, -sine, cosine)
    } else {
        (first, second, cosine, sine)
    }
}

/// The smaller singular value of `[[f, g], [0, h]]`.
pub fn smaller_singular_value(f: f64, g: f64, h: f64) -> f64 {
    let (f, g, h) = (f.abs(), g.abs(), h.abs());
    let (least, most) = (f.min(h), f.max(h));
    if least == 0.0 {
        return 0.0;
    }
    let (above, below) = (1.0 + least / most, (most - least) / most);
    if g < most {
        let part = (g / most).powi(2);
        return least * (2.0 / ((above * above + part).sqrt() + (below * below + part).sqrt()));
    }
    let part = most / g;
    if part == 0.0 {
        return (least * most) / g;
    }
    let inverse = (1.0 + (above * part).powi(2)).sqrt() + (1.0 + (below * part).powi(2)).sqrt();
    2.0 * ((least / inverse) * part)
}

/// The singular value decomposition of a 2 by 2 triangle.
#[derive(Debug)]
pub struct TriangularPair {
    /// The singular value of larger absolute value, with a sign.
    pub most: f64,
    /// The other one, with a sign.
    pub least: f64,
    /// Cosine and sine of the rotation from the left.
    pub left: (f64, f64),
    /// Cosine and sine of the rotation from the right.
    pub right: (f64, f64),
}

/// Rotations that make `[[f, g], [0, h]]` diagonal.
pub fn triangular_pair(f: f64, g: f64, h: f64) -> TriangularPair {
    let exchanged = h.abs() > f.abs();
    let (first, last) = if exchanged { (h, f) } else { (f, h) };
    let (large, small, side) = (first.abs(), last.abs(), g.abs());
    let sign = |x: f64| 1.0_f64.copysign(x);
    let ((left_cosine, left_sine), (right_cosine, right_sine), most, least);
    if side == 0.0 {
        ((left_cosine, left_sine), (right_cosine, right_sine)) = ((1.0, 0.0), (1.0, 0.0));
        (most, least) = (large, small);
    } else if side > large && large / side < 0.5 * f64::EPSILON {
        // The triangle's side is all that counts.
        (left_cosine, left_sine) = (1.0, last / g);
        (right_cosine, right_sine) = (first / g, 1.0);
        most = side;
        least = if small > 1.0 { large / (side / small) } else { (large / side) * small };
    } else {
        let difference = large - small;
        let part = if difference == large { 1.0 } else { difference / large };
        let ratio = g / first;
        let rest = 2.0 - part;
        let (square, rest_square) = (ratio * ratio, rest * rest);
        let (s, r) = ((rest_square + square).sqrt(), part.hypot(ratio));
        let mean = 0.5 * (s + r);
        (most, least) = (large * mean, small / mean);
        let tangent = if square == 0.0 {
            if part == 0.0 {
                2.0 * sign(first) * sign(g)
            } else {
                g / difference.copysign(first) + ratio / rest
            }
        } else {
            (ratio / (s + rest) + ratio / (r + part)) * (1.0 + mean)
        };
        let length = (tangent * tangent + 4.0).sqrt();
        (right_cosine, right_sine) = (2.0 / length, tangent / length);
        (left_cosine, left_sine) =
            ((right_cosine + right_sine * ratio) / mean, (last / first) * right_sine / mean);
    }
    let (left, right) = if exchanged {
        ((right_sine, right_cosine), (left_sine, left_cosine))
    } else {
        ((left_cosine, left_sine), (right_cosine, right_sine))
    };
    // The sign of the larger value is that of the term which makes it up.
    let overall = if side > large {
        sign(right.1) * sign(left.0) * sign(g)
    } else if exchanged {
        sign(right.1) * sign(left.1) * sign(h)
    } else {
        sign(right.0) * sign(left.0) * sign(f)
    };
    TriangularPair {
        most: most.copysign(overall),
        least: least.copysign(overall * sign(f) * sign(h)),
        left,
        right,
    }
}
