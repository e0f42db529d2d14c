"""Python's operators on tensors and numbers, and how a tensor prints."""

import operator

import numpy as np
import pytest

import rustorch

A = np.array([[1.5, -2.0, 3.0], [0.5, 4.0, -1.0]])
B = np.array([2.0, 0.5, -3.0])
ARITHMETIC = ["add", "sub", "mul", "truediv", "floordiv", "mod"]
COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]


@pytest.mark.parametrize("name", [*ARITHMETIC, *COMPARISONS])
def test_operators(name: str, device: str) -> None:
    function = getattr(operator, name)
    a, b = (rustorch.from_numpy(v).to(device) for v in (A, B))
    np.testing.assert_allclose(function(a, b).tolist(), function(A, B))
    np.testing.assert_allclose(function(a, 2).tolist(), function(A, 2))
    np.testing.assert_allclose(function(2, a).tolist(), function(2, A))
    np.testing.assert_allclose(function(a, 0.5).tolist(), function(A, 0.5))


@pytest.mark.parametrize("name", ["and_", "or_", "xor"])
def test_bit_operators(name: str, device: str) -> None:
    function = getattr(operator, name)
    for a, b in (([True, True, False], [True, False, False]), ([6, 5, -4], [3, 4, 7])):
        got = function(rustorch.tensor(a, device=device), rustorch.tensor(b, device=device))
        assert got.tolist() == function(np.array(a), np.array(b)).tolist()


def test_other_operators(device: str) -> None:
    a = rustorch.tensor([1.0, -2.0, 3.0], device=device)
    assert (-a).tolist() == [-1, 2, -3]
    assert (+a).tolist() == a.tolist()
    assert abs(a).tolist() == [1, 2, 3]
    assert (a**2).tolist() == [1, 4, 9]
    assert (2**a).tolist() == [2, 0.25, 8]
    assert (~rustorch.tensor([True, False])).tolist() == [False, True]
    assert (rustorch.tensor([1, 2]) << 2).tolist() == [4, 8]
    assert (rustorch.tensor([8, -8]) >> 1).tolist() == [4, -4]
    assert (a @ a).item() == 14
    assert 3.0 in a
    assert len({a, a.clone()}) == 2


@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "itruediv"])
def test_augmented_assignment_writes_in_place(name: str, device: str) -> None:
    x = rustorch.from_numpy(A.copy()).to(device)
    address = x.data_ptr()
    want = getattr(operator, name)(A.copy(), B)
    got = getattr(operator, name)(x, rustorch.from_numpy(B).to(device))
    assert got is x
    assert x.data_ptr() == address
    np.testing.assert_allclose(x.tolist(), want)


def test_operators_refuse_strangers() -> None:
    x = rustorch.ones(2)
    for other in ("a", None, object()):
        with pytest.raises(TypeError):
            x + other
        with pytest.raises(TypeError):
            other * x
    assert (x == None) is False  # noqa: E711


@pytest.mark.cpu_only
@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: rustorch.tensor(1.5), "tensor(1.5000)"),
        (lambda: rustorch.tensor([1, 20]), "tensor([ 1, 20])"),
        (lambda: rustorch.tensor([True, False]), "tensor([ True, False])"),
        (lambda: rustorch.zeros(2, 2), "tensor([[0., 0.],\n        [0., 0.]])"),
        (lambda: rustorch.tensor([0.1, 22.25, -3.0]), "tensor([ 0.1000, 22.2500, -3.0000])"),
        (lambda: rustorch.tensor([1e-8, 1.0]), "tensor([1.0000e-08, 1.0000e+00])"),
        (lambda: rustorch.tensor([float("nan"), float("inf"), 1.0]), "tensor([nan, inf, 1.])"),
        (lambda: rustorch.zeros(0), "tensor([])"),
        (lambda: rustorch.zeros(2, 0), "tensor([], size=(2, 0))"),
        (lambda: rustorch.ones(2, dtype=rustorch.float64), "tensor([1., 1.], dtype=PREFIX.float64)"),
        (lambda: rustorch.ones(2, dtype=rustorch.uint8), "tensor([1, 1], dtype=PREFIX.uint8)"),
        (lambda: rustorch.ones(2, requires_grad=True), "tensor([1., 1.], requires_grad=True)"),
        (lambda: rustorch.ones(2, requires_grad=True) * 2, "tensor([2., 2.], grad_fn=<MulBackward0>)"),
        (lambda: rustorch.arange(2000), "tensor([   0,    1,    2,  ..., 1997, 1998, 1999])"),
    ],
)
def test_repr(make, text: str) -> None:
    assert repr(make()) == text.replace("PREFIX", rustorch.__name__)
