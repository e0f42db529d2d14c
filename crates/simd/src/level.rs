//! Which instruction set this process uses.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};

use rustorch_error::{Result, RusTorchError};

/// An instruction set that the kernels are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SimdLevel {
    /// What every processor of the architecture has.
    Fallback = 1,
    /// ARM's 128-bit vectors.
    Neon = 2,
    /// x86's 256-bit vectors, with FMA and F16C.
    Avx2 = 3,
    /// x86's 512-bit vectors (F, BW, DQ, VL).
    Avx512 = 4,
}

/// The level in use; 0 until it is first asked for.
static LEVEL: AtomicU8 = AtomicU8::new(0);

impl SimdLevel {
    /// Every level, lowest first.
    pub const ALL: [SimdLevel; 4] =
        [SimdLevel::Fallback, SimdLevel::Neon, SimdLevel::Avx2, SimdLevel::Avx512];

    /// The name that `RUSTORCH_SIMD` takes.
    pub const fn name(self) -> &'static str {
        match self {
            SimdLevel::Fallback => "fallback",
            SimdLevel::Neon => "neon",
            SimdLevel::Avx2 => "avx2",
            SimdLevel::Avx512 => "avx512",
        }
    }

    /// Whether this machine has it.
    pub fn is_available(self) -> bool {
        match self {
            SimdLevel::Fallback => true,
            SimdLevel::Neon => cfg!(target_arch = "aarch64"),
            #[cfg(target_arch = "x86_64")]
            SimdLevel::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("f16c")
            }
            #[cfg(target_arch = "x86_64")]
            SimdLevel::Avx512 => {
                SimdLevel::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            SimdLevel::Avx2 | SimdLevel::Avx512 => false,
        }
    }

    /// The levels that this machine has, lowest first.
    pub fn available() -> impl Iterator<Item = SimdLevel> {
        Self::ALL.into_iter().filter(|level| level.is_available())
    }

    /// The level that `name` asks for, or the highest there is when nothing is asked.
    ///
    /// # Errors
    /// There is no such level, or this machine lacks it.
    pub fn choose(name: Option<&str>) -> Result<Self> {
        let best = Self::available().last().unwrap_or(SimdLevel::Fallback);
        let Some(name) = name.filter(|n| !n.is_empty()) else { return Ok(best) };
        Self::available().find(|level| level.name() == name).ok_or_else(|| {
            let has: Vec<_> = Self::available().map(SimdLevel::name).collect();
            RusTorchError::unavailable(
                "RUSTORCH_SIMD",
                format!("this machine does not have '{name}'; it has: {}", has.join(", ")),
            )
        })
    }

    /// Reads `RUSTORCH_SIMD` and makes its level the one in use.
    ///
    /// # Errors
    /// As [`Self::choose`].
    pub fn detect() -> Result<Self> {
        let chosen = Self::choose(std::env::var("RUSTORCH_SIMD").ok().as_deref())?;
        LEVEL.store(chosen as u8, Ordering::Relaxed);
        Ok(chosen)
    }
}

impl fmt::Display for SimdLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The level in use: what [`SimdLevel::detect`] chose, or the highest there is.
#[inline]
pub fn level() -> SimdLevel {
    match LEVEL.load(Ordering::Relaxed) {
        4 => SimdLevel::Avx512,
        3 => SimdLevel::Avx2,
        2 => SimdLevel::Neon,
        1 => SimdLevel::Fallback,
        _ => detect_best(),
    }
}

#[cold]
fn detect_best() -> SimdLevel {
    let best = SimdLevel::detect().or_else(|_| SimdLevel::choose(None)).unwrap_or(SimdLevel::Fallback);
    LEVEL.store(best as u8, Ordering::Relaxed);
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_level_is_the_default() {
        assert_eq!(SimdLevel::choose(None).ok(), SimdLevel::available().last());
        assert_eq!(SimdLevel::choose(Some("fallback")).ok(), Some(SimdLevel::Fallback));
    }

    #[test]
    fn an_unknown_level_is_an_error_that_lists_what_there_is() {
        let message = SimdLevel::choose(Some("altivec")).map_err(|e| e.to_string());
        let message = message.expect_err("there is no altivec");
        assert!(message.contains("does not have 'altivec'"), "{message}");
        assert!(message.contains("fallback"), "{message}");
    }
}
