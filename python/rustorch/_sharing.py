"""Methods about memory that processes share; what they do is imported when they are called."""

from __future__ import annotations

from rustorch._C import Tensor, UntypedStorage


def is_shared(self: Tensor | UntypedStorage) -> bool:
    """Whether other processes can see the memory: after ``share_memory_()``, and of what came from another process.

    Example:

    >>> x = rustorch.zeros(3)
    >>> x.is_shared(), x.share_memory_().is_shared()
    (False, True)
    """
    from rustorch import _shared_memory

    storage = self if isinstance(self, UntypedStorage) else self.untyped_storage()
    return storage.device.type == "cpu" and _shared_memory.find(storage.data_ptr()) is not None


def share_memory_(self: Tensor) -> Tensor:
    """Moves the tensor to memory that processes share: what one writes, those to which it is sent see.

    Processes that are forked later see it, too. A tensor that is shared already stays where it is, and so does one on a
    device. Views that were made of it before keep the memory it had, so that one that is a view itself is refused.

    Raises:
        RuntimeError: the tensor is a view of another one, which would stay behind.

    Example:

    >>> x = rustorch.arange(3).share_memory_()
    >>> x, x.is_shared()
    (tensor([0, 1, 2]), True)
    """
    if self.device.type != "cpu" or is_shared(self):
        return self
    if self._is_view():
        raise RuntimeError(
            "share_memory_(): the tensor is a view, and what it is a view of would keep the memory that it has now; "
            "share that one before, or a clone() of this"
        )
    from rustorch.autograd.grad_mode import no_grad
    from rustorch.multiprocessing.reductions import share

    size, stride, offset = tuple(self.shape), self.stride(), self.storage_offset()
    with no_grad():
        self.set_(share(self.untyped_storage()), offset, size, stride)
    return self


def complete(tensor: type[Tensor], storage: type[UntypedStorage]) -> None:
    """Gives the classes their methods that are written in Python."""
    tensor.is_shared = is_shared  # type: ignore[method-assign]
    tensor.share_memory_ = share_memory_  # type: ignore[method-assign]
    storage.is_shared = is_shared  # type: ignore[method-assign]
