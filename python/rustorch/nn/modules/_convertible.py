"""Moving a module between devices, and converting its tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self

from rustorch import _C
from rustorch._C import Tensor
from rustorch.autograd.grad_mode import no_grad
from rustorch.nn.parameter import Parameter, is_lazy

if TYPE_CHECKING:
    from .module import Module


class Convertible:
    """What gives a module's parameters, gradients and buffers other memory or another dtype."""

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]

    if TYPE_CHECKING:
        # What Module has.
        def children(self) -> Iterator[Module]: ...
        def parameters(self, recurse: bool = True) -> Iterator[Parameter]: ...
        def buffers(self, recurse: bool = True) -> Iterator[Tensor]: ...

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replaces the data of every parameter, gradient and buffer by what `fn` makes of it.

        Those of modules below are replaced by their own _apply(), unless not `recurse`.
        """
        if recurse:
            for module in self.children():
                module._apply(fn)
        with no_grad():
            for parameter in self._parameters.values():
                if parameter is not None:
                    grad = parameter.grad
                    parameter.grad = None
                    parameter.data = fn(parameter)
                    if grad is not None:
                        parameter.grad = fn(grad)
            for name, buffer in self._buffers.items():
                if is_lazy(buffer):
                    buffer.data = fn(buffer)
                elif buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def to_empty(self, *, device: str | _C.device | None, recurse: bool = True) -> Self:
        """Moves to a device without copying: parameters and buffers get memory there whose values are undefined."""
        return self._apply(lambda tensor: _C.empty_like(tensor, device=device), recurse)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Moves to a device, and converts numbers that are not integers to a dtype; arguments as of Tensor.to().

        A number as device is that of a GPU of NVIDIA's. A memory_format is for tensors of 4 and 5 dimensions.
        """
        if args and type(args[0]) is int:
            args = (_C.device("cuda", args[0]), *args[1:])
        if type(kwargs.get("device")) is int:
            kwargs["device"] = _C.device("cuda", kwargs["device"])
        device, dtype = _C._parse_to(*args, **kwargs)
        if dtype is not None and not dtype.is_floating_point and not dtype.is_complex:
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )
        non_blocking = kwargs.get("non_blocking", next((each for each in args if isinstance(each, bool)), False))
        memory_format = kwargs.get("memory_format")

        def convert(tensor: Tensor) -> Tensor:
            options: dict[str, Any] = {"non_blocking": non_blocking}
            if memory_format is not None and tensor.ndim in (4, 5):
                options["memory_format"] = memory_format
            converted = dtype if tensor.is_floating_point() or tensor.is_complex() else None
            return tensor.to(device=device, dtype=converted, **options)

        return self._apply(convert)

    def _to_dtype(self, dtype: _C.dtype) -> Self:
        return self._apply(lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor)

    def float(self) -> Self:
        """Converts floating-point tensors to float32."""
        return self._to_dtype(_C.float32)

    def double(self) -> Self:
        """Converts floating-point tensors to float64."""
        return self._to_dtype(_C.float64)

    def half(self) -> Self:
        """Converts floating-point tensors to float16."""
        return self._to_dtype(_C.float16)

    def bfloat16(self) -> Self:
        """Converts floating-point tensors to bfloat16."""
        return self._to_dtype(_C.bfloat16)

    def type(self, dst_type: Any) -> Self:
        """Converts all tensors to a dtype, or to a type as Tensor.type() takes it."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def cpu(self) -> Self:
        """Moves to the CPU."""
        return self._apply(lambda tensor: tensor.to("cpu"))

    def cuda(self, device: int | str | _C.device | None = None) -> Self:
        """Moves to a GPU of NVIDIA's: the current one, or that of an index or a device."""
        return self._apply(lambda tensor: tensor.cuda(device))

    def xpu(self, device: int | _C.device | None = None) -> Self:
        """Moves to a GPU of Intel's, which is an error: there is no such device."""
        return self._to_kind("xpu", device)

    def ipu(self, device: int | _C.device | None = None) -> Self:
        """Moves to an IPU, which is an error: there is no such device."""
        return self._to_kind("ipu", device)

    def mtia(self, device: int | _C.device | None = None) -> Self:
        """Moves to an MTIA, which is an error: there is no such device."""
        return self._to_kind("mtia", device)

    def _to_kind(self, kind: str, device: int | _C.device | None) -> Self:
        place = f"{kind}:{device}" if isinstance(device, int) else device or kind
        return self._apply(lambda tensor: tensor.to(place))

    def share_memory(self) -> Self:
        """Moves parameters, gradients and buffers to memory that processes share; see `Tensor.share_memory_`."""
        for parameter in self.parameters():
            parameter.share_memory_()
            if parameter.grad is not None:
                parameter.grad = parameter.grad.share_memory_()
        for buffer in self.buffers():
            buffer.share_memory_()
        return self
