"""Normalisation, convolution, pooling and sampling with all arguments in a row."""

from __future__ import annotations

from collections.abc import Sequence

from rustorch import _C
from rustorch._C import Tensor
from rustorch._naming import named
from rustorch.nn import _functional_ops as _ops

_MODES = ("bilinear", "nearest", "bicubic")
_PADDING_MODES = ("zeros", "border", "reflection")


@named
def batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """Normalises each channel of (N, C, *) over the batch, updating the running statistics, or by those.

    Args:
        input: (N, C, *).
        weight, bias: a factor and a summand per channel (C), or None.
        running_mean, running_var: the running statistics (C), which training updates, or None.
        training: whether the batch's own statistics are used.
        momentum: the batch's share in the new running statistics.
        eps: added to the variance.
        cudnn_enabled: without effect: the library chooses its kernels.

    Example:

    >>> rustorch.batch_norm(rustorch.tensor([[1.0], [3.0]]), None, None, None, None, True, 0.1, 1e-5, False)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    return _ops.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


@named
def instance_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """Normalises each channel of each sample of (N, C, *), updating the running statistics, or by those.

    Args:
        input: (N, C, *).
        weight, bias: a factor and a summand per channel (C), or None.
        running_mean, running_var: the running statistics (C), or None.
        use_input_stats: whether each sample's own statistics are used.
        momentum: the samples' share in the new running statistics.
        eps: added to the variance.
        cudnn_enabled: without effect: the library chooses its kernels.

    Example:

    >>> rustorch.instance_norm(rustorch.tensor([[[1.0, 3.0]]]), None, None, None, None, True, 0.1, 0.0, False)
    tensor([[[-1.,  1.]]])
    """
    return _ops.instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


@named
def convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Tensor:
    """Convolves a batch over one, two or three spatial dimensions, or does the transpose of that.

    Args:
        input: (N, C_in, *spatial).
        weight: (C_out, C_in / groups, *kernel), or (C_in, C_out / groups, *kernel) if transposed.
        bias: a summand per output channel (C_out), or None.
        stride: the step of the kernel along each spatial dimension.
        padding: the zeros beyond each end; if transposed, what is cut off there.
        dilation: the step between the kernel's elements.
        transposed: whether each input adds the kernel, times itself, to the output.
        output_padding: what a transposed convolution adds to one end; else without effect.
        groups: how many groups of channels are convolved apart.

    Raises:
        RuntimeError: where the weight has other than 3, 4 or 5 dimensions, or the input another number than it.

    Example:

    >>> x, weight = rustorch.ones(1, 1, 5), rustorch.ones(1, 1, 3)
    >>> rustorch.convolution(x, weight, None, [1], [0], [1], False, [0], 1)
    tensor([[[3., 3., 3.]]])
    """
    if weight.ndim not in (3, 4, 5) or input.ndim != weight.ndim:
        raise RuntimeError(
            f"convolution: expected an input and a weight of 3, 4 or 5 dimensions alike, got {input.ndim} "
            f"and {weight.ndim}"
        )
    dims = weight.ndim - 2
    if transposed:
        convolve = (_C.conv_transpose1d, _C.conv_transpose2d, _C.conv_transpose3d)[dims - 1]
        return convolve(input, weight, bias, stride, padding, output_padding, groups, dilation)
    return (_C.conv1d, _C.conv2d, _C.conv3d)[dims - 1](input, weight, bias, stride, padding, dilation, groups)


@named
def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = (),
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
) -> tuple[Tensor, Tensor]:
    """Takes the largest element of each window and its position in its line.

    Args:
        input: (N, C, L) or (C, L).
        kernel_size: the window's size.
        stride: the step between windows; () is kernel_size. Default: ().
        padding: how far windows reach beyond each end, at most half of kernel_size. Default: 0.
        dilation: the step between a window's elements. Default: 1.
        ceil_mode: whether the output's size is rounded up. Default: False.

    Example:

    >>> rustorch.max_pool1d_with_indices(rustorch.tensor([[1.0, 3.0, 2.0, 4.0]]), 2)[1]
    tensor([[1, 3]])
    """
    return _ops.max_pool1d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)


@named
def affine_grid_generator(theta: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """Makes the grid for grid_sampler() that an affine map makes of an image's points.

    Args:
        theta: the maps, (N, 2, 3) or (N, 3, 4).
        size: the image's sizes (N, C, H, W) or (N, C, D, H, W).
        align_corners: whether -1 and 1 are the corner pixels' centers, else their outer sides.

    Example:

    >>> theta = rustorch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> rustorch.affine_grid_generator(theta, (1, 1, 1, 2), True)
    tensor([[[[-1.,  0.],
              [ 1.,  0.]]]])
    """
    return _ops.affine_grid(theta, size, align_corners)


def _sampled(input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Tensor:
    if interpolation_mode not in (0, 1, 2):
        raise ValueError(
            f"interpolation_mode must be 0 (bilinear), 1 (nearest) or 2 (bicubic), got {interpolation_mode!r}"
        )
    if padding_mode not in (0, 1, 2):
        raise ValueError(f"padding_mode must be 0 (zeros), 1 (border) or 2 (reflection), got {padding_mode!r}")
    return _ops.grid_sample(input, grid, _MODES[interpolation_mode], _PADDING_MODES[padding_mode], align_corners)


@named
def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """Takes an image at the points of a grid; nn.functional.grid_sample() says more.

    Args:
        input: (N, C, H, W) or (N, C, D, H, W).
        grid: (N, H_out, W_out, 2) of (x, y), or (N, D_out, H_out, W_out, 3).
        interpolation_mode: 0 is bilinear, 1 nearest, 2 bicubic.
        padding_mode: what lies beyond the edge: 0 zeros, 1 the border, 2 a reflection.
        align_corners: whether -1 and 1 are the corner pixels' centers, else their outer sides.

    Example:

    >>> image, points = rustorch.tensor([[[[1.0, 3.0]]]]), rustorch.zeros(1, 1, 1, 2)
    >>> rustorch.grid_sampler(image, points, 0, 0, True)
    tensor([[[[2.]]]])
    """
    return _sampled(input, grid, interpolation_mode, padding_mode, align_corners)


@named
def grid_sampler_2d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """Does what grid_sampler() does, of an image alone.

    Args:
        input: (N, C, H, W); another number of dimensions is a RuntimeError.
        grid: (N, H_out, W_out, 2) of (x, y).
        interpolation_mode: 0 is bilinear, 1 nearest, 2 bicubic.
        padding_mode: what lies beyond the edge: 0 zeros, 1 the border, 2 a reflection.
        align_corners: whether -1 and 1 are the corner pixels' centers, else their outer sides.

    Example:

    >>> image, points = rustorch.tensor([[[[1.0, 3.0]]]]), rustorch.zeros(1, 1, 1, 2)
    >>> rustorch.grid_sampler_2d(image, points, 1, 0, False).shape
    rustorch.Size([1, 1, 1, 1])
    """
    _check_dimensions("grid_sampler_2d", input, 4)
    return _sampled(input, grid, interpolation_mode, padding_mode, align_corners)


@named
def grid_sampler_3d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """Does what grid_sampler() does, of a volume alone.

    Args:
        input: (N, C, D, H, W); another number of dimensions is a RuntimeError.
        grid: (N, D_out, H_out, W_out, 3) of (x, y, z).
        interpolation_mode: 0 is bilinear, 1 nearest; bicubic is not defined for volumes.
        padding_mode: what lies beyond the edge: 0 zeros, 1 the border, 2 a reflection.
        align_corners: whether -1 and 1 are the corner voxels' centers, else their outer sides.

    Example:

    >>> volume, points = rustorch.ones(1, 1, 2, 2, 2), rustorch.zeros(1, 1, 1, 1, 3)
    >>> rustorch.grid_sampler_3d(volume, points, 0, 0, True)
    tensor([[[[[1.]]]]])
    """
    _check_dimensions("grid_sampler_3d", input, 5)
    return _sampled(input, grid, interpolation_mode, padding_mode, align_corners)


def _check_dimensions(name: str, input: Tensor, dimensions: int) -> None:
    if input.ndim != dimensions:
        raise RuntimeError(f"{name}: expected an input of {dimensions} dimensions, got {input.ndim}")
