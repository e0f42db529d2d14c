"""Options of PyTorch's functions and layers that are refused by name."""

from __future__ import annotations


def refuse_sparse(name: str, sparse: bool) -> None:
    """Raises for gradients as sparse tensors."""
    if sparse:
        raise NotImplementedError(f"{name}: the option sparse is not supported; leave it out")


def check_reduction(name: str, size_average: bool | None, reduce: bool | None) -> None:
    """Raises for PyTorch's old ways to say the reduction."""
    for option, value in (("size_average", size_average), ("reduce", reduce)):
        if value is not None:
            raise TypeError(f"{name}: {option} is not supported; use reduction='mean', 'sum' or 'none' instead")
