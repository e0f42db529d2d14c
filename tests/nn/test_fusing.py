"""Norms folded into the layers before them, weights in another order, and modules that are not initialised."""

import pytest

import rustorch
from rustorch import nn
from rustorch.nn import utils


def trained(norm: nn.Module) -> nn.Module:
    for tensor in norm.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.5, 2)
    return norm.eval()


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("kind", ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose2d"])
def test_a_convolution_takes_in_the_norm_behind_it(kind: str, affine: bool, bias: bool) -> None:
    conv = getattr(nn, kind)(3, 4, 2, bias=bias, dtype=rustorch.float64).eval()
    norm = trained(getattr(nn, f"BatchNorm{kind[-2:]}")(4, affine=affine, dtype=rustorch.float64))
    before = conv.weight.detach().clone()
    fused = utils.fuse_conv_bn_eval(conv, norm, "Transpose" in kind)
    x = rustorch.randn(2, 3, *[4] * int(kind[-2]), dtype=rustorch.float64)
    assert rustorch.allclose(fused(x), norm(conv(x)))
    assert type(fused) is type(conv)
    assert isinstance(fused.bias, nn.Parameter)
    assert rustorch.equal(conv.weight, before)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("features", [4, 1])
def test_a_linear_layer_takes_in_the_norm_behind_it(features: int, bias: bool) -> None:
    linear = nn.Linear(3, 4, bias=bias, dtype=rustorch.float64).eval()
    norm = trained(nn.BatchNorm1d(features, dtype=rustorch.float64))
    x = rustorch.randn(5, 3, dtype=rustorch.float64)
    want = norm(linear(x)) if features == 4 else norm(linear(x).reshape(-1, 1)).reshape(5, 4)
    assert rustorch.allclose(utils.fuse_linear_bn_eval(linear, norm)(x), want)


def test_what_cannot_be_fused_is_refused() -> None:
    errors = (ValueError, AssertionError)
    with pytest.raises(errors, match="only for eval"):
        utils.fuse_conv_bn_eval(nn.Conv2d(3, 4, 2), nn.BatchNorm2d(4).eval())
    with pytest.raises(errors, match="running_mean"):
        utils.fuse_conv_bn_eval(nn.Conv2d(3, 4, 2).eval(), nn.BatchNorm2d(4, track_running_stats=False).eval())
    with pytest.raises(errors, match=r"bn\.num_features=3"):
        utils.fuse_linear_bn_eval(nn.Linear(3, 4).eval(), nn.BatchNorm1d(3).eval())


def test_weights_change_their_order_in_memory_only() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 2), nn.Conv3d(3, 4, 2), nn.ConvTranspose2d(4, 3, 2), nn.Linear(3, 4))
    before = [parameter.detach().clone() for parameter in net.parameters()]
    assert utils.convert_conv2d_weight_memory_format(net, rustorch.channels_last) is net
    last = {"memory_format": rustorch.channels_last}
    assert net[0].weight.is_contiguous(**last)
    assert net[2].weight.is_contiguous(**last)
    assert net[1].weight.is_contiguous()
    utils.convert_conv3d_weight_memory_format(net, rustorch.channels_last_3d)
    assert net[1].weight.is_contiguous(memory_format=rustorch.channels_last_3d)
    assert all(rustorch.equal(one, other) for one, other in zip(net.parameters(), before, strict=True))


def test_skip_init_draws_nothing() -> None:
    before = rustorch.get_rng_state()
    layer = utils.skip_init(nn.Linear, 5, 3, bias=False, dtype=rustorch.float64)
    assert rustorch.equal(rustorch.get_rng_state(), before)
    assert (tuple(layer.weight.shape), layer.bias, layer.weight.dtype) == ((3, 5), None, rustorch.float64)
    assert layer.weight.device.type == "cpu"
    layer.reset_parameters()
    assert not rustorch.equal(rustorch.get_rng_state(), before)
    with pytest.raises(RuntimeError, match="Expected a Module"):
        utils.skip_init(int)
    with pytest.raises(RuntimeError, match="must support a 'device' arg"):
        utils.skip_init(nn.ReLU)
