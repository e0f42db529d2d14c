"""Batch normalisation."""

from __future__ import annotations

from typing import Any, ClassVar

import rustorch
from rustorch._C import Tensor
from rustorch.nn import functional as F, init
from rustorch.nn.parameter import Parameter, UninitializedBuffer, UninitializedParameter

from .lazy import LazyModuleMixin, described_lazily
from .module import Module

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "SyncBatchNorm",
]

_BATCH_NORM = """Normalises each channel of {input} to mean 0 and variance 1 over {over}: batch normalisation.

    out = (in - mean) / √(var + eps) · weight + bias

with a mean, a variance, a weight and a bias for each channel.

In train(), mean and var are those of the batch, where var divides by the number of values, and the running
statistics take a share of them:

    running = (1 - momentum) · running + momentum · batch

The variance that enters here divides by the number of values less one. In eval(), mean and var are the running
statistics, so that an output does not depend on the rest of its batch; with track_running_stats=False they are
the batch's there too. Source: Ioffe and Szegedy, 2015.

Args:
    num_features: Channels C of the input.
    eps: What is added to the variance, so that constant channels do not divide by zero. Default: 1e-5.
    momentum: Share of a new batch in the running statistics, or None for the plain average of all batches.
        Default: 0.1.
    affine: Whether each channel has a learned weight and bias. Default: True.
    track_running_stats: Whether running statistics are kept; without them eval() normalises by the batch.
        Default: True.
    device, dtype: Where parameters and statistics are, and their dtype. Default: None, the default ones.
    bias: Whether the learned bias is there; False leaves the weight alone. Default: True.

Shape:
    input: {input}, with C = num_features.
    output: the same.

Attributes:
    weight: (C), ones at first; None with affine=False.
    bias: (C), zeros at first; None with affine=False or bias=False.
    running_mean: (C), a buffer of zeros at first; None with track_running_stats=False, as the next two.
    running_var: (C), a buffer of ones at first.
    num_batches_tracked: How many batches the running statistics have seen, a buffer.

Raises:
    ValueError: An input has another number of dimensions.
    ShapeMismatchError: An input has another number of channels, or in training a single value per channel.

Example:

{example}
"""


class _NormBase(Module):
    """What batch and instance normalisation share: factors and summands of channels, and running statistics."""

    __constants__: ClassVar[list[str]] = ["track_running_stats", "momentum", "eps", "num_features", "affine"]

    # Since version 2 num_batches_tracked is a part of the state.
    _version = 2

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats

        def per_channel() -> Tensor:
            return rustorch.empty((num_features,), device=device, dtype=dtype)

        self.register_parameter("weight", Parameter(per_channel()) if affine else None)
        self.register_parameter("bias", Parameter(per_channel()) if affine and bias else None)
        self.register_buffer("running_mean", per_channel() if track_running_stats else None)
        self.register_buffer("running_var", per_channel() if track_running_stats else None)
        count = rustorch.zeros((), dtype=rustorch.int64, device=device) if track_running_stats else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Sets the running statistics back to those of no batch."""
        for buffer, value in ((self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)):
            if buffer is not None:
                buffer.fill_(value)

    def reset_parameters(self) -> None:
        """Sets the parameters and the running statistics back to their initial values."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], *others: Any
    ) -> None:
        if local_metadata.get("version", 1) < 2 and self.num_batches_tracked is not None:
            state_dict.setdefault(f"{prefix}num_batches_tracked", self.num_batches_tracked)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *others)

    def _check_input_dim(self, input: Tensor) -> None:
        """Refuses an input of another number of dimensions; every subclass has its own."""
        raise NotImplementedError

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_NormBase):
    """Batch normalisation of inputs of as many dimensions as its class says."""

    _ndims: ClassVar[tuple[int, ...]]

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim not in self._ndims:
            expected = " or ".join(f"{ndim}D" for ndim in self._ndims)
            raise ValueError(f"expected {expected} input (got {input.ndim}D input)")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        updates = self.training and self.track_running_stats
        if updates and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                momentum = 1.0 / float(self.num_batches_tracked)
        mean, var = self.running_mean, self.running_var
        # Without running statistics the batch's own serve in both modes.
        by_batch = self.training or mean is None or var is None
        if by_batch and not updates:
            mean = var = None
        return F.batch_norm(input, mean, var, self.weight, self.bias, by_batch, momentum, self.eps)


class _LazyNormBase(LazyModuleMixin, _NormBase):
    """What lazy norms share: the number of channels is that of the first input."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, False, False, device, dtype, bias=False)
        self.affine = affine
        self.track_running_stats = track_running_stats
        if affine:
            self.weight = UninitializedParameter(device=device, dtype=dtype)
            if bias:
                self.bias = UninitializedParameter(device=device, dtype=dtype)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(device=device, dtype=dtype)
            self.running_var = UninitializedBuffer(device=device, dtype=dtype)
            self.num_batches_tracked = rustorch.zeros((), dtype=rustorch.int64, device=device)

    def reset_parameters(self) -> None:
        """Sets parameters and running statistics back to their initial values, where they have shapes."""
        if not self.has_uninitialized_params() and self.num_features != 0:
            super().reset_parameters()

    def _channels(self, input: Tensor) -> int:
        """The number of channels of an input that fits."""
        self._check_input_dim(input)
        return input.shape[1]

    def initialize_parameters(self, input: Tensor) -> None:
        """Materializes parameters and running statistics for as many channels as the input has."""
        if self.has_uninitialized_params():
            self.num_features = self._channels(input)
            for tensor in (self.weight, self.bias, self.running_mean, self.running_var):
                if isinstance(tensor, UninitializedParameter | UninitializedBuffer):
                    tensor.materialize((self.num_features,))
            self.reset_parameters()
        elif self.num_features == 0:
            # A state that was loaded gave the shapes.
            self.num_features = self._channels(input)


class BatchNorm1d(_BatchNorm):
    __doc__ = _BATCH_NORM.format(
        input="(N, C) or (N, C, L)",
        over="N, or N and L",
        example=">>> norm = rustorch.nn.BatchNorm1d(2, affine=False)\n"
        ">>> norm(rustorch.tensor([[1.0, 5.0], [3.0, 9.0]]))\n"
        "tensor([[-1.0000, -1.0000],\n        [ 1.0000,  1.0000]])\n"
        ">>> norm.running_mean\n"
        "tensor([0.2000, 0.7000])",
    )
    _ndims = (2, 3)


class BatchNorm2d(_BatchNorm):
    __doc__ = _BATCH_NORM.format(
        input="(N, C, H, W)",
        over="N, H and W",
        example=">>> norm = rustorch.nn.BatchNorm2d(100)\n"
        ">>> norm(rustorch.ones(20, 100, 35, 45)).shape\n"
        "rustorch.Size([20, 100, 35, 45])\n"
        ">>> norm.weight.shape, norm.running_var.shape\n"
        "(rustorch.Size([100]), rustorch.Size([100]))",
    )
    _ndims = (4,)


class BatchNorm3d(_BatchNorm):
    __doc__ = _BATCH_NORM.format(
        input="(N, C, D, H, W)",
        over="N, D, H and W",
        example=">>> norm = rustorch.nn.BatchNorm3d(100)\n"
        ">>> norm(rustorch.ones(20, 100, 5, 9, 6)).shape\n"
        "rustorch.Size([20, 100, 5, 9, 6])",
    )
    _ndims = (5,)


class LazyBatchNorm1d(_LazyNormBase, BatchNorm1d):
    __doc__ = described_lazily(
        BatchNorm1d,
        "num_features",
        ">>> norm = rustorch.nn.LazyBatchNorm1d()\n"
        ">>> norm(rustorch.ones(2, 3)).shape\n"
        "rustorch.Size([2, 3])\n"
        ">>> norm.running_mean.shape\n"
        "rustorch.Size([3])",
    )
    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNormBase, BatchNorm2d):
    __doc__ = described_lazily(
        BatchNorm2d,
        "num_features",
        ">>> norm = rustorch.nn.LazyBatchNorm2d()\n"
        ">>> norm(rustorch.ones(2, 3, 4, 4)).shape\n"
        "rustorch.Size([2, 3, 4, 4])\n"
        ">>> norm.running_mean.shape\n"
        "rustorch.Size([3])",
    )
    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNormBase, BatchNorm3d):
    __doc__ = described_lazily(
        BatchNorm3d,
        "num_features",
        ">>> norm = rustorch.nn.LazyBatchNorm3d()\n"
        ">>> norm(rustorch.ones(2, 3, 4, 4, 4)).shape\n"
        "rustorch.Size([2, 3, 4, 4, 4])\n"
        ">>> norm.running_mean.shape\n"
        "rustorch.Size([3])",
    )
    cls_to_become = BatchNorm3d


class SyncBatchNorm(_BatchNorm):
    """Normalises each channel over the batch of all processes: batch normalisation, in one process.

    There is one process, whose batch is the whole batch: it computes what BatchNorm1d, 2d and 3d do, for inputs of any
    number of spatial dimensions, and has their formulas, statistics and modes.

    Args:
        num_features: Channels C of the input.
        eps: What is added to the variance, so that constant channels do not divide by zero. Default: 1e-5.
        momentum: Share of a new batch in the running statistics, or None for the plain average of all batches.
            Default: 0.1.
        affine: Whether each channel has a learned weight and bias. Default: True.
        track_running_stats: Whether running statistics are kept; without them eval() normalises by the batch.
            Default: True.
        process_group: Kept as an attribute; there are no other processes. Default: None.
        device, dtype: Where parameters and statistics are, and their dtype. Default: None, the default ones.
        bias: Whether the learned bias is there; False leaves the weight alone. Default: True.

    Shape:
        input: (N, C, *), with C = num_features.
        output: the same.

    Attributes:
        weight, bias, running_mean, running_var, num_batches_tracked: as those of BatchNorm1d.

    Raises:
        ValueError: An input has less than two dimensions, or no channels.

    Example:

    >>> net = rustorch.nn.Sequential(rustorch.nn.Conv2d(3, 4, 3), rustorch.nn.BatchNorm2d(4))
    >>> rustorch.nn.SyncBatchNorm.convert_sync_batchnorm(net)[1]
    SyncBatchNorm(4, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim < 2:
            raise ValueError(f"expected at least 2D input (got {input.ndim}D input)")
        if input.shape[1] == 0:
            raise ValueError("SyncBatchNorm number of input channels should be non-zero")

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """Replaces all batch norms of a network by ones of this class, which have their parameters and statistics.

        Gives the network, or where it is a batch norm itself, the new one.
        """
        converted = module
        if isinstance(module, _BatchNorm):
            settings = (module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats)
            converted = cls(*settings, process_group, bias=module.bias is not None)
            converted._parameters.update(module._parameters)
            converted._buffers.update(module._buffers)
            converted.training = module.training
        for name, child in module.named_children():
            converted.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return converted
