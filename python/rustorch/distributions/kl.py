"""Kullback-Leibler divergences: `kl_divergence`, and `register_kl` for further pairs."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TypeVar

from rustorch import Tensor, UnsupportedError
from rustorch.distributions.distribution import Distribution

__all__ = ["kl_divergence", "register_kl"]

Divergence = Callable[..., Tensor]
F = TypeVar("F", bound=Divergence)

_KL_REGISTRY: dict[tuple[type, type], Divergence] = {}
_KL_MEMOIZE: dict[tuple[type, type], Divergence] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[F], F]:
    """Decorate a function of p and q that computes the divergence for two classes of distributions.

    It serves their subclasses, too. Where several pairs of classes fit two distributions, the most special one is
    taken; where none is (p's class is nearer in one pair and q's in another), the one nearer by p is taken, with a
    warning.

    Args:
        type_p: a class of distributions, or one that they are mixed with.
        type_q: the same for q.

    Raises:
        TypeError: for something that is no class.

    Example:

    >>> D = rustorch.distributions
    >>> class Mine(D.Normal):
    ...     pass
    >>> @D.register_kl(Mine, D.Normal)
    ... def mine_normal(p, q):
    ...     return rustorch.tensor(7.0)
    >>> D.kl_divergence(Mine(0.0, 1.0), D.Normal(0.0, 1.0))
    tensor(7.)
    """
    for name, kind in (("type_p", type_p), ("type_q", type_q)):
        if not isinstance(kind, type):
            raise TypeError(f"register_kl: {name} must be a class, but is {kind!r}")

    def keep(function: F) -> F:
        _KL_REGISTRY[type_p, type_q] = function
        _KL_MEMOIZE.clear()
        return function

    return keep


def _nearest(pairs: list[tuple[type, type]], first: int) -> tuple[type, type]:
    """The pair that is most special in one place, and among those in the other one."""

    def depth(pair: tuple[type, type]) -> tuple[int, int]:
        # Along one chain of subclasses, the more special class has the longer list of bases.
        return len(pair[first].__mro__), len(pair[1 - first].__mro__)

    return max(pairs, key=depth)


def _dispatch(type_p: type, type_q: type) -> Divergence:
    pairs = [pair for pair in _KL_REGISTRY if issubclass(type_p, pair[0]) and issubclass(type_q, pair[1])]
    if not pairs:
        raise UnsupportedError(
            f"No KL(p || q) is implemented for p type {type_p.__name__} and q type {type_q.__name__}: "
            "register_kl adds one"
        )
    by_p, by_q = _nearest(pairs, 0), _nearest(pairs, 1)
    if _KL_REGISTRY[by_p] is not _KL_REGISTRY[by_q]:
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). Please register_kl({by_p[0].__name__}, "
            f"{by_q[1].__name__})",
            RuntimeWarning,
            stacklevel=3,
        )
    return _KL_REGISTRY[by_p]


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The Kullback-Leibler divergence KL(p ‖ q) = E_p[log p(x) - log q(x)] in nats, for each element of the batch.

    It is infinite where p has values that q has not.

    Args:
        p: a distribution.
        q: a distribution of the same events.

    Shape:
        the broadcast shape of the batches.

    Raises:
        UnsupportedError: (a NotImplementedError) if no formula is registered for the two classes.

    Example:

    >>> D = rustorch.distributions
    >>> D.kl_divergence(D.Normal(0.0, 1.0), D.Normal(1.0, 1.0))
    tensor(0.5000)
    """
    key = type(p), type(q)
    function = _KL_MEMOIZE.get(key)
    if function is None:
        function = _KL_MEMOIZE[key] = _dispatch(*key)
    return function(p, q)


# The formulas register themselves.
from rustorch.distributions import _kl_families as _kl_families, _kl_pairs as _kl_pairs  # noqa: E402
