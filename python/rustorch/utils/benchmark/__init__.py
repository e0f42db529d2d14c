"""Timing of pieces of code: how long they take, how sure that is, and tables that compare."""

from numbers import Number

from rustorch.utils.benchmark.compare import Compare
from rustorch.utils.benchmark.measurement import Measurement
from rustorch.utils.benchmark.timer import Timer, timer

__all__ = ["Compare", "Measurement", "Number", "Timer", "timer"]
