"""Pooling, unfolding and resampling."""

import numpy as np
import pytest

import rustorch
from rustorch import nn
from rustorch.nn import functional as F

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


def test_pools_with_indices_and_open_sizes() -> None:
    x = rustorch.arange(24.0).view(1, 1, 4, 6)
    values, indices = nn.MaxPool2d(2, return_indices=True)(x)
    assert values.tolist() == [[[[7, 9, 11], [19, 21, 23]]]]
    assert indices.tolist() == [[[[7, 9, 11], [19, 21, 23]]]]
    assert nn.AdaptiveAvgPool2d((1, None))(x).tolist() == [[[[9, 10, 11, 12, 13, 14]]]]
