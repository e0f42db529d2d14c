//! [`DimensionMap`]: a linear map of one dimension, which padding, interpolation and adaptive pooling share.

/// A linear map along one dimension as a sparse matrix: which inputs each output is a weighted sum of.
#[derive(Debug, Clone, PartialEq)]
pub struct DimensionMap {
    /// The size of the dimension that is read.
    input: usize,
    /// Where the taps of each output begin, and of the last one end.
    starts: Vec<usize>,
    /// The input that each tap reads.
    positions: Vec<usize>,
    /// The factor of each tap; none if all are 1.
    weights: Option<Vec<f64>>,
}

impl DimensionMap {
    /// Each output is one input. `positions` are below `input`.
    pub fn selection(input: usize, positions: Vec<usize>) -> Self {
        DimensionMap { input, starts: (0..=positions.len()).collect(), positions, weights: None }
    }

    /// Each output is the sum of its inputs, `(position, weight)` each. Positions are below `input`.
    pub fn weighted(input: usize, outputs: impl IntoIterator<Item = Vec<(usize, f64)>>) -> Self {
        let (mut starts, mut positions, mut weights) = (vec![0], Vec::new(), Vec::new());
        for taps in outputs {
            positions.extend(taps.iter().map(|&(position, _)| position));
            weights.extend(taps.iter().map(|&(_, weight)| weight));
            starts.push(positions.len());
        }
        DimensionMap { input, starts, positions, weights: Some(weights) }
    }

    /// The map of gradients: what was read from is written to.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut starts = vec![0; self.input + 1];
        for &position in &self.positions {
            starts[position + 1] += 1;
        }
        for i in 0..self.input {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut positions = vec![0; self.positions.len()];
        let mut weights = self.weights.as_ref().map(|w| vec![0.0; w.len()]);
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
        DimensionMap { input: self.output(), starts, positions, weights }
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
mod tests {
    use super::*;

    #[test]
    fn the_transpose_of_the_transpose_is_the_map() {
        let map = DimensionMap::weighted(3, [vec![(0, 0.5), (2, 0.25)], vec![], vec![(1, 2.0), (2, 1.0)]]);
        let transposed = map.transposed();
        assert_eq!((transposed.input(), transposed.output()), (3, 3));
        assert_eq!(transposed.positions(), [0, 2, 0, 2]);
        assert_eq!(transposed.weights(), Some(&[0.5, 2.0, 0.25, 1.0][..]));
        assert_eq!(transposed.transposed(), map);
    }

    #[test]
    fn a_selection_stays_one_only_if_it_reorders() {
        assert!(DimensionMap::selection(3, vec![2, 0, 1]).transposed().is_selection());
        assert!(!DimensionMap::selection(3, vec![2, 0, 0]).transposed().is_selection());
        assert!(!DimensionMap::weighted(1, [vec![(0, 1.0)]]).is_selection());
    }
}
