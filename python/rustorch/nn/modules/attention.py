"""Attention."""

from __future__ import annotations

from typing import Any, ClassVar

import rustorch
from rustorch._C import Tensor
from rustorch.nn import functional as F, init
from rustorch.nn.parameter import Parameter

from .linear import Linear
from .module import Module

__all__ = ["MultiheadAttention"]


class NonDynamicallyQuantizableLinear(Linear):
    """A linear layer under the name by which PyTorch shows attention's last one."""


class MultiheadAttention(Module):
    """Lets every query take up values by how well their keys fit it, in several heads.

        head_h = softmax(Q_h K_hᵀ / √head_dim + mask) V_h
        out = concat(head_1, …, head_H) W_outᵀ + b_out

    where Q, K and V are the query, key and value after a linear map each, and Q_h, K_h, V_h the h-th of their num_heads
    parts of head_dim = embed_dim / num_heads features. Source: Vaswani et al., 2017.

    The call is layer(query, key, value, key_padding_mask=None, need_weights=True, attn_mask=None,
    average_attn_weights=True, is_causal=False) and gives (output, weights). A mask of numbers is added to the scores; a
    bool mask is True where a query may not see a key. need_weights=False gives None for the weights and a faster path.
    is_causal=True says that attn_mask is the causal one, which must be given too. In eval() there is no dropout.

    Args:
        embed_dim: Features of queries and outputs, a multiple of `num_heads`.
        num_heads: Number of heads.
        dropout: Probability with which a weight is set to zero in training. Default: 0.0.
        bias: Whether the linear maps have biases. Default: True.
        add_bias_kv: Whether a learned key and value are put after the others. Default: False.
        add_zero_attn: Whether a key and value of zeros are put after the others. Default: False.
        kdim: Features of keys, if not embed_dim. Default: None.
        vdim: Features of values, if not embed_dim. Default: None.
        batch_first: Whether batches are the first dimension of inputs and outputs instead of the second. Default:
            False.
        device, dtype: Where the parameters are and their dtype, which inputs share. Default: None, the default ones.

    Shape:
        query: (L, N, embed_dim); (N, L, embed_dim) with batch_first; (L, embed_dim) without a batch.
        key: (S, N, kdim), and value: (S, N, vdim), likewise.
        key_padding_mask: (N, S), or (S) without a batch.
        attn_mask: (L, S), or (N · num_heads, L, S).
        output: the query's shape.
        weights: (N, L, S), or (N, num_heads, L, S) with average_attn_weights=False; no N without a batch.
            S is one more for each of add_bias_kv and add_zero_attn.

    Attributes:
        in_proj_weight: (3 · embed_dim, embed_dim), the maps of query, key and value, if kdim = vdim = embed_dim, else
            None; Xavier's uniform values at first.
        q_proj_weight, k_proj_weight, v_proj_weight: (embed_dim, embed_dim), (embed_dim, kdim) and (embed_dim, vdim),
            the same maps where in_proj_weight is None, else None; Xavier's uniform values at first.
        in_proj_bias: (3 · embed_dim), zeros at first; None with bias=False.
        out_proj: The Linear of W_out and b_out; the weight starts as Linear's does, the bias as zeros.
        bias_k, bias_v: (1, 1, embed_dim), Xavier's normal values at first; None with add_bias_kv=False.

    Raises:
        ValueError: embed_dim or num_heads is less than 1.
        AssertionError: embed_dim is not a multiple of num_heads; inputs or masks have other dimensions.
        RuntimeError: attn_mask has another shape; is_causal=True comes without attn_mask.

    Example:

    >>> attention = rustorch.nn.MultiheadAttention(embed_dim=8, num_heads=2, batch_first=True)
    >>> x, memory = rustorch.ones(3, 5, 8), rustorch.ones(3, 7, 8)
    >>> out, weights = attention(x, memory, memory)
    >>> out.shape, weights.shape
    (rustorch.Size([3, 5, 8]), rustorch.Size([3, 5, 7]))
    >>> causal = rustorch.ones(5, 5, dtype=rustorch.bool).triu(1)
    >>> out, weights = attention(x, x, x, attn_mask=causal)
    >>> weights[0, 0]
    tensor([1., 0., 0., 0., 0.], grad_fn=<SelectBackward0>)
    """

    __constants__: ClassVar[list[str]] = ["batch_first"]

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "embed_dim and num_heads must be greater than 0, "
                f"got embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")

        def parameter(*size: int) -> Parameter:
            return Parameter(rustorch.empty(size, device=device, dtype=dtype))

        together = self._qkv_same_embed_dim
        self.register_parameter("in_proj_weight", parameter(3 * embed_dim, embed_dim) if together else None)
        for name, size in (("q", embed_dim), ("k", self.kdim), ("v", self.vdim)):
            self.register_parameter(f"{name}_proj_weight", None if together else parameter(embed_dim, size))
        self.register_parameter("in_proj_bias", parameter(3 * embed_dim) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, device, dtype)
        self.register_parameter("bias_k", parameter(1, 1, embed_dim) if add_bias_kv else None)
        self.register_parameter("bias_v", parameter(1, 1, embed_dim) if add_bias_kv else None)
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        swap = self.batch_first and query.ndim == 3
        if swap:
            query, key, value = (x.transpose(0, 1) for x in (query, key, value))
        out, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return (out.transpose(0, 1) if swap else out), weights
