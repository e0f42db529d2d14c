"""Functions of `rustorch` that are functions of nn.functional under another signature: that of PyTorch's library ATen.

Losses take their reduction as a number, recurrent networks their parameters in a list, and most arguments have no
default. The functions are imported when one of them is first used.
"""

from .layers import (
    affine_grid_generator as affine_grid_generator,
    batch_norm as batch_norm,
    convolution as convolution,
    grid_sampler as grid_sampler,
    grid_sampler_2d as grid_sampler_2d,
    grid_sampler_3d as grid_sampler_3d,
    instance_norm as instance_norm,
    max_pool1d_with_indices as max_pool1d_with_indices,
)
from .losses import (
    binary_cross_entropy_with_logits as binary_cross_entropy_with_logits,
    cosine_embedding_loss as cosine_embedding_loss,
    ctc_loss as ctc_loss,
    hinge_embedding_loss as hinge_embedding_loss,
    kl_div as kl_div,
    margin_ranking_loss as margin_ranking_loss,
    poisson_nll_loss as poisson_nll_loss,
    triplet_margin_loss as triplet_margin_loss,
)
from .recurrent import (
    gru as gru,
    gru_cell as gru_cell,
    lstm as lstm,
    lstm_cell as lstm_cell,
    rnn_relu as rnn_relu,
    rnn_relu_cell as rnn_relu_cell,
    rnn_tanh as rnn_tanh,
    rnn_tanh_cell as rnn_tanh_cell,
)
from .tensors import (
    as_strided_ as as_strided_,
    detach_ as detach_,
    is_same_size as is_same_size,
    range as range,
    resize_as_ as resize_as_,
)

__all__ = [name for name in dir() if not name.startswith("_") and callable(globals()[name])]
