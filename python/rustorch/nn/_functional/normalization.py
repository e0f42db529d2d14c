"""Normalisation."""

from __future__ import annotations

from rustorch import _C
from rustorch._C import Tensor

from ._documented import documented_as


@documented_as(_C.group_norm, input="(N, C, *).")
def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    result = _C.group_norm(input, num_groups, weight, bias, eps)
    # Asked last: by now the op has seen that the arguments are what they should be.
    if input.numel() == num_groups == input.shape[1]:
        raise ValueError(
            f"group_norm(): Expected more than 1 value per channel when training, got input size {list(input.shape)}"
        )
    return result
