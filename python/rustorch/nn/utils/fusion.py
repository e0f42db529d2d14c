"""Batch normalisation folded into the layer before it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, TypeVar

from rustorch import _C
from rustorch._C import Tensor
from rustorch.nn.parameter import Parameter

if TYPE_CHECKING:
    from rustorch.nn.modules.batchnorm import _BatchNorm
    from rustorch.nn.modules.conv import _ConvNd
    from rustorch.nn.modules.linear import Linear

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]

Convolution = TypeVar("Convolution", bound="_ConvNd")
Dense = TypeVar("Dense", bound="Linear")


def _statistics(name: str, layer: _ConvNd | Linear, bn: _BatchNorm) -> tuple[Tensor, Tensor]:
    if layer.training or bn.training:
        raise ValueError(f"{name}: Fusion only for eval! Both modules must be in eval()")
    if bn.running_mean is None or bn.running_var is None:
        raise ValueError(f"{name}: the norm has no running_mean and running_var; track_running_stats=True keeps them")
    return bn.running_mean, bn.running_var


def fuse_conv_bn_eval(conv: Convolution, bn: _BatchNorm, transpose: bool = False) -> Convolution:
    """Gives a convolution that computes what a convolution and the norm behind it do, both in eval().

    Args:
        conv: the convolution, which stays as it is.
        bn: the batch normalisation behind it.
        transpose: whether it is a transposed convolution. Default: False.

    Raises:
        ValueError: where one is in train(), or the norm has no running statistics.

    Example:

    >>> conv, norm = rustorch.nn.Conv2d(3, 4, 3).eval(), rustorch.nn.BatchNorm2d(4).eval()
    >>> x = rustorch.randn(2, 3, 5, 5)
    >>> rustorch.allclose(rustorch.nn.utils.fuse_conv_bn_eval(conv, norm)(x), norm(conv(x)), atol=1e-5)
    True
    """
    mean, var = _statistics("fuse_conv_bn_eval", conv, bn)
    fused = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, mean, var, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Gives the weight and bias of a convolution that computes what a convolution and the norm behind it do.

    With `s = bn_w / √(bn_rv + bn_eps)` for each channel: `weight = s · conv_w`, `bias = s · (conv_b - bn_rm) + bn_b`.

    Args:
        conv_w: the convolution's weight.
        conv_b: its bias, or None.
        bn_rm: the norm's running mean.
        bn_rv: its running variance.
        bn_eps: its eps.
        bn_w: its weight; None is ones.
        bn_b: its bias; None is zeros.
        transpose: whether it is a transposed convolution, whose weight has the outputs second. Default: False.

    Example:

    >>> weight, norm = rustorch.ones(1, 1, 1), rustorch.nn.BatchNorm1d(1, eps=0.0)
    >>> mean, var = rustorch.tensor([2.0]), rustorch.tensor([4.0])
    >>> [p.item() for p in rustorch.nn.utils.fuse_conv_bn_weights(weight, None, mean, var, 0.0, None, None)]
    [0.5, -1.0]
    """
    scale = _C.rsqrt(bn_rv + bn_eps)
    if bn_w is not None:
        scale = scale * bn_w
    shape = [1, -1] if transpose else [-1, 1]
    weight = conv_w * scale.reshape(shape + [1] * (conv_w.ndim - 2))
    return _fused(conv_w, conv_b, weight, scale, bn_rm, bn_b)


def _fused(
    old_weight: Tensor, old_bias: Tensor | None, weight: Tensor, scale: Tensor, mean: Tensor, shift: Tensor | None
) -> tuple[Parameter, Parameter]:
    """The parameters of a layer whose outputs, without a bias, are those of `weight`."""
    bias = (-mean if old_bias is None else old_bias - mean) * scale
    if shift is not None:
        bias = bias + shift
    dtype, learned = (old_weight.dtype, False) if old_bias is None else (old_bias.dtype, old_bias.requires_grad)
    return (
        Parameter(weight.detach().to(old_weight.dtype), old_weight.requires_grad),
        Parameter(bias.detach().to(dtype), learned),
    )


def fuse_linear_bn_eval(linear: Dense, bn: _BatchNorm) -> Dense:
    """Gives a linear layer that computes what a linear layer and the norm behind it do, both in eval().

    Args:
        linear: the linear layer, which stays as it is.
        bn: the batch normalisation behind it, of as many features, or of one.

    Raises:
        ValueError: where one is in train(), the norm has no running statistics, or another number of features.

    Example:

    >>> linear, norm = rustorch.nn.Linear(3, 4).eval(), rustorch.nn.BatchNorm1d(4).eval()
    >>> x = rustorch.randn(2, 3)
    >>> rustorch.allclose(rustorch.nn.utils.fuse_linear_bn_eval(linear, norm)(x), norm(linear(x)), atol=1e-5)
    True
    """
    mean, var = _statistics("fuse_linear_bn_eval", linear, bn)
    if bn.num_features not in (linear.out_features, 1):
        raise ValueError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"linear.out_features={linear.out_features} and bn.num_features={bn.num_features}"
        )
    fused = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(fused.weight, fused.bias, mean, var, bn.eps, bn.weight, bn.bias)
    return fused


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """Gives the weight and bias of a linear layer that computes what a linear layer and the norm behind it do.

    The formulas are those of fuse_conv_bn_weights().

    Args:
        linear_w: the linear layer's weight.
        linear_b: its bias, or None.
        bn_rm: the norm's running mean.
        bn_rv: its running variance.
        bn_eps: its eps.
        bn_w: its weight; None is ones.
        bn_b: its bias; None is zeros.

    Example:

    >>> mean, var = rustorch.tensor([2.0]), rustorch.tensor([4.0])
    >>> parts = rustorch.nn.utils.fuse_linear_bn_weights(rustorch.ones(1, 1), None, mean, var, 0.0, None, None)
    >>> [p.item() for p in parts]
    [0.5, -1.0]
    """
    scale = _C.rsqrt(bn_rv + bn_eps)
    if bn_w is not None:
        scale = scale * bn_w
    # A norm of one feature is for all outputs.
    mean = bn_rm.expand(linear_w.shape[0])
    return _fused(linear_w, linear_b, linear_w * scale.unsqueeze(-1), scale, mean, bn_b)
