"""How samples become a batch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from copy import copy
from typing import Any

from rustorch import _C
from rustorch._C import Tensor

CollateMap = Mapping[Any, Callable[..., Any]]


def default_convert(data: Any) -> Any:
    """Makes tensors of NumPy's arrays and scalars, in containers, too, which keep their structure.

    Tuples become lists, named tuples stay; arrays of texts and objects and all else stays as it is. A DataLoader
    without batches does so with each item.

    Args:
        data: an item.

    Example:

    >>> import numpy
    >>> rustorch.utils.data.default_convert({"x": numpy.array([0, 1]), "name": "a"})
    {'x': tensor([0, 1]), 'name': 'a'}
    """
    kind = type(data)
    if isinstance(data, Tensor):
        return data
    if kind.__module__ == "numpy":
        return data if data.dtype.kind in "SUO" else _C.as_tensor(data)
    if isinstance(data, Mapping):
        return _mapping_like(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return kind(*map(default_convert, data))
    if isinstance(data, tuple):
        return [default_convert(item) for item in data]
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _sequence_like(data, [default_convert(item) for item in data])
    return data


def collate(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Any:
    """Makes a batch of samples by what a map says of their types, and of the containers that hold them.

    The map's functions take the batch and, by name, the map. The type itself is looked for first, then the first entry
    of which the first sample is an instance.

    Args:
        batch: the samples, at least one and all of the structure of the first.
        collate_fn_map: functions by type, or by tuples of types. Default: None.

    Example:

    >>> from rustorch.utils.data._utils.collate import collate
    >>> by_type = {str: lambda batch, **_: "".join(batch), int: lambda batch, **_: sum(batch)}
    >>> collate([("a", 1), ("b", 2)], collate_fn_map=by_type)
    ['ab', 3]
    """
    first = batch[0]
    kind = type(first)
    if collate_fn_map is not None:
        function = collate_fn_map.get(kind)
        if function is None:
            matching = (made for types, made in collate_fn_map.items() if isinstance(first, types))
            function = next(matching, None)
        if function is not None:
            return function(batch, collate_fn_map=collate_fn_map)

    def columns(items: Sequence[Any]) -> Any:
        return collate(items, collate_fn_map=collate_fn_map)

    if isinstance(first, Mapping):
        return _mapping_like(first, {key: columns([item[key] for item in batch]) for key in first})
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return kind(*map(columns, zip(*batch, strict=True)))
    if isinstance(first, Sequence):
        if any(len(item) != len(first) for item in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        content = [columns(items) for items in zip(*batch, strict=True)]
        return content if isinstance(first, tuple) else _sequence_like(first, content)
    raise _cannot(kind.__name__)


def _cannot(found: str) -> TypeError:
    return TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {found}"
    )


def _mapping_like(original: Mapping[Any, Any], content: dict[Any, Any]) -> Any:
    """The content in a mapping of the original's type, with its other properties, where that can be made of it."""
    make: Any = type(original)
    try:
        if not isinstance(original, MutableMapping):
            return make(content)
        made = copy(original)
        made.update(content)
        return made
    except TypeError:
        return content


def _sequence_like(original: Sequence[Any], content: list[Any]) -> Any:
    """The content in a sequence of the original's type, with its other properties, where that can be made of it."""
    make: Any = type(original)
    try:
        if not isinstance(original, MutableSequence):
            return make(content)
        made = copy(original)
        for i, item in enumerate(content):
            made[i] = item
        return made
    except TypeError:
        return content


def collate_tensor_fn(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Any:
    """Stacks tensors."""
    return _C.stack(list(batch), 0)


def collate_numpy_array_fn(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Any:
    """Stacks arrays, as tensors; those of texts and objects are a TypeError."""
    if batch[0].dtype.kind not in "biufc":
        raise _cannot(f"arrays of dtype {batch[0].dtype}, which cannot become tensors")
    return collate([_C.as_tensor(item) for item in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Any:
    """A tensor of NumPy's scalars, of their dtype."""
    return _C.stack([_C.as_tensor(item) for item in batch], 0)


def collate_float_fn(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Any:
    """A tensor of float64."""
    return _C.tensor(list(batch), dtype=_C.float64)


def collate_int_fn(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Any:
    """A tensor of int64, or of bool."""
    return _C.tensor(list(batch))


def collate_str_fn(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Any:
    """Texts and bytes as they are."""
    return batch


#: What default_collate does with what is no container. NumPy's types join when the first of their values comes.
default_collate_fn_map: dict[Any, Callable[..., Any]] = {
    Tensor: collate_tensor_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


def _know_numpy() -> None:
    """Adds NumPy's types, before `float`, which one of its scalars is. Who has none of them need not import it."""
    import numpy as np

    own = {
        Tensor: collate_tensor_fn,
        np.ndarray: collate_numpy_array_fn,
        # Not their scalars that are texts.
        (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    }
    # What somebody set meanwhile stays.
    together = own | default_collate_fn_map
    default_collate_fn_map.clear()
    default_collate_fn_map.update(together)
    _numpy_known.append(np.ndarray)


# NumPy's type once the map has it.
_numpy_known: list[type] = []


def default_collate(batch: Sequence[Any]) -> Any:
    """Makes a batch of samples: stacks tensors, arrays and numbers along a new first dimension; containers keep their
    structure.

    Tensors of shape (*) become one of shape (N, *), NumPy's arrays and numbers tensors, floats float64, ints int64,
    bools bool. A batch of dictionaries becomes a dictionary of batches, of named tuples a named tuple, of tuples and
    lists a list. Strings and bytes stay as they are. Anything else is a TypeError, sequences of different lengths are
    a RuntimeError. An entry of `utils.data._utils.collate.default_collate_fn_map` teaches it another type.

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
    if not _numpy_known and "numpy" in sys.modules:
        _know_numpy()
    return collate(batch, collate_fn_map=default_collate_fn_map)
