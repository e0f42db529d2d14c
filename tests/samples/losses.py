"""Samples of the losses beyond those in networks.py."""

import numpy as np
from scipy import special

from tests.references import cross_entropy, reduced
from tests.sample import T, case, op

F = "nn.functional."
X, FAR = T((3, 5)), T((3, 5), 4, 5)
WIDE = ("float64", "float32")
SIGNS = T((3, 5), -1, 1, dtype="int64")


def huber(d, delta):
    """A parabola, then lines."""
    return np.where(np.abs(d) <= delta, d * d / 2, delta * (np.abs(d) - delta / 2))


def huber_loss(x, y, reduction="mean", delta=1.0, weight=None):
    """With a weight per element, the mean is still by the number of elements."""
    loss = huber(x - y, delta)
    return reduced(loss if weight is None else loss * weight, reduction)


def smooth_l1_loss(x, y, reduction="mean", beta=1.0):
    """huber over beta."""
    return reduced(huber(x - y, beta) / beta if beta else np.abs(x - y), reduction)


def kl_div(x, t, reduction="mean", log_target=False):
    """Pointwise t (log t - x)."""
    loss = np.exp(t) * (t - x) if log_target else special.xlogy(t, t) - t * x
    return loss.sum() / x.shape[0] if reduction == "batchmean" else reduced(loss, reduction)


def poisson_nll_loss(x, t, log_input=True, full=False, eps=1e-8, reduction="mean"):
    """Rates, or their logarithms."""
    loss = np.exp(x) - t * x if log_input else x - t * np.log(x + eps)
    if full:
        many = np.where(t > 1, t, 2)
        loss = loss + np.where(t > 1, many * np.log(many) - many + np.log(2 * np.pi * many) / 2, 0)
    return reduced(loss, reduction)


def gaussian_nll_loss(x, t, var, full=False, eps=1e-6, reduction="mean"):
    """A variance without the last dimension stands for all of it."""
    var = np.asarray(var)
    var = var[..., None] if var.shape == x.shape[:-1] and var.ndim else var
    loss = (np.log(np.maximum(var, eps)) + (x - t) ** 2 / np.maximum(var, eps)) / 2
    return reduced(loss + (np.log(2 * np.pi) / 2 if full else 0), reduction)


def hinge_embedding_loss(x, t, margin=1.0, reduction="mean"):
    """Targets other than 1 and -1 count both parts."""
    return reduced(np.where(t != 1, np.maximum(margin - x, 0), 0) + np.where(t != -1, x, 0), reduction)


def cosine_embedding_loss(a, b, t, margin=0.0, reduction="mean"):
    """Along the last dimension."""
    cosine = (a * b).sum(-1) / np.sqrt(((a * a).sum(-1) + 1e-12) * ((b * b).sum(-1) + 1e-12))
    return reduced(np.where(t == 1, 1 - cosine, 0) + np.where(t == -1, np.maximum(cosine - margin, 0), 0), reduction)


def triplet_margin_loss(a, p, n, margin=1.0, power=2.0, eps=1e-6, swap=False, reduction="mean"):
    """p-norms of the differences plus eps."""

    def distance(x, y):
        return (np.abs(x - y + eps) ** power).sum(-1) ** (1 / power)

    far = np.minimum(distance(a, n), distance(p, n)) if swap else distance(a, n)
    return reduced(np.maximum(distance(a, p) - far + margin, 0), reduction)


def multi_margin_loss(x, t, p=1, margin=1.0, weight=None, reduction="mean"):
    """One sample after the other."""
    rows, targets = x.reshape(-1, x.shape[-1]), t.reshape(-1)
    losses = np.zeros(len(rows))
    for i, (row, right) in enumerate(zip(rows, targets, strict=True)):
        excess = np.maximum(margin - row[right] + row, 0) ** p
        excess[right] = 0
        losses[i] = excess.sum() / len(row) * (1 if weight is None else weight[right])
    return reduced(losses if x.ndim > 1 else losses[0], reduction)


def multilabel_margin_loss(x, t, reduction="mean"):
    """One sample after the other, its targets up to the first -1."""
    rows, targets = x.reshape(-1, x.shape[-1]), t.reshape(-1, x.shape[-1])
    losses = np.zeros(len(rows))
    for i, (row, listed) in enumerate(zip(rows, targets, strict=True)):
        right = listed[: np.argmax(listed < 0)] if (listed < 0).any() else listed
        wrong = [c for c in range(len(row)) if c not in right]
        losses[i] = sum(max(0, 1 - row[j] + row[c]) for j in right for c in wrong) / len(row)
    return reduced(losses if x.ndim > 1 else losses[0], reduction)


def multilabel_soft_margin_loss(x, t, weight=None, reduction="mean"):
    """The mean over the classes, then over the samples."""
    loss = t * np.logaddexp(0, -x) + (1 - t) * np.logaddexp(0, x)
    return reduced((loss if weight is None else loss * weight).mean(-1), reduction)


def linear_cross_entropy(x, w, t, linear_bias=None, weight=None, reduction="mean", label_smoothing=0.0):
    """cross_entropy of the logits."""
    logits = x @ w.reshape(-1, w.shape[-1]).T + (0 if linear_bias is None else linear_bias.reshape(-1))
    logits = logits.reshape(*x.shape[:-1], *w.shape[:-1])
    return cross_entropy(logits, t, weight, reduction=reduction, label_smoothing=label_smoothing)


CLASSES = T((4,), 0, 2, dtype="int64")
LABELS = T((6, 4), -1, 3, dtype="int64")

SAMPLES = [
    op(
        F + "huber_loss",
        huber_loss,
        case(X, X),
        case(X, X, reduction="none", delta=2.5),
        case(X, X, "sum", 0.25),
        case(X, X, weight=T((3, 5), 0.5, 2)),
    ),
    op(
        F + "smooth_l1_loss",
        smooth_l1_loss,
        case(X, X),
        case(X, FAR, reduction="none", beta=0.0),
        case(X, X, reduction="sum", beta=2.0),
    ),
    op(
        F + "kl_div",
        kl_div,
        case(X, T((3, 5), 0.1, 1), reduction="none"),
        case(X, T((3, 5), 0.1, 1), reduction="batchmean"),
        case(X, X, reduction="sum", log_target=True),
    ),
    op(
        F + "poisson_nll_loss",
        poisson_nll_loss,
        case(X, X),
        case(X, T((3, 5), 0, 0.9), full=True, reduction="none"),
        case(T((3, 5), 1, 3), T((3, 5), 1.5, 4), log_input=False, full=True, reduction="sum"),
        dtypes=WIDE,
    ),
    op(
        F + "gaussian_nll_loss",
        gaussian_nll_loss,
        case(X, X, T((3, 5), 0.5, 2)),
        case(X, X, T((3,), 0.5, 2), full=True, reduction="none"),
        case(X, X, T((3, 1), 0.5, 2), reduction="sum"),
        case(X, X, 2.0),
        dtypes=WIDE,
    ),
    op(
        F + "hinge_embedding_loss",
        hinge_embedding_loss,
        case(X, SIGNS),
        case(X, SIGNS, 2.5, reduction="none"),
    ),
    op(
        F + "margin_ranking_loss",
        lambda a, b, t, margin=0.0, reduction="mean": reduced(np.maximum(-t * (a - b) + margin, 0), reduction),
        case(X, X, SIGNS),
        case(X, X, SIGNS, 0.5, reduction="none"),
    ),
    op(
        F + "soft_margin_loss",
        lambda x, t, reduction="mean": reduced(np.logaddexp(0, -t * x), reduction),
        case(X, SIGNS),
        case(X, SIGNS, reduction="none"),
    ),
    op(
        F + "cosine_embedding_loss",
        cosine_embedding_loss,
        case(X, X, T((3,), -1, 1, dtype="int64")),
        case(X, X, T((3,), -1, 1, dtype="int64"), -0.9, reduction="none"),
        case(T((5,)), T((5,)), T((), 1, 1, dtype="int64"), reduction="sum"),
        dtypes=WIDE,
    ),
    op(
        F + "triplet_margin_loss",
        triplet_margin_loss,
        case(X, X, X, 4.0),
        case(X, X, X, 4.0, 1.5, swap=True, reduction="none"),
        case(T((4,)), T((4,)), T((4,)), 3.0, reduction="sum"),
        dtypes=WIDE,
    ),
    op(
        F + "multi_margin_loss",
        multi_margin_loss,
        case(T((4, 3)), CLASSES),
        case(T((4, 3)), CLASSES, 2, 2.0, T((3,), 0.5, 2, grad=False), reduction="none"),
        case(T((3,)), T((), 0, 2, dtype="int64"), reduction="sum"),
        dtypes=WIDE,
    ),
    op(
        F + "multilabel_margin_loss",
        multilabel_margin_loss,
        case(T((6, 4)), LABELS),
        case(T((6, 4)), LABELS, reduction="none"),
        case(T((4,)), T((4,), -1, 3, dtype="int64"), reduction="sum"),
        dtypes=WIDE,
    ),
    op(
        F + "multilabel_soft_margin_loss",
        multilabel_soft_margin_loss,
        case(X, T((3, 5), 0, 1)),
        case(X, T((3, 5), 0, 1), T((5,), 0.5, 2), reduction="none"),
        dtypes=WIDE,
    ),
    op(
        F + "linear_cross_entropy",
        linear_cross_entropy,
        case(T((4, 5), -1, 1), T((3, 5), -1, 1), CLASSES),
        case(T((4, 5), -1, 1), T((3, 5), -1, 1), CLASSES, linear_bias=T((3,)), label_smoothing=0.25),
        case(T((4, 5), -1, 1), T((3, 2, 5), -1, 1), T((4, 2), 0, 2, dtype="int64"), reduction="none"),
        case(T((5,), -1, 1), T((3, 5), -1, 1), T((), 0, 2, dtype="int64"), weight=T((3,), 0.5, 2, grad=False)),
        dtypes=WIDE,
    ),
]
