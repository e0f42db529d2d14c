"""Attention with several heads."""

from __future__ import annotations

import math
from contextvars import ContextVar

import rustorch
from rustorch import _C
from rustorch._C import Tensor
from rustorch._naming import named
from rustorch.nn import _functional_ops as _ops

from ._documented import documented_as
from .dropout import dropout

#: Whether the fused kernel and the plain one may compute attention, where nn.attention.sdpa_kernel() has said it.
KERNELS: ContextVar[tuple[bool, bool] | None] = ContextVar("KERNELS", default=None)


@documented_as(
    _ops.scaled_dot_product_attention,
    query="(…, L, E).",
    key="(…, S, E).",
    value="(…, S, D).",
    attn_mask="numbers that are added to the scores, or bools that are true where a query sees a key.",
    dropout_p="the probability with which weights are dropped, also in eval().",
    is_causal="whether query i sees the keys up to i only.",
    scale="the scores' factor; None is 1 / √E.",
    enable_gqa="whether a head of key and value, dimension -3, serves several of the query's.",
)
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    allowed = KERNELS.get()
    if allowed is None:
        return _ops.scaled_dot_product_attention(
            query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa
        )
    fused, plain = allowed
    # The op has a fused kernel for what is neither dropped nor wanted a mask's gradient of.
    fits = dropout_p == 0.0 and (attn_mask is None or not attn_mask.requires_grad)
    if fused if fits else plain:
        return _ops.scaled_dot_product_attention(
            query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa
        )
    if not plain:
        reason = "" if not fused else "; FLASH_ATTENTION takes no dropout and no mask that wants a gradient"
        raise RuntimeError(
            "scaled_dot_product_attention: No available kernel: sdpa_kernel() allows none that can compute this. "
            f"MATH always can{reason}"
        )
    # A mask that wants a gradient is what the op computes with plain ops; it hides nothing, or what is_causal hides.
    seen = rustorch.ones((query.shape[-2], key.shape[-2]), dtype=rustorch.bool, device=query.device)
    seen = seen.tril() if is_causal else seen
    hidden = rustorch.zeros(seen.shape, dtype=query.dtype, device=query.device).masked_fill(~seen, float("-inf"))
    if attn_mask is not None:
        added = additive_mask(~attn_mask if attn_mask.dtype is rustorch.bool else attn_mask, "attn_mask", query.dtype)
        hidden = hidden if added is None else hidden + added
    return _ops.scaled_dot_product_attention(
        query, key, value, hidden.detach().requires_grad_(), dropout_p, scale=scale, enable_gqa=enable_gqa
    )


def additive_mask(mask: Tensor | None, name: str, dtype: _C.dtype) -> Tensor | None:
    """A mask as numbers to add to scores: -inf where a bool mask holds."""
    if mask is None or mask.is_floating_point():
        return mask
    if mask.dtype is not rustorch.bool:
        raise AssertionError(f"only bool and floating types of {name} are supported, got {mask.dtype}")
    return rustorch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill(mask, float("-inf"))


def _longer(mask: Tensor | None) -> Tensor | None:
    """The mask with one more key, which is seen."""
    if mask is None:
        return None
    column = rustorch.zeros((*mask.shape[:-1], 1), dtype=mask.dtype, device=mask.device)
    return rustorch.cat([mask, column], -1)


def _check_mask(mask: Tensor, wanted: tuple[int, int, int]) -> Tensor:
    """The mask with a dimension for batch and heads."""
    heads, queries, keys = wanted
    if mask.ndim == 2:
        if tuple(mask.shape) != (queries, keys):
            raise RuntimeError(f"The shape of the 2D attn_mask is {tuple(mask.shape)}, but should be {wanted[1:]}.")
        return mask.unsqueeze(0)
    if mask.ndim != 3:
        raise RuntimeError(f"attn_mask's dimension {mask.ndim} is not supported")
    if tuple(mask.shape) != (heads, queries, keys):
        raise RuntimeError(f"The shape of the 3D attn_mask is {tuple(mask.shape)}, but should be {wanted}.")
    return mask


def _projected(
    inputs: tuple[Tensor, Tensor, Tensor],
    packed: Tensor | None,
    separate: tuple[Tensor | None, Tensor | None, Tensor | None],
    bias: Tensor | None,
) -> list[Tensor]:
    """Query, key and value through their linear maps, whose weights lie together or apart."""
    if packed is not None:
        weights: tuple[Tensor | None, ...] = packed.chunk(3)
    else:
        weights = separate
        for name, weight in zip("qkv", weights, strict=True):
            if weight is None:
                raise AssertionError(f"use_separate_proj_weight is True but {name}_proj_weight is None")
    biases = [None] * 3 if bias is None else bias.chunk(3)
    return [_ops.linear(x, w, b) for x, w, b in zip(inputs, weights, biases, strict=True) if w is not None]


def _check_shapes(query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None) -> None:
    if query.ndim not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {query.ndim}-D query tensor"
        )
    if not key.ndim == value.ndim == query.ndim:
        raise AssertionError(
            f"For {query.ndim}-D query, expected key and value to be {query.ndim}-D but found {key.ndim}-D and "
            f"{value.ndim}-D tensors respectively"
        )
    if padding is not None and padding.ndim != query.ndim - 1:
        raise AssertionError(f"Expected key_padding_mask to be {query.ndim - 1}-D but found {padding.ndim}-D")


@named
def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Computes attention of several heads between linear maps, as nn.MultiheadAttention does, and its weights.

    Args:
        query: (L, N, E) or (L, E), the result's shape, too.
        key, value: (S, N, …) or (S, …).
        embed_dim_to_check: E, what the query's last size must be.
        num_heads: the number of heads; it divides E.
        in_proj_weight: (3 · E, E), the maps of query, key and value; None with use_separate_proj_weight.
        in_proj_bias: (3 · E), their biases, or None.
        bias_k, bias_v: (1, 1, E), one more key and value for all samples, or None.
        add_zero_attn: whether one more key and value of zeros are added.
        dropout_p: the probability with which weights become 0 in training.
        out_proj_weight: (E, E), the last linear map.
        out_proj_bias: (E), its bias, or None.
        training: whether weights are dropped. Default: True.
        key_padding_mask: (N, S) or (S); a bool is True where a key is not seen, numbers are added to the scores.
            Default: None.
        need_weights: whether the weights are given; else None. Default: True.
        attn_mask: (L, S) or (N · num_heads, L, S), as key_padding_mask. Default: None.
        use_separate_proj_weight: whether the maps' weights are the three below. Default: False.
        q_proj_weight, k_proj_weight, v_proj_weight: (E, size of query, key or value). Default: None.
        static_k, static_v: (N · num_heads, S, E / num_heads), in place of mapped key and value. Default: None.
        average_attn_weights: whether the weights are (N, L, S), means over the heads, or (N, num_heads, L, S).
            Default: True.
        is_causal: whether attn_mask is the causal mask, which is then not read if no weights are needed.
            Default: False.

    Example:

    >>> x, eye, zero = rustorch.ones(3, 1, 2), rustorch.eye(2), rustorch.zeros(1)
    >>> out, weights = rustorch.nn.functional.multi_head_attention_forward(
    ...     x, x, x, 2, 1, rustorch.cat([eye, eye, eye]), None, None, None, False, 0.0, eye, None
    ... )
    >>> out.shape, weights.shape
    (rustorch.Size([3, 1, 2]), rustorch.Size([1, 3, 3]))
    """
    _check_shapes(query, key, value, key_padding_mask)
    batched = query.ndim == 3
    if not batched:
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    queries, batch, embed_dim = query.shape
    if embed_dim != embed_dim_to_check:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {embed_dim}")
    if embed_dim % num_heads:
        raise AssertionError(f"embed_dim {embed_dim} not divisible by num_heads {num_heads}")
    size, heads = embed_dim // num_heads, batch * num_heads

    padding = additive_mask(key_padding_mask, "key_padding_mask", query.dtype)
    if is_causal and attn_mask is None:
        raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
    if is_causal and padding is None and not need_weights:
        attn_mask = None
    else:
        attn_mask = additive_mask(attn_mask, "attn_mask", query.dtype)
        is_causal = False

    packed = None if use_separate_proj_weight else in_proj_weight
    q, k, v = _projected((query, key, value), packed, (q_proj_weight, k_proj_weight, v_proj_weight), in_proj_bias)
    if attn_mask is not None:
        attn_mask = _check_mask(attn_mask, (heads, queries, key.shape[0]))
    if bias_k is not None and bias_v is not None:
        k, v = rustorch.cat([k, bias_k.repeat(1, batch, 1)]), rustorch.cat([v, bias_v.repeat(1, batch, 1)])
        attn_mask, padding = _longer(attn_mask), _longer(padding)

    def by_head(x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], heads, size).transpose(0, 1)

    q = by_head(q)
    k = by_head(k) if static_k is None else static_k
    v = by_head(v) if static_v is None else static_v
    if add_zero_attn:
        zeros = rustorch.zeros((heads, 1, size), dtype=k.dtype, device=k.device)
        k, v = rustorch.cat([k, zeros], 1), rustorch.cat([v, zeros], 1)
        attn_mask, padding = _longer(attn_mask), _longer(padding)
    keys = k.shape[1]
    if padding is not None:
        if tuple(padding.shape) != (batch, keys):
            raise AssertionError(f"expecting key_padding_mask shape of {(batch, keys)}, but got {tuple(padding.shape)}")
        spread = padding.view(batch, 1, 1, keys).expand(-1, num_heads, -1, -1).reshape(heads, 1, keys)
        attn_mask = spread if attn_mask is None else attn_mask + spread

    dropout_p = dropout_p if training else 0.0
    weights: Tensor | None = None
    if need_weights:
        scores = (q * math.sqrt(1.0 / size)) @ k.transpose(1, 2)
        weights = dropout((scores if attn_mask is None else scores + attn_mask).softmax(-1), dropout_p)
        out = weights @ v
    else:
        if attn_mask is not None:
            attn_mask = attn_mask.expand(heads, queries, keys).view(batch, num_heads, queries, keys)
        q, k, v = (x.view(batch, num_heads, x.shape[1], size) for x in (q, k, v))
        out = scaled_dot_product_attention(q, k, v, attn_mask, dropout_p, is_causal).flatten(0, 1)
    out = _ops.linear(out.transpose(0, 1).reshape(queries, batch, embed_dim), out_proj_weight, out_proj_bias)
    if weights is not None:
        weights = weights.view(batch, num_heads, queries, keys)
        weights = weights.mean(1) if average_attn_weights else weights
    if not batched:
        return out.squeeze(1), None if weights is None else weights.squeeze(0)
    return out, weights
