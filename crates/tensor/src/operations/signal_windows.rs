//! Window functions, computed in float64. A symmetric window of `m` points spans its period with them; a periodic one is
//! the beginning of the symmetric window of `m + 1` points.

use std::f64::consts::PI;

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, Device};
use rustorch_error::{Result, RusTorchError};

use super::creation::{moved, to_dtype};
use crate::registry::default_device;
use crate::{Tensor, default_dtype};

/// What all windows have in common.
#[derive(Clone, Copy)]
struct Window {
    op: &'static str,
    points: i64,
    symmetric: bool,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
}

impl Window {
    /// The window with value `f(n)` at point `n`; a window of one point is 1.
    fn of(self, f: impl Fn(f64) -> f64) -> Result<Tensor> {
        let count = usize::try_from(self.points).map_err(|_| {
            RusTorchError::argument(
                self.op,
                format!("requires a non-negative window length, got {}", self.points),
            )
        })?;
        let dtype = self.dtype.unwrap_or_else(default_dtype);
        if !dtype.is_floating_point() {
            return Err(RusTorchError::dtype(self.op, format!("expects floating point dtypes, got {dtype}")));
        }
        let values = Scratch::collect((0..count).map(|n| if count == 1 { 1.0 } else { f(n as f64) }))?;
        let window = to_dtype(&Tensor::from_slice(&values, &[count])?, Some(dtype))?;
        let window = moved(&window, self.device.unwrap_or_else(default_device))?;
        if self.requires_grad { window.requires_grad_() } else { Ok(window) }
    }

    /// The number of steps of the window's period.
    fn steps(self) -> f64 {
        self.points as f64 - f64::from(u8::from(self.symmetric))
    }

    fn bartlett(self) -> Result<Tensor> {
        self.of(|n| 1.0 - (2.0 * n / self.steps() - 1.0).abs())
    }

    /// `Σ (-1)^i a[i] cos(i 2π n / steps)`.
    fn cosines(self, a: &[f64]) -> Result<Tensor> {
        // Short: one per coefficient given.
        let terms: Vec<f64> = a.iter().enumerate().map(|(i, &a)| if i % 2 == 0 { a } else { -a }).collect();
        self.of(|n| {
            let angle = 2.0 * PI * n / self.steps();
            terms.iter().enumerate().map(|(i, a)| a * (i as f64 * angle).cos()).sum()
        })
    }

    /// `I₀(β √(1 - x²)) / I₀(β)`, where x runs from -1 to 1 (J. F. Kaiser, 1974).
    fn kaiser(self, beta: f64) -> Result<Tensor> {
        let beta = beta.abs();
        self.of(|n| {
            let x = 2.0 * n / self.steps() - 1.0;
            let inner = beta * (1.0 - x * x).max(0.0).sqrt();
            scaled_bessel_i0(inner) / scaled_bessel_i0(beta) * (inner - beta).exp()
        })
    }
}

/// `exp(-x) I₀(x)` for `x >= 0`: the power series, and for large x the asymptotic one (Abramowitz and Stegun 9.6.12 and
/// 9.7.1).
fn scaled_bessel_i0(x: f64) -> f64 {
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    if x < 30.0 {
        let quarter = x * x / 4.0;
        while term > sum * f64::EPSILON * 0.1 {
            term *= quarter / (k * k);
            sum += term;
            k += 1.0;
        }
        return sum * (-x).exp();
    }
    while term > sum * f64::EPSILON * 0.1 && k < 30.0 {
        let odd = 2.0 * k - 1.0;
        term *= odd * odd / (8.0 * x * k);
        sum += term;
        k += 1.0;
    }
    sum / (2.0 * PI * x).sqrt()
}

const BLACKMAN: [f64; 3] = [0.42, 0.5, 0.08];
const NUTTALL: [f64; 4] = [0.363_581_9, 0.489_177_5, 0.136_599_5, 0.010_641_1];

/// The triangle from 0 to 1 and back to 0.
pub fn signal_windows_bartlett(
    points: i64,
    sym: bool,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let window = Window { op: "bartlett", points, symmetric: sym, dtype, device, requires_grad };
    window.bartlett()
}

/// Blackman's sum of three cosines.
pub fn signal_windows_blackman(
    points: i64,
    sym: bool,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let window = Window { op: "blackman", points, symmetric: sym, dtype, device, requires_grad };
    window.cosines(&BLACKMAN)
}

/// Half a period of the sine.
pub fn signal_windows_cosine(
    points: i64,
    sym: bool,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let window = Window { op: "cosine", points, symmetric: sym, dtype, device, requires_grad };
    let span = (if sym { points } else { points.saturating_add(1) }) as f64;
    window.of(|n| (PI * (n + 0.5) / span).sin())
}

/// Exponential decay on both sides of the centre.
pub fn signal_windows_exponential(
    points: i64,
    center: Option<f64>,
    tau: f64,
    sym: bool,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let window = Window { op: "exponential", points, symmetric: sym, dtype, device, requires_grad };
    if tau <= 0.0 {
        return Err(RusTorchError::argument("exponential", format!("tau must be positive, got {tau}")));
    }
    if sym && center.is_some() {
        return Err(RusTorchError::argument("exponential", "center must be None for symmetric windows"));
    }
    let center = center.unwrap_or(window.steps() / 2.0);
    window.of(|n| (-(n - center).abs() / tau).exp())
}

/// The bell curve of standard deviation `std` points.
pub fn signal_windows_gaussian(
    points: i64,
    std: f64,
    sym: bool,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let window = Window { op: "gaussian", points, symmetric: sym, dtype, device, requires_grad };
    if std <= 0.0 {
        return Err(RusTorchError::argument(
            "gaussian",
            format!("standard deviation must be positive, got {std}"),
        ));
    }
    window.of(|n| (-0.5 * ((n - window.steps() / 2.0) / std).powi(2)).exp())
}

/// The sum of cosines with the coefficients `a`, of alternating signs.
pub fn signal_windows_general_cosine(
    points: i64,
    a: &[f64],
    sym: bool,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let window = Window { op: "general_cosine", points, symmetric: sym, dtype, device, requires_grad };
    if a.is_empty() {
        return Err(RusTorchError::argument("general_cosine", "coefficients cannot be empty"));
    }
    window.cosines(a)
}

/// A raised cosine, `alpha - (1 - alpha) cos`.
pub fn signal_windows_general_hamming(
    points: i64,
    alpha: f64,
    sym: bool,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let window = Window { op: "general_hamming", points, symmetric: sym, dtype, device, requires_grad };
    window.cosines(&[alpha, 1.0 - alpha])
}

/// Hamming's raised cosine, which does not reach 0.
pub fn signal_windows_hamming(
    points: i64,
    sym: bool,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let window = Window { op: "hamming", points, symmetric: sym, dtype, device, requires_grad };
    window.cosines(&[0.54, 0.46])
}

/// Hann's raised cosine, from 0 to 1 and back.
pub fn signal_windows_hann(
    points: i64,
    sym: bool,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let window = Window { op: "hann", points, symmetric: sym, dtype, device, requires_grad };
    window.cosines(&[0.5, 0.5])
}

/// Kaiser's window, whose `beta` trades the main lobe's width for the height of the side lobes.
pub fn signal_windows_kaiser(
    points: i64,
    beta: f64,
    sym: bool,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let window = Window { op: "kaiser", points, symmetric: sym, dtype, device, requires_grad };
    if beta < 0.0 {
        return Err(RusTorchError::argument("kaiser", format!("beta must be non-negative, got {beta}")));
    }
    window.kaiser(beta)
}

/// Nuttall's sum of four cosines.
pub fn signal_windows_nuttall(
    points: i64,
    sym: bool,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let window = Window { op: "nuttall", points, symmetric: sym, dtype, device, requires_grad };
    window.cosines(&NUTTALL)
}

/// The triangle from 0 to 1 and back to 0.
pub fn bartlett_window(
    points: i64,
    periodic: bool,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let window = Window { op: "bartlett_window", points, symmetric: !periodic, dtype, device, requires_grad };
    window.bartlett()
}

/// Blackman's sum of three cosines.
pub fn blackman_window(
    points: i64,
    periodic: bool,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let window = Window { op: "blackman_window", points, symmetric: !periodic, dtype, device, requires_grad };
    window.cosines(&BLACKMAN)
}

/// `alpha - beta cos`, by default Hamming's window.
pub fn hamming_window(
    points: i64,
    periodic: bool,
    alpha: f64,
    beta: f64,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let window = Window { op: "hamming_window", points, symmetric: !periodic, dtype, device, requires_grad };
    window.cosines(&[alpha, beta])
}

/// Hann's raised cosine, from 0 to 1 and back.
pub fn hann_window(
    points: i64,
    periodic: bool,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let window = Window { op: "hann_window", points, symmetric: !periodic, dtype, device, requires_grad };
    window.cosines(&[0.5, 0.5])
}

/// Kaiser's window.
pub fn kaiser_window(
    points: i64,
    periodic: bool,
    beta: f64,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let window = Window { op: "kaiser_window", points, symmetric: !periodic, dtype, device, requires_grad };
    window.kaiser(beta)
}
