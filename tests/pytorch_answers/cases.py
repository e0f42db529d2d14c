"""What generate.py asks PyTorch, and the tests ask RusTorch."""

from typing import Any

import numpy as np

PROMOTION_DTYPES = (
    *("bool", "uint8", "int8", "int16", "int32", "int64"),
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
)

# name: (how to build it from the module nn, the input's shape, whether in training)
LAYERS: dict[str, tuple[Any, tuple[int, ...], bool]] = {
    "linear": (lambda nn: nn.Linear(5, 3), (4, 5), True),
    "linear no bias": (lambda nn: nn.Linear(5, 3, bias=False), (2, 3, 5), True),
    "conv1d": (lambda nn: nn.Conv1d(4, 6, 3, stride=2, padding=1), (2, 4, 9), True),
    "conv2d": (lambda nn: nn.Conv2d(3, 5, 3, padding=1), (2, 3, 7, 6), True),
    "conv2d grouped": (lambda nn: nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), (1, 2), 2, bias=False), (2, 4, 7, 6), True),
    "conv2d same": (lambda nn: nn.Conv2d(2, 3, 3, padding="same", dilation=2), (1, 2, 6, 6), True),
    "conv3d": (lambda nn: nn.Conv3d(2, 3, (2, 3, 2), stride=(1, 2, 1), padding=1), (1, 2, 3, 5, 4), True),
    "batchnorm1d": (lambda nn: nn.BatchNorm1d(5), (6, 5), True),
    "batchnorm2d": (lambda nn: nn.BatchNorm2d(3), (4, 3, 5, 2), True),
    "batchnorm2d cumulative": (lambda nn: nn.BatchNorm2d(3, momentum=None, eps=1e-3), (4, 3, 5, 2), True),
    "batchnorm2d eval": (lambda nn: nn.BatchNorm2d(3), (4, 3, 5, 2), False),
    "batchnorm2d plain": (lambda nn: nn.BatchNorm2d(3, affine=False, track_running_stats=False), (4, 3, 5, 2), False),
    "batchnorm3d": (lambda nn: nn.BatchNorm3d(2), (3, 2, 2, 3, 4), True),
    "layernorm": (lambda nn: nn.LayerNorm((3, 4)), (2, 3, 4), True),
    "layernorm plain": (lambda nn: nn.LayerNorm(4, eps=1e-2, elementwise_affine=False), (2, 3, 4), True),
    "groupnorm": (lambda nn: nn.GroupNorm(2, 4), (2, 4, 5, 3), True),
    "embedding": (lambda nn: nn.Embedding(6, 4), (3, 5), True),
    "embedding padded": (lambda nn: nn.Embedding(6, 4, padding_idx=2), (3, 5), True),
    "maxpool1d": (lambda nn: nn.MaxPool1d(3, 2, 1), (2, 3, 9), True),
    "maxpool2d": (lambda nn: nn.MaxPool2d(2, ceil_mode=True), (2, 3, 7, 5), True),
    "maxpool3d": (lambda nn: nn.MaxPool3d(2), (1, 2, 4, 5, 4), True),
    "avgpool1d": (lambda nn: nn.AvgPool1d(3, 2, 1), (2, 3, 9), True),
    "avgpool2d": (lambda nn: nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), (2, 3, 7, 6), True),
    "avgpool3d": (lambda nn: nn.AvgPool3d(2), (1, 2, 4, 5, 4), True),
    "adaptive": (lambda nn: nn.AdaptiveAvgPool2d((3, 1)), (2, 3, 7, 5), True),
    "dropout eval": (lambda nn: nn.Dropout(0.5), (4, 5), False),
    "relu": (lambda nn: nn.ReLU(), (4, 5), True),
    "leaky relu": (lambda nn: nn.LeakyReLU(0.2), (4, 5), True),
    "gelu": (lambda nn: nn.GELU(), (4, 5), True),
    "gelu tanh": (lambda nn: nn.GELU(approximate="tanh"), (4, 5), True),
    "silu": (lambda nn: nn.SiLU(), (4, 5), True),
    "elu": (lambda nn: nn.ELU(1.5), (4, 5), True),
    "softplus": (lambda nn: nn.Softplus(2.0), (4, 5), True),
    "softmax": (lambda nn: nn.Softmax(dim=1), (4, 5), True),
    "log softmax": (lambda nn: nn.LogSoftmax(dim=-1), (4, 5), True),
    "sigmoid": (lambda nn: nn.Sigmoid(), (4, 5), True),
    "tanh": (lambda nn: nn.Tanh(), (4, 5), True),
    "flatten": (lambda nn: nn.Flatten(), (2, 3, 4), True),
    "network": (
        lambda nn: nn.Sequential(
            *(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(64, 10)),
        ),
        (3, 1, 8, 8),
        True,
    ),
}

# name: (class, settings)
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {"lr": 0.1}),
    "sgd momentum": ("SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}),
    "sgd dampening": ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.5}),
    "sgd nesterov": ("SGD", {"lr": 0.05, "momentum": 0.8, "nesterov": True}),
    "sgd maximize": ("SGD", {"lr": 0.01, "momentum": 0.5, "maximize": True}),
    "adam": ("Adam", {"lr": 0.1}),
    "adam amsgrad": ("Adam", {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-4, "amsgrad": True}),
    "adam decay": ("Adam", {"lr": 0.1, "weight_decay": 0.2}),
    "adam maximize": ("Adam", {"lr": 0.1, "maximize": True}),
    "adamw": ("AdamW", {"lr": 0.1}),
    "adamw decay": ("AdamW", {"lr": 0.1, "weight_decay": 0.5, "amsgrad": True}),
}


def optimizer_path(library: Any, kind: str, settings: dict[str, Any], device: str = "cpu") -> np.ndarray:
    """Ten steps on a crooked function of two parameters in float64: their values after each, (10, 7)."""
    rng = np.random.default_rng(3)
    target, mix = (library.from_numpy(rng.normal(size=shape)).to(device) for shape in ((4,), (4, 3)))
    a, b = (library.from_numpy(rng.normal(size=n)).to(device).requires_grad_() for n in (4, 3))
    optimizer = getattr(library.optim, kind)([{"params": [a]}, {"params": [b], "lr": settings["lr"] / 2}], **settings)
    path = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = ((a - target) ** 2).sum() + ((mix @ b).sin() * a.tanh()).sum()
        loss.backward()
        optimizer.step()
        path.append(np.concatenate([p.detach().to("cpu").numpy() for p in (a, b)]))
    return np.stack(path)
