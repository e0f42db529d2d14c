//! Layers and initial distributions for `rustorch.nn`: arguments in, tensors out.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use rustorch::nn::functional::{Padding, PaddingMode, convolution};
use rustorch::nn::init::{self, FanMode};
use rustorch::nn::layers::{
    BatchNorm, BatchNormConfig, Conv, ConvConfig, ConvTranspose, ConvTransposeConfig, Embedding,
    EmbeddingConfig, GroupNorm, GroupNormConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig,
    ParameterizedLayer, RmsNorm, RmsNormConfig,
};
use rustorch_tensor::{Generator, Tensor, TensorOptions};

use crate::arguments::{convert, type_name};
use crate::errors::IntoPyResult;
use crate::random::PyGenerator;
use crate::tensor::{PyTensor, wrap, wrap_optional};
use crate::{device, dtype};

type Object<'a, 'py> = &'a Bound<'py, PyTensor>;

/// Inputs from which on other Python threads run during a forward pass.
const RELEASE_FROM: usize = 4096;

fn tensor(object: Object<'_, '_>) -> Tensor {
    object.get().tensor(object)
}

/// What a layer is, without its tensors: it declares, initialises and uses tensors that the module holds.
#[pyclass(name = "Layer", module = "rustorch._C", frozen)]
pub struct PyLayer {
    layer: Box<dyn ParameterizedLayer>,
    tensors: usize,
}

impl PyLayer {
    fn new(layer: impl ParameterizedLayer + 'static) -> Self {
        let tensors = layer.declarations().len();
        PyLayer { layer: Box::new(layer), tensors }
    }
}

fn conv<const D: usize>(config: ConvConfig<D>) -> rustorch_tensor::Result<PyLayer> {
    Conv::configuration(config).map(PyLayer::new)
}

/// Padding as 'same', 'valid' or one number per spatial dimension.
fn padding(object: &Bound<'_, PyAny>) -> PyResult<Padding> {
    if let Ok(name) = object.extract::<&str>() {
        return Padding::parse(name).into_py(object.py());
    }
    match convert::ints(object)? {
        Some(zeros) => Ok(Padding::Explicit(zeros.to_vec())),
        None => Err(PyTypeError::new_err(format!(
            "padding must be 'same', 'valid', an int or a tuple of ints, not {}",
            type_name(object)
        ))),
    }
}

#[pymethods]
impl PyLayer {
    /// `input @ weight.T + bias`.
    #[staticmethod]
    fn linear(in_features: usize, out_features: usize, bias: bool) -> Self {
        Self::new(Linear::configuration(LinearConfig { in_features, out_features, bias }))
    }

    /// Cross-correlation over as many spatial dimensions as the kernel has.
    #[staticmethod]
    fn conv(
        py: Python<'_>,
        in_channels: usize,
        out_channels: usize,
        kernel_size: Vec<usize>,
        stride: Vec<usize>,
        padding: &Bound<'_, PyAny>,
        dilation: Vec<usize>,
        groups: usize,
        bias: bool,
        padding_mode: &str,
    ) -> PyResult<Self> {
        let (padding, padding_mode) =
            (self::padding(padding)?, PaddingMode::parse(padding_mode).into_py(py)?);
        macro_rules! dimensions {
            ($($d:literal)*) => {
                match kernel_size.len() {
                    $($d => match (kernel_size[..].try_into(), stride[..].try_into(), dilation[..].try_into()) {
                        (Ok(kernel_size), Ok(stride), Ok(dilation)) => conv::<$d>(ConvConfig {
                            in_channels, out_channels, kernel_size, stride, padding, padding_mode, dilation, groups, bias,
                        })
                        .into_py(py),
                        _ => Err(PyTypeError::new_err(format!(
                            "Conv{}d: stride and dilation must have as many entries as kernel_size", $d
                        ))),
                    },)*
                    other => Err(PyTypeError::new_err(format!("a kernel has 1 to 3 dimensions, not {other}"))),
                }
            };
        }
        dimensions!(1 2 3)
    }

    /// The transpose of a convolution, over as many spatial dimensions as the kernel has.
    #[staticmethod]
    fn conv_transpose(
        py: Python<'_>,
        in_channels: usize,
        out_channels: usize,
        kernel_size: Vec<usize>,
        stride: Vec<usize>,
        padding: Vec<usize>,
        output_padding: Vec<usize>,
        groups: usize,
        bias: bool,
        dilation: Vec<usize>,
    ) -> PyResult<Self> {
        macro_rules! dimensions {
            ($($d:literal)*) => {
                match kernel_size.len() {
                    $($d => {
                        let sizes = [&kernel_size, &stride, &padding, &output_padding, &dilation];
                        if sizes.iter().any(|sizes| sizes.len() != $d) {
                            return Err(PyTypeError::new_err(format!(
                                "ConvTranspose{}d: every size must have as many entries as kernel_size", $d
                            )));
                        }
                        let [kernel_size, stride, padding, output_padding, dilation] =
                            sizes.map(|sizes| -> [usize; $d] { std::array::from_fn(|d| sizes[d]) });
                        ConvTranspose::<$d>::configuration(ConvTransposeConfig {
                            in_channels, out_channels, kernel_size, stride, padding, output_padding, dilation, groups,
                            bias,
                        })
                        .map(Self::new)
                        .into_py(py)
                    },)*
                    other => Err(PyTypeError::new_err(format!("a kernel has 1 to 3 dimensions, not {other}"))),
                }
            };
        }
        dimensions!(1 2 3)
    }

    /// Division of the trailing dimensions by their root mean square.
    #[staticmethod]
    fn rms_norm(normalized_shape: Vec<usize>, eps: Option<f64>, elementwise_affine: bool) -> Self {
        Self::new(RmsNorm::configuration(RmsNormConfig { normalized_shape, eps, elementwise_affine }))
    }

    /// Normalisation of each channel over the batch, or by running statistics.
    #[staticmethod]
    fn batch_norm(
        num_features: usize,
        eps: f64,
        momentum: Option<f64>,
        affine: bool,
        bias: bool,
        track_running_stats: bool,
        training: bool,
    ) -> Self {
        use rustorch::nn::layers::Layer;
        let config = BatchNormConfig { num_features, eps, momentum, affine, bias, track_running_stats };
        let mut layer = BatchNorm::configuration(config);
        layer.set_training(training);
        Self::new(layer)
    }

    /// Normalisation of the trailing dimensions.
    #[staticmethod]
    fn layer_norm(normalized_shape: Vec<usize>, eps: f64, elementwise_affine: bool, bias: bool) -> Self {
        Self::new(LayerNorm::configuration(LayerNormConfig {
            normalized_shape,
            eps,
            elementwise_affine,
            bias,
        }))
    }

    /// Normalisation of groups of channels.
    #[staticmethod]
    fn group_norm(
        py: Python<'_>,
        num_groups: usize,
        num_channels: usize,
        eps: f64,
        affine: bool,
        bias: bool,
    ) -> PyResult<Self> {
        let config = GroupNormConfig { num_groups, num_channels, eps, affine, bias };
        GroupNorm::configuration(config).map(Self::new).into_py(py)
    }

    /// Rows of a table.
    #[staticmethod]
    fn embedding(
        py: Python<'_>,
        num_embeddings: usize,
        embedding_dim: usize,
        padding_idx: Option<usize>,
    ) -> PyResult<Self> {
        Embedding::configuration(EmbeddingConfig { num_embeddings, embedding_dim, padding_idx })
            .map(Self::new)
            .into_py(py)
    }

    /// New tensors as the layer declares them, of unspecified content; None where it has none.
    #[pyo3(signature = (device=None, dtype=None))]
    fn allocate<'py>(
        &self,
        py: Python<'py>,
        device: Option<&Bound<'py, PyAny>>,
        dtype: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let options = TensorOptions {
            dtype: dtype.and_then(dtype::extract),
            device: device.map(device::extract).transpose()?.flatten(),
            requires_grad: false,
        };
        let declarations = self.layer.declarations();
        declarations.iter().map(|d| wrap_optional(py, d.allocate(options).into_py(py)?)).collect()
    }

    /// Fills tensors with the layer's initial values.
    #[pyo3(signature = (*tensors))]
    fn initialize(&self, py: Python<'_>, tensors: Vec<Option<Bound<'_, PyTensor>>>) -> PyResult<()> {
        let tensors: Vec<Option<Tensor>> = tensors.iter().map(|t| t.as_ref().map(tensor)).collect();
        let handed: Vec<Option<&Tensor>> = tensors.iter().map(Option::as_ref).collect();
        py.detach(|| self.layer.initialize(&handed)).into_py(py)
    }

    /// What the layer makes of `input` with these tensors, in the order of allocate().
    #[pyo3(signature = (input, first=None, second=None, third=None, fourth=None, fifth=None, /))]
    fn forward<'py>(
        &self,
        py: Python<'py>,
        input: Object<'_, 'py>,
        first: Option<Object<'_, 'py>>,
        second: Option<Object<'_, 'py>>,
        third: Option<Object<'_, 'py>>,
        fourth: Option<Object<'_, 'py>>,
        fifth: Option<Object<'_, 'py>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let input = tensor(input);
        let tensors = [first, second, third, fourth, fifth].map(|t| t.map(tensor));
        let handed = [0, 1, 2, 3, 4].map(|i| tensors[i].as_ref());
        let run = || self.layer.forward_with(&handed[..self.tensors], &input);
        let result = if input.numel() >= RELEASE_FROM { py.detach(run) } else { run() };
        wrap(py, result.into_py(py)?)
    }
}

/// Cross-correlation with the padding as a word.
#[pyfunction]
fn _conv_padded<'py>(
    py: Python<'py>,
    input: Object<'_, 'py>,
    weight: Object<'_, 'py>,
    bias: Option<Object<'_, 'py>>,
    stride: &Bound<'py, PyAny>,
    padding: &Bound<'py, PyAny>,
    dilation: &Bound<'py, PyAny>,
    groups: i64,
) -> PyResult<Bound<'py, PyAny>> {
    let padding = self::padding(padding)?;
    let (input, weight, bias) = (tensor(input), tensor(weight), bias.map(tensor));
    let numbers = |name: &str, object: &Bound<'py, PyAny>| {
        convert::ints(object)?.ok_or_else(|| {
            PyTypeError::new_err(format!(
                "conv(): argument '{name}' must be int or tuple of ints, not {}",
                type_name(object)
            ))
        })
    };
    let (stride, dilation) = (numbers("stride", stride)?, numbers("dilation", dilation)?);
    let result =
        py.detach(|| convolution(&input, &weight, bias.as_ref(), &stride, &padding, &dilation, groups));
    wrap(py, result.into_py(py)?)
}

/// Runs an initial distribution over a tensor and gives the tensor back.
fn fill<'py>(
    object: &Bound<'py, PyTensor>,
    generator: Option<&Bound<'py, PyGenerator>>,
    run: impl FnOnce(&Tensor, Option<&Generator>) -> rustorch_tensor::Result<()> + Send,
) -> PyResult<Bound<'py, PyTensor>> {
    let py = object.py();
    let tensor = tensor(object);
    let generator = generator.map(|g| g.get().generator.clone());
    py.detach(|| run(&tensor, generator.as_ref())).into_py(py)?;
    Ok(object.clone())
}

type Filled<'py> = PyResult<Bound<'py, PyTensor>>;
type MaybeGenerator<'a, 'py> = Option<&'a Bound<'py, PyGenerator>>;

#[pyfunction]
fn _init_uniform<'py>(
    tensor: Object<'_, 'py>,
    a: f64,
    b: f64,
    generator: MaybeGenerator<'_, 'py>,
) -> Filled<'py> {
    fill(tensor, generator, |t, g| init::uniform_(t, a, b, g))
}

#[pyfunction]
fn _init_normal<'py>(
    tensor: Object<'_, 'py>,
    mean: f64,
    std: f64,
    generator: MaybeGenerator<'_, 'py>,
) -> Filled<'py> {
    fill(tensor, generator, |t, g| init::normal_(t, mean, std, g))
}

#[pyfunction]
fn _init_trunc_normal<'py>(
    tensor: Object<'_, 'py>,
    mean: f64,
    std: f64,
    a: f64,
    b: f64,
    generator: MaybeGenerator<'_, 'py>,
) -> Filled<'py> {
    fill(tensor, generator, |t, g| init::trunc_normal_(t, mean, std, a, b, g))
}

#[pyfunction]
fn _init_constant<'py>(tensor: Object<'_, 'py>, val: f64) -> Filled<'py> {
    fill(tensor, None, |t, _| init::constant_(t, val.into()))
}

#[pyfunction]
fn _init_eye<'py>(tensor: Object<'_, 'py>) -> Filled<'py> {
    fill(tensor, None, |t, _| init::eye_(t))
}

#[pyfunction]
fn _init_dirac<'py>(tensor: Object<'_, 'py>, groups: usize) -> Filled<'py> {
    fill(tensor, None, |t, _| init::dirac_(t, groups))
}

#[pyfunction]
fn _init_xavier<'py>(
    tensor: Object<'_, 'py>,
    gain: f64,
    uniform: bool,
    generator: MaybeGenerator<'_, 'py>,
) -> Filled<'py> {
    let run = if uniform { init::xavier_uniform_ } else { init::xavier_normal_ };
    fill(tensor, generator, |t, g| run(t, gain, g))
}

#[pyfunction]
fn _init_kaiming<'py>(
    tensor: Object<'_, 'py>,
    a: f64,
    mode: &str,
    nonlinearity: &str,
    uniform: bool,
    generator: MaybeGenerator<'_, 'py>,
) -> Filled<'py> {
    let mode = FanMode::parse(mode).into_py(tensor.py())?;
    let run = if uniform { init::kaiming_uniform_ } else { init::kaiming_normal_ };
    fill(tensor, generator, |t, g| run(t, a, mode, nonlinearity, g))
}

#[pyfunction]
fn _init_orthogonal<'py>(
    tensor: Object<'_, 'py>,
    gain: f64,
    generator: MaybeGenerator<'_, 'py>,
) -> Filled<'py> {
    fill(tensor, generator, |t, g| init::orthogonal_(t, gain, g))
}

#[pyfunction]
fn _calculate_gain(py: Python<'_>, nonlinearity: &str, param: Option<f64>) -> PyResult<f64> {
    init::calculate_gain(nonlinearity, param).into_py(py)
}

/// Adds the class and the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyLayer>()?;
    module.add_function(wrap_pyfunction!(_conv_padded, module)?)?;
    module.add_function(wrap_pyfunction!(_init_uniform, module)?)?;
    module.add_function(wrap_pyfunction!(_init_normal, module)?)?;
    module.add_function(wrap_pyfunction!(_init_trunc_normal, module)?)?;
    module.add_function(wrap_pyfunction!(_init_constant, module)?)?;
    module.add_function(wrap_pyfunction!(_init_eye, module)?)?;
    module.add_function(wrap_pyfunction!(_init_dirac, module)?)?;
    module.add_function(wrap_pyfunction!(_init_xavier, module)?)?;
    module.add_function(wrap_pyfunction!(_init_kaiming, module)?)?;
    module.add_function(wrap_pyfunction!(_init_orthogonal, module)?)?;
    module.add_function(wrap_pyfunction!(_calculate_gain, module)?)
}
