"""Trees: what is a node, how structures compare, print and fit, as PyTorch has it."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass
from typing import Any

import pytest

import rustorch
from rustorch.utils import _pytree as pytree

Point = namedtuple("Point", "x y")

TREES = [
    1,
    None,
    [],
    (),
    {},
    [1, (2, [3]), {"a": 4, "b": None}],
    Point(1, [2, 3]),
    OrderedDict(b=1, a=[2]),
    defaultdict(list, a=1, b=(2, 3)),
    deque([1, 2, (3,)], maxlen=5),
]


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_a_tree_is_made_again_of_its_leaves(tree: Any) -> None:
    leaves, spec = pytree.tree_flatten(tree)
    again = pytree.tree_unflatten(leaves, spec)
    assert again == tree
    assert type(again) is type(tree)
    if isinstance(tree, deque):
        assert again.maxlen == tree.maxlen
    if isinstance(tree, defaultdict):
        assert again.default_factory is tree.default_factory
    assert spec.num_leaves == len(leaves)
    assert pytree.tree_leaves(tree) == leaves == list(pytree.tree_iter(tree))
    other = pytree.tree_structure(copy.deepcopy(tree))
    assert spec == other
    assert hash(spec) == hash(other)
    assert pickle.loads(pickle.dumps(spec)) == spec
    paths, _ = pytree.tree_flatten_with_path(tree)
    assert [pytree.key_get(tree, path) for path, _ in paths] == leaves


def test_what_is_no_node_is_a_leaf() -> None:
    class Own(list):
        pass

    for leaf in ("text", b"bytes", {1, 2}, range(3), rustorch.ones(2), Own([1])):
        assert pytree.tree_is_leaf(leaf)
        assert pytree.tree_leaves(leaf) == [leaf]
    largest = rustorch.tensor([[1.0, 2.0]]).max(1)
    doubled = pytree.tree_map(lambda t: t * 2, largest)
    assert type(doubled) is type(largest)
    assert (doubled.values.item(), doubled.indices.item()) == (4, 2)


def test_structures_print_as_pytorchs() -> None:
    """Recorded from PyTorch 2.15."""
    recorded = {
        repr({"a": 1, "b": [2, 3, (4,)]}): (
            "TreeSpec(dict, ['a', 'b'], [*,\n  TreeSpec(list, None, [*,\n    *,\n    TreeSpec(tuple, None, [*])])])"
        ),
        repr(OrderedDict(a=1)): "TreeSpec(OrderedDict, ['a'], [*])",
        repr(defaultdict(int, a=1)): "TreeSpec(defaultdict, [<class 'int'>, ['a']], [*])",
        repr(deque([1, 2], maxlen=4)): "TreeSpec(deque, 4, [*,\n  *])",
        repr([]): "TreeSpec(list, None, [])",
    }
    for tree in ({"a": 1, "b": [2, 3, (4,)]}, OrderedDict(a=1), defaultdict(int, a=1), deque([1, 2], maxlen=4), []):
        assert repr(pytree.tree_structure(tree)) == recorded[repr(tree)]
    assert repr(pytree.tree_structure(Point(1, 2))) == f"TreeSpec(namedtuple, {Point}, [*,\n  *])"
    assert repr(pytree.tree_structure(3)) == "*"


def test_structures_differ() -> None:
    specs = [pytree.tree_structure(tree) for tree in ([1], (1,), [1, 2], [[1]], {"a": 1}, {"b": 1}, Point(1, 2), 1)]
    assert all((a == b) == (a is b) for a in specs for b in specs)
    assert pytree.tree_structure({"a": 1, "b": 2}) != pytree.tree_structure({"b": 2, "a": 1})


def test_parts_of_a_structure() -> None:
    spec = pytree.tree_structure({"a": 1, "b": [2, 3]})
    assert (spec.type, spec.context) == (dict, ["a", "b"])
    assert (spec.num_nodes, spec.num_leaves, spec.num_children) == (5, 3, 2)
    assert spec.child(0).is_leaf()
    assert [child.is_leaf() for child in spec.children()] == [True, False]
    assert isinstance(spec.child(0), pytree.TreeSpec)
    with pytest.warns(FutureWarning):
        assert pytree.LeafSpec().is_leaf()


def test_mapping_several_trees() -> None:
    assert pytree.tree_map(lambda x, y: [x, *y], [5, 6], [[7, 9], [1, 2]]) == [[5, 7, 9], [6, 1, 2]]
    assert pytree.tree_map(lambda x, y: x + y, {"a": 1, "b": 2}, OrderedDict(b=20, a=10)) == {"a": 11, "b": 22}
    assert pytree.tree_map(sum, [[1, 2], [3]], is_leaf=lambda t: t and isinstance(t[0], int)) == [3, 3]
    seen: list[int] = []
    tree = [1, (2,)]
    assert pytree.tree_map_(seen.append, tree) is tree
    assert seen == [1, 2]
    named = pytree.tree_map_with_path(lambda path, x: f"{pytree.keystr(path)}={x}", {"a": [1], "p": Point(2, 3)})
    assert named == {"a": ["['a'][0]=1"], "p": Point("['p'].x=2", "['p'].y=3")}


def test_some_types_only() -> None:
    tree = [1, 2.5, {"a": "text", "b": (3,)}]
    assert pytree.tree_map_only(int, lambda x: -x, tree) == [-1, 2.5, {"a": "text", "b": (-3,)}]
    assert pytree.tree_map_only((int, float), lambda x: 0, tree) == [0, 0, {"a": "text", "b": (0,)}]
    assert pytree.tree_map_only(lambda x: x == 3, lambda x: 9, tree)[2]["b"] == (9,)
    assert pytree.tree_all_only(int, lambda x: x > 0, tree)
    assert pytree.tree_any_only(str, lambda x: x == "text", tree)
    assert not pytree.tree_all(lambda x: isinstance(x, int), tree)
    assert pytree.tree_any(lambda x: x == 2.5, tree)
    with pytest.raises(TypeError, match="must be a type"):
        pytree.tree_map_only(3, lambda x: x, tree)


@pytest.mark.parametrize(
    ("tree", "other", "message"),
    [
        ([1, 2], (1, 2), "type mismatch"),
        ([1, 2], [1], "arity mismatch"),
        ([1, [2]], [1, 2], "type mismatch"),
        ({"a": 1}, {"b": 1}, "keys mismatch; missing"),
        (Point(1, 2), namedtuple("Pair", "x y")(1, 2), "context mismatch"),
    ],
)
def test_trees_that_do_not_fit(tree: Any, other: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pytree.tree_map(lambda x, y: x, tree, other)


def test_too_few_leaves() -> None:
    spec = pytree.tree_structure([1, 2])
    with pytest.raises(ValueError, match="length 1 but the spec refers to a pytree that holds 2"):
        pytree.tree_unflatten([1], spec)
    with pytest.raises(TypeError, match="PyTreeSpec"):
        pytree.tree_unflatten([1], [1])


def test_own_nodes() -> None:
    class Pair:
        def __init__(self, first: Any, second: Any, name: str) -> None:
            self.first, self.second, self.name = first, second, name

    pytree.register_pytree_node(Pair, lambda p: ([p.first, p.second], p.name), lambda values, name: Pair(*values, name))
    mapped = pytree.tree_map(lambda x: x + 1, [Pair(1, (2,), "p")])[0]
    assert (mapped.first, mapped.second, mapped.name) == (2, (3,), "p")
    assert pytree.tree_structure(Pair(1, 2, "a")) != pytree.tree_structure(Pair(1, 2, "b"))
    with pytest.raises(ValueError, match="already registered"):
        pytree.register_pytree_node(Pair, lambda p: ([], None), lambda values, _: None)
    with pytest.raises(ValueError, match="flatten_with_keys_fn"):
        pytree.tree_flatten_with_path(Pair(1, 2, "a"))


def test_dataclasses() -> None:
    @dataclass
    class Sample:
        image: Any
        label: int = 0

    pytree.register_dataclass(Sample)
    assert pytree.tree_map(lambda x: x * 2, Sample([1, 2], 3)) == Sample([2, 4], 6)
    assert [pytree.keystr(path) for path, _ in pytree.tree_leaves_with_path(Sample([1], 2))] == [".image[0]", ".label"]
