"""What users read when something is wrong: the class, and the text word for word."""

import pytest

import rustorch
from rustorch import nn
from rustorch.nn import functional as F

pytestmark = pytest.mark.rustorch_only

z = rustorch.zeros


def test_classes_are_standard_exceptions_too() -> None:
    base = rustorch.RusTorchError
    for name, standard in (
        ("ShapeMismatchError", ValueError),
        ("DTypeError", TypeError),
        ("DeviceError", RuntimeError),
        ("BackendUnavailableError", RuntimeError),
        ("ModelFormatError", ValueError),
        ("IndexOutOfRangeError", IndexError),
    ):
        assert issubclass(getattr(rustorch, name), base)
        assert issubclass(getattr(rustorch, name), standard)
    assert issubclass(base, Exception)


# What is called, which class it raises, and words that its message must have: the op, what it got, what would work.
CASES = {
    "matmul": (lambda: z(2, 3) @ z(2, 3), "ShapeMismatchError", ["matmul", "[2, 3]"]),
    "broadcast": (lambda: z(2, 3) + z(4), "ShapeMismatchError", ["add", "[2, 3]", "[4]"]),
    "reshape": (lambda: z(2, 3).reshape(4), "ShapeMismatchError", ["reshape", "[2, 3]", "[4]"]),
    "view": (lambda: z(2, 3).t().view(6), "ShapeMismatchError", ["view", "reshape"]),
    "cat": (lambda: rustorch.cat([z(2, 3), z(3, 2)]), "ShapeMismatchError", ["cat", "[2, 3]", "[3, 2]"]),
    "linear": (lambda: nn.Linear(5, 2)(z(3, 4)), "ShapeMismatchError", ["linear", "[3, 4]", "5"]),
    "conv2d": (lambda: nn.Conv2d(3, 4, 3)(z(1, 2, 8, 8)), "ShapeMismatchError", ["conv2d", "[1, 2, 8, 8]", "3"]),
    "index": (lambda: z(3)[5], "IndexOutOfRangeError", ["5", "3"]),
    "dimension": (lambda: z(2, 3).sum(2), "IndexOutOfRangeError", ["sum", "2"]),
    "gather": (lambda: z(2).gather(0, rustorch.tensor([2])), "IndexOutOfRangeError", ["gather", "2"]),
    "label": (lambda: F.cross_entropy(z(2, 3), rustorch.tensor([0, 3])), "IndexOutOfRangeError", ["3"]),
    "bits of floats": (lambda: z(2) & z(2), "DTypeError", ["bitwise_and", "float32"]),
    "gelu of integers": (lambda: F.gelu(rustorch.arange(3)), "DTypeError", ["gelu", "int64"]),
    "kernel of another name": (
        lambda: F.layer_norm(z(2, 3).long(), (3,)),
        "DTypeError",
        ["layer_norm: not implemented for int64"],
    ),
    "row of another name": (
        lambda: F.gelu(z(2).bool(), approximate="tanh"),
        "DTypeError",
        ["gelu: not implemented for bool"],
    ),
    "op of another name": (
        lambda: z(2, dtype=rustorch.complex64).clamp(0),
        "DTypeError",
        ["clamp: clamp_min: not implemented"],
    ),
    "name in another module": (
        lambda: rustorch.special.i1(z(2, dtype=rustorch.complex64)),
        "DTypeError",
        ["special_i1: not implemented for complex64"],
    ),
    "mean of integers": (lambda: rustorch.arange(3).mean(), "DTypeError", ["mean", "int64"]),
    "category": (lambda: rustorch.arange(3).add_(0.5), "DTypeError", ["add_", "int64", "float32"]),
    "mixed matmul": (lambda: z(2, 2) @ z(2, 2).double(), "DTypeError", ["matmul", "float32", "float64"]),
    "no graph": (lambda: z(1).backward(), "RusTorchError", ["backward", "does not require grad", "grad_fn"]),
    "no scalar": (lambda: z(2, requires_grad=True).exp().backward(), "RusTorchError", ["backward", "[2]"]),
    "memory of an operator": (lambda: z(1).expand(2**39) + 1, "OutOfMemoryError", ["__add__: out of memory"]),
    "memory of an operator with one operand": (lambda: -z(1).expand(2**39), "OutOfMemoryError", ["__neg__: out of"]),
    "memory of a list": (lambda: z(1).expand(2**39).tolist(), "OutOfMemoryError", ["tolist: out of memory"]),
    "memory of an index": (
        lambda: z(1).expand(2**20, 2**19)[rustorch.arange(2**20)],
        "OutOfMemoryError",
        ["__getitem__: out of memory"],
    ),
    "memory of a cast": (lambda: z(1).expand(2**39).to(rustorch.float64), "OutOfMemoryError", ["to: out of memory"]),
    "work of days": (lambda: z(1).expand(9 << 44).max(), "ShapeMismatchError", ["max", str(9 << 44), "2**40"]),
    "memory": (lambda: z(10**15), "RusTorchError", ["4000000000000000"]),
    "device": (lambda: z(2, device="tpu"), "DeviceError", ["tpu", "cpu"]),
}


@pytest.mark.parametrize("name", CASES)
def test_messages(name: str) -> None:
    call, kind, words = CASES[name]
    with pytest.raises(getattr(rustorch, kind)) as error:
        call()
    text = str(error.value)
    assert [word for word in words if word not in text] == [], text
    assert "panicked" not in text
    assert z(2).add(1).tolist() == [1, 1]


def test_wrong_arguments_are_type_errors() -> None:
    for call in (
        lambda: z(2).sum(dim="a"),
        lambda: z("a"),
        lambda: rustorch.exp(3.0),
        lambda: rustorch.add(z(2)),
        lambda: z(2).exp(1, 2, 3),
        lambda: z(2).exp(no_such=1),
        lambda: rustorch.cat(z(2)[0]),
    ):
        with pytest.raises(TypeError):
            call()
