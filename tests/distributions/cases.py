"""Distributions of numbers beside SciPy's: parameters of odd shapes, the same distribution in both libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import rustorch

Array = NDArray[np.float64]

# Parameters whose shapes broadcast to (3, 2): a column, a row, a number.
COLUMN = [[0.3], [1.7], [40.0]]
ROW = [0.5, 2.5]
LOC = [[-3.0], [0.0], [1.5]]
PROBABILITIES = [[0.1], [0.5], [0.875]]


@dataclass(frozen=True)
class Case:
    """A distribution's class, its parameters, and SciPy's distribution for the same parameters as arrays."""

    name: str
    parameters: dict[str, Any]
    scipy: Callable[..., Any]
    discrete: bool = False
    #: What PyTorch's class, whose interface is ours, does not have.
    lacks: tuple[str, ...] = ()

    def make(self, dtype: str = "float64", device: str = "cpu") -> Any:
        of_type = {"dtype": getattr(rustorch, dtype), "device": device}
        tensors = {name: rustorch.tensor(value, **of_type) for name, value in self.parameters.items()}
        return getattr(rustorch.distributions, self.name)(**tensors)

    def reference(self, dtype: str = "float64") -> Any:
        """SciPy's, of the parameters as the dtype rounds them."""
        rounded = [np.asarray(value, dtype).astype(np.float64) for value in self.parameters.values()]
        return self.scipy(*np.broadcast_arrays(*rounded))

    def values(self, dtype: str = "float64") -> Array:
        """Values in the middle and towards both ends, of shape (7, batch)."""
        quantiles = np.array([1e-3, 0.02, 0.2, 0.5, 0.8, 0.98, 0.999])
        batch = np.broadcast_shapes(*(np.shape(value) for value in self.parameters.values()))
        found = self.reference(dtype).ppf(quantiles.reshape(-1, *(1,) * len(batch)))
        return np.asarray(found, dtype).astype(np.float64)


NO_CDF = ("cdf", "icdf")
NO_ICDF = ("icdf",)

CASES = (
    Case("Beta", {"concentration1": COLUMN, "concentration0": ROW}, stats.beta, lacks=NO_CDF),
    Case("Cauchy", {"loc": LOC, "scale": ROW}, stats.cauchy),
    Case("Chi2", {"df": COLUMN}, stats.chi2, lacks=NO_ICDF),
    Case("Exponential", {"rate": COLUMN}, lambda rate: stats.expon(scale=1 / rate)),
    Case("FisherSnedecor", {"df1": COLUMN, "df2": [3.0, 9.0]}, stats.f, lacks=(*NO_CDF, "entropy")),
    Case("Gamma", {"concentration": COLUMN, "rate": ROW}, lambda a, r: stats.gamma(a, scale=1 / r), lacks=NO_ICDF),
    Case(
        "GeneralizedPareto",
        {"loc": [0.5, -1.0], "scale": COLUMN, "concentration": [[-0.5], [0.0], [0.25]]},
        lambda loc, scale, c: stats.genpareto(c, loc, scale),
    ),
    Case("Gumbel", {"loc": LOC, "scale": ROW}, stats.gumbel_r),
    Case("HalfCauchy", {"scale": COLUMN}, lambda scale: stats.halfcauchy(scale=scale)),
    Case("HalfNormal", {"scale": COLUMN}, lambda scale: stats.halfnorm(scale=scale)),
    Case(
        "InverseGamma",
        {"concentration": [[0.4], [2.5], [30.0]], "rate": ROW},
        lambda a, r: stats.invgamma(a, scale=r),
        lacks=NO_ICDF,
    ),
    Case("Laplace", {"loc": LOC, "scale": ROW}, stats.laplace),
    Case("LogNormal", {"loc": LOC, "scale": [0.5, 1.25]}, lambda m, s: stats.lognorm(s, scale=np.exp(m))),
    Case("Normal", {"loc": LOC, "scale": ROW}, stats.norm),
    Case("Pareto", {"scale": ROW, "alpha": [[0.5], [1.5], [8.0]]}, lambda s, a: stats.pareto(a, scale=s)),
    Case("StudentT", {"df": [[0.7], [1.5], [30.0]], "loc": LOC, "scale": ROW}, stats.t, lacks=NO_CDF),
    Case("Uniform", {"low": LOC, "high": [2.0, 7.5]}, lambda low, high: stats.uniform(low, high - low)),
    Case("VonMises", {"loc": [[-3.0], [0.0], [1.5]], "concentration": [0.5, 40.0]}, lambda m, k: stats.vonmises(k, m)),
    Case("Weibull", {"scale": ROW, "concentration": [[0.5], [1.0], [6.0]]}, lambda s, k: stats.weibull_min(k, scale=s)),
)

DISCRETE = (
    Case("Bernoulli", {"probs": PROBABILITIES}, stats.bernoulli),
    Case("Binomial", {"total_count": [3.0, 12.0], "probs": PROBABILITIES}, stats.binom),
    # SciPy's counts the successful trial.
    Case("Geometric", {"probs": PROBABILITIES}, lambda p: stats.geom(p, loc=-1)),
    # SciPy's p is the probability of what ends the trials.
    Case("NegativeBinomial", {"total_count": ROW, "probs": PROBABILITIES}, lambda n, p: stats.nbinom(n, 1 - p)),
    Case("Poisson", {"rate": COLUMN}, stats.poisson),
)

#: What PyTorch's class cannot do, and why its tests are for RusTorch alone.
PYTORCH_FAILS = {
    "GeneralizedPareto": "it compares float64 with a constant of float32",
    "Wishart": "it warns of singular samples where there are none",
}


def named(names: Iterable[str], *others: str) -> list[Any]:
    """The names as parameters of a test; those with which PyTorch fails are for RusTorch alone."""
    alone = {*PYTORCH_FAILS, *others}
    return [pytest.param(name, marks=[pytest.mark.rustorch_only] if name in alone else []) for name in names]


ids = {"ids": lambda case: case.name if isinstance(case, Case) else str(case)}
