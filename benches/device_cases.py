"""What is timed on a device: `cases` for libraries with PyTorch's names, `cupy_cases` for what CuPy has."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Case = Callable[[], object]


@dataclass(frozen=True)
class Sizes:
    """How large the operands are."""

    matrix: int  # rows and columns
    images: tuple[int, int, int]  # number, channels, side
    attention: tuple[int, int, int, int]  # sequences, heads, length, features
    elements: int
    rows: tuple[int, int]
    resnet: tuple[int, tuple[int, ...], int]  # images, widths, side
    gpt: tuple[int, int, int, int, int, int]  # sequences, length, width, heads, layers, words


SIZES = {
    "gpu": Sizes(
        4096,
        (32, 128, 56),
        (8, 16, 2048, 64),
        1 << 26,
        (16384, 4096),
        (64, (64, 128, 256, 512), 224),
        (8, 1024, 768, 12, 12, 50304),
    ),
    "tiny": Sizes(64, (2, 8, 8), (1, 2, 64, 16), 1 << 12, (32, 64), (2, (8, 16), 32), (2, 16, 32, 2, 2, 100)),
}

TEXTS = {
    "matmul": "matmul, float32",
    "matmul_half": "matmul, float16",
    "convolution": "conv2d 3 × 3",
    "convolution_step": "conv2d 3 × 3, and both gradients",
    "attention": "attention, float16, causal",
    "attention_step": "attention, float16, causal, and gradients",
    "chain": "elementwise chain of five ops",
    "reduction": "sum of all elements",
    "softmax": "softmax",
    "layer_norm": "layer norm",
    "resnet_step": "ResNet-18, training step",
    "gpt_step": "GPT, training step",
}


def cases(library: Any, device: str, sizes: Sizes) -> dict[str, Callable[[], Case]]:
    """Each entry prepares its operands and returns the call to be timed."""
    functional = library.nn.functional

    def operand(*shape: int, dtype: Any = library.float32, requires_grad: bool = False) -> Any:
        made = (library.rand(*shape, device=device) - 0.5).to(dtype)
        return made.requires_grad_(requires_grad)

    def matmul(dtype: Any = library.float32) -> Case:
        a, b = (operand(sizes.matrix, sizes.matrix, dtype=dtype) for _ in range(2))
        return lambda: a @ b

    def matmul_half() -> Case:
        return matmul(library.float16)

    def convolution(training: bool = False) -> Case:
        n, channels, side = sizes.images
        x = operand(n, channels, side, side, requires_grad=training)
        w = operand(channels, channels, 3, 3, requires_grad=training)

        def call() -> None:
            y = functional.conv2d(x, w, padding=1)
            if training:
                x.grad = w.grad = None
                y.sum().backward()

        return call

    def convolution_step() -> Case:
        return convolution(training=True)

    def attention(training: bool = False) -> Case:
        q, k, v = (operand(*sizes.attention, dtype=library.float16, requires_grad=training) for _ in range(3))

        def call() -> None:
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            if training:
                q.grad = k.grad = v.grad = None
                y.sum().backward()

        return call

    def attention_step() -> Case:
        return attention(training=True)

    def chain() -> Case:
        a, b = operand(sizes.elements), operand(sizes.elements)
        return lambda: ((a * b + 1.0).tanh() * 0.5 - b).exp()

    def reduction() -> Case:
        a = operand(sizes.elements)
        return lambda: a.sum()

    def softmax() -> Case:
        a = operand(*sizes.rows)
        return lambda: a.softmax(1)

    def layer_norm() -> Case:
        a, w, b = operand(*sizes.rows), operand(sizes.rows[1]), operand(sizes.rows[1])
        return lambda: functional.layer_norm(a, (sizes.rows[1],), w, b)

    def step(model: Any, loss: Callable[[Any], Any]) -> Case:
        model = model.to(device)
        optimizer = library.optim.AdamW(model.parameters(), lr=1e-4)

        def call() -> None:
            optimizer.zero_grad()
            loss(model).backward()
            optimizer.step()

        return call

    def resnet_step() -> Case:
        n, widths, side = sizes.resnet
        images, labels = operand(n, 3, side, side), library.randint(0, 1000, (n,), device=device)
        model = importlib.import_module("networks").resnet(widths, 2, 1000)
        return step(model, lambda model: functional.cross_entropy(model(images), labels))

    def gpt_step() -> Case:
        n, length, width, heads, layers, words = sizes.gpt
        tokens = library.randint(0, words, (n, length + 1), device=device)
        model = importlib.import_module("networks").Gpt(width, heads, layers, words, length)
        return step(
            model,
            lambda model: functional.cross_entropy(model(tokens[:, :-1]).view(-1, words), tokens[:, 1:].reshape(-1)),
        )

    listed = (
        matmul,
        matmul_half,
        convolution,
        convolution_step,
        attention,
        attention_step,
        chain,
        reduction,
        softmax,
        layer_norm,
        resnet_step,
        gpt_step,
    )
    return {case.__name__: case for case in listed}


def cupy_cases(cupy: Any, sizes: Sizes) -> dict[str, Callable[[], Case]]:
    """The cases that are an expression of arrays."""

    def operand(*shape: int, dtype: str = "float32") -> Any:
        return (cupy.random.rand(*shape) - 0.5).astype(dtype)

    def matmul(dtype: str = "float32") -> Case:
        a, b = (operand(sizes.matrix, sizes.matrix, dtype=dtype) for _ in range(2))
        return lambda: a @ b

    def matmul_half() -> Case:
        return matmul("float16")

    def chain() -> Case:
        a, b = operand(sizes.elements), operand(sizes.elements)
        return lambda: cupy.exp(cupy.tanh(a * b + 1.0) * 0.5 - b)

    def reduction() -> Case:
        a = operand(sizes.elements)
        return lambda: a.sum()

    return {case.__name__: case for case in (matmul, matmul_half, chain, reduction)}


def synchronize(library: Any, device: str) -> Case:
    """What waits until the device has done everything."""
    if library.__name__ == "cupy":
        return library.cuda.Device().synchronize
    kind = device.partition(":")[0]
    return getattr(library, kind).synchronize if kind != "cpu" else lambda: None
