"""The former place of `rustorch.amp`, for CUDA."""

from __future__ import annotations

import warnings

from rustorch import amp

__all__ = ["GradScaler"]


class GradScaler(amp.GradScaler):
    """`rustorch.amp.GradScaler` for CUDA; deprecated, which a FutureWarning says.

    Args:
        init_scale: the factor at first. Default: 65536.0.
        growth_factor: what `update` multiplies it by after `growth_interval` steps, above 1. Default: 2.0.
        backoff_factor: what `update` multiplies it by after a skipped step, below 1. Default: 0.5.
        growth_interval: how many steps in a row without an infinite gradient make it grow. Default: 2000.
        enabled: whether to scale. Default: True.
    """

    def __init__(
        self,
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        warnings.warn(
            "rustorch.cuda.amp.GradScaler(args...) is deprecated. Please use rustorch.amp.GradScaler('cuda', args...) "
            "instead.",
            FutureWarning,
            stacklevel=2,
        )
        super().__init__("cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled)
