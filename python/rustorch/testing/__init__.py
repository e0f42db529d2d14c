"""Comparisons for tests, which say where values differ, and tensors to test with."""

from rustorch.testing._comparison import assert_allclose, assert_close
from rustorch.testing._creation import make_tensor

__all__ = ["assert_allclose", "assert_close", "make_tensor"]
