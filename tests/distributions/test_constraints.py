"""Constraints with values inside, on the border, outside, and NaN."""

from __future__ import annotations

from typing import Any

import pytest

import rustorch

pytestmark = pytest.mark.cpu_only

D = rustorch.distributions
c = D.constraints
nan, inf = float("nan"), float("inf")

# Constraint, values that satisfy it, values that do not.
NUMBERS: dict[str, tuple[Any, list[float], list[float]]] = {
    "boolean": (c.boolean, [0, 1], [0.5, 2, -1, nan]),
    "real": (c.real, [0, -1e30, inf, -inf], [nan]),
    "positive": (c.positive, [1e-30, inf], [0, -1, nan]),
    "nonnegative": (c.nonnegative, [0, 2, inf], [-1e-30, nan]),
    "greater_than": (c.greater_than(2), [2.5], [2, 1, nan]),
    "greater_than_eq": (c.greater_than_eq(2), [2, 2.5], [1.5, nan]),
    "less_than": (c.less_than(2), [1.5, -inf], [2, 3, nan]),
    "unit_interval": (c.unit_interval, [0, 0.5, 1], [-0.1, 1.1, nan]),
    "interval": (c.interval(-1, 3), [-1, 0, 3], [-1.5, 3.5, nan]),
    "half_open_interval": (c.half_open_interval(-1, 3), [-1, 2.9], [3, -2, nan]),
    "nonnegative_integer": (c.nonnegative_integer, [0, 7], [-1, 0.5, nan, inf]),
    "positive_integer": (c.positive_integer, [1, 7], [0, 1.5, nan]),
    "integer_interval": (c.integer_interval(2, 4), [2, 3, 4], [1, 5, 2.5, nan]),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name: str) -> None:
    constraint, inside, outside = NUMBERS[name]
    assert constraint.event_dim == 0
    assert constraint.check(rustorch.tensor([float(x) for x in inside])).tolist() == [True] * len(inside)
    assert constraint.check(rustorch.tensor([float(x) for x in outside])).tolist() == [False] * len(outside)
    assert constraint.is_discrete == (name == "boolean" or "integer" in name)


def test_bounds_broadcast() -> None:
    bound = rustorch.tensor([0.0, 1.0])
    assert c.greater_than(bound).check(rustorch.tensor([[0.5], [2.0]])).tolist() == [[True, False], [True, True]]
    assert c.integer_interval(0, rustorch.tensor([3, 5])).check(rustorch.tensor([4, 4])).tolist() == [False, True]


VECTORS: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "one_hot": (c.one_hot, [[0, 1, 0]], [[0, 0, 0], [1, 1, 0], [0.5, 0.5, 0], [2, -1, 0], [nan, 1, 0]]),
    "simplex": (c.simplex, [[0.2, 0.3, 0.5], [0, 0, 1]], [[0.2, 0.3, 0.4], [-0.1, 0.6, 0.5], [nan, 0.5, 0.5]]),
    "multinomial": (c.multinomial(3), [[1, 1, 1], [0, 0, 2]], [[2, 1, 1], [-1, 1, 1], [nan, 1, 1]]),
    "real_vector": (c.real_vector, [[1, 2, 3]], [[1, nan, 3]]),
    "independent": (c.independent(c.positive, 1), [[1, 2, 3]], [[1, 0, 3], [1, nan, 2]]),
    "mixture": (c.MixtureSameFamilyConstraint(c.real_vector), [[1, 2, 3]], [[1, nan, 3]]),
}


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(name: str) -> None:
    constraint, inside, outside = VECTORS[name]
    assert constraint.event_dim == 1
    assert constraint.check(rustorch.tensor(inside, dtype=rustorch.float32)).tolist() == [True] * len(inside)
    assert constraint.check(rustorch.tensor(outside, dtype=rustorch.float32)).tolist() == [False] * len(outside)


LOWER = [[1.0, 0.0], [0.6, 0.8]]
MATRICES: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "lower_triangular": (c.lower_triangular, [LOWER, [[0, 0], [0, 0]]], [[[1, 1], [0, 1]], [[nan, 0], [0, 1]]]),
    "lower_cholesky": (c.lower_cholesky, [LOWER], [[[1, 1], [0, 1]], [[0, 0], [0, 1]], [[1, 0], [0, nan]]]),
    "corr_cholesky": (c.corr_cholesky, [LOWER], [[[1, 0], [0.5, 0.5]], [[1, 0], [0.6, -0.8]], [[1, nan], [0.6, 0.8]]]),
    "square": (c.square, [LOWER, [[1, 1], [1, 1]]], []),
    "symmetric": (c.symmetric, [[[1, 2], [2, -1]]], [LOWER, [[nan, 0], [0, 1]]]),
    "positive_semidefinite": (c.positive_semidefinite, [[[1, 0], [0, 0]]], [LOWER, [[1, 2], [2, 1]]]),
    "positive_definite": (c.positive_definite, [[[2, 1], [1, 2]]], [[[1, 1], [1, 1]], LOWER, [[1, 2], [2, 1]]]),
}


@pytest.mark.parametrize("name", MATRICES)
def test_matrices(name: str) -> None:
    constraint, inside, outside = MATRICES[name]
    assert constraint.event_dim == 2
    for matrices, want in ((inside, True), (outside, False)):
        for matrix in matrices:
            assert constraint.check(rustorch.tensor(matrix, dtype=rustorch.float32)).item() is want
    assert constraint.check(rustorch.tensor(inside, dtype=rustorch.float32)).tolist() == [True] * len(inside)


def test_matrices_that_are_not_square() -> None:
    wide = rustorch.zeros(4, 2, 3)
    for constraint in (c.square, c.symmetric, c.positive_definite, c.positive_semidefinite):
        assert constraint.check(wide).tolist() == [False] * 4


def test_parts() -> None:
    cat = c.cat([c.positive, c.real], dim=-1, lengths=[1, 2])
    assert cat.check(rustorch.tensor([[1.0, -1.0, nan], [-1.0, 0.0, 0.0]])).tolist() == [
        [True, True, False],
        [False, True, True],
    ]
    stack = c.stack([c.positive, c.boolean], dim=0)
    assert stack.check(rustorch.tensor([[1.0, -1.0], [1.0, 2.0]])).tolist() == [[True, False], [True, False]]
    assert stack.is_discrete
    assert cat.event_dim == stack.event_dim == 0
    assert c.stack([c.real], dim=-1).event_dim == 1
    assert c.stack([c.simplex], dim=-2).event_dim == 2


def test_dependence() -> None:
    assert c.is_dependent(c.dependent)
    assert c.is_dependent(D.Uniform.support)
    assert not c.is_dependent(D.Uniform(0.0, 1.0).support)
    assert c.dependent(event_dim=1).event_dim == 1
    assert D.Uniform.support.event_dim == 0
    assert D.Uniform.support.is_discrete is False
    with pytest.raises(NotImplementedError):
        _ = c.dependent.event_dim
    with pytest.raises(ValueError, match="dependent"):
        c.dependent.check(rustorch.zeros(1))


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"at least 1|>= 1"):
        c.real_vector.check(rustorch.tensor(1.0))
    with pytest.raises((ValueError, AssertionError)):
        c.independent(3, 1)
    with pytest.raises((ValueError, AssertionError)):
        c.independent(c.real, -1)
    with pytest.raises((ValueError, AssertionError)):
        c.cat([c.real], lengths=[1, 2])
    with pytest.raises(NotImplementedError):
        c.Constraint().check(rustorch.zeros(1))


def test_texts() -> None:
    assert repr(c.positive) == "GreaterThan(lower_bound=0.0)"
    assert repr(c.interval(1, 2)) == "Interval(lower_bound=1, upper_bound=2)"
    assert repr(c.real_vector) == "IndependentConstraint(Real(), 1)"
    assert repr(c.simplex) == "Simplex()"
