//! Plans of transforms, which hold the roots of unity, and are kept. The library chooses its instructions itself, AVX or plain
//! Rust (NEON on ARM), whatever `RUSTORCH_SIMD` says.

use std::collections::BTreeSet;
use std::sync::Arc;

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftDirection, FftNum, FftPlanner};
use rustorch_backend::memory::Scratch;
use rustorch_backend::memory::fork::Mutex;
use rustorch_error::Result;

/// How many elements the plans that are kept are for, together: tens of megabytes of roots.
const KEPT: usize = 1 << 21;

/// The planners of one precision, and what they hold.
pub(super) struct Plans<T: FftNum> {
    complex: FftPlanner<T>,
    real: RealFftPlanner<T>,
    lengths: BTreeSet<usize>,
}

impl<T: FftNum> Plans<T> {
    /// Makes room for a plan for lines of `length`: where the plans become too many, those before it are forgotten.
    ///
    /// # Errors
    /// The machine does not have the memory that the plan takes: the libraries would end the process.
    fn expect(kept: &mut Option<Self>, length: usize) -> Result<&mut Self> {
        let fresh =
            || Plans { complex: FftPlanner::new(), real: RealFftPlanner::new(), lengths: BTreeSet::new() };
        let plans = kept.get_or_insert_with(fresh);
        if plans.lengths.contains(&length) {
            return Ok(plans);
        }
        // Lengths with a large prime factor are transformed by way of a power of two, up to four times as long.
        let rough = [2, 3, 5, 7, 11, 13].iter().fold(length, |mut rest, prime| {
            while rest.is_multiple_of(*prime) {
                rest /= prime;
            }
            rest
        });
        let size = length.saturating_mul(if rough > 1 { 10 } else { 2 });
        drop(Scratch::<[T; 2]>::with_room(size)?);
        if plans.lengths.iter().sum::<usize>().saturating_add(length) > KEPT {
            *plans = fresh();
        }
        plans.lengths.insert(length);
        Ok(plans)
    }
}

/// A floating-point type in which transforms are computed.
pub(super) trait Real: FftNum + Default {
    /// Its planners.
    fn plans() -> &'static Mutex<Option<Plans<Self>>>;
    /// The nearest number of this type.
    fn of(value: f64) -> Self;

    /// A transform of complex lines.
    fn complex_plan(length: usize, inverse: bool) -> Result<Arc<dyn Fft<Self>>> {
        let direction = if inverse { FftDirection::Inverse } else { FftDirection::Forward };
        Ok(Plans::expect(&mut Self::plans().lock(), length)?.complex.plan_fft(length, direction))
    }
    /// A transform from real lines of that length.
    fn forward_plan(length: usize) -> Result<Arc<dyn RealToComplex<Self>>> {
        Ok(Plans::expect(&mut Self::plans().lock(), length)?.real.plan_fft_forward(length))
    }
    /// A transform to real lines of that length.
    fn inverse_plan(length: usize) -> Result<Arc<dyn ComplexToReal<Self>>> {
        Ok(Plans::expect(&mut Self::plans().lock(), length)?.real.plan_fft_inverse(length))
    }
}

macro_rules! real {
    ($t:ty, $PLANS:ident) => {
        static $PLANS: Mutex<Option<Plans<$t>>> = Mutex::new(None);

        impl Real for $t {
            fn plans() -> &'static Mutex<Option<Plans<$t>>> {
                &$PLANS
            }
            fn of(value: f64) -> $t {
                value as $t
            }
        }
    };
}

real!(f32, SINGLE);
real!(f64, DOUBLE);
