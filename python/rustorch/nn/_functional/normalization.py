"""Normalisation."""

from __future__ import annotations

from rustorch import _C
from rustorch._C import Tensor
from rustorch._naming import named

from ._documented import documented_as


@named
@documented_as(_C.group_norm)
def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    if input.ndim >= 2 and num_groups > 0 and input.numel() == input.shape[1] and input.shape[1] == num_groups:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {list(input.shape)}")
    return _C.group_norm(input, num_groups, weight, bias, eps)
