"""Python's `multiprocessing`, whose queues, pipes, pools and arguments of processes carry tensors in shared memory.

Everything of the standard module is here under its name. A tensor that `share_memory_()` moved, or that came from
another process, is not copied when it is sent: what one process writes, the others see. Any other tensor is copied
once, into shared memory, and the receivers have that copy to themselves, where PyTorch moves the tensor that is sent.

Memory that is sent lives until its last user is gone. With the strategy 'file_descriptor', the default, nothing in the
file system names it, each shared tensor holds a descriptor, and the sender must run until the receiver has taken it.
With 'file_system' it has names in /dev/shm in place of descriptors; they are removed as their users go.
"""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing import *  # noqa: F403

from . import reductions as reductions
from .reductions import (
    get_all_sharing_strategies as get_all_sharing_strategies,
    get_sharing_strategy as get_sharing_strategy,
    set_sharing_strategy as set_sharing_strategy,
)
from .spawn import (
    ProcessContext as ProcessContext,
    ProcessException as ProcessException,
    ProcessExitedException as ProcessExitedException,
    ProcessRaisedException as ProcessRaisedException,
    spawn as spawn,
    start_processes as start_processes,
)

__all__ = [
    *multiprocessing.__all__,
    "ProcessContext",
    "ProcessException",
    "ProcessExitedException",
    "ProcessRaisedException",
    "get_all_sharing_strategies",
    "get_sharing_strategy",
    "set_sharing_strategy",
    "spawn",
    "start_processes",
]

if os.name == "posix":
    reductions.init_reductions()
