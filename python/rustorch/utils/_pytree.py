"""Trees: containers in containers, whose leaves are everything else.

Lists, tuples, named tuples, dictionaries, OrderedDict, defaultdict and deque are nodes, and what `register_pytree_node`
made one. Dictionaries are read in the order of their keys' insertion. None is a leaf.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict, defaultdict, deque, namedtuple as _namedtuple
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from ._tree_nodes import (
    BUILTIN_TYPES as BUILTIN_TYPES,
    STANDARD_DICT_TYPES as STANDARD_DICT_TYPES,
    SUPPORTED_NODES as SUPPORTED_NODES,
    Context as Context,
    FlattenFn as FlattenFn,
    GetAttrKey as GetAttrKey,
    IsLeaf,
    MappingKey as MappingKey,
    NodeDef as NodeDef,
    PyTree as PyTree,
    SequenceKey as SequenceKey,
    UnflattenFn as UnflattenFn,
    _register_pytree_node as _register_pytree_node,
    is_namedtuple as is_namedtuple,
    is_namedtuple_class as is_namedtuple_class,
    named_tuples,
    node_of,
    register_dataclass as register_dataclass,
    register_pytree_node as register_pytree_node,
    tree_is_leaf as tree_is_leaf,
)


class TreeSpec:
    """The structure of a tree: the type of its root, what it needs to be made, and the structures of its children.

    Specs of equal structure are equal, and have the same hash. `num_nodes`, `num_leaves` and `num_children` count.

    Args:
        type: the type of the root; None of a leaf.
        context: what its `unflatten_fn` needs.
        children_specs: the structures of its children.

    Example:

    >>> from rustorch.utils import _pytree as pytree
    >>> pytree.tree_structure({"a": 1, "b": [2, 3]})
    TreeSpec(dict, ['a', 'b'], [*,
      TreeSpec(list, None, [*,
        *])])
    """

    def __init__(self, type: Any, context: Context, children_specs: list[TreeSpec]) -> None:
        if type is None and (context is not None or children_specs):
            raise AssertionError("TreeSpec: a leaf has neither a context nor children")
        self.type = type
        self._context = context
        self._children = children_specs
        self.num_children = len(children_specs)
        self.num_nodes: int = 1 + sum(child.num_nodes for child in children_specs)
        self.num_leaves: int = 1 if type is None else sum(child.num_leaves for child in children_specs)

    def __repr__(self, indent: int = 0) -> str:
        if self.is_leaf():
            return "*"
        inside = indent + 2
        children = f",\n{' ' * inside}".join(child.__repr__(inside) for child in self._children)
        return f"TreeSpec({self.type.__name__}, {self._context}, [{children}])"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TreeSpec):
            return NotImplemented
        return self.type is other.type and self._context == other._context and self._children == other._children

    def __hash__(self) -> int:
        context: Any = None
        if self.type is defaultdict:
            context = (self._context[0], tuple(self._context[1]))
        elif self.type in (dict, OrderedDict):
            context = tuple(self._context)
        elif self.type in BUILTIN_TYPES or self.type is _namedtuple:
            context = self._context
        return hash((self.type, context, tuple(self._children)))

    @property
    def context(self) -> Context:
        """What the root's `unflatten_fn` needs."""
        return self._context

    @property
    def children_specs(self) -> list[TreeSpec]:
        """The structures of the root's children; deprecated for `children`."""
        warnings.warn(
            "`treespec.children_specs` is deprecated. Use `treespec.child(index)` or `treespec.children()`.",
            FutureWarning,
            stacklevel=2,
        )
        return self._children

    def is_leaf(self) -> bool:
        """Whether it is the structure of a leaf."""
        return self.type is None

    def children(self) -> list[TreeSpec]:
        """The structures of the root's children."""
        return list(self._children)

    def child(self, index: int) -> TreeSpec:
        """The structure of one child of the root."""
        return self._children[index]

    def unflatten(self, leaves: Iterable[Any]) -> PyTree:
        """The tree of this structure with these leaves; a ValueError if it has another number of them."""
        leaves = list(leaves)
        if len(leaves) != self.num_leaves:
            raise ValueError(
                f"treespec.unflatten(leaves): `leaves` has length {len(leaves)} but the spec refers to a pytree that "
                f"holds {self.num_leaves} items ({self})."
            )
        return self._build(iter(leaves))

    def _build(self, leaves: Iterator[Any]) -> PyTree:
        if self.is_leaf():
            return next(leaves)
        definition = named_tuples if self.type is _namedtuple else SUPPORTED_NODES[self.type]
        return definition.unflatten_fn([child._build(leaves) for child in self._children], self._context)

    def flatten_up_to(self, tree: PyTree) -> list[PyTree]:
        """The subtrees of a tree where this structure has leaves; a ValueError if the tree is not built so above them.

        Dictionaries of all kinds with the same keys fit each other.
        """
        subtrees: list[PyTree] = []
        self._take(tree, subtrees)
        return subtrees

    def _take(self, tree: PyTree, subtrees: list[PyTree]) -> None:
        if self.is_leaf():
            subtrees.append(tree)
            return
        for spec, child in zip(self._children, self._children_of(tree), strict=True):
            spec._take(child, subtrees)

    def _children_of(self, tree: PyTree) -> list[PyTree]:
        """The children of a node that fits this structure's root."""
        found = node_of(tree)
        kind = None if found is None else found[0]
        dictionaries = self.type in STANDARD_DICT_TYPES and kind in STANDARD_DICT_TYPES
        if found is None or not (dictionaries or kind is self.type):
            raise ValueError(f"Node type mismatch; expected {self.type!r}, but got {type(tree)!r}.")
        children, context = found[1].flatten_fn(tree)
        if len(children) != self.num_children:
            raise ValueError(f"Node arity mismatch; expected {self.num_children}, but got {len(children)}.")
        if dictionaries:
            keys = self._context[1] if self.type is defaultdict else self._context
            if set(keys) != set(tree):
                missing, extra = set(keys) - set(tree), set(tree) - set(keys)
                raise ValueError(f"Node keys mismatch; missing key(s): {missing}; extra key(s): {extra}.")
            return [tree[key] for key in keys]
        # A deque may have another maximal length.
        if kind is not deque and context != self._context:
            raise ValueError(
                f"Node context mismatch for node type {self.type!r}; expected {self._context!r}, but got {context!r}."
            )
        return children


class LeafSpec(TreeSpec):
    """The structure of a leaf; to make one is deprecated, `treespec_leaf()` gives it."""

    def __init__(self) -> None:
        warnings.warn("`LeafSpec()` is deprecated, use `treespec_leaf()` instead.", FutureWarning, stacklevel=2)
        super().__init__(None, None, [])

    def __reduce__(self) -> tuple[Callable[[], TreeSpec], tuple[()]]:
        return treespec_leaf, ()


PyTreeSpec = TreeSpec
with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)
    _leaf_spec = LeafSpec()


def treespec_leaf() -> TreeSpec:
    """The structure of a leaf."""
    return _leaf_spec


def tree_flatten(tree: PyTree, is_leaf: IsLeaf = None) -> tuple[list[Any], TreeSpec]:
    """The leaves of a tree from left to right, and its structure; `tree_unflatten` makes the tree of them.

    Args:
        tree: the tree.
        is_leaf: says of which nodes to take as leaves. Default: None.

    Example:

    >>> from rustorch.utils import _pytree as pytree
    >>> leaves, spec = pytree.tree_flatten({"a": 1, "b": (2, None)})
    >>> leaves
    [1, 2, None]
    >>> pytree.tree_unflatten([3, 4, 5], spec)
    {'a': 3, 'b': (4, 5)}
    """
    leaves: list[Any] = []

    def walk(node: PyTree) -> TreeSpec:
        found = node_of(node, is_leaf)
        if found is None:
            leaves.append(node)
            return _leaf_spec
        kind, definition = found
        children, context = definition.flatten_fn(node)
        return TreeSpec(kind, context, [walk(child) for child in children])

    return leaves, walk(tree)


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> PyTree:
    """The tree of a structure with these leaves.

    A ValueError if it has another number of them, a TypeError if `treespec` is no TreeSpec.
    """
    if not isinstance(treespec, TreeSpec):
        if not isinstance(leaves, TreeSpec):
            raise TypeError(
                f"Expected `treespec` to be an instance of PyTreeSpec but got item of type {type(treespec)}."
            )
        # The other way round is taken, too.
        leaves, treespec = treespec, leaves
    return treespec.unflatten(leaves)


def tree_iter(tree: PyTree, is_leaf: IsLeaf = None) -> Iterator[Any]:
    """The leaves of a tree, one after the other."""
    found = node_of(tree, is_leaf)
    if found is None:
        yield tree
        return
    for child in found[1].flatten_fn(tree)[0]:
        yield from tree_iter(child, is_leaf)


def tree_leaves(tree: PyTree, is_leaf: IsLeaf = None) -> list[Any]:
    """The leaves of a tree from left to right."""
    return list(tree_iter(tree, is_leaf))


def tree_structure(tree: PyTree, is_leaf: IsLeaf = None) -> TreeSpec:
    """The structure of a tree."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None) -> PyTree:
    """A tree of the same structure, with what a function gives of each leaf.

    Args:
        func: takes a leaf of `tree`, and what each of `rests` has at its place.
        tree: the tree.
        *rests: more trees, which `tree` is the upper part of.
        is_leaf: says of which nodes of `tree` to take as leaves. Default: None.

    Example:

    >>> from rustorch.utils import _pytree as pytree
    >>> pytree.tree_map(lambda x, y: [x, *y], (5, 6), ([7, 9], [1, 2]))
    ([5, 7, 9], [6, 1, 2])
    """
    leaves, spec = tree_flatten(tree, is_leaf)
    return spec.unflatten(map(func, leaves, *(spec.flatten_up_to(rest) for rest in rests)))


def tree_map_(func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None) -> PyTree:
    """Calls a function with each leaf of a tree, for what it does to them, and gives the tree."""
    leaves, spec = tree_flatten(tree, is_leaf)
    for arguments in zip(leaves, *(spec.flatten_up_to(rest) for rest in rests), strict=True):
        func(*arguments)
    return tree


def _chosen(types: Any) -> Callable[[Any], bool]:
    """What says whether a leaf is of a type, of one of several, or what a function says."""
    if isinstance(types, type | tuple) or hasattr(types, "__args__"):
        return lambda leaf: isinstance(leaf, types)
    if callable(types):
        return partial(types)
    raise TypeError(f"Argument must be a type, a tuple of types, or a callable, but got {types!r}")


def tree_map_only(types: Any, func: Callable[[Any], Any], tree: PyTree, is_leaf: IsLeaf = None) -> PyTree:
    """A tree of the same structure, with what a function gives of the leaves of some types; the others stay.

    Args:
        types: a type, several, or a function that says of a leaf whether to call.
        func: takes such a leaf.
        tree: the tree.
        is_leaf: says of which nodes to take as leaves. Default: None.

    Example:

    >>> from rustorch.utils import _pytree as pytree
    >>> pytree.tree_map_only(int, lambda number: -number, [1, "a", {"b": 2}])
    [-1, 'a', {'b': -2}]
    """
    wanted = _chosen(types)
    return tree_map(lambda leaf: func(leaf) if wanted(leaf) else leaf, tree, is_leaf=is_leaf)


def tree_map_only_(types: Any, func: Callable[[Any], Any], tree: PyTree, is_leaf: IsLeaf = None) -> PyTree:
    """Calls a function with the leaves of some types, for what it does to them, and gives the tree."""
    wanted = _chosen(types)
    return tree_map_(lambda leaf: func(leaf) if wanted(leaf) else leaf, tree, is_leaf=is_leaf)


def tree_all(pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether something holds of all leaves.

    Example:

    >>> from rustorch.utils import _pytree as pytree
    >>> pytree.tree_all(lambda number: number > 0, [1, (2, 3)])
    True
    """
    return all(map(pred, tree_iter(tree, is_leaf)))


def tree_any(pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether something holds of at least one leaf.

    Example:

    >>> from rustorch.utils import _pytree as pytree
    >>> pytree.tree_any(lambda number: number > 3, [1, (2, 3)])
    False
    """
    return any(map(pred, tree_iter(tree, is_leaf)))


def tree_all_only(types: Any, pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether something holds of all leaves of some types."""
    wanted = _chosen(types)
    return all(pred(leaf) for leaf in tree_iter(tree, is_leaf) if wanted(leaf))


def tree_any_only(types: Any, pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether something holds of at least one leaf of some types."""
    wanted = _chosen(types)
    return any(pred(leaf) for leaf in tree_iter(tree, is_leaf) if wanted(leaf))


def tree_leaves_with_path(tree: PyTree, is_leaf: IsLeaf = None) -> list[tuple[tuple[Any, ...], Any]]:
    """The leaves of a tree, each with the keys that lead to it; a node without keys is a ValueError.

    Example:

    >>> from rustorch.utils import _pytree as pytree
    >>> [(pytree.keystr(path), leaf) for path, leaf in pytree.tree_leaves_with_path({"a": [1, 2]})]
    [("['a'][0]", 1), ("['a'][1]", 2)]
    """
    found: list[tuple[tuple[Any, ...], Any]] = []

    def walk(node: PyTree, path: tuple[Any, ...]) -> None:
        definition = node_of(node, is_leaf)
        if definition is None:
            found.append((path, node))
            return
        with_keys = definition[1].flatten_with_keys_fn
        if with_keys is None:
            raise ValueError(f"Did not find a flatten_with_keys_fn for type: {type(node)}.")
        for key, child in with_keys(node)[0]:
            walk(child, (*path, key))

    walk(tree, ())
    return found


def tree_flatten_with_path(tree: PyTree, is_leaf: IsLeaf = None) -> tuple[list[tuple[tuple[Any, ...], Any]], TreeSpec]:
    """The leaves of a tree, each with the keys that lead to it, and the tree's structure."""
    return tree_leaves_with_path(tree, is_leaf), tree_structure(tree, is_leaf)


def tree_map_with_path(func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None) -> PyTree:
    """As `tree_map`, of a function that takes the keys that lead to a leaf first."""
    found, spec = tree_flatten_with_path(tree, is_leaf)
    paths, leaves = [path for path, _ in found], [leaf for _, leaf in found]
    return spec.unflatten(map(func, paths, leaves, *(spec.flatten_up_to(rest) for rest in rests)))


def keystr(kp: tuple[Any, ...]) -> str:
    """The keys that lead to a leaf, as they would be written behind the tree's name."""
    return "".join(map(str, kp))


def key_get(obj: Any, kp: tuple[Any, ...]) -> Any:
    """What is where keys lead."""
    for key in kp:
        obj = key.get(obj)
    return obj
