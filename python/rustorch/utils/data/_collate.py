"""How samples become a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rustorch import _C
from rustorch._C import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """Makes a batch of samples: stacks tensors, arrays and numbers along a new first dimension; containers keep their
    structure.

    Tensors of shape (*) become one of shape (N, *), NumPy's arrays and numbers tensors, floats float64, ints int64,
    bools bool. A batch of dictionaries becomes a dictionary of batches, of named tuples a named tuple, of tuples and
    lists a list. Strings and bytes stay as they are. Anything else is a TypeError, sequences of different lengths are
    a RuntimeError.

    Args:
        batch: the samples, at least one and all of the structure of the first.

    Example:

    >>> samples = [{"image": rustorch.zeros(2), "name": "a"}, {"image": rustorch.ones(2), "name": "b"}]
    >>> batch = rustorch.utils.data.default_collate(samples)
    >>> batch["image"]
    tensor([[0., 0.],
            [1., 1.]])
    >>> batch["name"]
    ['a', 'b']
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return _C.stack(list(batch), 0)
    if isinstance(first, float):
        return _C.tensor(list(batch), dtype=_C.float64)
    if isinstance(first, int):
        return _C.tensor(list(batch))
    if isinstance(first, (str, bytes)):
        return batch
    if type(first).__module__ == "numpy":
        if first.dtype.kind not in "biufc":
            raise TypeError(f"default_collate: arrays of dtype {first.dtype} cannot become tensors")
        return _C.stack([_C.as_tensor(item) for item in batch], 0)
    if isinstance(first, Mapping):
        return _like(first, {key: default_collate([item[key] for item in batch]) for key in first})
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(default_collate(items) for items in zip(*batch, strict=True)))
    if isinstance(first, Sequence):
        if any(len(item) != len(first) for item in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [default_collate(items) for items in zip(*batch, strict=True)]
        return columns if isinstance(first, tuple) else _like(first, columns)
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
        f"found {type(first).__name__}"
    )


def _like(original: Any, content: Any) -> Any:
    """The content in a container of the original's type, where that can be made of it."""
    try:
        return type(original)(content)
    except TypeError:
        return content
