"""Optimizers, and schedules of their learning rates."""

from . import lr_scheduler as lr_scheduler
from .adafactor import *
from .adam import *
from .elementwise import *
from .lbfgs import *
from .muon import *
from .optimizer import *
from .sgd import *
