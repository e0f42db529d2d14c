//! Initial distributions: `torch.nn.init`.
//!
//! Each function fills its tensor in place, without recording.

use rustorch_backend::memory::Scratch;
use rustorch_backend::volume;
use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::autograd::GradMode;
use rustorch_tensor::{DType, Generator, Scalar, Tensor, ops};

/// Which count of connections keeps its variance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FanMode {
    /// The inputs of a unit: the forward pass.
    In,
    /// The outputs of a unit: the backward pass.
    Out,
}

impl FanMode {
    /// Reads `fan_in` or `fan_out`.
    pub fn parse(name: &str) -> Result<Self> {
        match name.to_lowercase().as_str() {
            "fan_in" => Ok(FanMode::In),
            "fan_out" => Ok(FanMode::Out),
            _ => Err(RusTorchError::argument(
                "init",
                format!("Mode {name} not supported, please use one of ['fan_in', 'fan_out']"),
            )),
        }
    }
}

/// Uniform numbers from `[a, b)`.
pub fn uniform_(tensor: &Tensor, a: f64, b: f64, generator: Option<&Generator>) -> Result<()> {
    let _mode = GradMode::no_grad();
    ops::uniform_(tensor, a, b, generator)
}

/// Gaussian numbers.
pub fn normal_(tensor: &Tensor, mean: f64, std: f64, generator: Option<&Generator>) -> Result<()> {
    let _mode = GradMode::no_grad();
    ops::normal_(tensor, mean, std, generator)
}

/// Gaussian numbers between `a` and `b`, by the inverse of the cumulative distribution in float64.
pub fn trunc_normal_(
    tensor: &Tensor,
    mean: f64,
    std: f64,
    a: f64,
    b: f64,
    generator: Option<&Generator>,
) -> Result<()> {
    if a > b {
        return Err(RusTorchError::argument("trunc_normal_", format!("the range [{a}, {b}] is empty")));
    }
    let _mode = GradMode::no_grad();
    // erf of the bounds in units of √2 std is 2 Φ - 1, which is what erfinv takes.
    let scale = std * std::f64::consts::SQRT_2;
    let bounds =
        ops::erf(&Tensor::from_slice(&[(a - mean) / scale, (b - mean) / scale], &[2])?)?.to_vec::<f64>()?;
    let drawn = Tensor::empty(tensor.shape(), DType::Float64, tensor.device())?;
    ops::uniform_(&drawn, bounds[0], bounds[1], generator)?;
    let drawn = ops::add(
        &ops::mul(&ops::erfinv(&drawn)?, &Tensor::number(scale)?)?,
        &Tensor::number(mean)?,
        1.into(),
    )?;
    let drawn = ops::clamp(&drawn, Some(&Tensor::number(a)?), Some(&Tensor::number(b)?))?;
    ops::copy_(tensor, &drawn, false)
}

/// One value everywhere.
pub fn constant_(tensor: &Tensor, value: Scalar) -> Result<()> {
    let _mode = GradMode::no_grad();
    ops::fill_(tensor, &Tensor::number(value)?)
}

/// Ones.
pub fn ones_(tensor: &Tensor) -> Result<()> {
    constant_(tensor, Scalar::Float(1.0))
}

/// Zeros.
pub fn zeros_(tensor: &Tensor) -> Result<()> {
    let _mode = GradMode::no_grad();
    ops::zero_(tensor)
}

/// The identity matrix.
pub fn eye_(tensor: &Tensor) -> Result<()> {
    let &[rows, columns] = tensor.shape() else {
        return Err(RusTorchError::shape("eye_", "Only tensors with 2 dimensions are supported"));
    };
    let _mode = GradMode::no_grad();
    let eye =
        ops::eye(rows as i64, Some(columns as i64), Some(tensor.dtype()), Some(tensor.device()), false)?;
    ops::copy_(tensor, &eye, false)
}

/// The identity among convolutions: each channel's own centre tap is 1, in each of `groups` groups.
pub fn dirac_(tensor: &Tensor, groups: usize) -> Result<()> {
    let shape = tensor.shape();
    if !(3..=5).contains(&shape.len()) {
        return Err(RusTorchError::shape("dirac_", "Only tensors with 3, 4, or 5 dimensions are supported"));
    }
    if groups == 0 || !shape[0].is_multiple_of(groups) {
        return Err(RusTorchError::argument("dirac_", "dim 0 must be divisible by groups"));
    }
    let out_per_group = shape[0] / groups;
    let mut taps = Scratch::filled(tensor.numel(), 0.0_f64)?;
    let strides = rustorch_backend::contiguous_strides(shape);
    let centre: usize = shape[2..].iter().zip(&strides[2..]).map(|(&k, &s)| k / 2 * s as usize).sum();
    for group in 0..groups {
        for channel in 0..out_per_group.min(shape[1]) {
            let row = group * out_per_group + channel;
            taps[row * strides[0] as usize + channel * strides[1] as usize + centre] = 1.0;
        }
    }
    let _mode = GradMode::no_grad();
    ops::copy_(tensor, &Tensor::from_slice(&taps, shape)?, false)
}

/// The number of connections into and out of a unit: `(shape[1], shape[0])` times the size of the receptive field.
pub fn fans(shape: &[usize]) -> Result<(usize, usize)> {
    if shape.len() < 2 {
        return Err(RusTorchError::shape(
            "init",
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions",
        ));
    }
    let field = volume(&shape[2..]);
    Ok((shape[1] * field, shape[0] * field))
}

/// The gain that a nonlinearity asks for. `param` is the negative slope of `leaky_relu`, 0.01 unless given.
pub fn calculate_gain(nonlinearity: &str, param: Option<f64>) -> Result<f64> {
    Ok(match nonlinearity {
        "linear" | "sigmoid" | "conv1d" | "conv2d" | "conv3d" | "conv_transpose1d" | "conv_transpose2d"
        | "conv_transpose3d" => 1.0,
        "tanh" => 5.0 / 3.0,
        "relu" => std::f64::consts::SQRT_2,
        "leaky_relu" => (2.0 / (1.0 + param.unwrap_or(0.01).powi(2))).sqrt(),
        "selu" => 0.75,
        other => {
            return Err(RusTorchError::argument(
                "calculate_gain",
                format!("Unsupported nonlinearity {other}"),
            ));
        }
    })
}

/// Uniform, so that variance is kept both ways (X. Glorot and Y. Bengio, *Understanding the difficulty of training deep
/// feedforward neural networks*, AISTATS 2010).
pub fn xavier_uniform_(tensor: &Tensor, gain: f64, generator: Option<&Generator>) -> Result<()> {
    let bound = 3.0_f64.sqrt() * xavier_std(tensor, gain)?;
    uniform_(tensor, -bound, bound, generator)
}

/// As [`xavier_uniform_`], Gaussian.
pub fn xavier_normal_(tensor: &Tensor, gain: f64, generator: Option<&Generator>) -> Result<()> {
    normal_(tensor, 0.0, xavier_std(tensor, gain)?, generator)
}

fn xavier_std(tensor: &Tensor, gain: f64) -> Result<f64> {
    let (fan_in, fan_out) = fans(tensor.shape())?;
    Ok(gain * (2.0 / (fan_in + fan_out) as f64).sqrt())
}

/// Uniform, so that variance is kept through rectifiers of negative slope `a` (K. He et al., *Delving Deep into
/// Rectifiers*, ICCV 2015).
pub fn kaiming_uniform_(
    tensor: &Tensor,
    a: f64,
    mode: FanMode,
    nonlinearity: &str,
    generator: Option<&Generator>,
) -> Result<()> {
    let Some(std) = kaiming_std(tensor, a, mode, nonlinearity)? else { return Ok(()) };
    let bound = 3.0_f64.sqrt() * std;
    uniform_(tensor, -bound, bound, generator)
}

/// As [`kaiming_uniform_`], Gaussian.
pub fn kaiming_normal_(
    tensor: &Tensor,
    a: f64,
    mode: FanMode,
    nonlinearity: &str,
    generator: Option<&Generator>,
) -> Result<()> {
    let Some(std) = kaiming_std(tensor, a, mode, nonlinearity)? else { return Ok(()) };
    normal_(tensor, 0.0, std, generator)
}

/// The standard deviation, or `None` for a tensor without elements, which needs none.
fn kaiming_std(tensor: &Tensor, a: f64, mode: FanMode, nonlinearity: &str) -> Result<Option<f64>> {
    if tensor.shape().contains(&0) {
        return Ok(None);
    }
    let (fan_in, fan_out) = fans(tensor.shape())?;
    let fan = if mode == FanMode::In { fan_in } else { fan_out };
    Ok(Some(calculate_gain(nonlinearity, Some(a))? / (fan as f64).sqrt()))
}

/// A (semi-)orthogonal matrix, uniformly distributed, times `gain`; dimensions after the first count as columns.
///
/// The orthogonal factor of a Gaussian matrix, its signs fixed by the triangular factor's diagonal (F. Mezzadri, *How to
/// Generate Random Matrices from the Classical Compact Groups*, 2007), by Householder reflections in float64.
pub fn orthogonal_(tensor: &Tensor, gain: f64, generator: Option<&Generator>) -> Result<()> {
    let shape = tensor.shape();
    if shape.len() < 2 {
        return Err(RusTorchError::shape(
            "orthogonal_",
            "Only tensors with 2 or more dimensions are supported",
        ));
    }
    if tensor.numel() == 0 {
        return Ok(());
    }
    let (rows, columns) = (shape[0], tensor.numel() / shape[0]);
    let (tall, narrow) = (rows.max(columns), rows.min(columns));
    let _mode = GradMode::no_grad();
    let drawn = Tensor::empty(&[narrow, tall], DType::Float64, tensor.device())?;
    ops::normal_(&drawn, 0.0, 1.0, generator)?;
    let mut q = orthonormal_rows(&mut drawn.to_vec::<f64>()?, narrow, tall)?;
    q.iter_mut().for_each(|v| *v *= gain);
    let q = Tensor::from_slice(&q, &[narrow, tall])?;
    let q = if rows > columns { ops::transpose(&q, 0, 1)? } else { q };
    let sizes: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
    ops::copy_(tensor, &ops::reshape(&q, &sizes)?, false)
}

/// The orthogonal factor of the `tall × narrow` matrix whose columns are the rows of `a`, in the same arrangement.
fn orthonormal_rows(a: &mut [f64], narrow: usize, tall: usize) -> Result<Scratch<f64>> {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>();
    let mut signs = Scratch::filled(narrow, 1.0)?;
    // The reflection that clears column j below the diagonal takes the place of that column, from row j on.
    for j in 0..narrow {
        let (head, rest) = a.split_at_mut((j + 1) * tall);
        let v = &mut head[j * tall + j..];
        let norm = dot(v, v).sqrt();
        let sign = if v[0] < 0.0 { -1.0 } else { 1.0 };
        // The diagonal of R becomes -sign · norm.
        signs[j] = -sign;
        v[0] += sign * norm;
        let scale = dot(v, v);
        for column in rest.chunks_exact_mut(tall) {
            reflect(v, scale, &mut column[j..]);
        }
    }
    let mut q = Scratch::filled(narrow * tall, 0.0)?;
    for (j, column) in q.chunks_exact_mut(tall).enumerate() {
        column[j] = signs[j];
        for k in (0..narrow).rev() {
            let v = &a[k * tall + k..(k + 1) * tall];
            reflect(v, dot(v, v), &mut column[k..]);
        }
    }
    Ok(q)
}

/// Applies the reflection `I - 2 v vᵀ / |v|²`; `scale` is `|v|²`.
fn reflect(v: &[f64], scale: f64, x: &mut [f64]) {
    if scale == 0.0 {
        return;
    }
    let factor = 2.0 * v.iter().zip(&*x).map(|(a, b)| a * b).sum::<f64>() / scale;
    for (x, v) in x.iter_mut().zip(v) {
        *x -= factor * v;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::{assert_close, init, values};

    fn blank(shape: &[usize], dtype: DType) -> Tensor {
        init();
        let tensor = Tensor::empty(shape, dtype, rustorch_tensor::Device::CPU).unwrap();
        zeros_(&tensor).unwrap();
        tensor.requires_grad_().unwrap()
    }

    fn moments(tensor: &Tensor) -> (f64, f64) {
        let v = values(tensor);
        let mean = v.iter().sum::<f64>() / v.len() as f64;
        (mean, (v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / v.len() as f64).sqrt())
    }

    #[test]
    fn spreads_are_those_of_the_papers() {
        let generator = Generator::new(7);
        let g = Some(&generator);
        let tensor = blank(&[300, 40, 3], DType::Float32);
        let (fan_in, fan_out) = (120.0_f64, 900.0_f64);
        let check = |std: f64, limit: Option<f64>| {
            let (mean, seen) = moments(&tensor);
            assert!(mean.abs() < 0.02 * std, "mean {mean}");
            assert!((seen / std - 1.0).abs() < 0.02, "std {seen}, expected {std}");
            if let Some(limit) = limit {
                assert!(values(&tensor).iter().all(|v| v.abs() <= limit));
            }
        };
        xavier_uniform_(&tensor, 2.0, g).unwrap();
        let std = 2.0 * (2.0 / (fan_in + fan_out)).sqrt();
        check(std, Some(std * 3.0_f64.sqrt() + 1e-7));
        xavier_normal_(&tensor, 1.0, g).unwrap();
        check((2.0 / (fan_in + fan_out)).sqrt(), None);
        kaiming_uniform_(&tensor, 5.0_f64.sqrt(), FanMode::In, "leaky_relu", g).unwrap();
        check((1.0 / 3.0 / fan_in).sqrt(), Some(1.0 / fan_in.sqrt() + 1e-7));
        kaiming_normal_(&tensor, 0.0, FanMode::Out, "relu", g).unwrap();
        check((2.0 / fan_out).sqrt(), None);
    }

    #[test]
    fn truncation_keeps_the_shape_of_the_gaussian() {
        let generator = Generator::new(3);
        let tensor = blank(&[40_000], DType::Float32);
        trunc_normal_(&tensor, 1.0, 2.0, 0.0, 2.0, Some(&generator)).unwrap();
        let v = values(&tensor);
        assert!(v.iter().all(|x| (0.0..=2.0).contains(x)));
        // Within half a standard deviation the variance is 1 - 2·½·φ(½) / (2Φ(½) - 1) times the Gaussian's.
        let (mean, std) = moments(&tensor);
        assert!((mean - 1.0).abs() < 0.02);
        let (density, inside) = (0.352_065_326_764, 0.382_924_922_548);
        assert!((std - 2.0 * (1.0_f64 - density / inside).sqrt()).abs() < 0.01, "{std}");
    }

    #[test]
    fn constants_and_identities() {
        let tensor = blank(&[2, 3], DType::Float16);
        eye_(&tensor).unwrap();
        assert_eq!(values(&tensor), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        ones_(&tensor).unwrap();
        assert_eq!(values(&tensor), [1.0; 6]);
        constant_(&tensor, Scalar::Float(0.5)).unwrap();
        assert_eq!(values(&tensor), [0.5; 6]);
        let taps = blank(&[4, 2, 3], DType::Float32);
        dirac_(&taps, 2).unwrap();
        let expected = [
            0., 1., 0., 0., 0., 0., //
            0., 0., 0., 0., 1., 0., //
            0., 1., 0., 0., 0., 0., //
            0., 0., 0., 0., 1., 0.,
        ];
        assert_eq!(values(&taps), expected);
    }

    #[test]
    fn orthogonal_rows_or_columns() {
        let generator = Generator::new(11);
        for shape in [&[3, 7][..], &[7, 3], &[5, 5], &[4, 2, 5], &[1, 4]] {
            let tensor = blank(shape, DType::Float64);
            orthogonal_(&tensor, 2.0, Some(&generator)).unwrap();
            let (rows, columns) = (shape[0], shape[1..].iter().product::<usize>());
            let m = values(&tensor);
            let n = rows.min(columns);
            let at =
                |i: usize, k: usize| if rows <= columns { m[i * columns + k] } else { m[k * columns + i] };
            let gram: Vec<f64> = (0..n * n)
                .map(|ij| (0..rows.max(columns)).map(|k| at(ij / n, k) * at(ij % n, k)).sum())
                .collect();
            let expected: Vec<f64> = (0..n * n).map(|ij| if ij / n == ij % n { 4.0 } else { 0.0 }).collect();
            assert_close(&gram, &expected, 1e-12);
        }
    }

    #[test]
    fn a_vector_has_no_fans() {
        let error = xavier_uniform_(&blank(&[3], DType::Float32), 1.0, None).unwrap_err();
        assert!(error.to_string().contains("fewer than 2 dimensions"));
        assert!(kaiming_uniform_(&blank(&[0, 3], DType::Float32), 0.0, FanMode::In, "relu", None).is_ok());
    }
}
