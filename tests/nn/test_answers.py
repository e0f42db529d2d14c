"""Outputs, gradients, buffers and texts are those that PyTorch gave."""

from pathlib import Path

import numpy as np
import pytest

import rustorch
from rustorch import nn

from tests.pytorch_answers.cases import LAYERS
from tests.sample import to_array

ANSWERS = np.load(Path(__file__).parents[1] / "pytorch_answers/layers.npz")


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
