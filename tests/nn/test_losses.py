"""Losses."""

import math

import pytest

import rustorch
from rustorch import nn
from rustorch.autograd import gradcheck
from rustorch.nn import functional as F


def slopes(function, values) -> list[float]:
    x = rustorch.tensor(values, requires_grad=True)
    function(x).sum().backward()
    return x.grad.tolist()


def test_a_nan_passes_the_gradient_on() -> None:
    for name in ("relu", "relu6", "elu", "selu", "celu", "hardswish", "hardtanh"):
        assert slopes(getattr(F, name), [math.nan])[0] != 0, name
    assert slopes(lambda x: F.threshold(x, 0.5, 7), [math.nan, 0.5, 0.75]) == [1, 0, 1]
    assert slopes(F.relu, [math.nan, 0.0, 1.0]) == [1, 0, 1]


def test_binary_cross_entropy_at_certainty() -> None:
    target = rustorch.tensor([0.0, 1.0, 1.0])
    assert slopes(lambda x: F.binary_cross_entropy(x, target, reduction="none"), [0.0, 1.0, 0.5]) == [0, 0, -2]
    x = rustorch.tensor([0.0, 1.0])
    assert F.binary_cross_entropy(x, 1 - x, reduction="none").tolist() == [100, 100]


def test_margins_just_met() -> None:
    values = [1.0, 0.0, -1.0, 0.5]
    assert slopes(lambda x: F.multi_margin_loss(x, rustorch.tensor(0)), values) == [-0.25, 0, 0, 0.25]
    labels = rustorch.tensor([0, -1, -1, -1])
    assert slopes(lambda x: F.multilabel_margin_loss(x, labels), values) == [-0.25, 0, 0, 0.25]
    assert slopes(lambda x: F.smooth_l1_loss(x, 0 * x.detach(), beta=0.0), [-2.0, 0.0, 3.0]) == pytest.approx(
        [-1 / 3, 0, 1 / 3]
    )


def test_losses_of_nothing() -> None:
    none, labels = rustorch.zeros(0, 4), rustorch.zeros(0, dtype=rustorch.int64)
    assert F.multi_margin_loss(none, labels).item() == 0
    assert F.multilabel_margin_loss(none, none.long()).item() == 0
    assert math.isnan(F.huber_loss(none, none).item())
    assert F.smooth_l1_loss(none, none, reduction="sum").item() == 0
    assert F.multi_margin_loss(rustorch.ones(3), rustorch.tensor([1]), reduction="none").tolist() == pytest.approx(
        [2 / 3]
    )


def test_the_smallest_variance_has_no_part_in_the_gradient() -> None:
    one, zero = rustorch.ones(1), rustorch.zeros(1)
    assert slopes(lambda v: F.gaussian_nll_loss(one, zero, v, eps=0.5), [0.25]) == pytest.approx([0.5 * (2 - 4)])


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda x: F.huber_loss(x, x, delta=0.0), "delta"),
        (lambda x: F.smooth_l1_loss(x, x, beta=-1.0), "beta"),
        (lambda x: F.huber_loss(x, x, weight=rustorch.ones(3)), r"(?i)same size"),
        (lambda x: F.kl_div(x.long(), x, reduction="sum"), r"(?i)integ"),
        (lambda x: F.gaussian_nll_loss(x, x, rustorch.ones(3)), "var"),
        (lambda x: F.gaussian_nll_loss(x, x, -x), "negative"),
        (lambda x: F.margin_ranking_loss(x, x[0], x), "dimension"),
        (lambda x: F.cosine_embedding_loss(x, x, x), r"0D or 1D|target"),
        (lambda x: F.triplet_margin_loss(x, x, x, margin=0.0), "margin"),
        (lambda x: F.triplet_margin_loss(x, x[0], x), "dimensions"),
        (lambda x: F.multi_margin_loss(x, rustorch.tensor([0, 3])), r"range|bounds"),
        (lambda x: F.multi_margin_loss(x, rustorch.tensor([0, 1]), p=3), "p == 1"),
        (lambda x: F.multi_margin_loss(x, rustorch.tensor([0])), "target"),
        (lambda x: F.multilabel_margin_loss(x, rustorch.tensor([[0, 1], [1, 0]])), r"(?i)inconsistent"),
        (lambda x: F.soft_margin_loss(x, x, reduction="median"), "not a valid value for reduction"),
        (lambda x: F.glu(x), "even"),
        (lambda x: F.softshrink(x, -1.0), "lambda"),
        (lambda x: F.prelu(x, rustorch.ones(2)), r"(?i)channel"),
        (lambda x: F.linear_cross_entropy(x, rustorch.ones(4, 2), rustorch.tensor([0, 1])), r"in_features|expected"),
    ],
)
def test_refusals(act, text: str) -> None:
    with pytest.raises((RuntimeError, ValueError, TypeError, IndexError), match=text):
        act(rustorch.ones(2, 3))


def test_the_gradient_of_ctc_through_log_softmax() -> None:
    rustorch.manual_seed(0)
    x = rustorch.randn(6, 3, 4, dtype=rustorch.float64, requires_grad=True)
    targets = rustorch.tensor([[1, 1, 2], [3, 2, 1], [2, 0, 0]])

    def loss(x):
        return F.ctc_loss(x.log_softmax(2), targets, [6, 5, 4], rustorch.tensor([3, 2, 1]), reduction="none")

    assert gradcheck(loss, (x,))


def test_ctc_without_an_alignment() -> None:
    x = rustorch.randn(2, 1, 3).log_softmax(2).requires_grad_()
    target = rustorch.tensor([[1, 1]])  # wants three frames
    assert F.ctc_loss(x, target, [2], [2]).item() == math.inf
    loss = nn.CTCLoss(zero_infinity=True)(x, target, rustorch.tensor([2]), rustorch.tensor([2]))
    loss.backward()
    assert loss.item() == 0
    assert not x.grad.any()
    alone = F.ctc_loss(x[:, 0], rustorch.tensor([1]), rustorch.tensor(2), rustorch.tensor(1), reduction="none")
    assert alone.ndim == 0


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (([[1]], [3], [1]), "input_lengths"),
        (([[1]], [2, 2], [1]), "input_lengths"),
        (([[1]], [2], [2]), r"targets|size|target"),
        (([[5]], [2], [1]), r"5|class"),
    ],
)
@pytest.mark.rustorch_only
def test_lengths_of_ctc(args, text: str) -> None:
    with pytest.raises((RuntimeError, ValueError, IndexError), match=text):
        F.ctc_loss(rustorch.zeros(2, 1, 3), rustorch.tensor(args[0]), *args[1:])


@pytest.mark.parametrize(("classes", "target"), [(3, -1), (3, 3), (1, 1), (0, -1), (0, 0)])
def test_classes_that_are_not_there(classes: int, target: int) -> None:
    scores, targets = rustorch.zeros(2, classes), rustorch.tensor([max(classes - 1, target), target])
    with pytest.raises(IndexError, match=f"target {target} is out of bounds: there are {classes} classes"):
        F.cross_entropy(scores, targets)


def test_the_former_name_of_the_loss_for_images_warns() -> None:
    scores = rustorch.randn(2, 3, 4, 4).log_softmax(1)
    target = rustorch.randint(0, 3, (2, 4, 4))
    with pytest.warns(FutureWarning, match="NLLLoss2d` has been deprecated"):
        loss = nn.NLLLoss2d(rustorch.tensor([1.0, 2.0, 3.0]), reduction="sum")
    assert rustorch.equal(loss(scores, target), nn.NLLLoss(loss.weight, reduction="sum")(scores, target))
