//! Layouts against arithmetic in 128 bits.

use super::*;
use crate::sizes::{MOST_IN_MEMORY, checked_product, checked_sum, padded, reach, volume};

/// Numbers around the borders at which arithmetic in 64 bits goes wrong, and small ones.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 >> 33
    }

    fn size(&mut self) -> usize {
        const BORDERS: [u64; 12] =
            [0, 1, 2, 3, 7, 1 << 16, 1 << 31, 1 << 32, 1 << 59, 1 << 62, i64::MAX as u64, u64::MAX];
        let border = BORDERS[self.next() as usize % BORDERS.len()];
        (border.wrapping_add(self.next() % 5).wrapping_sub(2)) as usize
    }

    fn small(&mut self, below: usize) -> usize {
        self.next() as usize % below
    }
}

/// The product of the sizes, or the largest number of 128 bits, and the lowest and highest position, if they fit those.
fn exact(shape: &[usize], strides: &[isize], offset: usize) -> Option<(u128, i128, i128)> {
    let mut numel = 1u128;
    let (mut low, mut high) = (offset as i128, offset as i128);
    for (&size, &stride) in shape.iter().zip(strides) {
        numel = numel.saturating_mul(size.max(1) as u128);
        let reach = (size.max(1) as i128 - 1).checked_mul(stride as i128)?;
        if reach < 0 { low = low.checked_add(reach)? } else { high = high.checked_add(reach)? }
    }
    Some((if shape.contains(&0) { 0 } else { numel }, low, high))
}

/// What holds of every layout.
fn check(layout: &Layout) {
    let (shape, strides) = (layout.shape(), layout.strides());
    let (numel, low, high) = exact(shape, strides, layout.offset()).unwrap();
    assert_eq!(layout.numel() as u128, numel.min(usize::MAX as u128), "{layout:?}");
    assert!(low >= 0 && high <= MOST_IN_MEMORY as i128, "{layout:?}");
    let most = |&stride: &isize| stride.unsigned_abs() <= MOST_IN_MEMORY;
    assert!(strides.iter().all(most), "{layout:?}");
    match layout.span() {
        None => assert_eq!(numel, 0, "{layout:?}"),
        Some(span) => assert_eq!((span.0 as i128, span.1 as i128), (low, high), "{layout:?}"),
    }
    assert_eq!(layout.end_in_bytes(16) as i128, if numel == 0 { 0 } else { (high + 1) * 16 }, "{layout:?}");
}

#[test]
fn a_layout_is_what_can_be_addressed() {
    let mut numbers = Numbers(1);
    let (mut made, mut refused) = (0, 0);
    for _ in 0..200_000 {
        let ndim = numbers.small(5);
        let shape: Shape = (0..ndim).map(|_| numbers.size()).collect();
        let strides: Dims<isize> = (0..ndim)
            .map(|_| if numbers.small(3) > 0 { numbers.small(4) as isize } else { numbers.size() as isize })
            .collect();
        let offset = if numbers.small(2) > 0 { numbers.small(9) } else { numbers.size() };
        let fits = exact(&shape, &strides, offset).is_some_and(|(numel, low, high)| {
            low >= 0
                && high < MOST_IN_MEMORY as i128
                && (numel > 0 || volume(shape.iter().map(|&n| n.max(1))) <= MOST_IN_MEMORY)
                && shape.iter().all(|&n| isize::try_from(n).is_ok())
                && strides.iter().all(|s| s.unsigned_abs() <= MOST_IN_MEMORY)
        });
        match Layout::new("test", shape.clone(), strides.clone(), offset) {
            Ok(layout) => {
                check(&layout);
                made += 1;
            }
            Err(error) => {
                assert!(!fits, "{shape:?} {strides:?} {offset} is refused: {error}");
                refused += 1;
            }
        }
        let row_major = Layout::contiguous("test", &shape);
        let positive = shape.iter().try_fold(1u128, |n, &size| n.checked_mul(size.max(1) as u128));
        assert_eq!(row_major.is_ok(), positive.is_some_and(|n| n <= MOST_IN_MEMORY as u128), "{shape:?}");
        if let Ok(layout) = row_major {
            check(&layout);
            assert!(layout.is_contiguous());
        }
    }
    assert!(made > 10_000 && refused > 10_000, "{made} made, {refused} refused");
}

/// A layout whose numbers may be large.
fn any(numbers: &mut Numbers) -> Layout {
    loop {
        let ndim = 1 + numbers.small(4);
        let shape: Shape =
            (0..ndim).map(|_| if numbers.small(3) > 0 { numbers.small(5) } else { numbers.size() }).collect();
        let strides: Dims<isize> = (0..ndim)
            .map(|_| match numbers.small(4) {
                0 => 0,
                1 => numbers.size() as isize,
                _ => numbers.small(9) as isize,
            })
            .collect();
        if let Ok(layout) = Layout::new("test", shape, strides, numbers.small(50)) {
            return layout;
        }
    }
}

/// The position of an element, in 128 bits.
fn at(layout: &Layout, index: &[usize]) -> i128 {
    let steps = index.iter().zip(layout.strides()).map(|(&i, &s)| i as i128 * s as i128);
    layout.offset() as i128 + steps.sum::<i128>()
}

#[test]
fn views_of_layouts_are_layouts() {
    let mut numbers = Numbers(2);
    for _ in 0..100_000 {
        let layout = any(&mut numbers);
        let d = numbers.small(layout.ndim());
        let size = layout.shape()[d];
        let sample = |layout: &Layout, numbers: &mut Numbers| -> Option<Vec<usize>> {
            layout.shape().iter().map(|&n| (n > 0).then(|| numbers.next() as usize % n)).collect()
        };
        let step = numbers.size().clamp(1, isize::MAX as usize);
        let start = if size > 0 { numbers.next() as usize % size } else { 0 };
        let slice = layout.slice(d, start, (size - start.min(size)).div_ceil(step), step);
        check(&slice);
        if let Some(mut index) = sample(&slice, &mut numbers) {
            let position = at(&slice, &index);
            index[d] = start + index[d] * step;
            assert_eq!(position, at(&layout, &index), "{layout:?} from {start} by {step} along {d}");
        }
        if size > 0 {
            let selected = layout.select(d, start);
            check(&selected);
            if let Some(mut index) = sample(&selected, &mut numbers) {
                let position = at(&selected, &index);
                index.insert(d, start);
                assert_eq!(position, at(&layout, &index), "{layout:?} at {start} along {d}");
            }
        }
        let flipped = layout.flip(d);
        check(&flipped);
        if let Some(mut index) = sample(&flipped, &mut numbers) {
            let position = at(&flipped, &index);
            index[d] = size - 1 - index[d];
            assert_eq!(position, at(&layout, &index), "{layout:?} backward along {d}");
        }
        check(&layout.unsqueeze(numbers.small(layout.ndim() + 1)));
        check(&layout.without_repetitions());
        let mut order: Dims<usize> = (0..layout.ndim()).collect();
        order.rotate_left(d);
        check(&layout.permute(&order));
        if let Ok(windows) = layout.unfold("test", d, size.min(numbers.small(4)), step) {
            check(&windows);
            if let Some(mut index) = sample(&windows, &mut numbers) {
                let position = at(&windows, &index);
                let inside = index.pop().unwrap();
                index[d] = index[d] * step + inside;
                assert_eq!(position, at(&layout, &index), "{layout:?} in windows along {d}");
            }
        }
        if let [rows, columns, ..] = *layout.shape() {
            let aside = numbers.small(7) as i64 - 3;
            let diagonal = layout.diagonal(aside, 0, 1);
            check(&diagonal);
            let length =
                (rows as i128 + aside.min(0) as i128).min(columns as i128 - aside.max(0) as i128).max(0);
            assert_eq!(*diagonal.shape().last().unwrap() as i128, length);
            if let Some(mut index) = sample(&diagonal, &mut numbers) {
                let position = at(&diagonal, &index);
                let i = index.pop().unwrap();
                let (row, column) = (i + (-aside).max(0) as usize, i + aside.max(0) as usize);
                let whole: Vec<usize> = [row, column].into_iter().chain(index).collect();
                assert_eq!(position, at(&layout, &whole), "{layout:?}, diagonal {aside}");
            }
        }
        for part in [layout.part("test", 1), layout.parts("test")].into_iter().flatten() {
            check(&part);
        }
    }
}

#[test]
fn expansions_know_how_many_elements_they_show() {
    let one = Layout::contiguous("test", &[1]).unwrap();
    let vast = one.broadcast_to("test", &[1 << 32, 1 << 32]).unwrap();
    check(&vast);
    assert_eq!((vast.numel(), vast.span()), (usize::MAX, Some((0, 0))));
    assert_eq!(one.broadcast_to("test", &[1 << 31, 1 << 31]).unwrap().numel(), 1 << 62);
    assert!(one.broadcast_to("test", &[0, 1 << 62]).is_err());
    assert_eq!(vast.view_strides(&[1 << 33, 1 << 31]), None);
}

#[test]
fn sizes_never_become_small() {
    let mut numbers = Numbers(3);
    for _ in 0..100_000 {
        let sizes: Vec<usize> = (0..numbers.small(5)).map(|_| numbers.size()).collect();
        let product = sizes.iter().try_fold(1u128, |n, &size| n.checked_mul(size.max(1) as u128));
        let expected = match product {
            _ if sizes.contains(&0) => 0,
            Some(n) if n < usize::MAX as u128 => n as usize,
            _ => usize::MAX,
        };
        assert_eq!(volume(&sizes), expected, "{sizes:?}");
        assert_eq!(
            checked_product("test", &sizes).ok(),
            Some(expected).filter(|&n| n < usize::MAX),
            "{sizes:?}"
        );
        let sum: u128 = sizes.iter().map(|&n| n as u128).sum();
        assert_eq!(
            checked_sum("test", sizes.iter().copied()).ok(),
            Some(sum as usize).filter(|_| sum <= isize::MAX as u128),
            "{sizes:?}"
        );
        let (kernel, dilation, size) = (numbers.size(), numbers.size(), numbers.size());
        let wide = (kernel as u128).checked_sub(1).map(|steps| steps * dilation as u128 + 1);
        assert_eq!(reach(kernel, dilation).map(|n| n as u128), wide.filter(|&n| n <= usize::MAX as u128));
        let sum = size as u128 + kernel as u128 + dilation as u128;
        assert_eq!(
            padded(size, kernel, dilation).map(|n| n as u128),
            Some(sum).filter(|&n| n <= isize::MAX as u128)
        );
    }
}
