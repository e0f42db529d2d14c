"""Calling a module: hooks before, after and behind its forward."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain
from typing import Any

from rustorch._C import Tensor

from . import _global_hooks as everywhere
from ._hooks import BackwardHooks, RemovableHandle

HOOKS = (
    "_backward_pre_hooks",
    "_backward_hooks",
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


class HookedCall:
    """What makes a module callable."""

    _backward_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _backward_hooks: OrderedDict[int, Callable[..., Any]]
    # Whether these are of today's form or of the former one; None before there is any.
    _is_full_backward_hook: bool | None
    _forward_hooks: OrderedDict[int, Callable[..., Any]]
    _forward_hooks_with_kwargs: OrderedDict[int, bool]
    _forward_hooks_always_called: OrderedDict[int, bool]
    _forward_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _forward_pre_hooks_with_kwargs: OrderedDict[int, bool]

    def _forward_missing(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass has its own."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    # As an attribute of this type, because a subclass's forward takes whatever it likes.
    forward: Callable[..., Any] = _forward_missing

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or everywhere.CALLS
        ):
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        pending = {**everywhere.FORWARD_ALWAYS_CALLED, **self._forward_hooks_always_called}
        result = None
        try:
            for handle, hook in chain(tuple(everywhere.FORWARD_PRE.items()), tuple(self._forward_pre_hooks.items())):
                args, kwargs = self._run_pre_hook(handle, hook, args, kwargs)
            hooks = self._gradient_hooks(former=False)
            pre_hooks = (*everywhere.BACKWARD_PRE.values(), *self._backward_pre_hooks.values())
            backward = None
            if hooks or pre_hooks:
                backward = BackwardHooks(self, hooks, pre_hooks)
                args = backward.watch_inputs(args)
            result = self.forward(*args, **kwargs)
            for handle, hook in chain(tuple(everywhere.FORWARD.items()), tuple(self._forward_hooks.items())):
                pending.pop(handle, None)
                changed = self._run_forward_hook(handle, hook, args, kwargs, result)
                if changed is not None:
                    result = changed
            if backward is not None:
                result = backward.watch_outputs(result)
            former = self._gradient_hooks(former=True)
            if former:
                self._watch_last_op(former, result)
            return result
        except Exception:
            for handle in pending:
                hook = everywhere.FORWARD.get(handle) or self._forward_hooks[handle]
                try:
                    self._run_forward_hook(handle, hook, args, kwargs, result)
                except Exception as error:
                    warnings.warn(
                        "module forward hook with ``always_call=True`` raised an exception that was silenced as "
                        f"another error was raised in forward: {error}",
                        stacklevel=3,
                    )
            raise

    def _run_pre_hook(
        self, handle: int, hook: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments after a hook has seen them."""
        if handle not in self._forward_pre_hooks_with_kwargs:
            changed = hook(self, args)
            if changed is None:
                return args, kwargs
            return changed if isinstance(changed, tuple) else (changed,), kwargs
        both = hook(self, args, kwargs)
        if both is None:
            return args, kwargs
        if not (isinstance(both, tuple) and len(both) == 2):
            raise RuntimeError(
                f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {both}."
            )
        return both

    def _run_forward_hook(
        self, handle: int, hook: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
    ) -> Any:
        if handle in self._forward_hooks_with_kwargs or handle in everywhere.FORWARD_WITH_KWARGS:
            return hook(self, args, kwargs, result)
        return hook(self, args, result)

    def _gradient_hooks(self, *, former: bool) -> tuple[Callable[..., Any], ...]:
        """The hooks of gradients of all modules and of this one, of today's form or of the former one."""
        common = everywhere.BACKWARD.values() if bool(everywhere.FORMER) == former else ()
        own = self._backward_hooks.values() if (self._is_full_backward_hook is False) == former else ()
        return (*common, *own)

    def _watch_last_op(self, hooks: tuple[Callable[..., Any], ...], result: Any) -> None:
        """Lets hooks of the former form see the gradients of the op that gave the result."""
        last = result
        while not isinstance(last, Tensor):
            last = (
                next(value for value in last.values() if isinstance(value, Tensor))
                if isinstance(last, Mapping)
                else last[0]
            )
        node = last.grad_fn
        if node is not None:
            for hook in hooks:
                node.register_hook(partial(hook, self))

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Calls `hook(module, args)` before forward; what it gives replaces the arguments."""
        handle = RemovableHandle(self._forward_pre_hooks, self._forward_pre_hooks_with_kwargs)
        _add(self._forward_pre_hooks, handle, hook, prepend)
        if with_kwargs:
            self._forward_pre_hooks_with_kwargs[handle.id] = True
        return handle

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Calls `hook(module, args, output)` after forward; what it gives replaces the output."""
        handle = RemovableHandle(
            self._forward_hooks, self._forward_hooks_with_kwargs, self._forward_hooks_always_called
        )
        _add(self._forward_hooks, handle, hook, prepend)
        if with_kwargs:
            self._forward_hooks_with_kwargs[handle.id] = True
        if always_call:
            self._forward_hooks_always_called[handle.id] = True
        return handle

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Calls `hook(module, grad_output)` in backward; what it gives replaces the outputs' gradients."""
        handle = RemovableHandle(self._backward_pre_hooks)
        _add(self._backward_pre_hooks, handle, hook, prepend)
        return handle

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Calls `hook(module, grad_input, grad_output)` in backward; what it gives replaces the inputs' gradients."""
        if self._is_full_backward_hook is False:
            raise RuntimeError(everywhere.BOTH_FORMS)
        self._is_full_backward_hook = True
        handle = RemovableHandle(self._backward_hooks)
        _add(self._backward_hooks, handle, hook, prepend)
        return handle

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls `hook(module, grad_input, grad_output)` in backward, with the gradients of the forward's last op.

        The form before register_full_backward_hook(): where the forward has several ops, grad_input is not of the
        module's inputs, and where its only op takes parameters, their gradients are in it, too.
        """
        if self._is_full_backward_hook is True:
            raise RuntimeError(everywhere.BOTH_FORMS)
        self._is_full_backward_hook = False
        handle = RemovableHandle(self._backward_hooks)
        _add(self._backward_hooks, handle, hook, False)
        return handle


def _add(hooks: OrderedDict[int, Any], handle: RemovableHandle, hook: Callable[..., Any], prepend: bool) -> None:
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
