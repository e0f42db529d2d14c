"""Methods of tensors that are written in Python, and what NumPy's functions make of tensors."""

import numpy as np
import pytest

import rustorch

pytestmark = pytest.mark.cpu_only


def test_functions_of_each_element() -> None:
    x = rustorch.arange(6.0).view(2, 3).t()
    version = x._version
    assert x.apply_(lambda v: v * 10 + 1) is x
    assert x.tolist() == [[1, 31], [11, 41], [21, 51]]
    assert x._version > version
    assert x.map_(rustorch.tensor([1.0, 2.0]), lambda a, b: a - b).tolist() == [[0, 29], [10, 39], [20, 49]]
    assert x.map2_(x.clone(), x.clone(), lambda a, b, c: a + b - c).tolist() == [[0, 29], [10, 39], [20, 49]]
    assert rustorch.tensor([1, 2]).apply_(lambda v: v / 2).tolist() == [0, 1]
    assert rustorch.empty(0, 2).apply_(lambda v: v).shape == (0, 2)
    assert rustorch.tensor(3).apply_(lambda v: v + 1).item() == 4


def test_functions_of_each_element_are_refused_where_gradients_or_dtypes_forbid() -> None:
    with pytest.raises(RuntimeError, match="requires grad"):
        rustorch.ones(2, requires_grad=True).apply_(lambda v: v)
    with pytest.raises(TypeError):
        rustorch.ones(2).map_(rustorch.ones(2, dtype=rustorch.int64), lambda a, b: a)
    with pytest.raises(ZeroDivisionError):
        rustorch.zeros(2).apply_(lambda v: 1 / v)


def test_other_shapes_warn() -> None:
    x = rustorch.arange(6.0, requires_grad=True)
    with pytest.warns(UserWarning, match="non-inplace resize is deprecated"):
        x.resize(2, 3).sum().backward()
    with pytest.warns(UserWarning, match="non-inplace resize_as is deprecated"):
        assert x.resize_as(rustorch.ones(3, 2)).shape == (3, 2)
    assert x.grad.tolist() == [1] * 6


def test_numpys_functions_give_tensors() -> None:
    x = rustorch.tensor([0.5, 1.0])
    for got, wanted in (
        (np.sin(x), np.sin(x.numpy())),
        (np.add(x, np.ones(2)), x.numpy() + np.ones(2)),
        (np.greater(x, 0.75), np.array([0, 1], dtype=np.uint8)),
    ):
        assert isinstance(got, rustorch.Tensor)
        np.testing.assert_array_equal(got.numpy(), wanted)
        assert got.numpy().dtype == wanted.dtype
