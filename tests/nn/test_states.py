"""The state of modules: its hooks, its versions, and states of other times."""

from collections import OrderedDict

import pytest

import rustorch
from rustorch import nn


def test_hooks_before_and_after_reading() -> None:
    net = nn.Sequential(nn.Linear(2, 2))
    seen = []
    pre = net[0].register_state_dict_pre_hook(lambda *args: seen.append(args))
    post = net[0].register_state_dict_post_hook(
        lambda module, state, prefix, metadata: state.__delitem__(prefix + "bias")
    )
    assert list(net.state_dict(prefix="net.", keep_vars=True)) == ["net.0.weight"]
    assert seen == [(net[0], "net.0.", True)]
    pre.remove()
    post.remove()
    assert list(net.state_dict()) == ["0.weight", "0.bias"]
    assert len(seen) == 1


def test_a_public_hook_gives_nothing_and_a_private_one_a_state() -> None:
    net = nn.Linear(2, 2)
    net.register_state_dict_post_hook(lambda module, state, prefix, metadata: state)
    with pytest.raises(RuntimeError, match="post-hook must return None"):
        net.state_dict()
    net = nn.Linear(2, 2)
    net._register_state_dict_hook(lambda module, state, prefix, metadata: {"weight": state["weight"]})
    assert list(net.state_dict()) == ["weight"]


def test_hooks_before_and_after_loading() -> None:
    net = nn.Sequential(nn.Linear(2, 2))
    state = {f"0.{name}": tensor + 1 for name, tensor in net[0].state_dict().items()}
    state["0.kernel"] = state.pop("0.weight")
    calls = []

    def rename(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs):
        calls.append((prefix, strict, missing_keys, unexpected_keys, error_msgs))
        state_dict[prefix + "weight"] = state_dict.pop(prefix + "kernel")

    handle = net[0]._register_load_state_dict_pre_hook(rename)
    with_module = net[0].register_load_state_dict_pre_hook(lambda module, *_: calls.append(module))
    private = net[0]._register_load_state_dict_pre_hook(lambda module, *_: calls.append(module), with_module=True)
    net.register_load_state_dict_post_hook(lambda module, keys: keys.missing_keys.clear())
    result = net.load_state_dict(dict(state))
    assert calls == [("0.", True, [], [], []), net[0], net[0]]
    assert result.missing_keys == result.unexpected_keys == []
    for each in (handle, with_module, private):
        each.remove()
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\) in state_dict: .0.kernel"):
        net.load_state_dict(dict(state))
    assert len(calls) == 3


def test_a_hook_after_loading_gives_nothing() -> None:
    net = nn.Linear(2, 2)
    net.register_load_state_dict_post_hook(lambda module, keys: keys)
    with pytest.raises((RuntimeError, AssertionError), match="not expected to return new values"):
        net.load_state_dict(net.state_dict())


def test_versions_are_saved_and_given_to_what_loads() -> None:
    class Versioned(nn.Linear):
        _version = 3

        def _load_from_state_dict(self, state_dict, prefix, local_metadata, *others):
            versions.append(local_metadata.get("version"))
            super()._load_from_state_dict(state_dict, prefix, local_metadata, *others)

    versions: list[object] = []
    net = nn.Sequential(Versioned(2, 2), nn.ReLU())
    state = net.state_dict()
    assert type(state) is OrderedDict
    assert state._metadata == {"": {"version": 1}, "0": {"version": 3}, "1": {"version": 1}}
    net.load_state_dict(state)
    net.load_state_dict(dict(state))
    assert versions == [3, None]
    seen = []
    net._register_load_state_dict_pre_hook(lambda state, *others: seen.append(state._metadata["0"]))
    net.load_state_dict(state)
    assert seen == [{"version": 3}]


def test_positions_of_state_dicts_arguments_warn() -> None:
    net, into = nn.Linear(2, 2), OrderedDict(there=1)
    with pytest.warns(FutureWarning, match="use kwargs instead"):
        assert net.state_dict(into, "net.") is into
    assert list(into) == ["there", "net.weight", "net.bias"]


def test_a_number_saved_as_a_vector_loads() -> None:
    module = nn.Module()
    module.scale = nn.Parameter(rustorch.tensor(1.0))
    module.load_state_dict({"scale": rustorch.tensor([3.0])})
    assert module.scale.item() == 3.0
