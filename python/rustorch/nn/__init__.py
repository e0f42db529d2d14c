"""Neural networks: modules, their parameters, functions, initial values."""

from . import (
    attention as attention,
    functional as functional,
    init as init,
    modules as modules,
    parallel as parallel,
    utils as utils,
)

# From the files, not from `modules`, whose names are also those of the files.
from .modules.activation import *
from .modules.adaptive import *
from .modules.batchnorm import *
from .modules.channelshuffle import *
from .modules.container import *
from .modules.conv import *
from .modules.distance import *
from .modules.dropout import *
from .modules.flatten import *
from .modules.fold import *
from .modules.instancenorm import *
from .modules.linear import *
from .modules.loss import *
from .modules.module import *
from .modules.normalization import *
from .modules.padding import *
from .modules.pixelshuffle import *
from .modules.pooling import *
from .modules.rnn import *
from .modules.sparse import *
from .modules.transformer import *
from .modules.upsampling import *
from .parallel import DataParallel as DataParallel
from .parameter import *
