"""GPUs of NVIDIA's: what there is, which is current, its streams, its memory and its random numbers."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from rustorch._accelerator import Accelerator as _Accelerator
from rustorch._streams import Event as _Event, Stream as _Stream

_this = _Accelerator("cuda")

if _TYPE_CHECKING:
    from rustorch._accelerator_functions import *
else:
    globals().update(_this.functions())


class Stream(_Stream, owner=_this):
    __doc__ = _Stream.__doc__

    @property
    def cuda_stream(self) -> int:
        """The driver's handle of it, 0 of the default stream."""
        return self.native_handle if self.stream_id else 0

    def __cuda_stream__(self) -> tuple[int, int]:
        """For CUDA's libraries in Python: the version of this protocol, and the driver's handle."""
        return (0, self.cuda_stream)


class Event(_Event, owner=_this):
    __doc__ = _Event.__doc__
