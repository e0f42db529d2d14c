"""How GPUs of NVIDIA's multiply matrices."""

from __future__ import annotations

import sys
from types import ModuleType

from rustorch import _C

__all__ = ["allow_bf16_reduced_precision_reduction", "allow_fp16_reduced_precision_reduction", "allow_tf32"]

allow_tf32: bool
"""Whether float32 is rounded to 10 bits of mantissa: `get_float32_matmul_precision()` is not "highest"."""

allow_fp16_reduced_precision_reduction: bool
allow_bf16_reduced_precision_reduction: bool
"""Whether sums of halves may be rounded on the way: kept, while sums are those of float32 anyway."""

_reductions = {"allow_fp16_reduced_precision_reduction": True, "allow_bf16_reduced_precision_reduction": True}


class _Matmul(ModuleType):
    """The module with its settings."""

    @property
    def allow_tf32(self) -> bool:
        return _C.get_float32_matmul_precision() != "highest"

    def __getattr__(self, name: str) -> bool:
        if name in _reductions:
            return _reductions[name]
        raise AttributeError(f"Unknown attribute {name}", name=name, obj=self)

    def __setattr__(self, name: str, value: object) -> None:
        if name != "allow_tf32" and name not in _reductions:
            super().__setattr__(name, value)
        elif not isinstance(value, bool):
            raise TypeError(f"{self.__name__}.{name}: expected bool, but got {type(value).__name__}")
        elif name == "allow_tf32":
            _C.set_float32_matmul_precision("high" if value else "highest")
        else:
            _reductions[name] = value


sys.modules[__name__].__class__ = _Matmul
