//! [`DimensionMap`]: a linear map of one dimension, which padding, interpolation and adaptive pooling share.

use rustorch_error::Result;

use crate::memory::Scratch;

/// A linear map along one dimension as a sparse matrix: which inputs each output is a weighted sum of.
#[derive(Debug, PartialEq)]
pub struct DimensionMap {
    /// The size of the dimension that is read.
    input: usize,
    /// Where the taps of each output begin, and of the last one end.
    starts: Scratch<usize>,
    /// The input that each tap reads.
    positions: Scratch<usize>,
    /// The factor of each tap; none if all are 1.
    weights: Option<Scratch<f64>>,
}

impl DimensionMap {
    /// Each output is one input. `positions` are below `input`.
    ///
    /// # Errors
    /// `OutOfMemory`, here and below: a map has an entry per output.
    pub fn selection(input: usize, positions: impl IntoIterator<Item = usize>) -> Result<Self> {
        let positions = Scratch::collect(positions)?;
        Ok(DimensionMap { input, starts: Scratch::collect(0..=positions.len())?, positions, weights: None })
    }

    /// Each output is the sum of its inputs, `(position, weight)` each. Positions are below `input`.
    pub fn weighted<Taps: IntoIterator<Item = (usize, f64)>>(
        input: usize,
        outputs: impl IntoIterator<Item = Taps>,
    ) -> Result<Self> {
        let outputs = outputs.into_iter();
        let (mut positions, mut weights) = (Scratch::new(), Scratch::new());
        let mut starts = Scratch::with_room(outputs.size_hint().0.saturating_add(1))?;
        starts.push(0)?;
        for taps in outputs {
            for (position, weight) in taps {
                positions.push(position)?;
                weights.push(weight)?;
            }
            starts.push(positions.len())?;
        }
        Ok(DimensionMap { input, starts, positions, weights: Some(weights) })
    }

    /// The map of gradients: what was read from is written to.
    pub fn transposed(&self) -> Result<Self> {
        let mut starts = Scratch::zeroed(self.input + 1)?;
        for &position in &self.positions {
            starts[position + 1] += 1;
        }
        for i in 0..self.input {
            starts[i + 1] += starts[i];
        }
        let mut next = Scratch::copied(&starts)?;
        let mut positions = Scratch::zeroed(self.positions.len())?;
        let mut weights = self.weights.as_ref().map(|w| Scratch::zeroed(w.len())).transpose()?;
        for output in 0..self.output() {
            for tap in self.starts[output]..self.starts[output + 1] {
                let slot = &mut next[self.positions[tap]];
                positions[*slot] = output;
                if let (Some(to), Some(from)) = (&mut weights, &self.weights) {
                    to[*slot] = from[tap];
                }
                *slot += 1;
            }
        }
        Ok(DimensionMap { input: self.output(), starts, positions, weights })
    }

    /// The size of the dimension that is read.
    pub fn input(&self) -> usize {
        self.input
    }

    /// The size of the dimension that is written.
    pub fn output(&self) -> usize {
        self.starts.len() - 1
    }

    /// Where the taps of each output begin, and of the last one end.
    pub fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// The input that each tap reads; all are below [`Self::input`].
    pub fn positions(&self) -> &[usize] {
        &self.positions
    }

    /// The factor of each tap; none if all are 1.
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    /// Whether each output is one input, unchanged: elements of any dtype can be moved so.
    pub fn is_selection(&self) -> bool {
        self.weights.is_none() && self.starts.windows(2).all(|pair| pair[1] - pair[0] == 1)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_transpose_of_the_transpose_is_the_map() {
        let map = DimensionMap::weighted(
            3,
            [&[(0, 0.5), (2, 0.25)][..], &[], &[(1, 2.0), (2, 1.0)]].map(<[_]>::to_vec),
        );
        let map = map.unwrap();
        let transposed = map.transposed().unwrap();
        assert_eq!((transposed.input(), transposed.output()), (3, 3));
        assert_eq!(transposed.positions(), [0, 2, 0, 2]);
        assert_eq!(transposed.weights(), Some(&[0.5, 2.0, 0.25, 1.0][..]));
        assert_eq!(transposed.transposed().unwrap(), map);
    }

    #[test]
    fn a_selection_stays_one_only_if_it_reorders() {
        let transposed = |positions| DimensionMap::selection(3, positions).unwrap().transposed().unwrap();
        assert!(transposed([2, 0, 1]).is_selection());
        assert!(!transposed([2, 0, 0]).is_selection());
        assert!(!DimensionMap::weighted(1, [[(0, 1.0)]]).unwrap().is_selection());
    }
}
