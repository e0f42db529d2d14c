"""Windows of images as columns, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rustorch._C import Tensor
from rustorch.nn import functional as F

from .module import Module

__all__ = ["Fold", "Unfold"]

Size = int | Sequence[int]


class Fold(Module):
    """Adds columns to an image, each where its window lies.

        out[n, c, s·y + d·i - p, s·x + d·j - p] += in[n, (c, i, j), l]    for each column l, of the window at (y, x)

    It is the transpose of Unfold, and its inverse only where windows do not overlap: where they do, their values are
    added. With stride s, dilation d and padding p of each dimension; what falls into the padding is dropped.

    Args:
        output_size: Height and width of the output; one number, or one per dimension.
        kernel_size: Size of the window; one number, or one per dimension.
        dilation: Distance between neighbouring positions of a window; one number, or one per dimension. Default: 1.
        padding: Positions at both ends that are not part of the output; one number, or one per dimension. Default: 0.
        stride: Step between neighbouring windows; one number, or one per dimension. Default: 1.

    Shape:
        input: (N, C · kernel_size[0] · kernel_size[1], L), or without N, where L is the number of windows,

        L = Π_i (⌊(output_size[i] + 2·padding[i] - dilation[i]·(kernel_size[i] - 1) - 1) / stride[i]⌋ + 1)

        output: (N, C, output_size[0], output_size[1]), or without N.

    Raises:
        ShapeMismatchError: An input has other dimensions than these settings make.

    Example:

    >>> fold = rustorch.nn.Fold(output_size=(4, 5), kernel_size=(2, 2))
    >>> fold(rustorch.ones(1, 3 * 2 * 2, 12)).shape
    rustorch.Size([1, 3, 4, 5])
    >>> rustorch.nn.Fold((2, 3), 2)(rustorch.ones(4, 2))
    tensor([[[1., 2., 1.],
             [1., 2., 1.]]])
    """

    __constants__: ClassVar[list[str]] = ["output_size", "kernel_size", "dilation", "padding", "stride"]

    def __init__(
        self, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )


class Unfold(Module):
    """Gives the windows of images as columns.

        out[n, (c, i, j), l] = in[n, c, s·y + d·i - p, s·x + d·j - p]

    Column l is the window at position (y, x), row after row; its C · kernel_size[0] · kernel_size[1] elements stand
    channel after channel. A product of a weight with the columns is a convolution. Outside the input stand zeros. With
    stride s, dilation d and padding p of each dimension.

    Args:
        kernel_size: Size of the window; one number, or one per dimension.
        dilation: Distance between neighbouring positions of a window; one number, or one per dimension. Default: 1.
        padding: Zeros added at both ends; one number, or one per dimension. Default: 0.
        stride: Step between neighbouring windows; one number, or one per dimension. Default: 1.

    Shape:
        input: (N, C, H, W), or (C, H, W) without a batch.
        output: (N, C · kernel_size[0] · kernel_size[1], L), or without N, where L = L_H · L_W,

        L_H = ⌊(H + 2·padding[0] - dilation[0]·(kernel_size[0] - 1) - 1) / stride[0]⌋ + 1
        L_W = ⌊(W + 2·padding[1] - dilation[1]·(kernel_size[1] - 1) - 1) / stride[1]⌋ + 1

    Raises:
        ShapeMismatchError: An input has neither 3 nor 4 dimensions, or is smaller than a window.

    Example:

    >>> unfold = rustorch.nn.Unfold(kernel_size=(2, 3))
    >>> unfold(rustorch.ones(2, 5, 3, 4)).shape
    rustorch.Size([2, 30, 4])
    >>> rustorch.nn.Unfold(2)(rustorch.arange(6.0).reshape(1, 2, 3))
    tensor([[0., 1.],
            [1., 2.],
            [3., 4.],
            [4., 5.]])
    """

    __constants__: ClassVar[list[str]] = ["kernel_size", "dilation", "padding", "stride"]

    def __init__(self, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
