"""Instance normalisation."""

from __future__ import annotations

from typing import Any, ClassVar

from rustorch._C import Tensor
from rustorch.nn import functional as F

from .batchnorm import _LazyNormBase, _NormBase
from .lazy import described_lazily

__all__ = [
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
]

_INSTANCE_NORM = """Normalises each channel of each example of {input} over {over}: instance normalisation.

    out = (in - mean) / √(var + eps) · weight + bias

mean and var, which divides by the number of values, are those of one channel of one example, in train() and in
eval(). With track_running_stats=True, eval() normalises by running statistics of the channels instead, which
train() keeps:

    running = (1 - momentum) · running + momentum · batch

where batch is the average, over the batch, of the means and of the variances, which here divide by the number of
values less one. Source: Ulyanov, Vedaldi and Lempitsky, 2016.

Args:
    num_features: Channels C of the input.
    eps: What is added to the variance, so that constant channels do not divide by zero. Default: 1e-5.
    momentum: Share of a new batch in the running statistics; None counts as 0. Default: 0.1.
    affine: Whether each channel has a learned weight and bias. Default: False.
    track_running_stats: Whether running statistics are kept; eval() normalises by them. Default: False.
    device, dtype: Where parameters and statistics are, and their dtype. Default: None, the default ones.
    bias: Whether the learned bias is there; False leaves the weight alone. Default: True.

Shape:
    input: {input}, with C = num_features.
    output: the same.

Attributes:
    weight: (C), ones at first; None with affine=False.
    bias: (C), zeros at first; None with affine=False or bias=False.
    running_mean: (C), a buffer of zeros at first; None with track_running_stats=False, as the next one.
    running_var: (C), a buffer of ones at first.

Raises:
    ValueError: An input has another number of dimensions, or with affine=True of channels.
    ShapeMismatchError: An input whose own statistics are taken has a single value per channel; or with
        track_running_stats=True another number of channels.

Example:

{example}
"""


class _InstanceNorm(_NormBase):
    """Instance normalisation of inputs of as many dimensions as its class says."""

    _spatial: ClassVar[int]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        statistics = [key for key in ("running_mean", "running_var") if prefix + key in state_dict]
        if statistics and "version" not in local_metadata and not self.track_running_stats:
            # Before there was a choice, statistics were kept and not used.
            error_msgs.append(
                f"Unexpected running stats buffer(s) {' and '.join(statistics)} for {self._get_name()} with "
                "track_running_stats=False. In a state of the time when they were always kept, they were not used: "
                "remove them from it. To use them, set track_running_stats=True"
            )
            for key in statistics:
                del state_dict[prefix + key]
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim not in (self._spatial + 1, self._spatial + 2):
            raise ValueError(f"expected {self._spatial + 1}D or {self._spatial + 2}D input (got {input.ndim}D input)")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        single = input.ndim == self._spatial + 1
        channels = input.shape[0 if single else 1]
        if self.affine and channels != self.num_features:
            raise ValueError(
                f"expected input's size at dim={0 if single else 1} to match num_features ({self.num_features}), "
                f"but got: {channels}."
            )
        result = F.instance_norm(
            input.unsqueeze(0) if single else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return result.squeeze(0) if single else result


class InstanceNorm1d(_InstanceNorm):
    __doc__ = _INSTANCE_NORM.format(
        input="(N, C, L) or (C, L)",
        over="L",
        example=">>> norm = rustorch.nn.InstanceNorm1d(2)\n"
        ">>> norm(rustorch.tensor([[[1.0, 3.0], [5.0, 9.0]]]))\n"
        "tensor([[[-1.0000,  1.0000],\n         [-1.0000,  1.0000]]])",
    )
    _spatial = 1


class InstanceNorm2d(_InstanceNorm):
    __doc__ = _INSTANCE_NORM.format(
        input="(N, C, H, W) or (C, H, W)",
        over="H and W",
        example=">>> norm = rustorch.nn.InstanceNorm2d(100, affine=True)\n"
        ">>> norm(rustorch.ones(20, 100, 35, 45)).shape\n"
        "rustorch.Size([20, 100, 35, 45])",
    )
    _spatial = 2


class InstanceNorm3d(_InstanceNorm):
    __doc__ = _INSTANCE_NORM.format(
        input="(N, C, D, H, W) or (C, D, H, W)",
        over="D, H and W",
        example=">>> norm = rustorch.nn.InstanceNorm3d(100)\n"
        ">>> norm(rustorch.ones(20, 100, 5, 9, 6)).shape\n"
        "rustorch.Size([20, 100, 5, 9, 6])",
    )
    _spatial = 3


class _LazyInstanceNorm(_LazyNormBase, _InstanceNorm):
    """Instance normalisation whose channels are counted in the first call."""

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
        super().__init__(eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _channels(self, input: Tensor) -> int:
        self._check_input_dim(input)
        return input.shape[-self._spatial - 1]


class LazyInstanceNorm1d(_LazyInstanceNorm, InstanceNorm1d):
    # Other than InstanceNorm, these have parameters and statistics by default.
    __doc__ = described_lazily(
        InstanceNorm1d,
        "num_features",
        ">>> norm = rustorch.nn.LazyInstanceNorm1d(affine=True)\n"
        ">>> norm(rustorch.ones(2, 3, 4)).shape\n"
        "rustorch.Size([2, 3, 4])\n"
        ">>> norm.weight.shape\n"
        "rustorch.Size([3])",
    ).replace("Default: False", "Default: True")
    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyInstanceNorm, InstanceNorm2d):
    # Other than InstanceNorm, these have parameters and statistics by default.
    __doc__ = described_lazily(
        InstanceNorm2d,
        "num_features",
        ">>> norm = rustorch.nn.LazyInstanceNorm2d(affine=True)\n"
        ">>> norm(rustorch.ones(2, 3, 4, 4)).shape\n"
        "rustorch.Size([2, 3, 4, 4])\n"
        ">>> norm.weight.shape\n"
        "rustorch.Size([3])",
    ).replace("Default: False", "Default: True")
    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyInstanceNorm, InstanceNorm3d):
    # Other than InstanceNorm, these have parameters and statistics by default.
    __doc__ = described_lazily(
        InstanceNorm3d,
        "num_features",
        ">>> norm = rustorch.nn.LazyInstanceNorm3d(affine=True)\n"
        ">>> norm(rustorch.ones(2, 3, 4, 4, 4)).shape\n"
        "rustorch.Size([2, 3, 4, 4, 4])\n"
        ">>> norm.weight.shape\n"
        "rustorch.Size([3])",
    ).replace("Default: False", "Default: True")
    cls_to_become = InstanceNorm3d
