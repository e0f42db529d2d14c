"""The chi-squared distribution."""

from __future__ import annotations

from rustorch import Tensor
from rustorch.distributions import constraints
from rustorch.distributions.gamma import Gamma
from rustorch.distributions.utils import _parameters

__all__ = ["Chi2"]


class Chi2(Gamma):
    """The chi-squared distribution, of the sum of `df` squares of standard normal variables: Gamma(df / 2, 1 / 2).

    Args:
        df: the degrees of freedom, positive.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Example:

    >>> rustorch.distributions.Chi2(3.0).variance
    tensor(6.)
    """

    arg_constraints = {"df": constraints.positive}
    _expanded = Gamma._expanded

    def __init__(self, df: Tensor | float, validate_args: bool | None = None) -> None:
        (df,) = _parameters(df)
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    @property
    def df(self) -> Tensor:
        """The degrees of freedom."""
        return self.concentration * 2
