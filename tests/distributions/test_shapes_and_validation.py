"""Shapes of samples and densities, expansion, validation and its messages, classes of users."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rustorch

from tests.distributions.cases import CASES, DISCRETE, named

pytestmark = pytest.mark.cpu_only

D = rustorch.distributions
t = rustorch.tensor

MAKERS: dict[str, Callable[[], Any]] = {case.name: case.make for case in (*CASES, *DISCRETE)} | {
    "Categorical": lambda: D.Categorical(t([[1.0, 2.0, 3.0], [1.0, 0.0, 1.0]])),
    "ContinuousBernoulli": lambda: D.ContinuousBernoulli(t([0.25, 0.75])),
    "Dirichlet": lambda: D.Dirichlet(t([[1.0, 2.0, 3.0], [1.0, 0.5, 1.0]])),
    "Independent": lambda: D.Independent(D.Normal(rustorch.zeros(2, 3), rustorch.ones(3)), 1),
    "Kumaraswamy": lambda: D.Kumaraswamy(t([0.5, 2.0]), t(3.0)),
    "LKJCholesky": lambda: D.LKJCholesky(3, t([0.5, 2.0])),
    "LogisticNormal": lambda: D.LogisticNormal(rustorch.zeros(2, 3), rustorch.ones(2, 3)),
    "LowRankMultivariateNormal": lambda: D.LowRankMultivariateNormal(
        rustorch.zeros(2, 3), rustorch.ones(3, 1), rustorch.ones(3)
    ),
    "MixtureSameFamily": lambda: D.MixtureSameFamily(
        D.Categorical(t([[0.25, 0.75]] * 3)), D.Normal(rustorch.zeros(3, 2), 1.0)
    ),
    "Multinomial": lambda: D.Multinomial(4, t([[1.0, 2.0, 3.0], [1.0, 0.0, 1.0]])),
    "MultivariateNormal": lambda: D.MultivariateNormal(rustorch.zeros(2, 3), rustorch.eye(3)),
    "OneHotCategorical": lambda: D.OneHotCategorical(t([[1.0, 2.0, 3.0], [1.0, 0.0, 1.0]])),
    "OneHotCategoricalStraightThrough": lambda: D.OneHotCategoricalStraightThrough(t([[1.0, 2.0], [1.0, 0.0]])),
    "RelaxedBernoulli": lambda: D.RelaxedBernoulli(t(0.5), t([0.25, 0.75])),
    "RelaxedOneHotCategorical": lambda: D.RelaxedOneHotCategorical(t(1.5), t([[1.0, 2.0, 3.0], [1.0, 0.5, 1.0]])),
    "TransformedDistribution": lambda: D.TransformedDistribution(
        D.Normal(rustorch.zeros(2), 1.0), [D.AffineTransform(1.0, 2.0), D.ExpTransform()]
    ),
    "Wishart": lambda: D.Wishart(t([4.0, 5.0]), rustorch.eye(3)),
}


def test_every_class_is_here() -> None:
    classes = {
        name
        for name in D.__all__
        if isinstance(getattr(D, name), type) and issubclass(getattr(D, name), D.Distribution)
    }
    assert classes - {"Distribution", "ExponentialFamily"} == set(MAKERS)


@pytest.mark.parametrize("sample_shape", [(), (4,), pytest.param((2, 0, 3), marks=pytest.mark.rustorch_only)])
@pytest.mark.parametrize("name", named(MAKERS))
def test_shapes(name: str, sample_shape: tuple[int, ...]) -> None:
    distribution = MAKERS[name]()
    sample = distribution.sample(sample_shape)
    assert sample.shape == (*sample_shape, *distribution.batch_shape, *distribution.event_shape)
    assert distribution.log_prob(sample).shape == (*sample_shape, *distribution.batch_shape)
    assert bool(distribution.support.check(sample).all())
    assert len(distribution.event_shape) == distribution.support.event_dim
    if distribution.has_rsample:
        assert distribution.rsample(sample_shape).shape == sample.shape
    else:
        with pytest.raises(NotImplementedError):
            distribution.rsample(sample_shape)


@pytest.mark.parametrize("name", named(MAKERS))
def test_expansion(name: str) -> None:
    distribution = MAKERS[name]()
    wider = (5, *distribution.batch_shape)
    expanded = distribution.expand(wider)
    assert type(expanded) is type(distribution)
    assert expanded.batch_shape == wider
    assert expanded.event_shape == distribution.event_shape
    assert expanded.sample((2,)).shape == (2, *wider, *distribution.event_shape)
    value = distribution.sample()
    np.testing.assert_allclose(
        expanded.log_prob(value).numpy(), distribution.log_prob(value).expand(wider).numpy(), rtol=1e-6
    )
    for what in ("mean", "variance", "mode"):
        try:
            want = getattr(distribution, what)
        except NotImplementedError:
            continue
        shape = (*wider, *distribution.event_shape)
        np.testing.assert_allclose(getattr(expanded, what).numpy(), want.expand(shape).numpy(), rtol=1e-6)
    assert expanded.expand((2, *wider)).batch_shape == (2, *wider)
    assert expanded._validate_args is distribution._validate_args


@pytest.mark.parametrize("name", named(MAKERS))
def test_texts_and_pickles(name: str) -> None:
    distribution = MAKERS[name]()
    assert repr(distribution).startswith(name + "(")
    again = pickle.loads(pickle.dumps(distribution))
    value = distribution.sample((3,))
    assert rustorch.equal(again.log_prob(value), distribution.log_prob(value))


@pytest.mark.parametrize("name", named(MAKERS))
def test_values_of_wrong_shapes(name: str) -> None:
    distribution = MAKERS[name]()
    wrong = rustorch.zeros(*(7 for _ in distribution.batch_shape), *distribution.event_shape)
    with pytest.raises(ValueError, match="not broadcastable"):
        distribution.log_prob(wrong)
    if distribution.event_shape:
        with pytest.raises(ValueError, match=r"right-most|not broadcastable"):
            distribution.log_prob(rustorch.zeros(7))
    if not isinstance(distribution, D.Gamma):  # As PyTorch's, it takes numbers.
        with pytest.raises(ValueError, match="ensor"):
            distribution.log_prob(0.5)


@pytest.mark.parametrize("name", named(MAKERS))
def test_values_outside_of_the_support(name: str) -> None:
    distribution = MAKERS[name]()
    with pytest.raises(ValueError, match="to be within the support"):
        distribution.log_prob(distribution.sample() * float("nan"))


@pytest.mark.rustorch_only
@pytest.mark.parametrize("case", [*CASES, *DISCRETE], ids=lambda case: case.name)
def test_parameters_outside_of_their_constraints(case: Any) -> None:
    for name, value in case.parameters.items():
        bad = {k: rustorch.tensor(v) for k, v in case.parameters.items()} | {
            name: rustorch.tensor(value) * float("nan")
        }
        if case.name == "Uniform":
            name = "low"  # It is bounded by a NaN, too.
        with pytest.raises(
            ValueError, match=rf"parameter {name} \(Tensor of shape \(.*\)\).* to satisfy the constraint"
        ):
            getattr(D, case.name)(**bad)
        with pytest.raises(ValueError, match=name):
            getattr(D, case.name)(**bad, validate_args=True)
        getattr(D, case.name)(**bad, validate_args=False)


def test_the_message_names_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="Expected parameter scale") as caught:
        D.Normal(t([0.0, 1.0]), t([1.0, -2.0]))
    text = str(caught.value)
    for part in ("(Tensor of shape (2,))", "Normal(loc: ", "GreaterThan(lower_bound=0.0)", "-2."):
        assert part in text
    with pytest.raises(ValueError, match="Expected value argument") as caught:
        D.Exponential(t([1.0, 2.0])).log_prob(t([-3.0, 1.0]))
    for part in ("(Tensor of shape (2,))", "GreaterThanEq(lower_bound=0.0)", "Exponential(rate: ", "-3."):
        assert part in str(caught.value)


def test_what_is_refused_at_construction() -> None:
    for make in (
        lambda: D.Bernoulli(),
        lambda: D.Bernoulli(probs=t(0.5), logits=t(0.5)),
        lambda: D.Categorical(t(1.0)),
        lambda: D.Dirichlet(t(1.0)),
        lambda: D.Geometric(t(0.0)),
        lambda: D.Uniform(t(1.0), t(1.0)),
        lambda: D.Independent(D.Normal(0.0, 1.0), 1),
        lambda: D.MultivariateNormal(t(1.0), rustorch.eye(1)),
        lambda: D.MultivariateNormal(t([1.0]), t([1.0])),
        lambda: D.MultivariateNormal(t([1.0])),
        lambda: D.MultivariateNormal(t([1.0, 1.0]), t([[1.0, 2.0], [2.0, 1.0]])),
        lambda: D.LowRankMultivariateNormal(t([1.0]), rustorch.ones(2, 1), t([1.0])),
        lambda: D.Wishart(t(1.0), rustorch.eye(2)),
        lambda: D.LKJCholesky(1),
        lambda: D.MixtureSameFamily(D.Normal(0.0, 1.0), D.Normal(rustorch.zeros(2), 1.0)),
        lambda: D.MixtureSameFamily(D.Categorical(t([1.0, 1.0])), D.Normal(rustorch.zeros(3), 1.0)),
        lambda: D.TransformedDistribution(D.Normal(0.0, 1.0), [3]),
        lambda: D.TransformedDistribution(D.Normal(0.0, 1.0), D.StickBreakingTransform()),
        lambda: D.Normal("0", 1.0),
    ):
        with pytest.raises((ValueError, AssertionError)):
            make()
    with pytest.raises(NotImplementedError):
        D.Multinomial(t([3, 4]), t([0.5, 0.5]))
    with pytest.raises(NotImplementedError):
        D.Binomial(t([3.0, 4.0]), t([0.5, 0.5])).enumerate_support()


def test_the_default_of_validation() -> None:
    bad = t(-1.0)
    assert D.Distribution._validate_args
    D.Distribution.set_default_validate_args(False)
    try:
        assert D.Exponential(bad).rate.item() == -1
        with pytest.raises(ValueError, match="rate"):
            D.Exponential(bad, validate_args=True)
    finally:
        D.Distribution.set_default_validate_args(True)
    with pytest.raises(ValueError, match="rate"):
        D.Exponential(bad)
    with pytest.raises(ValueError):  # noqa: PT011
        D.Distribution.set_default_validate_args("no")


def test_numbers_take_the_tensors_dtype() -> None:
    assert D.Normal(0.0, 1.0).loc.dtype == rustorch.get_default_dtype()
    assert D.Normal(t(0.0, dtype=rustorch.float64), 1.0).scale.dtype == rustorch.float64
    assert D.Normal(0, 1).sample((2,)).shape == (2,)
    a, b = D.utils.broadcast_all(1.5, t([[1], [2]], dtype=rustorch.float64))
    assert a.shape == b.shape == (2, 1)
    assert a.dtype == rustorch.float64


def test_every_value() -> None:
    assert D.Bernoulli(t([0.25, 0.5])).enumerate_support().tolist() == [[0, 0], [1, 1]]
    assert D.Bernoulli(t([0.25, 0.5])).enumerate_support(expand=False).tolist() == [[0], [1]]
    assert D.Binomial(2, t(0.5)).enumerate_support().tolist() == [0, 1, 2]
    assert D.Categorical(rustorch.ones(2, 3)).enumerate_support().shape == (3, 2)
    assert D.OneHotCategorical(rustorch.ones(2, 3)).enumerate_support().shape == (3, 2, 3)
    assert D.Independent(D.Bernoulli(t([0.25, 0.5])), 0).enumerate_support().shape == (2, 2)
    with pytest.raises(NotImplementedError):
        D.Independent(D.Bernoulli(t([0.25, 0.5])), 1).enumerate_support()
    with pytest.raises(NotImplementedError):
        D.Normal(0.0, 1.0).enumerate_support()
    for name, make in MAKERS.items():
        distribution = make()
        if distribution.has_enumerate_support and name != "Binomial":
            mass = distribution.log_prob(distribution.enumerate_support()).exp().sum(0)
            np.testing.assert_allclose(mass.numpy(), 1, rtol=1e-6)


@pytest.mark.rustorch_only
def test_one_set_of_weights_for_a_batch_of_mixtures() -> None:
    mixture = D.MixtureSameFamily(D.Categorical(t([0.25, 0.75])), D.Normal(rustorch.zeros(3, 2), 1.0))
    assert mixture.sample((4,)).shape == (4, 3)
    assert mixture.expand((5, 3)).sample().shape == (5, 3)


def test_sample_n_warns() -> None:
    with pytest.warns(FutureWarning):
        assert D.Normal(rustorch.zeros(2), 1.0).sample_n(3).shape == (3, 2)


class Shifted(D.Normal):
    """A distribution of a user's, with a constructor of its own."""

    def __init__(self, centre: Any) -> None:
        self.centre = centre
        super().__init__(centre, 1.0)


class Expandable(D.Distribution):
    """A distribution of a user's, written as PyTorch's documentation has it."""

    arg_constraints = {"rate": D.constraints.positive}  # noqa: RUF012

    def __init__(self, rate: rustorch.Tensor, validate_args: bool | None = None) -> None:
        self.rate = rate
        super().__init__(rate.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(Expandable, _instance)
        new.rate = self.rate.expand(batch_shape)
        super(Expandable, new).__init__(rustorch.Size(batch_shape), validate_args=False)
        return new

    def log_prob(self, value: rustorch.Tensor) -> rustorch.Tensor:
        self._validate_sample(value)
        return self.rate.log() - self.rate * value


class Bare(D.Distribution):
    """A distribution that says nothing of itself."""


def test_classes_of_users() -> None:
    with pytest.raises(NotImplementedError, match="custom __init__"):
        Shifted(t([0.0])).expand((3, 1))
    expandable = Expandable(t([1.0, 2.0])).expand((3, 2))
    assert expandable.rate.shape == (3, 2)
    with pytest.raises(ValueError, match="rate"):
        Expandable(t([-1.0]))
    with pytest.warns(UserWarning, match="support"):
        expandable.log_prob(t([1.0, 1.0]))
    with pytest.warns(UserWarning, match="arg_constraints"):
        Bare()
    bare = Bare(validate_args=False)
    for what in ("mean", "mode", "variance", "stddev"):
        with pytest.raises(NotImplementedError):
            getattr(bare, what)
    for call in (
        bare.entropy,
        bare.sample,
        bare.rsample,
        bare.enumerate_support,
        lambda: bare.log_prob(t(0.0)),
        lambda: bare.cdf(t(0.0)),
        lambda: bare.icdf(t(0.0)),
        lambda: bare.expand((2,)),
    ):
        with pytest.raises(NotImplementedError):
            call()


@pytest.mark.rustorch_only
def test_exponential_families_agree_with_closed_forms() -> None:
    """Entropy by the gradient of the log normaliser is that of the formula."""
    for name in ("Bernoulli", "ContinuousBernoulli", "Exponential", "Gamma", "Normal", "Wishart"):
        distribution = MAKERS[name]()
        assert isinstance(distribution, D.ExponentialFamily)
        got = D.ExponentialFamily.entropy(distribution)
        np.testing.assert_allclose(got.numpy(), distribution.entropy().numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.rustorch_only
def test_triangles() -> None:
    matrix = rustorch.arange(9.0).reshape(3, 3)
    for diag in (-2, -1, 0, 1, 2):
        vector = D.utils.tril_matrix_to_vec(matrix, diag)
        assert vector.tolist() == [matrix[i, j].item() for i in range(3) for j in range(3) if j <= i + diag]
        assert rustorch.equal(D.utils.vec_to_tril_matrix(vector, diag), matrix.tril(diag))
    with pytest.raises(ValueError):  # noqa: PT011
        D.utils.tril_matrix_to_vec(matrix, 3)
    with pytest.raises(ValueError):  # noqa: PT011
        D.utils.vec_to_tril_matrix(rustorch.zeros(4))
