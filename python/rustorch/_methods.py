"""Methods of tensors that are written in Python, in modules which are imported when the first of them is called."""

from __future__ import annotations

from typing import Any

from rustorch._C import Tensor, device as _device


class _Methods:
    """Their signatures and documentation; they are put into the class of tensors."""

    def type(self: Any, dtype: Any = None, non_blocking: bool = False) -> Any:
        """The name of the class that old programs give the dtype and device; with `dtype`, the tensor converted.

        `dtype` is a dtype, a class such as FloatTensor, or its name, which also says the device.

        >>> x = rustorch.ones(2)
        >>> x.type(rustorch.LongTensor), x.type("torch.BoolTensor"), x.type(rustorch.int8)
        (tensor([1, 1]), tensor([True, True]), tensor([1, 1], dtype=rustorch.int8))
        """
        from rustorch._tensor_types import type_of

        return type_of(self, dtype, non_blocking)

    def storage(self: Any) -> Any:
        """The memory of the tensor and its views, element by element: a TypedStorage.

        >>> rustorch.arange(6).view(2, 3)[1].storage().size()
        6
        """
        from rustorch.storage import TypedStorage

        return TypedStorage(wrap_storage=self.untyped_storage(), dtype=self.dtype)

    def new(self: Any, *args: Any, device: _device | str | None = None) -> Tensor:
        """A tensor of this one's dtype and on its device, as FloatTensor makes them: of sizes, or of data.

        >>> rustorch.ones(2).new([3, 4])
        tensor([3., 4.])
        """
        from rustorch._tensor_types import made

        return made("new", args, self.dtype, self.device if device is None else _device(device))


def add_methods(tensor: type) -> None:
    """Gives the class its methods that are written in Python."""
    for name, method in vars(_Methods).items():
        if not name.startswith("__"):
            method.__qualname__ = f"Tensor.{name}"
            setattr(tensor, name, method)
