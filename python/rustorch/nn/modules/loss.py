"""Losses."""

from __future__ import annotations

import math
import warnings
from typing import Any, ClassVar

from rustorch._C import Tensor
from rustorch.nn import functional as F

from . import margin_loss, regression_loss
from ._loss_base import _Loss, _WeightedLoss
from .linear import Linear
from .margin_loss import *
from .regression_loss import *

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "L1Loss",
    "LinearCrossEntropyLoss",
    "MSELoss",
    "NLLLoss",
    "NLLLoss2d",
    *margin_loss.__all__,
    *regression_loss.__all__,
]

# PyTorch has all losses in this module, by whose name pickles find them.
for _name in (*margin_loss.__all__, *regression_loss.__all__):
    globals()[_name].__module__ = __name__


class MSELoss(_Loss):
    """Computes the squared difference of input and target (L2 loss).

    `l = (input - target)²`, reduced over all elements. Shapes that differ but broadcast are taken with a UserWarning.

    Args:
        size_average, reduce: PyTorch's former ways to say the reduction; anything but None is a TypeError.
            Default: None.
        reduction: 'mean' divides the sum by the number of elements, 'sum' adds them up, 'none' gives each.
            Default: 'mean'.

    Shape:
        input (*), target of the same shape; output () or, with reduction 'none', (*).

    Example:

    >>> loss = rustorch.nn.MSELoss()
    >>> loss(rustorch.tensor([1.0, 2.0]), rustorch.tensor([1.0, 4.0]))
    tensor(2.)
    """

    __constants__: ClassVar[list[str]] = ["reduction"]

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """Computes the absolute difference of input and target.

    `l = |input - target|`, reduced over all elements; the gradient is 0 where they are equal. Shapes that differ but
    broadcast are taken with a UserWarning.

    Args:
        size_average, reduce: PyTorch's former ways to say the reduction; anything but None is a TypeError.
            Default: None.
        reduction: 'mean' divides the sum by the number of elements, 'sum' adds them up, 'none' gives each.
            Default: 'mean'.

    Shape:
        input (*), target of the same shape; output () or, with reduction 'none', (*).

    Example:

    >>> loss = rustorch.nn.L1Loss()
    >>> loss(rustorch.tensor([1.0, 2.0]), rustorch.tensor([1.0, 4.0]))
    tensor(1.)
    """

    __constants__: ClassVar[list[str]] = ["reduction"]

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class NLLLoss(_WeightedLoss):
    """Computes the negative log-likelihood of class indices, given log-probabilities.

    `l[n] = -weight[y[n]] · input[n, y[n]]`. The mean is a weighted one: `Σ l[n] / Σ weight[y[n]]` over the targets that
    are not `ignore_index`; it is nan where all are ignored. The input holds logarithms of probabilities, as LogSoftmax
    gives them; CrossEntropyLoss takes logits.

    Args:
        weight: a factor per class (C); None counts every class once. Default: None.
        size_average, reduce: PyTorch's former ways to say the reduction; anything but None is a TypeError.
            Default: None.
        ignore_index: the target that adds neither to the loss nor to the gradient. Default: -100.
        reduction: 'mean' is the weighted mean above, 'sum' adds up, 'none' gives each. Default: 'mean'.

    Shape:
        input (N, C, *) or (C), target (N, *) or () with integers in [0, C) or `ignore_index`; output () or, with
        reduction 'none', the target's shape.

    Attributes:
        weight: the buffer with the factors (C), or None.

    Raises:
        IndexError: in forward, where a target is outside [0, C) and is not `ignore_index`.

    Example:

    >>> loss = rustorch.nn.NLLLoss()
    >>> log_probabilities = rustorch.tensor([[0.5, 0.5], [0.25, 0.75]]).log()
    >>> loss(log_probabilities, rustorch.tensor([0, 0]))
    tensor(1.0397)
    """

    __constants__: ClassVar[list[str]] = ["ignore_index", "reduction"]

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class NLLLoss2d(NLLLoss):
    """Is NLLLoss under the name that it had for images, of which it warns.

    Args:
        weight: as of NLLLoss. Default: None.
        size_average: as of NLLLoss. Default: None.
        ignore_index: as of NLLLoss. Default: -100.
        reduce: as of NLLLoss. Default: None.
        reduction: as of NLLLoss. Default: 'mean'.

    Shape:
        input (N, C, H, W), target (N, H, W); output () or, with reduction 'none', (N, H, W).

    Example:

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     loss = rustorch.nn.NLLLoss2d()
    >>> loss(rustorch.zeros(1, 2, 3, 3), rustorch.zeros(1, 3, 3, dtype=rustorch.int64))
    tensor(0.)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        warnings.warn(
            "`NLLLoss2d` has been deprecated. Please use `NLLLoss` instead as a drop-in replacement.",
            FutureWarning,
            stacklevel=2,
        )
        super().__init__(weight, size_average, ignore_index, reduce, reduction)


class CrossEntropyLoss(_WeightedLoss):
    """Computes the cross-entropy of logits with class indices or class probabilities.

    With indices, `l[n] = -weight[y[n]] · log softmax(input[n])[y[n]]`, and the mean is `Σ l[n] / Σ weight[y[n]]` over
    the targets that are not `ignore_index`. With probabilities (a floating-point target of the input's shape), `l[n] =
    -Σ_c weight[c] · y[n, c] · log softmax(input[n])[c]`, and the mean divides by the number of samples.
    `label_smoothing` ε replaces the target distribution y by `(1 - ε) y + ε / C` (C. Szegedy et al., 2016).

    Args:
        weight: a factor per class (C); None counts every class once. Default: None.
        size_average, reduce: PyTorch's former ways to say the reduction; anything but None is a TypeError.
            Default: None.
        ignore_index: the class index that adds neither to the loss nor to the gradient; for indices only.
            Default: -100.
        reduction: 'mean' as above, 'sum' adds up, 'none' gives each. Default: 'mean'.
        label_smoothing: the share ε in [0, 1] of the uniform distribution in the target. Default: 0.0.

    Shape:
        input (N, C, *) or (C); target (N, *) or () with integers in [0, C) or `ignore_index`, or probabilities of the
        input's shape; output () or, with reduction 'none', (N, *) or ().

    Attributes:
        weight: the buffer with the factors (C), or None.

    Raises:
        IndexError: in forward, where a target is outside [0, C) and is not `ignore_index`.

    Example:

    >>> loss = rustorch.nn.CrossEntropyLoss()
    >>> loss(rustorch.zeros(3, 4), rustorch.tensor([0, 1, 3]))
    tensor(1.3863)
    """

    __constants__: ClassVar[list[str]] = ["ignore_index", "reduction", "label_smoothing"]

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class BCELoss(_WeightedLoss):
    """Computes the binary cross-entropy of probabilities.

    `l = -weight · (target · log input + (1 - target) · log(1 - input))`, reduced over all elements. Logarithms are cut
    off at -100, so that the loss stays finite at 0 and 1. BCEWithLogitsLoss takes logits and loses no digits.

    Args:
        weight: a factor per element, which broadcasts to the input; None is 1. Default: None.
        size_average, reduce: PyTorch's former ways to say the reduction; anything but None is a TypeError.
            Default: None.
        reduction: 'mean' divides the sum by the number of elements, 'sum' adds them up, 'none' gives each.
            Default: 'mean'.

    Shape:
        input (*), target of the same shape; output () or, with reduction 'none', (*).

    Attributes:
        weight: the buffer with the factors, or None.

    Raises:
        RuntimeError: in forward, where the input is outside [0, 1].
        ValueError: in forward, where the shapes differ.

    Example:

    >>> loss = rustorch.nn.BCELoss()
    >>> loss(rustorch.tensor([0.5, 0.75]), rustorch.tensor([1.0, 1.0]))
    tensor(0.4904)
    """

    __constants__: ClassVar[list[str]] = ["reduction"]

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """Computes the binary cross-entropy of sigmoid(input), from the logits.

    `l = -weight · (pos_weight · target · log σ(input) + (1 - target) · log(1 - σ(input)))`, reduced over all elements.
    The sigmoid and the logarithm are computed as one, which neither overflows nor rounds to log 0.

    Args:
        weight: a factor per element, which broadcasts to the input; None is 1. Default: None.
        size_average, reduce: PyTorch's former ways to say the reduction; anything but None is a TypeError.
            Default: None.
        reduction: 'mean' divides the sum by the number of elements, 'sum' adds them up, 'none' gives each.
            Default: 'mean'.
        pos_weight: a factor of the positive part, which broadcasts to the target: above 1 it raises recall, below 1
            precision. Default: None.

    Shape:
        input (*), target of the same shape; output () or, with reduction 'none', (*).

    Attributes:
        weight: the buffer with the factors, or None.
        pos_weight: the buffer with the factors of the positive part, or None.

    Raises:
        ValueError: in forward, where the shapes differ.

    Example:

    >>> loss = rustorch.nn.BCEWithLogitsLoss()
    >>> loss(rustorch.zeros(2), rustorch.tensor([0.0, 1.0]))
    tensor(0.6931)
    """

    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class LinearCrossEntropyLoss(_WeightedLoss):
    """Computes the cross-entropy of a linear layer's outputs, the layer included.

    `l = cross_entropy(x Wᵀ + b, target)`: nn.Linear and CrossEntropyLoss as one layer. All logits are held at once.

    Args:
        in_features: the size of each input sample.
        num_classes: the number C of classes.
        out_features: the sizes of further dimensions of the logits: each sample has that many predictions. Default: ().
        bias: whether the layer adds a learned bias. Default: False.
        device, dtype: where the parameters are and of which dtype; None is the default. Default: None.
        reduction: 'mean', 'sum' or 'none', as for CrossEntropyLoss. Default: 'mean'.
        weight: a factor per class (C); None counts every class once. Default: None.
        ignore_index: the target that adds neither to the loss nor to the gradient; None is -100. It does not go with
            class probabilities. Default: None.
        label_smoothing: the share in [0, 1] of the uniform distribution in the target. Default: 0.0.

    Shape:
        input (N, in_features), or (in_features) without out_features; target (N, *out_features) or () with integers in
        [0, C), or class probabilities (N, C, *out_features) or (C); output () or, with reduction 'none',
        (N, *out_features) or ().

    Attributes:
        linear: the layer nn.Linear(in_features, C · Π out_features), with its own initial values.
        weight: the buffer with the factors (C), or None.

    Raises:
        RuntimeError: where the weight has another shape than (C), or label_smoothing is outside [0, 1].

    Example:

    >>> loss = rustorch.nn.LinearCrossEntropyLoss(8, 4)
    >>> round(loss(rustorch.zeros(3, 8), rustorch.tensor([0, 1, 3])).item(), 4)
    1.3863
    """

    __constants__: ClassVar[list[str]] = ["num_classes", "out_features", "reduction", "ignore_index", "label_smoothing"]

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        if weight is not None and tuple(weight.shape) != (num_classes,):
            raise RuntimeError(
                f"LinearCrossEntropyLoss: expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}"
            )
        if not 0 <= label_smoothing <= 1:
            raise RuntimeError(
                f"LinearCrossEntropyLoss: expected label_smoothing to be in range [0, 1], got {label_smoothing}"
            )
        super().__init__(weight, reduction=reduction)
        self.num_classes = num_classes
        self.out_features = out_features
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        self.linear = Linear(in_features, math.prod(out_features, start=num_classes), bias, device, dtype)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        shape = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.reshape(*shape, -1),
            target,
            linear_bias=None if bias is None else bias.reshape(*shape),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, out_features={self.out_features}, "
            f"bias={self.linear.bias is not None}, reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}"
        )
