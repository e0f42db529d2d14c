"""Convolutions and their transposes."""

import numpy as np
import pytest

import rustorch
from rustorch import nn
from rustorch.nn import functional as F

from tests.sample import to_array

IMAGE = rustorch.arange(2 * 4 * 6 * 5).reshape(2, 4, 6, 5) / 100


def test_the_convolutions_of_a_layer_and_of_both_namespaces_are_one_function() -> None:
    for name in ("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"):
        assert getattr(F, name) is getattr(rustorch, name)


def test_a_convolution_computes_through_conv_forward_which_a_subclass_may_replace() -> None:
    class Standardized(nn.Conv2d):
        def _conv_forward(
            self, input: rustorch.Tensor, weight: rustorch.Tensor, bias: rustorch.Tensor | None
        ) -> rustorch.Tensor:
            return super()._conv_forward(input, weight / weight.norm(), bias)

    for mode in ("zeros", "reflect", "circular"):
        layer = Standardized(2, 3, 3, padding=(1, 2), padding_mode=mode)
        plain = nn.Conv2d(2, 3, 3, padding=(1, 2), padding_mode=mode)
        plain.load_state_dict(layer.state_dict())
        with rustorch.no_grad():
            plain.weight /= layer.weight.norm()
        x = rustorch.randn(1, 2, 4, 5)
        np.testing.assert_allclose(to_array(layer(x)), to_array(plain(x)), rtol=1e-6, atol=1e-6)


def test_a_changed_setting_changes_what_a_layer_computes() -> None:
    x = rustorch.rand(1, 2, 7, 7)
    conv = nn.Conv2d(2, 3, 3)
    conv.stride = (2, 2)
    conv.padding = (1, 1)
    np.testing.assert_array_equal(
        conv(x).detach().numpy(force=True), F.conv2d(x, conv.weight, conv.bias, 2, 1).detach().numpy(force=True)
    )
    norm = nn.LayerNorm(7)
    norm.eps = 1.0
    np.testing.assert_allclose(
        norm(x).detach().numpy(force=True), F.layer_norm(x, (7,), eps=1.0).numpy(force=True), rtol=1e-6, atol=1e-7
    )


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_same_padding_puts_the_odd_zero_at_the_end() -> None:
    x = rustorch.arange(4.0).view(1, 1, 4)
    weight = rustorch.tensor([[[1.0, 10.0]]])
    assert F.conv1d(x, weight, padding="same").tolist() == [[[10, 21, 32, 3]]]
    assert F.conv1d(x, weight, padding="valid").tolist() == [[[10, 21, 32]]]
    with pytest.raises((ValueError, RuntimeError), match="strided"):
        nn.Conv1d(1, 1, 2, stride=2, padding="same")


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
