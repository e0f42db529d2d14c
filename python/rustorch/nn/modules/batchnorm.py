"""Batch normalisation."""

from __future__ import annotations

from typing import Any, ClassVar

from rustorch._C import Layer, Tensor
from rustorch.nn.parameter import Parameter

from ._parameterized import ParameterizedModule

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"]

_RUNNING = ("running_mean", "running_var", "num_batches_tracked")


class _BatchNorm(ParameterizedModule):
    """Normalises each channel of (N, C, *): over the batch in training, by the running statistics otherwise.

    `momentum` is the share of a batch in the running statistics; None takes the plain average of all batches.
    """

    _settings = frozenset(("num_features", "eps", "momentum", "affine", "track_running_stats", "training"))
    _ndims: ClassVar[tuple[int, ...]]
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
        self._with_bias = bool(bias)
        self._build(device, dtype)

    def _make_layer(self) -> Layer:
        return Layer.batch_norm(
            self.num_features,
            self.eps,
            self.momentum,
            self.affine,
            self._with_bias,
            self.track_running_stats,
            self.training,
        )

    def _register_rest(self, tensors: list[Any]) -> None:
        for name, tensor in zip(_RUNNING, tensors, strict=True):
            self.register_buffer(name, tensor)

    def reset_running_stats(self) -> None:
        """Sets the running statistics back to those of no batch."""
        self._layer.initialize(None, None, self.running_mean, self.running_var, self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Sets the parameters and the running statistics back to their initial values."""
        self._layer.initialize(self.weight, self.bias, self.running_mean, self.running_var, self.num_batches_tracked)

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in self._ndims:
            expected = " or ".join(f"{ndim}D" for ndim in self._ndims)
            raise ValueError(f"expected {expected} input (got {input.ndim}D input)")
        return self._layer.forward(
            input, self.weight, self.bias, self.running_mean, self.running_var, self.num_batches_tracked
        )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    __doc__ = _BatchNorm.__doc__
    _ndims = (2, 3)


class BatchNorm2d(_BatchNorm):
    __doc__ = _BatchNorm.__doc__
    _ndims = (4,)


class BatchNorm3d(_BatchNorm):
    __doc__ = _BatchNorm.__doc__
    _ndims = (5,)
