"""Writes the reference answers of this folder with PyTorch: run it in an environment that has torch 2.13.

python -m tests.pytorch_answers.generate

promotion.json   every answer of promote_types, and of result_type for tensors of 0 and 1 dimensions and Python numbers
layers.npz       per layer: parameters, input, output, gradients of input and parameters, buffers after the call
out.json         the functions of torch, torch.linalg, torch.special and torch.fft that take out=
optimizers.npz   per optimizer and setting: where its parameters stand after each step
aten.json        functions under ATen's signatures: per call, dtype, shape and elements of each result
assert_close.json  per call of testing.assert_close: the class and the text of its error
schedules.npz    per schedule and optimizer: learning rate and momentum in each epoch
"""

import itertools
import json
import re
from pathlib import Path

import numpy as np
import torch

from tests.pytorch_answers.aten_cases import CASES
from tests.pytorch_answers.cases import LAYERS, PROMOTION_DTYPES
from tests.pytorch_answers.comparison_cases import CALLS, comparison
from tests.pytorch_answers.optimizer_cases import (
    MATRIX_OPTIMIZERS,
    OPTIMIZERS,
    SCHEDULES,
    matrix_path,
    optimizer_path,
    schedule_path,
)

HERE = Path(__file__).parent


def name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def out() -> None:
    stub = (Path(torch.__path__[0]) / "_C" / "_VariableFunctions.pyi").read_text()
    names = set(re.findall(r"def (\w+)\((?:[^()]|\([^()]*\))*?\bout: ", stub)) | {"chain_matmul", "norm", "tensordot"}
    for schema in torch._C._jit_get_all_schemas():
        namespace, _, function = schema.name.partition("::")
        if namespace == "aten" and any(argument.is_out for argument in schema.arguments):
            names.update({function} if function.startswith(("linalg_", "special_", "fft_")) else ())
    (HERE / "out.json").write_text(json.dumps(sorted(names), indent=0) + "\n")


def promotion() -> None:
    dtypes = [getattr(torch, d) for d in PROMOTION_DTYPES]
    pairs = list(itertools.product(dtypes, repeat=2))

    def tensor(dtype: torch.dtype, ndim: int) -> torch.Tensor:
        return torch.ones((1,) * ndim, dtype=dtype)

    table = {
        "promote_types": {f"{name(a)} {name(b)}": name(torch.promote_types(a, b)) for a, b in pairs},
        "result_type": {
            f"{name(a)} {i} {name(b)} {j}": name(torch.result_type(tensor(a, i), tensor(b, j)))
            for a, b in pairs
            for i, j in itertools.product((0, 1), repeat=2)
        },
        "python_number": {
            f"{name(a)} {i} {number!r}": name(torch.result_type(tensor(a, i), number))
            for a in dtypes
            for i in (0, 1)
            for number in (True, 1, 1.0)
        },
    }
    for rows in table.values():  # float16 with complex numbers gives complex32, which is not one of our dtypes
        for row in [row for row, answer in rows.items() if answer == "complex32"]:
            del rows[row]
    (HERE / "promotion.json").write_text(json.dumps(table, indent=0) + "\n")


def layers() -> None:
    arrays = {}
    for key, (build, shape, training) in LAYERS.items():
        torch.manual_seed(0)
        layer = build(torch.nn).train(training)
        for tensor in itertools.chain(layer.parameters(), layer.buffers()):
            if tensor.is_floating_point():
                tensor.data = torch.empty_like(tensor).uniform_(0.25, 1.0)
        indices = isinstance(layer, torch.nn.Embedding)
        x = torch.randint(0, 6, shape) if indices else torch.randn(shape).requires_grad_()
        arrays |= {f"{key}/before/{k}": v.numpy().copy() for k, v in layer.state_dict().items()}
        y = layer(x)
        cotangent = torch.rand(y.shape)
        y.backward(cotangent)
        arrays |= {f"{key}/input": x.detach().numpy(), f"{key}/output": y.detach().numpy()}
        arrays |= {f"{key}/cotangent": cotangent.numpy()}
        if not indices:
            arrays[f"{key}/grad"] = x.grad.numpy()
        arrays |= {f"{key}/grad/{k}": p.grad.numpy() for k, p in layer.named_parameters()}
        arrays |= {f"{key}/after/{k}": v.numpy() for k, v in layer.state_dict().items()}
    np.savez_compressed(HERE / "layers.npz", **arrays)


def aten() -> None:
    answers = {}
    for key, call in CASES.items():
        results = call(torch)
        results = results if isinstance(results, tuple) else (results,)
        answers[key] = [
            [name(t.dtype), list(t.shape), [float(f"{x:.12g}") for x in t.flatten().tolist()]] for t in results
        ]
    (HERE / "aten.json").write_text(json.dumps(answers).replace('], "', '],\n"') + "\n")


def comparisons() -> None:
    answers = {call: comparison(torch, call) for call in CALLS}
    (HERE / "assert_close.json").write_text(json.dumps(answers, indent=0) + "\n")


def optimizers() -> None:
    paths = {key: optimizer_path(torch, kind, settings) for key, (kind, settings) in OPTIMIZERS.items()}
    paths |= {key: matrix_path(torch, kind, settings) for key, (kind, settings) in MATRIX_OPTIMIZERS.items()}
    np.savez_compressed(HERE / "optimizers.npz", **paths)


def schedules() -> None:
    paths = {
        f"{key}/{kind}": schedule_path(torch, build, kind)
        for key, build in SCHEDULES.items()
        for kind in ("SGD", "Adam")
    }
    np.savez_compressed(HERE / "schedules.npz", **paths)


if __name__ == "__main__":
    promotion()
    out()
    layers()
    aten()
    comparisons()
    optimizers()
    schedules()
