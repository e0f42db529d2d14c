"""Methods of tensors that are written in Python, in modules which are imported when the first of them is called."""

from __future__ import annotations

from collections.abc import Callable
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

    def apply_(self: Any, callable: Callable[[Any], Any]) -> Tensor:
        """Replaces each element by what a function of it gives, one after the other, in place; on the CPU alone.

        >>> rustorch.tensor([1.0, 4.0]).apply_(lambda x: x + 1)
        tensor([2., 5.])
        """
        from rustorch._elementwise_functions import replaced

        return replaced("apply_", self, (), callable)

    def map_(self: Any, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
        """Replaces each element by what a function of it and one of `tensor` gives, in place; on the CPU alone.

        >>> rustorch.tensor([1.0, 4.0]).map_(rustorch.tensor([3.0]), lambda a, b: a - b)
        tensor([-2.,  1.])
        """
        from rustorch._elementwise_functions import replaced

        return replaced("map_", self, (tensor,), callable)

    def map2_(self: Any, x: Tensor, y: Tensor, callable: Callable[[Any, Any, Any], Any]) -> Tensor:
        """Replaces each element by what a function of it and one of `x` and `y` gives, in place; on the CPU alone.

        >>> rustorch.zeros(2).map2_(rustorch.ones(2), rustorch.ones(2), lambda a, b, c: a + b + c)
        tensor([2., 2.])
        """
        from rustorch._elementwise_functions import replaced

        return replaced("map2_", self, (x, y), callable)

    def resize(self: Any, *sizes: Any) -> Tensor:
        """The elements in another shape, as reshape() gives them, which takes its place; it warns of that."""
        import warnings

        warnings.warn("resize(): non-inplace resize is deprecated; use reshape()", stacklevel=2)
        reshaped: Tensor = self.reshape(*sizes)
        return reshaped

    def resize_as(self: Any, tensor: Tensor) -> Tensor:
        """The elements in the shape of another tensor, as reshape_as() gives them, which takes its place; it warns."""
        import warnings

        warnings.warn("resize_as(): non-inplace resize_as is deprecated; use reshape_as()", stacklevel=2)
        reshaped: Tensor = self.reshape_as(tensor)
        return reshaped

    def __array_wrap__(self: Any, array: Any, context: Any = None, return_scalar: bool = False) -> Tensor:
        """What NumPy's functions of a tensor give: a tensor of the array, where bool becomes uint8, as in PyTorch."""
        from rustorch._C import from_numpy

        return from_numpy(array.astype("uint8") if array.dtype == bool else array)


def add_methods(tensor: type) -> None:
    """Gives the class its methods that are written in Python."""
    for name, method in vars(_Methods).items():
        if not name.startswith("__") or name == "__array_wrap__":
            method.__qualname__ = f"Tensor.{name}"
            setattr(tensor, name, method)
