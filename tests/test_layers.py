"""Layers: outputs, gradients and buffers are PyTorch's; initial values have its distributions."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import rustorch
from rustorch import nn
from rustorch.nn import functional as F, init

from pytorch_answers.cases import LAYERS
from sample import to_array

ANSWERS = np.load(Path(__file__).parent / "pytorch_answers/layers.npz")
RTOL, ATOL = 1e-5, 5e-6  # float32, and sums of up to a hundred terms


def answers(prefix: str) -> dict[str, np.ndarray]:
    """The arrays below a prefix, by the rest of their name."""
    return {k.removeprefix(prefix): ANSWERS[k] for k in ANSWERS.files if k.startswith(prefix)}


def close(got: rustorch.Tensor, want: np.ndarray, what: str) -> None:
    assert tuple(got.shape) == want.shape, what
    np.testing.assert_allclose(to_array(got), want, rtol=RTOL, atol=ATOL, err_msg=what)


@pytest.mark.parametrize("key", LAYERS)
def test_layers_compute_what_pytorchs_do(key: str, device: str) -> None:
    build, _, training = LAYERS[key]
    layer = build(nn).to(device).train(training)
    before = answers(f"{key}/before/")
    assert list(layer.state_dict()) == list(before)
    layer.load_state_dict({k: rustorch.from_numpy(v) for k, v in before.items()})
    x = rustorch.from_numpy(ANSWERS[f"{key}/input"]).to(device)
    if x.is_floating_point():
        x.requires_grad_()
    y = layer(x)
    close(y, ANSWERS[f"{key}/output"], "output")
    y.backward(rustorch.from_numpy(ANSWERS[f"{key}/cotangent"]).to(device))
    if x.is_floating_point():
        close(x.grad, ANSWERS[f"{key}/grad"], "gradient of the input")
    for name, parameter in layer.named_parameters():
        close(parameter.grad, ANSWERS[f"{key}/grad/{name}"], f"gradient of {name}")
    for name, want in answers(f"{key}/after/").items():
        close(layer.state_dict()[name], want, name)


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: nn.Linear(5, 3, bias=False), "Linear(in_features=5, out_features=3, bias=False)"),
        (
            lambda: nn.Conv2d(3, 6, 3, 2, 1, groups=3, bias=False),
            "Conv2d(3, 6, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), groups=3, bias=False)",
        ),
        (lambda: nn.Conv1d(1, 2, 3), "Conv1d(1, 2, kernel_size=(3,), stride=(1,))"),
        (lambda: nn.Dropout(0.25), "Dropout(p=0.25, inplace=False)"),
        (lambda: nn.Embedding(6, 4, padding_idx=1), "Embedding(6, 4, padding_idx=1)"),
        (lambda: nn.ReLU(), "ReLU()"),
        (lambda: nn.ReLU(inplace=True), "ReLU(inplace=True)"),
        (lambda: nn.Softmax(dim=1), "Softmax(dim=1)"),
        (lambda: nn.MaxPool2d(2), "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"),
        (lambda: nn.AvgPool2d(3, 2), "AvgPool2d(kernel_size=3, stride=2, padding=0)"),
        (lambda: nn.Flatten(), "Flatten(start_dim=1, end_dim=-1)"),
        (lambda: nn.CrossEntropyLoss(), "CrossEntropyLoss()"),
        (lambda: nn.Identity(), "Identity()"),
        (
            lambda: nn.Sequential(nn.Linear(2, 3), nn.ModuleList([nn.Tanh(), nn.Tanh()])),
            "Sequential(\n  (0): Linear(in_features=2, out_features=3, bias=True)\n"
            "  (1): ModuleList(\n    (0-1): 2 x Tanh()\n  )\n)",
        ),
    ],
)
def test_repr(build, text: str) -> None:
    assert repr(build()) == text


@pytest.mark.parametrize(
    ("build", "fan_in"),
    [
        (lambda: nn.Linear(300, 400), 300),
        (lambda: nn.Conv2d(40, 80, 5, groups=2), 20 * 25),
        (lambda: nn.Conv1d(60, 90, 7), 420),
    ],
)
def test_initial_weights_are_uniform_over_the_fan_in(build, fan_in: int) -> None:
    layer = build()
    bound = 1 / math.sqrt(fan_in)
    for parameter in (layer.weight, layer.bias):
        assert abs(parameter).max().item() <= bound
    assert layer.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.02)
    assert layer.weight.mean().item() == pytest.approx(0, abs=0.02 * bound)


def test_initial_values_of_norms_and_embeddings() -> None:
    norm = nn.BatchNorm2d(7)
    assert norm.weight.tolist() == norm.running_var.tolist() == [1] * 7
    assert norm.bias.tolist() == norm.running_mean.tolist() == [0] * 7
    assert norm.num_batches_tracked.item() == 0
    table = nn.Embedding(500, 60, padding_idx=3)
    assert not table.weight[3].any().item()
    assert table.weight.std().item() == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize(
    ("name", "args", "std"),
    [
        ("uniform_", (-2, 4), 6 / math.sqrt(12)),
        ("normal_", (0, 0.3), 0.3),
        ("xavier_uniform_", (2.0,), 2 * math.sqrt(2 / 500)),
        ("xavier_normal_", (), math.sqrt(2 / 500)),
        ("kaiming_uniform_", (), math.sqrt(2 / 200)),
        ("kaiming_normal_", (0, "fan_out"), math.sqrt(2 / 300)),
        ("trunc_normal_", (0, 1, -1, 1), 0.5396),
    ],
)
def test_initialisers(name: str, args: tuple, std: float) -> None:
    w = rustorch.empty(300, 200)
    assert getattr(init, name)(w, *args) is w
    assert w.std().item() == pytest.approx(std, rel=0.02)


def test_initialisers_of_constants() -> None:
    assert init.constant_(rustorch.empty(2), 3).tolist() == [3, 3]
    assert init.ones_(rustorch.empty(2)).tolist() == [1, 1]
    assert init.zeros_(rustorch.empty(2)).tolist() == [0, 0]
    assert init.eye_(rustorch.empty(2, 2)).tolist() == [[1, 0], [0, 1]]
    assert init.calculate_gain("leaky_relu", 0.2) == pytest.approx(math.sqrt(2 / 1.04))


def test_dropout_only_in_training() -> None:
    layer, x = nn.Dropout(0.5), rustorch.ones(1000)
    assert 300 < (layer(x) == 0).sum().item() < 700
    assert layer.eval()(x).tolist() == x.tolist()


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


def test_wrong_labels_are_refused() -> None:
    with pytest.raises((IndexError, ValueError)):
        F.cross_entropy(rustorch.zeros(2, 3), rustorch.tensor([0, 3]))
    with pytest.raises(IndexError):
        nn.Embedding(3, 2)(rustorch.tensor([3]))
    with pytest.raises((RuntimeError, ValueError)):
        F.cross_entropy(rustorch.zeros(2, 3), rustorch.tensor([0, 1, 2]))
    with pytest.raises((RuntimeError, ValueError)):
        nn.Conv2d(3, 4, 3, groups=2)


def test_the_convolutions_of_a_layer_and_of_both_namespaces_are_one_function() -> None:
    for name in ("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"):
        assert getattr(F, name) is getattr(rustorch, name)


def test_same_padding_puts_the_odd_zero_at_the_end() -> None:
    x, weight = rustorch.arange(5.0).reshape(1, 1, 5), rustorch.tensor([[[1.0, 10.0]]])
    assert F.conv1d(x, weight, padding="same").flatten().tolist() == [10.0, 21.0, 32.0, 43.0, 4.0]
    assert F.conv1d(x[0], weight, padding="valid").flatten().tolist() == [10.0, 21.0, 32.0, 43.0]
    with pytest.raises(ValueError, match=r"conv1d.*'full'.*'valid', 'same'"):
        F.conv1d(x, weight, padding="full")
    with pytest.raises(ValueError, match=r"conv1d.*padding='same' is not supported for strided convolutions"):
        F.conv1d(x, weight, stride=2, padding="same")


def test_a_convolution_computes_through_conv_forward_which_a_subclass_may_replace() -> None:
    class Standardized(nn.Conv2d):
        def _conv_forward(
            self, input: rustorch.Tensor, weight: rustorch.Tensor, bias: rustorch.Tensor | None
        ) -> rustorch.Tensor:
            return super()._conv_forward(input, weight / weight.norm(), bias)

    for mode in ("zeros", "reflect", "circular"):
        layer = Standardized(2, 3, 3, padding=(1, 2), padding_mode=mode)
        plain = nn.Conv2d(2, 3, 3, padding=(1, 2), padding_mode=mode)
        plain.load_state_dict(layer.state_dict())
        with rustorch.no_grad():
            plain.weight /= layer.weight.norm()
        x = rustorch.randn(1, 2, 4, 5)
        np.testing.assert_allclose(to_array(layer(x)), to_array(plain(x)), rtol=1e-6, atol=1e-6)


def test_a_setting_that_is_changed_counts_from_the_next_call_on() -> None:
    layer, x = nn.Conv2d(1, 2, 3, padding_mode="replicate"), rustorch.randn(1, 1, 4, 4)
    layer.padding, layer.dilation = (1, 1), (2, 2)
    assert layer(x).shape == (1, 2, 2, 2)
    norm = nn.LayerNorm(4)
    norm.eps = 1e6
    assert norm(x).abs().max() < 0.01


@pytest.mark.parametrize(
    ("build", "fan_in"),
    [
        (lambda: nn.Linear(5, 3), 5),
        (lambda: nn.Conv2d(4, 6, (3, 2), groups=2), 12),
        (lambda: nn.ConvTranspose1d(4, 6, 3, groups=2), 9),
    ],
)
def test_a_seed_draws_the_weight_and_then_the_bias(build: Callable[[], nn.Module], fan_in: int) -> None:
    rustorch.manual_seed(7)
    layer = build()
    rustorch.manual_seed(7)
    for parameter in (layer.weight, layer.bias):
        drawn = rustorch.empty(parameter.shape).uniform_(-(fan_in**-0.5), fan_in**-0.5)
        np.testing.assert_allclose(to_array(parameter), to_array(drawn), rtol=1e-6)
