"""The functions of neural networks, under PyTorch's names and with its arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rustorch import _C
from rustorch._C import (
    Tensor,
    celu_ as celu_,
    conv1d as _conv1d,
    conv2d as _conv2d,
    conv3d as _conv3d,
    group_norm as group_norm,
    hardshrink as hardshrink,
    layer_norm as layer_norm,
    prelu as prelu,
    rrelu_ as rrelu_,
    selu_ as selu_,
    sigmoid as sigmoid,
    tanh as tanh,
    threshold_ as threshold_,
)

from . import _functional_ops as _ops
from ._functional.activation import (
    celu as celu,
    elu as elu,
    hardsigmoid as hardsigmoid,
    hardswish as hardswish,
    hardtanh as hardtanh,
    leaky_relu as leaky_relu,
    log_softmax as log_softmax,
    mish as mish,
    relu as relu,
    relu6 as relu6,
    relu_ as relu_,
    rrelu as rrelu,
    selu as selu,
    silu as silu,
    softmax as softmax,
    softmin as softmin,
    threshold as threshold,
)
from ._functional.dropout import (
    alpha_dropout as alpha_dropout,
    dropout as dropout,
    dropout1d as dropout1d,
    dropout2d as dropout2d,
    dropout3d as dropout3d,
    feature_alpha_dropout as feature_alpha_dropout,
)
from ._functional.loss import (
    binary_cross_entropy as binary_cross_entropy,
    binary_cross_entropy_with_logits as binary_cross_entropy_with_logits,
    cosine_embedding_loss as cosine_embedding_loss,
    cross_entropy as cross_entropy,
    hinge_embedding_loss as hinge_embedding_loss,
    huber_loss as huber_loss,
    kl_div as kl_div,
    l1_loss as l1_loss,
    margin_ranking_loss as margin_ranking_loss,
    mse_loss as mse_loss,
    multi_margin_loss as multi_margin_loss,
    multilabel_margin_loss as multilabel_margin_loss,
    multilabel_soft_margin_loss as multilabel_soft_margin_loss,
    nll_loss as nll_loss,
    poisson_nll_loss as poisson_nll_loss,
    smooth_l1_loss as smooth_l1_loss,
    soft_margin_loss as soft_margin_loss,
    triplet_margin_loss as triplet_margin_loss,
    triplet_margin_with_distance_loss as triplet_margin_with_distance_loss,
)
from ._functional.sparse import embedding as embedding, embedding_bag as embedding_bag
from ._functional_ops import (
    batch_norm as batch_norm,
    bilinear as bilinear,
    cosine_similarity as cosine_similarity,
    elu_ as elu_,
    gaussian_nll_loss as gaussian_nll_loss,
    gelu as gelu,
    glu as glu,
    gumbel_softmax as gumbel_softmax,
    hardtanh_ as hardtanh_,
    leaky_relu_ as leaky_relu_,
    linear as linear,
    linear_cross_entropy as linear_cross_entropy,
    logsigmoid as logsigmoid,
    normalize as normalize,
    one_hot as one_hot,
    pairwise_distance as pairwise_distance,
    pdist as pdist,
    softplus as softplus,
    softshrink as softshrink,
    softsign as softsign,
    tanhshrink as tanhshrink,
)

Size = int | Sequence[int]


# Layers


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: str | Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """1-D convolution: input (N, C_in, L) or (C_in, L), weight (C_out, C_in / groups, K)."""
    if isinstance(padding, str):
        return _C._conv_padded(input, weight, bias, stride, padding, dilation, groups)
    return _conv1d(input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: str | Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """2-D convolution: input (N, C_in, H, W) or (C_in, H, W), weight (C_out, C_in / groups, KH, KW)."""
    if isinstance(padding, str):
        return _C._conv_padded(input, weight, bias, stride, padding, dilation, groups)
    return _conv2d(input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: str | Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """3-D convolution: input (N, C_in, D, H, W) or (C_in, D, H, W), weight (C_out, C_in / groups, KD, KH, KW)."""
    if isinstance(padding, str):
        return _C._conv_padded(input, weight, bias, stride, padding, dilation, groups)
    return _conv3d(input, weight, bias, stride, padding, dilation, groups)


# Pooling


def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = True,
) -> tuple[Tensor, Tensor]:
    """As max_pool1d(), with the position of each maximum."""
    return _ops.max_pool1d_with_indices(input, kernel_size, _step(stride), padding, dilation, ceil_mode)


def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = True,
) -> tuple[Tensor, Tensor]:
    """As max_pool2d(), with the flat position of each maximum in its plane."""
    return _ops.max_pool2d_with_indices(input, kernel_size, _step(stride), padding, dilation, ceil_mode)


def max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = True,
) -> tuple[Tensor, Tensor]:
    """As max_pool3d(), with the flat position of each maximum in its volume."""
    return _ops.max_pool3d_with_indices(input, kernel_size, _step(stride), padding, dilation, ceil_mode)


def _step(stride: Size | None) -> Size:
    """The stride in the core's form, where nothing means the kernel's size."""
    return () if stride is None else stride


def max_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of (N, C, L) or (C, L); with `return_indices` also where it was."""
    if return_indices:
        return max_pool1d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return _C.max_pool1d(input, kernel_size, _step(stride), padding, dilation, ceil_mode)


def max_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of (N, C, H, W) or (C, H, W); with `return_indices` also where it was."""
    if return_indices:
        return max_pool2d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return _C.max_pool2d(input, kernel_size, _step(stride), padding, dilation, ceil_mode)


def max_pool3d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of (N, C, D, H, W) or (C, D, H, W); `return_indices` tells where it was."""
    if return_indices:
        return max_pool3d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return _C.max_pool3d(input, kernel_size, _step(stride), padding, dilation, ceil_mode)


def avg_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of (N, C, L) or (C, L)."""
    return _C.avg_pool1d(input, kernel_size, _step(stride), padding, ceil_mode, count_include_pad)


def avg_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of (N, C, H, W) or (C, H, W)."""
    return _ops.avg_pool2d(input, kernel_size, _step(stride), padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W)."""
    return _ops.avg_pool3d(input, kernel_size, _step(stride), padding, ceil_mode, count_include_pad, divisor_override)


def _output_size(input: Tensor, output_size: int | Sequence[int | None] | None, dimensions: int) -> list[int]:
    """The sizes, with the input's own for None."""
    sizes = list(output_size) if isinstance(output_size, Iterable) else [output_size] * dimensions
    if len(sizes) > input.ndim:
        raise ValueError(f"Input dimension should be at least {len(sizes) + 1}")
    return [own if size is None else size for size, own in zip(sizes, input.shape[-len(sizes) :], strict=True)]


def adaptive_avg_pool1d(input: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor:
    """The means of `output_size` windows that cover (N, C, L) or (C, L)."""
    return _C.adaptive_avg_pool1d(input, _output_size(input, output_size, 1))


def adaptive_avg_pool2d(input: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor:
    """The means of windows that cover (N, C, H, W) or (C, H, W), `output_size` of them per dimension."""
    return _ops.adaptive_avg_pool2d(input, _output_size(input, output_size, 2))


def adaptive_avg_pool3d(input: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor:
    """The means of windows that cover (N, C, D, H, W) or (C, D, H, W), `output_size` of them per dimension."""
    return _ops.adaptive_avg_pool3d(input, _output_size(input, output_size, 3))
