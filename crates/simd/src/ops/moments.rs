//! [`Moments`]: how many numbers, their mean and their spread.

/// The count, the mean, and the sum of squared deviations from it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    /// How many elements.
    pub count: f64,
    /// Their mean.
    pub mean: f64,
    /// The sum of their squared deviations from it.
    pub m2: f64,
}

impl Moments {
    /// The moments of both sets of elements (Chan, Golub and LeVeque, 1979).
    #[inline]
    pub fn join(self, other: Self) -> Self {
        if self.count == 0.0 {
            return other;
        }
        let count = self.count + other.count;
        let difference = other.mean - self.mean;
        let share = other.count / count;
        // An infinite mean stays so; from one, no difference leads back.
        let mean = if difference.is_finite() {
            self.mean + difference * share
        } else {
            self.mean * (self.count / count) + other.mean * share
        };
        Moments { count, mean, m2: self.m2 + other.m2 + difference * difference * self.count * share }
    }
}
