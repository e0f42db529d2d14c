"""Options of PyTorch's functions and layers that are refused by name."""

from __future__ import annotations


def refuse_embedding_options(name: str, max_norm: float | None, scale_grad_by_freq: bool, sparse: bool) -> None:
    """Raises for options of PyTorch's embedding that are not built."""
    for option, given in (
        ("max_norm", max_norm is not None),
        ("scale_grad_by_freq", scale_grad_by_freq),
        ("sparse", sparse),
    ):
        if given:
            raise NotImplementedError(f"{name}: the option {option} is not built; leave it out")


def check_reduction(name: str, size_average: bool | None, reduce: bool | None) -> None:
    """Raises for PyTorch's old ways to say the reduction."""
    for option, value in (("size_average", size_average), ("reduce", reduce)):
        if value is not None:
            raise TypeError(f"{name}: {option} is not supported; use reduction='mean', 'sum' or 'none' instead")
