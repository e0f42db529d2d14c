"""Memory shared with other libraries by DLPack."""

from rustorch._C import from_dlpack, to_dlpack

__all__ = ["from_dlpack", "to_dlpack"]
