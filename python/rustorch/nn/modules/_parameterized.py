"""What the layers with parameters share: the native layer that computes for them."""

from __future__ import annotations

from typing import Any, ClassVar

from rustorch._C import Layer
from rustorch.nn.parameter import Parameter

from .module import Module


class ParameterizedModule(Module):
    """A module whose computation and initial values are a native layer's.

    The module holds the tensors and hands the current ones to the layer, which is made from the module's settings and
    made again when one of them changes.
    """

    # The attributes from which the layer is made, and the names of its parameters in its order.
    _settings: ClassVar[frozenset[str]]
    _names: ClassVar[tuple[str, ...]] = ("weight", "bias")
    _layer: Layer

    def _make_layer(self) -> Layer:
        raise NotImplementedError

    def _build(self, device: Any, dtype: Any) -> None:
        """Makes the layer and registers fresh parameters; the settings are there."""
        self.__dict__["_layer"] = self._make_layer()
        tensors = self._layer.allocate(device, dtype)
        for name, tensor in zip(self._names, tensors, strict=False):
            self.register_parameter(name, None if tensor is None else Parameter(tensor))
        self._register_rest(tensors[len(self._names) :])
        self.reset_parameters()

    def _register_rest(self, tensors: list[Any]) -> None:
        """Registers the tensors that are not parameters."""

    def reset_parameters(self) -> None:
        """Sets the parameters to fresh initial values."""
        self._layer.initialize(*(getattr(self, name) for name in self._names))

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in self._settings and "_layer" in self.__dict__:
            self.__dict__["_layer"] = self._make_layer()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_layer"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__["_layer"] = self._make_layer()
