"""A line search for the strong Wolfe conditions (J. Nocedal and S. Wright, *Numerical Optimization*, 3.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rustorch._C import Tensor


class _Point(NamedTuple):
    t: float
    loss: float
    gradient: Tensor
    slope: float


def _cubic_minimum(a: _Point, b: _Point, low: float | None = None, high: float | None = None) -> float:
    """The lowest point of the cubic through two points with their slopes, within bounds."""
    if low is None or high is None:
        low, high = min(a.t, b.t), max(a.t, b.t)
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if square < 0:
        return (low + high) / 2
    d2: float = square**0.5
    if a.t > b.t:
        a, b = b, a
    lowest = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(lowest, low), high)


def strong_wolfe(
    loss_at: Callable[[float], tuple[float, Tensor]],
    direction: Tensor,
    t: float,
    loss: float,
    gradient: Tensor,
    slope: float,
    *,
    most: int,
    decrease: float = 1e-4,
    curvature: float = 0.9,
    tolerance: float = 1e-9,
) -> tuple[float, Tensor, float, int]:
    """Loss, gradient, distance, and how often `loss_at` was called: at most once more than `most`."""
    longest = float(direction.abs().max().item())
    calls = 0

    def point(t: float) -> _Point:
        nonlocal calls
        calls += 1
        value, at = loss_at(t)
        return _Point(t, value, at, float(at.dot(direction).item()))

    def too_high(new: _Point) -> bool:
        return new.loss > loss + decrease * new.t * slope

    start = previous = _Point(0.0, loss, gradient, slope)
    new = point(t)
    rounds, done = 0, False
    bracket: list[_Point] = []
    while rounds < most:
        if too_high(new) or (rounds > 1 and new.loss >= previous.loss):
            bracket = [previous, new]
            break
        if abs(new.slope) <= -curvature * slope:
            bracket, done = [new], True
            break
        if new.slope >= 0:
            bracket = [previous, new]
            break
        t = _cubic_minimum(previous, new, new.t + 0.01 * (new.t - previous.t), new.t * 10)
        previous, new = new, point(t)
        rounds += 1
    else:
        bracket = [start, new]
    short = False
    low, high = (0, 1) if bracket[0].loss <= bracket[-1].loss else (1, 0)
    while not done and rounds < most:
        left, right = sorted(p.t for p in bracket)
        if (right - left) * longest < tolerance:
            break
        t = _cubic_minimum(bracket[0], bracket[1])
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:
            # Close to an end: once that may be, twice means that the interval would hardly shrink.
            if short or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                short = False
            else:
                short = True
        else:
            short = False
        new = point(t)
        rounds += 1
        if too_high(new) or new.loss >= bracket[low].loss:
            bracket[high] = new
            low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
        else:
            if abs(new.slope) <= -curvature * slope:
                done = True
            elif new.slope * (bracket[high].t - bracket[low].t) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = new
    best = bracket[low if len(bracket) > 1 else 0]
    return best.loss, best.gradient, best.t, calls
