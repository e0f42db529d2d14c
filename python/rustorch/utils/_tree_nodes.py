"""Which objects are nodes of trees, and how they are taken apart and put together again."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

PyTree = Any
Context = Any
FlattenFn = Callable[[PyTree], tuple[list[Any], Context]]
UnflattenFn = Callable[[Iterable[Any], Context], PyTree]
IsLeaf = Callable[[PyTree], bool] | None


class SequenceKey(NamedTuple):
    """The place of a child in a list or tuple."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"

    def get(self, sequence: Any) -> Any:
        """The child at this place."""
        return sequence[self.idx]


class MappingKey(NamedTuple):
    """The place of a child in a dictionary."""

    key: Any

    def __str__(self) -> str:
        return f"[{self.key!r}]"

    def get(self, mapping: Any) -> Any:
        """The child at this place."""
        return mapping[self.key]


class GetAttrKey(NamedTuple):
    """The place of a child in an object with names, as a named tuple."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"

    def get(self, obj: Any) -> Any:
        """The child at this place."""
        return getattr(obj, self.name)


class NodeDef(NamedTuple):
    """How the nodes of a type are taken apart and put together again."""

    type: type[Any]
    flatten_fn: FlattenFn
    unflatten_fn: UnflattenFn
    #: The keys of the children of a node, beside the children; None where they have none.
    flatten_with_keys_fn: Callable[[PyTree], tuple[list[tuple[Any, Any]], Context]] | None = None


def is_namedtuple_class(cls: Any) -> bool:
    """Whether a class is that of a named tuple, or of the result of an op that is one."""
    return isinstance(cls, type) and issubclass(cls, tuple) and isinstance(getattr(cls, "_fields", None), tuple)


def is_namedtuple(obj: Any) -> bool:
    """Whether an object is a named tuple or its class."""
    return is_namedtuple_class(obj if isinstance(obj, type) else type(obj))


def _sequence_keys(node: Any) -> tuple[list[tuple[Any, Any]], Context]:
    children, context = SUPPORTED_NODES[type(node)].flatten_fn(node)
    return [(SequenceKey(i), child) for i, child in enumerate(children)], context


def _mapping_keys(node: Mapping[Any, Any]) -> tuple[list[tuple[Any, Any]], Context]:
    _, context = SUPPORTED_NODES[type(node)].flatten_fn(node)
    return [(MappingKey(key), child) for key, child in node.items()], context


def _of_dict(node: dict[Any, Any]) -> tuple[list[Any], Context]:
    return list(node.values()), list(node)


def _default_dict(values: Iterable[Any], context: Context) -> Any:
    factory, keys = context
    return defaultdict(factory, zip(keys, values, strict=True))


def _of_named_tuple(node: Any) -> tuple[list[Any], Context]:
    return list(node), type(node)


def _named_tuple(values: Iterable[Any], context: Context) -> Any:
    return context(*values)


def _attribute_keys(node: Any) -> tuple[list[tuple[Any, Any]], Context]:
    return [(GetAttrKey(name), child) for name, child in zip(node._fields, node, strict=True)], type(node)


# What stands for all named tuples in the table of nodes.
named_tuples = NodeDef(tuple, _of_named_tuple, _named_tuple, _attribute_keys)

SUPPORTED_NODES: dict[Any, NodeDef] = {
    tuple: NodeDef(tuple, lambda node: (list(node), None), lambda values, _: tuple(values), _sequence_keys),
    list: NodeDef(list, lambda node: (node, None), lambda values, _: list(values), _sequence_keys),
    dict: NodeDef(dict, _of_dict, lambda values, keys: dict(zip(keys, values, strict=True)), _mapping_keys),
    OrderedDict: NodeDef(
        OrderedDict, _of_dict, lambda values, keys: OrderedDict(zip(keys, values, strict=True)), _mapping_keys
    ),
    defaultdict: NodeDef(
        defaultdict,
        lambda node: (list(node.values()), [node.default_factory, list(node)]),
        _default_dict,
        _mapping_keys,
    ),
    deque: NodeDef(
        deque, lambda node: (list(node), node.maxlen), lambda values, maxlen: deque(values, maxlen), _sequence_keys
    ),
}
BUILTIN_TYPES = frozenset({tuple, list, dict, OrderedDict, defaultdict, deque})
STANDARD_DICT_TYPES = frozenset({dict, OrderedDict, defaultdict})


def register_pytree_node(
    cls: type[Any],
    flatten_fn: FlattenFn,
    unflatten_fn: UnflattenFn,
    *,
    serialized_type_name: str | None = None,
    to_dumpable_context: Any = None,
    from_dumpable_context: Any = None,
    flatten_with_keys_fn: Any = None,
) -> None:
    """Makes a class one of nodes. A ValueError if it is one already.

    Args:
        cls: the class; subclasses of it are leaves.
        flatten_fn: gives a node's children as a list, and whatever else is needed to make the node, which is compared
            by `==`.
        unflatten_fn: makes a node of the children and that.
        serialized_type_name, to_dumpable_context, from_dumpable_context: taken as PyTorch has them, for writing specs
            to files, which is not offered. Default: None.
        flatten_with_keys_fn: as `flatten_fn`, with pairs of key and child. Default: None.

    Example:

    >>> from rustorch.utils import _pytree as pytree
    >>> class Pair:
    ...     def __init__(self, a, b):
    ...         self.a, self.b = a, b
    >>> pytree.register_pytree_node(Pair, lambda p: ([p.a, p.b], None), lambda children, _: Pair(*children))
    >>> pytree.tree_leaves([Pair(1, 2), 3])
    [1, 2, 3]
    """
    if cls in SUPPORTED_NODES:
        raise ValueError(f"{cls} is already registered as pytree node.")
    SUPPORTED_NODES[cls] = NodeDef(cls, flatten_fn, unflatten_fn, flatten_with_keys_fn)


_register_pytree_node = register_pytree_node


def register_dataclass(cls: type[Any], *, field_names: list[str] | None = None, drop_field_names: Any = None) -> None:
    """Makes a dataclass one of nodes, whose children are its fields.

    Args:
        cls: the dataclass, else a ValueError.
        field_names: the fields that are children; None for all that the constructor takes. Default: None.
        drop_field_names: fields that are left out, and get their defaults. Default: None.

    Example:

    >>> from dataclasses import dataclass
    >>> from rustorch.utils import _pytree as pytree
    >>> @dataclass
    ... class Point:
    ...     x: int
    ...     y: int
    >>> pytree.register_dataclass(Point)
    >>> pytree.tree_map(lambda number: number + 1, Point(1, 2))
    Point(x=2, y=3)
    """
    if not is_dataclass(cls):
        raise ValueError(f"register_dataclass(): expected a dataclass, but got {cls}")
    dropped = set(drop_field_names or ())
    names = [field.name for field in fields(cls) if field.init] if field_names is None else field_names
    names = [name for name in names if name not in dropped]

    def flatten(node: Any) -> tuple[list[Any], Context]:
        return [getattr(node, name) for name in names], None

    def unflatten(values: Iterable[Any], _: Context) -> Any:
        return cls(**dict(zip(names, values, strict=True)))

    def with_keys(node: Any) -> tuple[list[tuple[Any, Any]], Context]:
        return [(GetAttrKey(name), getattr(node, name)) for name in names], None

    register_pytree_node(cls, flatten, unflatten, flatten_with_keys_fn=with_keys)


def node_of(tree: PyTree, is_leaf: IsLeaf = None) -> tuple[Any, NodeDef] | None:
    """The type of a node as specs name it, and how it is taken apart; None of a leaf."""
    if is_leaf is not None and is_leaf(tree):
        return None
    kind = type(tree)
    known = SUPPORTED_NODES.get(kind)
    if known is not None:
        return kind, known
    # Specs have this function as the type of all named tuples, and their own class as context.
    return (namedtuple, named_tuples) if is_namedtuple_class(kind) else None


def tree_is_leaf(tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether a tree is a leaf: nothing that has children, or something of which `is_leaf` says so.

    Example:

    >>> from rustorch.utils import _pytree as pytree
    >>> pytree.tree_is_leaf(1), pytree.tree_is_leaf([]), pytree.tree_is_leaf([], is_leaf=lambda tree: True)
    (True, False, True)
    """
    return node_of(tree, is_leaf) is None
