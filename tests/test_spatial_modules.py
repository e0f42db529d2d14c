"""Modules of padding, transposed convolution, pooling, resampling and normalisation: what they show and compute."""

import numpy as np
import pytest

import rustorch
from rustorch import nn
from rustorch.nn import functional as F


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (nn.ConstantPad1d(2, 3.5), "ConstantPad1d(padding=(2, 2), value=3.5)"),
        (nn.ZeroPad2d((1, 2, 3, 4)), "ZeroPad2d((1, 2, 3, 4))"),
        (nn.ReflectionPad2d(1), "ReflectionPad2d((1, 1, 1, 1))"),
        (
            nn.ConvTranspose2d(3, 4, 3, 2, 1, 1, 1),
            "ConvTranspose2d(3, 4, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), output_padding=(1, 1))",
        ),
        (
            nn.ConvTranspose2d(2, 4, 3, output_padding=0, dilation=2, groups=2, bias=False),
            "ConvTranspose2d(2, 4, kernel_size=(3, 3), stride=(1, 1), dilation=(2, 2), groups=2, bias=False)",
        ),
        (
            nn.Conv2d(1, 2, 3, padding_mode="circular", padding=1),
            "Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), padding_mode=circular)",
        ),
        (nn.AdaptiveMaxPool2d((2, None)), "AdaptiveMaxPool2d(output_size=(2, None))"),
        (nn.MaxUnpool2d(2), "MaxUnpool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))"),
        (nn.FractionalMaxPool2d(2, output_size=3), "FractionalMaxPool2d()"),
        (nn.LPPool2d(2, 3), "LPPool2d(norm_type=2, kernel_size=3, stride=None, ceil_mode=False)"),
        (nn.Upsample(scale_factor=2), "Upsample(scale_factor=2.0, mode='nearest')"),
        (
            nn.Upsample(size=(2, 3), mode="bilinear", align_corners=True),
            "Upsample(size=(2, 3), mode='bilinear')",
        ),
        (nn.UpsamplingNearest2d(2), "UpsamplingNearest2d(size=2, mode='nearest')"),
        (nn.Unfold(2), "Unfold(kernel_size=2, dilation=1, padding=0, stride=1)"),
        (nn.Fold((4, 4), 2), "Fold(output_size=(4, 4), kernel_size=2, dilation=1, padding=0, stride=1)"),
        (nn.LocalResponseNorm(2), "LocalResponseNorm(2, alpha=0.0001, beta=0.75, k=1.0)"),
        (
            nn.InstanceNorm2d(3, affine=True, track_running_stats=True),
            "InstanceNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)",
        ),
        (nn.RMSNorm(3), "RMSNorm((3,), eps=None, elementwise_affine=True)"),
        (nn.PixelShuffle(2), "PixelShuffle(upscale_factor=2)"),
        (nn.PixelUnshuffle(2), "PixelUnshuffle(downscale_factor=2)"),
        (nn.ChannelShuffle(2), "ChannelShuffle(groups=2)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_texts(module: nn.Module, text: str) -> None:
    assert repr(module) == text


IMAGE = rustorch.arange(2 * 4 * 6 * 5).reshape(2, 4, 6, 5) / 100


@pytest.mark.parametrize(
    ("module", "function"),
    [
        (nn.ConstantPad2d((1, 2, 0, -1), 2.0), lambda x: F.pad(x, (1, 2, 0, -1), value=2.0)),
        (nn.ZeroPad2d(1), lambda x: F.pad(x, (1, 1, 1, 1))),
        (nn.ReflectionPad2d((1, 2, 3, 0)), lambda x: F.pad(x, (1, 2, 3, 0), "reflect")),
        (nn.ReplicationPad2d(2), lambda x: F.pad(x, (2, 2, 2, 2), "replicate")),
        (nn.CircularPad2d((1, 0, 2, 1)), lambda x: F.pad(x, (1, 0, 2, 1), "circular")),
        (nn.AdaptiveMaxPool2d((None, 2)), lambda x: F.adaptive_max_pool2d(x, (6, 2))),
        (nn.LPPool2d(2, 2), lambda x: F.lp_pool2d(x, 2, 2)),
        (nn.Upsample(scale_factor=1.5, mode="bilinear"), lambda x: F.interpolate(x, scale_factor=1.5, mode="bilinear")),
        (nn.UpsamplingBilinear2d((7, 9)), lambda x: F.upsample_bilinear(x, (7, 9))),
        (nn.UpsamplingNearest2d(scale_factor=2), lambda x: F.upsample_nearest(x, scale_factor=2)),
        (nn.Unfold((2, 3), padding=1), lambda x: F.unfold(x, (2, 3), padding=1)),
        (nn.PixelShuffle(2), lambda x: F.pixel_shuffle(x, 2)),
        (nn.PixelUnshuffle(1), lambda x: F.pixel_unshuffle(x, 1)),
        (nn.ChannelShuffle(2), lambda x: F.channel_shuffle(x, 2)),
        (nn.LocalResponseNorm(3), lambda x: F.local_response_norm(x, 3)),
        (nn.RMSNorm((6, 5), eps=1e-3), lambda x: F.rms_norm(x, (6, 5), eps=1e-3)),
        (nn.InstanceNorm2d(4), lambda x: F.instance_norm(x)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_modules_are_their_functions(module: nn.Module, function) -> None:
    np.testing.assert_array_equal(module(IMAGE).detach().numpy(force=True), function(IMAGE).numpy(force=True))


def test_fold_sums_what_unfold_spread() -> None:
    columns = nn.Unfold(2, stride=2)(IMAGE[..., :4])
    np.testing.assert_array_equal(
        nn.Fold((6, 4), 2, stride=2)(columns).numpy(force=True), IMAGE[..., :4].numpy(force=True)
    )


def test_unpooling_puts_maxima_back() -> None:
    pool, unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)
    values, indices = pool(IMAGE)
    back = unpool(values, indices, output_size=IMAGE.shape)
    assert back.shape == IMAGE.shape
    np.testing.assert_array_equal(pool(back)[0].numpy(force=True), values.numpy(force=True))


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", [1, "same"])
def test_convolutions_pad_with_what_is_inside(mode: str, padding: int | str) -> None:
    conv = nn.Conv2d(4, 2, 3, padding=padding, padding_mode=mode)
    want = F.conv2d(F.pad(IMAGE, (1, 1, 1, 1), mode), conv.weight, conv.bias)
    np.testing.assert_array_equal(conv(IMAGE).detach().numpy(force=True), want.detach().numpy(force=True))
    conv.padding_mode = "zeros"
    want = F.conv2d(IMAGE, conv.weight, conv.bias, padding=1)
    np.testing.assert_array_equal(conv(IMAGE).detach().numpy(force=True), want.detach().numpy(force=True))
    with pytest.raises(ValueError, match="padding_mode must be one of"):
        nn.Conv2d(1, 1, 1, padding_mode="mirror")


def test_transposed_convolutions_reach_the_wanted_size() -> None:
    layer = nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, groups=2)
    assert layer.weight.shape == (4, 3, 3, 3)
    assert layer(IMAGE).shape == (2, 6, 11, 9)
    assert layer(IMAGE, output_size=(12, 10)).shape == (2, 6, 12, 10)
    assert layer(IMAGE, output_size=(2, 6, 12, 9)).shape == (2, 6, 12, 9)
    assert layer(IMAGE[0]).shape == (6, 11, 9)
    with pytest.raises(ValueError, match="valid sizes range from"):
        layer(IMAGE, output_size=(13, 10))
    with pytest.raises(ValueError, match='Only "zeros"'):
        nn.ConvTranspose2d(1, 1, 1, padding_mode="reflect")
    bound = 1 / np.sqrt(3 * 9)
    assert abs(layer.weight.detach().numpy(force=True)).max() <= bound


def test_instance_norm_keeps_statistics() -> None:
    norm = nn.InstanceNorm1d(3, affine=True, track_running_stats=True)
    assert list(norm.state_dict()) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    x = rustorch.arange(24.0).reshape(2, 3, 4)
    norm(x)
    np.testing.assert_allclose(norm.running_mean.numpy(force=True), 0.1 * x.numpy(force=True).mean((0, 2)), rtol=1e-6)
    spread = x.numpy(force=True).var(2, ddof=1).mean(0)
    np.testing.assert_allclose(norm.running_var.numpy(force=True), 0.9 + 0.1 * spread, rtol=1e-6)
    norm.eval()
    assert norm(x[0]).shape == (3, 4)
    with pytest.raises(ValueError, match="expected 2D or 3D input"):
        norm(x[None])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: F.pad(IMAGE, (1,)), ValueError, "even"),
        (lambda: F.pad(IMAGE, (5, 0, 0, 0), "reflect"), ValueError, "smaller than the dimension"),
        (lambda: F.pad(IMAGE, (6, 0, 0, 0), "circular"), ValueError, "more than once"),
        (lambda: F.pad(IMAGE, (1, 1), "reflect"), ValueError, "not supported for a 4D input"),
        (lambda: F.pad(IMAGE, (1, 1), "mirror"), ValueError, "unrecognised padding mode"),
        (lambda: F.pad(IMAGE, (-3, -3)), ValueError, "not a size"),
        (lambda: F.interpolate(IMAGE), ValueError, "either size or scale_factor"),
        (lambda: F.interpolate(IMAGE, 3, 2.0), ValueError, "only one of size"),
        (lambda: F.interpolate(IMAGE, 3, mode="linear"), ValueError, "does not fit"),
        (lambda: F.interpolate(IMAGE, 3, align_corners=True), ValueError, "align_corners"),
        (lambda: F.interpolate(IMAGE, 0), ValueError, "greater than 0"),
        (lambda: F.interpolate(IMAGE, (3, 3, 3)), ValueError, "2 spatial dimensions"),
        (lambda: F.conv_transpose2d(IMAGE, rustorch.ones(4, 1, 2, 2), output_padding=1), ValueError, "output padding"),
        (lambda: F.conv_transpose2d(IMAGE, rustorch.ones(3, 1, 2, 2)), ValueError, "channels"),
        (lambda: F.max_unpool2d(IMAGE, IMAGE, 2), TypeError, "int64"),
        (lambda: F.max_unpool2d(IMAGE, IMAGE.long() + 999, 2), IndexError, "999|index"),
        (lambda: F.grid_sample(IMAGE, IMAGE), ValueError, "grid"),
        (lambda: F.grid_sample(IMAGE, rustorch.ones(2, 1, 1, 2), "cubic"), ValueError, "mode"),
        (lambda: F.fold(rustorch.ones(1, 8, 5), (4, 4), 2), ValueError, "expected"),
        (lambda: F.pixel_shuffle(IMAGE, 3), ValueError, "divisible"),
        (lambda: F.pixel_shuffle(IMAGE, 0), ValueError, "positive"),
        (lambda: F.fractional_max_pool2d(IMAGE, 2), ValueError, "output_size or an output_ratio"),
        (lambda: F.fractional_max_pool2d(IMAGE, 4, 5), ValueError, "too large"),
        (lambda: F.adaptive_max_pool2d(IMAGE.long(), 2), TypeError, "int64"),
        (lambda: F.instance_norm(IMAGE[..., :1, :1]), ValueError, "more than 1 spatial element"),
        (lambda: F.rms_norm(IMAGE, (4,)), ValueError, "normalized_shape"),
    ],
)
def test_what_does_not_fit_is_refused(call, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        call()
    assert isinstance(caught.value, rustorch.RusTorchError)


def test_fractional_pooling_draws_its_windows() -> None:
    rustorch.manual_seed(0)
    x = rustorch.rand(2, 3, 9, 8)
    values, indices = F.fractional_max_pool2d(x, (2, 3), output_ratio=(0.5, 0.4), return_indices=True)
    assert values.shape == (2, 3, 4, 3)
    picked = x.flatten(2).gather(2, indices.flatten(2)).reshape(values.shape)
    np.testing.assert_array_equal(picked.numpy(force=True), values.numpy(force=True))


def test_images_of_bytes_are_interpolated() -> None:
    x = rustorch.tensor([[[[0, 255], [255, 0]]]], dtype=rustorch.uint8)
    y = F.interpolate(x, (2, 4), mode="bilinear")
    assert y.dtype == rustorch.uint8
    assert y[0, 0, 0].tolist() == [0, 64, 191, 255]
