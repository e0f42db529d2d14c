"""Writes networks.npz and networks.json with PyTorch: run it in an environment that has torch 2.13.

Per module of network_cases.py: its repr, state, inputs, outputs, and the gradients of inputs and parameters.
"""

import json
from pathlib import Path

import numpy as np
import torch

from tests.pytorch_answers.network_cases import MODULES

HERE = Path(__file__).parent


def make(spec: tuple, rng: np.random.Generator) -> np.ndarray:
    kind, shape, *rest = spec
    if kind == "class":
        return rng.integers(0, rest[0], shape)
    if kind == "sign":
        return rng.integers(0, 2, shape) * 2 - 1
    return (rng.normal(size=shape) if kind == "normal" else rng.uniform(0.1, 0.9, shape)).astype(np.float32)


def tensors(value: object) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    return [] if value is None else [t for v in value for t in tensors(v)]


def main() -> None:
    arrays, reprs = {}, {}
    for key, (build, inputs) in MODULES.items():
        torch.manual_seed(0)
        rng = np.random.default_rng(0)
        module = build(torch.nn)
        for parameter in module.parameters():
            parameter.data.uniform_(-0.6, 0.6)
        reprs[key] = repr(module)
        given = [make(spec, rng) for spec in inputs]
        made = [torch.from_numpy(a.copy()) for a in given]
        for tensor in made:
            tensor.requires_grad_(tensor.is_floating_point())
        arrays |= {f"{key}/state/{k}": v.numpy().copy() for k, v in module.state_dict().items()}
        results = tensors(module(*made))
        total = sum((r * torch.arange(1.0, r.numel() + 1).view(r.shape).cos()).sum() for r in results)
        total.backward()
        arrays |= {f"{key}/input/{i}": a for i, a in enumerate(given)}
        arrays |= {f"{key}/output/{i}": r.detach().numpy() for i, r in enumerate(results)}
        arrays |= {f"{key}/grad/{i}": t.grad.numpy() for i, t in enumerate(made) if t.grad is not None}
        arrays |= {f"{key}/grad/{k}": p.grad.numpy() for k, p in module.named_parameters() if p.grad is not None}
    np.savez_compressed(HERE / "networks.npz", **arrays)
    (HERE / "networks.json").write_text(json.dumps(reprs, indent=0) + "\n")


if __name__ == "__main__":
    main()
