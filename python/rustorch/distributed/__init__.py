"""Processes that work together: not there yet, and programs that ask are told so.

`is_available()` is False, as in a PyTorch that was built without it: who asks before using more runs in one process.
"""

from __future__ import annotations

import os

__all__ = [
    "is_available",
    "is_gloo_available",
    "is_initialized",
    "is_mpi_available",
    "is_nccl_available",
    "is_torchelastic_launched",
]


def is_available() -> bool:
    """Whether processes can work together: False.

    >>> rustorch.distributed.is_available()
    False
    """
    return False


def is_initialized() -> bool:
    """Whether there is a group of processes: False."""
    return False


def is_mpi_available() -> bool:
    """Whether processes can speak by MPI: False."""
    return False


def is_nccl_available() -> bool:
    """Whether GPUs can speak by NCCL: False."""
    return False


def is_gloo_available() -> bool:
    """Whether processes can speak by Gloo: False."""
    return False


def is_torchelastic_launched() -> bool:
    """Whether a launcher of PyTorch's started this process, which tells it so in its environment."""
    return "TORCHELASTIC_RUN_ID" in os.environ
