"""Optimizers, and schedules of their learning rates."""

from typing import TYPE_CHECKING

from rustorch._lazy import getter as _getter

from . import lr_scheduler as lr_scheduler
from .adafactor import *
from .adam import *
from .elementwise import *
from .lbfgs import *
from .muon import *
from .optimizer import *
from .sgd import *

if TYPE_CHECKING:
    from . import swa_utils as swa_utils

# Imported when it is first used, since it needs layers.
__getattr__ = _getter("rustorch.optim", frozenset({"swa_utils"}))
