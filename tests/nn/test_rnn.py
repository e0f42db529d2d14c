"""Recurrent networks."""

import pickle

import pytest

import rustorch
from rustorch import nn


def test_recurrent_networks_refuse_what_does_not_fit() -> None:
    with pytest.raises(RuntimeError, match="must be equal to input_size"):
        nn.LSTM(3, 4)(rustorch.zeros(5, 2, 4))
    with pytest.raises(RuntimeError, match="Expected hidden"):
        nn.GRU(3, 4)(rustorch.zeros(5, 2, 3), rustorch.zeros(1, 3, 4))
    with pytest.raises(ValueError, match="2D or 3D"):
        nn.RNN(3, 4)(rustorch.zeros(3))
    with pytest.raises(ValueError, match="only supported for LSTM"):
        nn.GRU(3, 4, proj_size=2)
    with pytest.warns(UserWarning, match="num_layers"):
        nn.LSTM(3, 4, dropout=0.5)
    net = nn.LSTM(3, 4, num_layers=2, dropout=0.9)
    x = rustorch.randn(5, 2, 3)
    assert net(x)[0].tolist() != net(x)[0].tolist()
    assert net.eval()(x)[0].tolist() == net(x)[0].tolist()


def test_pickles_name_the_module_that_pytorch_names() -> None:
    for layer in (nn.RNNBase("GRU", 2, 3), nn.RNNCellBase(2, 3, True, 1), nn.LSTM(2, 3), nn.GRUCell(2, 3)):
        assert type(layer).__module__ == f"{rustorch.__name__}.nn.modules.rnn"
        assert repr(pickle.loads(pickle.dumps(layer))) == repr(layer)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_weights_may_be_computed_from_others(kind: str) -> None:
    net = getattr(nn, kind)(3, 4, bidirectional=True)
    x = rustorch.randn(5, 2, 3)
    want = net(x)[0]
    nn.utils.parametrizations.weight_norm(net, "weight_hh_l0_reverse")
    assert len(net.all_weights[1]) == 4
    got = net(x)[0]
    assert rustorch.allclose(got, want, atol=1e-6)
    got.sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_a_tensor_in_a_weights_place_is_used() -> None:
    net = nn.GRU(3, 4)
    x = rustorch.randn(5, 2, 3)
    weight = net.weight_hh_l0
    del net.weight_hh_l0
    net.weight_hh_l0 = weight * 0
    plain = nn.GRU(3, 4)
    plain.load_state_dict({**net.state_dict(), "weight_hh_l0": rustorch.zeros(12, 4)})
    assert rustorch.equal(net(x)[0], plain(x)[0])
