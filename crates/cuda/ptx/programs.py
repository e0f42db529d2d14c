"""What networks do on a device, so that the kernels they need are met: python programs.py [DEVICE].

`pack.py` runs this on a driver that only pretends, to learn which texts belong into the wheel; a test runs it there
again without a compiler. Nothing is computed, so no value is looked at.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import rustorch as torch
from rustorch import Tensor, nn
from rustorch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[3] / "benches"))
from networks import Gpt, resnet

HALVES = (torch.float32, torch.float16, torch.bfloat16)
DEVICE = sys.argv[1] if len(sys.argv) > 1 else "cuda"


def digits() -> nn.Module:
    """A small network as of a tutorial."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3),
        nn.GroupNorm(4, 16),
        nn.SiLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.25),
        nn.Linear(144, 32),
        nn.Tanh(),
        nn.Linear(32, 10),
    )


def perceptron() -> nn.Module:
    """Linear layers with the usual activations between."""
    layers: list[nn.Module] = []
    activations = (nn.ReLU, nn.Sigmoid, nn.LeakyReLU, nn.ELU, nn.Softplus, nn.Hardswish, nn.SELU, nn.Mish)
    for activation in activations:
        layers += [nn.Linear(24, 24), activation()]
    return nn.Sequential(*layers, nn.BatchNorm1d(24), nn.Linear(24, 1))


OPTIMIZERS: list[Callable[[list[nn.Parameter]], torch.optim.Optimizer]] = [
    lambda p: torch.optim.SGD(p, lr=0.1),
    lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True),
    lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=1e-4),
    lambda p: torch.optim.Adam(p),
    lambda p: torch.optim.Adam(p, weight_decay=1e-2),
    lambda p: torch.optim.AdamW(p),
    lambda p: torch.optim.AdamW(p, weight_decay=0.0),
    lambda p: torch.optim.RMSprop(p),
    lambda p: torch.optim.Adagrad(p),
]


def step(model: nn.Module, loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
    """One training step."""
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


def train(model: nn.Module, dtype: torch.dtype, loss: Callable[[nn.Module], Tensor]) -> None:
    """Two steps and an evaluation."""
    model.to(device=DEVICE, dtype=dtype)
    optimizer = torch.optim.AdamW(model.parameters())
    for _ in range(2):
        value = loss(model)
        step(model, value, optimizer)
    model.eval()
    with torch.no_grad():
        loss(model)


def classes(n: int, count: int) -> Tensor:
    """Labels."""
    return torch.zeros(n, dtype=torch.int64).to(DEVICE).add(count - 1)


def networks(dtype: torch.dtype) -> None:
    """Trains and evaluates each network."""

    def images(*shape: int) -> Tensor:
        return torch.randn(*shape, device=DEVICE).to(dtype)

    def words(model: nn.Module) -> Tensor:
        tokens = torch.zeros(3, 96, dtype=torch.int64).to(DEVICE)
        return F.cross_entropy(model(tokens).view(-1, 300).float(), tokens.view(-1))

    def classify(*shape: int) -> Callable[[nn.Module], Tensor]:
        def loss(model: nn.Module) -> Tensor:
            scores = model(images(*shape))
            (scores.argmax(1) == classes(shape[0], 10)).float().mean()
            return F.cross_entropy(scores, classes(shape[0], 10))

        return loss

    train(Gpt(width=128, heads=2, layers=2, words=300, length=96), dtype, words)
    train(resnet((16, 128), 1, 10), dtype, classify(4, 3, 64, 64))
    train(digits(), dtype, classify(32, 1, 16, 16))
    losses: list[Callable[[Tensor, Tensor], Tensor]] = [
        F.mse_loss,
        F.l1_loss,
        F.smooth_l1_loss,
        F.huber_loss,
        F.binary_cross_entropy_with_logits,
    ]
    for loss in losses:
        train(perceptron(), dtype, lambda model, loss=loss: loss(model(images(8, 24)), images(8, 1)))  # type: ignore[misc]


def optimizers(dtype: torch.dtype) -> None:
    """One step of each, and another, which has a state already."""
    for make in OPTIMIZERS:
        parameters = [nn.Parameter(torch.zeros(shape, dtype=dtype, device=DEVICE)) for shape in ((5, 7), (7,))]
        optimizer = make(parameters)
        for _ in range(2):
            for parameter in parameters:
                parameter.grad = torch.zeros_like(parameter)
            optimizer.step()


UNARY = [
    "abs",
    "neg",
    "sign",
    "sqrt",
    "rsqrt",
    "exp",
    "log",
    "log1p",
    "expm1",
    "sin",
    "cos",
    "tan",
    "tanh",
    "sigmoid",
    "relu",
    "floor",
    "ceil",
    "round",
    "trunc",
    "square",
    "reciprocal",
    "erf",
    "isnan",
    "isinf",
    "isfinite",
    "logical_not",
]
BINARY = [
    "add",
    "sub",
    "mul",
    "div",
    "pow",
    "maximum",
    "minimum",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "logical_and",
    "logical_or",
    "remainder",
    "floor_divide",
]
REDUCTIONS = [
    "sum",
    "mean",
    "amax",
    "amin",
    "prod",
    "std",
    "var",
    "argmax",
    "argmin",
    "logsumexp",
    "softmax",
    "log_softmax",
    "cumsum",
]


def layouts(dtype: torch.dtype) -> list[tuple[Tensor, Tensor]]:
    """Pairs of operands as they lie in programs: alike, broadcast, transposed."""
    make = lambda *shape: torch.zeros(*shape, dtype=dtype, device=DEVICE)  # noqa: E731
    return [
        (make(6, 40), make(6, 40)),
        (make(6, 40), make(40)),
        (make(6, 40), make(6, 1)),
        (make(40, 6).T, make(6, 40)),
    ]


def elementwise(dtype: torch.dtype) -> None:
    """Single ops of one and two operands, with numbers, in place, and their gradients."""
    pairs = layouts(dtype)
    a, b = pairs[0]
    for name in UNARY:
        op = getattr(torch, name)
        for x in (a, pairs[3][0]):
            op(x)
    for name in BINARY:
        op = getattr(torch, name)
        for x, y in pairs:
            op(x, y)
        if name not in ("maximum", "minimum", "logical_and", "logical_or"):
            op(a, 2.0)
    for x, y in pairs:
        x += y
        x *= y
        x.sub_(y).div_(y).add_(y, alpha=0.5)
        torch.where(x > y, x, y)
        x.masked_fill(y > 0, 0.0)
        torch.lerp(x, y, 0.5), torch.addcmul(x, x, y), torch.addcdiv(x, x, y)
    1.0 - a, 1.0 / a, 2.0**a, a.clamp(0.0, 1.0), a.clamp(min=0.0), a.zero_(), a.fill_(1.0), a.mul_(0.5), a.add_(1.0)
    a.clone(), pairs[3][0].contiguous(), pairs[2][1].expand(6, 40).contiguous(), a[1:4], a[:, 1:4].contiguous()
    torch.cat([a, b]), torch.cat([a, b], dim=1), torch.stack([a, b]), a.flip(0), a.repeat(2, 2), a.roll(1, 0)
    F.pad(a, (1, 1)), torch.tril(a), torch.triu(a), a.permute(1, 0).reshape(-1), a.unfold(1, 4, 4).contiguous()
    for other in (
        torch.float32,
        torch.float16,
        torch.bfloat16,
        torch.float64,
        torch.int64,
        torch.int32,
        torch.bool,
        torch.uint8,
    ):
        a.to(other), torch.zeros(6, 40, dtype=other, device=DEVICE).to(dtype), pairs[3][0].to(other)
        torch.ones(4, dtype=other, device=DEVICE), torch.full((4,), 3, dtype=other, device=DEVICE)


def lines(dtype: torch.dtype) -> None:
    """What goes along a dimension, short and long, inner and outer."""
    for shape in ((6, 40), (8, 3000), (3000, 8), (4, 5, 6)):
        x = torch.zeros(*shape, dtype=dtype, device=DEVICE)
        for name in REDUCTIONS:
            for dim in (0, -1):
                getattr(x, name)(dim)
        for name in ("sum", "mean", "max", "min", "std", "var", "argmax", "norm"):
            getattr(x, name)()
        x.max(dim=-1), x.min(dim=0), x.sum(dim=(0, 1)), x.mean(dim=(0, -1), keepdim=True), x.norm(dim=-1)
        (
            x.topk(3, dim=-1),
            x.sort(dim=-1),
            x.argsort(dim=-1),
            (x > 0).sum(),
            (x > 0).any(),
            (x > 0).all(),
            (x > 0).sum(0),
        )
    for shape in ((6, 40), (8, 3000)):
        x = torch.zeros(*shape, dtype=dtype, device=DEVICE, requires_grad=True)
        total = F.softmax(x, -1).sum() + F.log_softmax(x, -1).sum() + F.layer_norm(x, shape[1:]).sum()
        (total + F.softmax(x, 0).sum() + x.mean() + x.var() + x.logsumexp(-1).sum()).backward()
        F.rms_norm(x, shape[1:])


def products(dtype: torch.dtype) -> None:
    """Matrices of every shape that chooses a tile, with and without a bias, batched and transposed."""
    make = lambda *shape: torch.zeros(*shape, dtype=dtype, device=DEVICE)  # noqa: E731
    sizes = (
        (4, 300, 7),
        (300, 300, 7),
        (300, 7, 300),
        (300, 64, 300),
        (20, 200, 20),
        (300, 5000, 300),
        (1, 200, 200),
        (1600, 64, 1600),
        (1600, 2000, 200),
    )
    for m, k, n in sizes:
        for batch in ((), (3,), (2, 3)):
            a, b = make(*batch, m, k), make(*batch, k, n)
            a @ b, a @ make(*batch, n, k).mT, make(*batch, k, m).mT @ b, a @ make(k, n)
        (
            F.linear(make(m, k), make(n, k), make(n)),
            F.linear(make(2, m, k), make(n, k), make(n)),
            F.linear(make(m, k), make(n, k)),
        )
        torch.addmm(make(n), make(m, k), make(k, n)), make(m, k) @ make(k), make(k) @ make(k, n), make(k) @ make(k)
    for features in (32, 64, 128):
        q, k, v = (make(2, 3, 300, features).requires_grad_() for _ in range(3))
        F.scaled_dot_product_attention(q, k, v, is_causal=True).sum().backward()
    q, k, v = (make(2, 3, 300, 64).requires_grad_() for _ in range(3))
    F.scaled_dot_product_attention(q, k, v, attn_mask=make(300, 300) > 0).sum().backward()


def convolutions(dtype: torch.dtype) -> None:
    """One to three dimensions, dense, grouped and depthwise, transposed, with their gradients; pools."""
    make = lambda *shape: torch.zeros(*shape, dtype=dtype, device=DEVICE, requires_grad=True)  # noqa: E731
    for channels, out, groups in (
        (3, 16, 1),
        (32, 64, 1),
        (128, 128, 1),
        (32, 32, 32),
        (64, 128, 2),
        (1, 8, 1),
        (64, 2, 1),
        (512, 512, 1),
    ):
        for size in (8, 64) if channels < 512 else (16,):
            x, w, b = make(8, channels, size, size), make(out, channels // groups, 3, 3), make(out)
            for stride in (1, 2):
                F.conv2d(x, w, b, stride=stride, padding=1, groups=groups).sum().backward()
                F.conv2d(x, w, stride=stride, padding=1, groups=groups).sum().backward()
    F.conv1d(make(2, 16, 30), make(32, 16, 5), make(32)).sum().backward()
    F.conv3d(make(2, 8, 6, 6, 6), make(16, 8, 3, 3, 3), make(16)).sum().backward()
    F.conv_transpose2d(make(2, 16, 8, 8), make(16, 32, 4, 4), make(32), stride=2, padding=1).sum().backward()
    for pool in (F.max_pool2d, F.avg_pool2d):
        pool(make(2, 8, 16, 16), 2).sum().backward()
        pool(make(2, 8, 16, 16), 3, stride=2, padding=1).sum().backward()
    F.adaptive_avg_pool2d(make(2, 8, 16, 16), 1).sum().backward()
    F.adaptive_avg_pool2d(make(2, 8, 16, 16), 4).sum().backward()
    F.adaptive_max_pool2d(make(2, 8, 16, 16), 4).sum().backward()
    for mode in ("nearest", "bilinear"):
        F.interpolate(make(2, 8, 16, 16), scale_factor=2, mode=mode).sum().backward()
    for module in (nn.BatchNorm2d(8), nn.GroupNorm(2, 8), nn.InstanceNorm2d(8, affine=True)):
        module.to(device=DEVICE, dtype=dtype)(make(2, 8, 16, 16)).sum().backward()


def indices(dtype: torch.dtype) -> None:
    """Reading and writing by indices, and random numbers."""
    x = torch.zeros(20, 12, dtype=dtype, device=DEVICE, requires_grad=True)
    rows = torch.zeros(5, dtype=torch.int64).to(DEVICE)
    places = torch.zeros(5, 12, dtype=torch.int64).to(DEVICE)
    values = torch.zeros(5, 12, dtype=dtype, device=DEVICE)
    total = x[rows].sum() + x.gather(0, places).sum() + x.index_select(0, rows).sum() + F.embedding(rows, x).sum()
    total = total + x[rows, rows].sum() + x[2:7].sum() + x[:, 3].sum() + x[::2].sum()
    total.backward()
    y = torch.zeros(20, 12, dtype=dtype, device=DEVICE)
    (
        y.scatter(0, places, values),
        y.scatter_add(0, places, values),
        y.index_add(0, rows, values),
        y.index_fill(0, rows, 1.0),
    )
    y[rows] = values
    y[2:7] = values
    y[:, 3] = 1.0
    y.index_put_((rows,), values, accumulate=True)
    F.cross_entropy(x, torch.zeros(20, dtype=torch.int64).to(DEVICE)).backward()
    F.nll_loss(x, torch.zeros(20, dtype=torch.int64).to(DEVICE)).backward()
    F.one_hot(rows, 7), torch.arange(9, device=DEVICE), torch.eye(4, dtype=dtype, device=DEVICE)
    (
        torch.rand(9, dtype=dtype, device=DEVICE),
        torch.randn(9, dtype=dtype, device=DEVICE),
        torch.randint(9, (9,), device=DEVICE),
    )
    torch.randperm(9, device=DEVICE), y.uniform_(), y.normal_(), y.bernoulli_(0.5), F.dropout(x, 0.5).sum().backward()
    torch.linspace(0, 1, 9, dtype=dtype, device=DEVICE), torch.outer(y[0], y[1]), torch.einsum("ij,kj->ik", y, y)


PARTS = (networks, optimizers, elementwise, lines, products, convolutions, indices)


def main() -> None:
    warnings.simplefilter("ignore")
    for dtype in HALVES:
        for part in PARTS:
            part(dtype)
    if torch.backends.fallbacks():
        sys.exit(f"ran on the CPU: {torch.backends.fallbacks()}")


if __name__ == "__main__":
    main()
