//! Copies a panel of a matrix into the order in which the microkernels read it.

use super::vector::{Float, Vector};

/// How many elements a panel needs behind its own.
pub const SPILL: usize = 16;

/// Writes `to[p * width + i] = from[i * lead + p * step]` for `p < k` and `i < count`, and 0 for `count <= i < width`.
///
/// Up to [`SPILL`] elements after those are overwritten.
pub type PackKernel<T> =
    unsafe fn(k: usize, from: *const T, lead: isize, step: isize, count: usize, width: usize, to: *mut T);

/// See [`PackKernel`].
///
/// # Safety
/// As [`Vector`]; `from` is valid for the panel and `to` for `k * width` elements.
#[inline(always)]
pub(super) unsafe fn pack<V: Vector>(
    k: usize,
    from: *const V::Element,
    lead: isize,
    step: isize,
    count: usize,
    width: usize,
    to: *mut V::Element,
) {
    // SAFETY: as the caller vouches.
    unsafe {
        if lead == 1 {
            copy_rows::<V>(k, from, step, count, width, to);
        } else if step == 1 {
            transpose::<V>(k, from, lead, count, width, to);
        } else {
            gather(k, from, lead, step, count, width, to);
        }
    }
}

/// The panel's rows are contiguous in both.
#[inline(always)]
unsafe fn copy_rows<V: Vector>(
    k: usize,
    from: *const V::Element,
    step: isize,
    count: usize,
    width: usize,
    to: *mut V::Element,
) {
    // SAFETY: as the caller vouches.
    unsafe {
        if count == 2 * V::LANES && width == count {
            for p in 0..k {
                let row = from.wrapping_offset(p as isize * step);
                let to = to.add(p * width);
                V::load(row).store(to);
                V::load(row.add(V::LANES)).store(to.add(V::LANES));
            }
            return;
        }
        if count == 3 * V::LANES && width == count {
            for p in 0..k {
                let row = from.wrapping_offset(p as isize * step);
                let to = to.add(p * width);
                V::load(row).store(to);
                V::load(row.add(V::LANES)).store(to.add(V::LANES));
                V::load(row.add(2 * V::LANES)).store(to.add(2 * V::LANES));
            }
            return;
        }
        for p in 0..k {
            let row = from.wrapping_offset(p as isize * step);
            let to = to.add(p * width);
            let mut i = 0;
            while i < width {
                let lanes = (width - i).min(V::LANES);
                V::load_first(row.wrapping_add(i), count.saturating_sub(i).min(lanes))
                    .store_first(to.add(i), lanes);
                i += V::LANES;
            }
        }
    }
}

/// The panel's columns are contiguous in the source: squares of one register's size are transposed.
#[inline(always)]
unsafe fn transpose<V: Vector>(
    k: usize,
    from: *const V::Element,
    lead: isize,
    count: usize,
    width: usize,
    to: *mut V::Element,
) {
    let zero = V::Element::ZERO;
    // SAFETY: as the caller vouches; no register has more than 16 lanes.
    unsafe {
        for i in (0..width).step_by(V::LANES) {
            let rows = count.saturating_sub(i).min(V::LANES);
            let wanted = (width - i).min(V::LANES);
            // Full registers may be stored where what they overwrite is written later, or is past the end.
            let spill = wanted == V::LANES || width < V::LANES;
            for p in (0..k).step_by(V::LANES) {
                let depth = (k - p).min(V::LANES);
                let from = from.wrapping_offset(i as isize * lead).wrapping_add(p);
                let to = to.add(p * width + i);
                let mut square = [V::splat(zero); 16];
                if depth == V::LANES && rows == wanted {
                    for (r, row) in square.iter_mut().enumerate().take(V::LANES) {
                        *row = V::load(from.wrapping_offset(r.min(rows - 1) as isize * lead));
                    }
                } else {
                    for (r, row) in square.iter_mut().enumerate().take(rows) {
                        *row = V::load_first(from.wrapping_offset(r as isize * lead), depth);
                    }
                }
                V::transpose(&mut square[..V::LANES]);
                if depth == V::LANES && spill {
                    for (q, &column) in square.iter().enumerate().take(V::LANES) {
                        column.store(to.add(q * width));
                    }
                } else {
                    for (q, &column) in square.iter().enumerate().take(depth) {
                        column.store_first(to.add(q * width), wanted);
                    }
                }
            }
        }
    }
}

/// Any strides.
#[inline(always)]
unsafe fn gather<T: Float>(
    k: usize,
    from: *const T,
    lead: isize,
    step: isize,
    count: usize,
    width: usize,
    to: *mut T,
) {
    for p in 0..k {
        for i in 0..width {
            // SAFETY: as the caller vouches.
            unsafe {
                let at = from.wrapping_offset(i as isize * lead + p as isize * step);
                *to.add(p * width + i) = if i < count { *at } else { T::ZERO };
            }
        }
    }
}
