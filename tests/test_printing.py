"""How tensors look as text: PyTorch's layout, digit for digit."""

from collections.abc import Iterator

import pytest

import rustorch

pytestmark = pytest.mark.cpu_only

nan, inf = float("nan"), float("inf")


@pytest.fixture(autouse=True)
def _default_options() -> Iterator[None]:
    yield
    rustorch.set_printoptions(profile="default")


CASES = {
    "floats": (
        lambda: rustorch.tensor([1.5, -2.25]),
        "tensor([ 1.5000, -2.2500])",
    ),
    "integers": (
        lambda: rustorch.arange(6).reshape(2, 3),
        ("tensor([[0, 1, 2],\n        [3, 4, 5]])"),
    ),
    "scientific": (
        lambda: rustorch.tensor([1e-5, 1.0, 12345.678]),
        "tensor([1.0000e-05, 1.0000e+00, 1.2346e+04])",
    ),
    "whole floats": (
        lambda: rustorch.tensor([1.0, 20.0, 300.0]),
        "tensor([  1.,  20., 300.])",
    ),
    "large whole floats": (
        lambda: rustorch.tensor([1.0, 1e9]),
        "tensor([1.0000e+00, 1.0000e+09])",
    ),
    "nan and inf": (
        lambda: rustorch.tensor([nan, 1.5, -inf]),
        "tensor([   nan, 1.5000,   -inf])",
    ),
    "nothing finite": (
        lambda: rustorch.tensor([nan, inf]),
        "tensor([nan, inf])",
    ),
    "bools": (
        lambda: rustorch.tensor([[True], [False]]),
        ("tensor([[ True],\n        [False]])"),
    ),
    "float64": (
        lambda: rustorch.ones(2, dtype=rustorch.float64),
        "tensor([1., 1.], dtype=rustorch.float64)",
    ),
    "float16": (
        lambda: rustorch.ones(2, dtype=rustorch.float16) * 0.1,
        "tensor([0.1000, 0.1000], dtype=rustorch.float16)",
    ),
    "empty": (
        lambda: rustorch.zeros(0),
        "tensor([])",
    ),
    "empty matrix": (
        lambda: rustorch.zeros(2, 0),
        "tensor([], size=(2, 0))",
    ),
    "empty integers": (
        lambda: rustorch.zeros(0, dtype=rustorch.int64),
        "tensor([], dtype=rustorch.int64)",
    ),
    "0-d": (
        lambda: rustorch.tensor(3.14159265),
        "tensor(3.1416)",
    ),
    "0-d integer": (
        lambda: rustorch.tensor(7),
        "tensor(7)",
    ),
    "leaf": (
        lambda: rustorch.ones(2, requires_grad=True),
        "tensor([1., 1.], requires_grad=True)",
    ),
    "computed": (
        lambda: rustorch.ones(2, requires_grad=True) * 2,
        "tensor([2., 2.], grad_fn=<MulBackward0>)",
    ),
    "three dimensions": (
        lambda: rustorch.arange(12.0).reshape(2, 2, 3),
        (
            "tensor([[[ 0.,  1.,  2.],\n"
            "         [ 3.,  4.,  5.]],\n"
            "\n"
            "        [[ 6.,  7.,  8.],\n"
            "         [ 9., 10., 11.]]])"
        ),
    ),
    "wrapped integers": (
        lambda: rustorch.arange(40),
        (
            "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n"
            "        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35,\n"
            "        36, 37, 38, 39])"
        ),
    ),
    "summarized matrix": (
        lambda: rustorch.arange(2000).reshape(2, 1000),
        ("tensor([[   0,    1,    2,  ...,  997,  998,  999],\n        [1000, 1001, 1002,  ..., 1997, 1998, 1999]])"),
    ),
    "summarized vector": (
        lambda: rustorch.arange(1001.0),
        "tensor([   0.,    1.,    2.,  ...,  998.,  999., 1000.])",
    ),
    "summarized both ways": (
        lambda: rustorch.zeros(40, 40),
        (
            "tensor([[0., 0., 0.,  ..., 0., 0., 0.],\n"
            "        [0., 0., 0.,  ..., 0., 0., 0.],\n"
            "        [0., 0., 0.,  ..., 0., 0., 0.],\n"
            "        ...,\n"
            "        [0., 0., 0.,  ..., 0., 0., 0.],\n"
            "        [0., 0., 0.,  ..., 0., 0., 0.],\n"
            "        [0., 0., 0.,  ..., 0., 0., 0.]])"
        ),
    ),
    "wrapped floats": (
        lambda: rustorch.arange(30.0) / 7,
        (
            "tensor([0.0000, 0.1429, 0.2857, 0.4286, 0.5714, 0.7143, 0.8571, 1.0000, 1.1429,\n"
            "        1.2857, 1.4286, 1.5714, 1.7143, 1.8571, 2.0000, 2.1429, 2.2857, 2.4286,\n"
            "        2.5714, 2.7143, 2.8571, 3.0000, 3.1429, 3.2857, 3.4286, 3.5714, 3.7143,\n"
            "        3.8571, 4.0000, 4.1429])"
        ),
    ),
    "uint8": (
        lambda: rustorch.tensor([1, 200], dtype=rustorch.uint8),
        "tensor([  1, 200], dtype=rustorch.uint8)",
    ),
    "negative": (
        lambda: -rustorch.arange(4.0),
        "tensor([-0., -1., -2., -3.])",
    ),
    "zeros": (
        lambda: rustorch.zeros(3),
        "tensor([0., 0., 0.])",
    ),
    "suffix on a line of its own": (
        lambda: (rustorch.arange(14.0).reshape(1, 14)).double().requires_grad_() * 1,
        (
            "tensor([[ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.]],\n"
            "       dtype=rustorch.float64, grad_fn=<MulBackward0>)"
        ),
    ),
}


@pytest.mark.rustorch_only
@pytest.mark.parametrize("name", CASES)
def test_repr(name: str) -> None:
    make, expected = CASES[name]
    assert repr(make()) == expected


@pytest.mark.rustorch_only
def test_options() -> None:
    x = rustorch.arange(12.0) / 7
    rustorch.set_printoptions(precision=2, linewidth=40)
    assert repr(x[:5]) == "tensor([0.00, 0.14, 0.29, 0.43, 0.57])"
    assert max(map(len, repr(x).splitlines())) <= 40
    rustorch.set_printoptions(threshold=5, edgeitems=1)
    assert repr(x) == "tensor([0.00,  ..., 1.57])"
    rustorch.set_printoptions(sci_mode=True)
    assert repr(x[1]) == "tensor(1.43e-01)"
    rustorch.set_printoptions(profile="full")
    assert "..." not in repr(rustorch.zeros(2000))


def test_format() -> None:
    assert f"{rustorch.tensor(2.5):.3f}" == "2.500"
    assert f"{rustorch.tensor([1.0])}" == "tensor([1.])"
    with pytest.raises(TypeError):
        format(rustorch.tensor([1.0]), ".3f")


def test_subclasses_show_their_name() -> None:
    class Weight(rustorch.Tensor):
        pass

    assert repr(rustorch.Tensor._make_subclass(Weight, rustorch.ones(1))) == "Weight([1.])"
