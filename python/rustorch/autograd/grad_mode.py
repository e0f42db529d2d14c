"""Whether ops are recorded: context managers that are decorators, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from rustorch._C import _GradMode, _set_grad_enabled

__all__ = ["enable_grad", "inference_mode", "no_grad", "set_grad_enabled", "set_multithreading_enabled"]

F = TypeVar("F", bound=Callable[..., Any])


def _decorate(function: F, context: Callable[[], Any]) -> F:
    """The function, run inside a fresh context each time; a generator holds it only while it runs itself."""
    from functools import wraps
    from inspect import isgeneratorfunction

    if isgeneratorfunction(function):

        @wraps(function)
        def generator(*args: Any, **kwargs: Any) -> Any:
            with context():
                steps = function(*args, **kwargs)
            send: Any = None
            while True:
                try:
                    with context():
                        item = steps.send(send)
                except StopIteration as end:
                    return end.value
                try:
                    send = yield item
                except GeneratorExit:
                    with context():
                        steps.close()
                    raise
                except BaseException as error:
                    with context():
                        item = steps.throw(error)
                    send = yield item

        return generator  # type: ignore[return-value]

    @wraps(function)
    def inside(*args: Any, **kwargs: Any) -> Any:
        with context():
            return function(*args, **kwargs)

    return inside  # type: ignore[return-value]


class no_grad(_GradMode):
    """Ops inside are not recorded: ``with no_grad():``, or ``@no_grad()`` on a function."""

    def __new__(cls, orig_func: Any = None) -> Any:
        mode = super().__new__(cls, False)
        return mode if orig_func is None else mode(orig_func)

    def __call__(self, func: F) -> F:
        return _decorate(func, type(self))


class enable_grad(_GradMode):
    """Ops inside are recorded, also within ``no_grad``."""

    def __new__(cls, orig_func: Any = None) -> Any:
        mode = super().__new__(cls, True)
        return mode if orig_func is None else mode(orig_func)

    def __call__(self, func: F) -> F:
        return _decorate(func, type(self))


class inference_mode(_GradMode):
    """As ``no_grad`` when ``mode`` is true, and tensors made inside can not be saved for backward later.

    When ``mode`` is false, as ``enable_grad``.
    """

    def __new__(cls, mode: Any = True) -> Any:
        if callable(mode):
            return cls(True)(mode)
        made = super().__new__(cls, not mode, bool(mode))
        made.mode = bool(mode)
        return made

    mode: bool

    def __call__(self, func: F) -> F:
        mode = self.mode
        return _decorate(func, lambda: inference_mode(mode))


class set_grad_enabled:
    """Sets at once whether ops are recorded; as a context manager it sets back what was before."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self.prev = _set_grad_enabled(mode)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exception: object) -> None:
        _set_grad_enabled(self.prev)

    def __call__(self, func: F) -> F:
        _set_grad_enabled(self.prev)
        mode = self.mode
        return _decorate(func, lambda: set_grad_enabled(mode))


class set_multithreading_enabled:
    """Set at once whether a backward pass may use several threads; as a context manager it sets back what was before.

    A pass runs on the thread that calls `backward`, whose ops use the pool of threads; the setting is kept and given
    back as `mode`.
    """

    _is_enabled = True

    def __init__(self, mode: bool) -> None:
        self.prev = set_multithreading_enabled._is_enabled
        self.mode = set_multithreading_enabled._is_enabled = bool(mode)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exception: object) -> None:
        set_multithreading_enabled._is_enabled = self.prev

    def clone(self) -> set_multithreading_enabled:
        """One with the same mode."""
        return set_multithreading_enabled(self.mode)
