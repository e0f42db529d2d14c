"""Lets the tests run on PyTorch under RusTorch's name: `RUSTORCH_TEST_MODULE=torch pytest`.

A test that fails on PyTorch expects the wrong thing. Needs an environment with torch and safetensors.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

MODULES = (
    "amp",
    "autograd",
    "distributions",
    "autograd.graph",
    "func",
    "multiprocessing",
    "nn",
    "nn.attention",
    "nn.functional",
    "nn.init",
    "nn.modules",
    "nn.modules.lazy",
    "nn.modules.module",
    "nn.modules.utils",
    "nn.parameter",
    "nn.utils",
    "nn.utils.parametrizations",
    "nn.utils.parametrize",
    "nn.utils.prune",
    "nn.utils.rnn",
    "nn.utils.stateless",
    "optim",
    "optim.swa_utils",
    "utils",
    "utils._pytree",
    "utils.checkpoint",
    "utils.data",
    "utils.data._utils.collate",
    "utils.data.dataloader",
    "utils.dlpack",
)


def install() -> None:
    """Makes `import rustorch` and its submodules give PyTorch's."""
    torch = importlib.import_module("torch")
    sys.modules["rustorch"] = torch
    for name in MODULES:
        sys.modules[f"rustorch.{name}"] = importlib.import_module(f"torch.{name}")
    sys.modules["rustorch.safetensors"] = torch.safetensors = importlib.import_module("safetensors.torch")
    path = Path(__file__).parents[1] / "python/rustorch/datasets/__init__.py"
    spec = importlib.util.spec_from_file_location("rustorch.datasets", path)
    datasets = importlib.util.module_from_spec(spec)
    sys.modules["rustorch.datasets"] = torch.datasets = datasets
    spec.loader.exec_module(datasets)
