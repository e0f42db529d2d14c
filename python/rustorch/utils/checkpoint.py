"""Trading time for memory: what a part of a model saved for backward is computed again instead."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from rustorch._C import Tensor
from rustorch.autograd.grad_mode import enable_grad
from rustorch.autograd.graph import saved_tensors_hooks
from rustorch.random import default_generators

__all__ = [
    "CheckpointError",
    "checkpoint",
    "checkpoint_sequential",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
]


class CheckpointError(RuntimeError):
    """The second run of a checkpointed function saved something else than the first."""


# What the contexts below set: whether second runs stop early, and, unless None, whether errors say where tensors were
# saved.
_early_stop = True
_debug: bool | None = None


@contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Of checkpoints made inside, the second run ends when it has saved all that backward needs, or with False at its
    end, as a function wants whose last lines do something else.

    Example:

    >>> x = rustorch.ones(1, requires_grad=True)
    >>> with rustorch.utils.checkpoint.set_checkpoint_early_stop(False):
    ...     y = rustorch.utils.checkpoint.checkpoint(rustorch.sin, x, use_reentrant=False)
    >>> y.backward()
    """
    global _early_stop
    before, _early_stop = _early_stop, enable
    try:
        yield
    finally:
        _early_stop = before


@contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Checkpoints made inside have this `debug`, whatever they are given; None leaves it to them.

    Example:

    >>> x = rustorch.ones(1, requires_grad=True)
    >>> with rustorch.utils.checkpoint.set_checkpoint_debug_enabled(True):
    ...     y = rustorch.utils.checkpoint.checkpoint(rustorch.sin, x, use_reentrant=False)
    >>> y.backward()
    """
    global _debug
    before, _debug = _debug, enabled
    try:
        yield
    finally:
        _debug = before


def noop_context_fn() -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    """Contexts of the two runs that do nothing."""
    return nullcontext(), nullcontext()


class _Done(Exception):
    """Everything that the first run saved has been computed again: the rest of the function need not run."""


class _Saved:
    """Stands for the `index`-th tensor that the first run saved."""

    def __init__(self, run: _Run, index: int, tensor: Tensor) -> None:
        self.run = run
        self.index = index
        self.description = (tuple(tensor.shape), tensor.dtype)
        # Computed again; it lives as long as the graph's node, which may ask more than once.
        self.value: Tensor | None = None


def _random_states() -> list[Tensor]:
    return [generator.get_state() for generator in default_generators()]


def _set_random_states(states: list[Tensor]) -> None:
    for generator, state in zip(default_generators(), states, strict=True):
        generator.set_state(state)


class _Run:
    """A call of a checkpointed function: what is needed to run it again."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: Any,
        kwargs: Any,
        preserve_rng_state: bool,
        context: Any,
        debug: bool,
    ) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.context = context
        self.states = _random_states() if preserve_rng_state else None
        self.early_stop = _early_stop
        # Where each run saved each tensor, if that is wanted.
        self.places: tuple[list[str], list[str]] | None = ([], []) if debug else None
        self.count = 0
        self.values: dict[int, Tensor] = {}

    def pack(self, tensor: Tensor) -> _Saved:
        self.count += 1
        if self.places is not None:
            self.places[0].append(_place())
        return _Saved(self, self.count - 1, tensor)

    def unpack(self, saved: _Saved) -> Tensor:
        if saved.value is not None:
            return saved.value
        if saved.index not in self.values:
            self.again()
        value = self.values.pop(saved.index, None)
        if value is None:
            raise CheckpointError(
                f"checkpoint: the first run of {self.function!r} saved {self.count} tensors for backward, its second "
                f"run fewer; it must do the same both times{self.saved_at(saved.index)}"
            )
        if (tuple(value.shape), value.dtype) != saved.description:
            raise CheckpointError(
                f"checkpoint: tensor {saved.index} that {self.function!r} saved for backward had shape and dtype "
                f"{saved.description} in its first run and {(tuple(value.shape), value.dtype)} in its second"
                f"{self.saved_at(saved.index)}"
            )
        saved.value = value
        return value

    def saved_at(self, index: int) -> str:
        """Where a tensor was saved in both runs, for an error, if that was wanted."""
        if self.places is None:
            return ""
        first, second = (places[index] if index < len(places) else "  nowhere\n" for places in self.places)
        return f"\nIn the first run it was saved at\n{first}and in the second at\n{second}"

    def again(self) -> None:
        """Runs the function a second time, keeping what it saves."""
        values: dict[int, Tensor] = {}

        def keep(tensor: Tensor) -> Tensor:
            values[len(values)] = kept = tensor.detach()
            if self.places is not None:
                self.places[1].append(_place())
            if self.early_stop and len(values) == self.count:
                raise _Done
            return kept

        if self.places is not None:
            self.places[1].clear()
        now = _random_states() if self.states is not None else None
        try:
            if self.states is not None:
                _set_random_states(self.states)
            with enable_grad(), self.context, saved_tensors_hooks(keep, lambda tensor: tensor):
                self.function(*self.args, **self.kwargs)
        except _Done:
            pass
        finally:
            if now is not None:
                _set_random_states(now)
        if len(values) > self.count:
            raise CheckpointError(
                f"checkpoint: the first run of {self.function!r} saved {self.count} tensors for backward, its second "
                f"run {len(values)}; it must do the same both times{self.saved_at(self.count)}"
            )
        self.values = values


def _place() -> str:
    """The lines that led to where a tensor is saved, without this module's."""
    return "".join(traceback.format_stack(limit=12)[:-2])


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[AbstractContextManager[Any], AbstractContextManager[Any]]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Run ``function(*args, **kwargs)`` without keeping what it saves for backward; backward runs it again.

    Args:
        function: must do the same both times.
        use_reentrant: taken as PyTorch has it; every value works as PyTorch's ``False``, the recommended one.
        context_fn: gives the contexts in which the first and the second run stand.
        determinism_check: ``"default"`` compares shapes and dtypes of what both runs saved, ``"none"`` does so, too.
        debug: whether the error about two runs that differ also says where in each the tensor was saved; it takes time.
        preserve_rng_state: whether random numbers in the second run are those of the first.
    """
    if determinism_check not in ("default", "none"):
        raise ValueError(f"checkpoint(): determinism_check must be 'default' or 'none', not {determinism_check!r}")
    first, second = context_fn()
    run = _Run(function, args, kwargs, preserve_rng_state, second, debug if _debug is None else _debug)
    with first, saved_tensors_hooks(run.pack, lambda saved: saved.run.unpack(saved)):
        return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Iterable[Callable[..., Any]],
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
) -> Any:
    """Run functions, such as those of ``nn.Sequential``, one after the other; all but the last segment checkpointed."""
    steps = list(functions)
    if segments < 1:
        raise ValueError(f"checkpoint_sequential(): segments must be positive, got {segments}")

    def chain(part: Sequence[Callable[..., Any]]) -> Callable[[Any], Any]:
        def run(value: Any) -> Any:
            for step in part:
                value = step(value)
            return value

        return run

    size = len(steps) // segments
    end = 0
    for _ in range(segments - 1):
        start, end = end, end + size
        input = checkpoint(
            chain(steps[start:end]), input, use_reentrant=use_reentrant, preserve_rng_state=preserve_rng_state
        )
    return chain(steps[end:])(input)
