"""Samples of attention and of losses of sequences."""

import numpy as np
from scipy import special

from tests.sample import T, case, op

F = "nn.functional."
WIDE = ("float64", "float32")


def attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    """All scores at once; a query that sees nothing gets zeros."""
    if enable_gqa:
        key, value = (np.repeat(x, query.shape[-3] // x.shape[-3], -3) for x in (key, value))
    scores = query @ key.swapaxes(-1, -2) * (1 / np.sqrt(query.shape[-1]) if scale is None else scale)
    if attn_mask is not None:
        scores = np.where(attn_mask, scores, -np.inf) if attn_mask.dtype == bool else scores + attn_mask
    if is_causal:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
    if not scores.shape[-1]:
        return np.zeros((*scores.shape[:-1], value.shape[-1]))
    unseen = (scores == -np.inf).all(-1, keepdims=True)
    return np.where(unseen, 0, special.softmax(np.where(unseen, 0, scores), -1)) @ value


def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    """The probabilities of every prefix, with and without a blank behind it."""
    losses = []
    flat = targets.reshape(-1)
    starts = np.cumsum([0, *target_lengths[:-1]]) if targets.ndim == 1 else np.arange(len(targets)) * targets.shape[1]
    for n, (frames, length) in enumerate(zip(input_lengths, target_lengths, strict=True)):
        states = [blank]
        for target in flat[starts[n] : starts[n] + length]:
            states += [target, blank]
        probabilities = np.exp(log_probs[:frames, n])
        alpha = np.zeros(len(states))
        alpha[:2] = probabilities[0][states[:2]]
        for frame in probabilities[1:]:
            before, alpha = alpha, np.zeros(len(states))
            for s, state in enumerate(states):
                ways = before[s] + (before[s - 1] if s else 0)
                if s > 1 and state != blank and state != states[s - 2]:
                    ways += before[s - 2]
                alpha[s] = ways * frame[state]
        losses.append(-np.log(alpha[-2:].sum()))
    values = np.array(losses)
    if zero_infinity:
        values[np.isinf(values)] = 0
    if reduction == "mean":
        return (values / np.maximum(target_lengths, 1)).mean()
    return values if reduction == "none" else values.sum()


Q, K, V = T((2, 3, 4), -2, 2), T((2, 5, 4), -2, 2), T((2, 5, 3), -2, 2)
HEADS, FEW = T((2, 4, 3, 4), -2, 2), T((2, 2, 5, 4), -2, 2)
SEEN = T((3, 5), dtype="bool")

SAMPLES = [
    op(
        F + "scaled_dot_product_attention",
        attention,
        case(Q, K, V),
        case(Q, K, V, is_causal=True),
        case(Q, K, V, T((3, 5)), scale=0.3),
        case(Q, K, V, T((2, 3, 5))),
        case(Q, K, V, SEEN),
        case(Q, K, V, T((3, 1), dtype="bool")),
        case(HEADS, FEW, FEW, enable_gqa=True, is_causal=True),
        case(T((3, 4), -2, 2), K, V),
        case(T((3, 4), -2, 2), T((5, 4), -2, 2), T((5, 2), -2, 2)),
        case(T((2, 0, 4)), K, V),
        case(Q, T((2, 0, 4)), T((2, 0, 3))),
        dtypes=("float64", "float32", "bfloat16"),
    ),
    op(
        F + "ctc_loss",
        ctc_loss,
        case(T((7, 2, 4), -3, -0.5), T((2, 3), 1, 3, dtype="int64"), [7, 6], [3, 2]),
        case(T((7, 2, 4), -3, -0.5), T((4,), 1, 3, dtype="int64"), [7, 5], [3, 1], reduction="none"),
        case(T((5, 2, 3), -3, -0.5), T((2, 2), 0, 1, dtype="int64"), [5, 1], [2, 2], 2, "sum", True),
        case(T((5, 1, 3), -3, -0.5), T((1, 2), 0, 1, dtype="int64"), [5], [0], 2, "sum"),
        dtypes=WIDE,
        grad=False,  # held in test_attention.py: it is that of log_softmax's input
    ),
]
