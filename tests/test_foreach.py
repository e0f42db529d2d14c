"""The functions `_foreach_…` do to each tensor of a list what the op of their name does."""

import pytest

import rustorch
from rustorch import _foreach
from rustorch.utils._foreach_utils import _group_tensors_by_device_and_dtype


def lists() -> tuple[list, list]:
    first = [rustorch.tensor([0.25, 0.5]), rustorch.tensor([[0.125], [0.75]], dtype=rustorch.float64)]
    return first, [x * 2 + 1 for x in first]


@pytest.mark.parametrize("op", _foreach.UNARY)
def test_functions_of_one_list(op: str) -> None:
    tensors, _ = lists()
    wanted = [getattr(x, op)() for x in tensors]
    got = getattr(rustorch, f"_foreach_{op}")(tensors)
    assert isinstance(got, tuple)
    assert all(rustorch.equal(a, b) for a, b in zip(got, wanted, strict=True))
    getattr(rustorch, f"_foreach_{op}_")(tensors)
    assert all(rustorch.equal(a, b) for a, b in zip(tensors, wanted, strict=True))


@pytest.mark.parametrize("op", _foreach.BINARY)
def test_functions_of_a_list_and_what_stands_beside_it(op: str) -> None:
    by_name = {"clamp_max": rustorch.clamp_max, "clamp_min": rustorch.clamp_min}
    by_name |= {"maximum": rustorch.clamp_min, "minimum": rustorch.clamp_max}
    function = by_name.get(op) or getattr(rustorch, op)
    for other in (0.5, [0.5, 2.0], lists()[1]):
        tensors, _ = lists()
        beside = other if isinstance(other, list) else [other, other]
        wanted = [function(x, y) for x, y in zip(tensors, beside, strict=True)]
        got = getattr(rustorch, f"_foreach_{op}")(tensors, other)
        assert all(rustorch.equal(a, b) for a, b in zip(got, wanted, strict=True))
        getattr(rustorch, f"_foreach_{op}_")(tensors, other)
        assert all(rustorch.equal(a, b) for a, b in zip(tensors, wanted, strict=True))


def test_options_and_weights() -> None:
    tensors, others = lists()
    got = rustorch._foreach_add(tensors, others, alpha=3)
    assert all(rustorch.equal(a, x + 3 * y) for a, x, y in zip(got, tensors, others, strict=True))
    assert rustorch._foreach_mul(tensors, rustorch.tensor(2.0))[0].tolist() == [0.5, 1.0]
    assert rustorch._foreach_pow(2.0, [rustorch.tensor([1.0, 3.0])])[0].tolist() == [2.0, 8.0]
    zero, one = [rustorch.zeros(2)], [rustorch.ones(2)]
    assert rustorch._foreach_lerp(zero, one, 0.25)[0].tolist() == [0.25, 0.25]
    assert rustorch._foreach_addcmul(zero, one, one, value=3)[0].tolist() == [3, 3]
    assert rustorch._foreach_addcdiv(zero, one, [2 * one[0]], [3.0])[0].tolist() == [1.5, 1.5]
    assert rustorch._foreach_addcdiv(zero, one, [2 * one[0]], rustorch.tensor([3.0]))[0].tolist() == [1.5, 1.5]
    assert [x.item() for x in rustorch._foreach_norm([one[0], 2 * one[0]], 1)] == [2, 4]
    assert rustorch._foreach_norm(one, dtype=rustorch.float64)[0].dtype == rustorch.float64
    assert [x.item() for x in rustorch._foreach_max([rustorch.tensor([1, 3]), rustorch.tensor([2])])] == [3, 2]
    rustorch._foreach_copy_(zero, one)
    assert zero[0].tolist() == [1, 1]
    rustorch._foreach_zero_(one)
    assert one[0].tolist() == [0, 0]


def test_gradients_pass() -> None:
    x = rustorch.ones(2, requires_grad=True)
    rustorch._foreach_mul([x], 3)[0].sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_lists_that_do_not_fit_are_refused() -> None:
    with pytest.raises(RuntimeError):
        rustorch._foreach_add([], 1)
    with pytest.raises(RuntimeError):
        rustorch._foreach_add([rustorch.ones(1)], [1.0, 2.0])
    with pytest.raises(AttributeError, match="_foreach_nothing"):
        _ = rustorch._foreach_nothing


def test_tensors_are_grouped_by_device_and_dtype() -> None:
    a, b, c = rustorch.ones(1), rustorch.ones(2, dtype=rustorch.float64), rustorch.ones(3)
    groups = _group_tensors_by_device_and_dtype([[a, b, c], [None, b, a]], with_indices=True)
    cpu = rustorch.device("cpu")
    assert list(groups) == [(cpu, rustorch.float32), (cpu, rustorch.float64)]
    lists, places = groups[cpu, rustorch.float32]
    assert [[None if x is None else x.numel() for x in row] for row in lists] == [[1, 3], [None, 1]]
    assert places == [0, 2]
