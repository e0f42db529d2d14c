//! How much work a call may be, from its arguments alone: whether it is worth to release the GIL.

use rustorch_tensor::Tensor;

/// From so many elements on, a call without tensors, which makes one, releases the GIL: `zeros(128, 128)`.
const MADE: f64 = (1u64 << 14) as f64;

/// So does one of a single number from here on, which may be both sides of a matrix: `eye(512)`.
const SIDE: f64 = 512.0;

/// From this product on, so does a call whose result may have as many elements: an outer product, `repeat`.
const SPREAD: f64 = (1u64 << 24) as f64;

/// What the arguments of a call amount to. Numbers may be sizes of the result, or steps through a range, so the largest
/// result that they can mean counts.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// All tensors' elements.
    elements: usize,
    /// Those of the two largest tensors.
    largest: [usize; 2],
    /// A sum of the first tensor's sizes that tells it from tensors of other shapes.
    shape: usize,
    /// Whether there are tensors of several shapes, which may spread over each other.
    shapes_differ: bool,
    /// The product of numbers, or of what they divide one by, and how many they are.
    asked: f64,
    numbers: u32,
}

impl Work {
    pub const NONE: Work =
        Work { elements: 0, largest: [0; 2], shape: 0, shapes_differ: false, asked: 1.0, numbers: 0 };

    #[inline]
    pub fn with_tensor(self, tensor: &Tensor) -> Work {
        let numel = tensor.numel().max(1);
        let [first, second] = self.largest;
        let largest = if numel > first { [numel, first] } else { [first, numel.max(second)] };
        let shape = tensor.shape().iter().fold(1usize, |sum, &size| sum.wrapping_mul(31).wrapping_add(size));
        let shapes_differ = self.shapes_differ || (self.elements > 0 && shape != self.shape);
        Work { elements: self.elements.saturating_add(numel), largest, shape, shapes_differ, ..self }
    }

    #[inline]
    pub fn with_number(self, number: f64) -> Work {
        let size = number.abs();
        // NaN, infinities and 0 are no sizes.
        let factor = if (1.0..f64::INFINITY).contains(&size) {
            size
        } else if size > 0.0 && size < 1.0 {
            size.recip()
        } else {
            1.0
        };
        Work { asked: self.asked * factor, numbers: self.numbers.saturating_add(1), ..self }
    }

    /// All tensors' elements.
    #[inline]
    pub fn elements(self) -> usize {
        self.elements
    }

    /// Whether the call may work on `elements` elements or more.
    #[inline]
    pub fn is_at_least(self, elements: usize) -> bool {
        self.elements >= elements
            || if self.elements == 0 {
                self.asked >= if self.numbers == 1 { SIDE } else { MADE }
            } else {
                let [first, second] = self.largest.map(|n| n.max(1) as f64);
                let spread = if self.shapes_differ { first * second } else { first };
                self.asked >= elements as f64 || spread * self.asked >= SPREAD
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: usize = 1 << 15;

    fn asked(numbers: &[f64]) -> bool {
        numbers.iter().fold(Work::NONE, |work, &n| work.with_number(n)).is_at_least(FROM)
    }

    #[test]
    fn large_results_are_seen_in_the_numbers_that_ask_for_them() {
        assert!(
            asked(&[3e7]) && asked(&[0.0, 1.0, 1e-7]) && asked(&[1000.0, 1000.0]) && asked(&[0.0, 9.0, 3e7])
        );
        assert!(!asked(&[]) && !asked(&[3.0, 4.0]) && !asked(&[0.0, f64::NAN, f64::INFINITY, -5.0]));
    }
}
