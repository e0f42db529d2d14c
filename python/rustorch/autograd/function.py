"""Custom functions with gradients of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rustorch._C import Tensor, _FunctionContext, _record_function, is_grad_enabled
from rustorch.autograd.grad_mode import no_grad

__all__ = ["Function", "FunctionCtx", "once_differentiable"]


class FunctionCtx(_FunctionContext):
    """What ``forward`` leaves for ``backward``: the ``ctx`` of both. Attributes may be set freely."""

    def __new__(cls, function: type[Function]) -> FunctionCtx:
        made: FunctionCtx = super().__new__(cls)
        made._function = function
        made._saved = ()
        made._dirty = ()
        made._constant = ()
        made._materialize = True
        return made

    _function: type[Function]
    _saved: tuple[Tensor | None, ...]
    _dirty: tuple[Tensor, ...]
    _constant: tuple[Tensor, ...]
    _materialize: bool

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep inputs or outputs for ``backward``, where ``ctx.saved_tensors`` has them."""
        self._saved = tensors

    def mark_dirty(self, *args: Tensor) -> None:
        """Say which inputs ``forward`` has changed in place. They must be outputs, too."""
        self._dirty = args

    def mark_non_differentiable(self, *args: Tensor) -> None:
        """Say which outputs have no gradient."""
        self._constant = args

    def set_materialize_grads(self, value: bool) -> None:
        """Say whether ``backward`` gets zeros (True, as from the start) or None for outputs without gradient."""
        self._materialize = value

    def _apply_backward(self, *grads: Tensor | None) -> Any:
        return self._function.backward(self, *grads)


class Function:
    """An op whose forward and backward are written in Python, as static methods.

    ::

        class Exp(Function):
            @staticmethod
            def forward(ctx, x):
                y = x.exp()
                ctx.save_for_backward(y)
                return y

            @staticmethod
            def backward(ctx, grad):
                (y,) = ctx.saved_tensors
                return grad * y

        y = Exp.apply(x)

    ``backward`` gets one gradient per output and gives one per argument of ``forward``, None for those without.
    ``forward`` may leave ``ctx`` out; ``setup_context(ctx, inputs, output)`` fills it then.
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the outputs: ``forward(ctx, *args)``, or ``forward(*args)`` with ``setup_context``."""
        raise NotImplementedError("a custom Function must implement forward()")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Keep what ``backward`` needs."""
        raise NotImplementedError("setup_context() is not implemented")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Compute the gradients by the arguments of ``forward`` from those by its outputs."""
        raise NotImplementedError("a custom Function must implement backward() to be differentiated")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run the op."""
        ctx = FunctionCtx(cls)
        ctx._note_inputs(args)
        recorded = is_grad_enabled() and any(ctx.needs_input_grad)
        with no_grad():
            if cls.setup_context is Function.setup_context:
                output = cls.forward(ctx, *args)
            else:
                output = cls.forward(*args)
                cls.setup_context(ctx, args, output)
        if not recorded:
            return output
        several = isinstance(output, tuple)
        outputs = output if several else (output,)
        name = f"{cls.__name__}Backward"
        marked = ctx._saved, ctx._dirty, ctx._constant
        results = _record_function(ctx, name, args, outputs, marked, ctx._materialize)
        # The context holds what was saved from here on; plain references to results would be a cycle.
        ctx._saved = ctx._dirty = ctx._constant = ()
        return results if several else results[0]


class _DifferentiatedTwice(Function):
    """Passes gradients on unchanged and refuses to be differentiated itself."""

    @staticmethod
    def forward(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
        return tuple(grad.detach() for grad in grads)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a ``backward`` that is not itself differentiable: differentiating through it raises."""
    from functools import wraps

    @wraps(fn)
    def wrapper(ctx: Any, *args: Any) -> Any:
        with no_grad():
            outputs = fn(ctx, *args)
        if not is_grad_enabled():
            return outputs
        several = isinstance(outputs, tuple)
        found = outputs if several else (outputs,)
        if not any(isinstance(arg, Tensor) and arg.requires_grad for arg in args) and not any(
            isinstance(t, Tensor) and t.requires_grad for t in ctx.saved_tensors
        ):
            return outputs
        places = [i for i, value in enumerate(found) if isinstance(value, Tensor)]
        guarded = _DifferentiatedTwice.apply(*(found[i].detach().requires_grad_() for i in places))
        results = list(found)
        for place, value in zip(places, guarded, strict=True):
            results[place] = value
        return tuple(results) if several else results[0]

    return wrapper
