"""What the transformer's layers share: residual steps, activations by name, causal masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rustorch
from rustorch._C import Tensor
from rustorch.nn import functional as F
from rustorch.nn._functional.attention import additive_mask

from .attention import MultiheadAttention
from .dropout import Dropout
from .linear import Linear
from .module import Module

Activation = Callable[[Tensor], Tensor]


def activation_function(given: str | Activation) -> Activation:
    """The function, or the one of that name."""
    if not isinstance(given, str):
        return given
    if given not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {given}")
    return F.relu if given == "relu" else F.gelu


def causal_mask(size: int, device: Any = None, dtype: Any = None) -> Tensor:
    """The mask under which each position sees those up to it: -inf above the diagonal, 0 elsewhere."""
    return rustorch.full((size, size), float("-inf"), dtype=dtype, device=device).triu(1)


def mask_is_causal(mask: Tensor | None, told: bool | None, size: int) -> bool:
    """Whether a mask lets each position see those up to it alone: as the caller says, or as it is."""
    if told is not None or mask is None:
        return bool(told)
    if tuple(mask.shape) != (size, size):
        return False
    causal = causal_mask(size, mask.device)
    numbers = additive_mask(mask, "mask", causal.dtype)
    return numbers is not None and bool((numbers == causal).all().item())


class Layer(Module):
    """What encoder and decoder layers share: attention and the feed-forward part, each with its residual."""

    activation: Activation
    linear1: Linear
    linear2: Linear
    dropout: Dropout
    norm_first: bool

    def _attend(
        self,
        attention: MultiheadAttention,
        drop: Dropout,
        x: Tensor,
        memory: Tensor,
        mask: Tensor | None,
        padding: Tensor | None,
        is_causal: bool,
    ) -> Tensor:
        out, _ = attention(
            x, memory, memory, key_padding_mask=padding, need_weights=False, attn_mask=mask, is_causal=is_causal
        )
        result: Tensor = drop(out)
        return result

    def _feed_forward(self, drop: Dropout, x: Tensor) -> Tensor:
        result: Tensor = drop(self.linear2(self.dropout(self.activation(self.linear1(x)))))
        return result

    def _residual(self, x: Tensor, norm: Module, step: Callable[[Tensor], Tensor]) -> Tensor:
        result: Tensor = x + step(norm(x)) if self.norm_first else norm(x + step(x))
        return result
