//! Random numbers: by Philox 4x32-10, so that the same key gives the same numbers on every device and for any number of
//! threads.

use super::operands::List;

/// A distribution of random numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Distribution {
    /// Uniform over `[low, high)`.
    Uniform {
        /// Inclusive lower end.
        low: f64,
        /// Exclusive upper end.
        high: f64,
    },
    /// Gaussian.
    Normal {
        /// Expectation.
        mean: f64,
        /// Standard deviation.
        std: f64,
    },
    /// Integers, uniform over `[low, high)`.
    Integer {
        /// Inclusive lower end.
        low: i64,
        /// Exclusive upper end.
        high: i64,
    },
    /// 1 with probability `p`, else 0.
    Bernoulli {
        /// Probability of 1.
        p: f64,
    },
}

/// A distribution of counts whose parameters may differ by element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampler {
    /// One parameter: the expected count.
    Poisson,
    /// Two parameters: the number of trials, and the probability of success.
    Binomial,
}

/// The state from which Philox derives a tensor's numbers: element `i` depends on `seed`, `offset` and `i` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RandomKey {
    /// The generator's seed.
    pub seed: u64,
    /// How many 128-bit blocks the generator has given out before.
    pub offset: u64,
}

kernel! {
    /// Fills with random numbers. `n` elements use at most `n` blocks, by which the generator's offset moves on.
    Random, "random" {
        /// From what they are drawn.
        distribution: Distribution,
        /// Where in the stream.
        key: RandomKey,
    }
    writes {
        /// The numbers.
        output: O,
    }
}

kernel! {
    /// Draws each element from a distribution with parameters of its own. `n` elements use the counters of `n` blocks, as often
    /// as they need.
    Sample, "sample" {
        /// From what they are drawn.
        sampler: Sampler,
        /// Where in the stream.
        key: RandomKey,
    }
    reads {
        /// The distribution's parameters for each element, all float64 and of one shape (stride 0 broadcasts).
        parameters: List<O>,
    }
    writes {
        /// The numbers.
        output: O,
    }
}
