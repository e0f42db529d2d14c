"""The classes that programs' own layers derive from, where PyTorch has them."""

import importlib
import pickle

import pytest

import rustorch
from rustorch import nn
from rustorch.nn.modules.utils import (
    _list_with_default,
    _ntuple,
    _pair,
    _quadruple,
    _reverse_repeat_tuple,
    _single,
    _triple,
    consume_prefix_in_state_dict_if_present,
)

PLACES = {
    "activation": "MultiheadAttention Softmax Softmax2d LogSoftmax Softmin ReLU ReLU6 Hardtanh Tanh",
    "adaptive": "AdaptiveLogSoftmaxWithLoss",
    "batchnorm": "_NormBase _BatchNorm _LazyNormBase BatchNorm1d LazyBatchNorm2d SyncBatchNorm",
    "channelshuffle": "ChannelShuffle",
    "container": "Sequential ModuleList ModuleDict ParameterList ParameterDict",
    "conv": "_ConvNd _ConvTransposeNd _LazyConvXdMixin Conv1d Conv2d ConvTranspose3d LazyConv2d",
    "distance": "PairwiseDistance CosineSimilarity",
    "dropout": "_DropoutNd Dropout Dropout2d AlphaDropout FeatureAlphaDropout",
    "flatten": "Flatten Unflatten",
    "fold": "Fold Unfold",
    "instancenorm": "_InstanceNorm InstanceNorm2d LazyInstanceNorm1d",
    "lazy": "LazyModuleMixin",
    "linear": "Identity Linear Bilinear LazyLinear",
    "loss": "_Loss _WeightedLoss NLLLoss2d MSELoss CTCLoss HuberLoss TripletMarginWithDistanceLoss GaussianNLLLoss "
    "KLDivLoss",
    "module": "Module _IncompatibleKeys _addindent",
    "normalization": "LayerNorm GroupNorm LocalResponseNorm RMSNorm",
    "padding": "_ConstantPadNd _ReflectionPadNd _ReplicationPadNd _CircularPadNd ZeroPad2d ReflectionPad1d",
    "pixelshuffle": "PixelShuffle PixelUnshuffle",
    "pooling": "_MaxPoolNd _AvgPoolNd _AdaptiveMaxPoolNd _AdaptiveAvgPoolNd _LPPoolNd _MaxUnpoolNd MaxPool2d "
    "AdaptiveMaxPool2d FractionalMaxPool2d LPPool2d MaxUnpool2d",
    "rnn": "RNNBase RNNCellBase RNN LSTM GRUCell",
    "sparse": "Embedding EmbeddingBag",
    "transformer": "Transformer TransformerEncoder TransformerEncoderLayer TransformerDecoder TransformerDecoderLayer",
    "upsampling": "Upsample UpsamplingNearest2d UpsamplingBilinear2d",
}


@pytest.mark.parametrize("file", PLACES)
def test_classes_are_where_pytorch_has_them(file: str) -> None:
    module = importlib.import_module(f"{rustorch.__name__}.nn.modules.{file}")
    for name in PLACES[file].split():
        found = getattr(module, name)
        assert name.startswith("_") or getattr(nn, name, found) is found


@pytest.mark.parametrize(
    ("layer", "base", "constants"),
    [
        (nn.Conv2d(2, 2, 1), nn.modules.conv._ConvNd, {"stride", "padding", "groups", "in_channels", "kernel_size"}),
        (nn.ConvTranspose1d(2, 2, 1), nn.modules.conv._ConvTransposeNd, {"output_padding"}),
        (nn.BatchNorm2d(2), nn.modules.batchnorm._BatchNorm, {"momentum", "eps", "num_features", "affine"}),
        (nn.InstanceNorm2d(2), nn.modules.batchnorm._NormBase, {"track_running_stats"}),
        (nn.MaxPool2d(2), nn.modules.pooling._MaxPoolNd, {"kernel_size", "return_indices", "ceil_mode"}),
        (nn.AvgPool3d(2), nn.modules.pooling._AvgPoolNd, {"divisor_override"}),
        (nn.AdaptiveAvgPool1d(2), nn.modules.pooling._AdaptiveAvgPoolNd, {"output_size"}),
        (nn.AdaptiveMaxPool1d(2), nn.modules.pooling._AdaptiveMaxPoolNd, {"output_size", "return_indices"}),
        (nn.LPPool1d(2, 2), nn.modules.pooling._LPPoolNd, {"norm_type"}),
        (nn.MaxUnpool1d(2), nn.modules.pooling._MaxUnpoolNd, set()),
        (nn.ZeroPad2d(1), nn.ConstantPad2d, {"padding", "value"}),
        (nn.ReflectionPad1d(1), nn.modules.padding._ReflectionPadNd, {"padding"}),
        (nn.ReplicationPad1d(1), nn.modules.padding._ReplicationPadNd, {"padding"}),
        (nn.CircularPad1d(1), nn.modules.padding._CircularPadNd, {"padding"}),
        (nn.AlphaDropout(), nn.modules.dropout._DropoutNd, {"p", "inplace"}),
        (nn.ReLU6(), nn.Hardtanh, {"min_val", "max_val", "inplace"}),
        (nn.HuberLoss(), nn.modules.loss._Loss, {"reduction", "delta"}),
        (nn.GaussianNLLLoss(), nn.modules.loss._Loss, {"full", "eps", "reduction"}),
        (nn.TripletMarginWithDistanceLoss(), nn.modules.loss._Loss, {"margin", "swap", "reduction"}),
        (nn.BCELoss(), nn.modules.loss._WeightedLoss, {"reduction"}),
        (nn.LSTM(2, 3), nn.RNNBase, {"mode", "hidden_size", "proj_size"}),
        (nn.LSTMCell(2, 3), nn.RNNCellBase, {"input_size", "hidden_size", "bias"}),
        (nn.Linear(2, 3), nn.Module, {"in_features", "out_features"}),
        (nn.MultiheadAttention(2, 1), nn.Module, {"batch_first"}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_layers_have_their_bases_and_constants(layer: nn.Module, base: type, constants: set[str]) -> None:
    assert isinstance(layer, base)
    assert constants <= set(getattr(layer, "__constants__", []))
    assert repr(pickle.loads(pickle.dumps(layer))) == repr(layer)


@pytest.mark.parametrize(
    ("layer", "file"),
    [
        (nn.MultiheadAttention(2, 1), "activation"),
        (nn.Softmax(1), "activation"),
        (nn.ReLU6(), "activation"),
        (nn.HuberLoss(), "loss"),
        (nn.MultiMarginLoss(), "loss"),
        (nn.MaxUnpool1d(2), "pooling"),
        (nn.AdaptiveMaxPool1d(2), "pooling"),
        (nn.ChannelShuffle(2), "channelshuffle"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else value,
)
def test_pickles_name_the_module_that_pytorch_names(layer: nn.Module, file: str) -> None:
    assert type(layer).__module__ == f"{rustorch.__name__}.nn.modules.{file}"


def test_a_convolution_computes_by_its_conv_forward() -> None:
    class Standardised(nn.Conv2d):
        def _conv_forward(self, input, weight, bias):
            return super()._conv_forward(input, weight - weight.mean((1, 2, 3), keepdim=True), bias)

    x = rustorch.randn(1, 2, 5, 5)
    for mode in ("zeros", "circular"):
        layer = Standardised(2, 3, 3, padding=1, padding_mode=mode)
        plain = nn.Conv2d(2, 3, 3, padding=1, padding_mode=mode)
        plain.load_state_dict(layer.state_dict())
        with rustorch.no_grad():
            plain.weight -= plain.weight.mean((1, 2, 3), keepdim=True)
        assert rustorch.allclose(layer(x), plain(x), atol=1e-6)


def test_layers_of_ones_own() -> None:
    class Depthwise(nn.modules.conv._ConvNd):
        def __init__(self, channels: int, size: int) -> None:
            super().__init__(
                channels, channels, _pair(size), _pair(1), _pair(0), _pair(1), False, _pair(0), channels, True, "zeros"
            )

        def forward(self, x):
            return nn.functional.conv2d(
                x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
            )

    layer = Depthwise(3, 2)
    assert layer.weight.shape == (3, 1, 2, 2)
    assert layer(rustorch.zeros(1, 3, 4, 4)).shape == (1, 3, 3, 3)
    assert "kernel_size=(2, 2), stride=(1, 1), groups=3" in repr(layer)

    class AnyNorm(nn.modules.batchnorm._BatchNorm):
        def _check_input_dim(self, input) -> None:
            pass

    assert AnyNorm(3)(rustorch.randn(2, 3, 2, 2, 2, 2)).shape == (2, 3, 2, 2, 2, 2)

    class Squared(nn.modules.loss._WeightedLoss):
        def forward(self, input, target):
            return nn.functional.mse_loss(input * self.weight, target, reduction=self.reduction)

    loss = Squared(rustorch.tensor(2.0), reduction="sum")
    assert loss(rustorch.ones(3), rustorch.zeros(3)).item() == 12
    assert "weight" in loss.state_dict()

    class Smallest(nn.modules.pooling._MaxPoolNd):
        def forward(self, input):
            return -nn.functional.max_pool1d(-input, self.kernel_size, self.stride, self.padding)

    assert Smallest(2)(rustorch.tensor([[[3.0, 1.0, 2.0, 5.0]]])).tolist() == [[[1.0, 2.0]]]


def test_settings_of_layers() -> None:
    assert (_single(2), _pair(2), _triple(2), _quadruple(2)) == ((2,), (2, 2), (2, 2, 2), (2, 2, 2, 2))
    assert _pair([1, 3]) == (1, 3)
    assert _ntuple(5)(0) == (0,) * 5
    assert _pair.__name__ == "_pair"
    assert _reverse_repeat_tuple((1, 2), 2) == (2, 2, 1, 1)
    assert _list_with_default([None, 4], [1, 2, 3]) == [2, 4]
    assert _list_with_default(7, [1]) == 7
    with pytest.raises(ValueError, match="at least 3"):
        _list_with_default([None, 4], [1, 2])


def test_prefixes_of_states_are_taken_away() -> None:
    state = nn.DataParallel(nn.Sequential(nn.Linear(2, 2))).state_dict()
    state["other"] = 1
    consume_prefix_in_state_dict_if_present(state, "module.")
    assert sorted(state) == ["0.bias", "0.weight", "other"]
    assert set(state._metadata) == {"", "0"}
    nn.Sequential(nn.Linear(2, 2)).load_state_dict({key: state[key] for key in ("0.weight", "0.bias")})
