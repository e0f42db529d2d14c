"""What does not fit is refused, in words that say what would."""

import pytest

import rustorch
from rustorch import nn, optim
from rustorch.nn import functional as F

IMAGE = rustorch.arange(2 * 4 * 6 * 5).reshape(2, 4, 6, 5) / 100


@pytest.mark.parametrize(
    ("build", "shape", "words"),
    [
        (lambda: nn.Linear(5, 3), (2, 4), ["4", "5"]),
        (lambda: nn.Conv2d(3, 4, 3), (1, 2, 8, 8), ["2", "3"]),
        (lambda: nn.Conv2d(3, 4, 3), (3, 3), ["3"]),
        (lambda: nn.Conv2d(1, 1, 5), (1, 1, 3, 3), ["5", "3"]),
        (lambda: nn.BatchNorm2d(3), (2, 4, 5, 5), ["3", "4"]),
        (lambda: nn.BatchNorm1d(3), (1, 3), ["1"]),
        (lambda: nn.LayerNorm(4), (2, 5), ["4", "5"]),
    ],
)
def test_wrong_inputs_are_refused_with_their_shapes(build, shape: tuple[int, ...], words: list[str]) -> None:
    with pytest.raises((RuntimeError, ValueError)) as error:
        build()(rustorch.zeros(shape))
    assert all(word in str(error.value) for word in words)


@pytest.mark.rustorch_only
@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda: nn.LSTMCell(2, 3)(rustorch.zeros(4, 5)), r"LSTMCell: input .* got 5, expected 2, .* \[4, 5\]"),
        (lambda: nn.GRUCell(2, 3)(rustorch.zeros(5)), r"GRUCell: input has inconsistent input_size: got 5, expected 2"),
        (
            lambda: nn.LSTMCell(2, 3)(rustorch.zeros(4, 2), (rustorch.zeros(4, 3), rustorch.zeros(4, 6))),
            r"LSTMCell: hidden1 .* \[4, 6\], expected \[4, 3\] .* \[4, 2\]",
        ),
        (
            lambda: nn.RNNCell(2, 3)(rustorch.zeros(4, 2), rustorch.zeros(5, 3)),
            r"RNNCell: hidden0 .* \[5, 3\], expected \[4, 3\]",
        ),
        (
            lambda: nn.Bilinear(2, 3, 4)(rustorch.zeros(5, 2), rustorch.zeros(5, 2)),
            r"Bilinear: input2 .* 3, got \[5, 2\]",
        ),
        (lambda: nn.Bilinear(2, 3, 4)(rustorch.zeros(()), rustorch.zeros(5, 3)), r"Bilinear: input1 .* 2, got \[\]"),
        (
            lambda: nn.Bilinear(2, 3, 4)(rustorch.zeros(5, 2), rustorch.zeros(6, 3)),
            r"Bilinear: .* \[5, 2\] and \[6, 3\]",
        ),
    ],
)
def test_layers_of_two_inputs_name_themselves_and_the_sizes(act, text: str) -> None:
    with pytest.raises(rustorch.ShapeMismatchError, match=text):
        act()


@pytest.mark.rustorch_only
def test_a_cell_of_two_states_wants_a_pair() -> None:
    with pytest.raises(TypeError, match="hx must be a pair"):
        nn.LSTMCell(2, 3)(rustorch.zeros(2, 2), rustorch.zeros(2, 3))


def test_wrong_labels_are_refused() -> None:
    with pytest.raises((IndexError, ValueError)):
        F.cross_entropy(rustorch.zeros(2, 3), rustorch.tensor([0, 3]))
    with pytest.raises(IndexError):
        nn.Embedding(3, 2)(rustorch.tensor([3]))
    with pytest.raises((RuntimeError, ValueError)):
        F.cross_entropy(rustorch.zeros(2, 3), rustorch.tensor([0, 1, 2]))
    with pytest.raises((RuntimeError, ValueError)):
        nn.Conv2d(3, 4, 3, groups=2)


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        (lambda: nn.Module().foo, AttributeError, "'Module' object has no attribute 'foo'"),
        (lambda: nn.Module().register_buffer("a.b", None), KeyError, r"buffer name can.*t contain"),
        (lambda: nn.Module().register_parameter("", None), KeyError, "be empty string"),
        (lambda: nn.Module().register_parameter("training", None), KeyError, "already exists"),
        (lambda: nn.Module().add_module("a", 3), TypeError, "int is not a Module subclass"),
        (lambda: nn.Module().train("yes"), ValueError, "training mode is expected to be boolean"),
        (lambda: nn.Linear(1, 1).to(rustorch.int64), TypeError, "only accepts floating point"),
        (lambda: nn.BatchNorm2d(3)(rustorch.zeros(3, 3)), ValueError, r"expected 4D input \(got 2D input\)"),
        (lambda: nn.Dropout(2.0), ValueError, "has to be between 0 and 1, but got 2.0"),
        (lambda: nn.Linear(1, 1).get_buffer("weight"), AttributeError, "is not a buffer"),
    ],
)
def test_errors(act, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        act()


@pytest.mark.rustorch_only
@pytest.mark.parametrize(
    ("act", "error", "option"),
    [
        (lambda: nn.EmbeddingBag(2, 2, sparse=True), NotImplementedError, "sparse"),
        (lambda: nn.Embedding(2, 2, sparse=True), NotImplementedError, "sparse"),
        (lambda: nn.MSELoss(size_average=False), TypeError, "size_average"),
        (lambda: F.cross_entropy(rustorch.ones(1, 2), rustorch.tensor([0]), reduce=False), TypeError, "reduce"),
        (lambda: optim.Adam([rustorch.ones(1)], differentiable=True), NotImplementedError, "differentiable"),
    ],
)
def test_options_that_are_not_built_are_named(act, error: type[Exception], option: str) -> None:
    with pytest.raises(error, match=option):
        act()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: F.pad(IMAGE, (1,)), ValueError, "even"),
        (lambda: F.pad(IMAGE, (5, 0, 0, 0), "reflect"), ValueError, "smaller than the dimension"),
        (lambda: F.pad(IMAGE, (6, 0, 0, 0), "circular"), ValueError, "more than once"),
        (lambda: F.pad(IMAGE, (1, 1), "reflect"), ValueError, "not supported for a 4D input"),
        (lambda: F.pad(IMAGE, (1, 1), "mirror"), ValueError, "unrecognised padding mode"),
        (lambda: F.pad(IMAGE, (-3, -3)), ValueError, "not a size"),
        (lambda: F.interpolate(IMAGE), ValueError, "either size or scale_factor"),
        (lambda: F.interpolate(IMAGE, 3, 2.0), ValueError, "only one of size"),
        (lambda: F.interpolate(IMAGE, 3, mode="linear"), ValueError, "does not fit"),
        (lambda: F.interpolate(IMAGE, 3, align_corners=True), ValueError, "align_corners"),
        (lambda: F.interpolate(IMAGE, 0), ValueError, "greater than 0"),
        (lambda: F.interpolate(IMAGE, (3, 3, 3)), ValueError, "2 spatial dimensions"),
        (lambda: F.conv_transpose2d(IMAGE, rustorch.ones(4, 1, 2, 2), output_padding=1), ValueError, "output padding"),
        (lambda: F.conv_transpose2d(IMAGE, rustorch.ones(3, 1, 2, 2)), ValueError, "channels"),
        (lambda: F.max_unpool2d(IMAGE, IMAGE, 2), TypeError, "int64"),
        (lambda: F.max_unpool2d(IMAGE, IMAGE.long() + 999, 2), IndexError, "999|index"),
        (lambda: F.grid_sample(IMAGE, IMAGE), ValueError, "grid"),
        (lambda: F.grid_sample(IMAGE, rustorch.ones(2, 1, 1, 2), "cubic"), ValueError, "mode"),
        (lambda: F.fold(rustorch.ones(1, 8, 5), (4, 4), 2), ValueError, "expected"),
        (lambda: F.pixel_shuffle(IMAGE, 3), ValueError, "divisible"),
        (lambda: F.pixel_shuffle(IMAGE, 0), ValueError, "positive"),
        (lambda: F.fractional_max_pool2d(IMAGE, 2), ValueError, "output_size or an output_ratio"),
        (lambda: F.fractional_max_pool2d(IMAGE, 4, 5), ValueError, "too large"),
        (lambda: F.adaptive_max_pool2d(IMAGE.long(), 2), TypeError, "int64"),
        (lambda: F.instance_norm(IMAGE[..., :1, :1]), ValueError, "more than 1 spatial element"),
        (lambda: F.rms_norm(IMAGE, (4,)), ValueError, "normalized_shape"),
    ],
)
def test_what_does_not_fit_is_refused(call, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        call()
    assert isinstance(caught.value, rustorch.RusTorchError)
