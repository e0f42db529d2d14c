"""Modules of one or several inputs that generate_networks.py asks PyTorch, and test_networks.py asks RusTorch.

Each is its constructor and the inputs: ("normal", shape), ("unit", shape) for numbers of (0.1, 0.9), ("class", shape,
n) for integers below n, ("sign", shape) for 1 and -1.
"""

from typing import Any

X, Y = ("normal", (4, 5)), ("unit", (4, 5))
SIGNS, CLASSES = ("sign", (4,)), ("class", (4,), 5)

MODULES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "GLU": (lambda nn: nn.GLU(0), (X,)),
    "PReLU": (lambda nn: nn.PReLU(5), (X,)),
    "RReLU eval": (lambda nn: nn.RReLU().eval(), (X,)),
    "Softshrink": (lambda nn: nn.Softshrink(0.3), (X,)),
    "Hardshrink": (lambda nn: nn.Hardshrink(0.3), (X,)),
    "Tanhshrink": (lambda nn: nn.Tanhshrink(), (X,)),
    "Softmin": (lambda nn: nn.Softmin(1), (X,)),
    "Softmax2d": (lambda nn: nn.Softmax2d(), (("normal", (2, 3, 2, 2)),)),
    "HuberLoss": (lambda nn: nn.HuberLoss(delta=0.7), (X, X)),
    "SmoothL1Loss": (lambda nn: nn.SmoothL1Loss(reduction="sum", beta=0.4), (X, X)),
    "KLDivLoss": (lambda nn: nn.KLDivLoss(reduction="batchmean"), (X, Y)),
    "KLDivLoss log": (lambda nn: nn.KLDivLoss(reduction="sum", log_target=True), (X, X)),
    "PoissonNLLLoss": (lambda nn: nn.PoissonNLLLoss(full=True), (X, Y)),
    "PoissonNLLLoss rates": (lambda nn: nn.PoissonNLLLoss(log_input=False, reduction="none"), (Y, Y)),
    "GaussianNLLLoss": (lambda nn: nn.GaussianNLLLoss(full=True), (X, X, Y)),
    "HingeEmbeddingLoss": (lambda nn: nn.HingeEmbeddingLoss(0.8), (X, ("sign", (4, 5)))),
    "MarginRankingLoss": (lambda nn: nn.MarginRankingLoss(0.5, reduction="none"), (X, X, ("sign", (4, 5)))),
    "SoftMarginLoss": (lambda nn: nn.SoftMarginLoss(), (X, ("sign", (4, 5)))),
    "CosineEmbeddingLoss": (lambda nn: nn.CosineEmbeddingLoss(-0.2), (X, X, SIGNS)),
    "TripletMarginLoss": (lambda nn: nn.TripletMarginLoss(2.0, p=3.0, swap=True), (X, X, X)),
    "TripletMarginWithDistanceLoss": (
        lambda nn: nn.TripletMarginWithDistanceLoss(distance_function=nn.L1Loss(reduction="none"), margin=0.5),
        (X, X, X),
    ),
    "MultiMarginLoss": (lambda nn: nn.MultiMarginLoss(2, 1.5, reduction="none"), (X, CLASSES)),
    "MultiLabelMarginLoss": (lambda nn: nn.MultiLabelMarginLoss(), (X, ("class", (4, 5), 5))),
    "MultiLabelSoftMarginLoss": (lambda nn: nn.MultiLabelSoftMarginLoss(), (X, Y)),
    "LinearCrossEntropyLoss": (lambda nn: nn.LinearCrossEntropyLoss(5, 7, bias=True), (X, CLASSES)),
    "AlphaDropout eval": (lambda nn: nn.AlphaDropout(0.2).eval(), (X,)),
    "EmbeddingBag": (lambda nn: nn.EmbeddingBag(6, 3, mode="max", padding_idx=1), (("class", (4, 5), 6),)),
}
