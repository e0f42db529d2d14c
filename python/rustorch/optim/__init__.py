"""Optimizers, and schedules of their learning rates."""

from . import lr_scheduler as lr_scheduler
from .adafactor import Adafactor as Adafactor
from .adam import Adam as Adam, AdamW as AdamW
from .elementwise import (
    ASGD as ASGD,
    Adadelta as Adadelta,
    Adagrad as Adagrad,
    Adamax as Adamax,
    NAdam as NAdam,
    RAdam as RAdam,
    RMSprop as RMSprop,
    Rprop as Rprop,
)
from .lbfgs import LBFGS as LBFGS
from .muon import Muon as Muon
from .optimizer import Optimizer as Optimizer
from .sgd import SGD as SGD
