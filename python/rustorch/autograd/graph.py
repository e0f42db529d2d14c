"""The recorded graph: its nodes, and what they keep for backward."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import local
from typing import Any, NamedTuple
from weakref import WeakSet

from rustorch._C import Node, Tensor, _pop_saved_tensors_hooks, _push_saved_tensors_hooks

__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "save_on_cpu",
    "saved_tensors_hooks",
]


class _Hooks(local):
    """What a thread's saved-tensor hooks are: how many contexts of them are open, and why no other may be opened."""

    depth = 0
    refusal: str | None = None


_hooks = _Hooks()


class saved_tensors_hooks:
    """Inside, ``pack_hook(tensor)`` is kept instead of each tensor that an op saves for backward.

    ``unpack_hook`` is given what ``pack_hook`` gave when backward needs it, and gives the tensor: equal in content to
    the one that was packed. Of nested contexts the innermost works.
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> Any:
        if _hooks.refusal is not None:
            raise RuntimeError(_hooks.refusal)
        _push_saved_tensors_hooks(self.pack_hook, self.unpack_hook)
        _hooks.depth += 1

    def __exit__(self, *exception: object) -> None:
        _hooks.depth -= 1
        _pop_saved_tensors_hooks()


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Inside, opening a context of saved-tensor hooks is a RuntimeError with this message; so is this inside of one.

    Example:

    >>> from rustorch.autograd import graph
    >>> with graph.disable_saved_tensors_hooks("not here"):
    ...     with graph.save_on_cpu():
    ...         pass
    Traceback (most recent call last):
    ...
    RuntimeError: not here
    """
    if _hooks.depth:
        raise RuntimeError(error_message)
    before = _hooks.refusal
    _hooks.refusal = error_message
    try:
        yield
    finally:
        _hooks.refusal = before


class save_on_cpu(saved_tensors_hooks):
    """Inside, what ops save for backward lies in the memory of the CPU, and comes back to its device when it is needed.

    Args:
        pin_memory: whether that memory is pinned, so that copies need not be waited for. Default: False.
        device_type: the kind of device for which it is pinned. Default: 'cuda'.

    Example:

    >>> x = rustorch.tensor([1.0, 2.0], requires_grad=True)
    >>> with rustorch.autograd.graph.save_on_cpu():
    ...     y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 4.])
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(tensor: Tensor) -> tuple[Any, Tensor]:
            saved = tensor.detach().to("cpu", copy=True)
            return tensor.device, saved.pin_memory(device_type) if pin_memory else saved

        def unpack(packed: tuple[Any, Tensor]) -> Tensor:
            device, saved = packed
            return saved.to(device, non_blocking=pin_memory)

        super().__init__(pack, unpack)


class _Copy:
    """A saved tensor as it was."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor: Tensor | None = tensor.detach().clone()


class _MutationContext:
    """What `allow_mutation_on_saved_tensors` gives."""

    def __init__(self) -> None:
        self._copies: WeakSet[_Copy] = WeakSet()

    def clear(self) -> None:
        """Forgets the copies: what was recorded inside can no longer go backward."""
        for copy in self._copies:
            copy.tensor = None


class allow_mutation_on_saved_tensors(saved_tensors_hooks):
    """Inside, tensors that ops saved for backward may be written into: backward, inside too, finds what they were.

    Each tensor that is saved is copied, whether it is written into later or not; PyTorch copies when it is.

    Example:

    >>> x = rustorch.tensor([1.0, 2.0], requires_grad=True)
    >>> with rustorch.autograd.graph.allow_mutation_on_saved_tensors():
    ...     y = x.clone()
    ...     z = (y * y).sum()
    ...     _ = y.sin_()
    ...     z.backward()
    >>> x.grad
    tensor([2., 4.])
    """

    def __init__(self) -> None:
        self._context = context = _MutationContext()

        def pack(tensor: Tensor) -> _Copy:
            copy = _Copy(tensor)
            context._copies.add(copy)
            return copy

        def unpack(copy: _Copy) -> Tensor:
            if copy.tensor is None:
                raise RuntimeError(
                    "allow_mutation_on_saved_tensors(): backward after its context was left, or cleared, finds nothing"
                )
            return copy.tensor

        super().__init__(pack, unpack)

    def __enter__(self) -> _MutationContext:
        super().__enter__()
        return self._context

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self._context.clear()


class GradientEdge(NamedTuple):
    """Where a gradient flows: into which node of a graph, as that of which of its results."""

    node: Node
    output_nr: int
    ownership_token: Any = None


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The edge by which the gradient of a tensor flows; of a leaf, the one that accumulates it.

    A RuntimeError if the tensor has no gradient.

    Example:

    >>> x = rustorch.ones(2, requires_grad=True)
    >>> rustorch.autograd.graph.get_gradient_edge(x * 2).node.name()
    'MulBackward0'
    >>> rustorch.autograd.graph.get_gradient_edge(x).node.name()
    'AccumulateGrad'
    """
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    node = tensor.grad_fn
    if node is None:
        # What computes with a leaf passes its gradient on to the node that accumulates it.
        accumulate = tensor.view_as(tensor).grad_fn.next_functions[0][0]  # type: ignore[union-attr]
        assert accumulate is not None
        return GradientEdge(accumulate, 0)
    return GradientEdge(node, tensor.output_nr)


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Counts a write into tensors that was done otherwise than by an op, so that backward knows of it.

    Args:
        tensor: a tensor, or several.

    Example:

    >>> x = rustorch.zeros(2)
    >>> rustorch.autograd.graph.increment_version(x)
    >>> x._version
    1
    """
    for one in (tensor,) if isinstance(tensor, Tensor) else tensor:
        # A write of no element.
        one.detach().as_strided((0,), (1,)).zero_()
