"""Containers of modules and of parameters."""

from collections import OrderedDict

import pytest

import rustorch
from rustorch import nn


def test_sequential() -> None:
    net = nn.Sequential(OrderedDict(a=nn.Linear(2, 3), b=nn.ReLU()))
    assert list(net.state_dict()) == ["a.weight", "a.bias"]
    assert net.a is net[0]
    assert len(net) == 2
    assert isinstance(net[-1], nn.ReLU)
    assert [type(m) for m in nn.Sequential(*net, nn.Tanh())[1:]] == [nn.ReLU, nn.Tanh]
    net.append(nn.Linear(3, 1))
    assert net(rustorch.ones(5, 2)).shape == (5, 1)
    with pytest.raises(IndexError):
        net[3]


def test_module_list_and_dict() -> None:
    layers = nn.ModuleList([nn.Linear(1, 2)])
    layers.append(nn.Linear(2, 3))
    layers.extend([nn.ReLU()])
    layers.insert(0, nn.Identity())
    assert len(layers) == 4
    assert list(layers.state_dict()) == ["1.weight", "1.bias", "2.weight", "2.bias"]
    named = nn.ModuleDict({"a": nn.Linear(1, 1)})
    named["b"] = nn.Tanh()
    assert list(named) == ["a", "b"]
    assert "a" in named
    assert list(named.state_dict()) == ["a.weight", "a.bias"]
    del named["a"]
    assert list(named.keys()) == ["b"]
    with pytest.raises(NotImplementedError):
        layers(rustorch.ones(1))


def test_parameter_list_and_dict() -> None:
    class Holder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.items = nn.ParameterList([nn.Parameter(rustorch.zeros(1)), nn.Parameter(rustorch.ones(2))])
            self.named = nn.ParameterDict({"x": nn.Parameter(rustorch.ones(3))})

    assert list(Holder().state_dict()) == ["items.0", "items.1", "named.x"]
