//! Short-time Fourier transforms: spectra of windows of a signal that follow each other, and back.

use rustorch_backend::Scalar;
use rustorch_error::{Result, RusTorchError};

use super::padding::pad;
use crate::{Tensor, ops};

/// The frames of a signal.
struct Frames<'a> {
    /// How long a frame is, which is transformed.
    size: i64,
    /// From the start of one to that of the next.
    hop: i64,
    /// How many elements in the middle of a frame the window lets through.
    width: i64,
    window: Option<&'a Tensor>,
}

impl<'a> Frames<'a> {
    fn new(
        op: &'static str,
        size: i64,
        hop: Option<i64>,
        width: Option<i64>,
        window: Option<&'a Tensor>,
    ) -> Result<Self> {
        let (hop, width) = (hop.unwrap_or(size / 4), width.unwrap_or(size));
        let wrong = |message: String| Err(RusTorchError::argument(op, message));
        if size <= 0 {
            return wrong(format!("n_fft must be positive, got {size}"));
        }
        if hop <= 0 {
            return wrong(format!("hop_length must be positive, got {hop}"));
        }
        if !(1..=size).contains(&width) {
            return wrong(format!("win_length must be from 1 to n_fft, which is {size}, got {width}"));
        }
        if let Some(window) = window.filter(|window| window.shape() != [width as usize]) {
            let got = window.shape();
            return Err(RusTorchError::shape(
                op,
                format!("window must have shape [{width}], as win_length says, got {got:?}"),
            ));
        }
        Ok(Frames { size, hop, width, window })
    }

    /// The window in the middle of a frame; ones like `like` where none is given.
    fn window(&self, like: &Tensor) -> Result<Tensor> {
        let window = match self.window {
            Some(window) => window.clone(),
            None => ops::ones(&[self.width], Some(like.dtype().to_real()), Some(like.device()), false)?,
        };
        if self.width == self.size {
            return Ok(window);
        }
        let before = (self.size - self.width) / 2;
        ops::constant_pad_nd(&window, &[before, self.size - self.width - before], 0.into())
    }
}

/// The word for a transform's norm.
fn norm(normalized: bool) -> Option<&'static str> {
    normalized.then_some("ortho")
}

/// The spectra of the windows of a signal (L) or of signals (B, L).
#[allow(clippy::too_many_arguments, reason = "PyTorch's signature")]
pub fn stft(
    input: &Tensor,
    n_fft: i64,
    hop_length: Option<i64>,
    win_length: Option<i64>,
    window: Option<&Tensor>,
    center: bool,
    pad_mode: &str,
    normalized: bool,
    onesided: Option<bool>,
    return_complex: Option<bool>,
    align_to_window: Option<bool>,
) -> Result<Tensor> {
    let op = "stft";
    let complex = input.dtype().is_complex() || window.is_some_and(|w| w.dtype().is_complex());
    if !input.dtype().is_differentiable() {
        return Err(RusTorchError::dtype(
            op,
            format!("expects floating-point or complex numbers, got {}", input.dtype()),
        ));
    }
    if !(1..=2).contains(&input.ndim()) {
        return Err(RusTorchError::shape(
            op,
            format!("expects a signal (L) or (B, L), got {:?}", input.shape()),
        ));
    }
    let Some(return_complex) = return_complex.or(complex.then_some(true)) else {
        return Err(RusTorchError::argument(
            op,
            "return_complex must be given for real inputs: True, or False for parts in a last dimension of size 2",
        ));
    };
    if onesided == Some(true) && complex {
        let message =
            "onesided must not be True for a complex input or window, whose spectrum has no symmetry";
        return Err(RusTorchError::argument(op, message));
    }
    if center && align_to_window.is_some() {
        return Err(RusTorchError::argument(op, "align_to_window must only be given with center=False"));
    }
    let frames = Frames::new(op, n_fft, hop_length, win_length, window)?;
    let batched = input.ndim() == 2;
    let mut signal = if batched { input.clone() } else { ops::unsqueeze(input, 0)? };
    if center {
        signal = padded(&signal, [n_fft / 2, n_fft / 2], pad_mode)?;
    } else if align_to_window == Some(true) {
        // The window's elements, not the frame's, begin with the signal.
        let before = (n_fft - frames.width) / 2;
        signal = padded(&signal, [before, n_fft - frames.width - before], "constant")?;
    }
    let length = signal.shape()[1] as i64;
    if n_fft > length {
        let message =
            format!("n_fft must be at most {length}, the length of the signal with its padding, got {n_fft}");
        return Err(RusTorchError::shape(op, message));
    }
    let mut windows = ops::unfold(&signal, 1, n_fft, frames.hop)?;
    if window.is_some() || frames.width < n_fft {
        windows = ops::mul(&windows, &frames.window(input)?)?;
    }
    let spectra = if complex || onesided == Some(false) {
        ops::fft_fft(&windows, None, -1, norm(normalized))?
    } else {
        ops::fft_rfft(&windows, None, -1, norm(normalized))?
    };
    let spectra = ops::transpose(&spectra, 1, 2)?;
    let spectra = if batched { spectra } else { ops::squeeze(&spectra, Some(&[0]))? };
    if return_complex { Ok(spectra) } else { ops::view_as_real(&spectra) }
}

/// A signal (B, L) with more before and behind it.
fn padded(signal: &Tensor, by: [i64; 2], mode: &str) -> Result<Tensor> {
    // Modes but the constant one take a dimension for channels.
    let signal = ops::unsqueeze(signal, 0)?;
    ops::squeeze(&pad(&signal, &by, mode, None)?, Some(&[0]))
}

/// The sum of windows (B, T, N) where they lie in signals (B, L).
fn overlapped(windows: &Tensor, length: i64, hop: i64) -> Result<Tensor> {
    let size = windows.shape()[2] as i64;
    let columns = ops::transpose(windows, 1, 2)?;
    let signal = ops::fold2d(&columns, &[1, length], &[1, size], &[1], &[0], &[1, hop])?;
    ops::squeeze(&signal, Some(&[1, 2]))
}

/// The signal whose windows' spectra are nearest to `input`.
#[allow(clippy::too_many_arguments, reason = "PyTorch's signature")]
pub fn istft(
    input: &Tensor,
    n_fft: i64,
    hop_length: Option<i64>,
    win_length: Option<i64>,
    window: Option<&Tensor>,
    center: bool,
    normalized: bool,
    onesided: Option<bool>,
    length: Option<i64>,
    return_complex: bool,
) -> Result<Tensor> {
    let op = "istft";
    let wrong = |message: String| Err(RusTorchError::argument(op, message));
    if !input.dtype().is_complex() {
        let message =
            format!("expects complex numbers, as stft gives with return_complex=True, got {}", input.dtype());
        return Err(RusTorchError::dtype(op, message));
    }
    if !(2..=3).contains(&input.ndim()) || input.numel() == 0 {
        let message =
            format!("expects spectra (N, T) or (B, N, T) that are not empty, got {:?}", input.shape());
        return Err(RusTorchError::shape(op, message));
    }
    let frames = Frames::new(op, n_fft, hop_length, win_length, window)?;
    let batched = input.ndim() == 3;
    let spectra = if batched { input.clone() } else { ops::unsqueeze(input, 0)? };
    let (bins, count) = (spectra.shape()[1] as i64, spectra.shape()[2] as i64);
    let onesided = onesided.unwrap_or(bins != n_fft);
    let expected = if onesided { n_fft / 2 + 1 } else { n_fft };
    if bins != expected {
        let message =
            format!("expects {expected} frequencies for n_fft={n_fft} and onesided={onesided}, got {bins}");
        return Err(RusTorchError::shape(op, message));
    }
    if return_complex && onesided {
        return wrong(
            "return_complex needs onesided=False: one side of a spectrum is that of real numbers".into(),
        );
    }
    if !return_complex && window.is_some_and(|w| w.dtype().is_complex()) {
        return wrong("complex windows need return_complex=True".into());
    }
    if length.is_some_and(|length| length < 1) {
        return wrong(format!("length must be positive, got {}", length.unwrap_or_default()));
    }
    let spectra = ops::transpose(&spectra, 1, 2)?;
    let windows = if onesided {
        ops::fft_irfft(&spectra, Some(n_fft), -1, norm(normalized))?
    } else {
        let windows = ops::fft_ifft(&spectra, None, -1, norm(normalized))?;
        if return_complex { windows } else { ops::real(&windows)? }
    };
    let window = frames.window(input)?;
    let windows = ops::mul(&windows, &window)?;
    let whole = n_fft + frames.hop * (count - 1);
    let signal = if windows.dtype().is_complex() {
        let part = |part: Result<Tensor>| overlapped(&part?, whole, frames.hop);
        ops::complex(&part(ops::real(&windows))?, &part(ops::imag(&windows))?)?
    } else {
        overlapped(&windows, whole, frames.hop)?
    };
    let weight = ops::expand(&ops::square(&window)?, &[1, count, n_fft])?;
    let weight = if weight.dtype().is_complex() { ops::real(&weight)? } else { weight };
    let weight = overlapped(&weight, whole, frames.hop)?;
    let start = if center { n_fft / 2 } else { 0 };
    let end = match length {
        Some(length) => (start + length).min(whole),
        None if center => whole - n_fft / 2,
        None => whole,
    };
    if end <= start {
        return wrong(format!(
            "the signal of {whole} elements has none left without its padding of {start} on each side"
        ));
    }
    let signal = ops::narrow(&signal, 1, start, end - start)?;
    let weight = ops::narrow(&weight, 1, start, end - start)?;
    let least = ops::amin(&ops::abs(&weight.detach())?, &[], false)?.item()?.to_f64();
    if least <= 1e-11 {
        return wrong(format!(
            "the windows overlap too little: the sum of their squares is {least} somewhere"
        ));
    }
    let mut signal = ops::div(&signal, &weight, None)?;
    if let Some(length) = length.filter(|&length| length > end - start) {
        signal = ops::constant_pad_nd(&signal, &[0, length - (end - start)], Scalar::Int(0))?;
    }
    if batched { Ok(signal) } else { ops::squeeze(&signal, Some(&[0])) }
}
