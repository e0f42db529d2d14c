"""Transforms: inverses, log determinants against autograd's Jacobians, caches, shapes, registries of constraints."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rustorch

from tests.distributions.cases import named

pytestmark = pytest.mark.cpu_only

D = rustorch.distributions
c = D.constraints
dtype = rustorch.float64


def double(values: object) -> rustorch.Tensor:
    return rustorch.tensor(values, dtype=dtype)


X = [[-1.5, 0.25, 2.0], [0.5, -0.75, 1.0]]
POSITIVE = [[0.1, 1.0, 7.0], [2.0, 0.5, 3.0]]
MATRICES = [[[0.3, 9.0], [-1.0, 0.5]], [[1.0, 0.0], [2.0, -1.0]]]
SIMPLEX_INSIDE = [0.2, 0.5, 0.3]

# Name, what makes the transform, an argument whose first dimension is a batch.
TRANSFORMS: dict[str, tuple[Callable[[], Any], Any]] = {
    "Exp": (D.ExpTransform, X),
    "Power": (lambda: D.PowerTransform(double([2.0, -0.5, 3.0])), POSITIVE),
    "Sigmoid": (D.SigmoidTransform, X),
    "Softplus": (D.SoftplusTransform, X),
    "Tanh": (D.TanhTransform, X),
    "Affine": (lambda: D.AffineTransform(double([1.0, 0.0, -1.0]), double([2.0, -3.0, 0.5])), X),
    "AffineOfNumbers": (lambda: D.AffineTransform(1.0, -2.0), X),
    "AffineOfVectors": (lambda: D.AffineTransform(1.0, double([2.0, -3.0, 0.5]), event_dim=1), X),
    "Compose": (lambda: D.ComposeTransform([D.AffineTransform(0.5, -2.0), D.ExpTransform(), D.SoftplusTransform()]), X),
    "ComposeOfVectors": (lambda: D.ComposeTransform([D.TanhTransform(), D.StickBreakingTransform()]), X),
    "Identity": (lambda: D.identity_transform, X),
    "Independent": (lambda: D.IndependentTransform(D.ExpTransform(), 1), X),
    "Reshape": (lambda: D.ReshapeTransform((3,), (3, 1)), X),
    "Inverse": (lambda: D.ExpTransform().inv, POSITIVE),
    "StickBreaking": (D.StickBreakingTransform, X),
    "CorrCholesky": (D.CorrCholeskyTransform, X),
    "Cumulative": (lambda: D.CumulativeDistributionTransform(D.Normal(double(0.5), 2.0)), X),
    "Cat": (lambda: D.CatTransform([D.ExpTransform(), D.TanhTransform()], dim=-1, lengths=[1, 2]), X),
    "Stack": (lambda: D.StackTransform([D.ExpTransform(), D.TanhTransform(), D.identity_transform], dim=-1), X),
}
ONE_WAY: dict[str, tuple[Callable[[], Any], Any]] = {
    "Abs": (D.AbsTransform, X),
    "Softmax": (D.SoftmaxTransform, X),
    "LowerCholesky": (D.LowerCholeskyTransform, MATRICES),
    "PositiveDefinite": (D.PositiveDefiniteTransform, MATRICES),
}
ALL = TRANSFORMS | ONE_WAY


@pytest.mark.parametrize("cache_size", [0, 1])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_bijections(name: str, cache_size: int) -> None:
    make, argument = TRANSFORMS[name]
    transform, x = make().with_cache(cache_size), double(argument)
    assert transform.bijective
    assert bool(transform.domain.check(x).all())
    y = transform(x)
    assert bool(transform.codomain.check(y).all())
    assert y.shape == transform.forward_shape(x.shape)
    assert x.shape == transform.inverse_shape(y.shape)
    # Cloned, the value is not the one that a cache knows.
    np.testing.assert_allclose(transform.inv(y.clone()).numpy(), x.numpy(), rtol=1e-9, atol=1e-12)
    if cache_size and name not in ("Identity",):
        again = transform(x)
        assert transform.inv(again) is x
        assert transform(x) is again


@pytest.mark.parametrize("name", ONE_WAY)
def test_transforms_that_are_not_one_to_one(name: str) -> None:
    make, argument = ONE_WAY[name]
    transform, x = make(), double(argument)
    assert not transform.bijective
    y = transform(x)
    assert bool(transform.codomain.check(y).all())
    np.testing.assert_allclose(transform(transform.inv(y)).numpy(), y.numpy(), rtol=1e-9)


def coordinates(y: rustorch.Tensor, name: str) -> rustorch.Tensor:
    """As many coordinates of a result as the argument has: those by which densities over the codomain are taken."""
    if "StickBreaking" in name or name == "ComposeOfVectors":
        return y[:-1]
    return D.utils.tril_matrix_to_vec(y, diag=-1) if name == "CorrCholesky" else y.flatten()


@pytest.mark.parametrize("name", TRANSFORMS)
def test_log_determinants(name: str) -> None:
    """Against log |det| of the Jacobian, for each event of the batch."""
    make, argument = TRANSFORMS[name]
    transform, x = make(), double(argument)
    got = transform.log_abs_det_jacobian(x, transform(x))
    # A stack along the last dimension counts it as an event's; its log determinants are of each part.
    event_dim = 0 if name == "Stack" else transform.domain.event_dim
    assert got.shape == x.shape[: x.dim() - event_dim]
    for i, row in enumerate(x):
        jacobian = rustorch.autograd.functional.jacobian(lambda row: coordinates(transform(row), name), row)
        log_det = rustorch.linalg.slogdet(jacobian)[1]
        np.testing.assert_allclose(got[i].sum().item(), log_det.item(), rtol=1e-9, atol=1e-12)
        if event_dim == 0:
            np.testing.assert_allclose(got[i].numpy(), jacobian.diagonal().abs().log().numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_signs(name: str) -> None:
    make, argument = TRANSFORMS[name]
    transform, x = make(), double(argument)
    try:
        sign = transform.sign
    except NotImplementedError:
        assert transform.domain.event_dim or name in ("Cat", "Stack")
        return
    if transform.domain.event_dim and name != "Independent":
        return
    step = transform(x + 1e-6) - transform(x)
    assert bool((step.sign() == sign).all())


@pytest.mark.parametrize("name", named(ALL, "Inverse"))  # PyTorch pickles no inverse.
def test_inverses_of_inverses_copies_and_texts(name: str) -> None:
    make, argument = ALL[name]
    transform, x = make(), double(argument)
    assert transform.inv.inv is transform
    if name != "Cumulative":
        assert pickle.loads(pickle.dumps(transform))(x).tolist() == transform(x).tolist()
    assert type(transform).__name__ in repr(transform)
    y = transform(x)
    assert transform.inv.with_cache()(y.clone()).tolist() == transform.inv(y).tolist()
    if transform.bijective:
        np.testing.assert_allclose(
            transform.inv.log_abs_det_jacobian(y, x).numpy(), -transform.log_abs_det_jacobian(x, y).numpy()
        )


def test_a_factor_of_correlations_without_its_diagonal() -> None:
    """The elements below the diagonal determine the others: the Jacobian of the inverse by them is that of the map."""
    transform, x = D.CorrCholeskyTransform(), double([0.5, -1.0, 2.0])
    below = D.utils.tril_matrix_to_vec(transform(x), diag=-1)

    def inverse(below: rustorch.Tensor) -> rustorch.Tensor:
        return transform.inv(D.utils.vec_to_tril_matrix(below, diag=-1))

    np.testing.assert_allclose(inverse(below).numpy(), x.numpy(), rtol=1e-9)
    log_det = rustorch.linalg.slogdet(rustorch.autograd.functional.jacobian(inverse, below))[1]
    np.testing.assert_allclose(log_det.item(), -transform.log_abs_det_jacobian(x, transform(x)).item(), rtol=1e-9)


def test_equality() -> None:
    assert D.ExpTransform() == D.ExpTransform()
    assert D.ExpTransform() != D.TanhTransform()
    assert D.ExpTransform().inv == D.ExpTransform().inv
    assert D.AffineTransform(1, 2) == D.AffineTransform(1.0, double(2.0))
    assert D.AffineTransform(1, 2) != D.AffineTransform(1, 3)
    assert D.PowerTransform(2.0) == D.PowerTransform(2.0)
    assert D.ComposeTransform([D.ExpTransform()]) == D.ComposeTransform([D.ExpTransform()])
    assert D.identity_transform == D.ComposeTransform([])


def test_refusals() -> None:
    with pytest.raises(ValueError, match="cache_size"):
        D.ExpTransform(cache_size=2)
    with pytest.raises(ValueError, match="different numbers of"):
        D.ReshapeTransform((2,), (3,))
    with pytest.raises(ValueError, match="Too few dimensions"):
        D.IndependentTransform(D.ExpTransform(), 1)(double(1.0))
    with pytest.raises(ValueError, match="Too few dimensions"):
        D.StickBreakingTransform().forward_shape(())
    with pytest.raises(ValueError, match=r"event_dim|\.domain"):
        _ = D.ReshapeTransform((4,), (2, 2)).event_dim
    with pytest.raises(NotImplementedError):
        D.AbsTransform().log_abs_det_jacobian(double(1.0), double(1.0))


class Scaled(D.transforms.Transform):
    """A transform of a user's."""

    domain = c.real
    codomain = c.real
    bijective = True

    def __init__(self, factor: float, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.factor = factor

    def _call(self, x: rustorch.Tensor) -> rustorch.Tensor:
        return x * self.factor


def test_transforms_of_users() -> None:
    assert D.TransformedDistribution(D.Normal(0.0, 1.0), Scaled(3.0)).sample((2,)).shape == (2,)
    with pytest.raises(NotImplementedError, match="with_cache"):
        Scaled(2.0).with_cache()
    with pytest.raises(NotImplementedError):
        Scaled(2.0).inv(double(1.0))


def test_a_transformed_distribution_of_a_cached_transform() -> None:
    """The value of a sample is put back without computing: exact where tanh rounded to 1."""
    distribution = D.TransformedDistribution(D.Normal(double(30.0), 1.0), [D.TanhTransform(cache_size=1)])
    sample = distribution.rsample()
    assert sample.item() == 1.0
    distribution._validate_args = False
    assert np.isfinite(distribution.log_prob(sample).item())


CONSTRAINTS = {
    "real": c.real,
    "positive": c.positive,
    "nonnegative": c.nonnegative,
    "greater_than": c.greater_than(double([-2.0, 0.0, 5.0])),
    "greater_than_eq": c.greater_than_eq(3.0),
    "less_than": c.less_than(-1.0),
    "unit_interval": c.unit_interval,
    "interval": c.interval(-1.0, double(5.0)),
    "half_open_interval": c.half_open_interval(-1.0, 5.0),
    "simplex": c.simplex,
    "corr_cholesky": c.corr_cholesky,
    "lower_cholesky": c.lower_cholesky,
    "positive_definite": c.positive_definite,
    "positive_semidefinite": c.positive_semidefinite,
    "real_vector": c.real_vector,
    "independent": c.independent(c.positive, 1),
    "cat": c.cat([c.positive, c.real], -1, [1, 2]),
    "stack": c.stack([c.positive, c.real, c.unit_interval], -1),
}
MATRIX_REGIONS = ("lower_cholesky", "positive_definite", "positive_semidefinite")


@pytest.mark.parametrize("registry", ["biject_to", "transform_to"])
@pytest.mark.parametrize("name", CONSTRAINTS)
def test_registered_transforms_reach_the_region(name: str, registry: str) -> None:
    constraint = CONSTRAINTS[name]
    if registry == "biject_to" and name in MATRIX_REGIONS:
        with pytest.raises(NotImplementedError, match="Cannot transform"):
            D.biject_to(constraint)
        return
    transform = getattr(D, registry)(constraint)
    x = double(MATRICES if name in MATRIX_REGIONS else X)
    y = transform(x)
    assert bool(constraint.check(y).all())
    np.testing.assert_allclose(transform(transform.inv(y)).numpy(), y.numpy(), rtol=1e-9)
    if registry == "biject_to":
        assert transform.bijective
        assert transform.log_abs_det_jacobian(x, y).isfinite().all()


def test_registering() -> None:
    class Even(c.Constraint):
        def check(self, value: rustorch.Tensor) -> rustorch.Tensor:
            return value % 2 == 0

    registry = D.constraint_registry.ConstraintRegistry()

    @registry.register(Even)
    def even(constraint: Even) -> D.Transform:
        return D.AffineTransform(0, 2)

    assert registry(Even())(double(3.0)).item() == 6
    registry.register(Even(), lambda constraint: D.identity_transform)
    assert registry(Even()) is D.identity_transform
    with pytest.raises(TypeError):
        registry.register(int, even)
    with pytest.raises(NotImplementedError):
        D.biject_to(Even())
