"""Samples of the ops of neural networks: convolution, pooling, normalisation and losses."""

from tests import references as ref
from tests.sample import FLOATS, T, case, op

F = "nn.functional."
X, CUBE = T((3, 5)), T((2, 3, 4))
SMALL = (-1.0, 1.0)
LINE, PLANE, SPACE = T((2, 4, 9), *SMALL), T((2, 4, 6, 5), *SMALL), T((1, 2, 4, 3, 5), *SMALL)
BIAS = T((6,), *SMALL)
POOLABLE = T((2, 3, 7, 6), distinct=True)

WINDOWS = [
    op(
        "conv1d",
        ref.convolution(1),
        case(LINE, T((6, 4, 3), *SMALL)),
        case(LINE, T((6, 2, 3), *SMALL), BIAS, 2, 1, 2, 2),
        case(T((4, 9), *SMALL), T((6, 4, 1), *SMALL), BIAS),
        method=False,
    ),
    op(
        "conv2d",
        ref.convolution(2),
        case(PLANE, T((6, 4, 3, 3), *SMALL), BIAS, padding=1),
        case(PLANE, T((6, 2, 3, 2), *SMALL), BIAS, (2, 1), (0, 1), (1, 2), 2),
        case(PLANE, T((4, 1, 2, 2), *SMALL), groups=4),
        case(T((0, 4, 6, 5)), T((6, 4, 3, 3), *SMALL)),
        method=False,
    ),
    op(
        "conv3d",
        ref.convolution(3),
        case(SPACE, T((6, 2, 2, 3, 2), *SMALL), BIAS, stride=(1, 1, 2), padding=1),
        method=False,
    ),
    op(
        "max_pool1d",
        ref.max_pool(1),
        case(T((2, 3, 9), distinct=True), 3),
        case(T((2, 3, 9), distinct=True), 3, 2, 1, 2),
        method=False,
        dtypes=FLOATS,
    ),
    op("max_pool2d", ref.max_pool(2), case(POOLABLE, 2), case(POOLABLE, (3, 2), (1, 2), (1, 0)), method=False),
    op(
        "max_pool3d",
        ref.max_pool(3),
        case(T((1, 2, 4, 5, 4), distinct=True), 2),
        method=False,
        dtypes=("float64", "float32"),
    ),
    op(
        F + "max_pool1d_with_indices",
        ref.max_pool(1, True),
        case(T((2, 3, 9), distinct=True), 3, 2),
        result=("same", "int64"),
        dtypes=("float64", "float32"),
    ),
    op(
        F + "max_pool2d_with_indices",
        ref.max_pool(2, True),
        case(POOLABLE, 3, 2, 1),
        result=("same", "int64"),
        dtypes=("float64", "float32"),
    ),
    op(
        F + "max_pool3d_with_indices",
        ref.max_pool(3, True),
        case(T((1, 2, 4, 5, 4), distinct=True), 2, 1),
        result=("same", "int64"),
        dtypes=("float64", "float32"),
    ),
    op("avg_pool1d", ref.avg_pool(1), case(LINE, 3), case(LINE, 3, 2, 1), method=False),
    op(
        F + "avg_pool2d",
        ref.avg_pool(2),
        case(PLANE, 2),
        case(PLANE, (3, 2), 2, 1, count_include_pad=False),
        case(PLANE, 2, divisor_override=3),
    ),
    op(F + "avg_pool3d", ref.avg_pool(3), case(SPACE, 2), case(SPACE, 3, 1, 1), dtypes=("float64", "float32")),
    op("adaptive_avg_pool1d", ref.adaptive_avg_pool(1), case(LINE, 4), method=False),
    op(F + "adaptive_avg_pool2d", ref.adaptive_avg_pool(2), case(PLANE, (3, 2)), case(PLANE, 1)),
    op(F + "adaptive_avg_pool3d", ref.adaptive_avg_pool(3), case(SPACE, (2, 2, 3))),
]

C4, C4P = T((4,), *SMALL), T((4,), 0.5, 2)

NORMS = [
    op(
        F + "layer_norm",
        ref.layer_norm,
        case(X, (5,)),
        case(CUBE, (3, 4), T((3, 4)), T((3, 4))),
        case(CUBE, (4,), C4, None, 1e-2),
    ),
    op(F + "group_norm", ref.group_norm, case(PLANE, 2), case(PLANE, 4, C4, C4, 1e-2)),
    op(
        F + "batch_norm",
        ref.batch_norm,
        case(PLANE, None, None, C4, C4, training=True),
        case(T((6, 4)), None, None, None, None, training=True, eps=1e-2),
        case(LINE, T((4,), *SMALL, grad=False), T((4,), 0.5, 2, grad=False), C4, C4),
    ),
]

LOGITS = T((6, 4))
CLASSES = T((6,), 0, 3, dtype="int64")
WEIGHTS = T((4,), 0.5, 2, grad=False)
CHANCE = T((6, 4), 0.05, 0.95)
SPREAD_CLASSES = T((2, 5), 0, 2, dtype="int64")

LOSSES = [
    op(
        F + "mse_loss",
        lambda x, y, reduction="mean": ref.reduced((x - y) ** 2, reduction),
        case(X, X),
        case(X, T((3, 5), 0, 1), reduction="sum"),
        case(X, X, reduction="none"),
    ),
    op(
        F + "l1_loss",
        lambda x, y, reduction="mean": ref.reduced(abs(x - y), reduction),
        case(X, T((3, 5), 4, 5)),
        case(X, T((3, 5), 4, 5), reduction="none"),
    ),
    op(
        F + "nll_loss",
        ref.nll_loss,
        case(LOGITS, CLASSES),
        case(LOGITS, CLASSES, WEIGHTS, ignore_index=1),
        case(T((2, 3, 5)), SPREAD_CLASSES, reduction="sum"),
        case(LOGITS, CLASSES, reduction="none"),
    ),
    op(
        F + "cross_entropy",
        ref.cross_entropy,
        case(LOGITS, CLASSES),
        case(LOGITS, CLASSES, WEIGHTS, ignore_index=1),
        case(LOGITS, CLASSES, WEIGHTS, label_smoothing=0.2),
        case(T((2, 3, 5)), SPREAD_CLASSES, reduction="none"),
        case(LOGITS, CHANCE, reduction="sum"),
        case(T((4,)), T((), 0, 3, dtype="int64")),
    ),
    op(
        F + "binary_cross_entropy",
        ref.binary_cross_entropy,
        case(CHANCE, T((6, 4), 0.1, 0.9)),
        case(CHANCE, T((6, 4), 0.1, 0.9), WEIGHTS, reduction="sum"),
        dtypes=("float64", "float32"),
    ),
    op(
        F + "binary_cross_entropy_with_logits",
        ref.binary_cross_entropy_with_logits,
        case(LOGITS, CHANCE),
        case(LOGITS, CHANCE, WEIGHTS, reduction="none"),
        case(LOGITS, CHANCE, pos_weight=WEIGHTS),
    ),
]

SAMPLES = WINDOWS + NORMS + LOSSES
