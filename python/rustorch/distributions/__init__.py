"""Probability distributions that can be sampled, differentiated and compared; transforms and constraints.

    >>> normal = rustorch.distributions.Normal(rustorch.zeros(3), rustorch.ones(3))
    >>> normal.log_prob(normal.sample()).shape
    rustorch.Size([3])

`Distribution` explains shapes and validation, `constraints` the regions of parameters and values, `transforms` the
functions of random variables, `kl_divergence` how distributions are compared. Two ways lead to gradients of an
expectation: `rsample` where a distribution `has_rsample`, whose samples are differentiable, and `log_prob` times a
reward (the score function) where it has not.
"""

from rustorch.distributions import constraints as constraints, transforms as transforms
from rustorch.distributions.bernoulli import Bernoulli
from rustorch.distributions.beta import Beta
from rustorch.distributions.binomial import Binomial
from rustorch.distributions.categorical import Categorical
from rustorch.distributions.cauchy import Cauchy
from rustorch.distributions.chi2 import Chi2
from rustorch.distributions.constraint_registry import biject_to, transform_to
from rustorch.distributions.continuous_bernoulli import ContinuousBernoulli
from rustorch.distributions.dirichlet import Dirichlet
from rustorch.distributions.distribution import Distribution
from rustorch.distributions.exp_family import ExponentialFamily
from rustorch.distributions.exponential import Exponential
from rustorch.distributions.fishersnedecor import FisherSnedecor
from rustorch.distributions.gamma import Gamma
from rustorch.distributions.generalized_pareto import GeneralizedPareto
from rustorch.distributions.geometric import Geometric
from rustorch.distributions.gumbel import Gumbel
from rustorch.distributions.half_cauchy import HalfCauchy
from rustorch.distributions.half_normal import HalfNormal
from rustorch.distributions.independent import Independent
from rustorch.distributions.inverse_gamma import InverseGamma
from rustorch.distributions.kl import kl_divergence, register_kl
from rustorch.distributions.kumaraswamy import Kumaraswamy
from rustorch.distributions.laplace import Laplace
from rustorch.distributions.lkj_cholesky import LKJCholesky
from rustorch.distributions.log_normal import LogNormal
from rustorch.distributions.logistic_normal import LogisticNormal
from rustorch.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from rustorch.distributions.mixture_same_family import MixtureSameFamily
from rustorch.distributions.multinomial import Multinomial
from rustorch.distributions.multivariate_normal import MultivariateNormal
from rustorch.distributions.negative_binomial import NegativeBinomial
from rustorch.distributions.normal import Normal
from rustorch.distributions.one_hot_categorical import OneHotCategorical, OneHotCategoricalStraightThrough
from rustorch.distributions.pareto import Pareto
from rustorch.distributions.poisson import Poisson
from rustorch.distributions.relaxed_bernoulli import RelaxedBernoulli
from rustorch.distributions.relaxed_categorical import RelaxedOneHotCategorical
from rustorch.distributions.studentT import StudentT
from rustorch.distributions.transformed_distribution import TransformedDistribution
from rustorch.distributions.transforms import *  # noqa: F403
from rustorch.distributions.uniform import Uniform
from rustorch.distributions.von_mises import VonMises
from rustorch.distributions.weibull import Weibull
from rustorch.distributions.wishart import Wishart

__all__ = [
    "Bernoulli",
    "Beta",
    "Binomial",
    "Categorical",
    "Cauchy",
    "Chi2",
    "ContinuousBernoulli",
    "Dirichlet",
    "Distribution",
    "Exponential",
    "ExponentialFamily",
    "FisherSnedecor",
    "Gamma",
    "GeneralizedPareto",
    "Geometric",
    "Gumbel",
    "HalfCauchy",
    "HalfNormal",
    "Independent",
    "InverseGamma",
    "Kumaraswamy",
    "LKJCholesky",
    "Laplace",
    "LogNormal",
    "LogisticNormal",
    "LowRankMultivariateNormal",
    "MixtureSameFamily",
    "Multinomial",
    "MultivariateNormal",
    "NegativeBinomial",
    "Normal",
    "OneHotCategorical",
    "OneHotCategoricalStraightThrough",
    "Pareto",
    "Poisson",
    "RelaxedBernoulli",
    "RelaxedOneHotCategorical",
    "StudentT",
    "TransformedDistribution",
    "Uniform",
    "VonMises",
    "Weibull",
    "Wishart",
    "biject_to",
    "kl_divergence",
    "register_kl",
    "transform_to",
]
__all__ += transforms.__all__
