"""Recurrent networks, transformers and the other modules of `pytorch_answers/network_cases`: what PyTorch gave."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rustorch
from rustorch import nn

from tests.pytorch_answers.network_cases import MODULES

HERE = Path(__file__).parents[1] / "pytorch_answers"


ANSWERS = np.load(HERE / "networks.npz")


REPRS = json.loads((HERE / "networks.json").read_text())


RTOL, ATOL = 2e-5, 1e-5  # float32, and sums of up to a few hundred terms


# Where a repr says what RusTorch has not: an option, or a module of PyTorch's own making.
OTHER_REPR = {"LinearCrossEntropyLoss"}


def below(prefix: str) -> dict[str, np.ndarray]:
    return {k.removeprefix(prefix): ANSWERS[k] for k in ANSWERS.files if k.startswith(prefix)}


def tensors(value: Any) -> list[rustorch.Tensor]:
    if isinstance(value, rustorch.Tensor):
        return [value]
    return [] if value is None else [t for v in value for t in tensors(v)]


def close(got: rustorch.Tensor, want: np.ndarray, what: str) -> None:
    assert tuple(got.shape) == want.shape, what
    np.testing.assert_allclose(got.detach().numpy(force=True), want, rtol=RTOL, atol=ATOL, err_msg=what)


@pytest.mark.parametrize("key", MODULES)
def test_modules_compute_what_pytorchs_do(key: str, device: str) -> None:
    build, inputs = MODULES[key]
    module = build(nn)
    if key not in OTHER_REPR:
        assert repr(module) == REPRS[key]
    state = below(f"{key}/state/")
    assert list(module.state_dict()) == list(state)
    module.load_state_dict({k: rustorch.from_numpy(v) for k, v in state.items()})
    made = [rustorch.from_numpy(ANSWERS[f"{key}/input/{i}"]).to(device) for i in range(len(inputs))]
    for tensor in made:
        tensor.requires_grad_(tensor.is_floating_point())
    results = tensors(module(*made))
    for i, result in enumerate(results):
        close(result, ANSWERS[f"{key}/output/{i}"], f"output {i}")
    total = sum((r * rustorch.arange(1.0, r.numel() + 1).view(r.shape).cos()).sum() for r in results)
    total.backward()
    named = dict(module.named_parameters()) | {str(i): t for i, t in enumerate(made)}
    for name, want in below(f"{key}/grad/").items():
        close(named[name].grad, want, f"gradient of {name}")
