"""A module on the device that a program names by number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rustorch
from rustorch import _C
from rustorch._C import Tensor
from rustorch.nn.modules.module import Module

__all__ = ["DataParallel", "data_parallel"]


def _index(device: int | str | _C.device) -> int:
    index = device if isinstance(device, int) else rustorch.device(device).index
    return 0 if index is None else index


class DataParallel(Module):
    """Runs a module on a GPU of NVIDIA's, to which it and its inputs are moved; where there is none, where it is.

    PyTorch splits each batch over several GPUs; here there is one device, and several are refused. The names of
    parameters in state_dict() begin with `module.`, as PyTorch's do.

    Args:
        module: the module, which is moved to the device.
        device_ids: a single number of a device, or a device, in a list; None is the current one. Where there is no
            GPU they are ignored, as in PyTorch. Default: None.
        output_device: the device of the outputs, which must be that one; None is it. Default: None.
        dim: the dimension of the batch; with one device it makes no difference. Default: 0.

    Shape:
        what the module takes and gives.

    Raises:
        NotImplementedError: where there are several devices, or the output's is another.
        DeviceError: where device_ids names a device that is not there.

    Example:

    >>> net = rustorch.nn.DataParallel(rustorch.nn.Linear(3, 2))
    >>> net(rustorch.ones(4, 3)).shape
    rustorch.Size([4, 2])
    >>> list(net.state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(
        self,
        module: Module,
        device_ids: Sequence[int | str | _C.device] | None = None,
        output_device: int | str | _C.device | None = None,
        dim: int = 0,
    ) -> None:
        super().__init__()
        self.module = module
        self.dim = dim
        self.device_ids: list[int] = []
        if not rustorch.cuda.is_available():
            return
        self.device_ids = [rustorch.cuda.current_device()] if not device_ids else [_index(each) for each in device_ids]
        self.output_device = self.device_ids[0] if output_device is None else _index(output_device)
        if len(self.device_ids) > 1 or self.output_device != self.device_ids[0]:
            raise NotImplementedError(
                f"DataParallel: one device is supported, got device_ids={self.device_ids} and "
                f"output_device={self.output_device}"
            )
        self.module.to(self._device)

    @property
    def _device(self) -> _C.device:
        return rustorch.device("cuda", self.device_ids[0])

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        if not self.device_ids:
            return self.module(*inputs, **kwargs)
        for tensor in (*self.module.parameters(), *self.module.buffers()):
            if tensor.device != self._device:
                raise RuntimeError(
                    f"module must have its parameters and buffers on device {self._device} (device_ids[0]) but found "
                    f"one of them on device: {tensor.device}"
                )
        return self.module(*self._moved(inputs), **self._moved(kwargs))

    def _moved(self, value: Any) -> Any:
        """The value with all tensors in it on the device."""
        if isinstance(value, Tensor):
            return value.to(self._device)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*(self._moved(each) for each in value))
        if isinstance(value, list | tuple):
            return type(value)(self._moved(each) for each in value)
        if isinstance(value, dict):
            return type(value)((key, self._moved(each)) for key, each in value.items())
        return value


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Sequence[int | str | _C.device] | None = None,
    output_device: int | str | _C.device | None = None,
    dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:
    """Calls a module once as DataParallel does.

    Args:
        module: the module, which is moved to the device.
        inputs: the call's arguments: a tuple, or one that is none; None is none at all.
        device_ids: as of DataParallel. Default: None.
        output_device: as of DataParallel. Default: None.
        dim: as of DataParallel. Default: 0.
        module_kwargs: the call's arguments by name. Default: None.

    Example:

    >>> rustorch.nn.parallel.data_parallel(rustorch.nn.Linear(3, 2), rustorch.ones(4, 3)).shape
    rustorch.Size([4, 2])
    """
    arguments = () if inputs is None else inputs if isinstance(inputs, tuple) else (inputs,)
    return DataParallel(module, device_ids, output_device, dim)(*arguments, **(module_kwargs or {}))
