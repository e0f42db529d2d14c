"""What losses share."""

from __future__ import annotations

from rustorch._C import Tensor
from rustorch.nn._options import check_reduction

from .module import Module


class _Loss(Module):
    """A loss; `reduction` is 'mean', 'sum' or 'none'."""

    # Where PyTorch has it.
    __module__ = "rustorch.nn.modules.loss"

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        check_reduction(self._get_name(), size_average, reduce)
        self.reduction = reduction


class _WeightedLoss(_Loss):
    """A loss with a weight per class or element."""

    # Where PyTorch has it.
    __module__ = "rustorch.nn.modules.loss"

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
