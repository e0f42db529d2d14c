"""Convolutions."""

from __future__ import annotations

from collections.abc import Sequence

from rustorch import _C
from rustorch._C import Tensor

Size = int | Sequence[int]


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
    return _C.conv1d(input, weight, bias, stride, padding, dilation, groups)


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
    return _C.conv2d(input, weight, bias, stride, padding, dilation, groups)


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
    return _C.conv3d(input, weight, bias, stride, padding, dilation, groups)
