"""What generate.py asks PyTorch, and the tests ask RusTorch."""

from typing import Any

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
