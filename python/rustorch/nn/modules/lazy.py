"""Modules whose parameters get their shapes from the first input."""

from __future__ import annotations

import inspect
import re
from collections import OrderedDict
from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from rustorch.autograd.grad_mode import no_grad
from rustorch.nn.parameter import is_lazy

if TYPE_CHECKING:
    from rustorch._C import Tensor
    from rustorch.nn.parameter import Parameter

    from ._hooks import RemovableHandle

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin:
    """Is the base, beside a Module, of modules that set the shapes of their parameters when they are first called.

    Such a module has UninitializedParameters and UninitializedBuffers. Its first call runs initialize_parameters() with
    the call's arguments, which materializes them, before forward(); the module then becomes one of `cls_to_become`,
    where that is set. It should be moved to its device and called once before an optimizer gets its parameters. A state
    of before the call has no shapes; one of after it gives the module that loads it its shapes.

    Args:
        *args: the arguments of the other base.
        **kwargs: the arguments of the other base by name.

    Shape:
        what the other base takes.

    Raises:
        RuntimeError: in the first call, where initialize_parameters() has left a parameter without a shape.
        NotImplementedError: in the first call, where a subclass has no initialize_parameters().

    Example:

    >>> class LazyScale(rustorch.nn.modules.lazy.LazyModuleMixin, rustorch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.scale = rustorch.nn.UninitializedParameter()
    ...
    ...     def initialize_parameters(self, x):
    ...         self.scale.materialize(x.shape[-1:])
    ...         rustorch.nn.init.ones_(self.scale)
    ...
    ...     def forward(self, x):
    ...         return x * self.scale
    >>> layer = LazyScale()
    >>> layer.has_uninitialized_params()
    True
    >>> layer(rustorch.ones(2, 3)).shape, layer.scale.shape
    (rustorch.Size([2, 3]), rustorch.Size([3]))
    """

    cls_to_become: ClassVar[type | None] = None

    if TYPE_CHECKING:
        # What the other base, a Module, has.
        _parameters: dict[str, Parameter | None]
        _buffers: dict[str, Tensor | None]
        _get_name: Callable[[], str]
        _register_load_state_dict_pre_hook: Callable[..., RemovableHandle]
        register_forward_pre_hook: Callable[..., RemovableHandle]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = self.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Materializes the parameters for the arguments of the first call; every subclass has its own."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer of this module has no shape yet."""
        return any(is_lazy(tensor) for tensor in chain(self._parameters.values(), self._buffers.values()))

    def _lazy_load_hook(self, state_dict: OrderedDict[str, Any], prefix: str, *others: object) -> None:
        """Gives what has no shape that of the tensor which is about to be loaded."""
        for name, tensor in chain(self._parameters.items(), self._buffers.items()):
            source = state_dict.get(prefix + name)
            if is_lazy(tensor) and source is not None and not is_lazy(source):
                with no_grad():
                    tensor.materialize(source.shape)

    def _infer_parameters(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> None:
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {self._get_name()} has not been fully initialized")
        for name in ("_initialize_hook", "_load_hook"):
            getattr(module, name).remove()
            delattr(module, name)
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become

    def _replicate_for_data_parallel(self) -> Any:
        raise RuntimeError(
            "Modules with uninitialized parameters can't be used with `DataParallel`. Call the module once before"
        )


def described_lazily(layer: type, argument: str, example: str) -> str:
    """The docstring of a layer's lazy form, which takes one argument of the layer's from its first input."""
    text = inspect.cleandoc(layer.__doc__ or "")
    sections = text[text.find("Args:") : text.find("Example:")]
    others = re.sub(rf"^    {argument}:.*\n(?:     .*\n)*", "", sections, flags=re.MULTILINE)
    return (
        f"Is a {layer.__name__} that takes {argument} from its first input.\n\n"
        "Its parameters and buffers have no shapes before the first call, nor before it loads a state that has; by the "
        f"call it\nbecomes a {layer.__name__}. LazyModuleMixin says more.\n\n{others}Example:\n\n{example}\n"
    )
