"""Hooks of modules: handles, and the gradients at a module's borders."""

from __future__ import annotations

import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from rustorch._C import Tensor, is_grad_enabled

if TYPE_CHECKING:
    from ._call import HookedCall

Gradients = tuple["Tensor | None", ...]


class RemovableHandle:
    """Takes a registered hook off again: by ``remove()``, or at the end of a ``with`` block."""

    _ids = count()

    def __init__(self, *hooks: OrderedDict[int, Any]) -> None:
        self.id = next(self._ids)
        self._hooks = [weakref.ref(each) for each in hooks]

    def remove(self) -> None:
        """Takes the hook off; a second call does nothing."""
        for reference in self._hooks:
            hooks = reference()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()

    def __getstate__(self) -> dict[str, Any]:
        # With the dictionaries, so that a handle that is copied with its module takes off the copy's hook.
        return {"id": self.id, "hooks": [reference() for reference in self._hooks]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.id = state["id"]
        self._hooks = [weakref.ref(hooks) for hooks in state["hooks"] if hooks is not None]


class BackwardHooks:
    """One call of a module whose gradients hooks want to see.

    The inputs and outputs of the call each pass through an identity. In backward, the outputs' identity is reached
    first and keeps their gradients; the inputs' identity then has the inputs' gradients too, and calls the hooks.
    """

    def __init__(
        self,
        module: HookedCall,
        hooks: Sequence[Callable[..., Any]],
        pre_hooks: Sequence[Callable[..., Any]],
    ) -> None:
        self._module = module
        self._hooks = hooks
        self._pre_hooks = pre_hooks
        self._inputs_differentiable = False
        self._input_count = 0
        self._grad_outputs: Gradients | None = None

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, with the tensors among them replaced by ones whose gradients are seen."""
        self._input_count = len(args)
        watched = _watch(args, self._at_inputs)
        self._inputs_differentiable = watched is not None
        return args if watched is None else watched

    def watch_outputs(self, result: Any) -> Any:
        """The result, with its tensors replaced by ones whose gradients are seen."""
        if isinstance(result, Tensor):
            watched = _watch((result,), self._at_outputs)
            return result if watched is None else watched[0]
        if isinstance(result, tuple):
            watched = _watch(result, self._at_outputs)
            return result if watched is None else watched
        warnings.warn(
            f"for backward hooks to be called, a module's output should be a Tensor or a tuple of Tensors, "
            f"but it is {type(result).__name__}",
            stacklevel=4,
        )
        return result

    def _at_outputs(self, grads: Gradients) -> Gradients:
        for hook in self._pre_hooks:
            replaced = hook(self._module, grads)
            if replaced is not None:
                grads = _as_tuple(replaced, len(grads), "pre hook", "grad_output")
        self._grad_outputs = grads
        if not self._inputs_differentiable:
            nothing: Gradients = (None,) * self._input_count
            for hook in self._hooks:
                replaced = hook(self._module, nothing, grads)
                if replaced is not None and any(grad is not None for grad in replaced):
                    raise RuntimeError(
                        "backward hook: no input of the module requires a gradient, so the hook should return None"
                    )
            self._grad_outputs = None
        return grads

    def _at_inputs(self, grads: Gradients) -> Gradients:
        if self._grad_outputs is None:
            # The gradient came around the module's outputs, as in a double backward.
            return grads
        for hook in self._hooks:
            replaced = hook(self._module, grads, self._grad_outputs)
            if replaced is not None:
                grads = _as_tuple(replaced, len(grads), "hook", "grad_input")
        self._grad_outputs = None
        return grads


def _as_tuple(grads: Any, expected: int, which: str, what: str) -> Gradients:
    grads = grads if isinstance(grads, tuple) else (grads,)
    if len(grads) != expected:
        raise RuntimeError(
            f"Backward {which} returned an invalid number of {what}, got {len(grads)}, but expected {expected}"
        )
    return tuple(grads)


def _watch(values: tuple[Any, ...], on_backward: Callable[[Gradients], Gradients]) -> tuple[Any, ...] | None:
    """The values with their tensors passed through an identity that shows gradients; None where none are wanted."""
    places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
    if not is_grad_enabled() or not any(values[i].requires_grad for i in places):
        return None

    def spread(grads: Gradients) -> Gradients:
        full: list[Tensor | None] = [None] * len(values)
        for place, grad in zip(places, grads, strict=True):
            full[place] = grad
        replaced = on_backward(tuple(full))
        return tuple(replaced[place] for place in places)

    # Custom functions are needed by few programs; importing them here keeps them out of `import rustorch`.
    from ._border import Border

    passed = Border.apply(spread, *(values[i] for i in places))
    tensors = passed if isinstance(passed, tuple) else (passed,)
    result = list(values)
    for place, tensor in zip(places, tensors, strict=True):
        result[place] = tensor
    if hasattr(values, "_fields"):  # a named tuple takes its items one by one
        return type(values)(*result)
    return tuple(result)
