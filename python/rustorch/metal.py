"""Apple's GPUs: what there is, which is current, its streams, its memory and its random numbers."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from rustorch._accelerator import Accelerator as _Accelerator
from rustorch._streams import Event as _Event, Stream as _Stream

_this = _Accelerator("metal")

if _TYPE_CHECKING:
    from rustorch._accelerator_functions import *
else:
    globals().update(_this.functions())


class Stream(_Stream, owner=_this):
    __doc__ = _Stream.__doc__


class Event(_Event, owner=_this):
    __doc__ = _Event.__doc__
