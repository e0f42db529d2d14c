"""Which kernel computes attention."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from ._functional.attention import KERNELS

__all__ = ["SDPBackend", "sdpa_kernel"]


class SDPBackend(IntEnum):
    """Names the kernels that nn.functional.scaled_dot_product_attention() may have.

    FLASH_ATTENTION is the fused kernel, which holds no score for each pair of a query and a key; it takes no dropout,
    and no mask that wants a gradient. MATH computes scores, their softmax and the product one after the other. The
    others are PyTorch's names for kernels that are not there.

    Example:

    >>> rustorch.nn.attention.SDPBackend.MATH
    <SDPBackend.MATH: 0>
    """

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextmanager
def sdpa_kernel(backends: list[SDPBackend] | SDPBackend, set_priority: bool = False) -> Iterator[None]:
    """Allows only some kernels for attention in its block.

    Where none of them can compute a call of nn.functional.scaled_dot_product_attention(), the call raises RuntimeError:
    that is so for all calls where only kernels are allowed that are not there.

    Args:
        backends: the kernels that are allowed, or one.
        set_priority: taken and without effect: where both are allowed, FLASH_ATTENTION comes before MATH.
            Default: False.

    Raises:
        TypeError: where backends is no SDPBackend and no list of them.

    Example:

    >>> attention = rustorch.nn.attention
    >>> x = rustorch.ones(1, 2)
    >>> with attention.sdpa_kernel(attention.SDPBackend.MATH):
    ...     rustorch.nn.functional.scaled_dot_product_attention(x, x, x).shape
    rustorch.Size([1, 2])
    """
    allowed = [backends] if isinstance(backends, SDPBackend) else backends
    if not isinstance(allowed, list) or not all(isinstance(backend, SDPBackend) for backend in allowed):
        raise TypeError(
            "sdpa_kernel: backends must be an instance of SDPBackend or a list of SDPBackend instances, got "
            f"{backends!r}"
        )
    token = KERNELS.set((SDPBackend.FLASH_ATTENTION in allowed, SDPBackend.MATH in allowed))
    try:
        yield
    finally:
        KERNELS.reset(token)
