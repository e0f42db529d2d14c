"""The transformer (A. Vaswani et al., Attention Is All You Need, 2017)."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

from rustorch._C import Tensor
from rustorch.nn import functional as F, init
from rustorch.nn._functional.attention import additive_mask

from ._transformer_layer import Activation, Layer, activation_function, causal_mask, mask_is_causal
from .attention import MultiheadAttention
from .container import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

__all__ = [
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]


class TransformerEncoderLayer(Layer):
    """Applies self-attention and a feed-forward network, each with dropout, a residual and a layer norm.

    `x = norm1(src + dropout(attention(src)))`, `out = norm2(x + dropout(W_2 dropout(activation(W_1 x + b_1)) + b_2))`.
    forward(src, src_mask=None, src_key_padding_mask=None, is_causal=False): in bool masks True is not seen, numbers are
    added to the scores; is_causal says that src_mask is the causal one.

    Args:
        d_model: E, the number of features; nhead divides it.
        nhead: the number of attention heads.
        dim_feedforward: the size of the feed-forward network's hidden layer. Default: 2048.
        dropout: the probability with which elements become 0 in train(). Default: 0.1.
        activation: the function between the two linear layers: 'relu', 'gelu', or one that takes and gives a tensor.
            Default: functional.relu.
        layer_norm_eps: the eps of the layer norms. Default: 1e-5.
        batch_first: whether tensors are (N, length, E) instead of (length, N, E). Default: False.
        norm_first: whether each step normalises its input, `x + step(norm(x))`, not its result, `norm(x + step(x))`.
            Default: False.
        bias: whether linear layers and norms have a bias. Default: True.
        device, dtype: where the parameters are and of which dtype; None is the default. Default: None.

    Shape:
        src (S, N, E), (N, S, E) with batch_first, or (S, E); src_mask (S, S) or (N · nhead, S, S); src_key_padding_mask
        (N, S) or (S); output as src.

    Attributes:
        self_attn: the MultiheadAttention.
        linear1, linear2: Linear from d_model to dim_feedforward and back.
        norm1, norm2: LayerNorm over d_model.

    Raises:
        AssertionError: where nhead does not divide d_model; in forward, where a tensor has another number of features.
        RuntimeError: for the name of another activation; in forward, where a mask does not fit, or is_causal comes
            without its mask.

    Example:

    >>> layer = rustorch.nn.TransformerEncoderLayer(d_model=16, nhead=4, dim_feedforward=32)
    >>> layer(rustorch.ones(10, 2, 16)).shape
    rustorch.Size([10, 2, 16])
    """

    __constants__: ClassVar[list[str]] = ["norm_first"]

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, **made)
        self.linear1 = Linear(d_model, dim_feedforward, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **made)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, **made)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, **made)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = activation_function(activation)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        padding = additive_mask(src_key_padding_mask, "src_key_padding_mask", src.dtype)
        mask = additive_mask(src_mask, "src_mask", src.dtype)

        def attend(x: Tensor) -> Tensor:
            return self._attend(self.self_attn, self.dropout1, x, x, mask, padding, is_causal)

        x = self._residual(src, self.norm1, attend)
        return self._residual(x, self.norm2, lambda y: self._feed_forward(self.dropout2, y))


class TransformerDecoderLayer(Layer):
    """Applies self-attention, attention to the encoder's memory and a feed-forward network.

    Each with dropout, a residual and a layer norm, as in TransformerEncoderLayer. forward(tgt, memory, tgt_mask=None,
    memory_mask=None, tgt_key_padding_mask=None, memory_key_padding_mask=None, tgt_is_causal=False,
    memory_is_causal=False).

    Args:
        d_model: E, the number of features; nhead divides it.
        nhead: the number of attention heads.
        dim_feedforward: the size of the feed-forward network's hidden layer. Default: 2048.
        dropout: the probability with which elements become 0 in train(). Default: 0.1.
        activation: the function between the two linear layers: 'relu', 'gelu', or one that takes and gives a tensor.
            Default: functional.relu.
        layer_norm_eps: the eps of the layer norms. Default: 1e-5.
        batch_first: whether tensors are (N, length, E) instead of (length, N, E). Default: False.
        norm_first: whether each step normalises its input, `x + step(norm(x))`, not its result, `norm(x + step(x))`.
            Default: False.
        bias: whether linear layers and norms have a bias. Default: True.
        device, dtype: where the parameters are and of which dtype; None is the default. Default: None.

    Shape:
        tgt (T, N, E), memory (S, N, E), or with N first or absent; tgt_mask (T, T), memory_mask (T, S), either also
        with N · nhead before; the padding masks (N, T) and (N, S); output as tgt.

    Attributes:
        self_attn, multihead_attn: the MultiheadAttention to tgt itself and to the memory.
        linear1, linear2: Linear from d_model to dim_feedforward and back.
        norm1, norm2, norm3: LayerNorm over d_model.

    Raises:
        AssertionError: where nhead does not divide d_model; in forward, where a tensor has another number of features.
        RuntimeError: for the name of another activation; in forward, where a mask does not fit, or is_causal comes
            without its mask.

    Example:

    >>> layer = rustorch.nn.TransformerDecoderLayer(d_model=16, nhead=4, dim_feedforward=32)
    >>> layer(rustorch.ones(20, 2, 16), rustorch.ones(10, 2, 16)).shape
    rustorch.Size([20, 2, 16])
    """

    __constants__: ClassVar[list[str]] = ["norm_first"]

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, **made)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, **made)
        self.linear1 = Linear(d_model, dim_feedforward, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **made)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, **made)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, **made)
        self.norm3 = LayerNorm(d_model, eps=layer_norm_eps, **made)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = activation_function(activation)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        def attend(x: Tensor) -> Tensor:
            padding = tgt_key_padding_mask
            return self._attend(self.self_attn, self.dropout1, x, x, tgt_mask, padding, tgt_is_causal)

        def remember(x: Tensor) -> Tensor:
            padding = memory_key_padding_mask
            return self._attend(self.multihead_attn, self.dropout2, x, memory, memory_mask, padding, memory_is_causal)

        x = self._residual(tgt, self.norm1, attend)
        x = self._residual(x, self.norm2, remember)
        return self._residual(x, self.norm3, lambda y: self._feed_forward(self.dropout3, y))


def _copies(layer: Module, count: int) -> ModuleList:
    return ModuleList([copy.deepcopy(layer) for _ in range(count)])


class TransformerEncoder(Module):
    """Applies encoder layers one after the other, and a norm at the end if there is one.

    The layers are copies of the one given, which start with the same values. forward(src, mask=None,
    src_key_padding_mask=None, is_causal=None) gives each layer the masks; with is_causal None it looks whether the mask
    is the causal one.

    Args:
        encoder_layer: the layer to copy, such as a TransformerEncoderLayer.
        num_layers: how many copies.
        norm: the module at the end. Default: None.
        enable_nested_tensor: taken and without effect: there are no nested tensors. Default: True.
        mask_check: taken and without effect, as enable_nested_tensor. Default: True.

    Shape:
        As of the layer: src (S, N, E), (N, S, E) or (S, E), output as src.

    Attributes:
        layers: the ModuleList of the copies.

    Example:

    >>> layer = rustorch.nn.TransformerEncoderLayer(d_model=16, nhead=4, dim_feedforward=32)
    >>> encoder = rustorch.nn.TransformerEncoder(layer, num_layers=2)
    >>> encoder(rustorch.ones(10, 2, 16)).shape
    rustorch.Size([10, 2, 16])
    """

    __constants__: ClassVar[list[str]] = ["norm"]

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        first = self.layers[0] if self.num_layers else None
        batch_first = isinstance(first, TransformerEncoderLayer) and first.self_attn.batch_first
        is_causal = mask_is_causal(mask, is_causal, src.shape[1 if batch_first and src.ndim == 3 else 0])
        for layer in self.layers:
            src = layer(src, src_mask=mask, is_causal=is_causal, src_key_padding_mask=src_key_padding_mask)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """Applies decoder layers one after the other, and a norm at the end if there is one.

    The layers are copies of the one given, which start with the same values. forward() takes what the layer's does;
    with tgt_is_causal None it looks whether tgt_mask is the causal one.

    Args:
        decoder_layer: the layer to copy, such as a TransformerDecoderLayer.
        num_layers: how many copies.
        norm: the module at the end. Default: None.

    Shape:
        As of the layer: tgt (T, N, E), memory (S, N, E), or with N first or absent; output as tgt.

    Attributes:
        layers: the ModuleList of the copies.

    Example:

    >>> layer = rustorch.nn.TransformerDecoderLayer(d_model=16, nhead=4, dim_feedforward=32)
    >>> decoder = rustorch.nn.TransformerDecoder(layer, num_layers=2)
    >>> decoder(rustorch.ones(20, 2, 16), rustorch.ones(10, 2, 16)).shape
    rustorch.Size([20, 2, 16])
    """

    __constants__: ClassVar[list[str]] = ["norm"]

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        first = self.layers[0] if self.num_layers else None
        batch_first = isinstance(first, TransformerDecoderLayer) and first.self_attn.batch_first
        tgt_is_causal = mask_is_causal(tgt_mask, tgt_is_causal, tgt.shape[1 if batch_first and tgt.ndim == 3 else 0])
        for layer in self.layers:
            tgt = layer(
                tgt,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=tgt_is_causal,
                memory_is_causal=memory_is_causal,
            )
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """Applies an encoder to a source, and a decoder to a target and what the encoder made of it.

    `out = decoder(tgt, encoder(src))` (A. Vaswani et al., 2017), both with a layer norm at the end; embeddings,
    positions and the last linear layer are not part of it. forward(src, tgt, src_mask=None, tgt_mask=None,
    memory_mask=None, src_key_padding_mask=None, tgt_key_padding_mask=None, memory_key_padding_mask=None,
    src_is_causal=None, tgt_is_causal=None, memory_is_causal=False); generate_square_subsequent_mask() makes a tgt_mask.

    Args:
        d_model: E, the number of features; nhead divides it. Default: 512.
        nhead: the number of attention heads. Default: 8.
        num_encoder_layers: the number of TransformerEncoderLayers. Default: 6.
        num_decoder_layers: the number of TransformerDecoderLayers. Default: 6.
        dim_feedforward: the size of the feed-forward networks' hidden layer. Default: 2048.
        dropout: the probability with which elements become 0 in train(). Default: 0.1.
        activation: 'relu', 'gelu', or a function that takes and gives a tensor. Default: functional.relu.
        custom_encoder: a module to take the encoder's place. Default: None.
        custom_decoder: a module to take the decoder's place. Default: None.
        layer_norm_eps: the eps of the layer norms. Default: 1e-5.
        batch_first: whether tensors are (N, length, E) instead of (length, N, E). Default: False.
        norm_first: whether each step normalises its input, not its result. Default: False.
        bias: whether linear layers and norms have a bias. Default: True.
        device, dtype: where the parameters are and of which dtype; None is the default. Default: None.

    Shape:
        src (S, N, E) and tgt (T, N, E), or with N first or absent; src_mask (S, S), tgt_mask (T, T), memory_mask (T,
        S); the padding masks (N, S), (N, T) and (N, S); output as tgt.

    Attributes:
        encoder, decoder: the two parts. Parameters of 2 or more dimensions start Xavier-uniform, also those of custom
            parts.

    Raises:
        RuntimeError: in forward, where src and tgt have other batch sizes, or other features than d_model.

    Example:

    >>> model = rustorch.nn.Transformer(16, 4, 1, 1, dim_feedforward=32)
    >>> model(rustorch.ones(10, 2, 16), rustorch.ones(20, 2, 16)).shape
    rustorch.Size([20, 2, 16])
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        settings = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first)
        self.encoder: Module
        self.decoder: Module
        if custom_encoder is not None:
            self.encoder = custom_encoder
        else:
            norm = LayerNorm(d_model, eps=layer_norm_eps, **made)
            self.encoder = TransformerEncoder(TransformerEncoderLayer(*settings, **made), num_encoder_layers, norm)
        if custom_decoder is not None:
            self.decoder = custom_decoder
        else:
            norm = LayerNorm(d_model, eps=layer_norm_eps, **made)
            self.decoder = TransformerDecoder(TransformerDecoderLayer(*settings, **made), num_decoder_layers, norm)
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        if src.ndim == 3 and src.shape[0 if self.batch_first else 1] != tgt.shape[0 if self.batch_first else 1]:
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        result: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return result

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """The mask under which each position sees those up to it: -inf above the diagonal, 0 elsewhere."""
        return causal_mask(sz, device, dtype)

    def _reset_parameters(self) -> None:
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)
